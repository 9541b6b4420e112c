"""The arguments that name a server."""

import argparse
import ssl

import pytest

from netcode.address import Address
from netcode.tools.where import add_server, listening_address, positive, server_address, tls_of, whole


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost", Address("localhost", 7777)),
        ("example.org:80", Address("example.org", 80)),
        ("10.0.0.1:9", Address("10.0.0.1", 9)),
        ("::1", Address("::1", 7777)),
        ("fe80::1%eth0", Address("fe80::1%eth0", 7777)),
        ("[::1]", Address("::1", 7777)),
        ("[::1]:9", Address("::1", 9)),
    ],
)
def test_a_server_is_named_as_people_name_it(text: str, address: Address) -> None:
    assert server_address(text) == address


@pytest.mark.parametrize(
    "text", ["", ":7777", "a:b:c", "host:", "host:0", "host:99999", "host:123456", "http://x", "[::1"]
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no address"):
        server_address(text)


def test_where_a_tool_listens_is_this_computer_unless_it_is_said_otherwise() -> None:
    assert listening_address("0") == Address("127.0.0.1", 0)
    assert listening_address("[::]:7000") == Address("::", 7000)
    with pytest.raises(argparse.ArgumentTypeError, match="is no address"):
        listening_address("here")


@pytest.mark.parametrize(("text", "number"), [("0.5", 0.5), ("3", 3.0)])
def test_a_number_is_above_zero(text: str, number: float) -> None:
    assert positive(text) == number


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "x", ""])
def test_what_is_no_such_number_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number above 0"):
        positive(text)


def test_a_count_is_whole() -> None:
    assert whole("12") == 12
    for text in ("0", "1.5", "-2", "x", "", "٣", "1" * 10):
        with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number above 0"):
            whole(text)


def test_tls_is_checked_unless_it_is_said_otherwise() -> None:
    parser = argparse.ArgumentParser()
    add_server(parser)

    contexts = [tls_of(parser.parse_args(["here", *more])) for more in ([], ["--tls"], ["--insecure"])]

    assert contexts[:2] == [False, True]
    assert isinstance(contexts[2], ssl.SSLContext)
    assert contexts[2].verify_mode is ssl.CERT_NONE
