"""Tests of the command line of Broadside that need no process of their own."""

import argparse
import re
import sys

import pytest

from demo_game.__main__ import _parser, main
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
    assert _parser().parse_args(["bot", text]).server.address == target


def test_a_link_with_a_code_that_no_table_has_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bot", "http://localhost:1/#room=a%00b"])

    assert "that link leads to no table: its room is no text of at most 64 characters" in capsys.readouterr().err


def test_what_a_link_says_is_not_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[argparse.Namespace] = []

    def note(options: argparse.Namespace) -> int:
        told.append(options)
        return 0

    monkeypatch.setattr("demo_game.__main__._bot", note)

    for words in (["https://h:1/#room=parrot"], ["http://h/#room=parrot", "--code", "ours", "--tls"], ["h:2"]):
        assert main(["bot", *words]) == 0

    assert [(one.server, one.code, one.tls) for one in told] == [
        (("h", 1), "parrot", True),
        (("h", 80), "ours", True),
        (("h", 2), "", False),
    ]


@pytest.mark.parametrize("text", ["localhost:", "localhost:http", "localhost:0", "localhost:65536", "localhost:٣"])
def test_what_is_no_port_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["bot", text])

    assert "is no address: a port is a number from 1 to 65535" in capsys.readouterr().err


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
        "ws://host:7777/",
        "a b",
    ],
)
def test_what_is_no_host_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["bot", text])

    assert re.search(r"is no address|host must be a name or an address", capsys.readouterr().err)


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
