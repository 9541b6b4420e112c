"""The messages between a table's server and those who sit at it, as typed values; the page «The messages of `netcode.turns`» is the standard.

A message is an array whose first entry says what it is. `read_request` and `read_reply` take what msgpack gave and
raise `BadMessage` for everything that the page does not allow; `wire()` makes what msgpack says.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from netcode.errors import NetcodeError

GAME = "netcode.turns"
"""What HELLO says is played: the kit itself; which game a table plays is said in `join`."""
VERSION = "1"

MAX_NAME = 32
"""Characters of a player's name; longer ones are cut."""
MAX_ROOM = 64
MAX_KEY = 64
MIN_KEY = 16
MAX_TICKET = 160
MAX_WORD = 200
"""Characters of what names something: a game, a move, a question."""
MAX_NUMBER = 2**53
"""What every language counts to."""
MAX_TEXT = 16_384
MAX_OPTIONS = 32
MAX_DEPTH = 12
"""How deep a value nests."""


class BadMessage(NetcodeError, ValueError):
    """A message that the page does not allow. The text says what is wrong with it."""


# From a player.


@dataclass(frozen=True, slots=True)
class Join:
    """Sit down at a table, or watch one."""

    game: str
    room: str | None = None
    players: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    watch: bool = False
    ticket: str | None = None
    key: str | None = None
    name: str = ""
    legal: bool = False

    def wire(self) -> list[Any]:
        """Return the message; what is as it would be anyway is left out."""
        asked: dict[str, Any] = {
            "room": self.room,
            "players": self.players,
            "options": dict(self.options) or None,
            "watch": self.watch or None,
            "ticket": self.ticket,
            "key": self.key,
            "name": self.name or None,
            "legal": self.legal or None,
        }
        return ["join", self.game, {name: value for name, value in asked.items() if value is not None}]


class MakePlay(NamedTuple):
    """Make a move. `lag` is what the player's end measured as the round trip, in seconds."""

    number: int
    name: str
    arguments: Mapping[str, Any]
    lag: float = 0.0

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["play", self.number, self.name, dict(self.arguments), self.lag]


class GiveAnswer(NamedTuple):
    """Answer the question of this id."""

    number: int
    question: str
    option: Any
    lag: float = 0.0

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["answer", self.number, self.question, self.option, self.lag]


@dataclass(frozen=True, slots=True)
class Say:
    """Say something to all at the table."""

    text: str

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["say", self.text]


@dataclass(frozen=True, slots=True)
class Consent:
    """Agree to the undo that another seat wants, or not."""

    agreed: bool

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["consent", self.agreed]


@dataclass(frozen=True, slots=True)
class Wish:
    """Something that needs no more than its name: `undo`, `start`, `rematch`, `leave`."""

    what: str

    def wire(self) -> list[Any]:
        """Return the message."""
        return [self.what]


@dataclass(frozen=True, slots=True)
class ListTables:
    """Ask for the tables that can be joined, of one game or of all."""

    game: str | None = None

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["tables", self.game]


@dataclass(frozen=True, slots=True)
class ListGames:
    """Ask what is played here, and how."""

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["games"]


@dataclass(frozen=True, slots=True)
class Draw:
    """Ask for arguments of a move that is not listed, or for an answer that is free if `name` is empty."""

    name: str

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["draw", self.name]


Request = Join | MakePlay | GiveAnswer | Say | Consent | Wish | ListTables | ListGames | Draw

WISHES = ("undo", "start", "rematch", "leave")


# From the server.


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


class Step(NamedTuple):
    """What happened, the fields that changed (each as msgpack), and what else changed, by name."""

    events: Sequence[Sequence[Any]]
    fields: Mapping[str, bytes]
    state: Mapping[str, Any]

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["step", [*self.events], dict(self.fields), dict(self.state)]


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


def read_request(message: Any) -> Request:
    """Return what a stranger asks for. Raises `BadMessage` for what the page does not allow."""
    kind, rest = _open(message)
    if kind == "play" and len(rest) >= 3:  # before all others: it is what most messages are
        number, name, arguments, *lag = rest
        return MakePlay(_number(number), _word(name, "a move's name"), _named(arguments), _lag(lag))
    match kind, rest:
        case "join", [game, wanted]:
            return _join(_word(game, "the game's name"), _map(wanted, "what join asks for"))
        case "answer", [number, question, option, *lag]:
            _check_depth(option)
            return GiveAnswer(_number(number), _word(question, "a question's id"), option, _lag(lag))
        case "say", [text]:
            return Say(_text(text, "what is said"))
        case "consent", [bool(agreed)]:
            return Consent(agreed)
        case "tables", [game]:
            return ListTables(None if game is None else _word(game, "the game's name"))
        case "games", []:
            return ListGames()
        case "draw", [name]:
            return Draw(_word(name, "a move's name"))
        case str(wish), [] if wish in WISHES:
            return Wish(wish)
        case _:
            raise BadMessage(f"{kind[:20]!r} with {len(rest)} more entries is no message of this protocol")


def read_reply(message: Any) -> Reply:
    """Return what a server says. Raises `BadMessage` for what the page does not allow."""
    kind, rest = _open(message)
    match kind, rest:
        case "sat", [str(table), str(game), seat, ticket, last, room]:
            whole = _maybe(ticket, "ticket"), _number(last), _maybe(room, "room")
            return Sat(table, game, _seat(seat), *whole)
        case "part", [fields]:
            return Part(_fields(fields))
        case "step", [events, fields, state]:
            return Step(_events(events), _fields(fields), _state(_map(state, "a step's state")))
        case "refused", [number, str(text)]:
            return Refusal(None if number is None else _number(number), text)
        case "said", [seat, str(name), str(text)]:
            return HasSaid(_seat(seat), name, text)
        case "gone", [str(text)]:
            return Gone(text)
        case "tables", [tables]:
            return Tables([_map(table, "a table") for table in _list(tables)])
        case "games", [games]:
            return Games([_map(game, "a game") for game in _list(games)])
        case "drawn", [str(name), arguments]:
            return Drawn(name, _map(arguments, "what was drawn"))
        case _:
            raise BadMessage(f"{kind[:20]!r} with {len(rest)} more entries is no message of this protocol")


def _open(message: Any) -> tuple[str, list[Any]]:
    match message:
        case [str(kind), *rest]:
            return kind, rest
        case _:
            raise BadMessage("a message is an array that begins with a string")


def _join(game: str, wanted: Mapping[str, Any]) -> Join:
    unknown = wanted.keys() - _JOIN
    if unknown:
        raise BadMessage(f"join does not know {', '.join(sorted(unknown))[:100]}; it knows {', '.join(sorted(_JOIN))}")
    players = wanted.get("players")
    if players is not None:
        players = _number(players)
    options = _map(wanted.get("options") or {}, "options")
    if len(options) > MAX_OPTIONS:
        raise BadMessage(f"options are {len(options)}, and at most {MAX_OPTIONS}")
    _check_depth(options)
    room, ticket, key = (wanted.get(name) for name in ("room", "ticket", "key"))
    if room is not None and not 0 < len(_text(room, "room")) <= MAX_ROOM:
        raise BadMessage(f"room has 1 to {MAX_ROOM} characters")
    if ticket is not None and len(_text(ticket, "ticket")) > MAX_TICKET:
        raise BadMessage(f"ticket has at most {MAX_TICKET} characters")
    if key is not None and not MIN_KEY <= len(_text(key, "key")) <= MAX_KEY:
        raise BadMessage(f"key has {MIN_KEY} to {MAX_KEY} characters, drawn at random")
    watch, legal = (wanted.get(name, False) for name in ("watch", "legal"))
    if not isinstance(watch, bool) or not isinstance(legal, bool):
        raise BadMessage("watch and legal are true or false")
    return Join(game, room, players, options, watch, ticket, key, clean(_text(wanted.get("name", ""), "name")), legal)


_JOIN = {"room", "players", "options", "watch", "ticket", "key", "name", "legal"}


def clean(text: str, limit: int = MAX_NAME) -> str:
    """Return a text of a stranger as it may be shown in one line."""
    shown = "".join(character if character.isprintable() else " " for character in text[: 4 * limit])
    return " ".join(shown.split())[:limit]


def _word(value: Any, what: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_WORD:
        raise BadMessage(f"{what} is a string of at most {MAX_WORD} characters")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise BadMessage(f"{what} is a string of at most {MAX_TEXT} characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadMessage(f"{what} is no UTF-8") from error
    return value


def _maybe(value: Any, what: str) -> str | None:
    return None if value is None else _text(value, what)


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:
        raise BadMessage("a number is an integer from 0 to 2**53")
    return value


def _seat(value: Any) -> int | None:
    return None if value is None else _number(value)


def _lag(rest: list[Any]) -> float:
    if not rest:
        return 0.0
    if len(rest) == 1 and _is_number(rest[0]) and 0 <= rest[0] < 1000:
        return float(rest[0])
    raise BadMessage("lag is seconds from 0 to 1000, and the last entry")


def _map(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):  # pyright: ignore[reportUnknownVariableType]
        raise BadMessage(f"{what} is a map with strings as keys")
    return value  # pyright: ignore[reportUnknownVariableType]


def _named(value: Any) -> dict[str, Any]:
    arguments = _map(value, "a play's arguments")
    _check_depth(arguments)
    return arguments


def _check_depth(value: Any, depth: int = 0) -> None:
    """Bound what is handed on: the values themselves are bounded where they are used."""
    if not isinstance(value, _CONTAINERS) or not value:
        return
    if depth >= MAX_DEPTH:
        raise BadMessage(f"values nest at most {MAX_DEPTH} deep")
    inside: Iterable[Any] = chain(value, value.values()) if isinstance(value, _DICT) else value
    for item in inside:
        if isinstance(item, _CONTAINERS):
            _check_depth(item, depth + 1)


_DICT: Any = dict
_CONTAINERS: Any = (dict, list, tuple)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_seat(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _all(kind: Callable[[Any], bool], value: Any) -> bool:
    return isinstance(value, list) and all(map(kind, value))  # pyright: ignore[reportUnknownArgumentType]


def _is_presence(value: Any) -> bool:
    match value:
        case [str(), seconds]:
            return seconds is None or _is_number(seconds)
        case _:
            return False


def _is_result(value: Any) -> bool:
    match value:
        case None:
            return True
        case [winners, scores, str()]:
            return _all(_is_seat, winners) and (scores is None or _all(_is_number, scores))
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
    "to_move": lambda value: _all(_is_seat, value),
    "mover": lambda value: value is None or _is_seat(value),
    "out": lambda value: _all(_is_seat, value),
    "result": _is_result,
    "clocks": lambda value: value is None or _all(_is_number, value),
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


def _fields(value: Any) -> dict[str, bytes]:
    fields = _map(value, "fields")
    if not all(isinstance(data, bytes) for data in fields.values()):
        raise BadMessage("fields are binary")
    return fields


def _events(value: Any) -> list[list[Any]]:
    events = [_list(event) for event in _list(value)]
    if not all(event and isinstance(event[0], str) for event in events):
        raise BadMessage("an event is an array that begins with a string")
    return events


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BadMessage("what has entries is an array")
    return value  # pyright: ignore[reportUnknownVariableType]
