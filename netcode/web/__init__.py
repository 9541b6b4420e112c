"""The browser's own WebSocket, for a `Client` that runs in a page: in Pyodide, or whatever else can import `js`.

A client finds it by itself. Where there is no `js`, as in pygbag, Emscripten turns plain sockets into the same thing:
that suffices, without TLS.
"""

import errno
import os
from collections import deque
from collections.abc import Callable
from importlib import import_module
from typing import Any

from netcode.address import Address, check_destination
from netcode.reasons import Reason, ReasonCode, printable
from netcode.transport import Doorway, Network, Transport, connection_reset, send_each
from netcode.transport.tcp import TCP
from netcode.waiting import Descriptors

SUBPROTOCOL = "netcode"

MOST_BUFFERED = 262_144
"""Bytes that a browser may hold for the network before it is given no more. It would take any number."""

CONNECTING, OPEN = 0, 1
"""What a WebSocket says of its state; all else is its end."""


def network_of_page(tls: object, wake: Callable[[], None]) -> Network:
    """Return what connects from a page.

    Args:
        tls: whether to have everything encrypted; the browser checks certificates as it does for pages.
        wake: called when something came while the page is hidden, and its own loop sleeps.

    Raises:
        ValueError: `tls` is asked for, and there is no `js` to be had.
        TypeError: `tls` is no bool.
    """
    if not isinstance(tls, bool):
        raise TypeError(f"tls must be True or False in a page, where the browser checks certificates, not {tls!r}")
    try:
        browser, ffi = import_module("js"), import_module("pyodide.ffi")
    except ImportError:
        if tls:
            raise ValueError("tls=True in a page needs a Python that can import js, such as Pyodide") from None
        return TCP
    return PageNetwork(browser, ffi, tls, wake)


class PageNetwork:
    """Connecting from a page; nobody can listen in one.

    Args:
        browser: the module `js`.
        ffi: the module `pyodide.ffi`.
        tls, wake: as for `network_of_page`.
    """

    def __init__(self, browser: Any, ffi: Any, tls: bool, wake: Callable[[], None]) -> None:
        self._browser = browser
        self._ffi = ffi
        self._scheme = "wss" if tls else "ws"
        self._wake = wake

    def connect(self, host: str, port: int, now: float) -> "PageConnector":
        check_destination(host, port)
        return PageConnector(self, Address(host, port))

    def listen(self, host: str, port: int) -> Doorway:
        return TCP.listen(host, port)

    def open(self, address: Address) -> Any:
        """Return a WebSocket on its way. Raises what JavaScript raises."""
        return self._browser.WebSocket.new(f"{self._scheme}://{address}/", SUBPROTOCOL)

    def mistakes(self) -> type[Exception]:
        """Return what exceptions of JavaScript are."""
        mistakes: type[Exception] = self._ffi.JsException
        return mistakes

    def callback(self, function: Callable[[Any], None]) -> Any:
        """Return what JavaScript can call. It has to be destroyed."""
        return self._ffi.create_proxy(function)

    def pass_on(self, data: bytes | memoryview) -> Any:
        """Return a copy of bytes as JavaScript has them."""
        return self._ffi.to_js(bytes(data))

    def when_left(self, act: Any) -> Callable[[], None]:
        """Have JavaScript call something when the page is left, and return what takes that back."""
        listen = getattr(self._browser, "addEventListener", None)
        if listen is None:  # nobody leaves Node
            return lambda: None
        listen("pagehide", act)
        return lambda: self._browser.removeEventListener("pagehide", act)

    def rouse(self) -> None:
        """Have something done now if the page is hidden: timers sleep there, and messages do not."""
        document = getattr(self._browser, "document", None)  # there is none in a worker
        if document is not None and document.hidden:
            self._wake()


class PageConnector:
    """A WebSocket on its way."""

    hint = "did not answer; is the address right, and does a firewall block the port?"

    def __init__(self, network: PageNetwork, address: Address) -> None:
        self.address: Address | None = address
        self.where = printable(str(address), 80)
        self._link: PageTransport | None = None
        self._blocked = ""
        try:
            self._link = PageTransport(network, address)
        except network.mistakes() as error:
            self._blocked = printable(str(error))

    def advance(self, now: float) -> Transport | Reason | None:
        link = self._link
        if link is None:
            text = f"the browser does not connect to {self.where}: {self._blocked}; a page of https needs tls=True"
            return Reason(ReasonCode.REFUSED, text)
        if link.state == CONNECTING:
            return None
        if link.has_begun:
            self._link = None
            return link
        self.close()
        text = (
            f"{self.where} cannot be reached from this page; is the server started, with web=, and may this page come?"
        )
        return Reason(ReasonCode.REFUSED, text)

    def descriptors(self) -> Descriptors:
        return [], [], []

    def due(self) -> float:
        return 0.0  # the browser tells nobody who waits: it wants to be asked at each update

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


class PageTransport:
    """One WebSocket of a browser."""

    read_fd = write_fd = -1
    lingers = True
    grain = 0
    drains = False

    def __init__(self, network: PageNetwork, address: Address) -> None:
        self.address: Address | None = address
        self.has_begun = False
        """Whether it was ever open."""
        self._network = network
        self._came = deque[memoryview]()
        self._broke = False
        self._socket = network.open(address)
        self._socket.binaryType = "arraybuffer"
        self._callbacks = {
            "onopen": network.callback(self._opened),
            "onmessage": network.callback(self._heard),
            "onclose": network.callback(self._closed),
        }
        for name, callback in self._callbacks.items():
            setattr(self._socket, name, callback)
        # Browsers keep pages that were left, and would go on answering for the player.
        self._leaves = network.callback(lambda _: self._socket.close())
        self._stay = network.when_left(self._leaves)

    @property
    def state(self) -> int:
        """What the browser says: CONNECTING, OPEN, or an end."""
        state: int = self._socket.readyState
        return state

    def receive_into(self, buffer: memoryview) -> int:
        count = 0
        while self._came and count < len(buffer):
            chunk = self._came.popleft()
            part = chunk[: len(buffer) - count]
            buffer[count : count + len(part)] = part
            count += len(part)
            if len(part) < len(chunk):
                self._came.appendleft(chunk[len(part) :])
        if count:
            return count
        if self._broke:
            raise connection_reset()
        if self.state > OPEN and not self._callbacks:
            return 0
        raise BlockingIOError

    def send(self, data: bytes | memoryview) -> int:
        if self.state != OPEN:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        if self._socket.bufferedAmount >= MOST_BUFFERED:
            raise BlockingIOError
        self._socket.send(self._network.pass_on(data))
        return len(data)

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return send_each(self.send, chunks)

    def probe(self) -> None:
        """A page has no way to ask; servers ask browsers."""

    def finish(self) -> None:
        """Leave it to the other end to end the stream: a browser that says Close hears nothing more."""

    def close(self) -> None:
        self._let_go()
        self._socket.close()

    def _opened(self, _: Any) -> None:
        self.has_begun = True
        self._network.rouse()

    def _heard(self, event: Any) -> None:
        data = event.data
        self._came.append(memoryview(data.encode() if isinstance(data, str) else data.to_bytes()))
        self._network.rouse()

    def _closed(self, event: Any) -> None:
        self._broke = not event.wasClean
        self._let_go()
        self._network.rouse()

    def _let_go(self) -> None:
        """Have the browser call nothing of ours any more."""
        callbacks, self._callbacks = self._callbacks, {}
        for name, callback in callbacks.items():
            setattr(self._socket, name, None)
            callback.destroy()
        if callbacks:
            self._stay()
            self._leaves.destroy()
