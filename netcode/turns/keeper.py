"""The tables in memory and the ones in the store: what is written when, what is loaded, and what may be told."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from netcode.turns.lobby import Lobby
from netcode.turns.room import Room, Viewer
from netcode.turns.store import Entry, Listing, NewTable, State, Store
from netcode.turns.store.writer import Stored, Writer, make_writer

SMALL_STATE = 16_384
"""Bytes of a state up to which it is stored with every step; larger ones are stored less often."""
STEPS_BETWEEN = 20
"""How many steps may lie between two stored states."""
LISTED_AT_START = 10_000
"""Open tables that are read when the server starts."""


class Keeper:
    """Keeps tables in memory while something happens there, and in the store always.

    Args:
        store: open.
        games: by name.
        idle: seconds after which a table at which nothing happens leaves memory.
        max_state: bytes of a table's state above which it is frozen.
        on_thread: whether the store has a thread of its own.
        returned: called with a table that came back into memory, before whoever asked for it gets it.
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
    ) -> None:
        self.lobby = Lobby()
        self.rooms: OrderedDict[str, Room] = OrderedDict()  # the one that was touched last is the last
        self.asleep: dict[str, list[Viewer]] = {}
        """Who is at a table that left memory."""
        self._games, self._clock, self._idle, self._max_state = games, clock, idle, max_state
        self._returned = returned
        self._wanted: dict[str, list[Callable[[Room | str | None], None]]] = {}
        self.lobby.learn(store.open_tables(None, LISTED_AT_START).items(), games)
        self.writer: Writer = make_writer(store, on_thread=on_thread)
        self.writer.tally.renewed_at = clock()

    @property
    def trouble(self) -> str:
        """Why nothing can be stored at present."""
        return self.writer.trouble

    # What is stored.

    def found(self, room: Room, now: float) -> None:
        """Take in a new table."""
        self._hold(room, now)
        batch = self.writer.batch
        batch.new.append(NewTable(room.id, room.game.__name__, room.stored(), None))
        self._mark(room)
        batch.done.append(lambda stored: _check_made(room.id, stored))

    def log(self, room: Room, body: bytes) -> None:
        """Have an entry stored; `settle` follows when the change is complete."""
        self._mark(room)
        room.version += 1
        if self.writer.batch.since is None:
            self.writer.batch.since = self._clock()
        self.writer.batch.entries.append(Entry(room.id, room.version, body))

    def settle(self, room: Room) -> None:
        """Have the state and the listing stored with the entries that led there, where they are due."""
        if room.version == room.settled:
            return
        room.settled = room.version
        if room.listed:
            listing = room.listing()
            stored = None if listing is None else listing.stored()
            self.writer.batch.listings[room.id] = Listing(room.id, stored)
            self._list(room)
        state = room.stored()
        if len(state) > self._max_state and not room.frozen:
            room.frozen = f"the state of this table has {len(state)} bytes, and max_state is {self._max_state}"
        if len(state) <= SMALL_STATE or room.version - room.state_version >= STEPS_BETWEEN:
            self._store_state(room, state)

    def _store_state(self, room: Room, state: bytes) -> None:
        self._mark(room)
        room.state_version = room.version
        self.writer.batch.states[room.id] = State(room.id, room.version, state)

    def _mark(self, room: Room) -> None:
        """Hold back what is told of a table until the batch that gathers is stored."""
        told = self.writer.batch.told
        if room.id not in told:
            room.unsaved += 1
            told[room.id] = lambda: _saved(room)

    def when_stored(self, room: Room, tell: Callable[[], None]) -> None:
        """Tell something of a table: now, or once everything that it may tell of is stored."""
        if room.unsaved:
            self.writer.batch.done.append(lambda _: tell())
        else:
            tell()

    # What is in memory.

    def with_room(self, table: str, then: Callable[[Room | str | None], None]) -> None:
        """Call `then` with a table: now if it is in memory, else when it is loaded.

        It is a sentence where the table cannot be brought back, and None where there is none.
        """
        room = self.rooms.get(table)
        if room is not None:
            room.touched = self._clock()
            self.rooms.move_to_end(table)
            then(room)
            return
        waiting = self._wanted.setdefault(table, [])
        waiting.append(then)
        if len(waiting) == 1:
            self.writer.batch.load.add(table)
            self.writer.batch.done.append(lambda stored: self._loaded(table, stored))

    def _loaded(self, table: str, stored: Stored) -> None:
        room: Room | str | None = self.rooms.get(table)
        saved = stored.loaded.get(table)
        if room is None and saved is not None:
            now = self._clock()
            room = Room.restore(table, saved, self._games, now)
            if isinstance(room, Room):
                self._hold(room, now)
                room.viewers = self.asleep.pop(table, [])
                self._returned(room, now)
        for then in self._wanted.pop(table, []):
            then(self.rooms.get(table) or room)

    def _hold(self, room: Room, now: float) -> None:
        room.touched = now
        self.rooms[room.id] = room
        self._list(room)
        self.lobby.know(room.id, [seat.key for seat in room.seats])

    def _list(self, room: Room) -> None:
        listing = room.listing()
        if listing is None:
            self.lobby.close(room.game.__name__, room.id)
        else:
            self.lobby.put(listing)

    def put_away(self, now: float) -> None:
        """Let tables leave memory at which nothing happens, and at which nothing is due by itself."""
        for _ in range(len(self.rooms)):
            room = next(iter(self.rooms.values()))
            if now - room.touched < self._idle:
                return
            if room.unsaved or room.due is not None or room.frozen or room.version > room.state_version:
                if room.version > room.state_version:
                    self._store_state(room, room.stored())
                room.touched = now
                self.rooms.move_to_end(room.id)
                continue
            del self.rooms[room.id]
            if room.viewers:
                self.asleep[room.id] = room.viewers
            if not room.listed:
                self.lobby.forget_keys(seat.key for seat in room.seats)

    def wake_up(self, viewer: Viewer) -> None:
        """Forget somebody who sat at a table that is not in memory."""
        sleepers = self.asleep.get(viewer.table, [])
        if viewer in sleepers:
            sleepers.remove(viewer)
        if not sleepers:
            self.asleep.pop(viewer.table, None)

    def dropped(self, stored: Stored) -> list[Viewer]:
        """Forget the tables that the store deleted, and return who was there."""
        viewers: list[Viewer] = []
        for table in stored.expired:
            room = self.rooms.pop(table, None)
            viewers += self.asleep.pop(table, []) if room is None else room.viewers
        if stored.expired:
            self.lobby.forget(stored.expired)
        return viewers

    def close(self, now: float) -> None:
        """Store what can be stored, and end the writer. The store stays open.

        Raises:
            Lost: the tables are not ours any more.
        """
        try:
            for room in self.rooms.values():
                if room.version > room.state_version:
                    self._store_state(room, room.stored())
            self.writer.flush(now)
        finally:
            self.writer.carrier.close()


def _saved(room: Room) -> None:
    room.unsaved -= 1


def _check_made(table: str, stored: Stored) -> None:
    # Its id was drawn at random, or was looked for in the store just before.
    assert table in stored.made, f"the table {table} existed"
