"""Broadside in a terminal: a line for each thing that happens, and both seas drawn with letters."""

from collections.abc import Iterator, Sequence

from demo_game.rules import SIZE, Cell
from demo_game.view import Phase, Side, View
from demo_game.wording import effect, why
from netcode import Reason
from netcode.turns import Event, Moved, Over, Presence, Refused, Said, Told


class Narrator:
    """Tells games line by line."""

    def __init__(self) -> None:
        self._game, self._link = -1, "here"
        self._told = 0

    def tell(self, view: View, events: Sequence[Event], trouble: Reason | None = None) -> Iterator[str]:
        """Tell what is new: `events` led to `view`; `trouble` is why there is no link, if there is none."""
        names = [side.name for side in view.sides]
        if view.phase is not Phase.WAITING and self._game != view.number:
            self._game, self._told = view.number, 0
            yield f"{names[0]} against {names[1]}"
        for event in events:
            match event:
                case Moved(seat, None):
                    yield f"{names[seat]} has hidden the fleet"
                case Presence(None, state) if state != self._link:
                    self._link = state
                    yield _lost(trouble) if state == "away" else "the connection is back"
                case Presence(int(seat), state) if view.phase is not Phase.WAITING:
                    yield f"{names[seat]} {_PRESENCE.get(state, state)}"
                case Said(_, name, text):
                    yield f"{name}: «{text}»"
                case Told(text):
                    yield text
                case Refused(_, text):
                    yield f"refused: {text}"
                case _:
                    pass
        for number, (seat, shot) in enumerate(view.log[self._told :], self._told + 1):
            yield f"{number:4}. {names[seat]} fires at {shot.cell}: {effect(shot)}"
        self._told = len(view.log)
        if any(isinstance(event, Over) for event in events) and view.winner is not None:
            yield f"{names[view.winner]} wins: {why(view)}"


def _lost(trouble: Reason | None) -> str:
    return f"{'the connection is lost' if trouble is None else trouble.text}; looking for the server"


_PRESENCE = {"away": "has lost the connection; waiting for the return", "here": "is back", "left": "has left"}


def draw_seas(view: View) -> str:
    """Draw both seas side by side: # ship, X hit, o miss, . unknown or empty."""
    left, right = (_draw(side) for side in view.sides)
    return "\n".join(f"{one}    {other}" for one, other in zip(left, right, strict=True))


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
