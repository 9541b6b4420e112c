"""The door that browsers find: one port, at which the first byte tells what somebody speaks.

Who has said too little yet waits here, before the server hears of it: so what a stranger is, and where it really comes
from, is known before it counts anywhere. What waits costs an update nothing.
"""

import math
from collections import Counter, deque
from collections.abc import Callable, Generator
from operator import methodcaller
from typing import TypeAlias, cast

from netcode.address import Address, bucket
from netcode.diagnostics import log
from netcode.loop.clock import earliest
from netcode.loop.poller import READ, WRITE, make_poller
from netcode.reasons import Reason, ReasonCode
from netcode.site import Web
from netcode.transport import Connector, Doorway, Holder, Ready, ReceiveInto, Send, Transport, abandon
from netcode.transport.exchange import deliver, introduce, peek, read_request, send_all
from netcode.transport.tcp_socket import TcpTransport
from netcode.transport.websocket import Carrier, WebSocketTransport
from netcode.waiting import Descriptors
from netcode.wire.http import BadRequest, Request, head_of, refuse
from netcode.wire.websocket import accept, is_upgrade

NEWCOMERS = 64
"""Connects taken in one call of `accept` at most."""

DELIVERY = 10.0
"""Seconds from a request to the end of its answer: 64 KiB at the worst of what a phone gets."""

STEPS = 32
"""Who waited of whom one update hears more at most: a request costs up to a tenth of a millisecond."""

LOOK = 0.02
"""Seconds between two looks at those who wait, where the system has no poller that can be waited for."""

HTTP = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""First bytes that nothing but a request of HTTP begins with; a message of ours begins with a 0, and TLS with a 22."""

Steps: TypeAlias = Generator[int, None, Connector | None]
"""What is done for one who waits: gives what it waits for, and ends with who is to be let in, or None for nobody."""


class Begun(Ready):
    """A connector for somebody who has said something that was taken already.

    The transport is not there at once but when asked again, because that is followed by receiving.
    """

    __slots__ = ("_is_asked_again",)

    def __init__(self, transport: Transport, since: float) -> None:
        super().__init__(transport, since)
        self._is_asked_again = False

    def advance(self, now: float) -> Transport | None:  # type: ignore[override]
        before, self._is_asked_again = self._is_asked_again, True
        return self._transport if before else None


class Failed:
    """A connector of which nothing has come, and why: for the server to say so."""

    hint = ""

    def __init__(self, reason: Reason, where: str, address: Address | None) -> None:
        self._reason = reason
        self.where = where
        self.address = address

    def advance(self, now: float) -> Reason:
        return self._reason

    def descriptors(self) -> Descriptors:
        return [], [], []

    def due(self) -> float:
        return 0.0

    def close(self) -> None:
        """It is closed."""


class Continued:
    """A transport of which the beginning was received already. After that it has nothing to do any more."""

    __slots__ = (
        "_below",
        "_early",
        "address",
        "close",
        "drains",
        "finish",
        "grain",
        "lingers",
        "probe",
        "read_fd",
        "receive_into",
        "send",
        "write_fd",
    )

    def __init__(self, below: Transport, early: bytes) -> None:
        self._below = below
        self._early = early
        self.address = below.address
        self.read_fd, self.write_fd = below.read_fd, below.write_fd
        self.lingers, self.grain, self.drains = below.lingers, max(below.grain, len(early)), below.drains
        self.receive_into: ReceiveInto = self._receive_early
        self.send: Send = below.send
        self.probe, self.finish, self.close = below.probe, below.finish, below.close

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return self._below.send_chunks(chunks)

    def abandon(self) -> None:
        abandon(self._below)

    def _receive_early(self, buffer: memoryview) -> int:
        count = len(self._early)
        buffer[:count] = self._early
        self.receive_into = self._below.receive_into
        return count


class _Guest:
    """Somebody who waits."""

    __slots__ = ("bits", "fd", "holder", "origin", "since", "steps", "until")

    def __init__(self, transport: Transport, origin: str, since: float, until: float) -> None:
        self.holder: Connector | Transport = transport  # what is to be closed when it comes to nothing
        self.fd = transport.read_fd
        self.bits = 0  # what is watched for
        self.origin = origin  # where it counts, or "" for a proxy, who stands for many
        self.since = since
        self.until = until
        self.steps: Steps


class WebDoorway(Doorway):
    """A door for browsers as well as for programs of ours.

    Args:
        behind: where they come in: over TLS or not.
        web: what is said to browsers.
        within: seconds in which somebody has to have said what it wants.
        most, most_of_one: how many may wait, and of one origin. Whoever comes then can be no browser.
    """

    counts_time = True

    def __init__(self, behind: Doorway, web: Web, within: float, most: int, most_of_one: int) -> None:
        self._behind = behind
        self._below, self._encrypt = behind.unwrap()
        self._web = web
        self._within, self._most, self._most_of_one = within, most, most_of_one
        self._poller = make_poller()
        self._now = self._last_came = 0.0
        self._left = STEPS  # that may be taken at this time
        self._by_fd: dict[int, _Guest] = {}
        self._asked: dict[_Guest, None] = {}  # of whom no poller tells
        self._waiting: dict[_Guest, None] = {}  # each in the order in which their time is over
        self._served: dict[_Guest, None] = {}
        self._origins: dict[str, int] = {}
        self._done: deque[Connector] = deque()
        self.address = behind.address

    def accept(self, now: float) -> Connector | None:
        if now != self._now:
            self._now, self._left = now, STEPS
        if not self._done:
            try:
                for _ in range(NEWCOMERS):
                    newcomer = self._below.accept(now)
                    if newcomer is None:
                        break
                    done = self._receive(newcomer, now)
                    if done is not None:
                        return done
                self._look(now)
            except BaseException:  # Ctrl-C, say
                self._count_anew()
                raise
        return self._done.popleft() if self._done else None

    def begin_update(self) -> None:
        self._behind.begin_update()

    def doors(self) -> tuple[int, ...]:
        doors, fd = self._below.doors(), self._poller.fileno()
        if not doors or self._asked or (fd < 0 and self._by_fd):
            return ()  # they have to be asked
        return doors if fd < 0 else (*doors, fd)

    def due(self) -> float | None:
        if self._done:
            return self._now  # more have come in than one update has taken
        waits = [next(iter(guests)).until for guests in (self._waiting, self._served) if guests]
        if self._asked or (self._by_fd and self._poller.fileno() < 0):
            waits.append(self._now + LOOK)
        return earliest(self._below.due(), *waits)

    def say_when_short(self, words: bytes) -> None:
        if self._encrypt is None:
            self._below.say_when_short(words)

    def close(self) -> None:
        self._give_back(methodcaller("close"))

    def abandon(self) -> None:
        """Give back this process's copies of descriptors that are the parent's, and say nothing to anybody."""
        self._give_back(abandon)

    def _give_back(self, how: Callable[[Holder], None]) -> None:
        how(self._below)
        self._poller.close()  # first: a child that was forked off shares it
        for guest in (*self._waiting, *self._served):
            how(guest.holder)
        for connector in self._done:
            how(connector)
        self._by_fd, self._asked, self._waiting, self._served, self._origins = {}, {}, {}, {}, {}
        self._done.clear()

    def _receive(self, newcomer: Connector, now: float) -> Connector | None:
        """Take in somebody new; return it if it is known at once what it is."""
        transport = newcomer.advance(now)
        assert transport is not None
        assert not isinstance(transport, Reason)
        origin = "" if self._web._trusts(transport.address) else bucket(transport.address or self.address)
        waiting = len(self._waiting) + len(self._served)
        if waiting >= self._most or self._origins.get(origin, 0) >= self._most_of_one:
            return newcomer if self._encrypt is None else self._encrypt(newcomer)
        # No two at the same time: who came first is to be told from who speaks first.
        self._last_came = max(now, math.nextafter(self._last_came, math.inf))
        guest = _Guest(transport, origin, self._last_came, now + self._within)
        guest.steps = self._steps(guest, transport)
        self._waiting[guest] = None
        if origin:
            self._origins[origin] = self._origins.get(origin, 0) + 1
        return self._go_on(guest)

    def _look(self, now: float) -> None:
        """Go on with those who can, and give up those whose time is over."""
        ready = self._poller.poll(0, self._left) if self._by_fd and self._left > 0 else []
        self._left -= len(ready)
        for guest in [*(self._by_fd[fd] for fd, _ in ready), *self._asked]:
            done = self._go_on(guest)
            if done is not None:
                self._done.append(done)
        for guests in (self._waiting, self._served):
            while guests and (guest := next(iter(guests))).until <= now:
                log.debug("%s: nothing came of it in time", guest.holder.address)
                self._give_up(guest)

    def _go_on(self, guest: _Guest) -> Connector | None:
        """Do what can be done for somebody; return it if it is to be let in."""
        try:
            bits = next(guest.steps)
        except StopIteration as end:
            done: Connector | None = end.value
            if done is None:
                self._give_up(guest)
            else:
                self._forget(guest)
            return done
        except BaseException:  # Ctrl-C, say
            self._give_up(guest)
            raise
        if guest.fd < 0:
            self._asked[guest] = None
        elif bits != guest.bits:
            self._watch(guest, bits)
        return None

    def _watch(self, guest: _Guest, bits: int) -> None:
        try:
            if guest.bits:
                self._poller.change(guest.fd, bits)
            else:
                self._by_fd[guest.fd] = guest  # first: of whom a poller tells has to be known
                self._poller.add(guest.fd, bits)
        except OSError:  # the kernel watches no more
            self._poller.remove(guest.fd)
            self._by_fd.pop(guest.fd, None)
            self._asked[guest] = None
        guest.bits = bits

    def _forget(self, guest: _Guest) -> None:
        if self._by_fd.get(guest.fd) is guest:
            self._poller.remove(guest.fd)
            self._by_fd.pop(guest.fd, None)
        for guests in (self._asked, self._waiting, self._served):
            guests.pop(guest, None)
        left = self._origins.get(guest.origin, 0) - 1
        if left > 0:
            self._origins[guest.origin] = left
        else:
            self._origins.pop(guest.origin, None)

    def _count_anew(self) -> None:
        """Count who waits from where again, after an exception left something half-way."""
        self._origins = Counter(guest.origin for guest in (*self._waiting, *self._served) if guest.origin)

    def _give_up(self, guest: _Guest) -> None:
        self._forget(guest)
        guest.holder.close()

    def _steps(self, guest: _Guest, transport: Transport) -> Steps:
        """Find out what somebody wants, and do it."""
        try:
            if not guest.origin and isinstance(transport, TcpTransport):
                yield from introduce(transport)
            if self._encrypt is not None:
                assert isinstance(transport, TcpTransport)
                begun, _ = yield from peek(transport)
                if begun and begun[0] in HTTP:
                    self._wait_longer(guest)
                    yield from deliver(transport, refuse(BadRequest(400, "this port speaks TLS: use https://")))
                    return None
                outcome = yield from self._agree(guest, self._encrypt(Ready(transport)))
                if isinstance(outcome, Reason):
                    return Failed(outcome, str(transport.address), transport.address)
                guest.holder = transport = outcome
            begun, early = yield from peek(transport)
            if not begun:
                return None
            if begun[0] not in HTTP:
                return Begun(Continued(transport, early), guest.since) if early else Ready(transport, guest.since)
            try:
                request, early = yield from read_request(transport, early)
                if is_upgrade(request):
                    yield from send_all(transport, accept(request))
                    return self._upgraded(guest, transport, request, early)
                answer = self._page(guest, request)
            except BadRequest as error:
                answer = refuse(error)
            yield from deliver(transport, answer)
        except (OSError, ValueError) as error:
            log.debug("%s: nothing came of it: %s", transport.address, type(error).__name__)
        return None

    def _page(self, guest: _Guest, request: Request) -> bytes:
        """Return the answer to a request for a page."""
        try:
            answer = self._web._answer(request)
            self._wait_longer(guest)
        except BadRequest as error:
            answer = refuse(error)
        return head_of(answer) if request.method == "HEAD" else answer

    def _agree(self, guest: _Guest, connector: Connector) -> Generator[int, None, Transport | Reason]:
        """Let the handshake of TLS go on until it is decided."""
        guest.holder = connector
        while (outcome := connector.advance(self._now)) is None:
            yield WRITE if connector.descriptors()[1] else READ
        return outcome

    def _upgraded(self, guest: _Guest, below: Transport, request: Request, early: bytes) -> Connector:
        """Return somebody who has come to WebSocket; one who may not come in hears that there."""
        address = self._web._client(below.address, request)
        transport = WebSocketTransport(cast("Carrier", below), address, early)
        vouched = self._encrypt is not None or not guest.origin
        objection = self._web._objection(request, None if vouched else below.address)
        if objection:
            return Ready(transport, guest.since, Reason(ReasonCode.DENIED, objection))
        return Begun(transport, guest.since) if early else Ready(transport, guest.since)

    def _wait_longer(self, guest: _Guest) -> None:
        """Give somebody who is shown a page the time to take it."""
        guest.until = self._now + DELIVERY
        self._served[guest] = None  # first: who is in neither would be forgotten by an interrupt
        self._waiting.pop(guest, None)
