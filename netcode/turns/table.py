"""One game from its first move to its result: transactions, questions, views, legal moves, clocks, undo, absence.

Pure: no network, no disk; time is an argument, in seconds that never go back. Whoever serves a table

- makes it with `Table.create`, stores `snapshot()`, and calls `start`;
- hands it what came from a seat: `play`, `answer`, `undo`, `consent`, `presence`; each returns a `Step`, whose
  `entry` goes to the log before anybody is told, or a `Refused`, which goes to that seat alone;
- calls `advance(now)` when `due()` is reached;
- sends each viewer the fields of `view(viewer)` that differ from what it sent last, and `status()`;
- gets it back after a restart with `Table.restore(game, state, entries)`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EVERYBODY = None
"""Who is told: all who sit at the table and all who watch."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A move or an answer happened. `name` is None where others shall not learn it: while several are to move."""

    seat: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """A rule told something: to all if `to` is None, else to those seats alone. `facts` are plain wire data."""

    text: str
    facts: Mapping[str, Any]
    to: tuple[int, ...] | None = EVERYBODY


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A move was taken back: by undo, or because its rule no longer asks what it asked."""

    seat: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a game ended: who won (nobody: a draw), the scores if there are any, and why."""

    winners: tuple[int, ...]
    scores: tuple[float, ...] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Over:
    """The game is over."""

    result: Result


Happening = Moved | Told | TakenBack | Over


@dataclass(frozen=True, slots=True)
class Step:
    """Something was accepted. Store `entry` (msgpack) in the log, then tell `happenings` and the changed views.

    `entry` is b"" where nothing is to be stored: a resend (`again`), or a consent that others have yet to give.
    """

    entry: bytes
    happenings: tuple[Happening, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing changed, and why: for the seat that asked, and nobody else."""

    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the asked seat sees it. `options` is plain wire data; None where the answer is free."""

    id: str
    prompt: str
    options: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a seat may do, as plain wire data.

    `plays` are (name, arguments); while the seat is asked they are ("", {"answer": option}). `unlisted` names the moves
    that are not listed, because there are too many or their arguments are free: those are accepted all the same.
    """

    plays: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    unlisted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """What is public beside the fields, and changes with them. Clocks are seconds left per seat."""

    started: bool
    number: int
    to_move: tuple[int, ...]
    mover: int | None
    out: tuple[int, ...]
    asked: bool
    result: Result | None
    clocks: tuple[float, ...] | None
    running: tuple[int, ...]
    present: tuple[bool, ...]
    secret: bytes | None
    """After the end of a game that reveals: the seed, with which a replay can be verified."""
    frozen: str = ""
    """Why this table takes no more moves, if it does not."""


class Table:
    """One table. Every method that changes it either does so whole, or not at all."""

    game: type[Any]
    players: int
    names: list[str]
    """Write to it before `start`; the rules read it."""
    options: Mapping[str, Any]
    frozen: str
    started: bool
    number: int
    """Of the rule that ran last: a move, a round, or a timeout. What it drew depends on this and the secret."""

    @classmethod
    def create(
        cls,
        game: type[Any],
        players: int,
        options: Mapping[str, Any] | None = None,
        *,
        secret: bytes,
        names: Sequence[str] = (),
    ) -> "Table":
        """Make a table that has not begun.

        Args:
            players: how many seats, within `game.seats`.
            options: plain wire data, as strangers send it.
            secret: 32 bytes from `secrets.token_bytes`, the seed of everything that is drawn.
            names: one for each seat; may be written to `names` until `start`.

        Raises:
            ValueError: for a number of players or an option that the game does not have; the text may be shown.
        """
        raise NotImplementedError

    @classmethod
    def restore(cls, game: type[Any], state: bytes, entries: Sequence[bytes] = (), *, now: float = 0.0) -> "Table":
        """Make the table that `state` and the entries after it describe; clocks run on from `now`.

        Under changed rules it goes on from the state if that fits, else by `upgrade`, else it is `frozen`. It never
        raises for what is in `state`; everything present is absent until told otherwise.
        """
        raise NotImplementedError

    def snapshot(self) -> bytes:
        """Return the state (msgpack, cached until the next change): what `restore` starts from."""
        raise NotImplementedError

    def start(self, now: float) -> Step | Refused:
        """Set the game up and begin. Raises `RulesError` for rules that cannot begin: the game's author is told."""
        raise NotImplementedError

    def play(
        self, seat: int, name: str, arguments: Mapping[str, Any], number: int, *, now: float, lag: float = 0.0
    ) -> Step | Refused:
        """Play a move.

        Args:
            arguments: plain wire data by name, as a stranger sent it.
            number: the seat counts its plays and answers together from 1; one that was accepted already is `again`.
            lag: seconds to give back to the seat's clock: min(what it claims, the measured round trip). A quota holds.
        """
        raise NotImplementedError

    def answer(
        self, seat: int, question: str, option: Any, number: int, *, now: float, lag: float = 0.0
    ) -> Step | Refused:
        """Answer the question of this id with one of its options, as plain wire data."""
        raise NotImplementedError

    def last_number(self, seat: int) -> int:
        """Return the number of the last play or answer that was accepted from this seat; 0 before the first."""
        raise NotImplementedError

    def view(self, viewer: int | None) -> Mapping[str, bytes]:
        """Return each field (and each `@shown` value) as the seat, or None for a spectator, sees it: msgpack bytes.

        The same object until something changes, and equal bytes for what did not; never write to it.
        """
        raise NotImplementedError

    def status(self, now: float) -> Status:
        """Return what is public beside the fields."""
        raise NotImplementedError

    def question(self, seat: int) -> Asked | None:
        """Return what the seat is asked, or None."""
        raise NotImplementedError

    def legal(self, seat: int) -> Listing:
        """List what the seat may do now, within the budget of 20,000 candidates and 50 ms. Cached until a change."""
        raise NotImplementedError

    def may_act(self, seat: int) -> bool:
        """Tell whether the seat is to move or asked (also if it answered already and may change that)."""
        raise NotImplementedError

    def presence(self, seat: int, present: bool, now: float) -> tuple[Step, ...]:
        """Say that somebody sits at the seat, or left it; absence has consequences when `grace` is over."""
        raise NotImplementedError

    def stand_ins(self, now: float) -> tuple[int, ...]:
        """Return the seats to act for which a bot shall play now: absent beyond `grace` where `absent = "bot"`."""
        raise NotImplementedError

    def due(self) -> float | None:
        """Return when `advance` has something to do: a clock runs out, a grace ends. None for never."""
        raise NotImplementedError

    def advance(self, now: float) -> tuple[Step, ...]:
        """Do what time demands: timeouts, defaults for the absent, forfeits. One step and log entry for each."""
        raise NotImplementedError

    def forfeit(self, seat: int, now: float) -> Step | Refused:
        """End the game for a seat that leaves for good: the others have won."""
        raise NotImplementedError

    def can_undo(self, seat: int) -> str:
        """Tell how the seat could take its last move back: "" for not at all, "free", or "consent"."""
        raise NotImplementedError

    def undo(self, seat: int, now: float) -> Step | Refused:
        """Take the last move back, or ask the others whether one may (a step without an entry)."""
        raise NotImplementedError

    def undo_wanted_by(self) -> int | None:
        """Return the seat that waits for consent to take its move back."""
        raise NotImplementedError

    def consent(self, seat: int, agreed: bool, now: float) -> Step | Refused:
        """Agree to the undo that another seat wants, or not. The last consent takes the move back."""
        raise NotImplementedError
