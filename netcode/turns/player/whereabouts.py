"""Where our table is, as far as one knows: which server is asked for it next, and when, and until when.

It decides, and opens nothing. `table_link` does what it says.
"""

from collections.abc import Iterable

from netcode.address import Address
from netcode.reasons import Reason, ReasonCode
from netcode.transport import Dice

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
FIRST_ATTEMPTS = 3
"""How often a server is tried again that has not taken us in yet, where nobody said for how long."""

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
_WORTH_WAITING = _AT_FIRST | {
    ReasonCode.RESET,
    ReasonCode.CLOSED_BY_PEER,
    ReasonCode.TIMEOUT,
    ReasonCode.CONNECT_TIMEOUT,
    ReasonCode.HANDSHAKE_TIMEOUT,
    ReasonCode.NETWORK,
    ReasonCode.NO_DESCRIPTORS,
    ReasonCode.SERVER_FULL,
    ReasonCode.TOO_MANY,
    ReasonCode.SHUTDOWN,
    ReasonCode.MOVED,
}
"""What may pass while who was told to be patient waits for a server that has yet to take them in."""


class Whereabouts:
    """Where one table is looked for. What happens to the link is told here, and where to go is read from it.

    Args:
        first: where to begin.
        others: other places where the same tables are served.
        patience: seconds for which the table is looked for, also where no server has taken us in yet; None for
            `PATIENCE`, and a few attempts at first.
        certain: whether every server proves to be who it says it is.
        dice: what it draws from whom to ask next, and when.
    """

    def __init__(
        self, first: Address, others: Iterable[Address], patience: float | None, *, certain: bool, dice: Dice
    ) -> None:
        self._dice = dice
        self.at = first
        """Where we are, or are about to go."""
        self.places = [*dict.fromkeys([first, *others])]
        self.trouble: Reason | None = None
        """Why the last link broke; None while there is one, or where the server itself sent us away."""
        self.ask_at: float | None = None
        """When `at` is asked; None while we are there, or have given up."""
        self.give_up_at: float | None = None
        """When the link that is broken has had its time to come back: our table may be alive elsewhere."""
        self._patience = PATIENCE if patience is None else patience
        self._patient, self._certain = patience is not None, certain
        self._trusted = {one.host.lower() for one in self.places}
        self._silent: Address | None = None
        """Where nobody answered last, which is asked again only if it is all there is."""
        self._met = False  # a server took us in once, so that an end of the link says nothing about the address
        self._lost_at: float | None = None
        self._attempts = self._hops = 0

    def patience(self, now: float) -> float:
        """Return the seconds for which the table is still looked for if no server answers."""
        return max(0.0, self._patience - (0.0 if self._lost_at is None else now - self._lost_at))

    def doubt(self, address: Address) -> str:
        """Return why what opens a seat must not be sent there, or nothing: who sent us on may not be who it seems."""
        if self._certain or address.host.lower() in self._trusted:
            return ""
        return f"the table is at {address}, which nobody named here: give it in addresses=, or use tls=True"

    def connected(self, address: Address) -> None:
        """Hear that a server has taken us in. Whether our table is there is not known yet."""
        self._met, self.trouble, self.at = True, None, address

    def broken(self, reason: Reason, now: float) -> None:
        """Hear that the link is broken, and may come back."""
        self.trouble = reason
        if len(self.places) > 1:
            self.give_up_at = now + RESUME_FOR

    def mended(self) -> None:
        """Hear that the broken link came back."""
        self.trouble = self.give_up_at = None

    def found(self) -> None:
        """Hear that our table is here."""
        self._lost_at, self._attempts, self._hops = None, 0, 0
        self.trouble = self._silent = None

    def ended(self, reason: Reason, now: float, *, proving: bool) -> str:
        """Hear that the link is over; return why there is nowhere to look any more, or nothing: then `ask_at` is set.

        Args:
            reason: why it is over.
            now: the time.
            proving: whether what is sent opens a seat.
        """
        self.give_up_at = None
        if reason.code is not ReasonCode.RESUME_LOST or self.trouble is None:
            self.trouble = reason  # that the seat of the link is gone is no news: that of the table is not
        if self._lost_at is None:
            self._lost_at = now
        until = self._lost_at + self._patience
        if reason.code in _FOR_GOOD or self._is_soon_told(reason.code) or now >= until:
            return why_not(reason, self.at)
        if reason.where is not None and self._hops < HOPS:
            if proving and (doubt := self.doubt(reason.where)):
                return doubt
            self._hops += 1
            self.at, self.ask_at = reason.where, now
        else:
            self._hops = 0
            self.ask_at = min(now + self._choose(reason.code, now - self._lost_at), until)  # the last time at its end
        return ""

    def _is_soon_told(self, code: ReasonCode) -> bool:
        """Tell whether that ends it for who has not been at the server before."""
        if self._met or (self._patient and code in _WORTH_WAITING):
            return False
        return code in _AT_FIRST or self._attempts >= FIRST_ATTEMPTS

    def _choose(self, code: ReasonCode, passed: float) -> float:
        """Choose who is asked next, `passed` seconds after the table was lost; return the seconds until then."""
        if code is not ReasonCode.MOVED:
            self._silent = self.at  # one that stands still would take as long again to say nothing
        longest: float = min(RETRY_CAP, RETRY * 2**self._attempts)
        self._attempts += 1
        if len(self.places) > 1 or code is ReasonCode.MOVED:
            others = [one for one in self.places if one not in (self.at, self._silent)]
            others = others or [one for one in self.places if one != self.at] or [*self.places]
            self._dice.shuffle(others)  # so that not all go to one
            self.at = others[0]
            longest = min(longest, max(SOON, passed / 4))
            longest *= self._dice.uniform(0.5, 1.0)  # so that not all come at once
        return longest


def why_not(reason: Reason, at: Address) -> str:
    """Return why there is no table, in words of a player, who chose no version and no name of a protocol."""
    match reason.code:
        case ReasonCode.WRONG_GAME:
            return f"the server at {at} is of another kind, with no tables to sit down at; is the address right?"
        case ReasonCode.WRONG_VERSION:
            return f"the server at {at} keeps its tables in another way; install the same netcode at both ends"
        case _:
            return reason.text
