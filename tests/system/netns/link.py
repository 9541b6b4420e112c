"""The process that is the link: it reads packets from a device on each host, and writes them to the other, or not.

Usage: `python -m netns.link NAMESPACE NAMESPACE SEED ADDRESS...`. It makes the device `link0` in both namespaces and says
`{"ready": true}`. A line of JSON on its input, `{"way": 0, "conditions": {...}}`, changes one way (0 from the first
host, 1 from the second); every line is answered by one with what each way carried and lost. The end of the input ends
it, and with it the devices.
"""

import ctypes
import fcntl
import json
import os
import selectors
import struct
import sys
import time
from pathlib import Path
from random import Random

from .link_model import DEVICE, Conditions, Way, is_between

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
CLONE_NEWNET = 0x40000000

PACKETS_AT_ONCE = 64


def enter(namespace: str) -> None:
    """Move this process into a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/run/netns", namespace).open() as handle:
        # os.setns exists from Python 3.12 on.
        if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter namespace {namespace}")


def open_device(namespace: str) -> int:
    """Make the device in a namespace and return the descriptor that its packets come from and go to."""
    enter(namespace)
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


class Link:
    """Carry packets between two devices until the input ends."""

    def __init__(self, devices: list[int], ways: list[Way], addresses: frozenset[str]) -> None:
        self._devices = devices
        self._ways = ways
        self._addresses = addresses
        self._selector = selectors.DefaultSelector()
        self._selector.register(sys.stdin.fileno(), selectors.EVENT_READ, None)
        for number, device in enumerate(devices):
            self._selector.register(device, selectors.EVENT_READ, number)
        self._input = b""

    def run(self) -> None:
        """Carry packets until the input ends."""
        while True:
            moments = [moment for way in self._ways if (moment := way.due()) is not None]
            pause = max(0.0, min(moments) - time.monotonic()) if moments else None
            for key, _ in self._selector.select(pause):
                if key.data is not None:
                    self._read(key.data)
                elif not self._command():
                    return
            for number, way in enumerate(self._ways):
                for packet in way.take(time.monotonic()):
                    self._write(1 - number, packet)

    def _read(self, number: int) -> None:
        for _ in range(PACKETS_AT_ONCE):
            try:
                packet = os.read(self._devices[number], 65536)
            except OSError:
                return
            if is_between(packet, self._addresses):
                self._ways[number].offer(packet, time.monotonic())

    def _write(self, number: int, packet: bytes) -> None:
        try:
            os.write(self._devices[number], packet)
        except OSError:
            self._ways[1 - number].lost += 1

    def _command(self) -> bool:
        data = os.read(sys.stdin.fileno(), 65536)
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            if "way" in command:
                self._ways[command["way"]].conditions = Conditions(**command["conditions"])
            say({"carried": [way.carried for way in self._ways], "lost": [way.lost for way in self._ways]})
        return bool(data)


def say(value: object) -> None:
    """Answer with a line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Be the link that the command line describes."""
    first, second, seed, *addresses = sys.argv[1:]
    devices = [open_device(namespace) for namespace in (first, second)]
    ways = [Way(Random(f"{seed}/{number}")) for number in (0, 1)]
    link = Link(devices, ways, frozenset(addresses))
    say({"ready": True})
    link.run()


if __name__ == "__main__":
    main()
