"""A client's part of its session: connects, greets, comes back, and leaves."""

from dataclasses import replace
from typing import Any

from netcode.address import Address
from netcode.diagnostics.advice import SENT, Attendance, advise_child
from netcode.errors import ProtocolError
from netcode.limits import Limits
from netcode.loop.clock import Timeline
from netcode.loop.engine import Act, Engine
from netcode.loop.forks import TEXT
from netcode.reasons import Reason, ReasonCode, closed_here
from netcode.session.comeback import BROKEN_LINK, HURRIED, Comeback, is_worth_another_try
from netcode.session.inbox import Inbox
from netcode.session.link import Link
from netcode.session.places import Places
from netcode.session.session import ANOTHER_SESSION, Carrier, Session, Teller, Told
from netcode.stream.connecting import Connecting
from netcode.stream.contract import SCRATCH, State
from netcode.stream.driver import seconds_left, send_now, step, together
from netcode.stream.stream import Stream
from netcode.transport import Network, dice_of
from netcode.waiting import CustomWaiter, Descriptors, wait
from netcode.wire import protocol
from netcode.wire.codec import Codec
from netcode.wire.protocol import Hello, Welcome

_NO_ROOM = memoryview(b"")


class Guest:
    """The owner of a client's links and of its session.

    Args:
        hello: how it greets at first.
        attendance: notices a program that forgets to update it.
    """

    def __init__(
        self,
        hello: Hello,
        limits: Limits,
        codec: Codec,
        inbox: Inbox[Any],
        teller: Teller,
        *,
        network: Network,
        timeline: Timeline,
        places: Places,
        patience: float,
        attendance: Attendance,
    ) -> None:
        self.engine = Engine()
        self.timeline = timeline
        self.places = places
        self.state = State.CONNECTING
        self.session = Session(self, 0, places.address, limits, codec)
        self.session.outbox.resumes = hello.token is not None
        self.token = hello.token
        self.grace = 0.0
        self.welcomed = False
        self.closing: list[Stream] = []
        """Streams on their way out."""
        self.comeback = Comeback(timeline.now, patience, dice_of(network), limits.handshake_timeout)
        self.retry_at: float | None = None
        self.scratch = memoryview(bytearray(SCRATCH))
        self._hello = hello
        self._anew = hello.anew  # whether we have yet to hear what an earlier program did
        self._limits = limits
        self._codec = codec
        self._inbox = inbox
        self._teller = teller
        self._network = network
        self._attendance = attendance
        self._away_for: Reason | None = None
        self._away_until = 0.0
        self._orphaned = False  # whether to say in an update that this is a child of the process that it belongs to
        self._greeted_at: float | None = None  # when the present link got as far as our greeting
        self._missed = 0.0  # what the pauses came to when it began
        self._astray = False  # whether a greeting that we have given up may still arrive, and take our place
        protocol.hello(hello._replace(token=bytes(protocol.MAX_TOKEN), received=protocol.MAX_COUNT))
        self.link: Link | None = self._connect()

    # Driving.

    def step(self) -> None:
        """Do what an update does; an exception may leave it at any point."""
        engine, now = self.engine, self.timeline.tick()
        if self.link is not None:
            engine.stepping = stream = self.link.stream
            step(stream, now, self.scratch)
        if self.closing:
            for stream in self.closing:
                engine.stepping = stream
                step(stream, now, self.scratch)
            self.closing = [stream for stream in self.closing if stream.alive]
        engine.stepping = None
        if self.session.reason is not None and not self.closing:
            if self._orphaned:
                self._orphaned = False
                advise_child("client")
            self.scratch = _NO_ROOM  # this and its peer know each other, and may wait for the collector of garbage
        if self._away_for is not None or self.retry_at is not None:
            self._go_on_trying(now)

    def send_now(self) -> None:
        """Offer the network what is to be sent, before a sleep."""
        for stream in self.streams():
            self.engine.stepping = stream
            send_now(stream)
        self.engine.stepping = None

    def streams(self) -> list[Stream]:
        """Return the stream of the link, and those on their way out."""
        return [*self.closing] if self.link is None else [self.link.stream, *self.closing]

    def until_due(self) -> float | None:
        """Return in how many seconds there is something to do even if nothing arrives; None for never."""
        if self.engine.torn or self.engine.later:
            return 0.0
        times: list[float] = []
        for stream in self.streams():
            if stream.transport is not None and not stream.blocked and stream.has_to_send():
                return 0.0
            left = seconds_left(stream)
            if left is not None:
                times.append(left)
        if self._away_for is not None:
            times.append(self.timeline.until(self._away_until))
        if self.retry_at is not None:
            times.append(self.timeline.until(self.retry_at))
        return min(times, default=None)

    def descriptors(self) -> Descriptors:
        """Return what it waits for."""
        return together(self.streams())

    def has_work(self) -> bool:
        """Tell whether an update has something to do."""
        due = self.until_due()
        if due is not None and due <= 0:
            return True
        lists = self.descriptors()
        return any(lists) and wait(CustomWaiter(*lists), timeout=0)

    # Ending.

    def leave(self, text: str) -> None:
        """Say goodbye, or end what has not begun."""
        if self.session.reason is not None:
            return
        if self.state is State.CONNECTED:
            self.session.leave(text)
        else:
            self.close()

    def close(self) -> None:
        """End everything."""
        engine = self.engine
        if self.session.reason is None:
            if self.link is not None:
                engine.stepping = self.link.stream
                self.link.cut()
                engine.stepping = None
            if self.session.reason is None:
                self.drop(self.session, closed_here())
        for stream in self.closing:
            engine.stepping = stream
            stream.close()
        engine.stepping = None
        self.closing.clear()
        self.scratch = _NO_ROOM

    def abandon(self) -> None:
        """Be over in a child of the process that made it."""
        for stream in self.streams():
            stream.abandon()
        self.state = State.DISCONNECTED
        self._orphaned = True
        self._away_for = self.retry_at = self.link = None
        self.engine.abandon()
        self.closing.clear()
        self.session.end(closed_here(TEXT))
        self.session.let_go()

    def recover(self) -> None:
        """Bring everything in line with what is, after an exception left something half-way."""
        engine, session = self.engine, self.session
        if session.told is not Told.AWAY:
            self._away_for = None
        for stream in self.streams():
            if stream is engine.stepping or not stream.alive:
                stream.break_off()
        for stream in self.closing:
            if stream.state is not State.DISCONNECTING:
                stream.break_off()
        link = self.link
        if link is not None and link.is_half_closed:
            link.stream.break_off()
            link = self.link
        if session.reason is not None:
            self.drop(session, session.reason)
        elif link is not None and link.reason is not None:
            self.link_over(link)
        elif link is not None:
            self.retry_at = None
        elif self.retry_at is None:
            self.retry_at = self.comeback.next_try(self.timeline.now)
        engine.stepping = None

    # What its session tells it.

    def do(self, act: Act) -> None:
        """Do `act` now, or at the end of what is under way."""
        self.engine.do(act, self.recover)

    def kept(self) -> None:
        """Hear that a message was kept for a link that is still to come."""
        if self._attendance.calls & SENT:
            self._attendance.again(self.timeline.clock, self.has_work)
        self._attendance.calls |= SENT

    def drop(self, session: Session, reason: Reason) -> None:
        """It is over: say so, once."""
        session.end(reason)
        self.state = State.DISCONNECTED
        self._away_for = self.retry_at = None
        link = self.link
        if link is not None and link.stream not in self.closing:
            self.closing.append(link.stream)
            self.link = None
            link.stream.close()
            link.disown()
        self._teller.left(session, reason)
        session.peer = None

    # What its link tells it.

    def link_opened(self, link: Link) -> None:
        """Greet."""
        self._greeted_at = self.timeline.now
        hello = self._hello._replace(token=self.token, received=self.session.received, anew=self._anew)
        link.greet(protocol.hello(hello))

    def greeted(self, link: Link, greeting: Hello | Welcome) -> None:
        """Hear that the server takes us in, or back."""
        assert isinstance(greeting, Welcome)
        session = self.session
        if self.welcomed and greeting.peer_id != session.id:
            text = f"{link.where} gave our seat away: we were player {session.id}"
            raise ProtocolError(ReasonCode.RESUME_LOST, text)
        if greeting.received and not self.token:
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
        self.comeback.welcomed(self.timeline.now)
        # Without a call in between, nothing comes in between: it is welcomed, or has yet to be.
        self.state = State.CONNECTED
        self.grace = greeting.grace
        if self.token is not None:
            self.token = greeting.token or None
        if self.welcomed:
            self._teller.back(session)
            self._away_for = None
        else:
            self.welcomed = True
            session.id = greeting.peer_id
            # The server keeps a seat for who knows of it, and hears it at once even if the game is about to load a level.
            link.stream.send(protocol.ack(session.received))
            self._teller.joined(session)

    def link_over(self, link: Carrier) -> None:
        """Hear that a link ended: come back, or leave."""
        reason, session = link.reason, self.session
        assert reason is not None
        if link is not self.link:
            return
        by_ourselves = self._astray and reason.code is ReasonCode.REPLACED
        astray = session.told is Told.AWAY and self._greeted_at is not None
        # First tell, then let go: what an interrupt leaves undone can be seen, and is done again.
        if link.stream.alive and link.stream not in self.closing:
            self.closing.append(link.stream)
        breaks = by_ourselves or reason.code in BROKEN_LINK
        if session.told is Told.AWAY:
            self.state = State.CONNECTING
            self._away_for = self._away_for or reason
            now, away_for = self.timeline.now, self._away_for
            self._try_at(self.comeback.come_again(reason, away_for, now, final=not by_ourselves))
        elif session.told is not Told.NOTHING and self.token and self.grace and breaks:
            self._away_for = reason
            self._away_until = self.timeline.now + self.grace
            self.state = State.CONNECTING
            self._teller.away(session, reason)
            carried = session.received + session.outbox.resend.acknowledged
            self.retry_at = self.comeback.broken(self.timeline.now, carried, self.grace)
        elif not self.welcomed and reason.where is not None and self.places.may_hop():
            self._move_on(reason, reason.where)
        elif not self.welcomed and self._has_paused(reason) and self.comeback.excuses_pause():
            self.retry_at = self.timeline.now
        elif not self.welcomed and (is_worth_another_try(reason) or self._may_be_elsewhere(reason)):
            self._begin_again(reason)
        else:
            self.drop(session, reason)
        session.let_go()
        self._astray = not by_ourselves and (astray or self._astray)  # a second time, it was somebody else
        self.link = None
        link.disown()

    def link_gone(self, link: Link) -> None:
        """Hear that a connection is closed."""

    # Inside.

    def _connect(self) -> Link:
        self._greeted_at, self._missed = None, self.timeline.missed
        self.comeback.tries += 1
        link = Link(self, self._limits, self._codec, self._inbox, Welcome)
        connector = self._network.connect(*self.places.address, self.timeline.now)
        link.stream = Stream(Connecting(connector, self.timeline.now), link.reader, link, self.timeline)
        return link

    def _go_on_trying(self, now: float) -> None:
        """Make the next attempt when it is due, and give up when the server has."""
        if self._away_for is not None and now >= self._away_until:
            self.drop(self.session, self._away_for)
        elif self.retry_at is not None and now >= self.retry_at:
            self.link = self._connect()
            self.retry_at = None

    def _has_paused(self, reason: Reason) -> bool:
        """Tell whether an attempt may have failed because this program paused: nobody waits for its greeting for ever."""
        limit, since = self._limits.handshake_timeout, self._greeted_at
        waited = since is not None and self.timeline.now - since >= limit  # for the server's, in vain
        return self.timeline.missed > self._missed and reason.code in HURRIED and not waited

    def _may_be_elsewhere(self, reason: Reason) -> bool:
        """Tell whether the seat of a ticket that this server does not know may be at one that was not asked yet."""
        return self._anew and reason.code is ReasonCode.RESUME_LOST and self.places.has_untried

    def _begin_again(self, reason: Reason) -> None:
        """An attempt failed of one who was never welcomed. Where there are several servers, all of them make one."""
        greeted, another = self._greeted_at is not None, self.places.next()
        self.session.address = self.places.address
        now = self.timeline.now
        self._try_at(now if another else self.comeback.begin_again(reason, now, greeted=greeted))

    def _move_on(self, reason: Reason, where: Address) -> None:
        """Greet the server that another one names, unless what we would prove ourselves with is not for everybody."""
        proves = self._hello.credentials is not None or bool(self.token)
        if proves and not self.places.trusts(where):
            text = f"{reason.text} ({where} was not asked: credentials go to hosts in addresses=, or with tls=True)"
            self.drop(self.session, replace(reason, text=text))
            return
        self.places.hop(where)
        self.session.address = where
        self.retry_at = self.timeline.now

    def _try_at(self, when: float | Reason) -> None:
        """Try again at that time, or give up for that reason."""
        if isinstance(when, Reason):
            self.drop(self.session, when)
        else:
            self.retry_at = when
