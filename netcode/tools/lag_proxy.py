"""The sockets of `lag`: a TCP proxy that passes each byte on when the model of a bad link says so.

One thread, driven by `selectors`. The kernel accepts a connection before the proxy sees it, so connecting itself takes
no longer through a bad link; the first byte does.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

from netcode.address import Address, from_socket
from netcode.faults import Ending, Faults, Lane, LinkModel
from netcode.loop.clock import Clock, monotonic
from netcode.reasons import advice_on_listening, is_shortage
from netcode.stream.contract import ACCEPTS_PER_UPDATE
from netcode.transport.tcp import CONNECTING

CAPACITY = 256 * 1024
"""Bytes that each direction of a link holds at most; a sender that is faster feels it, as it would a router's queue."""

MAX_LINKS = 4096 if sys.platform != "win32" else 250
"""Links at one time, of two sockets each; who comes later waits in the kernel's backlog. One `select` of Windows takes 512."""

KERNEL_BUFFER = 64 * 1024
"""Bytes that the kernel keeps for each socket: left alone it would hide megabytes behind a slow link."""

ACCEPT_PAUSE = 0.1
"""Seconds without accepting after the process ran out of descriptors, so that the listener does not spin."""

DRAIN_TIME = 5.0
"""Seconds that a link which was cut with a clean end waits for both ends to close it."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER for zero seconds: the close sends RST instead of FIN."""

READ_SIZE = 64 * 1024

SocketAddress = tuple[socket.AddressFamily, tuple[str | int | bytes, ...]]


@dataclass
class Counters:
    """Count what a proxy did since it began; `up` and `down` are bytes passed on to the target and back from it."""

    links: int = 0
    refused: int = 0
    cut: int = 0
    up: int = 0
    down: int = 0


class Proxy:
    """Pass bytes between those who connect to `listen` and `target`, with faults.

    `update` does all the work, so whoever calls it owns the loop; use it in a `with` block.

    Args:
        listen: Host and port to listen on; port 0 is any free one, see `address`.
        target: Host and port of the real server. Its name is looked up here and now, which may block.
        faults: What is wrong with each link; assign to `faults` to change it while it runs.
        seed: The same seed draws the same cuts, and the same jitter for the same pieces, link by link.
        capacity: Bytes that each direction of a link holds at most.
        max_links: Links at one time.
        clock: Gives seconds that never go back.

    Raises:
        OSError: If the target's name is unknown, or the port to listen on is taken.
        ValueError: If the target is the proxy itself.
    """

    def __init__(
        self,
        listen: tuple[str, int],
        target: tuple[str, int],
        faults: Faults | None = None,
        *,
        seed: int = 0,
        capacity: int = CAPACITY,
        max_links: int = MAX_LINKS,
        clock: Clock = monotonic,
    ) -> None:
        self.faults = faults or Faults()
        self.counters = Counters()
        self._seed = seed
        self._capacity = capacity
        self._max_links = max_links
        self._clock = clock
        self._links: set[_Link] = set()
        self.busy: set[_Link] = set()  # those that have something to do: of thousands, few
        self._pumped_with: Faults | None = None
        self._accept_again_at = 0.0
        self._targets = _look_up(target)
        family, address = _look_up(listen)[0]
        try:
            self._listener = socket.create_server(address, family=family, backlog=128)
        except OSError as error:
            text = f"cannot listen on {Address(*listen)}: {advice_on_listening(error, *listen)}"
            raise OSError(error.errno, text) from error
        if self._listener.getsockname() in [address for _, address in self._targets]:
            self._listener.close()
            raise ValueError("the target is the address that this listens on itself; give the server another port")
        self._listener.setblocking(False)
        # Accepted sockets inherit it; set later, the window would already be larger.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BUFFER)
        self._selector = selectors.DefaultSelector()
        self._started = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> Address:
        """Tell the host and the port that it listens on."""
        return from_socket(self._listener.getsockname())

    @property
    def open_links(self) -> int:
        """Tell how many links there are now."""
        return len(self._links)

    @property
    def stalled(self) -> bool:
        """Tell whether nothing passes at this moment."""
        now = self.now()
        return self.faults.passes_at(now) != now

    def update(self, timeout: float = 0.0) -> None:
        """Pass on what is due; sleep for `timeout` seconds at most while nothing is."""
        now = self.now()
        self._watch_listener(now)
        if self.faults is not self._pumped_with or self.faults.cut_after is not None:
            self.busy |= self._links
        self._pumped_with = self.faults
        moments = [link.due(now, self.faults) for link in self.busy]
        soonest = min((moment for moment in moments if moment is not None), default=now + timeout)
        pause = max(0.0, min(timeout, soonest - now))
        # On Windows, select without a socket is an error.
        if self._selector.get_map():
            for key, events in self._selector.select(pause):
                key.data(events)
        else:
            time.sleep(pause)
        now = self.now()
        for link in tuple(self.busy):
            link.pump(now)
            if link.rests:
                self.busy.discard(link)

    def cut(self, ending: Ending) -> None:
        """Cut every link now; takes effect in the next `update`."""
        for link in self._links:
            link.model.cut(ending)
        self.busy |= self._links

    def close(self) -> None:
        """Reset what is open and stop listening; again does nothing."""
        for link in tuple(self._links):
            link.reset()
        self._selector.close()
        self._listener.close()

    def now(self) -> float:
        """Tell the seconds since the proxy began."""
        return self._clock() - self._started

    def _watch_listener(self, now: float) -> None:
        accepting = len(self._links) < self._max_links and now >= self._accept_again_at
        self.watch(self._listener, selectors.EVENT_READ if accepting else 0, self._accept)

    def _accept(self, _: int) -> None:
        for _ in range(ACCEPTS_PER_UPDATE):
            if len(self._links) >= self._max_links:
                return
            try:
                near, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if is_shortage(error):
                    self._accept_again_at = self.now() + ACCEPT_PAUSE
                    return
                # The connection was gone before it was taken, and others wait behind it.
                continue
            self.counters.links += 1
            model = LinkModel(self.now(), f"{self._seed}/{self.counters.links}", self._capacity)
            link = _Link(self, near, self._targets, model)
            self._links.add(link)
            self.busy.add(link)
            link.dial()

    def watch(self, sock: socket.socket, events: int, handle: Callable[[int], None]) -> None:
        """Call `handle` in each `update` in which one of `events` is there; 0 for none."""
        key = self._selector.get_map().get(sock)
        if key is None:
            if events:
                self._selector.register(sock, events, handle)
        elif not events:
            self._selector.unregister(sock)
        elif key.events != events:
            self._selector.modify(sock, events, handle)

    def forget(self, link: _Link) -> None:
        """Take a link that is over off the lists."""
        self._links.discard(link)
        self.busy.discard(link)


class _Way:
    """Pass one direction's bytes from a socket through a lane to another socket."""

    def __init__(self, source: socket.socket, sink: socket.socket, lane: Lane) -> None:
        self.source = source
        self.sink = sink
        self.lane = lane
        self.reading = True
        self.writing = True
        self.broken = False
        """Whether the source was reset, though its end may read as a clean one."""

    @property
    def was_reset(self) -> bool:
        """Tell whether the sink has everything that came before a reset."""
        return self.lane.ended is Ending.RESET

    @property
    def hungry(self) -> bool:
        """Tell whether it would read now."""
        return self.reading and self.lane.room > 0

    def read(self, now: float) -> None:
        """Take what the lane has room for."""
        try:
            data = self.source.recv(min(self.lane.room, READ_SIZE))
        except BlockingIOError:
            return
        except OSError:
            self.reading = False
            self.lane.finish(Ending.RESET, now)
            return
        if data:
            self.lane.feed(data, now)
        else:
            self.reading = False
            self.lane.finish(Ending.RESET if self.broken else Ending.END, now)

    def write(self) -> int:
        """Send what is ready, and the end behind it; tell how many bytes went.

        Raises:
            OSError: If there is nobody left to send to.
        """
        count = 0
        if self.lane.ready:
            try:
                count = self.sink.send(self.lane.ready)
            except BlockingIOError:
                return 0
            self.lane.sent(count)
        if self.writing and self.lane.ended is Ending.END:
            self.writing = False
            with contextlib.suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)
        return count


class _Link:
    """Join one accepted socket with one of its own to the target."""

    def __init__(self, proxy: Proxy, near: socket.socket, targets: list[SocketAddress], model: LinkModel) -> None:
        self.model = model
        self._proxy = proxy
        self._near = near
        self._far: socket.socket | None = None
        self._targets = iter(targets)
        self._ways: tuple[_Way, ...] = ()
        self._drain_until: float | None = None
        _prepare(near)

    def dial(self) -> None:
        """Begin to connect to the next address of the target; after the last one, refuse as the target did."""
        for family, address in self._targets:
            try:
                far = socket.socket(family, socket.SOCK_STREAM)
            except OSError:
                continue
            _prepare(far)
            if far.connect_ex(address) in CONNECTING:
                self._far = far
                self._proxy.watch(far, selectors.EVENT_WRITE, self._dialled)
                return
            far.close()
        self._proxy.counters.refused += 1
        self.reset()

    def _dialled(self, _: int) -> None:
        assert self._far is not None
        self._proxy.busy.add(self)
        self._proxy.watch(self._far, 0, self._dialled)
        if self._far.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._far.close()
            self._far = None
            self.dial()
        else:
            self._ways = (
                _Way(self._near, self._far, self.model.up),
                _Way(self._far, self._near, self.model.down),
            )

    @property
    def rests(self) -> bool:
        """Tell whether nothing is to be done before a socket says so, or the faults change."""
        return self._drain_until is None and all(x.idle and not x.ready for x in (self.model.up, self.model.down))

    def due(self, now: float, faults: Faults) -> float | None:
        """Tell when `pump` has something to do next without any socket saying so, or None."""
        return self.model.due(now, faults) if self._drain_until is None else self._drain_until

    def pump(self, now: float) -> None:
        """Send what is due, end what is over, and watch the sockets for the rest."""
        counters, faults = self._proxy.counters, self._proxy.faults
        self.model.advance(now, faults)
        if self._ways:
            up, down = self._ways
            counters.up += self._write(up, down)
            counters.down += self._write(down, up)
        cut = self.model.cut_with
        if cut is not None and self._drain_until is None:
            counters.cut += 1
            self._drain_until = now + DRAIN_TIME if cut is Ending.END and self._ways else now
        if (self._drain_until is not None and now >= self._drain_until) or any(way.was_reset for way in self._ways):
            self.reset()
        elif self._ways and not any(way.reading or way.writing for way in self._ways):
            self._close()
        elif self._ways:
            self._watch(*self._ways)

    def _write(self, way: _Way, back: _Way) -> int:
        try:
            return way.write()
        except OSError:
            # Its last words may still wait to be read on the way back; the end of them will read as the reset it was.
            way.writing = False
            way.lane.abandon()
            back.broken = True
            if not back.reading:
                back.lane.finish(Ending.RESET, self._proxy.now())
            return 0

    def _watch(self, up: _Way, down: _Way) -> None:
        for source, sink in ((up, down), (down, up)):
            events = (selectors.EVENT_READ if source.hungry else 0) | (selectors.EVENT_WRITE if sink.lane.ready else 0)
            self._proxy.watch(source.source, events, partial(self._readable, source))

    def _readable(self, way: _Way, events: int) -> None:
        self._proxy.busy.add(self)
        if events & selectors.EVENT_READ:
            way.read(self._proxy.now())

    def reset(self) -> None:
        """End both connections with a reset, at once."""
        for sock in (self._near, self._far):
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._close()

    def _close(self) -> None:
        for sock in (self._near, self._far):
            if sock is not None:
                self._proxy.watch(sock, 0, self._dialled)
                sock.close()
        self._proxy.forget(self)


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    # macOS refuses options of a connection that was reset before it was accepted.
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BUFFER)


def _look_up(address: tuple[str, int]) -> list[SocketAddress]:
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    return [(family, place) for family, _, _, _, place in found]
