"""A test with a bound by the wall clock runs again where the machine stood still, and only there."""

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


@pytest.mark.process
def test_what_the_machine_made_late_is_run_again_and_what_is_wrong_is_not(tmp_path: Path) -> None:
    (tmp_path / "machine.py").touch()
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT), str(ROOT / "tests")])},
        capture_output=True,
        timeout=DEADLINE,
        text=True,
        check=False,
    )

    assert "3 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("::test_late_once: run again, since the machine stood still for 5.0 s") == 1
    assert done.stdout.count("::test_late_each_time: run again") == 4
    assert done.stdout.count("run again") == 5
