"""Network events in pygame's own queue."""

from collections.abc import Iterator
from typing import Any

import pytest
from quiet_pygame import pygame
from scene import TICK, Scene

import netcode
from netcode.pygame import AWAY, BACK, JOINED, LEFT, RECEIVED, EventQueue


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.init()
    pygame.event.clear()
    scene = Scene()
    yield scene
    scene.close()
    pygame.quit()


def play(scene: Scene, queue: EventQueue, seconds: float) -> list[pygame.event.Event]:
    """Let time pass, with a queue in the place of a client's update, and return what pygame had."""
    found: list[pygame.event.Event] = []
    for _ in range(round(seconds / TICK)):
        scene.play(TICK)
        queue.update()
        found += [event for event in pygame.event.get() if event.type in (JOINED, RECEIVED, AWAY, BACK, LEFT)]
    return found


def test_everything_that_a_client_is_told_comes_through_pygame(scene: Scene) -> None:
    server = scene.serve()
    client = scene.client()
    del scene.told[client]
    queue = EventQueue(client)

    events = play(scene, queue, 0.5)
    server.broadcast({"hello": [1]})
    events += play(scene, queue, 0.5)
    scene.network.cut()
    events += play(scene, queue, 5.0)
    server.close_nicely("good night")
    events += play(scene, queue, 1.0)

    assert [event.type for event in events] == [JOINED, RECEIVED, AWAY, BACK, LEFT]
    assert {event.peer for event in events} == {client.peer}
    assert events[1].message == {"hello": [1]}
    assert events[2].reason.code is netcode.ReasonCode.RESET
    assert events[4].reason.text == "good night"


def test_what_finds_no_room_in_the_queue_comes_later_and_in_order(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scene.serve()
    client = scene.client()
    del scene.told[client]
    queue, room, post = EventQueue(client), [3], pygame.event.post
    play(scene, queue, 0.5)
    for number in range(8):
        server.broadcast(number)
    scene.play(0.1)

    def post_while_there_is_room(event: pygame.event.Event) -> bool:
        if not room[0]:
            raise pygame.error("Event queue full")
        room[0] -= 1
        return post(event)

    monkeypatch.setattr(pygame.event, "post", post_while_there_is_room)
    queue.update()
    first = [event.message for event in pygame.event.get(RECEIVED)]
    room[0] = 100
    queue.update()

    assert first == [0, 1, 2]
    assert [event.message for event in pygame.event.get(RECEIVED)] == [3, 4, 5, 6, 7]


def test_messages_that_the_game_does_not_take_from_pygame_are_bounded(scene: Scene) -> None:
    server = scene.serve()
    client = scene.client(max_backlog=100_000)
    del scene.told[client]
    queue = EventQueue(client)
    play(scene, queue, 0.5)

    count = 0
    for _ in range(200):  # a loading screen, which calls pygame.event.get() no more
        for peer in server.peers:
            if peer.stats.queued < 100_000:
                peer.send([count, bytes(10_000)])
                count += 1
        scene.play(TICK)
        queue.update()
    there = pygame.event.get(RECEIVED)
    found = [event.message[0] for event in [*there, *play(scene, queue, 2.0)]]

    assert len(there) == 1
    assert count < 100
    assert found == [*range(count)]


def test_who_leaves_other_events_in_pygames_queue_gets_messages(scene: Scene) -> None:
    server = scene.serve()
    client = scene.client()
    del scene.told[client]
    queue = EventQueue(client)

    for _ in range(30):
        scene.play(TICK)
        queue.update()
    got: list[int] = []
    for number in range(3):
        server.broadcast(number)
        scene.play(TICK)
        queue.update()
        got += [event.message for event in pygame.event.get(RECEIVED)]

    assert got == [0, 1, 2]
    assert pygame.event.peek(JOINED)


def test_without_pygames_queue_it_updates_all_the_same_and_keeps_what_came(scene: Scene) -> None:
    server = scene.serve()
    client = scene.client()
    del scene.told[client]
    queue = EventQueue(client)

    pygame.quit()  # as before `pygame.init()`
    for _ in range(3):
        scene.play(TICK)
        queue.update()
    pygame.display.init()
    events = play(scene, queue, 0.5)
    pygame.quit()
    client.close_nicely("good night")
    for _ in range(30):
        scene.play(TICK)
        queue.update()

    assert [event.type for event in events] == [JOINED]
    assert client.state is netcode.State.DISCONNECTED
    assert len(server.peers) == 0


def test_a_server_can_have_it_too(scene: Scene) -> None:
    server = scene.serve()
    del scene.told[server]
    queue = EventQueue(server)
    scene.client().send("ahoy")

    events = play(scene, queue, 0.5)

    assert [event.type for event in events] == [JOINED, RECEIVED]
    assert events[1].message == "ahoy"
    server.close()


def test_its_types_are_none_that_games_count_from_userevent() -> None:
    types = [JOINED, RECEIVED, AWAY, BACK, LEFT]

    assert len({*types}) == 5
    assert all(pygame.USEREVENT + 1000 < number < pygame.NUMEVENTS for number in types)
    assert pygame.event.custom_type() not in types


def test_what_tells_nothing_is_refused() -> None:
    nobody: Any = None
    with pytest.raises(TypeError, match=r"^expected a netcode\.Client or a netcode\.Server, not NoneType$"):
        EventQueue(nobody)
