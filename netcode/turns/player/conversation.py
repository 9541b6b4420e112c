"""What one seat and its server say to each other, from coming in over every lost link to the end."""

from dataclasses import replace
from typing import Any

from netcode.diagnostics.advice import advise
from netcode.events import Away, Back, Joined, Received
from netcode.reasons import Reason, ReasonCode
from netcode.turns import protocol
from netcode.turns.errors import Unfit
from netcode.turns.events import Event, Gone, Presence, Refused, Said, Seated
from netcode.turns.language.plays import Play
from netcode.turns.player.known import Known
from netcode.turns.player.numbered import Outstanding
from netcode.turns.player.table_link import TableLink
from netcode.turns.protocol import BadMessage, Join, Wish

MOST_UNSAID = 16
"""Requests that wait for our seat: fewer than a server takes at once by default."""

LASTING = ("start", "rematch")
"""What is wanted until it is there."""
MAX_EVENTS = 1_000
"""Events that wait to be taken; each move has the views before and after it."""


class Conversation:
    """Takes what the server tells, keeps what opens our seat, and collects what happens as events.

    Args:
        request: how we come in the first time.
        link: the link over which it is led.
        known: what is told goes there.
        known_here: whether the link shows the server who we are.
    """

    def __init__(self, request: Join, link: TableLink, known: Known[Any], *, known_here: bool) -> None:
        self.ticket = request.ticket
        """The key of our seat."""
        self.sat = False
        """Whether the server has said over this link where we sit, or that we watch."""
        self.reason = ""
        """Why it is over, as a sentence; empty while it is not."""
        self.outstanding = Outstanding()
        self._request, self._link, self._known, self._known_here = request, link, known, known_here
        self._sat_before = self._leaves = False
        self._arrives = False  # that we sit is told once it is known how we are called there
        self._presence = "here"
        self._unsaid: list[protocol.Request] = []
        self._events: list[Event] = []
        self._forgotten = False
        self._wishes: set[str] = set()
        """What we want and do not see yet."""
        self._doubtful = frozenset[str]()  # those that the last link may have taken with it

    @property
    def has_news(self) -> bool:
        """Whether there is something to take, or nothing will ever come."""
        return bool(self._events or self.reason)

    def events(self) -> list[Event]:
        """Take the events since the last call."""
        events, self._events = self._events, []
        return events

    def update(self, now: float) -> None:
        """Hear and say what can be heard and said now."""
        for event in self._link.update(now):
            self._hear(event, now)
        if len(self._events) > MAX_EVENTS:
            del self._events[:-MAX_EVENTS]
            if not self._forgotten:
                self._forgotten = True
                advise(
                    f"{MAX_EVENTS} events of a seat wait for seat.events(), and the oldest are dropped; call it once a frame"
                )

    def send(self, request: protocol.Request) -> None:
        """Ask for something, now or as soon as we sit or watch; what is too much to wait for that is refused."""
        if self.sat:
            self._say(request)
        elif len(self._unsaid) < MOST_UNSAID:
            self._unsaid.append(request)
        else:
            self._events.append(Refused(None, "too much waits to be said until the table is found"))

    def _say(self, request: protocol.Request) -> None:
        if isinstance(request, Wish) and request.what in LASTING:
            self._wishes.add(request.what)
        self._link.send(request)

    def leave(self) -> None:
        """Ask to be let go; again each time that we sit, until the server has heard it."""
        self._leaves = True
        if self.sat:
            self._link.send(Wish("leave"))

    def play(self, play: Play) -> None:
        """Make a play, now or as soon as we sit again. Raises as `Outstanding.put` does."""
        self.outstanding.put(play, self._known.last + 1)
        try:
            self._send_play()
        except ValueError:  # larger than a message may be
            self.outstanding.take()
            raise

    def end(self, text: str) -> None:
        """End it from here, at once. The first reason stays."""
        self._finish(text)
        self._link.close()

    def _finish(self, text: str) -> None:
        if not self.reason:
            self.reason = text
            self._events.append(Gone(text))

    def _send_play(self) -> None:
        if self.sat and (request := self.outstanding.request(self._link.rtt)) is not None:
            self.outstanding.sent = self._link.send(request)

    def _proves(self) -> bool:
        """Tell whether we show the server something that opens our seat to who has it."""
        return bool(self._request.ticket or self._request.key or self._known_here)

    def _hear(self, event: Joined | Received | Away | Back | Reason, now: float) -> None:
        if self.reason:
            return  # what was under way when it ended, and the link that is closing, are of no table
        match event:
            case Joined(_):
                doubt = self._link.where.doubt(self._link.where.at) if self._proves() else ""
                if doubt:
                    self.end(doubt)
                else:
                    self._link.send(self._request)
            case Received(_, message):
                self._receive(message, now)
            case Away(_, _):
                self._notice("away")
            case Back(_):
                self._notice("here")
            case Reason():
                self._lose(event, now)

    def _notice(self, state: str) -> None:
        """Tell of our own link; once, where a link that broke is given up later."""
        if state != self._presence:
            self._presence = state
            self._events.append(Presence(None, state, None))

    def _lose(self, reason: Reason, now: float) -> None:
        """The link is over: have our seat looked for, unless that is hopeless."""
        if self.sat and self._link.where.give_up_at is None:  # else it was told
            self._notice("away")
        hopeless = self._link.where.ended(reason, now, proving=self._proves())
        if hopeless:
            self.end(hopeless)
        else:
            self.sat = self.outstanding.sent = False

    def _receive(self, message: Any, now: float) -> None:
        try:
            self._take(protocol.read_reply(message), now)
        except Unfit as error:  # of the view: only a class of rules says what fits
            rules = f"{self._known.title} has other rules here than at the server: {error}"
            self._give_up(ReasonCode.WRONG_VERSION, f"{rules}; get the file that it serves")
        except (BadMessage, ValueError, KeyError, TypeError, IndexError) as error:
            self._give_up(ReasonCode.MALFORMED, f"the server sent what the protocol does not allow: {error}")

    def _give_up(self, code: ReasonCode, text: str) -> None:
        """End it for what the server says, which has not sent us away: the seat is still ours."""
        self.end(text)
        self._link.where.trouble = Reason(code, text)

    def _take(self, reply: protocol.Reply, now: float) -> None:
        match reply:
            case protocol.Sat():
                self._sit(reply)
            case protocol.Part(fields):
                self._known.add(fields)
            case protocol.Step():
                news = self._known.step(reply, now)
                if self._arrives:
                    self._arrives = False
                    self._events.append(Seated(self._known.seat, self._known.name or self._request.name))
                self._events += news
                self.outstanding.settle(self._known.last)
                self._wish_again()
            case protocol.Refusal(number, text):
                if number is None:
                    self._wishes.clear()  # one of them, perhaps; who is told no is not to ask for ever
                self._events.append(Refused(None if number is None else self.outstanding.take(number), text))
            case protocol.HasSaid(seat, name, text):
                self._events.append(Said(seat, name, text))
            case protocol.Gone(text):
                self._finish(text)
                self._link.close_nicely()
            case protocol.Tables() | protocol.Games() | protocol.Drawn():
                pass

    def _wish_again(self) -> None:
        """Say once more, to who has the table now, what the link took with it when it broke."""
        self._wishes = {wish for wish in self._wishes if not self._known.has_come(wish)}
        doubtful, self._doubtful = self._doubtful, frozenset[str]()
        for wish in doubtful & self._wishes:
            self._link.send(Wish(wish))

    def _sit(self, sat: protocol.Sat) -> None:
        again = self._sat_before and self._known.seat == sat.seat
        self._doubtful = frozenset(self._wishes)
        self.sat = self._sat_before = True
        self.ticket = sat.ticket or self.ticket
        self._known.sit(sat.seat, sat.last)
        self._link.where.found()
        request = self._request
        if self.ticket is not None:
            self._request = Join(request.game, ticket=self.ticket, name=request.name, legal=request.legal)
        else:
            self._request = replace(request, room=f"#{sat.table}", key=None)
        if again:
            self._notice("here")
        else:
            self._presence = "here"
            self._arrives = True
        self.outstanding.settle(sat.last)
        self.outstanding.sent = False
        try:
            self._send_play()
        except ValueError as error:
            self._events.append(Refused(self.outstanding.take(), str(error)))
        unsaid, self._unsaid = self._unsaid, []
        for waiting in unsaid:
            try:
                self._say(waiting)
            except ValueError as error:  # larger than a message may be
                self._events.append(Refused(None, str(error)))
        if self._leaves:
            self._link.send(Wish("leave"))
