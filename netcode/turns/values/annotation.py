"""From an annotation to its shape, made once for each; what is not stored is told here."""

import dataclasses
import enum
import types
import typing
from collections.abc import Iterable
from typing import Any, Literal, Union

from netcode.turns.errors import RulesError
from netcode.turns.language.marks import annotations_filled, named
from netcode.turns.values.packing import NATIVE, a
from netcode.turns.values.several import Anything, Bag, Fixed, Mapping, Record, Sequence
from netcode.turns.values.shape import Shape
from netcode.turns.values.single import KEY, SCALARS, Choice, Either, Named

_TUPLE: Any = tuple
_DICT: Any = dict
_VALUES: tuple[Any, ...] = (list, dict, set, tuple)
_ONES: tuple[Any, ...] = (int, float, bytes, range, enum.Enum)
_made: dict[Any, Shape] = {}


def shape_of(annotation: Any, where: str) -> Shape:
    """Return the shape of an annotation. Raises `RulesError` for a type that is not stored."""
    try:
        known = _made.get(annotation)
    except TypeError:
        known = None  # a Literal of something that has no hash
    if known is not None:
        return known
    try:
        shape = _make(annotation, where)
    except RecursionError:
        field, _, _ = where.partition(" (")  # and what is behind that, a thousand times
        raise RulesError(
            f"{field}: {_spell(annotation):.80} holds itself without end; what may hold itself is a dataclass: "
            "`children: list[Node]` in `class Node`"
        ) from None
    if getattr(annotation, "__hash__", None) is not None:
        try:
            # Literal[True] equals Literal[1], and is another type.
            if typing.get_origin(annotation) is not Literal and "Literal" not in repr(annotation):
                _made[annotation] = shape
        except TypeError:
            pass
    return shape


def _make(annotation: Any, where: str) -> Shape:
    annotation = named(annotation)
    if isinstance(annotation, _VALUES):
        raise RulesError(f"{where}: {a(type(annotation).__name__)} is no type; write `{_spell(annotation)}`")
    if isinstance(annotation, _ONES):
        raise RulesError(f"{where}: {annotation} is no type; write `{_spell(annotation)}`")
    if annotation is None:
        annotation = type(None)
    if getattr(annotation, "__class__", None) is type and annotation in SCALARS:  # `list[[int]]` has no hash
        return SCALARS[annotation]
    if annotation is Any or annotation is object:
        return Anything()
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return _literal(arguments, where)
    if origin is Union or origin is types.UnionType:
        return _either([shape_of(argument, where) for argument in arguments], where)
    if origin is typing.Annotated:
        return shape_of(arguments[0], where)
    kind = origin or annotation
    if isinstance(kind, type):
        made = _class(kind, arguments, annotation, where)
        if made is not None:
            return made
    if isinstance(annotation, typing.TypeVar):
        raise RulesError(
            f"{where}: {annotation.__name__} stands for any type; say in the field which one it is: `Box[int]`, not `Box`. "
            f"Where the game itself is generic, a subclass says it, `class Dominoes(Tiles[int])`, and what it builds on is "
            "abstract: `class Tiles(Game, ABC, Generic[T])`"
        )
    raise RulesError(
        f"{where}: {_spell(annotation)} cannot be stored. A field is made of None, bool, int, float, str, bytes, list, "
        "dict, tuple, set, frozenset, NamedTuple, dataclass, Enum, Literal and `X | None`; "
        f"what is no state is a ClassVar: `{where.rpartition('.')[2].rstrip(')')}: ClassVar[…]`"
    )


def _class(kind: Any, arguments: tuple[Any, ...], annotation: Any, where: str) -> Shape | None:
    if kind in (list, set, frozenset):
        item = shape_of(arguments[0], where) if arguments else Anything()
        return Sequence(list, item) if kind is list else Bag(kind, item)
    if kind is dict:
        return _mapping(arguments, where)
    if kind is tuple:
        if not arguments and annotation is tuple:
            return Sequence(tuple, Anything())
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return Sequence(tuple, shape_of(arguments[0], where))
        return Fixed(tuple, "").fill(tuple(shape_of(argument, where) for argument in arguments if argument != ()))
    if issubclass(kind, enum.Enum):
        return Named(kind)
    if issubclass(kind, _TUPLE) and hasattr(kind, "_fields"):
        fixed = Fixed(kind, kind.__name__)
        fixed.packs = False  # until it is known: it may hold itself
        return fixed.fill((*_parts(kind, kind._fields, fixed, where, annotation).values(),))
    if hasattr(kind, "__dataclass_fields__"):
        record = Record(kind)
        record.fields = _parts(kind, [field.name for field in dataclasses.fields(kind)], record, where, annotation)
        return record
    return None


def _parts(kind: type[Any], names: Iterable[str], made: Shape, where: str, annotation: Any) -> dict[str, Shape]:
    """Return the shapes of the fields of a class whose own is being made; they may hold it."""
    known = {*_made}
    _made[annotation] = made
    try:
        hints = annotations_filled(kind, typing.get_args(annotation))
        return {name: shape_of(hints.get(name, Any), f"{where} ({kind.__name__}.{name})") for name in names}
    except BaseException:
        for unfinished in _made.keys() - known:  # who tries again is told again
            del _made[unfinished]
        raise


def _key_instead(key: Shape) -> str:
    """Return how a dict is written whose keys would be something else."""
    if isinstance(key, Fixed | Sequence | Bag | Record):
        return '`dict[str, …]`, with keys such as f"{x},{y}"'
    return "`dict[str, …]`, with `key.name` for a key" if isinstance(key, Named) else "`dict[int, …]`"


def _mapping(arguments: tuple[Any, ...], where: str) -> Shape:
    if not arguments:
        return Mapping(KEY, Anything())
    key = shape_of(arguments[0], where)
    kinds = key.values if isinstance(key, Choice) else ()
    fine = key in (SCALARS[int], SCALARS[str]) or (kinds and all(type(value) in (int, str) for value in kinds))
    if isinstance(key, Either):
        fine = all(member in (SCALARS[int], SCALARS[str]) for member in key.members)
    if not fine:
        raise RulesError(f"{where}: the keys of a dict are int or str, not {key.name}; write {_key_instead(key)}")
    return Mapping(key, shape_of(arguments[1], where))


def _literal(values: tuple[Any, ...], where: str) -> Shape:
    if all(type(value) in NATIVE for value in values):
        return Choice(values)
    if all(type(value) is type(values[0]) for value in values) and isinstance(values[0], enum.Enum):
        return Named(type(values[0]), values)
    raise RulesError(f"{where}: a Literal is of None, bool, int, str and bytes; use an Enum for its members")


def _either(members: list[Shape], where: str) -> Shape:
    either = Either([one for member in members for one in (member.members if isinstance(member, Either) else [member])])
    said = {
        kind for member in either.rest if isinstance(member, Named) for kind in ((str, int) if member.flag else (str,))
    }
    if len(either.rest) > 1 or not said.isdisjoint(either.native):
        raise RulesError(
            f"{where}: {either.name} cannot be told apart when it is stored; "
            "use one type, `X | None`, or a dataclass with a field for each"
        )
    return either


def made_of(shapes: Iterable[Shape]) -> str:
    """Return what shapes are, and what the classes among them and their parts are made of.

    That may be written beside the rules, and what was stored under other fields and members is not what they have now; nor
    is what a NamedTuple has stored, which is a list, that of a dataclass of the same name.
    """
    todo, seen = [*shapes], set[int]()
    said: list[Any] = [shape.name for shape in todo]
    for shape in todo:  # which grows meanwhile
        if id(shape) in seen:
            continue
        seen.add(id(shape))
        match shape:
            case Named():
                numbers = [int(one.value) for one in shape.members.values()] if shape.flag else None
                said.append((shape.name, [*shape.members], numbers))
            case Record():
                said.append((shape.name, [(name, part.name) for name, part in shape.fields.items()]))
                todo += shape.fields.values()
            case Fixed():
                if shape.kind is not tuple:
                    kind: Any = shape.kind
                    parts = zip(kind._fields, shape.items, strict=True)
                    said.append((shape.name, {name: part.name for name, part in parts}))
                todo += shape.items
            case Mapping():
                todo += shape.key, shape.item
            case Sequence() | Bag():
                todo.append(shape.item)
            case Either():
                todo += shape.members
            case _:
                pass
    return repr(said)


def _spell(annotation: Any) -> str:
    if isinstance(annotation, _VALUES):  # `[int]` for `list[int]`
        parts = next(iter(annotation.items())) if isinstance(annotation, _DICT) and annotation else annotation
        parts = map(_spell, parts)
        inside = ", ".join(parts) if isinstance(annotation, (tuple, _DICT)) else " | ".join(dict.fromkeys(parts))
        return f"{type(annotation).__name__}[{inside or '…'}]"
    if isinstance(annotation, range):
        return "int"
    if isinstance(annotation, (*_ONES, str)):
        return type(annotation).__name__
    if isinstance(annotation, type | types.FunctionType):
        return annotation.__name__
    return str(annotation)
