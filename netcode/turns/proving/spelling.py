"""What rules read of `self` that is nothing: a slip of the keyboard, found also where no game comes by."""

import ast
import difflib
from collections.abc import Callable, Iterator
from typing import Any

from netcode.turns.language.sources import first_of, function_of, members_of, tree_of


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
