"""The lag command: its arguments, what it shows, and how it ends."""

import argparse
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import pytest
from bounds import as_long_as
from programs import Start
from terminals import Terminal

from netcode.address import Address
from netcode.faults import Ending, Faults
from netcode.testing import FakeClock
from netcode.tools import lag
from netcode.tools.lag import Panel, add_arguments, describe, run
from netcode.tools.lag_keys import HELP, NoKeyboard
from netcode.tools.lag_proxy import CAPACITY, Counters, Proxy
from netcode.tools.output import Output

LOCAL = ("127.0.0.1", 0)


class Fingers:
    """A keyboard on which the test types; what it is told to type first is not text but a deed."""

    def __init__(self, *turns: str | Callable[[], str]) -> None:
        self.turns = [*turns]
        self.closed = False

    def read(self) -> str:
        turn = self.turns.pop(0) if self.turns else ""
        return turn if isinstance(turn, str) else turn()

    def close(self) -> None:
        self.closed = True


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lag")
    add_arguments(parser)
    return parser.parse_args([*arguments])


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Give a proxy that has work to do at once, so that a step never sleeps."""
    monkeypatch.setattr(lag, "TICK", 0.0)
    with socket.create_server(LOCAL) as target, Proxy(LOCAL, target.getsockname(), Faults(latency=0.1)) as proxy:
        yield proxy


# Arguments


def test_without_options_nothing_is_wrong_with_the_link() -> None:
    arguments = parse("7000", "localhost:7777")

    assert (arguments.listen, arguments.target) == (Address("127.0.0.1", 7000), Address("localhost", 7777))
    assert (arguments.buffer, arguments.seed) == (CAPACITY, None)
    assert lag._faults(arguments) == Faults()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "::1", "play.example.org"])
def test_a_target_without_a_port_is_at_that_of_the_other_tools(host: str) -> None:
    assert parse("7000", host).target == Address(host.strip("[]"), 7777)


def test_every_fault_has_its_option() -> None:
    options = "--latency 100 --jitter 30 --rate 50k --stall 2.0/10 --cut 30 --cut-bytes 1.5M --cut-with end"
    arguments = parse("[::1]:0", "[fe80::1]:1", *options.split(), "--buffer", "800", "--seed", "5")

    assert (arguments.listen, arguments.target) == (Address("::1", 0), Address("fe80::1", 1))
    assert (arguments.buffer, arguments.seed) == (800, 5)
    assert lag._faults(arguments) == Faults(
        latency=0.1,
        jitter=0.03,
        rate=50_000,
        stall=2.0,
        stall_every=10.0,
        cut_after=30.0,
        cut_within=1_500_000,
        cut_with=Ending.END,
    )


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["7000", "7777"], "'7777' is no address but a port; write HOST:PORT, as in localhost:7777"),
        (["70000", "a:1"], "'70000' is no address: a port is a number from 0 to 65535"),
        (["localhost", "a:1"], "'localhost' is no address: a port is a number from 0 to 65535"),
        (["::1", "a:1"], "'::1' is no address: a port is a number from 0 to 65535"),
        (["7000", "[::1:80"], "'[::1:80' is no address: brackets are for an IPv6 address, as in [::1]:7777"),
        (["7000", "a:0"], "'a:0' is no address: a port is a number from 1 to 65535"),
        (["7000", "a..b:1"], "'a..b:1' is no address: that cannot be a host name"),
        ([f"{'a' * 300}:1", "a:1"], "is no address: that cannot be a host name"),
        (["7000", "a:1", "--latency", "fast"], "'fast' is no time: give a number, 0 or more"),
        (["7000", "a:1", "--jitter", "-1"], "'-1' is no time"),
        (["7000", "a:1", "--stall", "2"], "'' is no time"),
        (["7000", "a:1", "--rate", "0"], "'0' is no amount: give 1 byte or more, like 800, 50k or 1.5M"),
        (["7000", "a:1", "--rate", "5 tons"], "'5 tons' is no amount"),
        (["7000", "a:1", "--cut-with", "axe"], "'axe' is no way to cut: give reset or end"),
    ],
)
def test_a_wrong_argument_says_what_to_give(
    arguments: list[str], advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        parse(*arguments)

    assert exit_.value.code == 2
    assert advice in capsys.readouterr().err


# Panel


def test_the_status_says_what_passes_and_what_is_wrong(proxy: Proxy, capsys: pytest.CaptureFixture[str]) -> None:
    panel = Panel(proxy, NoKeyboard(), Output(), FakeClock())
    proxy.counters = Counters(links=3, cut=1, up=12_345, down=1_200_000_000)

    panel.step()

    assert capsys.readouterr().out == "links 0, up 12.35 kB, down 1.2 GB, cut 1 | 100 ms\n"


def test_a_stall_is_said_first(proxy: Proxy, capsys: pytest.CaptureFixture[str]) -> None:
    panel = Panel(proxy, Fingers(" "), Output(), FakeClock())

    panel.step()

    assert capsys.readouterr().out == "STALLED | links 0, up 0 B, down 0 B, cut 0 | 100 ms, held\n"


def test_a_log_gets_a_line_when_something_changed_and_not_too_often(
    proxy: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = FakeClock()
    panel = Panel(proxy, Fingers("", "", "l", ""), Output(), clock)
    counts: list[int] = []
    for seconds in (0.0, 5.0, 1.0, 4.0):
        clock.advance(seconds)
        panel.step()
        counts.append(capsys.readouterr().out.count("\n"))

    assert counts == [1, 0, 0, 1]


def test_a_terminal_keeps_one_line_that_overwrites_itself(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    def narrow(fallback: tuple[int, int] = (80, 24)) -> os.terminal_size:  # pytest asks for it, too
        return os.terminal_size((20, 24))

    monkeypatch.setattr(shutil, "get_terminal_size", narrow)
    stream, clock = Terminal(), FakeClock()
    monkeypatch.setattr(sys, "stdout", stream)
    panel = Panel(proxy, Fingers("", "", "h"), Output(), clock)
    panel.step()
    first = stream.getvalue()
    clock.advance(1.0)
    panel.step()
    panel.step()
    panel.finish()

    assert first == "\r\rlinks 0, up 0 B, do"
    blank = f"\r{' ' * 19}\r"
    assert stream.getvalue() == (
        f"{first}{blank}{HELP}\nlag: 0 connections, 0 cut, 0 refused by the target; 0 B up, 0 B down\n"
    )


def test_keys_change_the_faults_of_the_proxy(proxy: Proxy) -> None:
    panel = Panel(proxy, Fingers("LLj", "0", "o"), Output())
    seen: list[Faults] = []
    for _ in range(3):
        panel.step()
        seen.append(proxy.faults)

    assert seen == [Faults(latency=0.12), Faults(), Faults(latency=0.1)]


def test_a_question_mark_shows_the_keys(proxy: Proxy, capsys: pytest.CaptureFixture[str]) -> None:
    panel = Panel(proxy, Fingers("?h"), Output())

    panel.step()

    assert capsys.readouterr().out.startswith(f"{HELP}\n{HELP}\n")


@pytest.mark.parametrize("key", "ce")
def test_keys_cut_every_connection_at_once(proxy: Proxy, key: str) -> None:
    panel = Panel(proxy, Fingers(), Output())
    with socket.create_connection(proxy.address) as client:
        for _ in as_long_as(lambda: proxy.open_links == 0):
            panel.step()
        Panel(proxy, Fingers(key), Output()).step()
        for _ in as_long_as(lambda: proxy.counters.cut == 0):
            panel.step()
        try:
            ending = repr(client.recv(1))
        except ConnectionResetError:
            ending = "reset"

    assert ending == {"c": "reset", "e": "b''"}[key]


def test_the_key_q_quits(proxy: Proxy) -> None:
    panel = Panel(proxy, Fingers("q"), Output())

    assert not panel.step()


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (Faults(), "no faults"),
        (Faults(jitter=0.005), "0 +-5 ms"),
        (
            Faults(latency=0.1, jitter=0.03, rate=50_000, stall=2, stall_every=10, cut_after=30, cut_within=5_000_000),
            "100 +-30 ms, 50 kB/s, stall 2/10 s, reset after 30 s, reset within 5 MB",
        ),
    ],
)
def test_faults_are_described_in_a_few_words(faults: Faults, words: str) -> None:
    assert describe(faults) == words


# Run


def use_keyboard(monkeypatch: pytest.MonkeyPatch, keyboard: Fingers | NoKeyboard) -> None:
    def open_it(_: object) -> Fingers | NoKeyboard:
        return keyboard

    monkeypatch.setattr(lag, "open_keyboard", open_it)


def interrupt() -> str:
    raise KeyboardInterrupt


def terminate() -> str:
    signal.raise_signal(signal.SIGTERM)
    return ""


@pytest.mark.parametrize("last", ["q", interrupt, terminate], ids=["q", "Ctrl-C", "SIGTERM"])
def test_it_ends_with_a_summary_and_status_0(
    last: str | Callable[[], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fingers = Fingers("", last)
    use_keyboard(monkeypatch, fingers)
    before = signal.getsignal(signal.SIGTERM)

    status = run(parse("0", "127.0.0.1:9", "--seed", "5"))

    assert (status, fingers.closed, signal.getsignal(signal.SIGTERM)) == (0, True, before)
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"lag: 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:9, seed 5", lines[0])
    assert lines[1] == HELP
    assert lines[-1].startswith("lag: 0 connections, 0 cut")


def test_without_a_keyboard_no_keys_are_offered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class NoFingers(NoKeyboard):
        def read(self) -> str:
            raise KeyboardInterrupt

    use_keyboard(monkeypatch, NoFingers())

    assert run(parse("0", "127.0.0.1:9")) == 0
    assert HELP not in capsys.readouterr().out


def test_what_cannot_begin_says_why_and_ends_with_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(LOCAL) as taken:
        port = taken.getsockname()[1]
        assert run(parse(str(port), "127.0.0.1:9")) == 1
    assert run(parse("0", "127.0.0.1:9", "--stall", "3/2")) == 1

    first, second = capsys.readouterr().err.splitlines()
    assert first == (
        f"lag: 127.0.0.1:{port} -> 127.0.0.1:9: cannot listen on 127.0.0.1:{port}: "
        "the port is taken; is another server running on it?"
    )
    assert "leave time for bytes to pass" in second


@pytest.mark.process
def test_two_programs_talk_through_it_until_it_is_interrupted(start: Start) -> None:
    with socket.create_server(LOCAL) as target:
        program = start("-m", "netcode", "lag", "0", f"127.0.0.1:{target.getsockname()[1]}", "--latency", "5")
        port = int(program.until(r"lag: 127\.0\.0\.1:(\d+) ->")[1])
        with socket.create_connection(("127.0.0.1", port), 30) as client:
            client.sendall(b"ping")
            server, _ = target.accept()
            with server:
                server.settimeout(30)
                received = server.recv(4, socket.MSG_WAITALL)

    assert received == b"ping"
    if sys.platform != "win32":
        program.interrupt()
        assert program.status() == 0
        assert "lag: 1 connections, 0 cut" in program.output
