"""Calls that cannot be: what was probably meant by their arguments."""

import functools
import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

from netcode.diagnostics.vocabulary import CLOSE, INSTEAD, MEANT, NO_KEYWORDS, ONLY

P = ParamSpec("P")
R = TypeVar("R")


def unexpected(owner: str, name: str, known: Iterable[str]) -> str:
    """Return what to say of a keyword argument that `owner` does not take."""
    import difflib

    names = {*known}
    meant = [target for target, other in MEANT if other == name.lower() and target in names]
    text = f"{owner}() got an unexpected keyword argument {name!r}"
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
    function = inspect.unwrap(function)
    assert isinstance(function, FunctionType)
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return tuple(name for name in names if name != "self")


def explains_keywords(owner: str, also: Iterable[str] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function say which argument was probably meant, before it asks for one that is missing.

    Args:
        also: what it takes as `**` something.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        known = frozenset({*keywords_of(function), *also})

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name not in known:
                    raise TypeError(unexpected(owner, name, known))
            return function(*args, **kwargs)

        return checked

    return wrap


def explain_close(*classes: type) -> None:
    """Have a `close()` that is given a goodbye say who takes that."""
    for cls in classes:
        setattr(cls, "close", _without_words(vars(cls)["close"]))  # noqa: B010 - where a checker saw it, it would lose the signature


def _without_words(close: Callable[[Any], None]) -> Callable[..., None]:
    @functools.wraps(close)
    def checked(self: Any, *words: Any, **named: Any) -> None:
        if words or named:
            word = [*words, *named.values()][0]
            owner = close.__qualname__.partition(".")[0]
            raise TypeError(f"{owner}.close() takes no words: close_nicely({word!r:.100}) says them, and then ends")
        close(self)

    return checked
