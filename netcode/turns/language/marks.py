"""The marks on the fields of a game, and how its annotations are read: which field, which mark, which type."""

import importlib
import inspect
import sys
import typing
from abc import ABC
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar

from netcode.turns.errors import RulesError

T = TypeVar("T")
ALIASES: tuple[type[Any], ...] = tuple(kind for kind in (getattr(typing, "TypeAliasType", None),) if kind is not None)
"""What `type X = …` makes, where Python has it."""


class Mark(Enum):
    """Who sees a field."""

    HIDDEN = "Hidden"
    OWNED = "Owned"
    OTHERS = "Others"
    OPEN = "open"
    PRIVATE = "private"


Hidden = Annotated[T, Mark.HIDDEN]
"""Nobody sees it; of a collection everybody sees the size. To a type checker `Hidden[T]` is `T`."""
Owned = Annotated[T, Mark.OWNED]
"""Entry i, of a list or of a dict keyed by seat, is for seat i alone; the others see its size."""
Others = Annotated[T, Mark.OTHERS]
"""Entry i is for everybody at the table but seat i, as the cards in Hanabi are."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a game: its name, who sees it, and its type without the mark."""

    name: str
    mark: Mark
    type: Any


def read_fields(cls: type[Any], root: type[Any]) -> dict[str, Field]:
    """Return the fields that `cls` and its bases, up to `root`, annotate; those of bases come first.

    What type variables stand for is what the class says of its bases, as in `class Dominoes(Tiles[int])`; in an abstract
    class, whose own they are, anything. Raises `RulesError` for two marks on a field, a mark inside a type, and an
    annotation that cannot be evaluated.
    """
    fields: dict[str, Field] = {}
    meant = _meant_in(cls, tuple(Any for _ in getattr(cls, "__parameters__", ())) if ABC in cls.__bases__ else ())
    for base in reversed(cls.__mro__):
        if base is object or base in root.__mro__:
            continue
        hints = annotations_of(base)
        for name, annotation in ((name, hints[name]) for name in inspect.get_annotations(base) if name in hints):
            if typing.get_origin(annotation) is ClassVar or annotation is ClassVar or annotation is TypeAlias:
                fields.pop(name, None)
                continue
            fields[name] = _read(cls, name, filled(annotation, meant[base]))
    return fields


_defined = ContextVar[tuple[type[Any], type[Any]]]("_defined", default=(object, object))
"""A class of rules that is being defined, and up to which its bases count."""


@contextmanager
def defining(game: type[Any], root: type[Any]) -> Generator[None]:
    """Take a class of rules for known while it is defined: its module has it only afterwards."""
    before = _defined.set((game, root))
    try:
        yield
    finally:
        _defined.reset(before)


def annotations_of(cls: type[Any]) -> dict[str, Any]:
    """Return the evaluated annotations of a class and of its bases. Raises `RulesError` for one that cannot be evaluated."""
    try:
        return _hints_of(cls)
    except _NOT_EVALUATED as error:
        raise RulesError(_unknown(cls.__qualname__, error)) from error


def _hints_of(cls: type[Any]) -> dict[str, Any]:
    if not _anew(cls):
        with suppress(NameError):
            return typing.get_type_hints(cls, include_extras=True)
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        hints.update(_hints_beside(base))
    return hints


def _hints_beside(cls: type[Any]) -> dict[str, Any]:
    """Return what a class annotates itself, where its module does not have everything that is named there."""
    # Python 3.12 does not find the T of a `class Box[T]` in quotes, nor behind `from __future__ import annotations`.
    beside = {**_names_around(cls), **_names_in(cls, _defined.get()[1]), **_variables_in(cls)}
    module: dict[str, Any] = getattr(sys.modules.get(cls.__module__), "__dict__", {})
    known = {name: member for name, member in vars(cls).items() if name not in module} | _anew(cls)
    alone = type(cls.__name__, (), {"__annotations__": _written(cls)})
    while True:
        try:
            return typing.get_type_hints(alone, module, known, include_extras=True)
        except NameError as error:
            if error.name in known or error.name not in beside:
                raise
            known[error.name] = beside[error.name]


def _stands_in(inside: Any, cls: type[Any]) -> bool:
    """Tell whether a class or a function is a class, or is defined inside of it."""
    return inside.__module__ == cls.__module__ and f"{inside.__qualname__}.".startswith(f"{cls.__qualname__}.")


def _anew(inside: Any) -> dict[str, Any]:
    """Return the class that is being defined, by its name, for what stands inside of it if its module has one from before.

    That is so where the cell of a notebook runs again.
    """
    game, _ = _defined.get()
    name, nested = game.__name__, vars(game).get(game.__name__)
    before = getattr(sys.modules.get(game.__module__), name, game)
    if before is game or getattr(before, "__qualname__", "") != game.__qualname__ or not _stands_in(inside, game):
        return {}
    return {name: nested if isinstance(nested, type) else game}


def _names_around(inside: type[Any]) -> dict[str, Any]:
    """Return what may be named in what stands inside of the class that is being defined, or of a base of that."""
    game, root = _defined.get()
    around = (base for base in game.__mro__ if base not in root.__mro__ and _stands_in(inside, base))
    return _names_in(next(around, root), root)


def _names_in(cls: type[Any], root: type[Any]) -> dict[str, Any]:
    """Return what may be named in a class that its module need not have: itself, its bases, and what is inside of them."""
    bases = [base for base in reversed(cls.__mro__) if base not in root.__mro__]
    inside = {name: member for base in bases for name, member in vars(base).items()}
    return {**{base.__name__: base for base in bases}, **inside}


def _variables_in(cls: type[Any]) -> dict[str, Any]:
    return {one.__name__: one for base in cls.__mro__ for one in getattr(base, "__type_params__", ())}


def annotations_of_rule(rule: Any, cls: type[Any], root: type[Any], needed: Iterable[str]) -> dict[str, Any]:
    """Return the evaluated annotations of a method of a class of rules; of those that are not `needed`, what can be had.

    A name that is imported for type checkers alone is not there when the game runs. What a module has goes before what
    the class has inside.
    """
    above = {**inspect.unwrap(rule).__globals__, **_anew(rule)}
    inside = _names_in(cls, root)
    found: dict[str, Any] = {}
    for name, annotation in _written(rule).items():
        try:
            try:
                found[name] = _evaluated(annotation, above)
            except NameError:
                found[name] = _evaluated(annotation, {**above, **inside})
        except _NOT_EVALUATED as error:
            if name in needed:
                raise RulesError(_unknown(rule.__qualname__, error)) from error
    return found


def _written(rule: Any) -> dict[str, Any]:
    """Return the annotations of a function as they stand there."""
    try:
        return inspect.get_annotations(rule)
    except NameError:  # pragma: no cover - Python 3.14 evaluates them only now, and says so of those that it can
        library = importlib.import_module("annotationlib")
        written: dict[str, Any] = library.get_annotations(rule, format=library.Format.FORWARDREF)
        return written


def _evaluated(annotation: Any, names: dict[str, Any]) -> Any:
    one = SimpleNamespace(__annotations__={"it": annotation})
    return typing.get_type_hints(one, names, include_extras=True)["it"]


_NOT_EVALUATED = (NameError, TypeError, SyntaxError, AttributeError)


def _unknown(where: str, error: Exception) -> str:
    return (
        f"{where}: an annotation cannot be evaluated: {error}; "
        "what it names must be defined above, in the module or in the class"
    )


def _read(cls: type[Any], name: str, annotation: Any) -> Field:
    where = f"{cls.__name__}.{name}"
    marks: list[Mark] = []
    annotation = named(annotation)
    while typing.get_origin(annotation) is Annotated:
        marks += [extra for extra in annotation.__metadata__ if isinstance(extra, Mark)]
        annotation = named(annotation.__origin__)
    if len(marks) > 1:
        text = " and ".join(mark.value for mark in marks)
        raise RulesError(f"{where} has two marks, {text}; give it one: `{name}: {marks[0].value}[…]`")
    inner = _mark_inside(annotation, set())
    if inner is not None:
        raise RulesError(
            f"{where} has {inner.value} inside its type; a mark is for the whole field: `{name}: {inner.value}[…]`"
        )
    if marks and annotation is T:
        raise RulesError(f"{where} says who sees it, and not of what type it is: `{name}: {marks[0].value}[list[str]]`")
    if name.startswith("_"):
        if marks:
            raise RulesError(f"{where} is private by its underscore, which {marks[0].value} contradicts; drop one")
        return Field(name, Mark.PRIVATE, annotation)
    mark = marks[0] if marks else Mark.OPEN
    if mark in (Mark.OWNED, Mark.OTHERS) and not _has_entries(annotation):
        raise RulesError(
            f"{where} needs an entry for each seat: `{name}: {mark.value}[list[…]]` or `{name}: {mark.value}[dict[int, …]]`"
        )
    return Field(name, mark, annotation)


def named(annotation: Any) -> Any:
    """Return what a `NewType`, a `type X = …` or an `X[int]` of one names, whatever it is; everything else as it is.

    Raises `RulesError` for a `type X = …` that cannot be evaluated.
    """
    while (meant := getattr(annotation, "__supertype__", annotation)) is not annotation or _is_alias(annotation):
        try:
            annotation = annotation.__value__ if _is_alias(annotation) else meant
        except _NOT_EVALUATED as error:
            raise RulesError(_unknown(annotation.__name__, error)) from error
    origin = typing.get_origin(annotation)
    if not _is_alias(origin):
        return annotation
    given = dict(zip(origin.__type_params__, typing.get_args(annotation), strict=False))
    return named(filled(named(origin), given))


def filled(annotation: Any, given: Mapping[Any, Any]) -> Any:
    """Return an annotation with what is given for its type variables."""
    if isinstance(annotation, TypeVar):
        return given.get(annotation, annotation)
    if isinstance(annotation, type):
        return annotation  # pyright: ignore[reportUnknownVariableType]
    variables: tuple[Any, ...] = getattr(annotation, "__parameters__", ())
    if not variables or not all(isinstance(one, TypeVar) for one in variables):
        return annotation
    return annotation[tuple(given.get(one, one) for one in variables)]


def annotations_filled(kind: type[Any], given: tuple[Any, ...]) -> dict[str, Any]:
    """Return the evaluated annotations of a class, with what is given for its type variables, as in `Box[int]`."""
    hints, meant = annotations_of(kind), _meant_in(kind, given)
    for name, annotation in hints.items():
        owner = next((base for base in kind.__mro__ if name in inspect.get_annotations(base)), kind)
        hints[name] = filled(annotation, meant.get(owner, {}))
    return hints


def _meant_in(kind: type[Any], given: tuple[Any, ...]) -> dict[Any, dict[Any, Any]]:
    """Return what the type variables of a class and of its bases stand for, by class."""
    meant = dict[Any, dict[Any, Any]]({base: {} for base in kind.__mro__})
    _find_meant(kind, given, meant)
    return meant


def _find_meant(kind: Any, given: tuple[Any, ...], meant: dict[Any, dict[Any, Any]]) -> None:
    if given:
        meant[kind] = dict(zip(getattr(kind, "__parameters__", ()), given, strict=False))
    said: Any = kind.__bases__
    for base in kind.__dict__.get("__orig_bases__", said):
        origin: Any = typing.get_origin(base) or base
        if origin in meant and origin is not typing.Generic:
            _find_meant(origin, tuple(filled(one, meant[kind]) for one in typing.get_args(base)), meant)


def _is_alias(annotation: Any) -> bool:
    return isinstance(annotation, ALIASES)


def _mark_inside(annotation: Any, seen: set[Any]) -> Mark | None:
    """Return a mark inside a type, or in the fields of a dataclass or a NamedTuple that it holds; `seen` has those known."""
    if _is_alias(annotation):
        if annotation in seen:
            return None
        seen.add(annotation)
    annotation = named(annotation)
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, Mark):
            return extra
    parts = list[Any](typing.get_args(annotation))
    kind = typing.get_origin(annotation) or annotation
    if isinstance(kind, type) and kind not in seen and _is_record(kind):
        seen.add(kind)
        parts += annotations_of(kind).values()
    for part in parts:
        found = _mark_inside(part, seen)
        if found is not None:
            return found
    return None


def _is_record(kind: Any) -> bool:
    return hasattr(kind, "__dataclass_fields__") or hasattr(kind, "_fields")


def _has_entries(annotation: Any) -> bool:
    origin = typing.get_origin(annotation) or annotation
    if origin is dict:
        arguments = typing.get_args(annotation)
        return not arguments or named(arguments[0]) is int
    return origin in (list, tuple)
