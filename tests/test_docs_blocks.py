"""Every page of the documentation is followed: what is Python runs, and the rest is read."""

import itertools
import re
import shlex
import sys
from pathlib import Path

import pytest
from docs_blocks import Block, Page, blocks_of, complaints, documents
from programs import ROOT, Start

STORIES = {
    "README.md": "test_readme",
    "docs/first-turn-based-game.md": "turns/test_docs_turns",
    "docs/turns-rules.md": "turns/test_docs_turns",
    "docs/from-procord.md": "test_docs_from_procord",
    "docs/tls.md": "test_docs_tls",
    "docs/protocol.md": "test_protocol_standard",
    "docs/turns-table-page.md": "turns/test_turns_table_page",
    "docs/turns-protocol.md": "turns/test_turns_protocol",
}
"""Pages whose code a test of their own runs, because it has more to say about them."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


PAGES = {name_of(page): page for page in documents()}
RUN = {
    name: page
    for name, page in PAGES.items()
    if name not in STORIES and any(b.is_hidden or b.language == "python" for b in blocks_of(page))
}


@pytest.mark.process
@pytest.mark.parametrize("name", RUN)
def test_what_a_page_says_is_so(name: str, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])

    Page(folder, start).run(blocks_of(RUN[name]))


@pytest.mark.parametrize("name", STORIES)
def test_a_page_with_a_story_of_its_own_is_told_there(name: str) -> None:
    story = (ROOT / "tests" / f"{STORIES[name]}.py").read_text(encoding="utf-8")

    assert f'code_of("{PAGES[name].name}"' in story


@pytest.mark.parametrize("name", PAGES)
def test_every_block_can_be_read_by_whom_it_is_for(name: str) -> None:
    wrong = [f"line {block.line}: {what}" for block in blocks_of(PAGES[name]) for what in complaints(block)]

    assert wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_every_fence_of_a_page_is_seen(name: str) -> None:
    fences = [line for line in PAGES[name].read_text(encoding="utf-8").splitlines() if line.startswith("```")]

    seen = [block for block in blocks_of(PAGES[name]) if not block.is_hidden]

    assert len(fences) == 2 * len(seen)


def test_a_file_that_nobody_runs_is_noticed(start: Start, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="nobody runs"):
        Page(tmp_path, start).run([Block(1, "python", "import netcode\n", file="forgotten.py")])


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("sh", "python -m netcode.nothing"),
        ("sh", "python examples/nothing.py"),
        ("ini", "# nothing"),
        ("dockerfile", "RUN true"),
        ("", "what is this"),
    ],
)
def test_what_cannot_be_is_noticed(language: str, code: str) -> None:
    assert [*complaints(Block(1, language, code))]


def commands() -> dict[tuple[str, ...], set[str]]:
    """Return the commands of netcode's own programs, with all the options that pages give each."""
    lines = [
        line
        for page in PAGES.values()
        for block in blocks_of(page)
        if block.language == "sh"
        for line in block.code.splitlines()
    ]
    words = [shlex.split(line, comments=True) for line in lines]
    found: dict[tuple[str, ...], set[str]] = {}
    for line in [line[line.index("-m") + 1 :] for line in words if "-m" in line]:
        if line[0].partition(".")[0] in ("netcode", "benchmarks"):
            command = tuple([*itertools.takewhile(re.compile(r"[a-z.]+$").match, line)][:2])
            found.setdefault(command, set()).update(word for word in line if word.startswith("--"))
    return found


COMMANDS = commands()


@pytest.mark.process
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_has_the_options_that_pages_give_it(command: tuple[str, ...], start: Start) -> None:
    program = start("-m", *command, "--help")

    assert program.status() == 0, program.output
    assert {option for option in COMMANDS[command] if option not in program.output} == set()


EACH_TICK = re.compile(
    r"^ {8}(?:self\.)?server\.broadcast\((?P<what>.*)\)$|server\.broadcast\((?P<tick>\{\"tick\".*)\)$", re.MULTILINE
)
"""Where a sample tells everybody how things stand, in each tick: who is away must not get all of it later."""
EACH_PEER = re.compile(r"^( *)for \w+ in [\w.]*\.peers:\n(?P<what>(?:\1 {4}.*\n)+)", re.MULTILINE)
"""The same, to one after the other."""
KEEPS = re.compile(r"(?P<file>\w+)\.write_text\(\w+\.ticket[^\n]*\n\s*(?P<then>[\w.]*)")
"""Where a sample keeps the key of a seat. A kill in the middle of writing must not cost the key that was there."""
PRINTS = re.compile(
    r"^ +(?:print|sys\.stdout\.write\w*)\((?!\").*\b(?:event|happened|message|reason|text)\b.*$", re.MULTILINE
)
"""Where a sample prints what comes from others by what a name with an emoji can end."""
SAMPLES = [*documents(), *(ROOT / "examples").rglob("*.py"), *(ROOT / "netcode" / "tools" / "templates").rglob("*.txt")]


def test_who_is_away_is_sent_no_snapshots_wherever_there_are_any() -> None:
    told = [match for path in SAMPLES for match in EACH_TICK.finditer(path.read_text(encoding="utf-8"))]

    one_by_one = [match["what"] for path in SAMPLES for match in EACH_PEER.finditer(path.read_text(encoding="utf-8"))]

    assert len(told) >= 7
    assert [match[0] for match in told if ", to=" not in match[0]] == []
    assert [what for what in one_by_one if ".send(" in what and ".away" not in what] == []
    assert any(".send(" in what for what in one_by_one)


def test_a_key_is_written_beside_and_put_in_place_wherever_one_is_kept() -> None:
    kept = [match for path in SAMPLES for match in KEEPS.finditer(path.read_text(encoding="utf-8"))]

    assert len(kept) >= 7
    assert [match[0] for match in kept if match["then"] != f"{match['file']}.replace"] == []


def test_what_comes_from_others_is_printed_by_say_wherever_it_is() -> None:
    assert [match[0] for path in SAMPLES for match in PRINTS.finditer(path.read_text(encoding="utf-8"))] == []
