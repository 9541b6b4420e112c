"""`python -m netcode load HOST`: many clients at once, for a server of one's own, and what its players would feel.

Each client is a real one: it greets, answers pings, and sends its messages. How long the server takes is measured by
the pings that all clients send anyway, so it works with every game.
"""

import argparse
import json
import select
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from netcode.client import Client, guest_of
from netcode.events import Event, Joined, Left, Received
from netcode.loop.clock import Clock, monotonic
from netcode.loop.poller import bits_of, select_in_parts
from netcode.reasons import Reason
from netcode.session.meter import Meter
from netcode.stream.contract import State
from netcode.tools.descriptors import raise_descriptor_limit
from netcode.tools.output import Output, complain, milliseconds, percentile
from netcode.tools.where import add_server, positive, tls_of, whole

DESCRIPTION = "Let many clients join a server of your own, send, and measure what its players would feel."
EPILOG = """\
The server must let them in: its max_peers_per_address (256 by default) counts clients of one computer. What they send
is up to you: python -m netcode load localhost:7777 --game chess --message '{"move": [1, 2]}'
Where «own delay» is large, this computer is what is slow, and not the server.
"""

OTHERS = {"WRONG_GAME", "WRONG_VERSION"}
"""Why a server lets nobody in who says another game than its own."""
TABLES = "netcode.turns"
"""What the servers of the turn kit say they play."""
PERCENTILES = (50, 90, 99, 100)

ARRIVALS = 100
"""Clients that begin to join within one second: a server takes them in one by one."""

PING_INTERVAL = 0.25
"""Seconds between two measurements of one client."""

MAX_SAMPLES = 1_000_000
"""Measurements that are kept; further ones are not."""

SWEEP = 0.02
"""Seconds between two looks at all clients, whether anything came for them or not: pings are due."""

PATIENCE = 30.0
"""Seconds that all clients may take to join, beside what their number takes."""

GOODBYE = 2.0
"""Seconds that all goodbyes may take."""

SHOW = 0.2
"""Seconds between two looks at how far it is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `load`."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_server(parser)
    add = parser.add_argument
    add("--game", default="", help="the game that the server plays")
    add("--version", default="", help="its version")
    add("--credentials", type=_json, metavar="JSON", help="what the server's authenticate is given")
    add("--clients", type=whole, default=200, metavar="N", help="how many: %(default)s")
    add("--rate", type=positive, default=20.0, metavar="N", help="messages a second of each: %(default)s")
    add("--message", type=_json, metavar="JSON", help="what each of them sends")
    add("--size", type=whole, default=100, metavar="BYTES", help="without --message, how long a text: %(default)s")
    add("--seconds", type=positive, default=10.0, help="how long, once all have joined: %(default)s")
    add("--json", action="store_true", help="print one JSON object a line, for scripts")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"{text[:200]!r} is not JSON: {error}") from error


class _Recorder(Meter):
    """A meter that keeps every measurement, not only what becomes of them."""

    __slots__ = ("_samples",)

    def __init__(self, samples: list[float]) -> None:
        super().__init__()
        self._samples = samples

    def _sample(self, sample: float) -> None:
        if len(self._samples) < MAX_SAMPLES:
            self._samples.append(sample)
        super()._sample(sample)


class Crowd:
    """Many clients in one loop.

    Args:
        make_client: makes the next one.
        message: what each of them sends.
        clients, rate: how many there are, and how often a second each sends.
        clock: gives seconds that never go back.
    """

    def __init__(
        self, make_client: Callable[[], Client], message: Any, clients: int, rate: float, clock: Clock = monotonic
    ) -> None:
        self._make_client = make_client
        self._message = message
        self._wanted = clients
        self._period = 1 / rate
        self._clock = clock
        self._clients: set[Client] = set()
        self._send_at: dict[Client, float] = {}
        self._begun = 0
        self._next_arrival = self._next_sweep = clock()
        self.trips: list[float] = []
        """Round trips of pings in seconds."""
        self.delays: list[float] = []
        """How many seconds later than it meant to this computer sent a message."""
        self.left: dict[str, tuple[int, str]] = {}
        """For each code of a reason, how many left with it, and what the first of them read."""
        self.sent = self.received = 0

    @property
    def joined(self) -> int:
        """How many are in at present."""
        return len(self._send_at)

    @property
    def is_settled(self) -> bool:
        """Whether none is still on its way in."""
        return self._begun == self._wanted and len(self._clients) == len(self._send_at)

    @property
    def is_over(self) -> bool:
        """Whether all have left."""
        return self._begun == self._wanted and not self._clients

    def begin_to_measure(self) -> None:
        """Forget what was measured so far."""
        self.trips.clear()
        self.delays.clear()
        self.sent = self.received = 0

    def step(self) -> None:
        """Do what is to be done now, and wait for the next of it: `SWEEP` seconds at most."""
        now = self._clock()
        while self._begun < self._wanted and now >= self._next_arrival:
            self._clients.add(self._make_client())
            self._begun += 1
            self._next_arrival += 1 / ARRIVALS
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP
            self._update([*self._clients])
        self._send(now)
        due = min((self._next_sweep, *self._send_at.values()))
        self._update(ready(self._clients, max(0.0, due - self._clock())))

    def close(self) -> None:
        """Let all of them leave, with a goodbye for which they wait a little."""
        for client in self._clients:
            client.close_nicely("the load test is over")
        self._send_at.clear()
        until = self._clock() + GOODBYE
        while self._clients and self._clock() < until:
            self._update([*self._clients])
            self._update(ready(self._clients, SWEEP))
        for client in self._clients:
            client.close()

    def _update(self, clients: Iterable[Client]) -> None:
        for client in clients:
            client.update()
            for event in client.events():
                self._hear(client, event)
            if client.state is State.DISCONNECTED:
                self._clients.discard(client)

    def _hear(self, client: Client, event: Event) -> None:
        match event:
            case Joined(peer):
                # Spread over one period, or all would send in the same moment.
                self._send_at[client] = self._clock() + self._period * (peer.id * 0.618034 % 1.0)
                link = guest_of(client).link
                if link is not None:  # else the server has ended it in the same breath, as `Left` tells
                    link.meter = _Recorder(self.trips)
            case Received():
                self.received += 1
            case Left(_, reason):
                self._count(reason)
                self._send_at.pop(client, None)
            case _:
                pass  # they do not come back: whose link breaks has left

    def _count(self, reason: Reason) -> None:
        count, text = self.left.get(reason.code.name, (0, reason.text))
        self.left[reason.code.name] = count + 1, text

    def _send(self, now: float) -> None:
        for client, due in self._send_at.items():
            if due <= now:
                client.send(self._message)
                self.sent += 1
                if len(self.delays) < MAX_SAMPLES:
                    self.delays.append(now - due)
                self._send_at[client] = max(due + self._period, now)
                client.update()


def ready(clients: Iterable[Client], seconds: float) -> list[Client]:
    """Wait until something comes for some of the clients, and return which those are."""
    owners: dict[int, Client] = {}
    lists: tuple[list[int], list[int], list[int]] = ([], [], [])
    for client in clients:
        for everybody, numbers in zip(lists, client.instantiate(), strict=True):
            everybody.extend(numbers)
            owners.update(dict.fromkeys(numbers, client))
    if sys.platform == "win32":
        found = [number for numbers in select_in_parts(lists, seconds) for number in numbers]
    else:
        poll = select.poll()
        for number, bits in bits_of(lists):
            poll.register(number, bits)
        found = [number for number, _ in poll.poll(seconds * 1000)]
    return [*dict.fromkeys(owners[number] for number in found)]


class Run:
    """A run from the first client to the summary.

    Args:
        arguments: as `add_arguments` declares them.
        output: where lines go.
        make_client: makes a client, for tests.
        clock: gives seconds that never go back.
    """

    def __init__(
        self,
        arguments: argparse.Namespace,
        output: Output,
        make_client: Callable[..., Client] = Client,
        clock: Clock = monotonic,
    ) -> None:
        self._arguments = arguments
        self._output = output
        self._clock = clock
        message = arguments.message if arguments.message is not None else "x" * arguments.size
        self.crowd = Crowd(self._joiner(make_client), message, arguments.clients, arguments.rate, clock)
        self._joining: float | None = None  # how many seconds that took
        self._began = clock()
        self._measured_since: float | None = None
        self._ended = 0.0

    def run(self) -> None:
        """Let all join, measure, and let them leave."""
        crowd, patience = self.crowd, PATIENCE + self._arguments.clients / ARRIVALS
        try:
            self._go_on(lambda: not crowd.is_settled, patience, "joining: {} clients are in")
            self._joining = self._clock() - self._began
            self._output.line(
                f"{crowd.joined} of {self._arguments.clients} joined in {self._joining:.2f} s",
                event="joined",
                clients=crowd.joined,
                seconds=self._joining,
            )
            crowd.begin_to_measure()
            self._measured_since = self._ended = self._clock()
            self._go_on(lambda: not crowd.is_over, self._arguments.seconds, "measuring: {} clients play")
        finally:
            self._ended = self._clock()

    def summarize(self) -> bool:
        """Tell what was measured, let everybody leave, and return whether it went as it should: nobody was lost."""
        crowd, since = self.crowd, self._measured_since
        there = crowd.joined
        crowd_left = {**crowd.left}
        crowd.close()
        for code, (count, reason) in crowd_left.items():
            text = reason.removesuffix("; get the same one") if code in OTHERS else reason  # which is for players
            self._output.line(f"{count} left ({code}): {text}", event="left", code=code, count=count, text=text)
        if since is None:
            self._output.line("nothing was measured: not all have joined", event="summary", clients=there)
            return False
        if not there and not crowd.trips:
            advice = self._advice([text for code, (_, text) in crowd_left.items() if code in OTHERS])
            self._output.line(f"nothing was measured: nobody was let in{advice}", event="summary", clients=0)
            return False
        seconds = max(self._ended - since, 1e-9)
        rows: list[tuple[str, ...]] = []
        facts: dict[str, Any] = {"clients": there, "seconds": seconds}
        for name, values in (("round trip", crowd.trips), ("own delay", crowd.delays)):
            found = [percentile(values, percent) for percent in PERCENTILES]
            rows.append((name, *map(milliseconds, found)))
            facts[name.replace(" ", "_")] = dict(zip(map(str, PERCENTILES), found, strict=True))
        facts |= {"sent_per_second": crowd.sent / seconds, "received_per_second": crowd.received / seconds}
        self._output.table(("", "50 %", "90 %", "99 %", "most"), rows)
        self._output.line(
            f"{there} clients for {seconds:.1f} s: {crowd.sent / seconds:.0f} messages/s sent, "
            f"{crowd.received / seconds:.0f} received; {len(crowd.trips)} round trips measured",
            event="summary",
            **facts,
        )
        return not crowd_left

    def _advice(self, refusals: Sequence[str]) -> str:
        """Return what to do where the server plays something else, as these say."""
        if any(text.startswith(f"the server runs {TABLES}") for text in refusals):
            bot = f"python -m netcode.turns bot FILE --at {self._arguments.server} --games 100 --think 0"
            return (
                f": that server has tables of turn-based games, which take plays and nothing else. Let bots play: {bot}"
            )
        return "; give --game and --version as that server has them" if refusals else ""

    def _joiner(self, make_client: Callable[..., Client]) -> Callable[[], Client]:
        arguments = self._arguments
        return lambda: make_client(
            *arguments.server,
            game=arguments.game,
            version=arguments.version,
            credentials=arguments.credentials,
            tls=tls_of(arguments),
            resume=False,
            ping_interval=PING_INTERVAL,
        )

    def _go_on(self, condition: Callable[[], bool], seconds: float, text: str) -> None:
        until = self._clock() + seconds
        show_at = self._clock()
        while condition() and (now := self._clock()) < until:
            self.crowd.step()
            if now >= show_at:
                show_at = now + SHOW
                if self._output.is_closed():
                    return
                self._output.progress(f"{text.format(self.crowd.joined)}, {until - now:.0f} s at most")


def run(arguments: argparse.Namespace) -> int:
    """Run it; return 0 if nobody was lost, else 1."""
    raise_descriptor_limit()
    test = Run(arguments, Output(as_json=arguments.json))
    try:
        test.run()
    except KeyboardInterrupt:
        pass
    except (OSError, ValueError) as error:  # the game's name is too long, or TLS finds no descriptor, say
        return complain("load", error)
    return 0 if test.summarize() else 1
