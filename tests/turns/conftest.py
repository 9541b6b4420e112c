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
