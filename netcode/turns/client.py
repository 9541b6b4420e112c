"""A player's end of a table: sits down, keeps its seat through broken links and restarts, and tells all as events."""

import random
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from netcode.address import Address, check_addresses, check_destination
from netcode.client import Client
from netcode.events import Away, Back, Joined, Left, Received
from netcode.events import Event as LinkEvent
from netcode.reasons import Reason, ReasonCode, closed_here
from netcode.stream.contract import State
from netcode.turns import protocol
from netcode.turns.events import (
    Event,
    Gone,
    Moved,
    Over,
    Presence,
    Refused,
    Said,
    Seated,
    Started,
    TakenBack,
    Told,
)
from netcode.turns.plays import Play, answer
from netcode.turns.protocol import BadMessage, Consent, GiveAnswer, Join, MakePlay, Say, Wish
from netcode.turns.sight import make_view
from netcode.turns.table import Asked, Result
from netcode.turns.values import pack

G = TypeVar("G")

PATIENCE = 120.0
"""Seconds for which a seat is looked for at a server that does not answer."""
RETRY = 0.25
"""Seconds before the first attempt to come back; each further one waits twice as long."""
RETRY_CAP = 5.0
RESUME_FOR = 0.75
"""Seconds for which a broken link may come back until another server is asked, where there are several."""
HOPS = 3
"""Times in a row that we are sent on to another server; then one is asked that we know."""
SOON = 0.5
"""Seconds between two attempts at most while our table may be about to get another owner, a quarter of the time passed
since then."""

_FOR_GOOD = frozenset(
    {
        ReasonCode.DENIED,
        ReasonCode.WRONG_GAME,
        ReasonCode.WRONG_VERSION,
        ReasonCode.WRONG_PROTOCOL,
        ReasonCode.GOODBYE,
        ReasonCode.CLOSED,
    }
)
"""What another attempt does not change."""
_AT_FIRST = frozenset({ReasonCode.REFUSED, ReasonCode.NAME_NOT_FOUND, ReasonCode.UNREACHABLE})
"""What is told at once to who has not been at the server before: the address is wrong, or nobody has started it."""
FIRST_ATTEMPTS = 3
"""How often a server is tried again that has not taken us in yet."""


class Seat(Generic[G]):
    """A seat at a table, or a place to watch from; driven by `update()` once a frame. `join` makes it.

    Nothing that the network or the server does ever raises.
    """

    def __init__(
        self,
        address: Address | tuple[str, int],
        game: "type[G] | str",
        request: Join,
        *,
        patience: float,
        clock: Callable[[], float],
        options: Mapping[str, Any],
        addresses: Iterable[Address | tuple[str, int] | str] = (),
    ) -> None:
        check_destination(*address)
        self._at = Address(*address)
        """Where we are, or are about to go."""
        self._places = [*dict.fromkeys([self._at, *check_addresses(addresses)])]
        self._trusted = {one.host.lower() for one in self._places}
        self._hops = 0
        self._give_up_at: float | None = None
        self._silent: Address | None = None
        """Where nobody answered last, which is asked again only if it is all there is."""
        self._game = game
        self._request = request
        self._patience, self._clock, self._options = patience, clock, options
        self._ticket = request.ticket
        self._events: list[Event] = []
        self._fields: dict[str, bytes] = {}
        self._state: dict[str, Any] = {}
        self._seat: int | None = None
        self._view: G | None = None
        self._pending: Play | None = None
        self._number = 0
        self._sent = False
        self._sat = False
        self._known = False  # our seat was told before
        self._met = False  # the server took us in once, so that an end of the link says nothing about the address
        self._heard_at = 0.0
        self._lost_at: float | None = None
        self._again_at: float | None = None
        self._attempts = 0
        self._trouble: Reason | None = None
        self._reason = ""
        self._client: Client | None = self._connect()

    def __repr__(self) -> str:
        name = self._game if isinstance(self._game, str) else self._game.__name__
        return f"<{'Seat' if self._seat is None else f'Seat {self._seat}'} at {name}>"

    # What is known.

    @property
    def seated(self) -> bool:
        """Whether the server has said where we sit, or that we watch."""
        return self._sat

    @property
    def address(self) -> Address:
        """Where the server of our table is, or is looked for."""
        return self._at

    @property
    def connected(self) -> bool:
        """Whether there is a link to the server."""
        return self._client is not None and self._client.state is State.CONNECTED

    @property
    def reason(self) -> str:
        """Why we are at no table any more, as a sentence; empty while we are."""
        return self._reason

    @property
    def trouble(self) -> Reason | None:
        """Why the last link to the server broke; None while there is one, or where the server itself sent us away.

        While `reason` is empty our seat is looked for, for `patience` more seconds.
        """
        return self._trouble

    @property
    def patience(self) -> float:
        """Seconds for which our seat is still looked for if no server answers."""
        passed = 0.0 if self._lost_at is None else self._clock() - self._lost_at
        return max(0.0, self._patience - passed)

    @property
    def silence(self) -> float:
        """Seconds since anything was heard from the server; 0 while there is no link."""
        peer = self._client.peer if self.connected and self._client is not None else None
        return 0.0 if peer is None else peer.silence

    @property
    def view(self) -> G:
        """The newest view of the game, read-only: fields that we do not see are masked.

        Raises:
            RuntimeError: the game has not begun.
        """
        if self._view is None:
            raise RuntimeError("there is no view before the game has begun: wait for Started, or look at `started`")
        return self._view

    @property
    def started(self) -> bool:
        """Whether there is a game, and so a view."""
        return self._view is not None

    @property
    def seat(self) -> int | None:
        """Our seat; None for who watches, and before the server has said it."""
        return self._seat

    @property
    def ticket(self) -> str | None:
        """The key of our seat: with it a program that was started again sits down here. Keep it secret."""
        return self._ticket

    @property
    def names(self) -> tuple[str, ...]:
        """Who sits, by seat."""
        return tuple(self._state.get("names", ()))

    @property
    def players(self) -> tuple[int, int]:
        """With how many the game may begin, and with how many it begins by itself."""
        low, high = self._state.get("players", (0, 0))
        return low, high

    @property
    def options(self) -> Mapping[str, Any]:
        """What the founder of the table chose."""
        return dict(self._state.get("options", {}))

    @property
    def to_move(self) -> tuple[int, ...]:
        """The seats that are to move, or asked."""
        return tuple(self._state.get("to_move", ()))

    @property
    def my_turn(self) -> bool:
        """Whether we are to move, or asked."""
        return self._seat is not None and self._seat in self.to_move and not self.over

    @property
    def question(self) -> Asked | None:
        """What we are asked, or None."""
        asked = self._state.get("question")
        if asked is None:
            return None
        return Asked(asked[0], asked[1], None if asked[2] is None else tuple(asked[2]))

    @property
    def legal(self) -> tuple[Play, ...]:
        """What we may do, as the server lists it; nothing while a play is pending."""
        asked = self.question
        if self._pending is not None:
            return ()
        if asked is not None and asked.options is not None:
            return tuple(answer(asked.id, option) for option in asked.options)
        return tuple(Play(name, arguments) for name, arguments in self._state.get("legal", ()) if name)

    @property
    def unlisted(self) -> tuple[str, ...]:
        """Moves that are legal beside those in `legal`: too many to be listed, or free."""
        return tuple(self._state.get("unlisted", ()))

    @property
    def pending(self) -> Play | None:
        """The play that the server has not answered yet."""
        return self._pending

    @property
    def number(self) -> int:
        """How many of our plays and answers in this game are in, as far as we have been told."""
        return int(self._state.get("last", 0))

    @property
    def clocks(self) -> tuple[float, ...] | None:
        """Seconds that each seat has left, as of now; None without clocks."""
        clocks = self._state.get("clocks")
        if clocks is None:
            return None
        passed, running = self._clock() - self._heard_at, self._state.get("running", ())
        return tuple(max(0.0, left - passed) if seat in running else left for seat, left in enumerate(clocks))

    @property
    def presence(self) -> tuple[tuple[str, float | None], ...]:
        """For each seat: "here", "away" or "left", and in how many seconds absence has consequences."""
        passed = self._clock() - self._heard_at
        return tuple(
            (state, None if seconds is None else max(0.0, seconds - passed))
            for state, seconds in self._state.get("presence", ())
        )

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        return self._state.get("result") is not None

    @property
    def result(self) -> Result | None:
        """How it ended; None while it has not."""
        return _result(self._state.get("result"))

    @property
    def frozen(self) -> str:
        """Why the table takes no plays at present, as a sentence; empty while it does."""
        text: str = self._state.get("frozen", "")
        return text

    @property
    def secret(self) -> bytes | None:
        """After a game that reveals: the seed of everything drawn, with which a replay can be verified."""
        return self._state.get("secret")

    @property
    def can_undo(self) -> str:
        """How our last move could be taken back: "" for not at all, "free", or "consent" of the others."""
        text: str = self._state.get("undo", "")
        return text

    @property
    def undo_wanted_by(self) -> int | None:
        """The seat that would like to take its move back; answer with `consent`."""
        return self._state.get("undo_by")

    @property
    def rematch_wanted_by(self) -> tuple[int, ...]:
        """The seats that have asked for another game since the end of this one."""
        return tuple(self._state.get("rematch", ()))

    @property
    def spectators(self) -> int:
        """How many watch."""
        return int(self._state.get("spectators", 0))

    @property
    def rtt(self) -> float | None:
        """The round-trip time to the server in seconds; None until measured."""
        return None if self._client is None else self._client.rtt

    @property
    def jitter(self) -> float | None:
        """How much the round-trip time varies, in seconds; None until measured."""
        return None if self._client is None else self._client.jitter

    # What one does.

    def play(self, play: Play | str, /, **arguments: Any) -> None:
        """Play a move, or answer: `play(TicTacToe.mark(4))`, `play("mark", cell=4)`, `play(table.legal[0])`.

        Whether it is legal says the server: the view changes, or `Refused` comes. One play is outstanding at a time.

        Raises:
            RuntimeError: we have no seat, or a play is pending.
            TypeError: `play` is none, or has an argument that cannot be said.
            ValueError: an argument cannot be sent, or the protocol does not allow it.
        """
        if isinstance(play, str):
            play = Play(play, arguments)
        elif not isinstance(play, Play):
            raise TypeError(f"expected a play such as TicTacToe.mark(4), or a move's name, not {type(play).__name__}")
        elif arguments:
            raise TypeError("a play has its arguments already; give them by name only with the name of a move")
        self._check_seat()
        if self._pending is not None:
            raise RuntimeError(f"{self._pending} is pending: wait until it is in, or refused")
        try:
            # Also while there is nobody to send it to: it would fail when there is.
            _check_said(_request_of(play, 0, 0.0))
        except OverflowError as error:
            raise ValueError(f"{play} cannot be sent: {error}") from error
        self._pending = play
        self._number = self.number + 1
        self._sent = False
        try:
            self._send_play()
        except ValueError:  # larger than a message may be
            self._pending = None
            raise

    def answer(self, option: Any) -> None:
        """Answer the question that we are asked. Raises `RuntimeError` if there is none, and as `play` does."""
        asked = self.question
        if asked is None:
            raise RuntimeError("nothing is asked of us at present")
        self.play(answer(asked.id, option))

    def undo(self) -> None:
        """Take our last move back, or ask the others whether we may."""
        self._wish(Wish("undo"))

    def consent(self, agreed: bool = True) -> None:
        """Agree to the undo that another seat wants, or not."""
        self._wish(Consent(agreed))

    def start(self) -> None:
        """Begin with those who sit, if they are enough."""
        self._wish(Wish("start"))

    def rematch(self) -> None:
        """Ask for another game after the end; it begins when all have asked."""
        self._wish(Wish("rematch"))

    def say(self, text: str) -> None:
        """Say something to all at the table. Raises `ValueError` for what is no text, or too long for any server."""
        _check_said(Say(text))
        self._send(Say(text))

    def leave(self) -> None:
        """Leave for good: a game that runs is given up. `Gone` comes; keep calling `update()` until then."""
        self._send(Wish("leave"))

    def events(self) -> list[Event]:
        """Take the events since the last call, in order. Each comes once."""
        events, self._events = self._events, []
        return events

    def update(self) -> None:
        """Do what can be done now. Never blocks. Call it once a frame."""
        now = self._clock()
        client = self._client
        if client is not None and self._is_given_up(now):
            client.close()
            self._lose(self._trouble or closed_here(), now)
            return
        if client is None:
            if self._again_at is not None and now >= self._again_at:
                self._again_at = None
                self._client = self._connect()
            return
        client.update()
        for event in client.events():
            self._hear(event, client, now)
        if client is self._client:
            client.update()  # what was just sent leaves now, not with the next frame

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until `update()` has something to do, `timeout` seconds at most. False if the time passed first."""
        if self._events or self._reason:
            return True
        if self._client is not None:
            if self._give_up_at is None:
                return self._client.wait(timeout)
            left = max(0.0, self._give_up_at - self._clock())
            due = timeout is None or left <= timeout
            return self._client.wait(left if due else timeout) or due
        left = 0.0 if self._again_at is None else max(0.0, self._again_at - self._clock())
        due = timeout is None or left <= timeout
        time.sleep(left if due or timeout is None else timeout)
        return due

    def close(self) -> None:
        """Stop looking at the table. The seat is kept: `ticket` opens it again."""
        self._finish("closed by this program")
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Inside.

    def _hear(self, event: LinkEvent, client: Client, now: float) -> None:
        match event:
            case Joined(_):
                self._met, self._trouble = True, None
                self._at = client.address
                if self._may_know_us(self._at):
                    client.send(self._request.wire())
                else:
                    self._refuse(self._at)
            case Received(_, message):
                self._receive(message)
            case Away(_, reason):
                self._trouble = reason
                if len(self._places) > 1:
                    self._give_up_at = now + RESUME_FOR
                self._events.append(Presence(None, "away", None))
            case Back(_):
                self._trouble = self._give_up_at = None
                self._events.append(Presence(None, "here", None))
            case Left(_, reason):
                self._lose(reason, now)

    def _connect(self) -> Client:
        link: dict[str, Any] = {"clock": self._clock, **self._options}
        others = [one for one in self._places if one != self._at]
        return Client(*self._at, addresses=others, game=protocol.GAME, version=protocol.VERSION, **link)

    def _is_given_up(self, now: float) -> bool:
        """Tell whether a broken link has had its time to come back: our table may be alive elsewhere."""
        return self._give_up_at is not None and now >= self._give_up_at

    def _may_know_us(self, address: Address) -> bool:
        """Tell whether what opens our seat may be sent there: whoever sent us on may not be who it seems."""
        tls: Any = self._options.get("tls", False)
        certain = tls is True or bool(getattr(tls, "check_hostname", False))
        proves = self._request.ticket or self._request.key or self._options.get("credentials") is not None
        return certain or not proves or address.host.lower() in self._trusted

    def _refuse(self, address: Address) -> None:
        """Give up: our table is where we must not show what opens our seat."""
        self._finish(f"the table is at {address}, which nobody named here: give it in addresses=, or use tls=True")
        if self._client is not None:
            self._client.close()

    def _check_seat(self) -> None:
        if self._reason:
            raise RuntimeError(f"we are at no table any more: {self._reason}")
        if self._seat is None:
            raise RuntimeError("who watches does not play" if self._sat else "we have no seat yet: wait for Seated")

    def _wish(self, wish: Wish | Consent) -> None:
        self._check_seat()
        self._send(wish)

    def _send(self, request: protocol.Request) -> None:
        if self._client is not None and self._sat:
            self._client.send(request.wire())

    def _send_play(self) -> None:
        play = self._pending
        if play is None or self._client is None or not self._sat or self._sent:
            return
        lag = min(self._client.rtt or 0.0, 999.0)
        self._client.send(_request_of(play, self._number, lag).wire())
        self._sent = True

    def _lose(self, reason: Reason, now: float) -> None:
        """The session is over: look for our seat again, unless that is hopeless."""
        was_away = self._give_up_at is not None
        self._client = self._give_up_at = None
        if self._reason:
            return
        if reason.code is not ReasonCode.RESUME_LOST or self._trouble is None:
            self._trouble = reason  # that the seat of the link is gone is no news: that of the table is not
        if self._lost_at is None:
            self._lost_at = now
            if self._sat and not was_away:
                self._events.append(Presence(None, "away", None))
        hopeless = reason.code in (_FOR_GOOD if self._met else _FOR_GOOD | _AT_FIRST)
        if hopeless or (not self._met and self._attempts >= FIRST_ATTEMPTS) or now - self._lost_at > self._patience:
            self._finish(_why(reason, *self._at))
            return
        self._sat = self._sent = False
        if reason.where is not None and self._hops < HOPS:
            if not self._may_know_us(reason.where):
                self._refuse(reason.where)
                return
            self._at, self._again_at = reason.where, now
            self._hops += 1
            return
        self._hops = 0
        if reason.code is not ReasonCode.MOVED:
            self._silent = self._at  # one that stands still would take as long again to say nothing
        longest = min(RETRY_CAP, RETRY * 2**self._attempts)
        if len(self._places) > 1 or reason.code is ReasonCode.MOVED:
            others = [one for one in self._places if one not in (self._at, self._silent)]
            others = others or [one for one in self._places if one != self._at]
            self._at = random.choice(others or self._places)  # noqa: S311 - so that not all go to one
            longest = min(longest, max(SOON, (now - self._lost_at) / 4))
            longest *= random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come at once
        self._again_at = now + longest
        self._attempts += 1

    def _finish(self, text: str) -> None:
        if not self._reason:
            self._reason = text
            self._events.append(Gone(text))

    def _receive(self, message: Any) -> None:
        try:
            reply = protocol.read_reply(message)
            self._take(reply)
        except (BadMessage, ValueError, KeyError, TypeError, IndexError) as error:
            self._finish(f"the server sent what the protocol does not allow: {error}")
            if self._client is not None:
                self._client.close()

    def _take(self, reply: protocol.Reply) -> None:
        match reply:
            case protocol.Sat():
                self._sit(reply)
            case protocol.Part(fields):
                self._fields |= fields
            case protocol.Step(events, fields, state):
                self._step(events, fields, state)
            case protocol.Refusal(number, text):
                play = None
                if number is not None and self._pending is not None and number == self._number:
                    play, self._pending = self._pending, None
                self._events.append(Refused(play, text))
            case protocol.HasSaid(seat, name, text):
                self._events.append(Said(seat, name, text))
            case protocol.Gone(text):
                self._finish(text)
                if self._client is not None:
                    self._client.close_nicely()
            case protocol.Tables() | protocol.Games() | protocol.Drawn():
                pass

    def _sit(self, sat: protocol.Sat) -> None:
        again = self._known and self._seat == sat.seat
        self._known = True
        self._fields, self._state = {}, {"last": sat.last}
        self._seat, self._ticket = sat.seat, sat.ticket or self._ticket
        self._sat = True
        self._lost_at, self._attempts, self._hops = None, 0, 0
        self._trouble = self._silent = None
        request = self._request
        if self._ticket is not None:
            self._request = Join(request.game, ticket=self._ticket, name=request.name, legal=request.legal)
        else:
            self._request = replace(request, room=f"#{sat.table}", key=None)
        if again:
            self._events.append(Presence(None, "here", None))
        else:
            self._events.append(Seated(sat.seat, self._request.name))
        self._settle()
        self._sent = False
        try:
            self._send_play()
        except ValueError as error:
            play, self._pending = self._pending, None
            self._events.append(Refused(play, str(error)))

    def _settle(self) -> None:
        """Forget the pending play once the server says that it is in."""
        if self._pending is not None and self.number >= self._number:
            self._pending = None

    def _step(self, events: Any, fields: Mapping[str, bytes], state: Mapping[str, Any]) -> None:
        before = self._view
        self._fields |= fields
        self._state |= state
        self._heard_at = self._clock()
        if self._fields or self._state.get("started"):
            self._view = make_view(self._game, self._fields, self._seat, self._state)
        self._settle()
        for data in events:
            event = _event(data, before, self._view)
            # That we sit down is told all the others; we know since `Sat`.
            if event is not None and not (isinstance(event, Seated) and event.seat == self._seat):
                self._events.append(event)


def _request_of(play: Play, number: int, lag: float) -> MakePlay | GiveAnswer:
    if play.question is None:
        return MakePlay(number, play.name, play.wire(), lag)
    return GiveAnswer(number, play.question, play.wire()["answer"], lag)


def _check_said(request: protocol.Request) -> None:
    """Raise for what the server would take as a breach of the protocol, and end our link for."""
    message = request.wire()
    protocol.read_request(message)
    pack(message)


def _why(reason: Reason, host: str, port: int) -> str:
    """Return why there is no table, in words of a player, who chose no version and no name of a protocol."""
    match reason.code:
        case ReasonCode.WRONG_GAME:
            return (
                f"the server at {host}:{port} is of another kind, with no tables to sit down at; is the address right?"
            )
        case ReasonCode.WRONG_VERSION:
            return f"the server at {host}:{port} keeps its tables in another way; install the same netcode at both ends"
        case _:
            return reason.text


def _result(data: Any) -> Result | None:
    if data is None:
        return None
    winners, scores, text = data
    return Result(tuple(winners), None if scores is None else tuple(scores), text)


def _event(event: Any, before: Any, after: Any) -> Event | None:
    match event:
        case ["seated", int(seat), str(name)]:
            return Seated(seat, name)
        case ["started"]:
            return Started()
        case ["moved", int(seat), name]:
            return Moved(seat, name, before, after)
        case ["told", str(text), facts] if isinstance(facts, dict):
            return Told(text, facts)  # pyright: ignore[reportUnknownArgumentType]
        case ["taken back", seat, str(text)]:
            return TakenBack(seat, text, before, after)
        case ["presence", int(seat), str(state), seconds]:
            return Presence(seat, state, seconds)
        case ["over", winners, scores, str(text)]:
            return Over(Result(tuple(winners), None if scores is None else tuple(scores), text))
        case _:
            return None  # of a newer server


def join(  # noqa: PLR0917 - the order in which one thinks of them; the rest is by keyword
    address: Address | tuple[str, int],
    game: "type[G] | str",
    room: str | None = None,
    players: int | None = None,
    options: Mapping[str, Any] | None = None,
    watch: bool = False,
    ticket: str | None = None,
    name: str = "",
    *,
    legal: bool = True,
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
    addresses: Iterable[Address | tuple[str, int] | str] = (),
    **link: Any,
) -> Seat[G]:
    """Sit down at a table, or watch one. It connects from here on; call `update()` once a frame.

    Usage::

        table = join(("localhost", 7777), TicTacToe, name="Ann")
        while True:
            table.update()
            for event in table.events(): ...

    Args:
        address: host and port of the server.
        game: the class, so that `view` is typed as it; or its name.
        room: a code that friends agreed on, or `room` of an entry that `tables` gave. Without one we sit down wherever
            a seat is free, or found a table.
        players: with how many the game begins; without it with the most, or when somebody seated says `start()`.
        options: what the game lets its founder choose.
        watch: look on instead of playing.
        ticket: the key of our seat from an earlier run, instead of all others.
        name: what the others call us.
        legal: whether the server lists legal plays for us.
        patience: seconds for which our seat is looked for at a server that does not answer.
        addresses: other places where the game is served, each as `address` or `"host:port"`: where several processes
            share the tables, any of them leads us to ours, also when one of them ends.
        link: everything else that `netcode.Client` takes: `tls`, `credentials`, limits.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
    """
    title = game if isinstance(game, str) else game.__name__
    wanted = dict(options or {})
    key = None if ticket is not None or watch else secrets.token_urlsafe(24)
    request = Join(title, room, players, wanted, watch, ticket, key, name[: protocol.MAX_NAME], legal)
    protocol.read_request(request.wire())  # what the server would refuse is misuse, and told here
    return Seat(address, game, request, patience=patience, clock=clock, options=link, addresses=addresses)


def tables(
    address: Address | tuple[str, int], game: type[Any] | str | None = None, *, timeout: float = 5.0, **link: Any
) -> list[dict[str, Any]]:
    """Return the tables that can be joined: each a dict of `room`, `game`, `players`, `options` and `names`.

    It blocks until the server has answered, `timeout` seconds at most.

    Raises:
        OSError: the server cannot be reached, or did not answer; the text says why.
    """
    host, port = address
    name = game.__name__ if isinstance(game, type) else game
    until = time.monotonic() + timeout
    with Client(host, port, game=protocol.GAME, version=protocol.VERSION, **link) as client:
        client.send(protocol.ListTables(name).wire())
        while (left := until - time.monotonic()) > 0:
            client.update()
            for event in client.events():
                match event:
                    case Received(_, message):
                        reply = protocol.read_reply(message)
                        if isinstance(reply, protocol.Tables):
                            return [dict(table) for table in reply.tables]
                        if isinstance(reply, protocol.Refusal):
                            raise OSError(reply.text)
                    case Left(_, reason):
                        raise OSError(_why(reason, host, port))
                    case _:
                        pass
            client.wait(left)
    raise OSError(f"{host}:{port} did not answer within {timeout:g} seconds")
