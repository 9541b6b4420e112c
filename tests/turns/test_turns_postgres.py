"""The store in PostgreSQL fulfils the contract, directly and behind a pooler, and says what is wrong with a database."""

import gc
import inspect
import os
import socket
import subprocess
import sys
import threading
import time as time_module
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from time import monotonic, sleep
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import psycopg
import pytest
from bounds import PATIENCE, Patience, until
from programs import ROOT

from benchmarks.databases import PASSWORD, USER, Missing, Pooler, Postgres
from netcode.turns.store import Claim, Entry, Listing, Lost, Node, Saved, State, Unavailable
from netcode.turns.store import postgres_sql as sql
from netcode.turns.store.opening import open_store
from netcode.turns.store.postgres import PostgresStore
from netcode.turns.store.postgres_batch import columns_of, what_is_new
from netcode.turns.store.postgres_link import Link
from turns.store_contract import LEASE, SharedStoreContract, Time, let_pass, new

pytestmark = pytest.mark.timed  # who waits for a lock gives up after two seconds

Beside = Callable[..., PostgresStore]
Session = psycopg.Connection[Any]
T = TypeVar("T")


class Thread(Generic[T]):
    """What one process does while another does something else."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._errors.append(error)

    def wait_for_lock(self, server: Postgres) -> None:
        """Wait until it waits for what somebody has locked."""
        waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        for _ in until(lambda: server.execute(waits) or not self._thread.is_alive()):
            sleep(0.01)
        assert self._thread.is_alive(), "it waits for nobody"

    def result(self) -> T:
        self._thread.join(PATIENCE)
        if self._errors:
            raise self._errors[0]
        return self._results[0]


class DatabaseTime(Time):
    """A clock that a test sets: where it goes on, whatever is in the database grows older."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._now = 1000.0

    @property
    def now(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._now

    @now.setter
    def now(self, now: float) -> None:
        passed = f"interval '{now - self._now} seconds'"
        self._now = now
        self._server.execute(
            f"UPDATE node SET since = since - {passed}, expires = expires - {passed};"
            f"UPDATE game_table SET created = created - {passed}, changed = changed - {passed}, wake = wake - {passed}"
        )


@pytest.fixture
def time(postgres: Postgres) -> Time:
    return DatabaseTime(postgres)


@pytest.fixture
def address(empty: Postgres) -> str:
    return empty.address()


@pytest.fixture
def beside(address: str) -> Iterator[Beside]:
    """Return what makes another store at the same database, as another process has one."""
    with ExitStack() as stores:

        def one(**wanted: Any) -> PostgresStore:
            wanted.setdefault("lease", LEASE)
            store = PostgresStore(address, **wanted)
            stores.callback(store.close)
            return store

        yield one


@pytest.fixture
def store(beside: Beside) -> PostgresStore:
    store = beside()
    store.open("here:1")
    return store


@pytest.fixture
def session(empty: Postgres) -> Iterator[Session]:
    """Return a session of the database in which a transaction goes on, and holds what it locked, until it ends."""
    with psycopg.connect(empty.address()) as connection:
        yield connection


class TestPostgres(SharedStoreContract):
    """Directly."""


class TestPooled(SharedStoreContract):
    """Through PgBouncer in transaction mode."""

    @pytest.fixture
    def address(self, empty: Postgres, pooler: Pooler) -> str:
        return empty.address(port=pooler.port)


# Two processes, and the moment between two statements.


def begin(session: Session, store: PostgresStore, *entries: Entry) -> None:
    """Have a process append something; its commit is to come."""
    columns = columns_of(what_is_new(entries, (), ()) or {})

    def run(statement: str, parameters: Any, **_: Any) -> list[Any]:
        session.execute(statement.encode(), parameters)
        return []

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store._link, "run", run)
        store._run(store._append, {"node": store._id, **columns})


@contextmanager
def impatient(store: PostgresStore, seconds: float) -> Generator[None]:
    """Let a store wait so long for an answer that is to be missing: for all others a busy machine may need longer."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store._link, "_patience", seconds)
        patched.setattr(store._link._connection, "patience", seconds)
        yield


def ask_until_known(store: PostgresStore, table: str) -> Claim | str:
    patient = Patience()
    while (answer := store.claim([table])[table]) is Claim.ASK_AGAIN and patient():
        sleep(0.01)  # as who asks again waits
    return answer


def test_nobody_is_fenced_while_it_writes(store: PostgresStore, beside: Beside, time: Time, session: Session) -> None:
    store.create([new(), new("u")])
    other = beside()
    other.open("there:2")
    let_pass(time, LEASE + 1, other)
    begin(session, store, Entry("t", 1, b"1"))

    assert other.claim(["t", "u"]) == {"t": Claim.ASK_AGAIN, "u": Claim.ASK_AGAIN}
    session.commit()
    assert other.claim(["t", "u"]) == {"t": Claim.OURS, "u": Claim.OURS}
    assert other.load(["t"]) == {"t": Saved(0, b"first", (b"1",))}


def test_who_is_fenced_before_it_may_write_writes_nothing(
    store: PostgresStore, empty: Postgres, session: Session
) -> None:
    store.create([new()])
    session.execute("UPDATE node SET fenced = true")  # by somebody whose commit is to come
    late = Thread(lambda: store.append([Entry("t", 1, b"1")]))
    late.wait_for_lock(empty)
    session.commit()

    with pytest.raises(Lost, match="fenced"):
        late.result()

    assert store.load(["t"]) == {"t": Saved(0, b"first", ())}


def test_a_claim_does_not_wait_for_who_writes(store: PostgresStore, beside: Beside, session: Session) -> None:
    store.create([new(), new("u")])
    store.release(["t", "u"])
    session.execute("SELECT FROM game_table WHERE id = 't' FOR NO KEY UPDATE")
    other = beside()
    other.open("there:2")

    assert other.claim(["t", "u"]) == {"t": Claim.ASK_AGAIN, "u": Claim.OURS}


@pytest.fixture
def owners(store: PostgresStore, empty: Postgres) -> Iterator[Callable[[], int]]:
    """Return what tells how often a table came to somebody: who had it for a moment only is not seen later."""
    assert store.lease  # it is open, and its tables are made
    empty.execute(
        """
        CREATE TABLE owners (id bigint);
        CREATE FUNCTION note_owner() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO owners VALUES (NEW.owner); RETURN NULL; END $$;
        CREATE TRIGGER owned AFTER UPDATE OF owner ON game_table FOR EACH ROW EXECUTE FUNCTION note_owner()
        """
    )
    yield lambda: len(empty.execute("SELECT FROM owners"))
    empty.execute("DROP TRIGGER owned ON game_table; DROP FUNCTION note_owner; DROP TABLE owners")


def test_of_six_who_claim_at_once_one_has_the_table(
    store: PostgresStore,
    beside: Beside,
    time: Time,
    session: Session,
    *,
    owners: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.create([new()])
    claimers = [beside() for _ in range(6)]
    for number, claimer in enumerate(claimers):
        claimer.open(f"claimer:{number}")
    let_pass(time, LEASE + 1, *claimers)
    session.execute("SELECT FROM game_table FOR NO KEY UPDATE")  # so that all begin before one ends
    begun, returned = set[PostgresStore](), set[PostgresStore]()

    def ask(claimer: PostgresStore) -> Claim | str:
        run = claimer._run

        def noted(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
            if statement != sql.TAKE:
                return run(statement, parameters)
            begun.add(claimer)
            try:
                return run(statement, parameters)
            finally:
                returned.add(claimer)

        monkeypatch.setattr(claimer, "_run", noted)
        return ask_until_known(claimer, "t")

    threads = [Thread(partial(ask, claimer)) for claimer in claimers]

    def all_wait() -> bool:
        """Tell whether each that has not gone away empty-handed waits for the lock."""
        everybody = len(begun) == len(claimers)
        inside = len(claimers) - len(returned)
        [(waiting,)] = session.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchall()
        return everybody and waiting == inside

    for _ in until(all_wait):
        sleep(0.01)
    session.commit()

    answers = [thread.result() for thread in threads]

    assert owners() == 1
    assert answers.count(Claim.OURS) == 1
    owner = answers.index(Claim.OURS)
    assert {*answers} == {Claim.OURS, f"claimer:{owner}"}
    claimers[owner].append([Entry("t", 1, b"1")])


def test_five_hundred_tables_are_claimed_in_as_many_statements_as_one(
    store: PostgresStore, beside: Beside, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [f"many{number}" for number in range(500)]
    store.create([new(table) for table in ["one", *many]])
    heir = beside()
    heir.open("there:2")
    let_pass(time, LEASE + 1, heir)
    run, statements = heir._run, Counter[str]()

    def counted(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        statements[statement] += 1
        return run(statement, parameters)

    monkeypatch.setattr(heir, "_run", counted)

    assert heir.claim(["one"]) == {"one": Claim.OURS}
    for_one = statements.copy()
    statements.clear()

    assert {*heir.claim(many).values()} == {Claim.OURS}
    assert statements == for_one


def test_a_lease_that_is_far_longer_than_ours_is_told(
    store: PostgresStore, beside: Beside, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    other = beside(lease=20 * LEASE)
    other.open("there:2")
    other.create([new("u")])
    let_pass(time, LEASE + 1, store, other)

    assert store.claim(["u"]) == {"u": Claim.OURS}
    [said] = caplog.messages
    assert said.startswith(
        f"the server at there:2 is declared dead, which was to live for another {20 * LEASE:.0f} s: give"
    )


def test_who_renews_between_two_looks_is_not_fenced(
    store: PostgresStore, beside: Beside, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create([new()])
    other = beside()
    other.open("there:2")
    let_pass(time, LEASE + 1, other)
    dead = other._dead

    def renewed(owners: Iterable[int | None]) -> set[int]:
        store.renew(1)
        return dead(owners)

    monkeypatch.setattr(other, "_dead", renewed)

    assert other.claim(["t"]) == {"t": "here:1"}
    store.append([Entry("t", 1, b"1")])


def test_no_clock_counts_but_that_of_the_database(
    store: PostgresStore, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create([new()])
    with monkeypatch.context() as patched:
        patched.setattr("time.time", lambda: 0.0)
        store.renew(1)
    other = beside()
    other.open("there:2")

    assert other.claim(["t"]) == {"t": "here:1"}


def test_who_is_not_heard_of_once_the_clock_went_back_is_dead_after_a_lease(
    store: PostgresStore, beside: Beside, time: Time
) -> None:
    late, other = beside(), beside()
    late.open("late:2")
    other.open("there:3")
    store.create([new()])
    late.create([new("u")])
    for node in (store, late, other):
        node.renew(1)

    time.now -= 3600
    assert other.renew(0) == [Node("there:3", 0)]
    assert other.claim(["t", "u"]) == {"t": Claim.ASK_AGAIN, "u": Claim.ASK_AGAIN}
    for _ in range(3):
        time.now += LEASE / 2
        late.renew(1)
        other.renew(0)

    assert other.claim(["t", "u"]) == {"t": Claim.OURS, "u": "late:2"}
    with pytest.raises(Lost, match="fenced"):
        store.renew(1)


@pytest.mark.parametrize("seconds", [-3600, 60])
def test_who_has_yet_to_say_that_it_lives_declares_nobody_dead(
    store: PostgresStore, beside: Beside, time: Time, seconds: int
) -> None:
    other = beside()
    other.open("there:2")
    store.create([new()])
    let_pass(time, 100, store, other)

    time.now += seconds  # as after a failover to a host whose clock is behind, or an outage

    assert other.claim(["t"]) == {"t": Claim.ASK_AGAIN}
    store.renew(1)
    other.renew(0)
    assert other.claim(["t"]) == {"t": "here:1"}


def test_nobody_is_taken_for_who_joined_right_before_a_failover(
    store: PostgresStore, beside: Beside, empty: Postgres
) -> None:
    store.create([new()])
    store.append([Entry("t", 1, b"lost")])
    other = beside()
    empty.execute(  # a standby that heard of none of it, or of the table alone
        "TRUNCATE move; UPDATE game_table SET version = 0, owner = NULL; DELETE FROM node;"
        f"SELECT setval(pg_get_serial_sequence('node', 'id'), {store._id}, false)"
    )
    other.open("there:2")
    other.claim(["t"])
    other.append([Entry("t", 1, b"1")])

    with pytest.raises(Lost, match="fenced"):
        store.append([Entry("t", 2, b"2")])
    assert other.load(["t"]) == {"t": Saved(0, b"first", (b"1",))}


def test_a_database_whose_sequences_were_left_behind_goes_on(beside: Beside, empty: Postgres) -> None:
    rules = [beside(), beside(), beside()]
    rules[0].open("here:1", {"Chess": b"old"})
    rules[1].open("there:2", {"Chess": b"new", "Pig": b"new"})
    empty.execute(
        "INSERT INTO node (id, address, since, expires) OVERRIDING SYSTEM VALUE VALUES (1, 'of old', now(), now());"
        "SELECT setval(pg_get_serial_sequence(name, 'id'), 1, false) FROM unnest(ARRAY['node', 'ruleset']) AS name"
    )

    rules[2].open("elsewhere:3", {"Chess": b"newest", "Pig": b"newest"})

    ages = [store._rules or {} for store in rules]
    assert ages[0]["Chess"] < ages[1]["Chess"] < ages[2]["Chess"]
    assert ages[1]["Pig"] < ages[2]["Pig"]


def test_rules_whose_number_another_process_takes_in_the_same_moment_get_the_next(
    beside: Beside, empty: Postgres, session: Session
) -> None:
    store = beside()
    store.open("here:1", {"Chess": b"old", "Pig": b"old"})
    empty.execute("SELECT setval(pg_get_serial_sequence('ruleset', 'id'), 1, false)")
    session.execute(
        "INSERT INTO ruleset (id, game, fingerprint) OVERRIDING SYSTEM VALUE SELECT max(id) + 1, 'Go', '' FROM ruleset"
    )
    before = store._rules or {}
    late = Thread(lambda: store.open("here:1", {"Chess": b"new", "Pig": b"old"}))
    late.wait_for_lock(empty)
    session.commit()

    late.result()

    after = store._rules or {}
    assert after["Pig"] == before["Pig"]
    assert after["Chess"] > max(before.values()) + 1


def test_what_a_failover_lost_is_told_as_that(store: PostgresStore, empty: Postgres) -> None:
    store.create([new()])
    store.append([Entry("t", 1, b"1"), Entry("t", 2, b"2")])
    empty.execute("DELETE FROM move WHERE version = 2; UPDATE game_table SET version = 1")

    with pytest.raises(
        Lost, match="table t lacks its entry 2, which was stored: the database lacks its last commits, as"
    ):
        store.append([Entry("t", 3, b"3")])


def test_the_database_itself_keeps_each_version_once(fresh: str, postgres: Postgres) -> None:
    store = PostgresStore(fresh)
    store.open("here:1")
    store.create([new()])
    store.append([Entry("t", 1, b"1")])
    store.close()

    with pytest.raises(psycopg.errors.UniqueViolation):
        postgres.execute("INSERT INTO move SELECT * FROM move", "fresh")


def test_a_batch_whose_answer_was_lost_is_stored_once(store: PostgresStore, empty: Postgres, session: Session) -> None:
    store.create([new(), new("u")])
    session.execute("SELECT FROM game_table WHERE id = 'u' FOR UPDATE")
    batch = ([Entry("t", 1, b"1"), Entry("u", 1, b"1")], [State("t", 1, b"one", 9.0)], [Listing("u", b"l")])

    with impatient(store, 0.3), pytest.raises(Unavailable, match=r"not available \(no answer for 0.3 s\)"):
        store.append(*batch)
    session.commit()  # now the database goes on with what nobody waits for any more
    store.append(*batch)
    store.append([Entry("t", 2, b"2")])

    loaded = {table: saved._replace(wake=None) for table, saved in store.load(["t", "u"]).items()}
    assert loaded == {"t": Saved(1, b"one", (b"2",)), "u": Saved(0, b"first", (b"1",))}
    assert empty.execute("SELECT count(*) FROM move") == [(3,)]


def test_a_batch_that_is_sent_again_while_the_first_is_under_way_is_stored_once(
    store: PostgresStore, empty: Postgres, session: Session
) -> None:
    store.create([new()])
    begin(session, store, Entry("t", 1, b"1"), Entry("t", 2, b"2"))
    again = Thread(lambda: store.append([Entry("t", 1, b"1"), Entry("t", 2, b"2")]))
    again.wait_for_lock(empty)
    session.commit()

    assert again.result() is None
    assert store.load(["t"]) == {"t": Saved(0, b"first", (b"1", b"2"))}


def test_what_was_sent_before_and_comes_late_changes_nothing(store: PostgresStore, session: Session) -> None:
    store.create([new()])
    store.append([Entry("t", 1, b"1")], [], [Listing("t", b"new")])

    with pytest.raises(psycopg.errors.DivisionByZero):
        begin(session, store, Entry("t", 1, b"1"))


def test_a_lock_that_somebody_keeps_is_not_waited_for_for_ever(store: PostgresStore, session: Session) -> None:
    store.create([new()])
    session.execute("SELECT FROM game_table FOR UPDATE")

    with pytest.raises(Unavailable, match=r"keeps tables of .* locked \(.*lock timeout\): pg_stat_activity shows"):
        store.append([Entry("t", 1, b"1")])
    session.commit()
    store.append([Entry("t", 1, b"1")])


def test_no_setting_outlives_its_statement(store: PostgresStore) -> None:
    store.create([new()])
    store.append([Entry("t", 1, b"1")])

    assert store._link.run("SHOW lock_timeout") == [("0",)]


def test_one_connection_of_a_pooler_carries_several_processes(postgres: Postgres, empty: Postgres) -> None:
    with one_connection(postgres) as port, ExitStack() as stores:
        pair = [PostgresStore(postgres.address(port=port)) for _ in range(2)]
        for number, store in enumerate(pair):
            stores.callback(store.close)
            store.open(f"node:{number}")
            store.create([new(f"t{number}")])
        for version in range(1, 11):
            for number, store in enumerate(pair):
                store.append([Entry(f"t{number}", version, b"x")])

        assert [len(store.load([f"t{number}"])[f"t{number}"].entries) for number, store in enumerate(pair)] == [10, 10]


@contextmanager
def one_connection(postgres: Postgres) -> Generator[int]:
    try:
        pooler = Pooler(postgres, connections=1)
    except Missing as missing:
        pytest.skip(f"the store in PostgreSQL behind a pooler is not tested: {missing}")
    with pooler:
        yield pooler.port


# What is kept, and how long.


def test_without_a_log_entries_go_once_two_states_cover_them(beside: Beside, empty: Postgres) -> None:
    store = beside(keep_log=False)
    store.open("here:1")
    store.create([new(), new("u")])
    store.append([Entry("u", 1, b"u")])
    for version in (1, 2, 3):
        store.append([Entry("t", version, b"x")], [State("t", version, b"s%d" % version)])

    store.append([Entry("t", 3, b"x")], [State("t", 3, b"s3")])
    with pytest.raises(Lost):
        store.append([Entry("t", 3, b"y")])

    assert store.load(["t", "u"]) == {"t": Saved(3, b"s3", ()), "u": Saved(0, b"first", (b"u",))}
    kept = "SELECT game_table, version FROM move ORDER BY 1"
    assert empty.execute(kept) == [("t", 3), ("u", 1)]
    store.append([Entry("t", 4, b"x")])
    store.append([], [State("t", 4, b"s4")])
    assert empty.execute(kept) == [("t", 4), ("u", 1)]


def test_who_died_long_ago_is_forgotten_and_stays_dead(
    store: PostgresStore, beside: Beside, time: Time, empty: Postgres
) -> None:
    store.create([new()])
    time.now += 100_000
    other = beside()
    other.open("there:2")
    time.now += 1000  # until then it cannot tell whose clock is wrong

    other.expire(keep=1e9, waiting=1e9)

    assert empty.execute("SELECT address FROM node") == [("there:2",)]
    with pytest.raises(Lost, match="fenced"):
        store.renew(1)
    assert other.claim(["t"]) == {"t": Claim.OURS}


def plan_among_many_tables(empty: Postgres, statement: str, asked: Mapping[str, object]) -> str:
    """Return how a statement would be answered where there are many tables, few of them old and few that wait."""
    with psycopg.connect(empty.address()) as session:
        session.execute(
            "INSERT INTO game_table SELECT 'x' || n, 'g', 1, 1, 0, 0, '', CASE WHEN n % 2 = 0 THEN ''::bytea END, NULL,"
            " now() - n * interval '1 second', now() - n * interval '1 second', n % 20 = 0"
            " FROM generate_series(1, 5000) AS n"
        )
        session.execute("ANALYZE game_table")
        plan = "\n".join(line for (line,) in session.execute(f"EXPLAIN {statement}".encode(), asked))
        session.rollback()
    return plan


def test_what_is_old_is_found_without_looking_at_what_is_young(store: PostgresStore, empty: Postgres) -> None:
    asked = {"node": store._id, "keep": 4900, "waiting": 3000, "lease": LEASE, "spare": ["u"], "limit": 9}

    plan = plan_among_many_tables(empty, sql.OLD, asked)

    assert "on old_table" in plan
    assert "on listed_table" in plan
    assert "Seq Scan on game_table" not in plan


def test_who_waits_is_found_without_looking_at_all_that_is_listed(store: PostgresStore, empty: Postgres) -> None:
    plan = plan_among_many_tables(empty, sql.OPEN_TABLES, {"game": None, "limit": 10})

    assert "Index Scan using listed_table" in plan
    assert "Sort" not in plan


def test_a_database_without_an_index_gets_it(fresh: str, postgres: Postgres) -> None:
    store = PostgresStore(fresh)
    store.open("here:1")
    store.close()
    postgres.execute("DROP INDEX old_table, due_table", "fresh")

    store.open("here:1")

    found = postgres.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'game_table'", "fresh")
    assert {"old_table", "listed_table", "due_table"} <= {name for (name,) in found}
    store.close()


def test_a_database_in_which_no_index_can_be_made_now_is_served_all_the_same(
    fresh: str, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    store = PostgresStore(fresh)
    store.open("here:1")
    store.close()
    postgres.execute("DROP INDEX old_table, listed_table", "fresh")

    with psycopg.connect(fresh) as session:
        session.execute("LOCK TABLE game_table IN ROW EXCLUSIVE MODE")
        store.open("here:1")
        store.create([new()])
    store.close()

    assert "it takes long to find old, open and due tables where very many are kept, without an index: " in caplog.text


def test_of_very_many_that_are_old_some_are_left_for_the_next_time(
    store: PostgresStore, beside: Beside, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netcode.turns.store.postgres.EXPIRED_AT_ONCE", 3)
    other = beside()
    other.open("there:1")
    other.create([new(f"s{number}") for number in range(5)])
    store.create([new(f"t{number}") for number in range(5)])
    time.now += 200
    other.renew(5)
    asked: list[str] = []
    read: list[int] = []
    run = store._run

    def counting(statement: str, parameters: Any) -> list[Any]:
        rows = run(statement, parameters)
        asked.append(statement)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(store, "_run", counting)

    assert [len(store.expire(keep=100, waiting=100)) for _ in range(3)] == [3, 2, 0]
    assert [rows for statement, rows in zip(asked, read, strict=True) if statement == sql.OLD] == [3, 2, 0]


def test_deleting_stops_after_a_while_since_nothing_else_is_done_meanwhile(
    store: PostgresStore, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netcode.turns.store.postgres.DELETED", 2)
    store.create([new(f"t{number}") for number in range(7)])
    time.now += 200

    with monkeypatch.context() as slow:
        slow.setattr("netcode.turns.store.postgres.EXPIRING", -1.0)  # as where each has very many entries
        assert len(store.expire(keep=100, waiting=100)) == 2
    assert len(store.expire(keep=100, waiting=100)) == 5


def test_a_clock_that_leaps_makes_no_table_old_and_no_process_dead(
    store: PostgresStore, beside: Beside, time: Time, empty: Postgres
) -> None:
    other, dead = beside(), beside()
    other.open("there:1")
    dead.open("nowhere:1")
    store.create([new("t"), new("u", listing=b"waits")])
    store.renew(2)
    month, hour = 30 * 86_400.0, 3600.0

    time.now += 40 * 86_400  # for the database, in which nobody said a word meanwhile
    at_once = store.expire(month, hour)
    store.renew(2)
    soon = store.expire(month, hour)
    other.renew(0)  # whose row is there
    empty.execute("UPDATE node SET since = since - interval '16 minutes'")  # and all the while it was heard

    assert (at_once, soon) == (set(), set())
    assert store.expire(month, hour) == {"t", "u"}
    assert [*empty.execute("SELECT address FROM node ORDER BY id")] == [("here:1",), ("there:1",)]


def test_thousands_are_claimed_loaded_given_back_and_deleted(store: PostgresStore, beside: Beside, time: Time) -> None:
    tables = [f"t{number}" for number in range(1201)]
    store.create([new(table) for table in tables])
    store.append([Entry(table, 1, b"1") for table in tables])
    store.release(tables)
    other = beside()
    other.open("there:2")

    assert other.claim(tables) == dict.fromkeys(tables, Claim.OURS)
    assert other.load(tables) == dict.fromkeys(tables, Saved(0, b"first", (b"1",)))
    time.now += 100
    assert other.expire(keep=50, waiting=50) == {*tables}
    assert other.load(tables) == {}


# What goes wrong.


def test_a_database_that_hangs_is_unavailable_and_comes_back(store: PostgresStore, empty: Postgres) -> None:
    store.create([new()])
    empty.hang()
    try:
        begun = monotonic()
        with impatient(store, 0.3), pytest.raises(Unavailable, match=r"no answer for 0.3 s"):
            store.append([Entry("t", 1, b"1")])
        with pytest.raises(Unavailable, match=r"not available \(connection timeout expired\)"):
            store.append([Entry("t", 1, b"1")])
        assert monotonic() - begun < 30
    finally:
        empty.go_on()

    store.append([Entry("t", 1, b"1")])
    assert store.load(["t"]) == {"t": Saved(0, b"first", (b"1",))}


def test_behind_a_lock_that_is_kept_for_long_one_process_waits_once(
    store: PostgresStore, empty: Postgres, session: Session
) -> None:
    store.create([new()])
    session.execute("LOCK TABLE move IN ACCESS EXCLUSIVE MODE")  # as VACUUM FULL has it

    with impatient(store, 0.1), pytest.raises(Unavailable, match=r"no answer for 0.1 s"):
        store.append([Entry("t", 1, b"1")])
    for _ in range(3):
        with pytest.raises(
            Unavailable, match=r"not available \(it is still at what it was asked before; pg_stat_activity"
        ):
            store.append([Entry("t", 1, b"1")])
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    assert len(empty.execute(waiting)) == 1
    store.renew(1)  # else it would lose all that it has
    session.commit()

    for _ in until(lambda: not empty.execute(waiting)):
        sleep(0.01)
    store.append([Entry("t", 1, b"1")])
    store.append([Entry("t", 2, b"2")])
    assert store.load(["t"]) == {"t": Saved(0, b"first", (b"1", b"2"))}


def test_an_interrupt_in_the_middle_of_an_answer_costs_the_connection_and_nothing_else(
    store: PostgresStore, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create([new()])
    session.execute("SELECT FROM game_table FOR UPDATE")

    def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("netcode.turns.store.postgres_link._ready", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.append([Entry("t", 1, b"1")])
    session.commit()  # the database goes on with it

    store.append([Entry("t", 1, b"1")])
    assert store.load(["t"]) == {"t": Saved(0, b"first", (b"1",))}


def test_a_forked_child_says_nothing_to_the_database_and_its_parent_goes_on(store: PostgresStore) -> None:
    store.create([new()])
    child = os.fork()
    if child == 0:
        try:
            with pytest.raises(Lost, match="this store is not open"):
                store.append([Entry("t", 1, b"of the child")])
            store.close()
            gc.collect()
            os._exit(0)
        finally:
            os._exit(1)

    assert os.waitpid(child, 0)[1] == 0
    store.append([Entry("t", 1, b"1")])
    assert store.renew(1) == [Node("here:1", 1)]


def test_a_connection_that_broke_is_made_anew(store: PostgresStore, empty: Postgres) -> None:
    store.create([new()])
    empty.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'netcode'")

    with pytest.raises(Unavailable, match="is not available"):
        store.append([Entry("t", 1, b"1")])
    store.append([Entry("t", 1, b"1")])


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("53100", r"the disk of 127.0.0.1:\d+/postgres is full; free some space"),
        ("57P01", r"the database 127.0.0.1:\d+/postgres is not available \(it did\); the games go on"),
        ("XX001", r"is not available \(it did\)"),
        ("58030", r"is not available \(it did\)"),
        ("40P01", r"could not do it in time \(it did\)"),
        ("25P04", r"is not available \(it did\)"),  # transaction_timeout
        ("54000", r"is not available \(it did\)"),  # before its numbers of transactions run out
    ],
)
def test_a_misfortune_has_its_sentence_and_the_same_again_succeeds(
    store: PostgresStore, empty: Postgres, code: str, text: str
) -> None:
    store.create([new()])
    with failing(empty, code), pytest.raises(Unavailable, match=text) as raised:
        store.append([Entry("t", 1, b"1")])

    because = ", because the disk is full" if code == "53100" else ""
    assert raised.value.told == f"nothing can be stored at present{because}; the game goes on when it can"
    store.append([Entry("t", 1, b"1")])


def test_a_table_whose_entries_somebody_deleted_says_so_and_hides_no_other(
    store: PostgresStore, empty: Postgres
) -> None:
    store.create([new(), new("u")])
    store.append([Entry("t", 1, b"1"), Entry("t", 2, b"2")])
    empty.execute("DELETE FROM move WHERE version = 1")

    assert store.load(["t", "u"]) == {
        "t": Saved(0, b"", (), None, "entries after its state are missing"),
        "u": Saved(0, b"first", ()),
    }


def test_a_bug_of_ours_is_not_excused(store: PostgresStore, empty: Postgres) -> None:
    store.create([new()])
    with failing(empty, "P0001"), pytest.raises(psycopg.errors.RaiseException):
        store.append([Entry("t", 1, b"1")])
    with pytest.raises(psycopg.ProgrammingError):
        store.append([Entry("t", 1, object())])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    assert store.load(["t"]) == {"t": Saved(0, b"first", ())}


@contextmanager
def failing(server: Postgres, code: str) -> Generator[None]:
    """Let whoever stores an entry fail with an error of PostgreSQL's list."""
    raises = f"BEGIN RAISE EXCEPTION 'it did' USING ERRCODE = '{code}'; END"
    server.execute(f"CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $${raises}$$")
    server.execute("CREATE TRIGGER fails BEFORE INSERT ON move EXECUTE FUNCTION fails()")
    try:
        yield
    finally:
        server.execute("DROP FUNCTION fails CASCADE")


def test_a_batch_that_never_fits_what_is_stored_is_given_up_for_now(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create([new()])
    monkeypatch.setattr(store, "_append", "SELECT 1 / %(tables)s - 1 / 0 FROM node")

    with pytest.raises(Unavailable, match=r"changes while it is being compared"):
        store.append([Entry("t", 1, b"1")])


@pytest.fixture
def fresh(postgres: Postgres) -> Iterator[str]:
    """Return the address of a database in which nothing was made."""
    postgres.execute("CREATE DATABASE fresh")
    yield postgres.address("fresh")
    postgres.execute("DROP DATABASE fresh WITH (FORCE)")


def test_all_who_open_a_new_database_at_once_find_its_tables(fresh: str) -> None:
    stores = [PostgresStore(fresh) for _ in range(6)]
    threads = [Thread(lambda store=store: store.open("here:1", {"Chess": b"rules"})) for store in stores]  # type: ignore[misc]

    assert [thread.result() for thread in threads] == [None] * 6
    assert len(stores[0].renew(0)) == 6
    assert len({store._rules["Chess"] for store in stores if store._rules is not None}) == 1
    for store in stores:
        store.close()


def test_a_database_of_version_1_learns_whose_game_has_begun(fresh: str, postgres: Postgres) -> None:
    first, second = PostgresStore(fresh), PostgresStore(fresh)
    try:
        first.open("first:1")
        first.create([new()])
        postgres.execute("ALTER TABLE game_table DROP COLUMN waits; UPDATE netcode_store SET version = 1", "fresh")
        second.open("second:1")

        first.append([Entry("t", 1, b"1")], [], [Listing("t", b"b", waits=False)])
        found = postgres.execute("SELECT s.version, waits FROM netcode_store AS s, game_table", "fresh")
        assert found == [(sql.VERSION, False)]
    finally:
        first.close()
        second.close()


def test_tables_that_somebody_reads_for_long_are_not_waited_for_to_become_newer(fresh: str, postgres: Postgres) -> None:
    store = PostgresStore(fresh)
    store.open("here:1")
    store.close()
    postgres.execute("UPDATE netcode_store SET version = 1", "fresh")
    with psycopg.connect(fresh) as session:
        session.execute("SELECT FROM game_table")  # as a backup does

        with pytest.raises(
            Unavailable, match=r"keeps tables of .* locked \(.*lock timeout\): .* start again after that"
        ):
            store.open("here:1")
    assert postgres.execute("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == []
    store.open("here:1")
    store.close()


def test_a_database_of_a_newer_version_is_left_alone(fresh: str, postgres: Postgres) -> None:
    store = PostgresStore(fresh)
    store.open("here:1")
    store.close()
    postgres.execute("UPDATE netcode_store SET version = 9", "fresh")

    with pytest.raises(Unavailable, match=r"/fresh was written by a newer netcode .*version 9, this one knows 2"):
        store.open("here:1")


def test_a_release_of_postgresql_that_is_too_old_is_said_at_the_start(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "OLDEST", 99)

    with pytest.raises(Unavailable, match=r"^127.0.0.1:\d+/postgres is PostgreSQL \d\d; update it to 99 or later$"):
        beside().open("here:1")


def test_the_database_of_another_program_is_left_alone(fresh: str, postgres: Postgres) -> None:
    postgres.execute("CREATE TABLE move (house text)", "fresh")

    with pytest.raises(Unavailable, match="/fresh has tables of another program; give this server a database"):
        PostgresStore(fresh).open("here:1")
    assert postgres.execute("SELECT to_regclass('game_table')", "fresh") == [(None,)]


def test_a_database_that_cannot_keep_every_name_is_refused_and_told_how_its_tables_go_along(postgres: Postgres) -> None:
    postgres.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
    refused = "/latin cannot keep every name, since its encoding is LATIN1; give this server a database with UTF8: "
    make = "createdb --template template0 --encoding UTF8"
    try:
        with pytest.raises(Unavailable, match=f"{refused}{make}$"):
            PostgresStore(postgres.address("latin")).open("here:1")
        postgres.execute("CREATE TABLE netcode_store (version int NOT NULL)", "latin")  # of a version that took it
        with pytest.raises(
            Unavailable, match=rf"{refused}{make} NEW, and take the tables along: pg_dump OLD \| psql NEW"
        ):
            PostgresStore(postgres.address("latin")).open("here:1")
    finally:
        postgres.execute("DROP DATABASE latin WITH (FORCE)")


def test_a_time_of_ages_is_no_time_to_be_deleted_after(store: PostgresStore) -> None:
    store.create([new()])

    assert store.expire(1e300, 1e12) == set()


def test_a_database_without_a_schema_or_some_of_its_tables_is_said_at_the_start(fresh: str, postgres: Postgres) -> None:
    store = PostgresStore(fresh)
    postgres.execute("ALTER DATABASE fresh SET search_path = nowhere")
    with pytest.raises(Unavailable, match=r"/fresh has no schema for new tables; create one that the search_path"):
        store.open("here:1")

    postgres.execute("ALTER DATABASE fresh RESET search_path")
    store.open("here:1")
    postgres.execute("DROP TABLE node", "fresh")
    with pytest.raises(Unavailable, match=r"/fresh lacks some of its tables; restore them from a copy, or"):
        store.open("here:1")


def test_tables_that_somebody_dropped_are_lost(fresh: str, postgres: Postgres) -> None:
    store = PostgresStore(fresh)
    store.open("here:1")
    store.create([new()])
    postgres.execute("DROP TABLE node", "fresh")

    with pytest.raises(Lost, match=r"the tables in .*/fresh are gone; start the server again"):
        store.append([Entry("t", 1, b"1")])
    store.close()


def test_a_database_that_may_only_be_read_is_said(fresh: str, postgres: Postgres) -> None:
    store = PostgresStore(fresh)
    store.open("here:1")
    store.close()
    postgres.execute("ALTER DATABASE fresh SET default_transaction_read_only = on")

    with pytest.raises(Unavailable, match="/fresh may only be read: it is a standby; give the address of the primary"):
        store.open("here:1")


def test_a_user_who_may_make_no_tables_is_said(fresh: str, postgres: Postgres) -> None:
    postgres.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    try:
        postgres.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC", "fresh")
        with pytest.raises(Unavailable, match=r"the user of .*/fresh may not do this \(permission denied .*owner"):
            PostgresStore(f"postgresql://guest:guest@127.0.0.1:{postgres.port}/fresh").open("here:1")
    finally:
        postgres.execute("DROP ROLE guest")


def test_answers_before_the_sync_are_warned_of(empty: Postgres, caplog: pytest.LogCaptureFixture) -> None:
    store = PostgresStore(empty.address() + "?options=-csynchronous_commit%3Doff")
    store.open("here:1")
    store.close()

    assert "answers before it has synced (synchronous_commit is off)" in caplog.text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ((quote(PASSWORD, safe=""), "wr%40ng"), "password authentication failed"),
        (("/postgres", "/nowhere"), 'database "nowhere" does not exist'),
        ((f"{USER}:", "nobody-known:"), "authentication failed"),
        (
            ("/postgres", "/postgres?connect_timeout=long"),
            r"is not available \(bad value for connect_timeout: 'long'\)",
        ),
    ],
)
def test_what_cannot_be_entered_is_said_without_the_password(
    empty: Postgres, change: tuple[str, str], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "netcode")
    store = PostgresStore(empty.address().replace(*change))

    with pytest.raises(Unavailable, match=text) as raised:
        store.open("here:1")

    said = "".join([*traceback.format_exception(raised.value), repr(store), caplog.text])
    assert not any(secret in said for secret in ("wr@ng", "wr%40ng", PASSWORD, quote(PASSWORD, safe="")))


def test_a_port_at_which_nobody_listens_is_said() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        store = PostgresStore(f"postgresql://127.0.0.1:{unused.getsockname()[1]}/games")
        with pytest.raises(
            Unavailable, match=r"the database 127.0.0.1:\d+/games is not available \(.*efused.*\); start again once"
        ):
            store.open("here:1")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:se/cret@host/games",
        "postgresql://ann:se#cret@[host/games",
        "postgresql://ann:se cret%zz@host/games",
        "postgresql://ann@host:secret/games",
        "postgresql://host/games?secret=1",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(address: str) -> None:
    with pytest.raises(
        ValueError, match="the address of a PostgreSQL database is postgresql://user:password@"
    ) as raised:
        PostgresStore(address).open("here:1")

    said = "".join(traceback.format_exception(raised.value))
    assert "secret" not in said
    assert "cret@" not in said


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("postgresql://ann:secret@one:1,two:2/games?target_session_attrs=read-write", "one,two:1,2/games"),
        ("postgres://ann@/games?host=/run/pg", "/run/pg/games"),
        ("postgresql:///games", "this machine/games"),
    ],
)
def test_an_address_of_postgresql_makes_such_a_store(address: str, name: str) -> None:
    assert repr(open_store(address)) == f"<PostgresStore {name}>"


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("postgres", "postgres_link"):
        monkeypatch.delitem(sys.modules, f"netcode.turns.store.{module}")
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ImportError, match=r'needs psycopg: python -m pip install "netcode\[postgres\]"'):
        open_store("postgresql://localhost/games")


def test_opening_a_database_in_a_file_brings_no_driver() -> None:
    script = (
        "import sys, netcode.turns; from netcode.turns.store.opening import open_store; open_store('x.db'); open_store(None);"
        "print(*sorted(sys.modules))"
    )

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)

    assert {"psycopg", "asyncio"} & {*loaded.stdout.split()} == set()


# Each of these bugs is found by the test that is named beside it.

JOINED = f"""
WITH {sql.FENCE}, free AS (
    SELECT g.id FROM game_table AS g LEFT JOIN node ON node.id = g.owner
    WHERE g.id = ANY(%(ids)s::text[]) AND (node.id IS NULL OR node.fenced) FOR NO KEY UPDATE OF g
), taken AS (UPDATE game_table AS g SET owner = fence.id FROM free, fence WHERE g.id = free.id)
SELECT count(*) FROM fence
"""
"""Under the lock, whom the table belongs to is new, and who that is and whether he is dead is as it was before."""

PLANTED: dict[str, tuple[Callable[..., None], dict[str, str]]] = {
    "a lock that does not keep others from fencing": (
        test_nobody_is_fenced_while_it_writes,
        {"FOR SHARE OF node": "FOR KEY SHARE OF node"},
    ),
    "a fence that is looked at and not locked": (test_nobody_is_fenced_while_it_writes, {"FOR SHARE OF node": ""}),
    "no fence": (
        test_who_is_fenced_before_it_may_write_writes_nothing,
        {"AND NOT fenced FOR SHARE OF node": "FOR SHARE OF node"},
    ),
    "versions that are not compared": (
        test_what_was_sent_before_and_comes_late_changes_nothing,
        {"AND (batch.before IS NULL OR g.version = batch.before)": ""},
    ),
    "no key on versions": (
        test_the_database_itself_keeps_each_version_once,
        {"L,\n    PRIMARY KEY (game_table, version)": "L"},
    ),
    "owners that are not compared": (
        SharedStoreContract.test_what_is_not_ours_cannot_be_written,
        {"AND g.owner = fence.id": ""},
    ),
    "a batch that is stored in part": (
        SharedStoreContract.test_what_is_not_ours_cannot_be_written,
        {"1 / (count(*) = %(tables)s)::int": "count(*)"},
    ),
    "an older state that replaces a newer one": (
        SharedStoreContract.test_an_older_state_changes_nothing,
        {"g.state_version < batch.at OR (g.state_version, g.state) = (batch.at, batch.state)": "true"},
    ),
    "entries loaded that a state covers": (
        SharedStoreContract.test_a_state_is_where_loading_starts,
        {" AND move.version > g.state_version": ""},
    ),
    "the last batch dropped with those before": (
        test_without_a_log_entries_go_once_two_states_cover_them,
        {"move.version <= before.state_version": "move.version <= batch.at"},
    ),
    "a join under the lock": (test_of_six_who_claim_at_once_one_has_the_table, {sql.TAKE: JOINED}),
    "a claim that waits": (test_a_claim_does_not_wait_for_who_writes, {" SKIP LOCKED": ""}),
    "fencing somebody who renewed meanwhile": (
        test_who_renews_between_two_looks_is_not_fenced,
        {
            f"AND NOT fenced AND NOT expires {sql.ALIVE_UNTIL} FOR": "FOR",
            f"AND NOT node.fenced AND NOT node.expires {sql.ALIVE_UNTIL}": "",
        },
    ),
    "fencing everybody after an outage": (
        SharedStoreContract.test_who_was_away_as_well_lets_others_come_back_first,
        {
            "AND (node.expires > me.since AND node.expires <= now() "
            "OR me.since + %(lease)s * interval '1 second' < now())": ""
        },
    ),
    "giving back what others have": (
        SharedStoreContract.test_nobody_gives_back_what_others_have,
        {"WHERE id = ANY(%(ids)s::text[]) AND owner = %(node)s": "WHERE id = ANY(%(ids)s::text[])"},
    ),
    "deleting what others have": (
        SharedStoreContract.test_tables_of_others_who_live_do_not_expire,
        {
            f"g.owner, coalesce(NOT node.fenced AND node.expires {sql.ALIVE_UNTIL}, false)": "g.owner, false",
            "AND (g.owner IS NULL OR g.owner = ANY(%(owners)s::bigint[]))": "",
        },
    ),
    "the clock of the process": (
        test_no_clock_counts_but_that_of_the_database,
        {"now() + %(lease)s": "to_timestamp(process_clock) + %(lease)s"},
    ),
    "fencing all others once the clock goes back": (
        test_who_is_not_heard_of_once_the_clock_went_back_is_dead_after_a_lease,
        {"node.expires > me.since AND node.expires <= now() OR": "node.expires > me.since OR"},
    ),
    "a setting of the session": (test_no_setting_outlives_its_statement, {"'2s', true": "'2s', false"}),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(bug: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    test, changes = PLANTED[bug]
    done = set[str]()

    def plant(run: Callable[..., Any]) -> Callable[..., Any]:
        def planted(self: Any, statement: str, *parameters: Any, **how: Any) -> Any:
            for old, changed in changes.items():
                if old in statement:
                    done.add(old)
                    statement = statement.replace(old, changed.replace("process_clock", str(time_module.time())))
            return run(self, statement, *parameters, **how)

        return planted

    monkeypatch.setattr(PostgresStore, "_run", plant(PostgresStore._run))
    monkeypatch.setattr(Link, "run", plant(Link.run))  # by which the tables are made
    wanted = [name for name in inspect.signature(test).parameters if name != "self"]
    fixtures = {name: request.getfixturevalue(name) for name in wanted}
    if "self" in inspect.signature(test).parameters:
        test = partial(test, SharedStoreContract())

    with pytest.raises((AssertionError, Lost, Unavailable, psycopg.Error, pytest.fail.Exception)) as raised:
        test(**fixtures)
    assert done == {*changes}
    assert not isinstance(raised.value, psycopg.ProgrammingError)  # what was planted is no SQL
