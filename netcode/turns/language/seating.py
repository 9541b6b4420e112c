"""Which fields of a game have an entry for each seat, and which numbers in it are seats, as far as its source tells.

No annotation says it: `list[int]` may be the scores of two players, or two dice. How the rules use it does.
"""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from netcode.turns.language.sources import first_of, function_of, members_of, tree_of

_OF_SEATS = ("players", "alive", "to_move")
"""What the kit gives that lists seats."""
_KIT = (*_OF_SEATS, "mover", "names")
_NAMED_SO = ("seat", "player", "mover")
"""What a rule calls an argument that is a seat."""
_ADDS = ("append", "insert", "add")


@dataclass
class Seating:
    """The names of fields with an entry for each seat, and of fields and attributes that hold seats."""

    by_seat: set[str] = field(default_factory=set[str])
    holds_seats: set[str] = field(default_factory=set[str])


def seating_of(cls: type[Any]) -> Seating:
    """Return what the source of a class of rules says of seats; nothing where it is not to be had."""
    seating = Seating()
    for function in filter(None, map(function_of, members_of(cls))):
        tree = tree_of(function)
        first = first_of(tree)
        if tree is not None and first is not None:
            _Rule(tree, first).tell(seating)
    return seating


class _Rule:
    """One function of the rules, and what it calls a seat."""

    def __init__(self, tree: ast.FunctionDef, first: str) -> None:
        self._first = first
        self._nodes = [*ast.walk(tree)]
        self._seats = {one.arg for one in tree.args.args if one.arg in _NAMED_SO}
        for node in self._nodes:
            match node:
                case ast.For(target, into) | ast.comprehension(target, into) if self._lists_seats(into):
                    self._seats |= {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}
                case ast.Assign([ast.Name(name)], value) if self._is_seat(value):
                    self._seats.add(name)
                case _:
                    pass

    def tell(self, seating: Seating) -> None:
        """Add what this function says."""
        for node in self._nodes:
            seating.by_seat |= {*self._by_seat(node)} - {*_KIT}
            seating.holds_seats |= {*self._holding(node)} - {*_KIT}

    def _by_seat(self, node: ast.AST) -> Iterator[str]:
        """Yield the field that has an entry for each seat, if this says so: by an index, or by how it is made."""
        match node:
            case ast.Subscript(whole, index) if self._is_seat(index):
                yield from self._field(whole)
            case ast.Assign([target], value) if self._has_entries(value):
                yield from self._field(target)
            case ast.keyword("scores", value):
                yield from self._field(value)
            case _:
                pass

    def _holding(self, node: ast.AST) -> Iterator[str]:
        """Yield the name of what holds seats, if this says so: it is one, becomes one, or is where a name is looked up."""
        match node:
            case ast.Compare(left, [ast.Eq() | ast.NotEq()], [right]):
                yield from _name(left) if self._is_seat(right) else _name(right) if self._is_seat(left) else ()
            case ast.Assign([target], value) if self._is_seat(value):
                yield from _name(target)
            case ast.Call(ast.Attribute(whole, verb), arguments) if verb in _ADDS and any(
                map(self._is_seat, arguments)
            ):
                yield from _name(whole)
            case ast.Subscript(ast.Attribute(ast.Name(first), "names"), index) if first == self._first:
                yield from _name(index)
            case _:
                pass

    def _field(self, node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Attribute(ast.Name(first), name) if first == self._first:
                yield name
            case _:
                pass

    def _is_seat(self, node: ast.AST) -> bool:
        match node:
            case ast.Name(name):
                return name in self._seats
            case ast.Attribute(ast.Name(first), "mover"):
                return first == self._first
            case ast.Call(ast.Attribute(ast.Name(first), "after")):
                return first == self._first
            case ast.BinOp(ast.Constant(1), ast.Sub(), other):  # the other one of two
                return self._is_seat(other)
            case _:
                return False

    def _lists_seats(self, node: ast.AST) -> bool:
        """Tell whether this goes through seats: `self.players`, sorted or counted or not."""
        match node:
            case ast.Attribute(ast.Name(first), name):
                return first == self._first and name in _OF_SEATS
            case ast.Call(ast.Name("sorted" | "reversed" | "list" | "enumerate" | "range" | "len"), [inner, *_]):
                return self._lists_seats(inner)
            case _:
                return False

    def _has_entries(self, node: ast.AST) -> bool:
        match node:
            case ast.ListComp(_, [ast.comprehension(_, into, ifs)]) | ast.DictComp(
                _, _, [ast.comprehension(_, into, ifs)]
            ):
                return not ifs and self._lists_seats(into)
            case ast.BinOp(ast.List(), ast.Mult(), seats) | ast.Call(
                ast.Attribute(ast.Name("dict"), "fromkeys"), [seats, *_]
            ):
                return self._lists_seats(seats)
            case ast.Call(ast.Attribute(ast.Name(first), "ask_all")):
                return first == self._first
            case _:
                return False


def _name(node: ast.AST) -> Collection[str]:
    """Return what a thing is called by which others find it: its attribute, or that of the collection which has it."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return (node.attr,) if isinstance(node, ast.Attribute) else ()
