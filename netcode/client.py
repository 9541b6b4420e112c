"""A game's end of a link to a server: verbs over what connects, greets and comes back."""

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from netcode.address import Address
from netcode.diagnostics.advice import ASKED, WAITED, Attendance
from netcode.diagnostics.calls import explain_close, explain_update, explains_arguments, keywords_of
from netcode.diagnostics.mistakes import hint, hint_unmade, refuse_later
from netcode.diagnostics.vocabulary import CLIENT
from netcode.events import Event, Received, Teller
from netcode.limits import LimitOptions, check_name, check_seconds, make_limits
from netcode.loop.clock import Clock, Timeline, monotonic
from netcode.loop.forks import keep_from_children
from netcode.peer import Peer
from netcode.reasons import HOW_LONG, Reason, check_text
from netcode.session.guest import Guest
from netcode.session.inbox import Inbox
from netcode.session.places import Places, places
from netcode.stream.contract import State
from netcode.ticks import ticks
from netcode.transport import Network, check_network, dice_of
from netcode.transport.tcp import TCP
from netcode.waiting import ClosingWaiter, Descriptors, wait
from netcode.wire import protocol
from netcode.wire.codec import PLAIN
from netcode.wire.protocol import Hello
from netcode.wire.typed import make_codec

if TYPE_CHECKING:
    from ssl import SSLContext

TICKET = "seat-"
"""What the text of a ticket begins with; the token follows, in hexadecimal digits."""


class Client(ClosingWaiter):
    """A link to a `Server`, driven by `update()` once a frame.

    Usage::

        client = netcode.Client("localhost", 7777, game="chess", version="1")
        while True:
            client.update()
            for event in client.events(): ...

    It connects from construction on, and goes on to another server if one of several sends it there. When it is
    welcomed, `Joined` comes; when it is over, or never began, `Left` comes as the last event, with the reason. In
    between a broken link is restored by itself: `Away`, then `Back` or `Left`. Nothing that the network or the server
    does ever raises.

    Args:
        host, port: where the server is; a name is looked up beside the game.
        addresses: more places where the game is served, or all of them without `host` and `port`, which are then asked
            in any order: each an `Address`, `(host, port)` or `"host:port"`. One that does not answer, is full, or does
            not know the seat of `ticket`, is followed by the next.
        game, version: what is played here; the server refuses another game or version, naming both.
        messages: `msgspec.Struct` types joined by `|`, to have messages typed and checked in both directions.
        tls: True to have everything encrypted and the server's certificate checked against the system's
            authorities and `host`; an `ssl.SSLContext` for a check of your own.
        credentials: any message, given to the server's `authenticate`.
        resume: whether to come back after the link broke.
        ticket: the `ticket` of a client of an earlier run of the program, to take the seat that it had.
        patience: seconds for which to try again while the server cannot be reached, does not answer, or is full; 0 to
            give up at the first failure, or the third of links that broke after our greeting. For a server that starts
            at the same time. `state` is CONNECTING meanwhile.
        limits: `max_message`, `timeout`, `ping_interval`, `handshake_timeout`, `message_timeout`, `close_timeout`,
            `max_queue`, `max_queue_age`, `max_resend`, `max_messages_per_update`, `flood_timeout` and `max_backlog`:
            the documentation's page «Limits and times» has the default of each, and why it is that.
        network, clock: what to connect over and how to tell the time, for tests.

    It belongs to the process that made it. In a child that this forks it is DISCONNECTED, and says goodbye to nobody.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
        ImportError: `messages` needs an extra that is not installed.
        OSError: the first `messages` or `tls` of a program load modules, for which no descriptor is left.
    """

    @explains_arguments("Client", LimitOptions.__optional_keys__)
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
        certain = tls is True or bool(getattr(tls, "check_hostname", False))
        check_network(network)
        known = Places(places(host, port, addresses, dice_of(network)), certain=certain)
        check_name("game", game)
        check_name("version", version)
        # As they are now: they are sent again at each return, and must not have become unsendable by then.
        credentials = PLAIN.decode(memoryview(PLAIN.encode(credentials, "credentials")))
        check_seconds("patience", patience, zero=True)
        bounds = make_limits(limits)
        if sys.platform == "emscripten" and network is TCP:
            from netcode.web import network_of_page

            network = network_of_page(tls, self.update)
        elif tls:
            from netcode.transport.tls import TlsNetwork

            network = TlsNetwork(network, None if tls is True else tls)
        token = _token_in(ticket, resume)
        self._attendance = Attendance("client")
        self._timeline = Timeline(clock)
        self._inbox = Inbox[Event](bounds.max_backlog, Received)
        codec = make_codec(messages, bounds.of_servers, bounds.of_clients)
        self._guest = guest = Guest(
            Hello(game, version, codec.takes.size, token, 0, credentials, ticket is not None),
            bounds,
            codec,
            self._inbox,
            Teller(self._inbox),
            network=network,
            timeline=self._timeline,
            places=known,
            patience=patience,
            attendance=self._attendance,
        )
        self._peer = Peer(guest.session, codec)
        self._engine = guest.engine
        keep_from_children(self)

    @property
    def state(self) -> State:
        """Where the client is in its life. It changes with `update()`, `close()` and `close_nicely()` alone.

        CONNECTING until `Joined`, and again from `Away` to `Back`. CONNECTED while welcomed. DISCONNECTING from
        `close_nicely` to `Left`. DISCONNECTED from `Left` on, for good; `reason` says why.
        """
        self._attendance.look(self._timeline.clock, self._guest.has_work)
        link, state = self._guest.link, self._guest.state
        leaves = state is State.CONNECTED and link is not None and link.goodbye is not None
        return State.DISCONNECTING if leaves else state

    @property
    def reason(self) -> Reason | None:
        """Why it is over; None while it is not."""
        self._attendance.look(self._timeline.clock, self._guest.has_work)
        return self._peer.reason

    @property
    def peer(self) -> Peer | None:
        """The server; None until welcomed."""
        self._attendance.look(self._timeline.clock, self._guest.has_work)
        return self._peer if self._guest.welcomed else None

    @property
    def id(self) -> int | None:
        """The number that the server knows us by; None until welcomed."""
        # Nobody is told here whose loop forgets to update: games ask for it many times a frame.
        return self._peer.id if self._guest.welcomed else None

    @property
    def address(self) -> Address:
        """Where the server is, as it was named: by who made this client, or by a server that sent it on."""
        return self._guest.places.address

    @property
    def ticket(self) -> str | None:
        """What another run of this program needs to take this seat: None until `Joined`, and after `Left`.

        Always None with `resume=False`, and at a server that keeps no seats, of `grace=0`.

        Keep it where it outlives the program, and give it to `Client(..., ticket=ticket)` while the server still keeps
        the seat, which it does for its `grace` after the link broke. It is a secret: whoever has it is this player.
        The new client has one of its own, and from when that was used this one is void; until then it takes the seat
        again, for a program that was killed before it could keep the new one.

        The new client starts with `Joined`, and for the server the peer was `Away` and is `Back`: a program that was
        started again knows nothing, so the game has to tell it how things stand. Messages that had come but were not
        yet acknowledged come again, those that were sent and had not arrived are lost with the old program, and from
        then on everything arrives exactly once. If the seat is no longer kept, `Left` comes with `RESUME_LOST`.
        """
        guest = self._guest
        if not (guest.welcomed and guest.token and guest.grace) or self._peer.reason is not None:
            return None
        return TICKET + guest.token.hex()

    @property
    def rtt(self) -> float | None:
        """The round-trip time to the server in seconds, smoothed (RFC 6298); None until measured, and while away."""
        return self._peer.rtt

    @property
    def jitter(self) -> float | None:
        """How much the round-trip time varies, in seconds, smoothed (RFC 6298); None until measured, and while away."""
        return self._peer.jitter

    def __repr__(self) -> str:
        return f"<Client {self._guest.state.value} to {self._peer.address}>"

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
            engine.catch_up(self._guest.recover)
        if self._inbox.events:
            self._inbox.leave(self._timeline.now, "client")
        self._attendance.calls = 0
        engine.run(self._guest.step)
        if engine.later:
            engine.catch_up(self._guest.recover)

    def events(self) -> list[Event]:
        """Take the events since the last call, in order. Each comes once.

        A loop over them may be left in the middle, by an exception, say: what it did not reach comes first in the next
        call.
        """
        if self._attendance.calls & ASKED:
            self._attendance.again(self._timeline.clock, self._guest.has_work)
        self._attendance.calls |= ASKED
        return self._inbox.take()

    def wait(self, timeout: float | None = None) -> bool:
        """Send what is queued, and sleep until `update()` has something to do or `events()` something to give.

        Args:
            timeout: seconds to sleep at most; None for as long as it takes.

        Returns:
            False if the time passed first. For programs without a frame; a game just calls `update()`.

        Raises:
            TypeError, ValueError: `timeout` is no finite number. A negative one counts as 0.
        """
        if not self._inbox.has_news():
            if self._attendance.calls & WAITED:
                self._attendance.again(self._timeline.clock, self._guest.has_work)
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
            TypeError, ValueError: `rate` is no number above 0.1, or `goodbye` no str.
        """
        return ticks(self, rate, goodbye, self._timeline.clock)

    def close(self) -> None:
        """End it at once. What is queued may be lost; the server is told if one `send` can still do that.

        In the middle of an `update()`, as from a signal handler, at the end of that.
        """
        self._guest.do(self._guest.close)

    def close_nicely(self, text: str = "") -> None:
        """End it after everything queued was sent; the server reads `text` as its reason. Keep calling `update()`.

        `Left` comes once that is done, `close_timeout` seconds later at the most. The first text wins; of a long one, 128
        bytes of UTF-8 travel.
        Not yet welcomed, or away: it ends at once. In the middle of an `update()`, as from a signal handler, it begins
        at the end of that.

        Raises:
            TypeError: `text` is no str.
        """
        check_text(text, HOW_LONG)
        self._guest.do(partial(self._guest.leave, text))

    def instantiate(self) -> Descriptors:
        return self._guest.descriptors()

    def _before_sleep(self) -> None:
        engine = self._engine
        if not (engine.busy or engine.torn or engine.later):
            engine.run(self._guest.send_now)

    def _seconds_left(self) -> float | None:
        return 0.0 if self._inbox.has_news() else self._guest.until_due()

    def _slept(self, seconds: float) -> None:
        self._timeline.tick(seconds)

    def _abandon(self) -> None:
        """Be over in a child of the process that made it."""
        self._guest.abandon()


def _token_in(ticket: str | None, resume: bool) -> bytes | None:
    """Take the token out of a ticket. Raises `TypeError` or `ValueError`, and does not show what is secret.

    None for a client that does not come back; empty for one that has no seat yet.
    """
    if ticket is None:
        return b"" if resume else None
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
    if not resume:
        raise ValueError("a ticket is for coming back: it needs resume=True")
    return token


def guest_of(client: Client) -> Guest:
    """Return what is behind `client`, for tools and tests: it is no business of the game."""
    return client._guest  # noqa: SLF001 - a friend of the class, in its module


hint(Client, CLIENT)
explain_close(Client)
explain_update(Client)
hint_unmade(Client)
refuse_later(Client, *keywords_of(Client.__init__), *LimitOptions.__optional_keys__)
