"""How far away the other end is: round-trip time and jitter."""

MAX_OUTSTANDING = 16
"""Pings without an answer that are remembered; the answer to an older one is ignored."""


class Meter:
    """Estimates the round-trip time from pings, as TCP does (RFC 6298, section 2: SRTT and RTTVAR).

    Only the first answer to a ping that was really sent counts, so whatever a hostile peer answers, the
    estimate is a time that passed here: never negative, never NaN.
    """

    __slots__ = ("_earlier", "_sent_at", "jitter", "pings", "rtt")

    def __init__(self) -> None:
        self.rtt: float | None = None
        """Smoothed round-trip time in seconds; None until measured."""
        self.jitter: float | None = None
        """Smoothed deviation of the round-trip time in seconds; None until measured."""
        self.pings = 0
        """Pings that have left: the number of the last."""
        self._sent_at: float | None = None  # when it left, until it is answered
        self._earlier: list[tuple[int, float]] | None = None  # unanswered ones before it, of which there are few

    def ping(self, now: float) -> int:
        """Note that a ping leaves at `now`, and return its number."""
        if self._sent_at is not None:
            self._earlier = [*(self._earlier or ())[2 - MAX_OUTSTANDING :], (self.pings, self._sent_at)]
        self.pings += 1
        self._sent_at = now
        return self.pings

    def pong(self, number: int, now: float) -> None:
        """Note that the answer to ping `number` came at `now`; answers to nothing are ignored."""
        sent = self._sent_at
        if number == self.pings and sent is not None:
            self._sent_at = self._earlier = None
            self._sample(now - sent)
            return
        for i, (known, sent) in enumerate(self._earlier or ()):
            if known == number:
                self._earlier = (self._earlier or [])[i + 1 :]
                self._sample(now - sent)
                return

    def _sample(self, sample: float) -> None:
        rtt, jitter = self.rtt, self.jitter
        if rtt is None or jitter is None:
            self.rtt, self.jitter = sample, sample / 2
        else:
            self.jitter = jitter + (abs(rtt - sample) - jitter) / 4
            self.rtt = rtt + (sample - rtt) / 8
