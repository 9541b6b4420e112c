"""A game's end of a link to a server: connects, greets, comes back, and tells it all as events."""

import random
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from netcode import protocol
from netcode.address import Address, check_address, check_destination
from netcode.advice import ASKED, SENT, WAITED, Attendance
from netcode.clock import Clock, Timeline, monotonic
from netcode.codec import PLAIN, make_codec
from netcode.engine import Act, Engine
from netcode.errors import ProtocolError
from netcode.events import Away, Back, Event, Joined, Left, Received
from netcode.forks import TEXT, keep_from_children
from netcode.limits import LimitOptions, check_name, check_number, make_limits
from netcode.link import BROKEN_LINK, Link
from netcode.mistakes import CLIENT, hint
from netcode.peer import Peer
from netcode.protocol import Hello, Welcome
from netcode.reasons import Reason, ReasonCode, check_text, closed_here
from netcode.session.inbox import Inbox
from netcode.session.session import ANOTHER_SESSION, Session
from netcode.stream.contract import SCRATCH, State
from netcode.stream.stream import Stream
from netcode.stream.stream_set import together
from netcode.ticks import ticks
from netcode.transport import Network
from netcode.transport.tcp import TCP
from netcode.waiting import CustomWaiter, Descriptors, Waiter, wait

if TYPE_CHECKING:
    from ssl import SSLContext

BACKOFF = 0.5
"""Seconds within which the first attempt to come back is made."""
BACKOFF_FACTOR = 1.6
"""How much longer each further attempt may take to begin."""
BACKOFF_CAP = 30.0
"""Seconds within which an attempt begins, however many failed."""
PATIENT_CAP = 5.0
"""The same for a server that was not there yet: who waits for it to start does not want to wait for long after that."""
REFUSALS = 3
"""Connects refused in a row after which nobody will come back: a server that restarted has forgotten us anyway."""

GREETINGS = 3
"""Greetings until a client gives up that never hears the answer, because the link breaks each time before that."""
GREETING_REST = 1.0
"""Seconds before it greets again at least: the server must have heard that the link broke, or the client finds itself
in its own way."""

HOPS = 3
"""Times in a row that a client is sent on to another server; then it asks one that it knows."""

TICKET = "seat-"
"""What the text of a ticket begins with; the token follows, in hexadecimal digits."""

_NO_ROOM = memoryview(b"")

_WORTH_ANOTHER_TRY = BROKEN_LINK | {
    ReasonCode.REFUSED,
    ReasonCode.CONNECT_TIMEOUT,
    ReasonCode.HANDSHAKE_TIMEOUT,
    ReasonCode.NAME_NOT_FOUND,
    ReasonCode.NO_DESCRIPTORS,
    ReasonCode.SERVER_FULL,
    ReasonCode.TOO_MANY,
    ReasonCode.MOVED,
}

_WORTH_ANOTHER_RETURN = (_WORTH_ANOTHER_TRY | {ReasonCode.BROKEN_TLS}) - {ReasonCode.MOVED}
"""The same where there is a seat: who cannot agree on TLS is the network, or somebody between, and does not keep it."""

_BROKEN_GREETING = BROKEN_LINK - {ReasonCode.HANDSHAKE_TIMEOUT}
"""Ends of a link that were not to be expected of a server, who would have answered: not even that it is full."""


class Client(Waiter):
    """A link to a `Server`, driven by `update()` once a frame.

    Usage::

        client = netcode.Client("localhost", 7777, game="chess", version="1")
        while True:
            client.update()
            for event in client.events(): ...

    It connects from construction on, and goes on to another server if one of several sends it there. When it is welcomed, `Joined` comes; when it is over, or never began,
    `Left` comes as the last event, with the reason. In between a broken link is restored by itself: `Away`, then
    `Back` or `Left`. Nothing that the network or the server does ever raises.

    Args:
        host, port: where the server is; a name is looked up beside the game.
        addresses: more places where the game is served, or all of them without `host` and `port`, which are then asked
            in any order: each an `Address`, `(host, port)` or `"host:port"`. One that does not answer, or is full, is
            followed by the next.
        game, version: what is played here; the server refuses another game or version, naming both.
        messages: `msgspec.Struct` types joined by `|`, to have messages typed and checked in both directions.
        tls: True to have everything encrypted and the server's certificate checked against the system's
            authorities and `host`; an `ssl.SSLContext` for a check of your own.
        credentials: any message, given to the server's `authenticate`.
        resume: whether to come back after the link broke.
        ticket: the `ticket` of a client of an earlier run of the program, to take the seat that it had.
        patience: seconds for which to try again while the server cannot be reached, does not answer, or is full; 0 to
            give up at the first failure. For a server that starts at the same time. `state` is CONNECTING meanwhile.
        limits: `max_message`, `timeout`, `ping_interval`, `handshake_timeout`, `message_timeout`, `close_timeout`,
            `max_queue`, `max_queue_age`, `max_resend`, `max_messages_per_update`, `flood_timeout` and `max_backlog`:
            the documentation's page «Limits and times» has the default of each, and why it is that.
        network, clock: what to connect over and how to tell the time, for tests.

    It belongs to the process that made it. In a child that this forks it is DISCONNECTED, and says goodbye to nobody.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
    """

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        *,
        addresses: Iterable[Address | tuple[str, int] | str] = (),
        game: str = "",
        version: str = "",
        messages: Any = None,
        tls: "SSLContext | bool" = False,
        credentials: Any = None,
        resume: bool = True,
        ticket: str | None = None,
        patience: float = 0.0,
        network: Network = TCP,
        clock: Clock = monotonic,
        **limits: Unpack[LimitOptions],
    ) -> None:
        self._addresses = _places(host, port, addresses)
        self._address = self._addresses[0]
        self._trusted = {_plain(address.host) for address in self._addresses}
        self._certain = bool(tls) and (tls is True or bool(getattr(tls, "check_hostname", False)))
        """Whether whoever answers has proved to be the one it was looked for as."""
        self._untried = len(self._addresses) - 1
        self._turn = self._hops = self._tries = 0
        self._game, self._version = check_name("game", game), check_name("version", version)
        # As they are now: they are sent again at each return, and must not have become unsendable by then.
        self._credentials = PLAIN.decode(memoryview(PLAIN.encode(credentials, "credentials")))
        check_number("patience", patience, zero=True)
        self._limits = make_limits("Client", limits, Client.__init__)
        if sys.platform == "emscripten" and network is TCP:
            from netcode.web import network_of_page

            network = network_of_page(tls, self.update)
        elif tls:
            from netcode.transport.tls import TlsNetwork

            network = TlsNetwork(network, None if tls is True else tls)
        self._network = network
        self._timeline = Timeline(clock)
        self._codec = make_codec(messages, self._limits.of_servers, self._limits.of_clients)
        self._inbox = Inbox[Event](self._limits.max_backlog, Received)
        self._attendance = Attendance("client")
        self._engine = Engine()
        self._session = Session(self, 0, self._address, self._limits, self._codec)
        self._session.outbox.resumes = resume
        self._peer = Peer(self._session, self._codec)
        self._token: bytes | None = b"" if resume else None
        self._anew = ticket is not None  # whether we have yet to hear what an earlier program did
        if ticket is not None:
            self._token = _token_in(ticket)
            if not resume:
                raise ValueError("a ticket is for coming back: it needs resume=True")
        self._grace = 0.0
        self._state = State.CONNECTING
        self._welcomed = False
        self._away_for: Reason | None = None
        self._away_until = 0.0
        self._began = self._timeline.now
        self._patient_until = self._began + patience
        self._attempts = 0
        self._greets = False  # whether the present link got as far as our greeting
        self._greeting_broke = False
        self._refusals = 0
        self._retry_at: float | None = None
        self._closing: list[Stream] = []
        self._scratch = memoryview(bytearray(SCRATCH))
        protocol.hello(self._greeting()._replace(token=bytes(protocol.MAX_TOKEN), received=protocol.MAX_COUNT))
        self._link: Link | None = self._connect()
        keep_from_children(self)

    @property
    def state(self) -> State:
        """Where the client is in its life. It changes with `update()`, `close()` and `close_nicely()` alone.

        CONNECTING until `Joined`, and again from `Away` to `Back`. CONNECTED while welcomed. DISCONNECTING from
        `close_nicely` to `Left`. DISCONNECTED from `Left` on, for good; `reason` says why.
        """
        if self._state is State.CONNECTED and self._link is not None and self._link.goodbye is not None:
            return State.DISCONNECTING
        return self._state

    @property
    def reason(self) -> Reason | None:
        """Why it is over; None while it is not."""
        return self._peer.reason

    @property
    def peer(self) -> Peer | None:
        """The server; None until welcomed."""
        return self._peer if self._welcomed else None

    @property
    def id(self) -> int | None:
        """The number that the server knows us by; None until welcomed."""
        return self._peer.id if self._welcomed else None

    @property
    def address(self) -> Address:
        """Where the server is, as it was named: by who made this client, or by a server that sent it on."""
        return self._address

    @property
    def ticket(self) -> str | None:
        """What another run of this program needs to take this seat: None until `Joined`, and after `Left`.

        Keep it where it outlives the program, and give it to `Client(..., ticket=ticket)` while the server still keeps
        the seat, which it does for its `grace` after the link broke. It is a secret: whoever has it is this player. It
        becomes void when it was used; the new client has one of its own.

        The new client starts with `Joined`, and for the server the peer was `Away` and is `Back`: a program that was
        started again knows nothing, so the game has to tell it how things stand. Messages that had come but were not
        yet acknowledged come again, those that were sent and had not arrived are lost with the old program, and from
        then on everything arrives exactly once. If the seat is no longer kept, `Left` comes with `RESUME_LOST`.
        """
        if not (self._welcomed and self._token and self._grace) or self._peer.reason is not None:
            return None
        return TICKET + self._token.hex()

    @property
    def rtt(self) -> float | None:
        """The round-trip time to the server in seconds, smoothed (RFC 6298); None until measured."""
        return self._peer.rtt

    @property
    def jitter(self) -> float | None:
        """How much the round-trip time varies, in seconds, smoothed (RFC 6298); None until measured."""
        return self._peer.jitter

    def __repr__(self) -> str:
        return f"<Client {self._state.value} to {self._peer.address}>"

    def send(self, message: Any) -> None:
        """Send `message` to the server: it leaves with the next `update()`. Never blocks.

        What it may be, `Peer.send` says: above all, tuples arrive as lists.
        CONNECTING: it is kept, and sent once welcomed or back. DISCONNECTING, DISCONNECTED: it is ignored.
        A signal handler may call it, also in the middle of an `update()`.

        Raises:
            TypeError, ValueError: the message has parts that msgpack cannot say, or nests too deep.
            MessageTooLarge: it is larger than `max_message`. Where the server takes less than that, the link ends with
                `TOO_LARGE` instead, at the latest when it says so.
        """
        self._peer.send(message)

    def update(self) -> None:
        """Do what can be done now: connect, receive, send, ping, time out, come back. Never blocks.

        Call it once a frame. Called too rarely, it is silent: the server ends the link after its `timeout`.

        An exception may leave it at any point, such as that of Ctrl-C or of a signal handler. If the link was being
        handled, the next call breaks it off, and its return brings what was lost. What a signal handler asks for in the
        middle of it, such as `close_nicely()`, is done at its end.

        Raises:
            RuntimeError: it is called from within itself, or from two threads at once.
        """
        engine = self._engine
        if engine.busy:
            raise RuntimeError("Client.update() is already running: call it from one place, in one thread")
        if engine.torn or engine.later:
            engine.catch_up(self._recover)
        if self._inbox.events:
            self._inbox.leave(self._timeline.now, "client")
        self._attendance.calls = 0
        try:
            engine.busy = True
            now = self._timeline.tick()
            if self._link is not None:
                engine.stepping = stream = self._link.stream
                stream.step(now, self._scratch)
            if self._closing:
                for stream in self._closing:
                    engine.stepping = stream
                    stream.step(now, self._scratch)
                self._closing = [stream for stream in self._closing if stream.alive]
            engine.stepping = None
            if self._peer.reason is not None and not self._closing:
                self._scratch = _NO_ROOM  # this and its peer know each other, and may wait for the collector of garbage
            if self._away_for is not None or self._retry_at is not None:
                self._go_on_trying(now)
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
        """
        if self._attendance.calls & ASKED:
            self._attendance.again(self._timeline.clock, self._has_work)
        self._attendance.calls |= ASKED
        return self._inbox.take()

    def wait(self, timeout: float | None = None) -> bool:
        """Send what is queued, and sleep until `update()` has something to do or `events()` something to give.

        Args:
            timeout: seconds to sleep at most; None for as long as it takes.

        Returns:
            False if the time passed first. For programs without a frame; a game just calls `update()`.
        """
        if not self._inbox.has_news():
            if self._attendance.calls & WAITED:
                self._attendance.again(self._timeline.clock, self._has_work)
            self._attendance.calls |= WAITED
        return wait(self, timeout=timeout) or bool(self._inbox.events)

    def ticks(self, rate: float, *, goodbye: str = "") -> Iterator[int]:
        """Make a loop of it: sleep, `update()`, and yield, `rate` times a second, the number of the tick, from 0 up.

        Usage::

            for tick in client.ticks(60):
                for event in client.events(): ...

        It ends when the state is DISCONNECTED, after a last tick for the last events. Ticks do not drift; those that
        come late are made up for, up to a quarter of a second of them, and what a longer pause took is skipped. Between
        rare ticks it updates all the same.

        The first Ctrl-C is a `close_nicely(goodbye)`, and the loop ends once that is done; a second one raises
        `KeyboardInterrupt` as ever. Not so in another thread than the main one, or where the program handles SIGINT.

        Raises:
            TypeError, ValueError: `rate` is no number above 0, or `goodbye` no str.
        """
        return ticks(self, rate, goodbye, self._timeline.clock)

    def close(self) -> None:
        """End it at once. What is queued may be lost; the server is told if one `send` can still do that.

        In the middle of an `update()`, as from a signal handler, at the end of that.
        """
        self._do(self._close)

    def close_nicely(self, text: str = "") -> None:
        """End it after everything queued was sent; the server reads `text` as its reason. Keep calling `update()`.

        `Left` comes once that is done, `close_timeout` seconds later at the most. The first text wins.
        Not yet welcomed, or away: it ends at once. In the middle of an `update()`, as from a signal handler, it begins
        at the end of that.

        Raises:
            TypeError: `text` is no str.
        """
        check_text(text)
        self._do(partial(self._leave, text))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def instantiate(self) -> Descriptors:
        streams = self._streams()
        return streams[0].descriptors() if len(streams) == 1 else together(streams)

    def _before_sleep(self) -> None:
        engine = self._engine
        if engine.busy or engine.torn or engine.later:
            return
        try:
            engine.busy = True
            for stream in self._streams():
                engine.stepping = stream
                stream.send_now()
            engine.stepping = None
            engine.busy = False
        except BaseException:
            engine.torn, engine.busy = True, False
            raise

    def _seconds_left(self) -> float | None:
        return 0.0 if self._inbox.has_news() else self._until_due()

    def _until_due(self) -> float | None:
        """Return in how many seconds an update is due even if nothing arrives; None for never."""
        if self._engine.torn or self._engine.later:
            return 0.0
        times = list[float]()
        for stream in self._streams():
            if stream.transport is not None and not stream.blocked and stream.has_to_send():
                return 0.0
            left = stream.seconds_left()
            if left is not None:
                times.append(left)
        if self._away_for is not None:
            times.append(self._timeline.until(self._away_until))
        if self._retry_at is not None:
            times.append(self._timeline.until(self._retry_at))
        return min(times, default=None)

    def _slept(self, seconds: float) -> None:
        self._timeline.tick(seconds)

    def _has_work(self) -> bool:
        """Tell whether an update has something to do."""
        due = self._until_due()
        if due is not None and due <= 0:
            return True
        lists = self.instantiate()
        return any(lists) and wait(CustomWaiter(*lists), timeout=0)

    def _kept(self) -> None:
        """Hear that a message was kept for a link that is still to come."""
        if self._attendance.calls & SENT:
            self._attendance.again(self._timeline.clock, self._has_work)
        self._attendance.calls |= SENT

    def _abandon(self) -> None:
        """Be over in a child of the process that made it."""
        for stream in self._streams():
            stream.abandon()
        self._state = State.DISCONNECTED
        self._away_for = self._retry_at = self._link = None
        self._engine.later.clear()
        self._closing.clear()
        self._session.end(closed_here(TEXT))
        self._session.let_go()

    def _do(self, act: Act) -> None:
        self._engine.do(act, self._recover)

    def _leave(self, text: str) -> None:
        """Say goodbye, or end what has not begun."""
        if self._peer.reason is not None:
            return
        if self._state is State.CONNECTED:
            self._session.leave(text)
        else:
            self._close()

    def _close(self) -> None:
        """End everything."""
        engine = self._engine
        if self._peer.reason is None:
            if self._link is not None:
                engine.stepping = self._link.stream
                self._link.cut()
                engine.stepping = None
            if self._peer.reason is None:
                self._drop(self._session, closed_here())
        for stream in self._closing:
            engine.stepping = stream
            stream.close()
        engine.stepping = None
        self._closing.clear()
        self._scratch = _NO_ROOM

    def _recover(self) -> None:
        """Bring everything in line with what is, after an exception left something half-way."""
        engine, session = self._engine, self._session
        if session.told is not Away:
            self._away_for = None
        for stream in self._streams():
            if stream is engine.stepping or not stream.alive:
                stream.break_off()
        for stream in self._closing:
            if stream.state is not State.DISCONNECTING:
                stream.break_off()
        link = self._link
        if link is not None and link.is_half_closed:
            link.stream.break_off()
            link = self._link
        if session.reason is not None:
            self._drop(session, session.reason)
        elif link is not None and link.reason is not None:
            self._link_over(link)
        elif link is not None:
            self._retry_at = None
        elif self._retry_at is None and session.reason is None:
            self._retry()
        engine.stepping = None

    # What a link and the peer tell their owner.

    def _link_opened(self, link: Link) -> None:
        """Greet."""
        self._greets = True
        link.greet(protocol.hello(self._greeting()))

    def _greeted(self, link: Link, greeting: Hello | Welcome) -> None:
        """Hear that the server takes us in, or back."""
        assert isinstance(greeting, Welcome)
        session = self._session
        if self._welcomed and greeting.peer_id != session.id:
            text = f"{link.where} gave our seat away: we were player {session.id}"
            raise ProtocolError(ReasonCode.RESUME_LOST, text)
        if greeting.received and not self._token:
            raise ProtocolError(ReasonCode.RESUME_LOST, ANOTHER_SESSION)  # to which we have said nothing yet
        session.take_limit(greeting.max_message)
        if self._anew:
            self._anew = False
            session.received = greeting.first
            session.outbox.resend.begin_at(greeting.received)
        if not greeting.token:
            session.outbox.resumes = False
        session.address = link.stream.remote_address or session.address
        session.carry_on(link, session.missing(greeting.received))
        self._state = State.CONNECTED
        self._attempts = self._refusals = 0
        self._grace = greeting.grace
        if self._token is not None:
            self._token = greeting.token or None
        if self._welcomed:
            self._inbox.put(Back(self._peer), session)
            self._away_for = None
        else:
            self._welcomed = True
            session.id = greeting.peer_id
            # The server keeps a seat for who knows of it, and hears it at once even if the game is about to load a level.
            link.stream.send(protocol.ack(session.received))
            self._inbox.put(Joined(self._peer), session)

    def _link_over(self, link: Link) -> None:
        """Hear that a link ended: come back, or leave."""
        reason = link.reason
        assert reason is not None
        if link is not self._link:
            return
        # First tell, then let go: what an interrupt leaves undone can be seen, and is done again.
        if link.stream.alive and link.stream not in self._closing:
            self._closing.append(link.stream)
        if self._session.told is Away:
            self._try_again(reason)
        elif self._session.told is not None and self._token and self._grace and reason.code in BROKEN_LINK:
            self._away_for = reason
            self._away_until = self._timeline.now + self._grace
            self._state = State.CONNECTING
            self._inbox.put(Away(self._peer, reason), self._session)
            self._retry()
        elif not self._welcomed and reason.where is not None and self._hops < HOPS:
            self._move_on(reason, reason.where)
        elif not self._welcomed and reason.code in _WORTH_ANOTHER_TRY:
            self._begin_again(reason)
        else:
            self._drop(self._session, reason)
        self._session.let_go()
        self._link = None
        link.disown()

    def _link_gone(self, link: Link) -> None:
        """Hear that a connection is closed."""

    def _drop(self, session: Session, reason: Reason) -> None:
        """It is over: say so, once."""
        session.end(reason)
        self._state = State.DISCONNECTED
        self._away_for = self._retry_at = None
        link = self._link
        if link is not None and link.stream not in self._closing:
            self._closing.append(link.stream)
            self._link = None
            link.stream.close()
            link.disown()
        if session.told is not Left:
            self._inbox.put(Left(self._peer, reason), session)

    # Inside.

    def _streams(self) -> list[Stream]:
        return [*self._closing] if self._link is None else [self._link.stream, *self._closing]

    def _greeting(self) -> Hello:
        return Hello(
            self._game,
            self._version,
            self._codec.takes.size,
            self._token,
            self._session.received,
            self._credentials,
            self._anew,
        )

    def _connect(self) -> Link:
        self._greets = False
        self._tries += 1
        link = Link(self, self._limits, self._codec, self._inbox, Welcome)
        connector = self._network.connect(*self._address, self._timeline.now)
        link.stream = Stream(connector, link, link, self._timeline)
        return link

    def _go_on_trying(self, now: float) -> None:
        """Make the next attempt when it is due, and give up when the server has."""
        if self._away_for is not None and now >= self._away_until:
            self._give_up(self._away_for.text)
        elif self._retry_at is not None and now >= self._retry_at:
            self._link = self._connect()
            self._retry_at = None

    def _begin_again(self, reason: Reason) -> None:
        """An attempt failed of one who was never welcomed: try again, or give up.

        A link that broke under the greeting may have left a player at the server who does not know of it, and for whom
        it says that it is full; so what was broken once is tried a few times, whatever the further answers are.
        Where there are several servers, all are asked before that counts as one attempt.
        """
        self._hops = 0
        self._turn = (self._turn + 1) % len(self._addresses)
        self._be_at(self._addresses[self._turn])
        if self._untried:
            self._untried -= 1
            self._retry_at = self._timeline.now
            return
        self._untried = len(self._addresses) - 1
        broke = self._greets and reason.code in _BROKEN_GREETING
        self._greeting_broke = self._greeting_broke or broke
        left = self._patient_until - self._timeline.now
        if left > 0:
            self._retry(GREETING_REST if broke else 0.0, PATIENT_CAP)
            self._retry_at = min(self._retry_at or 0.0, self._patient_until)  # the last time when patience ends
        elif self._greeting_broke and self._attempts < GREETINGS - 1:
            self._retry(GREETING_REST)
        else:
            if self._tries > 1:
                tried = round(self._timeline.now - self._began, 1)
                text = f"{reason.text} (tried {self._tries} times in {tried:g} s)"
                reason = Reason(reason.code, text, reason.error, reason.number, reason.where)
            self._drop(self._session, reason)

    def _move_on(self, reason: Reason, where: Address) -> None:
        """Greet the server that another one names, unless what we would prove ourselves with is not for everybody."""
        proves = self._credentials is not None or bool(self._token)
        if proves and not self._certain and _plain(where.host) not in self._trusted:
            text = f"{reason.text} ({where} was not asked: credentials go to hosts in addresses=, or with tls=True)"
            self._drop(self._session, Reason(reason.code, text, reason.error, reason.number, where))
            return
        self._hops += 1
        self._be_at(where)
        self._retry_at = self._timeline.now

    def _be_at(self, address: Address) -> None:
        self._address = self._session.address = address

    def _try_again(self, reason: Reason) -> None:
        """An attempt to come back failed."""
        self._state = State.CONNECTING
        self._away_for = self._away_for or reason
        self._refusals = self._refusals + 1 if reason.code is ReasonCode.REFUSED else 0
        if reason.code not in _WORTH_ANOTHER_RETURN:
            self._drop(self._session, reason)
        elif self._refusals >= REFUSALS:
            self._give_up(reason.text)
        else:
            self._retry()

    def _retry(self, rest: float = 0.0, cap: float = BACKOFF_CAP) -> None:
        # Full jitter: a thousand clients of a server that stumbled must not return in the same moment.
        longest = min(cap, BACKOFF * BACKOFF_FACTOR ** min(self._attempts, 50))  # no float holds that of thousands
        self._attempts += 1
        self._retry_at = self._timeline.now + rest + random.uniform(0.0, longest)

    def _give_up(self, last: str) -> None:
        assert self._away_for is not None
        first = self._away_for
        text = first.text if last == first.text else f"{first.text}; and then: {last}"
        self._drop(self._session, Reason(first.code, text, first.error))


def _places(host: str, port: int, addresses: Iterable[Address | tuple[str, int] | str]) -> list[Address]:
    """Return where the game is served. Raises `TypeError` or `ValueError` for what cannot be connected to."""
    if isinstance(addresses, str) or not isinstance(addresses, Iterable):
        raise TypeError(f'addresses must be a list such as ["a.example:7777"], not {type(addresses).__name__}')
    others = [check_address(address, "each of addresses") for address in addresses]
    random.shuffle(others)  # or everybody would come to the first
    if others and not host and port == 0:
        return others
    check_destination(host, port)
    return [Address(host, port), *others]


def _plain(host: str) -> str:
    """Return what is the same for all ways to write a name."""
    return host.lower().removesuffix(".")


def _token_in(ticket: str) -> bytes:
    """Take the token out of a ticket. Raises `TypeError` or `ValueError`, and does not show what is secret."""
    if not isinstance(ticket, str):
        raise TypeError(f"ticket must be a str, as client.ticket gives it, not {type(ticket).__name__}")
    digits = ticket.removeprefix(TICKET)
    if digits == ticket or not digits.isascii() or not digits.isalnum():
        raise ValueError("ticket must be what client.ticket said, whole")
    try:
        token = bytes.fromhex(digits)
    except ValueError:
        token = b""
    if not 0 < len(token) <= protocol.MAX_TOKEN:
        raise ValueError("ticket must be what client.ticket said, whole") from None
    return token


hint(Client, CLIENT)
