"""What is in use is closed in the end, whoever forgets it."""

import gc
import os
import socket
import ssl
import subprocess
import sys

import pytest

from netcode.transport.sockets import _close_all, _in_use, check_plain, check_stream, hold, let_go, shut


class Thing:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_socket_in_use_is_not_finalised_before_it_is_closed() -> None:
    one, other = socket.socketpair()
    number = hold(one).fileno()

    del one
    gc.collect()
    (held,) = (thing for thing in _in_use if isinstance(thing, socket.socket) and thing.fileno() == number)
    shut(held)
    other.close()

    assert held.fileno() == -1
    assert held not in _in_use


def test_what_was_let_go_is_closed_by_somebody_else() -> None:
    thing = hold(Thing())

    assert let_go(let_go(thing)) is thing
    assert (thing.closed, thing in _in_use) == (0, False)


def test_closing_twice_is_fine() -> None:
    thing = hold(Thing())

    shut(thing)
    shut(thing)

    assert (thing.closed, thing in _in_use) == (2, False)


@pytest.mark.skipif(sys.platform == "win32", reason="the number of a socket is not that of a file there")
def test_what_somebody_else_has_closed_by_its_number_is_no_trouble() -> None:
    one, other = socket.socketpair()
    os.close(hold(one).fileno())

    shut(one)
    other.close()

    assert (one.fileno(), one in _in_use) == (-1, False)


def test_at_the_end_of_the_program_everything_is_closed() -> None:
    before = {*_in_use}
    _in_use.clear()
    things = [hold(Thing()), hold(Thing())]

    _close_all()
    left = {*_in_use}
    _in_use.update(before)

    assert ([thing.closed for thing in things], left) == ([1, 1], set())


def test_a_program_that_closes_nothing_ends_without_a_word() -> None:
    script = """
import netcode
server = netcode.Listener("127.0.0.1", 0)
connection = netcode.sync.connect("127.0.0.1", server.address.port)
set = netcode.ConnectionSet()
set.accept(server, lambda address: None)
cycle = [connection, server, set]
cycle.append(cycle)
raise SystemExit("the game loop broke")
"""

    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (1, "", "the game loop broke\n")


def test_a_socket_that_encrypts_is_told_who_does_that_here() -> None:
    with socket.socket() as plain:
        check_plain(plain)
        check_plain(plain.fileno())
        encrypting = ssl.create_default_context().wrap_socket(plain, server_hostname="example.org")
    with (
        encrypting,
        pytest.raises(TypeError, match="a connection of bytes takes no SSLSocket: it encrypts nothing; netc"),
    ):
        check_plain(encrypting)


def test_what_carries_no_stream_of_bytes_is_told() -> None:
    one, other = socket.socketpair()
    with one, other:
        check_stream(one)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        pytest.raises(ValueError, match="a connection needs a socket of type SOCK_STREAM, not SOCK_DGRAM"),
    ):
        check_stream(datagrams)
    with socket.create_server(("127.0.0.1", 0)) as door, pytest.raises(ValueError, match="that socket listens: give"):
        check_stream(door)
