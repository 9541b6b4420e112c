"""What an argument may be: a range or collection, a method that lists values, a free type, or what its type lists."""

import enum
import inspect
import random
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass
from itertools import islice
from typing import Any, Generic, Literal, TypeVar, Union

from netcode.turns.errors import BUGS, Enough, RulesError, Suspended, Unfit
from netcode.turns.language.marks import named
from netcode.turns.language.sources import function_of
from netcode.turns.values import NATIVE, Shape, check_bounds, check_numbers, ordered, pack, plain, same, shape_of

T = TypeVar("T")
_SETS: tuple[Any, ...] = (set, frozenset)
MAX_LISTED = 1_000_000
"""Values that a domain lists at most."""


@dataclass(frozen=True, slots=True)
class Free(Generic[T]):
    """A domain that is too large to be listed, like all the ways to hide a fleet.

    Args:
        type: what a stranger's data is converted to, within bounds: any type that a field may have.
        sample: draws one that is right, for bots and `check`.
        check: says what is wrong with a value, or None.
    """

    type: type[T]
    sample: Callable[[random.Random], T]
    check: Callable[[T], str | None]

    def convert(self, data: Any, where: str) -> T:
        """Return what a stranger's plain wire data says, or raise `Unfit` with a sentence for them."""
        try:
            check_bounds(data)
            check_numbers(data)  # nan is neither below nor above what a check compares it with
            value: T = shape_of(self.type, where).convert(data, where)
        except RecursionError as error:  # pragma: no cover - the bound on depth comes first
            raise Unfit(f"{where} nests too deep") from error
        wrong: Any
        try:
            wrong = self.check(value)
        except (Enough, Suspended) as error:
            raise RulesError(
                "the check of a Free draws, asks or ends the game; it only looks at the value: do that in the rule that "
                "gets it"
            ) from error
        if wrong is not None and not isinstance(wrong, str):
            raise RulesError(
                f"the check of a Free returned {wrong!r}; it says in a text what is wrong, or returns None"
            )
        if wrong:
            raise Unfit(wrong)
        return value


_FREE: Any = Free
_ITERABLE: Any = Iterable
_ITERATOR: Any = Iterator


def listed(values: Iterable[Any], where: str) -> tuple[Any, ...]:
    """Return the values of a domain in an order that does not depend on the process: sets are sorted.

    Raises `RulesError` for what lists more than anybody could choose from: it may never come to an end.
    """
    kind: Any = values.__class__
    if kind is list or kind is tuple:
        return tuple(values)
    if kind is not range and isinstance(values, _SETS):
        return tuple(sorted(values, key=lambda value: pack(plain(value))))
    found = tuple(islice(values, MAX_LISTED + 1))
    if len(found) > MAX_LISTED:
        raise RulesError(
            f"{where} lists more than {MAX_LISTED:,} values; does it come to an end? "
            "What is too much to be listed is Free(type, sample, check)"
        )
    return found


def pick(values: tuple[Any, ...], data: Any) -> Any:
    """Return the very value of a domain that plain wire data says, or raise `Unfit`. `True` is not `1`."""
    kind: Any = data.__class__
    simple = kind is int or kind is str
    for value in values:
        if simple and value.__class__ is kind:  # first: an `__eq__` of the rules may bear nothing but its own class
            if value == data:
                return value
        elif same(plain(value), data):
            return value
    meant = ordered(data)
    for value in values:
        said = ordered(plain(value))
        if same(said, meant) or same(_whole(said), meant) or (isinstance(value, enum.Flag) and same(value.value, data)):
            return value
    some = ", ".join(str(plain(value)) for value in values[:12])
    raise Unfit(f"must be one of {some}{', …' if len(values) > 12 else ''}" if values else "has nothing to choose from")


def _whole(data: Any) -> Any:
    """Return plain wire data with 1 for 1.0: languages that know one kind of number, such as JavaScript, say it so."""
    match data:
        case float():
            return int(data) if data.is_integer() else data
        case list():
            return [_whole(item) for item in data]  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return {key: _whole(value) for key, value in data.items()}  # pyright: ignore[reportUnknownVariableType]
        case _:
            return data


class Domain:
    """The values that one argument of a move may have, given the arguments before it."""

    def values(self, game: Any, earlier: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the values in their order; None if they are free."""
        raise NotImplementedError

    def _whole(self, game: Any, earlier: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the values that are read, which may hold one twice."""
        return self.values(game, earlier) or ()

    def read(self, game: Any, earlier: Mapping[str, Any], data: Any, where: str) -> Any:
        """Return the value that plain wire data says, or raise `Unfit` with a sentence for the stranger."""
        try:
            return pick(self._whole(game, earlier), data)
        except Unfit as error:
            raise Unfit(f"{where} {error}") from None


class Fixed(Domain):
    """The same values always."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self._values = values
        self._writable = not all(map(lasts, values))

    def values(self, game: Any, earlier: Mapping[str, Any]) -> tuple[Any, ...]:
        return deepcopy(self._values) if self._writable else self._values  # a rule may write to what it is given


def lasts(value: Any) -> bool:
    """Tell whether nobody can write to a value."""
    if isinstance(value, tuple | frozenset):
        return all(map(lasts, value))  # pyright: ignore[reportUnknownArgumentType]
    kind: type[Any] = value.__class__
    if kind in NATIVE:
        return True
    if is_dataclass(kind) and getattr(kind, "__dataclass_params__").frozen:  # noqa: B009 - no stub knows it
        return all(lasts(getattr(value, one.name)) for one in fields(kind))
    return isinstance(value, enum.Enum)


class Listed(Domain):
    """What a method of the game lists, found by its name on the class, so that a variant may override it."""

    def __init__(
        self, rule: Callable[..., Iterable[Any]], name: str | None, takes: tuple[str, ...], where: str = "a domain"
    ) -> None:
        self.rule, self.name, self.takes, self.where = rule, name, takes, where

    def values(self, game: Any, earlier: Mapping[str, Any]) -> tuple[Any, ...]:
        return each_once(self._whole(game, earlier), self.where)

    def _whole(self, game: Any, earlier: Mapping[str, Any]) -> tuple[Any, ...]:
        arguments = {name: earlier[name] for name in self.takes}
        try:
            found: Any = getattr(game, self.name)(**arguments) if self.name else self.rule(game, **arguments)
            values = None if found is None else listed(found, self.where)
        except RulesError:
            raise
        except Enough as error:
            raise RulesError(f"{self.where} draws, asks or ends the game; it only lists: let a move do that") from error
        except BUGS as error:
            raise RulesError(f"{self.where} fails: {type(error).__name__}: {error}") from error
        if values is None:
            raise RulesError(f"{self.where} lists nothing that can be chosen from: it returned None; return a list")
        return values


class Open(Domain):
    """Free: converted and checked, never listed."""

    def __init__(self, free: Free[Any]) -> None:
        self.free = free

    def values(self, game: Any, earlier: Mapping[str, Any]) -> None:
        return None

    def read(self, game: Any, earlier: Mapping[str, Any], data: Any, where: str) -> Any:
        return self.free.convert(data, where)


def make_domain(
    cls: type[Any], move: str, argument: str, given: Any, earlier: tuple[str, ...], *, later: tuple[str, ...] = ()
) -> Domain:
    """Make the domain that a decorator was given. Raises `RulesError` where it cannot be one.

    Args:
        cls: the class of the rules.
        move: the name of the rule.
        argument: whose domain it is.
        given: what it was given as.
        earlier: the arguments before that one, on which it may depend.
        later: those after it.
    """
    where = f"{cls.__name__}.{move}: the domain of {argument}"
    written = f"`@{'options' if move == 'setup' else 'move'}({argument}=range(9))`"
    given = listed_by(given) or given
    if given.__class__ is str and callable(getattr(cls, given, None)):
        raise RulesError(
            f"{where} is the text {given!r}, of which it would list the letters; the method is written without quotes: "
            f"`@move({argument}={given})`"
        )
    if isinstance(given, _FREE):
        shape_of(given.type, f"{cls.__name__}.{move}.{argument}")
        return Open(given)
    if isinstance(given, types.FunctionType):
        return _listed_by_function(cls, where, given, argument, earlier, rule=f"def {move}(self, %s): …", later=later)
    if isinstance(given, _ITERABLE) and not isinstance(given, _ITERATOR):
        values = listed(given, where)
        if not values:
            raise RulesError(f"{where} lists nothing; write what it may be: {written}")
        if type(given) is range:  # what is between the ends can be sent where they can; to try a million takes long
            check_sayable((values[0], values[-1]), where)
            return Fixed(values)
        return Fixed(distinct(values, where))
    raise RulesError(f"{where} is {_what_is(given)}, or Free(type, sample, check): {written}")


def _listed_by_function(
    cls: type[Any],
    where: str,
    given: types.FunctionType,
    argument: str,
    earlier: tuple[str, ...],
    *,
    rule: str,
    later: tuple[str, ...],
) -> Domain:
    name = _found_as(cls, given)
    there = inspect.getattr_static(cls, name) if name else given
    function: Any = function_of(there) or given  # a variant's own may take other arguments
    if inspect.iscoroutinefunction(function):
        raise RulesError(f"{where} is listed by a plain function, `def {function.__name__}(self): …`, without `async`")
    parameters = [*inspect.signature(function).parameters.values()]
    if not parameters and not isinstance(there, staticmethod):
        raise RulesError(f"{where} takes no game to look at; write `{_written(function, ())}`")
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    asked = [one for one in parameters[not isinstance(there, staticmethod) :] if one.kind not in several]
    unknown = [one.name for one in asked if one.name not in earlier and one.default is one.empty]
    if unknown:
        if {*unknown} <= {*later}:  # it may depend on them, where they come first
            rest = [one for one in later if one not in unknown]
            instead = rule % ", ".join([*earlier, *unknown, argument, *rest])
        else:
            instead = _written(function, earlier)
        raise RulesError(
            f"{where} asks for {', '.join(unknown)}, and the arguments before {argument} are "
            f"{', '.join(earlier) or 'none'}; write `{instead}`"
        )
    return Listed(function, name, tuple(one.name for one in asked if one.name in earlier), where)


def _found_as(cls: type[Any], given: types.FunctionType) -> str | None:
    """Return the name by which a variant may put another function in its place; None for one that is beside the class.

    A decorator may have called it otherwise than the class does.
    """
    for base in cls.__mro__:
        for name, member in vars(base).items():
            if member is given:
                return name
    return given.__name__ if function_of(inspect.getattr_static(cls, given.__name__, None)) else None


def _what_is(given: Any) -> str:
    """Return what was given for a domain and is none, and what could be."""
    instead = "write a range, a collection, a method that lists values"
    if isinstance(given, type):
        return f"{given.__name__}, and nobody could list all of those; {instead}"  # pyright: ignore[reportUnknownMemberType]
    plainly = ", `def cards(self): …` without a decorator" if hasattr(given, "__get__") or callable(given) else ""
    return f"of type {type(given).__name__}; {instead}{plainly}"


def _written(given: types.FunctionType, earlier: tuple[str, ...]) -> str:
    """Return how a function that lists what may be chosen is written."""
    if given.__name__ == "<lambda>":
        return f"lambda {', '.join(('self', *earlier))}: …"
    return f"def {given.__name__}({', '.join(('self', *earlier))})"


def domain_of_type(annotation: Any) -> Domain | None:
    """Return the domain that an annotation lists by itself: bool, an Enum, a Literal, with None or without."""
    values = values_of_type(annotation)
    return None if values is None else Fixed(values)


def listed_by(given: Any) -> tuple[Any, ...] | None:
    """Return what a type lists that stands where values would; None for one that lists nothing, and for what is none."""
    written = isinstance(given, type | types.UnionType) or typing.get_origin(given) is not None
    return values_of_type(given) if written or named(given) is not given else None


def values_of_type(annotation: Any) -> tuple[Any, ...] | None:
    """Return what a type lists by itself; None for one that lists nothing."""
    annotation = named(annotation)
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = named(annotation.__origin__)
    if annotation is bool:
        return (False, True)
    if annotation is None or annotation is type(None):
        return (None,)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return tuple(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return arguments
    if origin is Union or origin is types.UnionType:
        parts = [values_of_type(argument) for argument in arguments]
        if all(part is not None for part in parts):
            return tuple(value for part in parts if part is not None for value in part)
    return None


def each_once(values: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    """Return values without those that are there again, such as a card of which somebody holds two.

    Raises `RulesError` for values that cannot be told apart once they are sent. Of what cannot be sent it says nothing.
    """
    try:
        kinds = {*map(type, values)}
        if len(kinds) < 2:
            if len({*values}) == len(values):
                return values
            if kinds <= NATIVE:
                return tuple(dict.fromkeys(values))
    except TypeError:  # what can be written to has no hash
        pass
    try:
        return distinct(values, where)
    except RulesError as error:
        if error.__cause__ is None:
            raise
        return values


def check_sayable(values: tuple[Any, ...], where: str) -> None:
    """Raise `RulesError` for values that cannot be sent, or not be told apart once they are."""
    distinct(values, where)


def distinct(values: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    """Return values, each once. Raises `RulesError` as `check_sayable` does."""
    said: dict[bytes, Any] = {}
    for value in values:
        try:
            other = said.setdefault(pack(plain(value)), value)
        except (TypeError, ValueError, OverflowError) as error:
            raise RulesError(
                f"{where} holds what is of type {type(value).__name__}, which cannot be sent: {error}"
            ) from error
        if other is not value and not same(other, value):
            raise RulesError(
                f"{where} holds {other!r} and {value!r}, which are one thing once they are sent: {plain(value)!r}"
            )
    return tuple(said.values())


def shape_of_argument(annotation: Any) -> Shape | None:
    """Return how an argument is revived from plain wire data by its annotation; None where it says nothing."""
    if annotation is inspect.Parameter.empty:
        return None
    try:
        return shape_of(annotation, "argument")
    except RulesError:
        return None
