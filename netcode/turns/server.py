"""Serves tables over a network: brings people together, carries plays to the rules, and tells nothing unstored."""

import heapq
import math
import random
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from netcode import server as net
from netcode.address import Address, check_address
from netcode.admission import Authenticate
from netcode.console import say
from netcode.diagnostics import log
from netcode.errors import MessageTooLarge
from netcode.events import Away, Back, Joined, Left, Received
from netcode.events import Event as LinkEvent
from netcode.observing import Tables, share_onlookers
from netcode.peer import Peer
from netcode.site import Web
from netcode.turns import protocol
from netcode.turns.browsers import link_of, page_of
from netcode.turns.games import described
from netcode.turns.keeper import Elsewhere, Found, Keeper
from netcode.turns.log import bug
from netcode.turns.protocol import (
    BadMessage,
    Consent,
    Draw,
    GiveAnswer,
    Join,
    ListGames,
    ListTables,
    MakePlay,
    Say,
    Wish,
)
from netcode.turns.room import Room, Viewer, changes, digest_of_key, events_of, id_of_room, listed, told_to
from netcode.turns.simulate import choices_of
from netcode.turns.stats import Stats
from netcode.turns.store import Lost, Store, Unavailable
from netcode.turns.store.opening import open_store
from netcode.turns.store.writer import Stored
from netcode.turns.table import Happening, Refused, Step, Table
from netcode.waiting import wait

DAY = 86_400.0
STATS = 1.0
"""Seconds between two moments at which the server's numbers are written down."""
RENEW = 1.0
"""Seconds between two signs of life to the store, where its lease is not shorter than four times that."""
DRAIN = 3.0
"""Seconds over which a server that is told to end gives its tables to others."""
WILDCARDS = frozenset({"", "0.0.0.0", "::"})
"""What one listens on and nobody can connect to."""
EXPIRE = 60.0
"""Seconds between two looks for tables that are to be deleted."""
SHOWN = 100
"""Open tables that are told to whoever asks."""
STAND_INS_AT_ONCE = 4
"""Plays for absent seats that one table makes within one update."""
SPARE_DUES = 64
"""Times beside two for each table that are kept before the void ones are dropped."""
BREATH = 0.01
"""Seconds between two updates of `serve`: nobody at a table notices them, and whatever many play meanwhile shares a
commit, which costs the processor as much as several plays. What comes after a pause is taken at once."""
SHARE = 0.001
"""Seconds after which an update leaves what came in to the next: a frame goes on, and what was played is stored
meanwhile. Where nobody stores beside it, there is nothing to gain."""
NUMBERED = (MakePlay, GiveAnswer)
ROOM_IN_MESSAGE = 2_048
"""Bytes of a message that fields leave to everything else."""


class _Bucket:
    """So many at once, and then so many a second."""

    __slots__ = ("_left", "_rate", "_since")

    def __init__(self, rate: float, now: float) -> None:
        self._rate, self._left, self._since = rate, rate, now

    def take(self, now: float) -> bool:
        self._left = min(self._rate, self._left + (now - self._since) * self._rate)
        self._since = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def _by_name(games: Iterable[type[Any]]) -> dict[str, type[Any]]:
    """Sort games by their names. Raises `TypeError` or `ValueError` for what is none, and for two of one name."""
    found: dict[str, type[Any]] = {}
    for game in games:
        if not isinstance(game, type) or not hasattr(game, "seats"):
            raise TypeError(f"a game is a class, not {game!r}; give the class itself, as in Server(TicTacToe)")
        if found.setdefault(game.__name__, game) is not game:
            raise ValueError(f"two games are called {game.__name__}; rename one of them")
    return found


class Server:
    """Tables of one or several games, driven by `update()` once a tick.

    Usage::

        server = turns.Server(TicTacToe, port=7777, store="games.db")
        while True:
            server.update()
            server.wait(1.0)

    Nothing is told before it is stored, and it is stored on a thread, so that no frame waits for a disk. While the
    store fails, tables are frozen: plays are refused with the reason, and go on once it works again.

    Where tables are kept is what `store` says:

    - None: in memory. They end with the server.
    - A path: in a file, an SQLite database, which is made if it is not there. A server that is started again, also
      after it was killed, finds them there as they were told to players. One process has the file for itself: a
      second one raises `Unavailable` at the start, and so does a file that is no database of ours.
    - `"postgresql://user@host/database"`: in PostgreSQL, for several processes at once, each with an `address` of its
      own. It needs the extra `postgres`; without it the call raises `ImportError`. The tables of a process that ends
      or hangs go on at the others. One that was silent for longer than its lease of 5 seconds may find its tables
      taken: `update()` raises `Lost`, and everybody here is sent to the others. While the database cannot be reached
      `update()` goes on, tables are frozen, and whatever was played is stored and answered as soon as it can be.
    - A `Store`, such as a `PostgresStore(address, keep_log=False)` of `netcode.turns.store.postgres`: one that was told
      more than where it is. The server opens it, and closes it at its end.

    Args:
        games: the classes that are played here.
        host, port: where to listen; as for `netcode.Server`.
        store: where tables are kept, as said above.
        address: where players reach this process, "host:port", if several serve the same store: they send players to
            each other. None for where it listens, which must be a single address then.
        keep: seconds after which a table at which nothing happens is deleted, finished or not.
        waiting: seconds after which a table is deleted whose game has not begun.
        idle: seconds after which a table at which nothing happens leaves memory; the next message brings it back, and
            so does a clock that has run out meanwhile.
        moves_per_second: plays, answers and texts of one player that are taken in a second.
        tables_per_peer: tables that one player may found without connecting anew.
        max_waiting: tables that wait for players; at so many, nobody founds another one.
        chat_length: characters of one text.
        max_spectators: people who watch one table.
        max_state: bytes of one table's state; a table above it is frozen.
        on_thread: whether the store has a thread of its own. `serve` has nothing else to do, and does without.
        web: True to have browsers play here, too, at the same port: they are shown a page that plays any game. A
            `netcode.Web` says more: a page of your own, from where else pages may connect, which proxies are yours.
        options: everything else that `netcode.Server` takes: `tls`, `authenticate`, `max_peers`, limits.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
        ImportError: the store needs an extra that is not installed; the text says which.
        Unavailable: the store cannot be opened; the text says why.
        OSError: the port is taken.
    """

    def __init__(
        self,
        *games: type[Any],
        host: str = "",
        port: int = 7777,
        store: Store | str | Path | None = None,
        address: Address | tuple[str, int] | str | None = None,
        keep: float = 30 * DAY,
        waiting: float = 3600.0,
        idle: float = 600.0,
        moves_per_second: float = 20.0,
        tables_per_peer: int = 20,
        max_waiting: int = 10_000,
        chat_length: int = 500,
        max_spectators: int = 100,
        max_state: int = 1_048_576,
        on_thread: bool = True,
        web: Web | bool | None = None,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        if not games:
            raise TypeError("turns.Server needs the games that it serves: turns.Server(TicTacToe, port=7777)")
        self.games = _by_name(games)
        for name, number in (("keep", keep), ("waiting", waiting), ("idle", idle)):
            if not number >= 0:
                raise ValueError(f"{name} must be seconds from 0 up, not {number}")
        self._keep, self._waiting = keep, waiting
        self._rate, self._tables_per_peer, self._chat_length = moves_per_second, tables_per_peer, chat_length
        self._max_waiting, self._max_spectators = max_waiting, max_spectators
        self._clock = clock
        self._viewers: dict[Peer, Viewer] = {}
        self._joining: set[Peer] = set()
        self._founded: dict[Peer, int] = {}
        self._buckets: dict[Peer, _Bucket] = {}
        self._due: list[tuple[float, str]] = []
        self._hasty: set[str] = set()  # tables at which seats are to be played for in the next update
        self._renew_at = self._expire_at = clock()
        self._told_trouble = ""
        self._closed, self._behind, self._share = False, False, SHARE if on_thread else math.inf
        self._draining: list[Room | Peer] | None = None
        """What is still to be let go of; None while nobody asked for that."""
        self._drain_from = self._drain_for = 0.0
        self._let_go_of = 0
        self._moved: set[Peer] = set()
        self._leaving: set[str] = set()
        """Tables that are being given back: what is asked of them waits for their next owner."""
        self._random = random.Random()  # noqa: S311 - a stand-in's choice, not a key
        max_message = options.get("max_message", 65_536)
        self._room_for_fields = max_message - ROOM_IN_MESSAGE
        self._door: Authenticate | None = options.pop("authenticate", None)
        public = None if address is None else check_address(address, "address")
        self._shown = page_of(web, public)
        self._secure = None if not self._shown else options.get("tls") is not None
        self._store = open_store(store)
        if public is None and self._store.lease is not None and host in WILDCARDS:
            raise ValueError(
                'address must be given where several servers share a store, such as "play1.example.org:7777"'
            )
        if self._door is not None and not callable(self._door):
            raise TypeError(
                f"authenticate must be a function of credentials and an address, not {type(self._door).__name__}"
            )
        authenticate = self._door if self._store.lease is None else self._authenticate
        self._net = net.Server(
            host,
            port,
            game=protocol.GAME,
            version=protocol.VERSION,
            web=self._shown,
            clock=clock,
            authenticate=authenticate,
            **options,
        )
        self._here = here = str(public or self._net.address)
        self._renew_every = RENEW if self._store.lease is None else min(RENEW, self._store.lease / 4)
        try:
            self._store.open(here, {name: game._definition.fingerprint for name, game in self.games.items()})
            self._keeper = Keeper(
                self._store,
                self.games,
                clock,
                idle=idle,
                max_state=max_state,
                on_thread=on_thread,
                returned=self._returned,
                made_elsewhere=self._made_elsewhere,
                address=here,
            )
        except BaseException:
            self._net.close()
            self._store.close()
            raise
        self._begin_to_count()

    def __repr__(self) -> str:
        return f"<turns.Server of {', '.join(self.games)} on {self.address}, {len(self._keeper.rooms)} tables>"

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._net.address

    @property
    def link(self) -> str:
        """What to type into a browser to play here; empty without `web`."""
        return "" if self._secure is None else link_of(self._net.address, secure=self._secure)

    @property
    def tables(self) -> int:
        """How many tables are in memory."""
        return len(self._keeper.rooms)

    @property
    def people(self) -> int:
        """How many sit at a table or watch one."""
        return len(self._viewers)

    @property
    def trouble(self) -> str:
        """Why nothing can be stored at present, as a sentence; empty while all is well."""
        return self._keeper.trouble

    def stats(self) -> Stats:
        """Return what it is and did, as `update()` wrote it down last, once a second. Any thread may ask."""
        return self._stats

    @property
    def draining(self) -> bool:
        """Whether `drain` was called."""
        return self._draining is not None

    @property
    def drained(self) -> bool:
        """Whether `drain` is done: no table and nobody is left here."""
        return self._draining == [] and not self._leaving and not self._keeper.rooms and not self._net.peers

    def update(self) -> None:
        """Do what can be done now: take plays, let time pass at the tables, store, tell. Never blocks on a thread.

        Raises:
            Lost: the tables belong to another process now, and everybody here was sent there. End this one, and start
                it again.
        """
        if self._closed:
            return
        now = self._clock()
        self._net.update()
        until = now + self._share
        self._behind = False
        for event in self._net.events():  # what is not reached comes first in the next update
            self._hear(event, now)
            if self._clock() >= until:
                self._behind = True
                break
        self._let_time_pass(now)
        if self._draining is not None:
            self._drain_on(now)
        try:
            self._keeper.writer.step(now)
        except Lost:
            self._give_up()
            self._publish_stats(now)
            raise
        if self._keeper.trouble != self._told_trouble:
            self._tell_trouble()
        if now >= self._stats.at + STATS:
            self._publish_stats(now)
        self._net.update()  # so that what was stored is told within this update

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until `update()` has something to do, `timeout` seconds at most. False if the time passed first."""
        now = self._clock()
        dues = [self._renew_at, self._expire_at, *([self._due[0][0]] if self._due else [])]
        if (again := self._keeper.writer.due()) is not None:
            dues.append(again)
        if self._draining is not None:
            dues.append(now + BREATH)
        busy = self._hasty or self._behind
        left = 0.0 if busy else max(0.0, min(dues) - now)
        due = timeout is None or left < timeout
        waiter = self._keeper.writer.carrier.waiter
        seconds = left if due else timeout
        ready = self._net.wait(seconds) if waiter is None else wait(self._net, waiter, timeout=seconds)
        return ready or due

    def drain(self, seconds: float = DRAIN) -> None:
        """Give all tables to the other processes that serve the same store, and send everybody there.

        From now on nobody is let in, and no table is taken. One table after the other is stored and given back, spread
        over `seconds`; those who sit there read `MOVED`, and a `Seat` goes on at another process with the play that
        was not answered. Go on with `update()` until `drained`, and close.

        Raises:
            ValueError: nobody else can have these tables, or `seconds` is not from 0 up.
        """
        if self._store.lease is None:
            raise ValueError("only tables that several servers share can be drained; close() stores those of one")
        if not seconds >= 0:
            raise ValueError(f"seconds must be from 0 up, not {seconds}")
        if self._draining is None and not self._closed:
            self._draining = [*self._keeper.rooms.values(), *self._net.peers]
            self._random.shuffle(self._draining)
            self._draining.reverse()
            self._drain_from, self._drain_for = self._clock(), seconds
            self._renew_at = self._drain_from  # the others are to know at once

    def close(self, text: str = "") -> None:
        """Store everything, tell everybody, and close. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        now = self._clock()
        try:
            self._keeper.close(now)
            self._net.close_nicely(text)
            for _ in range(3):
                self._net.update()
        finally:
            self._net.close()
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin_to_count(self) -> None:
        self._publish_stats(self._clock())
        share_onlookers(self, self._net, Tables(self.stats, self._clock))

    def _publish_stats(self, now: float) -> None:
        keeper = self._keeper
        self._stats = keeper.writer.tally.stats(
            now,
            tables=len(keeper.rooms),
            waiting=keeper.lobby.waiting,
            people=len(self._viewers),
            since=keeper.writer.since,
            trouble=keeper.trouble,
        )

    # Other processes.

    def _authenticate(self, credentials: Any, address: Address) -> Any:
        """Let somebody in as we were told to, while we let anybody in."""
        if self._draining is not None:
            self._keeper.writer.tally.redirects += 1
            return net.Elsewhere(None)
        return True if self._door is None else self._door(credentials, address)

    def _drain_on(self, now: float) -> None:
        """Let go of as much as the time that has passed asks for."""
        todo = self._draining
        assert todo is not None
        passed = now - self._drain_from
        share = 1.0 if passed >= self._drain_for else passed / self._drain_for
        total = len(todo) + self._let_go_of
        while todo and self._let_go_of < share * total:
            one = todo.pop()
            self._let_go_of += 1
            if isinstance(one, Room):
                self._let_go(one)
            elif one.alive and one not in self._viewers:
                self._redirect(one)
        if not todo:  # whoever came to a table, or to us, since then
            for room in [*self._keeper.rooms.values()]:
                self._let_go(room)
            for peer in self._net.peers:
                if peer not in self._viewers or self._viewers[peer].table not in self._keeper.rooms:
                    self._redirect(peer)

    def _let_go(self, room: Room) -> None:
        """Give a table back, and send those who are there to its next owner, once all that was taken is answered."""
        if room.id in self._leaving or self._keeper.rooms.get(room.id) is not room:
            return
        self._leaving.add(room.id)

        def gone() -> None:
            self._leaving.discard(room.id)
            self._send_away(room, None)

        self._keeper.let_go(room, gone)

    def _redirect(self, peer: Peer, address: Address | None = None) -> None:
        """Send somebody to another process, and count it."""
        if peer.alive and peer not in self._moved:
            self._moved.add(peer)
            self._keeper.writer.tally.redirects += 1
            peer.move(address)

    def _made_elsewhere(self, room: Room) -> None:
        """Hear that another process made this table in the same moment: those who came here find it there."""
        self._send_away(room, None)

    def _send_away(self, room: Room, address: Address | None) -> None:
        for viewer in room.viewers:
            self._viewers.pop(viewer.peer, None)
            self._redirect(viewer.peer, address)
        room.viewers = []

    def _give_up(self) -> None:
        """Have nothing to do with these tables any more: they are another process's."""
        self._closed = True
        for peer in self._net.peers:
            self._redirect(peer)
        for _ in range(3):
            self._net.update()
        self._net.close()
        self._keeper.writer.carrier.close()
        try:
            self._store.close()
        except (Lost, Unavailable):
            pass  # there is nothing of ours left to give back

    # What comes in.

    def _hear(self, event: LinkEvent, now: float) -> None:
        match event:
            case Received(peer, message):
                self._receive(peer, message, now)
            case Away(peer):
                self._present(peer, False, now)
            case Back(peer):
                self._present(peer, True, now)
            case Left(peer, _):
                self._moved.discard(peer)
                self._joining.discard(peer)
                self._founded.pop(peer, None)
                self._buckets.pop(peer, None)
                viewer = self._viewers.get(peer)
                if viewer is not None:
                    self._remove(viewer, now)
            case Joined(_):
                pass

    def _receive(self, peer: Peer, message: Any, now: float) -> None:
        if not peer.alive and peer not in self._viewers:
            return  # nobody hears an answer; but what was played before a goodbye counts
        try:
            request = protocol.read_request(message)
        except BadMessage as error:
            log.warn("turns", "%s sent what the protocol does not allow", peer.address)
            peer.close_nicely(str(error))
            return
        if isinstance(request, ListTables):
            if self._takes(peer, None, now):
                self._list(peer, request.game)
            return
        if isinstance(request, ListGames):
            if self._takes(peer, None, now):
                peer.send(protocol.Games([described(game) for game in self.games.values()]).wire())
            return
        if isinstance(request, Join):
            if self._takes(peer, None, now):
                self._join(peer, request, now)
            return
        number = request.number if isinstance(request, NUMBERED) else None
        viewer = self._viewers.get(peer)
        if viewer is None:
            peer.send(protocol.Refusal(number, "you are at no table; join one first").wire())
        elif request == Wish("leave") or self._takes(peer, number, now):  # who goes is never too fast
            self._keeper.with_room(viewer.table, lambda room: self._at_table(viewer, room, request))

    def _takes(self, peer: Peer, number: int | None, now: float) -> bool:
        bucket = self._buckets.get(peer)
        if bucket is None:
            bucket = self._buckets[peer] = _Bucket(self._rate, now)
        if bucket.take(now):
            return True
        text = f"too fast: moves_per_second is {self._rate:g}; try again in a moment"
        peer.send(protocol.Refusal(number, text).wire())
        return False

    def _at_table(self, viewer: Viewer, room: Found, request: protocol.Request) -> None:
        """Do what somebody at a table asks for."""
        now = self._clock()
        if self._viewers.get(viewer.peer) is not viewer:
            return
        if not isinstance(room, Room):
            self._send_on(viewer, room)
            return
        if room.id in self._leaving:
            return  # not answered: who asked does so again at the next owner
        number = request.number if isinstance(request, NUMBERED) else None
        match request:
            case MakePlay() | GiveAnswer() if viewer.seat is not None:
                refused = self._play(room, viewer, viewer.seat, request, now)
            case Say(text):
                refused = self._say(room, viewer, text)
            case Wish("leave"):
                refused = self._leave(room, viewer, now)
            case _ if viewer.seat is None:
                refused = "who watches does not play"
            case Draw(name):
                refused = self._draw(room, viewer, viewer.seat, name)
            case Wish("start"):
                refused = self._start(room, now)
            case Wish("rematch"):
                refused = self._rematch(room, viewer.seat, now)
            case _:
                refused = self._play(room, viewer, viewer.seat, request, now)
        if refused:
            self._post(room, viewer.peer, protocol.Refusal(number, refused))

    def _send_on(self, viewer: Viewer, room: Elsewhere | str | None) -> None:
        """Tell somebody that their table is not here any more, or where it is."""
        if isinstance(room, Elsewhere):
            self._keeper.wake_up(viewer)
            del self._viewers[viewer.peer]
            self._redirect(viewer.peer, room.address)
        else:
            self._dismiss(viewer, room or "this table is not kept any more")

    def _play(self, room: Room, viewer: Viewer, seat: int, request: protocol.Request, now: float) -> str:
        """Hand a play, an answer or an undo to the table; return why it is refused, or nothing."""
        table = room.table
        if table is None:
            return "the game has not begun"
        if isinstance(request, NUMBERED) and request.number <= table.last_number(seat):
            viewer.own.pop("last", None)  # a resend: it is told once more that it is in
            self._publish(room, (), now, only=viewer)
            return ""
        if room.frozen or table.frozen or self._keeper.trouble:
            return room.frozen or table.frozen or self._keeper.trouble
        lag = min(request.lag, viewer.peer.rtt or 0.0) if isinstance(request, NUMBERED) else 0.0
        match request:
            case MakePlay(number, name, arguments):
                outcome = table.play(seat, name, arguments, number, now=now, lag=lag)
            case GiveAnswer(number, question, option):
                outcome = table.answer(seat, question, option, number, now=now, lag=lag)
            case Consent(agreed):
                outcome = table.consent(seat, agreed, now)
            case _:
                outcome = table.undo(seat, now)
        if isinstance(outcome, Refused):
            return outcome.text
        self._keeper.writer.batch.moves += isinstance(request, NUMBERED)
        self._stepped(room, [outcome], now)
        return ""

    def _say(self, room: Room, viewer: Viewer, text: str) -> str:
        if len(text) > self._chat_length:
            return f"that is too long: chat_length is {self._chat_length} characters"
        said = protocol.HasSaid(viewer.seat, viewer.name, protocol.clean(text, self._chat_length))
        for other in room.viewers:
            self._post(room, other.peer, said)
        return ""

    def _draw(self, room: Room, viewer: Viewer, seat: int, name: str) -> str:
        """Tell a seat a play that could be made and is not listed; return why there is none, or nothing."""
        table = room.table
        if table is None:
            return "the game has not begun"
        if name not in listed(table, seat)[1]:
            return "nothing is to be drawn for that"
        drawn = table.draw(seat, name, self._random)
        if drawn is None:
            return "nothing was found that is legal; choose yourself"
        self._post(room, viewer.peer, protocol.Drawn(name, drawn))
        return ""

    def _list(self, peer: Peer, game: str | None) -> None:
        self._keeper.with_lobby(lambda: peer.send(protocol.Tables(self._keeper.lobby.shown(game, SHOWN)).wire()))

    # Sitting down.

    def _join(self, peer: Peer, request: Join, now: float) -> None:
        if peer in self._viewers or peer in self._joining:
            peer.send(protocol.Refusal(None, "you are at a table already; leave it first").wire())
            return
        if request.game not in self.games:
            text = f"this server does not play {protocol.clean(request.game)!r}; it plays {', '.join(self.games)}"
            peer.send(protocol.Gone(text).wire())
            return
        if self._draining is not None:
            self._redirect(peer)
        elif request.ticket is not None or (request.room is not None and request.key is None):
            self._look_for(peer, request, now)
        else:
            self._joining.add(peer)
            self._keeper.with_lobby(lambda: self._look_again(peer, request))

    def _look_again(self, peer: Peer, request: Join) -> None:
        """Look for a table once it is known what other servers have."""
        self._joining.discard(peer)
        if self._draining is not None:
            self._redirect(peer)
        elif peer.alive:
            self._look_for(peer, request, self._clock())

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
            self._joining.add(peer)
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

    def _found(self, peer: Peer, request: Join, key: str, table: str, now: float) -> None:
        """Make a new table for somebody."""
        game = self.games[request.game]
        if self._founded.get(peer, 0) >= self._tables_per_peer:
            text = f"you founded enough tables: tables_per_peer is {self._tables_per_peer}"
            peer.send(protocol.Gone(text).wire())
            return
        if self._keeper.lobby.waiting >= self._max_waiting:
            text = f"enough tables wait for players: max_waiting is {self._max_waiting}; sit down at one of them"
            peer.send(protocol.Gone(text).wire())
            return
        code = None if request.room is None else protocol.clean(request.room, protocol.MAX_ROOM)
        try:
            low, high = game.seats
            players = request.players
            if players is not None and not low <= players <= high:
                raise ValueError(f"{request.game} is for {low} to {high} players, not {players}")  # noqa: TRY301 - told as that of Table.create
            Table.create(game, players or low, request.options, secret=bytes(32))
        except ValueError as error:
            peer.send(protocol.Gone(str(error)).wire())
            return
        self._founded[peer] = self._founded.get(peer, 0) + 1
        room = Room(table, game, code, request.players, request.options)
        self._keeper.found(room, now)
        self._sit(room, peer, request, key, now)

    def _come_in(self, peer: Peer, request: Join, key: str, table: str, room: Found) -> None:
        """Bring somebody to a table that was looked for."""
        now = self._clock()
        self._joining.discard(peer)
        if not peer.alive:
            return
        if not isinstance(room, Room) or self._draining is not None:
            self._come_to_no_table(peer, request, key, table, room, now)
            return
        seat = room.seat_of(digest_of_key(key))
        if seat is not None:
            self._sit_again(room, peer, request, seat, key, now)
        elif request.ticket is not None:
            peer.send(protocol.Gone("this ticket opens no seat at its table").wire())
        elif room.game.__name__ != request.game:
            peer.send(protocol.Gone(f"that table plays {room.game.__name__}, not {request.game}").wire())
        elif request.watch:
            self._watch(room, peer, request, now)
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
        if isinstance(room, Elsewhere) or self._draining is not None:
            self._redirect(peer, room.address if isinstance(room, Elsewhere) else None)
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
                peer.send(protocol.Gone("this table is not kept any more").wire())

    def _sit(self, room: Room, peer: Peer, request: Join, key: str, now: float) -> None:
        """Give somebody a new seat, which is stored before its ticket is told."""
        digest = digest_of_key(key)
        self._keeper.log(room, room.sit(request.name, digest))
        self._keeper.settle(room)
        self._keeper.lobby.know(room.id, [digest])
        seat = len(room.seats) - 1
        viewer = Viewer(peer, room.id, seat, room.seats[seat].name, request.legal, key=digest)
        self._welcome(room, viewer, f"{room.id}.{key}")
        self._publish(room, (), now, events=[["seated", seat, viewer.name]])
        if len(room.seats) == room.most:
            refused = self._begin(room, now)
            if refused:
                self._freeze(room, refused, now)

    def _sit_again(  # noqa: PLR0917 - all that is known by then
        self, room: Room, peer: Peer, request: Join, seat: int, key: str, now: float
    ) -> None:
        before = room.viewer_of(seat)
        if before is not None:
            self._dismiss(before, "you sat down at this seat from elsewhere")
        viewer = Viewer(peer, room.id, seat, room.seats[seat].name, request.legal, key=digest_of_key(key))
        self._welcome(room, viewer, f"{room.id}.{key}")
        self._tell_missed(room, viewer, now)
        self._set_present(room, seat, True, now)
        self._publish(room, (), now)

    def _watch(self, room: Room, peer: Peer, request: Join, now: float) -> None:
        if sum(viewer.seat is None for viewer in room.viewers) >= self._max_spectators:
            peer.send(protocol.Gone(f"enough people watch: max_spectators is {self._max_spectators}").wire())
            return
        viewer = Viewer(peer, room.id, None, room.distinct(request.name or "somebody"), request.legal)
        self._welcome(room, viewer, None)
        self._publish(room, (), now)

    def _welcome(self, room: Room, viewer: Viewer, ticket: str | None) -> None:
        room.viewers.append(viewer)
        self._viewers[viewer.peer] = viewer
        last = 0 if room.table is None or viewer.seat is None else room.table.last_number(viewer.seat)
        sat = protocol.Sat(room.id, room.game.__name__, viewer.seat, ticket, last, room.code)
        self._post(room, viewer.peer, sat)

    def _leave(self, room: Room, viewer: Viewer, now: float) -> str:
        """Let somebody go for good; return why not, or nothing."""
        seat, table = viewer.seat, room.table
        if seat is not None and self._keeper.trouble and not room.over:
            return self._keeper.trouble
        if seat is not None and table is None:
            self._keeper.lobby.forget_keys([room.seats[seat].key])
            self._keeper.log(room, room.leave(seat))
            self._keeper.settle(room)
            for other in room.viewers:
                if other.seat is not None and other.seat > seat:
                    other.seat -= 1
                    other.fields, other.public, other.own = {}, {}, {}
                    sat = protocol.Sat(room.id, room.game.__name__, other.seat, None, 0, room.code)
                    self._post(room, other.peer, sat)
        elif seat is not None and table is not None:
            if not room.over and not table.frozen:  # of what is frozen nothing is decided: other rules may play it on
                outcome = table.forfeit(seat, now)
                if isinstance(outcome, Refused):
                    return outcome.text
                room.seats[seat].left = True
                self._stepped(room, [outcome], now)
            room.seats[seat].left = True
        viewer.seat = None
        self._dismiss(viewer, "you left the table")
        self._publish(room, (), now)
        return ""

    def _dismiss(self, viewer: Viewer, text: str) -> None:
        """Tell somebody that they are at no table any more."""
        room = self._keeper.rooms.get(viewer.table)
        self._viewers.pop(viewer.peer, None)
        if room is not None:
            if viewer in room.viewers:
                room.viewers.remove(viewer)
            self._post(room, viewer.peer, protocol.Gone(text))
        else:
            viewer.peer.send(protocol.Gone(text).wire())

    def _remove(self, viewer: Viewer, now: float) -> None:
        """Hear that somebody is not connected any more."""
        del self._viewers[viewer.peer]
        room = self._keeper.rooms.get(viewer.table)
        if room is None:
            self._keeper.wake_up(viewer)
            return
        if viewer in room.viewers:
            room.viewers.remove(viewer)
        if viewer.seat is not None:
            self._set_present(room, viewer.seat, False, now)
        self._publish(room, (), now)

    # Presence.

    def _present(self, peer: Peer, present: bool, now: float) -> None:
        viewer = self._viewers.get(peer)
        room = None if viewer is None else self._keeper.rooms.get(viewer.table)
        if viewer is not None and room is not None and viewer.seat is not None:
            self._set_present(room, viewer.seat, present, now)

    def _set_present(self, room: Room, seat: int, present: bool, now: float) -> None:
        taken = room.seats[seat]
        if (taken.away_since is None) is present:
            return
        taken.away_since = None if present else now
        event = ["presence", seat, *room.presence(seat, now)]
        steps = () if room.table is None or room.over else room.table.presence(seat, present, now)
        self._stepped(room, steps, now, events=[event])

    # The game.

    def _start(self, room: Room, now: float) -> str:
        if room.table is not None:
            return "the game has begun already"
        if len(room.seats) < room.least:
            return f"{room.game.__name__} needs {room.least} players, and {len(room.seats)} sit here"
        return self._begin(room, now)

    def _rematch(self, room: Room, seat: int, now: float) -> str:
        if not room.over:
            return "a rematch is for after the game"
        gone = [taken.name for taken in room.seats if taken.left]
        if gone:
            return f"{gone[0]} has left; join another table"
        room.rematch.add(seat)
        if len(room.rematch) < len(room.seats):
            self._publish(room, (), now)
            return ""
        return self._begin(room, now)

    def _begin(self, room: Room, now: float) -> str:
        """Begin a game with those who sit; return why that is not possible, or nothing."""
        if self._keeper.trouble:
            return self._keeper.trouble
        before = room.table
        try:
            begun = room.begin(secrets.token_bytes(32))
            assert room.table is not None
            step = room.table.start(now)
        except Exception as error:  # noqa: BLE001 - whatever the rules raise: the server and all other tables go on
            log.warn(f"rules of {room.game.__name__}", "%s cannot begin: %s", room.game.__name__, error)
            room.table = before
            return f"the rules of {room.game.__name__} cannot begin: {error}"
        if isinstance(step, Refused):
            room.table = before
            return step.text
        self._keeper.log(room, begun)
        steps = [step]
        for seat in range(len(room.seats)):
            steps += room.table.presence(seat, room.seats[seat].away_since is None, now)
        for viewer in room.viewers:
            viewer.own.pop("last", None)
        self._stepped(room, steps, now, events=[["started"]])
        return ""

    def _stepped(self, room: Room, steps: Iterable[Step], now: float, events: list[list[Any]] | None = None) -> None:
        """Store what happened at a table, and tell it once that is done."""
        if room.id in self._leaving:
            return  # it may be another process's by now, at which the same happens
        happenings: list[Happening] = []
        for step in steps:
            if step.entry:
                self._keeper.log(room, room.stepped(step.entry))
            happenings += step.happenings
        self._keeper.settle(room)
        self._publish(room, happenings, now, events=events)
        self._schedule(room, now)

    def _schedule(self, room: Room, now: float) -> None:
        table = room.table
        if table is None or room.frozen or table.frozen:
            return
        due = table.due()
        if due != room.due:
            room.due = due
            if due is not None:
                heapq.heappush(self._due, (due, room.id))
                if len(self._due) > 2 * len(self._keeper.rooms) + SPARE_DUES:
                    self._forget_dues()
        if room.game.absent == "bot" and table.stand_ins(now):
            self._hasty.add(room.id)

    def _forget_dues(self) -> None:
        """Drop times that a later move made void: with long clocks they would stay for as long as those run."""
        rooms = self._keeper.rooms.values()
        self._due = [(room.due, room.id) for room in rooms if room.due is not None]
        heapq.heapify(self._due)

    def _let_time_pass(self, now: float) -> None:
        due: set[str] = set()
        while self._due and self._due[0][0] <= now:
            due.add(heapq.heappop(self._due)[1])
        for table in due:
            room = self._keeper.rooms.get(table)
            if room is not None and room.table is not None and room.due is not None and room.due <= now:
                room.due = None
                if self._keeper.trouble:  # nobody could play: time stands still until somebody can
                    room.due = now + RENEW
                    heapq.heappush(self._due, (room.due, room.id))
                    continue
                self._stepped(room, room.table.advance(now), now)
        for table in [*self._hasty]:
            self._hasty.discard(table)
            room = self._keeper.rooms.get(table)
            if room is not None and room.table is not None and not self._keeper.trouble:
                self._stand_in(room, room.table, now)
        if now >= self._renew_at:
            self._renew_at = now + self._renew_every
            self._keeper.live(leaving=self._draining is not None)
            self._keeper.put_away(now)
            if isinstance(self._shown, Web) and self._keeper.nodes:
                self._shown.let_in([self._here, *(node.address for node in self._keeper.nodes)])
        if now >= self._expire_at:
            self._expire_at = now + EXPIRE
            spare = frozenset({viewer.table for viewer in self._viewers.values()})
            self._keeper.writer.batch.expire = (self._keep, self._waiting, spare)
            self._keeper.writer.batch.done.append(self._expired)

    def _stand_in(self, room: Room, table: Table, now: float) -> None:
        """Play for seats that are absent, where the game says so: something that is legal, at random."""
        for _ in range(STAND_INS_AT_ONCE):
            seats = table.stand_ins(now)
            if not seats:
                return
            seat = seats[0]
            try:
                table.legal(seat)  # within its budget; what is not listed then is drawn
                asked, choices = table.question(seat), choices_of(table, seat, self._random)
            except Exception as error:  # noqa: BLE001 - a domain that fails lists nothing, and the table goes on
                bug(room.game.__name__, error, "what is legal")
                return
            if not choices:
                return
            name, arguments = self._random.choice(choices)
            number = table.last_number(seat) + 1
            if asked is not None:
                outcome = table.answer(seat, asked.id, arguments["answer"], number, now=now)
            else:
                outcome = table.play(seat, name, arguments, number, now=now)
            if isinstance(outcome, Refused):
                return
            self._keeper.writer.batch.moves += 1
            self._stepped(room, [outcome], now)

    def _freeze(self, room: Room, text: str, now: float) -> None:
        room.frozen = text
        log.warn(f"frozen {room.id}", "table %s is frozen: %s", room.id, text)
        self._publish(room, (), now)

    def _returned(self, room: Room, now: float) -> None:
        """Hear that a table came back into memory: who is there now, and what is due."""
        steps: list[Step] = []
        for number, seat in enumerate(room.seats):
            viewer = room.viewer_of(number)
            seat.away_since = None if viewer is not None and not viewer.peer.away else now
            if room.table is not None and not room.over:
                steps += room.table.presence(number, seat.away_since is None, now)
        self._stepped(room, steps, now)
        if room.table is not None and room.table.restored:
            for number in range(len(room.seats)):
                room.missed[number] = room.table.restored
            for viewer in [*room.viewers]:
                self._tell_missed(room, viewer, now)

    def _tell_missed(self, room: Room, viewer: Viewer, now: float) -> None:
        """Tell a seat what was done to its table while nobody was there."""
        missed = () if viewer.seat is None else room.missed.pop(viewer.seat, ())
        if missed:
            self._publish(room, missed, now, only=viewer)

    def _expired(self, stored: Stored) -> None:
        for viewer in self._keeper.dropped(stored):
            self._dismiss(viewer, "this table is not kept any more")

    # What goes out.

    def _tell_trouble(self) -> None:
        self._told_trouble = trouble = self._keeper.trouble
        if trouble:
            log.warn("store", "nothing can be stored: %s", trouble)
        for room in self._keeper.rooms.values():
            text = room.frozen or (room.table.frozen if room.table is not None else "") or trouble
            for viewer in room.viewers:
                if viewer.public.get("frozen", "") != text:
                    viewer.public = {**viewer.public, "frozen": text}
                    self._send(viewer.peer, protocol.Step([], {}, {"frozen": text}))

    def _publish(
        self,
        room: Room,
        happenings: Iterable[Happening],
        now: float,
        *,
        events: list[list[Any]] | None = None,
        only: Viewer | None = None,
    ) -> None:
        """Tell viewers what happened and what changed since they were told last."""
        if not room.viewers:
            return
        all_news = [*((event, None) for event in events or ()), *events_of(happenings)]
        before, public = room.told, room.public(now, self._keeper.trouble)
        common = changes(before, public)
        if only is None:
            room.told = public
        seen: tuple[Mapping[str, bytes], Mapping[str, bytes], dict[str, bytes]] = {}, {}, {}
        for viewer in [*room.viewers] if only is None else [only]:
            view, own = room.view(viewer), room.own(viewer)
            if viewer.fields is not seen[0] or view is not seen[1]:  # those who see the same learn the same
                seen = viewer.fields, view, changes(viewer.fields, view)
            fields = seen[2]
            changed = common if viewer.public is before else changes(viewer.public, public)
            if owned := changes(viewer.own, own):
                changed = {**changed, **owned}
            news = told_to(viewer.seat, all_news)
            if not news and not fields and changed.keys() <= {"clocks"}:
                continue
            viewer.fields, viewer.public, viewer.own = view, public, own
            step = protocol.Step(news, fields, changed)
            for message in self._in_parts(step) if fields else (step,):
                self._post(room, viewer.peer, message)

    def _in_parts(self, step: protocol.Step) -> list[protocol.Reply]:
        """Return the messages in which a step fits."""
        if sum(map(len, step.fields.values())) <= self._room_for_fields // 2:
            return [step]
        parts: list[protocol.Reply] = []
        part, size = dict[str, bytes](), 0
        for name, data in step.fields.items():
            if part and size + len(data) > self._room_for_fields:
                parts.append(protocol.Part(part))
                part, size = {}, 0
            part[name] = data
            size += len(data) + len(name) + 16
        return [*parts, protocol.Part(part), protocol.Step(step.events, {}, step.state)]

    def _post(self, room: Room, peer: Peer, message: protocol.Reply) -> None:
        """Send something about a table: now, or once everything that it may tell of is stored."""
        self._keeper.when_stored(room, lambda _: self._send(peer, message))

    def _send(self, peer: Peer, message: protocol.Reply) -> None:
        try:
            peer.send(message.wire())
        except MessageTooLarge as error:
            log.warn("large", "a table has more to tell than one message takes: %s", error)
            peer.close_nicely("this table has more to tell than one message takes; raise max_message at both ends")


def serve(
    *games: type[Any],
    host: str = "",
    port: int = 7777,
    store: Store | str | Path | None = "games.db",
    started: Callable[[Server], None] | None = None,
    **options: Any,
) -> None:
    """Serve games until the program is interrupted (Ctrl-C) or told to end (SIGTERM).

    Where several processes share the store, SIGTERM has this one drain first: its tables go on elsewhere.

    Usage::

        serve(TicTacToe, port=7777)

    With `web=True` it prints the link at which browsers play.

    Args:
        games, host, port, options: as for `Server`.
        store: where tables are kept, as for `Server`: without it in the file `games.db` of the present folder, so that
            they outlive this process. None forgets them, and `"postgresql://…"` has several processes serve them.
        started: called once it listens, with the server.

    Raises:
        Lost: another process has taken the tables over. End this one, and have it started again.
    """
    import gc
    import signal

    kept = open_store(store)
    serving: list[Server] = []

    def end(_number: int, _frame: object) -> None:
        if kept.lease is None or not serving or serving[0].draining:
            raise KeyboardInterrupt
        serving[0].drain()

    before, frozen = signal.signal(signal.SIGTERM, end), gc.get_freeze_count()
    try:
        # One process alone has nothing to do while it stores. One of several has to say that it lives.
        with Server(*games, host=host, port=port, store=kept, on_thread=kept.lease is not None, **options) as server:
            serving.append(server)
            gc.freeze()  # what is there by now stays, and is not looked through for garbage again and again
            if started is not None:
                started(server)
            if server.link:
                say(f"play in a browser at {server.link}")
            while not server.drained:
                server.wait()
                server.update()
                if not server._behind:
                    time.sleep(BREATH)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
        if not frozen:
            gc.unfreeze()
