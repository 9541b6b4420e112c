"""Games on the local network: what a server says of itself, and what a player is shown of what strangers say."""

import sys
from collections.abc import Mapping
from typing import Any

import pytest
from scene import Scene

import netcode
from netcode import Address, Discovery, FoundGame, Server, State, discover
from netcode.lan import MAX_SIGHTINGS, Sighting
from netcode.testing import FakeClock, MemoryNetwork


def look(scene: Scene, game: str | None = None) -> tuple[FoundGame, ...]:
    with discover(game, network=scene.network) as discovery:
        discovery.update()
        return discovery.games


def stranger(scene: Scene, **said: str) -> None:
    """Announce what somebody made up."""
    key = str(len(scene.network.sightings))
    sighting = Sighting((Address("stranger", 1),), said)
    scene.network.sightings = {**scene.network.sightings, key: sighting}


def test_a_server_that_is_announced_is_found_where_it_listens(scene: Scene) -> None:
    server = scene.serve(game="chess", version="1", announce="Ann's game", max_peers=2)

    [found] = look(scene)

    assert found == FoundGame("Ann's game", "chess", "1", 0, 2, False, (server.address,))
    assert found.address == server.address
    with netcode.Client(*found.address, game=found.game, version=found.version, network=scene.network) as client:
        scene.told[client] = []
        scene.until(lambda: client.state is State.CONNECTED)


def test_a_server_says_nothing_unless_it_is_told_to(scene: Scene) -> None:
    scene.serve(game="chess")

    assert look(scene) == ()


@pytest.mark.parametrize("turned", [False, True])
def test_games_that_differ_in_what_they_do_not_tell_are_sorted_too(scene: Scene, turned: bool) -> None:
    told = [{"players": "3"}, {}, {"max_players": "4"}, {"game": "chess"}]
    for more in reversed(told) if turned else told:
        stranger(scene, **{"name": "Ann", "game": "go", **more})
    stranger(scene, name="ann", game="go")
    stranger(scene, name="Aaron", game="go", players="5")

    found = look(scene)

    shown = [(one.name, one.game, one.players, one.max_players) for one in found]
    others = [("Ann", "chess", None, None), ("Ann", "go", 3, None), ("Ann", "go", None, 4), ("Ann", "go", None, None)]
    assert shown == [("Aaron", "go", 5, None), *others, ("ann", "go", None, None)]


def test_how_many_play_is_told_as_they_come_and_go(scene: Scene) -> None:
    scene.serve(announce="here", grace=0)
    client = scene.join()
    players = [found.players for found in look(scene)]

    client.close_nicely()
    scene.play(1.0)

    assert players == [1]
    assert [found.players for found in look(scene)] == [0]


@pytest.mark.parametrize("end", ["close", "close_nicely"])
def test_a_server_that_closes_its_door_is_found_no_more(scene: Scene, end: str) -> None:
    server = scene.serve(announce="here")
    scene.join()
    discovery = discover(network=scene.network)
    discovery.update()
    before = len(discovery.games)

    getattr(server, end)()
    discovery.update()

    assert (before, len(discovery.games)) == (1, 0)


def test_only_what_plays_the_wanted_game_is_shown(scene: Scene) -> None:
    for name, game in (("one", "chess"), ("two", "go"), ("three", "")):
        stranger(scene, name=name, game=game)

    assert [found.name for found in look(scene, "chess")] == ["one"]
    assert [found.name for found in look(scene, "")] == ["three"]
    assert [found.name for found in look(scene)] == ["one", "three", "two"]


def test_what_strangers_say_is_escaped_and_clipped(scene: Scene) -> None:
    stranger(scene, name="\x1b[2Jboo\n" + "x" * 500, game="g\x07", version="\u202e1", players="-3", tls="yes")

    [found] = look(scene)

    assert found.name.startswith(r"\x1b[2Jboo\nx")
    assert (len(found.name), found.game, found.version) == (64, r"g\x07", r"\u202e1")
    assert (found.players, found.max_players, found.tls) == (None, None, False)


@pytest.mark.parametrize(
    ("said", "shown"), [("7", 7), ("", None), ("x", None), ("٣", None), ("9" * 7, 1_000_000), ("9" * 5000, None)]
)
def test_a_number_of_players_is_believed_within_reason(scene: Scene, said: str, shown: int | None) -> None:
    stranger(scene, game="chess", players=said)

    assert look(scene)[0].players == shown


def test_what_says_no_game_is_no_server_of_ours_and_who_has_no_name_is_shown_as_such(scene: Scene) -> None:
    stranger(scene, name="a printer")
    stranger(scene, game="chess")

    assert [found.name for found in look(scene)] == ["?"]


def test_no_more_are_shown_than_fit(scene: Scene) -> None:
    for number in range(MAX_SIGHTINGS + 10):
        stranger(scene, name=str(number), game="chess")

    assert len(look(scene)) == MAX_SIGHTINGS


def test_it_says_why_nothing_can_be_found(scene: Scene) -> None:
    discovery = discover(network=scene.network)
    assert discovery.reason is None

    scene.network.down = True

    assert discovery.reason == netcode.Reason(netcode.ReasonCode.NETWORK, "the network in memory is down")
    discovery.close()
    assert discovery.reason is None


def test_wait_returns_when_there_is_something_to_see_and_when_it_is_over(scene: Scene) -> None:
    discovery = discover(network=scene.network)
    assert discovery.wait()
    discovery.update()
    discovery.update()

    assert not discovery.wait(0.0)
    stranger(scene, game="chess")
    assert discovery.wait(0.0)
    discovery.update()
    discovery.close()
    assert discovery.wait()


def test_after_the_close_nothing_changes(scene: Scene) -> None:
    scene.serve(announce="here")
    with discover(network=scene.network) as discovery:
        discovery.update()
    stranger(scene, game="chess")

    discovery.close()
    discovery.update()

    assert [found.name for found in discovery.games] == ["here"]
    assert discovery.instantiate() == ([], [], [])
    assert repr(discovery) == "<Discovery of 1 games>"


class Silent:
    """A local network that remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.sightings: Mapping[str, Sighting] = {}
        self.error = None

    def connect(self, host: str, port: int, now: float) -> Any: ...

    def listen(self, host: str, port: int) -> Any:
        return MemoryNetwork(FakeClock()).listen(host, port)

    def announce(self, *arguments: Any) -> Any:
        return self

    def look_out(self) -> Any:
        return self

    def fileno(self) -> int:
        return 77

    def hush(self) -> None:
        self.calls.append("hush")

    def tell(self, said: Mapping[str, str]) -> None:
        self.calls.append("tell")

    def close(self) -> None:
        self.calls.append("close")

    def abandon(self) -> None:
        self.calls.append("abandon")


def test_it_waits_for_the_descriptor_of_the_network() -> None:
    discovery = discover(network=Silent())

    assert discovery.instantiate() == ([77], [], [])


def test_a_forked_child_says_nothing_and_hears_nothing() -> None:
    lan = Silent()
    discovery = discover(network=lan)
    server = Server("", 0, announce="here", network=lan)
    quiet = Server("", 0, network=MemoryNetwork(FakeClock()))

    for heirloom in (discovery, discovery, server, quiet):
        heirloom._abandon()
    discovery.update()

    assert lan.calls == ["abandon", "abandon"]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"announce": 7}, TypeError, "announce must be a str, not int"),
        ({"announce": ""}, ValueError, "announce must be a name for this server, or None for no announcement"),
        ({"announce": "x" * 65}, ValueError, "announce must have at most 64 characters, not 65"),
        (
            {"announce": "\U0001f600" * 63},
            ValueError,
            "announce is too long to be announced: 250 bytes of UTF-8 at most",
        ),
        (
            {"announce": "x", "game": "\U0001f600" * 63},
            ValueError,
            "game is too long to be announced: 250 bytes of UTF-8 at most",
        ),
    ],
)
def test_what_cannot_be_announced_is_said_at_once(
    scene: Scene, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as raised:
        scene.serve(**options)

    assert str(raised.value) == text
    assert scene.network.sightings == {}


def test_a_game_that_cannot_be_one_is_not_looked_for() -> None:
    with pytest.raises(TypeError, match="game must be a str, not int"):
        discover(7)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("missing", ["zeroconf", "ifaddr"])
def test_without_the_extra_it_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing == "ifaddr":
        pytest.importorskip("zeroconf")  # which needs it, too, when it is imported first
    monkeypatch.setitem(sys.modules, missing, None)  # as where it is not installed
    for module in ("mdns", "interfaces"):
        monkeypatch.delitem(sys.modules, f"netcode.lan.{module}", raising=False)

    for use in (discover, lambda: Server("127.0.0.1", 0, announce="here")):
        with pytest.raises(
            ImportError, match=r'finding games on the LAN needs zeroconf: python -m pip install "netcode\[lan\]"'
        ):
            use()


def test_with_the_extra_the_network_of_this_computer_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    mdns = pytest.importorskip("netcode.lan.mdns")
    lan = Silent()
    monkeypatch.setattr(mdns, "Mdns", lambda: lan)

    discovery = discover()

    assert isinstance(discovery, Discovery)
    discovery.close()
    assert lan.calls == ["close"]
