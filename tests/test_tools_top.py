"""What a server on this computer does, live."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import Start

from netcode.address import Address
from netcode.testing import FakeClock
from netcode.tools import top
from netcode.tools.output import Output
from netcode.tools.scrape import Numbers
from netcode.tools.top import Panel, StatusReader, add_arguments, find_server, find_status, run

PLAYER: dict[str, Any] = {
    "id": 1, "address": "10.0.0.1:5\x1b", "away": False, "rtt": 0.02, "jitter": None, "silence": 0.3,
    "messages_sent": 1, "messages_received": 2, "bytes_sent": 1500, "bytes_received": 3000, "queued": 0, "queued_for": 0.0,
}  # fmt: skip
STATUS: dict[str, Any] = {
    "pid": 7, "uptime": 30.0, "game": "chess 2", "address": "0.0.0.0:7777", "state": "connected",
    "max_peers": 4, "peers": 1, "away": 0, "joined": 3, "left": {"TIMEOUT": 1, "GOODBYE": 1}, "refused": {},
    "messages_sent": 10, "messages_received": 20, "bytes_sent": 1000, "bytes_received": 2000, "updates": 60,
    "update_mean": 0.001, "update_worst": 0.02, "players": [PLAYER],
}  # fmt: skip


class Time(FakeClock):
    """A clock on whose time the server writes, and at last ends."""

    def __init__(self, path: Path, *statuses: dict[str, Any] | None) -> None:
        super().__init__(100.0)
        self._path = path
        self._statuses = [*statuses]
        self.sleep(0.0)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        status = self._statuses.pop(0)
        if status is None:
            self._path.unlink()
        else:
            self._path.write_text(json.dumps({**STATUS, **status}), encoding="utf-8")


def lines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, *statuses: dict[str, Any] | None, as_json: bool = False
) -> list[str]:
    """Show one status after the other, and return what was printed."""
    path = tmp_path / "status.json"
    clock = Time(path, *statuses)
    Panel(StatusReader(path), Output(as_json=as_json), clock).run(1.0, once=statuses[-1] is not None)
    return capsys.readouterr().out.splitlines()


def test_it_shows_the_server_and_each_player(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert lines(capsys, tmp_path, {}) == [
        "chess 2 at 0.0.0.0:7777, process 7, connected, up 30 s",
        "players 1 of 4, 0 away; 3 joined, left 1 GOODBYE, 1 TIMEOUT",
        "messages in 20, messages out 10, in 2 kB, out 1 kB; 60 updates, 1 ms each, 20 ms at most",
        r"ID  ADDRESS         ROUND TRIP  JITTER    IN     OUT  WAITS  OLDEST  SILENT",
        r" 1  10.0.0.1:5\x1b       20 ms       -  3 kB  1.5 kB      -       -  300 ms",
    ]


def test_from_the_second_look_on_there_are_rates_until_the_server_is_gone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    later = {"uptime": 32.0, "messages_received": 30, "messages_sent": 11, "bytes_received": 6000}

    shown = lines(capsys, tmp_path, {}, later, None)

    assert shown[7].startswith("messages in 5/s, messages out 0/s, in 2 kB/s, out 0 B/s; 60 updates")
    assert shown[-1] == "the server is gone"


def test_a_server_that_hangs_is_said_to_be_silent(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shown = lines(capsys, tmp_path, {}, {}, {}, {}, {}, None)

    silent = [line.partition(" -- ")[2] for line in shown if "process 7" in line]
    assert silent == ["", "", "", "", "SILENT for 4 s: it does not call update()"]


TABLES: dict[str, Any] = {
    "tables": 12, "waiting": 3, "people": 24, "moves": 100, "entries": 150, "commits": 50, "commit_seconds": 0.1,
    "unstored": 0.0, "renewed": 0.4, "redirects": 0, "unavailable": 0, "lost": 0, "trouble": "",
}  # fmt: skip


def test_a_server_of_tables_tells_of_those(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    later = {**TABLES, "moves": 140, "entries": 210, "commits": 60, "commit_seconds": 0.3, "unstored": 0.25}
    failing = {**later, "unavailable": 2, "redirects": 7, "trouble": "the disk is full", "renewed": 2.0}
    two_later = {"uptime": 32.0, "tables": later}

    shown = lines(capsys, tmp_path, {"tables": TABLES}, two_later, {"uptime": 33.0, "tables": failing}, None)

    assert shown[3:5] == [
        "tables 12, 3 wait for players; people 24; moves 100",
        "commits 50, 2 ms and 3 entries each; no move waits; the store heard of it 400 ms ago",
    ]
    assert shown[10:12] == [
        "tables 12, 3 wait for players; people 24; moves 20/s",
        "commits 5/s, 20 ms and 6 entries each; the oldest move waits for 250 ms; the store heard of it 400 ms ago",
    ]
    assert shown[17:20] == [
        "tables 12, 3 wait for players; people 24; moves 0/s; 7 redirects; 2 unavailable",
        "commits 0/s, 5 ms and 3.5 entries each; the oldest move waits for 250 ms; the store heard of it 2 s ago",
        "NOTHING CAN BE STORED: the disk is full",
    ]


@pytest.mark.parametrize(("outage", "since"), [(0.0, ""), (12.4, ", for 12 s"), (600.0, ", for 10 min")])
def test_since_when_nothing_can_be_stored_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, outage: float, since: str
) -> None:
    shown = lines(capsys, tmp_path, {"tables": {**TABLES, "trouble": "the disk is full", "outage": outage}})

    assert shown[5] == f"NOTHING CAN BE STORED{since}: the disk is full"


def test_before_the_first_commit_it_has_no_length(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shown = lines(capsys, tmp_path, {"tables": {**TABLES, "commits": 0, "entries": 0, "commit_seconds": 0.0}})

    assert shown[4] == "commits 0; no move waits; the store heard of it 400 ms ago"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ({"uptime": 600.0, "game": ""}, "a game without a name at 0.0.0.0:7777, process 7, connected, up 10 min"),
        ({"uptime": 9000.0}, "up 2.5 h"),
        ({"refused": {"NOT_NETCODE": 3}}, ", refused 3 NOT_NETCODE"),
        ({"peers": 5}, "and 4 more, of whom less waits"),
        ({"players": [{**PLAYER, "away": True, "queued": 2500, "queued_for": 1.5}]}, "2.5 kB   1.5 s  away"),
        ({"update_mean": None, "updates": 0}, "0 updates, - each"),
    ],
)
def test_what_is_not_as_usual_is_said(
    status: dict[str, Any], line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert line in "\n".join(lines(capsys, tmp_path, status))


def test_scripts_get_what_the_server_wrote(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    [line] = lines(capsys, tmp_path, {}, as_json=True)

    assert json.loads(line) == STATUS


WRONG: list[dict[str, Any]] = [
    {"players": [], "peers": None}, {"players": 5}, {"players": [7]}, {"players": [{**PLAYER, "rtt": "1"}]}, {"left": []},
    {"uptime": "1"}, {"pid": {}}, {"tables": {}}, {"tables": 5}, {"bytes_sent": 10**400}, {"update_worst": 10**400},
    {"tables": {**TABLES, "outage": "long"}}, {"uptime": float("nan")}, {"players": [{**PLAYER, "queued_for": 10**400}]},
]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"root:x:0:0", b"\xff\xfe\x00", b"[1]", b"{}", b"", b'{"players": []}', b"[" * 100_000,
        *[json.dumps({**STATUS, **wrong}).encode() for wrong in WRONG],
    ],
)  # fmt: skip
def test_what_is_no_status_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "passwd"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=r"passwd is no status file of a server$"):
        StatusReader(path).read()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
@pytest.mark.parametrize("make", [getattr(os, "mkfifo", None), os.mkdir], ids=["pipe", "folder"])
def test_a_pipe_that_nobody_writes_and_a_folder_are_no_status(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "netcode-7.json")

    with pytest.raises(ValueError, match=r"netcode-7\.json is no status file of a server$"):
        StatusReader(tmp_path / "netcode-7.json").read()


def test_it_ends_when_nobody_reads_any_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    output = Output()
    monkeypatch.setattr(output, "is_closed", lambda: True)
    panel = Panel(StatusReader(tmp_path / "none"), output)

    panel.run(1.0, once=False)

    assert panel.shown == 0


def test_a_server_is_found_by_its_file_its_process_or_because_it_is_the_only_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no server here was started with status=True"):
        find_status(None, tmp_path)
    one = tmp_path / "netcode-12.json"
    one.write_text("{}", encoding="utf-8")
    (tmp_path / "netcode-notes.json").write_text("{}", encoding="utf-8")

    assert find_status("12") == find_status(str(one)) == find_status(None, tmp_path) == one
    with pytest.raises(
        FileNotFoundError, match=r"there is no .*netcode-13\.json: was that server started with status="
    ):
        find_status("13")
    another = tmp_path / "netcode-12-2.json"
    another.write_text("{}", encoding="utf-8")
    assert find_status("12-2") == another
    with pytest.raises(FileNotFoundError, match="several servers tell, say which: 12, 12-2"):
        find_status(None, tmp_path)
    with pytest.raises(FileNotFoundError, match=r"there is no .*netcode-12-3\.json"):
        find_server("12-3")


def test_of_several_servers_one_has_to_be_named_unless_the_others_are_dead(tmp_path: Path) -> None:
    one, other = (tmp_path / f"netcode-{pid}.json" for pid in (12, 13))
    for path in (one, other):
        path.write_text("{}", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match="several servers tell, say which: 12, 13"):
        find_status(None, tmp_path)

    os.utime(other, (0, 0))

    assert find_status(None, tmp_path) == one


@pytest.mark.parametrize("server", ["example.org", "10.0.0.1:9200", "[::1]:9100", "::1"])
def test_what_names_a_host_is_looked_for_there(server: str) -> None:
    assert isinstance(find_server(server), Numbers)


def test_a_host_without_a_port_is_asked_at_the_usual_one() -> None:
    assert str(find_server("example.org")) == "http://example.org:9100/metrics"


def test_what_can_be_nothing_of_all_that_is_said() -> None:
    with pytest.raises(ValueError, match="'a b:c' is neither a process nor a file nor a host"):
        find_server("a b:c")


def test_a_file_goes_before_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "status").write_text("{}", encoding="utf-8")

    assert isinstance(find_server("status"), StatusReader)


class Elsewhere(Numbers):
    """Numbers of a server that is somewhere else."""

    def read(self) -> dict[str, Any]:
        """Say what `STATUS` says, without what only a file tells."""
        left_out = ("pid", "game", "state", "players")
        status = {name: value for name, value in STATUS.items() if name not in left_out}
        return {**status, "queued": 1500, "queued_for": 0.25, "rtt_median": 0.02, "rtt_largest": None}


def test_a_server_elsewhere_has_no_line_for_each_player(capsys: pytest.CaptureFixture[str]) -> None:
    Panel(Elsewhere(Address("10.0.0.1", 9100)), Output()).run(1.0, once=True)

    assert capsys.readouterr().out.splitlines() == [
        "the server at 0.0.0.0:7777",
        "players 1 of 4, 0 away; 3 joined, left 1 GOODBYE, 1 TIMEOUT",
        "messages in 20, messages out 10, in 2 kB, out 1 kB; 60 updates, 1 ms each, 20 ms at most",
        "round trips 20 ms, - at most; 1.5 kB wait, the oldest for 250 ms",
    ]


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([*arguments])


@pytest.mark.parametrize("content", ["[]", "{}", "{", "\xff"])
def test_a_file_of_something_else_is_said_to_be_one(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "else.json"
    path.write_bytes(content.encode("latin-1"))

    assert run(parse(str(path), "--once")) == 1
    assert capsys.readouterr().err.startswith("top: ")


def test_without_a_server_the_status_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))

    assert run(parse()) == 1
    assert capsys.readouterr().err == "top: no server here was started with status=True\n"


def test_ctrl_c_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def press(server: str | None) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(top, "find_status", press)

    assert run(parse()) == 1


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="there, Ctrl-C goes to a whole console")
def test_it_shows_a_real_server_until_that_ends(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    script = (
        "import netcode\n"
        f"with netcode.Server('127.0.0.1', 0, game='chess', status={str(path)!r}) as server:\n"
        "    for tick in server.ticks(60):\n"
        "        server.events()\n"
        "        if tick == 0: print('ready')\n"
    )
    server = start("-c", script)
    server.until("ready")

    program = start("-m", "netcode", "top", path, "--interval", "0.2")
    program.until("updates")
    server.interrupt()

    assert (program.status(), server.status()) == (0, 0)
    assert "the server is gone" in program.output
