"""`python -m netcode lag`: put a bad network between any two programs that speak TCP.

It listens, passes every byte on to the real server and back, and does to the stream what a bad link would: delay,
jitter, a slow line, moments in which nothing passes, broken connections. Keys change the values while it runs.
"""

import argparse
import random
import re
import signal
import sys

from netcode.faults import Ending, Faults
from netcode.loop.clock import Clock, monotonic
from netcode.tools.descriptors import raise_descriptor_limit
from netcode.tools.lag_keys import HELP, Keyboard, NoKeyboard, open_keyboard, press
from netcode.tools.lag_proxy import CAPACITY, Proxy
from netcode.tools.output import Output, complain, in_bytes
from netcode.tools.where import PORT, listening_address, server_address

DESCRIPTION = "Pass TCP connections on to a server as a bad network would."
EPILOG = """\
LISTEN is PORT (of 127.0.0.1) or HOST:PORT, TARGET is HOST or HOST:PORT, 7777 if none is given; an IPv6 address stands
in brackets: [::1]:7777.
The name of the target is looked up once, at the start, which may take a while. Amounts may end in k or M.
Start the server on 7777, then: python -m netcode lag 7000 localhost:7777 --latency 100 --jitter 30
and let the client connect to port 7000. The same --seed cuts each connection at the same byte.
"""

TICK = 0.05
"""Seconds for which one step sleeps at most: how soon a key is felt."""

LIVE_INTERVAL = 0.1
"""Seconds between two status lines that overwrite each other on a terminal."""

LOG_INTERVAL = 5.0
"""Seconds between two status lines that stay, where the output is a file or a pipe."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `lag`."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add(
        "listen",
        metavar="LISTEN",
        type=listening_address,
        help="where clients connect to: PORT or HOST:PORT, port 0 for any",
    )
    add(
        "target",
        metavar="TARGET",
        type=server_address,
        help=f"the real server: HOST[:PORT], port {PORT} if none is given",
    )
    add("--latency", type=_milliseconds, default=0.0, metavar="MS", help="delay each way, in milliseconds")
    add("--jitter", type=_milliseconds, default=0.0, metavar="MS", help="how far the delay varies up and down")
    add("--rate", type=_amount, metavar="BYTES", help="bytes per second that pass, each way, such as 50k")
    add(
        "--stall",
        type=_stall,
        default=(0.0, 0.0),
        metavar="LENGTH/EVERY",
        help="2.0/10 is: 2 s of every 10 nothing passes",
    )
    add("--cut", type=_seconds, metavar="SECONDS", help="cut each connection when it is so old")
    add("--cut-bytes", type=_amount, metavar="BYTES", help="cut each connection at a random one of its first bytes")
    add(
        "--cut-with",
        type=_ending,
        default=Ending.RESET,
        metavar="reset|end",
        help="how it is cut: reset, or a clean end",
    )
    add("--buffer", type=_amount, default=CAPACITY, metavar="BYTES", help="bytes under way, each way: %(default)s")
    add("--seed", type=int, help="what the random choices grow from; shown at the start")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C, SIGTERM or the key q; return the status for the shell."""
    raise_descriptor_limit()
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed  # noqa: S311 - faults, not keys
    # A terminal that was left without echo would outlive the process.
    terminate = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Proxy(
            arguments.listen, arguments.target, _faults(arguments), seed=seed, capacity=arguments.buffer
        ) as proxy:
            _serve(proxy, f"{proxy.address} -> {arguments.target}, seed {seed}")
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError) as error:
        return complain(f"lag: {arguments.listen} -> {arguments.target}", error)
    finally:
        signal.signal(signal.SIGTERM, terminate)
    return 0


def _serve(proxy: Proxy, route: str) -> None:
    keyboard = open_keyboard(sys.stdin)
    output = Output()
    panel = Panel(proxy, keyboard, output)
    try:
        output.line(f"lag: {route}")
        if not isinstance(keyboard, NoKeyboard):
            output.line(HELP)
        while panel.step():
            pass
    finally:
        keyboard.close()
        panel.finish()


class Panel:
    """Run a proxy for someone who watches: show what it does, and do what the keys say.

    Args:
        proxy: What it runs.
        keyboard: Where keys come from.
        output: Where lines go; on a terminal, the status overwrites itself.
        clock: Gives seconds that never go back.
    """

    def __init__(self, proxy: Proxy, keyboard: Keyboard, output: Output, clock: Clock = monotonic) -> None:
        self._proxy = proxy
        self._keyboard = keyboard
        self._output = output
        self._clock = clock
        self._original = proxy.faults
        self._shown = ""
        self._show_at = clock()

    def step(self) -> bool:
        """Pass bytes on for a moment, read the keys, show the status; return False after the key q."""
        self._proxy.update(TICK)
        for key in self._keyboard.read():
            match key:
                case "q":
                    return False
                case "c" | "e":
                    self._proxy.cut(Ending.RESET if key == "c" else Ending.END)
                case "h" | "?":
                    self._output.line(HELP)
                case _:
                    self._proxy.faults = press(key, self._proxy.faults, self._original)
        if self._clock() >= self._show_at:
            self._show_at = self._clock() + (LIVE_INTERVAL if self._output.is_live else LOG_INTERVAL)
            self._show()
        return True

    def finish(self) -> None:
        """Write the summary."""
        counters = self._proxy.counters
        self._output.line(
            f"lag: {counters.links} connections, {counters.cut} cut, {counters.refused} refused by the target; "
            f"{in_bytes(counters.up, digits=4)} up, {in_bytes(counters.down, digits=4)} down"
        )

    def _show(self) -> None:
        text = self._status()
        if self._output.is_live:
            self._output.progress(text)
        elif text != self._shown:
            self._output.line(text)
            self._shown = text

    def _status(self) -> str:
        proxy, counters = self._proxy, self._proxy.counters
        traffic = f"links {proxy.open_links}, up {in_bytes(counters.up, digits=4)}, down {in_bytes(counters.down, digits=4)}, cut {counters.cut}"
        # First, because a narrow terminal clips the end.
        now = "STALLED | " if proxy.stalled else ""
        return f"{now}{traffic} | {describe(proxy.faults)}"


def describe(faults: Faults) -> str:
    """Say in a few words what is wrong with a link."""
    words: list[str] = []
    if faults.latency or faults.jitter:
        spread = f" +-{faults.jitter * 1000:g}" if faults.jitter else ""
        words.append(f"{faults.latency * 1000:g}{spread} ms")
    if faults.rate is not None:
        words.append(f"{in_bytes(faults.rate, digits=4)}/s")
    if faults.stall:
        words.append(f"stall {faults.stall:g}/{faults.stall_every:g} s")
    if faults.cut_after is not None:
        words.append(f"{faults.cut_with.value} after {faults.cut_after:g} s")
    if faults.cut_within is not None:
        words.append(f"{faults.cut_with.value} within {in_bytes(faults.cut_within, digits=4)}")
    if faults.held:
        words.append("held")
    return ", ".join(words) or "no faults"


def _faults(arguments: argparse.Namespace) -> Faults:
    stall, stall_every = arguments.stall
    return Faults(
        latency=arguments.latency,
        jitter=arguments.jitter,
        rate=arguments.rate,
        stall=stall,
        stall_every=stall_every,
        cut_after=arguments.cut,
        cut_within=arguments.cut_bytes,
        cut_with=arguments.cut_with,
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no time: give a number, 0 or more")
    return seconds


def _milliseconds(text: str) -> float:
    return _seconds(text) / 1000


def _amount(text: str) -> int:
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([kM]?)", text)
    count = int(float(found[1]) * {"": 1, "k": 10**3, "M": 10**6}[found[2]]) if found else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount: give 1 byte or more, like 800, 50k or 1.5M")
    return count


def _ending(text: str) -> Ending:
    try:
        return Ending(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no way to cut: give reset or end") from error


def _stall(text: str) -> tuple[float, float]:
    length, _, every = text.partition("/")
    return _seconds(length), _seconds(every)
