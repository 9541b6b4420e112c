"""Links that lose, delay, reorder, crawl and break off for a while: nothing ends that need not, and nothing is lost."""

import pytest
from bounds import as_long_as

from .cast import TRACES, Actor, Traffic, join, serve, undisturbed
from .link_model import MTU, Conditions
from .rig import Hosts

pytestmark = [pytest.mark.netns, pytest.mark.timed]

COUNT = 100


def assert_complete(*actors: Actor) -> None:
    """Wait until each got every message, and assert that it got each once, in order, over a link that never broke."""
    for actor in actors:
        assert actor.event("complete")["received"] == COUNT
    for actor in actors:
        assert actor.events(*TRACES) == []


@pytest.mark.fault(45, layer="namespaces")
@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(delay=0.05, loss=0.02),
        Conditions(delay=0.05, loss=0.05, jitter=0.02, reorder=0.05),
        Conditions(delay=0.05, loss=0.1),
        Conditions(delay=0.05, loss=0.05, burst=4, jitter=0.02),
    ],
    ids=["2 %", "5 %, jitter, reordering", "10 %", "bursts"],
)
def test_a_lossy_link_is_no_reason_to_leave(hosts: Hosts, conditions: Conditions) -> None:
    hosts.link.set(conditions)
    server = serve(hosts, Traffic(COUNT, pace=100))
    client, _ = join(hosts, server, Traffic(COUNT, pace=100))

    assert_complete(client, server)
    assert min(hosts.link.lost()) > 0


@pytest.mark.fault(46, layer="namespaces")
def test_a_link_slower_than_what_is_sent_is_ended_by_the_age_of_its_oldest_byte(hosts: Hosts) -> None:
    hosts.link.set(Conditions(rate=50_000, queue=10 * MTU), source=hosts.b)
    limits = {"grace": 0, "max_queue_age": 1.0, "close_timeout": 1.0}
    server = serve(hosts, Traffic(10_000, pace=100, size=2_000), limits)
    with undisturbed(hosts, server):
        client, id_ = join(hosts, server)

        left = server.event("left", id=id_)

        assert left["code"] == "TOO_SLOW"
        assert "max_queue_age = 1 s" in left["text"]
        client.event("left")
        # A second in our queue, one for the goodbye, and what the kernel and the network keep: no more, ever.
        assert max(status["latency"] for status in client.events("status")) < 4.0


@pytest.mark.fault(47, layer="namespaces")
def test_a_link_that_is_down_for_three_seconds_survives(hosts: Hosts) -> None:
    server = serve(hosts, Traffic(COUNT, pace=50))
    client, _ = join(hosts, server, Traffic(COUNT, pace=50))

    hosts.link.set(Conditions(loss=1))
    down_at = client.status()["at"]
    for _ in as_long_as(lambda: client.status()["at"] < down_at + 3.0):
        pass
    hosts.link.set()

    assert_complete(client, server)
    assert min(hosts.link.lost()) > 0


def test_a_link_that_is_down_for_longer_than_the_timeout_comes_back(hosts: Hosts) -> None:
    limits = {"timeout": 1.0, "ping_interval": 0.3}
    server = serve(hosts, Traffic(COUNT, pace=50), limits)
    client, _ = join(hosts, server, Traffic(COUNT, pace=50), limits)

    hosts.link.set(Conditions(loss=1))
    client.event("away")
    server.event("away")
    hosts.link.set()

    for actor in (client, server):
        actor.event("back")
        actor.event("complete")
        assert actor.events("wrong", "left") == []
