"""Many streams: reads the ready, looks at the due, sends what there is, and sleeps until there is something to do."""

import errno
import math
import os
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from netcode.loop.clock import Clock, Timeline, earliest
from netcode.loop.engine import Engine
from netcode.loop.poller import BROKEN, NAP, READ, WRITE, clip
from netcode.stream.agenda import Agenda
from netcode.stream.contract import SCRATCH, Backlog, State
from netcode.stream.driver import seconds_left, step, together
from netcode.stream.sleeping import sleep_on
from netcode.stream.stream import Stream
from netcode.stream.watcher import Watcher
from netcode.waiting import Descriptors, sleep

PORTION = 64
"""Streams, and messages, that one update of a hurried loop handles before it lets the game have its turn."""

PART = 8
"""Streams of which some may be left for the next portion."""

HURRY = 0.005
"""Seconds within which a loop comes round that is hurried: it waits, updates and takes the events, and again.

What came is then handled in portions that stay in the processor's caches from being read to being answered; with
2,000 connections that saves a sixth of the whole. A slower loop, such as a game's, gets everything at once."""

PAUSE = 0.001
"""Seconds between two wake-ups at least where the first brought the game nothing, but only pings.

What comes of thousands of silent peers is then handled together. To wake up costs more than to handle a ping."""

T = TypeVar("T")


class StreamSet(Generic[T]):
    """The engine of a server: an update costs what is ready or due, not what is connected.

    It is the host of its streams, and knows what each is of: whatever was given with it. One that is over stays until
    the next update, so that its reason can be seen once. The set may change while it is iterated.
    """

    def __init__(self, clock: Clock, backlog: Backlog | None = None) -> None:
        self.timeline = Timeline(clock)
        self.engine = Engine()
        self.watcher = Watcher()
        self.closed = False
        self._backlog = backlog
        self._streams: dict[Stream, T] = {}
        self._dead: list[Stream] = []
        self._with_output: list[Stream] = []
        self._answering: list[Stream] = []
        self._hungry: list[Stream] = []
        self._agenda = Agenda()
        self._scratch = memoryview(bytearray(SCRATCH))
        self._continues = False  # whether the watcher keeps some that are left over from the last update
        self._hurried = False
        self._in_vain = False  # whether the last wake-up brought the game nothing, but only pings
        self.output = self._with_output.append
        self.answer = self._answering.append
        self.schedule = self._agenda.schedule
        self.watch, self.tell_again = self.watcher.watch, self.watcher.tell_again

    def __len__(self) -> int:
        return len(self._streams)

    def __iter__(self) -> Iterator[T]:
        return iter([*self._streams.values()])

    def __contains__(self, stream: object) -> bool:
        return stream in self._streams

    def take_in(self, stream: Stream, of: T) -> None:
        """Keep a stream that has not begun, and begin."""
        self.engine.stepping = stream
        self._keep(stream, of)
        stream.advance(self.timeline.now)
        stream.reschedule()
        self.engine.stepping = None

    def add(self, stream: Stream, of: T) -> None:
        """Keep a stream that somebody has updated by itself so far."""
        self.timeline.tick()  # both lines have to show the same moment
        stream.timeline.tick()
        self._keep(stream, of)
        self._take_up(stream)

    def update(self) -> None:
        """Receive, send, look at what is due, and drop the streams that were over before. Never blocks."""
        timeline = self.timeline
        before, now = timeline.now, timeline.tick()
        hurried, self._hurried = self._hurried and now - before < HURRY, False
        if self._dead:
            self._drop_dead()
        if self.closed:
            return
        self._read(now, hurried)
        if self._agenda.is_due(now):
            self._agenda.look_at_due(now, self.engine)
        if self._answering and not hurried:  # else the next wait is near
            self._take_answers()
        if self._with_output:
            self.send(now)

    def send(self, now: float) -> None:
        """Send what streams have said that they have."""
        streams = self._with_output[:]
        del self._with_output[: len(streams)]  # what a handler adds meanwhile stays
        engine = self.engine
        for stream in streams:
            if not stream.blocked:  # else the poller tells when there is room
                engine.stepping = stream
                stream.flush(now)
        engine.stepping = None

    def send_now(self) -> None:
        """Send everything that there is to send, before a sleep."""
        if not (self.engine.busy or self.engine.torn):
            self.engine.run(self._send_all)

    def sleep(self, seconds: float | None) -> bool:
        """Send what is queued, sleep in the poller, and keep what it tells for the next update."""
        timeline = self.timeline
        busy = timeline.since()
        self._hurried = busy < HURRY
        engine = self.engine
        if engine.torn:
            return True
        if self._with_output or self._answering:
            self.send_now()
        if self._dead or self.watcher.ready or engine.later:
            return True
        left = self.seconds_left()
        due = left is not None and (seconds is None or left <= seconds)
        seconds = clip(left if due else seconds)
        if self.watcher.unwatched:
            return self._sleep_beside(seconds) or due
        most = PORTION if self._hurried and self._backlog is not None else None
        if self._in_vain and busy < PAUSE and (seconds is None or seconds > PAUSE):
            time.sleep(PAUSE - busy)
        acts, long, poll = engine.acts, seconds is None or seconds > NAP, self.watcher.poller.poll
        try:
            ready = poll(NAP if long else seconds, most)
            if long and not ready:
                found = sleep_on(poll, seconds, most, lambda: self._has_reason_to_wake(acts))
                ready, due = found or [], due or found is None
        except BaseException as error:
            if self.closed and isinstance(error, (OSError, ValueError)):
                return True  # by a signal handler, and its poller with it
            engine.torn = True  # what the poller told is lost
            raise
        self.watcher.ready = ready
        timeline.tick(seconds or 0.0)
        return bool(ready) or due

    def seconds_left(self) -> float | None:
        """Return in how many seconds an update is due even if nothing arrives; None for never."""
        hungry = not all(stream.receiver.waits_for_game for stream in self._hungry)
        if hungry or self._with_output or self._answering or self._dead or self.engine.torn or self.watcher.ready:
            return 0.0
        deadline = self._agenda.next()
        left = None if deadline is None else self.timeline.until(deadline)
        unwatched = [*self.watcher.unwatched]  # to which a signal handler may add
        return earliest(left, *map(seconds_left, unwatched)) if unwatched else left

    def descriptors(self) -> Descriptors:
        """Return what to wait on: the poller's descriptor for all that it watches, if it has one."""
        empty = not self._streams and not self.watcher.doors  # its poller would sleep for ever
        fd = -1 if self.closed or empty else self.watcher.poller.fileno()
        if fd < 0:
            return self.each_descriptor()
        read, write, exceptional = together([*self.watcher.unwatched])
        return [fd, *read], write, exceptional

    def each_descriptor(self) -> Descriptors:
        """Return what to wait on where the poller is not to be asked."""
        return together([*self._streams])

    def close(self) -> None:
        """Close every stream, and the poller."""
        self.closed = True
        try:
            for stream in [*self._streams]:
                stream.close()
            self.watcher.start_anew(closed=True)
        except BaseException:
            self.engine.torn = True
            raise

    def abandon(self) -> None:
        """Be closed in a child of the process that made it; or be its own there, while nobody is in it."""
        for stream in [*self._streams]:
            stream.abandon()
        self.closed = self.closed or bool(self._streams)
        self._streams.clear()
        self.engine.abandon()
        self.engine.stepping = None
        self.recover()

    def recover(self) -> None:
        """Break off what was being stepped when an exception came, and make the tables anew from the streams."""
        torn = self.engine.stepping
        self.watcher.start_anew(self.closed)
        self._continues = False
        self._dead, self._hungry = [], []
        self._with_output.clear()
        self._answering.clear()
        self._agenda.clear()
        for stream in [*self._streams]:
            stream.watched, stream.wake = -1, math.inf
            if stream is torn or stream.torn or not stream.alive:
                stream.break_off()
            elif self.closed:
                stream.close()
            else:
                self._take_up(stream)
        self.engine.stepping = None

    # What a stream tells its host.

    def forget(self, stream: Stream) -> None:
        """Hear that `stream` is over, before its descriptors are closed."""
        self.watcher.forget(stream)
        self._dead.append(stream)

    def hold(self, stream: Stream) -> None:
        """What `stream` received is more than its receiver takes for now: read nothing more, and go on in the next update."""
        if stream.receiver.hungry and stream not in self.watcher.unwatched:  # those are looked at in each update anyway
            self._hungry.append(stream)
        if stream.state is State.DISCONNECTING or stream.draining is not None:
            stream.reschedule()  # its owner may have to see to it that it can end
        self.watcher.watch(stream)

    def interrupted(self) -> None:
        """Hear that an exception left a call of a stream half-way."""
        self.engine.torn = True

    # Inside.

    def _keep(self, stream: Stream, of: T) -> None:
        stream.move_to(self, self.timeline)
        self._streams[stream] = of
        self.watcher.unwatched[stream] = None

    def _drop_dead(self) -> None:
        dead, self._dead = self._dead, []
        for stream in dead:
            self._streams.pop(stream, None)
        self._agenda.tidy(len(self._streams))

    def _take_up(self, stream: Stream) -> None:
        """Have a living stream looked at when something comes, or is to be sent, or is due."""
        self.watcher.unwatched[stream] = None
        self.watcher.watch(stream)
        stream.reschedule()
        if stream.has_to_send():
            self.output(stream)
        if stream.receiver.hungry and stream not in self.watcher.unwatched:
            self._hungry.append(stream)

    def _read(self, now: float, hurried: bool) -> None:
        """Receive from those who are ready: from all, or in a hurry from enough of them for now."""
        if self._hungry and not (self._continues and hurried):  # not twice for one turn of the others
            self._resume_hungry(now)
        watcher = self.watcher
        ready = watcher.ready
        if not ready:
            ready, hurried = watcher.poller.poll(0), False
        elif hurried:
            watcher.ready = []
        else:
            ready = watcher.all_ready()
        self._in_vain = self._continues = False
        if ready:
            self._read_ready(ready, now, hurried)
        if watcher.unwatched:
            self._ask_unwatched(now)

    def _read_ready(self, ready: list[tuple[int, int]], now: float, hurried: bool) -> None:
        backlog, count = self._backlog, len(ready)
        events = None if backlog is None or not hurried else backlog.events
        enough = 0 if events is None else len(events) + PORTION
        beats = 0 if backlog is None else backlog.beats
        while ready:
            part, ready = (ready, []) if events is None else (ready[:PART], ready[PART:])
            self._read_from(part, now)
            if events is not None and len(events) >= enough:
                break
        self._in_vain = backlog is not None and 0 < count - len(ready) == backlog.beats - beats
        if ready:
            self.watcher.leave(ready)
            self._continues = bool(self.watcher.ready)

    def _ask_unwatched(self, now: float) -> None:
        engine = self.engine
        for stream in [*self.watcher.unwatched]:
            engine.stepping = stream
            step(stream, now, self._scratch)
        engine.stepping = None

    def _read_from(self, ready: list[tuple[int, int]], now: float) -> None:
        scratch, streams, engine = self._scratch, self.watcher.streams, self.engine
        for fd, bits in ready:
            stream = streams[fd]
            if stream is None:
                self.watcher.knocked = self.watcher.knocked or fd in self.watcher.doors
                continue
            engine.stepping = stream
            if bits == READ:
                stream.receive(now, scratch)
            else:
                self._handle(stream, fd, bits, now)
        engine.stepping = None

    def _resume_hungry(self, now: float) -> None:
        """Go on with those who had more than their share in the last update."""
        hungry, self._hungry = self._hungry, []
        engine = self.engine
        for stream in hungry:
            engine.stepping = stream
            stream.receive(now, self._scratch)
            self.watcher.watch(stream)
        engine.stepping = None

    def _handle(self, stream: Stream, fd: int, bits: int, now: float) -> None:
        """Handle what is rare: room to send again, and links that broke."""
        if bits & WRITE:
            stream.flush(now)
        transport = stream.transport
        if transport is None:
            return
        if bits & (READ | BROKEN) and fd == transport.read_fd and stream.wants_input():
            stream.receive(now, self._scratch)
            self.watcher.watch(stream)
        elif bits & BROKEN and fd == transport.read_fd:
            # Broken, but its owner has not yet taken what came before. A poller would tell it again and again.
            self.watcher.ask(stream)
        elif bits & BROKEN:
            stream.send_failed(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)), now)
            if stream.alive:
                self.watcher.ask(stream)  # what had come by then is read first; a poller would go on telling of this
        # An end may be behind what was received, or more to send than there was room for.
        self.watcher.tell_again(stream)

    def _sleep_beside(self, seconds: float | None) -> bool:
        """Sleep where there are some whom the poller does not know, beside those whom it does."""
        lists = self.descriptors()
        if seconds is None and not any(lists):
            return True  # nothing would end it
        ready = sleep(lists, seconds, lambda: self.seconds_left() == 0.0)
        self.timeline.tick(seconds or 0.0)
        return ready

    def _has_reason_to_wake(self, acts: int) -> bool:
        """Tell whether a signal handler has given one since there were so many `acts` of such."""
        return bool(self._with_output or self._dead) or self.engine.acts != acts

    def _send_all(self) -> None:
        if self._answering:
            self._take_answers()
        if self._with_output:
            self.send(self.timeline.now)

    def _take_answers(self) -> None:
        """Have the answers sent that waited for something to go with."""
        answering = self._answering[:]
        del self._answering[: len(answering)]
        self._with_output += answering
