"""What a process stores in PostgreSQL in a second: the whole path plays, the database hangs, and all of it goes on."""

import sys

import pytest

if sys.platform != "linux":
    pytest.skip("the benchmarks keep processes to parts of the machine", allow_module_level=True)

pytest.importorskip("psycopg")

from benchmarks.databases import Missing
from benchmarks.turns_durable import Measured, measure, report


@pytest.mark.process
@pytest.mark.timed
def test_tables_play_on_after_their_database_hung() -> None:
    try:
        measured = measure(6, 0.5, 0.4, durable=False)
    except Missing as missing:
        pytest.skip(f"no table is stored in PostgreSQL here: {missing}")

    assert measured.moves > 0
    assert measured.after > 0
    assert 0 < measured.half <= measured.most
    assert measured.batch >= 1
    assert measured.told > 100
    assert measured.wal > 100
    assert 1 < measured.updates < 1000  # about thirty: a busy machine makes few, or sleeps for longer


def test_bars_are_printed_beside_the_figures() -> None:
    said = report(
        Measured(
            3_178.4,
            0.127,
            0.285,
            266.0,
            32.0,
            60.0,
            21.0,
            198.0,
            0.0432,
            0.0116,
            0.004,
            207,
            3_832.0,
            400.0,
            600.0,
            140.0,
        )
    )

    assert said[0].split("  ")[0] == "durable moves a second; bar: at least 3,000"
    assert said[0].endswith("  3,178")
    assert said[6].startswith("99 of 100 updates took, database hanging (207); bar: below 5 ms")
    assert said[6].endswith("  4.0 ms")
