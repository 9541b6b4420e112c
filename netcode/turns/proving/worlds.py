"""Other worlds: the same table as a seat sees it, with something else where it cannot see."""

import random
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from netcode.turns.language.definition import definition_of
from netcode.turns.language.fields import Packed, pack_fields
from netcode.turns.language.imagining import Place, by_kind, entry_of, hidden_places, is_open, shuffle
from netcode.turns.language.kit import Told
from netcode.turns.language.marks import Mark
from netcode.turns.proving.bent_dice import give_bent
from netcode.turns.rules import Game
from netcode.turns.runtime.pending import Suspension
from netcode.turns.runtime.resuming import ask_again
from netcode.turns.table import Table
from netcode.turns.values import pack, unpack

MAX_POOL = 200
"""Values of one kind that are kept from other games."""
MAX_ALIKE = 10
"""So many positions that look the same to a spectator are kept from other games."""
THROWS = 4
"""Throws of a rule that waits of which another fall is tried, until one is found that the viewer does not see."""
MAX_KEPT = 16_777_216
"""Bytes of what is kept of all positions: those that came up last."""


def clone(table: Table) -> Table:
    """Return a table of its own that stands where this one does."""
    copy = Table.restore(table.game, table.snapshot())
    copy.absence.since = [*table.absence.since]
    return copy


def supposed(table: Table) -> Table:
    """Return a table of its own that stands where this one does, for what need not be possible: nothing is logged there."""
    copy = clone(table)
    copy.course.supposed = True
    return copy


class Worlds:
    """Makes other worlds for tables of one game, also of what was hidden in the games that it has seen."""

    def __init__(self, game: type[Game]) -> None:
        self.definition = definition_of(game)
        self.imagines = game.imagine is not Game.imagine
        self.values: dict[tuple[object, ...], list[Any]] = {}
        """What stood at places of a kind, by the options of the table: with others it could not have been there."""
        self.positions: dict[bytes, list[Packed]] = {}
        """What was hidden in positions, by what a spectator saw of them; last those that came up last."""
        self._kept = 0
        self._dice = random.Random(1)  # noqa: S311 - of what there is too much of, the same is kept each time
        self.throws = random.Random(1)  # noqa: S311 - the same again: a test may pin what comes of it

    def gather(self, table: Table) -> None:
        """Remember what is hidden at a table."""
        dice, options = self._dice, _options_of(table)
        for place in self._places(table, None):
            _keep(self.values.setdefault((*options, *place.kind), []), place.get(), MAX_POOL, dice)
        looks = self._looks(table)
        alike = self.positions[looks] = self.positions.pop(looks, [])
        hidden = {name: table.course.packed[name] for name in self._hidden(table)}
        if hidden not in alike:
            self._kept -= sum(map(_size, alike))
            _keep(alike, hidden, MAX_ALIKE, dice)
            self._kept += sum(map(_size, alike))
        while self._kept > MAX_KEPT:
            self._kept -= sum(map(_size, self.positions.pop(next(iter(self.positions)))))

    def made_up(self, table: Table, viewer: int | None, dice: random.Random) -> Table | None:
        """Return a table on which what the viewer (None for a spectator) cannot see is something else; None if nothing is.

        It is what the game's own `imagine` makes up; without one, what is there, shuffled among like places, or what
        stood there in other games.
        """
        world = supposed(table)
        if self.imagines and viewer is not None:
            return self._differing(world, self._imagined(table, viewer, dice))
        if not self._mix(world, viewer, dice):
            return None
        return self._differing(world, self._outlined(table, pack_fields(world.course.game)))

    def at_question(self, table: Table, viewer: int | None, dice: random.Random) -> list[tuple[Table, list[Told]]]:
        """Return a table at which a rule waits, and another where something else was hidden when that rule began.

        Each with what the rule has told so far. Nothing where nothing could have been, or where the rule does not come so
        far with the same answers.
        """
        waits, past = _before_it_asked(table)
        other = self.made_up(past, viewer, dice)
        found: list[tuple[Table, list[Told]]] = []
        for one in (past, other):
            news = None if one is None else ask_again(one.course, waits)
            if one is None or news is None:
                return []
            one.forget()
            found.append((one, news))
        return found

    def at_other_throw(self, table: Table, viewer: int | None) -> list[tuple[Table, list[Told]]]:
        """Return a table at which a rule waits, and another where that rule drew something else, which the viewer cannot see.

        As `at_question` does; nothing where the rule has drawn nothing, or nothing that stays unseen was found.
        """
        waits, past = _before_it_asked(table)
        where = waits.question.number
        kit = give_bent(past, where)
        news = ask_again(past.course, waits)
        past.forget()
        for _ in range(THROWS if news is not None and kit.thrown else 0):
            _, other = _before_it_asked(table)
            give_bent(other, where, self.throws.randrange(kit.thrown))
            said = ask_again(other.course, waits)
            other.forget()
            hidden = said is not None and other.course.packed != past.course.packed
            if hidden and other.to_move == past.to_move and other.view(viewer) == past.view(viewer):
                return [(past, news or []), (other, said or [])]
        return []

    def with_only(self, table: Table, world: Table, name: str) -> Table | None:
        """Return a table of which one field alone is as in another world; None if it is the same there."""
        here, there = table.course.packed, world.course.packed
        return self._differing(supposed(table), {**here, name: there[name]})

    def exchanged(self, table: Table, viewer: int | None, dice: random.Random) -> Table | None:
        """Return a table on which it is what it was in a position that looked the same; None if there was none."""
        worlds = self._exchanged(table, viewer)
        return self._differing(supposed(table), dice.choice(worlds)) if worlds else None

    def _differing(self, world: Table, packed: Packed | None) -> Table | None:
        if packed is None or packed == world.course.packed:
            return None
        world.course.packed = packed
        world.forget()
        return world

    def _hidden(self, table: Table) -> list[str]:
        return [name for name in self.definition.unseen_fields if name in table.course.packed]

    def _places(self, table: Table, viewer: int | None) -> list[Place]:
        """Return every place that a viewer does not see."""
        return [
            place
            for name, field in self.definition.fields.items()
            if name in table.course.values
            for place in hidden_places(table.course.game, field, self.definition.shapes[name], viewer)
        ]

    def _looks(self, table: Table) -> bytes:
        """Return a digest of what a spectator sees of a table: it is the same for two that look the same to it."""
        course = table.course
        kit = course.kit
        fields = [
            data if self.definition.fields[name].mark is Mark.OPEN else self._outline(name, data)
            for name, data in course.packed.items()
        ]
        asked = None if course.suspension is None else course.suspension.question.seats
        looks = pack(
            [table.players, table.options, kit.mover, kit.to_move, kit.out, asked, [*course.waiting.sealed], fields]
        )
        return blake2b(looks, digest_size=16).digest()

    def _outline(self, name: str, data: bytes) -> Any:
        """Return what everybody knows of a hidden field: the sizes of collections, and whether something is there at all.

        A view does not show that something is None or no text yet, and mostly the moves say so: that a card was laid, a bid
        made, or a word thought of.
        """
        mark, shape, plain = self.definition.fields[name].mark, self.definition.shapes[name], unpack(data)
        if mark is Mark.PRIVATE:
            return _is_nothing(plain)
        if mark is Mark.HIDDEN:
            return _is_nothing(plain), shape.size(plain)
        return _entries(plain, lambda entry: (_is_nothing(plain[entry]), entry_of(shape, entry).size(plain[entry])))

    def _outlined(self, table: Table, packed: Packed) -> Packed:
        """Return the fields without those that everybody would see to be others."""
        here = table.course.packed
        return {
            name: data
            if data == here[name] or self._outline(name, data) == self._outline(name, here[name])
            else here[name]
            for name, data in packed.items()
        }

    def _exchanged(self, table: Table, viewer: int | None) -> list[Packed]:
        """Return the fields with what was hidden in positions that look the same, the viewer's own part aside.

        Where its own part was the same, too, that is a world which can be: if there are such, they are all. None are made
        where the game says itself what could be.
        """
        here = table.course.packed
        possible, others = list[Packed](), list[Packed]()
        if self.imagines and viewer is not None:
            return []
        for hidden in self.positions.get(self._looks(table), ()):
            theirs = {name: self._part(table, viewer, name, other) for name, other in hidden.items()}
            if not theirs.items() <= here.items():
                (possible if theirs == hidden else others).append({**here, **theirs})
        return possible or others

    def _part(self, table: Table, viewer: int | None, name: str, other: bytes) -> bytes:
        """Return a hidden field with the entries of another one where the viewer does not see them."""
        mark = self.definition.fields[name].mark
        if mark not in (Mark.OWNED, Mark.OTHERS):
            return other
        ours, theirs = unpack(table.course.packed[name]), unpack(other)
        return pack(_entries(ours, lambda entry: (ours if is_open(mark, entry, viewer) else theirs)[entry]))

    def _imagined(self, table: Table, viewer: int, dice: random.Random) -> Packed | None:
        """Return the fields as the game itself imagines them for a seat; None where that is not what the seat sees."""
        imagined = table.imagined(viewer, dice)
        if imagined is None:
            return None
        here, there = table.course.packed, imagined.course.packed
        opened = [name for name in here if name not in self._hidden(table)]
        if any(here[name] != there.get(name) for name in opened) or self._outlined(table, there) != there:
            return None
        own = {name: self._part(table, viewer, name, there[name]) for name in self._hidden(table)}
        return {**here, **own}

    def _mix(self, world: Table, viewer: int | None, dice: random.Random) -> bool:
        """Shuffle what the viewer cannot see among like places, or put there what stood there in other games."""
        shuffled, options = dice.random() < 0.5, _options_of(world)
        for kind, places in by_kind(self._places(world, viewer)).items():
            known = self.values.get((*options, *kind), ())
            if shuffled or len(known) < 2:
                shuffle(places, dice)
                continue
            for place in places:
                place.put(dice.choice(known))
            if not all(place.is_whole() for place in places):
                return False  # everybody sees how many there are
        return True


def _before_it_asked(table: Table) -> tuple[Suspension, Table]:
    """Return the rule that waits at a table, and a table of its own where it has yet to run."""
    waits = table.course.suspension
    assert waits is not None
    past = supposed(table)
    past.course.suspension = None
    past.course.return_to(waits.before)
    past.forget()
    return waits, past


def _options_of(table: Table) -> tuple[bytes, ...]:
    return (pack(table.options),) if table.options else ()


def _size(hidden: Packed) -> int:
    return sum(map(len, hidden.values()))


def _keep(kept: list[Any], new: Any, most: int, dice: random.Random) -> None:
    """Keep something new, in the place of another one where there are enough."""
    if len(kept) < most:
        kept.append(new)
    else:
        kept[dice.randrange(most)] = new


def _entries(data: Any, each: Callable[[Any], Any]) -> Any:
    """Return what `each` makes of every entry of a field that has entries for seats, as plain wire data."""
    return {entry: each(entry) for entry in data} if isinstance(data, _DICT) else [*map(each, range(len(data)))]


_DICT: Any = dict


def _is_nothing(plain: Any) -> bool:
    return plain is None or plain in ("", b"")
