"""How one comes to a table: the one of a ticket, of a room, one that waits, or a new one."""

import secrets
from typing import NamedTuple

from netcode.peer import Peer
from netcode.turns import protocol
from netcode.turns.language.definition import definition_of
from netcode.turns.protocol import Join
from netcode.turns.serving.crowd import Crowd
from netcode.turns.serving.draining import Draining
from netcode.turns.serving.keeper import Found, Keeper
from netcode.turns.serving.neighbours import Elsewhere
from netcode.turns.serving.outage import Outage
from netcode.turns.serving.playing import Playing
from netcode.turns.serving.presence import Presences
from netcode.turns.serving.room import Room, Viewer, digest_of_key, id_of_room
from netcode.turns.serving.telling import Telling
from netcode.turns.table import Table


class Limits(NamedTuple):
    """How much of it one server takes: each is named in the sentence that says so."""

    tables_per_peer: int
    max_waiting: int
    max_spectators: int


class Joining:
    """Finds the table that somebody wants, which may take a word with the store, and seats them there."""

    def __init__(  # noqa: PLR0917 - the parts of the server that it needs
        self,
        keeper: Keeper,
        crowd: Crowd,
        telling: Telling,
        draining: Draining,
        presence: Presences,
        playing: Playing,
        outage: Outage,
        limits: Limits,
    ) -> None:
        self._keeper, self._crowd, self._telling, self._draining = keeper, crowd, telling, draining
        self._presence, self._playing, self._outage, self._limits = presence, playing, outage, limits
        self._founded: dict[Peer, int] = {}

    def forget(self, peer: Peer) -> None:
        """Hear that somebody is not connected any more."""
        self._founded.pop(peer, None)

    def join(self, peer: Peer, request: Join, now: float) -> None:
        """Bring somebody to the table that they want, or tell them why not; if that has to wait for the store, tell why."""
        self._join(peer, request, now)
        if self._keeper.writer.trouble and (peer in self._crowd.joining or self._crowd.awaits(peer)):
            self._outage.tell(peer)

    def _join(self, peer: Peer, request: Join, now: float) -> None:
        if peer in self._crowd.viewers or peer in self._crowd.joining:
            peer.send(protocol.Refusal(None, "you are at a table already; leave it first").wire())
            return
        if request.ticket is None and request.game not in self._keeper.games:  # else the table itself knows
            text = (
                f"this server does not play {protocol.clean(request.game)!r}; it plays {', '.join(self._keeper.games)}"
            )
            peer.send(protocol.Gone(text).wire())
            return
        if self._draining.on:
            self._crowd.redirect(peer)
        elif request.ticket is not None or (request.room is not None and request.key is None):
            self._look_for(peer, request, now)
        else:
            self._crowd.joining.add(peer)
            self._keeper.with_lobby(lambda: self._look_again(peer, request))

    def _look_again(self, peer: Peer, request: Join) -> None:
        """Look for a table once it is known what other servers have."""
        self._crowd.joining.discard(peer)
        if self._draining.on:
            self._crowd.redirect(peer)
        elif peer.alive:
            self._look_for(peer, request, self._keeper.clock())

    def _look_for(self, peer: Peer, request: Join, now: float) -> None:
        """Find the table that somebody wants, or make it."""
        key = request.key or secrets.token_urlsafe(24)
        table, found = None, self._keeper.lobby.by_key(digest_of_key(key))
        if request.ticket is not None:
            table, _, key = request.ticket.partition(".")
        elif found is not None:
            table = found
        elif request.room is not None:
            code = request.room
            table = code[1:] if code.startswith("#") else id_of_room(request.game, code)
        elif request.watch:
            table = self._one_to_watch(request.game)
        else:
            table = self._keeper.lobby.match(request)
        if table is None and request.watch:
            peer.send(protocol.Gone(f"nobody plays {request.game} here at present").wire())
        elif table is None:
            self._found(peer, request, key, secrets.token_hex(12), now)
        else:
            self._crowd.joining.add(peer)
            wanted = table
            self._keeper.with_room(wanted, lambda room: self._come_in(peer, request, key, wanted, room))

    def _one_to_watch(self, game: str) -> str | None:
        """Return the table that was touched last at which a game is on, or else any."""
        waiting: str | None = None
        for room in reversed(self._keeper.rooms.values()):
            if room.code is None and room.game.__name__ == game and not any(seat.left for seat in room.seats):
                if room.table is not None and not room.over:
                    return room.id
                waiting = waiting or room.id
        return waiting

    def _found(  # noqa: PLR0917 - all that is known by then
        self, peer: Peer, request: Join, key: str, table: str, now: float, abandoned: Room | None = None
    ) -> None:
        """Make a new table for somebody, or take the one that others have `abandoned`."""
        wrong = self._wrong_with(peer, request)
        if wrong:
            peer.send(protocol.Gone(wrong).wire())
            return
        self._founded[peer] = self._founded.get(peer, 0) + 1
        if abandoned is None:
            code = None if request.room is None else protocol.clean(request.room, protocol.MAX_ROOM)
            room = Room(table, self._keeper.games[request.game], code, request.players, request.options)
            self._keeper.found(room, now)
        else:
            room = abandoned
            for viewer in [*room.viewers]:
                self._crowd.dismiss(
                    viewer, "the game is over, and others play at this table now; join again to look on"
                )
            self._keeper.lobby.forget_keys(seat.key for seat in room.seats)
            self._keeper.log(room, room.anew(request.players, request.options))
        self._sit(room, peer, request, key, now)

    def _wrong_with(self, peer: Peer, request: Join) -> str:
        """Return why somebody may found no such table, or nothing."""
        game = self._keeper.games[request.game]
        if self._founded.get(peer, 0) >= self._limits.tables_per_peer:
            return f"you founded enough tables: tables_per_peer is {self._limits.tables_per_peer}"
        if self._keeper.lobby.waiting >= self._limits.max_waiting:
            return f"enough tables wait for players: max_waiting is {self._limits.max_waiting}; sit down at one of them"
        try:
            low, high = game.seats
            players = request.players
            if players is not None and not low <= players <= high:
                raise ValueError(definition_of(game).not_for(players))  # noqa: TRY301 - told as that of Table.create
            Table.create(game, players or low, request.options, secret=bytes(32))
        except ValueError as error:
            return str(error)
        return ""

    def _come_in(self, peer: Peer, request: Join, key: str, table: str, room: Found) -> None:
        """Bring somebody to a table that was looked for."""
        now = self._keeper.clock()
        self._crowd.joining.discard(peer)
        if not peer.alive:
            return
        if not isinstance(room, Room) or self._draining.on:
            self._come_to_no_table(peer, request, key, table, room, now)
            return
        seat = room.seat_of(digest_of_key(key))
        if room.game.__name__ != request.game:
            peer.send(protocol.Gone(f"that table plays {room.game.__name__}, not {request.game}").wire())
        elif seat is not None:
            self._sit_again(room, peer, request, seat, key, now)
        elif request.ticket is not None:
            peer.send(protocol.Gone("this ticket opens no seat at its table").wire())
        elif request.watch:
            self._watch(room, peer, request, now)
        elif room.abandoned and request.room is not None and not request.room.startswith("#"):
            self._found(peer, request, key, table, now, room)
        elif room.table is None and len(room.seats) < room.most:
            self._sit(room, peer, request, key, now)
        elif request.room is None:  # somebody was quicker
            self._join(peer, request, now)
        else:
            text = "the table is full" if room.table is None else "the game has begun"
            peer.send(protocol.Gone(f"{text}; to look on, join with watch").wire())

    def _come_to_no_table(  # noqa: PLR0917 - all that is known by then
        self, peer: Peer, request: Join, key: str, table: str, room: Found, now: float
    ) -> None:
        """Tell somebody why the table that was looked for is not here, or make it."""
        if isinstance(room, Elsewhere) or self._draining.on:
            self._crowd.redirect(peer, room.address if isinstance(room, Elsewhere) else None)
        elif isinstance(room, str):
            peer.send(protocol.Gone(room).wire())
        else:
            code = request.room
            if request.ticket is None and code is not None and not code.startswith("#") and not request.watch:
                self._found(peer, request, key, table, now)
            elif request.ticket is None and code is None and not request.watch:
                self._keeper.lobby.forget([table])
                self._join(peer, request, now)
            else:
                peer.send(protocol.Gone(_is_not_there(request)).wire())

    def _sit(self, room: Room, peer: Peer, request: Join, key: str, now: float) -> None:
        """Give somebody a new seat, which is stored before its ticket is told."""
        digest = digest_of_key(key)
        self._keeper.log(room, room.sit(request.name, digest))
        self._keeper.settle(room)
        self._keeper.lobby.know(room.id, [digest])
        seat = len(room.seats) - 1
        viewer = Viewer(peer, room.id, seat, room.seats[seat].name, request.legal, key=digest, unheard=True)
        self._crowd.welcome(room, viewer, f"{room.id}.{key}")
        self._telling.publish(room, (), now, events=[["seated", seat, viewer.name]])
        self._playing.begin_full(room, now)

    def _sit_again(  # noqa: PLR0917 - all that is known by then
        self, room: Room, peer: Peer, request: Join, seat: int, key: str, now: float
    ) -> None:
        before = room.viewer_of(seat)
        if before is not None:
            self._crowd.dismiss(before, "you sat down at this seat from elsewhere")
        if room.seats[seat].left:
            self._keeper.log(room, room.come_back(seat))
            self._keeper.settle(room)
        viewer = Viewer(peer, room.id, seat, room.seats[seat].name, request.legal, key=digest_of_key(key))
        self._crowd.welcome(room, viewer, f"{room.id}.{key}")
        self._telling.tell_missed(room, viewer, now)
        self._presence.set(room, seat, True, now)
        self._telling.publish(room, (), now)

    def _watch(self, room: Room, peer: Peer, request: Join, now: float) -> None:
        if sum(viewer.seat is None for viewer in room.viewers) >= self._limits.max_spectators:
            peer.send(protocol.Gone(f"enough people watch: max_spectators is {self._limits.max_spectators}").wire())
            return
        viewer = Viewer(peer, room.id, None, room.distinct(request.name or "somebody"), request.legal)
        self._crowd.welcome(room, viewer, None)
        self._telling.publish(room, (), now, only=viewer)
        self._telling.publish_later(room)


def _is_not_there(request: Join) -> str:
    """Return what is said to whom wants to come to a table that is not there, and may found none."""
    if request.ticket is None and request.room is not None and not request.room.startswith("#"):
        code = protocol.clean(request.room, protocol.MAX_ROOM)
        return (
            f"there is no table with the code {code!r}; type it as its players did, or wait until one of them is there"
        )
    return "this table is not kept any more"
