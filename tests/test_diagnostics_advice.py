"""A program that forgets a part of its loop is told, once; one that pauses, or has nothing to do, is not.

Warnings are errors in these tests: what is not expected fails them.
"""

import logging
import socket
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from inside import inbox_of, links_of
from scene import TICK, Scene, only

import netcode
from netcode import Client, Server, State
from netcode.diagnostics import log
from netcode.diagnostics.advice import PATIENCE, advise_child
from netcode.session.inbox import LONG_PAUSE
from netcode.testing import FakeClock, MemoryNetwork, play


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def pair() -> Iterator[tuple[Server, Client]]:
    """Return a server and a client over real sockets, which a poller can tell about, on the clock of a test."""
    clock = FakeClock()
    with (
        Server("127.0.0.1", 0, clock=clock) as server,
        Client("127.0.0.1", server.address.port, clock=clock) as client,
    ):
        yield server, client


def warned(caught: list[warnings.WarningMessage]) -> list[str]:
    """Return what was told, each of it with the line of this file as its place."""
    assert {warning.filename for warning in caught} <= {__file__}
    return [str(warning.message).partition(" seconds")[0] for warning in caught]


def turn(end: Server | Client, seconds: float, frame: Callable[[], object]) -> None:
    """Let time pass in frames, each of which is what the program does."""
    clock: Any = links_of(end).timeline.clock if isinstance(end, Server) else end._timeline.clock
    for _ in range(round(seconds / TICK)):
        clock.advance(TICK)
        frame()


@pytest.mark.fault(71, "memory")
@pytest.mark.parametrize("who", ["server", "client"])
def test_who_never_takes_events_is_told_once(scene: Scene, who: str) -> None:
    server, client = scene.serve(), scene.client()
    forgetful: Server | Client = server if who == "server" else client
    scene.deaf.add(forgetful)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(round(3 * PATIENCE / TICK)):
            scene.clock.advance(TICK)
            server.update()
            client.update()
            if forgetful is server:
                client.events()
            else:
                server.events()

    assert warned(caught) == [f"{who}.events() has not been called for 5"]
    scene.close()


@pytest.mark.fault(71, "memory")
def test_what_is_never_taken_is_told_within_patience_and_not_before(scene: Scene) -> None:
    server = scene.serve()
    scene.client()
    scene.deaf.add(server)
    scene.play(PATIENCE - 0.5)

    with pytest.warns(RuntimeWarning, match=r"take them after each update, for event in server\.events\(\)"):
        scene.play(1.0)
    scene.close()


def test_who_takes_events_and_then_pauses_is_told_by_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_next_warning", {})
    monkeypatch.setattr(log, "INTERVAL", 0.0)
    server, client = scene.serve(), scene.join()
    scene.deaf.add(server)
    client.send("are you there?")
    with caplog.at_level(logging.WARNING, "netcode"):
        scene.play(LONG_PAUSE - 1.0)
        before = [*caplog.messages]
        scene.play(LONG_PAUSE)
        once = [*caplog.messages]
        scene.deaf.clear()
        scene.play(LONG_PAUSE)

    assert before == []
    assert len(once) == 1
    assert once[0].startswith("server.events() has not been called for 30 seconds, and 1 events wait: ")
    assert caplog.messages == once
    scene.close()


def test_a_game_that_stands_still_for_an_hour_is_told_nothing(scene: Scene) -> None:
    server, client = scene.serve(), scene.join()
    client.send("last words before the pause")
    client.update()

    scene.clock.advance(3600.0)
    for order in (server.events, server.update, server.events, client.events, client.update, client.events):
        order()
    scene.play(PATIENCE)

    assert scene.heard(server) == []
    scene.close()


@pytest.mark.games
def test_a_test_that_plays_first_and_takes_events_afterwards_is_told_nothing() -> None:
    clock = FakeClock()
    network = MemoryNetwork(clock)
    with (
        Server("server", 7777, network=network, clock=clock) as server,
        Client("server", 7777, network=network, clock=clock) as client,
    ):
        play(clock, 10 * LONG_PAUSE, server, client)

        assert len(server.events()) == len(client.events()) == 1


@pytest.mark.fault(71, "memory")
@pytest.mark.parametrize("timeout", [None, 0.5])
def test_events_that_are_never_taken_do_not_make_waiting_spin(
    scene: Scene, timeout: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scene.serve()
    scene.deaf.add(server)
    scene.join()
    slept = list[float | None]()
    monkeypatch.setattr(links_of(server), "sleep", slept.append)

    told = [server.wait(timeout) for _ in range(3)]
    inbox_of(server).events.append(netcode.Joined(only(server)))
    news = server.wait(timeout), server._seconds_left()

    assert told == [True] * 3  # there are events
    assert slept == [timeout] * 3
    assert news == (True, 0.0)
    scene.close()


@pytest.mark.fault(71, "memory")
def test_what_a_handler_that_raised_has_not_reached_wakes_the_loop(scene: Scene) -> None:
    server = scene.serve()
    scene.deaf.add(server)
    scene.join()
    for _ in server.events():
        break
    nothing_left = inbox_of(server).has_news()
    scene.join()
    scene.join()
    for _ in server.events():
        break

    assert not nothing_left
    assert inbox_of(server).has_news()
    scene.close()


def test_a_client_with_events_that_are_never_taken_sleeps(scene: Scene) -> None:
    scene.serve()
    client = scene.join()
    scene.deaf.add(client)
    only(next(end for end in scene.told if isinstance(end, Server))).send("news")
    scene.until(lambda: bool(inbox_of(client).events))

    fresh = client._seconds_left()
    scene.play(2 * TICK)

    assert fresh == 0.0
    assert client._seconds_left() != 0.0
    assert client.wait(0.0) is True
    scene.close()


@pytest.mark.fault(71, "loopback")
@pytest.mark.parametrize("call", ["events", "wait", "send", "state", "peer", "reason"])
def test_a_client_that_is_never_updated_tells_so_once(pair: tuple[Server, Client], call: str) -> None:
    _, client = pair
    calls: dict[str, Callable[[], object]] = {
        "events": client.events,
        "wait": lambda: client.wait(0.0),
        "send": lambda: client.send("ahoy"),
        "state": lambda: client.state is State.CONNECTED,
        "peer": lambda: client.peer,
        "reason": lambda: client.reason,
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        turn(client, 4 * PATIENCE, calls[call])

    assert warned(caught) == ["client.update() has not been called for 5"]


@pytest.mark.fault(71, "loopback")
@pytest.mark.parametrize("call", ["events", "wait", "peers", "state"])
def test_a_server_that_forgets_its_update_tells_so_once_somebody_is_there(call: str) -> None:
    clock = FakeClock()
    with Server("127.0.0.1", 0, clock=clock) as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        calls: dict[str, Callable[[], object]] = {
            "events": server.events,
            "wait": lambda: server.wait(0.0),
            "peers": lambda: server.peers,
            "state": lambda: server.state is State.CONNECTED,
        }
        turn(server, 20 * PATIENCE, calls[call])
        lonely = [*caught]
        with socket.create_connection(server.address):
            turn(server, 3 * PATIENCE, calls[call])

    assert lonely == []
    assert warned(caught) == ["server.update() has not been called for 5"]


@pytest.mark.parametrize("pause", [TICK, 0.13, 0.9])
def test_a_loop_that_only_looks_is_told_within_some_seconds_however_long_it_sleeps(pause: float) -> None:
    clock = FakeClock()
    with Server("127.0.0.1", 0, clock=clock) as server, socket.create_connection(server.address):
        began = clock.now
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            while not (server.peers or caught) and clock.now < began + 20 * PATIENCE:
                clock.advance(pause)

    assert warned(caught) == ["server.update() has not been called for 5"]
    assert clock.now - began < PATIENCE + 4.0


def test_a_loop_that_updates_only_when_it_was_woken_is_told_nothing(pair: tuple[Server, Client]) -> None:
    server, client = pair
    heard = list[netcode.Event]()

    def frame() -> None:
        if server.wait(0.0):
            server.update()
        heard.extend(server.events())
        client.update()
        client.events()

    turn(server, 5 * PATIENCE, frame)

    assert client.state is State.CONNECTED
    assert len(heard) == 1


def test_many_calls_within_a_frame_are_told_nothing(pair: tuple[Server, Client]) -> None:
    _, client = pair

    def frame() -> None:
        for end in pair:
            for _ in range(3):
                end.wait(0.0)
                end.events()
                client.send("early and often")
            for _ in range(20):
                _ = end.state
            end.update()

    turn(client, 3 * PATIENCE, frame)

    assert client.state is State.CONNECTED


def test_an_end_that_is_over_needs_no_update(pair: tuple[Server, Client]) -> None:
    for end in pair:
        end.close()

    for end in pair:
        turn(end, 3 * PATIENCE, lambda end=end: (end.events(), end.wait(0.0)))  # type: ignore[misc]


def test_a_forked_child_is_told_in_its_own_line() -> None:
    with pytest.warns(RuntimeWarning, match=r"^this client belongs to the process that made it") as told:
        advise_child("client")

    assert told[0].filename == __file__
