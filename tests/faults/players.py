"""A server and clients as processes of their own, for tests that stop, kill and terminate them.

The server is what the README recommends: SIGTERM closes nicely, a second one closes now.
"""

import os
import signal
import sys
import time

import netcode

PATIENCE = 30.0
"""Seconds in which two hundred who greet at once are let in on a machine that does more."""


def serve() -> None:
    """Serve until told to stop: the first time nicely, for as many seconds as are given, the second time at once."""
    signals: list[int] = []
    # A handler runs in the middle of anything, so it only takes a note; the loop acts on it.
    signal.signal(signal.SIGTERM, lambda number, frame: signals.append(number))
    close_timeout = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
    with netcode.Server("127.0.0.1", 0, handshake_timeout=PATIENCE, close_timeout=close_timeout) as server:
        print(f"process {os.getpid()} listening on {server.address.port}", flush=True)
        while server.state is not netcode.State.DISCONNECTED:
            server.wait(0.05)
            server.update()
            for event in server.events():
                match event:
                    case netcode.Joined(peer):
                        print(f"joined {peer.id}", flush=True)
                    case netcode.Received(peer, message):
                        peer.send(message)
                    case netcode.Left(peer, reason):
                        print(f"left {peer.id} {reason.code.name}", flush=True)
            if len(signals) == 1 and server.state is netcode.State.CONNECTED:
                server.close_nicely()
                print("closing nicely", flush=True)
            elif len(signals) > 1:
                server.close()
    print("over", flush=True)


def play() -> None:
    """Join the server on that port, count aloud, and tell how it ended."""
    print(f"process {os.getpid()}", flush=True)
    with netcode.Client("127.0.0.1", int(sys.argv[2]), resume=False) as client:
        while client.state is not netcode.State.DISCONNECTED:
            client.wait(0.05)
            client.update()
            for event in client.events():
                match event:
                    case netcode.Joined(peer):
                        print(f"joined {peer.id}", flush=True)
                    case netcode.Received(_, message):
                        print(f"received {message!r}", flush=True)
                    case netcode.Left(_, reason):
                        print(f"left {reason.code.name} {reason}", flush=True)


def shout() -> None:
    """Join the server on that port and send numbers to it, deaf and without an end."""
    print(f"process {os.getpid()}", flush=True)
    with netcode.Client("127.0.0.1", int(sys.argv[2]), resume=False) as client:
        number = 0
        while True:
            if client.peer is None or client.peer.stats.queued < 10_000:
                client.send(number)
                number += 1
            client.wait(0.001)
            client.update()


def measure() -> None:
    """Echo at 60 updates a second; tell twice a second how many play, and what each update cost in microseconds."""
    costs: list[int] = []
    with netcode.Server("127.0.0.1", 0, grace=0.0, handshake_timeout=PATIENCE) as server:
        print(f"process {os.getpid()} listening on {server.address.port}", flush=True)
        frame = report = time.monotonic()
        while True:
            frame = max(frame + 1 / 60, time.monotonic())
            time.sleep(frame - time.monotonic() if frame > time.monotonic() else 0.0)
            begin = time.thread_time()
            server.update()
            costs.append(round((time.thread_time() - begin) * 1e6))
            for event in server.events():
                match event:
                    case netcode.Received(peer, message):
                        peer.send(message)
                    case netcode.Left(peer, reason):
                        print(f"left {peer.id} {reason.code.name}", flush=True)
            if time.monotonic() - report >= 0.5:
                report = time.monotonic()
                print(f"half a second with {len(server.peers)} players:", *costs, flush=True)
                costs.clear()


def crowd() -> None:
    """Two hundred players, each sending twenty messages a second; tell who leaves.

    They ping five times a second: all at once, which is what the dearest updates of the server are made of.
    """
    port = int(sys.argv[2])
    clients = [
        netcode.Client("127.0.0.1", port, resume=False, ping_interval=0.2, handshake_timeout=PATIENCE)
        for _ in range(200)
    ]
    print(f"process {os.getpid()}", flush=True)
    tick = 0
    while True:
        time.sleep(1 / 60)
        tick += 1
        for i, client in enumerate(clients):
            if (tick + i) % 3 == 0:
                client.send([tick, "north", True])
            client.update()
            for event in client.events():
                if isinstance(event, netcode.Left):
                    print(f"left {event.reason.code.name}", flush=True)


if __name__ == "__main__":
    {"serve": serve, "play": play, "shout": shout, "measure": measure, "crowd": crowd}[sys.argv[1]]()
