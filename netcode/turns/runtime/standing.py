"""How one table stands, and everything that can be read of it: `table` has what changes it."""

import random
from collections.abc import Mapping
from hashlib import blake2b
from math import inf
from typing import Any

from netcode.turns.language.clocks import Clock, Clocks
from netcode.turns.language.fields import Packed
from netcode.turns.language.kit import Result
from netcode.turns.language.table_options import wire_options
from netcode.turns.runtime.absence import Absence
from netcode.turns.runtime.course import Course
from netcode.turns.runtime.legal import NONE, Budget, Listing
from netcode.turns.runtime.looking import draw, possible, seen
from netcode.turns.runtime.outcomes import Asked, Happening, Refused, Status
from netcode.turns.runtime.resuming import asked
from netcode.turns.runtime.storing import STATE_VERSION, stored_course
from netcode.turns.runtime.undoing import Undoing
from netcode.turns.values import join_maps, pack


class Standing:
    """One table as it is between two changes. Nothing here changes the game; what is worked out is kept until `forget`."""

    __slots__ = (
        "_lasting", "_listings", "_options", "_snapshot", "_views", "_whole", "absence", "clock", "clocks", "course", "damage", "dropped",
        "frozen", "game", "id", "numbers", "players", "restored", "started", "undoing",
    )  # fmt: skip

    def __init__(self, course: Course, clock: Clock | None) -> None:
        self.course = course
        """The rules as they run; for those who look into a table: `check`, other worlds."""
        self.clock, self.game, self.players = clock, course.rules, len(course.kit.players)
        self.id = blake2b(course.kit.secret, digest_size=8, person=b"netcode game").hexdigest()
        """Which game this is, to tell it from another one of the same players; it says nothing of the secret."""
        self.frozen = ""
        """Why this table takes no more moves; "" while it does."""
        self.damage = ""
        """What was found wrong with what was stored of it; "" where nothing was."""
        self.started = False
        self.restored: tuple[Happening, ...] = ()
        """What `restore` had to do under changed rules, to be told to all."""
        self.dropped: tuple[str, ...] = ()
        """What `restore` had to leave out under changed rules that may be there by another name: sentences for their author."""
        self.numbers = [0] * self.players
        """Of the last play or answer that was accepted from each seat."""
        self.clocks = None if clock is None else Clocks(clock, self.players)
        self.absence = Absence(self.players)
        self.undoing = Undoing()
        self._views: dict[int | None, Packed] = {}
        self._listings: dict[int, Listing] = {}
        self._whole: dict[int, Listing] = {}
        self._options: Mapping[str, Any] | None = None
        self._snapshot: bytes | None = None
        self._lasting: bytes | None = None
        """What of a snapshot stays as it is once the game has begun."""

    def is_open(self) -> bool:
        """Tell whether it takes moves: the game has begun, and is not over."""
        return self.started and self.course.kit.result is None and not self.frozen

    def closed(self) -> Refused | None:
        """Return why nobody can play any more, or yet; None while they can."""
        if self.is_open():
            return None
        if self.frozen:
            return Refused(f"this table is frozen: {self.frozen}")
        return Refused("the game is over" if self.started else "the game has not begun")

    def too_late(self, seat: int, now: float) -> Refused | None:
        """Return that the time of the seat is up, or None."""
        if self.clocks is not None and seat in self.clocks.fallen(now):
            return Refused("your time is up")
        return None

    def forget(self) -> None:
        """Make views, legal moves and the state anew when they are asked for: the course was changed."""
        self.course.rest()
        self._views, self._listings, self._whole, self._snapshot = {}, {}, {}, None

    @property
    def names(self) -> list[str]:
        """What the players are called, by seat."""
        return self.course.kit.names

    @property
    def options(self) -> Mapping[str, Any]:
        """What was chosen for this table, as plain wire data."""
        if self._options is None:
            self._options = wire_options(self.course.kit.options)
        return self._options

    @property
    def complaints(self) -> Mapping[str, str]:
        """What was wrong with the rules at this table, by place: `check` reads it, and the log was told."""
        return self.course.complaints

    @property
    def number(self) -> int:
        """Of the rule that ran last: a move, a round, or a timeout. What it drew depends on this and the secret."""
        return self.course.kit.number

    @property
    def result(self) -> Result | None:
        """How the game ended, once it has."""
        return self.course.kit.result

    @property
    def to_move(self) -> tuple[int, ...]:
        """The seats to move; those whose answer is waited for, while a rule asks."""
        return self.course.kit.to_move

    def last_number(self, seat: int) -> int:
        """Return the number of the last play or answer that was accepted from this seat; 0 before the first."""
        return self.numbers[seat]

    def view(self, viewer: int | None) -> Packed:
        """Return each field (and each `@shown` value) as the seat, or None for a spectator, sees it: msgpack bytes.

        The same object until something changes, and equal bytes for what did not; never write to it.
        """
        if self.course.definition.all_open:
            return self.course.packed
        view = self._views.get(viewer)
        if view is None:
            view = seen(self.course, viewer, running=self.started and not self.frozen)
            self._views[viewer] = view
        return view

    def status(self, now: float) -> Status:
        """Return what is public beside the fields."""
        kit, clocks, suspended = self.course.kit, self.clocks, self.course.suspension is not None
        return Status(
            self.started,
            kit.number,
            kit.to_move,
            kit.mover if suspended else None,
            kit.out,
            suspended,
            kit.result,
            None if clocks is None else clocks.left(now),
            () if clocks is None else clocks.running,
            kit.secret if kit.result is not None and self.game.reveal else None,
            self.frozen,
        )

    def question(self, seat: int) -> Asked | None:
        """Return what the seat is asked, or None."""
        return asked(self.course, seat)

    def may_act(self, seat: int) -> bool:
        """Tell whether the seat is to move or asked (also if it answered already and may change that)."""
        suspension = self.course.suspension
        return seat in (self.course.kit.to_move if suspension is None else suspension.question.options)

    def legal(self, seat: int, budget: Budget | None = None) -> Listing:
        """List what the seat may do now, within the budget of 20,000 candidates and 50 ms. Cached until a change."""
        listing = self._listings.get(seat)
        if listing is None:
            able = self.is_open() and self.may_act(seat)
            listing = self._listings[seat] = possible(self.course, seat, budget) if able else NONE
        return listing

    def legal_all(self, seat: int) -> Listing:
        """List what the seat may do now, however long that takes: the same however busy the machine is. Cached, too."""
        listing = self._whole.get(seat)
        if listing is None:
            able = self.is_open() and self.may_act(seat)
            listing = possible(self.course, seat, Budget(seconds=inf)) if able else NONE
            self._whole[seat] = listing
        return listing

    def draw(self, seat: int, name: str, dice: random.Random, *, thorough: bool = False) -> Mapping[str, Any] | None:
        """Draw arguments, as plain wire data, for a move that is not listed; for bots and `check`.

        Args:
            seat: who is to move or asked.
            name: of the move; "" for an answer, which comes as {"answer": option}.
            dice: what to draw from.
            thorough: whether all that could be drawn is gone through, where nothing that is drawn is legal.

        Returns:
            None if a domain has nothing to choose from, or the rules refuse whatever is drawn, or fail.
        """
        return draw(self.course, seat, name, dice, thorough=thorough)

    def absent(self, seat: int, now: float) -> bool:
        """Tell whether the seat has been left for longer than `grace`."""
        return self.absence.beyond(seat, now, self.game.grace)

    def stand_ins(self, now: float) -> tuple[int, ...]:
        """Return the seats to act for which a bot shall play now: absent beyond `grace` where `absent = "bot"`."""
        if self.game.absent != "bot" or not self.is_open():
            return ()
        return tuple(seat for seat in self.course.kit.to_move if self.absent(seat, now))

    def due(self) -> float | None:
        """Return when `advance` has something to do: a clock runs out, a grace ends. None for never."""
        return self.absence.due(self.course, self.clocks) if self.is_open() else None

    def clock_due(self) -> float | None:
        """Return when the first of the clocks that run is at zero; None where none runs."""
        return None if self.clocks is None or not self.is_open() else self.clocks.due()

    def can_undo(self, seat: int) -> str:
        """Tell how the seat could take its last move back: "" for not at all, "free", or "consent"."""
        last = self.undoing.last
        if last is None or last.seat != seat or self.course.suspension is not None:
            return ""
        if not self.is_open() or not self.game.undo:
            return ""
        return "free" if last.free else "consent"

    def undo_wanted_by(self) -> int | None:
        """Return the seat that waits for consent to take its move back."""
        return self.undoing.wanted

    def snapshot(self) -> bytes:
        """Return the state (msgpack, cached until the next change): what `restore` starts from."""
        if self._snapshot is None:
            lasting = self._lasting or pack(self._what_lasts())
            if self.started:
                self._lasting = lasting
            state = stored_course(self.course, self.undoing.last)
            state["started"], state["frozen"], state["numbers"] = self.started, self.frozen, self.numbers
            state["clocks"] = None if self.clocks is None else self.clocks.stored()
            self._snapshot = join_maps(lasting, pack(state))
        return self._snapshot

    def _what_lasts(self) -> dict[str, Any]:
        clock, kit = self.clock, self.course.kit
        return {
            "version": STATE_VERSION,
            "game": self.game.__name__,
            "rules": self.course.definition.fingerprint,
            "players": self.players,
            "options": self.options,
            "clock": None if clock is None else [clock.minutes, clock.increment, clock.per_move],
            "secret": kit.secret,
            "names": kit.names,
        }
