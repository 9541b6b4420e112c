"""How far away the other end is: round-trip time and jitter."""

MAX_OUTSTANDING = 16
"""Pings without an answer that are remembered; the answer to an older one is ignored."""


class Meter:
    """Estimates the round-trip time from pings, as TCP does (RFC 6298, section 2: SRTT and RTTVAR).

    Only the first answer to a ping that was really sent counts, so whatever a hostile peer answers, the
    estimate is a time that passed here: never negative, never NaN.
    """

    __slots__ = ("_number", "_outstanding", "jitter", "rtt")

    def __init__(self) -> None:
        self.rtt: float | None = None
        """Smoothed round-trip time in seconds; None until measured."""
        self.jitter: float | None = None
        """Smoothed deviation of the round-trip time in seconds; None until measured."""
        self._number = 0
        self._outstanding: list[tuple[int, float]] = []

    def ping(self, now: float) -> int:
        """Note that a ping leaves at `now`, and return its number."""
        self._number += 1
        if len(self._outstanding) == MAX_OUTSTANDING:
            del self._outstanding[0]
        self._outstanding.append((self._number, now))
        return self._number

    def pong(self, number: int, now: float) -> None:
        """Note that the answer to ping `number` came at `now`; answers to nothing are ignored."""
        for i, (known, sent) in enumerate(self._outstanding):
            if known == number:
                del self._outstanding[: i + 1]
                self._sample(now - sent)
                return

    def _sample(self, sample: float) -> None:
        if self.rtt is None or self.jitter is None:
            self.rtt, self.jitter = sample, sample / 2
        else:
            self.jitter += (abs(self.rtt - sample) - self.jitter) / 4
            self.rtt += (sample - self.rtt) / 8
