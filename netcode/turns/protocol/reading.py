"""What requests and replies have in common: the bounds of what is said, and how an entry of a message is read.

Each of these functions returns the entry as what it is, or raises `BadMessage`.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from netcode.console import shown
from netcode.errors import NetcodeError
from netcode.reasons import is_unicode

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


def opened(message: Any) -> tuple[str, list[Any]]:
    """Return what kind of message it is, and the entries that follow."""
    if not isinstance(message, _ARRAYS) or not message or not isinstance(message[0], str):
        raise BadMessage("a message is an array that begins with a string")
    kind, *rest = message
    return kind, rest


def clean(text: str, limit: int = MAX_NAME) -> str:
    """Return a text of a stranger as it may be shown in one line."""
    line = " ".join(shown(text[: 4 * limit], lambda _: " ").split())[:limit]
    return " ".join(shown(line, lambda _: " ").split())  # a letter behind a joiner may have gone


def word(value: Any, what: str) -> str:
    """Read what names something."""
    if not isinstance(value, str) or len(value) > MAX_WORD:
        raise BadMessage(f"{what} is a string of at most {MAX_WORD} characters")
    return value


def text_of(value: Any, what: str, most: int = MAX_TEXT) -> str:
    """Read a text, which may be empty."""
    if not isinstance(value, str) or len(value) > most:
        raise BadMessage(f"{what} is a string of at most {most} characters")
    if not is_unicode(value):
        raise BadMessage(f"{what} is no UTF-8")
    return value


def number_of(value: Any) -> int:
    """Read a number of what is counted."""
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:
        raise BadMessage("a number is an integer from 0 to 2**53")
    return value


def seat_of(value: Any) -> int | None:
    """Read a seat; None for who watches."""
    return None if value is None else number_of(value)


def map_of(value: Any, what: str) -> dict[str, Any]:
    """Read what has names."""
    if isinstance(value, dict) and _TEXT.issuperset(map(type, value)):  # pyright: ignore[reportUnknownArgumentType]
        return value  # pyright: ignore[reportUnknownVariableType]
    raise BadMessage(f"{what} is a map with strings as keys")


def check_depth(value: Any, depth: int = 0) -> None:
    """Bound what is handed on: the values themselves are bounded where they are used."""
    if value.__class__ not in _CONTAINERS or not value:
        return
    if depth >= MAX_DEPTH:
        raise BadMessage(f"values nest at most {MAX_DEPTH} deep")
    inside: Iterable[Any] = chain(value, value.values()) if isinstance(value, _DICT) else value
    for item in inside:
        if item.__class__ in _CONTAINERS:
            check_depth(item, depth + 1)


_DICT: Any = dict
_ARRAYS: Any = (list, tuple)
_TEXT = frozenset((str,))
_CONTAINERS = frozenset((dict, list, tuple))
_NUMBERS = (int, float)


def is_number(value: Any) -> bool:
    """Tell whether it is a number, which true and false are not."""
    return isinstance(value, _NUMBERS) and value is not True and value is not False


def list_of(value: Any) -> list[Any]:
    """Read what has entries."""
    if not isinstance(value, list):
        raise BadMessage("what has entries is an array")
    return value  # pyright: ignore[reportUnknownVariableType]
