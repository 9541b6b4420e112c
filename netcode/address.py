"""Where the other end is: addresses, as they are given, shown and told to others."""

import re
import socket
from collections.abc import Iterable
from typing import Any, NamedTuple

MAX_ADDRESS = 260
"""Characters of an address that travels, with its port: as many as the longest host name needs."""
WILDCARDS = frozenset({"", "0.0.0.0", "::"})
"""What one listens on and nobody can connect to: every address of this computer, of both families or of one."""

_FORM = re.compile(r"(?:([A-Za-z0-9._-]+)|\[([0-9A-Fa-f:.]+)\]):([1-9][0-9]{0,4})", re.ASCII)

_TUPLE: Any = tuple  # of unknown type to the type checkers, as what strangers give is


class Address(NamedTuple):
    """A host and a port. Prints as `host:port`, with brackets around IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def check_port(port: int) -> None:
    """Raise `TypeError` or `ValueError` for what cannot be a port."""
    if not isinstance(port, int) or isinstance(port, bool):
        hint = ": int(port) makes one of it" if isinstance(port, str) else ""
        raise TypeError(f"port must be an int, not {type(port).__name__}{hint}")
    if not 0 <= port <= 65_535:
        raise ValueError(f"port must be from 0 to 65535, not {port}")


def check_host(host: str) -> None:
    """Raise `TypeError` or `ValueError` for what cannot be a host, saying what was probably meant."""
    if not isinstance(host, str):
        hint = ""
        if isinstance(host, tuple | list):
            hint = ": host and port are two arguments, as in Client(*address)"
        elif isinstance(host, int):
            hint = f': the port comes after the host, as in "localhost", {host}'
        raise TypeError(f"host must be a str, not {type(host).__name__}{hint}")
    if host == "*":  # which getaddrinfo takes for this computer alone
        raise ValueError('host must not be "*": leave the host out ("") to listen on every address')
    if host != host.strip() or " " in host:
        raise ValueError(f"host must be a name or an address without blanks, not {host!r:.100}")
    if "/" in host:
        name = (host.partition("//")[2] or host).partition("/")[0].partition(":")[0]
        raise ValueError(f"host must be a name or an address, not a URL: {name!r:.100}, not {host!r:.100}")
    name, colon, port = host.rpartition(":")
    if host.startswith("["):
        raise ValueError(f"host must be an IPv6 address without brackets, and the port apart, not {host!r:.100}")
    if colon and ":" in name and not _is_ipv6(host):
        raise ValueError(f"host must be a name or an address, and the port apart, not {host!r:.100}")
    if colon and ":" not in name:
        raise ValueError(
            f"host must be without the port, which is the next argument: {name!r:.100}, {port:.100}, not {host!r:.100}"
        )


def check_destination(host: str, port: int) -> None:
    """Raise `TypeError` or `ValueError` for what cannot be connected to."""
    check_host(host)
    check_port(port)
    if not host or port == 0:
        raise ValueError(f"cannot connect to host {host!r:.100}, port {port}: both must be given")


def check_pair(address: Any) -> Address:
    """Return where to connect to, which was given as `Address` or `(host, port)`. Raises `TypeError` or `ValueError`."""
    if not isinstance(address, tuple | list) or len(_TUPLE(address)) != 2:
        raise TypeError(f'address must be (host, port), such as ("localhost", 7777), not {address!r:.100}')
    host, port = _TUPLE(address)
    check_destination(host, port)
    return Address(host, port)


def check_typed(text: str) -> None:
    """Raise `TypeError` for what nobody can have typed, such as a setting that is not there."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, as it was typed, not {type(text).__name__}")


def read_address(text: str, otherwise: int) -> Address:
    """Return the address that somebody has typed: HOST, HOST:PORT, [IPv6], [IPv6]:PORT or IPv6.

    Usage::

        client = netcode.Client(*netcode.read_address("192.168.1.7:7000", 7777))

    Args:
        text: what was typed.
        otherwise: the port where none was.

    Raises:
        TypeError: `text` is no str.
        ValueError: it is none; the sentence says why, and what to write.
    """
    check_typed(text)
    return _read(text, f":{otherwise}", 1)


def read_listening(text: str, otherwise: str) -> Address:
    """Return where to listen, as somebody has typed it: PORT, HOST:PORT or [IPv6]:PORT; port 0 is any free one.

    Args:
        text: what was typed.
        otherwise: the host where none was.

    Raises:
        ValueError: it is none; the sentence says why, and what to write.
    """
    if _is_number(text):
        return Address(otherwise, _port(text, text, 0))
    return _read(text, ":", 0)


def _read(text: str, otherwise: str, least: int) -> Address:
    if "://" in text:
        place = text.partition("://")[2].partition("/")[0] or "HOST:PORT"
        raise ValueError(f"{text!r:.100} is no address but a link; write its host and port alone: {place:.100}")
    if _is_ipv6(text):
        return Address(text, _port(text, otherwise[1:], least))
    if _is_number(text):
        raise ValueError(f"{text!r:.100} is no address but a port; write HOST:PORT, as in localhost:{text:.100}")
    found = re.fullmatch(r"(?:\[(?P<six>[^][]*)\]|(?P<host>[^][:]*))(?P<rest>:[^][]*)?", text)
    if found is None or (found["six"] is not None and not _is_ipv6(found["six"])):
        raise ValueError(f"{text!r:.100} is no address: brackets are for an IPv6 address, as in [::1]:7777")
    host, port = found["six"] or found["host"], (found["rest"] or otherwise)[1:]
    if not host:
        raise ValueError(f"{text!r:.100} is no address: the host is missing; write HOST:PORT, as in localhost:7777")
    if ":" in port:
        raise ValueError(
            f"{text!r:.100} is no address: it has too many colons; write HOST:PORT, and an IPv6 address as in [::1]:7777"
        )
    number = _port(text, port, least)
    if found["six"] is None:
        check_host(host)
        if not _is_name(host):
            raise ValueError(f"{text!r:.100} is no address: that cannot be a host name")
    return Address(host, number)


def _port(text: str, port: str, least: int) -> int:
    """Return the port in an address that was typed. Raises `ValueError` for what is none."""
    if not _is_number(port) or len(port) > 5 or not least <= int(port) <= 65_535:
        raise ValueError(f"{text!r:.100} is no address: a port is a number from {least} to 65535, as in localhost:7777")
    return int(port)


def _is_number(text: str) -> bool:
    return re.fullmatch("[0-9]+", text) is not None


def _is_name(host: str) -> bool:
    """Tell whether this can be looked up, whatever comes of that."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return host.isprintable()


def _is_ipv6(text: str) -> bool:
    address, percent, zone = text.partition("%")
    try:
        socket.inet_pton(socket.AF_INET6, address)
    except (OSError, ValueError):
        return False
    return bool(zone) or not percent


def is_mistyped(host: str) -> bool:
    """Tell whether a host that has no address was meant as one of IPv4."""
    return re.fullmatch("[0-9]+([.,][0-9]*)+", host, re.ASCII) is not None


FOUR_NUMBERS = "an IPv4 address has four numbers from 0 to 255, with dots between, as in 192.168.1.7"
"""What is said of one that is mistyped."""


def address_from_wire(text: Any) -> Address | None:
    """Read `host:port` as `str(address)` writes it; None for whatever else a stranger may have sent."""
    found = _FORM.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_ADDRESS else None
    if found is None or int(found[3]) > 65_535 or (found[2] is not None and not _is_ipv6(found[2])):
        return None
    return Address(str(found[1] or found[2]), int(found[3]))


def check_address(address: Any) -> Address:
    """Return a public address that was given as `address`: an `Address`, `(host, port)` or `"host:port"`.

    Raises:
        TypeError, ValueError: it is none, or one that cannot be told to others.
    """
    if isinstance(address, tuple) and len(_TUPLE(address)) == 2:
        host, port = _TUPLE(address)
        check_destination(host, port)
        text = str(Address(host, port))
    else:
        text = _check_text("address", address)
    found = address_from_wire(text)
    if found is None:
        raise _no_address("address", text)
    return found


def check_addresses(addresses: Any) -> list[Address]:
    """Return where to connect to, which was given as `addresses`, each place once.

    They are our own, and told to nobody: whatever can be connected to is right.

    Raises:
        TypeError, ValueError: it is no list of `Address`, `(host, port)` and `"host:port"`.
    """
    given: Any = addresses
    if isinstance(addresses, str) or not isinstance(addresses, Iterable):
        raise TypeError(f'addresses must be a list such as ["a.example:7777"], not {type(given).__name__}')
    return [*dict.fromkeys(map(_check_place, given))]


def _check_place(address: Any) -> Address:
    if isinstance(address, tuple | list):
        return check_pair(address)
    name = "each of addresses"
    text = _check_text(name, address)
    try:
        return read_address(text, 0)  # which is none: it has to be there
    except ValueError as error:
        raise _no_address(name, text) from error


def _check_text(name: str, address: Any) -> str:
    if not isinstance(address, str):
        raise TypeError(f'{name} must be (host, port) or "host:port", not {type(address).__name__}')
    return address


def _no_address(name: str, text: str) -> ValueError:
    example = '"play.example.org:7777" or "[::1]:7777"'
    return ValueError(f"{name} must be a host and a port, such as {example}, not {text!r:.100}")


def make_address(host: str, port: int) -> Address:
    """Look up `host`, an IPv4 or IPv6 address or a name, and return the first address it has.

    This may block for seconds: names are asked from the network. It is for tools and start-up; `connect`
    takes names by itself and never blocks.

    Raises:
        TypeError, ValueError: for what cannot be a host or a port.
        OSError: the name has no address, or nobody could be asked.
    """
    check_destination(host, port)
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)  # it takes no member of an IntEnum
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, f"{host!r:.100} cannot be a host name") from error
    return from_socket(found[0][4])


def from_socket(sockaddr: Any) -> Address:
    """Make an `Address` of what the socket module calls one; an IPv4 peer of a dual-stack listener shows as IPv4."""
    if isinstance(sockaddr, str | bytes):
        return Address(_path(sockaddr) or "local", 0)
    host, port, *rest = sockaddr
    host = str(host)  # virtual machines and their hosts (VSOCK) have numbers
    if host.startswith("::ffff:") and "." in host:
        host = host.removeprefix("::ffff:")
    zone: int = rest[1] if len(rest) > 1 else 0
    return Address(host if not zone or "%" in host else f"{host}%{_zone(zone)}", port)


def _path(name: str | bytes) -> str:
    """Return the name of a Unix socket; one of Linux that is no file begins with «@», as `ss` shows it."""
    text = name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
    text = text.replace("\0", "@", 1) if text.startswith("\0") else text
    return text if text.isprintable() else ascii(text)[1:-1]  # whoever connects has chosen it


def _zone(number: int) -> str:
    """Return the name of the interface behind which a link-local address counts; its number if it has gone."""
    try:
        return socket.if_indextoname(number)
    except OSError:
        return str(number)


def bucket(address: Address) -> str:
    """Return what counts as one place of origin: an IPv4 address, or the /64 of an IPv6 one.

    A provider gives each customer a /64 at least, so a single IPv6 address means nothing.
    """
    host = address.host
    if ":" not in host:
        return host
    try:
        return socket.inet_pton(socket.AF_INET6, host.partition("%")[0])[:8].hex()
    except (OSError, ValueError):
        return host
