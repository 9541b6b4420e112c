"""Connecting through real networks: what swallows, what refuses, what answers on one of two ways."""

import pytest

from .cast import LATE, LONGEST_FRAME, PORT, Actor, act, serve
from .link_model import Conditions
from .rig import Hosts, command

pytestmark = [pytest.mark.netns, pytest.mark.timed]

CONNECT_TIMEOUT = 5.0


def outcome(client: Actor) -> tuple[str, float]:
    """Return why a client left, and after how many seconds; there is one such event, and no frame was long."""
    left = client.event("left")
    begun = client.event("begun")

    assert client.events("joined", "left") == [left]
    assert left["worst"] < LONGEST_FRAME
    return left["code"], left["at"] - begun["at"]


@pytest.mark.fault(1, layer="namespaces")
@pytest.mark.parametrize("rejection", ["tcp reset", "icmp type port-unreachable"])
def test_a_host_on_which_nothing_listens_refuses_at_once(hosts: Hosts, rejection: str) -> None:
    hosts.b.filter(f"tcp dport {PORT} reject with {rejection}")

    code, seconds = outcome(act(hosts.a, "join", hosts.b.ipv4))

    assert code == "REFUSED"
    assert seconds < LATE


@pytest.mark.fault(2, layer="namespaces")
def test_a_swallowed_connect_is_given_up_by_our_timeout(hosts: Hosts) -> None:
    hosts.b.filter(f"tcp dport {PORT} drop")

    code, seconds = outcome(act(hosts.a, "join", hosts.b.ipv4))

    assert code == "CONNECT_TIMEOUT"
    assert CONNECT_TIMEOUT <= seconds < CONNECT_TIMEOUT + LATE


@pytest.mark.fault(3, layer="namespaces")
@pytest.mark.parametrize("address", ["10.78.0.1", "fd00:78::1"])
def test_a_network_without_a_route_is_unreachable_at_once(hosts: Hosts, address: str) -> None:
    code, seconds = outcome(act(hosts.a, "join", address))

    assert code == "UNREACHABLE"
    assert seconds < LATE


@pytest.mark.fault(3, layer="namespaces")
def test_a_host_that_a_router_cannot_find_is_unreachable_at_once(hosts: Hosts) -> None:
    hosts.b.filter(f"tcp dport {PORT} reject with icmp type host-unreachable")

    code, seconds = outcome(act(hosts.a, "join", hosts.b.ipv4))

    assert code == "UNREACHABLE"
    assert seconds < LATE


@pytest.mark.fault(5, layer="namespaces")
def test_a_dead_ipv6_costs_a_quarter_of_a_second(hosts: Hosts) -> None:
    serve(hosts)
    hosts.a.know("game.test", hosts.b.ipv6, hosts.b.ipv4)
    hosts.b.filter("ip6 nexthdr tcp drop")
    hosts.link.set(Conditions(delay=0.05))

    client = act(hosts.a, "join", "game.test")
    joined = client.event("joined")

    # A quarter of a second of head start, one round trip to connect, and one to be welcomed.
    assert 0.45 <= joined["at"] - client.event("begun")["at"] < 0.45 + LATE
    assert joined["host"] == hosts.b.ipv4
    # The loser of the race is closed: no socket of IPv6 is left, only the heading of the table.
    table = command("ip", "netns", "exec", hosts.a.namespace, "cat", "/proc/net/tcp6")
    assert len(table.splitlines()) == 1


@pytest.mark.fault(5, layer="namespaces")
def test_a_live_ipv6_is_taken_first(hosts: Hosts) -> None:
    serve(hosts)
    hosts.a.know("game.test", hosts.b.ipv6, hosts.b.ipv4)

    client = act(hosts.a, "join", "game.test")

    assert client.event("joined")["host"] == hosts.b.ipv6
