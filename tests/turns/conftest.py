"""What the tests of turns share: games that are forgotten with their files, and what is started once: PostgreSQL, and twins for `check`."""

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from chromium import Browser, opened
from twins import Twins

from netcode.turns.proving import twin
from turns.hall import Hall

if TYPE_CHECKING:
    from benchmarks.databases import Pooler, Postgres


@pytest.fixture(autouse=True)
def forget_written_games(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forget what a test has loaded from a file that it wrote: games of the same name are elsewhere, too."""
    before = {**sys.modules}
    yield
    if sys.modules == before:
        return
    written = str(tmp_path_factory.getbasetemp())
    for name, module in [*sys.modules.items()]:
        if module is not before.get(name) and str(getattr(module, "__file__", None)).startswith(written):
            if name in before:
                sys.modules[name] = before[name]
            else:
                del sys.modules[name]


@pytest.fixture
def hall() -> Iterator[Hall]:
    """A hall that is closed in the end."""
    hall = Hall()
    yield hall
    hall.close()


@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Open Chromium once for the tests of turns, which open many pages."""
    with opened(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins | None]:
    """The processes that compare games with ours, ready for all tests; None where no process can fork."""
    if not hasattr(os, "fork"):
        yield None
        return
    with Twins(tmp_path_factory.mktemp("twins")) as ready:
        yield ready


@pytest.fixture
def forks_for_twins(request: pytest.FixtureRequest, twins: Twins | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `check` compare with forks of processes that stand ready, but in tests that are about the start of one."""
    if twins is not None and request.node.get_closest_marker("process") is None:
        monkeypatch.setattr(twin, "run", twins.run)


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
