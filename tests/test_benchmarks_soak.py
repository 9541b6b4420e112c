"""A short soak is flat, and explains who left."""

import subprocess
import sys

import pytest
from programs import DEADLINE, ROOT


@pytest.mark.process
@pytest.mark.fault(66, layer="process")
def test_a_short_soak_is_flat_and_explained() -> None:
    words = [sys.executable, "-m", "benchmarks", "soak", "--minutes", "0.05", "--clients", "12"]

    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "flat and explained" in done.stdout
