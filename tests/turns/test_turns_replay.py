"""A stored game is shown again, entry by entry, as whoever looks on saw it."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from netcode.turns import Clock, Game, Hidden, move, options
from netcode.turns.replay import Frame, Stored, frames, stored_tables
from netcode.turns.simulate import Choice, act, secret_of
from netcode.turns.store import Entry, NewTable, Store, Unavailable
from netcode.turns.store.opening import open_store
from netcode.turns.store.sqlite import SqliteStore
from netcode.turns.table import Moved, Over, Refused, Result, Step, Table, Told
from netcode.turns.values import pack, unpack

if TYPE_CHECKING:
    from benchmarks.databases import Postgres


class Count(Game):
    total: int = 0

    @move(number=range(1, 4))
    def add(self, number: int) -> None:
        self.total += number
        if self.total >= 5:
            self.finish(self.mover)


class Renamed(Game):
    """What the rules became, under which nothing of the log makes sense."""

    count: list[int] = []

    @move
    def wait(self) -> None: ...


class Other(Count):
    """A game beside it, which what is stored of the first would begin anew as."""


Renamed.__name__ = "Count"
TABLE = "0" * 24


def play_in(store: Store) -> None:
    """Keep in a store one game that was played to its end."""
    table = Table.create(Count, 2, secret=secret_of(1), names=["Ann", "Bob"])
    bodies = [pack(["sit", "Ann", b""]), pack(["begin", table.snapshot()])]
    steps = [table.start(0.0), act(table, 0, ("add", {"number": 3})), act(table, 1, ("add", {"number": 2}))]
    keep(store, "Count", bodies, steps)


def keep(store: Store, game: str, bodies: list[bytes], steps: Sequence[Step | Refused]) -> None:
    """Keep a table with these entries, and these steps after them."""
    for step in steps:
        assert isinstance(step, Step)
        bodies.append(pack(["step", step.entry]))
    store.open("here")
    store.create([NewTable(TABLE, game, b"", None)])
    store.append([Entry(TABLE, number, body) for number, body in enumerate(bodies, 1)], [], [])
    store.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a database in which one game was played to its end."""
    path = tmp_path / "games.db"
    play_in(SqliteStore(path))
    return path


def test_each_step_is_shown_as_a_spectator_saw_it(database: Path) -> None:
    shown = [*frames(database, TABLE, Count)]

    assert stored_tables(database, Count) == [Stored(TABLE, 5, ("Ann", "Bob"))]
    assert [(frame.text, frame.names, frame.view.total) for frame in shown] == [
        ("Ann to move", ["Ann", "Bob"], 0),
        ("Bob to move", ["Ann", "Bob"], 3),
        ("over", ["Ann", "Bob"], 5),
    ]
    assert isinstance(shown[0], Frame)


def test_each_step_says_what_happened_by_it(database: Path) -> None:
    shown = [*frames(database, TABLE, Count)]

    assert [frame.happenings for frame in shown] == [
        (),
        (Moved(0, "add"),),
        (Moved(1, "add"), Over(Result((1,)))),
    ]


class Whispers(Game):
    pile: Hidden[list[int]] = [1, 2, 3]

    @move
    def draw(self) -> None:
        self.pile.pop()
        self.tell("one was drawn")
        self.tell("a secret", to=self.mover)

    @move
    def end(self) -> None:
        self.ask(self.mover, ["sure"], "sure?")
        self.finish(text="enough")


def test_what_is_hidden_is_shown_at_the_end_and_what_one_was_told_alone_is_not(tmp_path: Path) -> None:
    database = tmp_path / "games.db"
    table = Table.create(Whispers, 2, secret=secret_of(1), names=["Ann", "Bob"])
    bodies = [pack(["sit", "Ann", b""]), pack(["begin", table.snapshot()])]
    plays: list[Choice] = [("draw", {}), ("end", {}), ("", {"answer": "sure"})]
    steps = [table.start(0.0), act(table, 0, plays[0]), act(table, 1, plays[1]), act(table, 1, plays[2])]
    keep(SqliteStore(database), "Whispers", bodies, steps)

    shown = [*frames(database, TABLE, Whispers)]

    assert [frame.view.pile for frame in shown] == [[None] * 3, [None] * 2, [None] * 2, [1, 2]]
    assert shown[1].happenings == (Moved(0, "draw"), Told("one was drawn", {}, None))
    assert shown[3].happenings[-1] == Over(Result((), text="enough"))


class Late(Count):
    clock = Clock(per_move=5)

    def timeout(self, seat: int) -> None:
        self.require(self.total > seat, "not yet")


def test_a_view_of_a_step_knows_the_options_of_its_table(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Sized(Count):
        @options(size=range(3, 6))
        def setup(self, size: int = 3) -> None:
            self.total = size - 3

    class Long(Count):
        @options(length=range(3, 6))
        def setup(self, length: int = 3) -> None:
            self.total = length - 3

    Long.__name__ = "Sized"  # what the rules became
    table = Table.create(Sized, 2, {"size": 5}, secret=secret_of(1))
    begun = table.snapshot()
    database = tmp_path / "games.db"
    keep(SqliteStore(database), "Sized", [pack(["begin", begun])], [table.start(0.0)])

    [frame] = frames(database, TABLE, Sized)

    assert (frame.view.options, frame.view.total) == ({"size": 5}, 2)
    assert not caplog.messages
    assert [frame.view.total for frame in frames(database, TABLE, Long)] == [0]
    assert "games that run are without size, and have length as if nobody had chosen" in caplog.text


def test_that_a_timeout_of_the_rules_failed_is_told_again(tmp_path: Path) -> None:
    database = tmp_path / "games.db"
    table = Table.create(Late, 2, secret=secret_of(1), names=["Ann", "Bob"])
    bodies = [pack(["sit", "Ann", b""]), pack(["begin", table.snapshot()])]
    start = table.start(0.0)
    steps = table.advance(6.0)
    keep(SqliteStore(database), "Late", bodies, [start, *steps])

    *_, last = frames(database, TABLE, Late)

    assert last.happenings == steps[0].happenings
    assert last.happenings == (
        Told("Ann has lost, since the rules did not go on when that time was up", {}),
        Over(Result((1,), None, "Ann ran out of time")),
    )


def test_a_table_that_was_left_and_taken_by_others_is_listed_with_those(tmp_path: Path) -> None:
    database = tmp_path / "games.db"
    table = Table.create(Count, 2, secret=secret_of(1), names=["Ann", "Bob"])
    bodies = [pack(["begin", table.snapshot()]), pack(["anew", None, {}]), pack(["sit", "Carl", b""])]
    keep(SqliteStore(database), "Count", bodies, [])

    assert stored_tables(database, Count) == [Stored(TABLE, 3, ("Carl",))]


def test_a_list_of_tables_takes_no_moves_into_memory(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: list[str] = []

    def counting(body: bytes) -> Any:
        kinds.append(unpack(body)[0])
        return unpack(body)

    monkeypatch.setattr("netcode.turns.replay.unpack", counting)

    assert stored_tables(database, Count) == [Stored(TABLE, 5, ("Ann", "Bob"))]
    assert kinds == ["sit", "begin"]


def test_a_table_that_nobody_began_is_listed_with_those_who_sat_there(tmp_path: Path) -> None:
    database = tmp_path / "games.db"
    keep(SqliteStore(database), "Count", [pack(["sit", "Ann", b""]), pack(["sleep"])], [])

    assert stored_tables(database, Count) == [Stored(TABLE, 2, ("Ann",))]


def test_a_database_is_read_where_nothing_can_be_made_beside_it(database: Path) -> None:
    database.with_name("games.db-wal").mkdir()  # as in a folder that one may only read

    shown = [*frames(database, TABLE, Count)]

    assert [frame.text for frame in shown] == ["Ann to move", "Bob to move", "over"]


def test_what_cannot_be_shown_is_explained(database: Path, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.db"
    nonsense.write_text("no database", encoding="utf-8")
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).close()
    empty.touch()
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(database.read_bytes().replace(b"CREATE INDEX due_table", b"CRE\xbeTE INDEX due_table"))
    loop = tmp_path / "loop.db"
    loop.symlink_to(loop)

    for path, game, text in [
        (tmp_path / "nowhere.db", Count, "is not there; give the database of a server"),
        (loop, Count, "is not there; give the database of a server"),
        (tmp_path, Count, "is a folder; give the database of a server"),
        (nonsense, Count, "cannot be read"),
        (empty, Count, "cannot be read"),
        (damaged, Count, "cannot be read"),
        (database, Renamed, "the rules have changed since"),
        (database, Other, "is one of Count, not of Other; give the file with Count, or call the class so again"),
    ]:
        with pytest.raises(Unavailable, match=text):
            list(frames(path, TABLE, game))
    with pytest.raises(Unavailable, match="has no table 1, or its log was not kept"):
        list(frames(database, "1", Count))


@pytest.mark.parametrize(
    ("version", "body", "shown"),
    [
        (2, b"\x93", 0),
        (2, pack(["begin", b"nothing"]), 0),
        (3, pack(["step", b"\x93"]), 0),
        (4, b"\x93", 1),
        (4, "text", 1),
    ],
)
def test_a_damaged_game_is_shown_as_far_as_it_goes_and_listed(
    database: Path, version: int, body: bytes | str, shown: int
) -> None:
    link = sqlite3.connect(database, isolation_level=None)
    link.execute("UPDATE entry SET body = ? WHERE version = ?", (body, version))
    link.execute("UPDATE game_table SET created = 1")
    link.execute(
        "INSERT INTO game_table SELECT 9, CAST(x'ff' AS TEXT), game, 1, 0, x'', x'', 9, 9, 9, 9 FROM game_table"
    )
    link.close()
    seen: list[Frame] = []

    with pytest.raises(Unavailable, match=rf"^table {TABLE} is damaged from here on: .*; take a copy from before$"):
        seen.extend(frames(database, TABLE, Count))

    assert len(seen) == shown
    assert [one.table for one in stored_tables(database, Count)] == [TABLE, "\ufffd"]


def test_a_damaged_beginning_is_no_change_of_the_rules(database: Path) -> None:
    state = unpack(Table.create(Count, 2, secret=secret_of(1)).snapshot())
    begun = pack(["begin", pack({**state, "started": True, "turn": [1]})])
    link = sqlite3.connect(database, isolation_level=None)
    link.execute("UPDATE entry SET body = ? WHERE version = 2", (begun,))
    link.close()

    with pytest.raises(Unavailable, match="is damaged from here on: ValueError: not enough values"):
        next(frames(database, TABLE, Count))


def test_a_game_in_postgresql_is_shown_as_one_in_a_file_is(database: Path, empty: "Postgres") -> None:
    play_in(open_store(empty.address()))

    assert stored_tables(empty.address(), Count) == stored_tables(database, Count)
    shown = [
        [(frame.text, frame.names, frame.view.total) for frame in frames(where, TABLE, Count)]
        for where in (empty.address(), database)
    ]
    assert len(shown[0]) == 3
    assert shown[0] == shown[1]


def test_what_is_not_in_postgresql_is_said_without_the_password(empty: "Postgres") -> None:
    play_in(open_store(empty.address()))

    with pytest.raises(Unavailable, match=r"^the database has no table unknown, or its log was not kept$"):
        next(frames(empty.address(), "unknown", Count))
    with pytest.raises(Unavailable, match=r"^127.0.0.1:\d+/template1 has no tables of games; give the database"):
        stored_tables(empty.address("template1"), Count)
