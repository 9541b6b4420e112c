"""Multicast DNS: real zeroconf, over the loopback interface alone."""

import asyncio
import ipaddress
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from bounds import as_long_as
from programs import DEADLINE

from netcode.address import Address
from netcode.lan import MAX_SIGHTINGS, Lan, Lookout, Sighting

pytest.importorskip("zeroconf")

from zeroconf import Error, IPVersion, ServiceInfo, ServiceStateChange

from netcode.lan import mdns
from netcode.lan.interfaces import own_interfaces
from netcode.lan.mdns import Mdns, MdnsAnnouncement, MdnsLookout
from netcode.lan.records import SERVICE, records

LOOPBACK = ["127.0.0.1"]
HERE = Address("127.0.0.1", 7777)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "netcode-lan":
            thread.join(DEADLINE)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads do."""
    for _ in as_long_as(lambda: not condition()):
        time.sleep(0.01)


def named(lookout: Lookout, name: str) -> list[Sighting]:
    """Return what was sighted of that name: other programs of this computer may be announced, too."""
    return [sighting for sighting in lookout.sightings.values() if sighting.said.get("name") == name]


def announce(name: str, **said: str) -> MdnsAnnouncement:
    return Mdns(LOOPBACK).announce(name, HERE.host, HERE, {"name": name, **said})


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
    monkeypatch.setattr(mdns._Announcing, "begin", vars)
    announcement = announce("same")
    announcement.tell({"name": "same"})

    asyncio.run(announcement._speaker._renew(None))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # nobody is asked

    assert announcement._speaker._told == ({"name": "same"}, [HERE.host])


def test_after_a_change_the_next_one_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns._Announcing, "begin", vars)
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


def test_a_change_makes_the_descriptor_readable_until_it_is_hushed() -> None:
    name = secrets.token_hex(8)
    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        assert not is_readable(lookout)
        with closing(announce(name)):
            until(lambda: is_readable(lookout))

            lookout.hush()

            assert not is_readable(lookout)


def test_a_thread_that_has_ended_is_no_reason_to_wait_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(listening(monkeypatch)) as lookout:
        assert is_readable(lookout)

        lookout.hush()

        assert lookout.sightings == {}


def is_readable(lookout: Lookout) -> bool:
    import select

    return bool(select.select([lookout.fileno()], [], [], 0)[0])


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


def test_the_end_of_the_program_waits_for_the_goodbye() -> None:
    name = secrets.token_hex(8)
    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        announcement = announce(name)
        until(lambda: bool(named(lookout, name)))

        announcement._speaker._last_words()

        assert not announcement._speaker._thread.is_alive()
        until(lambda: not named(lookout, name))


def test_a_forked_child_forgets_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = list[str]()

    def note(speaker: mdns._Speaker) -> None:
        begun.append(type(speaker).__name__)

    for kind in (mdns._Announcing, mdns._Listening):
        monkeypatch.setattr(kind, "begin", note)
    lookout, announcement = Mdns(LOOPBACK).look_out(), announce("child")

    for thing in (lookout, announcement):
        thing.abandon()

    assert begun == ["_Listening", "_Announcing"]
    assert lookout.fileno() == -1
    lookout._speaker._bell.close()


def test_a_network_that_is_not_there_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mdns, "LOOK", 0.05)
    mine, there = own_interfaces, list[bool]()
    monkeypatch.setattr(mdns, "own_interfaces", lambda: mine() if there else frozenset[Any]())
    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        until(lambda: lookout.error is not None)
        assert lookout.error == "the local network cannot be used: this computer has no network"
        until(lambda: is_readable(lookout))

        there.append(True)

        until(lambda: lookout.error is None)
    until(lambda: "this computer has no network" in caplog.text)


class Networks:
    """The networks that this computer is in, as far as what is tested can see."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mdns, "LOOK", 0.05)
        monkeypatch.setattr(mdns, "own_interfaces", lambda: frozenset(self.mine))
        self.mine: set[Any] = {ipaddress.ip_interface("127.0.0.1/8")}
        self.sessions, self.joined = list[Any](), list[Any]()
        session: Any = vars(mdns)["AsyncZeroconf"]
        update = session.async_update_interfaces

        def begin(*arguments: Any) -> Any:
            self.sessions.append(arguments)
            return session(*arguments)

        async def join(zeroconf: Any, interfaces: Any) -> None:
            self.joined.append(interfaces)
            await update(zeroconf, interfaces)

        monkeypatch.setattr(mdns, "AsyncZeroconf", begin)
        monkeypatch.setattr(session, "async_update_interfaces", join)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Networks:
    return Networks(monkeypatch)


def test_a_network_that_comes_or_goes_takes_nothing_from_what_is_known(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, bridge = secrets.token_hex(8), ipaddress.ip_interface("192.0.2.77/24")
    with closing(Mdns(LOOPBACK).look_out()) as lookout, closing(announce(name)):
        until(lambda: bool(named(lookout, name)))
        shown = list[bool]()
        show = lookout._speaker._show

        def noted(sightings: Mapping[str, Sighting]) -> None:
            show(sightings)
            shown.append(bool(named(lookout, name)))

        monkeypatch.setattr(lookout._speaker, "_show", noted)

        networks.mine.add(bridge)
        until(lambda: len(networks.joined) == 4)  # both ends have seen it, and look once more
        networks.mine.remove(bridge)
        until(lambda: len(networks.joined) == 8)
        late = secrets.token_hex(8)
        with closing(announce(late)):
            until(lambda: bool(named(lookout, late)))

        assert all(shown)
        assert networks.joined == [LOOPBACK] * 8
        assert len(networks.sessions) == 3


def test_whoever_looks_asks_again_in_a_network_that_comes(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    browsers = list[str]()

    real: Any = vars(mdns)["AsyncServiceBrowser"]
    cancel = real.async_cancel

    def ask(*arguments: Any, **options: Any) -> Any:
        browsers.append("asks")
        return real(*arguments, **options)

    async def be_silent(browser: Any) -> None:
        browsers.append("is silent")
        await cancel(browser)

    monkeypatch.setattr(mdns, "AsyncServiceBrowser", ask)
    monkeypatch.setattr(real, "async_cancel", be_silent)
    with closing(Mdns(LOOPBACK).look_out()):
        until(lambda: browsers == ["asks"])

        networks.mine.add(ipaddress.ip_interface("192.0.2.77/24"))

        until(lambda: browsers == ["asks", *["is silent", "asks"] * 2])


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


def test_without_any_network_a_session_ends_and_with_one_the_next_begins(networks: Networks) -> None:
    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        until(lambda: len(networks.sessions) == 1)
        here = networks.mine
        networks.mine = set()
        until(lambda: lookout.error == "the local network cannot be used: this computer has no network")

        networks.mine = here

        until(lambda: len(networks.sessions) == 2 and lookout.error is None)


@pytest.mark.parametrize(
    ("wanted", "mine", "joined"),
    [
        (["192.168.1.7", "10.0.0.1"], None, ["192.168.1.7"]),
        (["fe80::7"], None, ["fe80::7"]),
        (["10.0.0.1"], None, None),
        (None, [], None),
    ],
)
def test_only_networks_that_are_there_are_joined(
    wanted: list[str] | None, mine: list[Any] | None, joined: list[str] | None
) -> None:
    speaker = mdns._Speaker(wanted)
    usual = [ipaddress.ip_interface(text) for text in ("127.0.0.1/8", "192.168.1.7/24", "fe80::7%4/64")]
    here = frozenset(usual if mine is None else mine)

    if joined is None:
        with pytest.raises(OSError, match="no network"):
            speaker._where(here)
    else:
        assert speaker._where(here)[0] == joined


def test_what_breaks_in_the_thread_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*arguments: Any) -> Any:
        raise ValueError("it is broken")

    monkeypatch.setattr(mdns, "AsyncZeroconf", broken)
    with closing(Mdns().look_out()) as lookout:
        until(lambda: lookout.error is not None)

        assert lookout.error == "the local network cannot be used: it is broken"
    until(lambda: "it is broken" in caplog.text)


@pytest.mark.parametrize("kind", ["announce", "look_out"])
def test_a_process_that_may_start_no_more_threads_plays_on(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    thing: Any = announce("x") if kind == "announce" else Mdns(LOOPBACK).look_out()

    assert thing._speaker.error == "the local network cannot be used: can't start new thread"
    thing.close()


def test_a_wake_that_comes_too_late_is_nobodys_loss() -> None:
    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        speaker = lookout._speaker
        loop = asyncio.new_event_loop()
        loop.close()
        until(lambda: speaker._loop is not None)
        kept, speaker._loop = speaker._loop, loop

        speaker.wake()

        speaker._loop = kept


def listening(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what listens, without its thread."""

    def begin(speaker: mdns._Speaker) -> None: ...

    monkeypatch.setattr(mdns._Speaker, "begin", begin)
    monkeypatch.setattr(mdns._Listening, "begin", begin)
    lookout = MdnsLookout(LOOPBACK)
    lookout._speaker._bell.close()
    return lookout


class Info:
    """Stands for what zeroconf knows of a server."""

    port: int | None = 7777
    answers = True
    addresses = ("127.0.0.1",)
    asked = 0
    properties: Mapping[bytes, bytes | None] = {b"name": b"\xff", b"flag": None}
    meanwhile: ClassVar[list[Callable[[], None]]] = []

    def __init__(self, service_type: str, name: str) -> None:
        self.type = service_type

    async def async_request(self, zeroconf: Any, milliseconds: float) -> bool:
        Info.asked += 1
        await asyncio.sleep(0)
        while Info.meanwhile:
            Info.meanwhile.pop()()
        return self.answers

    def parsed_scoped_addresses(self) -> list[str]:
        return [*self.addresses]


@pytest.fixture
def info(monkeypatch: pytest.MonkeyPatch) -> type[Info]:
    class Fresh(Info):
        """Each test may change its own."""

    monkeypatch.setattr(mdns, "AsyncServiceInfo", Fresh)
    monkeypatch.setattr(Info, "asked", 0)
    return Fresh


def hear(lookout: MdnsLookout, *changes: tuple[str, ServiceStateChange]) -> None:
    """Let it hear of changes, and wait for what comes of that."""

    async def play() -> None:
        for name, change in changes:
            lookout._speaker._hear(None, SERVICE, name, change)
        await asyncio.sleep(0.01)
        await lookout._speaker._end_session() if not changes else None

    asyncio.run(play())


ADDED, UPDATED, REMOVED = ServiceStateChange.Added, ServiceStateChange.Updated, ServiceStateChange.Removed


@pytest.mark.parametrize(("what", "value"), [("port", None), ("addresses", ()), ("answers", False)])
def test_who_does_not_say_where_it_is_is_not_shown(
    what: str, value: Any, monkeypatch: pytest.MonkeyPatch, info: type[Info]
) -> None:
    setattr(info, what, value)
    with closing(listening(monkeypatch)) as lookout:
        hear(lookout, ("a", ADDED))

        assert lookout.sightings == {}


def test_who_goes_while_it_is_asked_is_not_shown(monkeypatch: pytest.MonkeyPatch, info: type[Info]) -> None:
    with closing(listening(monkeypatch)) as lookout:
        hear(lookout, ("a", ADDED), ("a", REMOVED), ("b", REMOVED))

        assert lookout.sightings == {}


def test_who_changes_while_it_is_asked_is_asked_again(monkeypatch: pytest.MonkeyPatch, info: type[Info]) -> None:
    with closing(listening(monkeypatch)) as lookout:
        Info.meanwhile.append(lambda: lookout._speaker._hear(None, SERVICE, "a", UPDATED))

        hear(lookout, ("a", ADDED))

        assert Info.asked == 2


def test_a_flood_of_names_that_nobody_can_have_hides_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number:04}{bad}.{SERVICE}" for number in range(MAX_SIGHTINGS) for bad in ("\n", "x" * 60, ".y" * 40)]
    with closing(listening(monkeypatch)) as lookout:
        hear(lookout, *[(name, ADDED) for name in names])

        assert lookout._speaker._tasks == {}


@pytest.mark.parametrize("error", [Error(), OSError(), ValueError()])
def test_who_cannot_be_asked_is_no_more_than_not_shown(
    error: Exception, monkeypatch: pytest.MonkeyPatch, info: type[Info]
) -> None:
    def fail() -> None:
        lookout._speaker._hear(None, SERVICE, "a", UPDATED)
        raise error

    with closing(listening(monkeypatch)) as lookout:
        Info.meanwhile.append(fail)
        hear(lookout, ("a", ADDED))

        assert (lookout._speaker._tasks, lookout._speaker._again) == ({}, set())
        hear(lookout, ("a", ADDED))

        assert [*lookout.sightings] == ["a"]


def test_who_goes_and_comes_back_while_it_is_asked_is_asked_once_more(
    monkeypatch: pytest.MonkeyPatch, info: type[Info]
) -> None:
    with closing(listening(monkeypatch)) as lookout:

        async def play() -> None:
            lookout._speaker._hear(None, SERVICE, "a", ADDED)
            await asyncio.sleep(0)
            for change in (REMOVED, ADDED):
                lookout._speaker._hear(None, SERVICE, "a", change)
            begun = lookout._speaker._tasks["a"]
            await asyncio.sleep(0)
            assert lookout._speaker._tasks == {"a": begun}  # the end of the first has not taken it away
            await begun

        asyncio.run(play())

        assert (lookout._speaker._tasks, [*lookout.sightings]) == ({}, ["a"])


def test_no_more_are_kept_than_fit_however_many_come(monkeypatch: pytest.MonkeyPatch, info: type[Info]) -> None:
    with closing(listening(monkeypatch)) as lookout:
        hear(lookout, *[(str(number), ADDED) for number in range(MAX_SIGHTINGS + 50)])
        assert len(lookout.sightings) == MAX_SIGHTINGS

        hear(lookout, ("0", UPDATED), ("0", REMOVED), ("late", ADDED))

        assert len(lookout.sightings) == MAX_SIGHTINGS
        assert "late" in lookout.sightings


@pytest.mark.parametrize(
    ("answers", "shown"), [([False], True), ([False, False], False), ([False, True, False], True), ([True], True)]
)
def test_who_is_asked_in_vain_twice_in_a_row_is_gone(
    answers: list[bool], shown: bool, monkeypatch: pytest.MonkeyPatch, info: type[Info]
) -> None:
    with closing(listening(monkeypatch)) as lookout:

        async def play() -> None:
            lookout._speaker._hear(None, SERVICE, "a", ADDED)
            await asyncio.sleep(0.01)
            for answer in answers:
                info.answers = answer
                await lookout._speaker._renew(SimpleNamespace(zeroconf=None))
                await lookout._speaker._renew(SimpleNamespace(zeroconf=None))  # once at a time
                await asyncio.sleep(0.01)

        asyncio.run(play())

        assert Info.asked == 1 + len(answers)
        assert ("a" in lookout.sightings, lookout._speaker._silent) == (
            shown,
            {"a": 1} if answers[-1:] == [False] and shown else {},
        )


def test_the_end_of_a_session_forgets_what_was_heard(monkeypatch: pytest.MonkeyPatch, info: type[Info]) -> None:
    with closing(listening(monkeypatch)) as lookout:

        async def play() -> None:
            lookout._speaker._hear(None, SERVICE, "a", ADDED)
            await asyncio.sleep(0.01)
            lookout._speaker._hear(None, SERVICE, "b", ADDED)
            await lookout._speaker._end_session()

        asyncio.run(play())

        assert lookout.sightings == {}


def test_without_ipv6_it_does_with_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_ipv6", False)

    assert mdns._Speaker(None)._where(frozenset([ipaddress.ip_interface("192.168.1.7/24")]))[2] is IPVersion.V4Only
