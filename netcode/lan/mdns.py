"""The local network that this computer is on: DNS-SD over multicast DNS (RFC 6763, RFC 6762), spoken by `zeroconf`.

zeroconf lives in an event loop of asyncio. It gets a thread of its own, which nobody sees and nobody waits for, but for
the last moment of the program: what was announced is taken back. Only `netcode.discovery` imports this, when it is used.
"""

import asyncio
import atexit
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from zeroconf import Error, InterfaceChoice, IPVersion, ServiceInfo, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from netcode.address import Address
from netcode.diagnostics import log
from netcode.lan import MAX_SIGHTINGS, Sighting
from netcode.lan.interfaces import Interface, addresses_for, interfaces_of, own_interfaces, present
from netcode.lan.records import SERVICE, TTL, instance, records, sighting

ANSWER_TIMEOUT = 3.0
"""Seconds for which a server that was heard of is asked where it is."""

LOOK = 10.0
"""Seconds between two looks at the computer's own addresses, for a laptop joins another network; and at who is there."""

UNANSWERED = 2
"""So many times in a row a server is asked in vain before it counts as gone: one question may be lost."""

SHORTEST = 2.0
"""Seconds between two changes of what is announced: each of them is told to everybody on the network."""

LAST_WORDS = 1.0
"""Seconds that the end of the program may wait for a goodbye."""


class Mdns:
    """Announces and finds servers by multicast DNS.

    Args:
        interfaces: addresses of the network interfaces to use; None for all of them.
    """

    def __init__(self, interfaces: Sequence[str] | None = None) -> None:
        self._interfaces = interfaces

    def announce(self, name: str, host: str, address: Address, said: Mapping[str, str]) -> "MdnsAnnouncement":
        return MdnsAnnouncement(self._interfaces, name, host, address, said)

    def look_out(self) -> "MdnsLookout":
        return MdnsLookout(self._interfaces)


class _Speaker:
    """What happens in the thread: a session of zeroconf, which follows the computer from network to network."""

    def __init__(self, interfaces: Sequence[str] | None) -> None:
        self._interfaces = interfaces
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awake: asyncio.Event | None = None
        self._is_over = False
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
            asyncio.run(self._live())
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            self._fail(error)
        finally:
            self._loop = None
            atexit.unregister(self._last_words)

    async def _live(self) -> None:
        self._awake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        while not self._is_over:
            mine = own_interfaces()
            try:
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

    async def _keep_up(self, zeroconf: AsyncZeroconf, mine: frozenset[Interface]) -> None:
        """Join the networks that come and leave those that go, until it is over or there is none any more.

        What is heard on the others goes on: computers have bridges, tunnels and second addresses that come and go, and
        none of that is news of a game.
        """
        settled = True
        while not self._is_over:
            await self._sleep(LOOK)
            now = own_interfaces()
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


class _Announcing(_Speaker):
    """Announces one server."""

    def __init__(
        self, interfaces: Sequence[str] | None, name: str, host: str, address: Address, said: Mapping[str, str]
    ) -> None:
        super().__init__(interfaces_of(host, address) if interfaces is None else interfaces)
        self._name = instance(name)
        self._host, self._address = host, address
        self.said = said
        self._told = self._news()

    async def _begin_session(self, zeroconf: AsyncZeroconf) -> None:
        self._told = self._news()
        untyped: Any = zeroconf  # what these two return is not told as strictly as our checkers want
        await (await untyped.async_register_service(self._info(), ttl=TTL, strict=False))

    async def _renew(self, zeroconf: AsyncZeroconf) -> None:
        news = self._news()
        if news != self._told and not self._is_over:
            self._told = news
            untyped: Any = zeroconf
            await (await untyped.async_update_service(self._info()))
            again = time.monotonic() + SHORTEST
            while not self._is_over and (left := again - time.monotonic()) > 0:
                await self._sleep(left)

    def _news(self) -> tuple[Mapping[str, str], list[str]]:
        """Return what is to be told: what the server says, and where it is reached now."""
        return self.said, addresses_for(self._host, self._address, own_interfaces())

    def _info(self) -> ServiceInfo:
        said, addresses = self._told
        return records(self._name, self._address.port, addresses, said)


class MdnsAnnouncement:
    """A server that is being announced by multicast DNS."""

    def __init__(
        self, interfaces: Sequence[str] | None, name: str, host: str, address: Address, said: Mapping[str, str]
    ) -> None:
        self._speaker = _Announcing(interfaces, name, host, address, said)
        self._speaker.begin()

    def tell(self, said: Mapping[str, str]) -> None:
        self._speaker.said = said
        self._speaker.wake()

    def close(self) -> None:
        self._speaker.end()

    __del__ = close

    def abandon(self) -> None:
        self._speaker.abandon()


class _Listening(_Speaker):
    """Listens for servers."""

    def __init__(self, interfaces: Sequence[str] | None) -> None:
        super().__init__(interfaces)
        self.sightings: Mapping[str, Sighting] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()  # names that changed while they were asked
        self._silent: dict[str, int] = {}  # how often in a row they were asked in vain
        self._browser: AsyncServiceBrowser | None = None
        self.ear, self._bell = socket.socketpair()
        self.ear.setblocking(False)
        self._bell.setblocking(False)

    def _ring(self) -> None:
        try:
            self._bell.send(b"!")
        except OSError:
            pass  # it rings already, or nobody listens any more

    def _fail(self, error: Exception) -> None:
        super()._fail(error)
        self._ring()

    def _succeed(self) -> None:
        if self.error is not None:
            self.error = None
            self._ring()

    def _run(self) -> None:
        try:
            super()._run()
        finally:
            self._bell.close()

    def begin(self) -> None:
        super().begin()
        if not self._thread.is_alive() and self.error is not None:
            self._bell.close()

    async def _begin_session(self, zeroconf: AsyncZeroconf) -> None:
        self._browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[self._hear])

    async def _move(self, zeroconf: AsyncZeroconf) -> None:
        """Ask in all networks at once: the old browser asks more rarely every time, at last once an hour.

        The new one hears again of all that are known: where they are best reached may be another of their addresses.
        """
        assert self._browser is not None
        await self._browser.async_cancel()
        await self._begin_session(zeroconf)

    async def _renew(self, zeroconf: AsyncZeroconf) -> None:
        """Ask who is shown whether it is still there, which is on the network only once what it said is too old.

        zeroconf tells of one that went without a goodbye after 1125 s at the earliest, however short its owner's time is.
        """
        for name in self.sightings:
            if name not in self._tasks:
                self._begin_to_ask(zeroconf.zeroconf, SERVICE, name)

    async def _end_session(self) -> None:
        for task in [*self._tasks.values()]:
            task.cancel()
        self._tasks.clear()
        self._again.clear()
        self._silent.clear()
        self._show({})

    def _hear(self, zeroconf: Any, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        """Hear that a server came, changed or went."""
        if state_change is ServiceStateChange.Removed:
            if (task := self._tasks.pop(name, None)) is not None:
                task.cancel()
            self._forget(name)
        elif name in self._tasks:
            self._again.add(name)
        elif name in self.sightings or len(self.sightings) + len(self._tasks) < MAX_SIGHTINGS:
            self._begin_to_ask(zeroconf, service_type, name)

    def _begin_to_ask(self, zeroconf: Any, service_type: str, name: str) -> None:
        with suppress(Error):  # no server of ours has such a name: with a control character, say
            self._tasks[name] = asyncio.create_task(self._ask(zeroconf, AsyncServiceInfo(service_type, name), name))

    async def _ask(self, zeroconf: Any, info: AsyncServiceInfo, name: str) -> None:
        """Ask a server that was heard of where it is."""
        again = True
        try:
            while again:
                self._again.discard(name)
                if await info.async_request(zeroconf, ANSWER_TIMEOUT * 1000):
                    self._silent.pop(name, None)
                    seen = sighting(info, own_interfaces())
                    if seen is not None and seen != self.sightings.get(name):
                        self._show({**self.sightings, name: seen})
                elif name in self.sightings:
                    self._silent[name] = self._silent.get(name, 0) + 1
                    if self._silent[name] >= UNANSWERED:
                        self._forget(name)
                again = name in self._again
                info = AsyncServiceInfo(info.type, name)
        except (Error, OSError, ValueError) as error:  # about what a stranger said
            log.debug("a server on the local network cannot be asked: %s", type(error).__name__)
        finally:
            if self._tasks.get(name) is asyncio.current_task():  # else it went, and may be asked anew
                del self._tasks[name]
                self._again.discard(name)

    def _forget(self, name: str) -> None:
        self._silent.pop(name, None)
        self._show({key: sighting for key, sighting in self.sightings.items() if key != name})

    def _show(self, sightings: Mapping[str, Sighting]) -> None:
        if sightings != self.sightings:
            self.sightings = sightings
            self._ring()


class MdnsLookout:
    """Listens for servers by multicast DNS."""

    def __init__(self, interfaces: Sequence[str] | None) -> None:
        self._speaker = _Listening(interfaces)
        self._speaker.begin()

    @property
    def sightings(self) -> Mapping[str, Sighting]:
        return self._speaker.sightings

    @property
    def error(self) -> str | None:
        return self._speaker.error

    def fileno(self) -> int:
        return self._speaker.ear.fileno()

    def hush(self) -> None:
        try:
            while self._speaker.ear.recv(64):
                pass
        except OSError:
            pass  # nothing is left to be read, or it is closed

    def close(self) -> None:
        self._speaker.end()
        self._speaker.ear.close()

    __del__ = close

    def abandon(self) -> None:
        self._speaker.abandon()
        self._speaker.ear.close()
