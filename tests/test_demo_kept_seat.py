"""Tests of the file in which the ticket of a seat outlives the window."""

import os
import sys
from contextlib import closing
from pathlib import Path

import pytest
from programs import Start

from demo_game.hosting import store_for
from demo_game.window.kept_seat import LONG, SLOTS, KeptSeat, left_behind

SERVER = "server:7777"


def seat_in(folder: Path, server: str = SERVER, name: str = "Anne") -> KeptSeat:
    return KeptSeat(server, name, folder / "broadside")


def test_the_next_run_finds_what_was_kept(tmp_path: Path) -> None:
    with closing(seat_in(tmp_path)) as seat:
        nothing = seat.ticket
        seat.keep("a long ticket")
        seat.keep("a ticket")
        seat.keep("a ticket")

    with closing(seat_in(tmp_path)) as seat:
        kept = seat.ticket
        seat.keep(None)
    with closing(seat_in(tmp_path)) as seat:
        assert (nothing, kept, seat.ticket) == (None, "a ticket", None)


def test_each_server_and_each_name_has_its_own(tmp_path: Path) -> None:
    with closing(seat_in(tmp_path)) as seat:
        seat.keep("a ticket")

    with (
        closing(seat_in(tmp_path, server="other:7777")) as other_server,
        closing(seat_in(tmp_path, name="Bob")) as other_name,
    ):
        assert (other_server.ticket, other_name.ticket) == (None, None)


def test_of_two_windows_each_keeps_its_own(tmp_path: Path) -> None:
    first, second = seat_in(tmp_path), seat_in(tmp_path)
    first.keep("first")
    second.keep("second")

    second.close()
    with closing(seat_in(tmp_path)) as third:
        found = third.ticket
    first.close()
    with closing(seat_in(tmp_path)) as fourth:
        assert (found, fourth.ticket) == ("second", "first")


def test_more_windows_than_that_keep_nothing(tmp_path: Path) -> None:
    seats = [seat_in(tmp_path) for _ in range(SLOTS + 1)]

    for seat in seats:
        seat.keep("a ticket")
        seat.close()

    assert len([*(tmp_path / "broadside").iterdir()]) == SLOTS
    assert seats[-1].ticket == "a ticket"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps others out by other means")
def test_what_is_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    with closing(seat_in(tmp_path)) as seat:
        seat.keep("a ticket")

    [file] = (tmp_path / "broadside").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "Anne" not in file.name


def test_where_nothing_can_be_kept_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broadside").write_text("in the way")

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    for name in ("XDG_STATE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert store_for(7777) is None
    for seat in (seat_in(tmp_path), KeptSeat(SERVER, "Anne")):
        seat.keep("a ticket")
        assert seat.ticket == "a ticket"
        seat.close()


def test_a_kill_while_a_ticket_is_kept_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(file: int, data: bytes) -> int:
        raise KeyboardInterrupt

    with closing(seat_in(tmp_path)) as seat:
        seat.keep("a long ticket")
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", killed)
            with pytest.raises(KeyboardInterrupt):
                seat.keep("another")

    with closing(seat_in(tmp_path)) as seat:
        assert seat.ticket == "a long ticket"
        seat.keep("short")
    with closing(seat_in(tmp_path)) as seat:
        assert seat.ticket == "short"


def test_a_full_disk_ends_no_game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with closing(seat_in(tmp_path)) as seat:
        monkeypatch.setattr(os, "write", full)
        seat.keep("a ticket")

        assert seat.ticket == "a ticket"


def test_it_is_kept_where_the_system_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALAPPDATA" if sys.platform == "win32" else "XDG_STATE_HOME", str(tmp_path))

    with closing(KeptSeat(SERVER, "Anne")) as seat:
        seat.keep("a ticket")
    with closing(KeptSeat(SERVER, "Anne")) as seat:
        assert seat.ticket == "a ticket"
    assert [folder.name for folder in tmp_path.iterdir()] == ["broadside"]
    assert (store_for(7777), store_for(0)) == (tmp_path / "broadside" / "tables-7777.db", None)


def test_seats_that_nobody_holds_are_found_again_the_newest_first(tmp_path: Path) -> None:
    folder = tmp_path / "broadside"
    now = LONG + 1000.0
    for when, name, ticket in (
        (now - 30, "Anne", "a ticket"),
        (now - 20, "Bob", "a ticket"),
        (now - 10, "Carl", None),
        (999.0, "Dora", "a ticket"),
        (now - 5, "Eve", "a ticket"),
    ):
        before = {*folder.glob("*")}
        with closing(KeptSeat(SERVER, name, folder, {"name": name, "port": 7777})) as seat:
            seat.keep(ticket)
        [file] = {*folder.glob("*")} - before
        os.utime(file, (when, when))
    (folder / ("0" * 16 + "-0")).write_text("a ticket\n[1, 2")
    (folder / ("1" * 16 + "-0")).write_text("a ticket\n[1, 2]")
    (folder / ("2" * 16 + "-0")).write_text("a ticket of an older version")

    with closing(KeptSeat(SERVER, "Eve", folder)):
        found = left_behind(folder, now=lambda: now)

    assert found == [{"name": "Bob", "port": 7777}, {"name": "Anne", "port": 7777}]
    assert left_behind(tmp_path / "nowhere") == []


@pytest.mark.process
def test_who_was_killed_holds_its_file_no_longer(tmp_path: Path, start: Start) -> None:
    program = start(
        "-c",
        "import sys, time, pathlib; from demo_game.window.kept_seat import KeptSeat\n"
        "seat = KeptSeat('server:7777', 'Anne', pathlib.Path(sys.argv[1]) / 'broadside')\n"
        "seat.keep('a ticket'); print('kept', flush=True); time.sleep(100)",
        tmp_path,
    )
    program.until("kept")
    with closing(seat_in(tmp_path)) as other:
        meanwhile = other.ticket

    program.stop()
    program.status()

    with closing(seat_in(tmp_path)) as seat:
        assert (meanwhile, seat.ticket) == (None, "a ticket")
