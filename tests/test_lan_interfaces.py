"""What is made of this computer's addresses."""

import ipaddress
from types import SimpleNamespace

import pytest

from netcode.address import Address

pytest.importorskip("ifaddr")

import ifaddr

from netcode.lan.interfaces import addresses_for, interfaces_of, likeliest_first, own_interfaces, present

MINE = [
    ipaddress.ip_interface(text)
    for text in ("127.0.0.1/8", "::1/128", "192.168.1.7/24", "172.17.0.1/16", "fe80::7%4/64", "2001:db8::7/64")
]


@pytest.mark.parametrize(
    ("host", "address", "expected"),
    [
        ("", "::", ["172.17.0.1", "192.168.1.7", "2001:db8::7", "fe80::7"]),
        ("0.0.0.0", "0.0.0.0", ["172.17.0.1", "192.168.1.7"]),
        ("::", "::", ["2001:db8::7", "fe80::7"]),
        ("localhost", "127.0.0.1", ["127.0.0.1"]),
        ("fe80::7%4", "fe80::7%4", ["fe80::7"]),
    ],
)
def test_a_server_says_where_it_listens(host: str, address: str, expected: list[str]) -> None:
    assert addresses_for(host, Address(address, 1), MINE) == expected


def test_of_the_addresses_wanted_those_are_present_that_this_computer_has() -> None:
    assert present(["192.168.1.7", "10.0.0.1", "fe80::7"], MINE) == ["192.168.1.7", "fe80::7"]


def test_a_computer_without_a_network_is_found_by_itself() -> None:
    assert addresses_for("", Address("::", 1), MINE[:2]) == ["127.0.0.1", "::1"]


@pytest.mark.parametrize(
    ("host", "address", "expected"),
    [
        ("", "::", None),
        ("localhost", "127.0.0.1", ["127.0.0.1"]),
        ("::1", "::1", ["127.0.0.1"]),
        ("192.168.1.7", "192.168.1.7", ["192.168.1.7"]),
    ],
)
def test_it_is_announced_where_it_can_be_reached(host: str, address: str, expected: list[str] | None) -> None:
    assert interfaces_of(host, Address(address, 1)) == expected


def test_addresses_in_a_network_of_ours_come_first_and_those_that_lead_back_here_not_at_all() -> None:
    theirs = ["fe80::9%4", "10.9.9.9", "172.17.0.1", "2001:db8::9", "192.168.1.9"]

    found = likeliest_first(theirs, 7, MINE)

    assert [address.host for address in found] == ["192.168.1.9", "2001:db8::9", "fe80::9%4", "10.9.9.9"]


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("a804:edff:fe71:9f44", ["192.168.1.7", "fe80::a804:edff:fe71:9f44"]),
        ("1", ["fe80::9", "10.89.1.1"]),
    ],
)
def test_an_address_that_nobody_else_has_tells_that_the_server_is_here(identifier: str, expected: list[str]) -> None:
    mine = [*MINE, ipaddress.ip_interface(f"fe80::{identifier}/64")]
    gone = ["10.89.1.1", "fe80::9"]  # of a bridge that went away a moment ago

    found = likeliest_first([*gone, f"fe80::{identifier}", "192.168.1.7"], 7, mine)

    assert [address.host for address in found] == expected


def test_a_server_of_this_computer_is_found_at_its_own_addresses() -> None:
    assert likeliest_first(["172.17.0.1", "192.168.1.7"], 7, MINE) == (
        Address("172.17.0.1", 7),
        Address("192.168.1.7", 7),
    )


def test_the_addresses_of_this_computer_have_their_networks_and_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    ips = [
        SimpleNamespace(ip="192.168.1.7", network_prefix=24),
        SimpleNamespace(ip=("fe80::7", 0, 4), network_prefix=64),
        SimpleNamespace(ip=("2001:db8::7", 0, 0), network_prefix=64),
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [SimpleNamespace(index=4, ips=ips)])

    assert {str(one) for one in own_interfaces()} == {"192.168.1.7/24", "fe80::7%4/64", "2001:db8::7/64"}
