"""docs/from-procord.md runs, and every name it gives is there."""

import re
import sys

import pytest
from docs_blocks import code_of
from programs import ROOT

import netcode

TEXT = (ROOT / "docs" / "from-procord.md").read_text(encoding="utf-8")
ROWS = [line.split(" | ") for line in TEXT.splitlines() if line.startswith("| `")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for pipes")
def test_its_code_runs_from_top_to_bottom() -> None:
    there: dict[str, object] = {}

    for block in code_of("from-procord.md"):
        exec(block, there)

    assert there["echoed"] == b"ping\n"


def test_every_name_of_its_table_exists() -> None:
    calls = {name for row in ROWS for name in re.findall(r"`(?:connection|set)?\.?(\w{2,})[`(]", row[1])}
    places = (netcode, netcode.sync, netcode.Connection, netcode.ConnectionSet, netcode.Waiter, netcode.State)

    missing = {name for name in calls if not any(hasattr(place, name) for place in places)}

    assert len(ROWS) > 20
    assert missing == {"make_data"}  # it is yours


def test_every_reason_it_names_exists() -> None:
    named = {*re.findall(r"`([A-Z_]{5,})`", TEXT)} - {"DISCONNECTED", "DISCONNECTING", "CONNECTED", "REFUSE"}

    assert named - {"CONNECT_TIMEOUT"} == {"CLOSED_BY_PEER", "RESET", "REFUSED", "TIMEOUT", "CLOSE_TIMEOUT", "TOO_SLOW"}
    assert named <= {code.name for code in netcode.ReasonCode}
