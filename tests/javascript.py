"""What runs JavaScript for tests: Node, and a real Chromium without a window."""

import shutil

import pytest


def node() -> str:
    """Return the path of Node, or skip the test."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no node: netcode.js is not tested in it (nodejs of the system, 20 or later)")
    return found
