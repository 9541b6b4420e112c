"""A view for a player: a game for reading where its class is known, else the fields as they were sent."""

from collections.abc import Mapping
from typing import Any, cast

from netcode.turns.language.kit import kit_of
from netcode.turns.runtime import view
from netcode.turns.runtime.outcomes import result_of
from netcode.turns.table import Table
from netcode.turns.values import unpack


class View:
    """What one sees of a game of which only the name is known: its fields, and whose turn it is. Read-only."""

    def __init__(self, title: str, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_title", title)
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        values: Mapping[str, Any] = object.__getattribute__(self, "_values")
        try:
            return values[name]
        except KeyError:
            known = ", ".join(values)
            raise AttributeError(f"the view of {self._title} has no {name!r}; it has {known}") from None

    def __setattr__(self, name: str, value: object) -> None:
        raise TypeError("a view is for reading; play with `table.play(…)`")

    def __delattr__(self, name: str) -> None:
        raise TypeError("a view is for reading; play with `table.play(…)`")

    def __dir__(self) -> list[str]:
        return sorted(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and dict(self._values) == dict(other._values)

    __hash__ = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return f"<view of {self._title}: {', '.join(f'{name}={value!r}' for name, value in self._values.items())}>"


def fields_of(seen: Any) -> dict[str, Any]:
    """Return the fields of a view by name, without what the kit adds."""
    if isinstance(seen, View):
        values: Mapping[str, Any] = seen._values  # noqa: SLF001 - a friend of the class, in its module
        return {name: value for name, value in values.items() if name not in _KIT}
    kit = kit_of(seen)
    shown = {name: rule(kit.seat) for name, rule in kit.shown.items() if kit.seat is not None}
    inside = cast("dict[str, Any]", vars(seen))
    return {name: value for name, value in inside.items() if not name.startswith("_")} | shown


_KIT = ("names", "players", "mover", "to_move", "alive", "result", "options", "seat")


def view_at(table: Table, seat: int | None) -> Any:
    """Make the view that a seat, or None for a spectator, has of a table that is in this program."""
    status = table.status(0.0)
    return view.make_view(
        table.game,
        table.view(seat),
        seat,
        names=[*table.names],
        options=table.options,
        to_move=status.to_move,
        mover=status.mover,
        out=status.out,
        result=status.result,
    )


def make_view(game: type[Any] | str, fields: Mapping[str, bytes], seat: int | None, state: Mapping[str, Any]) -> Any:
    """Make the view of a seat from the fields and the state that were sent.

    Raises `Unfit` for fields that do not fit the class, unless the table is frozen.
    """
    names = [*state.get("names", ())]
    ended = state.get("result")
    result = None if ended is None else result_of(ended)
    to_move, mover, out = tuple(state.get("to_move", ())), state.get("mover"), tuple(state.get("out", ()))
    options = dict(state.get("options", {}))
    if not isinstance(game, str):
        return view.make_view(
            game,
            fields,
            seat,
            names=names,
            options=options,
            to_move=to_move,
            mover=mover,
            out=out,
            result=result,
            frozen=bool(state.get("frozen")),
        )
    values = {name: unpack(data) for name, data in fields.items()}
    kit = {
        "names": tuple(names),
        "players": range(len(names)),
        "mover": next(iter(to_move), 0) if mover is None else mover,  # as in a view of the class
        "to_move": to_move,
        "alive": [player for player in range(len(names)) if player not in out],
        "result": result,
        "options": {name: value for name, value in options.items() if name != "clock"},  # that is none of the rules
        "seat": seat,
    }
    return View(game, values | kit)
