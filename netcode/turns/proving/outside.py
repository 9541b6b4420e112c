"""What rules reach for outside of `self`: dice, clocks, files, networks and threads, what all tables share, and the order of sets.

It is read off the source, so it is found also where nothing came of it in the games that were played.
"""

import ast
import builtins
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from inspect import getattr_static
from types import ModuleType
from typing import Any

from netcode.turns.language.definition import definition_of
from netcode.turns.language.domains import Domain, Listed, Open
from netcode.turns.language.sources import first_of, function_of, in_reach, is_a, members_of
from netcode.turns.proving.scopes import names_in
from netcode.turns.proving.watching import is_of_user
from netcode.turns.values import Bag

_AGAIN = "no refusal undoes that, and it happens for every move that is tried; keep in fields what changes, and no more"
_DICE = "it draws otherwise when the rule runs again; draw from `self.random`"
_GIVEN = "it draws otherwise each time; draw from the dice that it is given"
_REASONS = {
    r"(random|numpy\.random)\.(?!Random\.?$).*": _DICE,
    r"(secrets|uuid)\.(?!UUID).*|(os|posix|nt)\.urandom": _DICE,
    r"time\..*|datetime\..*\.(now|utcnow|today)": (
        "it is another time when the rule runs again; how long somebody may think says `clock = Clock(minutes=5)`"
    ),
    r"(io|_io|builtins)\.open|(pathlib|shutil|tempfile|glob|sqlite3)\..*|(os|posix|nt)\.(?!path\.|fspath).*": _AGAIN,
    r"(socket|ssl|urllib|http|requests|subprocess)\..*": _AGAIN,
    r"(threading|_thread|multiprocessing|concurrent|asyncio|signal)\..*": _AGAIN,
    r"builtins\.input": 'nobody sits at the server and types; write `self.ask(self.mover, [True, False], "really?")`',
}
"""By what is called, as a pattern of its whole name, why no rule may."""
_CHANGES = ("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse")
_LIST: Any = list


def uses(cls: type[Any]) -> Iterator[str]:
    """Yield what the rules of a class use that is outside of the game, and what they change there, as sentences."""
    told, given, rules = set[str](), _given(cls), _rules(cls)
    listing = [domain.rule for domain in _domains(cls) if isinstance(domain, Listed) and domain.name is None]
    reached = [*_read(cls, [*rules, *listing, *given])]
    taking = _taking_the_game(cls, [*(rules.keys() - _static(cls)), *listing], dict(reached))
    for function, tree in reached:
        where = rules.get(function, f"{function.__name__}()")
        first = first_of(tree) if function in taking else None
        for line, what, why in _Reader(cls, function, tree, first).found():
            if f"{where} {what}" not in told:
                told.add(f"{where} {what}")
                code, instead = function.__code__, _GIVEN if why == _DICE and function in given else why
                yield f"{where} {what}, at {code.co_filename}:{code.co_firstlineno + line - 1}: {instead}"


def _rules(cls: type[Any]) -> dict[Callable[..., Any], str]:
    """Return the functions of a class, and what each is called; without what runs at a start, or when a class is made."""
    named = ((function, function.__name__) for function in filter(None, map(function_of, members_of(cls))))
    return {
        function: f"{cls.__name__}.{name}" for function, name in named if name not in ("upgrade", "__init_subclass__")
    }


def _given(cls: type[Any]) -> list[Callable[..., Any]]:
    """Return the functions that are given dice, or what is asked for."""
    frees = [domain.free for domain in _domains(cls) if isinstance(domain, Open)]
    return [*filter(None, map(function_of, [one for free in frees for one in (free.sample, free.check)]))]


def _read(
    cls: type[Any], functions: Sequence[Callable[..., Any]]
) -> Iterator[tuple[Callable[..., Any], ast.FunctionDef]]:
    """Yield what is in reach of functions and can be read, but for what Python's own library does."""
    for function, tree in in_reach(cls, functions):
        file = function.__code__.co_filename
        if tree is not None and (is_of_user(file) or file.startswith("<")):  # as at a prompt
            yield function, tree


def _static(cls: type[Any]) -> set[Any]:
    return {function_of(member) for member in members_of(cls) if isinstance(member, staticmethod)}


def _taking_the_game(
    cls: type[Any], known: list[Callable[..., Any]], trees: Mapping[Callable[..., Any], ast.FunctionDef]
) -> set[Callable[..., Any]]:
    """Return which functions have the game, or its class, as their first argument: those, and what they call with theirs."""
    todo, found = [*known], set[Callable[..., Any]]()
    while todo:
        current = todo.pop()
        if current in found or current not in trees:
            continue
        found.add(current)
        for node in ast.walk(trees[current]):
            match node:
                case ast.Call(ast.Name(name), [ast.Name(passed), *_]) if passed == first_of(trees[current]):
                    called = current.__globals__.get(name)
                case ast.Call(ast.Attribute(_, name), [ast.Name(passed), *_]) if passed == first_of(trees[current]):
                    called = getattr_static(cls, name, None)
                case _:
                    continue
            todo += filter(None, [function_of(called)])
    return found


def in_any_order(cls: type[Any]) -> list[str]:
    """Return where the rules of a class take things as they come out of a set, or by hash() or id(); most do no harm."""
    fields = [name for name, shape in definition_of(cls).shapes.items() if isinstance(shape, Bag)]
    places: list[str] = []
    for function, tree in _read(cls, [*filter(None, map(function_of, members_of(cls)))]):
        code = function.__code__
        lines = {*_unordered(tree, {f"{first_of(tree)}.{name}" for name in fields})}
        places += [f"{code.co_filename}:{code.co_firstlineno + line - 1}" for line in sorted(lines)]
    return places


def _unordered(tree: ast.FunctionDef, sets: set[str]) -> Iterator[int]:
    """Yield the lines of a function in which the order of a set, or a number of this process, may decide something.

    `sets` are those that are known from elsewhere, as they are written.
    """
    nodes = [*ast.walk(tree)]
    for node in nodes:
        match node:
            case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(ast.Name(name), _, value) if _is_set(value, sets):
                sets.add(name)
            case _:
                pass
    for node in nodes:
        match node:
            case ast.Call(ast.Name("hash" | "id"), [_]):
                yield node.lineno
            case (
                ast.Call(ast.Name("list" | "tuple" | "iter" | "enumerate"), [one])
                | ast.Call(ast.Attribute(one, "pop"), [])
                | ast.For(_, one)
                | ast.Starred(one)
                | ast.comprehension(_, one)
            ) if _is_set(one, sets):
                yield one.lineno
            case _:
                pass


def _is_set(node: ast.expr | None, sets: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp() | ast.Call(ast.Name("set" | "frozenset")):
            return True
        case ast.BinOp(left, _, right):
            return _is_set(left, sets) or _is_set(right, sets)
        case ast.Name() | ast.Attribute():
            return ast.unparse(node) in sets
        case _:
            return False


def _domains(cls: type[Any]) -> Iterator[Domain]:
    definition = definition_of(cls)
    yield from definition.options.values()
    for move in definition.moves.values():
        yield from move.domains.values()


class _Reader:
    """One function of the rules, and what the names in it mean."""

    def __init__(self, cls: type[Any], function: Callable[..., Any], tree: ast.FunctionDef, first: str | None) -> None:
        self._cls, self._globals, self._first = cls, function.__globals__, first
        self._fields = definition_of(cls).fields
        self._nodes = sorted(ast.walk(tree), key=lambda node: getattr(node, "lineno", 0))
        self._own = names_in(tree, function.__code__.co_freevars)
        self._imported = dict(self._imports())
        self._global = {name for node in self._nodes if isinstance(node, ast.Global) for name in node.names}

    def _imports(self) -> Iterator[tuple[str, str]]:
        for node in self._nodes:
            match node:
                case ast.Import(names):
                    for one in names:
                        bound = one.asname or one.name.partition(".")[0]
                        yield bound, one.name if one.asname else bound
                case ast.ImportFrom(str(module), names):
                    yield from ((one.asname or one.name, f"{module}.{one.name}") for one in names)
                case _:
                    pass

    def found(self) -> Iterator[tuple[int, str, str]]:
        """Yield in which line of the function something is done that no rule may do, what that is, and why not."""
        for node in self._nodes:
            match node:
                case ast.Call(called, arguments, keywords):
                    whole = self._whole(called)
                    for pattern, why in _REASONS.items():
                        if re.fullmatch(pattern, whole) or (whole == "random.Random" and not (arguments or keywords)):
                            yield node.lineno, f"calls {ast.unparse(called)}(…)", why
                            break
                    for changed in self._changed(called, arguments):
                        shared = f"all tables share it, and what they change is not stored: take a copy, `[*{changed}]`"
                        yield node.lineno, f"changes {changed}", shared
                case ast.Name(name, ast.Store() | ast.Del()) if name in self._global - self._own[node]:
                    yield node.lineno, f"assigns the global {name}", _shared(name)
                case ast.Attribute(of, name, ast.Store() | ast.Del()) if self._is_class(of):
                    yield node.lineno, f"assigns {ast.unparse(node)}", _shared(name)
                case _:
                    pass

    def _whole(self, node: ast.expr) -> str:
        """Return the name of what is called with that of its module, `random.choice`; nothing where that is not known."""
        match node:
            case ast.Name(name) if name in self._imported:
                return self._imported[name]
            case ast.Name(name) if name not in self._own[node]:
                found = self._globals.get(name, getattr(builtins, name, None))
                with suppress(Exception):  # of an object that refuses to be looked at
                    if isinstance(found, ModuleType):
                        return found.__name__
                    return f"{getattr(found, '__module__', None)}.{getattr(found, '__qualname__', name)}"
                return ""
            case ast.Attribute(value, name):
                whole = self._whole(value)
                return f"{whole}.{name}" if whole else ""
            case _:
                return ""

    def _changed(self, called: ast.expr, arguments: list[ast.expr]) -> Iterator[str]:
        """Yield the list beside the game that a call changes: `CARDS.pop()`, `self.random.shuffle(CARDS)`."""
        match called:
            case ast.Attribute(_, "shuffle"):
                changed = arguments[:1]
            case ast.Attribute(value, name) if name in _CHANGES:
                changed = [value]
            case _:
                return
        for one in changed:
            match one:
                case ast.Name(name) if is_a(self._global_at(one, name), _LIST):
                    yield name
                case ast.Attribute(ast.Name(first), name) if first == self._first and name not in self._fields:
                    if isinstance(getattr_static(self._cls, name, None), _LIST):
                        yield ast.unparse(one)
                case _:
                    pass

    def _global_at(self, node: ast.Name, name: str) -> Any:
        """Return what a name of the module means; None for one that is something else in the function."""
        return None if name in self._own[node] else self._globals.get(name)

    def _is_class(self, node: ast.expr) -> bool:
        """Tell whether something is the class of the rules, and not the game."""
        match node:
            case ast.Name(name):
                found = self._global_at(node, name)
                return is_a(found, type) and issubclass(self._cls, found)
            case ast.Call(ast.Name("type"), [ast.Name(first)]) | ast.Attribute(ast.Name(first), "__class__"):
                return first == self._first
            case _:
                return False


def _shared(name: str) -> str:
    return f"all tables share it, and it is not stored; let it be a field, `{name}: … = …`, and write `self.{name}`"
