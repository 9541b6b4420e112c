"""docs/reference/reasons.md has each code once, and says of each whether a client comes back after it."""

import re

from programs import ROOT

from netcode import ReasonCode
from netcode.session.comeback import _WORTH_ANOTHER_RETURN

TEXT = (ROOT / "docs" / "reference" / "reasons.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| `")]


def test_each_code_has_one_row() -> None:
    assert sorted(row[0] for row in ROWS) == sorted(f"`{code.name}`" for code in ReasonCode)


def test_each_row_says_whether_a_client_comes_back() -> None:
    back = {row[0].strip("`") for row in ROWS if row[3] != "no"}

    assert back == {code.name for code in _WORTH_ANOTHER_RETURN}


def test_each_row_says_what_to_do() -> None:
    assert [row[0] for row in ROWS if len(row) != 4 or not re.search(r"[.?)]$", row[2])] == []
