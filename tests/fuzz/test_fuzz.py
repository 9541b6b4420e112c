"""A short search with what every machine has, and the corpus: what was found once is never broken again."""

import random
from pathlib import Path

import pytest

from .__main__ import CORPUS, TARGETS, inputs, target

FAULTS = (*range(23, 32), 35, 36, 51, 58, 61, 65)


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_keeps_the_contract(name: str) -> None:
    function, _ = target(name)

    for data in inputs(name):
        function(data)


@pytest.mark.fault(30, layer="memory")
@pytest.mark.parametrize(("name", "count"), [("wire", 20_000), ("pair", 400)])
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
    files = [path for path in CORPUS.rglob("*") if path.is_file()]

    assert len(files) < 600
    assert sum(path.stat().st_size for path in files) < 200_000
    assert Path(__file__).parent == CORPUS.parent
