"""A thread in which `zeroconf` speaks multicast DNS, and follows the computer from network to network.

zeroconf lives in an event loop of asyncio. It gets a thread of its own, which nobody sees and nobody waits for, but for
the last moment of the program: what was announced is taken back.
"""

import asyncio
import atexit
import socket
import threading
from collections.abc import Sequence
from typing import Any

from zeroconf import InterfaceChoice, IPVersion
from zeroconf.asyncio import AsyncZeroconf

from netcode.diagnostics import log
from netcode.lan.interfaces import Interface, own_interfaces, present

LOOK = 10.0
"""Seconds between two looks at the computer's own addresses, for a laptop joins another network; and at who is there."""

LAST_WORDS = 1.0
"""Seconds that the end of the program may wait for a goodbye."""


class Speaker:
    """What happens in the thread: a session of zeroconf, which follows the computer from network to network."""

    def __init__(self, interfaces: Sequence[str] | None) -> None:
        self._interfaces = interfaces
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awake: asyncio.Event | None = None
        self._mine: frozenset[Interface] = frozenset()
        self._is_over = False
        self._ended = threading.Event()
        self.error: str | None = None
        self._thread = threading.Thread(target=self._run, name="netcode-lan", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        try:
            self._thread.start()
        except RuntimeError as error:  # the process may start no more threads
            self._fail(error)
            return
        atexit.register(self._last_words)

    def wake(self) -> None:
        """Let the thread see that something has changed."""
        loop, awake = self._loop, self._awake
        if loop is not None and awake is not None:
            try:
                loop.call_soon_threadsafe(awake.set)
            except RuntimeError:
                pass  # it has ended

    def end(self) -> None:
        """Let the thread end, soon."""
        self._is_over = True
        self._ended.set()
        self.wake()

    def abandon(self) -> None:
        """Forget the thread, which a forked child has not."""
        self._is_over, self._loop = True, None
        atexit.unregister(self._last_words)

    def _last_words(self) -> None:
        """Have the goodbye said before the program ends."""
        self.end()
        self._thread.join(LAST_WORDS)

    # In the thread.

    def _run(self) -> None:
        try:
            while not self._is_over:
                self._live_in_a_loop()
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            self._fail(error)
        finally:
            self._loop = None
            atexit.unregister(self._last_words)

    def _live_in_a_loop(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.get_loop()  # first: without a descriptor for it, there is nothing to live in
                runner.run(self._live())
        except OSError as error:
            self._fail(error)
            self._ended.wait(LOOK)

    async def _live(self) -> None:
        self._awake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        while not self._is_over:
            try:
                mine = self._networks()
                zeroconf = AsyncZeroconf(*self._where(mine))
            except (OSError, RuntimeError) as error:
                self._fail(error)
                await self._sleep(LOOK)
                continue
            try:
                await zeroconf.zeroconf.async_wait_for_start()
                self._succeed()
                await self._begin_session(zeroconf)
                await self._keep_up(zeroconf, mine)
            finally:
                await self._end_session()
                await zeroconf.async_close()

    def _networks(self) -> frozenset[Interface]:
        """Return this computer's addresses; as they were, where that cannot be asked, as without a free descriptor.

        Raises:
            OSError: it could not be asked before, either.
        """
        try:
            self._mine = own_interfaces()
        except OSError:
            if not self._mine:
                raise
        return self._mine

    async def _keep_up(self, zeroconf: AsyncZeroconf, mine: frozenset[Interface]) -> None:
        """Join the networks that come and leave those that go, until it is over or there is none any more.

        What is heard on the others goes on: computers have bridges, tunnels and second addresses that come and go, and
        none of that is news of a game.
        """
        settled = True
        while not self._is_over:
            await self._sleep(LOOK)
            now = self._networks()
            if now != mine or not settled:
                # Twice: one that has come just now may have an address that cannot be used yet (RFC 4862, 5.4).
                mine, settled = now, now == mine
                try:
                    await zeroconf.async_update_interfaces(self._where(mine)[0])
                except (OSError, RuntimeError):
                    return  # a new session will say what is wrong
                await self._move(zeroconf)
            await self._renew(zeroconf)

    def _where(self, mine: frozenset[Interface]) -> tuple[Any, bool, IPVersion | None]:
        """Return what zeroconf wants to know of interfaces. Raises `OSError` where there are none."""
        if self._interfaces is None and mine:
            return InterfaceChoice.All, False, IPVersion.All if socket.has_ipv6 else IPVersion.V4Only
        wanted = present(self._interfaces or (), mine)
        if not wanted:
            raise OSError("this computer has no network")
        return wanted, False, None

    async def _sleep(self, seconds: float) -> None:
        """Sleep until somebody calls `wake`, or `seconds` have passed."""
        assert self._awake is not None
        try:
            await asyncio.wait_for(self._awake.wait(), seconds)
        except TimeoutError:
            pass
        self._awake.clear()

    def _fail(self, error: Exception) -> None:
        self.error = f"the local network cannot be used: {error}"
        log.warn("lan", "%s", self.error)

    def _succeed(self) -> None:
        self.error = None

    async def _begin_session(self, zeroconf: AsyncZeroconf) -> None:
        """Begin with what this is for."""

    async def _move(self, zeroconf: AsyncZeroconf) -> None:
        """Hear that the computer is in other networks now."""

    async def _renew(self, zeroconf: AsyncZeroconf) -> None:
        """Hear that somebody called `wake`, or that some time has passed."""

    async def _end_session(self) -> None:
        """End what `_begin_session` began, as far as it is not zeroconf's."""
