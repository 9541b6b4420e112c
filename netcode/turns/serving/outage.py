"""What is told while nothing can be stored, and once it can again: to who runs the server, and to all who are here."""

from typing import Any

from netcode.diagnostics import log
from netcode.peer import Peer
from netcode.turns import protocol
from netcode.turns.serving.crowd import Crowd
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.room import Room, Viewer
from netcode.turns.serving.telling import Telling


class Outage:
    """Tells of outages of the store.

    Args:
        keeper: knows whether it can store.
        crowd: all who are here: those at tables, and those who wait for one.
        telling: how it is told.
    """

    def __init__(self, keeper: Keeper, crowd: Crowd, telling: Telling) -> None:
        self._keeper, self._crowd, self._telling = keeper, crowd, telling
        self._known = ""
        """What is wrong, as far as that was told."""
        self._since: float | None = None

    def step(self, now: float) -> None:
        """Tell all that nothing can be stored, or that it can again."""
        trouble, keeper = self._keeper.writer.trouble, self._keeper
        if trouble == self._known:
            return
        self._known = trouble
        self._log(trouble, now)
        for room in keeper.rooms.values():
            state = self._of(room, now) if room.viewers else {}
            for viewer in room.viewers:
                self._show(viewer, state)
        for sleepers in keeper.asleep.values():  # whose tables are in the store alone
            for viewer in sleepers:
                self._show(viewer, {"frozen": keeper.writer.told})
        if trouble:
            for peer in self._crowd.joining:
                self.tell(peer)
            for peer in self._crowd.asking:
                self.refuse(peer)
            self._crowd.asking.clear()

    def tell(self, peer: Peer) -> None:
        """Tell somebody who waits for a seat why."""
        peer.send(protocol.Step([], {}, {"frozen": self._keeper.writer.told}).wire())

    def refuse(self, peer: Peer, number: int | None = None) -> None:
        """Tell somebody why what they ask for cannot be done now, which tells nothing of any table."""
        peer.send(protocol.Refusal(number, self._keeper.writer.told).wire())

    def _log(self, trouble: str, now: float) -> None:
        """Tell who runs the server, once for each reason and once for the end."""
        if trouble:
            log.warn("store", "nothing can be stored: %s", trouble)
            self._since = self._keeper.writer.failing_since
        else:
            assert self._since is not None
            tables = len(self._keeper.rooms) + len(self._keeper.asleep)
            text = "everything can be stored again, after %.1f s; %s stood still meanwhile"
            log.warn("store again", text, now - self._since, f"{tables} tables" if tables != 1 else "1 table")

    def _of(self, room: Room, now: float) -> dict[str, Any]:
        """Return what all at a table are told."""
        table = room.table
        told: dict[str, Any] = {
            "frozen": room.frozen or (table.frozen if table is not None else "") or self._keeper.writer.told
        }
        if self._known and table is not None and table.started:  # clocks that go on are told once they do
            told |= {"clocks": table.status(now).clocks, "running": ()}
        return told

    def _show(self, viewer: Viewer, told: dict[str, Any]) -> None:
        if viewer.public.get("frozen", "") != told["frozen"]:
            viewer.public = {**viewer.public, **told}
            self._telling.send([(viewer.peer, protocol.Step([], {}, told))])
