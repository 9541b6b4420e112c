"""The two buffers against the plainest models of them: a `bytes`, and a list of when each byte was queued."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType]  # it has no annotations
)

from netcode.address import Address
from netcode.stream import buffer as module
from netcode.stream.buffer import (
    JOIN_BELOW,
    JOIN_EACH_BELOW,
    JOIN_FROM,
    LEAST_ROOM,
    MARK_EVERY,
    MAX_CHUNKS,
    ReceiveBuffer,
    SendQueue,
    rest_of,
)
from netcode.transport.tcp_socket import BULK

FEW = 8
"""Bytes that are worth it in the model."""


class ReceiveModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.buffer = ReceiveBuffer()
        self.model = b""

    @rule(data=st.binary(max_size=50))
    def append(self, data: bytes) -> None:
        self.buffer.append(memoryview(data))
        self.model += data

    @rule(wanted=st.integers(0, 100), data=st.binary(max_size=50))
    def receive_in_place(self, wanted: int, data: bytes) -> None:
        room = self.buffer.room(wanted)
        if room is None:
            assert min(wanted, len(self.model)) < FEW
            return
        with room:
            assert min(FEW, len(self.model)) <= len(room) <= wanted
            came = data[: len(room)]
            room[: len(came)] = came
        self.buffer.added(len(came))
        self.model += came

    @rule(length=st.integers(0, 80))
    def drop(self, length: int) -> None:
        self.buffer.drop(length)
        self.model = self.model[length:]

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert len(self.buffer) == len(self.model)
        with self.buffer.view() as view:
            assert view == self.model

    @invariant()
    def holds_little_more_than_that(self) -> None:
        assert len(self.buffer._data) <= self.most + 200

    @property
    def most(self) -> int:
        self._most = max(getattr(self, "_most", 0), 3 * len(self.model))
        return self._most


def test_any_use_of_a_receive_buffer_keeps_to_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_ROOM", FEW)

    run_state_machine_as_test(ReceiveModel, settings=settings(stateful_step_count=60, max_examples=50))


def test_a_promise_makes_room_for_what_came_not_for_what_was_promised() -> None:
    buffer = ReceiveBuffer()
    buffer.append(bytes(LEAST_ROOM - 1))
    little = buffer.room(2**31)
    buffer.append(bytes(LEAST_ROOM))

    room = buffer.room(2**31)

    assert little is None
    assert room is not None
    assert len(room) == 2 * LEAST_ROOM - 1
    assert buffer.room(LEAST_ROOM - 1) is None  # which is not worth it
    room.release()


def test_room_that_was_made_once_is_there_for_the_next_large_message() -> None:
    buffer = ReceiveBuffer()
    buffer.append(bytes(3 * LEAST_ROOM))
    buffer.drop(3 * LEAST_ROOM)
    buffer.append(b"head")

    room = buffer.room(2**31)

    assert room is not None
    assert len(room) == 3 * LEAST_ROOM - 4
    assert (buffer.owns(room), buffer.owns(memoryview(bytes(4)))) == (True, False)
    room[:] = b"x" * len(room)
    room.release()
    buffer.added(3 * LEAST_ROOM - 4)
    with buffer.view() as view:
        assert view == b"head" + b"x" * (3 * LEAST_ROOM - 4)


def test_a_stream_taken_in_small_steps_moves_each_byte_once() -> None:
    buffer = ReceiveBuffer()
    buffer.append(bytes(60_000))

    for _ in range(10_000):
        buffer.append(bytes(100))
        buffer.drop(100)

    assert len(buffer) == 60_000
    assert len(buffer._data) < 200_000


class SendModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.queue = SendQueue()
        self.now = 0.0
        self.model: list[tuple[int, float]] = []  # each byte, and when it was first kept waiting
        self.blocked = False

    @rule(data=st.binary(min_size=1, max_size=20))
    def append(self, data: bytes) -> None:
        self.queue.append(data)
        self.model += [(byte, self.now) for byte in data]

    @rule(chunks=st.lists(st.binary(min_size=1, max_size=20)))
    def extend(self, chunks: list[bytes]) -> None:
        self.queue.extend(chunks)
        self.model += [(byte, self.now) for chunk in chunks for byte in chunk]

    @rule(large=st.integers(JOIN_BELOW, JOIN_BELOW + 3))
    def append_large(self, large: int) -> None:
        self.queue.append(bytes(large))
        self.model += [(0, self.now)] * large

    @rule(part=st.floats(0, 1))
    def send(self, part: float) -> None:
        if not self.model:
            return
        chunks = self.queue.join()
        data = b"".join(chunks)
        assert 0 < len(chunks) <= MAX_CHUNKS
        assert all(chunks)
        assert data == bytes(byte for byte, _ in self.model[: len(data)])
        assert len(data) == len(self.model) or len(chunks) == MAX_CHUNKS
        count = int(part * len(data))
        self.queue.sent(count, self.now)
        del self.model[:count]
        if not self.blocked:  # what the network did not take at once waits from now on
            self.model = [(byte, self.now) for byte, _ in self.model]
        self.blocked = bool(self.model)

    @rule()
    def clear(self) -> None:
        self.queue.clear()
        self.model.clear()
        self.blocked = False

    @rule(seconds=st.floats(0.01, 1.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        if self.blocked:
            self.queue.mark(self.now)

    @invariant()
    def counts_what_waits(self) -> None:
        assert self.queue.size == len(self.model)

    @invariant()
    def the_age_is_never_above_the_truth_and_hardly_below(self) -> None:
        since = self.queue.since()
        assert (since is None) is not self.blocked
        if since is not None:
            assert self.model[0][1] <= since <= self.model[0][1] + MARK_EVERY + 1.0


@pytest.mark.games
def test_any_use_of_a_send_queue_keeps_to_the_model() -> None:
    run_state_machine_as_test(SendModel, settings=settings(stateful_step_count=50, max_examples=60))


def test_what_was_kept_waiting_first_ages_until_it_is_sent() -> None:
    queue = SendQueue()
    queue.append(bytes(10))
    queue.mark(0.0)
    queue.append(bytes(10))
    queue.mark(MARK_EVERY)

    queue.sent(9, 2 * MARK_EVERY)
    assert queue.since() == 0.0
    queue.sent(1, 2 * MARK_EVERY)
    assert queue.since() == MARK_EVERY


def test_a_queue_that_gets_shorter_is_not_stuck_however_old_it_is() -> None:
    queue = SendQueue()
    queue.append(bytes(6_400))
    queue.mark(0.0)

    seen: list[tuple[float | None, float | None]] = []
    for now, count in ((1.0, 99), (2.0, 2), (3.0, 100), (4.0, 0)):
        queue.sent(count, now)
        seen.append((queue.since(), queue.stuck_since()))

    assert seen == [(0.0, 0.0), (0.0, 2.0), (0.0, 3.0), (0.0, 3.0)]


@pytest.mark.parametrize("size", [1, 2, 14, 15])
def test_a_queue_of_a_few_bytes_is_stuck_until_one_is_gone(size: int) -> None:
    queue = SendQueue()
    queue.append(bytes(size))
    queue.mark(0.0)
    queue.append(b"!")
    queue.mark(1.0)

    before = queue.eases(2.0), queue.stuck_since()
    queue.sent(1, 3.0)

    assert before == (False, 0.0)
    assert (queue.eases(4.0), queue.stuck_since()) == (True, 4.0)


def test_a_queue_that_became_longer_is_stuck_until_it_is_well_below_its_longest() -> None:
    queue = SendQueue()
    queue.append(bytes(100))
    queue.mark(0.0)
    queue.append(bytes(7_900))
    queue.mark(1.0)

    queue.sent(499, 2.0)
    early = queue.eases(2.0), queue.stuck_since()
    queue.sent(1, 3.0)
    then = queue.eases(3.0), queue.stuck_since()

    assert early == (False, 1.0)
    assert then == (True, 3.0)
    assert (queue.eases(4.0), queue.left) == (False, 7_500)


@given(
    st.lists(
        st.one_of(st.integers(1, 100), st.integers(JOIN_EACH_BELOW - 2, JOIN_EACH_BELOW + 2)), min_size=1, max_size=90
    )
)
@example([JOIN_BELOW, 1, 2, *[JOIN_EACH_BELOW] * MAX_CHUNKS, 3])
@example([5, *[JOIN_EACH_BELOW] * JOIN_FROM, 1])
@example([*[1] * MAX_CHUNKS, JOIN_BELOW])
@settings(max_examples=30)
def test_joining_leaves_large_chunks_where_they_are(sizes: list[int]) -> None:
    queue = SendQueue()
    chunks = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
    for chunk in chunks:
        queue.append(chunk)

    joined = queue.join()

    if queue.size >= JOIN_BELOW:
        large = [chunk for chunk in chunks if len(chunk) >= JOIN_EACH_BELOW]
        assert all(any(chunk is other for other in queue.chunks) for chunk in large)
    assert b"".join(chunks).startswith(b"".join(joined))
    assert len(joined) <= MAX_CHUNKS
    assert b"".join(queue.chunks) == b"".join(chunks)


def test_of_much_that_waits_as_much_is_offered_as_the_kernel_takes_in_bulk() -> None:
    queue, chunk = SendQueue(), bytes(JOIN_EACH_BELOW)
    queue.extend([chunk, b"x"] * MAX_CHUNKS)

    assert sum(map(len, queue.join())) > 2 * BULK


def test_small_chunks_are_joined_behind_much_that_waits_and_large_ones_stay_what_they_are() -> None:
    queue, large = SendQueue(), bytes(JOIN_EACH_BELOW)
    queue.extend([large] * 2 * MAX_CHUNKS)
    for number in range(50):
        queue.extend([b"x"] * 2 * JOIN_FROM)
        queue.join()
        if number % 2:
            queue.sent(3 * JOIN_EACH_BELOW, 0.0)

    assert queue.chunks == [large] * (2 * MAX_CHUNKS - 75) + [b"x" * 100 * JOIN_FROM]
    assert all(chunk is large for chunk in queue.chunks[:-1])


@pytest.mark.parametrize("size", [0, 1, JOIN_BELOW])
def test_everything_sent_leaves_nothing_to_age(size: int) -> None:
    queue = SendQueue()
    queue.append(bytes(size + 1))

    queue.sent(size, 1.0)
    waiting_since = queue.since()
    queue.sent(1, 2.0)

    assert waiting_since == 1.0
    assert (queue.size, queue.chunks, queue.since()) == (0, [], None)


class Taker:
    """A transport that takes so many bytes of each offer, or fails."""

    read_fd = write_fd = -1
    lingers = drains = False
    grain = 0
    address: Address | None = None

    def __init__(self, *takes: int | OSError) -> None:
        self.takes = [*takes]
        self.offered: list[list[int] | int] = []

    def receive_into(self, buffer: memoryview) -> int:
        raise BlockingIOError

    def send(self, data: bytes | memoryview) -> int:
        self.offered.append(len(data))
        return self.take()

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        self.offered.append([*map(len, chunks)])
        return self.take()

    def take(self) -> int:
        count = self.takes.pop(0)
        if isinstance(count, OSError):
            raise count
        return count

    def probe(self) -> None: ...

    def finish(self) -> None: ...

    def close(self) -> None: ...


def test_what_an_offer_leaves_is_offered_next_and_ages() -> None:
    taker, queue = Taker(3, 7), SendQueue(b"", b"abc", b"de")

    queue.offer(taker, b"fghij", 1.0, bulk=False)
    since, left = queue.since(), queue.size
    queue.offer(taker, b"", 2.0, bulk=False)

    assert (since, left, queue.left, queue.size) == (1.0, 7, 7, 0)
    assert taker.offered == [10, 7]


def test_a_network_that_takes_nothing_now_leaves_all() -> None:
    queue = SendQueue(b"abc")

    queue.offer(Taker(BlockingIOError()), b"de", 1.0, bulk=False)

    assert (queue.size, queue.left, queue.since()) == (5, 5, 1.0)
    with pytest.raises(BrokenPipeError):
        queue.offer(Taker(BrokenPipeError()), b"", 2.0, bulk=False)


@pytest.mark.parametrize(
    ("size", "bulk", "offered"),
    [(JOIN_BELOW - 1, False, JOIN_BELOW - 1), (JOIN_BELOW, False, [JOIN_BELOW]), (2, True, [2])],
)
def test_the_end_of_a_bulk_is_offered_as_its_beginning(size: int, bulk: bool, offered: list[int] | int) -> None:
    taker = Taker(size)

    SendQueue(bytes(size)).offer(taker, b"", 0.0, bulk=bulk)

    assert taker.offered == [offered]


@pytest.mark.parametrize("count", [0, 2])
def test_the_rest_of_what_was_sent_without_a_queue_waits_in_one(count: int) -> None:
    queue = rest_of(b"abc", count, 4.0)

    assert b"".join(queue.chunks) == b"abc"[count:]
    assert (queue.size, queue.left, queue.since()) == (3 - count, 3 - count, 4.0)
