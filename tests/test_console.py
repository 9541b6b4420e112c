"""Printing what strangers wrote: it cannot end the program, whatever the output is."""

import contextlib
import io
import logging
import os
import select
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import pytest
from programs import DEADLINE, ROOT

from netcode import console, say
from netcode.console import is_closed, put
from netcode.diagnostics import log

NAME = "Zoë 😀 海"
LINE_END = os.linesep.encode()


class Refusing(io.RawIOBase):
    """A file on a full disk, until there is room again."""

    def __init__(self) -> None:
        self.full = True
        self.written = b""
        self.portion = 4096

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        part = bytes(data[: self.portion])
        self.written += part
        return len(part)


@pytest.fixture(autouse=True)
def fresh_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_next_warning", {})
    monkeypatch.setattr(console, "_failing", False)


@contextlib.contextmanager
def printing_to(disk: io.RawIOBase) -> Generator[None]:
    stream = io.TextIOWrapper(io.BufferedWriter(disk), encoding="utf-8")
    with contextlib.redirect_stdout(stream):
        yield
    stream.close()  # raises if anything is left in it


def said(encoding: str, *values: object) -> bytes:
    """Return what reaches a file of that encoding."""
    file = io.BytesIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(file, encoding=encoding)):
        say(*values)
        return file.getvalue().replace(LINE_END, b"\n")


def test_values_are_one_line_as_print_would_make_it(capsys: pytest.CaptureFixture[str]) -> None:
    say("number", 1, {"said": "ahoy"}, None)
    say()

    assert capsys.readouterr().out.replace("\r\n", "\n") == "number 1 {'said': 'ahoy'} None\n\n"


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("utf-8", "Zoë 😀 海".encode()),
        ("cp1252", b"Zo\xeb \\U0001f600 \\u6d77"),
        ("ascii", b"Zo\\xeb \\U0001f600 \\u6d77"),
        ("cp932", b"Zo\\xeb \\U0001f600 \x8aC"),
    ],
)
@pytest.mark.fault(67, "memory")
def test_what_the_output_cannot_encode_is_escaped(encoding: str, written: bytes) -> None:
    assert said(encoding, NAME) == written + b"\n"


def test_half_a_character_is_escaped_too() -> None:
    assert said("utf-8", "\udc80") == b"\\udc80\n"


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert said("utf-8", "a\x1b[2J\r\nnumber 2 left\u202e\ta") == b"a\\x1b[2J\\r\\nnumber 2 left\\u202e\ta\n"


def test_what_joins_letters_of_persian_or_sinhala_is_none_of_that() -> None:
    assert said("utf-8", "می\u200cخواهم ශ්\u200dරී\n") == "می\u200cخواهم ශ්\u200dරී\\n\n".encode()
    assert said("utf-8", "\u200dA\u200dn\u200dé م\u200d\u200dم\u200c") == (
        "\\u200dA\\u200dn\\u200dé م\\u200d\\u200dم\\u200c\n".encode()
    )


def test_it_comes_behind_what_was_printed_before() -> None:
    disk = Refusing()
    disk.full = False
    with printing_to(disk):
        print("one", end=" ")  # noqa: T201 - what it comes behind
        say("two")

    assert disk.written == b"one two" + LINE_END


@contextlib.contextmanager
def printing_to_a_pipe() -> Generator[int]:
    """Print into a pipe that does not block, and is full; give the end that is read."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"." * 4096)
    with contextlib.redirect_stdout(open(writing, "w", encoding="utf-8")) as stream:  # noqa: PTH123 - a descriptor
        yield reading
    stream.close()
    os.close(reading)


@pytest.mark.skipif(sys.platform == "win32", reason="all outputs block there")
def test_an_output_that_does_not_block_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    with printing_to_a_pipe() as reading:

        def listen(read: list[Any], write: list[Any], other: list[Any], seconds: float) -> tuple[list[Any], ...]:
            heard.append(os.read(reading, 65_536))
            return select.select(read, write, other, seconds)

        monkeypatch.setattr(console, "select", SimpleNamespace(select=listen))
        print("before", end=" ")  # noqa: T201 - what it comes behind
        say("x" * 200_000, "end")
        while not heard[-1].endswith(b"end\n"):
            heard.append(os.read(reading, 65_536))

    assert b"".join(heard).lstrip(b".") == b"before " + b"x" * 200_000 + b" end\n"


@pytest.mark.skipif(sys.platform == "win32", reason="all outputs block there")
def test_an_output_that_does_not_block_and_takes_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(console, "FULL", 0.001)
    waits: list[float] = []

    def wait(read: list[Any], write: list[Any], other: list[Any], seconds: float) -> tuple[list[Any], ...]:
        waits.append(seconds)
        return select.select(read, write, other, seconds)

    monkeypatch.setattr(console, "select", SimpleNamespace(select=wait))
    with printing_to_a_pipe():
        say("lost")
        say("lost too")

    assert waits == [0.001, 0]
    assert "cannot print: " in caplog.text


def test_an_output_of_text_alone_will_do() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        say(NAME)

    assert output.getvalue() == f"{NAME}\n"


@pytest.mark.fault(67, "memory")
def test_without_an_output_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)

    say(NAME)


def test_a_closed_output_ends_nothing() -> None:
    output = io.StringIO()
    output.close()
    with contextlib.redirect_stdout(output):
        say(NAME)


@pytest.mark.fault(67, "memory")
def test_a_full_disk_is_noticed_once_until_there_is_room(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "INTERVAL", 0.0)
    disk = Refusing()
    with caplog.at_level(logging.WARNING, "netcode"), printing_to(disk):
        for _ in range(1000):
            say("lost")
        disk.full = False
        say("kept")
        disk.full = True
        say("lost")

    assert disk.written == b"kept" + LINE_END
    assert [record.message for record in caplog.records] == [
        "cannot print: [Errno 28] No space left on device; what is said is lost until that works again"
    ] * 2


@contextlib.contextmanager
def leaving_a_pipe() -> Generator[TextIO]:
    """Give an output whose reader had enough."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        assert not is_closed(stream)
        os.close(reading)
        yield stream


@pytest.mark.parametrize(("piped", "told"), [(False, 1), (True, 0)])
def test_who_reads_a_pipe_may_have_had_enough(piped: bool, told: int, caplog: pytest.LogCaptureFixture) -> None:
    with leaving_a_pipe() as stream:
        for _ in range(3):
            put(stream, "lost\n", piped=piped)

    assert [record.message.partition(":")[0] for record in caplog.records] == ["cannot print"] * told


def test_a_full_disk_is_told_wherever_the_reader_may_go(caplog: pytest.LogCaptureFixture) -> None:
    stream = io.TextIOWrapper(io.BufferedWriter(Refusing()), encoding="utf-8")

    put(stream, "lost\n", piped=True)

    assert "cannot print: [Errno 28] No space left on device" in caplog.text
    stream.detach()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no poll")
def test_that_nobody_reads_any_more_can_be_seen() -> None:
    with leaving_a_pipe() as stream:
        assert is_closed(stream)
    assert [is_closed(stream) for stream in (None, io.StringIO(), stream)] == [False] * 3


def test_what_is_put_is_obeyed_and_its_lines_end_as_the_system_ends_them() -> None:
    disk = Refusing()
    disk.full = False
    stream = io.TextIOWrapper(io.BufferedWriter(disk), encoding="ascii")

    console.put(stream, "\rone ü\n\x1b[H")
    console.put(None, "nowhere")
    stream.close()

    assert disk.written == b"\rone \\xfc" + LINE_END + b"\x1b[H"


class Gone(io.StringIO):
    """A terminal whose window was closed."""

    def isatty(self) -> bool:
        raise OSError(5, "Input/output error")


def test_only_what_somebody_can_look_at_is_a_terminal() -> None:
    closed = io.StringIO()
    closed.close()

    assert [console.is_terminal(stream) for stream in (None, closed, Gone(), io.StringIO())] == [False] * 4


def test_a_pipe_that_takes_a_part_gets_the_rest() -> None:
    disk = Refusing()
    disk.full, disk.portion = False, 3
    with printing_to(disk):
        say("a line of more than three letters")

    assert disk.written == b"a line of more than three letters" + LINE_END


SCRIPT = """
import sys, netcode
sys.stdin.readline()  # until the reader is gone
for number in range(20000):
    netcode.say("line", number)
sys.exit(7)
"""


@pytest.mark.process
@pytest.mark.fault(67, "process")
def test_a_program_whose_reader_left_goes_on_to_its_own_end() -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    ) as program:
        assert program.stdout is not None
        program.stdout.close()
        program.stdout = None
        _, errors = program.communicate("\n", timeout=DEADLINE)

    assert program.returncode == 7, errors
    assert len(errors.splitlines()) == 1
    assert errors.startswith("cannot print: ")


@pytest.mark.process
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.fault(67, "process")
def test_a_program_whose_disk_is_full_goes_on_to_its_own_end() -> None:
    with Path("/dev/full").open("wb") as disk:
        program = subprocess.run(
            [sys.executable, "-W", "error", "-c", SCRIPT],
            input="\n",
            stdout=disk,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    assert program.returncode == 7, program.stderr
    assert len(program.stderr.splitlines()) == 1


@pytest.mark.process
@pytest.mark.fault(67, "process")
def test_a_program_whose_output_was_closed_at_its_start_goes_on_to_its_own_end() -> None:
    program = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import os, subprocess, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-c', {SCRIPT!r}])",
        ],
        input="\n",
        stderr=subprocess.PIPE,
        cwd=ROOT,
        text=True,
        timeout=DEADLINE,
        check=False,
    )

    assert (program.returncode, program.stderr) == (7, "")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(98, "the port is taken"), "the port is taken"),
        (OSError(2, "No such file or directory", "games.db"), "games.db: No such file or directory"),
        (FileNotFoundError("there is no server"), "there is no server"),
        (ValueError("4 is no port"), "4 is no port"),
    ],
)
def test_an_error_is_a_sentence_without_a_number(error: Exception, sentence: str) -> None:
    assert console.sentence_of(error) == sentence
