"""Every example runs, as real programs, and stays short enough to be read at a glance."""

import contextlib
import sys
import time
from pathlib import Path

import pytest
from bounds import until
from programs import DEADLINE, ROOT, Start

import netcode

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
CROWD = 200
CROWDED = 80.0
"""Seconds for what two hundred clients in one process do, on a machine that has more to do."""

pytestmark = pytest.mark.process
needs_waitable_pipes = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for pipes")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.name))
def test_an_example_has_forty_lines_at_most(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40


def test_every_example_is_run_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")

    assert [path.name for path in EXAMPLES if f"examples/{path.name}" not in here] == ["pipes_child.py"]


@needs_waitable_pipes
def test_chat_carries_lines_between_terminals(start: Start) -> None:
    server = start("examples/chat_server.py", 0)
    port = server.until(r"port (\d+)")[1]
    ann = start("examples/chat.py", "127.0.0.1", port)
    ann.until("guest 1 is here; 1 in the room")
    bob = start("examples/chat.py", "127.0.0.1", port)

    ann.until("guest 2 is here; 2 in the room")
    bob.say("hello\x1b[2J")
    ann.until(r"guest 2: hello\\x1b\[2J\n")
    bob.end_input()
    ann.until("guest 2 left: .*went home")
    server.interrupt()
    ann.until("the chat closes for today")

    assert (bob.status(), ann.status(), server.status()) == (0, 0, 0)


def test_many_dots_carries_two_hundred(start: Start) -> None:
    server = start("examples/many_server.py", 0)
    port = int(server.until(r"port (\d+)")[1])
    deadline = time.monotonic() + CROWDED
    clients: list[netcode.Client] = []
    starts: dict[netcode.Client, int] = {}
    moved: set[netcode.Client] = set()

    def play(players: list[netcode.Client]) -> None:
        netcode.wait(*players, timeout=1.0)
        # What it sends once is read two hundred times here, in one process: on a slow machine, later and later.
        with server.held():
            for client in players:
                client.update()
                for event in client.events():
                    assert not isinstance(event, netcode.Left), event
                    if isinstance(event, netcode.Received) and len(event.message["dots"]) == CROWD:
                        x, _, _ = event.message["dots"][client.id]
                        if client not in starts:
                            # Away from the nearer edge, and not before all can see it: at an edge a dot stops.
                            starts[client] = x
                            client.send((1 if x < 500 else -1, 0))
                        elif x != starts[client]:
                            moved.add(client)

    with contextlib.ExitStack() as ends:
        # Two hundred ends in one process take turns. Whoever greets is waited for alone: a server gives that three seconds.
        while len(clients) < CROWD and time.monotonic() < deadline:
            newcomers = [
                ends.enter_context(
                    netcode.Client("127.0.0.1", port, game="many", timeout=CROWDED, handshake_timeout=CROWDED)
                )
                for _ in range(CROWD // 10)
            ]
            clients += newcomers
            while (
                not all(client.state is netcode.State.CONNECTED for client in newcomers) and time.monotonic() < deadline
            ):
                play(newcomers)
            play(clients)
        while len(moved) < CROWD and time.monotonic() < deadline:
            play(clients)

    assert len(moved) == CROWD


def test_many_dots_opens_a_window_and_closes_it(start: Start) -> None:
    pytest.importorskip("pygame")
    server = start("examples/many_server.py", 0)
    port = int(server.until(r"port (\d+)")[1])
    window = start("examples/many.py", "127.0.0.1", port, environment={"SDL_VIDEODRIVER": "dummy"})
    with netcode.Client("127.0.0.1", port, game="many") as watcher:
        seen: set[int] = set()
        deadline = time.monotonic() + DEADLINE
        while len(seen) < 2 and time.monotonic() < deadline:
            netcode.wait(watcher, timeout=1.0)
            watcher.update()
            messages = [event.message for event in watcher.events() if isinstance(event, netcode.Received)]
            seen = seen.union(*(message["dots"] for message in messages))
    assert len(seen) == 2, window.output

    server.stop()

    window.until(f"127.0.0.1:{port}")
    assert window.status() == 0


def test_echo_returns_every_line(start: Start) -> None:
    server = start("examples/echo_server.py", 0)
    port = server.until(r"echo on 127.0.0.1:(\d+)")[1]
    client = start("examples/echo_client.py", port)

    client.say("one")
    client.until("one\n")
    client.say("two")
    client.until("one\ntwo\n")
    assert client._process.stdin is not None
    client._process.stdin.write(b"\xff is not UTF-8\nthe last line has no end")
    client.end_input()
    client.until("two\n\ufffd is not UTF-8\nthe last line has no end\n")

    assert client.status() == 0
    server.until("127.0.0.1:.* closed the connection")


@pytest.mark.skipif(sys.platform == "win32", reason="there, Ctrl-C goes to a whole console")
@pytest.mark.fault(70, "process")
@pytest.mark.parametrize("name", ["chat", "many", "echo"])
def test_ctrl_c_ends_a_server_without_a_traceback(name: str, start: Start) -> None:
    server = start(f"examples/{name}_server.py", 0)
    port = int(server.until(r"(\d+)\n")[1])
    if name != "echo":  # which minds no Ctrl-C anywhere; the others from where their loop begins
        with netcode.Client("127.0.0.1", port, game=name) as visitor:
            for _ in until(lambda: visitor.state is netcode.State.CONNECTED):
                netcode.wait(visitor, timeout=1.0)
                visitor.update()

    server.interrupt()

    assert server.status() == 0
    assert "Traceback" not in server.output


@needs_waitable_pipes
def test_pipes_find_the_number(start: Start) -> None:
    game = start("examples/pipes.py")

    assert game.status() == 0
    assert game.until("it is (.*)")[1] == game.until(r"thinks of (.*)\)")[1]
