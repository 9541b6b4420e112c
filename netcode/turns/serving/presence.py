"""Who is there, away or back: told to all at the table, and counted by the rules."""

from netcode.peer import Peer
from netcode.turns.serving.crowd import Crowd
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.room import Room, Viewer
from netcode.turns.serving.steps import Steps
from netcode.turns.serving.telling import Telling
from netcode.turns.table import Step


class Presences:
    """Keeps the tables informed of who is there."""

    def __init__(self, keeper: Keeper, crowd: Crowd, telling: Telling, steps: Steps) -> None:
        self._keeper, self._crowd, self._telling, self._steps = keeper, crowd, telling, steps

    def hear(self, peer: Peer, present: bool, now: float) -> None:
        """Hear that somebody's link is there again, or broken."""
        viewer = self._crowd.viewers.get(peer)
        if viewer is None or viewer.seat is None:
            return
        room = self._keeper.rooms.get(viewer.table)
        if room is None:
            self._miss(viewer)
        else:
            self.set(room, viewer.seat, present, now)

    def _miss(self, viewer: Viewer) -> None:
        """Have a table brought back that left memory, for the others who are there: `returned` sees who is away."""
        if viewer.table in self._keeper.asleep:
            self._keeper.with_room(viewer.table, lambda _: None)

    def set(self, room: Room, seat: int, present: bool, now: float) -> None:
        """Have a seat count as present, or as away from now on."""
        taken = room.seats[seat]
        if (taken.away_since is None) is present:
            return
        taken.away_since = None if present else now
        event = ["presence", seat, *room.presence(seat, now)]
        steps: tuple[Step, ...] = ()
        if room.table is not None and not room.over:
            room.table.note_presence(seat, present, now)
            if not self._keeper.writer.trouble:  # nobody could play: time stands still until somebody can
                steps = room.table.advance(now)
        self._steps.take(room, steps, now, events=[event])

    def left(self, viewer: Viewer, now: float) -> None:
        """Hear that somebody is not connected any more."""
        room = self._keeper.rooms.get(viewer.table)
        if room is None:
            self._keeper.forget_sleeper(viewer)
            if viewer.seat is not None:
                self._miss(viewer)
            return
        if viewer in room.viewers:
            room.viewers.remove(viewer)
        if viewer.seat is not None:
            self.set(room, viewer.seat, False, now)
        self._telling.publish_later(room)

    def returned(self, room: Room, now: float) -> None:
        """Hear that a table came back into memory: who is there now, and what is due."""
        steps: list[Step] = []
        for number, seat in enumerate(room.seats):
            viewer = room.viewer_of(number)
            seat.away_since = None if viewer is not None and not viewer.peer.away else now
            if room.table is not None:
                room.table.note_presence(number, seat.away_since is None, now)
        if room.table is not None and not room.over and not self._keeper.writer.trouble:
            steps += room.table.advance(now)
        self._steps.take(room, steps, now)
        if room.table is None and len(room.seats) >= room.most:  # other rules than those that did not begin, perhaps
            self._steps.look_again(room, now)
        if room.table is not None and room.table.restored:
            for number in range(len(room.seats)):
                room.missed[number] = room.table.restored
            for viewer in [*room.viewers]:
                self._telling.tell_missed(room, viewer, now)
