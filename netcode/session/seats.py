"""Who has a seat at a server: sessions by number and by key, how long an empty seat is kept, and why others are gone."""

import hmac
import secrets
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any, Protocol

from netcode.address import Address
from netcode.errors import ProtocolError
from netcode.limits import Limits
from netcode.loop.clock import Deadlines
from netcode.loop.engine import Act
from netcode.loop.forks import TEXT
from netcode.reasons import Reason, ReasonCode, closed_here, interrupted
from netcode.session.comeback import BROKEN_LINK
from netcode.session.link import Link
from netcode.session.session import Carrier, Session, Teller, Told
from netcode.stream.stream_set import StreamSet
from netcode.wire import protocol
from netcode.wire.codec import Codec
from netcode.wire.protocol import Hello, Welcome

OVERTAKEN = "the same player has connected again since"

KEY_SIZE = 8
"""Bytes of a resume token that say which session it is for; the rest proves it."""
SECRET_SIZE = 24

MAX_ENDINGS = 1024
"""Sessions that were ended on purpose of which it is remembered why, until their grace would be over."""


class SeatTeller(Teller, Protocol):
    """Who tells the game, and those who look on, what happens to the sessions of a server."""

    def make_peer(self, session: Session, data: Any) -> None:
        """Make what stands for it in events."""

    def gone(self, session: Session, reason: Reason) -> None:
        """Hear that its seat is free."""


class Seats:
    """The owner of the sessions of a server."""

    def __init__(
        self, links: StreamSet[Link], recover: Act, teller: SeatTeller, *, limits: Limits, codec: Codec, grace: float
    ) -> None:
        self.engine = links.engine
        self.by_number: dict[int, Session] = {}
        """In the order in which they came."""
        self.by_key: dict[bytes, Session] = {}
        self.linked = 0
        """Sessions that have a link."""
        self.graces: Deadlines[Session] = Deadlines()
        self.are_kept = True
        """Whether a link that broke may come back: not while the server ends."""
        self._recover = recover
        self._timeline = links.timeline
        self._limits = limits
        self._codec = codec
        self._grace = grace
        self._teller = teller
        self._fresh: dict[Session, float] = {}  # who may not know yet that they are in, and since when they are
        self._endings = _Endings()
        self._last_id = 0

    def __len__(self) -> int:
        return len(self.by_number)

    def __iter__(self) -> Iterator[Session]:
        return iter([*self.by_number.values()])

    # What a session tells its owner.

    def do(self, act: Act) -> None:
        """Do `act` now, or at the end of what is under way."""
        self.engine.do(act, self._recover)

    def kept(self) -> None:
        """A message was kept for a player who is away."""

    def drop(self, session: Session, reason: Reason) -> None:
        """It is over with `session`: say so, once."""
        if session.id not in self.by_number:
            return
        self.by_key.pop(session.secret[:KEY_SIZE], None)
        self._fresh.pop(session, None)
        if session.farewell is not None:
            tokens = session.secret, session.former_secret
            self._endings.note(tokens, session.farewell, self._timeline.now + self._grace)
        session.end(reason)
        self._teller.left(session, reason)
        self.by_number.pop(session.id, None)
        self._teller.gone(session, reason)
        session.peer = None

    # Coming in, and back.

    def seat(self, link: Link, address: Address, hello: Hello, data: Any) -> None:
        """Give somebody new a seat."""
        self._last_id += 1
        session = Session(self, self._last_id, address, self._limits, self._codec)
        self._teller.make_peer(session, data)
        session.take_limit(hello.max_message)
        session.outbox.resumes = hello.token is not None and self._grace > 0
        if session.outbox.resumes:
            session.secret = secrets.token_bytes(KEY_SIZE + SECRET_SIZE)
            self.by_key[session.secret[:KEY_SIZE]] = session
        self.by_number[session.id] = session
        for known in [*takewhile(Session.has_spoken, self._fresh)]:
            del self._fresh[known]
        self._fresh[session] = link.now
        self._welcome(link, session, [])
        self._teller.joined(session)

    def take_back(self, link: Link, hello: Hello, token: bytes) -> None:
        """Give a client that came back its seat. Raises `ProtocolError` if that is not possible."""
        session, former = self._session_of(token, link.now)
        if link.since < session.link_since or (former and not hello.anew):
            # An attempt that the client gave up, and whose greeting was overtaken by that of its next one. Taken for
            # the newer, it would end the session: the link in use would hear that it is replaced.
            raise ProtocolError(ReasonCode.REPLACED, OVERTAKEN)
        if session.link is not None:
            self._replace(session, session.link, anew=hello.anew)
        session.address = link.stream.remote_address or session.address
        session.take_limit(hello.max_message)
        first = session.outbox.resend.acknowledged if hello.anew else 0
        try:
            missing = session.missing(first if hello.anew else hello.received)
        except ProtocolError as error:
            session.farewell = error.reason
            self.drop(session, error.reason)
            raise
        self._fresh.pop(session, None)
        if hello.anew:
            if not former:
                session.former_secret = session.secret
            session.secret = session.secret[:KEY_SIZE] + secrets.token_bytes(SECRET_SIZE)
        self._welcome(link, session, missing, first)
        if session.told is Told.AWAY:
            self._teller.back(session)
            session.away_reason = None

    def find_ghost(self, link_is_meant: Callable[[Carrier], bool] | None = None) -> Session | None:
        """Find a player who does not know that it is one: whose link broke, or is silent, since it was greeted.

        Args:
            link_is_meant: tells which links count; None for any, or none.
        """
        overdue = self._timeline.now - self._limits.handshake_timeout
        for session, since in [*self._fresh.items()]:
            link = session.link
            if link is None and link_is_meant is not None:
                continue
            if link is not None and (since > overdue or not (link_is_meant is None or link_is_meant(link))):
                continue
            if self._is_fresh(session):
                return session
        return None

    def oust(self, ghost: Session) -> None:
        """Have a seat, and a link, that nobody uses."""
        link, reason = ghost.link, ghost.away_reason
        if link is not None:
            within = f"handshake_timeout = {self._limits.handshake_timeout:g} s"
            reason = Reason(ReasonCode.HANDSHAKE_TIMEOUT, f"{link.where} did not take its seat within {within}")
            ghost.let_go()
            self.linked -= 1
            link.cut(reason)
        assert reason is not None
        self.drop(ghost, reason)

    # Going.

    def link_over(self, session: Session, link: Carrier) -> None:
        """Hear that a link ended: keep the seat for a while, or say that it is over."""
        if session.link is not link:
            return  # replaced by a newer one
        assert link.reason is not None
        # First tell, then let go: what an interrupt leaves undone can be seen, and is done again.
        self._empty(session, link.reason)
        session.let_go()
        self.linked -= 1

    def end_graces(self, now: float) -> None:
        """Give up the seats whose time is over."""
        if len(self.graces) > 64 + 4 * len(self.by_number):
            self.graces.prune(lambda when, session: session.told is Told.AWAY and when == session.away_until)
        while (entry := self.graces.pop(now)) is not None:
            when, sessions = entry
            for session in sessions:
                if session.told is Told.AWAY and session.away_reason is not None and when == session.away_until:
                    self.drop(session, session.away_reason)

    def settle(self) -> None:
        """Tell the game what it has not been told, after an exception left something half-way; make the tables anew."""
        for session in self:
            self._settle(session)
        self.by_key = {session.secret[:KEY_SIZE]: session for session in self if session.secret}
        self.linked = sum(session.link is not None for session in self)
        self.graces = Deadlines()
        for session in self:
            if session.told is Told.AWAY:
                self.graces.push(session.away_until, session)

    def abandon(self) -> None:
        """Be over in a child of the process that it belongs to."""
        for session in self:
            session.end(closed_here(TEXT))
            session.let_go()
        self.by_number.clear()

    # Inside.

    def _session_of(self, token: bytes, now: float) -> tuple[Session, bool]:
        """Return whose token that is, and whether it is that of the program before the present one."""
        session = self.by_key.get(token[:KEY_SIZE])
        if (ending := self._endings.of(token, now)) is not None:
            raise ProtocolError(ending.code, ending.text, ending.where)  # it may not have heard why
        # A program that takes a seat over gets a token of its own, so that the one before it cannot come back, should it
        # still run: both would count the messages as theirs. Until then the old token is good, for it may have to try twice.
        former = (
            session is not None and bool(session.former_secret) and hmac.compare_digest(session.former_secret, token)
        )
        if session is None or not (former or hmac.compare_digest(session.secret, token)):
            text = "the server does not know this session any more: it was restarted, or you were away for too long"
            raise ProtocolError(ReasonCode.RESUME_LOST, text)
        return session, former

    def _replace(self, session: Session, old: Carrier, *, anew: bool) -> None:
        """End the link that a session has, because another one takes its place."""
        if old.goodbye is not None:  # sent away: keeping that link open must not be a way back in
            said = session.farewell or old.goodbye
            code = ReasonCode.MOVED if said.code is ReasonCode.MOVED else ReasonCode.GOODBYE
            raise ProtocolError(code, said.text, said.where)
        session.let_go()
        self.linked -= 1
        replaced = Reason(ReasonCode.REPLACED, "the same player connected again from elsewhere")
        old.fail(replaced)
        if anew:  # the game has to hear of it, since the new program knows nothing of what it was told
            session.away_reason = replaced
            self._teller.away(session, replaced)

    def _welcome(self, link: Link, session: Session, missing: list[bytes], first: int = 0) -> None:
        limits = self._limits
        grace = self._grace if session.outbox.resumes else 0.0
        session.link_since = link.since
        greeting = Welcome(
            session.id, limits.max_message, session.secret, session.received, limits.timeout, grace, first
        )
        link.greet(protocol.welcome(greeting))
        session.carry_on(link, missing)
        self.linked += 1

    def _is_fresh(self, session: Session) -> bool:
        """Tell whether `session` may not know yet that it is in."""
        if session in self._fresh and session.has_spoken():
            del self._fresh[session]
        return session in self._fresh

    def _empty(self, session: Session, reason: Reason) -> None:
        """Keep the seat of a session for a while, or say that it is over."""
        may_return = self._grace and session.outbox.resumes and reason.code in BROKEN_LINK and self.are_kept
        if not may_return or session.told is Told.NOTHING:
            self.drop(session, reason)
        elif session.told is not Told.AWAY:
            session.away_reason = reason
            # Who does not know of its seat cannot come back to it: it is kept no longer than a greeting is waited for.
            grace = min(self._grace, self._limits.handshake_timeout) if self._is_fresh(session) else self._grace
            session.away_until = self._timeline.now + grace
            self.graces.push(session.away_until, session)
            self._teller.away(session, reason)

    def _settle(self, session: Session) -> None:
        """Tell the game what it has not yet been told of `session`."""
        link = session.link
        if session.reason is not None:
            self.drop(session, session.reason)
        elif session.told is Told.NOTHING:
            self.drop(session, interrupted(str(session.address)))  # it was being let in, and its link is broken off
        elif link is not None and link.reason is not None:
            self.link_over(session, link)
        elif link is None:
            if session.told is not Told.AWAY:
                self._empty(session, interrupted(str(session.address)))
        elif session.told is Told.AWAY:
            self._teller.back(session)


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
