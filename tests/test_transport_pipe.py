"""Descriptors of the caller's own: the contract on every kind of them, and what becomes of them afterwards."""

import errno
import gc
import os
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from transport_contract import Ends, TransportContract, receive, receive_until

from netcode.address import Address
from netcode.transport.pipe import PipeTransport
from netcode.transport.sockets import _in_use

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows waits for sockets only")

if sys.platform != "win32":
    import pty
    import termios


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def receive_nothing(transport: PipeTransport) -> None:
    with pytest.raises(BlockingIOError):
        transport.receive_into(memoryview(bytearray(10)))


def over_pipes() -> tuple[PipeTransport, PipeTransport]:
    (read, write), (back, forth) = os.pipe(), os.pipe()
    return PipeTransport(read, forth, None), PipeTransport(back, write, None)


def over_one_socketpair() -> tuple[PipeTransport, PipeTransport]:
    one, other = socket.socketpair()
    return PipeTransport(one, one, None), PipeTransport(other, other.fileno(), None)


def over_two_socketpairs() -> tuple[PipeTransport, PipeTransport]:
    (one, other), (here, there) = socket.socketpair(), socket.socketpair()
    return PipeTransport(one, here, None), PipeTransport(there, other, None)


def over_socket_numbers() -> tuple[PipeTransport, PipeTransport]:
    one, other = (sock.detach() for sock in socket.socketpair())
    return PipeTransport(one, one, None), PipeTransport(other, os.dup(other), None)


def over_files_of_sockets() -> tuple[PipeTransport, PipeTransport]:
    one, other = (sock.detach() for sock in socket.socketpair())
    there, here = os.fdopen(one, "r+b", buffering=0), os.fdopen(other, "rb")
    return PipeTransport(there, there, None), PipeTransport(here, os.fdopen(os.dup(other), "wb"), None)


class TestContract(TransportContract):
    @pytest.fixture(
        params=[over_pipes, over_one_socketpair, over_two_socketpairs, over_socket_numbers, over_files_of_sockets]
    )
    def ends(self, request: pytest.FixtureRequest) -> Iterator[Ends]:
        make: Callable[[], tuple[PipeTransport, PipeTransport]] = request.param
        one, other = make()
        yield Ends(one, other, lambda: None)
        one.close()
        other.close()


def test_the_end_lingers_where_both_directions_are_one_socket() -> None:
    lingers: dict[str, bool] = {}
    for make in (over_pipes, over_one_socketpair, over_two_socketpairs, over_socket_numbers, over_files_of_sockets):
        ends = make()
        lingers[make.__name__] = ends[0].lingers and ends[1].lingers
        for end in ends:
            end.close()

    assert lingers == {
        "over_pipes": False,
        "over_one_socketpair": True,
        "over_two_socketpairs": False,
        "over_socket_numbers": True,
        "over_files_of_sockets": True,
    }


def test_with_input_only_what_is_sent_is_ignored() -> None:
    read, write = os.pipe()
    transport = PipeTransport(read, None, None)

    os.write(write, b"news")
    sent = transport.send(b"nobody hears"), transport.send_chunks([b"no", b"body"])
    transport.finish()
    received = receive_until(4, transport, Ends(transport, transport, lambda: None))
    transport.close()
    os.close(write)

    assert (sent, received) == ((12, 6), b"news")
    assert (transport.read_fd, transport.write_fd) == (read, -1)
    assert not is_open(read)


def test_with_output_only_nothing_is_ever_received() -> None:
    read, write = os.pipe()
    transport = PipeTransport(None, write, None)

    receive_nothing(transport)
    transport.send(b"news")
    transport.finish()
    transport.close()
    heard = os.read(read, 10), os.read(read, 10)
    os.close(read)

    assert heard == (b"news", b"")
    assert (transport.read_fd, transport.write_fd, is_open(write)) == (-1, write, False)


def test_with_output_only_who_stopped_reading_is_noticed_without_sending() -> None:
    read, write = os.pipe()
    transport = PipeTransport(None, write, None)
    receive_nothing(transport)

    os.close(read)

    with pytest.raises(BrokenPipeError):
        transport.receive_into(memoryview(bytearray(10)))
    transport.close()


def test_with_neither_it_is_silent() -> None:
    transport = PipeTransport(None, None, Address("nowhere", 1))

    receive_nothing(transport)

    assert transport.send(b"x") == 1
    assert (transport.read_fd, transport.write_fd, transport.lingers) == (-1, -1, False)
    assert transport.address == Address("nowhere", 1)
    transport.finish()
    transport.close()


def test_a_plain_file_is_read_to_its_end_and_another_written(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"from disk")
    transport = PipeTransport(source.open("rb"), target.open("wb"), None)

    received = [receive(transport, Ends(transport, transport, lambda: None)) for _ in range(2)]
    transport.send(b"to disk")
    transport.close()

    assert received == [b"from disk", b""]
    assert target.read_bytes() == b"to disk"


@pytest.mark.parametrize("as_objects", [False, True])
def test_the_blocking_mode_of_a_shared_terminal_is_given_back(as_objects: bool) -> None:
    master, terminal = pty.openpty()
    modes = termios.tcgetattr(terminal)
    stdin, stdout = os.dup(terminal), os.dup(terminal)  # one open terminal under several numbers, as a shell gives it
    objects: list[IO[bytes]] = [os.fdopen(stdin, "rb"), os.fdopen(stdout, "wb", buffering=0)] if as_objects else []
    transport = PipeTransport(objects[0], objects[1], None) if objects else PipeTransport(stdin, stdout, None)

    during = os.get_blocking(terminal), transport.lingers
    transport.send(b"hello\n")
    shown = b""
    for _ in range(10):  # a terminal may hand out a line in parts
        shown += os.read(master, 100)
        if shown.endswith(b"\n"):
            break
    transport.finish()
    still_there = is_open(stdin), is_open(stdout)
    transport.close()
    after = os.get_blocking(terminal)

    assert during == (False, False)
    assert shown == b"hello\r\n"
    assert still_there == (True, True)
    assert after is True
    assert (is_open(stdin), is_open(stdout)) == (False, False)
    assert termios.tcgetattr(terminal) == modes
    os.close(master)
    os.close(terminal)


def test_one_terminal_for_both_directions_is_given_back_too() -> None:
    master, terminal = pty.openpty()
    keep = os.dup(terminal)
    transport = PipeTransport(terminal, terminal, None)

    transport.send(b"x")
    transport.finish()
    transport.close()

    assert os.get_blocking(keep) is True
    os.close(master)
    os.close(keep)


def test_a_program_that_just_ends_gives_its_terminal_back() -> None:
    master, terminal = pty.openpty()
    script = "import netcode; kept = netcode.custom(input=0, output=1); kept.update(); raise SystemExit(3)"

    done = subprocess.run([sys.executable, "-W", "error", "-c", script], stdin=terminal, stdout=terminal, check=False)

    assert done.returncode == 3
    assert os.get_blocking(terminal) is True
    os.close(master)
    os.close(terminal)


def test_what_is_closed_already_raises_and_nothing_changes_hands() -> None:
    read, write = os.pipe()
    with tempfile.TemporaryFile() as file:
        os.close(write)
        held = {*_in_use}

        with pytest.raises(OSError, match="Bad file descriptor") as caught:
            PipeTransport(read, write, None)
        with pytest.raises(OSError, match="Bad file descriptor"):
            PipeTransport(file, write, None)
        with pytest.raises(TypeError, match=r"expected a descriptor or an object with fileno\(\), not str"):
            PipeTransport(read, "stdout", None)
        with pytest.raises(ValueError, match="a descriptor is a number from 0 to 2147483647, not 1099511627776"):
            PipeTransport(read, 2**40, None)

        assert caught.value.errno == errno.EBADF
        assert os.get_blocking(read) is True
        assert is_open(read)
        assert not file.closed
        assert held == {*_in_use}
    os.close(read)


@pytest.mark.parametrize("wrong", [("127.0.0.1", 7777), "127.0.0.1", Address(None, 7777)])  # type: ignore[arg-type] # pyright: ignore
def test_what_is_said_of_the_other_end_is_an_address_or_nothing_changes_hands(wrong: Any) -> None:
    one, other = socket.socketpair()

    with one, other:
        with pytest.raises(TypeError, match=r"^remote_address must be netcode.Address\(host, port\), or None, not "):
            PipeTransport(one, one, wrong)

        assert one.getblocking() is True


def test_a_socket_that_encrypts_does_not_change_hands() -> None:
    one, other = socket.socketpair()
    encrypting = ssl.create_default_context().wrap_socket(
        one, server_hostname="example.org", do_handshake_on_connect=False
    )

    with encrypting, other:
        with pytest.raises(TypeError, match="a connection of bytes takes no SSLSocket"):
            PipeTransport(encrypting, encrypting, None)

        assert encrypting.getblocking() is True


@pytest.mark.parametrize("as_number", [False, True])
@pytest.mark.parametrize(
    ("kind", "listens", "told"),
    [
        (socket.SOCK_DGRAM, False, r"^a connection needs a socket of type SOCK_STREAM, not SOCK_DGRAM$"),
        (socket.SOCK_STREAM, True, r"^that socket listens: give it to ConnectionSet.accept, or what its accept\(\) "),
    ],
)
def test_a_socket_that_carries_no_stream_does_not_change_hands(
    kind: int, listens: bool, told: str, as_number: bool
) -> None:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        if listens:
            sock.listen()

        with pytest.raises(ValueError, match=told):
            PipeTransport(sock.fileno() if as_number else sock, None, None)

        assert (sock.getblocking(), is_open(sock.fileno())) == (True, True)


def test_a_socket_that_did_not_change_hands_stays_its_owners() -> None:
    one, other = socket.socketpair()

    with pytest.raises(TypeError):
        PipeTransport(one.fileno(), "stdout", None)
    gc.collect()

    one.send(b"x")
    assert other.recv(1) == b"x"
    one.close()
    other.close()


def test_objects_are_closed_so_that_they_know_it() -> None:
    read, write = os.pipe()
    file = os.fdopen(read, "rb")
    one, other = socket.socketpair()
    transport = PipeTransport(file, one, None)

    transport.close()
    transport.close()

    assert (file.closed, one.fileno(), is_open(read)) == (True, -1, False)
    other.close()
    os.close(write)


def test_closing_twice_does_not_close_what_came_after() -> None:
    one, other = (sock.detach() for sock in socket.socketpair())
    (read, write) = os.pipe()
    first, second = PipeTransport(one, one, None), PipeTransport(read, write, None)

    first.close()
    second.close()
    newcomers = [os.open(os.devnull, os.O_RDONLY) for _ in range(3)]
    first.close()
    second.close()

    assert {one, read, write} == {*newcomers}
    assert all(is_open(fd) for fd in newcomers)
    for fd in (*newcomers, other):
        os.close(fd)


def test_what_somebody_else_closed_is_no_trouble() -> None:
    read, write = os.pipe()
    transport = PipeTransport(read, write, None)

    os.close(read)
    os.close(write)
    transport.close()

    assert not is_open(read)


def test_ending_a_socket_that_leads_nowhere_is_no_trouble() -> None:
    sock = socket.socket()
    transport = PipeTransport(sock, sock, None)

    transport.finish()
    transport.close()

    assert sock.fileno() == -1


class Unflushable:
    """A file that cannot be closed in peace."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def fileno(self) -> int:
        return self.fd

    def close(self) -> None:
        raise OSError(errno.ENOSPC, "disk full")


@pytest.mark.parametrize("chunks", [False, True])
def test_a_send_into_a_socket_that_leads_nowhere_is_an_error_and_no_signal(
    broken_pipes: list[int], chunks: bool
) -> None:
    one, other = socket.socketpair()
    transport = PipeTransport(one, one, None)
    other.close()

    with pytest.raises(BrokenPipeError):
        transport.send_chunks([b"hel", b"lo"]) if chunks else transport.send(b"hello")
    transport.close()

    assert broken_pipes == []


def test_a_file_that_cannot_be_flushed_is_no_trouble() -> None:
    read, write = os.pipe()
    transport = PipeTransport(read, Unflushable(write), None)

    transport.close()

    assert not is_open(read)
    os.close(write)


def test_chunks_are_sent_in_one_call_so_that_no_failure_hides_behind_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    (read, write), (one, other) = os.pipe(), socket.socketpair()
    sides = PipeTransport(None, write, None), PipeTransport(None, one, None)
    chunks: list[bytes | memoryview] = [b"one, ", memoryview(b"two")]
    monkeypatch.delattr(os, "write")
    for side in sides:
        monkeypatch.setattr(side._output, "send", None)

    sent = [side.send_chunks(chunks) for side in sides]
    heard = os.read(read, 10), other.recv(10)
    for side in sides:
        side.close()
    os.close(read)
    other.close()

    assert sent == [8, 8]
    assert heard == (b"one, two", b"one, two")


@pytest.mark.parametrize("objects", [False, True])
def test_a_dropped_transport_closes_without_a_warning(objects: bool) -> None:
    read, write = os.pipe()
    one, other = socket.socketpair()
    given: tuple[object, object] = (os.fdopen(read, "rb"), one) if objects else (read, one.detach())
    transport: Any = PipeTransport(given[0], given[1], None)

    cycle = [transport, given]
    cycle.append(cycle)
    del transport, cycle, given, one
    gc.collect()

    assert not is_open(read)
    assert other.recv(1) == b""
    other.close()
    os.close(write)


def test_what_is_the_parents_is_left_as_it_is_by_a_child() -> None:
    reading, writing = os.pipe()
    one, other = socket.socketpair()
    number = os.dup(one.fileno())
    transports = [
        PipeTransport(reading, writing, None),
        PipeTransport(one, one, None),
        PipeTransport(number, None, None),
    ]

    for transport in transports:
        transport.abandon()
        transport.close()
    transports.clear()
    gc.collect()

    assert not os.get_blocking(reading)
    assert all(map(is_open, (reading, writing, one.fileno(), number)))
    for fd in (reading, writing, number):
        os.close(fd)
    one.close()
    other.close()


def write_for_ever(transport: PipeTransport, joined: bool) -> None:
    for _ in range(1000):
        if joined:
            transport.send_chunks([b"x" * 1000])
        else:
            transport.send(b"x" * 1000)


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that has an error for this")
@pytest.mark.parametrize("joined", [False, True])
def test_what_ran_in_a_pseudo_terminal_ends_as_any_other_program(joined: bool) -> None:
    master, terminal = pty.openpty()
    transport = PipeTransport(master, master, None)
    os.write(terminal, b"last words\n")

    os.close(terminal)
    received = [receive(transport, Ends(transport, transport, lambda: None)) for _ in range(2)]

    assert received == [b"last words\r\n", b""]
    with pytest.raises(BrokenPipeError):  # and no «not now» for ever
        write_for_ever(transport, joined)
    transport.close()


def test_a_descriptor_that_cannot_be_read_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "the disk is broken")

    read, write = os.pipe()
    transport = PipeTransport(read, write, None)
    monkeypatch.setattr("os.readv", fail)

    with pytest.raises(OSError, match="the disk is broken"):
        transport.receive_into(memoryview(bytearray(10)))

    monkeypatch.undo()
    transport.close()


def test_where_there_is_no_poll_nobody_is_known_to_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    transport = PipeTransport(None, write, None)
    monkeypatch.delattr("select.poll")

    os.close(read)

    receive_nothing(transport)
    transport.close()
