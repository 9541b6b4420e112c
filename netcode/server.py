"""A dedicated server: takes clients in, carries messages between them and the game, and tells it all as events."""

import hmac
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack, cast

from netcode import log, protocol
from netcode.address import Address, bucket, check_port
from netcode.advice import ASKED, WAITED, Attendance
from netcode.budget import Budget
from netcode.clock import Clock, Deadlines, monotonic
from netcode.codec import make_codec
from netcode.connection_set import ACCEPTS_PER_UPDATE
from netcode.discovery import Announcer, lan_of, make_notice
from netcode.engine import Act
from netcode.errors import MessageTooLarge, ProtocolError
from netcode.events import Away, Back, Event, Joined, Left, Received
from netcode.forks import TEXT, keep_from_children
from netcode.framing import frame
from netcode.limits import LimitOptions, check_name, check_number, make_limits
from netcode.link import BROKEN_LINK, Link
from netcode.mistakes import SERVER, hint
from netcode.observing import Observer
from netcode.peer import Peer, moved, session_of
from netcode.protocol import Hello, Welcome
from netcode.reasons import Reason, ReasonCode, check_text, closed_here, interrupted, printable
from netcode.session.inbox import Inbox
from netcode.session.session import Carrier, Session
from netcode.site import Web
from netcode.stream.contract import State
from netcode.stream.stream import Stream
from netcode.stream.stream_set import StreamSet
from netcode.ticks import ticks
from netcode.transport import Connector, Doorway, Network, Ready
from netcode.transport.tcp import TCP
from netcode.waiting import Descriptors, Waiter, check_wait

if TYPE_CHECKING:
    from os import PathLike
    from ssl import SSLContext

KEY_SIZE = 8
"""Bytes of a resume token that say which peer it is for; the rest proves it."""
SECRET_SIZE = 24

MAX_ENDINGS = 1024
"""Sessions that were ended on purpose of which it is remembered why, until their grace would be over."""

TOLD_AT_THE_DOOR = 16
"""Links above `max_peers_per_address` that may greet, because a player who comes back has its old link still counted;
new ones among them are told then. Further ones are turned away at once, with what one `send` can say."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What `authenticate` returns to keep somebody out; the client reads `text` as its reason."""

    text: str

    def __post_init__(self) -> None:
        check_text(self.text)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What `authenticate` returns to send somebody to another server of the game.

    A `Client` goes there by itself, with its credentials if it may: see `Client.address`.

    Attributes:
        address: an `Address`, `(host, port)` or `"host:port"`; None for any server of the game that the client knows.
        text: what is shown to somebody who does not go there.
    """

    address: Address | tuple[str, int] | str | None
    text: str = ""

    def __post_init__(self) -> None:
        check_text(self.text)
        moved(self.address, self.text)


Authenticate = Callable[[Any, Address], Any]


class Server(Waiter):
    """A dedicated server, driven by `update()` once a tick.

    Usage::

        with netcode.Server("", 7777, game="chess", version="1") as server:
            for tick in server.ticks(30):
                for event in server.events(): ...

    In a loop of your own, `update()` takes the place of `ticks`, and `wait()` sleeps until there is something to do.

    Args:
        host: what to listen on: "" for every address, IPv6 and IPv4 on one socket; an address, or a name for every
            address that it has ("localhost" has two); "0.0.0.0" is every IPv4 address, "::" every IPv6 one alone.
        port: 0 for any free one; `address` tells which.
        game, version: what is played here; clients of another game or version are refused, and both are named.
        messages: `msgspec.Struct` types joined by `|`, to have messages typed and checked in both directions.
        tls: an `ssl.SSLContext` with the server's certificate, to have everything encrypted.
        authenticate: called with a newcomer's `credentials` and address; returns what becomes `peer.data` (True, if
            there is nothing else to say), or a `Refusal`, or False for one without words, or an `Elsewhere`. None, which is what a
            forgotten `return` gives, lets nobody in. If it raises, the newcomer is refused, the log gets the traceback,
            and `update()` goes on: whoever knocks must not be able to end the server. A client that comes back after
            its link broke is known by its token and not asked again. It runs inside `update()`, so it must not block.
        max_peers: players at once, those that are away included.
        max_peers_per_address: links at once from one IPv4 address or IPv6 /64; who comes back is let in above it.
        max_pending: links at once that have not yet greeted, or are on their way out.
        grace: seconds for which the seat of a broken link is kept; 0 for not at all.
        announce: what to call this server on the local network, for `netcode.discover` to find it; None to say nothing
            there. It needs the extra `lan`.
        status: where to write what happens here, once a second, for `python -m netcode top`: the path of a file, or
            True for one that is found by the number of the process. None for nowhere.
        web: True, or a `Web` that says what they are shown, to have browsers play at the same port: over WebSocket, and
            over TLS where `tls` is given.
        limits: `max_message`, `timeout`, `ping_interval`, `handshake_timeout`, `message_timeout`, `close_timeout`,
            `max_queue`, `max_queue_age`, `max_resend`, `max_messages_per_update`, `flood_timeout` and `max_backlog`:
            the documentation's page «Limits and times» has the default of each, and why it is that.
        network, clock: what to listen on and how to tell the time, for tests.

    It belongs to the process that made it. In a child that this forks it is DISCONNECTED, says goodbye to nobody, and
    holds no port; so who wants to serve as a daemon becomes one first, and then makes a server.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
        OSError: the port is taken, or the address is not one of this computer.
        ImportError: `messages` or `announce` needs an extra that is not installed.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        game: str = "",
        version: str = "",
        messages: Any = None,
        tls: "SSLContext | None" = None,
        authenticate: Authenticate | None = None,
        max_peers: int = 1000,
        max_peers_per_address: int = 256,
        max_pending: int = 512,
        grace: float = 10.0,
        announce: str | None = None,
        status: "str | PathLike[str] | bool | None" = None,
        web: Web | bool | None = None,
        network: Network = TCP,
        clock: Clock = monotonic,
        **limits: Unpack[LimitOptions],
    ) -> None:
        check_port(port)
        self._game, self._version = check_name("game", game), check_name("version", version)
        if game == protocol.ASKING:
            raise ValueError(f"game {game!r} is what programs say that only ask what is played; choose another name")
        check_number("max_peers", max_peers, whole=True)
        check_number("max_peers_per_address", max_peers_per_address, whole=True)
        check_number("max_pending", max_pending, whole=True)
        check_number("grace", grace, zero=True)
        shown = _check_web(web)
        if authenticate is not None and not callable(authenticate):
            kind = type(authenticate).__name__
            raise TypeError(f"authenticate must be a function of credentials and an address, not {kind}")
        self._max_peers, self._max_per_address, self._max_pending = max_peers, max_peers_per_address, max_pending
        self._grace, self._authenticate = grace, authenticate
        self._limits = make_limits("Server", limits, Server.__init__)
        self._codec = make_codec(messages, self._limits.of_clients, self._limits.of_servers)
        self._largest = self._limits.of_servers.size
        self._inbox = Inbox[Event](self._limits.max_backlog, Received, Budget())
        self._attendance = Attendance("server")
        self._sessions: dict[int, Session] = {}
        self._keys: dict[bytes, Session] = {}
        self._linked = 0  # peers that have a link
        self._fresh: dict[Session, float] = {}  # who may not know yet that they are in, and since when they are
        self._origins: dict[str, int] = {}
        self._crowd: set[Link] = set()  # those that came when there were max_peers_per_address already
        self._arrivals: list[tuple[Link, Hello]] = []
        self._graces: Deadlines[Session] = Deadlines()
        self._endings = _Endings()
        self._last_id = self._last_link = 0
        self._state = State.CONNECTED
        self._goodbye = ""
        self._is_ending = False  # somebody asked for it, perhaps in the middle of an update
        notice = None if announce is None else make_notice(announce, game, version, max_peers, tls is not None)
        lan = None if notice is None else lan_of(network)
        if tls is not None:
            from netcode.transport.tls import TlsNetwork

            network = TlsNetwork(network, tls)
        self._observers: list[Observer] = []
        if status is not None and status is not False:
            from netcode.status import StatusFile

            StatusFile(self, status)
        self._links: StreamSet[Link] = StreamSet(clock, self._inbox)
        self._engine = self._links.engine
        self._doorway = self._open(network.listen(host, port), shown)
        self.address = self._doorway.address
        """Where the server listens; the first place if there are more, which all have the same port."""
        self._links.watcher.watch_doors(self._doorway.doors())
        self._announcer = Announcer(lan, host, self.address, notice) if lan and notice else None
        keep_from_children(self)

    @property
    def state(self) -> State:
        """CONNECTED while it serves, DISCONNECTING after `close_nicely`, DISCONNECTED when all is closed."""
        return self._state

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The players, in the order in which they joined; those that are away included."""
        return tuple([session.peer for session in self._sessions.values()])

    def __repr__(self) -> str:
        return f"<Server {self._state.value} on {self.address}, {len(self._sessions)} peers>"

    def update(self) -> None:
        """Do what can be done now: accept, receive, send, ping, time out. Never blocks. Call it once a tick.

        It costs what is ready or due, not what is connected. Called too rarely, it is silent, and clients leave
        after their `timeout`; how long it was away itself is never held against a client.

        An exception may leave it at any point, such as that of Ctrl-C or of a signal handler. If a link was being
        handled, the next call breaks it off, and its return brings what was lost; everybody else notices nothing. What
        a signal handler asks for in the middle of it, such as `close_nicely()`, is done at its end.

        Raises:
            RuntimeError: it is called from within itself, or from two threads at once.
        """
        engine = self._engine
        if engine.busy:
            raise RuntimeError("Server.update() is already running: call it from one place, in one thread")
        if self._state is State.DISCONNECTED:
            return
        if engine.torn or engine.later:
            engine.catch_up(self._recover)
        if self._inbox.events:
            self._inbox.leave(self._links.timeline.now, "server")
        self._attendance.calls = 0
        try:
            engine.busy = True
            self._step()
            engine.busy = False
        except BaseException:
            engine.torn, engine.busy = True, False
            raise
        if engine.later:
            engine.catch_up(self._recover)

    def events(self) -> list[Event]:
        """Take the events since the last call, in order. Each comes once.

        A loop over them may be left in the middle, by an exception, say: what it did not reach comes first in the next
        call.

        If they are not taken, the server stops reading once they hold `max_backlog` bytes; the links survive that.
        """
        if self._attendance.calls & ASKED:
            self._attendance.again(self._links.timeline.clock, self._has_work)
        self._attendance.calls |= ASKED
        return self._inbox.take()

    def wait(self, timeout: float | None = None) -> bool:
        """Send what is queued, and sleep until `update()` has something to do or `events()` something to give.

        After a wake-up that brought nothing but pings, the next comes a millisecond later at the earliest, so that the
        pings of thousands are handled together.

        Args:
            timeout: seconds to sleep at most; None for as long as it takes.

        Returns:
            False if the time passed first.
        """
        timeout = check_wait(timeout)
        if self._inbox.has_news() or self._state is State.DISCONNECTED:
            return True
        if self._attendance.calls & WAITED:
            self._attendance.again(self._links.timeline.clock, self._has_work)
        self._attendance.calls |= WAITED
        left, due = self._until_due(), False
        if left is not None and (timeout is None or left < timeout):
            timeout, due = left, True
        return self._links.sleep(timeout) or due or bool(self._inbox.events)

    def ticks(self, rate: float, *, goodbye: str = "") -> Iterator[int]:
        """Make a loop of it: sleep, `update()`, and yield, `rate` times a second, the number of the tick, from 0 up.

        Usage::

            for tick in server.ticks(30):
                for event in server.events(): ...

        It ends when the state is DISCONNECTED, after a last tick for the last events. Ticks do not drift; those that
        come late are made up for, up to a quarter of a second of them, and what a longer pause took is skipped. Between
        rare ticks it updates all the same.

        The first Ctrl-C is a `close_nicely(goodbye)`, and the loop ends once that is done; a second one raises
        `KeyboardInterrupt` as ever. Not so in another thread than the main one, or where the program handles SIGINT.

        Raises:
            TypeError, ValueError: `rate` is no number above 0, or `goodbye` no str.
        """
        return ticks(self, rate, goodbye, self._links.timeline.clock)

    def broadcast(self, message: Any, *, to: Iterable[Peer] | Peer | None = None) -> None:
        """Send `message` to everybody, or to `to`: a peer or several. It is encoded once.

        What it may be, `Peer.send` says: above all, tuples arrive as lists. A signal handler may call it, also in the middle of an `update()`.

        Raises:
            TypeError, ValueError: the message has parts that msgpack cannot say, or nests too deep; `to` has something
                in it that is no peer.
            MessageTooLarge: it is larger than a server may send, and was sent to none. Where one of the recipients takes
                less than that, its link ends with `TOO_LARGE`, and the others get the message.
        """
        payload = self._codec.encode(message)
        sessions = [*self._sessions.values()] if to is None else _sessions_of(to)
        size, most = len(payload), self._largest
        if size > most:
            raise MessageTooLarge(size, most, self._limits.max_message)
        data = frame(payload)
        for session in sessions:
            session.outbox.post(data)

    def close_nicely(self, text: str = "") -> None:
        """Stop listening, tell everybody `text`, and close once they have had it. Keep calling `update()`.

        `state` is DISCONNECTED when that is done, `close_timeout` seconds later at the most. Each peer gives its
        `Left`. The first text wins. In the middle of an `update()`, as from a signal handler, it begins at the end of
        that.

        Raises:
            TypeError: `text` is no str.
        """
        check_text(text)
        if self._state is State.CONNECTED:
            self._is_ending = True
            self._do(partial(self._leave, text))

    def close(self) -> None:
        """Close everything at once. Each peer gives its `Left`, and is told if one `send` can still do that.

        In the middle of an `update()`, as from a signal handler, at the end of that.
        """
        if self._state is not State.DISCONNECTED:
            self._is_ending = True
            self._do(self._close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def instantiate(self) -> Descriptors:
        read, write, exceptional = self._links.each_descriptor()
        return [*read, *self._links.watcher.doors], write, exceptional

    def _before_sleep(self) -> None:
        self._links.send_now()

    def _descriptors(self) -> Descriptors:
        return self._links.descriptors() if self._links.watcher.poller.fileno() >= 0 else self.instantiate()

    def _seconds_left(self) -> float | None:
        if self._inbox.has_news() or self._state is State.DISCONNECTED or self._engine.later:
            return 0.0
        if self._state is State.DISCONNECTING and not len(self._links):
            return 0.0
        waits = (self._links.seconds_left(), self._until_due())
        return min((seconds for seconds in waits if seconds is not None), default=None)

    def _until_due(self) -> float | None:
        """Return in how many seconds a grace is over or the door opens again."""
        grace, opening = self._graces.next(), self._doorway.due()
        if grace is None and opening is None:
            return None
        return self._links.timeline.until(min(when for when in (grace, opening) if when is not None))

    def _slept(self, seconds: float) -> None:
        self._links.timeline.tick(seconds)

    def _has_work(self) -> bool:
        """Tell whether an update has something to do."""
        due = self._until_due()
        return self._state is not State.DISCONNECTED and (self._links.sleep(0.0) or (due is not None and due <= 0))

    def _abandon(self) -> None:
        """Be over in a child of the process that made it."""
        self._state = State.DISCONNECTED
        self._links.closed = True
        self._links.abandon()
        self._doorway.close()
        if self._announcer is not None:
            self._announcer.abandon()
        self._engine.later.clear()
        for session in [*self._sessions.values()]:
            session.end(closed_here(TEXT))
            session.let_go()
        self._sessions.clear()

    def _step(self) -> None:
        """Do what an update does; an exception may leave it at any point."""
        for observer in self._observers:
            observer.begin()
        links = self._links
        self._inbox.budget.spent = 0
        links.update()
        if self._arrivals:
            self._take_in_arrivals()
        waiting = self._doorway.counts_time and self._is_door_due(links.timeline.now)
        if waiting or links.watcher.knocked or not links.watcher.doors:
            self._accept(links.timeline.now)
        if len(self._graces):
            self._end_graces(links.timeline.now)
        if self._announcer is not None:
            self._announcer.count(len(self._sessions))
        for observer in self._observers:
            observer.end()
        if self._state is State.DISCONNECTING and not len(links):
            self._shut()

    def _do(self, act: Act) -> None:
        self._engine.do(act, self._recover)

    def _leave(self, text: str) -> None:
        """Stop listening, and say goodbye to everybody."""
        if self._state is State.CONNECTED:
            self._goodbye = text
            self._state = State.DISCONNECTING
        self._close_door()
        engine, text = self._engine, self._goodbye
        reason = Reason(ReasonCode.SHUTDOWN, text or "server is shutting down")
        for link in self._links:
            engine.stepping = link.stream
            if link.session is not None and link.session.link is link:
                link.say_goodbye(reason)
            else:
                link.fail(reason)
        engine.stepping = None
        for session in [*self._sessions.values()]:
            if session.away:
                self._drop(session, closed_here(text))

    def _close(self) -> None:
        """Close everything."""
        self._state = State.DISCONNECTING
        reason, engine = Reason(ReasonCode.SHUTDOWN, "server is shutting down"), self._engine
        for link in self._links:
            engine.stepping = link.stream
            link.cut(reason)
        engine.stepping = None
        for session in [*self._sessions.values()]:
            self._drop(session, closed_here())
        self._close_door()
        self._shut()

    def _recover(self) -> None:
        """Bring everything in line with what is, after an exception left something half-way."""
        self._links.recover()
        links = [link for link in self._links if link.stream.alive]
        for link in links:
            lost = link.session is not None and link.session.link is not link and link.reason is None
            if lost or link.is_half_closed:  # its session was about to get another one, or it was about to say goodbye
                link.stream.break_off()
        for session in [*self._sessions.values()]:
            self._settle(session)
        self._keys = {session.secret[:KEY_SIZE]: session for session in self._sessions.values() if session.secret}
        self._linked = sum(session.link is not None for session in self._sessions.values())
        self._crowd &= {*links}
        self._origins = {}
        for link in links:
            if link.stream.alive:
                origin = self._origin(link)
                self._origins[origin] = self._origins.get(origin, 0) + 1
        self._graces = Deadlines()
        for session in [*self._sessions.values()]:
            if session.told is Away:
                self._graces.push(session.away_until, session)

    def _settle(self, session: Session) -> None:
        """Tell the game what it has not yet been told of `session`."""
        link = session.link
        if session.reason is not None:
            self._drop(session, session.reason)
        elif session.told is None:
            self._drop(session, interrupted(str(session.address)))  # it was being let in, and its link is broken off
        elif link is not None and link.reason is not None:
            self._link_over(link)
        elif link is None:
            if session.told is not Away:
                self._seat_is_empty(session, interrupted(str(session.address)))
        elif session.told is Away:
            self._inbox.put(Back(session.peer), session)

    # What a link and a session tell their owner.

    def _kept(self) -> None:
        """A message was kept for a player who is away."""

    def _link_opened(self, link: Link) -> None:
        """The client speaks first."""

    def _greeted(self, link: Link, greeting: Hello | Welcome) -> None:
        """Hear who is at the door; whether to let it in is decided after all was read, because it may raise."""
        assert isinstance(greeting, Hello)
        self._arrivals.append((link, greeting))

    def _link_over(self, link: Carrier) -> None:
        """Hear that a link ended: keep the seat for a while, or say that it is over."""
        session, reason = link.session, link.reason
        assert reason is not None
        if session is None:
            for observer in self._observers:
                observer.turned_away(reason)
            log.warn("refused", "%s did not get in: %s", link.where, reason)
            return
        if session.link is not link:
            return  # replaced by a newer one
        # First tell, then let go: what an interrupt leaves undone can be seen, and is done again.
        self._seat_is_empty(session, reason)
        session.let_go()
        self._linked -= 1

    def _seat_is_empty(self, session: Session, reason: Reason) -> None:
        """Keep the seat of a session for a while, or say that it is over."""
        may_return = (
            self._grace and session.outbox.resumes and reason.code in BROKEN_LINK and self._state is State.CONNECTED
        )
        if not may_return or session.told is None:
            self._drop(session, reason)
        elif session.told is not Away:
            session.away_reason = reason
            # Who does not know of its seat cannot come back to it: it is kept no longer than a greeting is waited for.
            grace = min(self._grace, self._limits.handshake_timeout) if self._is_fresh(session) else self._grace
            session.away_until = self._links.timeline.now + grace
            self._graces.push(session.away_until, session)
            self._inbox.put(Away(session.peer, reason), session)

    def _link_gone(self, link: Link) -> None:
        """Hear that a connection is closed."""
        self._crowd.discard(link)
        origin = self._origin(link)
        left = self._origins.get(origin, 0) - 1
        if left > 0:
            self._origins[origin] = left
        else:
            self._origins.pop(origin, None)

    def _drop(self, session: Session, reason: Reason) -> None:
        """It is over with `session`: say so, once."""
        if session.id not in self._sessions:
            return
        self._keys.pop(session.secret[:KEY_SIZE], None)
        self._fresh.pop(session, None)
        if session.farewell is not None:
            tokens = session.secret, session.former_secret
            self._endings.note(tokens, session.farewell, self._links.timeline.now + self._grace)
        session.end(reason)
        peer: Peer = session.peer
        if session.told is not None and session.told is not Left:
            self._inbox.put(Left(peer, reason), session)
        self._sessions.pop(session.id, None)
        for observer in self._observers:
            observer.went(peer, reason)
        session.peer = None

    # The door.

    def _open(self, doorway: Doorway, web: Web | None) -> Doorway:
        """Open a door to browsers, too, if they are wanted."""
        if web is None:
            return doorway
        from netcode.transport.web import WebDoorway

        return WebDoorway(doorway, web, self._limits.handshake_timeout, self._max_pending, self._max_per_address)

    def _is_door_due(self, now: float) -> bool:
        """Tell whether somebody's time before the door is over."""
        due = self._doorway.due()
        return due is not None and due <= now

    def _close_door(self) -> None:
        self._links.watcher.watch_doors(())
        self._doorway.close()
        if self._announcer is not None:
            self._announcer.close()

    def _accept(self, now: float) -> None:
        self._links.watcher.knocked = False
        if self._state is not State.CONNECTED or self._inbox.is_full():
            return
        for _ in range(ACCEPTS_PER_UPDATE):
            newcomer = self._doorway.accept(now)
            if newcomer is None:
                break
            self._let_in(newcomer, now)
        # None of them while descriptors are short: a level-triggered poller would spin on the door.
        self._links.watcher.watch_doors(self._doorway.doors())

    def _origin(self, link: Carrier) -> str:
        return bucket(link.stream.remote_address or self.address)

    def _too_many(self, where: str) -> ProtocolError:
        log.warn("crowd", "%s did not get in: max_peers_per_address = %s are there", where, self._max_per_address)
        text = "too many are playing from your address already; try again later"
        return ProtocolError(ReasonCode.TOO_MANY, text)

    def _let_in(self, newcomer: Connector, now: float) -> None:
        """Give a newcomer a link, or turn it away."""
        if len(self._links) - self._linked >= self._max_pending:
            log.warn("busy", "%s was turned away: max_pending = %s are at the door", newcomer.where, self._max_pending)
            text = "the server is busy: many want to come in; try again in a moment"
            _turn_away(newcomer, Reason(ReasonCode.SERVER_FULL, text), now)
            return
        origin = bucket(newcomer.address or self.address)
        count = self._origins.get(origin, 0)
        if count >= self._max_per_address + TOLD_AT_THE_DOOR:
            # Hearing a greeting takes a link for a while, of which there are max_pending for everybody.
            _turn_away(newcomer, self._too_many(newcomer.where).reason, now)
            return
        self._origins[origin] = count + 1
        link = Link(self, self._limits, self._codec, self._inbox, Hello)
        self._last_link += 1
        link.number = self._last_link
        waited = newcomer if isinstance(newcomer, Ready) else None
        since = now if waited is None or waited.since is None else waited.since
        link.greet_by(since + self._limits.handshake_timeout)  # TLS and HTTP, if any, included
        if count >= self._max_per_address:
            self._crowd.add(link)
        link.stream = Stream(newcomer, link, link, self._links.timeline)
        self._links.take_in(link.stream, link)
        if waited is not None and waited.objection is not None:
            link.fail(waited.objection)

    def _take_in_arrivals(self) -> None:
        engine = self._engine
        while self._arrivals:
            link, hello = self._arrivals[0]
            if link.reason is None and not self._is_ending:
                engine.stepping = link.stream
                try:
                    self._greet(link, hello)
                except ProtocolError as error:
                    link.fail(error.reason)
                engine.stepping = None
            del self._arrivals[0]
        self._links.send(self._links.timeline.now)

    def _greet(self, link: Link, hello: Hello) -> None:
        """Take somebody in or back. Raises `ProtocolError` for a refusal."""
        if hello.game == protocol.ASKING:
            about = {
                "game": self._game,
                "version": self._version,
                "players": len(self._sessions),
                "max_players": self._max_peers,
            }
            title = _title(self._game, self._version)
            link.answer(Reason(ReasonCode.WRONG_GAME, f"the server runs {title}; this only asked"), about)
            return
        if (hello.game, hello.version) != (self._game, self._version):
            theirs, ours = _title(hello.game, hello.version), _title(self._game, self._version)
            code = ReasonCode.WRONG_VERSION if hello.game == self._game else ReasonCode.WRONG_GAME
            raise ProtocolError(code, f"the server runs {ours}, this is {theirs}; get the same one")
        if hello.token:
            self._take_back(link, hello, hello.token)
            return
        if link in self._crowd and self._origins[self._origin(link)] > self._max_per_address:
            ghost = self._find_ghost(self._origin(link))
            if ghost is None:
                raise self._too_many(link.where)
            self._oust(ghost)
        if len(self._sessions) >= self._max_peers and self._find_ghost() is None:
            log.warn("full", "%s did not get in: max_peers = %s are playing", link.where, self._max_peers)
            raise ProtocolError(ReasonCode.SERVER_FULL, "the server is full; try again later")
        data = None
        if self._authenticate is not None:
            data = self._ask_authenticate(self._authenticate, hello.credentials, link)
            if self._is_ending:
                return  # the server was closed from within
        if len(self._sessions) >= self._max_peers and (ghost := self._find_ghost()) is not None:
            self._oust(ghost)
        self._last_id += 1
        address = link.stream.remote_address or self.address
        session = Session(self, self._last_id, address, self._limits, self._codec)
        Peer(session, self._codec).data = data
        session.take_limit(hello.max_message)
        session.outbox.resumes = hello.token is not None and self._grace > 0
        if session.outbox.resumes:
            session.secret = secrets.token_bytes(KEY_SIZE + SECRET_SIZE)
            self._keys[session.secret[:KEY_SIZE]] = session
        self._sessions[session.id] = session
        self._fresh[session] = link.now
        self._welcome(link, session, [])
        self._inbox.put(Joined(session.peer), session)
        for observer in self._observers:
            observer.came()

    def _ask_authenticate(self, authenticate: Authenticate, credentials: Any, link: Link) -> Any:
        """Return what the game makes of credentials; raise `ProtocolError` for whatever is not plainly a yes."""
        address = link.stream.remote_address or self.address
        try:
            data = authenticate(credentials, address)
        except Exception as error:
            log.error("authenticate", "authenticate failed for %s, who was refused", address, error=error)
            raise ProtocolError(ReasonCode.DENIED, "the server failed while it let you in") from error
        except BaseException:  # Ctrl-C, say: nobody has said yes
            link.fail(Reason(ReasonCode.DENIED, "the server failed while it let you in"))
            self._engine.stepping = None  # it is to hear that
            raise
        if self._is_ending:
            return None  # it was closed from within, and says so itself
        if isinstance(data, Refusal):
            raise ProtocolError(ReasonCode.DENIED, data.text)
        if isinstance(data, Elsewhere):
            reason = moved(data.address, data.text)
            raise ProtocolError(reason.code, reason.text, reason.where)
        refused = data is False or _says_nothing(data)
        if refused and data is not False and link.reason is None:
            log.warn(
                "authenticate returned None",
                "authenticate returned %s for %s, who was refused; return what becomes peer.data, or True to let "
                "somebody in, or a Refusal to keep somebody out",
                "None" if data is None else _kind_of(data),
                address,
            )
        if refused:
            raise ProtocolError(ReasonCode.DENIED, "the server does not accept these credentials")
        return data

    def _is_fresh(self, session: Session) -> bool:
        """Tell whether `session` may not know yet that it is in."""
        if session in self._fresh and session.has_spoken():
            del self._fresh[session]
        return session in self._fresh

    def _find_ghost(self, origin: str | None = None) -> Session | None:
        """Find a player who does not know that it is one: whose link broke, or is silent, since it was greeted.

        Args:
            origin: where its link has to come from; None for anywhere, or without a link.
        """
        overdue = self._links.timeline.now - self._limits.handshake_timeout
        for session, since in [*self._fresh.items()]:
            link = session.link
            if link is None and origin is not None:
                continue
            if link is not None and (since > overdue or origin not in (None, self._origin(link))):
                continue
            if self._is_fresh(session):
                return session
        return None

    def _oust(self, ghost: Session) -> None:
        """Have a seat, and a link, that nobody uses."""
        link, reason = ghost.link, ghost.away_reason
        if link is not None:
            within = f"handshake_timeout = {self._limits.handshake_timeout:g} s"
            reason = Reason(ReasonCode.HANDSHAKE_TIMEOUT, f"{link.where} did not take its seat within {within}")
            ghost.let_go()
            self._linked -= 1
            link.cut(reason)
        assert reason is not None
        self._drop(ghost, reason)

    def _take_back(self, link: Link, hello: Hello, token: bytes) -> None:
        """Give a client that came back its seat. Raises `ProtocolError` if that is not possible."""
        session = self._keys.get(token[:KEY_SIZE])
        if (ending := self._endings.of(token, link.now)) is not None:
            raise ProtocolError(ending.code, ending.text, ending.where)  # it may not have heard why
        # A program that takes a seat over gets a token of its own, so that the one before it cannot come back, should it
        # still run: both would count the messages as theirs. Until then the old token is good, for it may have to try twice.
        former = (
            session is not None and bool(session.former_secret) and hmac.compare_digest(session.former_secret, token)
        )
        if session is None or not (former or hmac.compare_digest(session.secret, token)):
            text = "the server does not know this session any more: it was restarted, or you were away for too long"
            raise ProtocolError(ReasonCode.RESUME_LOST, text)
        if link.number < session.link_number or (former and not hello.anew):
            # An attempt that the client gave up, and whose greeting was overtaken by that of its next one. Taken for
            # the newer, it would end the session: the link in use would hear that it is replaced.
            raise ProtocolError(ReasonCode.REPLACED, "the same player has connected again since")
        old = session.link
        if old is not None:
            if old.goodbye is not None:  # sent away: keeping that link open must not be a way back in
                said = session.farewell
                if said is not None and said.code is ReasonCode.MOVED:
                    raise ProtocolError(said.code, said.text, said.where)
                raise ProtocolError(ReasonCode.GOODBYE, old.goodbye.text)
            session.let_go()
            self._linked -= 1
            replaced = Reason(ReasonCode.REPLACED, "the same player connected again from elsewhere")
            old.fail(replaced)
            if hello.anew:  # the game has to hear of it, since the new program knows nothing of what it was told
                session.away_reason = replaced
                self._inbox.put(Away(session.peer, replaced), session)
        session.address = link.stream.remote_address or session.address
        session.take_limit(hello.max_message)
        first = session.outbox.resend.acknowledged if hello.anew else 0
        try:
            missing = session.missing(first if hello.anew else hello.received)
        except ProtocolError as error:
            session.farewell = error.reason
            self._drop(session, error.reason)
            raise
        self._fresh.pop(session, None)
        if hello.anew:
            if not former:
                session.former_secret = session.secret
            session.secret = session.secret[:KEY_SIZE] + secrets.token_bytes(SECRET_SIZE)
        self._welcome(link, session, missing, first)
        if session.told is Away:
            self._inbox.put(Back(session.peer), session)
            session.away_reason = None

    def _welcome(self, link: Link, session: Session, missing: list[bytes], first: int = 0) -> None:
        limits = self._limits
        grace = self._grace if session.outbox.resumes else 0.0
        session.link_number = link.number
        greeting = Welcome(
            session.id, limits.max_message, session.secret, session.received, limits.timeout, grace, first
        )
        link.greet(protocol.welcome(greeting))
        session.carry_on(link, missing)
        self._linked += 1

    def _end_graces(self, now: float) -> None:
        if len(self._graces) > 64 + 4 * len(self._sessions):
            self._graces.prune(lambda when, session: session.told is Away and when == session.away_until)
        while (entry := self._graces.pop(now)) is not None:
            when, peers = entry
            for session in peers:
                if session.told is Away and session.away_reason is not None and when == session.away_until:
                    self._drop(session, session.away_reason)

    def _shut(self) -> None:
        self._links.close()
        self._state = State.DISCONNECTED
        for observer in [*self._observers]:
            observer.closed()


hint(Server, SERVER)


def _sessions_of(to: Iterable[Peer] | Peer) -> list[Session]:
    if isinstance(to, Peer):
        return [session_of(to)]
    if not isinstance(to, Iterable):
        raise TypeError(f"to must be peers, as in server.peers, not {type(to).__name__}")
    return [session_of(_check_peer(peer)) for peer in to]


def _check_web(web: Web | bool | None) -> Web | None:
    """Return what is shown to browsers; None where they are not wanted."""
    if web is not None and not isinstance(web, bool | Web):
        raise TypeError(f"web must be True or a netcode.Web, not {type(web).__name__}")
    return Web() if web is True else web or None


def _says_nothing(answer: Any) -> bool:
    """Tell whether `authenticate` has decided nothing by what it returned.

    A door that opens for a slip is open to everybody: no `return` at all, an `async def` or a `yield`, by which nothing
    has run yet, `return Refusal` without its words, `return error` where `raise` was meant.
    """
    kind: type = answer if isinstance(answer, type) else type(answer)
    if issubclass(kind, Coroutine) and kind is not answer:
        cast("Coroutine[Any, Any, Any]", answer).close()  # or it would warn that nobody has awaited it
    slips = (Refusal, Elsewhere, BaseException, Awaitable, AsyncGenerator, Generator)
    return answer is None or answer is NotImplemented or issubclass(kind, slips)


def _kind_of(answer: Any) -> str:
    name = answer.__name__ if isinstance(answer, type) else type(answer).__name__
    return f"the class {name}" if isinstance(answer, type) else f"a thing of type {name}"


class _Endings:
    """Why sessions were ended on purpose, for the ears of who comes back without having heard it."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[tuple[bytes, bytes], Reason, float]] = {}  # in the order in which they go

    def note(self, tokens: tuple[bytes, bytes], reason: Reason, until: float) -> None:
        """Remember why the session is over that has either of two tokens, unless it is because its link broke."""
        key = tokens[0][:KEY_SIZE]
        if key and reason.code not in BROKEN_LINK:
            if len(self._known) >= MAX_ENDINGS:
                del self._known[next(iter(self._known))]
            self._known[key] = tokens, reason, until

    def of(self, token: bytes, now: float) -> Reason | None:
        """Return why the session of `token` is over, if that is known."""
        tokens, reason, until = self._known.get(token[:KEY_SIZE], ((b"", b""), None, 0.0))
        return reason if now < until and any(hmac.compare_digest(one, token) for one in tokens) else None


def _check_peer(peer: Peer) -> Peer:
    if not isinstance(peer, Peer):
        raise TypeError(f"to must be peers, as in server.peers, not {type(peer).__name__}")
    return peer


def _title(game: str, version: str) -> str:
    return printable(f"{game or 'a game without a name'} {version}".strip(), 60)


def _turn_away(newcomer: Connector, reason: Reason, now: float) -> None:
    """Refuse somebody for whom there is not even room to wait, with what one `send` can say."""
    transport = newcomer.advance(now)
    if transport is not None and not isinstance(transport, Reason):
        try:
            transport.send(protocol.bye(reason))
        except OSError:
            pass
    newcomer.close()
