"""What there is to be seen of a table, as it is compared with another one that should be the same."""

from hashlib import blake2b
from typing import Any, NamedTuple

from netcode.turns.language.fields import Packed
from netcode.turns.table import Table
from netcode.turns.values import plain


def seen(table: Table) -> Any:
    """Return everything that anybody sees of a table, and the answer that counts for who is absent."""
    seats = range(table.players)
    views = [dict(table.view(viewer)) for viewer in (None, *seats)]
    return [
        views,
        [table.legal_all(seat) for seat in seats],
        [*map(table.question, seats)],
        default_of(table),
        table.to_move,
    ]


def default_of(table: Table) -> Any:
    """Return the default of the question that is asked, as plain wire data; None if there is none."""
    waits = table.course.suspension
    if waits is None or waits.question.default is ...:
        return None
    return plain(waits.question.default)


class Mark(NamedTuple):
    """What a table is known by when the same game is played again in this process."""

    state: bytes
    """A digest of all that is stored."""
    fields: tuple[int, ...]
    """A hash of each field."""


def mark_of(table: Table) -> Mark:
    """Return what a table is known by."""
    return Mark(blake2b(table.snapshot(), digest_size=8).digest(), tuple(map(hash, table.course.packed.values())))


def otherwise(packed: Packed, here: Mark, there: Mark, after: str) -> str:
    """Say after which move a game is another one, and which fields are, for the end of a sentence."""
    fields = [name for name, one, other in zip(packed, here.fields, there.fields, strict=False) if one != other]
    return f" It differs after {after}{': ' if fields else ''}{', '.join(fields)}"
