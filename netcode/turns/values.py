"""Values by annotation: to what msgpack can say, back to what they were, and from strangers within bounds.

A `Shape` is made once for each annotation. What is stored and revived must be the same value of the same type:
`flaw` says where it is not.
"""

import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from typing import Any, Literal, Union

import msgpack

from netcode.turns.errors import RulesError, Unfit
from netcode.turns.marks import annotations_of

MAX_ITEMS = 4096
"""How many values a stranger's argument may hold, counting every entry of every collection."""
MAX_DEPTH = 12
"""How deep it may nest."""
MAX_LENGTH = 65_536
"""How many characters and bytes all its texts may have together."""

NATIVE = (type(None), bool, int, float, str, bytes)
"""What msgpack says and gives back as it was."""

_SUBCLASSED: tuple[Any, ...] = (int, float, str, bytes)
_COLLECTIONS: tuple[Any, ...] = (list, tuple)
_SETS: tuple[Any, ...] = (set, frozenset)
_LIST: Any = list
_DICT: Any = dict
_TEXTS = (str, bytes)
_TUPLE: Any = tuple

pack: Callable[[Any], bytes] = msgpack.packb  # a Packer has state, which two threads would share


unpack: Callable[[bytes], Any] = partial(msgpack.unpackb, strict_map_key=False)
"""Decode what `pack` made."""


def plain(value: Any) -> Any:
    """Return a value as plain wire data by what it is: an Enum by its name, a set in a fixed order, tuples as lists.

    Raises `TypeError` for what cannot be said.
    """
    kind: Any = value.__class__
    if kind in NATIVE:
        return value
    if isinstance(value, enum.Flag):
        return value.value
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, _COLLECTIONS):
        return [plain(item) for item in value]
    if isinstance(value, _SETS):
        return sorted((plain(item) for item in value), key=pack)
    if isinstance(value, _DICT):
        return {plain(key): plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    for native in _SUBCLASSED:
        if isinstance(value, native):
            return native(value)
    raise TypeError(f"a {kind.__name__} cannot be sent")


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal and of the same types through and through."""
    if type(one) is not type(other):
        return False
    if isinstance(one, _COLLECTIONS):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, _DICT):
        items, others = list(one.items()), list(other.items())
        return len(items) == len(others) and all(
            same(k, m) and same(v, w) for (k, v), (m, w) in zip(items, others, strict=True)
        )
    if isinstance(one, _SETS):
        return bool(one == other) and sorted(map(repr, map(type, one))) == sorted(map(repr, map(type, other)))
    if dataclasses.is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - nan is not itself


def a(kind: str) -> str:
    """Return the name of a type with its article."""
    return f"{'an' if kind[:1].lower() in tuple('aeiou') else 'a'} {kind}"


def check_bounds(data: Any) -> None:
    """Raise `Unfit` for a stranger's data that is too large or nests too deep."""
    items, length = 0, 0
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH + 1):
        items += len(level)
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, _TEXTS):
                length += len(item)
            elif isinstance(item, _DICT):
                deeper += item.keys()
                deeper += item.values()
            elif isinstance(item, _COLLECTIONS):
                deeper += item
            else:
                continue
            if items + len(deeper) > MAX_ITEMS:
                raise Unfit(f"it holds more than {MAX_ITEMS} values")
        if length > MAX_LENGTH:
            raise Unfit(f"its texts are longer than {MAX_LENGTH} characters together")
        if not deeper:
            return
        level = deeper
    raise Unfit(f"it nests deeper than {MAX_DEPTH} levels")


class Shape:
    """How values of one annotation are stored and revived.

    `packs` says that msgpack takes a value as it is; `revives` that it gives back the same. `kinds` are types of which
    every value fits that msgpack has taken.
    """

    name = "?"
    packs = True
    revives = True
    kinds: frozenset[type[Any]] = frozenset()

    def dump(self, value: Any) -> Any:
        """Return the value as msgpack can say it."""
        return value

    def load(self, data: Any) -> Any:
        """Revive what `dump` made; trusts it."""
        return data

    def size(self, data: Any) -> int | None:  # noqa: ARG002 - whoever fulfils a contract keeps its signature
        """Return how many entries there are in what `dump` made; None for what is one thing, if of several parts."""
        return None

    def convert(self, data: Any, where: str = "it") -> Any:
        """Revive what a stranger, or older rules, made; raises `Unfit` where it does not fit."""
        raise NotImplementedError

    def flaw(self, value: Any, where: str) -> str | None:
        """Say what keeps a value from being stored and revived as it is, with its path; None if nothing does."""
        raise NotImplementedError

    def fits(self, value: Any) -> bool:
        """Tell whether `flaw` has nothing to say of a value that msgpack has taken, without looking for words."""
        return type(value) in self.kinds or self.flaw(value, "it") is None

    def wrong(self, value: Any, where: str) -> str:
        """Say that a value is of the wrong type."""
        kind = str(type(value).__name__)
        bases = [base.__name__ for base in type(value).__mro__[1:] if base in (*NATIVE, list, dict, tuple, set)]
        comes = f", which would come back as {bases[0]}" if bases and kind != "bool" else ""
        return f"{where} is {a(kind)}{comes}; its annotation says {self.name}"


class Scalar(Shape):
    """None, bool, int, float, str, bytes."""

    def __init__(self, kind: type[Any]) -> None:
        self.name = "None" if kind is type(None) else kind.__name__
        self.kind = kind
        # As type checkers see it: a bool is an int, an int is a float.
        wider: dict[Any, tuple[type[Any], ...]] = {int: (int, bool), float: (float, int, bool)}
        self.takes = wider.get(kind, (kind,))
        self.kinds = frozenset(self.takes)

    def convert(self, data: Any, where: str = "it") -> Any:
        if type(data) is self.kind:
            return data
        if self.kind is float and type(data) is int:
            return float(data)
        raise Unfit(f"{where} must be {self.name}, not {_kind_of(data)}")

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) not in self.takes:
            return self.wrong(value, where)
        if type(value) is int and not -(2**63) <= value < 2**64:
            return f"{where} is too large a number to be stored; keep it within 64 bits, or as a str"
        if type(value) is str:
            try:
                value.encode()
            except UnicodeEncodeError:
                return f"{where} is a str that is no Unicode text, which cannot be stored"
        return None


class Anything(Shape):
    """What a bare `list`, `dict` or `Any` may hold: what msgpack says by itself."""

    name = "what msgpack can say: None, bool, int, float, str, bytes, list, dict"
    kinds = frozenset(NATIVE)

    def size(self, data: Any) -> int | None:
        return len(data) if isinstance(data, (_LIST, _DICT)) else None

    def convert(self, data: Any, where: str = "it") -> Any:
        flaw = self.flaw(data, where)
        if flaw is not None:
            raise Unfit(flaw)
        return data

    def flaw(self, value: Any, where: str) -> str | None:
        kind: Any = value.__class__
        if kind in NATIVE:
            return _SCALARS[kind].flaw(value, where)
        if kind is list:
            return _first(self.flaw(item, f"{where}[{i}]") for i, item in enumerate(value))
        if kind is dict:
            return _first(
                _KEY.flaw(key, f"the key {key!r} of {where}") or self.flaw(item, f"{where}[{key!r}]")
                for key, item in value.items()
            )
        return self.wrong(value, where)


class Choice(Shape):
    """A Literal."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values
        self.name = f"Literal[{', '.join(map(repr, values))}]"

    def convert(self, data: Any, where: str = "it") -> Any:
        for value in self.values:
            if same(data, value):
                return value
        raise Unfit(f"{where} must be one of {', '.join(map(repr, self.values))}")

    def flaw(self, value: Any, where: str) -> str | None:
        return None if any(same(value, one) for one in self.values) else f"{where} is none of {self.name}"


class Named(Shape):
    """An Enum, by the name of its member; a Flag by its number."""

    packs = revives = False

    def __init__(self, kind: type[enum.Enum]) -> None:
        self.kind, self.name = kind, kind.__name__
        self.flag = issubclass(kind, enum.Flag)
        self.members = dict(kind.__members__)
        self.kinds = frozenset((kind,))

    def dump(self, value: Any) -> Any:
        return value.value if self.flag else value.name

    def load(self, data: Any) -> Any:
        return self.kind(data) if self.flag else self.members[data]

    def convert(self, data: Any, where: str = "it") -> Any:
        try:
            if type(data) is (int if self.flag else str):
                return self.load(data)
        except (KeyError, ValueError):
            pass
        raise Unfit(f"{where} must be the name of a {self.name}: {', '.join(self.members)}")

    def flaw(self, value: Any, where: str) -> str | None:
        return None if type(value) is self.kind else self.wrong(value, where)


class Sequence(Shape):
    """A list, or a tuple of any length."""

    def __init__(self, kind: type[Any], item: Shape) -> None:
        self.kind, self.item = kind, item
        self.name = f"list[{item.name}]" if kind is list else f"tuple[{item.name}, ...]"
        self.packs = item.packs
        self.revives = item.revives and kind is list

    def size(self, data: Any) -> int | None:
        return len(data)

    def dump(self, value: Any) -> Any:
        return value if self.packs else [*map(self.item.dump, value)]

    def load(self, data: Any) -> Any:
        if self.revives:
            return data
        return self.kind(data if self.item.revives else map(self.item.load, data))

    def convert(self, data: Any, where: str = "it") -> Any:
        _expect(list, data, where, self.name)
        return self.kind([self.item.convert(item, f"{where}[{i}]") for i, item in enumerate(data)])

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) is not self.kind:
            return self.wrong(value, where)
        return _first(self.item.flaw(item, f"{where}[{i}]") for i, item in enumerate(value))

    def fits(self, value: Any) -> bool:
        return type(value) is self.kind and _all_fit(self.item, value)


class Fixed(Shape):
    """A tuple of so many items, and a NamedTuple."""

    revives = False

    def __init__(self, kind: type[Any], name: str) -> None:
        self.kind, self.name = kind, name
        self.items: tuple[Shape, ...] = ()

    def fill(self, items: tuple[Shape, ...]) -> "Fixed":
        """Give it its items, which may hold itself."""
        self.items = items
        self.packs = all(item.packs for item in items)
        self.loads = not all(item.revives for item in items)
        if not self.name:
            self.name = f"tuple[{', '.join(item.name for item in items) or '()'}]"
        return self

    def size(self, data: Any) -> int | None:
        return len(data) if self.kind is tuple else None

    def make(self, items: Iterable[Any]) -> Any:
        """Make one of its items."""
        return tuple(items) if self.kind is tuple else self.kind(*items)

    def dump(self, value: Any) -> Any:
        return value if self.packs else [shape.dump(item) for shape, item in zip(self.items, value, strict=True)]

    def load(self, data: Any) -> Any:
        return self.make([s.load(item) for s, item in zip(self.items, data, strict=True)] if self.loads else data)

    def convert(self, data: Any, where: str = "it") -> Any:
        _expect(list, data, where, self.name)
        if len(data) != len(self.items):
            raise Unfit(f"{where} must have {len(self.items)} entries, not {len(data)}")
        pairs = enumerate(zip(self.items, data, strict=True))
        return self.make([shape.convert(item, f"{where}[{i}]") for i, (shape, item) in pairs])

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) is not self.kind:
            return self.wrong(value, where)
        if len(value) != len(self.items):
            return f"{where} has {len(value)} entries; its annotation says {self.name}"
        return _first(s.flaw(item, f"{where}[{i}]") for i, (s, item) in enumerate(zip(self.items, value, strict=True)))

    def fits(self, value: Any) -> bool:
        if type(value) is not self.kind or len(value) != len(self.items):
            return False
        return all(shape.fits(item) for shape, item in zip(self.items, value, strict=True))


class Bag(Shape):
    """A set or frozenset, stored in an order of its own: what a set iterates in depends on the process."""

    packs = revives = False

    def __init__(self, kind: type[Any], item: Shape) -> None:
        self.kind, self.item = kind, item
        self.name = f"{kind.__name__}[{item.name}]"

    def size(self, data: Any) -> int | None:
        return len(data)

    def dump(self, value: Any) -> Any:
        if len(value) < 2:
            return [*map(self.item.dump, value)]
        return sorted(map(self.item.dump, value), key=pack)

    def load(self, data: Any) -> Any:
        return self.kind(map(self.item.load, data))

    def convert(self, data: Any, where: str = "it") -> Any:
        _expect(list, data, where, self.name)
        try:
            return self.kind([self.item.convert(item, f"{where}[{i}]") for i, item in enumerate(data)])
        except TypeError as error:
            raise Unfit(f"{where} must be {self.name}") from error

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) is not self.kind:
            return self.wrong(value, where)
        return _first(self.item.flaw(item, f"an item of {where}") for item in value)

    def fits(self, value: Any) -> bool:
        return type(value) is self.kind and _all_fit(self.item, value)


class Mapping(Shape):
    """A dict with keys that are int or str."""

    def __init__(self, key: Shape, item: Shape) -> None:
        self.key, self.item = key, item
        self.name = f"dict[{key.name}, {item.name}]"
        self.packs, self.revives = item.packs, item.revives

    def size(self, data: Any) -> int | None:
        return len(data)

    def dump(self, value: Any) -> Any:
        return value if self.packs else {key: self.item.dump(item) for key, item in value.items()}

    def load(self, data: Any) -> Any:
        return data if self.revives else {key: self.item.load(item) for key, item in data.items()}

    def convert(self, data: Any, where: str = "it") -> Any:
        _expect(dict, data, where, self.name)
        return {
            self.key.convert(key, f"a key of {where}"): self.item.convert(item, f"an entry of {where}")
            for key, item in data.items()
        }

    def flaw(self, value: Any, where: str) -> str | None:
        if value.__class__ is not dict:
            return self.wrong(value, where)
        return self._flaw_inside(value, where)

    def _flaw_inside(self, value: dict[Any, Any], where: str) -> str | None:
        return _first(
            self.key.flaw(key, f"the key {key!r} of {where}") or self.item.flaw(item, f"{where}[{key!r}]")
            for key, item in value.items()
        )

    def fits(self, value: Any) -> bool:
        return value.__class__ is dict and _all_fit(self.key, value) and _all_fit(self.item, value.values())


class Record(Shape):
    """A dataclass, as a dict by the names of its fields."""

    packs = revives = False

    def __init__(self, kind: type[Any]) -> None:
        self.kind, self.name = kind, kind.__name__
        self.fields: dict[str, Shape] = {}
        self.given = [field.name for field in dataclasses.fields(kind) if field.init]

    def dump(self, value: Any) -> Any:
        return {name: shape.dump(getattr(value, name)) for name, shape in self.fields.items()}

    def load(self, data: Any) -> Any:
        made = object.__new__(self.kind)
        for name, shape in self.fields.items():
            object.__setattr__(made, name, shape.load(data[name]))  # frozen ones too
        return made

    def convert(self, data: Any, where: str = "it") -> Any:
        _expect(dict, data, where, self.name)
        if {*data} != {*self.fields}:
            raise Unfit(f"{where} must have the entries {', '.join(self.fields)}")
        values = {name: shape.convert(data[name], f"{where}.{name}") for name, shape in self.fields.items()}
        try:
            made = self.kind(**{name: values[name] for name in self.given})
        except Exception as error:
            raise Unfit(f"{where} is no {self.name}: {error}") from error
        for name in values.keys() - {*self.given}:
            object.__setattr__(made, name, values[name])
        return made

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) is not self.kind:
            return self.wrong(value, where)
        return _first(shape.flaw(getattr(value, name), f"{where}.{name}") for name, shape in self.fields.items())

    def fits(self, value: Any) -> bool:
        return type(value) is self.kind and all(shape.fits(getattr(value, name)) for name, shape in self.fields.items())


class Either(Shape):
    """`X | None`, and unions of scalars with at most one type that is more than that."""

    def __init__(self, members: list[Shape]) -> None:
        self.members = members
        self.name = " | ".join(member.name for member in members)
        self.native: tuple[type[Any], ...] = tuple(kind for m in members if isinstance(m, Scalar) for kind in m.takes)
        self.rest = [member for member in members if not isinstance(member, Scalar)]
        self.packs = all(member.packs for member in members)
        self.revives = all(member.revives for member in members)
        self.kinds = frozenset(chain.from_iterable(member.kinds for member in members))

    def size(self, data: Any) -> int | None:
        return None if type(data) in self.native or not self.rest else self.rest[0].size(data)

    def dump(self, value: Any) -> Any:
        return value if self.packs or type(value) in self.native else self.rest[0].dump(value)

    def load(self, data: Any) -> Any:
        return data if self.revives or type(data) in self.native else self.rest[0].load(data)

    def convert(self, data: Any, where: str = "it") -> Any:
        for member in self.members:
            if isinstance(member, Scalar) and type(data) is member.kind:
                return data
        last = self.rest[0] if self.rest else self.members[0]
        for member in self.members:
            try:
                return member.convert(data, where)
            except Unfit as error:
                if member is last and self.rest:
                    raise
                del error
        raise Unfit(f"{where} must be {self.name}, not {_kind_of(data)}")

    def flaw(self, value: Any, where: str) -> str | None:
        flaws = [member.flaw(value, where) for member in self.members]
        if None in flaws:
            return None
        deeper = self.rest[0].flaw(value, where) if self.rest and type(value) not in NATIVE else None
        return deeper or self.wrong(value, where)

    def fits(self, value: Any) -> bool:
        return type(value) in self.kinds or any(member.fits(value) for member in self.members)


_SCALARS: dict[Any, Scalar] = {kind: Scalar(kind) for kind in NATIVE}
_KEY = Either([_SCALARS[int], _SCALARS[str]])
_made: dict[Any, Shape] = {}


def shape_of(annotation: Any, where: str) -> Shape:
    """Return the shape of an annotation. Raises `RulesError` for a type that is not stored."""
    try:
        known = _made.get(annotation)
    except TypeError:
        known = None  # a Literal of something that has no hash
    if known is not None:
        return known
    shape = _make(annotation, where)
    if getattr(annotation, "__hash__", None) is not None:
        try:
            # Literal[True] equals Literal[1], and is another type.
            if typing.get_origin(annotation) is not Literal and "Literal" not in repr(annotation):
                _made[annotation] = shape
        except TypeError:
            pass
    return shape


def _make(annotation: Any, where: str) -> Shape:
    annotation = getattr(annotation, "__supertype__", annotation)  # a NewType
    annotation = getattr(annotation, "__value__", annotation)  # `type X = …`
    if annotation is None:
        annotation = type(None)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
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
    raise RulesError(
        f"{where}: {_spell(annotation)} cannot be stored. A field is made of None, bool, int, float, str, bytes, list, "
        "dict, tuple, set, frozenset, NamedTuple, dataclass, Enum, Literal and `X | None`; "
        f"what is no state is a ClassVar: `{where.rpartition('.')[2]}: ClassVar[…]`"
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
        _made[kind] = fixed
        hints = annotations_of(kind)
        return fixed.fill(
            tuple(shape_of(hints.get(name, Any), f"{where} ({kind.__name__}.{name})") for name in kind._fields)
        )
    if hasattr(kind, "__dataclass_fields__"):
        record = Record(kind)
        _made[kind] = record
        hints = typing.get_type_hints(kind)
        record.fields = {
            field.name: shape_of(hints[field.name], f"{where} ({kind.__name__}.{field.name})")
            for field in dataclasses.fields(kind)
        }
        return record
    return None


def _mapping(arguments: tuple[Any, ...], where: str) -> Shape:
    if not arguments:
        return Mapping(_KEY, Anything())
    key = shape_of(arguments[0], where)
    kinds = key.values if isinstance(key, Choice) else ()
    fine = key in (_SCALARS[int], _SCALARS[str]) or (kinds and all(type(value) in (int, str) for value in kinds))
    if isinstance(key, Either):
        fine = all(member in (_SCALARS[int], _SCALARS[str]) for member in key.members)
    if not fine:
        raise RulesError(f"{where}: the keys of a dict are int or str, not {key.name}; write `dict[int, …]`")
    return Mapping(key, shape_of(arguments[1], where))


def _literal(values: tuple[Any, ...], where: str) -> Shape:
    if all(type(value) in NATIVE for value in values):
        return Choice(values)
    if all(type(value) is type(values[0]) for value in values) and isinstance(values[0], enum.Enum):
        return Named(type(values[0]))
    raise RulesError(f"{where}: a Literal is of None, bool, int, str and bytes; use an Enum for its members")


def _either(members: list[Shape], where: str) -> Shape:
    either = Either(members)
    text = [member for member in either.rest if isinstance(member, Named)]
    if len(either.rest) > 1 or (text and str in either.native):
        raise RulesError(
            f"{where}: {either.name} cannot be told apart when it is stored; "
            "use one type, `X | None`, or a dataclass with a field for each"
        )
    return either


def _spell(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _kind_of(data: Any) -> str:
    return "None" if data is None else a(str(data.__class__.__name__))


def _expect(kind: type[Any], data: Any, where: str, name: str) -> None:
    if type(data) is not kind:
        raise Unfit(f"{where} must be {name}, not {_kind_of(data)}")


def _all_fit(shape: Shape, values: Iterable[Any]) -> bool:
    return shape.kinds.issuperset(map(type, values)) or all(map(shape.fits, values))


def _first(flaws: Iterable[str | None]) -> str | None:
    return next((flaw for flaw in flaws if flaw is not None), None)
