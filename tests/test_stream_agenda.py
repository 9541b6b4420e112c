"""When streams are to be looked at."""

import math
from typing import Any

from netcode.loop.engine import Engine
from netcode.stream.agenda import Agenda


class Looked:
    """As much of a stream as an agenda knows."""

    def __init__(self, *again: float, alive: bool = True) -> None:
        self.wake, self.alive, self.transport = math.inf, alive, None
        self.again, self.looked = [*again], list[float]()

    def check(self, now: float) -> float:
        self.looked.append(now)
        return self.again.pop(0) if self.again else math.inf


def scheduled(agenda: Agenda, *pairs: tuple[Any, float]) -> None:
    for stream, when in pairs:
        agenda.schedule(stream, when)


def test_a_stream_is_looked_at_when_it_is_due_and_when_it_says_again() -> None:
    agenda, engine, stream = Agenda(), Engine(), Looked(5.0)
    scheduled(agenda, (stream, 3.0), (stream, 4.0), (stream, 2.0))

    due = [agenda.is_due(now) for now in (1.9, 2.0)]
    for now in (2.0, 3.5, 5.0, 9.0):
        agenda.look_at_due(now, engine)

    assert due == [False, True]
    assert stream.looked == [2.0, 5.0]
    assert (agenda.next(), len(agenda), engine.stepping) == (None, 0, None)


def test_a_stream_that_is_due_at_once_again_waits_for_the_next_update() -> None:
    agenda, stream = Agenda(), Looked(1.0, 1.0)
    scheduled(agenda, (stream, 1.0))

    agenda.look_at_due(1.0, Engine())

    assert (stream.looked, agenda.next()) == ([1.0], 1.0)


def test_the_dead_are_not_looked_at_and_forgotten_where_they_are_many() -> None:
    agenda, living = Agenda(), Looked()
    scheduled(agenda, (Looked(alive=False), 1.0), (living, 2.0))
    agenda.look_at_due(1.0, Engine())
    scheduled(agenda, *[(Looked(alive=False), 3.0) for _ in range(70)])

    agenda.tidy(2)
    many = len(agenda)
    agenda.tidy(1)

    assert (many, len(agenda)) == (71, 1)
    agenda.clear()
    assert agenda.next() is None
