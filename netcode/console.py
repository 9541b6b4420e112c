"""Printing what strangers wrote: whatever it is, and wherever it goes, the game goes on."""

import io
import os
import sys
from typing import TextIO

from netcode import log

_failing = False  # since the log was told


def say(*values: object) -> None:
    r"""Print `values` as one line, like `print`, but never end the program for it.

    Made for what comes from others: names, messages, reasons. What the output cannot encode, and what a terminal
    would obey (escapes, line breaks in the middle), is escaped: `\U0001f600`, `\x1b`, `\n`. Where nothing can be
    printed, because the pipe is closed, the disk is full or there is no output at all (`pythonw`), the line is lost;
    the log is told once, until printing works again. The line is there at once, also in a file or a pipe.
    """
    global _failing  # noqa: PLW0603 - there is one standard output
    line = " ".join(map(str, values))
    if not line.isprintable():
        line = "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in line)
    stream = sys.stdout
    if stream is None:  # pyright: ignore[reportUnnecessaryComparison] # pythonw has none
        return
    try:
        _write(stream, line)
    except Exception as error:  # noqa: BLE001 - a stream may be of any kind, and none of them may end the game
        if not _failing:
            log.warn("say", "cannot print: %s; what is said is lost until that works again", error)
        _failing = True
    else:
        _failing = False


def _write(stream: TextIO, line: str) -> None:
    encoding = getattr(stream, "encoding", None)
    data = line.encode(encoding or "utf-8", "backslashreplace")
    binary = getattr(stream, "buffer", None)
    if binary is None or encoding is None:  # a StringIO, or what a game has put in its place
        stream.write(data.decode(encoding or "utf-8") + "\n")
        stream.flush()
        return
    stream.flush()  # what was printed otherwise comes first
    # Past the buffer: what a full disk or a closed pipe refuses would stay in it, and fail again at the exit.
    raw: io.RawIOBase = getattr(binary, "raw", binary)
    rest = memoryview(data + os.linesep.encode(encoding))
    while rest and (count := raw.write(rest)):
        rest = rest[count:]
