"""What a player asks for, as typed values: `wire()` is what msgpack says, and `read_request` takes it apart again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from netcode.turns.protocol.reading import (
    MAX_KEY,
    MAX_OPTIONS,
    MAX_ROOM,
    MAX_TICKET,
    MIN_KEY,
    BadMessage,
    check_depth,
    clean,
    is_number,
    map_of,
    number_of,
    opened,
    text_of,
    word,
)


class _Uncounted:
    """What may be asked for again and again: only plays and answers have numbers, by which each counts once."""

    __slots__ = ()
    number: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class Join(_Uncounted):
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


@dataclass(slots=True)  # it comes with each move, and a frozen one takes thrice as long
class MakePlay:
    """Make a move. `lag` is what the player's end measured as the round trip, in seconds."""

    number: int
    name: str
    arguments: Mapping[str, Any]
    lag: float = 0.0

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["play", self.number, self.name, dict(self.arguments), self.lag]


@dataclass(slots=True)  # likewise
class GiveAnswer:
    """Answer the question of this id."""

    number: int
    question: str
    option: Any
    lag: float = 0.0

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["answer", self.number, self.question, self.option, self.lag]


@dataclass(frozen=True, slots=True)
class Say(_Uncounted):
    """Say something to all at the table."""

    text: str

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["say", self.text]


@dataclass(frozen=True, slots=True)
class Consent(_Uncounted):
    """Agree to the undo that another seat wants, or not."""

    agreed: bool

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["consent", self.agreed]


@dataclass(frozen=True, slots=True)
class Wish(_Uncounted):
    """Something that needs no more than its name: `undo`, `start`, `rematch`, `leave`."""

    what: str

    def wire(self) -> list[Any]:
        """Return the message."""
        return [self.what]


@dataclass(frozen=True, slots=True)
class ListTables(_Uncounted):
    """Ask for the tables that can be joined, of one game or of all."""

    game: str | None = None

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["tables", self.game]


@dataclass(frozen=True, slots=True)
class ListGames(_Uncounted):
    """Ask what is played here, and how."""

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["games"]


@dataclass(frozen=True, slots=True)
class Draw(_Uncounted):
    """Ask for arguments of a move that is not listed, or for an answer that is free if `name` is empty."""

    name: str

    def wire(self) -> list[Any]:
        """Return the message."""
        return ["draw", self.name]


Request = Join | MakePlay | GiveAnswer | Say | Consent | Wish | ListTables | ListGames | Draw

JOIN_KEYS = frozenset({"room", "players", "options", "watch", "ticket", "key", "name", "legal"})
"""What `join` may ask for beside the game."""

WISHES = ("undo", "start", "rematch", "leave")


def read_request(message: Any) -> Request:
    """Return what a stranger asks for. Raises `BadMessage` for what the page does not allow."""
    kind, rest = opened(message)
    if kind == "play" and len(rest) >= 3:  # before all others: it is what most messages are
        number, name, arguments, *lag = rest
        return MakePlay(_counted(number), word(name, "a move's name"), _named(arguments), _lag(lag))
    match kind, rest:
        case "join", [game, wanted]:
            return _join(word(game, "the game's name"), map_of(wanted, "what join asks for"))
        case "answer", [number, question, option, *lag]:
            check_depth(option)
            return GiveAnswer(_counted(number), word(question, "a question's id"), option, _lag(lag))
        case "say", [text]:
            return Say(text_of(text, "what is said"))
        case "consent", [bool(agreed)]:
            return Consent(agreed)
        case "tables", [game]:
            return ListTables(None if game is None else word(game, "the game's name"))
        case "games", []:
            return ListGames()
        case "draw", [name]:
            return Draw(word(name, "a move's name"))
        case str(wish), [] if wish in WISHES:
            return Wish(wish)
        case _:
            raise BadMessage(f"{kind[:20]!r} with {len(rest)} more entries is no message of this protocol")


def _join(game: str, wanted: Mapping[str, Any]) -> Join:
    unknown = wanted.keys() - JOIN_KEYS
    if unknown:
        raise BadMessage(
            f"join does not know {', '.join(sorted(unknown))[:100]}; it knows {', '.join(sorted(JOIN_KEYS))}"
        )
    players = wanted.get("players")
    if players is not None:
        players = number_of(players)
    options = map_of(wanted.get("options") or {}, "options")
    if len(options) > MAX_OPTIONS:
        raise BadMessage(f"options are {len(options)}, and at most {MAX_OPTIONS}")
    check_depth(options)
    room, ticket, key = (wanted.get(name) for name in ("room", "ticket", "key"))
    if room is not None and not text_of(room, "room", MAX_ROOM):
        raise BadMessage(f"room has 1 to {MAX_ROOM} characters")
    if ticket is not None:
        text_of(ticket, "ticket", MAX_TICKET)
    if key is not None and len(text_of(key, "key", MAX_KEY)) < MIN_KEY:
        raise BadMessage(f"key has {MIN_KEY} to {MAX_KEY} characters, drawn at random")
    watch, legal = (wanted.get(name, False) for name in ("watch", "legal"))
    if not isinstance(watch, bool) or not isinstance(legal, bool):
        raise BadMessage("watch and legal are true or false")
    return Join(game, room, players, options, watch, ticket, key, clean(text_of(wanted.get("name", ""), "name")), legal)


def _lag(rest: list[Any]) -> float:
    if not rest:
        return 0.0
    if len(rest) == 1 and is_number(rest[0]) and 0 <= rest[0] < 1000:
        return float(rest[0])
    raise BadMessage("lag is seconds from 0 to 1000, and the last entry")


def _named(value: Any) -> dict[str, Any]:
    arguments = map_of(value, "a play's arguments")
    for argument in arguments.values():
        check_depth(argument, 1)
    return arguments


def _counted(value: Any) -> int:
    """Read the number of a play; a seat counts from 1."""
    number = number_of(value)
    if number == 0:
        raise BadMessage("plays are counted from 1")
    return number
