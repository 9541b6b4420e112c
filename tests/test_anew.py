"""A test with a bound of time runs again where it may have been the machine that took it, and only there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from programs import DEADLINE, ROOT

CONFTEST = """
import contextlib
import anew
import machine

@contextlib.contextmanager
def stalls():
    machine.lost = 0.0
    yield lambda: machine.lost

anew.stalls = stalls

def pytest_configure(config):
    config.addinivalue_line("markers", "timed: as in pyproject.toml")
    config.addinivalue_line("markers", "costs: as in pyproject.toml")
    config.pluginmanager.register(anew, "anew")
"""
TESTS = """
import machine
import pytest

runs = []

@pytest.fixture
def fresh():
    return []

def takes(seconds):
    runs.append(seconds)
    machine.lost = seconds
    return seconds

@pytest.mark.timed
def test_late_once(fresh):
    fresh.append(1)
    assert takes(0.0 if runs else 5.0) < 1.0
    assert fresh == [1]

@pytest.mark.timed
def test_late_each_time():
    assert takes(5.0) < 1.0

@pytest.mark.timed
def test_late_by_itself():
    takes(0.1)
    assert runs == []

def test_not_marked():
    assert takes(5.0) < 1.0

def test_how_often():
    assert runs == [5.0, 0.0, *[5.0] * 5, 0.1, 5.0]
"""
COSTS = """
import pytest
from bounds import DearError

runs = []

def costs(name, dear):
    runs.append(name)
    if dear:
        raise DearError(f"{name} took 9 s of 1")

@pytest.fixture
def judge():
    yield
    costs("judge", "judge" not in runs)

@pytest.fixture
def wrong():
    yield
    assert runs == []

@pytest.mark.costs
def test_dear_once(judge):
    pass

@pytest.mark.costs
def test_dear_each_time():
    costs("always", True)

@pytest.mark.costs
def test_dear_and_wrong(wrong):
    costs("wrong", True)

@pytest.mark.costs
def test_wrong():
    costs("cheap", False)
    assert not runs

def test_not_marked():
    costs("unmarked", True)

def test_how_often():
    assert runs == ["judge", "judge", "always", "always", "always", "wrong", "cheap", "unmarked"]
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("tests", "ended", "again"),
    [
        (
            TESTS,
            "3 failed, 2 passed",
            {
                "": 5,
                "::test_late_once: run again, since the machine stood still for 5.0 s": 1,
                "::test_late_each_time: run again": 4,
            },
        ),
        (
            COSTS,
            "4 failed, 2 passed, 1 error",
            {
                "": 3,
                "::test_dear_once: run again, since judge took 9 s of 1": 1,
                "::test_dear_each_time: run again, since always took 9 s of 1": 2,
            },
        ),
    ],
    ids=["late", "dear"],
)
def test_what_may_have_been_the_machine_is_run_again_and_what_is_wrong_is_not(
    tmp_path: Path, tests: str, ended: str, again: dict[str, int]
) -> None:
    told = outcome(tmp_path, tests)

    assert ended in told
    assert {note: told.count(note or "run again") for note in again} == again


def outcome(folder: Path, tests: str) -> str:
    """Run these tests in a pytest of their own, and return what it printed."""
    (folder / "machine.py").touch()
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "test_it.py").write_text(tests, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", "--rootdir", folder, folder],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT), str(ROOT / "tests")])},
        capture_output=True,
        timeout=DEADLINE,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr
