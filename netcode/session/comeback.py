"""When a client tries again, and when it gives up. Pure: it is told the time, and what failed."""

from dataclasses import replace

from netcode.reasons import HungUp, Reason, ReasonCode
from netcode.transport import Dice

BACKOFF = 0.5
"""Seconds within which the first attempt to come back is made."""
BACKOFF_FACTOR = 1.6
"""How much longer each further attempt may take to begin."""
BACKOFF_CAP = 30.0
"""Seconds within which an attempt begins, however many failed."""
PATIENT_CAP = 5.0
"""The same for a server that was not there yet, or hung up on us: who waits for it to start, or sits at its table, does
not want to wait for long after that."""
LASTED = 1.0
"""Seconds after which a link that breaks is no sign of more to come. One that is welcomed and hung up on at once, again
and again, and gets no message across, has the next attempt begin as late as if those before had failed."""
REFUSALS = 3
"""Connects refused in a row after which nobody will come back: a server that restarted has forgotten us anyway."""

GREETINGS = 3
"""Greetings until a client gives up that never hears the answer, because the link breaks each time before that."""
GREETING_REST = 1.0
"""Seconds before it greets again at least: the server must have heard that the link broke, or the client finds itself
in its own way."""

PAUSES = 3
"""Attempts that may fail because this program paused before it greeted: it is loading a level, say, or somebody types
its lines into a console. They are made again at once, but a program that never greets in time has to hear of it."""

BROKEN_LINK = frozenset(
    {
        ReasonCode.RESET,
        ReasonCode.CLOSED_BY_PEER,
        ReasonCode.TIMEOUT,
        ReasonCode.HANDSHAKE_TIMEOUT,  # of an attempt to come back, read by a server that was away for a while itself
        ReasonCode.NETWORK,
        ReasonCode.UNREACHABLE,
    }
)
"""Ends that nobody wanted: a link that ended so may be resumed."""

WORTH_ANOTHER_TRY = BROKEN_LINK | {
    ReasonCode.REFUSED,
    ReasonCode.CONNECT_TIMEOUT,
    ReasonCode.NAME_NOT_FOUND,
    ReasonCode.NO_DESCRIPTORS,
    ReasonCode.SERVER_FULL,
    ReasonCode.TOO_MANY,
    ReasonCode.MOVED,
}

_WORTH_ANOTHER_RETURN = (WORTH_ANOTHER_TRY | {ReasonCode.BROKEN_TLS}) - {ReasonCode.MOVED}
"""The same where there is a seat: who cannot agree on TLS is the network, or somebody between, and does not keep it."""

HURRIED = frozenset({ReasonCode.HANDSHAKE_TIMEOUT, ReasonCode.CLOSED_BY_PEER, ReasonCode.RESET, ReasonCode.BROKEN_TLS})
"""Ends of an attempt of somebody for whose greeting, or handshake of TLS, a server did not wait any longer."""

_BROKEN_GREETING = BROKEN_LINK - {ReasonCode.HANDSHAKE_TIMEOUT}
"""Ends of a link that were not to be expected of a server, who would have answered: not even that it is full."""

_NO_SEAT = frozenset({ReasonCode.SERVER_FULL, ReasonCode.TOO_MANY})
"""What a server answers that still has for a player who it was whose link broke under the greeting."""


class Comeback:
    """Counts what was tried.

    Args:
        now: when the first attempt begins.
        patience: seconds for which a server may be away at first.
        dice: what it draws from when to try again.
        ghost: seconds of silence after which a server gives away the seat of a player who may not know of it.
    """

    __slots__ = (
        "_began",
        "_broke_at",
        "_cap",
        "_carried",
        "_dice",
        "_ghost",
        "_patient_until",
        "_pauses",
        "_refusals",
        "_vain_links",
        "_welcomed_at",
        "attempts",
        "tries",
    )

    def __init__(self, now: float, patience: float, dice: Dice, ghost: float) -> None:
        self._dice = dice
        self._began = now
        self._patient_until = now + patience
        self.attempts = 0
        """Attempts that failed since it was welcomed last."""
        self.tries = 0
        """Connects so far."""
        self._refusals = 0
        self._pauses = 0
        self._vain_links = 0  # in a row
        self._carried = 0
        self._welcomed_at = now
        self._cap = BACKOFF_CAP
        self._ghost = ghost
        self._broke_at: float | None = None  # when a link last broke under a greeting

    def welcomed(self, now: float) -> None:
        """Hear that an attempt succeeded."""
        self.attempts = self._refusals = 0
        self._welcomed_at = now

    def broken(self, now: float, carried: int, grace: float) -> float:
        """Hear that the link broke over which it was welcomed: return when to try again.

        Args:
            now: the time.
            carried: messages that arrived so far, both ways.
            grace: seconds for which there is a seat.
        """
        useful = now - self._welcomed_at >= LASTED or carried > self._carried
        self._carried = carried
        self.attempts = 0 if useful else self._vain_links
        self._vain_links = 0 if useful else self._vain_links + 1
        self._cap = min(BACKOFF_CAP, grace / 2)  # however many failed, one is to be made while there is a seat
        again = self.next_try(now, cap=min(PATIENT_CAP, grace / 4))
        self.attempts = 1  # those that fail from now on are spaced as ever: a link that is down may be so for long
        return again

    def next_try(self, now: float, rest: float = 0.0, cap: float = BACKOFF_CAP) -> float:
        """Return when the next attempt is to begin."""
        # Full jitter: a thousand clients of a server that stumbled must not return in the same moment.
        longest = min(cap, BACKOFF * BACKOFF_FACTOR ** min(self.attempts, 50))  # no float holds that of thousands
        self.attempts += 1
        return now + rest + self._dice.uniform(0.0, longest)

    def excuses_pause(self) -> bool:
        """Hear that an attempt failed because of a pause of ours; tell whether that one does not count."""
        self._pauses += 1
        return self._pauses <= PAUSES

    def begin_again(self, reason: Reason, now: float, *, greeted: bool) -> float | Reason:
        """Hear that an attempt failed of one who was never welcomed: return when to try again, or why it gives up.

        A link that broke under the greeting may have left a player at the server who does not know of it, and for whom
        it says that it is full; so what was broken once is tried a few times, whatever the further answers are, and for
        the last time when that player has been silent for long enough to be one whom nobody misses.
        """
        broke = greeted and reason.code in _BROKEN_GREETING
        if broke:
            self._broke_at = now
        if now < self._patient_until:
            again = self.next_try(now, GREETING_REST if broke else 0.0, PATIENT_CAP)
            return min(again, self._patient_until)  # the last time when patience ends
        if self._broke_at is not None and self.attempts < GREETINGS - 1:
            again = self.next_try(now, GREETING_REST)
            last = reason.code in _NO_SEAT and self.attempts == GREETINGS - 1
            return max(again, self._broke_at + self._ghost + GREETING_REST) if last else again
        if self.tries > 1:
            tried = f"tried {self.tries} times in {round(now - self._began, 1):g} s"
            return replace(reason, text=f"{reason.text} ({tried})")
        return reason

    def come_again(self, reason: Reason, away_for: Reason, now: float, *, final: bool = True) -> float | Reason:
        """Hear that an attempt to come back failed: return when to try again, or why it gives up.

        Args:
            reason: why it failed.
            away_for: why the link broke.
            now: the time.
            final: whether an answer of the server is its last word.
        """
        self._refusals = self._refusals + 1 if reason.code is ReasonCode.REFUSED else 0
        if final and reason.code not in _WORTH_ANOTHER_RETURN:
            return reason
        return both(away_for, reason.text) if self._refusals >= REFUSALS else self.next_try(now, cap=self._cap)


def is_worth_another_try(reason: Reason) -> bool:
    """Tell whether what failed may work later for somebody who was never welcomed."""
    # A proxy whose server restarts hangs up. Without TLS that is CLOSED_BY_PEER; in its handshake it looks the same as
    # a server that does not speak it, but is no answer.
    return reason.code in WORTH_ANOTHER_TRY or isinstance(reason.error, HungUp)


def both(first: Reason, last: str) -> Reason:
    """Return why it was given up to come back: what broke the link, and what was heard last."""
    text = first.text if last == first.text else f"{first.text}; and then: {last}"
    return Reason(first.code, text, first.error)
