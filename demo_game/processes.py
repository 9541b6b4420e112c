"""The server and the bots that `python -m demo_game` runs as processes of their own, and takes along when it ends."""

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PATIENCE = 5.0
"""Seconds that children get to end by themselves before they are killed."""


REST = 2.0
"""Seconds between looks at whether a bot has ended: one that cannot live is not started sixty times a second."""


class ChildFailedError(Exception):
    """A child process ended when it should have gone on."""


class Children:
    """The child processes of one run; leaving the `with` block ends them all."""

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[str]] = []
        self._bots: dict[subprocess.Popen[str], tuple[str, ...]] = {}
        self._next_look = 0.0

    def start_server(self, *options: str) -> int:
        """Start a server on a free port and give the port; raise `ChildFailedError` if it does not come up."""
        server = self._start("serve", "--host", HOST, "--port", "0", "--quiet", *options, output=subprocess.PIPE)
        assert server.stdout is not None
        with server.stdout as output:
            port = output.readline().strip().rpartition(":")[2]
        if not port.isdigit():
            raise ChildFailedError("the server did not start")
        return int(port)

    def start_bot(self, port: int, *options: str) -> None:
        """Start a bot that plays on the server at that port."""
        arguments = ("bot", f"{HOST}:{port}", "--quiet", *options)
        self._bots[self._start(*arguments)] = arguments

    def tend(self) -> None:
        """Start every bot anew that has ended, as long as the server lives; may be called in every frame."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + REST
        server = self._children[0]
        for bot in [bot for bot in self._bots if bot.poll() is not None and server.poll() is None]:
            arguments = self._bots.pop(bot)
            self._children.remove(bot)
            _let_go(bot)
            self._bots[self._start(*arguments)] = arguments

    def check(self) -> None:
        """Raise `ChildFailedError` if a child has failed."""
        if any(child.poll() for child in self._children):
            raise ChildFailedError("one of the programs behind the game has failed")

    def _start(self, *arguments: str, output: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        # A session of its own: Ctrl-C in the terminal reaches us alone, and we end the children in order.
        child = subprocess.Popen(
            [sys.executable, "-m", "demo_game", *arguments, "--leash"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            text=True,
            start_new_session=True,
        )
        self._children.append(child)
        return child

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deadline = time.monotonic() + PATIENCE
        for child in reversed(self._children):
            _let_go(child)
        for child in self._children:
            _await_end(child, deadline)


def _let_go(child: subprocess.Popen[str]) -> None:
    if child.stdin is not None:
        child.stdin.close()


def _await_end(child: subprocess.Popen[str], deadline: float) -> None:
    try:
        child.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
