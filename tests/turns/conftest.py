"""What the tests of turns share: games that are forgotten with their files, and a PostgreSQL server, started once."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from benchmarks.databases import Pooler, Postgres


@pytest.fixture(autouse=True)
def forget_written_games(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forget what a test has loaded from a file that it wrote: games of the same name are elsewhere, too."""
    before = {**sys.modules}
    yield
    written = str(tmp_path_factory.getbasetemp())
    for name, module in [*sys.modules.items()]:
        if module is not before.get(name) and str(getattr(module, "__file__", None)).startswith(written):
            if name in before:
                sys.modules[name] = before[name]
            else:
                del sys.modules[name]


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
