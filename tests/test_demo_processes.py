"""Tests of Broadside as its users start it: real processes, real signals, deadlines for everything."""

import re
import signal
import sys
import time
import uuid
from pathlib import Path

import pytest
from programs import DEADLINE, Program, Start

from demo_game import local, processes
from demo_game.session import Session

pytestmark = pytest.mark.process

NO_DISPLAY = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "SDL_VIDEODRIVER": ""}
WITHOUT_DISPLAYS = pytest.mark.skipif(sys.platform != "linux", reason="other systems have a display wherever they run")
WITH_SIGNALS = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGSTOP nor a Ctrl-C to send")


def demo(start: Start, *arguments: object) -> Program:
    return start("-m", "demo_game", *arguments, environment=NO_DISPLAY)


def serve(start: Start, *options: object) -> tuple[Program, str]:
    server = demo(start, "serve", "--host", "127.0.0.1", "--port", 0, *options)
    return server, server.until(r"listening on (127\.0\.0\.1:\d+)\n")[1]


def bot(start: Start, address: str, name: str, *options: object) -> Program:
    return demo(start, "bot", address, "--name", name, *options)


def processes_with(marker: str) -> list[str]:
    """Give the command lines of the processes that carry the marker in their environment."""
    found: list[str] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            pass  # it has ended, or is not ours
    return found


@WITHOUT_DISPLAYS
def test_without_a_display_two_bots_play_a_whole_game_in_the_terminal(start: Start) -> None:
    marker = uuid.uuid4().hex
    program = start("-m", "demo_game", "--pace", 0, environment={**NO_DISPLAY, "BROADSIDE_TEST": marker})

    assert program.status() == 0
    assert program.output.startswith("No window can be opened here: ")
    shots = re.findall(r"^ *(\d+)\. \w[\w ]* fires at [A-J]\d+: ", program.output, re.MULTILINE)
    assert [int(number) for number in shots] == list(range(1, len(shots) + 1))
    assert len(shots) >= 33
    assert re.search(r"^(Blackbeard|Anne Bonny) wins: \1 has sunk the whole fleet of", program.output, re.MULTILINE)
    assert processes_with(marker) == []


@WITHOUT_DISPLAYS
def test_the_child_processes_end_however_the_first_one_ends(start: Start) -> None:
    marker = uuid.uuid4().hex
    program = start("-m", "demo_game", "--pace", 30, environment={**NO_DISPLAY, "BROADSIDE_TEST": marker})
    program.until("against")
    assert len(processes_with(marker)) == 4

    program.stop()

    program.status()
    deadline = time.monotonic() + DEADLINE
    while processes_with(marker):
        assert time.monotonic() < deadline, processes_with(marker)
        time.sleep(0.02)


def test_a_bot_that_died_is_started_anew_and_no_child_outlives_the_game(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "REST", 0.0)
    with processes.Children() as children:
        port = children.start_server()
        children.start_bot(port, "--name", "Drake")
        server, first = children._children
        children.tend()
        assert children._children == [server, first]
        first.kill()
        first.wait()

        children.tend()

        assert len(children._children) == 2
        second = children._children[1]
        assert second is not first
        server.kill()
        server.wait()
        second.kill()
        second.wait()
        children.tend()
        assert children._children == [server, second]


def test_a_failed_bot_ends_the_show_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed: list[float] = []

    def fail(session: Session, **_: object) -> int:
        deadline = time.monotonic() + DEADLINE
        while not session.joined:
            assert time.monotonic() < deadline
            session.wait(0.1)
            session.update()
        failed.append(time.monotonic())
        raise processes.ChildFailedError("a bot has failed")

    monkeypatch.setattr(local, "watch_in_terminal", fail)

    assert local.show_two_bots(0) == 1

    assert time.monotonic() - failed[0] < processes.PATIENCE
    assert capsys.readouterr().out == "a bot has failed\n"


@WITHOUT_DISPLAYS
def test_without_a_display_playing_is_refused_with_the_reason(start: Start) -> None:
    program = demo(start, "play", "127.0.0.1:1")

    assert program.status() == 1
    assert "neither DISPLAY nor WAYLAND_DISPLAY is set" in program.output


def test_two_bots_play_on_a_dedicated_server_before_a_spectator(start: Start) -> None:
    server, address = serve(start)
    spectator = demo(start, "watch", address, "--text", "--games", 1)
    spectator.until("waiting for a game")
    bots = [bot(start, address, name, "--pace", 0, "--games", 1) for name in ("Drake", "Teach")]

    assert [program.status() for program in (*bots, spectator)] == [0, 0, 0]
    (winner,) = set(re.findall(r"(\w+) wins: ", spectator.output + bots[0].output + bots[1].output))
    assert f"{winner} has sunk the whole fleet of" in spectator.output
    server.until(r"Drake \(127\.0\.0\.1:\d+\) left: thank you for the game")


@WITH_SIGNALS
def test_a_stopped_player_is_counted_out_and_a_woken_one_plays_on(start: Start) -> None:
    _, address = serve(start, "--timeout", 6, "--grace", 1)
    drake, teach = (bot(start, address, name, "--pace", 0.2) for name in ("Drake", "Teach"))
    teach.until(r"1\. ")

    drake._process.send_signal(signal.SIGSTOP)
    teach.until(r"Drake has been silent for \d s; the link ends at 6 s")
    drake._process.send_signal(signal.SIGCONT)
    teach.until(r"Drake is heard again\n(?:.*\n)*.*Drake fires")
    drake._process.send_signal(signal.SIGSTOP)

    teach.until(r"Drake has lost the connection; waiting for the return")
    teach.until(r"Teach wins: Drake is gone: ")


@WITH_SIGNALS
def test_all_read_that_the_server_is_shutting_down(start: Start) -> None:
    server, address = serve(start)
    players = [bot(start, address, name) for name in ("Drake", "Teach")]
    players.append(demo(start, "watch", address, "--text"))
    for player in players:
        player.until("Drake|waiting")
    players[1].until("against")

    server.interrupt()

    assert server.status() == 0
    for player in players:
        assert player.status() == 0
        assert player.output.endswith("server is shutting down\n")


@WITH_SIGNALS
def test_a_second_ctrl_c_ends_the_server_at_once(start: Start) -> None:
    server, address = serve(start)
    asleep = bot(start, address, "Drake")
    server.until("Drake")
    asleep._process.send_signal(signal.SIGSTOP)

    server.interrupt()
    server.until("server is shutting down")
    server.interrupt()

    assert server.status() == 0


@WITH_SIGNALS
def test_a_bot_that_is_stopped_by_hand_says_goodbye(start: Start) -> None:
    server, address = serve(start)
    drake, teach = (bot(start, address, name) for name in ("Drake", "Teach"))
    teach.until("against")

    drake._process.send_signal(signal.SIGTERM)

    assert drake.status() == 0
    teach.until("Teach wins: Drake left: «thank you for the game»")
    assert server._process.poll() is None


@WITH_SIGNALS
def test_a_window_that_is_killed_finds_its_seat_again(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("pygame", reason="the window needs pygame")
    server, address = serve(start)
    environment = {"SDL_VIDEODRIVER": "dummy", "XDG_STATE_HOME": str(tmp_path / "state")}
    play = "import sys, demo_game.__main__ as demo; demo.why_no_window = lambda: None; demo.main(sys.argv[1:])"

    def window() -> Program:
        return start("-c", play, "play", address, "--name", "Anne", environment=environment)

    first = window()
    server.until(r"Anne \(.*\) plays")
    other = bot(start, address, "Drake")
    other.until("against Drake")

    first._process.kill()
    other.until("Anne has lost the connection; waiting for the return")
    window()

    other.until("Anne is back")
    server.until(r"Anne \(.*\) is back")
    assert " left:" not in server.output


def test_a_server_with_another_version_names_both(start: Start) -> None:
    _, address = serve(start, "--game-version", 2)
    player = bot(start, address, "Drake")

    assert player.status() == 1
    assert "the server runs broadside 2, this is broadside 1" in player.output


def test_a_server_that_cannot_listen_says_why(start: Start) -> None:
    server = demo(start, "serve", "--host", "no.such.host.invalid", "--port", 7777)

    text = "the name no.such.host.invalid has no address; is it spelled right?"
    assert server.status() == 1
    assert server.output == f"cannot listen on no.such.host.invalid:7777: {text}\n"


def test_a_full_server_says_so_at_once(start: Start) -> None:
    server, address = serve(start, "--max-players", 1)
    bot(start, address, "Drake")
    server.until("Drake")
    player = bot(start, address, "Teach")

    assert player.status() == 1
    assert "the server is full" in player.output


def test_without_a_server_the_reason_is_told(start: Start) -> None:
    server, address = serve(start)
    server.stop()
    server.status()
    player = bot(start, address, "Drake")

    assert player.status() == 1
    assert f"nothing is listening on {address}; is the server started?" in player.output


def test_a_taken_port_is_told(start: Start) -> None:
    _, address = serve(start)
    second = demo(start, "serve", "--host", "127.0.0.1", "--port", address.rpartition(":")[2])

    assert second.status() == 1
    assert "the port is taken" in second.output


def test_a_server_that_cannot_be_is_told(start: Start) -> None:
    server = demo(start, "serve", "--port", 0, "--timeout", 0.1)

    assert server.status() == 1
    assert "must be below timeout (0.1)" in server.output
    assert "Traceback" not in server.output


def test_the_help_needs_neither_pygame_nor_a_display(start: Start) -> None:
    program = start("-X", "importtime", "-m", "demo_game", "--help", environment=NO_DISPLAY)

    assert program.status() == 0
    assert "serve" in program.output
    assert "pygame" not in re.sub(r"usage.*", "", program.output, flags=re.DOTALL)
