"""The programs that stand in the README, in the examples and in the demo, among strangers: none of them is ended.

They run with an output that can say ASCII and nothing else, and with warnings as errors.
"""

import itertools
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from docs_blocks import code_of
from faults.wire import WELCOME, Stranger, control, frame, hello, message
from programs import DEADLINE, ROOT, Program, Start

import netcode
from benchmarks.ports import free_port
from netcode import Client, State

pytestmark = pytest.mark.process

README = code_of("README.md")[0]
RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""What SO_LINGER takes for a close that is a reset."""
AT_ONCE = 4
"""Strangers that come together: most of their time they wait for a tick of the server."""
NAME = "Zoë 😀 海\x1b[2J\r\nnumber 2 left"

SERVERS = {
    "README": ("hello", "1"),
    "chat": ("chat", ""),
    "many": ("many", ""),
    "demo": ("netcode.turns", "1"),
}
"""The game and the version of each server that speaks messages."""


@dataclass
class Played:
    """A program that serves, where it is to be found, and a player who behaves."""

    program: Program
    port: int
    game: str
    version: str
    honest: Client

    def update(self) -> None:
        self.honest.update()
        for event in self.honest.events():
            assert not isinstance(event, netcode.Left), f"{event}\n{self.program.output}"

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"it never came true\n{self.program.output}"
            assert self.program.is_running(), self.program.output
            self.update()
            time.sleep(0.001)

    def strangers(self, count: int) -> list[Stranger]:
        """Let so many come in."""
        strangers = [Stranger(netcode.connect("127.0.0.1", self.port)) for _ in range(count)]
        for stranger in strangers:
            stranger.say(hello(self.game, self.version))

        def are_in() -> bool:
            for stranger in strangers:
                stranger.update()
            return all(stranger.told(WELCOME) for stranger in strangers)

        self.until(are_in)
        return strangers

    def stranger(self, *data: bytes) -> Stranger:
        """Let somebody come in and say `data`."""
        [stranger] = self.strangers(1)
        stranger.say(*data)
        return stranger

    def have_said(self, *sayings: bytes) -> None:
        """Let somebody come in for each of these, say it and goodbye; return when all was read."""
        for start in range(0, len(sayings), AT_ONCE):
            some = sayings[start : start + AT_ONCE]
            strangers = self.strangers(len(some))
            for stranger, saying in zip(strangers, some, strict=True):
                stranger.say(saying, control(5, 3, NAME))

            def are_gone(strangers: list[Stranger] = strangers) -> bool:
                for stranger in strangers:
                    stranger.update()
                return not any(stranger.connection.alive for stranger in strangers)

            self.until(are_gone)

    def still_plays(self) -> None:
        """Fail unless who was here is still here, and others can come."""
        self.have_said(b"")
        assert self.honest.state is State.CONNECTED
        assert "Traceback" not in self.program.output


def serve(start: Start, name: str) -> tuple[Program, int]:
    environment = {"PYTHONIOENCODING": "ascii"}
    if name == "README":
        port = free_port()
        return start("-c", README.replace("7777", str(port)), environment=environment), port
    if name == "demo":
        program = start("-m", "demo_game", "serve", "--host", "127.0.0.1", "--port", 0, environment=environment)
    else:
        program = start(f"examples/{name}_server.py", 0, environment=environment)
    return program, int(program.until(r"(?:port |on 127.0.0.1:)(\d+)\n")[1])


def greeted(port: int, game: str, version: str) -> Client:
    """Return a player who has come in; the README's server does not say when it listens, so try more than once."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        client = Client("127.0.0.1", port, game=game, version=version, resume=False)
        while client.state is State.CONNECTING and time.monotonic() < deadline:
            client.wait(0.1)
            client.update()
        if client.state is State.CONNECTED:
            return client
        time.sleep(0.02)
    pytest.fail("nobody could come in")


@pytest.fixture(params=SERVERS)
def played(start: Start, request: pytest.FixtureRequest) -> Iterator[Played]:
    game, version = SERVERS[request.param]
    program, port = serve(start, request.param)
    with greeted(port, game, version) as honest:
        yield Played(program, port, game, version, honest)


def test_every_server_of_ours_is_among_strangers_here() -> None:
    servers = {path.name.removesuffix("_server.py") for path in (ROOT / "examples").glob("*_server.py")}

    assert servers | {"README", "demo"} == {*SERVERS, "echo"}


WRONG_SHAPES: list[Any] = [
    *(None, True, 0, -1, 2**63, -(2**63), 1.5, float("nan"), float("inf"), "", "a\nb", b"", b"\xff\x00"),
    *([], [1], [1, 1, 1], ["left", "right"], [True, False], [0.5, 1.0], [[1, 1], [1, 1]], [2**60, -(2**60)]),
    *({}, {1: 2}, {"kind": "enter"}, {"kind": []}, {"kind": "fire", "cell": [-1, 99]}, {"from": 1, "said": None}),
    {"kind": "enter", "name": NAME, "watching": False},
    {"kind": "enter", "name": "x" * 1000, "watching": True},
    {"kind": "place", "fleet": [[5, [0, 0], True]] * 5},
]


@pytest.mark.fault(68, "process")
def test_messages_of_the_wrong_shape_end_no_server(played: Played) -> None:
    played.have_said(*map(message, [*WRONG_SHAPES, NAME, "\x00", {NAME: NAME}, [NAME] * 2]))

    played.still_plays()


@pytest.mark.fault(67, "process")
def test_names_and_goodbyes_that_the_output_cannot_say_end_no_server(played: Played) -> None:
    for value in (NAME, {"kind": "enter", "name": "Zoë 😀 海", "watching": False}):
        played.have_said(message(value) * 2)

    played.still_plays()


@pytest.mark.fault(68, "process")
def test_floods_and_resets_end_no_server(played: Played) -> None:
    for data in (b"", b"\x00", hello(played.game, played.version), b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 70_000):
        with socket.create_connection(("127.0.0.1", played.port)) as raw:
            raw.sendall(data)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    for value in ("x", [1, 0], {"kind": "again"}):
        flood = played.stranger(*itertools.repeat(message(value), 5_000))
        for _ in range(50):
            flood.update()
            played.update()
        flood.connection.close()

    played.still_plays()


def nested(levels: int) -> bytes:
    """Return the msgpack of a list in a list, so many levels deep."""
    return b"\x91" * (levels - 1) + b"\x90"


@pytest.mark.fault(68, "process")
@pytest.mark.parametrize("played", SERVERS, indirect=True)
def test_the_largest_and_the_deepest_messages_end_no_server(played: Played) -> None:
    first = played.stranger()
    largest: int = first.told(WELCOME)[0][2]
    first.connection.close()
    sizes = range(largest - 40, largest + 1)
    played.have_said(*(frame(b"\xdb" + struct.pack(">I", size - 5) + b"x" * (size - 5)) for size in sizes))
    played.have_said(*(frame(nested(levels)) for levels in range(20, 40)))

    played.still_plays()


@pytest.mark.fault(68, "process")
def test_bytes_of_strangers_do_not_end_the_echo(start: Start) -> None:
    program, port = serve(start, "echo")
    for data in (b"", b"\xff" * 20_000, b"\n" * 20_000, b"a line\n", b"x" * 9_999 + b"\n", NAME.encode()):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(data)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    with socket.create_connection(("127.0.0.1", port), DEADLINE) as honest:
        honest.sendall(b"still there?\n")
        assert honest.recv(100) == b"still there?\n"
    assert program.is_running()
    assert "Traceback" not in program.output
