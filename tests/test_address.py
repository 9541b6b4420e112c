"""Addresses: what is one, how it prints, and how it travels."""

import errno
import os
import re
import socket
from enum import IntEnum
from functools import partial
from typing import Any

import pytest

from netcode.address import (
    MAX_ADDRESS,
    Address,
    address_from_wire,
    bucket,
    check_address,
    check_addresses,
    check_destination,
    check_host,
    check_pair,
    check_port,
    from_socket,
    is_mistyped,
    make_address,
    read_address,
    read_listening,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost", Address("localhost", 7777)),
        ("localhost:1", Address("localhost", 1)),
        ("10.0.0.1:65535", Address("10.0.0.1", 65_535)),
        ("::1", Address("::1", 7777)),
        ("fe80::1%eth0", Address("fe80::1%eth0", 7777)),
        ("::ffff:10.0.0.1", Address("::ffff:10.0.0.1", 7777)),
        ("[::1]", Address("::1", 7777)),
        ("[fe80::1%eth0]:80", Address("fe80::1%eth0", 80)),
    ],
)
def test_an_address_that_is_typed_is_read(text: str, address: Address) -> None:
    assert read_address(text, 7777) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the host is missing; write HOST:PORT"),
        (":7777", "the host is missing; write HOST:PORT"),
        ("localhost:", "a port is a number from 1 to 65535"),
        ("localhost:abc", "a port is a number from 1 to 65535"),
        ("localhost:٣", "a port is a number from 1 to 65535"),
        ("localhost:0", "a port is a number from 1 to 65535"),
        ("[::1]:99999", "a port is a number from 1 to 65535"),
        ("localhost:7798:3", "it has too many colons; write HOST:PORT"),
        ("1:2:3:4", "it has too many colons; write HOST:PORT"),
        ("[::1]:7:8", "it has too many colons; write HOST:PORT"),
        ("[]:7777", "brackets are for an IPv6 address"),
        ("[localhost]:7777", "brackets are for an IPv6 address"),
        ("[::1", "brackets are for an IPv6 address"),
        ("::1]:7777", "brackets are for an IPv6 address"),
        ("[::1]7777", "brackets are for an IPv6 address"),
        ("http://localhost:7777/play", "but a link; write its host and port alone: localhost:7777"),
        ("ws://[::1]:80", r"but a link; write its host and port alone: [::1]:80"),
        ("wss://", "but a link; write its host and port alone: HOST:PORT"),
        ("7777", "but a port; write HOST:PORT, as in localhost:7777"),
        ("a..b:1", "that cannot be a host name"),
        (f"{'a' * 300}:1", "that cannot be a host name"),
        ("a\nb", "that cannot be a host name"),
        ("\udcff", "that cannot be a host name"),
    ],
)
def test_what_is_typed_and_no_address_is_told_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(repr(text)[:100])} is no address.* ?{re.escape(why)}"):
        read_address(text, 7777)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("7777", Address("127.0.0.1", 7777)),
        ("0", Address("127.0.0.1", 0)),
        ("0.0.0.0:9", Address("0.0.0.0", 9)),
        ("localhost:0", Address("localhost", 0)),
        ("[::1]:7777", Address("::1", 7777)),
    ],
)
def test_where_to_listen_is_typed_as_a_port_or_with_a_host(text: str, address: Address) -> None:
    assert read_listening(text, "127.0.0.1") == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("localhost", "a port is a number from 0 to 65535, as in localhost:7777"),
        ("::1", "a port is a number from 0 to 65535, as in localhost:7777"),
        ("[::1]", "a port is a number from 0 to 65535, as in localhost:7777"),
        ("65536", "a port is a number from 0 to 65535, as in localhost:7777"),
        ("000000", "a port is a number from 0 to 65535, as in localhost:7777"),
        (":9100", "the host is missing; write HOST:PORT, as in localhost:7777"),
        ("", "the host is missing; write HOST:PORT, as in localhost:7777"),
        ("http://localhost:9100", "but a link; write its host and port alone: localhost:9100"),
    ],
)
def test_what_is_typed_and_no_place_to_listen_is_told_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(repr(text)[:100])} is no address.* ?{re.escape(why)}"):
        read_listening(text, "127.0.0.1")


@pytest.mark.parametrize("text", ["a b", "localhost/play", " localhost:1"])
def test_what_is_typed_and_no_host_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match="host must be a name or an address"):
        read_address(text, 7777)


@pytest.mark.parametrize(
    ("address", "text"),
    [(Address("10.0.0.1", 7777), "10.0.0.1:7777"), (Address("::1", 80), "[::1]:80"), (Address("x.org", 1), "x.org:1")],
)
def test_an_address_prints_as_it_is_typed(address: Address, text: str) -> None:
    assert str(address) == text


@pytest.mark.parametrize("port", [0, 1, 65_535])
def test_ports_are_accepted(port: int) -> None:
    check_port(port)


def test_what_is_no_port_is_refused() -> None:
    with pytest.raises(ValueError, match="port must be from 0 to 65535, not -1"):
        check_port(-1)
    with pytest.raises(ValueError, match="port must be from 0 to 65535, not 65536"):
        check_port(65_536)
    for wrong in ("80", 8.0, True, None):
        with pytest.raises(TypeError, match=f"port must be an int, not {type(wrong).__name__}"):
            check_port(wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("address", ["localhost", "localhost:7777", "", None, 7777, ("localhost",), ("a", 1, 2)])
def test_where_to_connect_to_is_a_pair(address: Any) -> None:
    with pytest.raises(TypeError, match=r'address must be \(host, port\), such as \("localhost", 7777\), not '):
        check_pair(address)

    with pytest.raises(ValueError, match="both must be given"):
        check_pair(("localhost", 0))
    assert check_pair(("::1", 7777)) == check_pair(["::1", 7777]) == Address("::1", 7777)


def test_a_destination_has_a_host_and_a_port() -> None:
    check_destination("localhost", 7777)
    for host, port in (("", 7777), ("localhost", 0)):
        with pytest.raises(ValueError, match="both must be given"):
            check_destination(host, port)
    with pytest.raises(TypeError, match="host must be a str, not bytes"):
        check_destination(b"localhost", 7777)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        ("localhost:7777", "without the port, which is the next argument: 'localhost', 7777"),
        ("127.0.0.1:7777", "without the port, which is the next argument: '127.0.0.1', 7777"),
        ("[::1]", "an IPv6 address without brackets"),
        ("[::1]:7777", "an IPv6 address without brackets, and the port apart"),
        ("http://game.example", "a name or an address, not a URL: 'game.example'"),
        ("tcp://game.example:7777/lobby", "a name or an address, not a URL: 'game.example'"),
        ("game.example/lobby", "a name or an address, not a URL: 'game.example'"),
        ("localhost:7798:3", "a name or an address, and the port apart"),
        ("fe80::1%", "a name or an address, and the port apart"),
        (" localhost", "a name or an address without blanks"),
        ("localhost\n", "a name or an address without blanks"),
        ("my computer", "a name or an address without blanks"),
        ("  ", "a name or an address without blanks"),
    ],
)
def test_a_host_that_is_more_than_a_host_is_told_what_it_should_be(host: str, advice: str) -> None:
    expected = f"^host must be {re.escape(advice)}.*, not {re.escape(repr(host))}$"
    with pytest.raises(ValueError, match=expected):
        check_host(host)
    with pytest.raises(ValueError, match=expected):
        check_destination(host, 7777)


@pytest.mark.parametrize(
    "about", ["{} a", "http://{}", "[{}", "a:b:{}", "a:{}", "{}:7", "{}", "[[{}", "{}:a", ":{}", "7{}"]
)
def test_what_was_pasted_is_not_said_whole(about: str) -> None:
    pasted = about.format(("7" if about[0] == "7" else "x") * 100_000)

    for read in (partial(check_destination, pasted, 0), partial(read_address, pasted, 7777)):
        with pytest.raises(ValueError) as refused:
            read()
        assert len(str(refused.value)) < 400
    with pytest.raises(ValueError) as unsaid:
        check_addresses([pasted])
    assert len(str(unsaid.value)) < 400


@pytest.mark.parametrize(
    "host", ["localhost", "::1", "fe80::1%eth0", "192.0.2.1", "::ffff:192.0.2.1", "ünïcode.example"]
)
def test_names_and_addresses_are_hosts(host: str) -> None:
    check_destination(host, 7777)


def test_what_was_meant_as_four_numbers_is_told_from_names() -> None:
    hosts = "192.168.1.300", "192.168.1,5", "192.168.1.5.", "localhost", "7.example.org", "fe80::1", "7777", ""

    assert [*filter(is_mistyped, hosts)] == ["192.168.1.300", "192.168.1,5", "192.168.1.5."]


def test_every_address_is_no_star() -> None:
    with pytest.raises(ValueError, match=r'leave the host out \(""\) to listen on every address'):
        check_host("*")


def test_an_address_in_the_place_of_a_host_is_taken_apart() -> None:
    with pytest.raises(TypeError, match=r"^host must be a str, not Address: .* as in Client\(\*address\)$"):
        check_destination(Address("localhost", 7777), 0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_port_that_is_text_is_told_how_it_becomes_a_number() -> None:
    with pytest.raises(TypeError, match=r"port must be an int, not str: int\(port\) makes one of it"):
        check_destination("localhost", "7777")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_the_zone_of_a_link_local_address_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "if_indextoname", {2: "eth0"}.__getitem__)

    assert str(from_socket(("fe80::1", 7777, 0, 2))) == "[fe80::1%eth0]:7777"
    assert str(from_socket(("fe80::1%eth0", 7777, 0, 2))) == "[fe80::1%eth0]:7777"
    assert str(from_socket(("2001:db8::1", 7777, 0, 0))) == "[2001:db8::1]:7777"


def test_the_zone_of_an_interface_that_has_gone_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(number: int) -> str:
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    monkeypatch.setattr(socket, "if_indextoname", gone)

    assert from_socket(("fe80::1", 7777, 0, 2)).host == "fe80::1%2"


def test_make_address_takes_both_kinds_of_address() -> None:
    assert make_address("127.0.0.1", 7777) == Address("127.0.0.1", 7777)
    assert make_address("::1", 7777) == Address("::1", 7777)


def test_make_address_takes_a_port_with_a_name() -> None:
    class Ports(IntEnum):
        GAME = 7777

    assert make_address("127.0.0.1", Ports.GAME) == Address("127.0.0.1", 7777)


def test_make_address_looks_names_up(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET6, ("2001:db8::1", 7777, 0, 0)), (socket.AF_INET, ("192.0.2.1", 7777))]
    found = [(family, socket.SOCK_STREAM, 6, "", place) for family, place in entries]

    def look_up(*_: object, **__: object) -> list[Any]:
        return found

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    assert make_address("game.example", 7777) == Address("2001:db8::1", 7777)


def test_make_address_raises_an_os_error_for_what_cannot_be_a_name() -> None:
    with pytest.raises(socket.gaierror, match="cannot be a host name"):
        make_address("a" * 300, 7777)
    with pytest.raises(ValueError, match="both must be given"):
        make_address("", 7777)


def test_an_ipv4_peer_of_a_dual_stack_listener_shows_as_ipv4() -> None:
    assert from_socket(("::ffff:192.0.2.1", 5, 0, 0)) == Address("192.0.2.1", 5)
    assert from_socket(("2001:db8::1", 5, 0, 0)) == Address("2001:db8::1", 5)
    assert from_socket(("::ffff:0:1", 5, 0, 0)) == Address("::ffff:0:1", 5)
    assert from_socket(("192.0.2.1", 5)) == Address("192.0.2.1", 5)


def test_a_unix_socket_has_an_address_too() -> None:
    assert from_socket("/run/game.sock") == Address("/run/game.sock", 0)
    assert from_socket("") == from_socket(b"") == Address("local", 0)
    assert from_socket(b"\0game\xff") == Address("@game\\udcff", 0)
    assert from_socket("/tmp/a\nERROR forged") == Address("/tmp/a\\nERROR forged", 0)


def test_so_has_a_virtual_machine() -> None:
    assert str(from_socket((4_294_967_295, 7777))) == "4294967295:7777"


def test_a_place_of_origin_is_an_ipv4_address_or_a_64_of_ipv6() -> None:
    places = [
        bucket(Address(host, 1))
        for host in ("192.0.2.1", "2001:db8:0:1::5", "2001:db8:0:1:ffff::6", "2001:db8:0:2::5", "fe80::1%eth0")
    ]

    assert places == ["192.0.2.1", "20010db800000001", "20010db800000001", "20010db800000002", "fe80000000000000"]
    assert bucket(Address("not:an:address", 1)) == "not:an:address"


@pytest.mark.parametrize(
    "text", ["a:1", "play-2.example.org:65535", "10.0.0.7:7777", "[::1]:7777", "[::ffff:10.0.0.7]:1", "A_b:80"]
)
def test_an_address_that_travels_is_read_as_it_was_written(text: str) -> None:
    address = address_from_wire(text)

    assert str(address) == text
    assert check_address(text) == check_address(tuple(address or ())) == address


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ":",
            "a",
            "a:",
            ":1",
            "a:0",
            "a:01",
            "a:65536",
            "a:1 ",
            " a:1",
            "a:1\n",
            "a b:1",
            "a/b:1",
            "u@a:1",
            "a:١",
        ),
        *("::1:7777", "[]:1", "[a]:1", "[10.0.0.7]:1", "[fe80::1%eth0]:1", "é:1", "tls://a:1", "a:-1", "a:1:2"),
        *("[:::]:5", "[1:2]:7", "[::1.2.3]:9", "[::::::::]:1", "[::ffff:999.1.1.1]:4", "[.:]:1", "[12345::]:1"),
        *("a" * (MAX_ADDRESS - 1) + ":1", None, 7, b"a:1", ["a", 1], {"a": 1}),
    ],
)
def test_whatever_else_a_stranger_sends_is_no_address(text: Any) -> None:
    assert address_from_wire(text) is None


@pytest.mark.parametrize(
    ("address", "error", "text"),
    [
        ("a", ValueError, 'address must be a host and a port, such as "play.example.org:7777"'),
        (("fe80::1%eth0", 1), ValueError, "address must be a host and a port"),
        ("[1:2]:7", ValueError, "address must be a host and a port"),
        (("a", 0), ValueError, "both must be given"),
        (("a", "1"), TypeError, "port must be an int"),
        ((1, 1), TypeError, "host must be a str"),
        (("a", 1, 2), TypeError, r'address must be \(host, port\) or "host:port", not tuple'),
        (7777, TypeError, r'address must be \(host, port\) or "host:port", not int'),
        (None, TypeError, "not NoneType"),
    ],
)
def test_an_address_that_cannot_be_told_is_refused(address: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        check_address(address)


def test_each_of_several_addresses_counts_once() -> None:
    given = ["a:1", ("b", 2), Address("a", 1), "b:2", "[::1]:3"]

    assert check_addresses(given) == [Address("a", 1), Address("b", 2), Address("::1", 3)]
    assert check_addresses(iter(given[:1])) == [Address("a", 1)]


@pytest.mark.parametrize(
    "address",
    [Address("fe80::1%eth0", 7777), Address("münchen.example", 7777), Address("my_host", 1), Address("::1", 65_535)],
)
def test_several_addresses_are_whatever_one_can_connect_to(address: Address) -> None:
    assert check_addresses([address, tuple(address), [*address], str(address)]) == [address]


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        ("a:1", TypeError, "addresses must be a list .* not str"),
        (None, TypeError, "addresses must be a list .* not NoneType"),
        ([""], ValueError, "each of addresses must be a host and a port"),
        *(
            ([text], ValueError, "each of addresses must be a host and a port")
            for text in ("a", "::1", "[1:2]:7", "a:0")
        ),
        ([b"a:1"], TypeError, "each of addresses must be .* not bytes"),
        ([("a", 0)], ValueError, "both must be given"),
    ],
)
def test_what_is_no_list_of_addresses_is_refused(given: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        check_addresses(given)


@pytest.mark.parametrize("text", [None, b"localhost", 7777])
def test_what_nobody_can_have_typed_is_told_so(text: Any) -> None:
    with pytest.raises(TypeError, match=f"text must be a str, as it was typed, not {type(text).__name__}"):
        read_address(text, 7777)
