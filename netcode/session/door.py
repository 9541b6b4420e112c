"""The door of a server: who may come in, how many at once and from where, and what the others are told."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from netcode.address import Address, bucket
from netcode.admission import Authenticate, judge
from netcode.diagnostics import log
from netcode.errors import ProtocolError
from netcode.limits import Limits
from netcode.reasons import Reason, ReasonCode, printable
from netcode.session.inbox import Inbox
from netcode.session.link import Link
from netcode.session.seats import OVERTAKEN, Seats
from netcode.session.session import Carrier
from netcode.stream.connecting import Connecting
from netcode.stream.contract import ACCEPTS_PER_UPDATE
from netcode.stream.stream import Stream
from netcode.stream.stream_set import StreamSet
from netcode.transport import Connector, Doorway, Ready
from netcode.wire import protocol
from netcode.wire.codec import Codec
from netcode.wire.protocol import Hello, Welcome

TOLD_AT_THE_DOOR = 16
"""Links above `max_peers_per_address` that may greet, because a player who comes back has its old link still counted;
new ones among them are told then. Further ones are turned away at once, with what one `send` can say."""

SENT_AGAIN = 1_048_576
"""Bytes that those who come back may be sent again in one update: who comes when it were more waits for the next."""

_NO_DESCRIPTOR = Reason(
    ReasonCode.SERVER_FULL, "the server has as many connections as its system lets it have; try again later"
)


@dataclass(frozen=True, slots=True)
class House:
    """What is played, who may, and how many."""

    game: str
    version: str
    authenticate: Authenticate | None
    max_peers: int
    max_per_address: int
    max_pending: int


class Door:
    """The owner of the links at a server, from the first byte on."""

    def __init__(
        self,
        house: House,
        doorway: Doorway,
        links: StreamSet[Link],
        seats: Seats,
        *,
        inbox: Inbox[Any],
        limits: Limits,
        codec: Codec,
        turned_away: Callable[[Reason], None],
    ) -> None:
        self.doorway = doorway
        self.address: Address = doorway.address
        self.is_closing = False
        """Whether nobody is let in any more, perhaps because of what was asked for in the middle of an update."""
        self.origins: dict[str, int] = {}
        """How many links there are from where."""
        self.crowd: set[Link] = set()
        """Those that came when there were as many as there may be."""
        self.arrivals: list[tuple[Link, Hello]] = []
        """Who has greeted, and is not let in yet."""
        self._house = house
        self._links = links
        self._seats = seats
        self._inbox = inbox
        self._limits = limits
        self._codec = codec
        self._turned_away = turned_away
        self._last_came = 0.0
        self._waits_for_game = False  # nobody is let in before the game has taken its events
        doorway.say_when_short(protocol.bye(_NO_DESCRIPTOR))
        links.watcher.watch_doors(doorway.doors())

    def origin(self, link: Carrier) -> str:
        """Return what `link` counts as coming from."""
        return bucket(link.stream.remote_address or self.address)

    # What a link tells its owner.

    def link_opened(self, link: Link) -> None:
        """The client speaks first."""

    def greeted(self, link: Link, greeting: Hello | Welcome) -> None:
        """Hear who is at the door; whether to let it in is decided after all was read, because it may raise."""
        assert isinstance(greeting, Hello)
        self.arrivals.append((link, greeting))

    def link_over(self, link: Link) -> None:
        """Hear that no more messages will come over a link."""
        reason = link.reason
        assert reason is not None
        if link.session is not None:
            self._seats.link_over(link.session, link)
            return
        self._turned_away(reason)
        if reason.code is ReasonCode.RESUME_LOST:
            log.warn("lost", "%s did not get its old session back: %s", link.where, reason)
        else:
            log.warn("refused", "%s did not get in: %s", link.where, reason)

    def link_gone(self, link: Link) -> None:
        """Hear that a link is closed."""
        self.crowd.discard(link)
        origin = self.origin(link)
        left = self.origins.get(origin, 0) - 1
        if left > 0:
            self.origins[origin] = left
        else:
            self.origins.pop(origin, None)

    # Opening, and closing.

    def has_work(self) -> bool:
        """Tell whether an update has something to do for those who have greeted, or may be outside."""
        return bool(self.arrivals) or (self._waits_for_game and not self._inbox.is_full())

    def is_due(self, now: float) -> bool:
        """Tell whether somebody's time before the door is over."""
        due = self.doorway.due()
        return due is not None and due <= now

    def accept(self, now: float) -> None:
        """Give links to those who knock."""
        watcher = self._links.watcher
        watcher.knocked = False
        self._waits_for_game = not self.is_closing and self._inbox.is_full()
        if self.is_closing or self._waits_for_game:
            watcher.watch_doors(())  # a poller would tell again and again of who stands there
            return
        for _ in range(ACCEPTS_PER_UPDATE):
            newcomer = self.doorway.accept(now)
            if newcomer is None:
                break
            self._let_in(newcomer, now)
        # None of them while descriptors are short: a level-triggered poller would spin on the door.
        watcher.watch_doors(self.doorway.doors())

    def close(self) -> None:
        """Stop listening."""
        self._links.watcher.watch_doors(())
        self.doorway.close()

    def take_in_arrivals(self) -> None:
        """Decide about those who have greeted, but for those who come back when enough was sent again in this update."""
        engine = self._links.engine
        # One return of a session is enough for an update: the newest wins, as it would if they came one by one.
        newest: dict[tuple[bytes | None, bool], Link] = {}
        for link, hello in sorted(self.arrivals, key=lambda arrival: arrival[0].since):
            if hello.token and link.reason is None:
                newest[hello.token, hello.anew] = link
        waiting = sent_again = 0
        while len(self.arrivals) > waiting:
            link, hello = self.arrivals[waiting]
            if link.reason is None and not self.is_closing:
                if hello.token and sent_again >= SENT_AGAIN:
                    link.greet_by(link.now + self._limits.handshake_timeout)  # it is we who let it wait
                    waiting += 1
                    continue
                engine.stepping = link.stream
                try:
                    self._greet(link, hello, newest.get((hello.token, hello.anew), link) is not link)
                except ProtocolError as error:
                    link.fail(error.reason)
                engine.stepping = None
            del self.arrivals[waiting]  # nothing can come between this and the greeting: none is greeted twice
            sent_again += link.stream.waiting if hello.token else 0
        self._links.send(self._links.timeline.now)

    def count_anew(self) -> None:
        """Count the links again, after an exception left something half-way."""
        links = [link for link in self._links if link.stream.alive]
        self.crowd &= {*links}
        self.origins = {}
        for link in links:
            origin = self.origin(link)
            self.origins[origin] = self.origins.get(origin, 0) + 1

    # Inside.

    def _let_in(self, newcomer: Connector, now: float) -> None:
        """Give a newcomer a link, or turn it away."""
        most = self._house.max_pending
        if len(self._links) - self._seats.linked >= most:
            log.warn("busy", "%s was turned away: max_pending = %s are at the door", newcomer.where, most)
            text = "the server is busy: many want to come in; try again in a moment"
            _turn_away(newcomer, Reason(ReasonCode.SERVER_FULL, text), now)
            return
        origin = bucket(newcomer.address or self.address)
        count = self.origins.get(origin, 0)
        if count >= self._house.max_per_address + TOLD_AT_THE_DOOR:
            # Hearing a greeting takes a link for a while, of which there are max_pending for everybody.
            _turn_away(newcomer, self._too_many(newcomer.where).reason, now)
            return
        self.origins[origin] = count + 1
        link = Link(self, self._limits, self._codec, self._inbox, Hello)
        waited = newcomer if isinstance(newcomer, Ready) else None
        came = now if waited is None or waited.since is None else waited.since
        link.since = came
        if came == now:
            # No two at the same time: who came later is the newer one of two attempts of a client.
            link.since = self._last_came = max(now, math.nextafter(self._last_came, math.inf))
        link.greet_by(came + self._limits.handshake_timeout)  # TLS and HTTP, if any, included
        if count >= self._house.max_per_address:
            self.crowd.add(link)
        link.stream = Stream(Connecting(newcomer, now), link.reader, link, self._links.timeline)
        self._links.take_in(link.stream, link)
        if waited is not None and waited.objection is not None:
            link.fail(waited.objection)

    def _greet(self, link: Link, hello: Hello, overtaken: bool) -> None:
        """Take somebody in or back. Raises `ProtocolError` for a refusal."""
        house, seats = self._house, self._seats
        if hello.game == protocol.ASKING:
            self._tell_about(link)
            return
        if (hello.game, hello.version) != (house.game, house.version):
            theirs, ours = _title(hello.game, hello.version), _title(house.game, house.version)
            code = ReasonCode.WRONG_VERSION if hello.game == house.game else ReasonCode.WRONG_GAME
            raise ProtocolError(code, f"the server runs {ours}, this is {theirs}; get the same one")
        if overtaken:
            raise ProtocolError(ReasonCode.REPLACED, OVERTAKEN)
        if hello.token:
            seats.take_back(link, hello, hello.token)
            return
        self._make_room_for(link)
        if len(seats) >= house.max_peers and seats.find_ghost() is None:
            log.warn("full", "%s did not get in: max_peers = %s are playing", link.where, house.max_peers)
            raise ProtocolError(ReasonCode.SERVER_FULL, "the server is full; try again later")
        data = None
        if house.authenticate is not None:
            data = self._ask(house.authenticate, hello.credentials, link)
            if self.is_closing:
                return  # the server was closed from within
        if len(seats) >= house.max_peers and (ghost := seats.find_ghost()) is not None:
            seats.oust(ghost)
        seats.seat(link, link.stream.remote_address or self.address, hello, data)

    def _tell_about(self, link: Link) -> None:
        """Answer somebody who only asks what is played."""
        house = self._house
        about = {
            "game": house.game,
            "version": house.version,
            "players": len(self._seats),
            "max_players": house.max_peers,
        }
        title = _title(house.game, house.version)
        link.answer(Reason(ReasonCode.WRONG_GAME, f"the server runs {title}; this only asked"), about)

    def _make_room_for(self, link: Link) -> None:
        """Have somebody go who does not know that it is in, where there are too many from one place."""
        origin = self.origin(link)
        if link in self.crowd and self.origins[origin] > self._house.max_per_address:
            ghost = self._seats.find_ghost(lambda other: self.origin(other) == origin)
            if ghost is None:
                raise self._too_many(link.where)
            self._seats.oust(ghost)

    def _ask(self, authenticate: Authenticate, credentials: Any, link: Link) -> Any:
        """Return what the game makes of credentials; raise `ProtocolError` for whatever is not plainly a yes."""
        address = link.stream.remote_address or self.address
        try:
            answer = authenticate(credentials, address)
        except Exception as error:
            log.error("authenticate", "authenticate failed for %s, who was refused", address, error=error)
            raise ProtocolError(ReasonCode.DENIED, "the server failed while it let you in") from error
        except BaseException:  # Ctrl-C, say: nobody has said yes
            link.fail(Reason(ReasonCode.DENIED, "the server failed while it let you in"))
            self._links.engine.stepping = None  # it is to hear that
            raise
        if self.is_closing:
            return None  # it was closed from within, and says so itself
        return judge(answer, address, tell=link.reason is None)

    def _too_many(self, where: str) -> ProtocolError:
        most = self._house.max_per_address
        log.warn("crowd", "%s did not get in: max_peers_per_address = %s are there", where, most)
        text = "too many are playing from your address already; try again later"
        return ProtocolError(ReasonCode.TOO_MANY, text)


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
