"""Calls that cannot be: what was probably meant by their arguments."""

import functools
import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

from netcode.diagnostics.vocabulary import CLOSE, EXAMPLES, INSTEAD, MEANT, NO_KEYWORDS, ONLY

P = ParamSpec("P")
R = TypeVar("R")

_NOTHING: Any = object()
"""Stands for an argument that was not given."""


def unexpected(owner: str, name: str, known: Iterable[str]) -> str:
    """Return what to say of a keyword argument that `owner` does not take."""
    import difflib

    names = {*known}
    meant = [target for target, other in MEANT if other == name.lower() and target in names]
    text = f"{owner}() got an unexpected keyword argument {name!r:.100}"
    for other, theirs in ONLY.items():
        if owner in ONLY and other != owner and name in theirs.split():
            return f"{text}: {name} is an argument of {other}"
    for others, instead in INSTEAD.get(owner, {}).items():
        if name in others.split():
            return f"{text}: {instead}"
    for others, instead in NO_KEYWORDS.items():
        if owner in ONLY and name in others.split():
            return f"{text}: {instead}"
    meant = meant or difflib.get_close_matches(name, names, 1, CLOSE)
    return f"{text}; did you mean {meant[0]}?" if meant else text


def keywords_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the arguments that `function` takes."""
    code = _plain(function).__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return tuple(name for name in names if name != "self")


def explains_arguments(
    owner: str, also: Iterable[str] = (), check: Callable[[Any], None] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function say which argument was probably meant, and how it is called where one is missing or too many.

    Args:
        also: what it takes as `**` something.
        check: raises for a first argument that cannot be, which is told before what is missing behind it.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        known = frozenset({*keywords_of(function), *also})
        places, needed = _places_of(function)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name not in known:
                    raise TypeError(unexpected(owner, name, known))
            given = {**kwargs, **dict(zip(places, args, strict=False))}
            missing = [name for name in needed if name not in given]
            if missing and check is not None and needed[0] in given:
                check(given[needed[0]])
            if missing:
                raise TypeError(_missing(owner, needed, missing))
            if len(args) > len(places):
                raise TypeError(_too_many(owner, places, args[len(places)]))
            return function(*args, **kwargs)

        return checked

    return wrap


def explain_update(*classes: type) -> None:
    """Have `update()` say that it tells the time by itself, where it is given what passed, and that a class is none."""
    for cls in classes:
        setattr(cls, "update", _without_time(vars(cls)["update"]))  # noqa: B010 - where a checker saw it, it would lose the signature


def explain_close(*classes: type) -> None:
    """Have a `close()` that is given a goodbye say who takes that."""
    for cls in classes:
        setattr(cls, "close", _without_words(vars(cls)["close"]))  # noqa: B010 - as above


def _without_time(update: Callable[[Any], R]) -> Callable[..., R]:
    owner = update.__qualname__.partition(".")[0]

    @functools.wraps(update)
    def checked(self: Any = _NOTHING, dt: Any = _NOTHING) -> R:  # by default, because `*` costs each call more
        if dt is not _NOTHING:
            raise TypeError(f"{owner}.update() takes no time, it has a clock of its own: leave out {dt!r:.100}")
        if self is _NOTHING:
            raise TypeError(f"{owner} is a class: make one, keep it, and call update() on that")
        return update(self)

    return checked


def _without_words(close: Callable[[Any], None]) -> Callable[..., None]:
    @functools.wraps(close)
    def checked(self: Any, *words: Any, **named: Any) -> None:
        if words or named:
            word = [*words, *named.values()][0]
            owner = close.__qualname__.partition(".")[0]
            raise TypeError(f"{owner}.close() takes no words: close_nicely({word!r:.100}) says them, and then ends")
        close(self)

    return checked


def _missing(owner: str, needed: tuple[str, ...], missing: list[str]) -> str:
    example = f", as in {EXAMPLES[owner]}" if owner in EXAMPLES else ""
    return f"{owner}() needs {' and '.join(needed)}{example}: there is no {' and no '.join(missing)}"


def _too_many(owner: str, places: tuple[str, ...], value: object) -> str:
    places = tuple(name for name in places if name != "self")
    if not places:
        return f"{owner}() takes arguments by name alone: write name=value for {value!r:.100}"
    return f"{owner}() takes {' and '.join(places)} by place, and others by name: write name=value for {value!r:.100}"


def _places_of(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what `function` takes by place, and what of that it cannot do without, `self` apart."""
    plain = _plain(function)
    places = plain.__code__.co_varnames[: plain.__code__.co_argcount]
    needed = places[: len(places) - len(plain.__defaults__ or ())]
    return places, tuple(name for name in needed if name != "self")


def _plain(function: Callable[..., Any]) -> FunctionType:
    function = inspect.unwrap(function)
    assert isinstance(function, FunctionType)
    return function
