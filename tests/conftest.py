"""What every test relies on: a profile of hypothesis, the test's name on what coverage records, programs to start."""

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import coverage
import hypothesis
import pytest
from programs import Program, Start

# Time on a shared machine says nothing about a property.
hypothesis.settings.register_profile("netcode", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("netcode")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Tell coverage which test runs, its fixtures included, so that each module answers for its own test file."""
    measuring = coverage.Coverage.current()
    if measuring is None:
        return (yield)
    measuring.switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        measuring.switch_context("")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start real programs: `start("examples/chat.py", "localhost", port)`."""
    with ExitStack() as programs:

        def start_one(*arguments: object, environment: dict[str, str] | None = None) -> Program:
            log = tmp_path / f"program-{len([*tmp_path.iterdir()])}.log"
            return programs.enter_context(Program(*arguments, log=log, environment=environment))

        yield start_one
