"""One question to a server: what it answers, and what becomes of everything else."""

from collections.abc import Iterator
from typing import Any

import pytest
from bounds import as_long_as
from certificates import Certificate, needs_openssl
from faults.wire import FalseServer, control, message, welcome
from scene import HOST, PORT, TICK, Scene

import netcode
from netcode import Address, Reason, ReasonCode
from netcode.tools import probe
from netcode.tools.probe import Answer, Probe

HERE = Address(HOST, PORT)


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene(latency=0.05)
    yield scene
    scene.close()


def ask(scene: Scene, where: Address = HERE, timeout: float = 3.0) -> Answer | Reason:
    """Ask, and let time pass until something has come of it."""
    question = Probe(where, timeout=timeout, network=scene.network, clock=scene.clock)
    for _ in as_long_as(lambda: question.result is None):
        scene.play(TICK)
        question.update()
    question.update()
    question.close()
    assert question.result is not None
    return question.result


def ask_false(scene: Scene, answer: bytes) -> Answer | Reason:
    """Ask somebody who answers whatever it likes."""
    false = FalseServer(scene.network, HOST, scene.clock, answer)
    question = Probe(false.address, network=scene.network, clock=scene.clock)
    for _ in as_long_as(lambda: question.result is None):
        scene.play(TICK)
        false.update()
        question.update()
    false.close()
    assert question.result is not None
    return question.result


def test_a_server_says_what_it_plays_and_how_full_it_is(scene: Scene) -> None:
    server = scene.serve(game="chess", version="2", max_peers=4)
    scene.join(game="chess", version="2")

    answer = ask(scene)

    assert isinstance(answer, Answer)
    assert answer[3:7] == ("chess", "2", 1, 4)
    assert answer.text == "the server runs chess 2; this only asked"
    assert answer.connected == pytest.approx(0.1, abs=3 * TICK)
    assert answer.answered == pytest.approx(0.1, abs=3 * TICK)
    assert len(server.peers) == 1


def test_a_port_on_which_nothing_listens_refuses(scene: Scene) -> None:
    assert ask(scene) == Reason(ReasonCode.REFUSED, "nothing is listening on scene:7777; is the server started?")


@pytest.mark.parametrize(("down", "code"), [(True, "CONNECT_TIMEOUT"), (False, "HANDSHAKE_TIMEOUT")])
def test_who_does_not_answer_is_not_waited_for(scene: Scene, down: bool, code: str) -> None:
    scene.frozen.add(scene.serve())
    scene.network.down = down

    reason = ask(scene, timeout=0.5)

    assert isinstance(reason, Reason)
    assert reason.code.name == code
    assert "did not answer" in reason.text


def about(**said: Any) -> bytes:
    return control(5, ReasonCode.WRONG_GAME.value, "the server runs \x1b; get it", said)


def test_what_a_stranger_says_is_escaped_and_what_makes_no_sense_left_out(scene: Scene) -> None:
    answer = ask_false(scene, about(game="\x1b[2J" + "x" * 200, version=3, players=-1, max_players=True))

    assert isinstance(answer, Answer)
    assert answer.game is not None
    assert answer.game.startswith(r"\x1b[2Jx")
    assert len(answer.game) == 64
    assert (answer.version, answer.players, answer.max_players) == (None, None, None)
    assert answer.text == r"the server runs \x1b; get it"


def test_a_server_of_an_earlier_version_answers_with_a_sentence(scene: Scene) -> None:
    answer = ask_false(scene, control(5, ReasonCode.WRONG_GAME.value, "the server runs chess 1, this is ?"))

    assert isinstance(answer, Answer)
    assert (answer.game, answer.text) == (None, "the server runs chess 1, this is ?")


@pytest.mark.parametrize(
    ("said", "code", "text"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "NOT_NETCODE", "it looks like a web server"),
        (control(5, 18, "the server is full"), "SERVER_FULL", "the server is full"),
        (welcome(), "MALFORMED", "did not answer as the protocol has it"),
        (message("hello"), "MALFORMED", "did not answer as the protocol has it"),
    ],
)
def test_whatever_else_is_said_is_a_reason(scene: Scene, said: bytes, code: str, text: str) -> None:
    reason = ask_false(scene, said)

    assert isinstance(reason, Reason)
    assert (reason.code.name, text in reason.text) == (code, True)


def test_who_hangs_up_may_want_tls(scene: Scene) -> None:
    scene.serve()
    question = Probe(HERE, network=scene.network, clock=scene.clock)
    scene.play(0.25)
    question.update()

    scene.network.cut()
    scene.play(0.25)
    question.update()

    reason = question.result
    assert isinstance(reason, Reason)
    assert reason.text == "scene:7777 hung up; is that a netcode server, and does it speak TLS?"


@needs_openssl
def test_it_asks_over_tls(certificate: Certificate) -> None:
    with netcode.Server("127.0.0.1", 0, game="chess", tls=certificate.server()) as server:
        question = Probe(server.address, tls=certificate.client())
        for _ in as_long_as(lambda: question.result is None):
            netcode.wait(server, question.connection, timeout=0.05)
            server.update()
            question.update()

    assert isinstance(question.result, Answer)
    assert question.result.game == "chess"


def test_asking_waits_for_what_comes_of_it() -> None:
    listener = netcode.Listener("127.0.0.1", 0)
    reason = probe.ask(listener.address, False, 0.15)
    listener.close()

    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.HANDSHAKE_TIMEOUT
