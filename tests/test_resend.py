"""What was sent and not acknowledged, compared with a model that keeps every message."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from netcode.framing import frame
from netcode.resend import ResendQueue

LIMIT = 200


class Sending(RuleBasedStateMachine):
    """Messages are sent in batches, acknowledged, and asked for again."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = ResendQueue(LIMIT)
        self.frames: list[bytes] = []
        self.acknowledged = 0
        self.first_kept = 0  # what the queue has to be able to give again begins here, at the latest

    @initialize()
    def begin(self) -> None:
        assert self.queue.since(0) == []

    @rule(payloads=st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=5), trim=st.booleans())
    def send(self, payloads: list[bytes], trim: bool) -> None:
        frames = [*map(frame, payloads)]
        self.frames += frames
        self.queue.append(len(frames), b"".join(frames))
        if trim:
            self.queue.trim()
            assert self.queue.size <= LIMIT

    @rule(size=st.integers(1, 50))
    def send_large(self, size: int) -> None:
        whole = frame(bytes(size))
        self.frames.append(whole)
        self.queue.append(1, (whole[:5], whole[5:]))

    @rule(count=st.integers(1, 3))
    def send_for_good(self, count: int) -> None:
        self.queue.forget()
        self.queue.count(count)
        self.frames += [frame(b"gone")] * count
        assert self.queue.size == 0

    @rule(data=st.data())
    def acknowledge(self, data: Any) -> None:
        received = data.draw(st.integers(0, len(self.frames)))
        self.acknowledged = max(self.acknowledged, received)
        assert self.queue.acknowledge(received)

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

    @invariant()
    def what_is_kept_is_the_end_of_what_was_sent(self) -> None:
        queue = self.queue
        assert queue.sent == len(self.frames)
        assert queue.acknowledged == self.acknowledged
        kept = self.frames[queue._base :]
        assert queue.size == sum(map(len, kept))
        assert queue.largest() == max((len(one) - 4 for one in kept), default=0)
        assert (queue._chunks is not None) or kept == []


TestSending = Sending.TestCase


def test_what_is_acknowledged_is_let_go_a_batch_at_a_time() -> None:
    queue = ResendQueue(LIMIT)
    queue.append(2, frame(b"one") + frame(b"two"))
    queue.append(1, frame(b"three"))

    queue.acknowledge(1)
    within_a_batch = queue.size
    queue.acknowledge(2)

    assert within_a_batch == 7 + 7 + 9
    assert (queue.size, queue.since(2)) == (9, [frame(b"three")])


def test_what_is_lacking_may_begin_within_a_batch() -> None:
    queue = ResendQueue(LIMIT)
    queue.append(3, frame(b"one") + frame(b"two") + frame(b"three"))

    assert queue.since(2) == [frame(b"three")]


def test_beyond_the_limit_the_oldest_are_let_go_and_cannot_be_asked_for() -> None:
    queue = ResendQueue(12)
    queue.append(1, frame(b"first"))
    queue.append(1, frame(b"second"))

    queue.trim()

    assert (queue.size, queue.since(0), queue.since(1)) == (10, None, [frame(b"second")])
