"""Browsers that are none: each of them is over in time, and costs the others nothing."""

import sys
from collections.abc import Callable, Iterator
from types import FrameType

import pytest
from test_transport_web import Guest, House

import netcode
from netcode import Web
from netcode.wire.proxies import V2
from netcode.wire.websocket import BINARY, CLOSE, CONTINUATION, MANY, PING, TEXT, control

from .wire import UPGRADE, hello, masked, message

IN_TIME = 3.1
"""Seconds after which a stranger is over that does not what it should: `handshake_timeout`, and the goodbye."""

TURN = 0.05

BEFORE = {
    "silence": b"",
    "a lone G": b"G",
    "a head that never ends": UPGRADE,
    "a head of 20 kB": b"GET / HTTP/1.1\r\nCookie: " + b"x" * 20_000,
    "a header without a colon": b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    "POST": b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(30),
    "a proxy's header of a stranger": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + hello("g"),
    "a proxy's binary header of a stranger": V2 + b"\x21\x11\0\x0c" + bytes(12) + hello("g"),
    "TLS where there is none": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "two requests at once": b"GET /x HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "an upgrade with a body": UPGRADE + b"Content-Length: 10\r\n\r\n0123456789",
}

WITHIN = {
    "without a mask": control(BINARY, hello("g")),
    "text": masked(b"hello", TEXT),
    "a reserved bit": b"\xc2\x81\0\0\0\0x",
    "opcode 3": masked(b"", 3),
    "opcode 11": masked(b"", 11),
    "a long ping": masked(b"x" * 126, PING),
    "a ping in parts": b"\x09\x81\0\0\0\0x",
    "a stray continuation": masked(b"x", CONTINUATION),
    "a message within a message": b"\x02\x81\0\0\0\0\0" + masked(b"x"),
    "2^63": b"\x82\xff\x80" + bytes(7) + bytes(4),
    "a flood of nothing": masked(b"") * (MANY + 1),
    "a flood of pings": masked(b"", PING) * (MANY + 1),
    "Close": masked(b"", CLOSE),
    "a message and Close in one read": masked(hello("g")) + masked(message("last")) + masked(b"\x03\xe8", CLOSE),
    "a greeting of another game and Close": masked(hello("h")) + masked(b"", CLOSE),
    "nonsense": masked(b"\xff" * 100),
}
GREETED = {name: data for name, data in WITHIN.items() if "greeting" not in name and "read" not in name}
UNGREETED = {
    **WITHIN,
    "silence": b"",
    "pings and nothing else": masked(b"?", PING),
    "half a frame": b"\x82\xfe\x10\x00",
    "a message of 2^62 bytes": b"\x82\xff\x40" + bytes(7) + bytes(4) + b"\0\0\1\0",
}


@pytest.fixture
def house() -> Iterator[House]:
    house = House(web=Web(page="<p>here"))
    yield house
    house.close()


class Player:
    """Somebody who goes on playing."""

    def __init__(self, house: House) -> None:
        self._client = netcode.Client(
            house.server.address.host, house.server.address.port, game="g", clock=house.clock, resume=False
        )
        house.play(self._client, lambda: self._client.state is netcode.State.CONNECTED)

    def play(self) -> None:
        self._client.update()
        self._client.events()

    @property
    def is_playing(self) -> bool:
        return self._client.state is netcode.State.CONNECTED

    def close(self) -> None:
        self._client.close()


def seconds_until_over(house: House, guest: Guest, player: Player, *, trickle: bytes = b"") -> float:
    """Let time pass until the server has let go of somebody, who does nothing by itself; return how long that took."""
    begin = house.clock()
    while house.clock() - begin < 2 * IN_TIME:
        for _ in range(3):  # real sockets take a moment of real time
            house.update(0.0)
            house.server.wait(0.0005)
        player.play()
        if guest.is_over():
            break
        if trickle:
            try:
                guest.say(trickle)
            except OSError:
                pass
        house.update(TURN)
    return house.clock() - begin


@pytest.mark.parametrize("trickles", [False, True])
@pytest.mark.parametrize("name", BEFORE)
def test_who_does_not_get_so_far_as_to_websocket_is_over_in_time(house: House, name: str, trickles: bool) -> None:
    player = Player(house)
    guest = house.visit(BEFORE[name])

    took = seconds_until_over(house, guest, player, trickle=b"x" if trickles and BEFORE[name] else b"")
    playing, peers = player.is_playing, len(house.server.peers)
    player.close()

    assert took <= IN_TIME
    assert (playing, peers) == (True, 1)


@pytest.mark.parametrize("name", UNGREETED)
def test_who_breaks_the_rules_before_it_has_greeted_is_over_in_time(house: House, name: str) -> None:
    player = Player(house)
    guest = house.visit()
    guest.upgrade()
    guest.say(UNGREETED[name])

    took = seconds_until_over(house, guest, player)
    playing = player.is_playing
    player.close()

    assert took <= IN_TIME
    assert playing


@pytest.mark.parametrize("name", GREETED)
def test_who_breaks_the_rules_once_it_plays_is_over_at_once(house: House, name: str) -> None:
    player = Player(house)
    guest = house.visit()
    guest.join()
    guest.say(GREETED[name])

    took = seconds_until_over(house, guest, player)
    playing, news = player.is_playing, house.news()
    player.close()

    assert took <= 2 * TURN
    assert playing
    assert news[-1] in ("Left", "Away")


def test_a_message_and_a_close_in_one_read_are_both_heard(house: House) -> None:
    guest = house.visit()
    guest.join()
    guest.say(masked(message("last")) + masked(b"\x03\xe8", CLOSE))

    house.until(guest.is_over)

    assert house.news() == ["Joined", "Received", "Left"]
    assert guest.heard.endswith(b"\x88\x02\x03\xe8")


def calls_of(function: Callable[[], object]) -> int:
    """Return how many calls, in Python and C, something takes."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def test_a_hundred_slow_handshakes_cost_an_update_of_the_others_nothing(house: House) -> None:
    house.visit(b"G")
    house.until(lambda: house.waiting == 1)
    beside_one = calls_of(house.server.update)
    for number in range(99):
        house.visit(UPGRADE[: number % 60])
    house.until(lambda: house.waiting == 100)

    beside_a_hundred = calls_of(house.server.update)

    assert beside_a_hundred == beside_one
    assert not len(house.server._links)
