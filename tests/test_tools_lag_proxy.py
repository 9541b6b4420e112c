"""The lag proxy between real sockets of the loopback, with time from the test."""

import errno
import socket
import struct
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from bounds import Patience, as_long_as

from netcode.faults import Ending, Faults, Lane, LinkModel
from netcode.testing import FakeClock
from netcode.tools import lag_proxy
from netcode.tools.lag_proxy import ACCEPT_PAUSE, DRAIN_TIME, Counters, Proxy

LOCAL = ("127.0.0.1", 0)
DEADLINE = 120.0


class Street:
    """A target that listens, a proxy before it, and whoever connects; everything is closed afterwards."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.listener = socket.create_server(LOCAL)
        self.proxies: list[Proxy] = []
        self.sockets: list[socket.socket] = [self.listener]

    def proxy(self, faults: Faults | None = None, *, capacity: int = 64_000, max_links: int = 10) -> Proxy:
        proxy = Proxy(
            LOCAL,
            self.listener.getsockname(),
            faults,
            seed=7,
            capacity=capacity,
            max_links=max_links,
            clock=self.clock,
        )
        self.proxies.append(proxy)
        return proxy

    def client(self, proxy: Proxy) -> socket.socket:
        client = socket.create_connection(proxy.address)
        client.setblocking(False)
        self.sockets.append(client)
        return client

    def accept(self) -> socket.socket:
        server, _ = self.listener.accept()
        server.setblocking(False)
        self.sockets.append(server)
        return server

    def join(self, proxy: Proxy) -> tuple[socket.socket, socket.socket]:
        """Connect a client through the proxy; return both ends."""
        client = self.client(proxy)
        self.listener.settimeout(0)
        found: list[socket.socket] = []

        def arrived() -> bool:
            try:
                found.append(self.accept())
            except BlockingIOError:
                return False
            return True

        until(proxy, arrived)
        # One more: the proxy has to notice that its connection is made.
        proxy.update(0.05)
        return client, found[0]

    def close(self) -> None:
        for proxy in self.proxies:
            proxy.close()
        for sock in self.sockets:
            sock.close()


@pytest.fixture
def street() -> Iterator[Street]:
    street = Street()
    yield street
    street.close()


def until(proxy: Proxy, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        proxy.update(0.01)


class Reader:
    """Collect what a socket gives, and how it ends: "end", "reset", or "" while it has not."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.data = b""
        self.ending = ""

    def read(self) -> None:
        try:
            while data := self._sock.recv(65536):
                self.data += data
            self.ending = "end"
        except BlockingIOError:
            pass
        except ConnectionError:
            self.ending = "reset"

    def has(self, size: int) -> bool:
        self.read()
        return len(self.data) >= size

    def is_over(self) -> bool:
        self.read()
        return self.ending != ""


def both_are_over(one: Reader, other: Reader) -> bool:
    return one.is_over() and other.is_over()


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def send_until_it_fails(sock: socket.socket) -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        sock.send(b"?")


def settle(proxy: Proxy) -> None:
    """Let the proxy do everything that it can do at this moment of the fake clock."""
    for _ in range(5):
        proxy.update(0.01)


def test_bytes_pass_both_ways(street: Street) -> None:
    proxy = street.proxy()
    client, server = street.join(proxy)
    client.send(b"ping")
    server.send(b"pong!")
    at_client, at_server = Reader(client), Reader(server)

    until(proxy, lambda: at_server.has(4) and at_client.has(5))

    assert (at_server.data, at_client.data) == (b"ping", b"pong!")
    assert proxy.counters == Counters(links=1, up=4, down=5)
    assert proxy.open_links == 1


def test_a_proxy_without_work_sleeps_only_as_long_as_told(street: Street) -> None:
    proxy = street.proxy()
    before = time.monotonic()

    proxy.update(0.01)

    assert 0.005 < time.monotonic() - before < DEADLINE


def test_a_proxy_that_waits_for_no_socket_sleeps_too(street: Street) -> None:
    proxy = street.proxy(max_links=0)
    before = time.monotonic()

    proxy.update(0.01)

    assert 0.005 < time.monotonic() - before < DEADLINE


def test_a_sleep_ends_when_bytes_are_due() -> None:
    with socket.create_server(LOCAL) as listener, Proxy(LOCAL, listener.getsockname(), Faults(latency=0.03)) as proxy:
        before = time.monotonic()
        with socket.create_connection(proxy.address) as client:
            client.send(b"x")
            for _ in as_long_as(lambda: proxy.counters.up == 0):
                proxy.update(DEADLINE)

    assert 0.03 <= time.monotonic() - before < DEADLINE


def test_latency_holds_bytes_back_until_they_are_due(street: Street) -> None:
    proxy = street.proxy(Faults(latency=0.1))
    client, server = street.join(proxy)
    client.send(b"ping")
    at_server = Reader(server)
    settle(proxy)
    street.clock.advance(0.09)
    settle(proxy)
    assert not at_server.has(1)

    street.clock.advance(0.02)
    until(proxy, lambda: at_server.has(4))

    assert at_server.data == b"ping"


def test_faults_change_while_it_runs(street: Street) -> None:
    proxy = street.proxy(Faults(held=True))
    client, server = street.join(proxy)
    client.send(b"ping")
    at_server = Reader(server)
    settle(proxy)
    assert proxy.stalled
    assert not at_server.has(1)

    proxy.faults = Faults()

    until(proxy, lambda: at_server.has(4))
    assert not proxy.stalled


def test_a_slow_reader_is_felt_by_the_sender_and_loses_nothing(street: Street) -> None:
    # Small, so that little is on the way when it stands still.
    street.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
    proxy = street.proxy(capacity=10_000)
    client, server = street.join(proxy)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
    whole = bytes(range(256)) * 8_000
    sent = 0

    def send() -> bool:
        """Send what goes, and tell whether that is nothing."""
        nonlocal sent
        try:
            sent += client.send(whole[sent:])
        except BlockingIOError:
            return True
        return False

    def is_stuck() -> bool:
        before = proxy.counters.up
        refused = send()
        settle(proxy)
        return refused and send() and proxy.counters.up == before

    until(proxy, is_stuck)
    assert sent < len(whole)
    at_server = Reader(server)

    def all_arrived() -> bool:
        if sent < len(whole):
            send()
        return at_server.has(len(whole))

    until(proxy, all_arrived)

    assert at_server.data == whole


def test_one_direction_may_end_before_the_other(street: Street) -> None:
    proxy = street.proxy()
    client, server = street.join(proxy)
    at_client, at_server = Reader(client), Reader(server)
    client.send(b"question")
    client.shutdown(socket.SHUT_WR)
    until(proxy, at_server.is_over)
    assert (at_server.data, at_server.ending, at_client.ending) == (b"question", "end", "")

    server.send(b"answer")
    server.close()
    until(proxy, at_client.is_over)

    assert (at_client.data, at_client.ending) == (b"answer", "end")
    assert (proxy.open_links, proxy.counters.cut) == (0, 0)


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_travels_behind_the_last_bytes(street: Street, who: str) -> None:
    proxy = street.proxy(Faults(latency=1.0))
    client, server = street.join(proxy)
    near, far = (client, server) if who == "client" else (server, client)
    at_far = Reader(far)
    near.send(b"last words")
    settle(proxy)
    reset(near)
    settle(proxy)
    assert not at_far.has(1)

    street.clock.advance(1.0)
    until(proxy, at_far.is_over)

    assert at_far.ending == "reset"
    # Where the system delivers what came before a reset, that is everything.
    assert at_far.data in {b"last words", b""}
    assert proxy.open_links == 0


def test_last_words_of_an_end_that_takes_no_more_still_arrive(street: Street) -> None:
    proxy = street.proxy()
    client, server = street.join(proxy)
    at_client = Reader(client)
    server.send(b"you are banned")
    # With both in one update, the proxy sends before it hears of the reset.
    client.send(b"move")
    reset(server)

    until(proxy, at_client.is_over)

    assert at_client.ending == "reset"
    assert at_client.data in {b"you are banned", b""}
    assert proxy.open_links == 0


def test_a_reset_after_a_clean_end_is_passed_on(street: Street) -> None:
    proxy = street.proxy()
    client, server = street.join(proxy)
    at_client = Reader(client)
    server.shutdown(socket.SHUT_WR)
    until(proxy, at_client.is_over)
    assert at_client.ending == "end"

    reset(server)
    client.send(b"are you there?")

    until(proxy, lambda: proxy.open_links == 0)

    with pytest.raises(ConnectionError):
        send_until_it_fails(client)


def test_a_target_that_refuses_is_passed_on_as_a_reset(street: Street) -> None:
    proxy = street.proxy()
    street.listener.close()
    client = street.client(proxy)
    at_client = Reader(client)

    until(proxy, at_client.is_over)

    assert at_client.ending == "reset"
    assert (proxy.open_links, proxy.counters) == (0, Counters(links=1, refused=1))


def test_the_next_address_of_a_name_is_tried(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    live = street.listener.getsockname()
    with socket.create_server(LOCAL) as taken:
        dead = taken.getsockname()
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", place) for place in (dead, live)]
    real_look_up = socket.getaddrinfo

    def look_up(host: str, port: int, family: int = 0, type: int = 0) -> object:  # noqa: A002 - its real name
        return found if host == "game.example" else real_look_up(host, port, family, type)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with Proxy(LOCAL, ("game.example", live[1]), clock=street.clock) as proxy:
        client, server = street.join(proxy)
        at_server = Reader(server)
        client.send(b"hello")

        until(proxy, lambda: at_server.has(5))

        assert proxy.counters.refused == 0


def test_an_address_that_fails_at_once_is_refused(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(self: socket.socket, address: object) -> int:
        return errno.EHOSTUNREACH

    proxy = street.proxy()
    client = street.client(proxy)
    monkeypatch.setattr(socket.socket, "connect_ex", unreachable)

    until(proxy, Reader(client).is_over)

    assert proxy.counters.refused == 1


def test_running_out_of_descriptors_while_dialling_refuses_the_client(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_socket = socket.socket

    def no_more(family: int, kind: int, proto: int = 0, fileno: int | None = None) -> socket.socket:
        if fileno is None:
            raise OSError(errno.EMFILE, "Too many open files")
        return real_socket(family, kind, proto, fileno)

    proxy = street.proxy()
    client = street.client(proxy)
    monkeypatch.setattr(socket, "socket", no_more)

    until(proxy, Reader(client).is_over)

    assert proxy.counters.refused == 1


def test_running_out_of_descriptors_pauses_the_listener(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def no_more(self: socket.socket) -> tuple[socket.socket, object]:
        nonlocal calls
        calls += 1
        raise OSError(errno.EMFILE, "Too many open files")

    proxy = street.proxy()
    street.client(proxy)
    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "accept", no_more)
        until(proxy, lambda: calls > 0)
        settle(proxy)
    assert calls == 1

    street.clock.advance(ACCEPT_PAUSE)

    until(proxy, lambda: proxy.open_links == 1)


def test_a_connection_that_is_gone_before_it_is_accepted_is_skipped(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_accept = socket.socket.accept
    gone = iter([True])

    def accept(self: socket.socket) -> tuple[socket.socket, object]:
        if next(gone, False):
            raise ConnectionAbortedError(errno.ECONNABORTED, "Software caused connection abort")
        return real_accept(self)

    proxy = street.proxy()
    street.client(proxy)
    monkeypatch.setattr(socket.socket, "accept", accept)

    until(proxy, lambda: proxy.open_links == 1)


def test_one_update_accepts_only_so_many(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag_proxy, "ACCEPTS_PER_UPDATE", 2)
    proxy = street.proxy()
    for _ in range(3):
        street.client(proxy)

    proxy.update(1.0)
    assert proxy.open_links == 2
    proxy.update(1.0)
    assert proxy.open_links == 3


def test_connections_above_the_limit_wait_for_a_place(street: Street) -> None:
    proxy = street.proxy(max_links=2)
    clients = [street.client(proxy) for _ in range(3)]
    until(proxy, lambda: proxy.open_links == 2)
    settle(proxy)
    assert (proxy.open_links, proxy.counters.links) == (2, 2)

    reset(clients[0])

    until(proxy, lambda: proxy.counters.links == 3)


def test_links_that_rest_cost_an_update_nothing(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = street.proxy()
    ends = [street.join(proxy) for _ in range(3)]
    settle(proxy)
    asked: set[LinkModel] = set()
    advance = LinkModel.advance

    def ask(model: LinkModel, now: float, faults: Faults) -> None:
        asked.add(model)
        advance(model, now, faults)

    monkeypatch.setattr(LinkModel, "advance", ask)
    proxy.update()
    before = len(asked)
    client, server = ends[1]
    client.send(b"x")
    until(proxy, lambda: Reader(server).has(1))
    of_one = len(asked)
    proxy.faults = Faults(latency=0.1)
    proxy.update()

    assert (before, of_one, len(asked)) == (0, 1, 3)


def test_a_link_that_rests_is_cut_when_it_is_too_old(street: Street) -> None:
    proxy = street.proxy(Faults(cut_after=5.0, cut_with=Ending.END))
    client, _ = street.join(proxy)
    settle(proxy)
    at_client = Reader(client)

    street.clock.advance(5.1)
    until(proxy, at_client.is_over)

    assert (at_client.ending, proxy.counters.cut) == ("end", 1)


def test_a_reset_cuts_a_link_after_the_bytes_that_were_ready(street: Street) -> None:
    proxy = street.proxy(Faults(cut_within=1))
    client, server = street.join(proxy)
    at_client, at_server = Reader(client), Reader(server)
    client.send(b"hello")

    until(proxy, partial(both_are_over, at_client, at_server))

    assert (at_client.ending, at_server.ending) == ("reset", "reset")
    assert at_server.data in {b"h", b""}
    assert (proxy.counters.cut, proxy.counters.up, proxy.open_links) == (1, 1, 0)


def test_a_clean_cut_ends_both_directions_after_the_bytes_that_were_ready(street: Street) -> None:
    proxy = street.proxy(Faults(cut_within=1, cut_with=Ending.END))
    client, server = street.join(proxy)
    at_client, at_server = Reader(client), Reader(server)
    client.send(b"hello")

    until(proxy, partial(both_are_over, at_client, at_server))
    assert (at_client.ending, at_server.ending, at_server.data) == ("end", "end", b"h")
    assert (proxy.counters.cut, proxy.open_links) == (1, 1)

    client.close()
    server.close()
    until(proxy, lambda: proxy.open_links == 0)


def test_a_clean_cut_that_nobody_answers_becomes_a_reset(street: Street) -> None:
    proxy = street.proxy()
    client, server = street.join(proxy)
    proxy.cut(Ending.END)
    settle(proxy)
    assert (Reader(client).is_over(), Reader(server).is_over(), proxy.open_links) == (True, True, 1)

    street.clock.advance(DRAIN_TIME)
    settle(proxy)

    assert proxy.open_links == 0


@pytest.mark.parametrize("ending", Ending)
def test_a_cut_while_it_still_connects_resets_the_client(street: Street, ending: Ending) -> None:
    proxy = street.proxy(Faults(cut_after=0.0, cut_with=ending))
    at_client = Reader(street.client(proxy))

    until(proxy, at_client.is_over)

    assert (at_client.ending, proxy.counters.cut, proxy.open_links) == ("reset", 1, 0)


def test_a_random_cut_leaves_a_prefix_of_what_was_sent(street: Street) -> None:
    proxy = street.proxy(Faults(cut_within=20_000, cut_with=Ending.END))
    whole = bytes(range(256)) * 40
    sizes: set[int] = set()
    for _ in range(5):
        client, server = street.join(proxy)
        at_client, at_server = Reader(client), Reader(server)
        client.send(whole)
        server.send(whole)
        until(proxy, partial(both_are_over, at_client, at_server))
        assert whole.startswith(at_client.data)
        assert whole.startswith(at_server.data)
        sizes.add(len(at_client.data) + len(at_server.data))

    assert len(sizes) == 5
    assert proxy.counters.up + proxy.counters.down == sum(sizes)


def test_closing_the_proxy_resets_its_links(street: Street) -> None:
    proxy = street.proxy()
    client, server = street.join(proxy)
    street.client(proxy)

    proxy.close()
    proxy.close()

    assert (Reader(client).is_over(), Reader(server).is_over(), proxy.open_links) == (True, True, 0)


def test_an_address_that_is_taken_is_said_at_once(street: Street) -> None:
    with pytest.raises(OSError, match=r"cannot listen on 127\.0\.0\.1:\d+: the port is taken; is another") as failed:
        Proxy(street.listener.getsockname(), ("127.0.0.1", 9))

    assert failed.value.errno in {errno.EADDRINUSE, errno.EACCES}


def test_a_proxy_before_itself_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(LOCAL) as taken:
        free = taken.getsockname()

    with pytest.raises(ValueError, match="the address that this listens on itself"):
        Proxy(free, free)


def test_spurious_readiness_is_taken_calmly() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        link = LinkModel(0.0, "seed", 10)
        way = lag_proxy._Way(near, far, link.up)

        way.read(0.0)

        assert (way.reading, way.hungry) == (True, True)


def test_what_a_full_socket_does_not_take_stays_ready() -> None:
    near, far = socket.socketpair()
    with near, far:
        far.setblocking(False)
        lane: Lane = LinkModel(0.0, "seed", 10).up
        lane.feed(b"x", 0.0)
        lane.advance(0.0, Faults())
        way = lag_proxy._Way(near, far, lane)
        try:
            patient = Patience()
            while patient():
                far.send(bytes(65536))
        except BlockingIOError:
            pass

        assert way.write() == 0
        assert bytes(lane.ready) == b"x"
