"""The processes that share a store: who lives, who should have a table, and who has one that we do not have."""

from collections.abc import Sequence
from typing import NamedTuple

from netcode.address import Address, address_from_wire
from netcode.diagnostics import log
from netcode.turns.store import Node

CROWDED = 1.25
"""How many times the mean of all servers one may have of tables until it leaves those that nobody has to others."""

LEAVING = 2**31 - 1
"""What a server that gives its tables away says for their number: nobody shall send it any."""


class Elsewhere(NamedTuple):
    """Where a table is that another process has; None while that is being settled."""

    address: Address | None


def least_crowded(nodes: Sequence[Node], here: str, load: int) -> str:
    """Return who should have a table that nobody has: an address, or "" for who asks.

    Args:
        nodes: who lives, with their loads of a second ago.
        here: the address of who asks.
        load: how many tables it has by now.
    """
    others = [node for node in nodes if node.address != here and node.load < LEAVING and node.suits]
    if not others:
        return ""
    mean = (load + sum(node.load for node in others)) / (len(others) + 1)
    least = min(others, key=lambda node: node.load)
    return least.address if load > CROWDED * mean + 1 and least.load < mean else ""


class Neighbours:
    """What this process knows of the others.

    Args:
        here: the address at which players find this process.
        lease: seconds for which a process counts as alive after its last sign of life.
        now: the time.
    """

    def __init__(self, here: str, lease: float, now: float) -> None:
        self._here, self._lease = here, lease
        self.alive: tuple[Node, ...] = ()
        """Who lives, as of a second ago."""
        self._twins_at = now + 2 * lease
        self._unsettled: dict[str, float] = {}

    @property
    def unsettled(self) -> list[str]:
        """Tables of which it is not yet decided who has them, and for which that is waited."""
        return [*self._unsettled]

    def instead(self, load: int) -> str:
        """Return who should have a table that nobody has, where we have so many: an address, or "" for us."""
        return least_crowded(self.alive, self._here, load)

    def where(self, table: str, address: str, now: float) -> Elsewhere | None:
        """Return where a table is that somebody else has, at `address` if that is known; None while that is waited for."""
        if not address and now < self._unsettled.setdefault(table, now + self._lease):
            return None
        return Elsewhere(None if address == self._here else address_from_wire(address))

    def settle(self, table: str) -> None:
        """Wait no longer for who has a table."""
        self._unsettled.pop(table, None)

    def hear(self, alive: tuple[Node, ...], now: float) -> None:
        """Hear who lives, and warn if one of them tells players our address: they would never find that one's tables.

        Whoever was here before us and died may count as alive for a while.
        """
        self.alive = alive
        if sum(node.address == self._here for node in alive) < 2:
            self._twins_at = now + 2 * self._lease
        elif now >= self._twins_at:
            text = "another process tells players our address, %s: give each process an address of its own"
            log.warn("twins", text, self._here)
