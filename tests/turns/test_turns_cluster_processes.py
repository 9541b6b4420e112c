"""The program that kills, stops and drains processes that share PostgreSQL, in small."""

from typing import Any

import pytest

pytest.importorskip("psycopg", reason="several processes on PostgreSQL are not tested: psycopg is not installed")

from benchmarks import turns_cluster
from benchmarks.databases import Postgres
from netcode.turns.store import postgres_sql as sql


@pytest.mark.process
@pytest.mark.timed
def test_nothing_is_lost_when_processes_are_killed_stopped_and_drained(postgres: Postgres) -> None:
    assert postgres.port

    outcome = turns_cluster.run(kills=1, stops=1, drains=1, tables=6, lease=3.0, every=1.0)

    assert outcome.troubles == []
    assert outcome.exact()
    assert outcome.fenced == 1
    assert outcome.moves > 50
    assert max(outcome.kills + outcome.stops + outcome.drains) < turns_cluster.PATIENCE


@pytest.mark.process
@pytest.mark.timed
def test_nothing_is_lost_when_a_drain_is_cut_short_by_a_kill_or_by_an_outage(postgres: Postgres) -> None:
    assert postgres.port

    outcome = turns_cluster.run(kills=0, cuts=2, tables=6, processes=2, every=0.5)

    assert outcome.troubles == []
    assert outcome.exact()
    assert len(outcome.cuts) >= 6


@pytest.mark.process
@pytest.mark.timed
@pytest.mark.parametrize("guarded", [True, False])
def test_who_goes_on_after_it_was_taken_for_dead_splits_its_tables_unless_fence_and_key_are_there(
    postgres: Postgres, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert postgres.port
    monkeypatch.setattr(turns_cluster, "STOPPED", 1.0)
    without = () if guarded else [*turns_cluster.GUARDS]

    outcome = turns_cluster.run(kills=0, stops=1, tables=4, processes=2, lease=3.0, every=0.5, without=without)

    assert (outcome.split > 0, outcome.fenced) == ((False, 1) if guarded else (True, 0))
    assert outcome.exact() is guarded


@pytest.mark.parametrize("guard", [said for guards in turns_cluster.GUARDS.values() for said in guards])
def test_what_is_taken_away_is_what_is_said_to_the_database(guard: str) -> None:
    assert guard in "".join([sql.append_statement(keep_log=True), sql.RENEW, sql.ALIVE])


class There:
    """A seat as the program sees it, with the view that a test wants."""

    started = connected = seated = True

    def __init__(self, seat: int, plays: list[int]) -> None:
        self.seat = seat
        self.view = turns_cluster.Ledger()
        self.view.plays = plays


class Database:
    """Answers what a test wants: one table, with so many moves, of so many versions, and whether its owner is dead."""

    def __init__(self, moves: int, versions: int, newest: int, dead: int) -> None:
        self._rows = (moves, versions, newest, 1, newest), (dead,)

    def execute(self, statement: str) -> list[tuple[int, ...]]:
        return [self._rows["fenced" in statement]]


def judged(
    plays: list[int],
    *,
    moves: int = 4,
    versions: int = 4,
    newest: int = 4,
    dead: int = 0,
    before: list[int] | None = None,
) -> turns_cluster.Outcome:
    """Have the program look at a table of two players, both of whom had two plays answered."""
    evening: Any = object.__new__(turns_cluster.Evening)
    evening.outcome, evening._database = turns_cluster.Outcome(), Database(moves, versions, newest, dead)
    players: list[turns_cluster.Player] = []
    for seat in range(2):
        there: Any = There(seat, plays)
        players.append(turns_cluster.Player(there, number=2, answered=[1, 2], seen=before or []))
    for player in players:
        evening._compare(player)
    evening.tables = [players]
    evening.judge()
    outcome: turns_cluster.Outcome = evening.outcome
    return outcome


def test_a_table_that_is_as_it_should_be_is_exact() -> None:
    assert judged([2, 3, 4, 5]).exact()
    assert judged([2, 3, 4, 5], before=[2, 3]).exact()


@pytest.mark.parametrize(
    ("what", "plays", "wanted"),
    [
        ("lost", [2, 3, 4], {}),
        ("lost", [2, 3, 4, 5], {"before": [2, 3, 4, 5, 6]}),
        ("doubled", [2, 3, 4, 5, 5], {}),
        ("wrong", [2, 3, 4, 5], {"before": [2, 5]}),
        ("wrong", [4, 3, 2, 5], {}),
        ("wrong", [2, 3, 4, 5, 6], {}),
        ("gaps", [2, 3, 4, 5], {"moves": 3, "versions": 3}),
        ("split", [2, 3, 4, 5], {"moves": 5}),
        ("returned", [2, 3, 4, 5], {"dead": 1}),
    ],
)
def test_what_is_not_as_it_should_be_is_found(what: str, plays: list[int], wanted: dict[str, Any]) -> None:
    outcome = judged(plays, **wanted)

    assert getattr(outcome, what) > 0
    assert not outcome.exact()
