"""Many clients for a server of one's own: they join, send, are measured, and leave."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from bounds import as_long_as
from programs import Start
from scene import HOST, PORT, Scene

import netcode
from netcode import Client, Server
from netcode.tools import load
from netcode.tools.load import Crowd, Run, add_arguments, run
from netcode.tools.output import Output
from netcode.turns import protocol


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([*arguments])


class Theatre(Scene):
    """A scene in which time passes while a crowd waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(latency=0.01)
        self.at: dict[float, Callable[[], object]] = {}
        """What is to happen at some moments."""
        monkeypatch.setattr(load, "ready", self.ready)

    def ready(self, clients: Iterable[Client], seconds: float) -> list[Client]:
        self.play(max(seconds, 0.001), tick=0.005)
        for moment in [moment for moment in self.at if moment <= self.clock.now]:
            self.at.pop(moment)()
        return [*clients]

    def make_client(self, host: str = HOST, port: int = PORT, **options: Any) -> Client:
        return Client(host, port, network=self.network, clock=self.clock, **options)


@pytest.fixture
def theatre(monkeypatch: pytest.MonkeyPatch) -> Iterator[Theatre]:
    theatre = Theatre(monkeypatch)
    yield theatre
    theatre.close()


def play(theatre: Theatre, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Run, list[str]]:
    """Run as the command line says, and return what was printed."""
    parsed = parse(f"{HOST}:{PORT}", *arguments)
    test = Run(parsed, Output(as_json=parsed.json), theatre.make_client, theatre.clock)
    test.run()
    test.summarize()
    return test, capsys.readouterr().out.splitlines()


def test_all_join_and_send_at_their_rate_and_are_measured(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    server = theatre.serve(game="chess", version="2")

    test, lines = play(
        theatre, capsys, "--game", "chess", "--version", "2", "--clients", "5", "--rate", "10", "--seconds", "4"
    )

    assert lines[0].startswith("5 of 5 joined in 0.")
    assert lines[1].split() == ["50", "%", "90", "%", "99", "%", "most"]
    assert lines[2].startswith("round trip")
    assert lines[-1].startswith("5 clients for 4.0 s: 50 messages/s sent, 0 received; ")
    assert min(test.crowd.trips) >= 0.0199
    assert max(test.crowd.trips) < 0.06
    assert {*theatre.heard(server)} == {"x" * 100}
    assert [text for text in theatre.news(server) if text == "Left"] == ["Left"] * 5
    assert {str(event.reason) for event in theatre.told[server] if isinstance(event, netcode.Left)} == {
        "the load test is over"
    }


def test_scripts_read_the_same_as_json(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    theatre.serve()

    _, lines = play(theatre, capsys, "--clients", "2", "--message", '{"move": 1}', "--seconds", "2", "--json")

    joined, summary = map(json.loads, lines)
    assert (joined["event"], joined["clients"]) == ("joined", 2)
    assert summary["clients"] == 2
    assert summary["sent_per_second"] == pytest.approx(40, abs=2)
    assert [*summary["round_trip"]] == ["50", "90", "99", "100"]
    assert summary["own_delay"]["50"] < 0.02


def test_what_is_sent_back_is_counted(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    server = theatre.serve()

    def echo() -> None:
        server.broadcast("all")
        theatre.at[theatre.clock.now + 0.1] = echo

    theatre.at[0.0] = echo

    _, lines = play(theatre, capsys, "--clients", "3", "--seconds", "2")

    assert lines[-1].split("sent, ")[1].startswith(tuple(f"{count} received" for count in range(24, 31)))


def test_who_is_not_let_in_is_told_with_the_reason(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    theatre.serve(max_peers_per_address=2, game="chess")

    _, lines = play(theatre, capsys, "--clients", "4", "--game", "chess", "--seconds", "1")

    assert lines[0].startswith("2 of 4 joined")
    assert lines[1] == "2 left (TOO_MANY): too many are playing from your address already; try again later"


def test_where_nobody_is_let_in_nothing_is_measured(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    theatre.serve(game="chess")

    _, lines = play(theatre, capsys, "--clients", "3", "--game", "go")

    assert lines == [
        lines[0],
        "3 left (WRONG_GAME): the server runs chess, this is go",
        "nothing was measured: nobody was let in; give --game and --version as that server has them",
    ]
    assert lines[0].startswith("0 of 3 joined")


def test_a_server_of_tables_is_named_with_what_loads_it(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    assert (load.TABLES, "1") == (protocol.GAME, protocol.VERSION)
    theatre.serve(game=protocol.GAME, version=protocol.VERSION)

    for more in ((), ("--game", load.TABLES, "--version", "2")):
        _, lines = play(theatre, capsys, "--clients", "2", *more)

        assert lines[1].startswith("2 left (WRONG_")
        assert lines[1].count("the server runs netcode.turns 1, this is ") == 1
        assert "get the same one" not in lines[1]
        assert lines[2] == (
            "nothing was measured: nobody was let in: that server has tables of turn-based games, which take plays and "
            f"nothing else. Let bots play: python -m netcode.turns bot FILE --at {HOST}:{PORT} --games 100 --think 0"
        )


def test_who_is_let_in_and_sent_away_at_once_is_counted(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both come in one read."""

    def late(clients: Iterable[Client], seconds: float) -> list[Client]:
        return theatre.ready(clients, max(seconds, 0.1))

    monkeypatch.setattr(load, "ready", late)
    server = theatre.serve()
    update = theatre.update

    def send_away() -> None:
        update()
        for peer in server.peers:
            peer.close_nicely("no bots")

    monkeypatch.setattr(theatre, "update", send_away)

    _, lines = play(theatre, capsys, "--clients", "3", "--seconds", "1")

    assert "3 left (GOODBYE): no bots" in lines


def test_it_ends_when_the_server_does(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    server = theatre.serve()
    theatre.at[theatre.clock.now + 2.0] = server.close_nicely

    _, lines = play(theatre, capsys, "--clients", "2", "--seconds", "60")

    assert theatre.clock.now < 1010.0
    assert "2 left (SHUTDOWN): server is shutting down" in lines


def test_who_does_not_get_in_in_time_is_not_waited_for(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    theatre.frozen.add(theatre.serve())

    test, lines = play(theatre, capsys, "--clients", "1")

    assert "1 left (HANDSHAKE_TIMEOUT)" in lines[1]
    assert not test.crowd.joined


def test_a_server_that_does_not_let_go_is_left_all_the_same(theatre: Theatre) -> None:
    server = theatre.serve()
    crowd = Crowd(theatre.make_client, "hello", 1, 10.0, theatre.clock)
    for _ in as_long_as(lambda: not crowd.is_settled):
        crowd.step()
    theatre.frozen.add(server)
    before = theatre.clock.now

    crowd.close()

    assert load.GOODBYE <= theatre.clock.now - before < load.GOODBYE + 1.0


def test_whose_link_breaks_has_not_left_yet(theatre: Theatre) -> None:
    theatre.serve()
    crowd = Crowd(theatre.make_client, "hello", 1, 10.0, theatre.clock)
    for _ in as_long_as(lambda: not crowd.is_settled):
        crowd.step()
    [client] = crowd._clients
    assert client.peer is not None

    crowd._hear(client, netcode.Back(client.peer))

    assert (crowd.joined, crowd.left) == (1, {})
    crowd.close()


def test_no_more_is_kept_than_fits(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MAX_SAMPLES", 3)
    theatre.serve()
    crowd = Crowd(theatre.make_client, "hello", 1, 10.0, theatre.clock)

    for _ in range(200):
        crowd.step()

    assert (len(crowd.trips), len(crowd.delays)) == (3, 3)
    assert crowd.sent > 10
    crowd.close()


def test_it_ends_when_nobody_reads_any_more(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    theatre.serve()
    output = Output()
    monkeypatch.setattr(output, "is_closed", lambda: True)
    test = Run(parse(f"{HOST}:{PORT}", "--seconds", "100"), output, theatre.make_client, theatre.clock)

    test.run()
    test.summarize()

    assert theatre.clock.now < 1010.0


def test_ctrl_c_while_they_join_says_that_nothing_was_measured(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theatre.serve()

    def press() -> None:
        raise KeyboardInterrupt

    theatre.at[theatre.clock.now + 0.1] = press

    def make(arguments: argparse.Namespace, output: Output) -> Run:
        return Run(arguments, output, theatre.make_client, theatre.clock)

    monkeypatch.setattr(load, "Run", make)

    assert run(parse(f"{HOST}:{PORT}")) == 1
    assert capsys.readouterr().out == "nothing was measured: not all have joined\n"


def test_what_cannot_be_asked_for_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("here", "--message", "{")
    assert "'{' is not JSON" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parse("here", "--message", "[" * 100_000)
    assert "[[[' is not JSON" in capsys.readouterr().err

    assert run(parse("here", "--game", "x" * 65)) == 1
    assert capsys.readouterr().err == "load: game must have at most 64 characters, not 65\n"


def test_it_waits_for_descriptors_and_no_longer_than_it_was_told() -> None:
    with Server("127.0.0.1", 0) as server, Client("127.0.0.1", server.address.port) as client:
        for _ in as_long_as(lambda: client.state is netcode.State.CONNECTING):
            client.update()
            server.update()
        client.events()
        client.update()

        quiet = load.ready([client], 0.0)
        server.broadcast("x")
        server.update()
        [loud] = load.ready([client], 5.0)

    assert quiet == []
    assert loud is client


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="there, Ctrl-C goes to a whole console")
def test_it_loads_a_real_server(start: Start) -> None:
    port = start("examples/many_server.py", 0).until(r"port (\d+)")[1]

    program = start(
        "-m", "netcode", "load", f"127.0.0.1:{port}", "--game", "many", "--clients", "20", "--seconds", "60"
    )
    program.until("20 of 20 joined")
    program.interrupt()

    assert program.status() == 0
    assert "20 clients for " in program.output
    assert "Traceback" not in program.output
