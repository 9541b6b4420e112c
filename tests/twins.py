"""Processes that stand ready for `check`, each with hashes of its own, and fork for every job: to start one costs more.

Usage: `python -m twins`, which reads jobs, one a line, and answers each with how the process ended that did it.
"""

import contextlib
import importlib
import json
import operator
import os
import select
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Self

from programs import ROOT

from netcode.turns.language.class_sources import source_of
from netcode.turns.proving import twin

TESTS = ROOT / "tests"


class Twins:
    """Stands in for `twin.run`, with one process that stays for each order of hashes."""

    def __init__(self, folder: Path) -> None:
        self._job, self._out, self._err = (folder / name for name in ("job", "out", "err"))
        path = os.pathsep.join(part for part in sys.path if part)
        self._ready = {
            seed: subprocess.Popen(
                [sys.executable, "-m", "twins"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            )
            for seed in twin.HASH_SEEDS
        }

    def run(self, job: str, hash_seed: str, seconds: float) -> subprocess.CompletedProcess[str]:
        """Have a fork of the process with these hashes do a job, as `twin.run` has a new one do it."""
        process = self._ready[hash_seed]
        assert process.stdin is not None
        assert process.stdout is not None
        self._job.write_text(job, encoding="utf-8")
        process.stdin.write(f"{json.dumps([str(self._job), str(self._out), str(self._err)])}\n".encode())
        process.stdin.flush()
        assert select.select([process.stdout], [], [], seconds)[0], "the process that stands ready does not answer"
        status = int(process.stdout.readline())
        out, err = (name.read_text(encoding="utf-8") for name in (self._out, self._err))
        return subprocess.CompletedProcess("a fork", status, out, err)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._ready.values():
            process.communicate()


def main() -> None:
    """Do jobs until there are no more."""
    for line in sys.stdin.buffer:
        job, out, err = json.loads(line)
        keep(Path(job).read_text(encoding="utf-8"))
        child = os.fork()
        if not child:
            _do(job, out, err)
        _, status = os.waitpid(child, 0)
        os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def keep(job: str) -> None:
    """Import the tests that a job is about, and read where their classes are, for all jobs that follow."""
    _, module, path, name, *_ = json.loads(job)
    if path and Path(path).is_relative_to(TESTS):
        with contextlib.suppress(ImportError, AttributeError):  # whoever does the job comes upon it, and says so
            source_of(operator.attrgetter(name)(importlib.import_module(module)))


def _do(*files: str) -> None:
    """Do a job with files for the standard ones, and end."""
    status = 1
    try:
        for number, name in enumerate(files):
            file = os.open(name, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
            os.close(file)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
        twin.main()
        sys.stdout.flush()
        status = 0
    finally:  # whatever it was: as a process of its own, it tells of it and ends
        if status:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
