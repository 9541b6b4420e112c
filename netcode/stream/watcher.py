"""Whose descriptor is whose, and what the poller is asked about it."""

from netcode.loop.poller import EDGE, READ, WRITE, Poller, make_poller, merged
from netcode.stream.stream import Stream
from netcode.transport import Transport

_READ_ONCE = READ | EDGE  # one number for thousands of streams


class Watcher:
    """Has a poller watch streams for what they wait for, and doors for who knocks.

    It is the only writer of what a stream is `watched` for.
    """

    def __init__(self) -> None:
        self.poller: Poller = make_poller()
        self.streams: list[Stream | None] = []
        """By descriptor; None for those of doors, and of nobody."""
        self.unwatched: dict[Stream, None] = {}
        """Of these nobody tells when they are ready: they are asked at each update. A set that remembers the order."""
        self.doors: tuple[int, ...] = ()
        self.knocked = False
        """Whether a door was ready; for whoever opens it to take back."""
        self.ready: list[tuple[int, int]] = []
        """What the poller told, for the next update."""
        self._gone: set[int] = set()  # numbers of which it may still tell, though nobody has them

    def watch(self, stream: Stream) -> None:
        """Have the poller watch for what `stream` waits for now."""
        transport = stream.transport
        if transport is None or (transport.read_fd < 0 and transport.write_fd < 0):
            return
        bits = 0 if not stream.wants_input() else _READ_ONCE if transport.drains else READ
        if stream.blocked:
            bits |= WRITE
        if transport.read_fd < 0 and not stream.blocked and not self.poller.tells_of_breaking:
            self.ask(stream)  # it has only an output, of which it asks itself whether anybody is left who reads
        elif bits != stream.watched:
            self._watch_for(stream, transport, bits)

    def tell_again(self, stream: Stream) -> None:
        """Have the poller tell of what `stream` has not yet handled, if that is told but once."""
        transport = stream.transport
        if stream.watched > EDGE and transport is not None:
            self._watch_for(stream, transport, stream.watched)

    def ask(self, stream: Stream) -> None:
        """Have `stream` asked at each update, because the poller cannot tell about it."""
        self._remove(stream)
        self.unwatched[stream] = None

    def forget(self, stream: Stream) -> None:
        """Watch `stream` no more, and do not ask it."""
        transport = stream.transport
        if self.ready and transport is not None:
            self._gone.update((transport.read_fd, transport.write_fd))
        self._remove(stream)
        self.unwatched.pop(stream, None)

    def watch_doors(self, fds: tuple[int, ...]) -> None:
        """Note in `knocked` when one of these descriptors is ready, and leave those watched before alone."""
        for fd in self.doors:
            if fd not in fds:
                self.poller.remove(fd)
        for fd in dict.fromkeys(fds):
            if fd not in self.doors:
                self.poller.add(fd, READ)
                self._enter(fd, None)
        self.doors = fds

    def knows(self, fd: int) -> bool:
        """Tell whether `fd` is watched: if not, its number may have been given to others."""
        return fd < len(self.streams) and (self.streams[fd] is not None or fd in self.doors)

    def knocks(self, fds: tuple[int, ...]) -> bool:
        """Ask the poller whether somebody is at one of these doors, which it watches; keep what else it tells."""
        told = self.poller.poll(0)
        if not told:
            return False
        self.ready = merged([*self.ready, *told])
        return any(fd in fds for fd, _ in told)

    def all_ready(self) -> list[tuple[int, int]]:
        """Return who is ready: of whom the poller has told, and of whom it tells now."""
        ready, self.ready = self.ready, []
        return merged([*ready, *self.poller.poll(0)])  # many pollers tell again of who was not handled yet

    def leave(self, ready: list[tuple[int, int]]) -> None:
        """Keep these for the next update, but for who is watched no more: that descriptor's number may be another's."""
        self.ready = [entry for entry in ready if self.knows(entry[0])]

    def start_anew(self, closed: bool) -> None:
        """Forget everything; with a poller of its own again, if it is not `closed`."""
        self.poller.close()
        if not closed:
            self.poller = make_poller()
        self.streams, self.unwatched, self.doors, self.ready = [], {}, (), []

    def _watch_for(self, stream: Stream, transport: Transport, bits: int) -> None:
        try:
            for fd, mask in _sides(transport):
                if stream.watched < 0:
                    if fd in self.doors:  # that one is closed, and its number is this one's now
                        self.watch_doors(tuple(door for door in self.doors if door != fd))
                    self.poller.add(fd, bits & (mask | EDGE))
                    self._enter(fd, stream)
                elif self._is_of(fd, stream):
                    self.poller.change(fd, bits & (mask | EDGE))
        except OSError:
            stream.watched = bits  # one of two sides may be watched by now
            self.ask(stream)  # a plain file, say, which epoll does not take: it is always ready
            return
        stream.watched = bits
        self.unwatched.pop(stream, None)

    def _enter(self, fd: int, stream: Stream | None) -> None:
        """Have what is told of descriptor `fd` mean `stream`, or a door for None."""
        if fd in self._gone:  # whose number it was is told of no more; not before: many may go at once
            self._gone.clear()
            self.leave(self.ready)
        if fd >= len(self.streams):
            self.streams += [None] * (fd + 1 - len(self.streams))
        self.streams[fd] = stream

    def _is_of(self, fd: int, stream: Stream) -> bool:
        """Tell whether `fd` is still that of `stream`: somebody may have closed it, and its number is another's now."""
        return fd < len(self.streams) and self.streams[fd] is stream

    def _remove(self, stream: Stream) -> None:
        transport = stream.transport
        if transport is not None and stream.watched >= 0:
            for fd, _ in _sides(transport):
                if self._is_of(fd, stream):
                    self.streams[fd] = None
                    self.poller.remove(fd)
        stream.watched = -1


def _sides(transport: Transport) -> list[tuple[int, int]]:
    """Return the descriptors of `transport`, and what each can be watched for."""
    read, write = transport.read_fd, transport.write_fd
    if read == write:
        return [(read, READ | WRITE)]
    return [(fd, mask) for fd, mask in ((read, READ), (write, WRITE)) if fd >= 0]
