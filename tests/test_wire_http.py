"""The head of a request, and the answers."""

import pytest

from netcode.wire.http import ALLOWED, MAX_HEADERS, MAX_NAME, MAX_TOKENS, BadRequest, head_of, parse, refuse, respond


def test_a_request_is_taken_apart() -> None:
    request = parse(
        b"GET /play/?x=1 HTTP/1.1\r\nHost: a:7777\r\nconnection:  keep-alive, Upgrade \r\nX-Forwarded-For:\t1.2.3.4"
    )

    assert (request.method, request.target, request.version) == ("GET", "/play/?x=1", "HTTP/1.1")
    assert request.headers == {"host": "a:7777", "connection": "keep-alive, Upgrade", "x-forwarded-for": "1.2.3.4"}
    assert request.tokens("connection") == ["keep-alive", "Upgrade"]
    assert request.header("cookie") == ""
    assert parse(b"GET / HTTP/1.1\r\nUser-Agent: \ta\tb ").header("user-agent") == "a\tb"
    assert parse(b"GET / HTTP/1.1\r\nA: \xa0b\x85").header("a") == "\xa0b\x85"  # blanks elsewhere, and none here


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/", ""),
        ("/a.js", "a.js"),
        ("/below/a.js?v=2", "a.js"),
        ("/below/?q=/a.js", ""),
        ("*", "*"),
        ("/../..", ".."),
        ("/my%20game.js?%20", "my game.js"),
        ("/gr%C3%B6%c3%9fe.css", "größe.css"),
        ("/below/..%2F..%2Fa%00", "../../a\0"),
        ("/%", "%"),
        ("/%ff%zz", "\ufffd%zz"),
    ],
)
def test_the_last_part_of_the_path_is_the_name(target: str, name: str) -> None:
    assert parse(f"GET {target} HTTP/1.1".encode()).name == name


def test_a_list_may_come_in_several_headers() -> None:
    request = parse(b"GET / HTTP/1.0\r\nX-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2, 3.3.3.3")

    assert request.tokens("x-forwarded-for") == ["1.1.1.1", "2.2.2.2", "3.3.3.3"]


@pytest.mark.parametrize(
    ("head", "status", "text"),
    [
        (b"GET / SMTP/1.1", 400, "that is not HTTP"),
        (b"GET", 400, "that is not HTTP"),
        (b"G\x00T / HTTP/1.1", 400, "that is not HTTP"),
        (b" / HTTP/1.1", 400, "that is not HTTP"),
        (b"GET /\xff HTTP/1.1", 400, "that is not HTTP"),
        (b"GET /\x07 HTTP/1.1", 400, "that is not HTTP"),
        (b"GET /a b HTTP/1.1", 505, "HTTP/1.1 is spoken here"),
        (b"PRI * HTTP/2.0", 505, "HTTP/1.1 is spoken here"),
        (b"GET / HTTP/1.1\r\nno colon", 400, "a header is broken"),
        (b"GET / HTTP/1.1\r\n: no name", 400, "a header is broken"),
        (b"GET / HTTP/1.1\r\nA: 1\r\n folded", 400, "a header is broken"),
        (b"GET / HTTP/1.1\r\nA : blank before the colon", 400, "a header is broken"),
        (b"GET / HTTP/1.1\r\nA: b\x00c", 400, "a header is broken"),
        (b"GET / HTTP/1.1\r\nA: b\nc", 400, "a header is broken"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHOST: b", 400, "the header host came twice"),
        (b"GET / HTTP/1.1\r\nOrigin: a\r\nOrigin: a", 400, "the header origin came twice"),
    ],
)
def test_what_is_broken_is_named(head: bytes, status: int, text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(head)

    assert (caught.value.status, str(caught.value)) == (status, text)


def test_what_costs_much_in_few_bytes_is_bounded() -> None:
    lines = [b"GET / HTTP/1.1", *[b"a:"] * MAX_HEADERS]

    assert parse(b"\r\n".join(lines)).header("a") == "," * (MAX_HEADERS - 1)
    with pytest.raises(BadRequest, match="a request may have 100 headers") as refused:
        parse(b"\r\n".join([*lines, b"a:"]))
    assert refused.value.status == 431
    commas = parse(b"GET / HTTP/1.1\r\nUpgrade: websocket" + b"," * 8000)
    assert commas.tokens("upgrade") == ["websocket", *[""] * (MAX_TOKENS - 1)]
    assert parse(b"GET /" + b"%41" * MAX_NAME + b" HTTP/1.1").name == "%41" * MAX_NAME


def test_an_answer_ends_the_connection_and_is_what_it_says() -> None:
    answer = respond(200, b"body", "text/plain", "A: b")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"body"
    assert head.decode().split("\r\n") == [
        "HTTP/1.1 200 OK",
        "Content-Type: text/plain",
        "Content-Length: 4",
        "Connection: close",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
        "Cache-Control: no-cache",
        "A: b",
    ]


def test_a_refusal_says_why_and_what_would_do() -> None:
    answer = refuse(BadRequest(405, "only GET is done here", ALLOWED))

    assert answer.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert b"\r\nAllow: GET, HEAD\r\n" in answer
    assert answer.endswith(b"\r\n\r\nonly GET is done here\n")


def test_the_head_of_an_answer_ends_with_an_empty_line() -> None:
    answer = respond(200, b"one\r\n\r\ntwo", "text/plain")

    assert head_of(answer) + b"one\r\n\r\ntwo" == answer
