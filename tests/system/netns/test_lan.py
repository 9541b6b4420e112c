"""Games on a local network of two computers, by multicast DNS."""

import time

import pytest

from .cast import PORT, act
from .rig import Hosts

pytest.importorskip("zeroconf")

pytestmark = pytest.mark.netns

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
