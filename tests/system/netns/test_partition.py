"""A host that serves tables is cut off from their database: no table has two owners, and all goes on by itself."""

import json
import os
import secrets
import signal
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache

import pytest
from programs import Program

pytest.importorskip("psycopg")

from benchmarks.databases import Missing, program

from .partition import BASE, PLAY, RULES, TABLES
from .rig import HERE, command, why_not

pytestmark = pytest.mark.netns

_why_not = cache(why_not)


def end_all(namespace: str) -> None:
    """End whatever a test that failed has left running on a host."""
    for process in command("ip", "netns", "pids", namespace).split():
        with suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)


@contextmanager
def three() -> Generator[list[str]]:
    """Two hosts, and a third with two links to each: one for players, one for the database."""
    with ExitStack() as stack:
        names = [f"netcode-{secrets.token_hex(3)}-{number}" for number in range(3)]
        for name in names:
            command("ip", "netns", "add", name)
            stack.callback(command, "ip", "netns", "delete", name)
            stack.callback(end_all, name)
            command("ip", "-n", name, "link", "set", "lo", "up")
        for number, name in enumerate(names[:2]):
            for kind, address in (("play", PLAY[number]), ("base", BASE[number])):
                here, there = address, address.rpartition(".")[0] + (".2" if kind == "play" else ".1")
                ours, theirs = (here, there) if kind == "play" else (there, here)
                far = f"{kind}{number}"
                command("ip", "-n", name, "link", "add", kind, "type", "veth", "peer", "name", far, "netns", names[2])
                for host, device, own in ((name, kind, ours), (names[2], far, theirs)):
                    command("ip", "-n", host, "address", "add", f"{own}/24", "dev", device)
                    command("ip", "-n", host, "link", "set", device, "up")
        yield names


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Program]]:
    """Who cuts each of the ways, in hosts of its own: most of it is waiting, so all do it at the same time."""
    reason = _why_not()
    if reason is not None:
        pytest.skip(reason)
    try:
        program("postgres")
    except Missing as missing:
        pytest.skip(f"no table is stored in PostgreSQL here: {missing}")
    folder, script = tmp_path_factory.mktemp("partition"), HERE / "partition.py"
    with ExitStack() as stack:
        started: dict[str, Program] = {}
        for ways in RULES:
            first, second, third = stack.enter_context(three())
            words = (HERE / "enter.py", third, script, first, second, ways, 10)
            started[ways] = stack.enter_context(Program(*words, log=folder / ways))
        yield started


@pytest.mark.parametrize("ways", RULES)
def test_a_host_that_is_cut_off_from_the_database_loses_nothing_and_comes_back(
    drivers: dict[str, Program], ways: str
) -> None:
    driver = drivers[ways]
    found = driver.until(r'(\{"moves".*\})\n', 240.0)  # it bounds each step itself, and says which took too long
    assert driver.status() == 0  # and with it the database is gone
    came = json.loads(found[1])

    assert came["wrong"] == []
    assert came["guests"] == [True] * 2
    assert all(count > 0 for count in came["meanwhile"][1::2]), "who is at the other host noticed nothing"
    assert came["moves"] > 10 * TABLES
    # The one that was cut off had lost tables: it ended, and was started again.
    assert came["ends"] == [1, 0]
    assert came["back"] < 30.0
