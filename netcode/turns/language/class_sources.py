"""The source of a class, out of a file that is read once for all its classes."""

import ast
import inspect
import linecache
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

_read: dict[str, tuple[list[str], dict[str, int]]] = {}
"""By the name of a file its lines, and where among them each class begins."""


def source_of(cls: type[Any]) -> str:
    """Return the source of a class, or nothing where that is not to be had."""
    try:
        text = inspect.getsource(cls) if hasattr(cls, "__firstlineno__") else source_in_file(cls)
    except (OSError, TypeError):
        return ""
    # Python 3.13 takes any line of a file for it, where a class is made by `exec` or typed into its own prompt.
    return text if re.search(rf"^\s*class\s+{re.escape(cls.__name__)}\b", text, re.MULTILINE) else ""


def source_in_file(cls: type[Any]) -> str:
    """Return what `inspect.getsource` does of a class that does not know its line, as before Python 3.13, or nothing.

    That parses the whole file anew for each class, which took a third of the time of `check`.
    """
    file = inspect.getsourcefile(cls) or inspect.getfile(cls)
    linecache.checkcache(file)
    lines = linecache.getlines(file, vars(sys.modules[cls.__module__]))
    known = _read.get(file)
    if known is None or known[0] is not lines:
        known = _read[file] = lines, lines_of_classes(lines)
    begin = known[1].get(cls.__qualname__)
    return "" if begin is None else "".join(inspect.getblock(lines[begin:]))


def lines_of_classes(lines: Sequence[str]) -> dict[str, int]:
    """Return the index of the line where each class of a file begins, by its qualified name; of several the first."""
    return dict(reversed([*_classes_in(ast.parse("".join(lines)), "")]))


def _classes_in(node: ast.AST, around: str) -> Iterator[tuple[str, int]]:
    for part in _statements_of(node):
        match part:
            case ast.ClassDef(name):
                yield around + name, min([part.lineno, *(decorator.lineno for decorator in part.decorator_list)]) - 1
                inside = f"{around}{name}."
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                inside = f"{around}{name}.<locals>."
            case _:
                inside = around
        yield from _classes_in(part, inside)


def _statements_of(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements right inside one, or what has statements inside; there is no class in an expression."""
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        yield from getattr(node, name, ())
