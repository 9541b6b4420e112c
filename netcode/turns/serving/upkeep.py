"""What a server does for its tables from time to time: a sign of life, tables out of memory, old ones deleted."""

from typing import NamedTuple

from netcode.site import Web
from netcode.turns.serving.crowd import Crowd
from netcode.turns.serving.draining import Draining
from netcode.turns.serving.keeper import Keeper

RENEW = 1.0
"""Seconds between two signs of life to the store, where its lease is not shorter than four times that."""
EXPIRE = 60.0
"""Seconds between two looks for tables that are to be deleted."""


class Kept(NamedTuple):
    """Seconds for which a table is kept at which nothing happens: one that plays or has played, and one that waits."""

    keep: float
    waiting: float


class Upkeep:
    """Looks after the tables.

    Args:
        keeper, crowd, draining: the parts of the server that it needs.
        now: the time.
        lease: seconds for which the store believes in us without a sign of life; None where we are alone.
        kept: how long tables are kept.
        web: what browsers are shown: pages of all servers that share the store are let in.
        here: where others find this process.
    """

    def __init__(
        self,
        keeper: Keeper,
        crowd: Crowd,
        draining: Draining,
        now: float,
        *,
        lease: float | None,
        kept: Kept,
        web: Web | bool | None,
        here: str,
    ) -> None:
        self.renew_at, self.expire_at = now, now + EXPIRE  # by then those who sat there are back
        self._renew_every = RENEW if lease is None else min(RENEW, lease / 4)
        self._keeper, self._crowd, self._draining = keeper, crowd, draining
        self._kept, self.web, self._here = kept, web, here

    def step(self, now: float) -> None:
        """Do what is to be done by now."""
        if now >= self.renew_at:
            self.renew_at = now + self._renew_every
            self._keeper.live(leaving=self._draining.on)
            self._keeper.put_away(now)
            if isinstance(self.web, Web) and self._keeper.neighbours.alive:
                self.web.let_in([self._here, *(node.address for node in self._keeper.neighbours.alive)])
        if now >= self.expire_at:
            self.expire_at = now + EXPIRE
            self._keeper.expire(self._kept.keep, self._kept.waiting)
