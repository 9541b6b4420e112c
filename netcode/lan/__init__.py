"""The contract of what finds games on a local network: what a server says of itself, and where somebody heard it."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, runtime_checkable

from netcode.address import Address

MAX_SIGHTINGS = 256
"""Servers that are heard of at once; further ones wait until one of them has gone. Whoever is on the network can make up
as many as they like."""

MAX_ADDRESSES = 8
"""Addresses of one server that count: a computer has a few, with those of its virtual machines."""

MAX_ENTRY = 255
"""Bytes of one entry, its name and the sign between included: DNS strings have no more (RFC 6763, section 6.1)."""


class Sighting(NamedTuple):
    """One server as a network heard of it. All of it is a stranger's word."""

    addresses: tuple[Address, ...]
    """Where it says it is, the likeliest first; not empty."""
    said: Mapping[str, str]
    """What it says of itself, as `Lan.announce` was given it."""


class Announcement(Protocol):
    """A server that is being announced."""

    def tell(self, said: Mapping[str, str]) -> None:
        """Say something else from now on. Never blocks."""
        ...

    def close(self) -> None:
        """Tell everybody that it is gone. Never blocks."""
        ...

    def abandon(self) -> None:
        """Be over without a word, in a child of the process that began."""
        ...


class Lookout(Protocol):
    """Somebody who listens for servers."""

    @property
    def sightings(self) -> Mapping[str, Sighting]:
        """What is there at present; another mapping whenever something has changed, and never changed itself."""
        ...

    @property
    def error(self) -> str | None:
        """Why nothing can be heard at present, for a human; None while that is not so."""
        ...

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when something has changed, or -1."""
        ...

    def hush(self) -> None:
        """Make that descriptor unreadable until the next change."""
        ...

    def close(self) -> None:
        """Stop listening. Never blocks."""
        ...

    def abandon(self) -> None:
        """Be over, in a child of the process that began."""
        ...


@runtime_checkable
class Lan(Protocol):
    """A local network on which servers are announced and found."""

    def announce(self, name: str, host: str, address: Address, said: Mapping[str, str]) -> Announcement:
        """Announce a server until that is closed. Never blocks, and what fails meanwhile never raises.

        Args:
            name: what programs call it that show what there is on a network.
            host: what it was told to listen on.
            address: where it listens.
            said: what others are to know of it; each entry has `MAX_ENTRY` bytes at most.
        """
        ...

    def look_out(self) -> Lookout:
        """Listen for servers until that is closed. Never blocks, and what fails meanwhile never raises."""
        ...
