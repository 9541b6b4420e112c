"""Soak two servers in two hundred clients that do everything a client can do, and see that nothing is left of it.

Half of the polite ones come over TLS. Each client says as its credentials what it is going to do, so that every
`Left` can be held against what explains it. Memory, descriptors and threads have to be flat at the end.
"""

import gc
import math
import random
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import netcode
from benchmarks import machine, wire
from netcode import Joined, Left, Received
from netcode import ReasonCode as R

EXPLAINED = {
    "plays": {R.GOODBYE},
    "leaves at once": {R.GOODBYE, R.CLOSED_BY_PEER, R.RESET},
    "is cut": {R.RESET, R.CLOSED_BY_PEER, R.TIMEOUT},
    "floods": {R.FLOODING, R.RESET, R.CLOSED_BY_PEER},
    "is silent": {R.TIMEOUT, R.RESET, R.CLOSED_BY_PEER},
    "never reads": {R.TOO_SLOW, R.TIMEOUT, R.RESET, R.CLOSED_BY_PEER},
    "talks nonsense": {R.MALFORMED, R.TOO_LARGE, R.NOT_NETCODE},
}
"""What a client does, and the reasons for which it may be gone."""

HOSTILE = ("is cut", "floods", "is silent", "never reads", "talks nonsense")
LIMITS = {"timeout": 8.0, "grace": 2.0, "flood_timeout": 1.0, "max_queue_age": 2.0, "max_queue": 262_144}
SETTLE = LIMITS["timeout"] + LIMITS["grace"] + 50.0
"""Seconds after which the last client must be gone from the books, whatever it did, on a machine that stands still at times."""
GROWTH = 16 * 1024 * 1024
"""Bytes that the memory may have grown by since the warm-up: what the allocator keeps of its largest moment."""


class Hostile:
    """A raw socket that greets, says what it is going to do, and does it."""

    def __init__(self, port: int, does: str, dice: random.Random) -> None:
        self._does = does
        self._dice = dice
        self._socket = socket.create_connection(("127.0.0.1", port))
        token = b"" if does == "is cut" else None
        self._socket.sendall(wire.control(wire.HELLO, "netcode", 1, "soak", "1", 65_536, token, 0, does))
        self._socket.setblocking(False)
        self._flood = wire.message(1) * 8_000

    def update(self) -> bool:
        """Go on; True when the other end is gone."""
        try:
            if self._does == "floods":
                self._socket.send(self._flood)
            elif self._does == "talks nonsense":
                self._socket.send(struct.pack(">I", 6) + self._dice.randbytes(5) + b"\xc1")
            return self._does != "never reads" and self._socket.recv(65_536) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def leave(self) -> bool:
        """Say nothing; True, since nothing more is to be waited for."""
        return True

    def close(self) -> None:
        """Leave with a reset where that is the point."""
        if self._does == "is cut":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


class Polite:
    """A real client."""

    def __init__(self, port: int, does: str, trust: ssl.SSLContext | None) -> None:
        self._does, self._leaves = does, False
        tls = trust if trust is not None else False
        self._client = netcode.Client("localhost", port, game="soak", version="1", credentials=does, tls=tls)

    def update(self) -> bool:
        """Play a frame; True when it is over."""
        self._client.update()
        for event in self._client.events():
            if isinstance(event, Left):
                return True
        if not self._leaves:
            self._client.send({"frame": 1})
        return self._client.state is netcode.State.DISCONNECTED

    def leave(self) -> bool:
        """Say goodbye where that is the point; True when nothing more is to be waited for."""
        if self._does == "plays" and not self._leaves:
            self._client.close_nicely("soaked enough")
            self._leaves = True
        return self._does != "plays" or self._client.state is netcode.State.DISCONNECTED

    def close(self) -> None:
        """Leave at once."""
        self._client.close()


def crowd(seconds: float, count: int, ports: list[int], certificate: str) -> None:
    """Keep `count` clients busy for so long; each that is done makes room for another."""
    dice = random.Random(7)
    trust = ssl.create_default_context(cafile=certificate) if certificate else None
    clients: list[tuple[float, Hostile | Polite]] = []
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        while len(clients) < count:
            port = dice.choice(ports)
            if port == ports[0] and dice.random() < 0.2:
                client: Hostile | Polite = Hostile(port, dice.choice(HOSTILE), dice)
            else:
                does = dice.choice(("plays", "plays", "leaves at once"))
                client = Polite(port, does, trust if port != ports[0] else None)
            clients.append((now + dice.uniform(1.0, 10.0), client))
        clients = frame(clients, now)
        time.sleep(0.02)
    while (clients := frame(clients, math.inf)) and time.monotonic() < end + SETTLE:
        time.sleep(0.02)


def frame(clients: list[tuple[float, Hostile | Polite]], now: float) -> list[tuple[float, Hostile | Polite]]:
    """Update the clients, let go those that are done, and return the others."""
    staying: list[tuple[float, Hostile | Polite]] = []
    for until, client in clients:
        if client.update() or (now > until and client.leave()):
            client.close()
        else:
            staying.append((until, client))
    return staying


class Soak:
    """Two servers, what they saw, and what they cost."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.left: Counter[str] = Counter()
        self.unexplained: Counter[str] = Counter()
        self.joined = 0
        self._next_news = 0.0
        self.servers = [self._open(None)] + ([self._open(context)] if context else [])

    def _open(self, context: ssl.SSLContext | None) -> netcode.Server:
        return netcode.Server(
            "127.0.0.1",
            0,
            game="soak",
            version="1",
            tls=context,
            authenticate=lambda credentials, _: credentials,
            **LIMITS,  # type: ignore[arg-type]
        )

    def run_until(self, end: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Serve until then, or until that is enough."""
        while (now := time.monotonic()) < end and not enough():
            for server in self.servers:
                server.update()
                for event in server.events():
                    self._hear(event)
                if now >= self._next_news:
                    server.broadcast(bytes(20_000))
            if now >= self._next_news:
                self._next_news = now + 0.5
            netcode.wait(*self.servers, timeout=0.01)

    def is_alone(self) -> bool:
        """Tell whether nobody is in the books of any server."""
        return not any(server.peers for server in self.servers)

    def _hear(self, event: netcode.Event) -> None:
        match event:
            case Joined():
                self.joined += 1
            case Received(peer, message):
                peer.send(message)
            case Left(peer, reason):
                does = peer.data
                self.left[f"{does}: {reason.code.name}"] += 1
                if reason.code not in EXPLAINED.get(does, ()):
                    self.unexplained[f"{does}: {reason}"] += 1
            case _:
                pass


def certify(folder: Path) -> tuple[ssl.SSLContext | None, str]:
    """Make a certificate, if there is openssl to make it with."""
    if shutil.which("openssl") is None:
        print("no openssl here: nobody comes over TLS")
        return None, ""
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-addext", names, "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*words.split(), *files], cwd=folder, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "cert.pem")


def soak(minutes: float, count: int) -> int:
    """Soak for so long, print what was seen, and return 1 unless all is flat and explained."""
    with tempfile.TemporaryDirectory() as folder:
        context, certificate = certify(Path(folder))
        run = Soak(context)
        seconds = minutes * 60
        start = time.monotonic()
        run.run_until(start + 0.2)
        descriptors, threads = machine.descriptor_count(), machine.thread_count()
        ports = [str(server.address.port) for server in run.servers]
        program = [sys.executable, "-m", "benchmarks.soak", str(seconds), str(count), certificate, *ports]
        child = subprocess.Popen(program)
        try:
            run.run_until(start + 0.2 * seconds)
            gc.collect()
            memory = machine.memory_bytes()
            run.run_until(start + seconds + SETTLE, lambda: child.poll() is not None)
        finally:
            child.terminate()
            child.wait()
        run.run_until(time.monotonic() + SETTLE, lambda: run.is_alone() and machine.descriptor_count() <= descriptors)
    gc.collect()
    growth = machine.memory_bytes() - memory
    more_descriptors = machine.descriptor_count() - descriptors
    more_threads = machine.thread_count() - threads
    staying = sum(len(server.peers) for server in run.servers)
    for server in run.servers:
        server.close()
    print(f"{run.joined} joined {len(run.servers)} servers in {minutes:g} min, {count} at once; {staying} stayed")
    for what, times in sorted(run.left.items()):
        print(f"  {times:6} {what}")
    for what, times in run.unexplained.items():
        print(f"  {times:6} UNEXPLAINED {what}")
    print(
        f"memory {growth / 1024:+,.0f} KiB since the warm-up; descriptors {more_descriptors:+}, threads {more_threads:+}"
    )
    flat = growth < GROWTH and more_descriptors == more_threads == staying == 0
    print("flat and explained" if flat and not run.unexplained else "NOT flat, or not explained")
    return 0 if flat and not run.unexplained and run.joined else 1


if __name__ == "__main__":
    crowd(float(sys.argv[1]), int(sys.argv[2]), [int(port) for port in sys.argv[4:]], sys.argv[3])
