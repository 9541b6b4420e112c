"""The dice of the link, without any device: what is lost, what is late, and in which order it arrives."""

import socket
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .link_model import MTU, Conditions, Way, is_between

ADDRESSES = ("10.77.0.1", "10.77.0.2", "fd00:77::1", "fd00:77::2")


def make_way(conditions: Conditions, seed: int = 1) -> Way:
    way = Way(Random(seed))
    way.conditions = conditions
    return way


def packet(number: int) -> bytes:
    return number.to_bytes(4, "big")


def passed(way: Way, count: int, size: int = 4) -> list[int]:
    """Offer numbered packets at time 0, and return the numbers of those that arrive, ever."""
    for number in range(count):
        way.offer(packet(number).ljust(size, b"\0"), 0.0)
    return [int.from_bytes(data[:4], "big") for data in way.take(1e9)]


def test_a_good_link_passes_everything_at_once() -> None:
    way = make_way(Conditions())
    way.offer(b"a", 5.0)

    assert way.due() == 5.0
    assert way.take(5.0) == [b"a"]
    assert (way.due(), way.carried, way.lost) == (None, 1, 0)


def test_a_packet_arrives_after_its_delay_and_not_before() -> None:
    way = make_way(Conditions(delay=0.05))
    way.offer(b"a", 1.0)

    assert way.take(1.049) == []
    assert way.take(1.051) == [b"a"]


def test_jitter_varies_the_delay_and_keeps_the_order() -> None:
    way = make_way(Conditions(delay=0.05, jitter=0.04))
    arrivals: list[float] = []
    for number in range(50):
        way.offer(packet(number), number / 10)
        due = way.due()
        assert due is not None
        arrivals.append(due - number / 10)
        assert way.take(due) == [packet(number)]
    for number in range(50):
        way.offer(packet(number), 10.0)

    assert 0.009 <= min(arrivals) < 0.03
    assert 0.07 < max(arrivals) <= 0.091
    assert way.take(11.0) == [packet(number) for number in range(50)]


def test_some_packets_overtake_others() -> None:
    numbers = passed(make_way(Conditions(delay=0.05, reorder=0.2)), 100)

    assert sorted(numbers) == list(range(100))
    early = [number for number, following in zip(numbers, range(100), strict=True) if number > following]
    assert 10 < len(early) < 40


@pytest.mark.parametrize("loss", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("burst", [None, 1, 5])
def test_the_share_of_lost_packets_is_what_was_set(loss: float, burst: float | None) -> None:
    way = make_way(Conditions(loss=loss, burst=burst))
    passed(way, 50_000)

    assert loss * 0.85 < way.lost / 50_000 < loss * 1.15


def test_bursts_have_the_length_that_was_set() -> None:
    way = make_way(Conditions(loss=0.1, burst=5))
    arrived = set(passed(way, 50_000))
    begins = sum(1 for number in range(1, 50_000) if number not in arrived and number - 1 in arrived)

    assert 4 < way.lost / begins < 6


@pytest.mark.parametrize("burst", [None, 3])
def test_a_link_that_loses_all_passes_nothing(burst: float | None) -> None:
    assert passed(make_way(Conditions(loss=1, burst=burst)), 1000) == []


def test_a_link_that_recovers_passes_again() -> None:
    way = make_way(Conditions(loss=1))
    passed(way, 10)
    way.conditions = Conditions()

    assert passed(way, 3) == [0, 1, 2]


def test_a_rate_spreads_packets_over_time() -> None:
    way = make_way(Conditions(rate=1000))
    for number in range(3):
        way.offer(packet(number).ljust(100, b"\0"), 0.0)

    assert [len(way.take(now)) for now in (0.099, 0.101, 0.199, 0.201, 0.301)] == [0, 1, 0, 1, 1]


def test_a_full_queue_loses_what_comes_on_top() -> None:
    way = make_way(Conditions(rate=1000, queue=1000))

    assert passed(way, 20, size=100) == list(range(10))
    assert way.lost == 10


def test_the_same_seed_loses_the_same_packets() -> None:
    conditions = Conditions(loss=0.3, burst=2, delay=0.1, jitter=0.1, reorder=0.1)

    first, again, other = (passed(make_way(conditions, seed), 200) for seed in (1, 1, 2))

    assert first == again != other


@given(
    st.builds(
        Conditions,
        loss=st.floats(0, 1),
        burst=st.none() | st.floats(1, 10),
        delay=st.floats(0, 1),
        jitter=st.floats(0, 1),
        reorder=st.floats(0, 1),
        rate=st.none() | st.floats(100, 1e6),
        queue=st.integers(0, 10_000),
    ),
    st.integers(),
)
def test_each_packet_arrives_once_or_is_counted_as_lost(conditions: Conditions, seed: int) -> None:
    way = make_way(conditions, seed)
    numbers = passed(way, 100)

    assert len(set(numbers)) == len(numbers) == way.carried == 100 - way.lost
    if conditions.reorder == 0:
        assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda: Conditions(loss=1.1), "shares, from 0 to 1"),
        (lambda: Conditions(reorder=-0.1), "shares, from 0 to 1"),
        (lambda: Conditions(burst=0.5), "1 packet or more"),
        (lambda: Conditions(delay=-1), "cannot be negative"),
        (lambda: Conditions(jitter=-1), "cannot be negative"),
        (lambda: Conditions(rate=0), "cannot be negative"),
    ],
)
def test_conditions_that_cannot_be_are_refused(make: Callable[[], Conditions], advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        make()


def test_conditions_in_the_words_of_the_kernel() -> None:
    everything = Conditions(delay=0.05, jitter=0.01, reorder=0.1, loss=0.1, burst=4, rate=50_000, queue=30_000)

    assert " ".join(everything.netem()) == (
        "limit 20 delay 50000us 10000us loss gemodel 2.77778% 25% reorder 10% rate 400000bit"
    )
    assert Conditions().netem() == ["limit", "1000"]
    assert Conditions(loss=1, burst=3).netem() == ["limit", "1000", "loss", "random", "100%"]
    # Without a delay nothing can be overtaken, and the kernel refuses.
    assert Conditions(reorder=0.1, loss=0.02).netem() == ["limit", "1000", "loss", "random", "2%"]
    assert MTU == 1500


def ip_packet(source: str, target: str) -> bytes:
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    return (b"\x60" + bytes(7) if ":" in source else b"\x45" + bytes(11)) + addresses + b"payload"


@pytest.mark.parametrize(
    ("source", "target", "between"),
    [
        ("10.77.0.1", "10.77.0.2", True),
        ("fd00:77::2", "fd00:77::1", True),
        ("10.77.0.1", "10.77.0.9", False),
        ("192.0.2.1", "10.77.0.2", False),
        ("fe80::1", "ff02::2", False),
    ],
)
def test_only_packets_between_the_hosts_are_carried(source: str, target: str, between: bool) -> None:
    assert is_between(ip_packet(source, target), ADDRESSES) is between


@pytest.mark.parametrize("data", [b"", b"\x45short", b"\x60" + bytes(30), b"\x00" * 60])
def test_what_is_no_packet_is_not_carried(data: bytes) -> None:
    assert not is_between(data, ADDRESSES)
