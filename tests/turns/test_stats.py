"""What a server of tables counts, and writes down once a second."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from netcode.turns.stats import COMMIT_BUCKETS, Stats, Tally
from netcode.turns.store import Entry, Listing, Lost, Node, State, Unavailable
from netcode.turns.store.memory import MemoryStore
from turns.cluster import Cluster
from turns.hall import Hall, Secrets


class Moody(MemoryStore):
    """A store that fails on demand."""

    append_fails: BaseException | None = None
    renew_fails: BaseException | None = None

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        if self.append_fails is not None:
            raise self.append_fails
        super().append(entries, states, listings)

    def renew(self, load: int) -> list[Node]:
        if self.renew_fails is not None:
            raise self.renew_fails
        return super().renew(load)


@pytest.fixture
def store() -> Moody:
    return Moody()


@pytest.fixture
def hall(store: Moody) -> Iterator[Hall]:
    hall = Hall(store=store)
    yield hall
    hall.close()


def stats(hall: Hall) -> Stats:
    """Return what the server wrote down a second later."""
    hall.play(1.1)
    assert hall.server is not None
    return hall.server.stats()


def test_tables_people_and_what_is_stored_of_them_are_counted(hall: Hall) -> None:
    hall.serve()
    ann, bob = hall.join(name="Ann"), hall.join(name="Bob")
    before = stats(hall)
    hall.join(Secrets, players=4)
    hall.move(ann, "mark", cell=4)
    hall.move(bob, "mark", cell=4)  # refused
    hall.move(bob, "mark", cell=3)
    after = stats(hall)

    assert (before.tables, before.waiting, before.people, before.moves) == (1, 0, 2, 0)
    assert (after.tables, after.waiting, after.people, after.moves) == (2, 1, 3, 2)
    assert after.entries == before.entries + 3
    assert after.commits == sum(after.commit_times) > before.commits
    assert after.commit_seconds > before.commit_seconds
    assert (after.redirects, after.unavailable, after.lost, after.trouble, after.unstored) == (0, 0, 0, "", 0.0)
    assert 0.0 <= after.renewed <= 1.1


def test_answers_and_the_plays_of_stand_ins_are_moves(hall: Hall) -> None:
    class Lonely(Secrets):
        absent = "bot"
        grace = 0.5

    hall.games = (Lonely,)
    hall.serve()
    ann, bob = hall.join(Lonely, players=2), hall.join(Lonely, players=2)
    bob.close()
    hall.finish(ann)

    assert stats(hall).moves == 4  # a draw and an answer each


def test_they_are_written_down_once_a_second(hall: Hall) -> None:
    server = hall.serve()
    first = server.stats()
    hall.begin_to_join()
    hall.play(0.5)
    early = server.stats()
    hall.play(1.0)

    assert early is first
    assert server.stats().people == 1


def test_what_cannot_be_stored_is_seen(hall: Hall, store: Moody) -> None:
    hall.serve()
    ann, _ = hall.join(), hall.join()
    store.append_fails = Unavailable("the disk is full")
    ann.play("mark", cell=4)
    hall.play(3.0)
    failing = stats(hall)
    store.append_fails = None
    hall.play(2.0)
    later = stats(hall)

    assert failing.unavailable >= 3
    assert 2.0 <= failing.unstored <= 5.0
    assert (failing.trouble, failing.moves) == ("the disk is full", 0)
    assert (later.trouble, later.unstored, later.moves) == ("", 0.0, 1)


def test_the_time_since_the_last_sign_of_life_grows_while_none_succeeds(hall: Hall, store: Moody) -> None:
    hall.serve()
    hall.play(1.5)
    store.renew_fails = Unavailable("the database does not answer")
    hall.play(5.0)

    assert stats(hall).renewed >= 5.0


def test_what_is_lost_is_counted_before_the_server_ends(hall: Hall, store: Moody) -> None:
    server = hall.serve()
    ann, _ = hall.join(), hall.join()
    store.append_fails = Lost("another process has them")
    ann.play("mark", cell=4)

    with pytest.raises(Lost):
        hall.play(1.0)

    assert server.stats().lost == 1
    store.append_fails = None


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster(2)
    yield cluster
    cluster.close()


def test_who_is_sent_to_another_process_is_counted(cluster: Cluster) -> None:
    cluster.join(0, 1, room="blue")
    bob = cluster.join(1, 0, room="blue")
    cluster.play(1.1)
    led = [cluster.servers[number].stats().redirects for number in (0, 1)]
    cluster.servers[0].drain(0.1)
    cluster.until(lambda: cluster.where(bob) == 1 and bob.started)
    cluster.begin_to_join(0, 1)
    cluster.play(1.1)

    assert led == [0, 1]
    assert cluster.servers[0].stats().redirects == 3  # two who sat there, and one who knocked


def test_any_thread_may_ask(hall: Hall) -> None:
    server = hall.serve()
    seen: list[Stats] = []
    thread = threading.Thread(target=lambda: seen.append(server.stats()))
    thread.start()
    thread.join(60)

    assert seen == [server.stats()]


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0, 0), (0.000_5, 0), (0.003, 3), (5.0, -2), (60.0, -1)])
def test_commits_are_counted_by_how_long_they_took(seconds: float, bucket: int) -> None:
    tally = Tally(10.0)
    tally.committed(seconds, 7, 5)
    said = tally.stats(12.0, tables=1, waiting=0, people=2, since=11.5, trouble="", failing_since=None)

    assert len(said.commit_times) == len(COMMIT_BUCKETS) + 1
    assert (said.commit_times[bucket], sum(said.commit_times), said.commit_seconds) == (1, 1, seconds)
    assert (said.commits, said.entries, said.moves, said.renewed, said.unstored) == (1, 7, 5, 2.0, 0.5)
