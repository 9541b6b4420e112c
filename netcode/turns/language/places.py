"""Where on the board a move goes: what `@move(cell=range(9), at="cells[cell]")` says, read and worked out.

It is made of the arguments and the number of the seat that moves, and of nothing else, so it tells nothing that the
move itself does not.
"""

import ast
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from netcode.turns.errors import RulesError

_OPERATIONS: dict[type[ast.AST], Callable[[int, int], int]] = {
    ast.Add: int.__add__,
    ast.Sub: int.__sub__,
    ast.Mult: int.__mul__,
    ast.FloorDiv: int.__floordiv__,
    ast.Mod: int.__mod__,
}


_INDICES = frozenset((int, str, list, dict))  # a card may be a tuple, or a record


@dataclass(frozen=True, slots=True)
class Place:
    """A field, and what leads to the entry of it that a move is about."""

    field: str
    indices: tuple[Callable[[Mapping[str, Any]], Any], ...]

    def of(self, mover: int, arguments: Mapping[str, Any]) -> list[Any]:
        """Return the place of a play, as plain wire data: the field and its indices. Empty where there is none."""
        known = {"mover": mover, **arguments}
        place: list[Any] = [self.field]
        try:
            for index in self.indices:
                value = index(known)
                if value.__class__ not in _INDICES:
                    return []
                place.append(value)
        except (TypeError, ValueError, LookupError, ArithmeticError):
            return []
        return place


def read_places(given: Any, where: str, fields: Collection[str], arguments: Collection[str]) -> tuple[Place, ...]:
    """Read what `at=` was given. Raises `RulesError` for what is no place of the board.

    Args:
        where: the move, for the error's text.
        fields: what seats are shown.
        arguments: those of the move.
    """
    if isinstance(given, str):
        given = (given,)
    if not isinstance(given, tuple) or not all(isinstance(text, str) for text in given):  # pyright: ignore[reportUnknownVariableType]
        raise RulesError(
            f'{where}: at={given!r} is no place; write a field and an entry of it, at="cells[cell]", or several in a tuple'
        )
    return tuple(_read(text, where, fields, arguments) for text in given)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _read(text: str, where: str, fields: Collection[str], arguments: Collection[str]) -> Place:
    node: ast.expr | None = None
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        node = ast.parse(text, mode="eval").body
    indices: list[ast.expr] = []
    while isinstance(node, ast.Subscript):
        indices.insert(0, node.slice)
        node = node.value
    if not isinstance(node, ast.Name):
        raise RulesError(f'{where}: at={text!r} is no place; write a field and an entry of it: at="board[y][x]"')
    if node.id not in fields:
        raise RulesError(
            f"{where}: at={text!r} is in {node.id}, which is no field that players are shown; "
            f"those are {', '.join(fields) or 'none'}"
        )
    for index in indices:
        _check(index, text, where, arguments)
    return Place(node.id, tuple(map(_reader, indices)))


def _check(node: ast.expr, text: str, where: str, arguments: Collection[str]) -> None:
    match node:
        case ast.Constant(value=int() | str()):
            pass
        case ast.Name(id=name) if name == "mover" or name in arguments:
            pass
        case ast.Name(id=name):
            raise RulesError(
                f"{where}: at={text!r} asks for {name}; it may use the arguments of the move, "
                f"{', '.join(arguments) or 'of which there are none'}, and `mover`"
            )
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            _check(left, text, where, arguments)
            _check(right, text, where, arguments)
        case ast.Subscript(value=value, slice=index):
            _check(value, text, where, arguments)
            _check(index, text, where, arguments)
        case _:
            raise RulesError(f'{where}: at={text!r} is more than a sum of numbers and arguments: at="board[8 * y + x]"')


def _reader(node: ast.expr) -> Callable[[Mapping[str, Any]], Any]:
    """Return what works out an index that `_check` let pass, from the mover and the arguments by name."""
    match node:
        case ast.Constant(value=value):
            return lambda _: value
        case ast.Name(id=name):
            return itemgetter(name)
        case ast.BinOp(left=left, op=op, right=right):
            # Numbers alone: a text times a number that a rule's author did not expect is as long as that number.
            operate, one, other = _OPERATIONS[type(op)], _reader(left), _reader(right)
            return lambda known: operate(_number(one(known)), _number(other(known)))
        case ast.Subscript(value=value, slice=index):
            holder, key = _reader(value), _reader(index)
            return lambda known: holder(known)[key(known)]
        case _:  # pragma: no cover - `_check` let nothing else pass
            raise TypeError(type(node).__name__)


def _number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{type(value).__name__} is no number")
    return value
