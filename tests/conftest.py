"""What every test relies on: a profile of hypothesis, and the test's name on every line that coverage records."""

import os
from collections.abc import Generator

import coverage
import hypothesis
import pytest

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
