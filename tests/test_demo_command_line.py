"""Tests of the command line of Broadside that need no process of their own."""

import argparse
import sys

import pytest

from demo_game.__main__ import _parser, main
from demo_game.hosting import host_and_port, invitation
from demo_game.window import display


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("localhost", ("localhost", 7777)),
        ("localhost:8000", ("localhost", 8000)),
        ("192.168.1.7:1", ("192.168.1.7", 1)),
        ("::1", ("::1", 7777)),
        ("[::1]", ("::1", 7777)),
        ("[::1]:8000", ("::1", 8000)),
    ],
)
def test_a_server_is_a_host_and_perhaps_a_port(text: str, target: tuple[str, int]) -> None:
    assert host_and_port(text) == target


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" localhost:8000/ ", (("localhost", 8000), "", False)),
        ("http://192.168.1.7:7777/#room=KTQXB&game=Broadside", (("192.168.1.7", 7777), "KTQXB", False)),
        ("https://play.example.org/#room=%23c0ffee&game=Broadside", (("play.example.org", 443), "#c0ffee", True)),
        ("http://[::1]", (("::1", 80), "", False)),
    ],
)
def test_a_link_for_a_friend_leads_to_its_table(text: str, found: tuple[tuple[str, int], str, bool]) -> None:
    assert invitation(text) == found


@pytest.mark.parametrize("text", ["http://[::1", "http://[::1]:x/", "https://h:99999/", "http://", ""])
def test_half_a_link_is_told_as_any_other_address(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"no address|empty|missing"):
        invitation(text)


@pytest.mark.parametrize("room", ["x" * 65, "a%00b", "%1B[2J"])
def test_a_link_with_a_code_that_no_table_has_is_told_as_such(room: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bot", f"http://localhost:1/#room={room}"])

    assert "that link leads to no table: its room is no text of at most 64 characters" in capsys.readouterr().err


def test_what_a_link_says_is_not_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[argparse.Namespace] = []

    def note(options: argparse.Namespace) -> int:
        told.append(options)
        return 0

    monkeypatch.setattr("demo_game.__main__._bot", note)

    for words in (["https://h:1/#room=parrot"], ["http://h/#room=parrot", "--code", "ours", "--tls"]):
        assert main(["bot", *words]) == 0

    assert [(one.server, one.code, one.tls) for one in told] == [(("h", 1), "parrot", True), (("h", 80), "ours", True)]


@pytest.mark.parametrize("text", ["localhost:", "localhost:http", "localhost:0", "localhost:65536", "localhost:٣"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no address: a port is a number from 1 to 65535"):
        host_and_port(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":7777",
        "[]",
        "[]:7777",
        "[::1",
        "::1]:80",
        "a\nb",
        "\udcff",
        "localhost:7798:3",
        "[::g]:1",
        "http://host",
        "ws://host:7777/",
        "a b",
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is no address|host must be a name or an address"):
        host_and_port(text)


@pytest.mark.parametrize(
    "arguments",
    [
        "serve --port 65536",
        "serve --port -1",
        "serve --port x",
        "serve --timeout -1",
        "serve --timeout nan",
        "serve --grace inf",
        "serve --max-players -5",
        "serve --max-players 0",
        "serve --max-players many",
        "bot localhost --pace -1",
        "bot localhost --pace slow",
        "bot localhost --games -1",
        "play localhost --clock soon",
        "watch localhost --games 0.5",
        "play :7777",
        "--pace nan",
        "dance",
    ],
)
def test_what_no_program_can_do_is_told_before_it_starts(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments.split(" "))

    assert ended.value.code == 2
    assert "error: argument" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("arguments", ["--name Anne bot localhost", "bot localhost --name Anne", "--name Anne"])
def test_a_name_counts_wherever_it_stands(arguments: str) -> None:
    assert _parser().parse_args(arguments.split(" ")).name == "Anne"


@pytest.mark.parametrize(("typed", "name"), [("x" * 100_000, "x" * 16), ("\x1b[31mAnne\udcff", "[31mAnne"), ("\n", "")])
def test_a_name_is_cut_to_what_can_be_sent_and_shown(typed: str, name: str) -> None:
    assert _parser().parse_args(["bot", "localhost", "--name", typed]).name == name


def test_a_bad_server_is_told_like_any_bad_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["play", "localhost:x"])

    assert "'localhost:x' is no address: a port is a number from 1 to 65535" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="only there displays are named in the environment")
@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({}, "neither DISPLAY nor WAYLAND_DISPLAY is set"),
        ({"SDL_VIDEODRIVER": "dummy"}, "SDL_VIDEODRIVER=dummy shows nothing"),
        ({"SDL_VIDEODRIVER": "offscreen", "DISPLAY": ":0"}, "SDL_VIDEODRIVER=offscreen shows nothing"),
    ],
)
def test_where_there_is_no_display_the_reason_is_known(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], why: str
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert display.why_no_window() == why


def test_without_pygame_the_reason_is_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    monkeypatch.setitem(sys.modules, "pygame", None)

    reason = display.why_no_window()

    assert reason is not None
    assert reason.startswith("pygame is not installed")
