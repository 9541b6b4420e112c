"""Requests over HTTP, and answers that take too long in each way."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Generator

import pytest

from benchmarks.ports import free_port
from netcode.http_request import Hurried, answer_of


@contextlib.contextmanager
def answering(answer: Callable[[socket.socket, threading.Event], object]) -> Generator[tuple[int, list[bytes]]]:
    """Listen, answer whoever asks in a way of its own until all is over, and keep what was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with listening.accept()[0] as newcomer, contextlib.suppress(OSError):
                asked.append(newcomer.recv(4096))
                answer(newcomer, over)

        over, thread = threading.Event(), threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], asked
        over.set()
        thread.join()


def test_an_answer_is_read_and_a_body_is_sent_as_json() -> None:
    def say(newcomer: socket.socket, _: threading.Event) -> None:
        while not asked[0].endswith(b"{}"):
            asked[0] += newcomer.recv(4096)
        newcomer.sendall(b"HTTP/1.1 201 Made\r\nContent-Length: 2\r\n\r\nok")

    with (
        answering(say) as (port, asked),
        answer_of("127.0.0.1", port, "PUT", "/label", seconds=5.0, body="{}") as answer,
    ):
        assert (answer.status, answer.read()) == (201, b"ok")

    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /label HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    assert body == b"{}"


def test_a_request_without_a_body_says_of_no_kind_of_it() -> None:
    def say(newcomer: socket.socket, _: threading.Event) -> None:
        newcomer.sendall(b"HTTP/1.1 404 No\r\n\r\n")

    with answering(say) as (port, asked), answer_of("127.0.0.1", port, "GET", "/", seconds=5.0) as answer:
        assert answer.status == 404

    assert asked[0].startswith(b"GET / HTTP/1.1\r\n")
    assert b"Content-Type" not in asked[0]


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_what_comes_byte_by_byte_has_to_be_there_in_time(begun: bytes) -> None:
    def trickle(newcomer: socket.socket, over: threading.Event) -> None:
        newcomer.sendall(begun)
        while not over.wait(0.02):
            newcomer.sendall(b"#")

    began = time.monotonic()
    with (
        answering(trickle) as (port, _),
        pytest.raises(TimeoutError),
        answer_of("127.0.0.1", port, "GET", "/", seconds=0.2) as answer,
    ):
        answer.read()

    assert time.monotonic() - began < 5.0


def test_nobody_and_somebody_of_another_kind_are_told_apart() -> None:
    def say(newcomer: socket.socket, _: threading.Event) -> None:
        newcomer.sendall(b"SSH-2.0\r\n")

    with (
        answering(say) as (port, _),
        pytest.raises(http.client.BadStatusLine),
        answer_of("127.0.0.1", port, "GET", "/", seconds=5.0),
    ):
        pass
    with pytest.raises(ConnectionRefusedError), answer_of("127.0.0.1", free_port(), "GET", "/", seconds=5.0):
        pass
    with pytest.raises(UnicodeError), answer_of("a..b", 80, "GET", "/", seconds=5.0):
        pass


def test_nothing_is_taken_once_the_time_is_over() -> None:
    ours, theirs = socket.socketpair()
    with theirs, Hurried(ours, time.monotonic() - 1.0) as hurried:
        theirs.send(b"HTTP")

        with pytest.raises(TimeoutError):
            hurried.recv_into(bytearray(4))
