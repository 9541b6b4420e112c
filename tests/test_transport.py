"""The contract of transports, as far as it is code."""

import errno
import os
import random
import sys

import pytest

from netcode.address import Address
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport import (
    PIECE,
    Connector,
    Doorway,
    Ready,
    abandon,
    check_network,
    connection_reset,
    dice_of,
    in_pieces,
    send_each,
)
from netcode.transport.pipe import PipeTransport
from netcode.transport.tcp import TCP


class Door(Doorway):
    def __init__(self) -> None:
        self.address = Address("h", 1)

    def accept(self, now: float) -> Connector | None:
        return None

    def doors(self) -> tuple[int, ...]:
        return ()

    def close(self) -> None:
        pass


def test_a_doorway_has_no_time_of_its_own_unless_it_says_so() -> None:
    assert Door().due() is None


def test_a_doorway_says_nothing_to_whom_it_has_no_descriptor_for_unless_it_does() -> None:
    Door().say_when_short(b"no room")


def test_before_a_doorway_there_is_none_unless_it_says_so() -> None:
    door = Door()

    assert door.unwrap() == (door, None)


def test_what_is_ready_is_there_at_once() -> None:
    transport, other = MemoryNetwork(FakeClock()).make_link(Address("h", 1))
    ready = Ready(transport)

    assert (ready.where, ready.address, ready.hint) == ("h:1", Address("h", 1), "did not answer")
    assert (ready.descriptors(), ready.due()) == (([], [], []), 0.0)
    assert ready.advance(5.0) is transport
    ready.close()
    assert other.receive_into(memoryview(bytearray(10))) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows waits for sockets only")
def test_what_is_ready_waits_on_what_it_carries_bytes_with() -> None:
    (read, write), (back, forth) = os.pipe(), os.pipe()
    sides = [(read, forth), (back, None), (None, write)]
    ready = [Ready(PipeTransport(*side, None)) for side in sides]

    descriptors = [one.descriptors() for one in ready]
    for one in ready:
        one.close()

    assert descriptors == [([read], [forth], []), ([back], [], []), ([], [write], [])]


def test_what_is_ready_and_has_no_address_is_described() -> None:
    transport, _ = MemoryNetwork(FakeClock()).make_link(Address("h", 1))
    transport.address = None

    assert Ready(transport).where == "the given descriptors"


class Taker:
    """Takes so many bytes, then says «not now», or that the link is broken."""

    def __init__(self, room: int, error: OSError) -> None:
        self.room = room
        self.error = error
        self.taken: list[bytes] = []

    def __call__(self, data: bytes | memoryview, /) -> int:
        if not self.room:
            raise self.error
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.taken.append(taken)
        return len(taken)


@pytest.mark.parametrize(
    ("room", "taken"),
    [(2, [b"ab"]), (3, [b"abc"]), (4, [b"abc", b"d"]), (6, [b"abc", b"def"]), (9, [b"abc", b"def"])],
)
@pytest.mark.parametrize("error", [BlockingIOError(), ConnectionResetError()])
def test_pieces_are_sent_one_by_one_as_far_as_they_are_taken(
    monkeypatch: pytest.MonkeyPatch, room: int, taken: list[bytes], error: OSError
) -> None:
    monkeypatch.setattr("netcode.transport.PIECE", 3)
    taker = Taker(room, error)

    assert send_each(taker, [b"ab", b"cdef"]) == min(room, 6)
    assert taker.taken == taken


@pytest.mark.parametrize("error", [BlockingIOError(), ConnectionResetError()])
def test_pieces_of_which_nothing_was_taken_fail_as_one_send_does(error: OSError) -> None:
    with pytest.raises(OSError) as caught:
        send_each(Taker(0, error), [b"abc", b"def"])

    assert caught.value is error


@pytest.mark.parametrize("stopped", [0, 99, PIECE - 1, PIECE, 2 * PIECE + 7])
def test_pieces_are_never_less_than_was_left_of_one_however_chunks_were_joined_since(stopped: int) -> None:
    data = bytes(range(251)) * 800
    chunks = [data[stopped:100_000], *[data[at : at + 100] for at in range(max(stopped, 100_000), len(data), 100)]]

    pieces = [bytes(piece) for piece in in_pieces(filter(None, chunks))]

    assert pieces == [data[at : at + PIECE] for at in range(stopped, len(data), PIECE)]


def test_pieces_of_what_is_exactly_one_are_no_more_than_that() -> None:
    assert [len(piece) for piece in in_pieces([bytes(PIECE)])] == [PIECE]
    assert [len(piece) for piece in in_pieces([b"a", bytes(PIECE - 1), b"b"])] == [PIECE, 1]


def test_a_network_is_what_connects_and_listens() -> None:
    check_network(MemoryNetwork(FakeClock()))
    for network in (MemoryNetwork, "udp"):
        with pytest.raises(TypeError, match=r"^network must be a network"):
            check_network(network)


def test_what_is_the_parents_is_given_back_without_a_word() -> None:
    class Shared(Ready):
        abandoned = False

        def abandon(self) -> None:
            self.abandoned = True

    transport, other = MemoryNetwork(FakeClock()).make_link(Address("h", 1))
    shared = Shared(transport)

    abandon(shared)

    assert shared.abandoned
    with pytest.raises(BlockingIOError):
        other.receive_into(memoryview(bytearray(10)))
    abandon(Ready(transport))
    assert other.receive_into(memoryview(bytearray(10))) == 0


def test_chance_is_drawn_from_the_network_where_that_has_dice() -> None:
    network = MemoryNetwork(FakeClock(), seed=7)

    assert (dice_of(network), dice_of(TCP)) == (network.dice, random)


def test_a_link_that_broke_says_so_as_the_system_does() -> None:
    error = connection_reset()

    assert (error.errno, error.strerror) == (errno.ECONNRESET, os.strerror(errno.ECONNRESET))
