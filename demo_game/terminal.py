"""Broadside in a terminal: a line for each piece of news, and both seas drawn with letters."""

from typing import assert_never

from demo_game.messages import (
    Anew,
    Fired,
    Missing,
    News,
    Over,
    Paired,
    Placed,
    Refused,
    Returned,
    Silent,
    Turn,
    Waiting,
    Yours,
)
from demo_game.rules import SHIP_NAMES, SIZE, Cell, Shot
from demo_game.view import Side, View, advance


class Narrator:
    """Tells a game line by line; `view` is how far it has told it."""

    def __init__(self) -> None:
        self.view = View()

    def tell(self, news: News) -> str | None:
        """Take in one piece of news and tell it in a line; None if it is not worth a line."""
        self.view = advance(self.view, news)
        names = [side.name for side in self.view.sides]
        match news:
            case Waiting():
                return "waiting for a game"
            case Paired(number):
                return f"game {number}: {names[0]} against {names[1]}"
            case Placed(seat):
                return f"{names[seat]} has hidden the fleet"
            case Fired(seat, shot):
                return f"{len(self.view.log):4}. {names[seat]} fires at {shot.cell}: {_effect(shot)}"
            case Silent(seat, 0):
                return f"{names[seat]} is heard again"
            case Silent(seat, seconds, limit):
                return f"{names[seat]} has been silent for {seconds} s; the link ends at {limit} s"
            case Missing(seat):
                return f"{names[seat]} has lost the connection; waiting for the return"
            case Returned(seat):
                return f"{names[seat]} is back"
            case Refused(why):
                return f"refused: {why}"
            case Over(winner, why):
                return f"{names[winner]} wins: {why}"
            case Turn() | Anew() | Yours():
                return None
            case _:
                assert_never(news)


def draw_seas(view: View) -> str:
    """Draw both seas side by side: # ship, X hit, o miss, . unknown or empty."""
    left, right = (_draw(side) for side in view.sides)
    return "\n".join(f"{one}    {other}" for one, other in zip(left, right, strict=True))


def _effect(shot: Shot) -> str:
    if shot.sunk is not None:
        return f"hit, and the {SHIP_NAMES[shot.sunk.length]} sinks"
    return "hit" if shot.hit else "miss"


def _draw(side: Side) -> list[str]:
    width = 3 + 2 * SIZE
    header = "   " + " ".join(chr(ord("A") + column) for column in range(SIZE))
    rows = [
        f"{row + 1:2} " + " ".join(_letter(side, Cell(column, row)) for column in range(SIZE)) for row in range(SIZE)
    ]
    return [f"{side.name:<{width}}", *(f"{line:<{width}}" for line in (header, *rows))]


def _letter(side: Side, cell: Cell) -> str:
    if cell in side.chart.hits:
        return "X"
    if cell in side.chart.misses:
        return "o"
    return "#" if any(cell in ship.cells for ship in side.fleet) else "."
