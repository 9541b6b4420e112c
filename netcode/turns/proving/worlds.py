"""Other worlds: the same table as a seat sees it, with something else where it cannot see."""

import random
from typing import Any

from netcode.turns.language.fields import pack_fields
from netcode.turns.language.imagining import Place, hidden_places, shuffle
from netcode.turns.table import Table

MAX_POOL = 200
"""Values of one kind that are kept from other games."""

Pool = dict[tuple[str, str], list[Any]]
"""What stood at places of a kind in other games and positions."""


def clone(table: Table) -> Table:
    """Return a table of its own that stands where this one does."""
    copy = Table.restore(table.game, table.snapshot())
    copy.absence.since = [*table.absence.since]
    return copy


def places_of(table: Table, viewer: int | None) -> list[Place]:
    """Return every place that a viewer (None for a spectator) does not see."""
    definition = table.course.definition
    return [
        place
        for name, field in definition.fields.items()
        if name in table.course.values
        for place in hidden_places(table.course.game, field, definition.shapes[name], viewer)
    ]


def gather(table: Table, pool: Pool, dice: random.Random) -> None:
    """Remember what stands at the hidden places of a table."""
    for place in places_of(table, None):
        values = pool.setdefault(place.kind, [])
        if len(values) < MAX_POOL:
            values.append(place.get())
        else:
            values[dice.randrange(MAX_POOL)] = place.get()


def other_world(table: Table, viewer: int | None, pool: Pool, dice: random.Random) -> Table | None:
    """Return a copy of the table in which what the viewer cannot see is something else; None if nothing could be.

    Half of the worlds shuffle what is there among like places, half put there what stood there in other games.
    """
    copy = clone(table)
    kinds: dict[tuple[str, str], list[Place]] = {}
    for place in places_of(copy, viewer):
        kinds.setdefault(place.kind, []).append(place)
    shuffled = dice.random() < 0.5
    for kind, places in kinds.items():
        if shuffled or len(pool.get(kind, ())) < 2:
            shuffle(places, dice)
            continue
        for place in places:
            place.put(dice.choice(pool[kind]))
        if not all(place.is_whole() for place in places):
            return None  # everybody sees how many there are
    packed = pack_fields(copy.course.game)
    if packed == copy.course.packed:
        return None
    copy.course.packed = packed
    copy.forget()
    return copy
