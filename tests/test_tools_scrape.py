"""What a server tells Prometheus, read from elsewhere."""

import argparse
import contextlib
import http.server
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from scene import Scene

from netcode import turns
from netcode.address import Address
from netcode.observing import onlookers_of
from netcode.testing import FakeClock
from netcode.tools import scrape
from netcode.tools.output import Output
from netcode.tools.scrape import Numbers, samples
from netcode.tools.top import Panel, add_arguments, run

FIRST = """\
# HELP netcode_peers Players.
process_cpu_seconds_total 1.5
netcode_peers{server="7777"} 3.0
netcode_peers_away{server="7777"} 1.0
netcode_peers_max{server="7777"} 64.0
netcode_joined_total{server="7777"} 5.0
netcode_left_total{server="7777",code="TIMEOUT"} 2.0
netcode_messages_total{server="7777",direction="in"} 20.0
netcode_messages_total{server="7777",direction="out"} 10.0
netcode_bytes_total{server="7777",direction="in"} 2000.0
netcode_bytes_total{server="7777",direction="out"} 1000.0
netcode_queued_bytes{server="7777"} 1500.0
netcode_queue_age_seconds{server="7777"} 0.25
netcode_round_trip_seconds{server="7777",of="median"} 0.02
netcode_round_trip_seconds{server="7777",of="largest"} 0.3
netcode_update_seconds_bucket{server="7777",le="0.001"} 58.0
netcode_update_seconds_bucket{server="7777",le="0.01"} 60.0
netcode_update_seconds_bucket{server="7777",le="+Inf"} 60.0
netcode_update_seconds_sum{server="7777"} 0.06
"""
LATER = (
    FIRST.replace('"in"} 20.0', '"in"} 30.0')
    .replace('le="0.001"} 58.0', 'le="0.001"} 68.0')
    .replace("} 60.0", "} 70.0")
    .replace('_sum{server="7777"} 0.06', '_sum{server="7777"} 0.065')
)


class Pass(turns.Game):
    """Tables of it are served, and nobody comes."""

    @turns.move
    def go_on(self) -> None:
        pass


@contextmanager
def served(*texts: str | None) -> Generator[Address]:
    """Serve one text after the other, the last one from then on; None for something that is no such page."""
    left = [*texts]

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(404 if text is None or self.path != "/metrics" else 200)
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has there
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Address("127.0.0.1", server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


class Time(FakeClock):
    """A clock whose sleep ends the show after so many."""

    def __init__(self, looks: int) -> None:
        super().__init__(100.0)
        self._looks = looks

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._looks -= 1
        if not self._looks:
            raise KeyboardInterrupt


def test_it_shows_what_a_server_elsewhere_does_and_rates_from_the_second_look_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Time(2)
    with served(FIRST, LATER) as where, pytest.raises(KeyboardInterrupt):
        Panel(Numbers(where, clock), Output(), clock).run(2.0, once=False)

    assert capsys.readouterr().out.splitlines() == [
        "the server at 127.0.0.1, port 7777",
        "players 3 of 64, 1 away; 5 joined, left 2 TIMEOUT",
        "messages in 20, messages out 10, in 2 kB, out 1 kB; 60 updates, 1 ms each, 10 ms at most",
        "round trips 20 ms, 300 ms at most; 1.5 kB wait, the oldest for 250 ms",
        "the server at 127.0.0.1, port 7777",
        "players 3 of 64, 1 away; 5 joined, left 2 TIMEOUT",
        "messages in 5/s, messages out 0/s, in 0 B/s, out 0 B/s; 10 updates, 0.5 ms each, 1 ms at most",
        "round trips 20 ms, 300 ms at most; 1.5 kB wait, the oldest for 250 ms",
    ]


TABLES = """\
netcode_tables{server="7777"} 12.0
netcode_tables_waiting{server="7777"} 3.0
netcode_unstored_seconds{server="7777"} 0.0
netcode_outage_seconds{server="7777"} 0.0
netcode_renewed_seconds{server="7777"} 0.4
netcode_moves_total{server="7777"} 100.0
netcode_committed_entries_total{server="7777"} 150.0
netcode_redirects_total{server="7777"} 7.0
netcode_unavailable_total{server="7777"} 0.0
netcode_lost_total{server="7777"} 0.0
netcode_commit_seconds_bucket{server="7777",le="+Inf"} 50.0
netcode_commit_seconds_count{server="7777"} 50.0
netcode_commit_seconds_sum{server="7777"} 0.1
"""


def test_it_shows_the_tables_of_a_server_that_has_such(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Time(2)
    failing = TABLES.replace('unstored_seconds{server="7777"} 0.0', 'unstored_seconds{server="7777"} 5.0')
    failing = failing.replace('outage_seconds{server="7777"} 0.0', 'outage_seconds{server="7777"} 6.0')

    with served(FIRST + TABLES, FIRST + failing) as where, pytest.raises(KeyboardInterrupt):
        Panel(Numbers(where, clock), Output(), clock).run(2.0, once=False)

    shown = capsys.readouterr().out.splitlines()
    assert shown[3:5] == [
        "tables 12, 3 wait for players; moves 100; 7 redirects",
        "commits 50, 2 ms and 3 entries each; no move waits; the store heard of it 400 ms ago",
    ]
    assert shown[9:12] == [
        "tables 12, 3 wait for players; moves 0/s; 7 redirects",
        "commits 0/s, 2 ms and 3 entries each; the oldest move waits for 5 s; the store heard of it 400 ms ago",
        "NOTHING CAN BE STORED, for 6 s: its log says why",
    ]


def test_what_is_served_of_tables_is_what_is_read() -> None:
    prometheus = pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    import netcode.metrics

    scene = Scene(latency=0.01)
    link: dict[str, Any] = {"network": scene.network, "clock": scene.clock}
    server = turns.Server(Pass, host="tables", port=8888, store=None, on_thread=False, **link)
    registry = prometheus.CollectorRegistry()
    netcode.metrics.observe(server, registry)
    tally = server._keeper.writer.tally
    tally.committed(0.5, 7, 5)
    tally.redirects, tally.unavailable, tally.lost = 4, 3, 2
    server._keeper.writer.failing_since = scene.clock.now
    scene.clock.advance(1.5)
    server._counting.count(scene.clock.now)

    with served(prometheus.generate_latest(registry).decode()) as where:
        status = Numbers(where).read()

    assert status["tables"] == {
        "tables": 0, "waiting": 0, "moves": 5, "entries": 7, "commits": 1, "redirects": 4, "unavailable": 3, "lost": 2,
        "unstored": 0.0, "renewed": 1.5, "outage": 1.5, "commit_seconds": 0.5, "trouble": "its log says why",
    }  # fmt: skip
    server.close()
    scene.close()


def test_what_netcode_metrics_serves_is_what_is_read() -> None:
    prometheus = pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    import netcode.metrics

    scene = Scene(latency=0.01)
    server = scene.serve()
    registry = prometheus.CollectorRegistry()
    seen = netcode.metrics.observe(server, registry)
    seen._clock, seen._write_at = scene.clock, scene.clock.now
    scene.join()
    scene.play(3.0)

    with served(prometheus.generate_latest(registry).decode()) as where:
        status = Numbers(where).read()

    assert (status["peers"], status["max_peers"]) == (1, onlookers_of(server).about.max_peers)
    assert status["bytes_received"] > 0
    assert status["updates"] > 0
    assert status["update_mean"] is not None
    scene.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "the answer was 404; does its program serve netcode.metrics there"),
        ("", "tells of no server: was netcode.metrics.observe called"),
        ('netcode_peers{server="1"} +Inf\n', "tells of no server: was netcode.metrics.observe called"),
        ('netcode_peers{server="1"} 1e400\n', "tells of no server: was netcode.metrics.observe called"),
        ('netcode_peers{server="1"} 0\nnetcode_peers{server="2"} 0\n', "tells of several servers, on ports 1, 2"),
    ],
)
def test_what_is_no_server_is_said(text: str | None, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with served(text) as where:
        assert run(parser.parse_args([str(where), "--once"])) == 1

    assert said in capsys.readouterr().err


def test_a_port_on_which_nothing_listens_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with served("") as where:
        pass
    with pytest.raises(OSError, match=r"no numbers come from http://127\.0\.0\.1:\d+/metrics: .*refused"):
        Numbers(where).read()


def test_what_can_be_no_name_is_said() -> None:
    with pytest.raises(OSError, match=r"no numbers come from http://a\.\.b:9100/metrics: that cannot be a host name;"):
        Numbers(Address("a..b", 9100)).read()


def test_something_else_than_http_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            newcomer = listening.accept()[0]
            with newcomer:
                newcomer.sendall(b"SSH-2.0\r\n")
                newcomer.recv(4096)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(OSError, match="the answer was none of HTTP"):
            Numbers(Address(*listening.getsockname())).read()
        thread.join()


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_what_comes_byte_by_byte_is_waited_for_no_longer(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            newcomer = listening.accept()[0]
            with newcomer, contextlib.suppress(OSError):
                newcomer.sendall(begun)
                for _ in range(500):
                    newcomer.sendall(b"#")
                    over.wait(0.02)

        over = threading.Event()
        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(OSError, match=r"no numbers come from .*/metrics: they did not come within 0\.2 s; does"):
            Numbers(Address(*listening.getsockname())).read()
        over.set()
        thread.join()


def test_bounds_that_are_no_numbers_are_none() -> None:
    with served(FIRST.replace('le="0.001"', 'le="soon"')) as where:
        status = Numbers(where).read()

    assert (status["updates"], status["update_worst"]) == (60, 0.01)


def test_lines_that_are_nothing_to_us_are_left_out() -> None:
    text = 'netcode_peers{server="1"} +Inf\nnetcode_peers{server="1"} NaN\nnetcode_peers{server="1"} many\nnetcode_peers 3\nother{server="1"} 3\nnetcode_peers{server="1"} 4\n'

    assert samples(text) == {"netcode_peers": [({"server": "1"}, 4.0)]}


def test_a_server_without_updates_or_players_has_no_times() -> None:
    with served('netcode_peers{server="1"} 0\n') as where:
        status = Numbers(where).read()

    assert (status["updates"], status["update_mean"], status["update_worst"]) == (0, None, None)
    assert (status["rtt_median"], status["rtt_largest"]) == (None, None)
