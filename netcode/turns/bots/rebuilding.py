"""A table made again from what a seat is shown of it, for a bot that has nothing else, as over the network."""

import copy
import random
from collections import Counter
from typing import Any

from netcode.turns.errors import BUGS, Leave
from netcode.turns.language.definition import definition_of
from netcode.turns.language.fields import pack_fields
from netcode.turns.language.imagining import Place, by_kind, hidden_places, seen_places, shuffle
from netcode.turns.language.kit import kit_of
from netcode.turns.language.marks import Mark
from netcode.turns.language.randomness import SECRET_SIZE
from netcode.turns.language.table_options import wire_options
from netcode.turns.table import Step, Table
from netcode.turns.values import pack


class Rebuilder:
    """Makes tables again from views.

    Where everything is open that is all of the table. What is hidden is filled in where it can be counted: if a game
    begins with the same cards whatever is dealt, those that are not seen are those that are hidden. In the middle of a
    rule, which would have to run again from a beginning that is not shown, there is no table; nor where the count
    does not come out.
    """

    def __init__(self) -> None:
        self._begun: dict[Any, list[Table]] = {}

    def table(self, view: Any, dice: random.Random) -> Table | None:
        """Return a table on which the seat of the view sees what it saw; None where that is not enough to go by."""
        kit = kit_of(view)
        if kit.seat is None or kit.mover is not None or kit.result is not None:
            return None
        try:
            return self._table(view, dice)
        except (Leave, *BUGS):  # rules may stumble over anything that is not as it was
            return None

    def _table(self, view: Any, dice: random.Random) -> Table | None:
        kit, game = kit_of(view), _rules_of(view)
        definition = definition_of(game)
        begun = self._beginnings(game, kit, dice)
        table = Table.create(
            game, len(kit.players), wire_options(kit.options), secret=dice.randbytes(SECRET_SIZE), names=[*kit.names]
        )
        values = {name: view.__dict__[name] for name in definition.fields if name in view.__dict__}
        for name, field in definition.fields.items():
            if field.mark is Mark.PRIVATE:
                values[name] = begun[0].course.values[name]
        table.course.values.update(copy.deepcopy(values))
        if not _fill(table, kit.seat, begun, dice):
            return None
        table.started = True
        table.course.kit.to_move, table.course.kit.out = kit.to_move, kit.out
        table.course.packed = pack_fields(table.course.game)
        table.course.rest()
        return table

    def _beginnings(self, game: type[Any], kit: Any, dice: random.Random) -> list[Table]:
        """Return two tables like this one that have just begun."""
        options = wire_options(kit.options)
        key = (game, len(kit.players), pack(options))
        if key not in self._begun:
            tables: list[Table] = []
            for _ in range(2):
                table = Table.create(game, len(kit.players), options, secret=dice.randbytes(SECRET_SIZE))
                if not isinstance(table.start(0.0), Step):
                    break
                tables.append(table)
            self._begun[key] = tables
        return self._begun[key]


def _rules_of(view: Any) -> type[Any]:
    """Return the class of the rules that a view is read by."""
    return next(base for base in type(view).__mro__ if not base.__dict__.get("_is_view", False))


def _fill(table: Table, seat: int, begun: list[Table], dice: random.Random) -> bool:
    """Put what is not seen where nothing is seen; return False where that is not known."""
    definition = table.course.definition
    hidden = by_kind(
        place
        for name, field in definition.fields.items()
        if field.mark is not Mark.PRIVATE
        for place in hidden_places(table.course.game, field, definition.shapes[name], seat)
    )
    if not hidden:
        return True
    known = dict[bytes, Any]()
    first, second = (
        {kind: Counter(map(Place.data, found)) for kind, found in _everything(one).items()} for one in begun
    )
    for found in _everything(begun[0]).values():
        known |= {place.data(): place.get() for place in found}
    seen = Counter[tuple[tuple[str, str], bytes]]()
    for name, field in definition.fields.items():
        for place in seen_places(table.course.game, field, definition.shapes[name], seat):
            seen[place.kind, place.data()] += 1
    for kind, places in hidden.items():
        if kind not in first or first[kind] != second.get(kind):
            return False
        left = {data: count - seen[kind, data] for data, count in first[kind].items()}
        values = [known[data] for data, count in left.items() for _ in range(count)]
        if min(left.values()) < 0 or len(values) != len(places):
            return False
        for place, value in zip(places, values, strict=True):
            place.put(copy.deepcopy(value))
        shuffle(places, dice)
    return all(place.is_whole() for places in hidden.values() for place in places)


def _everything(table: Table) -> dict[tuple[str, str], list[Place]]:
    """Return every place of a table, by kind."""
    definition = table.course.definition
    return by_kind(
        place
        for name, field in definition.fields.items()
        if field.mark is not Mark.PRIVATE and name in table.course.values
        for places in (seen_places, hidden_places)
        for place in places(table.course.game, field, definition.shapes[name], 0)
    )
