"""`python -m netcode discover`: the games on the local network, as players find them."""

import argparse
from collections.abc import Iterable

from netcode.discovery import Discovery, FoundGame, discover
from netcode.loop.clock import Clock, monotonic
from netcode.tools.output import Output, complain
from netcode.tools.where import positive

DESCRIPTION = "List the games on the local network: servers that were started with announce=NAME."

LOOK = 0.1
"""Seconds between two looks at the time that is left."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `discover`."""
    parser.description = DESCRIPTION
    add = parser.add_argument
    add("--game", help="list only servers of this game")
    add("--seconds", type=positive, default=3.0, help="how long to look: %(default)s")
    add("--watch", action="store_true", help="go on until Ctrl-C, and say what comes and goes")
    add("--json", action="store_true", help="print one JSON object a line, for scripts")


class Watch:
    """Looks, and tells what comes and goes.

    Args:
        discovery: what finds them.
        output: where lines go.
        clock: gives seconds that never go back.
    """

    def __init__(self, discovery: Discovery, output: Output, clock: Clock = monotonic) -> None:
        self._discovery = discovery
        self._output = output
        self._clock = clock
        self._shown: frozenset[FoundGame] = frozenset()

    def run(self, seconds: float, *, watch: bool) -> None:
        """Look for so many seconds, or until Ctrl-C, and tell at once what changes if somebody watches."""
        until = self._clock() + seconds
        while (watch or self._clock() < until) and not self._output.is_closed():
            self._discovery.wait(LOOK)
            self._discovery.update()
            if watch:
                self._tell()
            else:
                left = max(0.0, until - self._clock())
                self._output.progress(f"looking for {left:.0f} s more; {len(self._discovery.games)} so far")

    def summarize(self) -> None:
        """Tell what is there."""
        games, reason = self._discovery.games, self._discovery.reason
        if games and not self._output.as_json:
            heads = ("NAME", "GAME", "PLAYERS", "ADDRESS", "")
            self._output.table(heads, [_row(found) for found in games])
        for found in games if self._output.as_json else ():
            self._output.line("", event="game", **_facts(found))
        if not games:
            why = "it may be on another network, or not be announced" if reason is None else reason.text
            self._output.line(f"no game was found; {why}", event="none", why=why)

    def _tell(self) -> None:
        games = frozenset(self._discovery.games)
        for sign, event, some in (("-", "gone", self._shown - games), ("+", "here", games - self._shown)):
            for found in _sorted(some):
                self._output.line(f"{sign} {'  '.join(_row(found)).rstrip()}", event=event, **_facts(found))
        self._shown = games


def _sorted(games: Iterable[FoundGame]) -> list[FoundGame]:
    return sorted(games, key=lambda found: (found.name, found.addresses))


def _row(found: FoundGame) -> tuple[str, ...]:
    room = "" if found.max_players is None else f" of {found.max_players}"
    players = "?" if found.players is None else f"{found.players}{room}"
    title = f"{found.game} {found.version}".strip() or "?"
    return found.name, title, players, str(found.address), "TLS" if found.tls else ""


def _facts(found: FoundGame) -> dict[str, object]:
    return {**found._asdict(), "addresses": [*map(str, found.addresses)]}


def run(arguments: argparse.Namespace) -> int:
    """List what there is; return 0 if that is something, 1 if it is nothing."""
    output = Output(as_json=arguments.json)
    try:
        discovery = discover(arguments.game)
    except (ImportError, OSError, ValueError) as error:
        return complain("discover", error)
    with discovery:
        watch = Watch(discovery, output)
        try:
            watch.run(arguments.seconds, watch=arguments.watch)
        except KeyboardInterrupt:
            pass
        watch.summarize()
        return 0 if discovery.games else 1
