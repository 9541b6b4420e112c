"""What every annotation has: how its values are stored, revived, taken from strangers, and what keeps one from it."""

from collections.abc import Callable, Iterable
from typing import Any

from netcode.turns.errors import Unfit
from netcode.turns.values.packing import NATIVE, a, of_python, unpack


class Shape:
    """How values of one annotation are stored and revived.

    `packs` says that msgpack takes a value as it is; `revives` that it gives back the same. `lasts` says that nobody
    can write to a value; `copies`, that one is no more than lists and dicts of such. `kinds` are types of which every
    value fits that msgpack has taken.
    """

    name = "?"
    packs = True
    revives = True
    lasts = False
    copies = False
    kinds: frozenset[type[Any]] = frozenset()

    def dump(self, value: Any) -> Any:
        """Return the value as msgpack can say it."""
        return value

    def load(self, data: Any) -> Any:
        """Revive what `dump` made; trusts it."""
        return data

    def maker(self, data: bytes) -> Callable[[], Any]:
        """Return what revives what was packed, again and again: what nobody can write to is made once for all of them."""
        if not (self.lasts or self.copies):
            return lambda: self.load(unpack(data))
        value = self.load(unpack(data))
        return lambda: self.copy(value)

    def copy(self, value: Any) -> Any:
        """Return a value that nobody writes to by writing to this one, if it `lasts` or `copies`."""
        return value

    def size(self, data: Any) -> int | None:  # noqa: ARG002 - whoever fulfils a contract keeps its signature
        """Return how many entries there are in what `dump` made; None for what is one thing, if of several parts."""
        return None

    def convert(self, data: Any, where: str = "it") -> Any:
        """Revive what a stranger, or older rules, made; raises `Unfit` where it does not fit."""
        raise NotImplementedError

    def revive(self, data: Any, where: str = "it") -> Any:
        """Revive what a server, or rules that may be older ones, stored or sent; raises `Unfit` where it does not fit.

        What fits as it is stays so: `True` is an int of ours, and of a stranger it is none. Nothing of the author's is
        called to make it but what Python itself calls. Use the function of this name: `data` may be anything.
        """
        return data if self.revives and self.fits(data) else self.convert(data, where)

    def flaw(self, value: Any, where: str) -> str | None:
        """Say what keeps a value from being stored and revived as it is, with its path; None if nothing does."""
        raise NotImplementedError

    def fits(self, value: Any) -> bool:
        """Tell whether `flaw` has nothing to say of a value that msgpack has taken, without looking for words."""
        return type(value) in self.kinds or self.flaw(value, "it") is None

    def expect(self, kind: type[Any], data: Any, where: str) -> None:
        """Raise `Unfit` for data that is not of the type in which such values come."""
        if type(data) is not kind:
            raise Unfit(f"{where} must be {self.name}, not {kind_of(data)}")

    def wrong(self, value: Any, where: str) -> str:
        """Say that a value is of the wrong type."""
        kind = str(type(value).__name__)
        bases = [base.__name__ for base in type(value).__mro__[1:] if base in (*NATIVE, list, dict, tuple, set)]
        comes = f", which would come back as {bases[0]}" if bases and kind != "bool" else ""
        return f"{where} is {a(kind)}{comes}; its annotation says {self.name}{of_python(value)}"


def revive(shape: Shape, data: Any, where: str) -> Any:
    """Revive what a server or a store made. Raises `Unfit`, and nothing else whatever it is, where it does not fit."""
    try:
        return shape.revive(data, where)
    except Unfit:
        raise
    except Exception as error:  # it may nest too deep, and have parts that Python puts into no set
        raise Unfit(f"{where} cannot be {shape.name}: {error}") from error


def is_text(shape: Shape | None) -> bool:
    """Tell whether every value is a text, and every text is one."""
    return shape is not None and shape.kinds == frozenset((str,))


def kind_of(data: Any) -> str:
    """Return what a value is, for a sentence."""
    return "None" if data is None else a(str(data.__class__.__name__))


def all_fit(shape: Shape, values: Iterable[Any]) -> bool:
    """Tell whether every one of some values fits."""
    return shape.kinds.issuperset(map(type, values)) or all(map(shape.fits, values))


def first(flaws: Iterable[str | None]) -> str | None:
    """Return the first flaw that is one."""
    return next((flaw for flaw in flaws if flaw is not None), None)
