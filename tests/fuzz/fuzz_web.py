"""The contract of what comes to a door for browsers: an answer, a stream or the end, and never an exception.

The first byte chooses what the others are fed to: the frames of WebSocket, a request, what proxies say, or a whole server.
"""

import base64

from faults.wire import UPGRADE, hello, masked

import netcode
from netcode import Server, Web
from netcode.address import Address
from netcode.testing import FakeClock, MemoryNetwork
from netcode.wire import proxies, websocket
from netcode.wire.http import BadRequest, parse, refuse

PROXY = Address("10.0.0.1", 1)
WEB = Web(page="<p>here", files={"a.js": "1"}, origins=["https://a.example"], proxies=["10.0.0.0/8", "127.0.0.1"])


def fuzz_web(data: bytes) -> None:
    """Feed `data` to what browsers and proxies speak to. Raises `AssertionError` where the contract is broken."""
    if not data:
        return
    rest = data[1:]
    match data[0] % 4:
        case 0:
            read_frames(rest)
        case 1:
            read_request(rest)
        case 2:
            hear_proxies(rest)
        case _:
            visit(rest)


def understood(data: bytes, step: int) -> tuple[bytes, bytes | None, bool, str]:
    """Return what a stream means that comes in pieces of `step` bytes."""
    reader, stream = websocket.FrameReader(), b""
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        room = memoryview(bytearray(piece))
        taken = reader.take(room, len(piece))
        assert 0 <= taken <= len(piece)
        stream += room[:taken]
        assert len(reader.farewell) == 2
    return stream, reader.ping, reader.closed, reader.failure


def read_frames(data: bytes) -> None:
    """However it is cut, it is the same: but for empty messages, of which only so many may come at once."""
    whole = understood(data, max(1, len(data)))
    for step in (1, 2, 7):
        assert understood(data, step) == whole


def read_request(data: bytes) -> None:
    try:
        request = parse(data)
        answer = websocket.accept(request) if websocket.is_upgrade(request) else WEB._answer(request)
        assert isinstance(WEB._objection(request), str)
        client = WEB._client(PROXY, request)
        assert client is not None
    except BadRequest as error:
        answer = refuse(error)
    head, _, _ = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 ")
    assert all(b": " in line for line in head.split(b"\r\n")[1:])


def hear_proxies(data: bytes) -> None:
    size = proxies.measure(data) if data else -1
    assert -1 <= size <= proxies.MAX_HEADER
    for part in (1, len(data) // 2):
        if part and size >= 0:
            assert proxies.measure(data[:part]) in (0, size)
    if 0 < size <= len(data):
        try:
            assert proxies.source(data[:size], PROXY) is not None
        except ValueError:
            pass
    assert WEB._proxies.client(PROXY, data.decode("latin-1")) is not None


def visit(data: bytes) -> None:
    """Say `data` to a server; whatever it is, it is over in time, and somebody else plays on."""
    clock = FakeClock()
    network = MemoryNetwork(clock)
    with Server("memory", 1, web=WEB, network=network, clock=clock, grace=0) as server:
        player = netcode.Client("memory", 1, network=network, clock=clock)
        stranger = netcode.connect("memory", 1, network=network, clock=clock)
        stranger.send(data)
        for turn in range(60):
            for end in (player, stranger, server):
                end.update()
            server.events()
            player.events()
            stranger.receive_all()
            clock.advance(0.0 if turn < 5 else 0.3)
        assert player.state is netcode.State.CONNECTED
        assert len(server.peers) == 1
        assert not stranger.alive
        player.close()


def seeds() -> dict[str, bytes]:
    """Return inputs to begin with, each by what it is."""
    greeting = hello()
    key = base64.b64encode(bytes(16))
    return {
        "frames": b"\0" + masked(b"one") + masked(b"", websocket.PING) + masked(b"two") + masked(b"\x03\xe8", 8),
        "parts": b"\0\x02\x83key!abc" + masked(b"now", websocket.PING) + b"\0\x82key!ab\x80\x81key!c",
        "long": b"\0\x82\xfe\x01\0key!" + bytes(256) + b"\x82\xff" + bytes(5) + b"\1\0\0key!" + bytes(20),
        "text": b"\0\x81\x81key!a",
        "page": b"\1GET /a/ HTTP/1.1\r\nHost: a\r\nOrigin: null",
        "upgrade": b"\1" + UPGRADE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", key) + b"Sec-WebSocket-Protocol: a, binary",
        "forwarded": b"\1GET /a.js HTTP/1.0\r\nX-Forwarded-For: [::1]:7, 1.2.3.4:5, 10.1.1.1",
        "line": b"\2PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "binary": b"\2" + proxies.V2 + b"\x21\x11\0\x0c" + bytes(12),
        "binary 6": b"\2" + proxies.V2 + b"\x21\x21\0\x24" + bytes(36),
        "visit": b"\3GET / HTTP/1.1\r\n\r\n",
        "player": b"\3" + UPGRADE + b"\r\n" + masked(greeting[:20]) + masked(greeting[20:]) + masked(b"", 8),
        "program": b"\3" + greeting,
    }
