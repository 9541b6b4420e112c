"""What compares seconds is measured anew where it may have been the machine that took them.

A test marked `timed` has a bound that a machine may miss which gives nobody its processor for some seconds: a link that
is silent for so long, a lease that ends, an answer at once. If it fails and the machine did not stand still, it has
failed. If it did, that says nothing, and the test runs again; the end of the report says which did.

A test marked `costs` has a bound of the processor's time: the shortest of three runs has to keep it. What a virtual
machine's neighbours take away counts as time of the processor, too, and makes a run dearer, never cheaper.
"""

import time
from collections.abc import Generator

import pytest
from _pytest.runner import runtestprotocol
from bounds import DearError, stalls

STILL = 0.2
"""Seconds in all for which the machine stood still: with less, whoever fails has failed."""
TIMES = 5
"""So often a test is run at most."""
DEAR_TIMES = 3
"""So often one is at most that costs too much."""
TOGETHER = 100.0
"""Seconds of all runs after which there is no other: whoever takes longer is ended."""

dear = pytest.StashKey[str]()
"""What the test says that cost too much."""
said = pytest.StashKey[list[str]]()
"""What the end of the report says."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test that is marked, and again where what was measured is the machine."""
    if item.get_closest_marker("timed") is not None:
        run = run_timed
    elif item.get_closest_marker("costs") is not None:
        run = run_costs
    else:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = run(item, nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep that it was the cost which failed."""
    if call.excinfo is not None and isinstance(call.excinfo.value, DearError):
        item.stash[dear] = str(call.excinfo.value)
    return (yield)


def run_timed(item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
    """Run it until it has passed, or failed on a machine that did not stand still; return how that went."""
    begun, times = time.monotonic(), 1
    while True:
        with stalls() as lost:
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if not any(report.failed for report in reports) or lost() < STILL:
            return reports
        if times == TIMES or time.monotonic() - begun > TOGETHER:
            return reports
        _say(item, f"the machine stood still for {lost():.1f} s")
        times += 1


def run_costs(item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
    """Run it until it costs little enough, or has cost too much each time; return how that went."""
    times = 1
    while True:
        item.stash[dear] = ""
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if not item.stash[dear] or sum(report.failed for report in reports) > 1 or times == DEAR_TIMES:
            return reports
        _say(item, item.stash[dear])
        times += 1


def _say(item: pytest.Item, why: str) -> None:
    item.config.stash.setdefault(said, []).append(f"{item.nodeid}: run again, since {why}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests ran again."""
    for note in terminalreporter.config.stash.get(said, list[str]()):
        terminalreporter.write_line(note)
