"""The messages between a table's server and those who sit at it, as typed values; the page «The messages of `netcode.turns`» is the standard.

A message is an array whose first entry says what it is. `read_request` and `read_reply` take what msgpack gave and
raise `BadMessage` for everything that the page does not allow; `wire()` makes what msgpack says.
"""

from netcode.turns.protocol.reading import MAX_DEPTH, MAX_NAME, MAX_ROOM, BadMessage, clean
from netcode.turns.protocol.replies import (
    Drawn,
    Games,
    Gone,
    HasSaid,
    Part,
    Refusal,
    Reply,
    Sat,
    Step,
    Tables,
    read_reply,
)
from netcode.turns.protocol.requests import (
    JOIN_KEYS,
    WISHES,
    Consent,
    Draw,
    GiveAnswer,
    Join,
    ListGames,
    ListTables,
    MakePlay,
    Request,
    Say,
    Wish,
    read_request,
)

__all__ = [
    "GAME",
    "JOIN_KEYS",
    "MAX_DEPTH",
    "MAX_NAME",
    "MAX_ROOM",
    "VERSION",
    "WISHES",
    "BadMessage",
    "Consent",
    "Draw",
    "Drawn",
    "Games",
    "GiveAnswer",
    "Gone",
    "HasSaid",
    "Join",
    "ListGames",
    "ListTables",
    "MakePlay",
    "Part",
    "Refusal",
    "Reply",
    "Request",
    "Sat",
    "Say",
    "Step",
    "Tables",
    "Wish",
    "clean",
    "read_reply",
    "read_request",
]

GAME = "netcode.turns"
"""What HELLO says is played: the kit itself; which game a table plays is said in `join`."""
VERSION = "1"
