"""Where a game is served, and where else a client may be sent."""

import re
import ssl
from typing import Any

import pytest
from faults.wire import bye
from scene import TICK, Listening, Scene, only

from netcode import Address, Client, Elsewhere, Reason, ReasonCode, Server, State
from netcode.testing import MemoryNetwork

TOKEN = bytes(range(32))


# Several servers.


class Places:
    """Servers at several addresses of a scene, each of which lets everybody in until a test says otherwise."""

    def __init__(self, scene: Scene, count: int) -> None:
        self._scene = scene
        self.answers: list[Any] = [True] * count
        self.asked: list[tuple[int, Any]] = []
        self.servers = [self._serve(number) for number in range(count)]

    def _serve(self, number: int) -> Server:
        def authenticate(credentials: Any, _address: Address) -> Any:
            self.asked.append((number, credentials))
            return self.answers[number]

        link: Any = {"network": self._scene.network, "clock": self._scene.clock}
        server = Server(f"host{number}", 8000 + number, authenticate=authenticate, **link)
        self._scene.told[server] = []
        return server

    def client(self, *address: Any, **options: Any) -> Client:
        client = Client(*address, network=self._scene.network, clock=self._scene.clock, **options)
        self._scene.told[client] = []
        return client

    def close(self, *numbers: int) -> None:
        for number in numbers:
            self.servers[number].close()


def test_a_client_goes_where_it_is_sent(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[0] = Elsewhere("host1:8001")
    client = places.client("host0", 8000)
    assert client.address == Address("host0", 8000)

    scene.play(12 * TICK)

    assert (scene.news(client), client.address) == (["Joined"], Address("host1", 8001))
    assert scene.news(places.servers[0]) == []
    assert scene.news(places.servers[1]) == ["Joined"]


def test_a_server_that_is_given_twice_is_asked_once_in_a_round(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[:] = [Elsewhere(None), Elsewhere(None)]
    client = places.client("host0", 8000, addresses=["host0:8000", "host1:8001", ("host1", 8001)])

    scene.until(lambda: client.state is State.DISCONNECTED)

    assert [number for number, _ in places.asked] == [0, 1]


def test_a_client_that_was_sent_on_comes_back_to_where_it_is(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[0] = Elsewhere(("host1", 8001))
    client = places.client("host0", 8000)
    scene.play(12 * TICK)
    scene.network.cut()

    scene.until(lambda: scene.news(client)[-1] == "Back")

    assert scene.news(client) == ["Joined", "Away", "Back"]
    assert len(places.asked) == 2


@pytest.mark.parametrize("patience", [0.0, 5.0])
def test_who_is_sent_round_in_a_circle_stops_after_three_times(scene: Scene, patience: float) -> None:
    places = Places(scene, 2)
    places.answers[:] = [Elsewhere("host1:8001"), Elsewhere("host0:8000", "not here")]
    client = places.client("host0", 8000, patience=patience)

    scene.play(16 * TICK)
    assert [number for number, _ in places.asked][:4] == [0, 1, 0, 1]
    scene.play(10.0)

    rounds = len(places.asked) // 4
    assert [number for number, _ in places.asked] == [0, 1, 0, 1] * rounds
    assert (rounds == 1) == (patience == 0.0)
    assert rounds < 12
    assert scene.left(client).code is ReasonCode.MOVED
    assert re.fullmatch(r"not here \(tried \d+ times in .* s\)", scene.left(client).text)


def test_who_is_sent_to_nobody_asks_where_it_began(scene: Scene) -> None:
    places = Places(scene, 1)
    places.answers[0] = Elsewhere("nowhere:9999")
    client = places.client("host0", 8000, patience=10.0)
    scene.play(12 * TICK)
    places.answers[0] = True

    scene.until(lambda: client.state is State.CONNECTED)

    assert client.address == Address("host0", 8000)


def test_who_is_sent_to_nobody_without_patience_gives_up(scene: Scene) -> None:
    places = Places(scene, 1)
    places.answers[0] = Elsewhere("nowhere:9999")
    client = places.client("host0", 8000)
    scene.play(1.0)

    assert scene.left(client).code is ReasonCode.REFUSED
    assert "nothing is listening on nowhere:9999" in scene.left(client).text


def test_one_of_several_addresses_is_enough(scene: Scene) -> None:
    places = Places(scene, 4)
    places.close(0, 1, 3)
    addresses = ["host0:8000", ("host1", 8001), Address("host2", 8002), "host3:8003"]
    client = places.client(addresses=addresses)
    first = places.client("host0", 8000, addresses=["host2:8002"])
    assert first.address == Address("host0", 8000)

    scene.play(12 * TICK)

    assert client.address == first.address == Address("host2", 8002)
    assert scene.news(client) == scene.news(first) == ["Joined"]


def test_each_of_several_addresses_is_tried_once_without_patience(scene: Scene) -> None:
    places = Places(scene, 3)
    places.answers[2] = Elsewhere(None)
    places.close(0, 1)
    client = places.client(addresses=["host0:8000", "host1:8001", "host2:8002"])

    scene.play(1.0)

    assert len(places.asked) == 1
    assert re.search(r"\(tried 3 times in ", scene.left(client).text)


def test_with_patience_all_addresses_are_tried_again_and_again(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[:] = [Elsewhere(None), Elsewhere(None)]
    client = places.client(addresses=["host0:8000", "host1:8001"], patience=60.0)
    scene.play(4.0)
    rounds = len(places.asked) // 2
    assert {*places.asked} == {(0, None), (1, None)}
    assert 2 <= rounds < 10
    places.answers[1] = True

    scene.until(lambda: client.state is State.CONNECTED)

    assert client.address == Address("host1", 8001)


@pytest.mark.parametrize("seat", [0, 1])
def test_a_ticket_finds_its_seat_at_whichever_of_several_servers_it_is(scene: Scene, seat: int) -> None:
    places = Places(scene, 2)
    first = places.client(f"host{seat}", 8000 + seat)
    scene.play(12 * TICK)
    ticket = first.ticket
    scene.frozen.add(first)

    again = places.client("host0", 8000, addresses=["host1:8001"], ticket=ticket)
    scene.play(12 * TICK)

    assert (again.state, again.address.port) == (State.CONNECTED, 8000 + seat)
    assert scene.news(places.servers[seat]) == ["Joined", "Away", "Back"]
    assert scene.news(places.servers[1 - seat]) == []


def test_a_seat_that_no_server_knows_is_lost(scene: Scene) -> None:
    places = Places(scene, 2)
    client = places.client("host0", 8000, addresses=["host1:8001"], **proof("ticket"))
    scene.play(12 * TICK)

    assert (scene.left(client).code, client.address.port) == (ReasonCode.RESUME_LOST, 8001)
    assert places.asked == []


def test_clients_of_the_same_addresses_come_to_different_ones(scene: Scene) -> None:
    places = Places(scene, 2)
    for _ in range(30):
        places.client(addresses=["host0:8000", "host1:8001"])
    scene.play(12 * TICK)

    assert min(len(server.peers) for server in places.servers) > 2


def test_a_player_who_was_in_already_is_told_where_to_go(scene: Scene) -> None:
    places = Places(scene, 2)
    client = places.client("host0", 8000)
    scene.play(12 * TICK)

    only(places.servers[0]).send("last words")
    only(places.servers[0]).move("host1:8001")
    scene.play(12 * TICK)

    reason = Reason(ReasonCode.MOVED, "this game goes on at host1:8001", where=Address("host1", 8001))
    assert scene.heard(client) == ["last words"]
    assert scene.left(client) == client.reason == reason
    assert scene.news(places.servers[1]) == []


# What proves who one is.


def proof(proves: str) -> dict[str, Any]:
    """Return the options of a client that has something to prove itself with."""
    return {"credentials": "secret"} if proves == "credentials" else {"ticket": "seat-" + TOKEN.hex()}


@pytest.mark.parametrize("proves", ["credentials", "ticket"])
def test_what_proves_who_one_is_goes_to_nobody_who_was_not_named(scene: Scene, proves: str) -> None:
    places = Places(scene, 2)
    listening = Listening(scene, bye(ReasonCode.MOVED.value, "go on", "host1:8001"))
    client = listening.client(**proof(proves))
    listening.play(1.0)

    assert places.asked == []
    assert scene.left(client) == Reason(
        ReasonCode.MOVED,
        "go on (host1:8001 was not asked: credentials go to hosts in addresses=, or with tls=True)",
        where=Address("host1", 8001),
    )


@pytest.mark.parametrize("named", [["HOST1.:1"], ["x:1", ("host1", 7)]])
def test_what_proves_who_one_is_goes_to_hosts_that_were_named(scene: Scene, named: list[Any]) -> None:
    places = Places(scene, 2)
    places.answers[0] = Elsewhere("host1:8001")
    client = places.client("host0", 8000, addresses=named, credentials="secret")
    scene.play(12 * TICK)

    assert (places.asked, scene.news(client)) == ([(0, "secret"), (1, "secret")], ["Joined"])


def test_what_proves_who_one_is_goes_to_another_port_of_the_same_host(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[0] = Elsewhere("host0:8001")
    places.client("host0", 8000, credentials="secret")
    scene.play(12 * TICK)

    assert places.asked == [(0, "secret"), (1, "secret")]


def test_who_has_nothing_to_prove_goes_anywhere(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[0] = Elsewhere("host1:8001")
    places.client("host0", 8000)
    scene.play(12 * TICK)

    assert places.asked == [(0, None), (1, None)]


@pytest.mark.parametrize(("verified", "asked"), [(True, [(0, "secret"), (1, "secret")]), (False, [(0, "secret")])])
def test_over_tls_what_proves_who_one_is_goes_to_whoever_proves_who_it_is(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, verified: bool, asked: list[Any]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = verified
    used: list[Any] = []

    class FakeTls:
        def __init__(self, below: MemoryNetwork, given: object) -> None:
            used.append(given)
            self.connect = below.connect

    monkeypatch.setattr("netcode.transport.tls.TlsNetwork", FakeTls)
    places = Places(scene, 2)
    places.answers[0] = Elsewhere("host1:8001")
    places.client("host0", 8000, credentials="secret", tls=context)
    scene.play(12 * TICK)

    assert (places.asked, used) == (asked, [context])


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"addresses": "a:1"}, TypeError, "addresses must be a list"),
        ({"addresses": 7}, TypeError, "addresses must be a list .* not int"),
        ({"addresses": ["a"]}, ValueError, "each of addresses must be a host and a port"),
        ({"addresses": [7]}, TypeError, "each of addresses must be"),
        ({}, ValueError, "both must be given"),
        ({"host": "a"}, ValueError, "both must be given"),
        ({"port": 7, "addresses": ["a:1"]}, ValueError, "both must be given"),
    ],
)
def test_places_that_cannot_be_are_refused(options: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Client(**options)
