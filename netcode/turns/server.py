"""Serves tables over a network: puts the parts of a server together, and drives them in their order."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from netcode import server as net
from netcode.address import Address, check_address
from netcode.admission import Authenticate, check_authenticate
from netcode.console import say
from netcode.diagnostics.calls import explain_update
from netcode.limits import check_number
from netcode.loop.forks import keep_from_children
from netcode.observing import Tables, share_onlookers
from netcode.site import Web
from netcode.turns import protocol
from netcode.turns.language.definition import definition_of
from netcode.turns.reading import refuse_while_reading
from netcode.turns.runtime.storing import MAX_STATE
from netcode.turns.serving.browsers import link_of, page_of
from netcode.turns.serving.checks import check_counts, check_found, check_times
from netcode.turns.serving.collecting import seldom
from netcode.turns.serving.counting import Counting
from netcode.turns.serving.draining import DRAIN
from netcode.turns.serving.ending import ended_by
from netcode.turns.serving.games import by_name, try_to_begin
from netcode.turns.serving.incoming import Rates
from netcode.turns.serving.joining import Limits
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.parts import Parts
from netcode.turns.serving.upkeep import Kept
from netcode.turns.stats import Stats
from netcode.turns.store import Lost, Store, Unavailable
from netcode.turns.store.opening import open_store
from netcode.waiting import wait

BREATH = 0.05
"""Seconds between two updates of `serve` at most, which nobody at a table notices. Whatever many play meanwhile shares
a commit and a wake-up, which cost the processor as much as several plays. What comes after a pause is taken at once."""
BREATH_EACH = 0.0005
"""Seconds of that for each who is at a table: where few play, there is little to share."""
DRAIN_STEP = 0.02
"""Seconds between two steps of giving tables away."""
SHARE = 0.001
"""Seconds after which an update leaves what came in to the next: a frame goes on, and what was played is stored
meanwhile. Where nobody stores beside it, there is nothing to gain."""


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
        keep: seconds after which a table at which nothing happens is deleted, finished or not, if nobody is connected.
        waiting: seconds after which a table is deleted whose game has not begun, if nobody is connected there.
        idle: seconds after which a table at which nothing happens leaves memory; the next message brings it back, and
            so does a clock that has run out meanwhile.
        moves_per_second: requests of one player that are taken in a second: plays, answers and texts, and whatever else
            is asked for, such as a seat or the list of tables. Three are taken at once however few that is; only who
            leaves always may.
        tables_per_peer: tables that one player may found without connecting anew, those left again included.
        max_waiting: tables that wait for players; at so many, nobody founds another one.
        chat_length: characters of one text.
        chat_per_second: texts of one player that are told to all at the table in a second, beside 16 at once.
        max_spectators: people who watch one table.
        max_state: bytes of one table's state; a table above it is frozen.
        on_thread: whether the store has a thread of its own. `serve` has nothing else to do, and does without.
        web: True to have browsers play here, too, at the same port: they are shown a page that plays any game. A
            `netcode.Web` says more: a page of your own, from where else pages may connect, which proxies are yours.
        clock: how to tell the time, for tests.
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
        keep: float = 30 * 86_400.0,
        waiting: float = 3600.0,
        idle: float = 600.0,
        moves_per_second: float = 20.0,
        tables_per_peer: int = 20,
        max_waiting: int = 10_000,
        chat_length: int = 500,
        chat_per_second: float = 1.0,
        max_spectators: int = 100,
        max_state: int = MAX_STATE,
        on_thread: bool = True,
        web: Web | bool | None = None,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        if not games:
            raise TypeError("turns.Server needs the games that it serves: turns.Server(TicTacToe, port=7777)")
        refuse_while_reading("turns.Server(…)")
        self.games = by_name(games)
        limits, kept = Limits(tables_per_peer, max_waiting, max_spectators), Kept(keep, waiting)
        check_times(idle=idle, **kept._asdict())
        check_counts(chat_length=chat_length, **limits._asdict())
        rates = Rates(moves_per_second, chat_per_second)
        for name, rate in rates._asdict().items():
            check_number(name, rate)
        check_number("max_state", max_state, whole=True)
        self._clock, self._closed, self._inherited = clock, False, False
        self._door: Authenticate | None = options.pop("authenticate", None)
        public = None if address is None else check_address(address)
        shown = page_of(web, public)
        self._secure = None if not shown else options.get("tls") is not None
        self._public = public
        self._store = open_store(store)
        check_found(public, host, self._store)
        check_authenticate(self._door)
        options["authenticate"] = self._door if self._store.lease is None else self._authenticate
        self._net = net.Server(
            host, port, game=protocol.GAME, version=protocol.VERSION, web=shown, clock=clock, **options
        )
        here = str(public or self._net.address)
        try:
            self._store.open(here, {name: definition_of(game).fingerprint for name, game in self.games.items()})
            self._keeper: Keeper = Keeper(
                self._store,
                self.games,
                clock,
                idle=min(idle, keep, waiting),  # what is in memory is not deleted
                max_state=max_state,
                on_thread=on_thread,
                returned=lambda room, now: self._parts.presence.returned(room, now),  # noqa: PLW0108 - made later
                made_elsewhere=lambda room: self._parts.crowd.send_away(room),  # noqa: PLW0108 - likewise
                address=here,
            )
        except BaseException:
            self._net.close()
            self._store.close()
            raise
        self._parts: Parts = Parts(
            self._keeper,
            lambda: self._net.peers,
            max_message=options.get("max_message", 65_536),
            chat_length=chat_length,
            rates=rates,
            share=SHARE if on_thread else math.inf,
            limits=limits,
            kept=kept,
            lease=self._store.lease,
            web=shown,
            here=here,
        )
        self._counting = Counting(self._keeper, self._parts.crowd, clock())
        share_onlookers(self, self._net, Tables(self.stats, clock))
        keep_from_children(self)

    def __repr__(self) -> str:
        return f"<turns.Server of {', '.join(self.games)} on {self.address}, {len(self._keeper.rooms)} tables>"

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._net.address

    @property
    def link(self) -> str:
        """What to type into a browser to play here, by `address` where that is given; empty without `web`."""
        return "" if self._secure is None else link_of(self._public or self._net.address, secure=self._secure)

    @property
    def tables(self) -> int:
        """How many tables are in memory."""
        return len(self._keeper.rooms)

    @property
    def people(self) -> int:
        """How many sit at a table or watch one."""
        return len(self._parts.crowd.viewers)

    @property
    def trouble(self) -> str:
        """Why nothing can be stored at present, as a sentence; empty while all is well."""
        return self._keeper.writer.trouble

    def stats(self) -> Stats:
        """Return what it is and did, as `update()` wrote it down last, once a second. Any thread may ask."""
        return self._counting.stats

    @property
    def draining(self) -> bool:
        """Whether `drain` was called."""
        return self._parts.draining.on

    @property
    def drained(self) -> bool:
        """Whether `drain` is done: no table and nobody is left here."""
        return self._parts.draining.done or (self.draining and self._closed)

    def update(self) -> None:
        """Do what can be done now: take plays, let time pass at the tables, store, tell. Never blocks on a thread.

        Raises:
            Lost: the tables belong to another process now, and everybody here was sent there. End this one, and start
                it again.
            RuntimeError: it is called from within itself, such as by a rule, or from two threads at once.
        """
        if self._inherited:
            self._net.update()  # which tells so
        elif not self._closed:
            self._parts.alone(self._step)

    def _step(self) -> None:
        now = self._clock()
        self._net.update()
        self._parts.incoming.take(self._net.events, now)
        self._parts.pass_time(now)
        try:
            self._keeper.writer.step(now)
        except Lost:
            self._give_up()
            self._counting.count(now)
            raise
        if self._parts.draining.on and self._parts.draining.is_vain(now):
            self._give_up()
            return
        self._parts.outage.step(now)
        self._parts.telling.catch_up(now)
        self._counting.step(now)
        self._net.update()  # so that what was stored is told within this update

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until `update()` has something to do, `timeout` seconds at most. False if the time passed first."""
        now = self._clock()
        dues = [self._parts.upkeep.renew_at, self._parts.upkeep.expire_at]
        dues += [at for at in (self._parts.dues.first, self._keeper.writer.due()) if at is not None]
        if self._parts.draining.on:
            dues.append(now + DRAIN_STEP)
        busy = self._parts.dues.hasty or self._parts.incoming.behind
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
        was not answered. Go on with `update()` until `drained`, and close. While nothing can be stored that is so once
        the others may take the tables, a lease after the trouble began: nobody was told of what is not stored.

        Raises:
            TypeError, ValueError: nobody else can have these tables, or `seconds` is no number from 0 up.
        """
        if self._store.lease is None:
            raise ValueError("only tables that several servers share can be drained; close() stores those of one")
        check_number("seconds", seconds, zero=True)
        if not self._parts.draining.on and not self._closed:
            now = self._clock()
            self._parts.draining.begin(now, seconds)
            self._parts.upkeep.renew_at = now  # the others are to know at once

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

    def _abandon(self) -> None:
        """Be over in a forked child: the tables are the parent's, and so is the thread that stores."""
        self._closed = self._inherited = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _authenticate(self, credentials: Any, address: Address) -> Any:
        """Let somebody in as we were told to, while we let anybody in."""
        if self._parts.draining.on:
            self._keeper.writer.tally.redirects += 1
            return net.Elsewhere(None)
        return True if self._door is None else self._door(credentials, address)

    def _give_up(self) -> None:
        """Have nothing to do with these tables any more: they are another process's."""
        self._closed = True
        for peer in self._net.peers:
            self._parts.crowd.redirect(peer)
        for _ in range(3):
            self._net.update()
        self._net.close()
        self._keeper.writer.carrier.close()
        with suppress(Lost, Unavailable):  # then there is nothing of ours left to give back
            self._store.close()


explain_update(Server)


def serve(
    *games: type[Any],
    host: str = "",
    port: int = 7777,
    store: Store | str | Path | None = "games.db",
    started: Callable[[Server], None] | None = None,
    **options: Any,
) -> None:
    """Serve games until the program is interrupted (Ctrl-C) or told to end (SIGTERM), or its terminal is closed (SIGHUP).

    Where several processes share the store, the last two have this one drain first: its tables go on elsewhere.

    Usage::

        serve(TicTacToe, port=7777)

    With `web=True` it prints the link at which browsers play. Of a game that cannot begin it logs why, and serves those
    that have begun.

    Args:
        games, host, port, options: as for `Server`.
        store: where tables are kept, as for `Server`: without it in the file `games.db` of the present folder, so that
            they outlive this process. None forgets them, and `"postgresql://…"` has several processes serve them.
        started: called once it listens, with the server.

    Raises:
        Lost: another process has taken the tables over. End this one, and have it started again.
        TypeError, ValueError, ImportError, Unavailable, OSError: as for `Server`.
    """
    refuse_while_reading("serve(…)")
    try_to_begin(by_name(games).values())
    kept = open_store(store)
    serving: list[Server] = []

    def end(_number: int, _frame: object) -> None:
        if kept.lease is None or not serving or serving[0].draining:
            raise KeyboardInterrupt
        serving[0].drain()

    with ended_by(end), suppress(KeyboardInterrupt):
        # One process alone has nothing to do while it stores. One of several has to say that it lives.
        on_thread = kept.lease is not None
        with Server(*games, host=host, port=port, store=kept, on_thread=on_thread, **options) as server, seldom():
            serving.append(server)
            if started is not None:
                started(server)
            if server.link:
                say(f"play in a browser at {server.link}")
            while not server.drained:
                server.wait()
                server.update()
                if not server._parts.incoming.behind:  # noqa: SLF001 - a friend of the class, in its module
                    time.sleep(min(server.people * BREATH_EACH, DRAIN_STEP if server.draining else BREATH))
