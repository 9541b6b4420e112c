"""How many columns of a terminal a text takes: two for a Chinese character or an emoji, none for an accent of its own."""

import unicodedata


def columns(text: str) -> int:
    """Return how many columns a text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def padded(text: str, width: int) -> str:
    """Return a text with blanks behind it, so that it takes so many columns."""
    return text + " " * (width - columns(text))


def _columns(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 1
