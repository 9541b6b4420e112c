"""Who is at which table of this server, or was sent to another one."""

from collections import Counter

from netcode.address import Address
from netcode.peer import Peer
from netcode.turns import protocol
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.room import Room, Viewer
from netcode.turns.serving.telling import Telling


class Crowd:
    """Those who sit at a table or watch one."""

    def __init__(self, keeper: Keeper, telling: Telling) -> None:
        self.viewers: dict[Peer, Viewer] = {}
        self.joining: set[Peer] = set()
        """Who wait for a table that is looked for."""
        self.asking = Counter[Peer]()
        """Who wait for lists of tables, and for how many."""
        self._keeper, self._telling = keeper, telling
        self._moved: set[Peer] = set()

    def welcome(self, room: Room, viewer: Viewer, ticket: str | None) -> None:
        """Take somebody in at a table, and tell them where they sit."""
        room.viewers.append(viewer)
        self.viewers[viewer.peer] = viewer
        last = 0 if room.table is None or viewer.seat is None else room.table.last_number(viewer.seat)
        sat = protocol.Sat(room.id, room.game.__name__, viewer.seat, ticket, last, room.code)
        self._keeper.when_stored(room, lambda _: self._tell(viewer, sat))

    def _tell(self, viewer: Viewer, sat: protocol.Sat) -> None:
        viewer.unheard = False
        self._telling.send([(viewer.peer, sat)])

    def awaits(self, peer: Peer) -> bool:
        """Tell whether somebody came to a table, and hears of it once what happened there is stored."""
        room = self._keeper.rooms.get(self.viewers[peer].table) if peer in self.viewers else None
        return room is not None and room.unsaved > 0

    def dismiss(self, viewer: Viewer, text: str) -> None:
        """Tell somebody that they are at no table any more."""
        room = self._keeper.rooms.get(viewer.table)
        self.viewers.pop(viewer.peer, None)
        if room is not None:
            if viewer in room.viewers:
                room.viewers.remove(viewer)
            self._telling.post(room, viewer.peer, protocol.Gone(text))
        else:
            viewer.peer.send(protocol.Gone(text).wire())

    def redirect(self, peer: Peer, address: Address | None = None) -> None:
        """Send somebody to another process, and count it."""
        if peer.alive and peer not in self._moved:
            self._moved.add(peer)
            self._keeper.writer.tally.redirects += 1
            peer.move(address)

    def send_away(self, room: Room) -> None:
        """Send all who are at a table to another process, whichever has it."""
        for viewer in room.viewers:
            self.send_on(viewer, None)
        room.viewers = []

    def send_on(self, viewer: Viewer, address: Address | None) -> None:
        """Send somebody to the process that has their table."""
        self.viewers.pop(viewer.peer, None)
        self.redirect(viewer.peer, address)

    def forget(self, peer: Peer) -> Viewer | None:
        """Hear that somebody is not connected any more; return what they were at a table."""
        self._moved.discard(peer)
        self.joining.discard(peer)
        self.asking.pop(peer, None)
        return self.viewers.pop(peer, None)
