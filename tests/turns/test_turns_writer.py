"""One batch at a time, the next gathers, a failed one comes again as it is, and nothing is told before it is stored."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pytest

import netcode
from netcode.testing import FakeClock
from netcode.turns.store import Claim, Entry, Listing, Lost, NewTable, Node, Saved, State, Unavailable
from netcode.turns.store.memory import MemoryStore
from netcode.turns.store.writer import Batch, InPlace, Lease, OnThread, Stored, Writer, make_writer
from turns.store_contract import new


class Moody(MemoryStore):
    """Fails with what it is given, before or after it stored."""

    def __init__(self) -> None:
        super().__init__()
        self.before: BaseException | None = None
        self.after: BaseException | None = None
        self.batches: list[int] = []

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        if self.before is not None:
            raise self.before
        super().append(entries, states, listings)
        self.batches.append(len(entries))
        if self.after is not None:
            raise self.after


@pytest.fixture
def store() -> Moody:
    store = Moody()
    store.open("here:1")
    store.create([new()])
    return store


@pytest.fixture
def threaded(store: Moody) -> Iterator[Writer]:
    writer = make_writer(store, on_thread=True)
    yield writer
    writer.carrier.close()


def write(writer: Writer, version: int, told: list[int]) -> None:
    writer.batch.entries.append(Entry("t", version, b"%d" % version))
    writer.batch.done.append(lambda stored: told.append(version))


def test_in_place_it_is_stored_when_the_step_returns(store: Moody) -> None:
    writer, told = make_writer(store, on_thread=False), list[int]()
    write(writer, 1, told)
    write(writer, 2, told)

    writer.step(0.0)

    assert (told, store.batches, writer.busy, writer.carrier.waiter) == ([1, 2], [2], False, None)
    writer.step(0.0)
    assert store.batches == [2]


def test_on_a_thread_the_next_gathers_while_one_is_stored(store: Moody, threaded: Writer) -> None:
    told = list[int]()
    write(threaded, 1, told)
    threaded.step(0.0)
    write(threaded, 2, told)
    write(threaded, 3, told)

    threaded.flush(0.0)

    assert told == [1, 2, 3]
    assert sum(store.batches) == 3
    assert len(store.batches) <= 3


def test_a_wait_wakes_when_the_thread_is_through(store: Moody, threaded: Writer) -> None:
    told = list[int]()
    write(threaded, 1, told)
    threaded.step(0.0)
    assert threaded.carrier.waiter is not None

    if threaded.busy:
        assert netcode.wait(threaded.carrier.waiter, timeout=10.0)
    threaded.step(0.0)

    assert told == [1]


@pytest.mark.parametrize("on_thread", [False, True])
@pytest.mark.parametrize("afterwards", [False, True])
def test_what_failed_is_tried_again_and_nothing_overtakes_it(store: Moody, on_thread: bool, afterwards: bool) -> None:
    writer, told = make_writer(store, on_thread=on_thread), list[int]()
    trouble = Unavailable("the disk is full")
    store.before, store.after = (None, trouble) if afterwards else (trouble, None)
    write(writer, 1, told)
    writer.flush(0.0)
    write(writer, 2, told)
    writer.step(0.5)

    assert (told, writer.trouble, writer.busy, writer.due()) == ([], "the disk is full", True, 1.0)
    store.before = store.after = None
    writer.step(0.9)
    assert told == []
    writer.step(1.0)
    writer.flush(1.0)
    assert (told, writer.trouble, writer.busy, writer.due()) == ([1, 2], "", False, None)
    writer.carrier.close()
    assert store.load(["t"])["t"].entries == (b"1", b"2")


@pytest.mark.parametrize("on_thread", [False, True])
@pytest.mark.parametrize("error", [Lost("gone"), ZeroDivisionError("a bug")])
def test_everything_else_comes_out_where_the_server_steps(store: Moody, on_thread: bool, error: Exception) -> None:
    writer, told = make_writer(store, on_thread=on_thread), list[int]()
    store.before = error
    write(writer, 1, told)

    with pytest.raises(type(error)):
        writer.flush(0.0)

    assert told == []
    writer.carrier.close()


def test_one_batch_makes_stores_loads_and_expires(store: Moody) -> None:
    outcomes: list[Stored] = []
    batch = Batch()
    batch.new, batch.load, batch.renew = [new("u"), new("t", state=b"other")], {"t", "nowhere"}, 1
    batch.expire = (-1.0, -1.0, frozenset({"u"}))
    batch.done.append(outcomes.append)
    writer = Writer(InPlace(store))
    writer.batch = batch

    writer.step(0.0)

    [stored] = outcomes
    assert (stored.made, stored.loaded, stored.expired) == (frozenset("u"), {}, frozenset("t"))  # what is loaded stays
    assert not Batch()


def test_what_is_told_may_ask_for_more_in_the_same_step(store: Moody) -> None:
    writer, told = make_writer(store, on_thread=False), list[int]()
    writer.batch.load.add("t")
    writer.batch.done.append(lambda stored: write(writer, 1, told))

    writer.step(0.0)

    assert told == [1]


def test_a_bell_that_cannot_be_rung_loses_no_result(store: Moody) -> None:
    carrier = OnThread(store)
    carrier._button.close()
    batch = Batch()
    batch.load.add("t")
    carrier.submit(batch)
    carrier.join()

    assert isinstance(carrier.take(), Stored)
    carrier.close()


def test_a_store_that_does_not_answer_is_trouble_after_a_while() -> None:
    class Silent(InPlace):
        silent = True

        def take(self) -> Any:
            return None if self.silent else super().take()

    store = MemoryStore()
    store.open("here:1")
    carrier = Silent(store)
    writer = Writer(carrier, patience=1.5)
    writer.batch.renew = 1
    writer.step(10.0)
    writer.step(11.5)
    before = writer.trouble
    writer.step(11.6)
    during = writer.trouble
    carrier.silent = False
    writer.step(12.0)

    text = "nothing is stored at the moment: the store has not answered for 1.5 seconds"
    assert (before, during, writer.trouble) == ("", text, "")


def test_who_has_a_table_and_what_is_nobody_s_is_told() -> None:
    store = MemoryStore(lease=5.0)
    store.open("here:1")
    other = store.neighbour()
    other.open("there:2")
    other.create([NewTable("theirs", "G", b"", None), NewTable("free", "G", b"", b"listed")])
    other.release(["free"])
    writer = Writer(InPlace(store))
    stored: list[Stored] = []
    for instead in ("there:2", ""):
        writer.batch.load |= {"theirs", "free", "unknown"}
        writer.batch.instead, writer.batch.listed, writer.batch.renew = instead, 10, 3
        writer.batch.done.append(stored.append)
        writer.step(0.0)
    writer.batch.release.add("free")
    writer.step(0.0)

    assert [({*one.loaded}, one.elsewhere) for one in stored] == [
        (set(), {"theirs": "there:2", "free": "there:2"}),
        ({"free"}, {"theirs": "there:2"}),
    ]
    assert stored[0].listed == {"free": b"listed"}
    assert sorted(stored[0].nodes) == [Node("here:1", 3), Node("there:2", 0)]
    assert other.claim(["free"]) == {"free": Claim.OURS}


def test_of_a_table_that_another_made_first_nothing_is_stored() -> None:
    store = MemoryStore(lease=5.0)
    store.open("here:1")
    other = store.neighbour()
    other.open("there:2")
    other.create([NewTable("t", "G", b"theirs", None)])
    writer = Writer(InPlace(store))
    made: list[frozenset[str]] = []
    writer.batch.new += [NewTable("t", "G", b"ours", None), NewTable("u", "G", b"", None)]
    writer.batch.entries += [Entry("t", 1, b"ours"), Entry("u", 1, b"x")]
    writer.batch.states["t"], writer.batch.listings["t"] = State("t", 1, b"ours"), Listing("t", b"l")
    writer.batch.done.append(lambda stored: made.append(stored.made))
    writer.step(0.0)

    assert made == [frozenset({"u"})]
    assert store.load(["t", "u"]) == {"t": Saved(0, b"theirs", ()), "u": Saved(0, b"", (b"x",))}


def test_a_table_whose_time_came_is_loaded_also_if_the_first_attempt_failed() -> None:
    class Once(MemoryStore):
        failed = False

        def load(self, tables: Any) -> dict[str, Saved]:
            if not self.failed:
                self.failed = True
                raise Unavailable("just now")
            return super().load(tables)

    time = [0.0]
    store = Once(lease=5.0, clock=lambda: time[0])
    store.open("here:1")
    store.create([NewTable("t", "G", b"", None)])
    store.append([Entry("t", 1, b"x")], [State("t", 1, b"s", 1.0)])
    store.release(["t"])
    time[0] = 2.0
    writer = Writer(InPlace(store))
    woken: list[dict[str, Saved]] = []
    writer.batch.wake = 10
    writer.batch.done.append(lambda stored: woken.append(stored.woken))
    writer.step(2.0)
    writer.step(3.0)

    assert woken == [{"t": Saved(1, b"s", (), -1.0)}]


class Slow(MemoryStore):
    """Takes its time for each part of a batch, and cannot append while it `fails`."""

    fails = False

    def pass_time(self) -> None:
        clock: Any = self._clock
        clock.advance(1.5)

    def append(self, *args: Any, **wanted: Any) -> None:
        self.pass_time()
        if self.fails:
            raise Unavailable("the disk is full")
        super().append(*args, **wanted)

    def claim(self, *args: Any, **wanted: Any) -> dict[str, Claim | str]:
        self.pass_time()
        return super().claim(*args, **wanted)

    def expire(self, *args: Any, **wanted: Any) -> set[str]:
        self.pass_time()
        return super().expire(*args, **wanted)


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def slow(time: FakeClock) -> Slow:
    store = Slow(lease=4.0, clock=time)
    store.open("here:1")
    store.create([new()])
    return store


@pytest.fixture
def other(slow: Slow, time: FakeClock) -> MemoryStore:
    """Return the store of another process, which would like to have the table."""
    other = MemoryStore.neighbour(slow)
    other.open("there:2")
    time.advance(5.0)  # it was there before whatever is going to happen
    other.renew(0)
    slow.renew(1)
    return other


def owner(other: MemoryStore) -> Claim | str:
    """Return who has the table once the other process asked for it."""
    other.renew(0)
    return MemoryStore.claim(other, ["t"])["t"]


def test_a_batch_that_fails_again_and_again_does_not_cost_the_lease(
    slow: Slow, other: MemoryStore, time: FakeClock
) -> None:
    writer, told = Writer(InPlace(slow, Lease(slow, time))), list[int]()
    writer.batch.renew = 1
    writer.step(time())
    slow.fails = True
    write(writer, 1, told)
    for _ in range(10):
        writer.step(time())
        time.advance(1.0)
        writer.batch.renew = 1  # which waits behind the batch that fails

        assert owner(other) == "here:1"
    heard = writer.tally.renewed_at
    slow.fails = False
    writer.step(time())

    assert told == [1]
    assert heard > time() - 5.0


def test_a_batch_whose_parts_take_long_does_not_cost_the_lease(slow: Slow, other: MemoryStore, time: FakeClock) -> None:
    writer, told = Writer(InPlace(slow, Lease(slow, time))), list[int]()
    writer.batch.renew, writer.batch.expire = 1, (1e9, 1e9, frozenset())
    writer.batch.load.add("t")
    write(writer, 1, told)
    begun = time()

    writer.step(begun)

    assert time() == begun + 4.5
    assert owner(other) == "here:1"
    assert told == [1]


def test_what_an_interrupt_broke_off_is_stored_when_it_goes_on_or_ends(store: Moody) -> None:
    writer, told = make_writer(store, on_thread=False), list[int]()
    for version, goes_on in ((1, writer.step), (2, writer.flush)):
        write(writer, version, told)
        store.before = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            writer.step(0.0)
        store.before = None

        goes_on(0.0)

    assert told == [1, 2]
    assert store.load(["t"])["t"].entries == (b"1", b"2")


def test_what_is_given_back_in_a_batch_that_is_tried_again_is_not_lost() -> None:
    class Down(Moody):
        down = True

        def due(self, limit: int = 100, games: Collection[str] | None = None) -> set[str]:
            if self.down:
                raise Unavailable("the database hangs")
            return super().due(limit, games)

    store = Down()
    store.open("here:1")
    store.create([new()])
    writer, told = make_writer(store, on_thread=False), list[int]()
    write(writer, 1, told)
    writer.batch.release.add("t")
    writer.batch.wake = 10
    writer.step(0.0)
    assert (writer.trouble, told) == ("the database hangs", [])
    store.down = False

    writer.step(5.0)

    assert (writer.trouble, told) == ("", [1])


def test_the_tables_to_spare_are_those_that_are_there_when_it_is_stored(store: Moody) -> None:
    writer, spare = make_writer(store, on_thread=False), {"t": 1}
    outcomes: list[Stored] = []
    store.create([new("u")])
    writer.batch.expire = -1.0, -1.0, spare
    writer.batch.done.append(outcomes.append)
    spare["u"] = 2

    writer.step(0.0)

    assert outcomes[0].expired == frozenset()
