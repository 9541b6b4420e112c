"""Printing what strangers wrote: whatever it is, and wherever it goes, the game goes on."""

import errno
import io
import os
import re
import select
import sys
from collections.abc import Callable
from typing import TextIO

from netcode.diagnostics import log

FULL = 1.0
"""Seconds that an output which does not block may take nothing until what is said is lost."""

_LETTER = "[^\\x00-\\xa0\\u200c\\u200d]"
_JOINER = re.compile(rf"(?<={_LETTER})[\u200c\u200d](?={_LETTER})")

_failing = False  # since the log was told


def say(*values: object) -> None:
    r"""Print `values` as one line, like `print`, but never end the program for it.

    Made for what comes from others: names, messages, reasons. What the output cannot encode, and what a terminal
    would obey (escapes, line breaks in the middle), is escaped: `\U0001f600`, `\x1b`, `\n`. Where nothing can be
    printed, because the pipe is closed, the disk is full or there is no output at all (`pythonw`), the line is lost;
    the log is told once, until printing works again. The line is there at once, also in a file or a pipe.
    """
    put(sys.stdout, f"{escaped(' '.join(map(str, values)))}\n")


def escaped(text: str) -> str:
    """Return a stranger's text with everything escaped that a terminal would obey."""
    return text if text.isprintable() else shown(text, lambda c: c if c == "\t" else ascii(c)[1:-1])


def shown(text: str, instead: Callable[[str], str]) -> str:
    """Return a text with something instead of what cannot be printed.

    What joins two letters, or keeps them apart, stays between them: Persian and Sinhala are not written without.
    """
    joined = {found.start() for found in _JOINER.finditer(text)}
    return "".join(c if c.isprintable() or at in joined else instead(c) for at, c in enumerate(text))


def sentence_of(error: Exception) -> str:
    """Return what an error says, without the number by which the operating system calls it."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"


def put(stream: TextIO | None, text: str, *, piped: bool = False) -> None:
    """Write `text` to a stream as it is, at once; what the stream cannot take, and when it takes nothing: as for `say`.

    Args:
        stream: a standard stream, or what is in its place; None where there is none.
        text: may hold what a terminal obeys.
        piped: whether who reads it may have had enough, as `| head` has: then what follows is lost without a word.
    """
    global _failing  # noqa: PLW0603 - what is told is the same for the few streams that a program has
    if stream is None:
        return
    try:
        _write(stream, text)
    except Exception as error:  # noqa: BLE001 - a stream may be of any kind, and none of them may end the game
        if piped and (isinstance(error, BrokenPipeError) or is_closed(stream)):
            return
        if not _failing:
            log.warn("say", "cannot print: %s; what is said is lost until that works again", error)
        _failing = True
    else:
        _failing = False


def is_closed(stream: TextIO | None) -> bool:
    """Tell whether nobody reads a stream any more, as after `| head`: what prints for ever ends then."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
        return any(bits & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, bits in poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return False  # Windows has no poll, and what is no file has nobody who could go


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether somebody looks at a stream; one that is closed, or not there, is no terminal."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):
        return False


def _write(stream: TextIO, text: str) -> None:
    encoding = getattr(stream, "encoding", None)
    binary = getattr(stream, "buffer", None)
    if binary is None or encoding is None:  # a StringIO, or what a game has put in its place
        stream.write(text.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8"))
        stream.flush()
        return
    raw: io.RawIOBase = getattr(binary, "raw", binary)
    _flush(stream, raw)  # what was printed otherwise comes first
    # Past the buffer: what a full disk or a closed pipe refuses would stay in it, and fail again at the exit.
    rest = memoryview(text.replace("\n", os.linesep).encode(encoding, "backslashreplace"))
    while rest and (count := raw.write(rest)) != 0:
        if count is None:
            _wait_for(raw)
        else:
            rest = rest[count:]


def _flush(stream: TextIO, raw: io.RawIOBase) -> None:
    while True:
        try:
            stream.flush()
        except BlockingIOError:
            _wait_for(raw)
        else:
            return


def _wait_for(raw: io.RawIOBase) -> None:
    """Wait until an output takes more that does not block: a terminal becomes that when its input does.

    Once only, until it works again: where nobody reads, a server must not stand still at each line.

    Raises:
        BlockingIOError: it takes nothing.
    """
    if not select.select([], [raw], [], 0 if _failing else FULL)[1]:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
