"""A server as records of multicast DNS, as real zeroconf holds them."""

import ipaddress

import pytest

from netcode.address import Address
from netcode.lan import MAX_ADDRESSES, Sighting

pytest.importorskip("zeroconf")

from zeroconf import ServiceInfo

from netcode.lan.records import MAX_LABEL, SERVICE, TTL, instance, records, sighting

MINE = [ipaddress.ip_interface(text) for text in ("127.0.0.1/8", "192.168.1.7/24")]


def test_a_name_is_kept_readable_and_one_of_a_kind() -> None:
    names = {instance("Ann's game. v1\\2\n" + "\u00e9" * 60) for _ in range(2)}

    assert len(names) == 2
    assert all(name.startswith("Ann's game  v1 2 \u00e9") for name in names)
    assert all(len(name.encode()) <= MAX_LABEL and "." not in name for name in names)
    assert len(instance("")) == 8


def test_what_one_says_another_sights() -> None:
    info = records(instance("Ann"), 7777, ["192.168.2.9", "192.168.1.9"], {"players": "3", "map": "\u00e9"})

    assert sighting(info, MINE) == Sighting(
        (Address("192.168.1.9", 7777), Address("192.168.2.9", 7777)), {"players": "3", "map": "\u00e9"}
    )


def test_two_servers_of_one_name_are_two_and_both_are_forgotten_in_time() -> None:
    one, other = (records(instance("Ann"), 7777, ["192.168.1.9"], {}) for _ in range(2))

    assert one.name != other.name
    assert one.server != other.server
    assert one.name.endswith(f".{SERVICE}")
    assert (one.host_ttl, one.other_ttl) == (TTL, TTL)


def test_what_is_not_text_is_shown_all_the_same() -> None:
    info = ServiceInfo(
        SERVICE, f"x.{SERVICE}", 7777, properties={b"name": b"\xff", b"flag": None}, parsed_addresses=["192.168.1.9"]
    )

    assert sighting(info, MINE) == Sighting((Address("192.168.1.9", 7777),), {"name": "\ufffd"})


@pytest.mark.parametrize(("port", "addresses"), [(None, ["192.168.1.9"]), (0, ["192.168.1.9"]), (7777, [])])
def test_who_does_not_say_where_it_is_is_not_sighted(port: int | None, addresses: list[str]) -> None:
    assert sighting(ServiceInfo(SERVICE, f"x.{SERVICE}", port, parsed_addresses=addresses), MINE) is None


def test_a_stranger_with_a_thousand_addresses_has_as_many_as_count() -> None:
    many = [f"192.168.{high}.{low}" for high in range(4) for low in range(250)]

    found = sighting(ServiceInfo(SERVICE, f"x.{SERVICE}", 7777, parsed_addresses=many), MINE)

    assert found is not None
    assert len(found.addresses) == MAX_ADDRESSES
    assert Address("192.168.1.0", 7777) not in found.addresses  # as near as it would be: so far nobody looks
