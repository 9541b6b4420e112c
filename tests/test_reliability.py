"""The page on reliability says what the tests say."""

import re
import subprocess
import sys

import pytest
from programs import DEADLINE, ROOT
from reliability import BEGIN, CASES, END, PAGE, page, table

LAST = 89


@pytest.mark.process
def test_the_page_is_what_the_tests_say() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "tests.reliability", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * DEADLINE,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_case_has_its_number() -> None:
    assert [int(number) for number in re.findall(r"^(\d+)\.", CASES, re.MULTILINE)] == [*range(1, LAST + 1)]


def test_a_case_that_nobody_proves_is_not_passed_over() -> None:
    proofs = {number: {"memory": {"tests/x.py::test_x"}} for number in range(1, LAST)}

    with pytest.raises(AssertionError, match=f"no test proves case {LAST}"):
        table(proofs)


def test_what_is_written_by_hand_stays() -> None:
    made = f"{BEGIN}new\n{END}"

    assert page(f"head\n{BEGIN}old\n{END}tail\n", made) == f"head\n{made}tail\n"
    assert PAGE.read_text("utf-8").count(BEGIN) == 1
