"""When streams are to be looked at even if nothing arrives."""

import math

from netcode.loop.clock import Deadlines
from netcode.loop.engine import Engine
from netcode.stream.stream import Stream


class Agenda(Deadlines[Stream]):
    """Looks at streams that are due. Only it writes when a stream is to be looked at, but for a new beginning."""

    __slots__ = ()

    def schedule(self, stream: Stream, when: float) -> None:
        """Have `stream` looked at when `when` comes, at the latest."""
        if when < stream.wake:
            stream.wake = when
            self.push(when, stream)

    def look_at_due(self, now: float, engine: Engine) -> None:
        """Have each stream that is due do what it is due for."""
        entries: list[tuple[float, list[Stream]]] = []
        while (entry := self.pop(now)) is not None:
            entries.append(entry)  # first all, so that one that is due again at once cannot hold the update
        for when, streams in entries:
            for stream in streams:
                if stream.wake != when:
                    continue
                engine.stepping = stream
                stream.wake = math.inf
                if stream.transport is None and not stream.alive:
                    continue
                again = stream.check(now)
                if again < stream.wake:
                    stream.wake = again
                    self.push(again, stream)
        engine.stepping = None

    def tidy(self, count: int) -> None:
        """Forget what means nothing any more, where that is much beside so many streams."""
        if len(self) > 64 + 4 * count:
            self.prune(lambda when, stream: stream.alive and when == stream.wake)

    def clear(self) -> None:
        """Forget everything: all streams are scheduled anew."""
        self.prune(lambda _when, _stream: False)
