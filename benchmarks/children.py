"""Run the benchmark's processes: start them, ask them, and see that none outlives the benchmark."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.machine import Unsuited

HERE = ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0
"""Seconds in which a child must answer, unless an order is known to take longer."""


class ChildFailed(Exception):
    """A process of the benchmark died, went silent, or could not do what it was asked."""


class Child:
    """One process of the benchmark, asked over its standard input and output.

    A context manager: the process is gone when the block is left, whatever happened in it.

    Args:
        module: the program, below this package.
        part: the part of the machine to keep to, `server` or `load`.
        settings: what the program wants to know.
    """

    def __init__(self, module: str, *, part: str, **settings: object) -> None:
        self.module = module
        self._received = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}", json.dumps({"part": part, **settings})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            cwd=ROOT if (ROOT / "benchmarks" / f"{module.replace('.', '/')}.py").exists() else HERE,
            process_group=0,  # Ctrl-C in the terminal reaches the parent alone, which then ends its children
        )
        try:
            self.facts: dict[str, Any] = self.answer()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def ask(self, order: str, *, within: float = PATIENCE, **arguments: object) -> Any:  # noqa: ANN401 - any JSON
        """Give an order and wait for its answer, at most `within` seconds."""
        self.tell(order, **arguments)
        return self.answer(within)

    def tell(self, order: str, **arguments: object) -> None:
        """Give an order whose answer is fetched later."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"name": order, "arguments": arguments}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ChildFailed(f"{self.module} ended before «{order}»") from error

    def answer(self, within: float = PATIENCE) -> Any:  # noqa: ANN401 - any JSON
        """Wait for the next answer, at most `within` seconds.

        Raises:
            ChildFailed: when the process died, is late, or says that it could not.
            Unsuited: when it says that this machine lacks something.
        """
        reply = json.loads(self._line(time.monotonic() + within))
        if "error" in reply:
            kind, _, text = reply["error"].partition(": ")
            raise Unsuited(text) if kind == Unsuited.__name__ else ChildFailed(f"{self.module}: {reply['error']}")
        return reply["answer"]

    def stop(self) -> None:
        """End the process and wait for it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            pass
        finally:  # on Ctrl-C too
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def _line(self, deadline: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._received:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise ChildFailed(f"{self.module} did not answer in time")
            data = os.read(descriptor, 65536)
            if not data:
                raise ChildFailed(f"{self.module} ended with status {self._process.wait()}")
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line
