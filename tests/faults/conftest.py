"""The stages, each with its witness."""

from collections.abc import Iterator

import pytest

from netcode.diagnostics import log

from .stage import Stage, loopback_stage, memory_stage

STAGES = frozenset({"memory", "loopback"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever is played on a stage: its updates may cost only so much."""
    for item in items:
        if isinstance(item, pytest.Function) and not STAGES.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.costs)


@pytest.fixture(autouse=True)
def every_warning_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test silence the warnings of the next."""
    monkeypatch.setattr(log, "_next_warning", {})


@pytest.fixture
def memory(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A stage on a network in memory, with a clock of its own."""
    yield from _witnessed(request, memory_stage())


@pytest.fixture
def loopback(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A stage on real sockets, with a clock of its own."""
    yield from _witnessed(request, loopback_stage())


def _witnessed(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Stage]:
    failed = request.session.testsfailed
    try:
        yield stage
        if request.session.testsfailed == failed:
            stage.judge()
    finally:
        stage.leave()
