"""Real programs for tests: started, spoken to, watched with a deadline, and never left behind."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Protocol, Self

ROOT = Path(__file__).parent.parent
DEADLINE = 120.0
"""Seconds after which whatever a test waits for will not come: a busy machine takes forty for a game of two programs."""


@contextlib.contextmanager
def ctrl_c_at_work() -> Generator[None]:
    """Let programs that are started here take Ctrl-C, even if this one was told to ignore it.

    A shell without job control starts what is put into the background so, and whoever ignores a signal bequeaths that.
    """
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class Program:
    """A Python program in a process of its own; warnings are errors there too.

    What it prints goes to a file, because a pipe that nobody empties would stop it.
    """

    def __init__(
        self, *arguments: object, log: Path, environment: dict[str, str] | None = None, folder: Path = ROOT
    ) -> None:
        self._log = log
        self._command = " ".join(map(str, arguments))
        with log.open("wb") as output, ctrl_c_at_work():
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-W", "error", *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **(environment or {})},
            )

    @property
    def output(self) -> str:
        """Everything it has printed, errors included."""
        return self._log.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")

    def until(self, pattern: str, seconds: float = DEADLINE) -> re.Match[str]:
        """Wait until it has printed something that matches `pattern`."""
        deadline = time.monotonic() + seconds
        while True:
            over = self._process.poll() is not None or time.monotonic() > deadline
            found = re.search(pattern, self.output)
            if found is not None:
                return found
            assert not over, f"{pattern!r} is not in what {self._command} printed:\n{self.output}"
            time.sleep(0.02)

    def say(self, line: str) -> None:
        """Type a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def end_input(self) -> None:
        """Let it read the end of its input."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def is_running(self) -> bool:
        """Tell whether it has not ended yet."""
        return self._process.poll() is None

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """Let it stand still meanwhile, where the system can do that."""
        if sys.platform == "win32":
            yield
            return
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill it."""
        self._process.kill()

    def status(self, seconds: float = DEADLINE) -> int:
        """Wait for its end and return its exit status."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self._command} does not end; it printed:\n{self.output}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None and not self._process.stdin.closed:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                pass  # what was typed last was never read


class Start(Protocol):
    """What the fixture `start` is: it starts a program, which ends with the test at the latest."""

    def __call__(
        self, *arguments: object, environment: dict[str, str] | None = None, folder: Path = ROOT
    ) -> Program: ...


@contextlib.contextmanager
def served(games: str, folder: Path) -> Generator[str]:
    """Run a program that serves turn-based games, from a file, so that their source can be read; yield its link."""
    (folder / "games.py").write_text(games, encoding="utf-8")
    with Program(folder / "games.py", log=folder / "log") as program:
        yield program.until(r"play in a browser at (\S+)")[1]
