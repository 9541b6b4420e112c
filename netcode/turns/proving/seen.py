"""What there is to be seen of a table, as it is compared with another one that should be the same."""

from typing import Any

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
