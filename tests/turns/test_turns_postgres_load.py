"""The programs that measure the store in PostgreSQL, and that stop its server under load, in small."""

import pytest

from benchmarks import turns_nodes, turns_outages, turns_postgres
from benchmarks.databases import Postgres
from netcode.turns.store import Entry
from netcode.turns.store.postgres import PostgresStore
from turns.store_contract import new


@pytest.mark.process
@pytest.mark.timed
def test_an_outage_under_load_loses_nothing_and_players_read_of_it(postgres: Postgres) -> None:
    outcome = turns_outages.run(outages=1, writers=2, tables=10, seconds=1.0)

    assert outcome.wrong == []
    assert (outcome.lost, outcome.extra, outcome.gaps) == (0, 0, 0)
    assert (outcome.outages, outcome.read, outcome.games) == (1, 2, 1)
    assert outcome.moves > 100


def test_a_write_that_is_missing_is_found(empty: Postgres) -> None:
    writer = turns_outages.Writer(empty.address(), "found", 3)
    for _ in range(20):
        writer.write()
    writer.store.close()
    outcome = turns_outages.Outcome()
    turns_outages.judge(empty, [writer], outcome)
    assert (outcome.wrong, outcome.lost, outcome.extra, outcome.gaps) == ([], 0, 0, 0)
    empty.execute(
        "DELETE FROM move WHERE (game_table, version) = ('found-0', 1);"
        "UPDATE move SET body = 'other' WHERE (game_table, version) = ('found-1', 1);"
        "INSERT INTO move SELECT game_table, version + 1000, body FROM move WHERE (game_table, version) = ('found-2', 1)"
    )

    turns_outages.judge(empty, [writer], outcome)

    assert (outcome.lost, outcome.extra) == (2, 1)
    assert outcome.gaps >= 1


@pytest.mark.process
@pytest.mark.timed
def test_nodes_that_fight_for_tables_and_fail_at_random_write_one_history(postgres: Postgres) -> None:
    outcome = turns_nodes.run(seconds=4.0, nodes=4, tables=12, seed=3, least=101)

    assert outcome.wrong == []
    assert (outcome.lost, outcome.extra, outcome.gaps) == (0, 0, 0)
    assert len(outcome.stored) > 100


def test_two_histories_are_found(empty: Postgres) -> None:
    store = PostgresStore(empty.address())
    store.open("here:1")
    store.create([new("a"), new("b"), new("c")])
    store.append([Entry(table, 1, b"mine") for table in "abc"])
    store.close()
    outcome = turns_nodes.Outcome(
        stored={("a", 1): b"mine", ("b", 1): b"theirs", ("b", 2): b"gone"},
        tried={("a", 1): {b"mine"}, ("b", 1): {b"mine", b"theirs"}},
    )
    empty.execute("UPDATE game_table SET version = 2 WHERE id = 'b'")

    turns_nodes.judge(empty, ["a", "b", "c"], outcome)

    assert (outcome.lost, outcome.extra, outcome.gaps) == (2, 1, 1)


def test_each_figure_is_measured(empty: Postgres) -> None:
    address = empty.address()
    figures = [
        turns_postgres.fence(address, 1),
        turns_postgres.batch(address, 1),
        turns_postgres.claims(address, 1),
        turns_postgres.disturbed(address, 1),
    ]

    assert [figure.value > 0 for figure in figures] == [True] * 4
