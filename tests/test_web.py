"""The browser's WebSocket under a client, with a browser that is made up; tests/test_web_pyodide.py has a real one."""

import errno
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from netcode.address import Address
from netcode.reasons import Reason, ReasonCode
from netcode.transport.tcp import TCP
from netcode.web import MOST_BUFFERED, PageConnector, PageNetwork, PageTransport, network_of_page


class JsError(Exception):
    """An exception of JavaScript."""


class FakeSocket:
    """A WebSocket; the test plays the browser."""

    onopen: Any = None
    onmessage: Any = None
    onclose: Any = None

    def __init__(self, url: str, subprotocol: str) -> None:
        if url.startswith("ws://blocked"):
            raise JsError("SecurityError: an insecure connection")
        self.asked = url, subprotocol
        self.readyState = 0
        self.bufferedAmount = 0
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.readyState = 2

    def begin(self) -> None:
        self.readyState = 1
        self.onopen(SimpleNamespace())

    def hear(self, data: bytes | str) -> None:
        what: Any = data if isinstance(data, str) else SimpleNamespace(to_bytes=lambda: data)
        self.onmessage(SimpleNamespace(data=what))

    def end(self, *, clean: bool = True) -> None:
        self.readyState = 3
        self.onclose(SimpleNamespace(wasClean=clean))


class Proxy:
    """What JavaScript can call."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.alive = True

    def __call__(self, event: Any) -> None:
        assert self.alive
        self.function(event)

    def destroy(self) -> None:
        self.alive = False


class FakePage:
    """The modules `js` and `pyodide.ffi`."""

    def __init__(self) -> None:
        self.opened: list[FakeSocket] = []
        self.proxies: list[Proxy] = []
        self.listeners: list[tuple[str, Proxy]] = []
        self.document: Any = SimpleNamespace(hidden=False)
        self.WebSocket = SimpleNamespace(new=self.new)
        self.JsException = JsError
        self.to_js = bytes
        self.woken = 0

    def new(self, url: str, subprotocol: str) -> FakeSocket:
        self.opened.append(FakeSocket(url, subprotocol))
        return self.opened[-1]

    def create_proxy(self, function: Any) -> Proxy:
        self.proxies.append(Proxy(function))
        return self.proxies[-1]

    def addEventListener(self, name: str, listener: Proxy) -> None:  # noqa: N802 - its name in browsers
        self.listeners.append((name, listener))

    def removeEventListener(self, name: str, listener: Proxy) -> None:  # noqa: N802 - its name in browsers
        self.listeners.remove((name, listener))

    def wake(self) -> None:
        self.woken += 1

    def network(self, *, tls: bool = False) -> PageNetwork:
        return PageNetwork(self, self, tls, self.wake)

    def link(self) -> tuple[PageTransport, FakeSocket]:
        connector = self.network().connect("play.example.org", 7777, 0.0)
        self.opened[-1].begin()
        transport = connector.advance(0.0)
        assert isinstance(transport, PageTransport)
        return transport, self.opened[-1]


@pytest.fixture
def page() -> FakePage:
    return FakePage()


def receive(transport: PageTransport, room: int = 100) -> bytes:
    buffer = memoryview(bytearray(room))
    return bytes(buffer[: transport.receive_into(buffer)])


@pytest.mark.parametrize(
    ("tls", "host", "url"),
    [
        (False, "play.example.org", "ws://play.example.org:7777/"),
        (True, "play.example.org", "wss://play.example.org:7777/"),
        (False, "::1", "ws://[::1]:7777/"),
    ],
)
def test_the_browser_is_asked_for_the_address(page: FakePage, tls: bool, host: str, url: str) -> None:
    connector = page.network(tls=tls).connect(host, 7777, 0.0)

    [socket] = page.opened
    assert socket.asked == (url, "netcode")
    assert (connector.advance(0.0), connector.address, connector.due()) == (None, Address(host, 7777), 0.0)
    assert connector.descriptors() == ([], [], [])


def test_a_wrong_destination_is_a_mistake_at_the_call(page: FakePage) -> None:
    with pytest.raises(ValueError, match="not a URL"):
        page.network().connect("ws://play.example.org", 7777, 0.0)


def test_nobody_listens_in_a_page(page: FakePage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")

    with pytest.raises(OSError, match="a page in a browser cannot listen"):
        page.network().listen("", 7777)


def test_a_server_that_cannot_be_reached_is_a_reason(page: FakePage) -> None:
    connector = page.network().connect("play.example.org", 7777, 0.0)
    page.opened[0].end(clean=False)

    reason = connector.advance(0.0)
    connector.close()

    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.REFUSED
    assert reason.text.startswith("play.example.org:7777 cannot be reached from this page; is the server started")
    assert not any(proxy.alive for proxy in page.proxies)


def test_what_the_browser_forbids_is_a_reason(page: FakePage) -> None:
    connector = page.network().connect("blocked.example", 7777, 0.0)

    reason = connector.advance(0.0)

    assert isinstance(reason, Reason)
    assert reason.text == (
        "the browser does not connect to blocked.example:7777: SecurityError: an insecure connection; a page of https needs "
        "tls=True"
    )


def test_an_attempt_that_is_given_up_is_closed(page: FakePage) -> None:
    connector: PageConnector = page.network().connect("play.example.org", 7777, 0.0)

    connector.close()
    connector.close()

    assert page.opened[0].readyState == 2
    assert not any(proxy.alive for proxy in page.proxies)


def test_bytes_arrive_in_order_wherever_they_are_cut(page: FakePage) -> None:
    transport, socket = page.link()
    socket.hear(b"one, ")
    socket.hear(b"two, ")
    socket.hear("three")

    assert [receive(transport, 7), receive(transport, 2), receive(transport)] == [b"one, tw", b"o,", b" three"]
    with pytest.raises(BlockingIOError):
        receive(transport)


def test_bytes_are_handed_to_the_browser(page: FakePage) -> None:
    transport, socket = page.link()

    assert (transport.send(memoryview(b"one")), transport.send_chunks([b"two", b"three"])) == (3, 8)
    transport.probe()
    transport.finish()

    assert (socket.sent, socket.readyState) == ([b"one", b"twothree"], 1)


def test_a_browser_that_holds_enough_is_given_no_more(page: FakePage) -> None:
    transport, socket = page.link()
    socket.bufferedAmount = MOST_BUFFERED

    with pytest.raises(BlockingIOError):
        transport.send(b"one")

    assert socket.sent == []


def test_an_end_comes_behind_what_was_heard(page: FakePage) -> None:
    transport, socket = page.link()
    socket.hear(b"bye")
    socket.end()

    assert [receive(transport), receive(transport), receive(transport)] == [b"bye", b"", b""]
    with pytest.raises(BrokenPipeError):
        transport.send(b"anybody?")


def test_an_end_without_a_farewell_is_a_break(page: FakePage) -> None:
    transport, socket = page.link()
    socket.hear(b"bye")
    socket.end(clean=False)

    assert receive(transport) == b"bye"
    with pytest.raises(ConnectionResetError) as caught:
        receive(transport)
    assert caught.value.errno == errno.ECONNRESET


def test_a_link_that_opened_and_ended_at_once_still_tells_what_it_heard(page: FakePage) -> None:
    connector = page.network().connect("play.example.org", 7777, 0.0)
    page.opened[0].begin()
    page.opened[0].hear(b"full")
    page.opened[0].end()

    transport = connector.advance(0.0)

    assert isinstance(transport, PageTransport)
    assert [receive(transport), receive(transport)] == [b"full", b""]


def test_a_page_that_is_left_ends_its_link(page: FakePage) -> None:
    transport, socket = page.link()

    [(name, listener)] = page.listeners
    listener(SimpleNamespace(persisted=True))

    assert (name, socket.readyState) == ("pagehide", 2)
    with pytest.raises(BlockingIOError):
        receive(transport)
    socket.end()
    assert receive(transport) == b""
    assert page.listeners == []


def test_closing_gives_everything_back(page: FakePage) -> None:
    transport, socket = page.link()

    transport.close()
    transport.close()

    assert socket.readyState == 2
    assert (socket.onmessage, socket.onclose) == (None, None)
    assert not any(proxy.alive for proxy in page.proxies)


@pytest.mark.parametrize(("hidden", "woken"), [(False, 0), (True, 3), (None, 0)])
def test_messages_wake_a_page_that_is_hidden(page: FakePage, hidden: bool | None, woken: int) -> None:
    page.document = None if hidden is None else SimpleNamespace(hidden=hidden)
    if hidden is None:
        del page.document  # as in a worker
    _, socket = page.link()
    socket.hear(b"news")
    socket.end()

    assert page.woken == woken


def test_where_there_is_no_js_plain_sockets_have_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "js", None)

    assert network_of_page(tls=False, wake=lambda: None) is TCP
    with pytest.raises(ValueError, match="tls=True in a page needs a Python that can import js"):
        network_of_page(tls=True, wake=lambda: None)


def test_certificates_are_the_browsers_affair() -> None:
    with pytest.raises(TypeError, match="tls must be True or False in a page, where the browser checks certificates"):
        network_of_page(tls=object(), wake=lambda: None)


def test_where_there_is_js_the_browser_connects(page: FakePage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("js", "pyodide", "pyodide.ffi"):
        module: Any = ModuleType(name)
        module.__dict__.update(WebSocket=page.WebSocket, create_proxy=page.create_proxy, JsException=JsError)
        monkeypatch.setitem(sys.modules, name, module)

    network_of_page(tls=True, wake=page.wake).connect("play.example.org", 7777, 0.0)

    page.opened[0].begin()
    page.opened[0].end()
    assert page.opened[0].asked[0] == "wss://play.example.org:7777/"
