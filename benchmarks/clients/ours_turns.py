"""Plays tic-tac-toe at many tables, a socket for each player, who wants the legal moves listed."""

import time
from collections.abc import Callable
from typing import Any

from benchmarks.control import Control
from benchmarks.turns import example
from netcode.turns import Seat, join

NAP = 0.0005
"""Seconds between two looks at all seats."""
PATIENCE = 60.0


class Tables:
    """Some tables of two."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._game = example(settings["game"])
        self._address = ("127.0.0.1", settings["port"])
        self._cells: list[int] = settings["cells"]
        self._tables: list[tuple[Seat[Any], Seat[Any]]] = []

    def sit_down(self, count: int) -> int:
        """Found the tables and seat everybody."""
        rooms = [f"{time.monotonic_ns()} {number}" for number in range(count)]
        self._tables = [(self._join(room), self._join(room)) for room in rooms]
        self._until(lambda: all(seat.started for table in self._tables for seat in table))
        # Who came first is the first player.
        self._tables = [(one, other) if one.seat == 0 else (other, one) for one, other in self._tables]
        return count

    def play(self, pace: float) -> dict[str, float]:
        """Play one whole game at each table: who is to move sees the move before, and waits until it is due."""
        began, period = time.monotonic(), 1 / pace if pace else 0.0
        due = [began + period * index / len(self._tables) for index in range(len(self._tables))]
        turns = [0] * len(self._tables)

        def done() -> bool:
            now = time.monotonic()
            for index, table in enumerate(self._tables):
                turn = turns[index]
                if turn < len(self._cells) and now >= due[index]:
                    seat = table[turn % 2]
                    if seat.my_turn and seat.pending is None and len(seat.legal) == len(self._cells) - turn:
                        seat.play("mark", cell=self._cells[turn])
                        turns[index] += 1
                        due[index] += period
            return all(seat.over for table in self._tables for seat in table)

        self._until(done)
        return {"moves": len(self._tables) * len(self._cells), "seconds": time.monotonic() - began}

    def leave(self) -> None:
        """Let everybody go."""
        for table in self._tables:
            for seat in table:
                seat.leave()
        self._until(lambda: all(seat.reason for table in self._tables for seat in table))
        self._tables = []

    def _join(self, room: str) -> Seat[Any]:
        return join(self._address, self._game, room)

    def _until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the tables did not come to it within {PATIENCE:g} s")
            for table in self._tables:
                for seat in table:
                    seat.update()
            time.sleep(NAP)


def main() -> None:
    """Play when told to."""
    control = Control()
    tables = Tables(control.settings)
    control.ready()
    orders: dict[str, Callable[..., object]] = {
        "sit_down": tables.sit_down,
        "play": tables.play,
        "leave": tables.leave,
    }
    while True:
        order = control.orders.get()
        try:
            control.answer(orders[order.name](**order.arguments))
        except TimeoutError as error:
            control.fail(error)


if __name__ == "__main__":
    main()
