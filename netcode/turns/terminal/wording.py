"""How values, views and plays are written down for a person, each thing the same way wherever it stands."""

import dataclasses
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from netcode.turns.language.definition import definition_of
from netcode.turns.language.imagining import is_open
from netcode.turns.language.kit import ViewKit, kit_of
from netcode.turns.language.marks import Mark
from netcode.turns.language.plays import Play
from netcode.turns.player.sight import View, fields_of
from netcode.turns.terminal.columns import columns, padded

SHORT = 60
"""Columns within which a list of lists is written in one line."""
BROAD = 30
"""Columns of the broadest board; rows of more cells that could be squares are boards of their own."""
CELL = 4
"""Columns of the widest cell of a board."""
AROUND = 7
"""Columns of the frame around a name and a value, at most."""
EVERYBODY = -1
"""Who looks once the end has opened everything."""


def written(value: Any) -> str:
    """Return a value as a person reads it, and as it stands in a play: `.` for what is not there, an Enum by its name."""
    match value:
        case None:
            return "."
        case Enum():
            return value.name or str(value.value)
        case str():
            return value or "''"
        case list() | tuple():
            return _joined(value)  # pyright: ignore[reportUnknownArgumentType]
        case set() | frozenset():
            return _joined(_in_order(value))  # pyright: ignore[reportUnknownArgumentType]
        case dict():
            return ", ".join(f"{written(key)}: {_inside(item)}" for key, item in value.items()) or "-"  # pyright: ignore[reportUnknownVariableType]
        case _ if is_record(value):
            return written(parts_of(value))
        case _:
            return str(value)


def _in_order(values: Collection[Any]) -> list[Any]:
    """Return what is in a set in an order that is the same for everybody who looks at it."""
    try:
        return sorted(values)
    except TypeError:  # of several types, or of one that has no order
        return sorted(values, key=written)


def _joined(values: Iterable[Any]) -> str:
    """Return values with what can be told from the blanks and commas in them between them."""
    values = [*values]
    parts = [f"({part})" if "  |  " in (part := written(value)) else part for value in values]
    if (values and all(isinstance(value, list) for value in values)) or any(", " in part for part in parts):
        return "  |  ".join(parts)
    return (", " if any(" " in part for part in parts) else " ").join(parts) or "-"


def _inside(value: Any) -> str:
    """Return a value that stands among others with commas between them."""
    text = written(value)
    return f"({text})" if ", " in text or ": " in text else text


def is_record(value: Any) -> bool:
    """Tell whether a value is a dataclass."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def parts_of(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass by name."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def rows_of(view: Any, width: int | None = None) -> list[tuple[str, str]]:
    """Return the fields of a view, written down; boards in rows, and what each seat has in a row of its own.

    Args:
        view: what a seat sees.
        width: columns of the screen, where there are not any number: boards stand closer there, for a row that is
            broken is none.
    """
    marks, names, seat = _marks_of(view)
    room = math.inf if width is None else width - AROUND - max(map(columns, fields_of(view)), default=0)
    rows: list[tuple[str, str]] = []
    for name, value in fields_of(view).items():
        mark = marks.get(name, Mark.OPEN)
        if mark is Mark.HIDDEN:
            lines = [_unseen(value)]
        elif mark in (Mark.OWNED, Mark.OTHERS):
            lines = [*_of_seats(mark, value, names, seat)]
        elif entries := by_seat(view, name, value):
            lines = [*_of_each(entries, room)]
        else:
            lines = [*_lines(value, room)]
        rows += [(name if not number else "", line) for number, line in enumerate(lines)]
    return rows


def by_seat(view: Any, name: str, value: Any) -> list[tuple[str, Any]]:
    """Return what the rules keep for each seat in a field, with the names of the players; nothing where it is nobody's."""
    if isinstance(view, View) or not isinstance(value, list | tuple | dict):
        return []
    if name not in definition_of(view.__class__).seating.by_seat:
        return []
    kit: ViewKit = kit_of(view)
    names: Sequence[str] = kit.names
    entries: list[tuple[Any, Any]] = [*(value.items() if isinstance(value, dict) else enumerate(value))]  # pyright: ignore[reportUnknownArgumentType]
    fit = isinstance(value, dict) or len(entries) == len(names)
    if not fit or not all(type(key) is int and 0 <= key < len(names) for key, _ in entries):
        return []
    return [(names[key], item) for key, item in entries]


def _marks_of(view: Any) -> tuple[Mapping[str, Mark], Sequence[str], int | None]:
    """Return who sees which field of a view, what the players are called, and who looks."""
    if isinstance(view, View):
        return {}, (), None
    game: Any = view.__class__
    definition = definition_of(game)
    kit: ViewKit = kit_of(view)
    marks = {name: field.mark for name, field in definition.fields.items()}
    if kit.result is not None and game.reveal:
        marks = {name: Mark.OPEN if mark is Mark.HIDDEN else mark for name, mark in marks.items()}
        return marks, kit.names, EVERYBODY
    return marks, kit.names, kit.seat


def _unseen(value: Any) -> str:
    """Return what is left of what is hidden: how many there are, or that it is."""
    return f"{len(value)} hidden" if isinstance(value, list) else "hidden"  # pyright: ignore[reportUnknownArgumentType]


def _of_seats(mark: Mark, value: Any, names: Sequence[str], seat: int | None) -> Iterator[str]:
    """Yield what belongs to each seat, with the name of its player."""
    entries: list[tuple[Any, Any]] = [*(value.items() if isinstance(value, dict) else enumerate(value))]  # pyright: ignore[reportUnknownArgumentType]
    whose = [names[key] if type(key) is int and 0 <= key < len(names) else written(key) for key, _ in entries]
    width = max(map(columns, whose), default=0)
    for called, (key, item) in zip(whose, entries, strict=True):
        seen = seat == EVERYBODY or is_open(mark, key, seat)
        yield f"{padded(called, width)}  {written(item) if seen else _unseen(item)}"
    if not entries:
        yield "-"


def _of_each(entries: Sequence[tuple[str, Any]], room: float) -> Iterator[str]:
    """Yield what there is for each seat: in one line where that is short, else from a line of its own on."""
    width = max(columns(who) for who, _ in entries) + 2
    parts = [(who, [*_lines(item, room - width)]) for who, item in entries]
    line = ", ".join(f"{who}: {lines[0]}" for who, lines in parts)
    if columns(line) <= min(SHORT, room) and all(len(lines) == 1 and ", " not in lines[0] for _, lines in parts):
        yield line
    elif any(len(lines) > 1 and max(map(columns, lines)) > room - width for _, lines in parts):
        for who, item in entries:  # no board has room beside its name
            yield from (who, *_lines(item, room))
    else:
        for who, lines in parts:
            yield from (f"{padded('' if number else who, width)}{text}" for number, text in enumerate(lines))


def _lines(value: Any, room: float) -> Iterator[str]:
    """Yield the lines of a value that is open."""
    side, text = _side(value), written(value)
    if side:
        yield from _square(value, side, room)
    elif _is_board(value):
        rows = _rows([[*map(_cell, row)] for row in value], room - len(f"{len(value) - 1}: "))
        yield from (f"{number}: {row}" for number, row in enumerate(rows))
    elif isinstance(value, list) and value and (len(text) > SHORT or any(map(_has_names, value))) and _is_nested(value):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        for number, item in enumerate(value):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            side, before = _side(item), f"{number}: "
            lines = _square(item, side, room - len(before)) if side else [written(item)]  # pyright: ignore[reportUnknownArgumentType]
            yield from (f"{before if not line else '':<{len(before)}}{text}" for line, text in enumerate(lines))
    else:
        yield from text.split("\n")


def _square(value: Sequence[Any], side: int, room: float) -> list[str]:
    """Return the rows of a square."""
    cells = [*map(_cell, value)]
    return _rows([cells[start : start + side] for start in range(0, len(cells), side)], room)


def _cell(value: Any) -> str:
    """Return what stands in a place of a board: hits and misses would be too broad as True and False."""
    return "*o"[not value] if isinstance(value, bool) else written(value)


def _rows(rows: Sequence[Sequence[str]], room: float) -> list[str]:
    """Return the rows of a board, as square as letters are; closer where there is no room for that."""
    lines = [*map(_row, rows)]
    narrow = max(map(columns, lines)) > room and all(columns(cell) < 2 for row in rows for cell in row)
    return [*map(" ".join, rows)] if narrow else lines


def _row(cells: Sequence[str]) -> str:
    if max(map(columns, cells)) > CELL:
        return "  |  ".join(cells)
    return " ".join(" " * (2 - columns(cell)) + cell for cell in cells)


def _has_names(value: Any) -> bool:
    return isinstance(value, dict) or is_record(value)


def _is_nested(values: Sequence[Any]) -> bool:
    return all(isinstance(value, list) or _has_names(value) for value in values)


def _is_board(value: Any) -> bool:
    """Tell whether a list of lists has three rows or more of one length."""
    rows: Any = value
    if not isinstance(rows, list) or len(rows) < 3 or not all(isinstance(row, list) and len(row) > 1 for row in rows):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return False
    broad = len(rows[0]) > BROAD and bool(_side(rows[0]))  # pyright: ignore[reportUnknownArgumentType]
    return len({len(row) for row in rows}) == 1 and not broad  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _side(value: Any) -> int:
    """Return the side of the square that a list of single values could be: 3 for 9, 8 for 64; else 0.

    Texts of more than a letter are cards, as on the page of a table, unless a place among them is free.
    """
    if not isinstance(value, list) or len(value) < 9:  # pyright: ignore[reportUnknownArgumentType]
        return 0
    side = round(len(value) ** 0.5)  # pyright: ignore[reportUnknownArgumentType]
    simple = all(item is None or (isinstance(item, int | str) and len(_cell(item)) < 3) for item in value)  # pyright: ignore[reportUnknownVariableType]
    cards = None not in value and any(isinstance(item, str) and len(item) > 1 for item in value)  # pyright: ignore[reportUnknownVariableType]
    return side if side * side == len(value) and simple and not cards else 0  # pyright: ignore[reportUnknownArgumentType]


def said(play: Play) -> str:
    """Return a play as a person types it."""
    if play.question is not None:
        return written(play.wire()["answer"])
    return " ".join([play.name, *map(written, play.wire().values())])
