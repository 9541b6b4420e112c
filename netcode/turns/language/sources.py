"""What the source of rules says: which attributes they assign, whether they can refuse or ask, and a digest of it.

Source, not bytecode, which differs between versions of Python.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache, partial, partialmethod
from hashlib import blake2b
from itertools import chain
from types import CodeType, FunctionType
from typing import Any

from netcode.turns.language.class_sources import source_of

PARTLY: Any = (partialmethod, cached_property)
"""What keeps its function in `func`."""


def function_of(member: Any) -> Callable[..., Any] | None:
    """Return the function behind a member of a class: a method, a move, a property; None for anything else."""
    member = _part(_decorated(member), "__wrapped__")
    return member if type(member) is FunctionType else None


def _decorated(member: Any) -> Any:
    """Return what is behind a member of a class, with what decorators put around it."""
    member = _part(_part(member, "fget"), "__func__")
    return member.func if is_a(member, PARTLY) else member


def is_a(thing: Any, kind: Any) -> bool:
    """Tell what something is by its type alone: to `isinstance` a proxy answers in another's place, or refuses to."""
    return issubclass(type(thing), kind)


def _part(thing: Any, name: str) -> Any:
    """Return an attribute of whatever an author has; the thing itself where it has none, or refuses to be looked at."""
    with suppress(Exception):
        part = getattr(thing, name, None)
        return thing if part is None else part
    return thing


def members_of(cls: type[Any]) -> list[Any]:
    """Return what a class and its bases define, but for the kit; of a move, its rule."""
    members = [member for base in cls.__mro__ if not _is_kit(base) for member in vars(base).values()]
    return [rule_of(member) for member in members]


def rule_of(member: Any) -> Any:
    """Return the rule behind a move; whatever else it is, the member itself."""
    return _part(member, "rule")


@lru_cache(8)
def tree_of(function: Callable[..., Any]) -> ast.FunctionDef | None:
    """Return the definition of a function, or None where its source is not to be had. Never write to it.

    The last ones are kept: much is looked for in each function when a class is defined.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, IndentationError):
        return None
    return next((node for node in tree.body if isinstance(node, ast.FunctionDef)), None)


def first_of(tree: ast.FunctionDef | None) -> str | None:
    """Return what a definition calls its first argument, mostly `self`; None without one."""
    arguments = [] if tree is None else tree.args.posonlyargs or tree.args.args
    return arguments[0].arg if arguments else None


def mangled(cls: type[Any], name: str) -> str:
    """Return what a name is called that is written inside a class: Python keeps `__name` apart for each."""
    private = name.startswith("__") and not name.endswith("__") and cls.__name__.strip("_")
    return f"_{cls.__name__.lstrip('_')}{name}" if private else name


def assigned(function: Callable[..., Any]) -> Iterator[str]:
    """Yield the names that a method assigns on its first argument, as in `self.name = …`."""
    tree = tree_of(function)
    first = first_of(tree)
    if tree is None or first is None:
        return
    names = list[tuple[int, int, str]]()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == first
        ):
            names.append((node.lineno, node.col_offset, node.attr))
    yield from (name for _, _, name in sorted(names))


def deleted(function: Callable[..., Any]) -> Iterator[str]:
    """Yield the names that a method deletes on its first argument, as in `del self.name`."""
    tree = tree_of(function)
    first = first_of(tree)
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Attribute(ast.Name(whose), name, ast.Del()) if whose == first:
                yield name
            case _:
                pass


_CHANGES = (
    "append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "setdefault", "popitem",
)  # fmt: skip
"""What changes a list or a dict."""


def changed(function: Callable[..., Any]) -> Iterator[str]:
    """Yield the names on its first argument of which a method changes what is there, as in `self.name.remove(seat)`.

    Not where it goes on with what comes of that, as in `last = self.name.pop()`.
    """
    tree = tree_of(function)
    first = first_of(tree)
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Expr(ast.Call(ast.Attribute(ast.Attribute(ast.Name(whose), name), verb))) if verb in _CHANGES:
                pass
            case ast.Subscript(ast.Attribute(ast.Name(whose), name), _, ast.Store() | ast.Del()):
                pass
            case _:
                continue
        if whose == first:
            yield name


def requires_text(function: Callable[..., Any]) -> bool:
    """Tell whether a method requires a text to be true, as in `self.require("that cell is taken", free)`."""
    tree = tree_of(function)
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Call(ast.Attribute(_, "require"), [ast.Constant(str()) | ast.JoinedStr(), *_]):
                return True
            case _:
                pass
    return False


def counts_with(function: Callable[..., Any], name: str) -> bool:
    """Tell whether a method takes an attribute of its first argument for a number, as in `range(self.players)`."""
    tree = tree_of(function)
    first = first_of(tree)

    def is_it(node: ast.expr | None) -> bool:
        match node:
            case ast.Attribute(ast.Name(whose), attribute):
                return (whose, attribute) == (first, name)
            case _:
                return False

    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Call(ast.Name("range"), arguments):
                parts = [*arguments]
            case ast.BinOp(ast.Constant(str()) | ast.JoinedStr(), ast.Mod()):
                continue
            case ast.BinOp(left, _, right):
                parts = [left, right]
            case ast.Slice(lower, upper, step):
                parts = [part for part in (lower, upper, step) if part is not None]
            case ast.Compare(left, operators, others):
                parts = [left, *others] if _of_numbers(operators, [left, *others]) else []
            case _:
                continue
        if any(map(is_it, parts)):
            return True
    return False


def _of_numbers(operators: Sequence[ast.cmpop], compared: Sequence[ast.expr]) -> bool:
    """Tell whether a comparison is one of numbers: with `<` and the like, or with one that is written out."""
    written = any(isinstance(one, ast.Constant) and isinstance(one.value, int) for one in compared)
    same = all(isinstance(one, ast.Eq | ast.NotEq) for one in operators)
    return (same and written) or all(isinstance(one, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for one in operators)


def can_refuse(cls: type[Any], function: Callable[..., Any]) -> bool:
    """Tell whether a `require` or a `raise` is in reach of a rule, as far as its class and its module go.

    What cannot be read can refuse. What other modules raise is a bug there, not a refusal.
    """
    return any(map(_may_refuse, _in_reach(cls, [function])))


def demands(cls: type[Any], function: Callable[..., Any]) -> int:
    """Return after how many calls of `require` a rule that comes so far refuses no more; 0 where that is not so plain.

    It is plain where nothing in reach can refuse but `self.require(…)` as statements of the rule itself, in no loop and
    under no condition.
    """
    tree = None if hasattr(function, "__wrapped__") else tree_of(function)
    if tree is None or not tree.args.args or _hands_on(tree):
        return 0
    count = 0
    for statement in tree.body:
        parts: Sequence[ast.AST] = [statement]
        match statement:
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(first), "require"), arguments, keywords)):
                if first == tree.args.args[0].arg:
                    count, parts = count + 1, [*arguments, *keywords]
            case _:
                pass
        for node in chain.from_iterable(map(ast.walk, parts)):
            if _may_refuse(node) or any(map(_may_refuse, _in_reach(cls, _called(cls, function, node)))):
                return 0
    return count


_LOOKS = (
    ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.keyword, ast.comprehension,
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp,
    ast.IfExp, ast.Tuple, ast.List, ast.Set, ast.JoinedStr, ast.FormattedValue, ast.Call,
    ast.GeneratorExp, ast.ListComp, ast.SetComp,
)  # fmt: skip
_COUNTS = {
    "abs",
    "all",
    "any",
    "enumerate",
    "len",
    "list",
    "max",
    "min",
    "range",
    "set",
    "sorted",
    "sum",
    "tuple",
    "zip",
}
"""Functions that change nothing."""


def only_looks(cls: type[Any], function: Callable[..., Any]) -> bool:
    """Tell whether a rule has changed nothing yet when it has called `require` as often as `demands` says.

    Then it works out conditions, texts and local names up to there, and calls nothing but what counts.
    """
    tree, left = tree_of(function), demands(cls, function)
    if tree is None or not left:
        return False
    for statement in tree.body:
        if not left:
            break
        match statement:
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(), "require"), arguments, keywords)):
                left, parts = left - 1, [*arguments, *keywords]
            case ast.Expr(ast.Constant()):
                parts = list[ast.AST]()
            case ast.Assign([ast.Name()], value):
                parts = [value]
            case _:
                return False
        if not all(_looks(cls, function, node) for node in chain.from_iterable(map(ast.walk, parts))):
            return False
    return True


def _looks(cls: type[Any], function: Callable[..., Any], node: ast.AST) -> bool:
    match node:
        case ast.Call(ast.Name(name)):
            return name in _COUNTS and name not in function.__globals__
        case ast.Attribute(ctx=ast.Load()) | ast.Subscript(ctx=ast.Load()):
            return not _called(cls, function, node)
        case ast.Call() | ast.Attribute() | ast.Subscript():
            return False
        case _:
            return isinstance(node, _LOOKS)


def can_ask(cls: type[Any]) -> bool:
    """Tell whether a question is in reach of anything that a class defines. What cannot be read can ask."""
    functions = [function for member in members_of(cls) if (function := function_of(member))]
    return any(_may_name(node, ("ask", "ask_all", "ask_any")) for node in _in_reach(cls, functions))


def _may_refuse(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Raise) or _may_name(node, ("require",))


def _hands_on(tree: ast.FunctionDef) -> bool:
    """Tell whether a function does more with the game than to look at what it has, as in `other.check(self)`.

    Whoever gets it may `require` and ask in its name.
    """
    first, looks = first_of(tree), set[ast.AST]()
    for node in ast.walk(tree):  # what is around something comes before it
        if isinstance(node, ast.Attribute):
            looks.add(node.value)
        elif isinstance(node, ast.Name) and node.id == first and node not in looks:
            return True
    return False


def _may_name(node: ast.AST | None, names: tuple[str, ...]) -> bool:
    """Tell whether a node of a source, None for one that cannot be read, names one of these attributes."""
    if node is None or (isinstance(node, ast.Name) and node.id in ("getattr", "exec", "eval")):
        return True
    return isinstance(node, ast.Attribute) and node.attr in names


def in_reach(
    cls: type[Any], functions: Sequence[Callable[..., Any]]
) -> Iterator[tuple[Callable[..., Any], ast.FunctionDef | None]]:
    """Yield functions, and what they call as far as the class and its module go; each with its source, if it can be read."""
    todo, seen = [*functions], set[Callable[..., Any]]()
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        tree = tree_of(current)
        yield current, tree
        for node in ast.walk(tree) if tree is not None else ():
            todo += _called(cls, current, node)


def _in_reach(cls: type[Any], functions: Sequence[Callable[..., Any]]) -> Iterator[ast.AST | None]:
    """Yield every node of the sources of functions and of what they call; None for one that cannot be read."""
    for function, tree in in_reach(cls, functions):
        if tree is None or _hands_on(tree) or hasattr(function, "__wrapped__"):  # of which only the inside is read
            yield None
        if tree is not None:
            yield from ast.walk(tree)


def _called(cls: type[Any], function: Callable[..., Any], node: ast.AST) -> list[Callable[..., Any]]:
    """Return what of the class, or of the function's own module, one node of its source names."""
    found: list[Any] = []
    if isinstance(node, ast.Attribute):
        # By its name in any base, because `super()` reaches those too; not what the kit itself does.
        found = [vars(base)[node.attr] for base in cls.__mro__ if node.attr in vars(base) and not _is_kit(base)]
    elif isinstance(node, ast.Name):
        found = [function.__globals__.get(node.id)]
    found = [member.func if is_a(member, partial) else member for member in found]
    functions = [_whole(member) for member in found if member is not None]
    modules = {function.__module__} | {base.__module__ for base in cls.__mro__ if not _is_kit(base)}
    return [other for other in functions if other is not None and other.__module__ in modules]


def _whole(member: Any) -> Callable[..., Any] | None:
    """Return the function behind a member, as it is called: with what decorators of Python's put around it."""
    outer = _decorated(member)
    return outer if type(outer) is FunctionType else function_of(member)


def _is_kit(base: type[Any]) -> bool:
    return base is object or base.__module__ == "netcode.turns.rules"


def fingerprint(cls: type[Any], beside: Iterable[bytes] = ()) -> bytes:
    """Return a digest of the source of a class and its bases, and of what is `beside` them.

    Rules that differ in it may play differently.
    """
    digest = blake2b(digest_size=16)
    for base in cls.__mro__:
        if not _is_kit(base):
            digest.update(_text_of(base).encode())
    for part in beside:
        digest.update(part)
    return digest.digest()


def _text_of(base: type[Any]) -> str:
    if text := source_of(base):
        return text
    members = {name: function_of(member) or member for name, member in vars(base).items() if not name.startswith("__")}
    return repr([(base.__qualname__, name, _compiled(member)) for name, member in members.items()])


def _compiled(value: Any) -> Any:
    """Return what is left of a source that is not to be had: code and constants, the same in every process."""
    match value:
        case FunctionType():
            return _compiled(value.__code__)
        case CodeType():
            return value.co_code.hex(), value.co_names, [*map(_compiled, value.co_consts)]
        case list() | tuple():
            return [*map(_compiled, value)]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case set() | frozenset():
            return sorted(repr(_compiled(item)) for item in value)  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return [*map(_compiled, value.items())]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case None | bool() | int() | float() | str() | bytes():
            return repr(value)
        case _:
            return type(value).__name__  # what else it is may be another in each process
