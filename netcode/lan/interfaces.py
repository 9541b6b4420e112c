"""Which addresses this computer has, and what they mean for who is to be found and by whom."""

import ipaddress
from collections.abc import Iterable

import ifaddr

from netcode.address import WILDCARDS, Address
from netcode.lan import MAX_ADDRESSES

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def own_interfaces() -> frozenset[Interface]:
    """Return the addresses of this computer, with the networks that they are in."""
    found: set[Interface] = set()
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            host = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            zone = f"%{adapter.index}" if not isinstance(ip.ip, str) and ip.ip[2] else ""
            found.add(ipaddress.ip_interface(f"{host}{zone}/{ip.network_prefix}"))
    return frozenset(found)


def present(wanted: Iterable[str], interfaces: Iterable[Interface]) -> list[str]:
    """Return which of the addresses wanted this computer has."""
    here = {str(_without_zone(one.ip)) for one in interfaces}
    return [one for one in wanted if one in here]


def addresses_for(host: str, address: Address, interfaces: Iterable[Interface]) -> list[str]:
    """Return where a server is reached that listens on `host`, by others in its network."""
    if host not in WILDCARDS:
        return [address.host.partition("%")[0]]
    families = {"": (4, 6), "0.0.0.0": (4,), "::": (6,)}[host]
    usable = [one.ip for one in interfaces if one.version in families]
    # Loopback only where there is nothing else; and no zones, which are the receiver's own affair.
    outside = [ip for ip in usable if not ip.is_loopback]
    return sorted({str(ip).partition("%")[0] for ip in outside or usable})


def likeliest_first(addresses: Iterable[str], port: int, interfaces: Iterable[Interface]) -> tuple[Address, ...]:
    """Sort the addresses that a server says it has: first those in a network that this computer is in, too.

    One that this computer has itself leads back to it, and so nowhere if the server is another computer: virtual
    machines have the same private networks everywhere. Where one of those is nobody else's, the server is on this
    computer, and what it says besides may be an address that this computer had until just now.
    """
    mine = [*interfaces]
    own = {_without_zone(one.ip) for one in mine}
    ips = [ipaddress.ip_address(text) for text in addresses]
    ours = [ip for ip in ips if _without_zone(ip) in own]
    others = [ip for ip in ips if ip not in ours]
    candidates = ours if any(map(_is_one_of_a_kind, ours)) else others or ips

    def rank(ip: IPAddress) -> tuple[bool, bool, int]:
        near = any(one.version == ip.version and _without_zone(ip) in one.network for one in mine)
        return not near, ip.is_link_local, ip.version

    return tuple(Address(str(ip), port) for ip in sorted(candidates, key=rank)[:MAX_ADDRESSES])


def _is_one_of_a_kind(ip: IPAddress) -> bool:
    """Say whether no other computer has this address: it ends in an identifier (RFC 4291, 2.5.1) of 64 random bits.

    Those that people choose, such as fe80::1 of the bridges of containers, are short.
    """
    return ip.version == 6 and int(ip) % 2**64 >= 2**32


def _without_zone(ip: IPAddress) -> IPAddress:
    return ipaddress.ip_address(str(ip).partition("%")[0])


def interfaces_of(host: str, address: Address) -> list[str] | None:
    """Return on which interfaces a server is announced that listens on `host`; None for all."""
    if host in WILDCARDS:
        return None
    ip = ipaddress.ip_address(address.host.partition("%")[0])
    return ["127.0.0.1"] if ip.is_loopback else [str(ip)]
