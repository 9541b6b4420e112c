"""How many descriptors a tool may have."""

import math
import sys

import pytest

from netcode.tools.descriptors import OPEN_MAX, raise_descriptor_limit

resource = pytest.importorskip("resource", reason="this system has no limit")


class System:
    """What grants descriptors up to a number, as macOS does, whose limit is none."""

    def __init__(self, soft: int, hard: int, grants: int) -> None:
        self.limits = soft, hard
        self._grants = grants

    def getrlimit(self, _: int) -> tuple[int, int]:
        return self.limits

    def setrlimit(self, _: int, limits: tuple[int, int]) -> None:
        if limits[0] > self._grants:
            raise ValueError("current limit exceeds maximum limit")
        self.limits = limits


@pytest.mark.parametrize(
    ("soft", "hard", "grants", "becomes"),
    [
        (1024, 4096, 4096, 4096),
        (4096, 4096, 4096, 4096),
        (256, sys.maxsize, OPEN_MAX, OPEN_MAX),
        (20_000, sys.maxsize, 30_000, 20_000),
        (256, sys.maxsize, 300, 256),
    ],
)
def test_it_becomes_as_many_as_the_system_grants_and_never_fewer(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, grants: int, becomes: int
) -> None:
    system = System(soft, hard, grants)
    monkeypatch.setattr(resource, "getrlimit", system.getrlimit)
    monkeypatch.setattr(resource, "setrlimit", system.setrlimit)

    assert raise_descriptor_limit() == becomes
    assert system.limits == (becomes, hard)


def test_where_there_is_no_limit_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(resource, "getrlimit")

    assert raise_descriptor_limit() == math.inf


def test_a_limit_that_is_infinite_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(resource.RLIM_INFINITY, resource.RLIM_INFINITY, sys.maxsize)
    monkeypatch.setattr(resource, "getrlimit", system.getrlimit)
    monkeypatch.setattr(resource, "setrlimit", system.setrlimit)

    assert raise_descriptor_limit() == math.inf
