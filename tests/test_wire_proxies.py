"""Who stands behind a proxy, and who is believed."""

import socket
import struct

import pytest

from netcode.address import Address
from netcode.wire.proxies import MAX_HEADER, MAX_LINE, V2, Proxies, measure, source

PROXY = Address("10.0.0.1", 5000)
OURS = Proxies(["10.0.0.0/8", "::1", "192.0.2.7"])


def v2(command: int = 0x21, family: int = 0x11, body: bytes = b"") -> bytes:
    return V2 + bytes((command, family)) + struct.pack(">H", len(body)) + body


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("::1", True),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("fe80::1%eth0", False),
        ("local", False),
    ],
)
def test_proxies_are_ours_or_not(host: str, trusted: bool) -> None:
    assert OURS.trusts(host) is trusted
    assert Proxies([]).trusts(host) is False


@pytest.mark.parametrize(
    ("forwarded", "host"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("6.6.6.6, 203.0.113.5", "203.0.113.5"),  # the first is what the client says of itself
        ("203.0.113.5, 10.9.9.9", "203.0.113.5"),
        ("203.0.113.5:4711", "203.0.113.5"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ('"[2001:db8::1]:99"', "2001:db8::1"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("10.2.2.2, 10.3.3.3", "10.2.2.2"),  # nobody but proxies: the farthest
        ("unknown", "10.0.0.1"),
        ("203.0.113.5, nonsense, 10.3.3.3", "10.3.3.3"),
        ("", "10.0.0.1"),
    ],
)
def test_the_last_who_is_no_proxy_is_meant(forwarded: str, host: str) -> None:
    found = OURS.client(PROXY, forwarded)

    assert found is not None
    assert found.host == host


def test_who_is_no_proxy_is_not_believed() -> None:
    stranger = Address("203.0.113.9", 1)

    assert OURS.client(stranger, "1.2.3.4") is stranger
    assert OURS.client(None, "1.2.3.4") is None


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("10.0.0.1", "proxies must be several addresses, as in ('10.0.0.1',), not one str"),
        (5, "proxies must be several addresses, as in ('127.0.0.1',), not int"),
        ([7], "a proxy must be a str such as '127.0.0.1' or '10.0.0.0/8', not int"),
        (["nginx"], "a proxy must be an address or a network such as '10.0.0.0/8', not 'nginx'"),
    ],
)
def test_what_cannot_be_a_proxy_is_named(given: object, error: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        Proxies(given)  # type: ignore[arg-type]

    assert str(caught.value) == error


V4_BODY = socket.inet_pton(socket.AF_INET, "203.0.113.5") + bytes(4) + struct.pack(">HH", 4711, 443)
V6_BODY = socket.inet_pton(socket.AF_INET6, "2001:db8::9") + bytes(16) + struct.pack(">HH", 4712, 443)
MAPPED_BODY = socket.inet_pton(socket.AF_INET6, "::ffff:1.2.3.4") + bytes(16) + struct.pack(">HH", 1, 2)


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443\r\n", Address("203.0.113.5", 4711)),
        (b"PROXY TCP6 2001:db8::9 ::1 4712 443\r\n", Address("2001:db8::9", 4712)),
        (b"PROXY UNKNOWN\r\n", PROXY),
        (b"PROXY UNKNOWN whatever it is\r\n", PROXY),
        (v2(body=V4_BODY), Address("203.0.113.5", 4711)),
        (v2(body=V4_BODY + b"and more"), Address("203.0.113.5", 4711)),
        (v2(family=0x21, body=V6_BODY), Address("2001:db8::9", 4712)),
        (v2(family=0x21, body=MAPPED_BODY), Address("1.2.3.4", 1)),
        (v2(command=0x20), PROXY),
        (v2(command=0x20, body=V4_BODY), PROXY),  # it looks whether we are here, whatever else it says
        (v2(family=0x31, body=bytes(216)), PROXY),  # a Unix socket
        (v2(body=b"short"), PROXY),
        (v2(family=0x21, body=V4_BODY), PROXY),
    ],
)
def test_a_header_says_for_whom_a_proxy_speaks(header: bytes, client: Address) -> None:
    sizes = [measure(header[:count]) for count in range(1, len(header) + 1)]

    assert {*sizes} <= {0, len(header)}
    assert measure(header + b"GET / HTTP/1.1") == len(header)
    assert source(header, PROXY) == client


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 nonsense 10.0.0.1 4711 443\r\n",
        b"PROXY TCP4 203.0.113.5 10.0.0.1 4711\r\n",
        b"PROXY TCP4 203.0.113.5 10.0.0.1 x 443\r\n",
        b"PROXY UDP4 203.0.113.5 10.0.0.1 4711 443\r\n",
        b"PROXY \xff\r\n",
        v2(command=0x31),
        v2(command=0x22),
    ],
)
def test_a_broken_header_is_nobody(header: bytes) -> None:
    with pytest.raises(ValueError):
        source(header, PROXY)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1",
        b"POST",
        b"\x00\x00\x00\x05",
        b"\x16\x03\x01",
        b"PROXY " + bytes(120),
        b"PROXY " + bytes(MAX_LINE - 6),  # the longest line there is would have ended by now
        V2 + b"\x21\x11\xff\xff",
    ],
)
def test_what_is_no_header_is_left_alone(data: bytes) -> None:
    assert measure(data) == -1
    assert MAX_HEADER < 0xFFFF
