"""Programs with plain sockets, to prove the rig without anything of ours; each prints what it saw as JSON.

Usage: `python sockets.py VERB ARGUMENT...`, a verb being one of the functions below.
"""

import errno
import json
import socket
import struct
import sys
import time

TOTAL_RETRANSMITS = 100
"""Where `struct tcp_info` of Linux says how many segments were sent again."""

PATIENCE = 20.0


def say(**facts: object) -> None:
    """Print what was seen."""
    sys.stdout.write(json.dumps(facts) + "\n")


def serve(host: str, port: str) -> None:
    """Send back whatever comes, one connection after the other."""
    with socket.create_server((host, int(port)), family=_family(host)) as listener:
        say(listening=True)
        while True:
            peer, _ = listener.accept()
            with peer:
                while data := peer.recv(65536):
                    peer.sendall(data)


def catch(host: str, port: str, count: str) -> None:
    """Note the datagrams that come, up to the one with the number `count`."""
    with socket.socket(_family(host), socket.SOCK_DGRAM) as sock:
        sock.bind((host, int(port)))
        sock.settimeout(PATIENCE)
        say(listening=True)
        numbers: list[int] = []
        while (number := int.from_bytes(sock.recv(100), "big")) != int(count):
            numbers.append(number)
        say(caught=numbers)


def throw(host: str, port: str, count: str) -> None:
    """Send numbered datagrams; the last one late, so that it overtakes none, and often, since it may be lost."""
    with socket.socket(_family(host), socket.SOCK_DGRAM) as sock:
        for number in (*range(int(count)), *[int(count)] * 50):
            if number == int(count):
                time.sleep(0.01)
            sock.sendto(number.to_bytes(4, "big"), (host, int(port)))
    say(thrown=int(count))


def call(host: str, port: str, patience: str) -> None:
    """Connect, and say how that went and how long it took."""
    began = time.monotonic()
    try:
        socket.create_connection((host, int(port)), float(patience)).close()
        outcome = "connected"
    except TimeoutError:
        outcome = "timeout"
    except OSError as error:
        outcome = errno.errorcode[error.errno or 0]
    say(outcome=outcome, seconds=time.monotonic() - began)


def ping(host: str, port: str, count: str) -> None:
    """Send a byte and wait for its echo, again and again."""
    with socket.create_connection((host, int(port)), PATIENCE) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        trips: list[float] = []
        for _ in range(int(count)):
            began = time.monotonic()
            sock.sendall(b"x")
            sock.recv(1)
            trips.append(time.monotonic() - began)
    say(trips=trips)


def push(host: str, port: str, size: str) -> None:
    """Send many bytes and read their echo; say how long that took, and what was sent again."""
    began = time.monotonic()
    whole = bytes(value % 251 for value in range(int(size)))
    with socket.create_connection((host, int(port)), PATIENCE) as sock:
        sock.sendall(whole)
        back = b""
        while len(back) < len(whole) and (data := sock.recv(65536)):
            back += data
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    (again,) = struct.unpack_from("I", info, TOTAL_RETRANSMITS)
    say(whole=back == whole, again=again, seconds=time.monotonic() - began)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


VERBS = {verb.__name__: verb for verb in (serve, catch, throw, call, ping, push)}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
