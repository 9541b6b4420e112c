"""What beginners write instead of what there is: each reads what to write."""

import copy
import re
from collections.abc import Iterator
from enum import Enum
from types import ModuleType
from typing import Any

import pytest
from scene import Scene, only

import netcode
from netcode import turns
from netcode.diagnostics import mistakes
from netcode.diagnostics.mistakes import Hint
from netcode.testing import MemoryNetwork


@pytest.fixture
def things() -> Iterator[dict[str, Any]]:
    """Give one of each thing that a game holds in its hands."""
    scene = Scene()
    server = scene.serve()
    client = scene.join()
    peer = only(server)
    reason = netcode.Reason(netcode.ReasonCode.CLOSED, "")
    connection = netcode.custom()
    seat: turns.Seat[Any] = turns.join(("localhost", 1), "Pig", network=scene.network)
    yield {
        "peer": peer,
        "server": server,
        "client": client,
        "connection": connection,
        "joined": netcode.Joined(peer),
        "received": netcode.Received(peer, "hi"),
        "left": netcode.Left(peer, reason),
        "seat": seat,
    }
    seat.close()
    connection.close()
    scene.close()


@pytest.mark.fault(72, "memory")
@pytest.mark.parametrize(
    ("where", "advice"),
    [
        ("peer.name", "peer.data"),
        ("peer.ip", "peer.address"),
        ("peer.disconnect", 'peer.close_nicely("why")'),
        ("peer.recv", "for event in server.events()"),
        ("peer.ping", "peer.rtt"),
        ("client.disconnect", 'client.close_nicely("why")'),
        ("client.recv", "for event in client.events()"),
        ("client.on_message", "no callbacks: events: for event in client.events()"),
        ("client.connected", "client.state is netcode.State.CONNECTED"),
        ("client.error", "client.reason"),
        ("client.connect", "after Left it is over for good: make a new netcode.Client"),
        ("client.reconnect", "make a new netcode.Client"),
        ("seat.send", 'table.play("mark", cell=4) makes a move, and table.say(text) talks to the others'),
        ("seat.board", "table.view"),
        ("seat.on_message", "no callbacks: events: for event in table.events()"),
        ("server.send", "server.broadcast(message)"),
        ("server.clients", "server.peers"),
        ("server.run", "for tick in server.ticks(30)"),
        ("server.kick", 'peer.close_nicely("why")'),
        ("server.port", "server.address"),
        ("connection.recv", "connection.receive(length)"),
        ("connection.events", "netcode.Client"),
        ("received.type", "match"),
        ("received.data", "event.message"),
        ("received.sender", "event.peer"),
        ("joined.message", "only a Received"),
        ("joined.reason", "only Left and Away"),
        ("left.player", "event.peer"),
        ("left.text", "event.reason, with its text"),
    ],
)
def test_an_attribute_that_does_not_exist_reads_what_to_use(things: dict[str, Any], where: str, advice: str) -> None:
    thing, name = where.split(".")
    kind = type(things[thing]).__name__

    with pytest.raises(AttributeError, match=f"^'{kind}' has no attribute '{name}': .*{re.escape(advice)}"):
        getattr(things[thing], name)
    assert not hasattr(things[thing], name)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Connected", "; did you mean netcode.Joined?"),
        ("Disconnected", "; did you mean netcode.Left?"),
        ("Message", "; did you mean netcode.Received?"),
        ("Recieved", "; did you mean netcode.Received?"),
        ("Sever", "; did you mean netcode.Server?"),
        ("metrics_", ""),
        ("zeppelin", ""),
    ],
)
def test_a_name_that_the_package_does_not_have_reads_which_one_was_meant(name: str, advice: str) -> None:
    with pytest.raises(AttributeError, match=f"^module 'netcode' has no attribute '{name}'{re.escape(advice)}$"):
        getattr(netcode, name)
    assert not hasattr(netcode, name)


def test_a_module_that_has_to_be_imported_says_so() -> None:
    package: Any = ModuleType("games")
    mistakes.hint_package(package, ["chess"])
    package.__all__ = ["go"]

    with pytest.raises(
        AttributeError, match=r"^module 'games' has no attribute 'chess' before it .*: import games\.chess$"
    ):
        _ = package.chess
    with pytest.raises(AttributeError, match=r"^module 'games' has no attribute 'pig'$"):
        _ = package.pig


@pytest.mark.parametrize("where", ["server.kick", "client.clock", "peer.ip", "seat.moves", "netcode.Connected"])
def test_python_adds_nothing_that_looks_alike_to_what_was_meant(things: dict[str, Any], where: str) -> None:
    thing, name = where.split(".")

    with pytest.raises(AttributeError) as raised:
        getattr({**things, "netcode": netcode}[thing], name)

    assert (raised.value.name, raised.value.obj) == (name, None)  # it looks for names in the object


def test_a_file_that_is_imported_in_the_place_of_what_the_package_needs_is_told_so() -> None:
    package: Any = ModuleType("games")
    mistakes.hint_package(package, [])

    with pytest.raises(AttributeError) as raised:
        _ = package.pig

    assert str(raised.value) == (
        f"module 'games' has no attribute 'pig' yet: its import came by {__file__}, "
        "which has the name of a module that it needs; call that file by another word"
    )


def test_what_belongs_to_a_player_cannot_be_hung_on_its_peer(things: dict[str, Any]) -> None:
    with pytest.raises(AttributeError, match=r"^'Peer' has no attribute 'score': .* peer\.data"):
        things["peer"].score = 3


def test_a_game_that_makes_a_server_of_its_own_may_call_things_as_it_likes() -> None:
    class Arena(netcode.Server):
        def __init__(self) -> None:
            super().__init__("arena", 1, network=Scene().network)
            self.clients = ["Ann"]
            self.run = "away"

    with Arena() as arena:
        assert (arena.clients, arena.run) == (["Ann"], "away")


@pytest.mark.parametrize("kind", [netcode.Server, netcode.Client])
def test_a_class_of_ones_own_that_forgets_to_make_what_it_inherits_is_told(kind: type[object]) -> None:
    def forget(own: Any) -> None:
        own.score = 0

    own: Any = type("Own", (kind,), {"__init__": forget})()

    for use in (own.update, own.events):
        with pytest.raises(AttributeError, match=r"^'Own' has no attribute '_\w+': it was not made: .* super\(\)"):
            use()
    assert own.score == 0


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("udp", "network must be a network such as netcode.testing.MemoryNetwork(), not 'udp'"),
        (None, "network must be a network such as netcode.testing.MemoryNetwork(), not None"),
        (MemoryNetwork, "network must be a network, not a class of them: MemoryNetwork()"),
    ],
)
@pytest.mark.parametrize("function", [netcode.Server, netcode.Client, netcode.connect])
def test_what_is_no_network_is_told(function: Any, network: object, said: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(said)}$"):
        function("localhost", 1, network=network)


@pytest.mark.parametrize(
    ("where", "advice"),
    [
        ("server.max_peers", "it is given when it is made, as in Server(..., max_peers=...), and stays as it was then"),
        ("server.authenticate", "as in Server(..., authenticate=...)"),
        ("server.timeout", "as in Server(..., timeout=...)"),
        ("server.on_join", "no callbacks: events: for event in server.events()"),
        ("server.port", "the server is at server.address"),
        ("client.patience", "as in Client(..., patience=...)"),
        ("client.on_message", "no callbacks: events: for event in client.events()"),
        ("snapshots.max_gap", "as in Snapshots(..., max_gap=...)"),
    ],
)
def test_what_nobody_would_look_at_cannot_be_set(things: dict[str, Any], where: str, advice: str) -> None:
    thing, name = where.split(".")
    things["snapshots"] = netcode.Snapshots[int](20)

    for use in (lambda: setattr(things[thing], name, 3), lambda: getattr(things[thing], name)):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}': .*{re.escape(advice)}"):
            use()
    kind: object = things[thing].__class__
    assert not hasattr(kind, name)


def test_a_server_of_a_games_own_may_have_attributes_of_these_names() -> None:
    class Arena(netcode.Server):
        max_pending = 3

        def __init__(self) -> None:
            self.max_peers = 2
            super().__init__("arena", 1, network=Scene().network, max_peers=self.max_peers)
            self.game = self.max_pending = 5

    with Arena() as opened:
        arena: Any = opened
        arena.on_join = print
        assert (arena.max_peers, arena.game, arena.max_pending, arena.on_join) == (2, 5, 5, print)
        del arena.game
        with pytest.raises(AttributeError):
            del arena.version


def test_what_exists_is_as_it_was(things: dict[str, Any]) -> None:
    received = things["received"]

    assert (received.message, received.peer, things["left"].reason.text) == ("hi", things["peer"], "")
    assert copy.copy(received) == received


@pytest.mark.parametrize("name", ["peer", "server", "client", "connection", "joined", "received", "left", "seat"])
def test_nobody_who_looks_at_what_there_is_sees_a_hint(things: dict[str, Any], name: str) -> None:
    thing: object = things[name]
    kind = type(thing)
    hints = {key for base in kind.__mro__ for key, value in vars(base).items() if isinstance(value, Hint)}

    assert hints
    assert hints.isdisjoint(dir(thing))
    if not isinstance(thing, tuple | turns.Seat):
        assert hints.isdisjoint(dir(kind))


@pytest.mark.fault(72, "memory")
@pytest.mark.parametrize("message", [{}, [1], "text", None, 5])
def test_a_connection_that_is_given_a_message_points_to_the_client(things: dict[str, Any], message: Any) -> None:
    kind = type(message).__name__

    with pytest.raises(TypeError, match=f"^a connection sends bytes, not {kind}; .* use netcode.Client"):
        things["connection"].send(message)


def test_an_event_that_is_compared_with_a_class_of_events_says_how_to_ask() -> None:
    class Won:
        __match_args__ = ("seat",)

    class Lost:
        pass

    mistakes.tell_from_classes("game", Won, Lost)

    event: Any = Won()
    assert [event == one for one in (Won(), str, None)] == [False] * 3
    for other, written in ((Won, "game.Won(seat)"), (Lost, "game.Lost()")):
        with pytest.raises(TypeError, match=re.escape(f"write `case {written}:`")):
            assert event == other


def test_a_member_that_is_compared_with_its_name_says_how_to_ask() -> None:
    class Colour(Enum):
        RED = 1
        BLUE = 2

    mistakes.tell_from_names("game.Colour", Colour)

    red: Any = Colour.RED
    assert [red == other for other in (Colour.RED, Colour.BLUE, "green", 1)] == [True, False, False, False]
    assert {red: 1, "RED": 2}[Colour.RED] == 1
    with pytest.raises(TypeError, match=r"^a Colour is never equal to a str: write `game\.Colour\.RED`, not 'red'$"):
        _ = red == "red"
