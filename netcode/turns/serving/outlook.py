"""What is told of a table: to all who are there, to one seat alone, and of what happened."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from netcode.turns.errors import BUGS
from netcode.turns.runtime import legal, log
from netcode.turns.runtime.outcomes import said_of
from netcode.turns.serving.room import Room, Viewer
from netcode.turns.table import Happening, Moved, Over, Status, Table, TakenBack, Told

MAX_LISTED = 500
"""Legal plays that are sent; where there are more, the moves that have most of them count as unlisted."""


def public_of(room: Room, now: float, trouble: str) -> dict[str, Any]:
    """Return what all may know beside the fields."""
    table, seats = room.table, room.seats
    state: dict[str, Any] = {
        "names": [seat.name for seat in seats] if table is None else table.names,
        "players": [room.least, room.most],
        "options": room.options,
        "presence": [room.presence(seat, now) for seat in range(len(seats))],
        "rematch": sorted(room.rematch),
        "spectators": [viewer.seat for viewer in room.viewers].count(None),
        "frozen": room.frozen or trouble,
        "started": False,
    }
    if table is not None:
        state |= _state_of(table, table.status(now), room.frozen or trouble)
    return state


def own_of(room: Room, viewer: Viewer) -> dict[str, Any]:
    """Return what only this viewer may know."""
    table, seat = room.table, viewer.seat
    if table is None or seat is None:
        return {}
    asked = table.question(seat)
    own: dict[str, Any] = {
        "last": table.numbers[seat],
        "question": None if asked is None else (asked.id, asked.prompt, asked.options),
        "text": asked is not None and asked.text,
        "undo": table.can_undo(seat),
    }
    if viewer.legal:
        own["legal"], own["unlisted"] = listed(table, seat)
        definition = table.course.definition
        if definition.has_places:
            moves = definition.moves
            own["places"] = [moves[name].places_of(seat, arguments) if name else [] for name, arguments in own["legal"]]
    return own


def view_of(room: Room, viewer: Viewer) -> Mapping[str, bytes]:
    """Return the fields as this viewer sees them."""
    return {} if room.table is None or not room.table.started else room.table.view(viewer.seat)


_NEW: Any = object()
"""Is no value of anything, and equal to none."""


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is new or different."""
    if before is after:
        return {}
    found: dict[str, Any] = {}
    for name, value in after.items():
        known = before.get(name, _NEW)
        if known is not value and known != value:
            found[name] = value
    return found


def listed(table: Table, seat: int) -> legal.Listing:
    """Return the legal plays of a seat, and the moves that are legal and not listed; nothing where the rules fail."""
    try:
        listing = table.legal(seat)
    except BUGS as error:  # a domain that fails lists nothing, and the table goes on
        log.bug(table.game.__name__, error, "what is legal")
        return legal.Listing()
    if len(listing.plays) <= MAX_LISTED:
        return listing
    left, unlisted = len(listing.plays), {*listing.unlisted}
    for name, count in Counter(name for name, _ in listing.plays).most_common():
        if left > MAX_LISTED:
            left -= count
            unlisted.add(name)
    plays = tuple(play for play in listing.plays if play[0] not in unlisted)
    return legal.Listing(plays, tuple(sorted(unlisted)))


def _state_of(table: Table, status: Status, frozen: str) -> dict[str, Any]:
    started, number, to_move, mover, out, asked, result, clocks, running, secret, stopped = status
    frozen = frozen or stopped
    return {
        "id": table.id,
        "started": started,
        "number": number,
        "to_move": to_move,
        "mover": mover,
        "out": out,
        "asked": asked,
        "result": None if result is None else said_of(result),
        "clocks": clocks,
        "running": () if frozen else running,  # time stands still, where they are shown as well
        "secret": secret,
        "frozen": frozen,
        "undo_by": table.undo_wanted_by(),
    }


Event = tuple[list[Any], tuple[int, ...] | None]
"""What is told of what happened, and to which seats alone; None for all, and for those who watch."""


def events_of(happenings: Iterable[Happening]) -> list[Event]:
    """Return what is told of what happened."""
    events: list[Event] = []
    for happening in happenings:
        match happening:
            case Moved():
                events.append((["moved", *happening], None))
            case Told(text, facts, to):
                alone = [] if to is None else [True]  # to whom else would tell one spy of the other
                events.append((["told", text, dict(facts), *alone], to))
            case TakenBack(whose, text, alone):
                to = (whose,) if alone and whose is not None else None
                events.append((["taken back", whose, text], to))
            case Over(result):
                events.append((["over", *said_of(result)], None))
    return events
