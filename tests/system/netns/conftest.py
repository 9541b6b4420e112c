"""The rig as a fixture; where it cannot stand, its tests say why."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from .rig import Hosts, why_not

_why_not = cache(why_not)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    """Two hosts and a good link between them."""
    reason = _why_not()
    if reason is not None:
        pytest.skip(reason)
    with Hosts(tmp_path) as hosts:
        yield hosts
    for log in tmp_path.glob("*.log"):
        # Also what a program says of a socket that it forgot to close.
        assert not re.search("Traceback|Exception ignored", log.read_text(encoding="utf-8")), log.name
