"""What was probably meant by names that do not exist, and by comparisons that never hold.

Attributes are hinted at by name, not through `__getattr__`: that would cost every attribute that does exist.
"""

import sys
from abc import ABCMeta
from collections.abc import Callable, Iterable
from enum import Enum
from types import ModuleType
from typing import Any, NoReturn

from netcode.diagnostics.vocabulary import CALLBACKS, CLOSE, NAMES


def hint_package(package: ModuleType, below: Iterable[str]) -> None:
    """Have a package say which of its names was meant by one that it does not have.

    Args:
        below: modules in it that have to be imported by themselves.
    """
    below = frozenset(below)

    def missing(name: str) -> NoReturn:
        names = vars(package).get("__all__")  # none while it is being imported, which asks for its modules
        text = f"module {package.__name__!r} has no attribute {name!r}"
        if name in below:
            raise _missing(f"{text} before it is imported: import {package.__name__}.{name}", name)
        if names is None:
            file = sys._getframe(1).f_code.co_filename  # noqa: SLF001 - the call comes from the interpreter itself
            needs = f"its import came by {file}, which has the name of a module that it needs"
            raise _missing(f"{text} yet: {needs}; call that file by another word", name)
        meant = None if name.startswith("_") else _meant_by(name, names)
        if meant:
            raise _missing(f"{text}; did you mean {package.__name__}.{meant}?", name)
        raise AttributeError(text)

    setattr(package, "__getattr__", missing)  # noqa: B010 - where a checker saw it, it would believe in every name


def _missing(text: str, name: str) -> AttributeError:
    """Return an error that has said what was meant: Python would add what looks alike, such as `ticks` for `kick`.

    It does so only where it has the object, and it gives that to none that has a name.
    """
    return AttributeError(text, name=name)


def _meant_by(name: str, names: Iterable[str]) -> str | None:
    import difflib

    meant = [target for others, target in NAMES.items() if name.lower() in others.lower().split()]
    return next(iter(meant or difflib.get_close_matches(name, names, 1, CLOSE)), None)


class Hint:
    """Stands where an attribute is looked for that is not there, and says what to use."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self.text = text

    def __get__(self, instance: object, owner: type) -> Any:
        raise _missing(f"{owner.__name__!r} has no attribute {self._name!r}: {self.text}", self._name)


class FirmHint(Hint):
    """Also where it is set: for what takes no attributes of the game's own."""

    def __set__(self, instance: object, value: object) -> None:
        self.__get__(instance, type(instance))


class OwnHint(Hint):
    """Also where it is set on an object of the class itself: a class that inherits may have such an attribute."""

    def __init__(self, cls: type, name: str, text: str) -> None:
        super().__init__(name, text)
        self._cls = cls

    def __get__(self, instance: object, owner: type) -> Any:
        own: dict[str, Any] = {} if instance is None else vars(instance)
        return own[self._name] if self._name in own else super().__get__(instance, owner)

    def __set__(self, instance: object, value: object) -> None:
        if type(instance) is self._cls:
            super().__get__(instance, self._cls)
        vars(instance)[self._name] = value

    def __delete__(self, instance: object) -> None:
        self.__get__(instance, type(instance))
        del vars(instance)[self._name]


class Hinted(type):
    """A class whose hints are seen by nobody who looks at what there is: `dir()`, `help()`, completion."""

    def __dir__(cls) -> list[str]:
        hints = _hints_of(cls)
        return [name for name in super().__dir__() if name not in hints]


class HintedABC(Hinted, ABCMeta):
    """The same for an abstract class, of which nothing is an instance that only registered as one."""

    __instancecheck__ = type.__instancecheck__  # `wait` asks at each wake-up, and abstract classes answer slowly


def hint(cls: type, hints: dict[str, str], kind: type[Hint] = Hint) -> None:
    """Give hints for attributes that `cls` does not have: names, separated by blanks, and what to use for them."""
    for names, text in hints.items():
        for name in names.split():
            if not hasattr(cls, name):
                setattr(cls, name, kind(name, text))
    setattr(cls, "__dir__", _dir_without_hints)  # noqa: B010 - it is no method for a type checker


def hint_unmade(cls: type) -> None:
    """Say where a class that inherits forgot to make what it inherits.

    Only of what `update()` and `events()` look at first: what has a hint is found more slowly.
    """
    text = "it was not made: the __init__ of a class of yours has to call super().__init__(...) first"
    hint(cls, dict.fromkeys(("_engine", "_attendance"), text))


def refuse_later(cls: type, *arguments: str) -> None:
    """Refuse to set on an object what its class takes when it is made, and callbacks: nothing would look at either."""
    for name in (*arguments, *CALLBACKS.split()):
        found = vars(cls).get(name)
        if isinstance(found, Hint):
            setattr(cls, name, OwnHint(cls, name, found.text))
        elif name in arguments and not hasattr(cls, name):
            text = f"it is given when it is made, as in {cls.__name__}(..., {name}=...), and stays as it was then"
            setattr(cls, name, OwnHint(cls, name, text))


def tell_from_classes(where: str, *events: type) -> None:
    """Say what was meant where an event is compared with a class of events, as in `case netcode.Joined:`."""
    for event in events:
        equal: Any = event.__eq__
        setattr(event, "__eq__", _never_a_class(where, equal, events))  # noqa: B010 - as above


def _never_a_class(
    where: str, equal: Callable[[Any, object], bool], events: tuple[type, ...]
) -> Callable[[Any, object], bool]:
    def same(self: Any, other: object) -> bool:
        if isinstance(other, type) and other in events:
            name, parts = f"{where}.{other.__name__}", ", ".join(getattr(other, "__match_args__", ()))
            raise TypeError(
                f"an event is never equal to a class: write `case {name}({parts}):` or `isinstance(event, {name})`"
            )
        return equal(self, other)

    return same


def tell_from_names(where: str, kind: type[Enum]) -> None:
    """Say what was meant where a member of `kind` is compared with its own name or value, as in `state == "connected"`."""
    texts = {one.name: one.name for one in kind}

    def same(self: Any, other: object) -> bool:
        if isinstance(other, str) and other.upper() in texts:
            raise TypeError(
                f"a {kind.__name__} is never equal to a str: write `{where}.{texts[other.upper()]}`, not {other!r}"
            )
        return True if self is other else NotImplemented  # a Reason has its own to say

    setattr(kind, "__eq__", same)  # noqa: B010 - as above
    # Not that of its name: where both are keys of a dict they must not meet.
    setattr(kind, "__hash__", object.__hash__)  # noqa: B010


def _hints_of(cls: type) -> set[str]:
    return {name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, Hint)}


def _dir_without_hints(self: object) -> list[str]:
    hints = _hints_of(type(self))
    return [name for name in object.__dir__(self) if name not in hints]


hint_package(sys.modules["netcode"], ("agones", "metrics", "pygame", "testing", "turns"))
