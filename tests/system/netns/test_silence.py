"""Links that fall silent without a word: power cuts, one-way streets, windows that close."""

import time

import pytest

from .cast import LATE, Actor, Traffic, act, join, serve, undisturbed
from .link_model import Conditions
from .rig import Hosts

pytestmark = [pytest.mark.netns, pytest.mark.timed]

TIMEOUT = 1.5
PING = 0.3
EARLY = 0.5
"""Seconds before a ping was due at which the last one may have come: the processor was taken from its sender."""
SHORT = {"timeout": TIMEOUT, "ping_interval": PING, "close_timeout": 0.5}
SERVER = {**SHORT, "grace": 0}


def assert_both_left_at_timeout(client: Actor, server: Actor, cut_at: float, heard_for: float = 0.0) -> None:
    """Assert that both ends left because of silence, once, and neither before their time nor long after.

    Args:
        client: One end.
        server: The other end.
        cut_at: When the link was cut.
        heard_for: Seconds from then on in which an end may still have heard something.
    """
    for actor in (client, server):
        left = actor.event("left")
        assert left["code"] == "TIMEOUT"
        # What was heard last came up to a ping before the cut.
        assert TIMEOUT - PING - EARLY < left["at"] - cut_at < TIMEOUT + heard_for + LATE
        assert actor.events("away", "left") == [left]


@pytest.mark.fault(41, layer="namespaces")
def test_after_a_power_cut_both_ends_know_at_the_timeout(hosts: Hosts) -> None:
    server = serve(hosts, limits=SERVER)
    with undisturbed(hosts, server):
        client, _ = join(hosts, server, limits=SHORT)

        hosts.link.set(Conditions(loss=1))

        assert_both_left_at_timeout(client, server, time.monotonic())


@pytest.mark.fault(42, layer="namespaces")
@pytest.mark.parametrize("silent", ["client", "server"])
def test_when_one_direction_is_dropped_both_ends_know(hosts: Hosts, silent: str) -> None:
    server = serve(hosts, limits=SERVER)
    with undisturbed(hosts, server):
        client, _ = join(hosts, server, limits=SHORT)

        (hosts.a if silent == "client" else hosts.b).filter("oifname link0 drop", chain="output")

        # What the other direction carries is never acknowledged, so it carries a ping or two and then nothing new:
        # not even the goodbye.
        assert_both_left_at_timeout(client, server, time.monotonic(), heard_for=2 * PING)


@pytest.mark.fault(44, layer="namespaces")
def test_a_window_that_stays_closed_ends_the_link_by_the_age_of_its_oldest_byte(hosts: Hosts) -> None:
    # Few enough bytes that their number is no reason, and a timeout that the pings of the other end keep away.
    server = serve(hosts, Traffic(count=10_000, pace=30, size=8_000), {**SERVER, "max_queue_age": 1.0})
    with undisturbed(hosts, server):
        staller = act(hosts.a, "stall", hosts.b.ipv4)
        staller.event("joined")

        left = server.event("left")

        assert left["code"] == "TOO_SLOW"
        assert "max_queue_age = 1 s" in left["text"]
        assert server.event("joined", id=left["id"])["at"] + 1.0 <= left["at"]
        # The goodbye cannot reach it; a reset does.
        staller.event("left")
