"""What a seat sees: fields masked by their marks, packed one by one; and a game made of them, for reading."""

from collections.abc import Callable, Mapping
from typing import Any

from netcode.turns.errors import Enough, Refusal, RulesError, Unfit
from netcode.turns.language.definition import Definition, definition_of
from netcode.turns.language.imagining import is_open
from netcode.turns.language.kit import Result, ViewKit
from netcode.turns.language.marks import Mark
from netcode.turns.language.table_options import revive_options
from netcode.turns.values import Anything, Fixed, Sequence, Shape, pack, plain, revive, unpack
from netcode.turns.values import Mapping as MappingShape

_DICT: Any = dict
_LIST: Any = list
_ANYTHING = Anything()


def mask(mark: Mark, shape: Shape, data: Any, seat: int | None) -> Any:
    """Return a marked field as the seat, or None for a spectator, sees it; `data` and the result are plain wire data."""
    if mark is Mark.HIDDEN:
        return blank(shape, data)

    def part(entry: int, item: Any) -> Any:
        return item if is_open(mark, entry, seat) else blank(_inside(shape, entry), item)

    if isinstance(data, _DICT):
        return {entry: part(entry, item) for entry, item in data.items()}
    return [part(entry, item) for entry, item in enumerate(data)]


def blank(shape: Shape, data: Any) -> list[None] | None:
    """Return what is left of what is not to be seen: the size of a collection."""
    # A NamedTuple is one thing of several parts, and of a str the length tells too much.
    size = shape.size(data)
    return None if size is None else [None] * size


def _inside(shape: Shape, entry: int) -> Shape:
    if isinstance(shape, Sequence | MappingShape):
        return shape.item
    return shape.items[entry] if isinstance(shape, Fixed) else _ANYTHING


def shown_value(game: Any, definition: Definition, name: str, seat: int) -> bytes:
    """Return the packed `@shown` value of this name for a seat."""
    where = f"{definition.cls.__name__}.{name}"
    try:
        value = definition.shown[name](game, seat)
    except Enough as error:
        raise RulesError(
            f"{where} draws, asks, plays or ends the game; @shown only looks, whenever somebody does: let a move do that, "
            "and keep in a field what is to be shown"
        ) from error
    except Refusal as error:
        raise RulesError(
            f"{where} refuses by require(), where nobody is refused; return what is to be seen instead, or None"
        ) from error
    try:
        return pack(plain(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise RulesError(f"{where} returned what cannot be sent: {error}") from error


class _Written:
    """How a view is printed, where the game does not say, and what is said of what is not there."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        field = definition_of(type(self)).fields.get(name)
        if field is None:
            return object.__getattribute__(self, name)  # which says what is wrong, also within a property
        unset = "setup() has yet to set it, or what is there does not fit these rules"
        why = "it is private" if field.mark is Mark.PRIVATE else unset
        raise AttributeError(f"the view of {type(self).__name__} has no {name!r}: {why}")

    def __repr__(self) -> str:
        fields: dict[str, Any] = self.__dict__
        return f"<view of {type(self).__name__}: {', '.join(f'{name}={value!r}' for name, value in fields.items())}>"


_readers: dict[type[Any], type[Any]] = {}


def make_view(
    game: type[Any],
    fields: Mapping[str, bytes],
    seat: int | None,
    *,
    names: list[str],
    options: Mapping[str, Any],
    to_move: tuple[int, ...] = (),
    mover: int | None = None,
    out: tuple[int, ...] = (),
    result: Result | None = None,
    frozen: bool = False,
) -> Any:
    """Make a game for reading from packed fields, as `Table.view` returns them.

    Masked parts stay as they came: None, and lists of None; so do fields that do not fit the class where the table is
    `frozen`, which may be just for that. Elsewhere they raise `Unfit`.
    """
    definition = definition_of(game)
    view = object.__new__(_reader_of(game))
    kit = ViewKit(names, revive_options(game, options) if options else options, b"")
    kit.seat, kit.to_move, kit.mover, kit.out, kit.result = seat, to_move, mover, out, result
    kit.shown = {
        name: _teller(seat, _shown(definition.shown_shapes[name], unpack(fields[name]), name))
        for name in definition.shown
        if name in fields
    }
    object.__setattr__(view, "_kit", kit)
    values: dict[str, Any] = view.__dict__
    everything_open = result is not None and game.reveal
    for name, field in definition.fields.items():
        if name not in fields:
            continue
        data, shape = unpack(fields[name]), definition.shapes[name]
        try:
            if field.mark is Mark.OPEN or everything_open:
                values[name] = revive(shape, data, name)
            else:
                values[name] = _unmask(field.mark, shape, data, seat, name)
        except Unfit:
            if not frozen:
                raise
            values[name] = data
    return view


def _unmask(mark: Mark, shape: Shape, data: Any, seat: int | None, name: str) -> Any:
    """Return a marked field with what one may see of it revived; the rest stays as it came, None and lists of None."""
    if mark is Mark.HIDDEN:
        return data
    if isinstance(shape, MappingShape):
        if not isinstance(data, _DICT):
            raise Unfit(f"{name} must be {shape.name}")
        item = shape.item
        return {
            revive(shape.key, entry, f"a key of {name}"): revive(item, part, name)
            if is_open(mark, entry, seat)
            else part
            for entry, part in data.items()
        }
    if not isinstance(data, _LIST):
        raise Unfit(f"{name} must be {shape.name}")
    if isinstance(shape, Fixed) and len(data) != len(shape.items):
        raise Unfit(f"{name} must have {len(shape.items)} entries, not {len(data)}")
    seen = [
        revive(_inside(shape, entry), part, name) if is_open(mark, entry, seat) else part
        for entry, part in enumerate(data)
    ]
    return seen if isinstance(shape, Sequence) and shape.kind is list else tuple(seen)


def _shown(shape: Shape | None, data: Any, name: str) -> Any:
    """Return a `@shown` value as its method says; as it came, where it returns something else than it says."""
    try:
        return data if shape is None else revive(shape, data, name)
    except Unfit:
        return data


def _teller(own: int | None, value: Any) -> Callable[[int], Any]:
    return lambda seat: value if seat == own else None


def _reader_of(game: type[Any]) -> type[Any]:
    """Return the class whose instances cannot be written to; one for each game."""
    if game not in _readers:
        inside = {"__setattr__": _refuse, "__module__": game.__module__, "__qualname__": game.__qualname__}
        _readers[game] = type(game.__name__, (game, _Written), {**inside, "_is_view": True})
    return _readers[game]


def _refuse(_view: Any, name: str, _value: Any) -> None:
    raise TypeError(f"a view is for reading: {name} cannot be assigned; play with `table.play(…)`")
