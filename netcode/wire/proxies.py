"""Who stands behind a proxy: what it says of that, and whether it is one of ours, which is believed."""

import ipaddress
import socket
from collections.abc import Iterable

from netcode.address import Address

V2 = b"\r\n\r\n\x00\r\nQUIT\n"
"""How version 2 of the PROXY protocol begins, and nothing else does."""
V1 = b"PROXY "

MAX_LINE = 107
"""Bytes of a header of version 1 at most, its end included."""
MAX_HEADER = 4096
"""Bytes of a header of version 2 that are taken: what else may be in it, such as certificates, is not looked at."""


class Proxies:
    """The proxies that are believed.

    Raises:
        TypeError, ValueError: one of `given` is no address and no network.
    """

    def __init__(self, given: Iterable[str]) -> None:
        if isinstance(given, str):
            raise TypeError(f"proxies must be several addresses, as in ({given!r},), not one str")
        if not isinstance(given, Iterable):
            raise TypeError(f"proxies must be several addresses, as in ('127.0.0.1',), not {type(given).__name__}")
        self._networks = [_network(one) for one in given]

    def trusts(self, host: str) -> bool:
        """Tell whether what `host` says of others is believed."""
        found = address_of(host) if self._networks else None
        return found is not None and any(found in network for network in self._networks)

    def client(self, address: Address | None, forwarded: str) -> Address | None:
        """Return who is meant by `X-Forwarded-For` of a request from `address`: the last who is no proxy of ours."""
        entries = forwarded.split(",")
        while address is not None and entries and self.trusts(address.host):
            found = address_of(_host(entries.pop()))
            if found is None:
                break
            address = Address(str(found), 0)
        return address


def _network(given: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if not isinstance(given, str):
        raise TypeError(f"a proxy must be a str such as '127.0.0.1' or '10.0.0.0/8', not {type(given).__name__}")
    try:
        return ipaddress.ip_network(given, strict=False)
    except ValueError:
        raise ValueError(f"a proxy must be an address or a network such as '10.0.0.0/8', not {given!r}") from None


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that `host` is, without its zone; an IPv4 one in IPv6's clothes as such. None for a name."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None) or found


def _host(entry: str) -> str:
    """Return the address in an entry, which may have a port."""
    entry = entry.strip(' \t"')
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def measure(data: bytes) -> int:
    """Return how many bytes the PROXY header has that begins with `data`.

    0 means that it cannot be told yet, and that all of `data` belongs to it if it is one; -1 that it is none.
    """
    if data.startswith(V1[: len(data)]):
        end = data.find(b"\r\n", 0, MAX_LINE)
        return end + 2 if end >= 0 else 0 if len(data) < MAX_LINE else -1
    if not data.startswith(V2[: len(data)]):
        return -1
    if len(data) < 16:
        return 0
    size = 16 + int.from_bytes(data[14:16], "big")
    return size if size <= MAX_HEADER else -1


def source(header: bytes, address: Address | None) -> Address | None:
    """Return who is meant by a whole PROXY header that came from `address`. Raises `ValueError` if it is broken."""
    if header.startswith(V1):
        return _source_of_line(header[len(V1) : -2].decode("ascii").split(" "), address)
    version, family = header[12], header[13]
    if version >> 4 != 2 or version & 0x0F > 1:
        raise ValueError
    if version & 0x0F == 0:
        return address  # it speaks for itself: it looks whether we are here
    body = header[16:]
    if family >> 4 == 1 and len(body) >= 12:
        return Address(socket.inet_ntop(socket.AF_INET, body[:4]), int.from_bytes(body[8:10], "big"))
    if family >> 4 == 2 and len(body) >= 36:
        found = address_of(socket.inet_ntop(socket.AF_INET6, body[:16]))
        return Address(str(found), int.from_bytes(body[32:34], "big"))
    return address


def _source_of_line(words: list[str], address: Address | None) -> Address | None:
    if words[0] == "UNKNOWN":
        return address
    found = address_of(words[1]) if len(words) == 5 and words[0] in ("TCP4", "TCP6") else None
    if found is None or not words[3].isdecimal():
        raise ValueError
    return Address(str(found), int(words[3]))
