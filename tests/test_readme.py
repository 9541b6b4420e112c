"""The README runs: its server and client as they stand there, and what it says about the project is so."""

import re
import sys

import pytest
from docs_blocks import code_of, wait_until_listening
from programs import ROOT, Start
from test_floors import BESIDE, FLOORS, MODULES

from benchmarks.ports import free_port

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
SERVER, CLIENT = code_of("README.md")


@pytest.fixture
def port() -> int:
    """A port that nobody has, instead of the one that the README names."""
    return free_port()


def test_a_server_and_a_client_within_thirty_lines() -> None:
    assert len(f"{SERVER}{CLIENT}".splitlines()) <= 30


@pytest.mark.process
def test_its_client_talks_to_its_server(start: Start, port: int) -> None:
    server = start("-c", SERVER.replace("7777", str(port)))
    wait_until_listening(port)
    client = start("-c", CLIENT.replace("7777", str(port)))

    number = client.until(r"welcome, number (\d+)")[1]
    client.until(f"{{'from': {number}, 'said': 'ahoy'}}")
    client.stop()
    server.until("127.0.0.1")


@pytest.mark.skipif(sys.platform == "win32", reason="there, Ctrl-C goes to a whole console")
@pytest.mark.process
@pytest.mark.fault(70, "process")
@pytest.mark.parametrize("who", ["server", "client"])
def test_ctrl_c_ends_either_with_a_goodbye_that_arrives(who: str, start: Start, port: int) -> None:
    server = start("-c", SERVER.replace("7777", str(port)))
    wait_until_listening(port)
    client = start("-c", CLIENT.replace("7777", str(port)))
    client.until("'said': 'ahoy'")

    (server if who == "server" else client).interrupt()

    assert client.status() == 0
    if who == "server":
        assert server.status() == 0
        assert "server is shutting down" in client.output
    else:
        server.until("left: the other end left")
    assert "Traceback" not in server.output + client.output


@pytest.mark.process
def test_its_client_says_that_there_is_no_server(start: Start, port: int) -> None:
    promised = re.search("«(nothing is listening on .*)»", TEXT)
    assert promised is not None

    client = start("-c", CLIENT.replace("7777", str(port)))

    assert client.status() == 0
    assert client.output == promised[1].replace("7777", str(port)) + "\n"


def test_both_commands_are_one_line_for_each_system() -> None:
    commands = [*code_of("README.md", "sh"), *code_of("README.md", "bat")]

    assert [(len(command.splitlines()), command.split()[-1]) for command in commands] == [
        (1, "demo_game"),
        (1, "-q"),
        (1, "demo_game"),
        (1, "-q"),
    ]


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^):]+)\)", TEXT)

    assert [target for target in targets if not (ROOT / target.partition("#")[0]).exists()] == []


def test_its_map_of_floors_is_the_one_that_is_tested() -> None:
    rows = re.findall(r"^\| (\d+|beside) \| ([^|]*) \|", TEXT, re.MULTILINE)

    drawn = [(floor, tuple(re.findall("`(.*?)`", modules))) for floor, modules in rows]

    # The floors of the turn kit are a house of their own, and one storey of this one.
    floors = [floor for floor in FLOORS if not any(module.startswith("turns.") for module in floor)]
    assert drawn == [*((str(number), floor) for number, floor in enumerate(floors)), ("beside", BESIDE)]


def test_its_map_says_of_each_module_of_the_core_what_it_is_for() -> None:
    said = dict(re.findall(r"^\| \d+ \| ([^|]*) \| ([^|]*) \|$", TEXT, re.MULTILINE))

    silent = [
        module
        for module in MODULES
        for row, words in said.items()
        for package, _, name in [module.rpartition(".")]
        if f"`{package}`" in row and package not in {"turns", "tools", "pygame"} and f"`{name}`" not in words
    ]

    assert silent == []


def test_its_word_for_the_kit_is_the_page_that_it_links_to() -> None:
    page = (ROOT / "docs" / "first-turn-based-game.md").read_text(encoding="utf-8")
    words = re.findall(r"`python -m netcode\.turns (\w+) ", TEXT)

    assert words
    assert all(f"python -m netcode.turns {word} " in page for word in words)
