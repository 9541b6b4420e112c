"""What is asked for at a table: plays, answers, undo, talk, a beginning, a rematch, to leave."""

import random
import secrets
from collections.abc import Sequence

from netcode.diagnostics import log
from netcode.turns import protocol
from netcode.turns.errors import BUGS, sayable
from netcode.turns.protocol import Consent, Draw, GiveAnswer, MakePlay, Say, Wish
from netcode.turns.serving.crowd import Crowd
from netcode.turns.serving.games import why_not_begun
from netcode.turns.serving.keeper import Found, Keeper
from netcode.turns.serving.neighbours import Elsewhere
from netcode.turns.serving.outage import Outage
from netcode.turns.serving.outlook import listed
from netcode.turns.serving.presence import Presences
from netcode.turns.serving.room import Room, Seat, Viewer
from netcode.turns.serving.steps import Steps
from netcode.turns.serving.telling import Telling
from netcode.turns.table import Refused, Table


class Playing:
    """Does what somebody at a table asks for, or says why not.

    Args:
        keeper, crowd, telling, steps, presence, outage: the parts of the server that it needs.
        chat_length: characters of one text.
    """

    def __init__(  # noqa: PLR0917 - the parts of the server that it needs
        self,
        keeper: Keeper,
        crowd: Crowd,
        telling: Telling,
        steps: Steps,
        presence: Presences,
        outage: Outage,
        *,
        chat_length: int,
    ) -> None:
        self._keeper, self._crowd, self._telling, self._steps = keeper, crowd, telling, steps
        self._presence, self._outage = presence, outage
        self._chat_length = chat_length
        self._random = random.Random()  # noqa: S311 - a proposal, not a key

    def take(self, viewer: Viewer, request: protocol.Request, room: Found) -> None:
        """Do what somebody asks for at the table where they were when they asked, or tell them why not."""
        if self._crowd.viewers.get(viewer.peer) is not viewer:
            return
        if not isinstance(room, Room):
            self._send_on(viewer, room)
            return
        if room.id in self._keeper.leaving:
            if request.number is None:  # a play is sent again to the next owner
                text = "the table is on its way to another process; ask again"
                viewer.peer.send(protocol.Refusal(None, text).wire())
            return
        if self._keeper.writer.trouble and _needs_the_store(room, viewer, request):
            self._outage.refuse(viewer.peer, request.number)
            return
        refused = self._answer(room, viewer, request, self._keeper.clock())
        if refused:
            self._telling.post(room, viewer.peer, protocol.Refusal(request.number, sayable(refused)))

    def _send_on(self, viewer: Viewer, room: Elsewhere | str | None) -> None:
        """Tell somebody that their table is not here any more, or where it is."""
        self._keeper.forget_sleeper(viewer)
        if isinstance(room, Elsewhere):
            self._crowd.send_on(viewer, room.address)
        else:
            self._crowd.dismiss(viewer, room or "this table is not kept any more")

    def _answer(self, room: Room, viewer: Viewer, request: protocol.Request, now: float) -> str:
        """Do what somebody at a table asks for; return why it is refused, or nothing."""
        match request:
            case MakePlay() | GiveAnswer() if viewer.seat is not None:
                return self._play(room, viewer, viewer.seat, request, now)
            case Say(text):
                return self._say(room, viewer, text)
            case Wish("leave"):
                return self._leave(room, viewer, now)
            case _ if viewer.seat is None:
                return "who watches does not play"
            case Draw(name):
                return self._draw(room, viewer, viewer.seat, name)
            case Wish("start"):
                return self._start(room, now)
            case Wish("rematch"):
                return self._rematch(room, viewer.seat, now)
            case _:
                return self._play(room, viewer, viewer.seat, request, now)

    def _play(self, room: Room, viewer: Viewer, seat: int, request: protocol.Request, now: float) -> str:
        """Hand a play, an answer or an undo to the table; return why it is refused, or nothing."""
        table = room.table
        if table is None:
            return "the game has not begun"
        number = request.number
        if number is not None and number <= table.last_number(seat):
            viewer.own.pop("last", None)  # a resend: it is told once more that it is in
            self._telling.publish(room, (), now, only=viewer)
            return ""
        if room.frozen or table.frozen:
            return room.frozen or table.frozen
        rtt = viewer.peer.rtt or 0.0
        match request:
            case MakePlay(count, name, arguments, lag):
                outcome = table.play(seat, name, arguments, count, now=now, lag=min(lag, rtt))
            case GiveAnswer(count, question, option, lag):
                outcome = table.answer(seat, question, option, count, now=now, lag=min(lag, rtt))
            case Consent(agreed):
                return self._consent(room, table, seat, agreed, now)
            case _:
                outcome = table.undo(seat, now)
        if isinstance(outcome, Refused):
            return outcome.text
        self._keeper.writer.batch.moves += number is not None
        self._steps.take(room, [outcome], now)
        return ""

    def _consent(self, room: Room, table: Table, seat: int, agreed: bool, now: float) -> str:
        """Take what a seat says to another one's undo, and tell all of a no; return why it is refused, or nothing."""
        wanted = table.undo_wanted_by()
        outcome = table.consent(seat, agreed, now)
        steps, refused = ((), outcome.text) if isinstance(outcome, Refused) else ((outcome,), "")
        declined = wanted not in (None, seat, table.undo_wanted_by()) and not any(step.entry for step in steps)
        text = refused or f"{table.names[seat]} does not agree to take the move back"
        self._steps.take(room, steps, now, events=[["not taken back", wanted, text]] if declined else None)
        return refused

    def _say(self, room: Room, viewer: Viewer, text: str) -> str:
        if len(text) > self._chat_length:
            return f"that is too long: chat_length is {self._chat_length} characters"
        said = protocol.HasSaid(viewer.seat, viewer.name, protocol.clean(text, self._chat_length))
        for other in room.viewers:
            self._telling.post(room, other.peer, said)
        return ""

    def _draw(self, room: Room, viewer: Viewer, seat: int, name: str) -> str:
        """Tell a seat a play that could be made and is not listed; return why there is none, or nothing."""
        table = room.table
        if table is None:
            return "the game has not begun"
        if name not in listed(table, seat)[1]:
            return "nothing is to be drawn for that"
        drawn = table.draw(seat, name, self._random)
        if drawn is None:
            return "nothing was found that is legal; choose yourself"
        self._telling.post(room, viewer.peer, protocol.Drawn(name, drawn))
        return ""

    def _start(self, room: Room, now: float) -> str:
        if room.table is not None:
            return "the game has begun already"
        if len(room.seats) < room.least:
            return f"{room.game.__name__} needs {room.least} players, and {len(room.seats)} sit here"
        return self.begin(room, now)

    def _rematch(self, room: Room, seat: int, now: float) -> str:
        if not room.over:
            return "a rematch is for after the game"
        gone = [taken.name for taken in room.seats if taken.left]
        if gone and len(room.staying) < room.game.seats[0]:
            return f"{gone[0]} has left; join another table"
        self._keeper.log(room, room.want_rematch(seat))
        refused = self._begin_rematch(room, now)
        if room.over:  # still: others are missing, or the rules did not begin, and whoever asks next tries it again
            self._steps.take(room, (), now)
        return refused

    def begin_again(self, room: Room, now: float) -> None:
        """Begin another game at a table at which nobody is waited for any more; tell all why, if that cannot be."""
        refused = "" if room.id in self._keeper.leaving else self._begin_rematch(room, now)
        if refused:
            for viewer in room.viewers:
                if viewer.seat is not None:
                    self._telling.post(room, viewer.peer, protocol.Refusal(None, sayable(refused)))

    def _begin_rematch(self, room: Room, now: float) -> str:
        """Begin another game if all have asked for it who are waited for; return why that is not possible, or nothing."""
        due = room.rematch_due()
        if due is not None and due <= now and not self._keeper.writer.trouble:
            for seat in room.missing:  # for longer than the game waits for anybody
                self._keeper.log(room, room.depart(seat))
                viewer = room.viewer_of(seat)
                if viewer is not None:  # whose link may still come back
                    self._crowd.dismiss(viewer, "you were away, and the others go on without you; join to look on")
                self._telling.publish(room, (), now, events=[["presence", seat, *room.presence(seat, now)]])
        return self.begin(room, now) if room.agreed and not self._keeper.writer.trouble else ""

    def begin_full(self, room: Room, now: float) -> None:
        """Begin the game of a table at which every seat is taken; later, while nothing can be stored."""
        if room.table is not None or len(room.seats) < room.most or room.frozen or room.id in self._keeper.leaving:
            return
        if self._keeper.writer.trouble:
            self._steps.look_again(room, now)
            return
        refused = self.begin(room, now)
        if refused:
            self.freeze(room, refused, now)

    def begin(self, room: Room, now: float) -> str:
        """Begin a game with those who sit, and have not gone for good; return why that is not possible, or nothing."""
        before, sat, missed = room.table, [*room.seats], room.missed
        entries = room.close_up()
        try:
            entries.append(room.begin(secrets.token_bytes(32)))
        except ValueError as error:  # so many sit there by other rules than those that there are now
            room.seats, room.missed = sat, missed
            return str(error)
        assert room.table is not None
        try:
            step = room.table.start(now)
        except BUGS as error:  # whatever the rules raise: the server and all other tables go on
            step = Refused(why_not_begun(room.game, error))
        if isinstance(step, Refused):
            room.table, room.seats, room.missed = before, sat, missed
            return step.text
        room.rematch.clear()
        room.frozen = ""  # what was in the way of the last game, such as its size, is not of this one
        self._keeper.lobby.forget_keys([seat.key for seat in sat if seat.left])
        for entry in entries:
            self._keeper.log(room, entry)
        self._move_up(room, sat)
        for seat, taken in enumerate(room.seats):
            room.table.note_presence(seat, taken.away_since is None, now)
        steps = [step, *room.table.advance(now)]
        for viewer in room.viewers:
            viewer.own.pop("last", None)
        self._steps.take(room, steps, now, events=[["started"]])
        return ""

    def _move_up(self, room: Room, sat: Sequence[Seat]) -> None:
        """Tell those whose seat has another number than among those who `sat` there before."""
        numbers = {id(seat): number for number, seat in enumerate(room.seats)}
        for viewer in room.viewers:
            if viewer.seat is not None and (number := numbers.get(id(sat[viewer.seat]))) not in (None, viewer.seat):
                viewer.seat = number
                viewer.fields, viewer.public, viewer.own = {}, {}, {}
                sat_at = protocol.Sat(room.id, room.game.__name__, number, None, 0, room.code)
                self._telling.post(room, viewer.peer, sat_at)

    def _leave(self, room: Room, viewer: Viewer, now: float) -> str:
        """Let somebody go for good; return why not, or nothing."""
        seat, table = viewer.seat, room.table
        if seat is not None and table is None:
            self._free(room, seat)
        elif seat is not None and table is not None:
            gives_up = not room.over and not table.frozen and seat not in table.status(now).out
            given_up = table.forfeit(seat, now) if gives_up else None
            if isinstance(given_up, Refused):
                return given_up.text
            entry = room.depart(seat)
            if not table.frozen:  # of what is frozen nothing is decided for good: other rules may play it on
                self._keeper.log(room, entry)
            self._steps.take(room, [] if given_up is None else [given_up], now)
            self._presence.set(room, seat, False, now)
        viewer.seat = None
        self._crowd.dismiss(viewer, "you left the table")
        self._telling.publish_later(room)
        if seat is not None:  # it may be the last for whom the others waited, or one more than the game is for
            self.begin_again(room, now)
            self.begin_full(room, now)
        return ""

    def _free(self, room: Room, seat: int) -> None:
        """Let somebody else have a seat at a table whose game has not begun."""
        sat = [*room.seats]
        self._keeper.lobby.forget_keys([sat[seat].key])
        self._keeper.log(room, room.leave(seat))
        self._keeper.settle(room)
        room.frozen = ""
        self._move_up(room, sat)

    def vacated(self, viewer: Viewer) -> bool:
        """Free the seat of somebody who went before they knew of it, and cannot come back to it; tell whether that was so.

        While nothing can be stored people try again and again: else the others would wait for all of these.
        """
        room = self._keeper.rooms.get(viewer.table)
        if room is None or not viewer.unheard or viewer.seat is None or room.table is not None:
            return False
        if room.id in self._keeper.leaving:  # it may be another process's by now
            return False
        room.viewers.remove(viewer)
        self._free(room, viewer.seat)
        self._telling.publish(room, (), self._keeper.clock())
        return True

    def freeze(self, room: Room, text: str, now: float) -> None:
        """Take no plays at a table any more, and say why."""
        room.frozen = sayable(text)
        log.warn(f"frozen {room.id}", "table %s is frozen: %s", room.id, room.frozen)
        self._telling.publish(room, (), now)


def _needs_the_store(room: Room, viewer: Viewer, request: protocol.Request) -> bool:
    """Tell whether what somebody asks for counts only once it is stored, and has to be asked for again.

    What is wanted until it is there, another game after this one, is kept until then.
    """
    match request:
        case _ if viewer.seat is None:
            return False
        case MakePlay(number) | GiveAnswer(number):
            return room.table is None or number > room.table.last_number(viewer.seat)
        case Wish("leave"):
            return not room.over
        case Wish("rematch") | Say() | Draw():
            return False
        case _:
            return True
