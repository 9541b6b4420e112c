"""A server that opens: what cannot be is told before there is a door, and the door is for whom it shall be."""

import ssl
from typing import Any

import pytest
from bounds import until
from faults.wire import reason_of
from inside import doorway_of
from scene import HOST, PORT, TICK, Scene

import netcode
from netcode import ReasonCode, Server, Web
from netcode.testing import FakeClock, MemoryNetwork


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"port": -1}, ValueError, "port must be from 0 to 65535, not -1"),
        ({"port": "7777"}, TypeError, "port must be an int, not str"),
        ({"game": b"chess"}, TypeError, "game must be a str, not bytes"),
        ({"messages": dict}, TypeError, "messages must be msgspec.Struct types joined by"),
        ({"status": 7}, TypeError, "status must be the path of a file, or True, not int"),
        ({"game": "?"}, ValueError, "game '\\?' is what programs say that only ask"),
        ({"max_peers": 0}, ValueError, "max_peers must be above 0 and finite, not 0"),
        ({"max_peers": 2.5}, TypeError, "max_peers must be an int, not float"),
        ({"max_peers_per_address": -1}, ValueError, "max_peers_per_address must be above 0 and finite, not -1"),
        ({"max_pending": True}, TypeError, "max_pending must be an int, not bool"),
        ({"grace": -1.0}, ValueError, "grace must be 0 or more and finite, not -1.0"),
        (
            {"max_peers": 10**20},
            ValueError,
            "max_peers must be at most 18446744073709551615, .* not 100000000000000000000",
        ),
        ({"grace": 1e9}, ValueError, "grace must be below 1000000000 seconds, which are 31 years, not 1000000000.0"),
        ({"grace": "10"}, TypeError, "grace must be a number, not str"),
        ({"max_message": 100}, ValueError, "max_message must be from 4096 to 2147483647, not 100"),
        ({"max_mesage": 100_000}, TypeError, r"Server\(\) got an unexpected keyword argument 'max_mesage'"),
    ],
)
def test_what_an_argument_cannot_be_raises_at_once(arguments: dict[str, Any], kind: type[Exception], text: str) -> None:
    clock = FakeClock()
    network = MemoryNetwork(clock)
    arguments = {"host": HOST, "port": PORT, "network": network, "clock": clock, **arguments}

    with pytest.raises(kind, match=text):
        Server(**arguments)

    assert network.door(PORT) is None


def test_tls_is_put_between() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with Server("127.0.0.1", 0, tls=context) as server:
        assert type(doorway_of(server)).__module__ == "netcode.transport.tls"


@pytest.mark.parametrize("web", [True, Web(page="<p>chess")])
def test_browsers_are_shown_a_page_where_they_are_wanted(scene: Scene, web: Web | bool) -> None:
    scene.serve(web=web)
    browser = netcode.connect(HOST, PORT, network=scene.network, clock=scene.clock)
    browser.send(b"GET / HTTP/1.1\r\n\r\n")

    for _ in until(lambda: not browser.alive):
        browser.update()
        scene.play(TICK)

    assert browser.receive_all().startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("web", [None, False])
def test_browsers_are_strangers_where_they_are_not(scene: Scene, web: bool | None) -> None:
    scene.serve(web=web)

    browser = scene.stranger(b"GET / HTTP/1.1\r\n\r\n")

    assert reason_of(browser)[0] is ReasonCode.NOT_NETCODE


@pytest.mark.parametrize("web", ["true", 1])
def test_what_cannot_be_shown_to_browsers_is_named(scene: Scene, web: Any) -> None:
    with pytest.raises(TypeError, match=f"web must be True or a netcode.Web, not {type(web).__name__}"):
        scene.serve(web=web)


def test_a_page_given_alone_is_told_where_it_belongs(scene: Scene) -> None:
    wrong: Any = "page.html"
    with pytest.raises(TypeError, match=r"not str; a page of yours is netcode\.Web\(page=Path\(…\)\)$"):
        scene.serve(web=wrong)
    with pytest.raises(TypeError, match=r"Web\(\) takes arguments by name alone: write name=value for 'page.html'"):
        Web(wrong)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
