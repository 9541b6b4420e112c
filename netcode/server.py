"""A dedicated server: takes clients in, carries messages between them and the game, and tells it all as events."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from netcode.address import check_host
from netcode.admission import Authenticate, Elsewhere, Refusal
from netcode.certificate import Certificate
from netcode.diagnostics.advice import ASKED, WAITED, Attendance
from netcode.diagnostics.calls import explain_close, explain_update, explains_arguments, keywords_of
from netcode.diagnostics.mistakes import hint, hint_unmade, refuse_later
from netcode.diagnostics.vocabulary import SERVER
from netcode.discovery import Announcer, lan_of, make_notice
from netcode.errors import MessageTooLarge
from netcode.events import Event, Received
from netcode.limits import MAX_PEERS, LimitOptions, make_limits
from netcode.loop.budget import Budget
from netcode.loop.clock import Clock, earliest, monotonic
from netcode.loop.forks import keep_from_children
from netcode.observing import About, invite_onlookers
from netcode.observing.telling import ServerTeller
from netcode.opening import check_opening, encrypted, open_to_browsers
from netcode.peer import Peer, sessions_of
from netcode.reasons import HOW_LONG, check_text
from netcode.session.door import Door, House
from netcode.session.hosting import Hosting
from netcode.session.inbox import Inbox
from netcode.session.link import Link
from netcode.session.seats import Seats
from netcode.site import Web
from netcode.stream.contract import State
from netcode.stream.stream_set import StreamSet
from netcode.ticks import ticks
from netcode.transport import Network
from netcode.transport.tcp import TCP
from netcode.waiting import ClosingWaiter, Descriptors, check_wait
from netcode.wire.framing import frame
from netcode.wire.typed import make_codec

if TYPE_CHECKING:
    from os import PathLike
    from ssl import SSLContext

__all__ = ["Elsewhere", "Refusal", "Server"]


class Server(ClosingWaiter):
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
        tls: the server's `Certificate`, to have everything encrypted; or an `ssl.SSLContext` that has one.
        authenticate: called with a newcomer's `credentials` and address; returns what becomes `peer.data` (True, if
            there is nothing else to say), or a `Refusal`, or False for one without words, or an `Elsewhere`. None,
            which is what a forgotten `return` gives, lets nobody in. If it raises, the newcomer is refused, the log
            gets the traceback, and `update()` goes on: whoever knocks must not be able to end the server. A client that
            comes back after its link broke is known by its token and not asked again. It runs inside `update()`, so it
            must not block.
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
        OSError: the port is taken, the address is not one of this computer, `status` is in no folder that is there, or
            no descriptor is left.
        ImportError: `messages` or `announce` needs an extra that is not installed.
    """

    @explains_arguments("Server", LimitOptions.__optional_keys__, check_host)
    def __init__(
        self,
        host: str,
        port: int,
        *,
        game: str = "",
        version: str = "",
        messages: Any = None,
        tls: "SSLContext | Certificate | None" = None,
        authenticate: Authenticate | None = None,
        max_peers: int = MAX_PEERS,
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
        house = House(game, version, authenticate, max_peers, max_peers_per_address, max_pending)
        shown = check_opening(house, host=host, port=port, grace=grace, web=web, network=network)
        self._limits = make_limits(limits)
        self._codec = make_codec(messages, self._limits.of_clients, self._limits.of_servers)
        self._largest = self._limits.of_servers.size
        self._inbox = Inbox[Event](self._limits.max_backlog, Received, Budget())
        self._attendance = Attendance("server")
        notice = None if announce is None else make_notice(announce, game, version, max_peers, tls is not None)
        lan = None if notice is None else lan_of(network)
        network = encrypted(network, tls)
        self._observers = invite_onlookers(self, About(game, version, max_peers))
        if status is not None and status is not False:
            from netcode.observing.status import StatusFile

            StatusFile(self, status)
        self._links: StreamSet[Link] = StreamSet(clock, self._inbox)
        self._engine = self._links.engine
        self._hosting = hosting = Hosting(self._links, self._over)
        teller = ServerTeller(self._inbox, self._codec, self._observers)
        self._seats = hosting.seats = Seats(
            self._links, hosting.recover, teller, limits=self._limits, codec=self._codec, grace=grace
        )
        doorway = open_to_browsers(network.listen(host, port), shown, self._limits, house)
        self._door = hosting.door = Door(
            house,
            doorway,
            self._links,
            self._seats,
            inbox=self._inbox,
            limits=self._limits,
            codec=self._codec,
            turned_away=teller.turned_away,
        )
        self.address = doorway.address
        """Where the server listens; the first place if there are more, which all have the same port."""
        self._announcer = hosting.announcer = Announcer(lan, host, self.address, notice) if lan and notice else None
        keep_from_children(self)

    @property
    def state(self) -> State:
        """CONNECTED while it serves, DISCONNECTING after `close_nicely`, DISCONNECTED when all is closed."""
        self._attendance.look(self._links.timeline.clock, self._has_work)
        return self._hosting.state

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The players, in the order in which they joined; those that are away included."""
        self._attendance.look(self._links.timeline.clock, self._has_work)
        # A signal handler may see some of them off meanwhile.
        return tuple([peer for session in self._seats if (peer := session.peer) is not None])

    def __repr__(self) -> str:
        return f"<Server {self._hosting.state.value} on {self.address}, {len(self._seats)} peers>"

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
        if self._hosting.state is State.DISCONNECTED:
            self._hosting.updated_in_vain()
            return
        if engine.torn or engine.later:
            engine.catch_up(self._hosting.recover)
        if self._inbox.events:
            self._inbox.leave(self._links.timeline.now, "server")
        self._attendance.calls = 0
        engine.run(self._step)
        if engine.later:
            engine.catch_up(self._hosting.recover)

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

        Raises:
            TypeError, ValueError: `timeout` is no finite number. A negative one counts as 0.
        """
        timeout = check_wait(timeout)
        if self._inbox.has_news() or self._hosting.state is State.DISCONNECTED:
            return True
        if self._attendance.calls & WAITED:
            self._attendance.again(self._links.timeline.clock, self._has_work)
        self._attendance.calls |= WAITED
        left, due = self._hosting.until_due(), False
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
            TypeError, ValueError: `rate` is no number above 0.1, or `goodbye` no str.
        """
        return ticks(self, rate, goodbye, self._links.timeline.clock)

    def broadcast(self, message: Any, *, to: Iterable[Peer] | Peer | None = None) -> None:
        """Send `message` to everybody, or to `to`: a peer or several, each of whom gets it once. It is encoded once.

        What it may be, `Peer.send` says: above all, tuples arrive as lists. A signal handler may call it, also in the
        middle of an `update()`.

        Raises:
            TypeError, ValueError: the message has parts that msgpack cannot say, or nests too deep; `to` has something
                in it that is no peer.
            MessageTooLarge: it is larger than a server may send, and was sent to none. Where one of the recipients takes
                less than that, its link ends with `TOO_LARGE`, and the others get the message.
        """
        payload = self._codec.encode(message)
        sessions = [*self._seats] if to is None else sessions_of(to)
        size, most = len(payload), self._largest
        if size > most:
            raise MessageTooLarge(size, most, self._limits.max_message)
        data = frame(payload)
        for session in sessions:
            session.outbox.post(data)

    def close_nicely(self, text: str = "") -> None:
        """Stop listening, tell everybody `text`, and close once they have had it. Keep calling `update()`.

        `state` is DISCONNECTED when that is done, `close_timeout` seconds later at the most. Each peer gives its
        `Left`. The first text wins; of a long one, 128 bytes of UTF-8 travel. In the middle of an `update()`, as from a
        signal handler, it begins at the end of that.

        Raises:
            TypeError: `text` is no str.
        """
        check_text(text, HOW_LONG)
        if self._hosting.state is State.CONNECTED:
            self._door.is_closing = True
            self._seats.do(partial(self._hosting.leave, text))

    def close(self) -> None:
        """Close everything at once. Each peer gives its `Left`, and is told if one `send` can still do that.

        In the middle of an `update()`, as from a signal handler, at the end of that.
        """
        if self._hosting.state is not State.DISCONNECTED:
            self._door.is_closing = True
            self._seats.do(self._hosting.close)

    def instantiate(self) -> Descriptors:
        read, write, exceptional = self._links.each_descriptor()
        return [*read, *self._links.watcher.doors], write, exceptional

    def _before_sleep(self) -> None:
        self._links.send_now()

    def _descriptors(self) -> Descriptors:
        return self._links.descriptors() if self._links.watcher.poller.fileno() >= 0 else self.instantiate()

    def _seconds_left(self) -> float | None:
        if self._inbox.has_news() or self._hosting.state is State.DISCONNECTED or self._engine.later:
            return 0.0
        if self._hosting.state is State.DISCONNECTING and not len(self._links):
            return 0.0
        return earliest(self._links.seconds_left(), self._hosting.until_due())

    def _slept(self, seconds: float) -> None:
        self._links.timeline.tick(seconds)

    def _has_work(self) -> bool:
        """Tell whether an update has something to do."""
        due = self._hosting.until_due()
        return self._hosting.state is not State.DISCONNECTED and (
            self._links.sleep(0.0) or (due is not None and due <= 0)
        )

    def _abandon(self) -> None:
        """Be over in a child of the process that made it."""
        self._hosting.abandon()

    def _step(self) -> None:
        """Do what an update does; an exception may leave it at any point."""
        for observer in self._observers:
            observer.begin()
        links = self._links
        self._inbox.budget.spent = 0
        self._door.doorway.begin_update()
        links.update()
        if self._door.arrivals:
            self._door.take_in_arrivals()
        waits = self._door.doorway.counts_time and self._door.is_due(links.timeline.now)
        if waits or links.watcher.knocked or not links.watcher.doors:
            self._door.accept(links.timeline.now)
        if len(self._seats.graces):
            self._seats.end_graces(links.timeline.now)
        if self._announcer is not None:
            self._announcer.count(len(self._seats))
        for observer in self._observers:
            observer.end()
        if self._hosting.state is State.DISCONNECTING and not len(links):
            self._hosting.shut()

    def _over(self) -> None:
        """Tell those who look on that all is closed."""
        for observer in [*self._observers]:
            observer.closed()


hint(Server, SERVER)
explain_close(Server)
explain_update(Server)
hint_unmade(Server)
refuse_later(Server, *keywords_of(Server.__init__), *LimitOptions.__optional_keys__)
