"""A server and clients of ours that say what happens to them, one line of JSON for each event.

Usage: `python players.py serve|join|stall|announce|discover HOST PORT OPTIONS`, the options being JSON: `limits` go to the server or
client as they are, and `count` messages are sent by each end, `pace` a second, of about `size` bytes.

Each message has a number and the time at which it was sent; clocks of the two hosts are one, because the kernel is.
"""

import json
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import netcode
from netcode.wire import protocol

FRAME = 1 / 60
STATUS_INTERVAL = 0.1
LOOK = 0.5
"""Seconds between two looks at the networks that a host is in."""


def say(event: str, **facts: object) -> None:
    """Print an event and when it was."""
    sys.stdout.write(json.dumps({"event": event, "at": time.monotonic(), **facts}) + "\n")
    sys.stdout.flush()


class Stream:
    """Send numbered messages to one peer, and check the numbers of those that come back."""

    def __init__(self, peer: netcode.Peer, count: int, pace: float, size: int) -> None:
        self._peer = peer
        self._count = count
        self._pace = pace
        self._pad = bytes(size)
        self._began = time.monotonic()
        self._sent = 0
        self.received = 0
        self.latency = 0.0

    def send(self) -> None:
        """Send what its pace has room for by now."""
        due = min(self._count, int((time.monotonic() - self._began) * self._pace))
        for number in range(self._sent, due):
            self._peer.send([number, time.monotonic(), self._pad])
        self._sent = max(self._sent, due)

    def take(self, message: list[Any]) -> None:
        """Check that a message is the next one."""
        number, sent_at, _ = message
        if number != self.received:
            say("wrong", expected=self.received, got=number)
        self.received += 1
        self.latency = max(self.latency, time.monotonic() - sent_at)
        if self.received == self._count:
            say("complete", received=self.received, latency=self.latency)


class Player:
    """Run one end of ours as a game would, frame by frame."""

    def __init__(self, end: netcode.Server | netcode.Client, options: Mapping[str, Any]) -> None:
        self._end = end
        self._options = options
        self._streams: dict[int, Stream] = {}
        self._worst = 0.0
        self._status_at = 0.0

    def run(self) -> None:
        """Play until the last peer left."""
        while self._frame():
            time.sleep(FRAME)

    def _frame(self) -> bool:
        before = time.monotonic()
        self._end.update()
        self._worst = max(self._worst, time.monotonic() - before)
        for event in self._end.events():
            self._hear(event)
        for stream in self._streams.values():
            stream.send()
        if time.monotonic() >= self._status_at:
            self._status_at = time.monotonic() + STATUS_INTERVAL
            rtt = self._end.rtt if isinstance(self._end, netcode.Client) else None
            latency = max((stream.latency for stream in self._streams.values()), default=0.0)
            say(
                "status",
                state=self._end.state.value,
                worst=self._worst,
                rtt=rtt,
                latency=latency,
                descriptors=len([*Path("/proc/self/fd").iterdir()]),
            )
        return isinstance(self._end, netcode.Server) or self._end.state is not netcode.State.DISCONNECTED

    def _hear(self, event: netcode.Event) -> None:
        match event:
            case netcode.Joined(peer):
                options = self._options
                self._streams[peer.id] = Stream(peer, options["count"], options["pace"], options["size"])
                say("joined", id=peer.id, host=peer.address.host)
            case netcode.Received(peer, message):
                self._streams[peer.id].take(message)
            case netcode.Away(peer, _):
                say("away", id=peer.id)
            case netcode.Back(peer):
                say("back", id=peer.id)
            case netcode.Left(peer, reason):
                self._streams.pop(peer.id, None)
                say("left", id=peer.id, code=reason.code.name, text=reason.text, worst=self._worst)


def serve(host: str, port: int, options: Mapping[str, Any]) -> None:
    """Be a dedicated server."""
    with netcode.Server(host, port, game="test", **options["limits"]) as server:
        say("listening")
        Player(server, options).run()


def join(host: str, port: int, options: Mapping[str, Any]) -> None:
    """Be a client."""
    say("begun")
    with netcode.Client(host, port, game="test", **options["limits"]) as client:
        Player(client, options).run()


def announce(host: str, port: int, options: Mapping[str, Any]) -> None:
    """Be a server that says on the local network that it is there, and ends at Ctrl-C."""
    from netcode.lan import speaker  # needs an extra

    speaker.LOOK = LOOK
    with netcode.Server(host, port, game="test", announce="Ann's game", **options["limits"]) as server:
        say("listening")
        for _ in server.ticks(60):
            server.events()


def discover(host: str, port: int, options: Mapping[str, Any]) -> None:
    """Look for servers, and say what is there whenever that changes."""
    from netcode.lan import speaker  # needs an extra

    speaker.LOOK = LOOK
    say("begun")
    with netcode.discover("test") as discovery:
        before: list[list[str]] = []
        status = 0.0
        while True:
            discovery.wait(FRAME)
            discovery.update()
            games = [[found.name, found.game, str(found.address)] for found in discovery.games]
            if games != before:
                say("found" if games else "gone", games=games)
            before = games
            if time.monotonic() >= status:
                status = time.monotonic() + LOOK
                say("status", games=len(games))


def stall(host: str, port: int, _: Mapping[str, Any]) -> None:
    """Be a client that speaks and does not read: its pings arrive, and its window closes."""
    with socket.create_connection((host, port)) as sock:
        sock.sendall(protocol.hello(protocol.Hello("test", "", 65536, None, 0, None)))
        sock.recv(1)
        say("joined")
        number = 0
        while True:
            number += 1
            try:
                sock.sendall(protocol.ping(number, 0))
            except ConnectionError:
                say("left")
                return
            time.sleep(0.1)


if __name__ == "__main__":
    verb, host, port, options = sys.argv[1:]
    {"serve": serve, "join": join, "stall": stall, "announce": announce, "discover": discover}[verb](
        host, int(port), json.loads(options)
    )
