"""Where a game is served: which server is asked next, and where else a client may be sent. Pure."""

from collections.abc import Iterable

from netcode.address import Address, check_addresses, check_destination
from netcode.transport import Dice

HOPS = 3
"""Times in a row that a client is sent on to another server; then it asks one that it knows."""


class Places:
    """Knows some addresses, and which of them is the present one.

    Args:
        certain: whether whoever answers has proved to be the one it was looked for as.
    """

    __slots__ = ("_addresses", "_certain", "_hops", "_trusted", "_turn", "_untried", "address")

    def __init__(self, addresses: list[Address], *, certain: bool) -> None:
        self.address = addresses[0]
        self._addresses = addresses
        self._certain = certain
        self._trusted = {_plain(address.host) for address in addresses}
        self._untried = len(addresses) - 1
        self._turn = self._hops = 0

    @property
    def has_untried(self) -> bool:
        """Whether there is one that was not asked yet in this round."""
        return self._untried > 0

    def next(self) -> bool:
        """Go on to the next one, and tell whether that was not asked yet in this round."""
        self._hops = 0
        self._turn = (self._turn + 1) % len(self._addresses)
        self.address = self._addresses[self._turn]
        if self._untried:
            self._untried -= 1
            return True
        self._untried = len(self._addresses) - 1
        return False

    def may_hop(self) -> bool:
        """Tell whether it may still be sent on."""
        return self._hops < HOPS

    def trusts(self, where: Address) -> bool:
        """Tell whether what one proves oneself with may go to `where`."""
        return self._certain or _plain(where.host) in self._trusted

    def hop(self, where: Address) -> None:
        """Go where another server has sent it."""
        self._hops += 1
        self.address = where


def places(host: str, port: int, addresses: Iterable[Address | tuple[str, int] | str], dice: Dice) -> list[Address]:
    """Return where the game is served. Raises `TypeError` or `ValueError` for what cannot be connected to."""
    others = check_addresses(addresses)
    dice.shuffle(others)  # or everybody would come to the first
    if others and not host and port == 0:
        return others
    check_destination(host, port)
    return [*dict.fromkeys([Address(host, port), *others])]


def _plain(host: str) -> str:
    """Return what is the same for all ways to write a name."""
    return host.lower().removesuffix(".")
