"""The bot that searches with nothing but a view, as over the network."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from netcode.turns.bots.belief import Belief
from netcode.turns.bots.random_bot import check_legal
from netcode.turns.bots.rebuilding import Rebuilder
from netcode.turns.bots.tree import BELIEVING, TreeSearch
from netcode.turns.language.kit import kit_of
from netcode.turns.language.plays import Play
from netcode.turns.simulate import check_seconds, dice_for
from netcode.turns.table import Table
from netcode.turns.values import pack


class SearchBot:
    """Searches where its view tells enough to play the game on, and chooses at random where it does not.

    It searches where everything is open, and where what is hidden can be counted: the cards that are dealt are the same
    in every game, so those that are not seen are in the hands and the stock; what the others did tells more. Where a
    rule asks, it chooses at random. The class of the rules has to be known: `join(address, TicTacToe)`, not its name.

    Args:
        seconds: how long it thinks about one play; a call takes that long.
        seed: of its dice.
        clock: what tells the time.
    """

    def __init__(
        self, seconds: float = 0.08, seed: int | None = None, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        check_seconds(seconds)
        self._seconds, self._clock = seconds, clock
        self._dice = dice_for(seed)
        self._rebuilder = Rebuilder()
        self._seat: int | None = None
        self._belief: Belief | None = None
        self.searched = 0
        """How many of its choices it has searched for."""

    def __call__(self, view: Any, legal: Sequence[Play]) -> Play:
        """Choose, as every bot is called: with what its seat sees, and what it may do."""
        check_legal(legal)
        chosen = self._choose(view, legal)
        if self._belief is not None:
            self._belief.chose(("", chosen.wire()) if chosen.question is not None else (chosen.name, chosen.wire()))
        return chosen

    def _choose(self, view: Any, legal: Sequence[Play]) -> Play:
        until = self._clock() + self._seconds
        if legal[0].question is None and hasattr(view, "_kit"):
            table, seat = self._rebuilder.table(view, self._dice), kit_of(view).seat
            if table is not None and _agree(table, seat, legal):
                if self._belief is None or self._seat != seat:
                    self._seat, self._belief = seat, Belief(seat, self._dice.getrandbits(64), clock=self._clock)
                self._belief.stand(table, BELIEVING * (until - self._clock()))
                if len(legal) > 1:
                    return self._search(table, seat, legal, until)
        return self._dice.choice(legal)

    def _search(self, table: Table, seat: int, legal: Sequence[Play], until: float) -> Play:
        search = TreeSearch(table, seat, self._dice.getrandbits(64), belief=self._belief, clock=self._clock)
        search.think(until - self._clock())
        best = search.best()
        self.searched += search.worlds > 0
        if best is None:
            return self._dice.choice(legal)
        return next((play for play in legal if _key(play) == pack([*best])), Play(*best))


def _agree(table: Table, seat: int, legal: Sequence[Play]) -> bool:
    """Tell whether a table lists what its original lists."""
    listing = table.legal(seat)
    here = {pack([name, arguments]) for name, arguments in listing.plays}
    there = {_key(play) for play in legal if play.name not in listing.unlisted}
    return here == there


def _key(play: Play) -> bytes:
    return pack([play.name, play.wire()])
