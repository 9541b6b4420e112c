"""What was sent and not acknowledged, compared with a model that keeps every message."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from netcode.session.resend import PIECE, ResendQueue, apart
from netcode.wire.framing import frame, length_at

LIMIT = 3 * PIECE


class Sending(RuleBasedStateMachine):
    """Messages are sent in batches, acknowledged, and asked for again."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = ResendQueue(LIMIT)
        self.frames: list[bytes] = []
        self.acknowledged = 0

    @initialize()
    def begin(self) -> None:
        assert self.queue.since(0) == []

    @rule(
        payloads=st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=5),
        times=st.integers(1, 120),
        is_much=st.booleans(),
    )
    def send(self, payloads: list[bytes], times: int, is_much: bool) -> None:
        frames = [frame(payload * times) for payload in payloads]
        self.frames += frames
        batch = [*frames]
        taken = b"".join(self.queue.take_apart(batch, apart(batch))) if is_much else self.queue.take(batch)
        assert (taken, batch) == (b"".join(frames), [])
        assert self.queue.size <= LIMIT

    @rule(size=st.integers(1, 2 * PIECE))
    def send_large(self, size: int) -> None:
        whole = frame(bytes(size))
        self.frames.append(whole)
        self.queue.take_large((whole[:5], whole[5:]))
        assert self.queue.size <= LIMIT

    @rule(count=st.integers(1, 3))
    def send_for_good(self, count: int) -> None:
        self.queue.forget()
        self.queue.count(count, count * len(frame(b"gone")))
        self.frames += [frame(b"gone")] * count
        assert self.queue.size == 0

    @rule(data=st.data())
    def acknowledge(self, data: Any) -> None:
        received = data.draw(st.integers(0, len(self.frames)))
        self.acknowledged = max(self.acknowledged, received)
        assert self.queue.acknowledge(received)

    @rule()
    def acknowledge_everything(self) -> None:
        self.acknowledged = len(self.frames)
        assert self.queue.acknowledge(self.acknowledged)

    @rule(more=st.integers(1, 2**64))
    def claim_what_was_never_sent(self, more: int) -> None:
        assert not self.queue.acknowledge(len(self.frames) + more)
        assert self.queue.since(len(self.frames) + more) is None

    @rule(data=st.data())
    def ask_again(self, data: Any) -> None:
        received = data.draw(st.integers(0, len(self.frames)))
        again = self.queue.since(received)
        if again is None:
            assert received < self.queue._base
        else:
            assert b"".join(again) == b"".join(self.frames[received:])
            self.acknowledged = max(self.acknowledged, received)

    @rule(data=st.data())
    def withdraw(self, data: Any) -> None:
        number = data.draw(st.integers(max(self.acknowledged, self.queue._base), len(self.frames)))
        self.queue.withdraw(number)
        del self.frames[number:]

    @rule(above=st.integers(0, 2 * PIECE))
    def ask_for_the_largest(self, above: int) -> None:
        kept = self.frames[self.queue._base :]
        assert self.queue.largest(above) == max((len(one) - 4 for one in kept if len(one) - 4 > above), default=0)

    @invariant()
    def what_is_kept_is_the_end_of_what_was_sent(self) -> None:
        queue = self.queue
        assert (queue.sent, queue.bytes_sent) == (len(self.frames), sum(map(len, self.frames)))
        assert queue.acknowledged == self.acknowledged
        kept = self.frames[queue._base :]
        assert queue.size == sum(map(len, kept))
        # What need not be kept any more is so only because it shares a piece with something that must.
        needed = self.frames[max(self.acknowledged, queue._base) :]
        assert queue.size < sum(map(len, needed)) + 2 * PIECE or len(needed) == 0 == queue.size


TestSending = Sending.TestCase


def test_what_is_acknowledged_is_let_go_a_piece_at_a_time() -> None:
    queue = ResendQueue(LIMIT)
    piece = frame(bytes(PIECE // 2))
    queue.take([piece, piece])
    queue.take([frame(b"three")])

    queue.acknowledge(1)
    within_a_piece = queue.size
    queue.acknowledge(2)

    assert within_a_piece == 2 * len(piece) + 9
    assert (queue.size, queue.since(2)) == (9, [frame(b"three")])


def test_when_everything_is_acknowledged_nothing_is_kept() -> None:
    queue = ResendQueue(LIMIT)
    queue.take([frame(b"one")])

    queue.acknowledge(1)

    assert (queue.size, queue.since(1), queue._open, queue._pieces) == (0, [], None, None)


def test_what_is_lacking_may_begin_within_a_piece() -> None:
    queue = ResendQueue(LIMIT)
    queue.take([frame(b"one"), frame(b"two")])
    queue.take([frame(b"three")])

    assert queue.since(1) == [frame(b"two") + frame(b"three")]


@pytest.mark.parametrize("room", [0, 1])
def test_beyond_the_limit_the_oldest_are_let_go_and_cannot_be_asked_for(room: int) -> None:
    first, second = frame(bytes(PIECE)), frame(b"second")
    queue = ResendQueue(len(first) + len(second) - 1 + room)
    queue.take([first])
    queue.take([second])

    assert queue.since(0) == (None if room == 0 else [first, second])
    assert queue.since(1) == [second]


def test_exactly_as_much_as_may_be_kept_is_kept() -> None:
    whole, more = frame(bytes(PIECE - 4)), frame(b"x")
    queue = ResendQueue(len(whole))

    assert (len(whole), queue.take([whole])) == (PIECE, whole)
    assert queue.since(0) == [whole]
    queue.take([more])
    assert (queue.since(0), queue.since(1)) == (None, [more])


def test_of_what_is_broadcast_all_keep_the_same() -> None:
    data = frame(bytes(PIECE))
    queues = [ResendQueue(LIMIT), ResendQueue(LIMIT)]

    for queue in queues:
        queue.take([frame(b"small")])
        assert queue.take([data]) is data

    assert [queue.since(1) for queue in queues] == [[data], [data]]
    assert all(chunk is data for queue in queues for chunk in queue.since(1) or ())


def test_of_much_that_is_broadcast_all_keep_the_same() -> None:
    large, small = frame(bytes(PIECE)), [frame(bytes(PIECE // 2)), frame(b"one"), frame(bytes(PIECE // 2))]
    queues = [ResendQueue(2 * LIMIT), ResendQueue(2 * LIMIT)]
    parts = apart([large, *small, large])

    chunks = [queue.take_apart([large, *small, large], parts) for queue in queues]

    assert chunks == [[large, b"".join(small), large]] * 2
    kept = [queue.since(0) or [] for queue in queues]
    assert all(one is other for others in zip(*chunks, *kept, strict=False) for one in others for other in others)


def test_a_large_message_is_kept_without_a_copy() -> None:
    queue = ResendQueue(LIMIT)
    large = frame(bytes(2 * PIECE))[:9], bytes(2 * PIECE - 5)
    queue.take([frame(b"before")])
    queue.take_large(large)

    again = queue.since(1)

    assert again is not None
    assert again[1] is large[1]
    assert (queue.largest(PIECE), queue.largest(2 * PIECE)) == (2 * PIECE, 0)


@pytest.mark.parametrize("most", [PIECE, 2 * PIECE])
def test_returns_look_at_each_message_once_at_most(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    looked_at: list[int] = []

    def count(data: bytes, position: int) -> int:
        looked_at.append(position)
        return length_at(data, position)

    monkeypatch.setattr("netcode.session.resend.length_at", count)
    queue = ResendQueue(1 << 20)
    tiny, batch = frame(b"x"), [frame(b"many")] * 1000
    for _ in range(10_000):
        queue.take([tiny])
    queue.take([*batch])

    for received in range(1, 41):  # somebody who says nothing else than that it is back
        assert queue.since(received) is not None
        assert queue.largest(most) == 0

    assert len(looked_at) <= 40 + len(batch) + PIECE // len(tiny)


@pytest.mark.parametrize("resumes", [True, False])
def test_what_is_taken_from_a_batch_is_in_it_no_more(resumes: bool) -> None:
    queue = ResendQueue(LIMIT)
    batch = [frame(b"one"), frame(b"two")]
    data = b"".join(batch)

    if resumes:
        assert queue.take(batch) == data
    else:
        queue.count(2, len(data), batch)

    assert (batch, queue.sent, queue.size) == ([], 2, len(data) if resumes else 0)


def test_who_counts_on_has_what_was_sent_since_and_nothing_from_before() -> None:
    queue = ResendQueue(LIMIT)
    queue.take([frame(b"one"), frame(b"two")])

    queue.begin_at(7)

    assert (queue.sent, queue.acknowledged) == (9, 7)
    assert queue.since(6) is None
    assert queue.since(8) == [frame(b"two")]
    assert queue.acknowledge(9)
    assert (queue.size, queue.acknowledged) == (0, 9)
