"""What `check` reports."""

from collections import Counter
from dataclasses import dataclass, field

from netcode.turns.proving.findings import Findings

MOST, SHOWN = 8, 40
"""Of the options with which games were played besides, so many are named, each by so many characters."""


@dataclass(slots=True)
class Report:
    """What `check` found: problems, one for each cause; and the flows of each move."""

    game: str
    findings: Findings = field(default_factory=Findings)
    flows: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """By move, what else than its own arguments tells others of what was hidden from them."""
    notes: list[str] = field(default_factory=list[str])
    unproved: list[str] = field(default_factory=list[str])
    """What was not tried, so that nothing is proved about it."""
    games: int = 0
    others: Counter[str] = field(default_factory=Counter[str])
    """By option and value, as in `size=5`, how many games were played with that besides."""
    moves: int = 0
    worlds: int = 0

    @property
    def problems(self) -> dict[str, str]:
        """The problems by what they are, each with where it was seen first."""
        return self.findings.problems

    @property
    def follows(self) -> dict[str, list[str]]:
        """By problem, what was found in games in which it had come up, and may follow from it."""
        return self.findings.follows

    @property
    def ok(self) -> bool:
        """Tell whether nothing was found."""
        return not self.problems

    def flow_lines(self) -> list[str]:
        """Return the flows as lines that a test can pin: `fire: fleets, shots, sunk`."""
        return [f"{move}: {', '.join(sorted(fields))}" for move, fields in sorted(self.flows.items()) if fields]

    def _played_otherwise(self) -> str:
        games, named = self.others.total(), [f"{one:.{SHOWN}}" for one in self.others]
        more = f" and {len(named) - MOST} more" if len(named) > MOST else ""
        return f"{games} game{'s' if games > 1 else ''} with {', '.join(named[:MOST])}{more}"

    def __str__(self) -> str:
        lines = [f"{self.game}: {self.games} games, {self.moves} moves, {self.worlds} other worlds"]
        lines += self.findings.lines()
        lines += [f"  besides, {self._played_otherwise()}"] if self.others else []
        lines += ["  flows, what tells others of what is hidden from them:"] if self.flow_lines() else []
        lines += [f"    {line}" for line in self.flow_lines()]
        lines += [f"  not proved: {what}" for what in self.unproved]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join([*lines, f"  {self.findings.count()}"])
