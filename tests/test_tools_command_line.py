"""Help and usage end a program as they should, wherever its output goes."""

import contextlib
import io
import os
import subprocess
import sys
from functools import partial

import pytest
from programs import DEADLINE, ROOT

from netcode.tools.command_line import Parser
from netcode.tools.where import server_address


def test_usage_goes_to_the_errors_and_help_to_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="game", description="Schiffe versenken – übers Netz.")

    with pytest.raises(SystemExit) as wrong:
        parser.parse_args(["--fast"])
    with pytest.raises(SystemExit) as helped:
        parser.parse_args(["--help"])

    out, err = capsys.readouterr()
    assert (wrong.value.code, helped.value.code) == (2, 0)
    assert err == "usage: game [-h]\ngame: error: unrecognized arguments: --fast\n"
    assert "Schiffe versenken – übers Netz." in out


def test_what_was_pasted_is_not_said_whole_and_its_end_says_what_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="game")
    parser.add_argument("place", type=server_address)

    with pytest.raises(SystemExit):
        parser.parse_args(["a:" + "b" * 100_000])
    one = capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser.parse_args(["--" + "b" * 100_000, "localhost"])
    other = capsys.readouterr().err

    assert len(one) < 400
    assert one.endswith(" is no address: a port is a number from 1 to 65535, as in localhost:7777\n")
    assert len(other) < 1200
    assert "bb … bb" in other


def test_who_names_no_command_reads_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="game")
    parser.add_subparsers(required=True, metavar="COMMAND").add_parser("serve", help="run a server")

    with pytest.raises(SystemExit) as ended:
        parser.parse_args([])

    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert "run a server" in err
    assert err.endswith("game: the following arguments are required: COMMAND\n")


def test_who_mistypes_an_option_of_a_command_reads_which_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="game")
    parser.add_argument("--quiet", action="store_true")
    serve = parser.add_subparsers(required=True, metavar="COMMAND").add_parser("serve", help="run a server")
    serve.add_argument("--port")

    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["serve", "--prot", "7777"])
    err = capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser.parse_args(["--loud", "serve"])

    assert ended.value.code == 2
    assert err == ("usage: game serve [-h] [--port PORT]\ngame serve: error: unrecognized arguments: --prot 7777\n")
    assert capsys.readouterr().err.endswith("\ngame: unrecognized arguments: --loud\n")
    assert parser.parse_args(["--quiet", "serve", "--port", "7777"]).port == "7777"


@pytest.mark.parametrize(
    ("takes", "typed", "told"),
    [
        ("server", "localhost 7777", "7777; the port belongs to the address, as in localhost:7777"),
        ("--port", "localhost 7777", "localhost 7777; write --port 7777"),
        ("--port", "localhost", "localhost"),
        ("--games", "7777", "7777"),
        ("--at", "localhost:7777", "localhost:7777; a server is given by --at localhost:7777"),
        ("--at", "localhost 7777", "localhost 7777; a server is given by --at localhost:7777"),
        ("--at", "localhost Ann", "localhost Ann"),
        ("--at", "::1 7777", "::1 7777; a server is given by --at [::1]:7777"),
        ("--at", "::1", "::1; a server is given by --at ::1"),
        ("--at", "localhost 99999", "localhost 99999"),
        ("--at", "--at localhost Ann", "Ann"),
        ("--at", "--at localhost 7777", "7777; the port belongs to the address, as in localhost:7777"),
        ("--port", "--port 7777 7777", "7777"),
        ("server", "::1 7777", "7777; the port belongs to the address, as in [::1]:7777"),
        ("server", "localhost 99999", "99999"),
        ("--games", "localhost", "localhost"),
    ],
)
def test_who_writes_a_server_or_a_port_by_itself_reads_where_it_belongs(
    takes: str, typed: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = Parser(prog="game")
    parser.add_argument(
        takes,
        metavar=None if takes in ("--port", "--games") else "HOST[:PORT]",
        type=partial(server_address) if takes == "server" else str,
    )

    with pytest.raises(SystemExit):
        parser.parse_args(typed.split())

    assert capsys.readouterr().err.endswith(f"game: error: unrecognized arguments: {told}\n")


def test_what_the_output_cannot_encode_is_escaped() -> None:
    file = io.BytesIO()
    output = io.TextIOWrapper(file, encoding="ascii")
    with contextlib.redirect_stdout(output), pytest.raises(SystemExit) as ended:
        Parser(prog="game", description="übers Netz").parse_args(["--help"])

    assert ended.value.code == 0
    assert b"\\xfcbers Netz" in file.getvalue()
    output.close()


@pytest.mark.process
@pytest.mark.parametrize(
    "command",
    [
        ["netcode", "--help"],
        ["netcode", "--version"],
        ["netcode", "lag", "--help"],
        ["netcode.turns", "--help"],
        ["netcode.turns", "check", "examples/turns/tictactoe.py", "--games", "4"],
        ["netcode.turns", "play", "examples/turns/tictactoe.py", "--bots", "2", "--think", "0"],
    ],
    ids=" ".join,
)
def test_a_command_whose_reader_left_ends_with_its_own_status(command: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            stdin=subprocess.DEVNULL,
            stdout=nobody,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            timeout=DEADLINE,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUNBUFFERED": ""},
        )

    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if not line.startswith("cannot print: ")] == []
