"""A PostgreSQL server for the tests that need one: started once, in a folder of its own, on a free port."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from benchmarks.databases import Pooler, Postgres


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Postgres]":
    from benchmarks.databases import Missing, Postgres

    try:
        server = Postgres()
    except Missing as missing:
        pytest.skip(f"the store in PostgreSQL is not tested: {missing}")
    with server:
        yield server


@pytest.fixture(scope="session")
def pooler(postgres: "Postgres") -> "Iterator[Pooler]":
    from benchmarks.databases import Missing, Pooler

    try:
        server = Pooler(postgres)
    except Missing as missing:
        pytest.skip(f"the store in PostgreSQL behind a pooler is not tested: {missing}")
    with server:
        yield server


@pytest.fixture
def empty(postgres: "Postgres") -> "Postgres":
    """Return the server, in whose database is no table of a game, and nobody who serves one."""
    if postgres.execute("SELECT to_regclass('game_table')") != [(None,)]:
        postgres.execute("DELETE FROM game_table; DELETE FROM move; DELETE FROM node; DELETE FROM ruleset")
    return postgres
