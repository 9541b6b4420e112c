"""The model of a million players: what goes in is what was measured, and the page shows what comes out."""

import re
import sys

import pytest
from programs import ROOT

from benchmarks.million import Asked, Measured, main, number, percent, reckon, size, table

PAGE = ROOT / "docs" / "how-to" / "run-for-many.md"


def test_the_page_shows_what_the_program_prints() -> None:
    [shown] = re.findall(
        r"^\| what \| how much \| from \|\n(?:\|.*\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )

    assert shown == f"{table()}\n"


@pytest.mark.parametrize(("ping", "microseconds"), [(1.0, 19.9), (5.0, 4.7)])
def test_links_cost_what_was_measured(ping: float, microseconds: float) -> None:
    assert reckon(Asked(ping=ping)).links == pytest.approx(microseconds, abs=0.01)  # of a million, in cores


@pytest.mark.parametrize(("entries", "microseconds"), [(10, 150), (31, 53), (151, 21)])
def test_commits_cost_what_was_measured(entries: int, microseconds: int) -> None:
    measured = Measured()

    assert (measured.commit / entries + measured.entry) * 1e6 == pytest.approx(microseconds, rel=0.06)


def test_twice_the_players_take_twice_of_all() -> None:
    one, two = reckon(Asked(players=1_000_000)), reckon(Asked(players=2_000_000))

    for name in ("moves", "links", "rules", "wal", "kept", "told", "disks", "network"):
        assert getattr(two, name) == pytest.approx(2 * getattr(one, name)), name
    assert two.processes == pytest.approx(2 * one.processes, abs=1)


def test_no_process_and_no_database_is_asked_for_more_than_it_may_give() -> None:
    for players in (1, 1_000, 77_777, 1_000_000, 10_000_000):
        asked = Asked(players=players)
        it = reckon(asked)

        assert (it.links + it.rules) / it.processes <= asked.busy
        assert it.stores / it.databases <= asked.database_cores * asked.full
        assert it.in_one * it.processes >= players
        assert it.commits <= it.moves + 1e-9


def test_other_questions_can_be_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["million", "--players", "20000", "--every", "5"])
    main()

    assert capsys.readouterr().out == f"{table(Asked(players=20_000, every=5.0))}\n"


@pytest.mark.parametrize("wrong", [["--players", "0"], ["--every", "-1"], ["--ping", "nan"], ["--core", "inf"]])
def test_nonsense_is_refused(
    wrong: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["million", *wrong])

    with pytest.raises(SystemExit):
        main()
    assert "give a number above 0" in capsys.readouterr().err


def test_numbers_are_rounded_to_what_is_known() -> None:
    assert [number(value) for value in (12, 0.0, 0.0123, 4.66, 13.2, 1_786.0)] == [
        "12",
        "0",
        "0.012",
        "4.7",
        "13",
        "1,800",
    ]
    assert [size(value) for value in (5.0, 1_500.0, 16e6, 1.01e12)] == ["5.0 B", "1.5 kB", "16 MB", "1.0 TB"]
    assert [percent(share) for share in (0.0333, 0.25, 1.0)] == ["3.3 %", "25 %", "100 %"]
