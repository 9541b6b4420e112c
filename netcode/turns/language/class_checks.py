"""What is said of a class of rules before its moves are read: settings, names that clash, what Python would never call."""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from functools import lru_cache
from inspect import getattr_static
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, get_origin

from netcode.turns.errors import RulesError
from netcode.turns.language.clocks import Clock
from netcode.turns.language.instead import way_of
from netcode.turns.language.marks import ALIASES, Field
from netcode.turns.language.sources import (
    PARTLY,
    assigned,
    changed,
    counts_with,
    deleted,
    function_of,
    mangled,
    requires_text,
    rule_of,
    tree_of,
)

SETTINGS = ("seats", "reveal", "undo", "clock", "absent", "grace")
"""What a class says about itself, by assigning it."""
HOOKS = ("setup", "round", "timeout", "imagine")
"""What a class may define for the kit to call."""
_TAKES = {"round": ("self",), "timeout": ("self", "seat"), "imagine": ("self", "seat")}
"""With what the kit calls them."""
VERBS = (
    "players", "names", "mover", "to_move", "alive", "after", "random", "result",
    "require", "turn_to", "ask", "ask_all", "ask_any", "out", "finish", "tell", "options",
)  # fmt: skip
"""What the kit gives to rules."""
INSIDE = ("_kit", "_definition")
"""What the kit keeps for itself."""
_COPIES = {
    "alive": way_of("alive"),
    "names": "what players are called, they say themselves",
    "options": "what changes during a game is a field: annotate one in the class, and let setup() set it",
}
"""What is handed to rules as a copy, and what to do instead of changing that."""
_MAKERS = ("__init__", "__new__", "__post_init__")
"""What Python calls to make a thing; tables are copied and filled in without any of them."""
_OF_PYTHON = ("_abc_impl", "_is_protocol", "_is_runtime_protocol")
"""What `abc` and `typing` keep in a class that is abstract or generic."""
_WHAT = {"move": "a move", "shown": "shown"}
"""What a method is that is decorated by one of these words."""
_TUPLE: Any = tuple
_CHANGES: Any = (list, dict, set)
"""What changes; equal constants of other types may be one and the same."""
_CACHE: Any = type(lru_cache(len))
"""What `functools.cache` and `functools.lru_cache` make."""


def check_settings(cls: type[Any]) -> tuple[int, int]:
    """Return for how few and how many players a class is. Raises `RulesError` for a setting that is none."""
    where = cls.__name__
    seats: tuple[int, int] = cls.seats
    fine = isinstance(seats, _TUPLE) and len(seats) == 2 and all(type(count) is int for count in seats)
    if not fine or not 1 <= seats[0] <= seats[1] <= 1000:
        raise RulesError(f"{where}.seats is {seats!r}; write the fewest and the most who can play: `seats = 2, 5`")
    if cls.absent not in ("wait", "forfeit", "out", "bot"):
        raise RulesError(f'{where}.absent is {cls.absent!r}; write `absent = "wait"`, "forfeit", "out" or "bot"')
    if cls.clock is not None and not isinstance(cls.clock, Clock):
        raise RulesError(f"{where}.clock is {cls.clock!r}; write `clock = Clock(minutes=5, increment=3)`")
    if type(cls.grace) not in (int, float) or not cls.grace >= 0:
        raise RulesError(f"{where}.grace is {cls.grace!r}; write seconds: `grace = 60`")
    for name in ("reveal", "undo"):
        if type(getattr(cls, name)) is not bool:
            raise RulesError(f"{where}.{name} is {getattr(cls, name)!r}; write `{name} = False` or `{name} = True`")
    return seats


def check_names(
    cls: type[Any], root: type[Any], fields: dict[str, Field], *, move: type[Any], shown: type[Any], own: type[Any]
) -> None:
    """Raise `RulesError` for a name that is the kit's, for what has lost its decorator, and for a field without annotation.

    Args:
        cls: of rules.
        root: up to which its bases are looked at.
        fields: of the class.
        move: what `@move` makes.
        shown: what `@shown` makes.
        own: what the kit itself leaves in a class.
    """
    taken = {*SETTINGS, *HOOKS, *VERBS, *INSIDE}
    for name in fields:
        if name in taken:
            raise RulesError(_clash(cls, name, "field"))
    decorated = dict[str, str]()
    bases = [base for base in reversed(cls.__mro__) if base not in root.__mro__]
    annotated = {*fields}.union(*map(inspect.get_annotations, bases))
    for base in bases:
        for name, member in vars(base).items():
            if isinstance(member, own):
                continue
            _check_decorators(cls, name, member, decorated, (move, shown))
            _check_options(cls, name, member)
            if name in decorated:
                if name in taken or name in fields:
                    what = "move" if decorated[name] == "move" else "shown value"
                    raise RulesError(
                        _clash(cls, name, what)
                        if name in taken
                        else f"{cls.__name__}.{name} cannot be a {what}, since a field has that name; call one of them by another word"
                    )
                _check_domains(cls, name, member, fields)
            elif name in VERBS or name in INSIDE:
                raise RulesError(_clash(cls, name, "method" if function_of(member) else "field"))
            elif name in HOOKS:
                _check_hook(cls, name, member)
            elif name == "upgrade":
                _check_upgrade(cls, member)
            elif not _is_plain(name, member) and name not in annotated:
                _refuse_unannotated(cls, name, member)


def _check_options(cls: type[Any], name: str, member: Any) -> None:
    """Raise `RulesError` for options of anything but `setup`, or what is behind that: nobody could choose them."""
    given = [] if name == "setup" else [*_options_below(name, member)]
    if not given:
        return
    setups = [vars(base)["setup"] for base in cls.__mro__ if "setup" in vars(base)]
    chosen = {id(one) for setup in setups for one in _options_below("setup", setup)}
    if not chosen.issuperset(map(id, given)):
        raise RulesError(
            f"{cls.__name__}.{name} has `@options`, which says what the founder of a table may choose; write it above "
            f"`def setup(self, size=3): …`, and what an argument of a move may be in `@move(…)`"
        )


def _options_below(name: str, member: Any) -> Iterator[Any]:
    """Yield what is given as options below the decorators of a member; `functools.wraps` hands it on as it is."""
    for one in _below(name, member):
        if "turns_options" in getattr(one, "__dict__", {}):
            yield one.__dict__["turns_options"]


def _check_domains(cls: type[Any], name: str, member: Any, fields: dict[str, Field]) -> None:
    """Raise `RulesError` for a domain that is what a field is at first: it would stay that, whatever becomes of the field.

    A constant may be both; a domain that is written as the field is meant to be what that is now.
    """
    given: Mapping[str, Any] = getattr(member, "given", {})
    for argument, domain in given.items():
        if isinstance(domain, str) and domain in fields:
            raise RulesError(
                f"{cls.__name__}.{name}: the domain of {argument} is the text {domain!r}, of which it would list the letters; let "
                f"a method list what is there: `def listed(self): return self.{domain}`, and `@move({argument}=listed)`"
            )
    if not any(isinstance(domain, _CHANGES) for domain in given.values()):
        return
    for argument, field in _written_domains(member):
        domain = given.get(argument)
        if field in fields and isinstance(domain, _CHANGES) and getattr_static(cls, field, None) is domain:
            raise RulesError(
                f"{cls.__name__}.{name}: the domain of {argument} is what {field} is at first, and would stay so; let a "
                f"method list what is there: `def listed(self): return self.{field}`, and `@move({argument}=listed)`"
            )


def _written_domains(member: Any) -> Iterator[tuple[str, str]]:
    """Yield the arguments of a move whose domain is written as a name that only its class has, and that name."""
    function = function_of(member)
    tree = None if function is None else tree_of(function)
    for decorator in () if tree is None else tree.decorator_list:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            match keyword:
                case ast.keyword(str(argument), ast.Name(written)) if written not in getattr(
                    function, "__globals__", {}
                ):
                    yield argument, written
                case _:
                    pass


def _check_decorators(
    cls: type[Any], name: str, member: Any, decorated: dict[str, str], kinds: tuple[type[Any], type[Any]]
) -> None:
    """Note whether a member is decorated, and raise `RulesError` for one that has lost it."""
    word = _decorator_of(member, kinds)
    if word is not None:
        decorated[name] = word
    elif name in decorated and function_of(member):
        raise RulesError(
            f"{cls.__name__}.{name} is {_WHAT[decorated[name]]} in a base; write `@{decorated[name]}` above it here, too"
        )
    for one in _below(name, member) if word is None else ():
        if (hidden := _decorator_of(one, kinds)) is not None and one.name == name:
            raise RulesError(
                f"{cls.__name__}.{name} has another decorator above `@{hidden}`, which hides it; let `@{hidden}` be the uppermost"
            )


def _below(name: str, member: Any) -> Iterator[Any]:
    """Yield what is below the decorators of a member: those of Python's, of `functools`, and functions that hold it."""
    held, seen = [member], set[int]()
    while held:
        current = held.pop()
        if id(current) not in seen:
            seen.add(id(current))
            held += [_inside(current)]
            held += _closed_over(current) if inspect.isfunction(current) and _is_wrapper(name, current) else ()
            yield current


def _is_wrapper(name: str, function: FunctionType) -> bool:
    """Tell whether a function may be what a decorator made: what a method itself closes over is what it uses."""
    code = function.__code__
    return code.co_name != name and code.co_qualname.endswith(f"<locals>.{code.co_name}")


def _closed_over(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # what is yet to be defined, below the class
            yield cell.cell_contents


def _inside(member: Any) -> Any:
    if isinstance(member, property):
        return member.fget
    if isinstance(member, staticmethod | classmethod):
        return member.__func__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return member.func if isinstance(member, PARTLY) else getattr(member, "__dict__", {}).get("__wrapped__")


def _decorator_of(member: Any, kinds: tuple[type[Any], type[Any]]) -> str | None:
    return next((word for word, kind in zip(_WHAT, kinds, strict=True) if isinstance(member, kind)), None)


def _check_hook(cls: type[Any], name: str, member: Any) -> None:
    function = function_of(member)
    if function is None or isinstance(member, property):
        raise RulesError(_clash(cls, name, "field" if function is None else "property"))
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise RulesError(plain_function(f"{cls.__name__}.{name}", name))
    if name in _TAKES:
        try:
            inspect.signature(function).bind(*_TAKES[name][isinstance(member, staticmethod) :])
        except TypeError as error:
            raise RulesError(
                f"{cls.__name__}.{name} is called by the kit: `def {name}({', '.join(_TAKES[name])}): …`"
            ) from error


def _check_upgrade(cls: type[Any], member: Any) -> None:
    """Raise `RulesError` for what is meant for the kit to call on the class, and needs a game."""
    takes = [*inspect.signature(member).parameters] if inspect.isfunction(member) else []
    if len(takes) == 2 and (takes[0] == "cls" or takes[1] == "old"):
        raise RulesError(
            f"{cls.__name__}.upgrade is called on the class, where there is no game yet; write `@classmethod` above "
            "`def upgrade(cls, old): …`"
        )


def plain_function(where: str, name: str) -> str:
    """Return the sentence for a rule that is none, since nothing in it runs when it is called."""
    return f"{where} is a plain function, `def {name}(self): …`, without `async` or `yield`; it asks with `self.ask(…)`"


def check_makers(cls: type[Any], root: type[Any]) -> None:
    """Raise `RulesError` for a method that Python would call to make a game: nothing is made so."""
    for base in cls.__mro__:
        if base in root.__mro__ or "__dataclass_fields__" in vars(base) or vars(base).get("_is_protocol"):
            continue  # `dataclass` and `Protocol` write such methods themselves
        for name in _MAKERS:
            if name in vars(base):
                raise RulesError(
                    f"{cls.__name__}.{name} is never called; what it does belongs into `def setup(self): …`, "
                    "or into the class: `heap: int = 5`"
                )


def _is_plain(name: str, member: Any) -> bool:
    """Tell whether a member of a class is no state by its nature."""
    if (name.startswith("__") and name.endswith("__")) or name in SETTINGS or name in _OF_PYTHON:
        return True
    if isinstance(member, (TypeVar, ParamSpec, *ALIASES)) or get_origin(member) is not None:
        return True  # a name for a type: `Hand = list[Card]`, `Maybe = int | None`
    return callable(member) or _describes(member, "__get__") or function_of(member) is not None


def _describes(member: object, verb: str) -> bool:
    """Tell whether Python asks a member what it is read as, or has it see to what is assigned; it looks at the type alone."""
    return hasattr(type(member), verb)


def _refuse_unannotated(cls: type[Any], name: str, member: Any) -> None:
    kind = type(member).__name__
    meant = "".join(f" If you mean the setting, it is `{one} = …`." for one in get_close_matches(name, SETTINGS, 1))
    raise RulesError(
        f"{cls.__name__}.{name} has no annotation.{meant} If it changes during a game it is a field: "
        f"`{name}: {kind} = …`; if not: `{name}: ClassVar[{kind}] = …`"
    )


def _clash(cls: type[Any], name: str, what: str) -> str:
    if name in SETTINGS:
        use = f"a setting of the class; it is assigned without an annotation: `{name} = …`"
    elif name in HOOKS:
        use = f"what the kit calls; it is a plain method: `def {name}(self): …`"
    else:
        use = f"the kit's own; call yours `{name.strip('_')}_` or, better, by another word"
    return f"{cls.__name__}.{name} cannot be a {what}: `{name}` is {use}"


def _check_cache(cls: type[Any], name: str, member: Any) -> None:
    """Raise `RulesError` for a method that keeps what it returned: it keeps the game, too, each as it was at one move."""
    behind = member.fget if isinstance(member, property) else rule_of(member)
    if isinstance(behind, _CACHE):
        raise RulesError(
            f"{cls.__name__}.{name} keeps each game that it was called on for ever, and what it returned before that was "
            "changed; let `@cache` be above a function of the module, which takes what it looks at, or leave it out"
        )


def _takes(member: Any) -> bool:
    """Tell whether what is assigned to a member of a class is seen to by it: a property with a setter."""
    return member.fset is not None if isinstance(member, property) else _describes(member, "__set__")


def _check_changes(cls: type[Any], function: Callable[..., Any], fields: dict[str, Field]) -> None:
    """Raise `RulesError` for a method that changes a copy of what the kit has, or takes a field away."""
    for name in changed(function):
        if name in _COPIES:
            raise RulesError(
                f"{cls.__name__}.{function.__name__} changes self.{name}, which is a copy, so that nothing comes of it; "
                f"{_COPIES[name]}"
            )
    for name in deleted(function):
        if name in fields:
            raise RulesError(
                f"{cls.__name__}.{function.__name__} deletes self.{name}, and a field is always there; let it be None "
                f"where there is nothing: `{name}: … | None`"
            )


def check_assignments(cls: type[Any], root: type[Any], fields: dict[str, Field]) -> None:
    """Raise `RulesError` for a method that assigns on `self` what is no field, or takes the kit's words for what they are not."""
    for base in cls.__mro__:
        if base in root.__mro__:
            continue
        for called, member in vars(base).items():
            _check_cache(cls, called, member)
            function = function_of(member)
            if function is None or isinstance(member, staticmethod | classmethod):
                continue
            if requires_text(function):
                raise RulesError(
                    f"{cls.__name__}.{function.__name__}: `require` takes what has to be true, and then the text: "
                    '`self.require(self.cells[cell] is None, "that cell is taken")`'
                )
            if counts_with(function, "players"):
                raise RulesError(
                    f"{cls.__name__}.{function.__name__} takes self.players for a number, and it is the seats, from 0 on: "
                    "`len(self.players)` is how many, and `for seat in self.players` goes through them"
                )
            _check_changes(cls, function, fields)
            for written in assigned(function):
                name = mangled(base, written)
                said, way = f"{cls.__name__}.{function.__name__} assigns self.{written}, which is", way_of(name)
                if name in (*SETTINGS, *VERBS, *HOOKS, *INSIDE):
                    raise RulesError(f"{said} the kit's own; {way}" if way else _clash(cls, name, "field"))
                there = getattr_static(cls, name, None)
                if isinstance(there, property) and not _takes(there):
                    raise RulesError(
                        f"{said} a property without a setter; assign the field that it looks at, or write "
                        f"`@{written}.setter`"
                    )
                if name not in fields and not _takes(there):
                    hint = f"{way}; or, to keep something there, " if way else ""
                    raise RulesError(f"{said} no field; {hint}annotate it in the class: `{written}: int`")
