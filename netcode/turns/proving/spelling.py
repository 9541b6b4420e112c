"""What rules read of `self` that is nothing: a slip of the keyboard, found also where no game comes by."""

import ast
import difflib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from netcode.turns.language.class_checks import HOOKS
from netcode.turns.language.class_sources import source_of
from netcode.turns.language.sources import first_of, function_of, members_of, tree_of

NEAR = 0.8
"""How like a hook a name is that is meant for one: `rounds`, `time_out`, `on_timeout`."""
_MORE = {"setup": "", "round": "", "timeout": ", seat", "imagine": ", seat"}


def unknown(cls: type[Any]) -> Iterator[tuple[str, str]]:
    """Yield each name that the rules of a class read of `self` and that nothing there has, with a sentence about it.

    Left alone is what cannot be known: a class with `__getattr__`, what cannot be read, a name that the same function
    also has as a text, as for `hasattr`, and functions that catch `AttributeError`.
    """
    if hasattr(cls, "__getattr__") or any("__getattribute__" in vars(base) for base in cls.__mro__[:-1]):
        return
    there = {*dir(cls), *cls._definition.fields}
    for member in members_of(cls):
        function = function_of(member)
        if function is None or isinstance(member, staticmethod | classmethod):
            continue
        for name, line in sorted(_read(function).items()):
            if name not in there and not name.startswith("__"):
                near = difflib.get_close_matches(name, [one for one in there if not one.startswith("_")], 1)
                meant = f"; did you mean `self.{near[0]}`?" if near else ""
                where = f"{function.__code__.co_filename}:{function.__code__.co_firstlineno + line - 1}"
                yield name, f"{cls.__name__}.{function.__name__} uses self.{name}, which is nothing, at {where}{meant}"


def unheard(cls: type[Any]) -> Iterator[tuple[str, str]]:
    """Yield each method that nobody calls and whose name is nearly that of a hook, with a sentence about it."""
    bases = [base for base in cls.__mro__ if base is not object and base.__module__ != "netcode.turns.rules"]
    missing = [hook for hook in HOOKS if not any(hook in vars(base) for base in bases)]
    text = "".join(map(source_of, bases))
    if "getattr(" in text:
        return  # by a name that is put together anything may be called
    for name, member in ((name, member) for base in bases for name, member in vars(base).items()):
        near = difflib.get_close_matches(name.replace("_", ""), missing, 1, NEAR)
        if near and inspect.isfunction(member) and len(re.findall(rf"\b{name}\b", text)) == 1:
            meant = f"did you mean `def {near[0]}(self{_MORE[near[0]]}): …`?"
            yield name, f"{cls.__name__}.{name} is called by nobody; {meant}"


def doubled(cls: type[Any]) -> Iterator[tuple[str, str]]:
    """Yield what a class defines twice, of which Python takes the second without a word, with a sentence about it."""
    for base in cls.__mro__[:-1]:
        tree, seen = _class_tree(base), set[str]()
        for node in [] if tree is None else tree.body:
            match node:
                case ast.FunctionDef(name) if not any(map(_goes_on, node.decorator_list)):
                    pass
                case ast.AnnAssign(ast.Name(name)):
                    pass
                case _:
                    continue
            if name in seen:
                line = inspect.getsourcelines(base)[1] + node.lineno - 1
                where = f"{inspect.getfile(base)}:{line}"
                yield (
                    name,
                    f"{base.__name__}.{name} is there twice, and the second one alone counts, at {where}; rename one",
                )
            seen.add(name)


def _class_tree(base: type[Any]) -> ast.ClassDef | None:
    if base.__module__ == "netcode.turns.rules" or base.__module__ in sys.stdlib_module_names:
        return None
    try:
        tree = ast.parse(textwrap.dedent(source_of(base)))
    except SyntaxError:  # a text in it begins further to the left
        return None
    return next((node for node in tree.body if isinstance(node, ast.ClassDef)), None)


def _goes_on(decorator: ast.expr) -> bool:
    """Tell whether a decorator has a function go on with what another one of that name began."""
    match decorator:
        case ast.Attribute(_, "setter" | "getter" | "deleter" | "overload") | ast.Name("overload"):
            return True
        case ast.Attribute(_, "register") | ast.Call(ast.Attribute(_, "register")):
            return True
        case _:
            return False


def unplayed(cls: type[Any]) -> Iterator[tuple[str, str]]:
    """Yield each move that a rule calls on the class, where that only makes a play, with a sentence about it."""
    moves = cls._definition.moves
    for function in filter(None, map(function_of, members_of(cls))):
        tree = tree_of(function)
        for node in ast.walk(tree) if tree is not None else ():
            match node:
                case ast.Call(ast.Attribute(ast.Name(of), name)) if of == cls.__name__ and name in moves:
                    said = (
                        f"{cls.__name__}.{function.__name__} calls {of}.{name}(…), which makes a play and plays nothing"
                    )
                    yield name, f"{said}; in the rules it is `self.{name}(…)`"
                case _:
                    pass


def _read(function: Callable[..., Any]) -> dict[str, int]:
    """Return the names that a method reads of its first argument, and in which line of its source first."""
    tree = tree_of(function)
    first = first_of(tree)
    if tree is None or first is None:
        return {}
    names, guarded = dict[str, int](), set[str]()
    todo: list[ast.AST] = [*tree.body]
    while todo:
        node = todo.pop()
        match node:
            case ast.Attribute(ast.Name(of), name, ast.Load()) if of == first:
                names[name] = min(node.lineno, names.get(name, node.lineno))
            case ast.Constant(str(text)):
                guarded.add(text)
            case ast.Name("AttributeError"):
                return {}
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() if _hides(node, first):
                continue
            case _:
                pass
        todo += ast.iter_child_nodes(node)
    return {name: line for name, line in names.items() if name not in guarded}


def _hides(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, name: str) -> bool:
    """Tell whether a name means something else inside: the methods of a class have a `self` of their own."""
    if isinstance(node, ast.ClassDef):
        return True
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return any(argument is not None and argument.arg == name for argument in every)
