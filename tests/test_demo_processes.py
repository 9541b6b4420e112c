"""Tests of Broadside as its users start it: real processes, real signals, deadlines for everything."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from certificates import Certificate, needs_openssl
from programs import DEADLINE, Program, Start

from benchmarks.ports import free_port

pytestmark = pytest.mark.process

NO_DISPLAY = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "SDL_VIDEODRIVER": ""}
WITHOUT_DISPLAYS = pytest.mark.skipif(sys.platform != "linux", reason="other systems have a display wherever they run")
WITH_SIGNALS = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGSTOP nor a Ctrl-C to send")


def demo(start: Start, *arguments: object) -> Program:
    return start("-m", "demo_game", *arguments, environment=NO_DISPLAY)


def serve(start: Start, *options: object, port: object = 0) -> tuple[Program, str]:
    server = demo(start, "serve", "--host", "127.0.0.1", "--port", port, *options)
    return server, server.until(r"listening on (127\.0\.0\.1:\d+)\n")[1]


def bot(start: Start, address: str, name: str, *options: object) -> Program:
    return demo(start, "bot", address, "--name", name, *options)


@WITHOUT_DISPLAYS
def test_without_a_display_two_bots_play_a_whole_game_in_the_terminal(start: Start) -> None:
    patient = "import demo_game.__main__ as demo, demo_game.programs as programs; programs.GOODBYE_TIME = 1000.0; "
    program = start("-c", f"{patient}raise SystemExit(demo.main())", "--pace", 0, environment=NO_DISPLAY)

    assert program.status() == 0  # once the goodbye is out, and not when it would be late
    assert program.output.startswith("No window can be opened here: ")
    shots = re.findall(r"^ *(\d+)\. \w[\w ]* fires at [A-J]\d+: ", program.output, re.MULTILINE)
    assert [int(number) for number in shots] == list(range(1, len(shots) + 1))
    assert len(shots) >= 33
    assert re.search(r"^(Blackbeard|Anne Bonny) wins: \1 has sunk the whole fleet of", program.output, re.MULTILINE)


@WITHOUT_DISPLAYS
def test_without_a_display_playing_is_refused_with_the_reason(start: Start) -> None:
    program = demo(start, "play", "127.0.0.1:1")

    assert program.status() == 1
    assert "neither DISPLAY nor WAYLAND_DISPLAY is set" in program.output


def test_two_bots_play_on_a_dedicated_server_before_a_spectator(start: Start) -> None:
    _, address = serve(start)
    first = bot(start, address, "Drake", "--pace", 0.02, "--games", 1)
    spectator = demo(start, "watch", address, "--text", "--games", 1)
    second = bot(start, address, "Teach", "--pace", 0.02, "--games", 1)

    assert [program.status() for program in (first, second, spectator)] == [0, 0, 0]
    (winner,) = set(re.findall(r"(\w+) wins: ", spectator.output + first.output + second.output))
    assert f"{winner} has sunk the whole fleet of" in spectator.output


@WITH_SIGNALS
def test_a_stopped_player_is_counted_out_and_a_woken_one_plays_on(start: Start) -> None:
    _, address = serve(start, "--timeout", 3, "--grace", 4)
    drake, teach = (bot(start, address, name, "--pace", 0.2) for name in ("Drake", "Teach"))
    teach.until(r"1\. ")

    with drake.held():
        teach.until(r"Drake has lost the connection; waiting for the return")
    teach.until(r"Drake is back\n(?:.*\n)*.*Drake fires")

    with drake.held():
        teach.until(r"Teach wins: Drake lost the connection and did not come back in time")


@WITH_SIGNALS
def test_a_server_that_is_killed_and_started_again_goes_on_with_the_game(start: Start, tmp_path: Path) -> None:
    port = free_port()  # it is to be free again
    server, address = serve(start, "--store", tmp_path / "tables.db", port=port)
    players = [bot(start, address, name, "--pace", 0.05, "--games", 1) for name in ("Drake", "Teach")]
    players[1].until(r"9\. ")

    server.stop()
    server.status()
    players[1].until("; looking for the server")
    serve(start, "--store", tmp_path / "tables.db", port=port)

    assert [player.status() for player in players] == [0, 0]
    for player in players:
        shots = re.findall(r"^ *(\d+)\. ", player.output, re.MULTILINE)
        assert [int(number) for number in shots] == list(range(1, len(shots) + 1))
        assert "has sunk the whole fleet of" in player.output


@WITH_SIGNALS
def test_a_server_and_a_bot_that_are_stopped_by_hand_end_well(start: Start) -> None:
    server, address = serve(start)
    drake, teach = (bot(start, address, name) for name in ("Drake", "Teach"))
    for player in (drake, teach):
        player.until("against")

    os.kill(drake.pid, signal.SIGTERM)

    assert drake.status() == 0
    teach.until("Drake: «thank you for the game»\n(?:.*\n)*Teach wins: Drake gave up")
    teach.interrupt()
    assert teach.status() == 0
    server.interrupt()
    assert server.status() == 0
    assert "Traceback" not in drake.output + teach.output + server.output


@WITH_SIGNALS
def test_a_window_that_is_killed_finds_its_seat_again(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("pygame", reason="the window needs pygame")
    _, address = serve(start)
    environment = {"SDL_VIDEODRIVER": "dummy", "XDG_STATE_HOME": str(tmp_path / "state")}
    play = "import sys, demo_game.__main__ as demo; demo.why_no_window = lambda: None; demo.main(sys.argv[1:])"

    def window() -> Program:
        return start("-c", play, "play", address, "--name", "Anne", environment=environment)

    first = window()
    other = bot(start, address, "Drake")
    other.until("against")
    deadline = time.monotonic() + DEADLINE
    while not any(file.read_text() for file in tmp_path.glob("state/broadside/*-0")):
        assert time.monotonic() < deadline, "the window did not keep its ticket"
        time.sleep(0.02)

    first.stop()
    other.until("Anne has lost the connection; waiting for the return")
    window()

    other.until("Anne is back")
    assert "wins" not in other.output


@WITH_SIGNALS
def test_a_window_that_hosts_and_is_killed_has_kept_the_game_for_its_guest(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("pygame", reason="the window needs pygame")
    port = free_port()
    environment = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy", "XDG_STATE_HOME": str(tmp_path / "state")}
    host = (
        "import sys; sys.modules['zeroconf'] = None; "  # nothing is said on a real network
        "from demo_game.window.plan import *; from demo_game.window.run import play; "
        f"play('Anne', Plan(Way.HOST, 'Anne', ('', {port})))"
    )

    first = start("-W", "ignore", "-c", host, environment=environment)
    deadline = time.monotonic() + DEADLINE
    while not any(file.read_text() for file in tmp_path.glob("state/broadside/*-0")):
        assert time.monotonic() < deadline, "the window did not open a table"
        time.sleep(0.02)
    guest = bot(start, f"127.0.0.1:{port}", "Drake")
    guest.until("Anne against Drake\n(?:.*\n)*Drake has hidden the fleet")

    first.stop()
    guest.until("; looking for the server")
    start("-W", "ignore", "-c", host, environment=environment)

    guest.until("the connection is back\n(?:.*\n)*(?:Anne|Drake) is back")
    assert guest.output.count("against") == guest.output.count("hidden the fleet") == 1
    assert "wins" not in guest.output


def test_a_server_that_cannot_listen_says_why(start: Start) -> None:
    server = demo(start, "serve", "--host", "no.such.host.invalid", "--port", 7777)

    text = "the name no.such.host.invalid has no address; is it spelled right?"
    assert server.status() == 1
    assert server.output == f"cannot listen on no.such.host.invalid:7777: {text}\n"


def test_a_full_server_says_so_at_once(start: Start) -> None:
    _, address = serve(start, "--max-players", 1)
    bot(start, address, "Drake").until("at a table")
    player = bot(start, address, "Teach")

    assert player.status() == 1
    assert "The server is full" in player.output


def test_without_a_server_the_reason_is_told(start: Start) -> None:
    server, address = serve(start)
    server.stop()
    server.status()
    player = bot(start, address, "Drake")

    assert player.status() == 1
    assert f"Nothing is listening on {address}; is the server started?" in player.output


def test_a_taken_port_is_told(start: Start) -> None:
    _, address = serve(start)
    second = demo(start, "serve", "--host", "127.0.0.1", "--port", address.rpartition(":")[2])

    assert second.status() == 1
    assert "the port is taken" in second.output


@needs_openssl
def test_a_server_with_a_certificate_encrypts_for_those_who_say_so(start: Start, certificate: Certificate) -> None:
    server, address = serve(start, "--store", "memory", "--tls", certificate.cert, certificate.key)
    trusting = {**NO_DISPLAY, "SSL_CERT_FILE": str(certificate.cert)}
    player = ("-m", "demo_game", "bot", address, "--tls", "--pace", 0.02, "--games", 1, "--name")
    first, second = (start(*player, name, environment=trusting) for name in ("Drake", "Teach"))
    stranger, plain = demo(start, "watch", address, "--tls", "--text"), demo(start, "watch", address, "--text")

    server.until("the games are in memory alone, and end with the server\n")
    assert [program.status() for program in (first, second, stranger, plain)] == [0, 0, 1, 1]
    assert "has a certificate that is not trusted" in stranger.output
    assert "it looks like a TLS server; is --tls missing at this end, or the port wrong?" in plain.output


def test_a_certificate_that_is_none_is_told(start: Start, tmp_path: Path) -> None:
    server = demo(start, "serve", "--port", 0, "--tls", tmp_path / "chain.pem", tmp_path / "key.pem")

    assert server.status() == 1
    assert re.search(r"the certificate in .*chain.pem, with the key in .*key.pem, cannot be used: ", server.output)


def test_where_its_games_are_kept_is_told(start: Start, tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    homeless = {**NO_DISPLAY, "XDG_STATE_HOME": str(tmp_path / "state"), "LOCALAPPDATA": str(tmp_path / "state")}
    port, (kept, _) = str(free_port()), serve(start, "--store", tmp_path / "tables.db")
    forgets = start("-m", "demo_game", "serve", "--host", "127.0.0.1", "--port", port, environment=homeless)

    kept.until(r"the games are kept in .*tables.db\n")
    forgets.until(r"in memory alone, .*: there is no place for a database; give one by --store FILE\n")


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
