"""When something is due at which table."""

import heapq
from collections.abc import Iterator

from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.room import Room

SPARE_DUES = 64
"""Times beside two for each table that are kept before the void ones are dropped."""


class Dues:
    """The times at which clocks and patience run out, of all tables in memory."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._due: list[tuple[float, str]] = []
        self.hasty: set[str] = set()
        """Tables at which seats are to be played for in the next update."""

    def __len__(self) -> int:
        """How many times are kept, void ones too."""
        return len(self._due)

    @property
    def first(self) -> float | None:
        """The next one; None without any."""
        return self._due[0][0] if self._due else None

    def note(self, room: Room, now: float) -> None:
        """Note what is due next at a table."""
        table, over = room.table, room.over
        if table is None or (not over and (room.frozen or table.frozen)):
            return
        due = room.rematch_due() if over else table.due()
        if due != room.due:
            room.due = due
            if due is not None:
                heapq.heappush(self._due, (due, room.id))
                if len(self._due) > 2 * len(self._keeper.rooms) + SPARE_DUES:
                    self._forget_void()
        if room.game.absent == "bot" and table.stand_ins(now):
            self.hasty.add(room.id)

    def _forget_void(self) -> None:
        """Drop times that a later move made void: with long clocks they would stay for as long as those run."""
        rooms = self._keeper.rooms.values()
        self._due = [(room.due, room.id) for room in rooms if room.due is not None]
        heapq.heapify(self._due)

    def take(self, now: float) -> Iterator[Room]:
        """Take the tables at which something is due by now."""
        due: set[str] = set()
        while self._due and self._due[0][0] <= now:
            due.add(heapq.heappop(self._due)[1])
        for table in due:
            room = self._keeper.rooms.get(table)
            if room is not None and room.due is not None and room.due <= now:
                room.due = None
                yield room

    def put_off(self, room: Room, until: float) -> None:
        """Look at a table again then."""
        room.due = until
        heapq.heappush(self._due, (until, room.id))
