"""The rig proves itself with plain sockets before anything of ours runs on it."""

import json
import os
import signal
import statistics
import subprocess
from pathlib import Path
from typing import Any

import pytest
from programs import Program

from .link_model import Conditions
from .rig import NAMES, DeviceLink, Host, Hosts, command, has_netem

pytestmark = [pytest.mark.netns, pytest.mark.timed]

SOCKETS = Path(__file__).parent / "sockets.py"
PORT = 7777
AT_ONCE = 1.5
"""Seconds that nobody takes for a timeout, even where other programs have the processor."""


def seen(host: Host, verb: str, *arguments: object) -> dict[str, Any]:
    """Run a verb of `sockets.py` to its end and return what it saw."""
    facts: dict[str, Any] = json.loads(host.run(SOCKETS, verb, *arguments).until(r"\{.*\}\n")[0])
    return facts


def serve(host: Host, address: str) -> Program:
    program = host.run(SOCKETS, "serve", address, PORT)
    program.until("listening")
    return program


def caught(hosts: Hosts, count: int) -> list[int]:
    """Throw numbered datagrams from one host to the other; return those that arrive, in their order."""
    catcher = hosts.b.run(SOCKETS, "catch", hosts.b.ipv4, PORT, count)
    catcher.until("listening")
    seen(hosts.a, "throw", hosts.b.ipv4, PORT, count)
    numbers: list[int] = json.loads(catcher.until(r"\{.*caught.*\}\n")[0])["caught"]
    return numbers


@pytest.mark.parametrize("address", ["10.77.0.2", "fd00:77::2"])
def test_the_hosts_reach_each_other(hosts: Hosts, address: str) -> None:
    serve(hosts.b, address)

    assert seen(hosts.a, "push", address, PORT, 500_000)["whole"]
    assert hosts.link.lost() == [0, 0]


def test_the_hosts_reach_nobody_else(hosts: Hosts) -> None:
    for host in (hosts.a, hosts.b):
        links = command("ip", "-n", host.namespace, "-brief", "link").split("\n")
        routes = command("ip", "-n", host.namespace, "route")

        assert sorted(line.split()[0].partition("@")[0] for line in links if "UP" in line) == ["link0", "lo"]
        assert [line.split()[0] for line in routes.splitlines()] == ["10.77.0.0/24"]


def test_the_round_trip_is_the_delay_that_was_set(hosts: Hosts) -> None:
    serve(hosts.b, hosts.b.ipv4)
    hosts.link.set(Conditions(delay=0.05))

    trips = seen(hosts.a, "ping", hosts.b.ipv4, PORT, 10)["trips"]

    assert min(trips) >= 0.1
    assert statistics.median(trips) < 0.1 + AT_ONCE


def test_one_way_may_be_worse_than_the_other(hosts: Hosts) -> None:
    serve(hosts.b, hosts.b.ipv4)
    hosts.link.set(Conditions(delay=0.05), source=hosts.b)

    trips = seen(hosts.a, "ping", hosts.b.ipv4, PORT, 10)["trips"]

    assert 0.05 <= min(trips) < 0.1


def test_what_is_lost_is_sent_again(hosts: Hosts) -> None:
    serve(hosts.b, hosts.b.ipv4)
    hosts.link.set(Conditions(delay=0.001, loss=0.05))

    pushed = seen(hosts.a, "push", hosts.b.ipv4, PORT, 500_000)

    assert pushed["whole"]
    assert pushed["again"] > 0
    assert min(hosts.link.lost()) > 0


def test_the_rate_bounds_what_passes(hosts: Hosts) -> None:
    serve(hosts.b, hosts.b.ipv4)
    hosts.link.set(Conditions(rate=1_000_000))

    pushed = seen(hosts.a, "push", hosts.b.ipv4, PORT, 500_000)

    assert 0.4 < pushed["seconds"] < 0.5 + AT_ONCE


def test_packets_overtake_each_other(hosts: Hosts) -> None:
    hosts.link.set(Conditions(delay=0.02, reorder=0.2))

    numbers = caught(hosts, 100)

    assert numbers != sorted(numbers)


def test_the_same_seed_loses_the_same_packets(tmp_path: Path, hosts: Hosts) -> None:
    if has_netem(hosts.a):
        pytest.skip("the dice of netem have no seed on every kernel")
    runs: list[list[int]] = []
    for seed in (5, 5, 6):
        with Hosts(tmp_path, seed=seed) as more:
            more.link.set(Conditions(loss=0.3, burst=3))
            runs.append(caught(more, 100))

    assert runs[0] == runs[1] != runs[2]


def test_what_is_dropped_is_silence(hosts: Hosts) -> None:
    serve(hosts.b, hosts.b.ipv4)
    hosts.b.filter(f"tcp dport {PORT} drop")

    assert seen(hosts.a, "call", hosts.b.ipv4, PORT, 0.3)["outcome"] == "timeout"

    hosts.b.clear_filter()

    assert seen(hosts.a, "call", hosts.b.ipv4, PORT, 5)["outcome"] == "connected"


def test_a_link_that_is_down_is_silence(hosts: Hosts) -> None:
    serve(hosts.b, hosts.b.ipv4)
    hosts.link.set(Conditions(loss=1))

    assert seen(hosts.a, "call", hosts.b.ipv4, PORT, 0.3)["outcome"] == "timeout"

    hosts.link.set()

    assert seen(hosts.a, "call", hosts.b.ipv4, PORT, 5)["outcome"] == "connected"


@pytest.mark.parametrize(
    ("rejection", "outcome"),
    [
        ("tcp reset", "ECONNREFUSED"),
        ("icmp type port-unreachable", "ECONNREFUSED"),
        ("icmp type host-unreachable", "EHOSTUNREACH"),
    ],
)
def test_what_is_rejected_is_known_at_once(hosts: Hosts, rejection: str, outcome: str) -> None:
    hosts.b.filter(f"tcp dport {PORT} reject with {rejection}")

    called = seen(hosts.a, "call", hosts.b.ipv4, PORT, 5)

    assert (called["outcome"], called["seconds"] < AT_ONCE) == (outcome, True)


def test_a_filter_holds_for_what_goes_out_too(hosts: Hosts) -> None:
    serve(hosts.b, hosts.b.ipv4)
    hosts.b.filter(f"tcp sport {PORT} drop", chain="output")

    assert seen(hosts.a, "call", hosts.b.ipv4, PORT, 0.3)["outcome"] == "timeout"


def test_a_host_has_names_of_its_own(hosts: Hosts) -> None:
    serve(hosts.b, hosts.b.ipv4)
    hosts.a.know("game.test", hosts.b.ipv4)

    assert seen(hosts.a, "call", "game.test", PORT, 5)["outcome"] == "connected"
    assert "game.test" not in Path("/etc/hosts").read_text(encoding="utf-8")


def test_nothing_is_left_when_a_test_fails(tmp_path: Path, hosts: Hosts) -> None:
    programs: list[Program] = []

    def fail(more: Hosts) -> None:
        more.a.know("game.test", more.b.ipv4)
        programs.append(serve(more.b, more.b.ipv4))
        raise LookupError("a test failed")

    more = Hosts(tmp_path)
    with pytest.raises(LookupError), more:
        fail(more)

    for host in (more.a, more.b):
        assert host.namespace not in command("ip", "netns", "list")
        assert not (NAMES / host.namespace).exists()
    assert programs[0].status() == -signal.SIGKILL
    assert not isinstance(more.link, DeviceLink) or more.link.is_over()


def own_namespaces() -> set[str]:
    """Return the namespaces that this process has made; another run of the tests may be making its own."""
    names = command("ip", "netns", "list").split()
    return {name for name in names if name.startswith(f"netcode-{os.getpid()}-")}


def test_a_rig_that_cannot_be_built_leaves_nothing(
    tmp_path: Path, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Host, *lines: str) -> None:
        raise LookupError("no such device")

    before = own_namespaces()
    monkeypatch.setattr(Host, "configure", broken)

    with pytest.raises(LookupError), Hosts(tmp_path):
        pass

    assert own_namespaces() == before


def test_the_kernel_understands_the_same_conditions(hosts: Hosts) -> None:
    kernel_has_it = has_netem(hosts.b)
    for conditions in (
        Conditions(),
        Conditions(delay=0.05, jitter=0.01, reorder=0.1, loss=0.1, rate=50_000, queue=30_000),
        Conditions(loss=0.05, burst=4),
        Conditions(loss=1),
    ):
        words = ["tc", "-n", hosts.a.namespace, "qdisc", "replace", "dev", "lo", "root", "netem", *conditions.netem()]

        done = subprocess.run(words, capture_output=True, text=True, check=False)

        # Without netem it is the kernel that refuses; words that tc cannot read do not get as far.
        assert (done.returncode == 0) is kernel_has_it
        assert done.stderr.strip() in {"", "Error: Specified qdisc kind is unknown."}


def test_the_kernel_can_be_the_link(tmp_path: Path, hosts: Hosts) -> None:
    if not has_netem(hosts.a):
        pytest.skip("this kernel has no netem")
    with Hosts(tmp_path, netem=True) as more:
        serve(more.b, more.b.ipv4)
        more.link.set(Conditions(delay=0.05, loss=0.02))

        assert min(seen(more.a, "ping", more.b.ipv4, PORT, 5)["trips"]) >= 0.1
        assert min(more.link.carried()) > 0
