"""What a seat may believe of what it cannot see, from how the game went: worlds in which it could have gone like this.

A particle filter. Each world that was believed at our last choice is played on: our choice, and what others do anything
for. It is still believed if everything that we see then is what we see at the table; where only our own cards differ,
they are made to be those that we drew, if they could have been, and the world counts as much as that was likely.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from netcode.turns.errors import BUGS
from netcode.turns.language.definition import definition_of
from netcode.turns.language.fields import pack_fields
from netcode.turns.language.imagining import Place, hidden_places, seen_places, shuffle_alike
from netcode.turns.language.marks import Mark
from netcode.turns.language.randomness import SECRET_SIZE
from netcode.turns.simulate import Choice, act, choices_of, dice_for
from netcode.turns.table import Step, Table

ENOUGH = 60
"""Worlds that are believed at a time."""
DOUBT = 3.0
"""As many worlds as this count for those that go by what the seat sees alone, in which the others did anything."""
DOUBTS = 12
"""How many those are."""
MAX_PLIES = 50
"""How much others may do between two choices of ours."""


@dataclass(frozen=True, slots=True)
class _World:
    table: Table
    weight: float


class Belief:
    """What one seat believes; told before each of its choices where it stands, and after it what was chosen."""

    def __init__(self, seat: int, seed: int | None = None, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._seat, self._clock = seat, clock
        self._dice = dice_for(seed)
        self._worlds: list[_World] = []
        self._chosen: list[Choice] = []
        self._stood = False

    def stand(self, table: Table, seconds: float, tries: int = 1_000_000) -> int:
        """Find out, for so long at most, which worlds agree with a table at which the seat is to choose.

        As long may pass again with those in which the others did anything.

        Returns:
            How many were found; with few the seat goes by what it sees, and believes whatever could be.
        """
        until, found = self._clock() + seconds, list[_World]()
        if not any(field.mark in (Mark.OWNED, Mark.OTHERS) for field in table.course.definition.fields.values()):
            return 0  # nobody holds anything that could be guessed from what they do
        while len(found) < ENOUGH and tries > 0 and self._clock() < until:
            tries -= 1
            world = self._try(table)
            if world is not None:
                found.append(world)
        imagined = self._imagined(table, DOUBTS if found else ENOUGH, self._clock() + seconds)
        # The fewer there are, the more it goes by what it sees alone.
        weight = sum(world.weight for world in found) * DOUBT / (len(found) * len(imagined)) if found else 1.0
        doubts = [_World(world, weight) for world in imagined if world is not None]
        self._worlds, self._chosen, self._stood = found + doubts, [], True
        return len(found)

    def chose(self, choice: Choice) -> None:
        """Remember what the seat did."""
        self._chosen.append(choice)

    def world(self) -> Table | None:
        """Return a table as it may be, for playing on; None where nothing could be."""
        if not self._worlds:
            return None
        [world] = self._dice.choices(self._worlds, [one.weight for one in self._worlds])
        return world.table.continued(self._seat, self._dice, self._shuffle)

    def _imagined(self, table: Table, most: int, until: float) -> list[Table | None]:
        """Return so many worlds that go by what the seat sees alone, or as many as there is time for, at least one."""
        imagined = [table.imagined(self._seat, self._dice)]
        while len(imagined) < most and self._clock() < until:
            imagined.append(table.imagined(self._seat, self._dice))
        return imagined

    def _try(self, table: Table) -> _World | None:
        """Return a world that agrees with the table, or None."""
        try:
            world = self._play_on(table)
            weight = 0.0 if world is None else self._agree(world, table)
        except BUGS:  # a world that could not be may break any rule
            return None
        return _World(world, weight) if world is not None and weight > 0.0 else None

    def _play_on(self, table: Table) -> Table | None:
        """Return a world as it may be now, from one that was believed or from the beginning."""
        world = self.world() if self._stood else self._begin(table)
        chosen = [*self._chosen]
        for _ in range(MAX_PLIES):
            if world is None or world.result is not None:
                return None
            seat = self._seat if world.may_act(self._seat) else self._dice.choice(world.to_move)
            if seat != self._seat:
                choices = choices_of(world, seat, self._dice, hasty=True)
                choice = self._dice.choice(choices) if choices else None
            elif chosen:
                choice = chosen.pop(0)
            else:
                return world
            if choice is None or not isinstance(act(world, seat, choice), Step):
                return None
        return None

    def _begin(self, table: Table) -> Table | None:
        """Return another game like that of a table, just begun."""
        secret = self._dice.randbytes(SECRET_SIZE)
        world = Table.create(table.game, table.players, table.options, secret=secret, names=table.names)
        return world if isinstance(world.start(0.0), Step) else None

    def _agree(self, world: Table, table: Table) -> float:
        """Make a world show the seat what the table shows it; return how much it then counts, 0 for not at all."""
        seat, view, definition = self._seat, table.view(self._seat), table.course.definition
        if world.to_move != table.to_move or world.status(0.0).out != table.status(0.0).out:
            return 0.0
        if any(world.course.packed.get(name) != view.get(name) for name in definition.open_fields):
            return 0.0
        weight = 1.0
        for name in definition.masked_fields:
            field, shape = definition.fields[name], definition.shapes[name]
            ours, theirs = (
                [*seen_places(one.course.game, field, shape, seat)] if name in one.course.values else []
                for one in (world, table)
            )
            if len(ours) != len(theirs):
                return 0.0
            for place, actual in zip(ours, theirs, strict=True):
                if weight > 0.0 and place.data() != actual.data():
                    weight *= self._draw(world, place, actual.data())
        if weight == 0.0:
            return 0.0
        world.course.packed = pack_fields(world.course.game)
        world.course.rest()
        world.forget()
        same = world.view(seat) == view and world.question(seat) == table.question(seat)
        return weight if same else 0.0

    def _draw(self, world: Table, place: Place, wanted: bytes) -> float:
        """Let a place hold what is wanted by exchanging it with one that nobody sees; return what that counts.

        Let P be the chance to draw what is wanted from those places and this one. In worlds that happened to draw it,
        which count 1 each, it then has the weight P already; these here, 1 - P of all, add P / (1 - P) for each.
        """
        if world.course.suspension is not None:
            return 0.0  # its rule will run again from before it asked
        nobody = [one for one in _nobodys(world.course.game) if one.kind == place.kind]
        fitting = [one for one in nobody if one.data() == wanted]
        if not fitting:
            return 0.0
        other = self._dice.choice(fitting)
        value = other.get()
        other.put(place.get())
        place.put(value)
        return len(fitting) / (len(nobody) + 1 - len(fitting))

    def _shuffle(self, game: Any) -> None:
        """Shuffle what nobody sees: in which order it lies was never believed."""
        shuffle_alike(_nobodys(game), self._dice)


def _nobodys(game: Any) -> list[Place]:
    """Return the places of a game that nobody sees."""
    definition = definition_of(game)
    return [
        place
        for name, field in definition.fields.items()
        if field.mark is Mark.HIDDEN and name in game.__dict__
        for place in hidden_places(game, field, definition.shapes[name], None)
    ]
