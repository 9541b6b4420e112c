"""The code blocks of the documents, and what is done with each.

A comment right above a block, which no reader sees, says what it is:

- `<!-- file: server.py -->`: the reader puts it into this file. A later `then` starts it, or another file imports it.
- `<!-- not run: why -->`: it is only looked at, because it cannot run here. The reason is necessary.
- Nothing: Python runs from the top of the page to its end, in one module; shells and settings are checked.

A comment that begins with `then` is Python as well: what a reader would do now, and has to see. It has a `page`.
"""

import configparser
import json
import re
import shlex
import socket
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from programs import DEADLINE, ROOT, Program, Start

import netcode
from benchmarks.ports import free_port

PORT = "7777"
"""The port that pages name. Here, each page gets one that nobody has."""

FENCE = re.compile(
    r"^(?:<!-- (?P<kind>file|not run): (?P<about>[^\n]*) -->\n)?^```(?P<language>[^\n]*)\n(?P<code>.*?)^```$"
    r"|^<!-- then\n(?P<then>.*?)^-->$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """What stands between two fences, or is done there."""

    line: int
    language: str
    code: str
    file: str = ""
    not_run: str = ""
    is_hidden: bool = False


def documents() -> list[Path]:
    """Return every page that a reader may meet."""
    return [
        *sorted((ROOT / "docs").rglob("*.md")),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    ]


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of `page` in their order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            text.count("\n", 0, found.start()) + 1,
            "python" if found["then"] is not None else found["language"],
            found["then"] if found["then"] is not None else found["code"],
            found["about"] if found["kind"] == "file" else "",
            found["about"] if found["kind"] == "not run" else "",
            found["then"] is not None,
        )
        for found in FENCE.finditer(text)
    ]


def code_of(name: str, language: str = "python") -> list[str]:
    """Return what the blocks of a page of `docs/`, or of the README, say in `language`, where it can be run."""
    page = ROOT / name if name == "README.md" else ROOT / "docs" / name
    return [block.code for block in blocks_of(page) if block.language == language and not block.not_run]


def wait_until_listening(port: int) -> None:
    """Wait for a program that was just started to listen."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port}")


@dataclass
class Page:
    """What a `then` may do: a reader's hands."""

    folder: Path
    start_program: Start
    port: int = field(default_factory=free_port)
    used: set[str] = field(default_factory=set[str])

    def run(self, blocks: list[Block]) -> None:
        """Do all that the page says."""
        there: dict[str, object] = {"__name__": "page", "page": self}
        files: dict[str, str] = {}
        for block in blocks:
            code = block.code.replace(PORT, str(self.port))
            if block.file:
                files[block.file] = code
                (self.folder / block.file).write_text(code, encoding="utf-8")
            elif block.language == "python" and not block.not_run:
                exec(
                    compile("\n" * block.line + code, "page", "exec", dont_inherit=True), there
                )  # with its line numbers
        self.used |= {name for name in files if any(is_imported(name, code) for code in files.values())}
        assert {name for name in files if name.endswith(".py")} <= self.used, "a file that nobody runs"

    def needs(self, module: str) -> None:
        """Leave the page here where `module` is not installed."""
        pytest.importorskip(module)

    def start(self, name: str, *arguments: object, **environment: str) -> Program:
        """Start a file of the page."""
        self.used.add(name)
        return self.start_program(self.folder / name, *arguments, folder=self.folder, environment=environment)

    def serve(self, name: str, *arguments: object) -> Program:
        """Start a file of the page that is a server, and wait until it listens."""
        program = self.start(name, *arguments)
        wait_until_listening(self.port)
        return program

    def test(self, name: str) -> None:
        """Run a file of tests, all of which pass."""
        self.used.add(name)
        program = self.start_program(
            "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", self.folder, self.folder / name
        )
        assert program.status() == 0, program.output
        assert re.search(r"\d passed", program.output)

    def until(self, condition: Callable[[], object], *ends: netcode.Server | netcode.Client) -> None:
        """Update `ends`, whose events are for the page, until something is so."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            for end in ends:
                end.update()
            netcode.wait(*ends, timeout=0.01)


def is_imported(name: str, code: str) -> bool:
    """Tell whether `code` imports the file `name`."""
    return re.search(rf"^(?:from|import) {re.escape(name.removesuffix('.py'))}\b", code, re.MULTILINE) is not None


def complaints(block: Block) -> Iterator[str]:
    """Yield what is wrong with a block that is not Python, or not run, as far as that can be seen by reading it."""
    check = CHECKS.get(block.language)
    if check is not None:
        yield from check(block.code)
    elif not block.language.startswith("{"):  # a directive, which the site's builder checks
        yield f"nothing checks {block.language!r}"


def _python(code: str) -> Iterator[str]:
    compile(code, "page", "exec", dont_inherit=True)
    yield from ()


def _shell(code: str) -> Iterator[str]:
    """Look at whether the programs and the files of this project that a command names are there."""
    for line in code.splitlines():
        words = shlex.split(line, comments=True)
        for option, module in pairwise(words):
            parts = module.split(".")
            if option == "-m" and parts[0] in ("netcode", "benchmarks", "demo_game", "tests"):
                place = ROOT.joinpath(*parts)
                if not (place / "__main__.py").exists() and not place.with_suffix(".py").exists():
                    yield f"{line}: there is no module {module}"
        for word in words:
            if re.match(r"(?:examples|tests|docs|\.ci)/[\w./-]+$", word) and not (ROOT / word).exists():
                yield f"{line}: there is no {word}"


def _settings(code: str) -> Iterator[str]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(code)
    if not parser.sections():
        yield "no section"


def _mapping(code: str) -> Iterator[str]:
    yield from (
        f"no line of YAML: {line}" for line in code.splitlines() if not re.match(r" *(?:- )?\w+:(?: .+)?$", line)
    )


def _container(code: str) -> Iterator[str]:
    steps = [line.split()[0] for line in code.replace("\\\n", " ").splitlines() if line.strip() and line[0] != "#"]
    known = {"FROM", "RUN", "COPY", "WORKDIR", "USER", "EXPOSE", "CMD", "VOLUME", "STOPSIGNAL", "HEALTHCHECK"}
    is_whole = steps[0] == "FROM" or steps == ["HEALTHCHECK"]  # or a line that is added to one
    if not is_whole or not {*steps} <= known:
        yield f"not the steps of a container: {steps}"


def _table(code: str) -> Iterator[str]:
    tomllib.loads(code)
    yield from ()


def _json(code: str) -> Iterator[str]:
    json.loads(code)
    yield from ()


def _nothing(code: str) -> Iterator[str]:
    yield from ()


CHECKS: dict[str, Callable[[str], Iterator[str]]] = {
    "python": _python,
    "sh": _shell,
    "bat": _nothing,  # a prompt that only Windows has; the README's are run there
    "ini": _settings,
    "dockerfile": _container,
    "toml": _table,
    "yaml": _mapping,
    "text": _nothing,  # a file that is no program; a `then` looks at it
    "json": _json,
    "html": _nothing,  # a page; a test of its own opens it
    "js": _nothing,  # its script; the same
    "vectors": _nothing,  # tests of their own hold each to the code
}
