"""Annotations of what holds several values: lists, tuples, sets, dicts, dataclasses, and whatever msgpack says."""

import dataclasses
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any

from netcode.turns.errors import Unfit
from netcode.turns.values.packing import NATIVE, a, pack
from netcode.turns.values.shape import Shape, all_fit, first
from netcode.turns.values.single import KEY, SCALARS

_LIST: Any = list
_DICT: Any = dict
_TUPLE: Any = tuple
_NO_NAMES = frozenset[str]()


class Anything(Shape):
    """What a bare `list`, `dict` or `Any` may hold: what msgpack says by itself."""

    name = "what msgpack can say: None, bool, int, float, str, bytes, list, dict"
    kinds = NATIVE

    def size(self, data: Any) -> int | None:
        return len(data) if isinstance(data, (_LIST, _DICT)) else None

    def convert(self, data: Any, where: str = "it") -> Any:
        flaw = self.flaw(data, where)
        if flaw is not None:
            raise Unfit(flaw)
        return _copy(data)  # a rule may write to what it is given, and it has to be what came when it is stored

    def flaw(self, value: Any, where: str) -> str | None:
        kind: Any = value.__class__
        if kind in NATIVE:
            return SCALARS[kind].flaw(value, where)
        if kind is list:
            return first(self.flaw(item, f"{where}[{i}]") for i, item in enumerate(value))
        if kind is dict:
            return _flaw_of_entries(KEY, self, value, where)
        return self.wrong(value, where)


def _copy(data: Any) -> Any:
    kind: Any = data.__class__
    if kind is list:
        return [*map(_copy, data)]
    return {key: _copy(item) for key, item in data.items()} if kind is dict else data


class Sequence(Shape):
    """A list, or a tuple of any length."""

    def __init__(self, kind: type[Any], item: Shape) -> None:
        self.kind, self.item = kind, item
        self.name = f"list[{item.name}]" if kind is list else f"tuple[{item.name}, ...]"
        self.packs = item.packs
        self.revives = item.revives and kind is list
        self.lasts = item.lasts and kind is tuple
        self.copies = (item.lasts or item.copies) and kind is list

    def copy(self, value: Any) -> Any:
        if self.lasts:
            return value
        return [*value] if self.item.lasts else [*map(self.item.copy, value)]

    def size(self, data: Any) -> int | None:
        return len(data)

    def dump(self, value: Any) -> Any:
        return value if self.packs else [*map(self.item.dump, value)]

    def load(self, data: Any) -> Any:
        if self.revives:
            return data
        return self.kind(data if self.item.revives else map(self.item.load, data))

    def convert(self, data: Any, where: str = "it") -> Any:
        self.expect(list, data, where)
        return self.kind([self.item.convert(item, f"{where}[{i}]") for i, item in enumerate(data)])

    def revive(self, data: Any, where: str = "it") -> Any:
        self.expect(list, data, where)
        if self.item.revives and all_fit(self.item, data):
            return data if self.kind is list else self.kind(data)
        return self.kind([self.item.revive(item, f"{where}[{i}]") for i, item in enumerate(data)])

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) is not self.kind:
            return self.wrong(value, where)
        return first(self.item.flaw(item, f"{where}[{i}]") for i, item in enumerate(value))

    def fits(self, value: Any) -> bool:
        return type(value) is self.kind and all_fit(self.item, value)


class Fixed(Shape):
    """A tuple of so many items, and a NamedTuple."""

    revives = False

    def __init__(self, kind: type[Any], name: str) -> None:
        self.kind, self.name = kind, name
        self.holds_more = kind.__dictoffset__ != 0  # a subclass of a NamedTuple without `__slots__`
        self.items: tuple[Shape, ...] = ()

    def fill(self, items: tuple[Shape, ...]) -> "Fixed":
        """Give it its items, which may hold itself."""
        self.items = items
        self.packs = all(item.packs for item in items)
        self.loads = not all(item.revives for item in items)
        self.lasts = not self.holds_more and all(item.lasts for item in items)
        if not self.name:
            self.name = f"tuple[{', '.join(item.name for item in items) or '()'}]"
        return self

    def size(self, data: Any) -> int | None:
        return len(data) if self.kind is tuple else None

    def make(self, items: Iterable[Any]) -> Any:
        """Make one of its items, as they are: a `__new__` of its own takes others, perhaps, or changes them."""
        return tuple(items) if self.kind is tuple else _TUPLE.__new__(self.kind, items)

    def parts(self, data: Any, where: str) -> list[tuple[Shape, Any]]:
        """Return what is to be an item, each with its shape. Raises `Unfit` for too many and too few."""
        self.expect(list, data, where)
        if len(data) != len(self.items):
            raise Unfit(f"{where} must have {len(self.items)} entries, not {len(data)}")
        return [*zip(self.items, data, strict=True)]

    def dump(self, value: Any) -> Any:
        return value if self.packs else [shape.dump(item) for shape, item in zip(self.items, value, strict=True)]

    def load(self, data: Any) -> Any:
        if not self.loads:
            return self.make(data)
        return self.make([item if s.revives else s.load(item) for s, item in zip(self.items, data, strict=True)])

    def convert(self, data: Any, where: str = "it") -> Any:
        parts = enumerate(self.parts(data, where))
        items = [shape.convert(item, f"{where}[{i}]") for i, (shape, item) in parts]
        if self.kind is tuple:
            return tuple(items)
        try:
            return self.kind(*items)
        except Exception as error:
            raise Unfit(f"{where} is no {self.name}: {error}") from error

    def revive(self, data: Any, where: str = "it") -> Any:
        parts = enumerate(self.parts(data, where))
        return self.make([shape.revive(item, f"{where}[{i}]") for i, (shape, item) in parts])

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) is not self.kind:
            return self.wrong(value, where)
        if len(value) != len(self.items):
            return f"{where} has {len(value)} entries; its annotation says {self.name}"
        if self.holds_more and (name := _beside(value, self.kind, _NO_NAMES)):
            return f"{where} is {a(self.name)} with {name}, which is no item of it: annotate it in the NamedTuple"
        return first(s.flaw(item, f"{where}[{i}]") for i, (s, item) in enumerate(zip(self.items, value, strict=True)))

    def fits(self, value: Any) -> bool:
        if type(value) is not self.kind or len(value) != len(self.items):
            return False
        if self.holds_more and _beside(value, self.kind, _NO_NAMES):
            return False
        for shape, item in zip(self.items, value, strict=True):  # twice as fast as `all`, and most are plain
            if type(item) not in shape.kinds and not shape.fits(item):
                return False
        return True


class Bag(Shape):
    """A set or frozenset, stored in an order of its own: what a set iterates in depends on the process."""

    packs = revives = False

    def __init__(self, kind: type[Any], item: Shape) -> None:
        self.kind, self.item = kind, item
        self.name = f"{kind.__name__}[{item.name}]"
        self.lasts = item.lasts and kind is frozenset

    def size(self, data: Any) -> int | None:
        return len(data)

    def dump(self, value: Any) -> Any:
        if len(value) < 2:
            return [*map(self.item.dump, value)]
        return sorted(map(self.item.dump, value), key=pack)

    def load(self, data: Any) -> Any:
        return self.kind(map(self.item.load, data))

    def convert(self, data: Any, where: str = "it") -> Any:
        self.expect(list, data, where)
        try:
            return self.kind([self.item.convert(item, f"{where}[{i}]") for i, item in enumerate(data)])
        except TypeError as error:
            raise Unfit(f"{where} must be {self.name}") from error

    def revive(self, data: Any, where: str = "it") -> Any:
        self.expect(list, data, where)
        made = self.kind([self.item.revive(item, f"{where}[{i}]") for i, item in enumerate(data)])
        if len(made) != len(data):  # it was a list under older rules, and more than a set can say
            raise Unfit(f"{where} must be {self.name}, and has something twice")
        return made

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) is not self.kind:
            return self.wrong(value, where)
        return first(self.item.flaw(item, f"an item of {where}") for item in value)

    def fits(self, value: Any) -> bool:
        return type(value) is self.kind and all_fit(self.item, value)


class Mapping(Shape):
    """A dict with keys that are int or str."""

    def __init__(self, key: Shape, item: Shape) -> None:
        self.key, self.item = key, item
        self.name = f"dict[{key.name}, {item.name}]"
        self.packs, self.revives = item.packs, item.revives
        self.copies = item.lasts or item.copies

    def copy(self, value: Any) -> Any:
        return {**value} if self.item.lasts else {key: self.item.copy(item) for key, item in value.items()}

    def size(self, data: Any) -> int | None:
        return len(data)

    def dump(self, value: Any) -> Any:
        return value if self.packs else {key: self.item.dump(item) for key, item in value.items()}

    def load(self, data: Any) -> Any:
        return data if self.revives else {key: self.item.load(item) for key, item in data.items()}

    def convert(self, data: Any, where: str = "it") -> Any:
        self.expect(dict, data, where)
        return {
            self.key.convert(key, f"a key of {where}"): self.item.convert(item, f"an entry of {where}")
            for key, item in data.items()
        }

    def revive(self, data: Any, where: str = "it") -> Any:
        self.expect(dict, data, where)
        if self.revives and self.fits(data):
            return data
        return {
            self.key.revive(key, f"a key of {where}"): self.item.revive(item, f"an entry of {where}")
            for key, item in data.items()
        }

    def flaw(self, value: Any, where: str) -> str | None:
        if value.__class__ is not dict:
            return self.wrong(value, where)
        return _flaw_of_entries(self.key, self.item, value, where)

    def fits(self, value: Any) -> bool:
        return value.__class__ is dict and all_fit(self.key, value) and all_fit(self.item, value.values())


def _flaw_of_entries(key: Shape, item: Shape, value: dict[Any, Any], where: str) -> str | None:
    return first(
        key.flaw(name, f"the key {name!r} of {where}") or item.flaw(entry, f"{where}[{name!r}]")
        for name, entry in value.items()
    )


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
        self._expect_fields(data, where)
        values = {name: shape.convert(data[name], f"{where}.{name}") for name, shape in self.fields.items()}
        try:
            made = self.kind(**{name: values[name] for name in self.given})
        except Exception as error:
            raise Unfit(f"{where} is no {self.name}: {error}") from error
        for name, value in values.items():  # also those that `__post_init__` makes of others: these have changed since
            object.__setattr__(made, name, value)
        return made

    def revive(self, data: Any, where: str = "it") -> Any:
        self._expect_fields(data, where)
        made = object.__new__(self.kind)  # its `__init__` may take something else, and check what has changed since
        for name, shape in self.fields.items():
            object.__setattr__(made, name, shape.revive(data[name], f"{where}.{name}"))
        return made

    def _expect_fields(self, data: Any, where: str) -> None:
        self.expect(dict, data, where)
        if data.keys() != self.fields.keys():
            raise Unfit(f"{where} must have the entries {', '.join(self.fields)}")

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) is not self.kind:
            return self.wrong(value, where)
        if name := _beside(value, self.kind, self.fields.keys()):
            return f"{where} is {a(self.name)} with {name}, which is no field of {self.name}: annotate it there"
        return first(shape.flaw(getattr(value, name), f"{where}.{name}") for name, shape in self.fields.items())

    def fits(self, value: Any) -> bool:
        if type(value) is not self.kind or _beside(value, self.kind, self.fields.keys()):
            return False
        return all(shape.fits(getattr(value, name)) for name, shape in self.fields.items())


def _beside(value: Any, kind: type[Any], fields: AbstractSet[str]) -> str | None:
    """Return what somebody assigned beside the fields, if it is none of what is worked out from them and kept."""
    there: dict[str, Any] | None = getattr(value, "__dict__", None)
    if there is None or there.keys() <= fields:
        return None
    return min((one for one in there.keys() - fields if not _is_kept(kind, one)), default=None)


def _is_kept(kind: type[Any], name: str) -> bool:
    """Tell whether Python keeps something by this name: `__orig_class__` of a generic class, a cached property."""
    return name.startswith("__") or isinstance(getattr(kind, name, None), cached_property)
