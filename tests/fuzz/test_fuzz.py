"""A short search with what every machine has, and the corpus: what was found once is never broken again."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from programs import DEADLINE

from . import __main__ as fuzz
from .__main__ import CORPUS, TARGETS, corpus, inputs, keep, main, target

FAULTS = (*range(23, 32), 35, 36, 51, 58, 61, 65)


def use(monkeypatch: pytest.MonkeyPatch, directory: Path, function: Callable[[bytes], None]) -> None:
    """Search in `function` with one seed, that is empty, and a corpus of its own."""

    def planted(name: str) -> tuple[Callable[[bytes], None], dict[str, bytes]]:
        return function, {"nothing": b""}

    monkeypatch.setattr(fuzz, "target", planted)
    monkeypatch.setattr(fuzz, "CORPUS", directory / "corpus")


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_keeps_the_contract(name: str) -> None:
    function, _ = target(name)

    for data in inputs(name):
        function(data)


@pytest.mark.fault(30, layer="memory")
@pytest.mark.parametrize(("name", "count"), [("wire", 20_000), ("pair", 400), ("web", 2_000)])
def test_what_grows_from_the_corpus_keeps_the_contract(name: str, count: int) -> None:
    function, _ = target(name)
    known = inputs(name)
    dice = random.Random(name)

    for _ in range(count):
        data = bytearray(dice.choice(known))
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(data) + 1)
            match dice.randrange(3):
                case 0:
                    data[at:at] = dice.randbytes(dice.randrange(1, 6))
                case 1:
                    data[at : at + dice.randrange(1, 30)] = b""
                case _:
                    other = dice.choice(known)
                    data[at:at] = other[: dice.randrange(len(other) + 1)]
        function(bytes(data))


def test_the_corpus_is_small() -> None:
    assert sorted(path.name for path in CORPUS.iterdir()) == sorted(f"{name}.hex" for name in TARGETS)
    assert all(len(corpus(name)) < 300 for name in TARGETS)
    assert sum(path.stat().st_size for path in CORPUS.iterdir()) < 200_000


def test_a_finding_is_printed_as_small_as_it_was_seen_and_is_the_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(data: bytes) -> None:
        if b"\xc1" in data:
            raise RuntimeError("planted")

    use(monkeypatch, tmp_path, breaks)

    status = main(["--target", "wire", "--engine", "hypothesis", "--seconds", "60"])

    out = capsys.readouterr().out
    assert status == 1
    assert "RuntimeError: planted" in out
    assert "this input fails: c1\n" in out
    assert '"findings": 1' in out


def test_what_is_kept_covers_something_that_nothing_smaller_covers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, tmp_path, target("wire")[0])
    one, same, broken = b"\0" + bytes((0, 0, 0, 1, 1)), b"\0" + bytes((0, 0, 0, 1, 2)), b"\0" + bytes(4)

    keep("wire", [same, one])
    keep("wire", [broken, same])

    assert corpus("wire") == [broken, one]


@pytest.mark.process
def test_the_command_searches_in_each_target_and_says_how_much_it_tried() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", "1", "--engine", "hypothesis"]

    done = subprocess.run(command, cwd=fuzz.ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    for name, line in zip(TARGETS, done.stdout.splitlines(), strict=True):
        assert line.startswith(f'{{"target": "{name}", "engine": "hypothesis", "executions": ')
        assert line.endswith('"findings": 0}')
