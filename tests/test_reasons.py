"""Reasons: what the operating system, a peer or we ourselves say becomes one vocabulary, safe to print."""

import contextlib
import copy
import errno
import io
import operator
import os
import pickle
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcode.address import Address
from netcode.reasons import (
    HOW_LONG,
    MAX_SENTENCE,
    MAX_TEXT,
    NEEDS_ZONE,
    Explained,
    Reason,
    ReasonCode,
    advice_on_listening,
    check_text,
    clip,
    closed_here,
    interrupted,
    is_shortage,
    is_unicode,
    printable,
    reason_from_error,
    reason_from_wire,
    refused,
)


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "host", "port", "advice"),
    [
        (errno.EADDRINUSE, "::", 7777, "the port is taken; is another server running on it?"),
        (errno.EADDRNOTAVAIL, "10.99.99.99", 7777, "that is no address of this computer; leave the host out"),
        (errno.EACCES, "", 80, "ports below 1024 need rights that this program does not have; take one from 1024 on"),
        (errno.EPERM, "", 1023, "ports below 1024 need rights"),
        (errno.EACCES, "", 7777, "this system forbids it; take another port"),
        (errno.EACCES, "", 0, "this system forbids it; take another port"),
        (errno.EAFNOSUPPORT, "::1", 7777, "this computer speaks no IPv6; leave the host out"),
        (errno.EAFNOSUPPORT, "127.0.0.1", 7777, "this computer speaks no IPv4; leave the host out"),
        (errno.EINVAL, "fe80::1", 7777, "a link-local address counts on one interface, which must be named"),
        (errno.EINVAL, "fe80::1%eth0", 7777, os.strerror(errno.EINVAL)),
        (errno.EMFILE, "", 7777, "this program has too many files or connections open; close some"),
        (errno.ENFILE, "", 7777, "the programs of this computer have too many files or connections open; close some"),
        (errno.ENOBUFS, "", 7777, "this computer has no memory left for connections; close programs"),
        (errno.EIO, "", 7777, os.strerror(errno.EIO)),
    ],
)
def test_who_cannot_listen_is_told_what_to_do(number: int, host: str, port: int, advice: str) -> None:
    assert advice_on_listening(os_error(number), host, port).startswith(advice)


def test_codes_keep_the_numbers_that_travel() -> None:
    assert [code.value for code in ReasonCode] == [*range(32)]


def test_a_reason_can_be_copied_with_its_error() -> None:
    reason = reason_from_error(Explained(ReasonCode.BROKEN_TLS, "is odd"), "here")

    copied = copy.deepcopy(reason)

    assert copied == reason
    assert isinstance(copied.error, Explained)
    assert (copied.error.code, str(copied.error)) == (ReasonCode.BROKEN_TLS, "is odd")


def test_a_reason_is_compared_with_reasons_alone() -> None:
    code: Any = ReasonCode.CLOSED
    one, same = Reason(code, "bye"), Reason(code, "bye", OSError())
    others = (Reason(code, "no"), Reason(code, "bye", None, 99), Reason(code, "bye", None, 1, Address("a", 1)), None, 3)

    assert (one == same, hash(one) == hash(same), len({one, same, code})) == (True, True, 2)
    assert [one == other for other in others] == [False] * 5
    for compare in (operator.eq, operator.ne):
        for pair in ((one, code), (code, one)):
            with pytest.raises(TypeError, match=r"^a reason is .* write `reason.code is netcode\.ReasonCode\.CLOSED`$"):
                compare(*pair)
    with pytest.raises(TypeError, match=r"never equal to a str: write `reason.text == 'bye'`$"):
        operator.eq(one, "bye")


def test_a_code_is_not_compared_with_its_name() -> None:
    code: Any = ReasonCode.REFUSED

    assert {code: 1, "REFUSED": 2} == {"REFUSED": 2, code: 1}
    assert pickle.loads(pickle.dumps(code)) is code
    for name in ("REFUSED", "refused"):
        with pytest.raises(TypeError, match=rf"write `netcode\.ReasonCode\.REFUSED`, not '{name}'"):
            _ = code == name


def test_a_reason_prints_as_its_sentence() -> None:
    assert str(Reason(ReasonCode.OTHER, "the cat pulled the plug")) == "the cat pulled the plug"


@pytest.mark.parametrize(
    "text", ["\x1b[2J\x07", "a\nERROR forged", "\u202eevil\u2066", "\ud800", "a" * 3000, "\x00" * 3000]
)
def test_a_reason_is_one_printable_line_whatever_it_was_made_of(text: str) -> None:
    said = Reason(ReasonCode.DENIED, f"the name {text} is taken").text

    assert said.startswith("the name ")
    assert said.isprintable()
    assert len(said) <= MAX_SENTENCE
    said.encode()


def test_a_reason_knows_where_to_go_and_compares_by_it() -> None:
    here, there = (Reason(ReasonCode.MOVED, "go on", where=Address(host, 7777)) for host in ("here", "there"))

    assert here != there
    assert here.where == ("here", 7777)
    assert reason_from_wire(31, "go on", Address("here", 7777)) == here
    assert reason_from_wire(31, "go on").where is None


def test_reasons_compare_by_what_they_say_not_by_the_error_behind_them() -> None:
    one, other = refused("h:1", os_error(errno.ECONNREFUSED)), refused("h:1")

    assert one == other
    assert one != refused("h:2")


@pytest.mark.parametrize(
    ("number", "code", "hint"),
    [
        (errno.ECONNREFUSED, ReasonCode.REFUSED, "is the server started?"),
        (errno.EHOSTUNREACH, ReasonCode.UNREACHABLE, "is the network up"),
        (errno.ENETUNREACH, ReasonCode.UNREACHABLE, "the address right?"),
        (errno.ECONNRESET, ReasonCode.RESET, "broke"),
        (errno.ENETRESET, ReasonCode.RESET, "broke"),
        (errno.EPIPE, ReasonCode.RESET, "broke"),
        (errno.EPROTOTYPE, ReasonCode.RESET, "broke"),
        (errno.ENOTCONN, ReasonCode.RESET, "broke"),
        (errno.ETIMEDOUT, ReasonCode.TIMEOUT, "stopped answering"),
        (errno.EMFILE, ReasonCode.NO_DESCRIPTORS, "raise the limit"),
        (errno.ENFILE, ReasonCode.NO_DESCRIPTORS, "the programs of this computer have too many files"),
        (errno.ENOBUFS, ReasonCode.NETWORK, "this computer has no memory left to reach"),
        (errno.ENOMEM, ReasonCode.NETWORK, "this computer has no memory left to reach"),
        (errno.EPERM, ReasonCode.NETWORK, "does a firewall or a sandbox stop it?"),
        (errno.EACCES, ReasonCode.NETWORK, "this system forbids this program to reach"),
        (errno.EAFNOSUPPORT, ReasonCode.NETWORK, "as where IPv6 is switched off; is there another one?"),
        (errno.EINVAL, ReasonCode.NETWORK, os.strerror(errno.EINVAL)),
        (errno.EIO, ReasonCode.NETWORK, os.strerror(errno.EIO)),
    ],
)
def test_an_error_of_the_system_becomes_advice(number: int, code: ReasonCode, hint: str) -> None:
    error = os_error(number)

    reason = reason_from_error(error, "10.0.0.1:7777")

    assert (reason.code, reason.error, reason.number) == (code, error, code.value)
    assert "10.0.0.1:7777" in reason.text
    assert hint in reason.text


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EHOSTUNREACH])  # of Linux, of macOS
def test_who_connects_to_a_link_local_address_alone_is_told_to_name_the_interface(number: int) -> None:
    alone, named = (reason_from_error(os_error(number), f"[FE80::7{zone}]:7777") for zone in ("", "%eth0"))

    assert alone.code is ReasonCode.UNREACHABLE
    assert alone.text == f"[FE80::7]:7777 cannot be reached: {NEEDS_ZONE}"
    assert NEEDS_ZONE not in named.text


def test_an_error_without_a_number_is_named_by_what_it_says_or_is() -> None:
    said = reason_from_error(OSError("the wire\nis cut"), "here")
    mute = reason_from_error(ConnectionError(), "here")

    assert said.text == "the network failed on the way to here: the wire\\nis cut"
    assert mute.text == "the network failed on the way to here: ConnectionError"


def test_an_explained_error_keeps_its_own_code() -> None:
    error = Explained(ReasonCode.BROKEN_TLS, "does not speak TLS")

    assert reason_from_error(error, "h:1") == Reason(ReasonCode.BROKEN_TLS, "h:1 does not speak TLS")


@pytest.mark.parametrize(
    ("number", "short"), [(errno.EMFILE, True), (errno.ENFILE, True), (errno.ENOBUFS, True), (errno.EIO, False)]
)
def test_shortages_are_told_from_other_errors(number: int, short: bool) -> None:
    assert is_shortage(os_error(number)) is short


def test_a_code_from_the_wire_is_kept_as_a_number_if_it_is_unknown() -> None:
    assert reason_from_wire(3, "bye") == Reason(ReasonCode.GOODBYE, "bye")
    assert reason_from_wire(999, "later") == Reason(ReasonCode.OTHER, "later", None, 999)
    assert reason_from_wire(999, "").text == "the other end said goodbye (code 999)"


@pytest.mark.fault(67, "memory")
@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "adieu, Zoë 😀"), ("cp1252", "adieu, Zoë \\U0001f600"), ("ascii", "adieu, Zo\\xeb \\U0001f600")],
)
def test_a_reason_can_be_printed_whatever_the_output_can_encode(encoding: str, shown: str) -> None:
    reason, file = Reason(ReasonCode.GOODBYE, "adieu, Zoë 😀"), io.BytesIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(file, encoding=encoding)) as output:
        output.write(f"{reason}")
        output.flush()

        assert file.getvalue().decode(encoding) == shown
    assert reason.text == "adieu, Zoë 😀"


def test_a_reason_is_a_text_without_an_output_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)

    assert str(Reason(ReasonCode.GOODBYE, "adieu, Zoë 😀")) == "adieu, Zoë 😀"


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert printable("plain, ünïcode 😀") == "plain, ünïcode 😀"
    assert printable("\x1b[2J\r\n\ud800\u202e") == "\\x1b[2J\\r\\n\\ud800\\u202e"


@given(st.text(st.characters(), max_size=300), st.integers(1, 200))
def test_printable_text_is_printable_and_bounded(text: str, limit: int) -> None:
    shown = printable(text, limit)

    assert shown.isprintable()
    assert len(shown) <= limit


@given(st.text(st.characters(), max_size=300))
def test_clipped_text_fits_and_is_what_was_said_so_far(text: str) -> None:
    clipped = clip(text)

    assert len(clipped.encode()) <= MAX_TEXT
    assert text.encode("utf-8", "replace").startswith(clipped.encode())


def test_half_a_character_cannot_be_sent() -> None:
    assert [is_unicode(text) for text in ("", "plain", "ä\U0001f600", "a\udc80", "\ud83d")] == [True] * 3 + [False] * 2


@pytest.mark.parametrize(("text", "hint"), [(5, HOW_LONG), (2.5, HOW_LONG), (None, ""), (b"bytes", "")])
def test_what_is_no_text_is_refused_where_it_is_given(text: Any, hint: str) -> None:
    check_text("text", HOW_LONG)

    with pytest.raises(TypeError, match=f"^text must be a str, not {type(text).__name__}{hint}$"):
        check_text(text, HOW_LONG)


def test_closing_here_says_so_unless_a_text_is_given() -> None:
    assert closed_here() == Reason(ReasonCode.CLOSED, "closed by this program")
    assert closed_here("time for tea") == Reason(ReasonCode.CLOSED, "time for tea")


def test_a_link_that_an_interrupt_broke_off_says_so() -> None:
    reason = interrupted("10.0.0.1:7777")

    assert reason.code is ReasonCode.NETWORK
    assert "10.0.0.1:7777" in reason.text
    assert "interrupted" in reason.text
