"""Screens that nobody sees, for windows and for browsers whose pages can be hidden."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from programs import DEADLINE

XVFB = shutil.which("Xvfb") if sys.platform == "linux" else None
TRIES = 3
"""How often one is started: of several that start at the same time one may find no free number."""


@contextmanager
def screen(width: int = 1280, height: int = 900) -> Generator[str]:
    """Open a screen, and yield what `DISPLAY` calls it."""
    for _ in range(TRIES):
        read, write = os.pipe()
        # Without -noreset it begins anew whenever its last client goes, and the next one that comes just then is lost.
        shape = ["-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
        server = subprocess.Popen(
            [str(XVFB), "-displayfd", str(write), *shape],
            pass_fds=[write],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        try:
            with os.fdopen(read) as said:
                number = said.readline().strip()
            if number:
                yield f":{number}"
                return
        finally:
            server.terminate()
            server.wait(DEADLINE)
    raise AssertionError("Xvfb does not say which screen it has")
