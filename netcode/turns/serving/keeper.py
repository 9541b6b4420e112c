"""The tables in memory and the ones in the store: what is written when, what is loaded, and what may be told."""

from collections import ChainMap, OrderedDict, deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from netcode.diagnostics import log
from netcode.turns.serving.games import still_chosen
from netcode.turns.serving.lobby import Listing as Listed
from netcode.turns.serving.lobby import Lobby
from netcode.turns.serving.neighbours import LEAVING, Elsewhere, Neighbours
from netcode.turns.serving.room import Damaged, Room, Viewer
from netcode.turns.store import Entry, Listing, NewTable, Saved, State, Store
from netcode.turns.store.writer import Stored, Writer, make_writer

SMALL_STATE = 16_384
"""Bytes of a state up to which it is stored with every step; larger ones are stored less often."""
STEPS_BETWEEN = 20
"""How many steps may lie between two stored states."""
LISTED_AT_START = 10_000
"""Open tables that are read when the server starts."""
LISTED = 1_000
"""Open tables that are read when somebody looks for one, where other servers may have made some."""
LOADED_AT_ONCE = 500
"""Tables that are claimed in one batch: moves, and our sign of life, do not wait for thousands."""
WOKEN_AT_ONCE = 100
"""Tables that are brought back in one batch because their time has come."""
SOON = 5.0
"""Seconds for which a table stays in memory at least if its clock runs out then."""
TOLD_KEPT = 64
"""Of how much that may be so at many tables it is remembered that it was told."""
MAX_TOLD = 300
"""Characters of what was found wrong with a table that are logged."""

Found = Room | Elsewhere | str | None
"""A table, who has it, why it cannot be brought back, or None where there is none."""


class Keeper:
    """Keeps tables in memory while something happens there, and in the store always.

    Args:
        store: open.
        games: by name.
        clock: the time.
        idle: seconds after which a table at which nothing happens leaves memory.
        max_state: bytes of a table's state above which it is frozen.
        on_thread: whether the store has a thread of its own.
        returned: called with a table that came back into memory, before whoever asked for it gets it.
        made_elsewhere: called with a table that another process made in the same moment: it is no table.
        address: where others find this process.
    """

    def __init__(
        self,
        store: Store,
        games: Mapping[str, type[Any]],
        clock: Callable[[], float],
        *,
        idle: float,
        max_state: int,
        on_thread: bool,
        returned: Callable[[Room, float], None],
        made_elsewhere: Callable[[Room], None],
        address: str,
    ) -> None:
        self.damaged: set[str] = set()
        """Tables of which what is stored cannot be read, as far as anybody looked: nobody deletes them."""
        self._told = deque[str](maxlen=TOLD_KEPT)
        self.lobby = Lobby(games, self._tell_damage)
        self.rooms: OrderedDict[str, Room] = OrderedDict()  # the one that was touched last is the last
        self.asleep: dict[str, list[Viewer]] = {}
        """Who is at a table that left memory."""
        self.leaving: set[str] = set()
        """Tables that are being given back: what is asked of them waits for their next owner."""
        self.games, self.clock, self._idle, self._max_state = games, clock, idle, max_state
        self._returned, self._made_elsewhere = returned, made_elsewhere
        self._shared = store.lease is not None
        self.neighbours = Neighbours(address, store.lease or 0.0, clock())
        self._listed: Mapping[str, bytes] | None = None
        """What the lobby heard last of the tables of others."""
        self._wanted: dict[str, list[Callable[[Found], None]]] = {}
        self._queue: deque[str] = deque()
        self.lobby.refresh(store.open_tables(None, LISTED_AT_START).items(), (), whole=True)
        self.writer: Writer = make_writer(store, on_thread=on_thread)
        self.writer.tally.renewed_at = clock()

    def found(self, room: Room, now: float) -> None:
        """Take in a new table."""
        self._hold(room, now)
        batch = self.writer.batch
        batch.new.append(NewTable(room.id, room.game.__name__, room.stored(), None))
        self._mark(room)
        batch.done.append(lambda stored: self._check_made(room, stored))

    def _check_made(self, room: Room, stored: Stored) -> None:
        """Hear whether a new table exists. Its id was looked for in the store just before, but another may be quicker."""
        if room.id in stored.made:
            return
        assert self._shared, f"the table {room.id} existed"
        self.rooms.pop(room.id, None)
        self.writer.batch.leave_out([room.id])
        self._made_elsewhere(room)

    def log(self, room: Room, body: bytes) -> None:
        """Have an entry stored; `settle` follows when the change is complete."""
        self._mark(room)
        room.version += 1
        batch = self.writer.batch
        if batch.since is None:
            batch.since = self.clock()
        batch.entries.append(Entry(room.id, room.version, body))

    def settle(self, room: Room) -> None:
        """Have the state and the listing stored with the entries that led there, where they are due."""
        if room.version == room.settled:
            return
        room.settled = room.version
        if room.listed:
            listing = self._list(room)
            stored = None if listing is None else listing.stored()
            self.writer.batch.listings[room.id] = Listing(room.id, stored, waits=room.table is None)
        state = room.stored()
        if len(state) > self._max_state and not room.frozen:
            room.frozen = f"the state of this table has {len(state)} bytes, and max_state is {self._max_state}"
            self._tell_frozen(room.game.__name__, room.frozen)
        is_due = len(state) <= SMALL_STATE or room.version - room.state_version >= STEPS_BETWEEN
        if _may_be_stored(room) and (is_due or room.wakes != (room.next_due() is not None)):
            self._store_state(room, state)

    def _store_state(self, room: Room, state: bytes) -> None:
        self._mark(room)
        room.state_version = room.version
        due = room.next_due()
        room.wakes = due is not None
        wake = None if due is None else max(0.0, due - self.clock())
        self.writer.batch.states[room.id] = State(room.id, room.version, state, wake)

    def _mark(self, room: Room) -> None:
        """Hold back what is told of a table until the batch that gathers is stored."""
        told = self.writer.batch.told
        if room.id not in told:
            room.unsaved += 1
            told[room.id] = partial(_saved, room)

    def when_stored(self, room: Room, tell: Callable[[Stored | None], None]) -> None:
        """Tell something of a table: now, or once everything that it may tell of is stored."""
        if room.unsaved:
            self.writer.batch.done.append(tell)
        else:
            tell(None)

    def with_lobby(self, then: Callable[[], None]) -> None:
        """Call `then` once the lobby knows what other servers list: now where there are none."""
        if not self._shared:
            then()
            return
        self.writer.batch.listed = LISTED
        self.writer.batch.done.append(lambda stored: self._refreshed(stored, then))

    def _refreshed(self, stored: Stored, then: Callable[[], None]) -> None:
        if stored.listed is not self._listed:  # all who asked at once hear of it by the same batch
            self._listed = stored.listed
            others = ((table, body) for table, body in stored.listed.items() if table not in self.rooms)
            self.lobby.refresh(others, self.rooms, whole=len(stored.listed) < LISTED)
        then()

    def with_room(self, table: str, then: Callable[[Found], None]) -> None:
        """Call `then` with a table: now if it is in memory, else when it is loaded, or it is known who has it."""
        room = self.rooms.get(table)
        if room is not None:
            room.touched = self.clock()
            self.rooms.move_to_end(table)
            then(room)
            return
        waiting = self._wanted.setdefault(table, [])
        waiting.append(then)
        if len(waiting) == 1:
            self._ask(table)

    def _ask(self, table: str) -> None:
        batch = self.writer.batch
        if len(batch.load) >= LOADED_AT_ONCE:
            self._queue.append(table)
            return
        batch.instead = self.neighbours.instead(len(self.rooms))
        batch.load.add(table)
        batch.done.append(lambda stored: self._loaded(table, stored))

    def _loaded(self, table: str, stored: Stored) -> None:
        if self._queue:
            self._ask(self._queue.popleft())
        found: Found = self.rooms.get(table)
        if found is None and table in stored.loaded:
            found = self._bring_back(table, stored.loaded[table])
        elif found is None and table in stored.elsewhere:
            found = self.neighbours.where(table, stored.elsewhere[table], self.clock())
            if found is None:
                return  # whoever asks would ask all servers, and hear the same; we ask again with the next sign of life
        self.neighbours.settle(table)
        for then in self._wanted.pop(table, []):
            then(self.rooms.get(table) or found)

    def _bring_back(self, table: str, saved: Saved) -> Room | str:
        now = self.clock()
        room = Room.restore(table, saved, self.games, now)
        if isinstance(room, Room):
            if room.table is None:
                room.options = still_chosen(room.game, room.options)
            elif room.table.damage:
                self._tell_damage(table, room.table.damage)
            elif room.table.frozen:
                self._tell_frozen(room.game.__name__, room.table.frozen)
            else:
                for said in room.table.dropped:
                    self._tell_once(said)
            self._hold(room, now)
            room.viewers = self.asleep.pop(table, [])
            room.wakes = room.next_due() is not None
            self._returned(room, now)
        elif isinstance(room, Damaged):  # it stays ours: nobody else can read it, and nobody is to wake or to delete it
            self._tell_damage(table, room.what)
        else:
            self._tell_once(
                f"somebody cannot go on with a table: {room}; have a server of this store play it that is of that version, "
                "or has the class under the name that it had: what nobody can come to is deleted once it is old"
            )
            self.writer.batch.release.add(table)  # a game that is not played here, or of another version: others may
        return room

    def _tell_damage(self, table: str, what: str) -> None:
        """Tell who runs the server, once, of a table that is damaged, and keep it as it is."""
        if table in self.damaged:
            return
        self.damaged.add(table)
        text = "table %s is damaged: %s; it is kept as it is: put its row from a copy in its place, or delete it"
        log.warn(f"table {table}", text, ascii(table)[1:-1], _shown(what))

    def _tell_frozen(self, game: str, why: str) -> None:
        """Tell who runs the server why nobody can play on at tables of a game."""
        self._tell_once(f"tables of {game} are frozen: {_shown(why)}; they are kept as they are")

    def _tell_once(self, said: str) -> None:
        """Tell who runs the server what may be so at all tables of a game, and for all who come to them."""
        if said not in self._told:
            self._told.append(said)
            log.warn(said, "%s", said)

    def live(self, *, leaving: bool) -> None:
        """Say that we live and how many tables we have, hear of the others, and take what is due and nobody's.

        Args:
            leaving: True to take nothing, and to be sent nothing.
        """
        batch = self.writer.batch
        if batch.renew is None:
            batch.done.append(self._renewed)
            for table in self.neighbours.unsettled[:LOADED_AT_ONCE]:
                self._ask(table)
        batch.renew, batch.wake = (LEAVING, 0) if leaving else (len(self.rooms), WOKEN_AT_ONCE)
        batch.games = self.games.keys()

    def _renewed(self, stored: Stored) -> None:
        self.neighbours.hear(stored.nodes, self.clock())
        for table, saved in stored.woken.items():
            if table not in self.rooms and table not in self._wanted:
                self._bring_back(table, saved)

    def let_go(self, room: Room, then: Callable[[], None]) -> None:
        """Store a table, give it back, and call `then` when anybody else may have it."""
        self._stop_clocks(room)
        is_new = room.version > room.state_version or room.wakes != (room.next_due() is not None)
        if is_new and _may_be_stored(room):
            self._store_state(room, room.stored())
        self.leaving.add(room.id)
        self.writer.batch.release.add(room.id)
        self.writer.batch.done.append(lambda _: self._gone(room, then))

    def _stop_clocks(self, room: Room) -> None:
        """Have stored what has passed on the clocks that run: they stand until somebody has the table again."""
        if room.table is not None and room.table.clock_due() is not None and not room.frozen:
            self.log(room, room.stand(self.clock()))

    def _gone(self, room: Room, then: Callable[[], None]) -> None:
        self.rooms.pop(room.id, None)
        self.leaving.discard(room.id)
        then()

    def _hold(self, room: Room, now: float) -> None:
        room.touched = now
        self.rooms[room.id] = room
        self._list(room)
        self.lobby.know(room.id, [seat.key for seat in room.seats])

    def _list(self, room: Room) -> Listed | None:
        """Show the table to those who look for one, if it is to be found."""
        listing = room.listing()
        if listing is None:
            self.lobby.close(room.game.__name__, room.id)
        else:
            self.lobby.put(listing)
        return listing

    def put_away(self, now: float) -> None:
        """Let tables leave memory at which nothing happens, and nothing is due by itself while somebody is there.

        Where nobody is, and nothing is due for long but a clock, the store tells when that has run out.
        """
        for _ in range(len(self.rooms)):
            room = next(iter(self.rooms.values()))
            if now - room.touched < self._idle:
                return
            unstored = room.version > room.state_version and _may_be_stored(room)
            sleeps = not room.viewers and room.wakes and _only_a_clock_runs(room, now + max(self._idle, SOON))
            if (
                room.id in self.leaving
                or room.unsaved
                or (room.due is not None and not sleeps)
                or room.frozen
                or unstored
            ):
                if unstored:
                    self._store_state(room, room.stored())
                room.touched = now
                self.rooms.move_to_end(room.id)
                continue
            if sleeps:
                self.log(room, room.sleep())
            del self.rooms[room.id]
            if room.viewers:
                self.asleep[room.id] = room.viewers  # to whom we have to tell what happens: the table stays ours
            else:
                self.writer.batch.release.add(room.id)
            if not room.listed:
                self.lobby.forget_keys(seat.key for seat in room.seats)

    def forget_sleeper(self, viewer: Viewer) -> None:
        """Forget somebody who sat at a table that is not in memory."""
        sleepers = self.asleep.get(viewer.table, [])
        if viewer in sleepers:
            sleepers.remove(viewer)
        if not sleepers and self.asleep.pop(viewer.table, None) is not None and viewer.table not in self._wanted:
            self.writer.batch.release.add(viewer.table)

    def expire(self, keep: float, waiting: float) -> None:
        """Have tables deleted at which nothing happened for so long; those that are here, or at which somebody is, stay."""
        self.writer.batch.expire = (
            keep,
            waiting,
            ChainMap[str, Any](self.rooms, self.asleep, dict.fromkeys(self.damaged)),
        )
        self.writer.batch.done.append(lambda stored: self.lobby.forget(stored.expired))

    def close(self, now: float) -> None:
        """Store what can be stored, and end the writer. The store stays open.

        Raises:
            Lost: the tables are not ours any more.
        """
        try:
            for room in self.rooms.values():
                self._stop_clocks(room)
                if room.version > room.state_version and _may_be_stored(room):
                    self._store_state(room, room.stored())
            self.writer.flush(now)
        finally:
            self.writer.carrier.close()


def _may_be_stored(room: Room) -> bool:
    """Tell whether the state has everything that the entries before it brought.

    That of a table frozen by changed rules is what it was before them; other rules may still play them.
    """
    return room.table is None or room.table.frozen == ""


def _only_a_clock_runs(room: Room, until: float) -> bool:
    """Tell whether nothing happens there by itself until then, and afterwards only that a clock has run out."""
    return room.table is not None and room.due is not None and room.due == room.table.clock_due() and room.due > until


def _shown(what: str) -> str:
    """Return what was found wrong, in one short line: it may quote what is stored."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in what)[:MAX_TOLD]


def _saved(room: Room) -> None:
    room.unsaved -= 1
