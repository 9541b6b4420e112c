"""Asking a server again and again: what is said of each answer, and of all of them."""

import argparse
import json
import sys
from typing import Any

import pytest
from certificates import Certificate, needs_openssl
from programs import Start

from netcode import Address, Reason, ReasonCode
from netcode.testing import FakeClock
from netcode.tools import ping
from netcode.tools.output import Output
from netcode.tools.ping import Session, add_arguments, run
from netcode.tools.probe import Answer

HERE = Address("10.0.0.1", 7777)
CHESS = Answer(HERE, 0.001, 0.010, "chess", "2", 1, 4, "the server runs chess 2; this only asked")
SILENCE = Reason(ReasonCode.HANDSHAKE_TIMEOUT, "it did not answer")
WEB = Reason(ReasonCode.NOT_NETCODE, "that is a web server")


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(["10.0.0.1", *arguments])


class Server:
    """Gives the answers that it was told to, one after the other; to TLS its own, if it speaks that."""

    def __init__(self, *answers: Answer | Reason | KeyboardInterrupt, tls: Answer | None = None) -> None:
        self._answers = [*answers]
        self._tls = tls

    def __call__(self, where: Address, tls: Any, timeout: float) -> Answer | Reason:
        if tls:
            return self._tls or WEB
        answer = self._answers.pop(0)
        if isinstance(answer, KeyboardInterrupt):
            raise answer
        return answer


def lines(capsys: pytest.CaptureFixture[str], server: Server, *arguments: str) -> list[str]:
    """Ask as the command line says, and return what was printed."""
    parsed = parse(*arguments)
    session = Session(parsed, Output(as_json=parsed.json), server, FakeClock())
    session.run()
    session.summarize()
    return capsys.readouterr().out.splitlines()


def test_each_answer_is_a_line_and_all_of_them_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    slow = CHESS._replace(answered=0.030)

    assert lines(capsys, Server(CHESS, SILENCE, slow, CHESS), "--count", "4") == [
        "10.0.0.1:7777: chess 2, 1 of 4 players",
        "1: answered in 10 ms, connected in 1 ms",
        "2: it did not answer",
        "3: answered in 30 ms, connected in 1 ms, jitter 20 ms",
        "4: answered in 10 ms, connected in 1 ms, jitter 20 ms",
        "10.0.0.1:7777: 4 asked, 3 answered, 25 % lost; answered within 10/16.7/30 ms (least/mean/most), jitter 20 ms",
    ]


def test_scripts_read_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer, silence, summary = map(json.loads, lines(capsys, Server(CHESS, SILENCE), "--count", "2", "--json"))

    assert answer == {
        "event": "answer", "number": 1, "jitter": None, "address": "10.0.0.1:7777", "connected": 0.001,
        "answered": 0.010, "game": "chess", "version": "2", "players": 1, "max_players": 4, "text": CHESS.text,
    }  # fmt: skip
    assert silence == {"event": "no answer", "code": "HANDSHAKE_TIMEOUT", "text": "it did not answer"}
    assert summary == {
        "event": "summary", "asked": 2, "answered": 1, "lost_percent": 50.0, "least": 0.010, "mean": 0.010,
        "most": 0.010, "jitter": None,
    }  # fmt: skip


def test_one_question_an_interval_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock(0.0)
    session = Session(parse("--count", "3", "--interval", "0.25"), Output(), Server(CHESS, CHESS, CHESS), clock)

    session.run()

    assert clock.now == pytest.approx(0.5)


def test_another_number_of_players_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(capsys, Server(CHESS, CHESS._replace(players=2)), "--count", "2")

    assert told[0::2][:2] == ["10.0.0.1:7777: chess 2, 1 of 4 players", "10.0.0.1:7777: chess 2, 2 of 4 players"]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (CHESS._replace(game="", version=None, players=None), "10.0.0.1:7777: a game without a name"),
        (CHESS._replace(game=None), "10.0.0.1:7777: the server runs chess 2; this only asked"),
    ],
)
def test_a_server_that_tells_less_is_shown_as_far_as_it_does(
    answer: Answer, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = lines(capsys, Server(answer), "--count", "1")

    assert told[:2] == [line, "1: answered in 10 ms, connected in 1 ms"]


def test_a_server_that_does_not_say_its_game_may_be_the_one_that_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = lines(capsys, Server(CHESS._replace(game=None)), "--count", "1", "--game", "go")

    assert told[-1].startswith("10.0.0.1:7777: 1 asked, 1 answered, 0 % lost")


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["--game", "go"], "1: it is not the one that was asked for: go"),
        (["--game", "chess", "--version", "3"], "1: it is not the one that was asked for: chess 3"),
        (["--game", "chess", "--version", "2"], None),
    ],
)
def test_another_game_is_said_plainly(
    arguments: list[str], wrong: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    told = lines(capsys, Server(CHESS), "--count", "1", *arguments)

    assert told[1] == (wrong or "1: answered in 10 ms, connected in 1 ms")


def test_what_another_game_answers_is_no_answer_and_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    go = CHESS._replace(game="go")

    assert lines(capsys, Server(go, SILENCE, CHESS, go), "--count", "4", "--game", "chess")[-1] == (
        "10.0.0.1:7777: 4 asked, 1 answered, 2 answered by another game, 25 % lost;"
        " answered within 10/10/10 ms (least/mean/most), jitter -"
    )
    assert json.loads(lines(capsys, Server(go), "--count", "1", "--game", "chess", "--json")[-1]) == {
        "event": "summary", "asked": 1, "answered": 0, "another_game": 1, "lost_percent": 0.0,
    }  # fmt: skip


def test_what_will_not_change_is_asked_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, Server(WEB)) == ["1: that is a web server", "10.0.0.1:7777: 1 asked, 0 answered, 100 % lost"]


def test_a_server_that_wants_tls_is_named_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, Server(WEB, tls=CHESS))[0] == (
        "1: the server speaks TLS: add --tls, or --insecure if its certificate is its own"
    )


def test_it_ends_when_nobody_reads_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    output, clock = Output(), FakeClock(0.0)
    monkeypatch.setattr(output, "is_closed", lambda: clock.now > 2.5)
    session = Session(parse(), output, Server(CHESS, CHESS, CHESS), clock)

    session.run()

    assert session.tally.asked == 3


def test_ctrl_c_ends_with_the_summary_and_a_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def session(arguments: argparse.Namespace, output: Output) -> Session:
        return Session(arguments, output, server, FakeClock())

    monkeypatch.setattr(ping, "Session", session)

    server = Server(CHESS, KeyboardInterrupt())
    assert run(parse()) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("10.0.0.1:7777: 2 asked, 1 answered")
    server = Server(CHESS)
    assert run(parse("--game", "go", "--count", "1")) == 1
    server = Server(KeyboardInterrupt())
    assert run(parse()) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "10.0.0.1:7777: 1 asked, 0 answered, 100 % lost"


def test_before_the_first_question_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    Session(parse(), Output(), Server()).summarize()

    assert capsys.readouterr().out == "10.0.0.1:7777: 0 asked, 0 answered, 0 % lost\n"


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="there, Ctrl-C goes to a whole console")
def test_it_asks_a_real_server_until_ctrl_c(start: Start) -> None:
    port = start("examples/many_server.py", 0).until(r"port (\d+)")[1]

    program = start("-m", "netcode", "ping", f"127.0.0.1:{port}", "--interval", "0.05")
    program.until("3: answered in")
    program.interrupt()

    assert program.status() == 0
    assert f"127.0.0.1:{port}: many, 0 of 1000 players\n" in program.output
    assert " asked, " in program.output
    assert "Traceback" not in program.output


@needs_openssl
@pytest.mark.process
def test_it_notices_tls_by_itself(start: Start, certificate: Certificate) -> None:
    script = (
        "import netcode, ssl; context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)\n"
        f"context.load_cert_chain({str(certificate.cert)!r}, {str(certificate.key)!r})\n"
        "with netcode.Server('127.0.0.1', 0, game='chess', tls=context) as server:\n"
        "    print('port', server.address.port)\n"
        "    for tick in server.ticks(60): server.events()\n"
    )
    port = start("-c", script).until(r"port (\d+)")[1]

    plain = start("-m", "netcode", "ping", f"127.0.0.1:{port}", "--count", "3")
    insecure = start("-m", "netcode", "ping", f"127.0.0.1:{port}", "--count", "1", "--insecure")

    assert (plain.status(), insecure.status()) == (1, 0)
    assert "1: the server speaks TLS: add --tls" in plain.output
    assert "1: answered in" in insecure.output
