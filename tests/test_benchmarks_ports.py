"""Ports that are drawn before they are listened on are drawn by nobody else meanwhile."""

import tempfile
from pathlib import Path

import pytest
from programs import Start

from benchmarks import ports

DRAW = "import time; from benchmarks.ports import free_port; print(*[free_port() for _ in range(5)]); time.sleep(600)"


@pytest.mark.process
def test_no_two_programs_draw_the_same_port(start: Start) -> None:
    pytest.importorskip("fcntl")
    programs = [start("-c", DRAW) for _ in range(3)]

    drawn = [[int(port) for port in program.until(r"(\d+ ){4}\d+\n")[0].split()] for program in programs]

    assert all(port in ports.NOT_GIVEN_OUT for some in drawn for port in some)
    assert [len({port % ports.SHARES for port in some}) for some in drawn] == [1, 1, 1]
    assert len({some[0] % ports.SHARES for some in drawn}) == 3


def test_where_none_can_be_kept_all_are_drawn_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))

    assert sorted(ports._share()) == [*ports.NOT_GIVEN_OUT]
