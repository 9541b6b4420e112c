"""The model of a bad link: what goes in comes out whole, in order and late, in a time that the test makes up."""

from collections.abc import Callable
from random import Random

import pytest
from bounds import Patience
from hypothesis import given
from hypothesis import strategies as st

from netcode.faults import PACKET, Ending, Faults, Lane, LinkModel

CAPACITY = 10_000


def make_lane(capacity: int = CAPACITY) -> Lane:
    return Lane(Random(1), capacity)


def take(lane: Lane) -> bytes:
    """Take what is ready, as a socket that sends everything would."""
    taken = bytes(lane.ready)
    lane.sent(len(taken))
    return taken


def arrivals(lane: Lane, faults: Faults, until: float) -> list[tuple[float, bytes]]:
    """Advance the lane to each moment at which it has something to do, and note what arrives when."""
    found: list[tuple[float, bytes]] = []
    now = 0.0
    while now <= until:
        lane.advance(now, faults)
        if data := take(lane):
            found.append((round(now, 6), data))
        due = lane.due(now, faults)
        if due is None:
            break
        now = due
    return found


# Faults


TIMES: dict[str, Callable[[float], Faults]] = {
    "latency": lambda value: Faults(latency=value),
    "jitter": lambda value: Faults(jitter=value),
    "stall": lambda value: Faults(stall=value),
    "stall_every": lambda value: Faults(stall_every=value),
    "cut_after": lambda value: Faults(cut_after=value),
}


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("value", [-0.1, float("inf"), float("nan")])
def test_times_that_are_none_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is .*: give seconds, 0 or more"):
        TIMES[name](value)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="give bytes per second above 0"):
        Faults(rate=rate)


def test_a_stall_that_leaves_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="leave time for bytes to pass"):
        Faults(stall=2.0, stall_every=2.0)


def test_a_cut_within_no_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="give 1 byte or more"):
        Faults(cut_within=0)


def test_a_stall_is_the_last_part_of_its_period() -> None:
    faults = Faults(stall=2.0, stall_every=10.0)

    assert [faults.passes_at(now) for now in (0.0, 7.9, 8.0, 9.9, 10.0, 18.5)] == [0.0, 7.9, 10.0, 10.0, 10.0, 20.0]


def test_a_held_link_passes_nothing_until_further_notice() -> None:
    assert Faults(held=True).passes_at(5.0) is None


# Lane


def test_a_link_without_faults_passes_bytes_at_once() -> None:
    lane = make_lane()
    lane.feed(b"hello", 1.0)

    assert lane.advance(1.0, Faults()) == 5
    assert take(lane) == b"hello"
    assert lane.due(1.0, Faults()) is None


def test_latency_delays_each_byte_by_as_much() -> None:
    lane = make_lane()
    lane.feed(b"a", 0.0)
    lane.advance(0.0, Faults(latency=0.1))
    lane.feed(b"b", 0.05)

    assert arrivals(lane, Faults(latency=0.1), 1.0) == [(0.1, b"a"), (0.15, b"b")]


def test_jitter_varies_the_delay_without_changing_the_order() -> None:
    faults = Faults(latency=0.1, jitter=0.05)
    lane = make_lane()
    found: list[tuple[float, bytes]] = []
    for step in range(100):
        lane.feed(bytes([step]), step / 1000)
        lane.advance(step / 1000, faults)
        found += [(step / 1000, bytes([value])) for value in take(lane)]
    found += arrivals(lane, faults, 1.0)

    assert b"".join(data for _, data in found) == bytes(range(100))
    delays = [when - value / 1000 for when, data in found for value in data]
    assert 0.049 <= min(delays) < max(delays) <= 0.151
    assert len({round(delay, 4) for delay in delays}) > 10


def test_jitter_above_the_latency_never_sends_into_the_past() -> None:
    faults = Faults(latency=0.0, jitter=1.0)
    lane = make_lane()
    for _ in range(20):
        lane.feed(b"x", 5.0)
        lane.advance(5.0, faults)

    due = lane.due(5.0, faults)
    assert due is not None
    assert due >= 5.0


def test_a_rate_lets_bytes_trickle() -> None:
    lane = make_lane()
    lane.feed(bytes(1000), 0.0)

    found = arrivals(lane, Faults(rate=1000.0), 2.0)

    assert [len(data) for _, data in found] == [20] * 50
    assert (found[0][0], found[-1][0]) == (0.02, 1.0)


def test_a_fast_rate_travels_in_packets() -> None:
    lane = make_lane()
    lane.feed(bytes(PACKET * 3 + 10), 0.0)

    assert [len(data) for _, data in arrivals(lane, Faults(rate=1e6), 1.0)] == [PACKET, PACKET, PACKET, 10]


def test_a_rate_below_one_byte_a_second_still_passes_bytes() -> None:
    lane = make_lane()
    lane.feed(b"ab", 0.0)

    assert arrivals(lane, Faults(rate=0.1), 30.0) == [(10.0, b"a"), (20.0, b"b")]


def test_a_new_rate_holds_for_what_still_waits() -> None:
    lane = make_lane()
    lane.feed(bytes(1000), 0.0)
    lane.advance(0.0, Faults(rate=100.0))

    assert arrivals(lane, Faults(), 1.0) == [(0.02, bytes(1000))]


def test_a_late_step_does_not_slow_the_rate_down() -> None:
    faults = Faults(rate=1000.0)
    lane = make_lane()
    lane.feed(bytes(500), 0.0)
    lane.advance(0.0, faults)

    assert lane.advance(0.26, faults) == 260


def test_what_a_stall_stops_arrives_when_it_ends() -> None:
    faults = Faults(latency=0.5, stall=2.0, stall_every=10.0)
    lane = make_lane()
    lane.feed(b"a", 7.4)
    lane.feed(b"b", 7.6)
    lane.advance(7.6, faults)

    assert lane.advance(7.95, faults) == 1
    assert lane.advance(9.0, faults) == 0
    assert lane.due(9.0, faults) == 10.0
    assert lane.advance(10.0, faults) == 1
    assert take(lane) == b"ab"


def test_a_held_lane_has_nothing_due() -> None:
    lane = make_lane()
    lane.feed(b"a", 0.0)
    lane.advance(0.0, Faults(held=True))

    assert lane.due(0.0, Faults(held=True)) is None
    assert lane.advance(1.0, Faults()) == 1


def test_room_is_what_capacity_leaves_until_the_bytes_are_sent() -> None:
    lane = make_lane(capacity=10)
    lane.feed(b"1234567", 0.0)
    assert lane.room == 3

    lane.advance(0.0, Faults())
    assert lane.room == 3

    lane.sent(5)
    assert (lane.room, bytes(lane.ready)) == (8, b"67")


def test_more_than_room_is_refused_and_nothing_kept() -> None:
    lane = make_lane(capacity=10)

    with pytest.raises(ValueError, match="11 bytes do not fit into a room of 10"):
        lane.feed(bytes(11), 0.0)
    assert lane.room == 10


def test_an_empty_read_leaves_nothing_behind() -> None:
    lane = make_lane()
    lane.feed(b"", 0.0)

    assert lane.due(0.0, Faults()) is None


@pytest.mark.parametrize("ending", Ending)
def test_the_end_travels_behind_the_bytes_and_shows_once_they_are_sent(ending: Ending) -> None:
    faults = Faults(latency=0.1)
    lane = make_lane()
    lane.feed(b"bye", 0.0)
    lane.finish(ending, 0.05)
    lane.advance(0.05, faults)

    lane.advance(0.12, faults)
    assert (bytes(lane.ready), lane.ended) == (b"bye", None)

    lane.advance(0.2, faults)
    assert lane.ended is None
    take(lane)
    assert lane.ended is ending


def test_nothing_is_fed_after_the_end() -> None:
    lane = make_lane()
    lane.finish(Ending.END, 0.0)
    lane.feed(b"late", 0.0)

    assert lane.advance(0.0, Faults()) == 0
    assert lane.ended is Ending.END


def test_a_reset_counts_after_an_end_and_not_the_other_way_round() -> None:
    lane = make_lane()
    for ending in (Ending.END, Ending.END, Ending.RESET, Ending.RESET, Ending.END):
        lane.finish(ending, 0.0)
    lane.advance(0.0, Faults())

    assert lane.ended is Ending.RESET


def test_a_cut_keeps_what_is_ready_and_drops_the_rest() -> None:
    faults = Faults(latency=1.0)
    lane = make_lane(capacity=10)
    lane.feed(b"first", 0.0)
    lane.advance(0.0, faults)
    lane.feed(b"later", 0.5)
    lane.advance(1.0, faults)

    lane.cut(Ending.END)

    assert (lane.room, lane.due(1.0, faults), lane.ended) == (5, None, None)
    assert take(lane) == b"first"
    assert lane.ended is Ending.END


def test_an_abandoned_lane_swallows_what_comes() -> None:
    lane = make_lane()
    lane.feed(b"lost", 0.0)
    lane.advance(0.0, Faults())

    lane.abandon()
    lane.feed(b"lost too", 0.0)
    lane.finish(Ending.END, 0.0)

    assert lane.advance(1.0, Faults()) == 0
    assert (bytes(lane.ready), lane.room, lane.ended) == (b"", CAPACITY, None)


def test_an_allowance_splits_a_piece() -> None:
    lane = make_lane()
    lane.feed(b"abcdef", 0.0)

    assert lane.advance(0.0, Faults(), allowance=4) == 4
    assert lane.advance(0.0, Faults(), allowance=0) == 0
    assert lane.advance(0.0, Faults(), allowance=9) == 2
    assert take(lane) == b"abcdef"


any_faults = st.builds(
    Faults,
    latency=st.floats(0, 2),
    jitter=st.floats(0, 2),
    rate=st.none() | st.floats(10, 1e6),
    stall=st.floats(0, 1),
    stall_every=st.floats(2, 10),
    held=st.booleans(),
)


@given(st.lists(st.tuples(st.binary(max_size=300), st.floats(0, 3), any_faults, st.integers(0, 300))))
def test_whatever_changes_on_the_way_every_byte_arrives_once_and_in_order(
    steps: list[tuple[bytes, float, Faults, int]],
) -> None:
    lane = make_lane(capacity=1000)
    now, fed, taken = 0.0, b"", b""
    for data, pause, faults, socket_takes in steps:
        now += pause
        chunk = data[: lane.room]
        lane.feed(chunk, now)
        fed += chunk
        lane.advance(now, faults)
        due = lane.due(now, faults)
        assert due is None or due > now
        part = bytes(lane.ready[:socket_takes])
        lane.sent(len(part))
        taken += part
        assert fed.startswith(taken)
        assert lane.room == 1000 - (len(fed) - len(taken))
    lane.finish(Ending.END, now)
    # Once, so that everything sets off; the slowest rate holds the last piece for as long as it was drawn.
    for later in (now, now + 1000.0, now + 2000.0):
        lane.advance(later, Faults())
        taken += take(lane)

    assert taken == fed
    assert lane.ended is Ending.END
    assert lane.room == 1000


# LinkModel


def test_both_directions_of_a_link_are_apart() -> None:
    link = LinkModel(0.0, "seed", CAPACITY)
    link.up.feed(b"ping", 0.0)
    link.down.feed(b"pong", 0.0)
    link.advance(0.0, Faults())

    assert (take(link.up), take(link.down)) == (b"ping", b"pong")


def test_a_link_is_due_when_its_first_direction_is() -> None:
    faults = Faults(latency=0.5, cut_after=30.0)
    link = LinkModel(100.0, "seed", CAPACITY)
    assert link.due(100.0, Faults()) is None
    assert link.due(100.0, faults) == 130.0

    link.down.feed(b"pong", 101.0)
    link.advance(101.0, faults)

    assert link.due(101.0, faults) == 101.5


def test_a_link_is_cut_at_its_age() -> None:
    faults = Faults(latency=0.5, cut_after=30.0, cut_with=Ending.END)
    link = LinkModel(100.0, "seed", CAPACITY)
    link.up.feed(b"under way", 129.9)
    link.advance(129.9, faults)
    assert link.due(129.9, faults) == 130.0

    link.advance(130.0, faults)

    assert (link.cut_with, link.up.ended, link.down.ended) == (Ending.END, Ending.END, Ending.END)
    assert link.due(130.0, faults) is None


def test_a_link_is_cut_at_the_same_random_byte_each_time() -> None:
    carried: list[int] = []
    for seed in ("a", "a", "b"):
        link = LinkModel(0.0, seed, CAPACITY)
        count = 0
        patient = Patience()
        while patient() and link.cut_with is None:
            link.up.feed(bytes(7), 0.0)
            link.down.feed(bytes(3), 0.0)
            link.advance(0.0, Faults(cut_within=5000))
            count += len(take(link.up)) + len(take(link.down))
        carried.append(count)

    assert carried[0] == carried[1] != carried[2]
    assert all(1 <= count <= 5000 for count in carried)


def test_a_link_that_was_cut_within_one_byte_carries_exactly_one() -> None:
    link = LinkModel(0.0, "seed", CAPACITY)
    link.up.feed(b"hello", 0.0)
    link.down.feed(b"hello", 0.0)
    link.advance(0.0, Faults(cut_within=1))

    assert (take(link.up), take(link.down), link.cut_with) == (b"h", b"", Ending.RESET)


def test_the_first_cut_counts() -> None:
    link = LinkModel(0.0, "seed", CAPACITY)
    link.cut(Ending.END)
    link.cut(Ending.RESET)

    assert (link.cut_with, link.up.ended) == (Ending.END, Ending.END)


def test_jitter_of_one_direction_is_the_same_whatever_the_other_carries() -> None:
    faults = Faults(latency=1.0, jitter=1.0)
    dues: list[float | None] = []
    for noise in (b"", b"noise"):
        link = LinkModel(0.0, "seed", CAPACITY)
        link.up.feed(noise, 0.0)
        link.down.feed(b"x", 0.0)
        link.advance(0.0, faults)
        dues.append(link.down.due(0.0, faults))

    assert dues[0] == dues[1]
