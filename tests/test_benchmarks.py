"""The benchmarks run: each row at a tiny size yields sane figures, and leaves no process behind."""

import json
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the benchmarks stand on epoll and /proc", allow_module_level=True)

from programs import DEADLINE, Program, Start

from benchmarks import children, wire
from benchmarks.__main__ import main
from benchmarks.children import Child, ChildFailed
from benchmarks.dialects import Netcode, Plain, WebSocket
from benchmarks.figures import Figure, Plan, Series, Skipped
from benchmarks.machine import Unsuited, require_connections
from benchmarks.rows import ROWS
from benchmarks.table import table
from benchmarks.versions import Line

TINY = Plan(seconds=0.04, rounds=1, scale=0.004)
NEEDS = {
    1: ("uvloop", "picows", "enet", "websockets"),
    2: ("uvloop",),
    3: ("uvloop",),
    11: ("websockets",),
    12: ("websockets",),
}


RUNS = [pytest.param(row, marks=pytest.mark.bench if {*NEEDS.get(row, ())} - {"websockets"} else ()) for row in ROWS]
"""What no other stage of CI has, the stage that has it picks out: `websockets` is there for other tests."""


@pytest.mark.process
@pytest.mark.parametrize("row", RUNS)
def test_each_row_yields_a_sane_figure(row: int) -> None:
    for package in NEEDS.get(row, ()):
        pytest.importorskip(package)

    plan = replace(TINY, scale=0.1) if row in (9, 13) else TINY  # else it drowns in what is freed
    figures: list[Figure] = []
    for longer in (1, 5, 25):  # a busy machine may do nothing of it at first
        with suppress(ZeroDivisionError):
            figures = ROWS[row].measure(replace(plan, seconds=longer * plan.seconds))
        if figures and all(map(is_sane, figures)):
            break

    assert figures
    assert all(map(is_sane, figures)), figures
    assert {figure.row for figure in figures} == {row}


def is_sane(figure: Figure) -> bool:
    return 0 < figure.value < 100_000


@pytest.mark.process
def test_the_command_prints_a_table_and_writes_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figures.json"

    status = main(["8", "--seconds", "0.02", "--rounds", "1", "--notes", "--json", str(path)])

    assert status == 0
    assert "ping-pong through wait()" in capsys.readouterr().out
    assert [figure["row"] for figure in json.loads(path.read_text())] == [8]


@pytest.mark.process
def test_a_row_is_measured_beside_another_checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(__file__).resolve().parent.parent
    for folder in ("benchmarks", "netcode"):
        (tmp_path / folder).symlink_to(root / folder)

    status = main(["versions", str(tmp_path), "8", "--seconds", "0.02", "--rounds", "2"])

    assert status == 0
    assert "here" in capsys.readouterr().out
    assert root == children.ROOT


def test_a_folder_that_is_no_checkout_is_no_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", str(tmp_path)]) == 2
    assert "has no folder" in capsys.readouterr().err


def test_a_change_is_more_of_what_should_be_little_or_less_of_what_should_be_much() -> None:
    slower = Line(Figure(1, "echo", 1.0, "×", 1.15), Series([1.1, 2.2]), Series([1.0, 2.0]))
    less = Line(Figure(7, "bulk", 1.0, "×", 0.7, at_most=False), Series([1.0, 2.0]), Series([1.1, 2.2]))

    assert round(slower.change, 3) == round(less.change, 3) == 1.1
    assert "+10.0%" in str(less)


@pytest.mark.bench
@pytest.mark.process
def test_a_plot_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "figures.png"

    main(["8", "--seconds", "0.02", "--rounds", "1", "--plot", str(path)])

    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_row_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["99"])

    assert status == 2
    assert "no row 99" in capsys.readouterr().err


def test_a_machine_with_too_few_descriptors_is_told_how_many_are_needed() -> None:
    with pytest.raises(Unsuited, match=r"ulimit -Hn 1000000100"):
        require_connections(1_000_000_000)


def test_the_table_says_what_holds_and_what_misses() -> None:
    results: list[Figure | Skipped] = [
        Figure(1, "echo, against uvloop", 1.0, "×", 1.15, ours="8.1 µs", other="8.1 µs", note="server 99%"),
        Figure(7, "large messages", 0.5, "×", 0.7, at_most=False),
        Skipped(4, "silent peers", "this machine is too small"),
    ]

    assert table(results, notes=True).splitlines() == [
        "row  work                    ours   other   value     bar",
        "───  ────────────────────  ──────  ──────  ──────  ──────  ──────",
        "  1  echo, against uvloop  8.1 µs  8.1 µs  1.00 ×  ≤ 1.15  holds",
        "  7  large messages                        0.50 ×   ≥ 0.7  misses",
        "row 4 skipped: this machine is too small",
        "row 1: server 99%",
    ]


def test_a_ratio_is_taken_round_by_round() -> None:
    ours, other = Series([1.0, 20.0, 3.0]), Series([2.0, 40.0, 3.0])

    assert ours.over(other) == 0.5


@pytest.mark.process
def test_a_child_that_fails_says_why() -> None:
    with Child("load", part="load", dialect="plain") as load, pytest.raises(ChildFailed, match="no order «dance»"):
        load.ask("dance")


@pytest.mark.process
def test_a_child_that_cannot_start_is_reported() -> None:
    with pytest.raises(ChildFailed, match="ended with status 1"):
        Child("nowhere", part="load")


def children_of(program: Program) -> list[int]:
    pid = program.pid
    deadline = time.monotonic() + DEADLINE
    while not (children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(child) for child in children]


@pytest.mark.process
@pytest.mark.parametrize("ending", ["interrupt", "stop"])
def test_no_child_outlives_the_benchmark(start: Start, ending: str) -> None:
    benchmark = start("-m", "benchmarks", "8", "--seconds", "20")
    benchmark.until("row 8")
    children = children_of(benchmark)

    getattr(benchmark, ending)()

    assert benchmark.status() == (130 if ending == "interrupt" else -signal.SIGKILL)
    deadline = time.monotonic() + DEADLINE
    while any(Path(f"/proc/{child}/cmdline").exists() for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("dialect", [Plain, Netcode])
def test_messages_are_counted_however_the_stream_is_cut(dialect: type[Plain]) -> None:
    stream = wire.message({"move": 1}) * 3
    talk = dialect()

    counts = [talk.take(stream[index : index + 1]) for index in range(len(stream))]

    assert sum(counts) == 3
    assert talk.received == 3
    assert not talk.in_message


def test_pings_are_answered_with_what_was_received() -> None:
    talk = Netcode()

    count = talk.take(wire.control(wire.WELCOME, 1, 7) + wire.message(1) + wire.control(wire.PING, 5, 0))

    assert count == 1
    assert talk.joined
    assert talk.answers == wire.control(wire.PONG, 5, 1)


def test_websocket_messages_of_every_length_are_counted() -> None:
    talk = WebSocket()
    talk.take(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")

    counts = [talk.take(WebSocket.reply(bytes(length))) for length in (0, 125, 126, 65535, 65536)]

    assert counts == [1] * 5
    assert talk.joined


def test_a_websocket_request_is_masked() -> None:
    request = WebSocket.request(b"abcde")

    assert request[:2] == b"\x82\x85"
    assert bytes(byte ^ request[2 + index % 4] for index, byte in enumerate(request[6:])) == b"abcde"
