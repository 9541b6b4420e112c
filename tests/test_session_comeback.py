"""When a client tries again, and when it gives up."""

import random
import re

import pytest
from faults.wire import bye, welcome
from scene import HOST, PORT, TICK, Listening, Scene

from netcode import Reason, ReasonCode, State
from netcode.session.comeback import GREETING_REST, GREETINGS, LASTED, PATIENT_CAP, PAUSES, REFUSALS, Comeback, both
from netcode.testing.network import MemoryConnector

TOKEN = bytes(range(32))
GHOST = 3.0


# A server that is not there yet.


@pytest.mark.fault(81, "memory")
def test_a_patient_client_waits_for_the_server_to_start(scene: Scene) -> None:
    client = scene.client(patience=20.0)
    client.send("early")
    scene.play(10.0)
    before = (client.state, client.reason, scene.news(client))

    server = scene.serve()
    scene.until(lambda: client.state is State.CONNECTED, PATIENT_CAP + 1.0)
    scene.play(2 * TICK)

    assert before == (State.CONNECTING, None, [])
    assert scene.news(client) == scene.news(server) == ["Joined"]
    assert scene.heard(server) == ["early"]


@pytest.mark.fault(81, "memory")
def test_patience_ends_with_the_last_reason_and_says_how_long_it_was_tried(scene: Scene) -> None:
    client = scene.client(patience=7.0)

    scene.play(6.9)
    before = client.state
    scene.play(0.2)

    text = rf"nothing is listening on {HOST}:{PORT}; is the server started\? \(tried \d+ times in 7 s\)"
    assert before is State.CONNECTING
    assert scene.news(client) == ["Left"]
    assert re.fullmatch(text, scene.left(client).text)
    assert scene.left(client).code is ReasonCode.REFUSED


def test_the_last_attempt_is_made_when_patience_ends(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def longest(low: float, high: float) -> float:
        return high

    monkeypatch.setattr(scene.network.dice, "uniform", longest)
    client = scene.client(patience=4.0)  # attempts at 0, 0.5, 1.3 and 2.58 seconds, and the next not before 4.6
    scene.play(3.9)
    scene.serve()

    scene.play(0.3)

    assert client.state is State.CONNECTED


def test_patience_is_tried_at_random_and_never_too_seldom(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    spans: list[float] = []

    def longest(low: float, high: float) -> float:
        spans.append(high)
        return high

    monkeypatch.setattr(scene.network.dice, "uniform", longest)
    client = scene.client(patience=12_000.0)

    scene.play(12_100.0, tick=1.0)

    assert spans[:4] == pytest.approx([0.5, 0.8, 1.28, 2.048])
    assert set(spans[5:]) == {PATIENT_CAP}
    assert len(spans) > 1_600  # of which a float would not hold the power
    assert scene.left(client).code is ReasonCode.REFUSED


@pytest.mark.parametrize(
    "code",
    [
        ReasonCode.UNREACHABLE,
        ReasonCode.NAME_NOT_FOUND,
        ReasonCode.CONNECT_TIMEOUT,
        ReasonCode.RESET,
        ReasonCode.NETWORK,
        ReasonCode.TIMEOUT,
        ReasonCode.NO_DESCRIPTORS,
    ],
)
def test_patience_has_no_favourites_among_the_failures(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, code: ReasonCode
) -> None:
    def fail(connector: MemoryConnector, now: float) -> Reason:
        return Reason(code, "it failed")

    with monkeypatch.context() as failing:
        failing.setattr(MemoryConnector, "advance", fail)
        hasty, patient = scene.client(), scene.client(patience=60.0)
        scene.play(3.0)
    scene.serve()

    scene.until(lambda: patient.state is State.CONNECTED)
    scene.play(2 * TICK)

    assert scene.left(hasty).code is code
    assert scene.news(patient) == ["Joined"]


@pytest.mark.fault(81, "memory")
def test_a_patient_client_waits_for_a_seat_and_for_a_server_that_hangs(scene: Scene) -> None:
    server = scene.serve(max_peers=1)
    first = scene.join()
    client = scene.client(patience=60.0)
    scene.play(5.0)
    full = (client.state, scene.news(client))
    first.close()
    scene.frozen.add(server)
    scene.play(8.0)
    scene.frozen.clear()

    scene.until(lambda: client.state is State.CONNECTED)
    scene.play(2 * TICK)

    assert full == (State.CONNECTING, [])
    assert scene.news(client) == ["Joined"]


@pytest.mark.parametrize("answer", [bye(ReasonCode.DENIED.value, "banned"), bye(ReasonCode.WRONG_VERSION.value, "old")])
def test_patience_does_not_argue_with_an_answer(scene: Scene, answer: bytes) -> None:
    listening = Listening(scene, answer)
    client = listening.client(patience=60.0)

    listening.play(0.5)

    assert scene.left(client).text in {"banned", "old"}
    listening.server.close()


def test_waiting_sleeps_until_the_next_attempt_of_a_patient_client(scene: Scene) -> None:
    client = scene.client(patience=60.0)
    scene.play(10.0)
    left = client._seconds_left()

    assert left is not None
    assert 0.0 < left <= PATIENT_CAP


# Told the time, and what failed.

REFUSED = Reason(ReasonCode.REFUSED, "nothing is listening")
RESET = Reason(ReasonCode.RESET, "the connection broke")


def test_who_is_at_a_seat_tries_again_until_it_was_refused_so_often() -> None:
    trying = Comeback(100.0, 0.0, random, GHOST)

    answers = [trying.come_again(REFUSED, RESET, 100.0) for _ in range(REFUSALS - 1)]
    other = trying.come_again(RESET, RESET, 100.0)
    refused = [trying.come_again(REFUSED, RESET, 100.0) for _ in range(REFUSALS)]

    assert all(isinstance(answer, float) for answer in [*answers, other, *refused[:-1]])
    assert refused[-1] == Reason(ReasonCode.RESET, "the connection broke; and then: nothing is listening")


def test_some_answers_are_final_at_a_return() -> None:
    full, moved = Reason(ReasonCode.SERVER_FULL, "full"), Reason(ReasonCode.MOVED, "elsewhere")

    assert isinstance(Comeback(0.0, 0.0, random, GHOST).come_again(full, RESET, 0.0), float)
    assert Comeback(0.0, 0.0, random, GHOST).come_again(moved, RESET, 0.0) is moved
    assert isinstance(Comeback(0.0, 0.0, random, GHOST).come_again(moved, RESET, 0.0, final=False), float)


def test_so_many_pauses_of_ours_are_no_fault_of_a_server() -> None:
    trying = Comeback(0.0, 0.0, random, GHOST)

    assert [trying.excuses_pause() for _ in range(PAUSES + 1)] == [True] * PAUSES + [False]


def test_what_is_heard_twice_is_said_once() -> None:
    assert both(RESET, RESET.text) == RESET


def test_a_greeting_that_broke_is_tried_a_few_times_without_patience() -> None:
    trying = Comeback(0.0, 0.0, random, GHOST)

    again = [trying.begin_again(RESET, 0.0, greeted=True) for _ in range(GREETINGS - 1)]
    trying.tries = GREETINGS
    over = trying.begin_again(RESET, 2.5, greeted=True)

    assert all(isinstance(when, float) and when >= GREETING_REST for when in again)
    assert over == Reason(ReasonCode.RESET, f"the connection broke (tried {GREETINGS} times in 2.5 s)")


def test_the_last_greeting_comes_when_a_player_who_does_not_know_of_its_seat_has_lost_it() -> None:
    trying = Comeback(0.0, 0.0, random, GHOST)
    full = Reason(ReasonCode.SERVER_FULL, "full")

    second = trying.begin_again(RESET, 10.0, greeted=True)
    third = trying.begin_again(full, 11.2, greeted=True)

    assert second == pytest.approx(10.0 + GREETING_REST, abs=0.5)
    assert third == 10.0 + GHOST + GREETING_REST
    assert isinstance(trying.begin_again(full, 14.1, greeted=True), Reason)


def test_who_was_never_greeted_gives_up_at_once_and_who_was_welcomed_begins_anew() -> None:
    trying = Comeback(0.0, 0.0, random, GHOST)
    trying.next_try(0.0)

    assert trying.begin_again(RESET, 0.0, greeted=False) is RESET
    assert trying.attempts == 1
    trying.welcomed(0.0)
    assert trying.attempts == 0


def test_a_server_that_welcomes_and_hangs_up_at_once_is_come_back_to_ever_more_rarely_until_a_link_lasts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def longest(low: float, high: float) -> float:
        pauses.append(high)
        return high

    monkeypatch.setattr(scene.network.dice, "uniform", longest)
    listening = Listening(scene, welcome(token=TOKEN, grace=10.0))
    client = listening.client()
    for stays in [0.0] * 8 + [LASTED]:
        while client.state is not State.CONNECTED:
            listening.play(TICK)
        listening.play(stays)
        listening.server.guests[-1].connection.close()
        listening.play(2 * TICK)

    assert pauses == pytest.approx([0.5, 0.8, 1.28, 2.048, 2.5, 2.5, 2.5, 2.5, 0.5])


class Longest(random.Random):
    """Chance that has everybody wait as long as can be."""

    def uniform(self, a: float, b: float) -> float:
        return b


@pytest.mark.parametrize(("life", "grace", "first"), [(0.5, 10.0, 2.5), (0.5, 120.0, PATIENT_CAP), (2.0, 10.0, 0.5)])
def test_a_quiet_player_is_back_soon_after_short_links_and_has_as_many_attempts_as_ever_if_it_then_fails(
    life: float, grace: float, first: float
) -> None:
    trying, waited = Comeback(0.0, 0.0, Longest(), GHOST), 0.0
    for _ in range(9):
        trying.welcomed(0.0)
        waited = trying.broken(life, 0, grace) - life

    further = [trying.come_again(RESET, RESET, 0.0) for _ in range(3)]

    assert waited == pytest.approx(first)
    assert further == pytest.approx([0.8, 1.28, 2.048])


def test_who_was_welcomed_may_be_refused_as_often_again() -> None:
    trying = Comeback(0.0, 0.0, random, GHOST)
    refused = Reason(ReasonCode.REFUSED, "nothing is listening")

    for _ in range(3):
        for _ in range(REFUSALS - 1):
            assert isinstance(trying.come_again(refused, RESET, 0.0), float)
        trying.welcomed(0.0)
