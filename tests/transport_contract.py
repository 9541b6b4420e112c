"""What every transport does, whatever carries the bytes: inherited by the test file of each.

A test file makes a fixture `ends` that gives both ends of one link, in a class that inherits `TransportContract`.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

import pytest
from bounds import Patience

from netcode.transport import Transport
from netcode.waiting import CustomWaiter, wait

ROUNDS = 2000
"""Attempts after which what a test waits for will not come."""


class Ends(NamedTuple):
    """Both ends of one link."""

    one: Transport
    other: Transport
    pause: Callable[[], None]
    """Let happen what takes time between the ends."""


def receive(transport: Transport, ends: Ends, room: int = 65_536) -> bytes:
    """Receive something, or the end."""
    buffer = memoryview(bytearray(room))
    for _ in range(ROUNDS):
        try:
            return bytes(buffer[: transport.receive_into(buffer)])
        except BlockingIOError:
            if transport.read_fd >= 0:
                wait(CustomWaiter(read=[transport.read_fd]), timeout=0.1)
            ends.pause()
    raise AssertionError("nothing came")


def receive_until(length: int, transport: Transport, ends: Ends) -> bytes:
    received = b""
    patient = Patience()
    while patient() and len(received) < length:
        more = receive(transport, ends)
        assert more, f"the end came after {len(received)} bytes"
        received += more
    return received


def fill(transport: Transport, data: bytes) -> int:
    """Send until it takes no more, and return how many bytes it took."""
    total = 0
    for _ in range(ROUNDS):
        try:
            total += transport.send(data)
        except BlockingIOError:
            return total
    raise AssertionError("it takes for ever")


class TransportContract:
    """The laws. `ends` is given by the class that inherits them."""

    def test_bytes_go_both_ways(self, ends: Ends) -> None:
        sent = ends.one.send(b"there"), ends.other.send(memoryview(b"and back"))

        assert sent == (5, 8)
        assert receive_until(5, ends.other, ends) == b"there"
        assert receive_until(8, ends.one, ends) == b"and back"

    def test_nothing_to_receive_is_not_the_end(self, ends: Ends) -> None:
        with pytest.raises(BlockingIOError):
            ends.one.receive_into(memoryview(bytearray(65_536)))

    def test_chunks_arrive_in_order(self, ends: Ends) -> None:
        chunks: list[bytes | memoryview] = [b"one, ", memoryview(b"two, "), b"three"]

        assert ends.one.send_chunks(chunks) == 15
        assert receive_until(15, ends.other, ends) == b"one, two, three"

    def test_a_full_way_takes_no_more_until_it_is_emptied(self, ends: Ends) -> None:
        data = bytes(range(256)) * 256

        taken = fill(ends.one, data)
        received = receive_until(taken, ends.other, ends)
        for _ in range(ROUNDS):
            try:
                more = ends.one.send(data)
                break
            except BlockingIOError:
                ends.pause()
        else:
            raise AssertionError("it stays full")

        assert received == (data * (taken // len(data) + 1))[:taken]
        assert receive_until(more, ends.other, ends) == data[:more]

    def test_what_was_taken_arrives_before_the_end(self, ends: Ends) -> None:
        data = os.urandom(30_000)

        sent = ends.one.send(data)
        ends.one.finish()
        received = receive_until(sent, ends.other, ends)

        assert received == data[:sent]
        if ends.one.lingers:
            assert receive(ends.other, ends) == b""
            assert receive(ends.other, ends) == b""  # and says so for ever

    def test_after_our_end_the_other_side_still_speaks(self, ends: Ends) -> None:
        ends.one.finish()
        ends.other.send(b"last words")

        assert receive_until(10, ends.one, ends) == b"last words"

    def test_sending_to_who_left_fails_sooner_or_later(self, ends: Ends) -> None:
        ends.other.close()
        ends.pause()

        with pytest.raises(OSError) as caught:  # noqa: PT012 - the first sends may go out before the news come in
            for _ in range(ROUNDS):
                try:
                    ends.one.send(b"anybody?")
                except BlockingIOError:
                    pass
                ends.pause()

        assert not isinstance(caught.value, BlockingIOError)

    def test_closing_is_the_end_for_the_other_side(self, ends: Ends) -> None:
        ends.one.send(b"bye")
        ends.one.close()

        assert receive_until(3, ends.other, ends) == b"bye"
        assert receive(ends.other, ends) == b""

    def test_an_end_right_behind_bytes_is_told_by_pollers_too(self, ends: Ends) -> None:
        ends.one.send(b"bye")
        ends.one.close()
        ends.pause()

        told = list[bool]()
        for expected in (b"bye", b"", b""):
            if ends.other.read_fd >= 0:
                told.append(wait(CustomWaiter(read=[ends.other.read_fd]), timeout=10.0))
            assert receive(ends.other, ends) == expected

        assert all(told)

    def test_a_probe_carries_nothing(self, ends: Ends) -> None:
        ends.one.probe()
        ends.one.send(b"are you there?")
        ends.one.probe()
        ends.one.probe()
        ends.one.send(b" well?")

        assert receive_until(20, ends.other, ends) == b"are you there? well?"

    def test_closing_and_ending_twice_is_fine(self, ends: Ends) -> None:
        ends.one.finish()
        ends.one.finish()
        ends.one.close()
        ends.one.close()

    def test_ending_what_broke_is_fine(self, ends: Ends) -> None:
        ends.other.send(b"unread")
        ends.one.close()
        ends.pause()

        ends.other.finish()
        ends.other.close()

    def test_room_as_large_as_the_grain_leaves_nothing_hidden(self, ends: Ends) -> None:
        room = max(ends.other.grain, 100)
        sent = ends.one.send(bytes(40_000))

        received = 0
        patient = Patience()
        while patient() and received < sent:
            if ends.other.read_fd >= 0:
                assert wait(CustomWaiter(read=[ends.other.read_fd]), timeout=10.0)
            received += len(receive(ends.other, ends, room))

        assert received == sent
