"""What drives streams of which no poller tells: all that one has to do in a step, and what they wait for in between."""

import math
from collections.abc import Iterable

from netcode.stream.contract import State
from netcode.stream.stream import Stream
from netcode.waiting import Descriptors, merge

_DISCONNECTED = State.DISCONNECTED  # looked up once per step; a member of an Enum takes long to look up


def update(stream: Stream, scratch: memoryview) -> None:
    """Do what can be done now for a stream that nothing else drives.

    If an exception leaves this, the next call ends the stream, because nobody knows how far it got.
    """
    if stream.torn:
        stream.break_off()
        stream.torn = False
    now = stream.timeline.tick()
    if not stream.alive:
        return
    try:
        step(stream, now, scratch)
    except BaseException:
        stream.torn = True
        raise


def step(stream: Stream, now: float, scratch: memoryview) -> None:
    """Connect, receive, look at what is due and send, as far as that can be done now."""
    if stream.connecting is not None:
        stream.advance(now)
    if stream.transport is not None:
        stream.receive(now, scratch)
    if stream.state is not _DISCONNECTED:
        stream.check(now)
    if stream.transport is not None:
        stream.flush(now)


def send_now(stream: Stream) -> None:
    """Offer the network what is to be sent, before a sleep."""
    if not stream.blocked and stream.has_to_send():
        stream.flush(stream.timeline.now)


def seconds_left(stream: Stream) -> float | None:
    """Return in how many seconds there is something to do even if nothing arrives; None for never."""
    hungry = stream.receiver.hungry and not stream.receiver.waits_for_game
    if hungry or (stream.draining is not None and stream.wants_input()):
        return 0.0
    deadline = stream.deadline()
    return None if deadline == math.inf else stream.timeline.until(deadline)


def descriptors(stream: Stream) -> Descriptors:
    """Return what it waits for: reading if there is room, writing if something is to be sent or connects."""
    if stream.connecting is not None:
        return stream.connecting.descriptors()
    transport = stream.transport
    if transport is None:
        return [], [], []
    read = [transport.read_fd] if transport.read_fd >= 0 and stream.wants_input() else []
    write = [transport.write_fd] if transport.write_fd >= 0 and stream.has_to_send() else []
    return read, write, []


def together(streams: Iterable[Stream]) -> Descriptors:
    """Return what to wait on for all of `streams`."""
    return merge(map(descriptors, streams))
