"""A player's end of a table: sits down, keeps its seat through broken links and restarts, and tells all as events."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Self, TypeVar, cast

from netcode.address import Address, check_addresses, check_pair
from netcode.diagnostics.advice import ASKED, WAITED, Attendance
from netcode.reasons import Reason
from netcode.transport import dice_of
from netcode.turns.events import Event
from netcode.turns.language.plays import Play, answer
from netcode.turns.player.conversation import Conversation
from netcode.turns.player.known import Known
from netcode.turns.player.numbered import check_said
from netcode.turns.player.table_link import TableLink
from netcode.turns.player.whereabouts import Whereabouts
from netcode.turns.protocol import Consent, Join, Say, Wish
from netcode.turns.runtime.outcomes import result_of
from netcode.turns.table import Asked, Result

G = TypeVar("G")


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
        patience: float | None,
        clock: Callable[[], float],
        options: Mapping[str, Any],
        addresses: Iterable[Address | tuple[str, int] | str] = (),
    ) -> None:
        place = check_pair(address)
        tls = options.get("tls", False)
        certain = tls is True or bool(getattr(tls, "check_hostname", False))
        self._where = Whereabouts(
            place, check_addresses(addresses), patience, certain=certain, dice=dice_of(options.get("network"))
        )
        self._link = TableLink(self._where, clock, options)
        self._known = Known(game)
        self._talk = Conversation(request, self._link, self._known, known_here=options.get("credentials") is not None)
        self._clock = clock
        self._attendance = Attendance("table")

    def __repr__(self) -> str:
        return f"<{'Seat' if self.seat is None else f'Seat {self.seat}'} at {self._known.title}>"

    # What is known.

    @property
    def seated(self) -> bool:
        """Whether the server has said where we sit, or that we watch."""
        self._attendance.look(self._clock, self._link.has_work)
        return self._talk.sat

    @property
    def address(self) -> Address:
        """Where the server of our table is, or is looked for."""
        return self._where.at

    @property
    def connected(self) -> bool:
        """Whether there is a link to the server."""
        self._attendance.look(self._clock, self._link.has_work)
        return self._link.up

    @property
    def reason(self) -> str:
        """Why we are at no table any more, as a sentence; empty while we are."""
        return self._talk.reason

    @property
    def trouble(self) -> Reason | None:
        """Why the last link to the server broke, or why we left one that says what cannot be.

        None while there is a link, or where the server itself sent us away.

        While `reason` is empty our seat is looked for, for `patience` more seconds.
        """
        return self._where.trouble

    @property
    def patience(self) -> float:
        """Seconds for which our seat is still looked for if no server answers.

        Until a server has taken us in, they count only where `join` was given them; else a few attempts are all.
        """
        return self._where.patience(self._clock())

    @property
    def silence(self) -> float:
        """Seconds since anything was heard from the server; 0 while there is no link."""
        return self._link.silence

    @property
    def view(self) -> G:
        """The newest view of the game, read-only: fields that we do not see are masked.

        Raises:
            RuntimeError: the game has not begun.
        """
        if self._known.view is None:
            raise RuntimeError("there is no view before the game has begun: wait for Started, or look at `started`")
        return self._known.view

    @property
    def started(self) -> bool:
        """Whether there is a game, and so a view."""
        self._attendance.look(self._clock, self._link.has_work)
        return self._known.view is not None

    @property
    def seat(self) -> int | None:
        """Our seat; None for who watches, and before the server has said it."""
        return self._known.seat

    @property
    def ticket(self) -> str | None:
        """The key of our seat: with it a program that was started again sits down here. Keep it secret."""
        return self._talk.ticket

    @property
    def names(self) -> tuple[str, ...]:
        """Who sits, by seat."""
        return tuple(self._known.state.get("names", ()))

    @property
    def players(self) -> tuple[int, int]:
        """With how many the game may begin, and with how many it begins by itself."""
        low, high = self._known.state.get("players", (0, 0))
        return low, high

    @property
    def options(self) -> Mapping[str, Any]:
        """What the table is played with: what its founder chose, and of the rest what the game has.

        The `clock` is there if its founder chose one.
        """
        return dict(self._known.state.get("options", {}))

    @property
    def to_move(self) -> tuple[int, ...]:
        """The seats that are to move, or asked."""
        return tuple(self._known.state.get("to_move", ()))

    @property
    def my_turn(self) -> bool:
        """Whether we are to move, or asked."""
        return self.seat is not None and self.seat in self.to_move and not self.over

    @property
    def question(self) -> Asked | None:
        """What we are asked, or None."""
        asked = self._known.state.get("question")
        if asked is None:
            return None
        options = None if asked[2] is None else tuple(asked[2])
        return Asked(asked[0], asked[1], options, self._known.state.get("text") is True)

    @property
    def legal(self) -> tuple[Play, ...]:
        """What we may do, as the server lists it; nothing while a play is pending."""
        asked = self.question
        if self.pending is not None:
            return ()
        if asked is not None and asked.options is not None:
            return tuple(answer(asked.id, option) for option in asked.options)
        return tuple(Play(name, arguments) for name, arguments in self._known.state.get("legal", ()) if name)

    @property
    def unlisted(self) -> tuple[str, ...]:
        """Moves that are legal beside those in `legal`: too many to be listed, or free."""
        return tuple(self._known.state.get("unlisted", ()))

    @property
    def pending(self) -> Play | None:
        """The play that the server has not answered yet."""
        return self._talk.outstanding.play

    @property
    def number(self) -> int:
        """How many of our plays and answers in this game are in, as far as we have been told."""
        return self._known.last

    @property
    def clocks(self) -> tuple[float, ...] | None:
        """Seconds that each seat has left, as of now; None without clocks."""
        return self._known.clocks(self._clock())

    @property
    def presence(self) -> tuple[tuple[str, float | None], ...]:
        """For each seat: "here", "away" or "left", and in how many seconds absence has consequences.

        None for no consequences as things are: of who is out, and where the rules wait and ask nothing with a default.
        """
        return self._known.presence(self._clock())

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        return self._known.state.get("result") is not None

    @property
    def result(self) -> Result | None:
        """How it ended; None while it has not."""
        ended = self._known.state.get("result")
        return None if ended is None else result_of(ended)

    @property
    def frozen(self) -> str:
        """Why the table takes no plays at present, or we wait for our seat, as a sentence; empty where neither is so."""
        text: str = self._known.state.get("frozen", "")
        return text

    @property
    def secret(self) -> bytes | None:
        """After a game that reveals: the seed of everything drawn, with which a replay can be verified."""
        return self._known.state.get("secret")

    @property
    def can_undo(self) -> str:
        """How our last move could be taken back: "" for not at all, "free", or "consent" of the others."""
        text: str = self._known.state.get("undo", "")
        return text

    @property
    def undo_wanted_by(self) -> int | None:
        """The seat that would like to take its move back; answer with `consent`."""
        return self._known.state.get("undo_by")

    @property
    def rematch_wanted_by(self) -> tuple[int, ...]:
        """The seats that have asked for another game since the end of this one."""
        return tuple(self._known.state.get("rematch", ()))

    @property
    def spectators(self) -> int:
        """How many watch."""
        return int(self._known.state.get("spectators", 0))

    @property
    def rtt(self) -> float | None:
        """The round-trip time to the server in seconds; None until measured."""
        return self._link.rtt

    @property
    def jitter(self) -> float | None:
        """How much the round-trip time varies, in seconds; None until measured."""
        return self._link.jitter

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
        self._talk.play(play)

    def answer(self, option: Any) -> None:
        """Answer the question that we are asked. Raises `RuntimeError` if there is none, and as `play` does."""
        asked = self.question
        if asked is None:
            raise RuntimeError("nothing is asked of us at present")
        self.play(answer(asked.id, option))

    def undo(self) -> None:
        """Take our last move back, or ask the others whether we may. Raises `RuntimeError` if we have no seat."""
        self._wish(Wish("undo"))

    def consent(self, agreed: bool = True) -> None:
        """Agree to the undo that another seat wants, or not.

        Raises:
            TypeError: `agreed` is neither True nor False.
            RuntimeError: we have no seat.
        """
        if not isinstance(cast("Any", agreed), bool):
            raise TypeError(f"agreed must be True or False, not {agreed!r}")
        self._wish(Consent(agreed))

    def start(self) -> None:
        """Begin with those who sit, if they are enough. Raises `RuntimeError` if we have no seat."""
        self._wish(Wish("start"))

    def rematch(self) -> None:
        """Ask for another game after the end; it begins when all have asked who have not left, if they are enough.

        Who is away is waited for as long as `presence` says. Where somebody has left, our `seat` may be another one.
        Raises `RuntimeError` if we have no seat.
        """
        self._wish(Wish("rematch"))

    def say(self, text: str) -> None:
        """Say something to all at the table. Raises `ValueError` for what is no text, or too long for any server."""
        check_said(Say(text))
        self._talk.send(Say(text))

    def leave(self) -> None:
        """Leave for good: a game that runs is given up. `Gone` comes; keep calling `update()` until then."""
        self._talk.leave()

    def events(self) -> list[Event]:
        """Take the events since the last call, in order. Each comes once."""
        if self._attendance.calls & ASKED:
            self._attendance.again(self._clock, self._link.has_work)
        self._attendance.calls |= ASKED
        return self._talk.events()

    def update(self) -> None:
        """Do what can be done now. Never blocks. Call it once a frame."""
        self._attendance.calls = 0
        self._talk.update(self._clock())

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until `update()` has something to do, `timeout` seconds at most. False if the time passed first.

        Raises:
            TypeError, ValueError: `timeout` is no finite number. A negative one counts as 0.
        """
        if self._talk.has_news:
            return True
        if self._attendance.calls & WAITED:
            self._attendance.again(self._clock, self._link.has_work)
        self._attendance.calls |= WAITED
        return self._link.wait(timeout)

    def close(self) -> None:
        """Stop looking at the table. The seat is kept: `ticket` opens it again."""
        self._talk.end("closed by this program")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    # Inside.

    def _check_seat(self) -> None:
        if self.reason:
            raise RuntimeError(f"we are at no table any more: {self.reason}")
        if self.seat is None:
            raise RuntimeError("who watches does not play" if self.seated else "we have no seat yet: wait for Seated")

    def _wish(self, wish: Wish | Consent) -> None:
        self._check_seat()
        self._talk.send(wish)
