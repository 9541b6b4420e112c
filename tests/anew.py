"""What compares seconds of the wall clock is measured anew where the machine stood still meanwhile.

A test marked `timed` has a bound that a machine may miss which gives nobody its processor for some seconds: a link that
is silent for so long, a lease that ends, an answer at once. If it fails and the machine did not stand still, it has
failed. If it did, that says nothing, and the test runs again; the end of the report says which did.
"""

import time

import pytest
from _pytest.runner import runtestprotocol
from bounds import stalls

STILL = 0.2
"""Seconds in all for which the machine stood still: with less, whoever fails has failed."""
TIMES = 5
"""So often a test is run at most."""
TOGETHER = 100.0
"""Seconds of all runs after which there is no other: whoever takes longer is ended."""

said = pytest.StashKey[list[str]]()
"""What the end of the report says."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test that is marked, and again where what was measured is the machine."""
    if item.get_closest_marker("timed") is None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = run(item, nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def run(item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
    """Run it until it has passed, or failed on a machine that did not stand still; return how that went."""
    begun, times = time.monotonic(), 1
    while True:
        with stalls() as lost:
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if not any(report.failed for report in reports) or lost() < STILL:
            return reports
        if times == TIMES or time.monotonic() - begun > TOGETHER:
            return reports
        notes = item.config.stash.setdefault(said, [])
        notes.append(f"{item.nodeid}: run again, since the machine stood still for {lost():.1f} s")
        times += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests ran again."""
    for note in terminalreporter.config.stash.get(said, list[str]()):
        terminalreporter.write_line(note)
