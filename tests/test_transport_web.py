"""The door that browsers find: what each who comes is taken for, and that nobody who waits costs the others anything."""

import contextlib
import gc
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
from bounds import Patience, until
from certificates import Certificate, needs_openssl
from faults.wire import BYE, UPGRADE, Control, frame, hello, masked
from inside import crowd_of, doorway_of, link_of, linked_at, links_of, origins_of
from interrupts import Press, interrupt

import netcode
from netcode import Address, ReasonCode, Server, Web
from netcode.diagnostics import log
from netcode.loop.poller import SelectPoller
from netcode.stream.contract import ACCEPTS_PER_UPDATE
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport import Doorway, abandon
from netcode.transport import web as module
from netcode.transport.tcp_socket import TcpTransport
from netcode.transport.tls import TlsDoorway
from netcode.transport.web import DELIVERY, LOOK, NEWCOMERS, STEPS, Continued, Failed, WebDoorway
from netcode.transport.websocket import WebSocketTransport
from netcode.wire.http import MAX_HEAD
from netcode.wire.proxies import V2
from netcode.wire.websocket import CLOSE

LOOPBACK = "127.0.0.1"
PAGE = "<p>the page"
TLS_HELLO = b"\x16\x03\x01"


class House:
    """A server with a door for browsers on a real port, whose time passes when a test says so."""

    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock()
        options = {"web": Web(page=PAGE), "clock": self.clock, "game": "g", **options}
        self.server = Server(LOOPBACK, 0, **options)
        self.guests: list[Guest] = []
        self.told: list[netcode.Event] = []

    @property
    def door(self) -> WebDoorway:
        door = doorway_of(self.server)
        assert isinstance(door, WebDoorway)
        return door

    @property
    def waiting(self) -> int:
        """How many wait before the door."""
        return len(self.door._waiting) + len(self.door._served)

    def is_deserted(self) -> bool:
        return not self.waiting

    def visit(self, *data: bytes, **options: Any) -> "Guest":
        """Connect somebody, who says something at once."""
        guest = Guest(self, self.server.address, **options)
        self.guests.append(guest)
        guest.say(*data)
        return guest

    def update(self, seconds: float = 0.001) -> None:
        self.clock.advance(seconds)
        self.server.update()
        self.told += self.server.events()

    def until(self, condition: Callable[[], object]) -> None:
        for _ in until(condition):
            self.update(0.0001)
            self.server.wait(0.001)

    def play(self, client: netcode.Client, condition: Callable[[], object]) -> None:
        """Go on with a client of ours until something is so."""
        for _ in until(condition):
            self.update(0.0001)
            client.update()

    def news(self) -> list[str]:
        return [type(event).__name__ for event in self.told]

    def close(self) -> None:
        for guest in self.guests:
            guest.sock.close()
        self.server.close()


class Guest:
    """Somebody at the other end of a socket."""

    def __init__(self, house: House, address: Address, tls: ssl.SSLContext | None = None, before: bytes = b"") -> None:
        self._house = house
        self.sock: socket.socket = socket.create_connection(address)
        self.sock.setblocking(False)
        if before:
            self.sock.send(before)
        self.heard = b""
        self.has_ended = False
        if tls is not None:
            secure = tls.wrap_socket(self.sock, server_hostname="localhost", do_handshake_on_connect=False)
            self.sock = secure

            def has_agreed() -> bool:
                try:
                    secure.do_handshake()
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    return False
                return True

            house.until(has_agreed)

    def say(self, *data: bytes) -> None:
        for part in data:
            self.sock.send(part)

    def listen(self) -> bytes:
        """Hear what has come so far."""
        try:
            while not self.has_ended:
                data = self.sock.recv(65_536)
                self.heard += data
                self.has_ended = not data
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            self.has_ended = True
        return self.heard

    def is_over(self) -> bool:
        """Tell whether the other end has ended it."""
        self.listen()
        return self.has_ended

    def hear(self, ending: bytes) -> bytes:
        """Go on until something has come, and return everything up to it."""
        self._house.until(lambda: ending in self.listen())
        found, _, self.heard = self.heard.partition(ending)
        return found + ending

    def hear_all(self) -> bytes:
        """Go on to the end."""
        self._house.until(self.is_over)
        return self.heard

    def upgrade(self, *headers: bytes, host: bytes = b"game") -> None:
        """Come to WebSocket."""
        self.say(UPGRADE.replace(b"game", host) + b"".join(header + b"\r\n" for header in headers) + b"\r\n")
        assert self.hear(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")

    def join(self, *headers: bytes, host: bytes = b"game") -> None:
        """Come in by WebSocket."""
        self.upgrade(*headers, host=host)
        self.say(masked(hello("g")))
        self._house.until(self.values)

    def values(self) -> list[Any]:
        """Return everything that was told so far in whole frames of ours, in whole messages of WebSocket."""
        data, stream = self.listen(), b""
        while len(data) > 1 and len(data) >= 2 + data[1] < 128:
            if data[0] == 0x82:
                stream += data[2 : 2 + data[1]]
            data = data[2 + data[1] :]
        found: list[Any] = []
        while len(stream) >= 4:
            end = 4 + int.from_bytes(stream[:4], "big")
            value = msgpack.unpackb(stream[4:end])
            found.append(Control(msgpack.unpackb(value.data)) if isinstance(value, msgpack.ExtType) else value)
            stream = stream[end:]
        return found


@pytest.fixture
def open_house() -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def make(**options: Any) -> House:
        houses.append(House(**options))
        return houses[-1]

    yield make
    for house in houses:
        house.close()
        door = house.door
        assert [*door._waiting, *door._served, *door._by_fd, *door._asked, *door._origins] == []


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    return open_house()


# What each is taken for.


def test_a_page_is_shown_and_the_connection_ends(house: House) -> None:
    guest = house.visit(b"GET /chess/ HTTP/1.1\r\nHost: game\r\n\r\n")

    head, _, body = guest.hear_all().partition(b"\r\n\r\n")
    guest.sock.close()
    house.until(lambda: not house.waiting)

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Security-Policy: default-src 'none'" in head
    assert body == PAGE.encode()
    assert (len(links_of(house.server)), house.told) == (0, [])


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /nothing.js HTTP/1.1\r\n\r\n", b"404"),
        (b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"405"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
        (b"GET / HTTP/1.1\r\nwithout a colon\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000, b"431"),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 8_170 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nA: ".ljust(MAX_HEAD, b"x"), b"431"),
        (UPGRADE.replace(b"13", b"12") + b"\r\n", b"426"),
        (UPGRADE.replace(b": Upgrade", b": close") + b"\r\n", b"400"),
    ],
)
def test_what_is_no_request_for_a_page_is_answered_too(house: House, request_: bytes, status: bytes) -> None:
    guest = house.visit(request_)

    assert guest.hear_all().startswith(b"HTTP/1.1 " + status + b" ")
    guest.sock.close()
    house.until(lambda: not house.waiting)


@pytest.mark.parametrize("target", [b"/", b"/nothing.js"])
def test_who_asks_for_the_head_alone_gets_that_of_the_whole_answer(house: House, target: bytes) -> None:
    heads, bodies = list[bytes](), list[bytes]()
    for method in (b"GET", b"HEAD"):
        guest = house.visit(method + b" " + target + b" HTTP/1.1\r\nUpgrade: no\r\n\r\n")
        head, _, body = guest.hear_all().partition(b"\r\n\r\n")
        guest.sock.close()
        heads.append(head)
        bodies.append(body)

    assert heads[0] == heads[1]
    assert f"Content-Length: {len(bodies[0])}\r\n".encode() in heads[1]
    assert bodies[1] == b""


def test_a_request_may_come_byte_by_byte(house: House) -> None:
    guest = house.visit()
    for byte in b"GET / HTTP/1.1\r\nHost: game\r\n\r\n":
        guest.say(bytes((byte,)))
        house.until(lambda: True)
        house.update()

    assert guest.hear_all().endswith(PAGE.encode())


def test_a_browser_plays(house: House) -> None:
    guest = house.visit()
    guest.join(b"Origin: http://game", b"Sec-WebSocket-Protocol: binary")
    [peer] = house.server.peers
    assert isinstance(link_of(peer).stream.transport, WebSocketTransport)

    said = frame(msgpack.packb(["move", 1]))
    guest.say(masked(said[:3]), masked(said[3:] + said))
    house.until(lambda: len(house.told) == 3)
    peer.send("your turn")
    house.until(lambda: "your turn" in guest.values())
    guest.say(masked(b"\x03\xe9", CLOSE))
    house.until(guest.is_over)
    house.until(lambda: not house.server.peers)

    assert house.news() == ["Joined", "Received", "Received", "Left"]
    assert guest.heard.endswith(b"\x88\x02\x03\xe9")
    assert origins_of(house.server) == {}


def test_two_who_are_ready_at_once_come_in_at_once(house: House) -> None:
    guests = [house.visit() for _ in range(2)]
    house.until(lambda: house.waiting == 2)
    for guest in guests:
        guest.say(UPGRADE + b"\r\n" + masked(hello("g")))

    house.update()
    house.update()

    assert house.news() == ["Joined", "Joined"]


def test_what_comes_along_with_the_handshake_is_heard(house: House) -> None:
    guest = house.visit(UPGRADE + b"\r\n" + masked(hello("g")))

    guest.hear(b"\r\n\r\n")
    house.until(guest.values)

    assert house.news() == ["Joined"]


def test_a_program_of_ours_gets_in_as_if_there_were_no_other_door(house: House) -> None:
    client = netcode.Client(LOOPBACK, house.server.address.port, game="g")
    late = house.visit()
    house.update()
    late.say(hello("g"))

    house.play(client, lambda: len(house.server.peers) == 2)

    transports = [link_of(peer).stream.transport for peer in house.server.peers]
    assert {type(transport) for transport in transports} == {TcpTransport}
    client.close()


@pytest.mark.parametrize("data", [b"\x00\x00\x20\x00", TLS_HELLO, b"\r\nhello", b"ssh"])
def test_others_hear_from_the_server_what_they_are(house: House, data: bytes) -> None:
    guest = house.visit(data + bytes(4))

    heard = guest.hear_all()

    assert msgpack.unpackb(heard[4:]).code == 78
    assert not house.server.peers


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        (b"https://evil.example", "pages of https://evil.example may not connect here"),
        (b"null", "a page without an origin of its own"),
    ],
)
def test_a_page_from_elsewhere_hears_why_it_may_not_connect(house: House, origin: bytes, text: str) -> None:
    guest = house.visit()
    guest.upgrade(b"Origin: " + origin)

    guest.hear_all()

    [[kind, code, said]] = guest.values()
    assert (kind, code) == (BYE, ReasonCode.DENIED.value)
    assert said.startswith(text)
    assert guest.heard.endswith(b"\x88\x02\x03\xe8")
    guest.sock.close()
    house.until(lambda: not len(links_of(house.server)))
    assert (house.told, origins_of(house.server)) == ([], {})


ANYBODYS = b"evil.example:7777"


def test_a_page_by_a_name_of_strangers_may_not_connect_from_inside(open_house: Callable[..., House]) -> None:
    guest = open_house().visit()
    guest.upgrade(b"Origin: http://" + ANYBODYS, host=ANYBODYS)
    guest.hear_all()
    [[kind, code, said]] = guest.values()

    assert (kind, code) == (BYE, ReasonCode.DENIED.value)
    assert said.startswith("http://evil.example:7777 may be anybody's name for this server")
    open_house(web=Web(proxies=[LOOPBACK])).visit().join(
        b"Origin: http://" + ANYBODYS, host=ANYBODYS
    )  # a proxy knows for whom it speaks
    open_house(web=Web(origins=["http://evil.example:7777"])).visit().join(b"Origin: http://" + ANYBODYS, host=ANYBODYS)


def test_who_is_one_too_many_hears_it_in_websocket(open_house: Callable[..., House]) -> None:
    house = open_house(max_peers=1)
    house.visit().join()

    guest = house.visit()
    guest.join()

    assert [value[:2] for value in guest.values()] == [[BYE, ReasonCode.SERVER_FULL.value]]


# Who waits, and for how long.


@pytest.mark.parametrize("data", [b"", b"G", b"GET / HTTP/1.1\r\nHost: ", UPGRADE])
def test_who_does_not_say_what_it_wants_is_let_go(house: House, data: bytes) -> None:
    guest = house.visit(data)
    house.until(lambda: house.waiting)
    for _ in range(3):
        house.update(0.9)
    assert (house.waiting, len(links_of(house.server))) == (1, 0)

    house.update(0.4)
    guest.hear_all()

    assert (guest.heard, house.waiting, len(links_of(house.server))) == (b"", 0, 0)


def test_time_spent_before_the_door_counts(house: House) -> None:
    guest = house.visit()
    house.update()
    house.update(1.0)
    house.update(1.0)
    guest.upgrade()

    house.update(0.9)
    assert guest.values() == []
    house.update(0.2)
    house.until(guest.is_over)

    assert [value[:2] for value in guest.values()] == [[BYE, ReasonCode.HANDSHAKE_TIMEOUT.value]]


def test_an_answer_that_nobody_takes_is_given_up(open_house: Callable[..., House]) -> None:
    house = open_house(web=Web(page="x" * 65_536))
    guest = Guest.__new__(Guest)
    guest.sock = socket.socket()
    guest.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    guest.sock.connect(house.server.address)
    house.guests.append(guest)
    guest.sock.send(b"GET / HTTP/1.1\r\n\r\n")
    house.until(lambda: house.door._served)

    for _ in range(9):
        house.update(DELIVERY / 10)
    still = house.waiting
    for _ in range(2):
        house.update(DELIVERY / 10)

    assert (still, house.waiting) == (1, 0)


def test_a_large_answer_is_taken_as_fast_as_it_can_be(open_house: Callable[..., House]) -> None:
    house = open_house(web=Web(page="x" * 65_536))
    guest = house.visit()
    house.until(lambda: house.waiting)
    guest.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    for door in (house.door._by_fd[fd] for fd in [*house.door._by_fd]):
        assert isinstance(door.holder, TcpTransport)
        door.holder.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)

    guest.say(b"GET / HTTP/1.1\r\n\r\n")

    assert guest.hear_all().endswith(b"x" * 65_536)


def test_a_crowd_that_knocks_at_once_is_taken_in_over_several_updates(house: House) -> None:
    guests = [house.visit() for _ in range(NEWCOMERS + 1)]

    house.update()
    at_once = house.waiting
    house.until(lambda: house.waiting == len(guests))

    assert at_once == NEWCOMERS


def test_who_goes_on_talking_while_it_is_answered_holds_nobody(house: House) -> None:
    guest = house.visit(b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000)
    patient = Patience()
    while patient() and house.waiting + len(links_of(house.server)) == 0:
        house.update()

    turns = 0
    for _ in range(40):
        try:
            guest.say(b"x" * 60_000)
        except OSError:
            pass
        house.update(0.1)
        turns += house.waiting

    assert 10 < turns < 31  # it is let go in its time, three seconds


def test_who_leaves_is_forgotten(house: House) -> None:
    for data in (b"", b"GET / HT", TLS_HELLO[:0]):
        guest = house.visit(data)
        house.update()
        assert house.waiting == 1
        guest.sock.close()
        house.until(lambda: not house.waiting)

    reset = house.visit(b"GET / HT")
    house.update()
    reset.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reset.sock.close()
    house.until(lambda: not house.waiting)
    assert house.door._origins == {}


def test_one_update_hears_so_many_and_the_others_in_the_next(house: House) -> None:
    guests = [house.visit() for _ in range(STEPS + 5)]
    for _ in until(lambda: house.waiting == len(guests)):
        house.update()
    for guest in guests:
        guest.say(b"GET / HTTP/1.1\r\n\r\n")

    house.update()
    at_once = len(house.door._served)
    house.until(lambda: all(guest.listen() for guest in guests))

    assert at_once == STEPS


def test_one_update_hears_so_many_of_those_who_come_in_too(house: House) -> None:
    guests = [house.visit() for _ in range(STEPS + 5)]
    for _ in until(lambda: house.waiting == len(guests)):
        house.update()
    for guest in guests:
        guest.say(UPGRADE + b"\r\n")

    house.update()
    at_once = len(links_of(house.server))
    house.until(lambda: len(links_of(house.server)) == len(guests))

    assert at_once == STEPS


def test_browsers_who_come_in_along_with_a_crowd_of_programs_are_not_left_standing(house: House) -> None:
    guests = [house.visit() for _ in range(20)]
    for _ in until(lambda: house.waiting == len(guests)):
        house.update()
    programs = [house.visit(hello("g")) for _ in range(ACCEPTS_PER_UPDATE - 5)]
    for guest in guests:
        guest.say(UPGRADE + b"\r\n" + masked(hello("g")))

    house.update()
    left = len(house.door._done)
    house.server.events()
    woken = house.server.wait(0.0)
    house.until(lambda: house.news().count("Joined") == len(guests) + len(programs))

    assert left > 0
    assert woken
    assert house.door.due() is None


@pytest.mark.fault(87, "process")
def test_who_has_come_to_websocket_and_not_in_yet_hears_nothing_of_a_child(house: House) -> None:
    guests = [house.visit() for _ in range(2)]
    for _ in until(lambda: house.waiting == len(guests)):
        house.update()
    for guest in guests:
        guest.say(UPGRADE + b"\r\n")
    house.clock.advance(1.0)
    for _ in until(lambda: house.door._done):
        house.door.accept(house.clock.now)
        house.clock.advance(0.001)

    abandon(house.door)
    for _ in until(lambda: all(guest.listen() and guest.has_ended for guest in guests)):
        pass

    assert all(guest.heard.endswith(b"\r\n\r\n") for guest in guests)


@pytest.mark.parametrize("options", [{"max_pending": 2}, {"max_peers_per_address": 2}])
def test_who_finds_no_room_to_wait_is_taken_for_a_program_of_ours(
    open_house: Callable[..., House], options: dict[str, int]
) -> None:
    house = open_house(**options)
    for _ in range(2):
        house.visit()
    house.until(lambda: house.waiting == 2)

    guest = house.visit()
    for _ in range(5):
        house.update()
        house.server.wait(0.01)
    before = house.waiting
    guest.say(hello("g"))
    house.until(lambda: house.news() == ["Joined"])

    assert (before, house.waiting) == (2, 2)
    guest.sock.close()


def test_closing_lets_everybody_go(open_house: Callable[..., House]) -> None:
    house = open_house()
    silent, served = house.visit(), house.visit(b"GET / HTTP/1.1\r\n\r\n")
    house.until(lambda: house.door._served and house.door._waiting)
    early = house.visit(hello("g"))
    for _ in until(lambda: house.door._done):
        house.door._done.extend(filter(None, [house.door.accept(house.clock())]))

    house.server.close()

    for guest in (silent, served, early):
        for _ in until(guest.is_over):
            pass


@pytest.mark.parametrize("where", ["_answer", "_client"])
def test_an_interrupt_costs_nobody_but_whom_it_meets(house: House, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def interrupt(*_: object) -> bytes:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Web, where, interrupt)
    silent = house.visit()
    house.until(lambda: house.waiting)
    guest = house.visit(b"GET / HTTP/1.1\r\n\r\n" if where == "_answer" else UPGRADE + b"\r\n")
    with pytest.raises(KeyboardInterrupt):
        house.until(lambda: False)

    house.until(guest.is_over)
    assert house.door._origins == {LOOPBACK: 1}
    other = house.visit(b"GET / HTTP/1.1\r\n\r\n")

    assert other.hear_all().endswith(PAGE.encode())
    assert not silent.is_over()


@pytest.mark.games
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # what is dropped at a bad moment says so
@pytest.mark.parametrize("behind", [True, False], ids=["proxies", "alone"])
def test_an_interrupt_at_any_point_leaves_nobody_who_waits_or_counts_for_good(behind: bool) -> None:
    said = UPGRADE + b"\r\n" + masked(hello("g"))
    for at in range(1, 4000, 3):
        house = House(web=Web(page=PAGE, proxies=[LOOPBACK] if behind else []))
        guest, press = house.visit(said[:5]), Press(at, interrupt)
        for step in range(4):
            with contextlib.suppress(KeyboardInterrupt), press:
                house.update(0.0001)
            with contextlib.suppress(OSError):
                guest.say(said[5:] if step == 1 else b"")
        for _ in range(12):
            house.update(1.0)
        other = house.visit(b"GET / HTTP/1.1\r\n\r\n")

        assert other.hear_all().endswith(PAGE.encode()), press.where
        other.sock.close()
        house.until(house.is_deserted)
        door = house.door
        assert (door._origins, door._by_fd, door._asked) == ({}, {}, {}), press.where
        house.close()
        if not press.where:
            return
    raise AssertionError("it never came to an end")


def test_a_system_without_a_poller_to_wait_for_is_asked(
    open_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "make_poller", SelectPoller)
    house = open_house()
    assert len(house.door.doors()) == 1
    assert house.door.due() is None

    guest = house.visit()
    house.until(lambda: house.waiting)

    assert house.door.doors() == ()
    assert house.door.due() == house.door._now + LOOK
    guest.say(b"GET / HTTP/1.1\r\n\r\n")
    assert guest.hear_all().endswith(PAGE.encode())


def test_whom_the_kernel_does_not_watch_is_asked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(house.door._poller, "add", refuse)
    guest = house.visit()
    house.until(lambda: house.waiting)
    assert house.door.doors() == ()

    guest.say(b"GET / HTTP/1.1\r\n\r\n")

    assert guest.hear_all().endswith(PAGE.encode())


def test_while_the_door_before_it_rests_nobody_is_watched(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.door._below, "doors", tuple)
    monkeypatch.setattr(house.door._below, "due", lambda: 7.0)

    assert house.door.doors() == ()
    assert house.door.due() == 7.0


def test_whom_there_is_no_descriptor_for_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bytes] = []
    monkeypatch.setattr(house.door._below, "say_when_short", said.append)

    house.door.say_when_short(b"no room")

    assert said == [b"no room"]


# Behind a proxy.


@pytest.fixture
def proxied(open_house: Callable[..., House]) -> House:
    return open_house(web=Web(page=PAGE, proxies=[LOOPBACK]), max_peers_per_address=2)


@pytest.mark.games
def test_a_thousand_come_and_go_behind_a_proxy_and_the_books_are_empty(proxied: House) -> None:
    for number in range(1000):
        guest = proxied.visit(UPGRADE + f"X-Forwarded-For: 203.0.{number >> 8}.{number & 255}\r\n\r\n".encode())
        guest.hear(b"\r\n\r\n")
        guest.say(masked(hello("g")))
        proxied.until(guest.values)
        guest.say(masked(b"", CLOSE))
        proxied.until(lambda: not proxied.server.peers)
        guest.sock.close()

    proxied.until(lambda: not len(links_of(proxied.server)))
    assert proxied.news() == ["Joined", "Left"] * 1000
    assert (origins_of(proxied.server), crowd_of(proxied.server), linked_at(proxied.server)) == ({}, set(), 0)


def test_the_count_of_an_address_is_that_of_who_is_meant(proxied: House) -> None:
    for number in (1, 1, 2):
        proxied.visit().join(b"X-Forwarded-For: 203.0.113.%d" % number)

    third = proxied.visit()
    third.join(b"X-Forwarded-For: 6.6.6.6, 203.0.113.1")

    assert origins_of(proxied.server)["203.0.113.1"] == 3  # the one who is on its way out
    assert [value[:2] for value in third.values()] == [[BYE, ReasonCode.TOO_MANY.value]]
    assert [peer.address.host for peer in proxied.server.peers] == ["203.0.113.1", "203.0.113.1", "203.0.113.2"]


def test_a_stranger_is_not_believed(open_house: Callable[..., House]) -> None:
    house = open_house(web=Web(proxies=["203.0.113.1"]))
    house.visit().join(b"X-Forwarded-For: 1.2.3.4")
    line = house.visit(b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n\r\n")

    assert line.hear_all().startswith(b"HTTP/1.1 400 ")
    assert [peer.address.host for peer in house.server.peers] == [LOOPBACK]


V2_HEADER = V2 + b"\x21\x11" + struct.pack(">H4s4sHH", 12, bytes((203, 0, 113, 5)), bytes(4), 4711, 443)


@pytest.mark.parametrize("step", [1, 11, 1000])
@pytest.mark.parametrize("header", [b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443\r\n", V2_HEADER])
def test_a_proxy_may_say_for_whom_it_speaks_before_anything_else(proxied: House, header: bytes, step: int) -> None:
    guest = proxied.visit()
    data = header + hello("g")
    for start in range(0, len(data), step):
        guest.say(data[start : start + step])
        proxied.update()
    proxied.until(lambda: proxied.server.peers)

    [peer] = proxied.server.peers
    assert peer.address == Address("203.0.113.5", 4711)
    assert origins_of(proxied.server) == {"203.0.113.5": 1}


def test_a_proxy_need_not_say_anything(proxied: House) -> None:
    guest = proxied.visit(hello("g"))
    browser = proxied.visit(b"GET / HTTP/1.1\r\n\r\n")

    proxied.until(lambda: proxied.server.peers)

    assert browser.hear_all().endswith(PAGE.encode())
    assert not guest.has_ended


@pytest.mark.parametrize(
    "data", [b"PROXY nonsense\r\n", b"PROXY ", V2_HEADER[:13] + b"\x99", b"PROXY TCP4 1.2.3.4 5.6.7.8 x 2\r\n", b"\r"]
)
def test_a_proxy_that_says_nonsense_is_let_go(proxied: House, data: bytes) -> None:
    guest = proxied.visit(data)
    proxied.update()
    guest.sock.shutdown(socket.SHUT_WR)

    guest.hear_all()

    assert (guest.heard, proxied.told) == (b"", [])


def test_a_header_that_stops_to_be_one_is_none(proxied: House) -> None:
    guest = proxied.visit(b"PROXY")
    proxied.update()
    guest.say(b"!")

    assert guest.hear_all() == b""


# Over TLS.


@pytest.fixture
def secure(open_house: Callable[..., House], certificate: Certificate) -> House:
    return open_house(tls=certificate.server(), web=Web(page=PAGE, proxies=[LOOPBACK]))


@needs_openssl
@pytest.mark.parametrize("before", [b"", b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443\r\n"])
def test_over_tls_it_is_the_same_door(secure: House, certificate: Certificate, before: bytes) -> None:
    page = secure.visit(b"GET / HTTP/1.1\r\n\r\n", tls=certificate.client(), before=before)
    assert page.hear_all().endswith(PAGE.encode())

    browser = secure.visit(tls=certificate.client(), before=before)
    browser.join(b"Origin: http://" + ANYBODYS, host=ANYBODYS)  # the certificate shows that the name is ours
    plain = secure.visit(hello("g"), tls=certificate.client(), before=before)
    secure.until(lambda: len(secure.server.peers) == 2)

    host = "203.0.113.5" if before else LOOPBACK
    assert [peer.address.host for peer in secure.server.peers] == [host, host]
    said = frame(msgpack.packb("again"))
    plain.say(said)
    secure.until(lambda: secure.news() == ["Joined", "Joined", "Received"])


@needs_openssl
def test_whom_there_is_no_descriptor_for_is_told_nothing_that_is_not_encrypted(
    secure: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[bytes] = []
    monkeypatch.setattr(secure.door._below, "say_when_short", said.append)

    secure.door.say_when_short(b"no room")

    assert said == []


@needs_openssl
@pytest.mark.parametrize("web", [None, Web(page=PAGE)])
def test_each_update_begins_at_the_door_of_tls(
    certificate: Certificate, web: Web | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Doorway] = []

    def begin(door: Doorway) -> None:
        begun.append(door)

    monkeypatch.setattr(TlsDoorway, "begin_update", begin)
    with Server(LOOPBACK, 0, tls=certificate.server(), web=web) as server:
        server.update()
        server.update()

    assert (len(begun), len({*begun})) == (2, 1)


@needs_openssl
def test_a_program_of_ours_plays_over_tls(secure: House, certificate: Certificate) -> None:
    client = netcode.Client(LOOPBACK, secure.server.address.port, game="g", tls=certificate.client())
    secure.play(client, lambda: secure.server.peers)
    [peer] = secure.server.peers
    peer.send("x" * 60_000)

    secure.play(client, lambda: any(isinstance(event, netcode.Received) for event in client.events()))

    client.close_nicely()
    secure.play(client, lambda: client.state is netcode.State.DISCONNECTED)
    secure.until(lambda: not secure.server.peers)


@needs_openssl
def test_a_browser_that_forgot_https_is_told_so(secure: House, caplog: pytest.LogCaptureFixture) -> None:
    guest = secure.visit(b"GET / HTTP/1.1\r\nHost: game.example\r\n\r\n")

    heard = guest.hear_all()

    assert heard.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert heard.endswith(b"\r\n\r\nthis port speaks TLS: use https://\n")
    guest.sock.close()
    secure.until(lambda: secure.waiting == 0)
    assert "does not speak TLS" not in caplog.text
    silent = secure.visit()
    silent.sock.close()
    secure.until(lambda: secure.waiting == 0)


@needs_openssl
def test_who_does_not_speak_tls_is_told_of_in_the_log(secure: House, caplog: pytest.LogCaptureFixture) -> None:
    log._next_warning.clear()
    guest = secure.visit(hello("g"))

    guest.hear_all()

    assert "does not speak TLS" in caplog.text
    secure.until(lambda: not len(links_of(secure.server)))


@needs_openssl
def test_who_is_silent_over_tls_is_let_go_and_who_finds_no_room_waits_at_the_server(
    open_house: Callable[..., House], certificate: Certificate
) -> None:
    house = open_house(tls=certificate.server(), max_pending=1)
    silent = house.visit(tls=certificate.client())
    house.until(lambda: house.waiting == 1)
    second = house.visit()
    house.until(lambda: len(links_of(house.server)) == 1)
    second.sock.close()
    house.until(lambda: not len(links_of(house.server)))

    house.update(1.0)
    house.update(1.0)
    house.update(1.1)

    silent.hear_all()
    assert house.waiting == 0


# In memory, where nothing has a descriptor.


def test_on_a_network_in_memory_it_works_too() -> None:
    clock = FakeClock()
    network = MemoryNetwork(clock)
    with Server("memory", 7777, web=Web(page=PAGE), game="g", network=network, clock=clock) as server:
        page = netcode.connect("memory", 7777, network=network, clock=clock)
        silent = netcode.connect("memory", 7777, network=network, clock=clock)
        client = netcode.Client("memory", 7777, network=network, clock=clock, game="g")
        page.send(b"GET / HTTP/1.1\r\n\r\n")
        for _ in range(5):
            for end in (page, silent, client, server):
                end.update()
            clock.advance(0.1)

        assert page.receive_all().endswith(PAGE.encode())
        assert client.state is netcode.State.CONNECTED
        assert doorway_of(server).doors() == ()
        assert doorway_of(server).due() is not None
        for _ in range(40):
            for end in (silent, client, server):
                end.update()
            clock.advance(0.1)
        assert silent.state is netcode.State.DISCONNECTED
        assert client.state is netcode.State.CONNECTED
        client.close()


def test_what_goes_on_and_what_came_to_nothing_keep_the_contract() -> None:
    one, other = MemoryNetwork(FakeClock()).make_link(Address("h", 1))
    reason = netcode.Reason(ReasonCode.BROKEN_TLS, "it failed")
    failed, continued = Failed(reason, "h:1", other.address), Continued(other, b"early")
    room = memoryview(bytearray(10))
    one.send(b"late")

    assert (failed.advance(0.0), failed.descriptors(), failed.due(), failed.where) == (reason, ([], [], []), 0.0, "h:1")
    assert [bytes(room[: continued.receive_into(room)]) for _ in range(2)] == [b"early", b"late"]
    assert continued.address == other.address
    assert continued.send_chunks([b"a", b"b"]) == 2
    continued.abandon()
    with pytest.raises(ConnectionResetError):
        one.send(b"gone")
    failed.close()


def test_a_door_that_is_forgotten_leaves_nothing_open() -> None:
    house = House()
    guest = house.visit(b"GET / HT")
    house.until(lambda: house.waiting)
    house.server.close()
    del house.server
    gc.collect()

    for _ in until(guest.is_over):
        pass
    guest.sock.close()


def test_files_come_from_disk_once(open_house: Callable[..., House], tmp_path: Path) -> None:
    (tmp_path / "game.js").write_text("one()")
    house = open_house(web=Web(files={"game.js": tmp_path / "game.js"}))
    (tmp_path / "game.js").write_text("two()")

    assert house.visit(b"GET /game.js HTTP/1.1\r\n\r\n").hear_all().endswith(b"one()")
