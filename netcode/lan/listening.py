"""Who is announced by multicast DNS: heard of, asked where it is, and asked again whether it is still there."""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from zeroconf import Error, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from netcode.diagnostics import log
from netcode.lan import MAX_SIGHTINGS, Sighting
from netcode.lan.records import SERVICE, sighting
from netcode.lan.speaker import Speaker

ANSWER_TIMEOUT = 3.0
"""Seconds for which a server that was heard of is asked where it is."""

UNANSWERED = 2
"""So many times in a row a server is asked in vain before it counts as gone: one question may be lost."""


class Listening(Speaker):
    """Listens for servers."""

    def __init__(self, interfaces: Sequence[str] | None) -> None:
        super().__init__(interfaces)
        self.sightings: Mapping[str, Sighting] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()  # names that changed while they were asked
        self._waiting = dict[str, None]()  # names that are asked once fewer are; a set that remembers the order
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
        if self._browser is not None:
            await self._browser.async_cancel()  # or what it has begun fails behind it, and asyncio prints that
            self._browser = None
        for task in [*self._tasks.values()]:
            task.cancel()
        self._tasks.clear()
        self._again.clear()
        self._waiting.clear()
        self._silent.clear()
        self._show({})

    def _hear(self, zeroconf: Any, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        """Hear that a server came, changed or went."""
        if state_change is ServiceStateChange.Removed:
            if (task := self._tasks.pop(name, None)) is not None:
                task.cancel()
            self._waiting.pop(name, None)
            self._forget(name)
        elif name in self._tasks:
            self._again.add(name)
        elif name in self.sightings or len(self.sightings) < MAX_SIGHTINGS:
            self._begin_to_ask(zeroconf, service_type, name)

    def _begin_to_ask(self, zeroconf: Any, service_type: str, name: str) -> None:
        """Ask for who has this name; where so many are asked already, once one of those has answered or is given up."""
        with suppress(Error, OSError, ValueError):  # of no server of ours: a name with a control character, say
            info = AsyncServiceInfo(service_type, name)
            if len(self._tasks) < MAX_SIGHTINGS:
                self._tasks[name] = asyncio.create_task(self._ask(zeroconf, info, name))
            elif info.load_from_cache(zeroconf):
                self._see(name, info)  # it said all with its name, as servers of ours do: silent ones do not delay it
            else:
                self._waiting[name] = None
                if len(self._waiting) > MAX_SIGHTINGS:
                    del self._waiting[next(iter(self._waiting))]

    async def _ask(self, zeroconf: Any, info: AsyncServiceInfo, name: str) -> None:
        """Ask a server that was heard of where it is."""
        again = True
        try:
            while again:
                self._again.discard(name)
                if await info.async_request(zeroconf, ANSWER_TIMEOUT * 1000):
                    self._silent.pop(name, None)
                    self._see(name, info)
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
                self._ask_next(zeroconf)

    def _ask_next(self, zeroconf: Any) -> None:
        """Ask for one of those who wait for it, if somebody more can be shown."""
        if self._waiting and len(self.sightings) < MAX_SIGHTINGS:
            name = next(iter(self._waiting))
            del self._waiting[name]
            self._begin_to_ask(zeroconf, SERVICE, name)

    def _see(self, name: str, info: AsyncServiceInfo) -> None:
        """Show where a server is, if somebody more can be shown."""
        seen, known = sighting(info, self._networks()), self.sightings.get(name)
        if seen not in (None, known) and (known is not None or len(self.sightings) < MAX_SIGHTINGS):
            self._show({**self.sightings, name: seen})

    def _forget(self, name: str) -> None:
        self._silent.pop(name, None)
        self._show({key: sighting for key, sighting in self.sightings.items() if key != name})

    def _show(self, sightings: Mapping[str, Sighting]) -> None:
        if sightings != self.sightings:
            self.sightings = sightings
            self._ring()
