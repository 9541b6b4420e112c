"""How long a flood has lasted."""

import pytest

from netcode.session.flood import CALM, LONGEST_FRAME, Flood


def test_a_flood_lasts_as_long_as_more_comes_in_each_update() -> None:
    flood = Flood(10.0)

    lasted = [flood.goes_on(10.0 + 0.03 * number) for number in (1, 2, 3)]

    assert lasted == pytest.approx([0.03, 0.06, 0.09])


def test_where_updates_are_rare_it_is_we_who_let_it_pile_up() -> None:
    assert Flood(10.0).goes_on(70.0) == LONGEST_FRAME


def test_a_pause_between_two_reads_is_no_end_and_calm_is() -> None:
    flood = Flood(10.0)
    flood.goes_on(10.04)

    flood.calm(10.04)
    flood.calm(10.08)  # since when is told once
    after_a_pause = flood.goes_on(10.04 + CALM / 2)
    flood.calm(10.2)

    assert after_a_pause == pytest.approx(0.04 + LONGEST_FRAME)
    assert flood.goes_on(10.25 + CALM) == 0.0


def test_what_piled_up_while_we_did_not_read_is_no_flood() -> None:
    flood = Flood(10.0)

    flood.excuse(10.04)

    assert flood.goes_on(10.05) == pytest.approx(0.01)
