"""The two stores fulfil the contract, the contract finds what is planted, and SQLite says what is wrong with a file."""

import errno
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from programs import ROOT

from netcode.turns.store import Claim, Entry, Listing, Lost, NewTable, Node, Saved, State, Store, Unavailable, file_lock
from netcode.turns.store.memory import MemoryStore
from netcode.turns.store.opening import name_of, open_store
from netcode.turns.store.sqlite import SqliteStore
from netcode.turns.store.sqlite_sql import APPLICATION, OLD, SCHEMA, VERSION
from turns.store_contract import LEASE, SharedStoreContract, StoreContract, Time, new


@pytest.fixture
def time() -> Time:
    return Time()


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self, time: Time) -> Store:
        store = MemoryStore(clock=time)
        store.open("here:1")
        return store


class TestSharedMemory(SharedStoreContract):
    @pytest.fixture
    def store(self, time: Time) -> MemoryStore:
        store = MemoryStore(clock=time, lease=LEASE)
        store.open("here:1")
        return store

    @pytest.fixture
    def beside(self, store: MemoryStore) -> Callable[[], Store]:
        return store.neighbour


class TestSqlite(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path, time: Time) -> Iterator[Store]:
        store = SqliteStore(tmp_path / "games.db", clock=time)
        store.open("here:1")
        yield store
        store.close()


class ForgetsTheBatch(MemoryStore):
    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        """Say that it is stored, and store nothing."""


class TearsBatches(MemoryStore):
    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        for entry in entries:
            super().append([entry])
        super().append([], states, listings)


class RefusesRepetition(MemoryStore):
    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        if any(entry.version <= self._shelf.rows[entry.table].version for entry in entries):
            raise Lost("again")
        super().append(entries, states, listings)


class TakesAnything(MemoryStore):
    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        self._write(entries, states, listings)


class MakesTwice(MemoryStore):
    def create(self, tables: Sequence[NewTable]) -> set[str]:
        for table in tables:
            self._shelf.rows.pop(table.table, None)
        return super().create(tables)


class SparesNobody(MemoryStore):
    def expire(self, keep: float, waiting: float, spare: Collection[str] = ()) -> set[str]:
        return super().expire(keep, waiting)


class FencesNobody(MemoryStore):
    def _check(self) -> Any:
        return self._shelf.nodes[self._id]


class TakesFromTheLiving(MemoryStore):
    def _lives(self, node: Any) -> bool:
        return node is self._shelf.nodes.get(self._id)


class NeverLetsGo(MemoryStore):
    def _lives(self, node: Any) -> bool:
        return not node.fenced


class KnowsNoRules(MemoryStore):
    def open(self, address: str, rules: Mapping[str, bytes] | None = None) -> None:
        super().open(address)


class WakesAtOnce(MemoryStore):
    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        now = [one._replace(wake=None if one.wake is None else 0.0) for one in states]
        super().append(entries, now, listings)


class LoadsCoveredEntries(MemoryStore):
    def load(self, tables: Collection[str]) -> dict[str, Saved]:
        rows = self._shelf.rows
        return {
            table: saved._replace(entries=tuple(rows[table].entries.values()))
            for table, saved in super().load(tables).items()
        }


@pytest.mark.parametrize(
    "planted",
    [
        ForgetsTheBatch,
        TearsBatches,
        RefusesRepetition,
        TakesAnything,
        MakesTwice,
        SparesNobody,
        LoadsCoveredEntries,
        FencesNobody,
        TakesFromTheLiving,
        NeverLetsGo,
        KnowsNoRules,
        WakesAtOnce,
    ],
)
def test_the_contract_finds_what_is_planted(planted: type[MemoryStore]) -> None:
    found: list[str] = []
    for name in filter(lambda name: name.startswith("test"), dir(SharedStoreContract)):
        test: Callable[..., None] = getattr(SharedStoreContract(), name)
        cases: list[Any] = next((mark.args[1] for mark in getattr(test, "pytestmark", [])), [()])
        for case in cases:
            time = Time()
            store = planted(clock=time, lease=LEASE)
            store.open("here:1")
            more: Any = {"time": time} if "time" in test.__code__.co_varnames else {}
            if "beside" in test.__code__.co_varnames:
                more["beside"] = store.neighbour
            try:
                test(store, *(case if isinstance(case, tuple) else [case]), **more)
            except (AssertionError, Lost, KeyError, pytest.fail.Exception):
                found.append(name)

    assert found != []


def test_the_plain_store_passes_the_search_for_what_is_planted() -> None:
    with pytest.raises(AssertionError):
        test_the_contract_finds_what_is_planted(MemoryStore)


def test_a_store_that_opens_takes_over_from_the_one_before() -> None:
    first = MemoryStore()
    first.open("one:1")
    first.create([new()])
    second = first.successor()
    second.open("two:1")

    with pytest.raises(Lost, match="another process has taken its tables over"):
        first.append([Entry("t", 1, b"late")])
    assert second.load(["t"]) == {"t": Saved(0, b"first", ())}


@pytest.mark.parametrize("kind", [MemoryStore, SqliteStore])
def test_without_a_log_entries_go_once_two_states_cover_them(kind: type[Store], tmp_path: Path) -> None:
    store = MemoryStore(keep_log=False) if kind is MemoryStore else SqliteStore(tmp_path / "games.db", keep_log=False)
    store.open("here:1")
    store.create([new()])
    for version in (1, 2, 3):
        store.append([Entry("t", version, b"x")], [State("t", version, b"s%d" % version)])

    store.append([Entry("t", 3, b"x")], [State("t", 3, b"s3")])
    with pytest.raises(Lost):
        store.append([Entry("t", 3, b"y")])

    assert store.load(["t"]) == {"t": Saved(3, b"s3", ())}
    if isinstance(store, MemoryStore):
        kept = sorted(store._shelf.rows["t"].entries)
    else:
        assert isinstance(store, SqliteStore)
        kept = [version for (version,) in store._connected().execute("SELECT version FROM move ORDER BY version")]
    assert kept == [3]
    store.close()


def test_a_path_is_a_database_and_nothing_is_memory(tmp_path: Path) -> None:
    store = MemoryStore()

    assert open_store(store) is store
    assert isinstance(open_store(None), MemoryStore)
    assert repr(open_store(tmp_path / "g.db")) == f"<SqliteStore {tmp_path / 'g.db'}>"
    with pytest.raises(TypeError, match="store must be the path of a database, a Store, or None, not int"):
        open_store(7)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("where", ["mysql://u:secret@h/games", "Postgresql://u:secret@h/games", "sqlite:///games.db"])
def test_an_address_that_is_no_store_s_is_no_path_and_tells_no_secret(where: str) -> None:
    with pytest.raises(ValueError, match=r"^no store is at \w+://; store is the path of a database, or postgresql://"):
        open_store(where)


@pytest.mark.parametrize(
    "where",
    [
        "host=db.example dbname=games password=secret",
        "port=6432\nhost = db password=secret",
        "sslmode=require dbname=games",
        " user = ann port=5432",
        "connect_timeout=3 user=ann",
        "service=games",
    ],
)
def test_the_other_spelling_of_an_address_is_no_path_and_tells_no_secret(where: str) -> None:
    with pytest.raises(
        ValueError, match=r"^store is the path of a database, or postgresql://user@host/name; what is"
    ) as raised:
        open_store(where)

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", ["user=list.db", "ghost=3.db", "turns of user.db"])
def test_a_file_is_not_taken_for_an_address_because_of_a_sign_in_its_name(name: str) -> None:
    assert isinstance(open_store(name), SqliteStore)


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("games.db", "games.db"),
        ("postgresql://db.example/games", "postgresql://db.example/games"),
        ("postgresql://ann:s3@cr/et@db.example:5432/games", "postgresql://db.example:5432/games"),
        ("postgresql://db.example/games?password=s3cret", "postgresql://db.example/games"),
    ],
)
def test_a_store_is_shown_without_its_secrets(store: str, shown: str) -> None:
    assert name_of(store) == shown


@pytest.mark.parametrize("where", ["memory", ":memory:", Path(":memory:")])
def test_what_others_call_memory_is_no_file(where: str | Path) -> None:
    with pytest.raises(ValueError, match=r"^store=None keeps tables in memory; .* another name than :?memory"):
        open_store(where)


NO_WINDOWS = pytest.mark.skipif(sys.platform == "win32", reason="a name is UTF-16 there, and this is a half of one")


@pytest.mark.parametrize("where", ["", ".", "/", "games\0.db", pytest.param("\ud800", marks=NO_WINDOWS)])
def test_what_names_no_file_is_no_store(where: str) -> None:
    text = re.escape(f"store must be the path of a database, and {where!r} names no file")
    with pytest.raises(ValueError, match=f"^{text}"):
        open_store(where)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "games.db")
    store.open("here:1")
    store.create([new()])
    yield store
    store.close()


def test_what_is_committed_is_synced(opened: SqliteStore) -> None:
    database = opened._connected()

    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_second_server_is_refused_at_the_start(opened: SqliteStore) -> None:
    second = SqliteStore(opened._path)

    with pytest.raises(Unavailable, match=r"games\.db is in use by another server; stop that one"):
        second.open("there:1")
    opened.close()
    second.open("there:1")
    assert second.load(["t"]) == {"t": Saved(0, b"first", ())}
    second.close()


def taken_over(script: str, path: Path) -> str:
    """Have a script open a database, be refused it until that process is killed, and return what the script said first."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=pipe, stdout=pipe, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        store = SqliteStore(path)
        with pytest.raises(Unavailable, match="in use by another server"):
            store.open("here:1")
        process.kill()
        process.wait()

        store.open("here:1")
        store.close()
    return said


@pytest.mark.process
def test_a_second_process_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom netcode.turns.store.sqlite import SqliteStore\n"
        "s = SqliteStore(sys.argv[1]); s.open('x'); print('open', flush=True); time.sleep(60)"
    )
    assert taken_over(script, tmp_path / "games.db") == "open\n"


def test_a_database_that_is_locked_at_the_start_promises_no_games(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netcode.turns.store.sqlite.BUSY", 0.0)
    path = tmp_path / "games.db"
    with closing(SqliteStore(path)) as store:
        store.open("here:1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(Unavailable, match=r"keeps .*games\.db locked; close it, and start again$"):
            SqliteStore(path).open("here:1")


def test_a_full_disk_is_said_and_nothing_of_the_batch_is_there(opened: SqliteStore) -> None:
    opened.append([Entry("t", 1, b"1")])
    [(pages,)] = opened._connected().execute("PRAGMA page_count")
    opened._connected().execute(f"PRAGMA max_page_count = {pages}")
    batch = [Entry("t", 2, b"small"), Entry("t", 3, bytes(100_000))]

    with pytest.raises(Unavailable, match=r"the disk of .*games\.db is full; free some space"):
        opened.append(batch)
    assert opened.load(["t"]) == {"t": Saved(0, b"first", (b"1",))}
    opened._connected().execute("PRAGMA max_page_count = 100000")
    opened.append(batch)

    assert len(opened.load(["t"])["t"].entries) == 3


def test_a_locked_file_is_said(opened: SqliteStore) -> None:
    other = sqlite3.connect(opened._path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match=r"another program keeps .*games\.db locked; close it"):
        opened.append([Entry("t", 1, b"1")])
    other.close()
    opened.append([Entry("t", 1, b"1")])

    assert opened.load(["t"]) == {"t": Saved(0, b"first", (b"1",))}


@pytest.mark.parametrize("beside", ["DELETE FROM game_table", "UPDATE game_table SET version = 7"])
def test_a_table_that_was_written_beside_us_is_lost(opened: SqliteStore, beside: str) -> None:
    opened.append([Entry("t", 1, b"1")], [State("t", 1, b"one")])
    other = sqlite3.connect(opened._path, isolation_level=None)
    other.execute(beside)
    other.close()

    with pytest.raises(Lost, match="another process"):
        opened.append([Entry("t", 2, b"2")], [State("t", 2, b"two")])


def test_what_is_known_of_a_table_is_kept_no_longer_than_it_is_ours(opened: SqliteStore) -> None:
    opened.append([Entry("t", 1, b"1")])
    assert opened._claimed["t"] is not None

    opened.release(["t"])

    assert not opened._claimed
    opened.claim(["t"])
    opened.append([Entry("t", 2, b"2")])
    assert opened._claimed["t"] is not None


def test_a_table_of_which_it_is_not_known_whether_it_was_made_is_made(opened: SqliteStore) -> None:
    class Answers(sqlite3.Connection):
        """Stores it, and says that it did not."""

        lost = False

        def execute(self, sql: str, *parameters: Any) -> Any:
            done = super().execute(sql, *parameters)
            if sql == "COMMIT" and self.lost:
                raise _locked()
            return done

    opened._connected().close()
    database = opened._database = sqlite3.connect(opened._path, isolation_level=None, factory=Answers)
    database.lost = True
    with pytest.raises(Unavailable):
        opened.create([new("u")])
    database.lost = False

    assert opened.create([new("u")]) == {"u"}
    opened.append([Entry("u", 1, b"1")])


def _locked() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "games.db"
    path.write_bytes(b"certainly not a database" * 100)

    with pytest.raises(Unavailable, match=r"games\.db is damaged, or no database"):
        SqliteStore(path).open("here:1")
    assert path.read_bytes().startswith(b"certainly")


def test_a_copy_that_is_put_back_beside_what_a_crash_left_is_taken_once_that_is_deleted(tmp_path: Path) -> None:
    path, copy, crashed = tmp_path / "games.db", tmp_path / "copy.db", tmp_path / "crashed.db"
    store = SqliteStore(path)
    store.open("here:1")
    store.create([new(f"t{n}", state=bytes(300)) for n in range(30)])
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"VACUUM INTO '{copy}'")
    for version in range(1, 40):
        store.append([Entry(f"t{n}", version, bytes(200)) for n in range(30)])
    for end in ("-wal", "-shm"):
        shutil.copy(f"{path}{end}", f"{crashed}{end}")
    store.close()

    store = SqliteStore(crashed)
    shutil.copy(copy, crashed)
    with pytest.raises(Unavailable, match="delete the files with -wal and -shm beside it, put a copy from before"):
        store.open("here:1")
    for end in ("-wal", "-shm"):
        Path(f"{crashed}{end}").unlink(missing_ok=True)
    shutil.copy(copy, crashed)
    store.open("here:1")
    assert len(store.load([f"t{n}" for n in range(30)])) == 30
    store.close()


def test_a_damaged_page_is_said(tmp_path: Path) -> None:
    path = tmp_path / "games.db"
    store = SqliteStore(path)
    store.open("here:1")
    store.create([new(f"t{n}", state=bytes(2000)) for n in range(50)])
    store.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)

    with pytest.raises(Unavailable, match="is damaged, or no database"):  # noqa: PT012 - whichever call gets there
        store.open("here:1")
        store.load([f"t{n}" for n in range(50)])
    store.close()


def test_tables_that_are_not_as_we_made_them_are_said_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "games.db"
    store = SqliteStore(path)
    store.open("here:1")
    store.close()
    data = path.read_bytes()

    for before, after in (
        (b" entry.version AS", b" entry.vErzion AS"),
        (b" listing BLOB", b" lixting BLOB"),
        (b"CREATE INDEX due_table", b"CREATE INDEX due_tabl\xe9"),
        (b"CREATE INDEX due_table", b"CRE\xbeTE INDEX due_table"),
        (data[40:48], data[40:47] + b"\x09"),  # the format of its schema
    ):
        assert before in data
        path.write_bytes(data.replace(before, after))
        with pytest.raises(Unavailable, match=r"games\.db is damaged, or no database: delete the files"):
            store.open("here:1")


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE game_table SET state = 'text'", "its state is not what was stored"),
        ("UPDATE game_table SET wake = 'soon'", "its state is not what was stored"),
        ("UPDATE game_table SET version = 'two'", "its versions are not those of a table"),
        ("UPDATE game_table SET state_version = 7", "its versions are not those of a table"),
        ("UPDATE game_table SET version = 3", "entries after its state are missing"),
        ("DELETE FROM entry WHERE version = 1", "entries after its state are missing"),
        ("UPDATE entry SET body = 'text'", "an entry is not what was stored"),
    ],
)
def test_a_damaged_row_says_so_and_hides_no_other(opened: SqliteStore, damage: str, found: str) -> None:
    opened.append([Entry("t", 1, b"1"), Entry("t", 2, b"2")])
    opened._connected().execute(damage)
    opened.create([new("u")])

    assert opened.load(["t", "u"]) == {"t": Saved(0, b"", (), None, found), "u": Saved(0, b"first", ())}


def test_damaged_ids_and_listings_hide_no_others(opened: SqliteStore) -> None:
    opened.create([new(table, listing=b"l") for table in "abcd"])
    database = opened._connected()
    database.execute("UPDATE game_table SET id = CAST(x'ff61' AS TEXT), wake = 0 WHERE id = 'a'")
    database.execute("UPDATE game_table SET id = x'01', wake = 0 WHERE id = 'b'")
    database.execute("UPDATE game_table SET listing = 'text' WHERE id = 'c'")

    assert opened.open_tables() == {"\ufffda": b"l", "c": b"", "d": b"l"}
    assert opened.due() == {"\ufffda"}
    assert opened.claim(["\ufffda", "c"]) == {"c": Claim.OURS}
    assert opened.expire(keep=100, waiting=100) == set()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE game_table SET changed = 1e300 WHERE id = 'young'",
        "UPDATE game_table SET changed = 'late' WHERE id = 'young'",
        "UPDATE served SET seconds = 1e300",
        "UPDATE served SET seconds = 'late'",
        "UPDATE served SET seconds = x'00'",
    ],
)
def test_a_damaged_time_makes_no_other_table_old(tmp_path: Path, damage: str) -> None:
    time, day = Time(), 86_400.0
    store = SqliteStore(tmp_path / "games.db", clock=time)
    store.open("here:1")
    store.create([new("old")])
    time.now += day
    store.create([new("young")])
    store.expire(keep=30 * day, waiting=30 * day)
    store._connected().execute(damage)
    store.close()
    store.open("again:1")

    assert store.expire(keep=30 * day, waiting=30 * day) == set()
    assert store.load(["old", "young"]).keys() == {"old", "young"}
    store.close()


def test_a_state_that_is_stored_later_makes_a_table_no_younger(tmp_path: Path) -> None:
    time = Time()
    store = SqliteStore(tmp_path / "games.db", clock=time)
    store.open("here:1")
    store.create([new()])
    store.append([Entry("t", 1, b"1")])
    time.now += 70.0
    store.append([], [State("t", 1, b"one")])
    time.now += 40.0

    assert store.expire(keep=100, waiting=100) == {"t"}
    store.close()


def test_what_is_old_is_found_without_looking_at_what_is_young(opened: SqliteStore) -> None:
    plan = [row[-1] for row in opened._connected().execute(f"EXPLAIN QUERY PLAN {OLD}", (1.0,) * 7)]

    assert "SEARCH game_table USING INDEX old_table (created<?)" in plan
    assert "SEARCH game_table USING INDEX waiting_table (created<?)" in plan
    assert "SCAN game_table" not in plan


def test_of_very_many_that_are_old_some_are_left_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netcode.turns.store.sqlite.EXPIRED_AT_ONCE", 3)
    time = Time()
    store = SqliteStore(tmp_path / "games.db", clock=time)
    store.open("here:1")
    store.create([new(f"t{number}") for number in range(5)])
    time.now += 200

    assert [len(store.expire(keep=100, waiting=100)) for _ in range(3)] == [3, 2, 0]
    store.create([new(f"u{number}") for number in range(2)])
    time.now += 200
    monkeypatch.setattr("netcode.turns.store.sqlite.EXPIRING", -1.0)  # as where they have very many entries
    assert [len(store.expire(keep=100, waiting=100)) for _ in range(3)] == [1, 1, 0]
    store.close()


def test_very_many_that_are_old_are_not_all_looked_at_to_find_the_first(
    opened: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, steps = opened._connected(), list[int]()
    columns = "'G', 0, 0, x'', x'', -1e9, -1e9, NULL, 1"  # made ages ago, and waiting for players
    with opened._transaction():
        database.executemany(f"INSERT INTO game_table VALUES (NULL, ?, {columns})", [(f"t{n}",) for n in range(2_000)])
    monkeypatch.setattr("netcode.turns.store.sqlite.EXPIRED_AT_ONCE", 10)
    database.set_progress_handler(lambda: steps.append(1), 1_000)  # after each thousand steps of SQLite

    assert len(opened.expire(keep=100, waiting=100)) == 10
    assert len(steps) < 5


def test_a_clock_that_begins_anew_makes_no_table_older_or_younger(tmp_path: Path) -> None:
    time = Time()
    first = SqliteStore(tmp_path / "games.db", clock=time)
    first.open("here:1")
    first.create([new("old")])
    time.now += 70.0
    first.expire(keep=100, waiting=100)
    first.close()
    rebooted = Time()
    rebooted.now = 3.0
    second = SqliteStore(tmp_path / "games.db", clock=rebooted)
    second.open("here:1")
    second.create([new("young")])

    assert second.expire(keep=100, waiting=100) == set()
    rebooted.now += 40.0
    assert second.expire(keep=100, waiting=100) == {"old"}
    second.close()


def test_a_database_of_a_newer_version_is_left_alone(opened: SqliteStore) -> None:
    opened._connected().execute(f"PRAGMA user_version = {VERSION + 1}")
    opened.close()

    with pytest.raises(
        Unavailable, match=f"written by a newer netcode .*version {VERSION + 1}, this one knows {VERSION}"
    ):
        opened.open("here:1")


@pytest.mark.parametrize("mark", ["CREATE TABLE recipes (name)", "PRAGMA application_id = 77"])
def test_the_database_of_another_program_is_left_alone(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "recipes.db"
    other = sqlite3.connect(path)
    other.execute(mark)
    other.close()
    before = path.read_bytes()

    with pytest.raises(Unavailable, match=r"recipes\.db is the database of another program"):
        SqliteStore(path).open("here:1")
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"cannot be opened .*; is its folder there"):
        SqliteStore(tmp_path / "nowhere" / "games.db").open("here:1")


def test_a_path_that_is_a_folder_is_said_and_gets_no_lock(tmp_path: Path) -> None:
    folder = tmp_path / "games"
    folder.mkdir()

    with pytest.raises(Unavailable, match="games is a folder; give the file in it that is to be the database"):
        SqliteStore(folder).open("here:1")
    assert [*tmp_path.iterdir()] == [folder]


@pytest.mark.skipif(sys.platform == "win32", reason="who makes links there needs a permission of its own")
@pytest.mark.parametrize("link", ["alias.db", "folder/games.db", "to nowhere yet"])
def test_a_second_server_is_refused_by_whatever_links_it_comes(tmp_path: Path, link: str) -> None:
    real = tmp_path / "real"
    real.mkdir()
    alias = tmp_path / link
    if alias.parent == tmp_path:
        alias.symlink_to(real / "games.db")
    else:
        alias.parent.symlink_to(real)
    first, second = SqliteStore(real / "games.db"), SqliteStore(alias)
    opened, refused = (second, first) if link == "to nowhere yet" else (first, second)
    opened.open("here:1")

    with pytest.raises(Unavailable, match=r"\.db is in use by another server|to nowhere yet is in use by another"):
        refused.open("there:1")
    opened.close()
    refused.open("there:1")
    refused.renew(1)
    refused.close()


@pytest.mark.skipif(sys.platform == "win32", reason="who makes links there needs a permission of its own")
def test_a_link_that_leads_back_to_itself_is_said(tmp_path: Path) -> None:
    path = tmp_path / "games.db"
    path.symlink_to(path)

    with pytest.raises(Unavailable, match=r"games\.db cannot be opened"):
        SqliteStore(path).open("here:1")


def test_a_file_of_two_names_is_refused_until_it_has_one(opened: SqliteStore) -> None:
    other = opened._path.with_name("other.db")
    other.hardlink_to(opened._path)

    for path in (other, opened._path):
        opened.close()
        with pytest.raises(
            Unavailable, match=r"\.db has another name, a hard link, by which another server may use it"
        ):
            SqliteStore(path).open("there:1")
    other.unlink()
    opened.open("here:1")


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
@pytest.mark.parametrize("replace", [False, True])
def test_a_lock_file_that_was_deleted_under_us_is_lost(opened: SqliteStore, replace: bool) -> None:
    lock = opened._path.with_name("games.db.lock")
    opened.renew(1)
    lock.unlink()
    if replace:
        lock.touch()

    with pytest.raises(Lost, match=r"games\.db\.lock was deleted, moved or replaced while it was in use; start the"):
        opened.renew(1)


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_lock_file_that_is_deleted_while_it_is_taken_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, lock = tmp_path / "games.db", tmp_path / "games.db.lock"
    first, second = SqliteStore(path), SqliteStore(path)
    taken: list[int] = []
    take = file_lock._take

    def hindered(*arguments: Any) -> int:
        taken.append(take(*arguments))
        if len(taken) == 1:
            lock.unlink()
        return taken[-1]

    monkeypatch.setattr(file_lock, "_take", hindered)
    first.open("here:1")

    with pytest.raises(Unavailable, match="in use by another server"):
        second.open("there:1")
    assert len(taken) == 2
    first.close()


def test_where_a_file_has_never_the_same_number_twice_no_lock_is_tried_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    def never(descriptor: int, _path: Path) -> bool:
        taken.append(descriptor)
        assert len(taken) <= file_lock.ATTEMPTS
        return False

    monkeypatch.setattr(file_lock, "has_lock", never)
    store = SqliteStore(tmp_path / "games.db")

    with pytest.raises(Unavailable, match=r"cannot be locked \(each time it is another file\); put it on a local disk"):
        store.open("here:1")
    assert len(taken) == file_lock.ATTEMPTS


def test_a_file_on_a_drive_that_does_not_lock_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(file_lock, "_lock", refuse)

    with pytest.raises(Unavailable, match=r"lock cannot be locked \(No locks available\); put it on a local disk"):
        SqliteStore(tmp_path / "games.db").open("here:1")


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there")
def test_a_forked_child_keeps_no_database_from_the_next_server(tmp_path: Path) -> None:
    script = (
        "import os, sys\nfrom netcode.turns.store import Lost\nfrom netcode.turns.store.sqlite import SqliteStore\n"
        "s = SqliteStore(sys.argv[1]); s.open('x'); r, w = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    try: s.renew(0)\n"
        "    except Lost as error: os.write(w, str(error).encode())\n"
        "    s.close(); sys.stdin.read(); os._exit(0)\n"
        "said = os.read(r, 999).decode(); s.renew(0); print(said, flush=True); sys.stdin.read()"
    )
    path = tmp_path / "games.db"
    assert taken_over(script, path) == f"{path} is not open\n"


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
@pytest.mark.parametrize("replace", [False, True])
def test_a_database_that_was_deleted_under_us_is_lost(opened: SqliteStore, replace: bool) -> None:
    other = opened._path.with_name("other")
    other.write_bytes(b"")
    opened.renew(1)
    opened._path.unlink()
    if replace:
        other.rename(opened._path)

    said = "moved or replaced while it was in use; see that the right one is there, or it begins"
    with pytest.raises(Lost, match=said):
        opened.append([Entry("t", 1, b"moved")])
    with pytest.raises(Lost, match=said):
        opened.renew(1)


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
@pytest.mark.parametrize("end", ["-wal", "-shm"])
def test_what_sqlite_keeps_beside_it_may_not_be_deleted_either_and_nothing_stored_is_lost(
    opened: SqliteStore, end: str
) -> None:
    opened.append([Entry("t", 1, b"moved")])
    opened.renew(1)
    opened._path.with_name(f"games.db{end}").unlink()

    with pytest.raises(Lost, match=rf"games\.db{end} was deleted, moved or replaced while it was in use; start the"):
        opened.renew(1)
    opened.close()

    opened.open("here:1")
    opened.claim(["t"])
    assert opened.load(["t"]) == {"t": Saved(0, b"first", (b"moved",))}


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be cut there")
@pytest.mark.parametrize("left", [0, 0.5])
def test_after_a_cut_of_what_sqlite_keeps_beside_it_nothing_is_acknowledged_and_the_rest_stays_whole(
    opened: SqliteStore, left: float
) -> None:
    log = opened._path.with_name("games.db-wal")
    opened.close()
    opened.open("here:1")  # what was stored so far is in the database itself
    opened.claim(["t"])
    for version in (1, 2, 3):
        opened.append([Entry("t", version, b"moved")])
    os.truncate(log, int(log.stat().st_size * left))

    for _ in range(2):
        with pytest.raises(Lost, match=r"games\.db-wal was cut while it was in use; start the server again"):
            opened.append([Entry("t", 4, b"never told")])
        with pytest.raises(Lost, match="was cut"):
            opened.renew(1)
    opened.close()
    opened.open("here:1")
    assert opened.load(["t"])["t"].damage == ""
    assert opened._connected().execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_what_other_programs_do_to_what_sqlite_keeps_beside_it_is_no_cut(opened: SqliteStore) -> None:
    other = sqlite3.connect(opened._path, isolation_level=None)
    opened.append([Entry("t", 1, b"moved")])
    assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
    opened.renew(1)
    opened.append([Entry("t", version, b"moved") for version in (2, 3)])
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.execute("CREATE TABLE backup (number)")  # as who copies the database while it is in use may do
    other.close()

    opened.append([Entry("t", 4, b"moved")])
    assert opened.load(["t"]) == {"t": Saved(0, b"first", (b"moved",) * 4)}


def test_a_program_may_go_to_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqliteStore("games.db")
    store.open("here:1")

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert store.renew(1) == [Node("here:1", 1)]
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no file is called so there")
def test_a_name_that_looks_like_a_link_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqliteStore("file:games.db?mode=memory")

    store.open("here:1")

    assert store.renew(1) == [Node("here:1", 1)]
    assert (tmp_path / "file:games.db?mode=memory").is_file()
    store.close()


def test_a_bug_of_ours_is_not_excused(opened: SqliteStore) -> None:
    with pytest.raises(sqlite3.Error):
        opened.append([Entry("t", 1, object())])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    assert opened.load(["t"]) == {"t": Saved(0, b"first", ())}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (sqlite3.SQLITE_READONLY, "may not be written"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be opened"),
        (sqlite3.SQLITE_IOERR, "failed"),
    ],
)
def test_other_misfortunes_have_their_sentence(opened: SqliteStore, code: int, text: str) -> None:
    fail(opened, code)

    with pytest.raises(Unavailable, match=text):
        opened.append([Entry("t", 1, b"1")])


def fail(store: SqliteStore, code: int) -> None:
    """Have a database fail in whatever is asked of it."""

    class Failing:
        in_transaction = False

        def execute(self, *arguments: object) -> None:
            error = sqlite3.OperationalError("it did")
            error.sqlite_errorcode = code
            raise error

        def close(self) -> None:
            pass

    store._connected().close()
    store._database = Failing()  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]


def test_a_disk_that_is_full_is_said_to_be_also_where_the_files_beside_find_no_room(
    opened: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> SimpleNamespace:
        return SimpleNamespace(free=4096)

    fail(opened, sqlite3.SQLITE_IOERR_SHMSIZE)
    monkeypatch.setattr(shutil, "disk_usage", full)

    with pytest.raises(Unavailable, match=r"games\.db is full; free some space") as raised:
        opened.append([Entry("t", 1, b"1")])

    assert "because the disk is full" in raised.value.told


def test_a_disk_of_which_nothing_can_be_told_has_failed(opened: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: object) -> object:
        raise OSError

    fail(opened, sqlite3.SQLITE_IOERR_READ)
    monkeypatch.setattr(shutil, "disk_usage", gone)

    with pytest.raises(Unavailable, match=r"games\.db failed"):
        opened.append([Entry("t", 1, b"1")])


def test_importing_turns_and_its_store_brings_no_database_and_no_threads() -> None:
    script = "import sys, netcode.turns.store.writer, netcode.turns.store.memory; print(*sorted(sys.modules))"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)

    assert {"sqlite3", "psycopg", "threading", "asyncio", "queue"} & {*loaded.stdout.split()} == set()


VERSION_1 = """
CREATE TABLE game_table (
    id TEXT PRIMARY KEY, game TEXT NOT NULL, version INTEGER NOT NULL, state_version INTEGER NOT NULL,
    state BLOB NOT NULL, listing BLOB, created REAL NOT NULL, changed REAL NOT NULL, wake REAL
) WITHOUT ROWID;
CREATE INDEX open_table ON game_table (game, created) WHERE listing IS NOT NULL;
CREATE TABLE move (
    game_table TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (game_table, version)
) WITHOUT ROWID;
CREATE TABLE served (seconds REAL NOT NULL);
INSERT INTO served VALUES (7.0);
INSERT INTO game_table VALUES ('b', 'Pig', 3, 1, x'31', x'61', 1.0, 6.0, 9.0), ('a', 'Pig', 1, 0, x'30', NULL, 2.0, 5.0, NULL);
INSERT INTO move VALUES ('b', 1, x'41'), ('b', 2, x'42'), ('b', 3, x'43'), ('a', 1, x'44');
PRAGMA application_id = 0x6E637475; PRAGMA user_version = 1;
"""
"""A database as it was before tables had numbers."""


@pytest.mark.parametrize("woke", [True, False], ids=["late", "early"])
def test_a_database_of_an_older_version_goes_on(tmp_path: Path, woke: bool) -> None:
    path = tmp_path / "games.db"
    older = sqlite3.connect(path, isolation_level=None)
    early = VERSION_1.replace(", wake REAL", "").replace(", 9.0)", ")").replace(", NULL);", ");")
    older.executescript(VERSION_1 if woke else early)
    moves = "SELECT body FROM move WHERE game_table = ? ORDER BY version"
    before = older.execute(moves, ("b",)).fetchall()
    store = SqliteStore(path, clock=Time())
    store.open("here:1")

    assert older.execute(moves, ("b",)).fetchall() == before == [(b"A",), (b"B",), (b"C",)]  # as a replay reads it
    older.close()
    assert store.claim(["a", "b", "c"]) == {"a": Claim.OURS, "b": Claim.OURS}
    assert store.load(["a", "b"]) == {
        "a": Saved(0, b"0", (b"D",)),
        "b": Saved(1, b"1", (b"B", b"C"), 2.0 if woke else None),
    }
    assert store.open_tables() == {"b": b"a"}
    store.append([Entry("a", 2, b"E")], [State("a", 2, b"2")])
    store.close()
    store.open("here:1")
    assert store.load(["a"]) == {"a": Saved(2, b"2", ())}
    store.close()


def test_a_database_of_version_2_learns_whose_game_has_begun(tmp_path: Path) -> None:
    path = tmp_path / "games.db"
    older = sqlite3.connect(path, isolation_level=None)
    schema = SCHEMA.replace(",\n    waits INTEGER NOT NULL DEFAULT 1", "")
    older.executescript("\n".join(line for line in schema.splitlines() if "waiting_table" not in line))
    older.execute("INSERT INTO game_table VALUES (1, 'a', 'Pig', 0, 0, x'30', x'61', 1.0, 1.0, NULL)")
    older.executescript(f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 2")
    older.close()
    time = Time()
    store = SqliteStore(path, clock=time)
    store.open("here:1")

    assert store.claim(["a"]) == {"a": Claim.OURS}
    store.append([Entry("a", 1, b"1")], [], [Listing("a", b"b", waits=False)])
    time.now += 50
    assert store.expire(keep=100, waiting=10) == set()
    store.close()


def test_a_database_of_an_older_version_stays_as_it_is_while_it_cannot_be_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "games.db"
    older = sqlite3.connect(path, isolation_level=None)
    older.executescript(VERSION_1 + "CREATE TABLE game_table_1 (name);")
    before = [*older.iterdump()]
    store = SqliteStore(path)

    with pytest.raises(Unavailable, match="is damaged, or no database"):
        store.open("here:1")

    assert [*older.iterdump()] == before
    older.close()


def test_a_commit_of_many_tables_writes_few_pages(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "games.db")
    store.open("here:1")
    ids = [hashlib.sha256(b"%d" % number).hexdigest()[:30] for number in range(1000)]
    for start in range(0, 1000, 50):
        batch = ids[start : start + 50]
        store.create([new(table, state=bytes(300)) for table in batch])
        for version in range(1, 5):
            store.append([Entry(table, version, bytes(40)) for table in batch])
    store._connected().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    store.append(
        [Entry(table, 5, bytes(40)) for table in ids[-50:]], [State(table, 5, bytes(300)) for table in ids[-50:]]
    )

    assert (tmp_path / "games.db-wal").stat().st_size < 20 * 4200
    store.close()
