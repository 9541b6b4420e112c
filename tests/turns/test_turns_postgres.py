"""The store in PostgreSQL fulfils the contract, directly and behind a pooler, and says what is wrong with a database."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from benchmarks.databases import Pooler, Postgres
from netcode.turns.store import Store
from netcode.turns.store.postgres import PostgresStore
from turns.store_contract import LEASE, SharedStoreContract, Time

Beside = Callable[[], PostgresStore]


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
            f"UPDATE node SET expires = expires - {passed};"
            f"UPDATE game_table SET created = created - {passed}, changed = changed - {passed}, wake = wake - {passed}"
        )


@pytest.fixture
def time(postgres: Postgres) -> Time:
    return DatabaseTime(postgres)


@pytest.fixture
def empty(postgres: Postgres) -> Postgres:
    """Return a server whose database has no table of a game in it, and nobody who serves one."""
    if postgres.execute("SELECT to_regclass('game_table')") != [(None,)]:
        postgres.execute("DELETE FROM game_table; DELETE FROM move; DELETE FROM node; DELETE FROM ruleset")
    return postgres


class Shared(SharedStoreContract):
    """The contract, and several at one database."""

    @pytest.fixture
    def address(self, empty: Postgres) -> str:
        return empty.address()

    @pytest.fixture
    def beside(self, address: str) -> Iterator[Beside]:
        with ExitStack() as stores:

            def one() -> PostgresStore:
                store = PostgresStore(address, lease=LEASE)
                stores.callback(store.close)
                return store

            yield one

    @pytest.fixture
    def store(self, beside: Beside) -> Store:
        store = beside()
        store.open("here:1")
        return store


class TestPostgres(Shared):
    """Directly."""


class TestPooled(Shared):
    """Through PgBouncer in transaction mode."""

    @pytest.fixture
    def address(self, empty: Postgres, pooler: Pooler) -> str:
        return empty.address(port=pooler.port)
