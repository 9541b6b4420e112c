"""The contract of a transport on real sockets, and what is set on them."""

import errno
import gc
import os
import signal
import socket
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from bounds import Patience
from loopback import LOOPBACK, accept, connect, settle
from transport_contract import Ends, TransportContract, receive

from netcode.address import Address
from netcode.transport import send_each
from netcode.transport import tcp_socket as module
from netcode.transport.tcp import TCP
from netcode.transport.tcp_listener import Listener
from netcode.transport.tcp_socket import TcpTransport, silence, tune
from netcode.waiting import CustomWaiter, wait


@pytest.fixture
def pair() -> Iterator[tuple[TcpTransport, TcpTransport]]:
    one, other = (TcpTransport(end, Address("h", 1)) for end in socket.socketpair())
    yield one, other
    one.close()
    other.close()


@pytest.mark.skipif(sys.platform == "win32", reason="the number of a socket is not that of a file there")
def test_what_somebody_else_has_closed_by_its_number_is_no_trouble() -> None:
    one, other = socket.socketpair()
    transport = TcpTransport(one, Address("h", 1))
    os.close(transport.fileno())

    transport.close()
    other.close()

    assert (transport.fileno(), transport.read_fd) == (-1, -1)


class TestContract(TransportContract):
    @pytest.fixture
    def ends(self, listener: Listener) -> Iterator[Ends]:
        one = connect(listener)
        other = accept(listener)
        yield Ends(one, other, lambda: None)
        one.close()
        other.close()


class TestContractOnWindows(TestContract):
    """There is no `sendmsg` there."""

    @pytest.fixture(autouse=True)
    def windows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def one_by_one(transport: TcpTransport, chunks: list[bytes | memoryview]) -> int:
            return send_each(transport.send, chunks)

        monkeypatch.setattr(TcpTransport, "send_chunks", one_by_one)


def test_every_socket_of_ours_waits_for_nothing_and_hides_little(listener: Listener) -> None:
    one = connect(listener)
    other = accept(listener)
    options = [
        (
            transport.getblocking(),
            transport.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0,
        )
        for transport in (one, other)
    ]
    if sys.platform == "linux":
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == module.NOTSENT_LOWAT
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
    one.close()
    other.close()

    assert options == [(False, True)] * 2


def test_a_socket_that_is_no_tcp_is_tuned_as_far_as_it_goes() -> None:
    one, other = socket.socketpair()

    with one, other:
        tune(one)

        assert one.getblocking() is False


def test_an_option_that_the_kernel_does_not_have_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TCP_NOTSENT_LOWAT", "TCP_USER_TIMEOUT"):
        monkeypatch.delattr(socket, name, raising=False)

    with socket.socket() as sock:
        tune(sock)

        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def send_at_once(transport: TcpTransport) -> int:
    return int(transport.send(b"hello"))


def send_where_nothing_was_built(transport: TcpTransport) -> int:
    return module._send(transport, b"hello")


def send_in_chunks(transport: TcpTransport) -> int:
    return transport.send_chunks([b"hel", b"lo"])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
@pytest.mark.parametrize("send", [send_at_once, send_where_nothing_was_built, send_in_chunks])
def test_a_send_to_who_is_gone_is_an_error_and_no_signal(
    pair: tuple[TcpTransport, TcpTransport], broken_pipes: list[int], send: Callable[[TcpTransport], int]
) -> None:
    one, other = pair
    silence(one)
    other.close()

    with pytest.raises(BrokenPipeError):
        send(one)

    assert broken_pipes == []


class Options:
    """Takes options as a socket does."""

    def __init__(self, error: OSError | None = None) -> None:
        self.error = error
        self.taken: list[tuple[int, int, int]] = []

    def setsockopt(self, level: int, option: int, value: int) -> None:
        if self.error is not None:
            raise self.error
        self.taken.append((level, option, value))


@pytest.mark.parametrize("system", ["darwin", "linux"])
def test_on_macos_a_socket_is_told_once_that_it_raises_no_signal(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr(module, "sys", SimpleNamespace(platform=system))
    sock: Any = Options()

    silence(sock)

    assert sock.taken == ([(socket.SOL_SOCKET, 0x1022, 1)] if system == "darwin" else [])


def test_on_macos_a_socket_whose_other_end_is_gone_takes_no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "sys", SimpleNamespace(platform="darwin"))
    sock: Any = Options(OSError(errno.EINVAL, "Invalid argument"))

    silence(sock)  # which is no trouble

    assert sock.taken == []


@pytest.mark.skipif(sys.platform != "linux", reason="an option of Linux")
def test_the_kernel_keeps_more_while_much_is_sent_and_little_again_afterwards(listener: Listener) -> None:
    one = connect(listener)
    other = accept(listener)

    def most_unsent() -> int:
        return one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)

    left = memoryview(bytes(16 * module.BULK))
    left = left[one.send_chunks([left]) :]  # more than the kernel takes at once
    during = most_unsent()
    room = memoryview(bytearray(module.BULK))
    other.setblocking(True)
    patient = Patience()
    while patient() and left:
        other.receive_into(room)
        try:
            left = left[one.send_chunks([left]) :]
        except BlockingIOError:
            pass
    after = most_unsent()
    one.close()
    other.close()

    assert (during, after) == (module.BULK, module.NOTSENT_LOWAT)


def test_both_ends_know_each_others_address(listener: Listener) -> None:
    one = connect(listener)
    other = accept(listener)
    addresses = one.address, other.address, Address(*one.getsockname())
    one.close()
    other.close()

    assert addresses[0] == listener.address
    assert addresses[1] == addresses[2]


@pytest.mark.skipif(sys.platform == "win32", reason="urgent data is inline there")
def test_urgent_data_is_not_part_of_the_stream_and_breaks_nothing(listener: Listener) -> None:
    connector = TCP.connect(LOOPBACK, listener.address.port, 0.0)
    one = settle(connector)
    assert isinstance(one, TcpTransport)
    other = accept(listener)

    socket.socket.send(other, b"!", socket.MSG_OOB)
    other.send(b"plain")
    received = receive(one, Ends(one, other, lambda: None))
    one.close()
    other.close()

    assert received == b"plain"


def test_a_transport_that_was_dropped_closes_without_a_warning(listener: Listener) -> None:
    one: Any = connect(listener)
    other = accept(listener)

    cycle = [one]
    cycle.append(cycle)
    del one, cycle
    gc.collect()
    end = receive(other, Ends(other, other, lambda: None))
    other.close()

    assert end == b""


# Connecting.


@pytest.mark.parametrize("taken", [False, True])
def test_a_descriptor_has_one_owner_wherever_an_interrupt_comes(taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Given(socket.socket):
        presses = 1

        def detach(self) -> int:
            if taken and self.presses:
                self.presses = 0
                raise KeyboardInterrupt
            return super().detach()

    one, other = socket.socketpair()
    given = Given(fileno=one.detach())
    if not taken:

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(socket.socket, "__init__", interrupted)

    with pytest.raises(KeyboardInterrupt):
        TcpTransport(given, Address("h", 1))
    monkeypatch.undo()
    gc.collect()

    assert (given.fileno() == -1) is taken
    given.close()
    assert other.recv(1) == b""
    other.close()


def test_what_is_to_be_told_makes_it_readable(listener: Listener) -> None:
    one = connect(listener)
    other = accept(listener)
    assert other.read_fd == other.write_fd >= 0
    assert not wait(CustomWaiter(read=[other.read_fd]), timeout=0.0)

    other.be_readable()
    told = wait(CustomWaiter(read=[other.read_fd]), timeout=10.0)
    other.close()
    other.be_readable()  # it is closed, and says so by itself
    one.close()

    assert told


@pytest.mark.skipif(sys.platform == "win32", reason="the lowest free number is the next one only elsewhere")
def test_what_is_closed_neither_sends_nor_receives_for_who_has_its_number_now() -> None:
    one, other = (TcpTransport(end, Address("h", 1)) for end in socket.socketpair())
    number = one.fileno()
    one.close()
    pair = socket.socketpair()
    here, there = pair if number == pair[0].fileno() else pair[::-1]
    assert number == here.fileno()
    there.send(b"for somebody else")

    with pytest.raises(OSError, match="descriptor"):
        one.send(b"lost")
    with pytest.raises(OSError, match="descriptor"):
        one.receive_into(memoryview(bytearray(8)))

    there.setblocking(False)
    assert here.recv(32) == b"for somebody else"
    with pytest.raises(BlockingIOError):
        there.recv(8)
    for end in (other, here, there):
        end.close()


def test_what_is_no_buffer_is_refused_and_nothing_moves(pair: tuple[TcpTransport, TcpTransport]) -> None:
    one, other = pair
    other.send(b"waits")

    with pytest.raises(TypeError):
        one.send("text")
    with pytest.raises(TypeError):
        one.receive_into(5)
    with pytest.raises((TypeError, BufferError)):
        one.receive_into(memoryview(b"cannot change"))

    with pytest.raises(BlockingIOError):
        other.receive_into(memoryview(bytearray(8)))
    assert one.receive_into(memoryview(bytearray(8))) == 5


def test_a_call_holds_nothing_once_it_is_over(pair: tuple[TcpTransport, TcpTransport]) -> None:
    one, other = pair
    data, room = bytearray(b"some bytes"), bytearray(64)

    def use() -> None:
        for _ in range(50):
            assert other.send(data) == one.receive_into(memoryview(room)) == len(data)
            for call, argument in ((one.send, None), (one.receive_into, memoryview(room)), (one.receive_into, b"")):
                with suppress(TypeError, BufferError, BlockingIOError):
                    call(argument)
        data.clear()  # as nobody looks at them any more
        data.extend(b"some bytes")
        room.clear()
        room.extend(bytes(64))

    use()
    tracemalloc.start()
    try:
        use()
        before = tracemalloc.get_traced_memory()[0]
        use()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert after - before < 1024


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_signal_during_a_call_changes_nothing(pair: tuple[TcpTransport, TcpTransport]) -> None:
    one, other = pair
    sent = received = 0
    room = memoryview(bytearray(4096))
    signals: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: signals.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    try:
        while len(signals) < 50:
            sent += other.send(bytes(4096))
            received += one.receive_into(room)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)

    assert sent == received
