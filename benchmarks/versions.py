"""Measure rows beside the same rows of another checkout: what a change costs, or saves."""

import contextlib
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from benchmarks import children
from benchmarks.figures import Figure, Plan, Series
from benchmarks.rows import ROWS
from benchmarks.table import number


@dataclass
class Line:
    """One figure in both versions, a value per round."""

    figure: Figure
    here: Series = field(default_factory=Series)
    there: Series = field(default_factory=Series)

    @property
    def change(self) -> float:
        """How much more than there it costs here: 1 is the same, 1.03 is 3 % slower, whatever the unit."""
        ratio = self.here.over(self.there)
        return ratio if self.figure.at_most else 1 / ratio

    def __str__(self) -> str:
        row, work, unit = self.figure.row, self.figure.work, self.figure.unit
        values = f"{number(median(self.here.values))} here, {number(median(self.there.values))} there, {unit}"
        return f"row {row}  {self.change - 1:+7.1%}  {values}  {work}"


@contextlib.contextmanager
def _programs_of(checkout: Path) -> Generator[None]:
    before, children.ROOT = children.ROOT, checkout
    try:
        yield
    finally:
        children.ROOT = before


def versions(other: Path, rows: Sequence[int], plan: Plan) -> list[Line]:
    """Measure rows in turn, a round here and a round with the programs of the other checkout.

    Each round starts new processes, so that where a process happens to lie in memory is no advantage for good.
    """
    once = replace(plan, rounds=1)
    lines: list[Line] = []
    for row in rows:
        measured: list[Line] = []
        for turn in range(plan.rounds):
            print(f"\rrow {row}: round {turn + 1} of {plan.rounds} …", end="", file=sys.stderr, flush=True)
            here = ROWS[row].measure(once)
            with _programs_of(other):
                there = ROWS[row].measure(once)
            measured = measured or [Line(figure) for figure in here]
            for line, mine, theirs in zip(measured, here, there, strict=True):
                line.here.values.append(mine.value)
                line.there.values.append(theirs.value)
        print(file=sys.stderr)
        lines += measured
    return lines
