"""Annotations of one value: None, numbers, text, a Literal, an Enum, and `X | None`."""

import enum
from itertools import chain
from typing import Any

from netcode.reasons import is_unicode
from netcode.turns.errors import Unfit
from netcode.turns.values.packing import NATIVE, a, flags, same
from netcode.turns.values.shape import Shape, kind_of


class Scalar(Shape):
    """None, bool, int, float, str, bytes."""

    lasts = True

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
        raise Unfit(f"{where} must be {self.name}, not {kind_of(data)}")

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) not in self.takes:
            return self.wrong(value, where)
        if type(value) is int and not -(2**63) <= value < 2**64:
            return f"{where} is too large a number to be stored; keep it within 64 bits, or as a str"
        if type(value) is str and not is_unicode(value):
            return f"{where} is a str that is no Unicode text, which cannot be stored"
        return None


class Choice(Shape):
    """A Literal."""

    lasts = True

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
    """An Enum, or a Literal of some of its members, by their names; a Flag by `READ|WRITE`, or by its number."""

    packs = revives = False
    lasts = True

    def __init__(self, kind: type[enum.Enum], some: tuple[Any, ...] | None = None) -> None:
        self.kind, self.name = kind, kind.__name__
        self.flag = issubclass(kind, enum.Flag)
        self.members = dict(kind.__members__)
        self.kinds = frozenset((kind,))
        if some is not None:
            self.name = f"Literal[{', '.join(map(str, some))}]"
            self.kinds = frozenset()
        self.some = some

    def dump(self, value: Any) -> Any:
        return flags(value) if self.flag else value.name

    def load(self, data: Any) -> Any:
        """Return what was named; `READ|WRITE` is both flags."""
        known = self.members.get(data)
        if known is not None:
            return known
        if not self.flag:
            raise KeyError(data)
        if type(data) is not str:
            return self.kind(data)
        meant: Any = self.kind(0)
        for name in data.split("|"):
            meant |= self.members[name.strip()]
        return meant

    def convert(self, data: Any, where: str = "it") -> Any:
        try:
            if type(data) is str or (self.flag and type(data) is int):
                value = self.load(data)
                if self.flaw(value, where) is None:
                    return value
        except (KeyError, ValueError):
            pass
        names = self.members if self.some is None else [one.name or str(one.value) for one in self.some]
        raise Unfit(f"{where} must be the name of {a(self.kind.__name__)}: {', '.join(names)}")

    def flaw(self, value: Any, where: str) -> str | None:
        if type(value) is not self.kind:
            return self.wrong(value, where)
        return None if self.some is None or value in self.some else f"{where} is {value}, which is none of {self.name}"


class Either(Shape):
    """`X | None`, and unions of scalars with at most one type that is more than that."""

    def __init__(self, members: list[Shape]) -> None:
        self.members = members
        self.name = " | ".join(member.name for member in members)
        self.native: tuple[type[Any], ...] = tuple(kind for m in members if isinstance(m, Scalar) for kind in m.takes)
        self.rest = [member for member in members if not isinstance(member, Scalar)]
        self.packs = all(member.packs for member in members)
        self.revives = all(member.revives for member in members)
        self.lasts = all(member.lasts for member in members)
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
        raise Unfit(f"{where} must be {self.name}, not {kind_of(data)}")

    def revive(self, data: Any, where: str = "it") -> Any:
        if type(data) in self.native:
            return data
        return self.rest[0].revive(data, where) if self.rest else self.convert(data, where)

    def flaw(self, value: Any, where: str) -> str | None:
        flaws = [member.flaw(value, where) for member in self.members]
        if None in flaws:
            return None
        deeper = self.rest[0].flaw(value, where) if self.rest and type(value) not in NATIVE else None
        return deeper or self.wrong(value, where)

    def fits(self, value: Any) -> bool:
        return type(value) in self.kinds or any(member.fits(value) for member in self.members)


SCALARS: dict[Any, Scalar] = {kind: Scalar(kind) for kind in NATIVE}
KEY = Either([SCALARS[int], SCALARS[str]])
