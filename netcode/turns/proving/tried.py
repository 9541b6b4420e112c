"""How often each part of `check` has been tried: what was not tried is not proved, and that is told."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from netcode.turns.language.definition import definition_of
from netcode.turns.rules import Game


@dataclass(slots=True)
class Tried:
    """Counts what was tried with the rules of one game."""

    game: type[Game]
    positions: int = 0
    """Those that were looked at, each of them also after a restart."""
    timeouts: int = 0
    without: int = 0
    """Positions from which a game went on without a seat."""
    compared: int = 0
    """Worlds that were compared with what a seat sees."""
    imagined: int = 0
    refused: int = 0
    """Worlds that `imagine` refused, of all those that it was asked for."""
    made: Counter[str] = field(default_factory=Counter[str])
    """Moves by name."""
    refusals: set[str] = field(default_factory=set[str])
    """Moves that were tried where the rules refuse them."""
    taken_back: set[str] = field(default_factory=set[str])
    """Moves that say `undo=True`, and were made in another world as well."""

    def unproved(self) -> Iterator[str]:
        """Yield what was not tried, as sentences."""
        definition = definition_of(self.game)
        hides = definition.unseen_fields
        never = [name for name in definition.moves if not self.made[name]]
        if never:
            yield f"anything of {', '.join(never)}: never made in these games; play more, or other options"
        if not self.positions:
            yield "that a game outlives a restart: no position was looked at; play more games"
        willing = [name for name, one in definition.moves.items() if one.refuses and name not in self.refusals]
        if willing:
            yield f"that {', '.join(willing)} changes nothing where the rules refuse it: they never did"
        if self.game.timeout is not Game.timeout and not self.timeouts:
            yield "timeout(): it never was somebody's turn where it was tried"
        if self.game.absent == "out" and not self.without and definition.most > 2:
            yield 'absent = "out": no game had more than two at the table; play with more'
        if hides and not self.compared:
            yield f"that nothing hidden leaks to a seat: there was no other world to compare with{self._why()}"
        claims = [name for name, one in definition.moves.items() if one.undo and name not in self.taken_back]
        if hides and claims and self.game.undo:
            yield f"undo=True of {', '.join(claims)}: not made in any other world"

    def _why(self) -> str:
        if self.game.imagine is Game.imagine:
            return "; say what could be in imagine(self, seat)"
        if self.refused == self.imagined:
            return "; imagine(self, seat) refuses each time, so that bots do not think ahead either"
        return "; imagine(self, seat) writes to what the seat does not see, and to nothing else"
