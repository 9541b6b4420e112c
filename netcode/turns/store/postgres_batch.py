"""A batch for PostgreSQL: what it does to each table, what of it is not stored, and the columns that a statement takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from netcode.turns.store import Entry, Listing, Lost, State

AGES = 1e11
"""Seconds, some 3,000 years, that a time may be away at most: PostgreSQL knows few before the year 1, and no infinite ones."""
BEHIND = "the database lacks its last commits, as after a failover to a standby that was behind; start the server again"
"""Why entries are gone that were stored."""


@dataclass(slots=True)
class Change:
    """What a batch does to one table."""

    bodies: dict[int, bytes] = field(default_factory=dict[int, bytes])
    state: State | None = None
    listing: Listing | None = None


class Stored(NamedTuple):
    """What is stored of one."""

    owner: int | None
    version: int
    state_version: int
    state: bytes


def what_is_new(
    entries: Sequence[Entry], states: Sequence[State], listings: Sequence[Listing]
) -> dict[str, Change] | None:
    """Return what a batch does to each table if nothing of it is stored; None if it says something twice."""
    changes: dict[str, Change] = {}
    for table, version, body in entries:
        bodies = changes.setdefault(table, Change()).bodies
        if bodies and next(reversed(bodies)) != version - 1:
            return None
        bodies[version] = body
    for state in states:
        change = changes.setdefault(state.table, Change())
        if change.state is not None:
            return None
        change.state = state
    for listing in listings:
        changes.setdefault(listing.table, Change()).listing = listing
    return changes


def what_is_lacking(
    entries: Sequence[Entry],
    states: Sequence[State],
    listings: Sequence[Listing],
    rows: Mapping[str, Stored],
    bodies: Mapping[tuple[str, int], bytes],
) -> dict[str, Change]:
    """Return what is not stored of a batch, where these `rows` and the `bodies` of its entries are.

    Raises:
        Lost: what is stored is not what we stored.
    """
    changes: dict[str, Change] = {}
    known = dict(bodies)
    for table, version, body in entries:
        last = max(changes[table].bodies) if table in changes else rows[table].version
        if version == last + 1:
            changes.setdefault(table, Change()).bodies[version] = known[table, version] = body
        elif version > last:
            raise Lost(f"table {table} lacks its entry {last + 1}, which was stored: {BEHIND}")
        elif version < 1 or known.get((table, version), body) != body:
            raise Lost(f"table {table} has something else as its entry {version}: another process wrote")
    for state in states:
        _put(state, rows[state.table], changes)
    for listing in listings:
        changes.setdefault(listing.table, Change()).listing = listing
    return changes


def _put(state: State, row: Stored, changes: dict[str, Change]) -> None:
    """Add a state to what is not stored, unless a newer one is."""
    table, version, body, _ = state
    change = changes.get(table)
    if version > (max(change.bodies, default=row.version) if change is not None else row.version):
        raise Lost(f"table {table} is not where its state {version} was: another process wrote")
    if version == row.state_version and body != row.state:
        raise Lost(f"table {table} has another state {version}: another process wrote")
    last = row.state_version if change is None or change.state is None else change.state.version
    if version >= last:
        changes.setdefault(table, Change()).state = state


def columns_of(changes: Mapping[str, Change]) -> dict[str, Any]:
    """Return a batch as the columns that its statement takes."""
    states = [change.state for change in changes.values()]
    listings = [change.listing for change in changes.values()]
    entries = [(table, *entry) for table, change in changes.items() for entry in change.bodies.items()]
    return {
        "ids": [*changes],
        "before": [min(change.bodies) - 1 if change.bodies else None for change in changes.values()],
        "after": [max(change.bodies, default=None) for change in changes.values()],
        "at": [None if state is None else state.version for state in states],
        "states": [None if state is None else state.body for state in states],
        "wakes": [None if state is None or state.wake is None else float(min(state.wake, AGES)) for state in states],
        "listed": [listing is not None for listing in listings],
        "listings": [None if listing is None else listing.body for listing in listings],
        "waits": [listing is None or listing.waits for listing in listings],
        "entry_ids": [table for table, _, _ in entries],
        "versions": [version for _, version, _ in entries],
        "bodies": [body for _, _, body in entries],
        "tables": len(changes),
    }
