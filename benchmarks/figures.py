"""What a benchmark yields: figures with a bar, and how they were come by."""

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the table: a value, and the bar that it holds or misses."""

    row: int
    work: str
    value: float
    unit: str
    bar: float
    at_most: bool = True
    ours: str = ""
    other: str = ""
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the value is on the right side of the bar."""
        return self.value <= self.bar if self.at_most else self.value >= self.bar

    @property
    def share(self) -> float:
        """How much of what the bar allows is used: up to 1 where the bar holds."""
        return self.value / self.bar if self.at_most else self.bar / max(self.value, 1e-9)

    def as_json(self) -> dict[str, Any]:
        """Return everything that is known, for a file."""
        return asdict(self) | {"holds": self.holds}


@dataclass(frozen=True)
class Skipped:
    """A row that this machine cannot run, and why."""

    row: int
    work: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """How long to measure, how often, and at which share of the full number of clients."""

    seconds: float = 1.0
    rounds: int = 5
    scale: float = 1.0

    def clients(self, count: int) -> int:
        """Return how many clients stand for so many."""
        return max(1, round(count * self.scale))


@dataclass
class Series:
    """The measurements of one contender, one per round."""

    values: list[float] = field(default_factory=list[float])

    @property
    def median(self) -> float:
        """The middle measurement."""
        return median(self.values)

    def over(self, other: "Series") -> float:
        """Return the median of the ratios of the rounds: what slowed both of a round down cancels out."""
        return median(mine / theirs for mine, theirs in zip(self.values, other.values, strict=True))


def microseconds(seconds: float) -> str:
    """Return a duration as the table shows it."""
    return f"{seconds * 1e6:,.1f} µs"
