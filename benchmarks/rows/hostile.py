"""Row 10: what peers that send the most expensive messages there are cost everybody else."""

import socket
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import msgpack

import netcode
from benchmarks.figures import Figure, Plan
from benchmarks.machine import require_connections

HOSTILE = 50
HONEST = 200
SIZE = 65_000
UPDATES = 600
EVERY = 3
"""Updates in which each honest player sends once."""

EMPTY, ZERO, KEY = b"\x90", b"\x00", b"\x81\x90"


def _many(item: bytes) -> bytes:
    count = SIZE // len(item)
    return b"\xdd" + struct.pack(">I", count) + item * count


EXPENSIVE: dict[str, bytes] = {
    "empty lists": _many(EMPTY),
    "lists in lists": _many(b"\x91" * 29 + EMPTY),
    "maps with lists for keys": _many(KEY + ZERO),
    "maps in maps with lists for keys": _many(KEY * 28 + ZERO),
    "one map with lists for keys": b"\xdf"
    + struct.pack(">I", 13_000)
    + b"".join(b"\x91\xcd" + struct.pack(">H", number) + ZERO for number in range(13_000)),
}
"""Payloads of 64 KiB that take the longest to decode, for each kind of message."""


def _frame(payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + payload


def _control(*fields: object) -> bytes:
    return _frame(msgpack.packb(msgpack.ExtType(78, msgpack.packb(fields))))


class _Sender:
    """A client of a few lines, that sends one thing again and again."""

    def __init__(self, address: tuple[str, int], data: bytes) -> None:
        self._socket = socket.create_connection(address)
        self._socket.sendall(_control(1, "netcode", 1, "", "", 65_536, None, 0, None))
        self._socket.setblocking(False)
        self._data = data
        self._left = memoryview(b"")

    def send(self) -> None:
        """Send as much as the network takes, up to one more of what it sends; and read what came."""
        self._left = self._left or memoryview(self._data)
        try:
            self._left = self._left[self._socket.send(self._left) :]
        except BlockingIOError:
            pass
        try:
            self._socket.recv(65_536)
        except BlockingIOError:
            pass

    def close(self) -> None:
        self._socket.close()


def _time_updates(payload: bytes, plan: Plan) -> tuple[float, int, int]:
    """Return the 99th percentile of `update()` in seconds of processor time, who left, and honest messages heard."""
    hostile, honest = plan.clients(HOSTILE), plan.clients(HONEST)
    move = _frame(msgpack.packb({"type": "move", "x": 1.5, "y": 2.5}))
    with ExitStack() as stack:
        server = stack.enter_context(netcode.Server("127.0.0.1", 0))
        senders: list[_Sender] = []
        for number in range(hostile + honest):
            senders.append(_Sender(server.address, _frame(payload) if number < hostile else move))
            stack.callback(senders[-1].close)
            server.update()
        _until(server, lambda: len(server.peers) == hostile + honest)
        server.events()
        times: list[float] = []
        left = heard = 0
        for number in range(max(50, round(UPDATES * min(1.0, plan.seconds)))):
            for one, sender in enumerate(senders):
                if one < hostile or (one + number) % EVERY == 0:
                    sender.send()
            before = time.process_time()
            server.update()
            times.append(time.process_time() - before)
            event: Any
            for event in server.events():
                left += isinstance(event, netcode.Left)
                heard += isinstance(event, netcode.Received) and event.peer.id > hostile
            time.sleep(0.001)
    times.sort()
    return times[len(times) * 99 // 100], left, heard


def _until(server: netcode.Server, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60.0
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the players did not get in")
        server.update()


def updates(plan: Plan) -> list[Figure]:
    """Row 10: `update()` for 200 honest players beside 50 links from one address that send what costs most."""
    require_connections(HOSTILE + HONEST)
    figures: list[Figure] = []
    for name, payload in EXPENSIVE.items():
        seconds, left, heard = _time_updates(payload, plan)
        note = f"{left} ended, {heard:,} honest messages"
        work = f"update(), 99th percentile, beside {HOSTILE} who send {name}"
        figures.append(Figure(10, work, seconds * 1e3, "ms", 20.0, ours=f"{seconds * 1e3:.1f} ms", note=note))
    return figures
