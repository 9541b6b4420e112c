"""What the kit reads from a class of rules when it is defined, and everything that it says at once if it is wrong."""

import abc
import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from netcode.turns.errors import RulesError, Unfit
from netcode.turns.language.class_checks import (
    check_assignments,
    check_makers,
    check_names,
    check_settings,
    plain_function,
)
from netcode.turns.language.domains import Domain, Fixed, Open, domain_of_type, make_domain, shape_of_argument
from netcode.turns.language.marks import Field, Mark, annotations_of_rule, read_fields
from netcode.turns.language.places import Place, read_places
from netcode.turns.language.seating import Seating, seating_of
from netcode.turns.language.sources import can_refuse, demands, fingerprint, only_looks
from netcode.turns.values import Shape, made_of, pack, plain, plain_all, shape_of

RESERVED_ARGUMENTS = ("undo", "at", "self", "rule")

OPTIONS_OF_MOVE = {"undo": "undo=True", "at": 'at="cells[cell]"'}
"""What `@move` takes beside domains, and how that is written."""

PLACES_KEPT = 1024
"""Plays of one move of which it is remembered where they go: the same few are legal again and again."""

_DATACLASS_FIELD: Any = dataclasses.Field
_EMPTY = inspect.Parameter.empty


@dataclass(slots=True)
class MoveRule:
    """A move as the table needs it: what it runs, and the domain of each argument in order."""

    name: str
    rule: Any
    domains: dict[str, Domain]
    shapes: dict[str, Shape | None]
    undo: bool
    refuses: bool
    """Whether anything in reach of its source can refuse; if not, what its domains list is legal."""
    demands: int = 0
    """After so many calls of `require` it refuses no more; 0 where that cannot be told."""
    only_looks: bool = False
    """Whether it changes nothing until then."""
    defaults: dict[str, Any] = field(default_factory=dict[str, Any])
    """What arguments are that nobody gives, as plain wire data."""
    places: tuple[Place, ...] = ()
    """Where on the board it goes; several where it is said by several clicks, as from one square to another."""
    free: bool = field(init=False)
    """Whether an argument of it is free, so that it cannot be listed."""

    _known: Callable[..., list[list[Any]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.free = any(isinstance(domain, Open) for domain in self.domains.values())
        self._known = lru_cache(PLACES_KEPT, typed=True)(self._places_of)

    def completed(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments that somebody gave with those that have a default, as calling the move on its class does."""
        given: Any = arguments  # of strangers: anything
        if not self.defaults or not isinstance(given, Mapping) or len(arguments) == len(self.domains):
            return arguments
        return {**{name: value for name, value in self.defaults.items() if name not in arguments}, **arguments}

    def places_of(self, mover: int, arguments: Mapping[str, Any]) -> list[list[Any]]:
        """Return where a play goes; nowhere, where the move does not say it. Never write to it.

        Args:
            mover: whose play it is.
            arguments: all of them, in order, as plain wire data.
        """
        try:
            return self._known(mover, *arguments.values())
        except TypeError:  # a collection has no hash
            return self._places_of(mover, *arguments.values())

    def _places_of(self, mover: int, *values: Any) -> list[list[Any]]:
        arguments = dict(zip(self.domains, values, strict=True))
        places = [place.of(mover, arguments) for place in self.places]
        return places if all(places) else []

    def candidates(self, game: Any) -> Iterator[dict[str, Any]]:
        """Yield the arguments that the domains list, as plain wire data, whether or not the rule then refuses them."""
        yield from self._extend(game, [*self.domains.items()], {})

    def _extend(
        self, game: Any, domains: list[tuple[str, Domain]], earlier: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        if not domains:
            yield {name: plain(value) for name, value in earlier.items()}
            return
        (name, domain), *others = domains
        for value in domain.values(game, earlier) or ():
            yield from self._extend(game, others, {**earlier, name: value})


@dataclass
class Definition:
    """What a class of rules is made of."""

    cls: type[Any]
    fields: dict[str, Field] = field(default_factory=dict[str, Field])
    shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])
    defaults: dict[str, Any] = field(default_factory=dict[str, Any])
    moves: dict[str, MoveRule] = field(default_factory=dict[str, MoveRule])
    shown: dict[str, Any] = field(default_factory=dict[str, Any])
    shown_shapes: dict[str, Shape | None] = field(default_factory=dict[str, "Shape | None"])
    """How a value that is shown is revived by what its method says it returns; None where that is nothing that is stored."""
    options: dict[str, Domain] = field(default_factory=dict[str, Domain])
    chosen: dict[str, Any] = field(default_factory=dict[str, Any])
    """The options as they are if nobody chooses."""
    has_round: bool = False
    fewest: int = 2
    most: int = 2

    def not_for(self, players: int) -> str:
        """Return the sentence for a number of players that the game is not for."""
        low, high = self.fewest, self.most
        numbers = f"{low} to {high} players" if low < high else f"{low} player{'s' if low > 1 else ''}"
        return f"{self.cls.__name__} is for {numbers}, not {players}"

    @cached_property
    def fingerprint(self) -> bytes:
        """A digest of the source of the rules, and of what may be written beside it: what is in fields, and may be chosen."""
        domains = [
            *self.options.values(),
            *(domain for move in self.moves.values() for domain in move.domains.values()),
        ]
        free = [shape_of(domain.free.type, "an argument") for domain in domains if isinstance(domain, Open)]
        lists = [pack(plain_all(domain.values(None, {}))) for domain in domains if isinstance(domain, Fixed)]
        return fingerprint(self.cls, [made_of([*self.shapes.values(), *free]).encode(), *lists])

    @cached_property
    def seating(self) -> Seating:
        """What the source of the rules says of seats."""
        return seating_of(self.cls)

    @cached_property
    def all_open(self) -> bool:
        """Tell whether everybody sees everything there is."""
        return not self.unseen_fields and not self.shown

    @cached_property
    def has_places(self) -> bool:
        """Tell whether a move says where on the board it goes."""
        return any(move.places for move in self.moves.values())

    @cached_property
    def open_fields(self) -> tuple[str, ...]:
        """The fields that everybody sees as they are."""
        return tuple(name for name, one in self.fields.items() if one.mark is Mark.OPEN)

    @cached_property
    def unseen_fields(self) -> tuple[str, ...]:
        """The fields of which somebody does not see everything."""
        return tuple(name for name, one in self.fields.items() if one.mark is not Mark.OPEN)

    @cached_property
    def masked_fields(self) -> tuple[str, ...]:
        """The fields that seats see differently."""
        hidden = (Mark.HIDDEN, Mark.OWNED, Mark.OTHERS)
        return tuple(name for name, one in self.fields.items() if one.mark in hidden)


def definition_of(game: Any) -> Definition:
    """Return what a class of rules, or a game of it, is made of."""
    definition: Definition = game._definition
    return definition


def check_game(game: Any, call: str) -> None:
    """Raise `TypeError` for what is no class of rules, as which `call` was given it."""
    if not isinstance(game, type) or not hasattr(game, "seats"):
        raise TypeError(f"a game is a class, not {game!r:.100}; give the class itself, as in {call}(TicTacToe)")
    if not hasattr(game, "_definition"):
        raise TypeError(
            f"{game.__name__} has no rules; give a class of yours that builds on it, as in {call}(TicTacToe)"
        )


def define(cls: type[Any], root: type[Any], move: type[Any], shown: type[Any]) -> Definition:
    """Read a class of rules. Raises `RulesError` for everything that can be told from the class alone."""
    definition = Definition(cls)
    definition.fields = read_fields(cls, root)
    check_names(cls, root, definition.fields, move=move, shown=shown, own=Definition)
    definition.fewest, definition.most = check_settings(cls)
    check_makers(cls, root)
    for name, one in definition.fields.items():
        definition.shapes[name] = shape_of(one.type, f"{cls.__name__}.{name}")
        if hasattr(cls, name):
            definition.defaults[name] = _default(cls, name)
    for name, member in _members(cls, root).items():
        if isinstance(member, move):
            definition.moves[name] = _read_move(cls, root, name, member)
        elif isinstance(member, shown):
            _check_shown(cls, name, member.rule)
            definition.shown[name] = member.rule
            returned = annotations_of_rule(member.rule, cls, root, ()).get("return", _EMPTY)
            definition.shown_shapes[name] = shape_of_argument(returned)
    shown_to_players = [name for name, one in definition.fields.items() if one.mark is not Mark.PRIVATE]
    for name, rule in definition.moves.items():
        at = getattr(cls, name).at
        rule.places = read_places(at, f"{cls.__name__}.{name}", [*shown_to_players, *definition.shown], rule.domains)
    _read_options(cls, root, definition)
    definition.has_round = callable(getattr(cls, "round", None))
    if not definition.moves and not definition.has_round and abc.ABC not in cls.__bases__:
        raise RulesError(
            f"{cls.__name__} has neither a move nor a round(), so nobody can do anything; write "
            "`@move(cell=range(9))` above `def mark(self, cell): …`; or, for what other games build on, "
            f"`class {cls.__name__}(Game, ABC): …`"
        )
    check_assignments(cls, root, definition.fields)
    return definition


def _check_shown(cls: type[Any], name: str, rule: Any) -> None:
    where = f"{cls.__name__}.{name}"
    if inspect.iscoroutinefunction(rule) or inspect.isgeneratorfunction(rule):
        raise RulesError(
            f"{where} is a plain function, `def {name}(self, seat): …`, without `async` or `yield`; it returns what is shown"
        )
    try:
        inspect.signature(rule).bind("self", "seat")
    except TypeError as error:
        raise RulesError(f"{where} is shown to each seat, and asked which: `def {name}(self, seat): …`") from error


def _check_option(where: str, name: str, domain: Domain, default: Any) -> None:
    """Raise `RulesError` for an option that nobody could choose, or whose default is none of its values."""
    try:
        domain.read(None, {}, plain(default), name)
    except RulesError as error:
        raise RulesError(
            f"{where} is chosen before there is a game that could list anything; write what it may be: "
            f"`@options({name}=range(3, 8))` ({error})"
        ) from error
    except (Unfit, TypeError) as error:
        raise RulesError(f"{where} is {default!r} if nobody chooses, and {error}") from error


def _default(cls: type[Any], name: str) -> Any:
    """Return the default of a field. Raises `RulesError` for what would be one in a dataclass."""
    default = getattr(cls, name)
    if isinstance(default, _DATACLASS_FIELD):
        raise RulesError(
            f"{cls.__name__}.{name}: `field(…)` is for dataclasses; write the default itself, such as `{name}: … = []`, "
            "of which each table gets a copy of its own"
        )
    return default


def _members(cls: type[Any], root: type[Any]) -> dict[str, Any]:
    """Return what the class and its bases define, without the kit's own."""
    members: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base not in root.__mro__:
            members.update(vars(base))
    return members


def _parameters(cls: type[Any], name: str, rule: Any) -> list[inspect.Parameter]:
    parameters = [*inspect.signature(rule).parameters.values()]
    where = f"{cls.__name__}.{name}"
    if not parameters:
        raise RulesError(f"{where} is a method: write `def {name}(self): …`")
    for parameter in parameters[1:]:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise RulesError(f"{where}: {parameter} is no single argument; name each one: `def {name}(self, card): …`")
    if inspect.iscoroutinefunction(rule) or inspect.isgeneratorfunction(rule):
        raise RulesError(plain_function(where, name))
    return parameters[1:]


def _read_move(cls: type[Any], root: type[Any], name: str, member: Any) -> MoveRule:
    where = f"{cls.__name__}.{name}"
    parameters = _parameters(cls, name, member.rule)
    names = [parameter.name for parameter in parameters]
    for given in member.given:
        if given not in names:
            has = f"its arguments are {', '.join(names)}" if names else "it has no arguments"
            raise RulesError(
                f"{where} has no argument {given}, for which there is a domain; {has}: `def {name}(self, {given}): …`"
            )
    for reserved in RESERVED_ARGUMENTS:
        if reserved in names:
            raise RulesError(
                f"{where}: `{reserved}` cannot be an argument: it is an option of `@move` itself, "
                f"`@move({OPTIONS_OF_MOVE[reserved]})`; call the argument by another word"
                if reserved in OPTIONS_OF_MOVE
                else f"{where}: `{reserved}` cannot be an argument of a move; call it by another word"
            )
    if type(member.undo) is not bool:
        raise RulesError(f"{where}: undo is {member.undo!r}; write `@move(undo=True)`, or leave it out")
    annotations = annotations_of_rule(member.rule, cls, root, [one for one in names if one not in member.given])
    domains: dict[str, Domain] = {}
    shapes: dict[str, Shape | None] = {}
    for position, argument in enumerate(names):
        annotation = annotations.get(argument, _EMPTY)
        shapes[argument] = shape_of_argument(annotation)
        if argument in member.given:
            given, earlier, later = member.given[argument], tuple(names[:position]), tuple(names[position + 1 :])
            domains[argument] = make_domain(cls, name, argument, given, earlier, later=later)
            continue
        domain = None if annotation is _EMPTY else domain_of_type(annotation)
        if domain is None:
            raise RulesError(
                f"{where}: nothing says what {argument} may be; write `@move({argument}=range(9))`, a collection, a method "
                "that lists values, or Free(type, sample, check); a bool, an Enum or a Literal lists itself"
            )
        domains[argument] = domain
    rule = member.rule
    looks = (demands(cls, rule), only_looks(cls, rule))
    return MoveRule(name, rule, domains, shapes, member.undo, can_refuse(cls, rule), *looks, _defaults_of(parameters))


def _defaults_of(parameters: list[inspect.Parameter]) -> dict[str, Any]:
    """Return the defaults of the arguments of a move as plain wire data; those that can be said."""
    defaults: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.default is not _EMPTY:
            with suppress(TypeError):
                defaults[parameter.name] = plain(parameter.default)
    return defaults


def _read_options(cls: type[Any], root: type[Any], definition: Definition) -> None:
    given: dict[str, Any] = getattr(cls.setup, "turns_options", {})
    where = f"{cls.__name__}.setup"
    parameters = _parameters(cls, "setup", cls.setup)
    names = [parameter.name for parameter in parameters]
    for name in given:
        if name not in names:
            raise RulesError(
                f"{where} has no argument {name}, for which there is an option; write `def setup(self, {name}=…)`"
            )
    annotations = annotations_of_rule(cls.setup, cls, root, [one for one in names if one not in given])
    for parameter in parameters:
        name = parameter.name
        if name in ("clock", "players"):
            raise RulesError(f"{where}: every table has the option {name}; call yours by another word")
        if parameter.default is _EMPTY:
            raise RulesError(f"{where}: the option {name} needs a default: `def setup(self, {name}=…)`")
        domain = domain_of_type(annotations.get(name, _EMPTY))
        if name in given:
            domain = make_domain(cls, "setup", name, given[name], ())
        if domain is None:
            raise RulesError(f"{where}: nothing says what {name} may be; write `@options({name}=range(3, 8))` above it")
        _check_option(f"{where}: the option {name}", name, domain, parameter.default)
        definition.options[name] = domain
        definition.chosen[name] = parameter.default
