"""`python -m netcode ping HOST`: ask a server again and again what it plays, and how long that takes.

It takes no seat and needs no credentials: nobody in the game notices. Each question has a connection of its own.
"""

import argparse
import statistics
from collections.abc import Callable
from ssl import SSLContext
from typing import NamedTuple

from netcode.address import Address
from netcode.loop.clock import Clock, monotonic, sleep_of
from netcode.reasons import Reason, ReasonCode
from netcode.tools.output import Output, milliseconds
from netcode.tools.probe import Answer, ask
from netcode.tools.where import add_server, positive, tls_of, unchecked, whole

DESCRIPTION = "Ask a server what it plays, how full it is, and how long its answer takes; it is not joined."
EPILOG = """\
«answered» is the time from the question to the answer, as a player's message would take it: one round trip, and the
wait for the server's next update. «connected» is the network alone. Ctrl-C ends it with a summary.
"""

FINAL = {ReasonCode.NAME_NOT_FOUND, ReasonCode.NOT_NETCODE, ReasonCode.WRONG_PROTOCOL, ReasonCode.BROKEN_TLS}
"""Reasons that asking again does not change."""

PERHAPS_TLS = {ReasonCode.NOT_NETCODE, ReasonCode.CLOSED_BY_PEER, ReasonCode.RESET}
"""What a server that wants TLS does to somebody who speaks without."""

LOOK = 0.1
"""Seconds between two looks at whether anybody still reads."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `ping`."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_server(parser)
    add = parser.add_argument
    add("--game", help="complain if the server plays another game")
    add("--version", help="complain if it has another version of it")
    add("--count", type=whole, metavar="N", help="end after so many questions; otherwise Ctrl-C does")
    add("--interval", type=positive, default=1.0, metavar="SECONDS", help="from one question to the next: %(default)s")
    add("--timeout", type=positive, default=3.0, metavar="SECONDS", help="wait so long for an answer: %(default)s")
    add("--json", action="store_true", help="print one JSON object a line, for scripts")


class Tally(NamedTuple):
    """What came of all questions so far."""

    asked: int
    trips: list[float]
    """Seconds that the answers took, of the game that was asked for."""
    others: int
    """How many answers came from another game: nothing is lost, and nobody there can be played with."""

    @property
    def jitter(self) -> float | None:
        """The mean difference between an answer's time and that of the one before it, in seconds."""
        pairs = zip(self.trips, self.trips[1:], strict=False)
        return statistics.fmean([abs(later - earlier) for earlier, later in pairs]) if len(self.trips) > 1 else None

    @property
    def lost(self) -> float:
        """How many percent of the questions have no answer."""
        return 100 * (1 - (len(self.trips) + self.others) / self.asked) if self.asked else 0.0


class Session:
    """Asks, tells, and counts.

    Args:
        arguments: as `add_arguments` declares them.
        output: where lines go.
        question: asks once, for tests.
        clock: gives seconds that never go back.
    """

    def __init__(
        self,
        arguments: argparse.Namespace,
        output: Output,
        question: Callable[[Address, SSLContext | bool, float], Answer | Reason] = ask,
        clock: Clock = monotonic,
    ) -> None:
        self._arguments = arguments
        self._output = output
        self._question = question
        self._clock = clock
        self._sleep = sleep_of(clock)
        self._shown: tuple[str | None, ...] | None = None
        self.tally = Tally(0, [], 0)

    def run(self) -> None:
        """Ask until the count is reached, asking again makes no sense, or nobody reads any more."""
        arguments, due = self._arguments, self._clock()
        while arguments.count is None or self.tally.asked < arguments.count:
            if not self._pause(due):
                return
            due = max(due + arguments.interval, self._clock())
            self.tally = self.tally._replace(asked=self.tally.asked + 1)
            result = self._ask(tls_of(arguments))
            if isinstance(result, Answer):
                self._introduce(result)
                if self._is_wanted(result):
                    self.tally.trips.append(result.answered)
                    self._tell(result)
                else:
                    self.tally = self.tally._replace(others=self.tally.others + 1)
                    self._tell_of_another(result)
            elif not self._complain(result):
                return

    def summarize(self) -> None:
        """Tell what came of it."""
        asked, trips, jitter, lost = self.tally.asked, self.tally.trips, self.tally.jitter, self.tally.lost
        another = self.tally.others
        text = f"{self._arguments.server}: {asked} asked, {len(trips)} answered"
        text += f"{f', {another} answered by another game' if another else ''}, {lost:.3g} % lost"
        facts: dict[str, float | int | None] = {"asked": asked, "answered": len(trips), "lost_percent": lost}
        if another:
            facts["another_game"] = another
        if trips:
            low, mean, high = min(trips), statistics.fmean(trips), max(trips)
            spread = "/".join(f"{trip * 1000:.3g}" for trip in (low, mean, high))
            text += f"; answered within {spread} ms (least/mean/most), jitter {milliseconds(jitter)}"
            facts |= {"least": low, "mean": mean, "most": high, "jitter": jitter}
        self._output.line(text, event="summary", **facts)

    def _pause(self, due: float) -> bool:
        """Wait until it is time for the next question; return False if nobody reads any more."""
        while (left := due - self._clock()) > 0 and not self._output.is_closed():
            self._sleep(min(left, LOOK))
        return not self._output.is_closed()

    def _ask(self, tls: SSLContext | bool) -> Answer | Reason:
        return self._question(self._arguments.server, tls, self._arguments.timeout)

    def _tell(self, answer: Answer) -> None:
        """Tell of an answer."""
        number, jitter = self.tally.asked, self.tally.jitter
        text = f"{number}: answered in {milliseconds(answer.answered)}, connected in {milliseconds(answer.connected)}"
        if jitter is not None:
            text += f", jitter {milliseconds(jitter)}"
        facts = {**answer._asdict(), "address": str(answer.address)}
        self._output.line(text, event="answer", number=number, jitter=jitter, **facts)

    def _is_wanted(self, answer: Answer) -> bool:
        """Tell whether it is the game that was asked for, as far as the server says what it runs."""
        wanted = (self._arguments.game, self._arguments.version)
        return answer.game is None or all(
            want in (None, has) for want, has in zip(wanted, (answer.game, answer.version), strict=True)
        )

    def _tell_of_another(self, answer: Answer) -> None:
        wanted = " ".join(want for want in (self._arguments.game, self._arguments.version) if want)
        self._output.line(
            f"{self.tally.asked}: it is not the one that was asked for: {wanted}",
            event="wrong game",
            number=self.tally.asked,
            game=answer.game,
            version=answer.version,
        )

    def _introduce(self, answer: Answer) -> None:
        """Say what the server is, where that is news."""
        shown = (answer.game, answer.version, str(answer.players), str(answer.address))
        if shown == self._shown:
            return
        self._shown = shown
        if answer.game is None:
            self._output.line(f"{answer.address}: {answer.text}")
            return
        title = f"{answer.game or 'a game without a name'} {answer.version or ''}".rstrip()
        room = "" if answer.players is None else f", {answer.players} of {answer.max_players} players"
        self._output.line(f"{answer.address}: {title}{room}")

    def _complain(self, reason: Reason) -> bool:
        """Tell why there is no answer; return whether asking again makes sense."""
        text, final = reason.text, reason.code in FINAL
        if reason.code in PERHAPS_TLS and not tls_of(self._arguments) and self._speaks_tls():
            text, final = "the server speaks TLS: add --tls, or --insecure if its certificate is its own", True
        self._output.line(f"{self.tally.asked}: {text}", event="no answer", code=reason.code.name, text=text)
        return not final

    def _speaks_tls(self) -> bool:
        return isinstance(self._ask(unchecked()), Answer)


def run(arguments: argparse.Namespace) -> int:
    """Ask until Ctrl-C or the count; return 0 if somebody answered as wanted, else 1."""
    session = Session(arguments, Output(as_json=arguments.json))
    try:
        session.run()
    except KeyboardInterrupt:
        pass
    session.summarize()
    return 0 if session.tally.trips and not session.tally.others else 1
