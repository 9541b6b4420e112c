"""What a server says, as typed values: `wire()` is what msgpack says, and `read_reply` takes it apart again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netcode.turns.protocol.reading import BadMessage, is_number, list_of, map_of, number_of, opened, seat_of, text_of


@dataclass(frozen=True, slots=True)
class Sat:
    """You sit at this table, or watch it (`seat` is None). Everything known before is void; a `Step` follows."""

    table: str
    game: str
    seat: int | None
    ticket: str | None
    last: int
    room: str | None

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["sat", self.table, self.game, self.seat, self.ticket, self.last, self.room]


@dataclass(frozen=True, slots=True)
class Part:
    """Fields of the step that follows, which were too many for one message."""

    fields: Mapping[str, bytes]

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["part", dict(self.fields)]


@dataclass(slots=True)  # made for each viewer of each move, and a frozen one takes thrice as long
class Step:
    """What happened, the fields that changed (each as msgpack), and what else changed, by name."""

    events: list[list[Any]]
    fields: dict[str, bytes]
    state: dict[str, Any]

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["step", self.events, self.fields, self.state]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was asked for did not happen. `number` is that of the play or answer, None for everything else."""

    number: int | None
    text: str

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["refused", self.number, self.text]


@dataclass(frozen=True, slots=True)
class HasSaid:
    """Somebody said something; `seat` is None for one who watches."""

    seat: int | None
    name: str
    text: str

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["said", self.seat, self.name, self.text]


@dataclass(frozen=True, slots=True)
class Gone:
    """You are at no table any more."""

    text: str

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["gone", self.text]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that can be joined."""

    tables: Sequence[Mapping[str, Any]]

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["tables", [dict(table) for table in self.tables]]


@dataclass(frozen=True, slots=True)
class Games:
    """The games that are played here."""

    games: Sequence[Mapping[str, Any]]

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["games", [dict(game) for game in self.games]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Arguments that a move could have, drawn at random; for an answer `name` is empty and they are {"answer": …}."""

    name: str
    arguments: Mapping[str, Any]

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["drawn", self.name, dict(self.arguments)]


Reply = Sat | Part | Step | Refusal | HasSaid | Gone | Tables | Games | Drawn


def read_reply(message: Any) -> Reply:
    """Return what a server says. Raises `BadMessage` for what the page does not allow."""
    kind, rest = opened(message)
    match kind, rest:
        case "sat", [str(table), str(game), seat, ticket, last, room]:
            whole = _maybe(ticket, "ticket"), number_of(last), _maybe(room, "room")
            return Sat(table, game, seat_of(seat), *whole)
        case "part", [fields]:
            return Part(_fields(fields))
        case "step", [events, fields, state]:
            return Step(_events(events), _fields(fields), _state(map_of(state, "a step's state")))
        case "refused", [number, str(text)]:
            return Refusal(None if number is None else number_of(number), text)
        case "said", [seat, str(name), str(text)]:
            return HasSaid(seat_of(seat), name, text)
        case "gone", [str(text)]:
            return Gone(text)
        case "tables", [tables]:
            return Tables([map_of(table, "a table") for table in list_of(tables)])
        case "games", [games]:
            return Games([map_of(game, "a game") for game in list_of(games)])
        case "drawn", [str(name), arguments]:
            return Drawn(name, map_of(arguments, "what was drawn"))
        case _:
            raise BadMessage(f"{kind[:20]!r} with {len(rest)} more entries is no message of this protocol")


def _is_seat(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _all(kind: Callable[[Any], bool], value: Any) -> bool:
    return isinstance(value, list) and all(map(kind, value))  # pyright: ignore[reportUnknownArgumentType]


def _is_presence(value: Any) -> bool:
    match value:
        case [str(), seconds]:
            return seconds is None or is_number(seconds)
        case _:
            return False


def _is_result(value: Any) -> bool:
    match value:
        case None:
            return True
        case [winners, scores, str()]:
            return _all(_is_seat, winners) and (scores is None or _all(is_number, scores))
        case _:
            return False


def _is_question(value: Any) -> bool:
    match value:
        case None | [str(), str(), None | list()]:
            return True
        case _:
            return False


def _is_place(value: Any) -> bool:
    match value:
        case [str(), *indices]:
            return all(type(index) in (int, str) for index in indices)
        case _:
            return False


def _is_play(value: Any) -> bool:
    match value:
        case [str(), arguments]:
            return isinstance(arguments, dict) and all(map(_is_text, arguments))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return False


_STATE: Mapping[str, Callable[[Any], bool]] = {
    "names": lambda value: _all(_is_text, value),
    "players": lambda value: _all(_is_seat, value) and len(value) == 2,
    "options": lambda value: isinstance(value, dict),
    "presence": lambda value: _all(_is_presence, value),
    "rematch": lambda value: _all(_is_seat, value),
    "spectators": _is_seat,
    "frozen": _is_text,
    "id": _is_text,
    "to_move": lambda value: _all(_is_seat, value),
    "mover": lambda value: value is None or _is_seat(value),
    "out": lambda value: _all(_is_seat, value),
    "result": _is_result,
    "clocks": lambda value: value is None or _all(is_number, value),
    "running": lambda value: _all(_is_seat, value),
    "secret": lambda value: value is None or isinstance(value, bytes),
    "undo_by": lambda value: value is None or _is_seat(value),
    "last": _is_seat,
    "question": _is_question,
    "undo": _is_text,
    "legal": lambda value: _all(_is_play, value),
    "places": lambda value: _all(lambda places: _all(_is_place, places), value),
    "unlisted": lambda value: _all(_is_text, value),
}
"""What a key of a step's state may hold; keys that are not here belong to a newer server."""


def _state(state: dict[str, Any]) -> dict[str, Any]:
    for name, value in state.items():
        fits = _STATE.get(name)
        if fits is not None and not fits(value):
            raise BadMessage(f"{name} in a step's state is not what the page says")
    return state


def _maybe(value: Any, what: str) -> str | None:
    return None if value is None else text_of(value, what)


def _fields(value: Any) -> dict[str, bytes]:
    fields = map_of(value, "fields")
    if not all(isinstance(data, bytes) for data in fields.values()):
        raise BadMessage("fields are binary")
    return fields


def _events(value: Any) -> list[list[Any]]:
    events = [list_of(event) for event in list_of(value)]
    if not all(event and isinstance(event[0], str) for event in events):
        raise BadMessage("an event is an array that begins with a string")
    return events
