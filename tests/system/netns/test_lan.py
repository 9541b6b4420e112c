"""Games on a local network of two computers, by multicast DNS."""

import time

import pytest

from .cast import PORT, Actor, act
from .link_model import DEVICE
from .rig import Hosts

pytest.importorskip("zeroconf")

pytestmark = [pytest.mark.netns, pytest.mark.timed]

FOUND = "found"


def test_a_server_on_one_computer_is_found_on_the_other_until_it_goes(hosts: Hosts) -> None:
    finder = act(hosts.a, "discover", "")
    finder.event("begun")
    server = act(hosts.b, "announce", "")
    server.event("listening")

    found = finder.event(FOUND)

    assert found["games"] == [["Ann's game", "test", f"{hosts.b.ipv4}:{PORT}"]]
    server.stop()
    assert finder.event("gone")["at"] > found["at"]


def test_who_looks_later_finds_it_too(hosts: Hosts) -> None:
    act(hosts.b, "announce", "").event("listening")
    act(hosts.a, "discover", "").event(FOUND)

    late = act(hosts.a, "discover", "")

    assert late.event(FOUND)["at"] - late.event("begun")["at"] < 5.0
    assert late.event(FOUND)["at"] < time.monotonic()


def test_a_bridge_that_comes_and_goes_is_no_news_of_a_game(hosts: Hosts) -> None:
    finder = act(hosts.a, "discover", "")
    server = act(hosts.b, "announce", "")
    server.event("listening")
    finder.event(FOUND)

    for host in (hosts.a, hosts.b):
        host.configure(
            "link add bridge0 type bridge",
            "link set bridge0 addrgenmode none",
            "address add 172.17.0.1/16 dev bridge0",
            "address add fd00:99::1/64 dev bridge0 nodad",
            "link set bridge0 up",
        )
    looks(finder, 5)
    for host in (hosts.a, hosts.b):
        host.configure("link delete bridge0")
    looks(finder, 5)

    assert len(finder.events(FOUND, "gone")) == 1


def test_whoever_comes_into_a_network_finds_the_games_that_are_there_long_since(hosts: Hosts) -> None:
    act(hosts.b, "announce", "").event("listening")
    act(hosts.b, "discover", "").event(FOUND)
    hosts.a.configure(
        f"address delete {hosts.a.ipv4}/24 dev {DEVICE}", f"address delete {hosts.a.ipv6}/64 dev {DEVICE}"
    )
    finder = act(hosts.a, "discover", "")
    looks(finder, 3)
    assert finder.events(FOUND) == []

    hosts.a.configure(f"address add {hosts.a.ipv4}/24 dev {DEVICE}")

    assert finder.event(FOUND)["games"] == [["Ann's game", "test", f"{hosts.b.ipv4}:{PORT}"]]


def looks(finder: Actor, times: int) -> None:
    """Wait until it has looked for networks that come or go so many times more."""
    for _ in range(times):
        finder.status()
