"""The local network that this computer is on: DNS-SD over multicast DNS (RFC 6763, RFC 6762), spoken by `zeroconf`.

Only `netcode.discovery` imports this, when it is used.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from netcode.address import Address
from netcode.lan import Sighting
from netcode.lan.interfaces import addresses_for, interfaces_of
from netcode.lan.listening import Listening
from netcode.lan.records import TTL, instance, records
from netcode.lan.speaker import Speaker

SHORTEST = 2.0
"""Seconds between two changes of what is announced: each of them is told to everybody on the network."""


News = tuple[Mapping[str, str], list[str]]
"""What a server says, and where it is reached."""


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


class Announcing(Speaker):
    """Announces one server."""

    def __init__(
        self, interfaces: Sequence[str] | None, name: str, host: str, address: Address, said: Mapping[str, str]
    ) -> None:
        super().__init__(interfaces_of(host, address) if interfaces is None else interfaces)
        self._name = instance(name)
        self._host, self._address = host, address
        self.said = said
        self._told: News = said, []
        with suppress(OSError):  # of which the thread tells
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

    def _news(self) -> News:
        """Return what is to be told: what the server says, and where it is reached now."""
        return self.said, addresses_for(self._host, self._address, self._networks())

    def _info(self) -> ServiceInfo:
        said, addresses = self._told
        return records(self._name, self._address.port, addresses, said)


class MdnsAnnouncement:
    """A server that is being announced by multicast DNS."""

    def __init__(
        self, interfaces: Sequence[str] | None, name: str, host: str, address: Address, said: Mapping[str, str]
    ) -> None:
        self._speaker = Announcing(interfaces, name, host, address, said)
        self._speaker.begin()

    def tell(self, said: Mapping[str, str]) -> None:
        self._speaker.said = said
        self._speaker.wake()

    def close(self) -> None:
        self._speaker.end()

    def __del__(self) -> None:
        if hasattr(self, "_speaker"):  # else it never came to be one
            self.close()

    def abandon(self) -> None:
        self._speaker.abandon()


class MdnsLookout:
    """Listens for servers by multicast DNS."""

    def __init__(self, interfaces: Sequence[str] | None) -> None:
        self._speaker = Listening(interfaces)
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

    def __del__(self) -> None:
        if hasattr(self, "_speaker"):  # else it never came to be one
            self.close()

    def abandon(self) -> None:
        self._speaker.abandon()
        self._speaker.ear.close()
