"""A server as records of multicast DNS (RFC 6763): those of one of ours, and what a stranger's say."""

import secrets
from collections.abc import Iterable, Mapping

from zeroconf import ServiceInfo

from netcode.lan import MAX_ADDRESSES, Sighting
from netcode.lan.interfaces import Interface, likeliest_first

SERVICE = "_netcode._tcp.local."
"""What is announced and looked for."""

TTL = 60
"""Seconds for which others believe an announcement. A server that was killed said no goodbye, and is listed as long, and until
it was asked in vain."""

MAX_LABEL = 63
"""Bytes of one part of a name in the DNS."""


def instance(name: str) -> str:
    """Return what programs show that list everything on a network: `name`, and something that nobody else has.

    A dot would end it, and it has 63 bytes.
    """
    suffix = f" {secrets.token_hex(4)}"
    plain = "".join(c if c.isprintable() and c not in ".\\" else " " for c in name)
    room = MAX_LABEL - len(suffix)
    return (plain.encode("utf-8", "replace")[:room].decode("utf-8", "ignore").strip() + suffix).strip()


def records(name: str, port: int, addresses: list[str], said: Mapping[str, str]) -> ServiceInfo:
    """Return the records of a server whose `instance` is `name`."""
    return ServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port=port,
        properties={**said},
        server=f"netcode-{name.rpartition(' ')[2]}.local.",
        host_ttl=TTL,
        other_ttl=TTL,
        parsed_addresses=addresses,
    )


def sighting(info: ServiceInfo, interfaces: Iterable[Interface]) -> Sighting | None:
    """Return what a server said, as far as it makes sense to a computer that has these `interfaces`."""
    addresses = info.parsed_scoped_addresses()[: 4 * MAX_ADDRESSES]
    if not addresses or not info.port:
        return None
    said = {_text(key): _text(value) for key, value in info.properties.items() if value is not None}
    return Sighting(likeliest_first(addresses, info.port, interfaces), said)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
