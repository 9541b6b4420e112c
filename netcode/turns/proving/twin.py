"""The same games in other processes, whose sets and hashes are in another order: `check` starts them and compares."""

import contextlib
import hashlib
import importlib
import importlib.util
import json
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from netcode.turns.errors import BUGS
from netcode.turns.proving.seen import default_of
from netcode.turns.proving.worlds import clone
from netcode.turns.reading import is_read_from
from netcode.turns.rules import Game
from netcode.turns.runtime.transactions import time_out
from netcode.turns.simulate import MAX_MOVES, Choice, Chooser, simulate, step
from netcode.turns.table import Table
from netcode.turns.values import pack, unpack

if TYPE_CHECKING:
    from subprocess import CompletedProcess

PATIENCE = 60.0
"""Seconds that another process has to start, and to play what takes no time here."""

HASH_SEEDS = ("1", "2")
"""One process for each. Two words in a set are in the same order here and in both a quarter of the time."""


class Job(NamedTuple):
    """A game to be played; options are plain wire data."""

    seed: int
    players: int
    options: Mapping[str, Any]
    stored: bytes = b""
    """A state of that game, from which it is played on; nothing where it is played from the beginning."""


def stopped_midway(game: type[Any], job: Job) -> Job:
    """Return a job to play a game on from its middle, as after a restart."""
    whole = simulate(game, job.seed, players=job.players, options=job.options)
    half = simulate(game, job.seed, players=job.players, options=job.options, limit=len(whole.moves) // 2)
    return job._replace(stored=half.table.snapshot())


def digest(game: type[Any], job: Job) -> str:
    """Return a digest of a simulated game.

    It is of what is stored, seen, asked and listed as legal before each move, of what would come of it if the time were
    up, and of all that is told.
    """
    whole = hashlib.blake2b(digest_size=16)

    def note(table: Table) -> None:
        whole.update(table.snapshot())
        for viewer in (None, *range(job.players)):
            for name, data in table.view(viewer).items():
                whole.update(name.encode() + data)

    def choose(table: Table, seat: int, choices: list[Choice], dice: random.Random) -> Choice:
        note(table)
        asked = [default_of(table), *map(table.question, range(job.players))]
        whole.update(repr((choices, asked)).encode())
        if game.timeout is not Game.timeout:
            late = clone(table)
            whole.update(repr(time_out(late, seat, 0.0).happenings).encode())
            note(late)
        return dice.choice(choices)

    if job.stored:
        return _played_on(Table.restore(game, job.stored), choose) or whole.hexdigest()
    played = simulate(game, job.seed, players=job.players, options=job.options, choose=choose)
    note(played.table)
    whole.update(repr(played.happenings).encode())
    return whole.hexdigest()


def _played_on(table: Table, choose: Chooser) -> str:
    """Play a stored game on to its end; return what it fails with, or nothing."""
    dice = random.Random(1)  # noqa: S311 - the same moves from the same position
    try:
        for _ in range(MAX_MOVES):
            if table.result is not None or step(table, dice, choose) is None:
                break
    except BUGS as error:
        return f"It fails: {error}."
    return table.frozen and f"It cannot be restored: {table.frozen}."


def load(module: str, path: str, name: str) -> type[Any]:
    """Return a class by its name, from a module that can be imported or from its file."""
    try:
        found_at = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        found_at = None
    if found_at is not None and (not path or is_read_from(found_at.origin, path)):
        loaded = importlib.import_module(module)
    else:  # nothing is imported by that name, or something else: a game may be in a file called chess.py
        spec = importlib.util.spec_from_file_location(module, path)
        assert spec is not None
        assert spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[module] = loaded
        sys.path.insert(0, str(Path(path).parent))  # as the command line does, for what lies beside it
        try:
            spec.loader.exec_module(loaded)
        finally:
            sys.path.pop(0)
    found: Any = loaded
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def is_there(game: type[Any]) -> bool:
    """Tell whether a class is found by its name in its module; one that a function made may have any."""
    found: Any = sys.modules.get(game.__module__)
    for part in game.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is game


def digests(
    game: type[Any], jobs: Sequence[Job], seconds: float = PATIENCE, hash_seed: str = HASH_SEEDS[0]
) -> list[str] | None:
    """Return the digests of games as another process makes them; None if it cannot know the class, or this is such a one.

    The order of its sets follows from `hash_seed`. Raises `TimeoutError` where so many seconds were not enough for it.
    """
    if "<locals>" in game.__qualname__ or game.__module__ == "__main__" or is_one():
        return None
    import subprocess

    path = getattr(sys.modules.get(game.__module__), "__file__", None) or ""
    # JSON has no bytes, and no numbers for keys, which options may have.
    packed = [(job.seed, job.players, pack(dict(job.options)).hex(), job.stored.hex()) for job in jobs]
    try:
        done = run(json.dumps([sys.path, game.__module__, path, game.__qualname__, packed]), hash_seed, seconds)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"one was not through with the same games after {seconds:.0f} seconds") from error
    try:
        return list(json.loads(done.stdout.rpartition("\n")[2]))  # rules may have found another way to print
    except ValueError:
        return [done.stderr.strip().rpartition("\n")[2] or f"it ended with {done.returncode}"]


def is_one() -> bool:
    """Tell whether this is such a process itself: a file that checks its game wherever it is read would start one from each."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec is not None and spec.name == "netcode.turns.proving.twin"


def run(job: str, hash_seed: str, seconds: float) -> "CompletedProcess[str]":
    """Have another process do a job, and return how it ended."""
    import os
    import subprocess

    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "netcode.turns.proving.twin"]
    environment["PYTHONPATH"] = os.pathsep.join(part for part in sys.path if part)
    return subprocess.run(  # noqa: S603
        command, input=job, capture_output=True, text=True, env=environment, timeout=seconds, check=False
    )


def main() -> None:
    """Read a job from the standard input, and print its digests."""
    paths, module, path, name, packed = json.loads(sys.stdin.read())
    sys.path[:] = paths
    random.seed(1)  # what a rule draws from it is not what it draws elsewhere
    with contextlib.redirect_stdout(sys.stderr):  # what rules print is no part of the answer
        game = load(module, path, name)
        jobs = [
            Job(seed, players, unpack(bytes.fromhex(options)), bytes.fromhex(stored))
            for seed, players, options, stored in packed
        ]
        found = [digest(game, job) for job in jobs]
    sys.stdout.write(f"\n{json.dumps(found)}")


if __name__ == "__main__":
    main()
