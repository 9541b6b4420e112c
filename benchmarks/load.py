"""The load generator: one process, one epoll, as many clients as wanted, every byte made beforehand.

It must not be the bottleneck. Per exchange it costs one `recv`, one comparison and one `send`, which is less than
what any server measured here can do; the benchmark reports its share of a core beside the server's.
"""

import errno
import heapq
import select
import socket
import time
from typing import Protocol

from benchmarks import wire
from benchmarks.control import Control, Order
from benchmarks.dialects import DIALECTS, Dialect
from benchmarks.machine import Unsuited

JOINING_AT_ONCE = 64
"""Clients that shake hands at the same time: below every server's limit of pending ones and every backlog."""

RECEIVE = 1 << 18

TICK = 0.001
"""Seconds between two looks at the sockets while clients are idle. The generator sleeps on the clock meanwhile and not in
epoll: a server that sends to a process which sleeps in epoll pays for waking it, which no client across a network costs."""


class LoadClient:
    """One client: a socket, its side of the conversation, and how many answers it waits for."""

    __slots__ = ("link", "matched", "ping_at", "ping_due", "recv", "send", "sent_at", "talk", "waiting")

    def __init__(self, link: socket.socket, talk: Dialect) -> None:
        self.link = link
        self.recv = link.recv
        self.send = link.send
        self.talk = talk
        self.waiting = 0
        self.matched = 0
        """Bytes of the expected answer that came so far, where it comes in pieces."""
        self.ping_at = 0.0
        self.ping_due = False
        self.sent_at = 0.0


class Load:
    """Many clients of one server, driven in turns."""

    def __init__(self, dialect: type[Dialect], *, ping_interval: float) -> None:
        self.dialect = dialect
        self.clients: dict[int, LoadClient] = {}
        self.lost = 0
        self._epoll = select.epoll()
        self._ping_interval = ping_interval if dialect.pings else 0.0
        self._pings: list[tuple[float, int, LoadClient]] = []
        self._request = b""
        self._expected = b""
        self._batch = 0
        self._exchanges = 0
        self._source = 0

    def join(self, host: str, port: int, count: int, patience: float) -> None:
        """Connect so many clients and see each through its handshake."""
        deadline = time.monotonic() + patience
        wanted = len(self.clients) + count
        while len(self.clients) < wanted:
            wave = [self._connect(host, port) for _ in range(min(JOINING_AT_ONCE, wanted - len(self.clients)))]
            while any(not client.talk.joined for client in wave):
                self.turn(0.05)
                if self.lost or time.monotonic() > deadline:
                    raise TimeoutError(
                        f"{len(self.clients):,} of {wanted:,} clients joined, {self.lost:,} were sent away"
                    )

    def _connect(self, host: str, port: int) -> LoadClient:
        link = socket.socket()
        while True:
            try:
                if self._source:
                    link.bind((f"127.0.0.{self._source + 1}", 0))
                link.connect((host, port))
                break
            except OSError as error:
                # One address has some 28,000 ports to connect from; the next loopback address has as many again.
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EADDRINUSE) or self._source >= 200:
                    raise
                self._source += 1
                link.close()
                link = socket.socket()
        link.setblocking(False)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = LoadClient(link, self.dialect())
        self.clients[link.fileno()] = client
        self._epoll.register(link.fileno(), select.EPOLLIN)
        if self._ping_interval:
            # Real clients ping at moments that have nothing to do with one another: the golden ratio spreads them.
            client.ping_at = time.monotonic() + self._ping_interval * (1 + len(self.clients) * 0.618034 % 1.0)
            heapq.heappush(self._pings, (client.ping_at, id(client), client))
        if client.talk.opening:
            link.send(client.talk.opening)
        return client

    def turn(self, timeout: float) -> int:
        """Wait for bytes, at most `timeout` seconds or until a ping is due, and answer what came.

        Returns:
            How many clients received something.
        """
        if self._pings:
            now = time.monotonic()
            self._send_pings(now)
            timeout = min(timeout, max(0.0, self._pings[0][0] - now)) if self._pings else timeout
        clients, receive = self.clients, self._receive
        ready = self._epoll.poll(timeout)
        for descriptor, _ in ready:
            client = clients[descriptor]
            try:
                data = client.recv(RECEIVE)
            except ConnectionError:
                data = b""
            if data:
                receive(client, data)
            else:
                self._lose(client)
        return len(ready)

    def _receive(self, client: LoadClient, data: bytes) -> None:
        """Answer an expected answer with the next request, in as little time as possible."""
        if data == self._expected:
            self._finish(client, self._request)
        elif client.waiting and self._expected.startswith(data, client.matched) and not client.talk.in_message:
            client.matched += len(data)
            if client.matched * self._batch == client.waiting * len(self._expected):
                self._finish(client, self._request)
        else:
            self._take_apart(client, data)

    def _finish(self, client: LoadClient, request: bytes) -> None:
        """Count a complete answer and send the next request."""
        self._exchanges += 1
        client.talk.received += client.waiting
        client.matched = 0
        client.waiting = self._batch if self._request else 0
        if client.ping_due:
            client.ping_due = False
            request = client.talk.ping() + request
        if request:
            client.send(request)

    def _take_apart(self, client: LoadClient, data: bytes) -> None:
        """Handle what is not simply the answer that was expected."""
        if client.matched:
            data = self._expected[: client.matched] + data
            client.matched = 0
        talk = client.talk
        count = talk.take(data)
        answers = self._answers(client)
        if client.waiting and count:
            client.waiting -= count
            if not client.waiting:
                self._finish(client, answers + self._request)  # together, as a client's frame would send both
                answers = b""
        if answers:
            client.send(answers)
        if talk.ended:
            self._lose(client)

    def _lose(self, client: LoadClient) -> None:
        self.lost += 1
        del self.clients[client.link.fileno()]
        self._epoll.unregister(client.link.fileno())
        client.link.close()

    def _send_pings(self, now: float) -> None:
        pings = self._pings
        while pings and pings[0][0] <= now:
            when, number, client = heapq.heappop(pings)
            if client.link.fileno() < 0:
                continue
            if when == client.ping_at:
                client.ping_at = now + self._ping_interval
                if client.waiting:
                    client.ping_due = True  # it goes with the next request, as a client's frame would send both
                else:
                    client.send(client.talk.ping())
            heapq.heappush(pings, (client.ping_at, number, client))

    def _answers(self, client: LoadClient) -> bytes:
        """Return what a client has to send because of what it received.

        A client that answers a ping adds its own, if it is due within half an interval, and is spared a system call.
        """
        answers, client.talk.answers = client.talk.answers, b""
        if answers and self._ping_interval:
            now = time.monotonic()
            if client.ping_at - now < self._ping_interval / 2:
                client.ping_at = now + self._ping_interval
                answers += client.talk.ping()
        return answers

    def echo(self, message: object, batch: int, seconds: float) -> dict[str, float]:
        """Send `batch` messages in one segment from each client, again whenever all were answered.

        Returns after the last answer, so that what was counted and what the server worked for are the same. Polls
        without sleeping meanwhile: to wake a sleeping client costs the server that sends to it, and in a virtual
        machine that cost jumps.
        """
        payload = wire.pack(message)
        self._request = self.dialect.request(payload) * batch
        self._expected = self.dialect.replies(payload, batch)
        self._batch, self._exchanges = batch, 0
        start = time.monotonic()
        for client in self.clients.values():
            client.waiting = batch
            client.send(self._request)
        end = start + seconds
        idle = 0.0
        while (now := time.monotonic()) < end:
            if not self.turn(0.0):
                idle += time.monotonic() - now
        self._request = b""
        while any(client.waiting for client in self.clients.values()):
            self.turn(0.05)
            if time.monotonic() > end + 10.0:
                raise TimeoutError("the server left messages unanswered for ten seconds")
        self._expected = b""
        if self.lost:
            raise ConnectionError(f"the server ended {self.lost:,} connections")
        took = time.monotonic() - start
        return {"messages": self._exchanges * batch, "seconds": took, "busy": 1 - idle / took}

    def obey(self, order: Order) -> object:
        """Carry out an order of the parent."""
        match order:
            case Order("join", arguments):
                self.join(**arguments)
                return len(self.clients)
            case Order("echo", arguments):
                return self.echo(**arguments)
            case Order("count", _):
                return {"clients": len(self.clients), "lost": self.lost}
            case _:
                raise ValueError(f"the load generator knows no order «{order.name}»")


class Clients(Protocol):
    """Who is driven: what a parent's orders are for."""

    def turn(self, timeout: float) -> object:
        """Do what can be done, at most `timeout` seconds."""

    def obey(self, order: Order) -> object:
        """Carry out an order, and return the answer."""


def drive(kind: type[Load]) -> None:
    """Drive clients that speak the dialect of the settings."""
    control = Control()
    load = kind(DIALECTS[control.settings["dialect"]], ping_interval=control.settings.get("ping_interval", 1.0))
    follow(control, load)


def follow(control: Control, load: Clients) -> None:
    """Drive clients until the parent is gone."""
    control.ready()
    while True:
        time.sleep(TICK)
        load.turn(0.0)
        if not control.orders.empty():
            try:
                control.answer(load.obey(control.orders.get()))
            except (OSError, ValueError, Unsuited) as error:
                control.fail(error)


if __name__ == "__main__":
    drive(Load)
