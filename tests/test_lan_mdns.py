"""Multicast DNS: real zeroconf, over the loopback interface alone."""

import asyncio
import errno
import ipaddress
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import lan_thread
import pytest
from lan_thread import HERE, LOOPBACK, Networks, announce, is_readable, named, until, without_thread

from netcode.address import Address
from netcode.lan import Lan, Sighting

pytest.importorskip("zeroconf")

from zeroconf import ServiceInfo

from netcode.lan import listening, mdns, speaker
from netcode.lan.mdns import Mdns
from netcode.lan.records import records

networks, no_thread_is_left = lan_thread.networks, lan_thread.no_thread_is_left


def test_it_is_a_lan() -> None:
    assert isinstance(Mdns(), Lan)


def test_what_is_announced_is_heard_followed_and_taken_back() -> None:
    name = secrets.token_hex(8)
    with closing(Mdns(LOOPBACK).look_out()) as lookout, closing(announce(name, players="0")) as announcement:
        until(lambda: bool(named(lookout, name)))
        assert named(lookout, name) == [Sighting((HERE,), {"name": name, "players": "0"})]
        assert lookout.error is None

        announcement.tell({"name": name, "players": "1"})
        until(lambda: named(lookout, name)[0].said["players"] == "1")
        announcement.close()
        until(lambda: not named(lookout, name))


def test_what_has_not_changed_is_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns.Announcing, "begin", vars)
    announcement = announce("same")
    announcement.tell({"name": "same"})

    asyncio.run(announcement._speaker._renew(None))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # nobody is asked

    assert announcement._speaker._told == ({"name": "same"}, [HERE.host])


def test_after_a_change_the_next_one_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns.Announcing, "begin", vars)
    monkeypatch.setattr(mdns, "SHORTEST", 0.05)
    announcement = announce("changing", players="0")
    told = list[Any]()

    class Network:
        async def async_update_service(self, info: Any) -> Any:
            told.append(info.properties[b"players"])
            return asyncio.sleep(0)

    async def play() -> float:
        announcement._speaker._awake = asyncio.Event()
        announcement.tell({"name": "changing", "players": "1"})
        began = time.monotonic()
        await announcement._speaker._renew(Network())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        return time.monotonic() - began

    assert asyncio.run(play()) >= 0.05
    assert told == [b"1"]


def test_after_the_close_nothing_is_said_or_heard() -> None:
    lookout, announcement = Mdns(LOOPBACK).look_out(), announce("closed")
    for thing in (lookout, announcement):
        thing.close()
        thing.close()
    until(lambda: not any(thread.name == "netcode-lan" for thread in threading.enumerate()))

    lookout.hush()
    announcement.tell({"name": "closed"})

    assert lookout.fileno() == -1
    assert lookout.sightings == {}


def test_a_server_says_where_it_is_reached_when_that_changes(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[list[str]]()

    def tell(name: str, port: int, addresses: list[str], said: Mapping[str, str]) -> ServiceInfo:
        told.append(addresses)
        return records(name, port, addresses, said)

    monkeypatch.setattr(mdns, "records", tell)
    with closing(Mdns(LOOPBACK).announce("moving", "", Address("::", 7777), {})):
        until(lambda: told == [["127.0.0.1"]])

        networks.mine.add(ipaddress.ip_interface("192.0.2.77/24"))

        until(lambda: told == [["127.0.0.1"], ["192.0.2.77"]])


def test_a_forked_child_forgets_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = list[str]()

    def note(speaker: speaker.Speaker) -> None:
        begun.append(type(speaker).__name__)

    for kind in (mdns.Announcing, listening.Listening):
        monkeypatch.setattr(kind, "begin", note)
    lookout, announcement = Mdns(LOOPBACK).look_out(), announce("child")

    for thing in (lookout, announcement):
        thing.abandon()

    assert begun == ["Listening", "Announcing"]
    assert lookout.fileno() == -1
    lookout._speaker._bell.close()


@pytest.fixture
def among_ourselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hear of nobody whom another program of this computer announces: of a kind of service that is this test's alone."""
    service = f"_n{secrets.token_hex(4)}._tcp.local."
    for module in ("records", "listening"):
        monkeypatch.setattr(f"netcode.lan.{module}.SERVICE", service)


@pytest.mark.usefixtures("among_ourselves")
def test_a_change_makes_the_descriptor_readable_until_it_is_hushed() -> None:
    name = secrets.token_hex(8)
    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        assert not is_readable(lookout)
        with closing(announce(name)):
            until(lambda: is_readable(lookout))

            lookout.hush()

            assert not is_readable(lookout)


def test_a_thread_that_has_ended_is_no_reason_to_wait_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(without_thread(monkeypatch)) as lookout:
        assert is_readable(lookout)

        lookout.hush()

        assert lookout.sightings == {}


def test_without_a_descriptor_for_its_bell_a_lookout_never_came_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socketpair", none_left)

    with pytest.raises(OSError, match="Too many"):
        Mdns(LOOPBACK).look_out()


def test_what_cannot_be_announced_as_it_is_given_never_came_to_be_an_announcement() -> None:
    with pytest.raises(TypeError):
        Mdns(LOOPBACK).announce(None, HERE.host, HERE, {})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
