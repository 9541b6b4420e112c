"""Servers and clients of ours on the two hosts, as a test sees them: processes that tell what happened and when."""

import json
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bounds import until
from programs import DEADLINE, Program

from .rig import Host, Hosts

PORT = 7777
PLAYERS = Path(__file__).parent / "players.py"
TRACES = "wrong", "away", "left"
"""Events that must not come while a link merely is bad."""

LATE = 2.0
"""Seconds by which an event may come later than it should: a frame, and what other programs take from the processor."""

LONGEST_FRAME = 0.5
"""Seconds that no `update()` may reach: a call that blocked would, one that had to wait for the processor does not."""


class Actor:
    """A running player."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def stop(self) -> None:
        """Press Ctrl-C."""
        self._program.interrupt()

    def event(self, name: str, *, id: int | None = None) -> dict[str, Any]:  # noqa: A002 - as the event calls it
        """Wait for the first event of that name, of the peer with that id."""
        whose = "" if id is None else f'"id": {id},.*'
        return dict(json.loads(self._program.until(rf'\{{"event": "{name}", "at": [0-9.]+(, {whose}|, .*)?\}}\n')[0]))

    def events(self, *names: str) -> list[dict[str, Any]]:
        """Return the events of these names so far."""
        lines = self._program.output.rpartition("\n")[0].splitlines()
        return [event for event in map(json.loads, lines) if event["event"] in names]

    def status(self) -> dict[str, Any]:
        """Wait for a status line that was written from now on, and return it."""
        now = time.monotonic()
        deadline = now + DEADLINE
        while time.monotonic() < deadline:
            status = self.events("status")
            if status and status[-1]["at"] > now:
                return status[-1]
            time.sleep(0.02)
        raise AssertionError(f"it says nothing any more:\n{self._program.output}")


@dataclass(frozen=True)
class Traffic:
    """What one end sends to each peer: `count` messages, `pace` a second, of about `size` bytes."""

    count: int = 0
    pace: float = 20
    size: int = 10


SILENT = Traffic()
NO_LIMITS: Mapping[str, float] = {}


def act(
    host: Host, verb: str, address: str, traffic: Traffic = SILENT, limits: Mapping[str, float] = NO_LIMITS
) -> Actor:
    """Start a player: the verb is one of `players.py`."""
    return Actor(host.run(PLAYERS, verb, address, PORT, json.dumps({**asdict(traffic), "limits": {**limits}})))


def serve(hosts: Hosts, traffic: Traffic = SILENT, limits: Mapping[str, float] = NO_LIMITS) -> Actor:
    """Start a server on the second host, on every address."""
    server = act(hosts.b, "serve", "", traffic, limits)
    server.event("listening")
    return server


def join(
    hosts: Hosts, server: Actor, traffic: Traffic = SILENT, limits: Mapping[str, float] = NO_LIMITS
) -> tuple[Actor, int]:
    """Start a client on the first host and wait until it is in; return it, and the id that the server gave it."""
    before = len(server.events("joined"))
    client = act(hosts.a, "join", hosts.b.ipv4, traffic, limits)
    client.event("joined")
    for _ in until(lambda: len(server.events("joined")) > before):
        time.sleep(0.02)
    return client, server.events("joined")[before]["id"]


@contextmanager
def undisturbed(hosts: Hosts, server: Actor) -> Generator[None]:
    """Assert that what happens meanwhile costs nobody else anything.

    A client beside the server, whose link is good whatever the other one is, keeps its link and its round trip; no
    frame of the server is long; the descriptors of those who left are closed.
    """
    bystander = act(hosts.b, "join", hosts.b.ipv4)
    bystander.event("joined")
    before = server.status()["descriptors"]

    yield

    seen = bystander.status()
    assert (seen["state"], bystander.events(*TRACES)) == ("connected", [])
    assert seen["rtt"] < LONGEST_FRAME
    deadline = time.monotonic() + DEADLINE
    while (status := server.status())["descriptors"] != before:
        assert time.monotonic() < deadline, f"{status['descriptors']} descriptors are open, {before} were"
    assert status["worst"] < LONGEST_FRAME
