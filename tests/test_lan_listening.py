"""Who is announced on the local network: heard, asked, shown, and forgotten."""

import asyncio
import ipaddress
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from types import SimpleNamespace
from typing import Any, ClassVar

import lan_thread
import pytest
from bounds import as_long_as
from lan_thread import LOOPBACK, Networks, is_readable, until, without_thread

from netcode.lan import MAX_SIGHTINGS

pytest.importorskip("zeroconf")

from zeroconf import Error, ServiceStateChange
from zeroconf.asyncio import AsyncZeroconf

from netcode.lan import listening, speaker
from netcode.lan.interfaces import own_interfaces
from netcode.lan.mdns import Mdns, MdnsLookout
from netcode.lan.records import SERVICE

networks, no_thread_is_left = lan_thread.networks, lan_thread.no_thread_is_left


class Info:
    """Stands for what zeroconf knows of a server."""

    port: int | None = 7777
    answers = True
    said = False
    silent: ClassVar[set[str]] = set()
    addresses = ("127.0.0.1",)
    asked = 0
    properties: Mapping[bytes, bytes | None] = {b"name": b"\xff", b"flag": None}
    meanwhile: ClassVar[list[Callable[[], None]]] = []

    def __init__(self, service_type: str, name: str) -> None:
        self.type, self.name = service_type, name

    def load_from_cache(self, zeroconf: Any) -> bool:
        return self.said

    async def async_request(self, zeroconf: Any, milliseconds: float) -> bool:
        Info.asked += 1
        await asyncio.sleep(0.03 if self.name in self.silent else 0)
        while Info.meanwhile:
            Info.meanwhile.pop()()
        return self.answers and self.name not in self.silent

    def parsed_scoped_addresses(self) -> list[str]:
        return [*self.addresses]


@pytest.fixture
def info(monkeypatch: pytest.MonkeyPatch) -> type[Info]:
    class Fresh(Info):
        """Each test may change its own."""

    monkeypatch.setattr(listening, "AsyncServiceInfo", Fresh)
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


def test_a_network_that_is_not_there_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(speaker, "LOOK", 0.05)
    mine, there = own_interfaces, list[bool]()
    monkeypatch.setattr(speaker, "own_interfaces", lambda: mine() if there else frozenset[Any]())
    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        until(lambda: lookout.error is not None)
        assert lookout.error == "the local network cannot be used: this computer has no network"
        until(lambda: is_readable(lookout))

        there.append(True)

        until(lambda: lookout.error is None)
    until(lambda: "this computer has no network" in caplog.text)


def test_whoever_looks_asks_again_in_a_network_that_comes(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    browsers = list[str]()

    real: Any = vars(listening)["AsyncServiceBrowser"]
    cancel = real.async_cancel

    def ask(*arguments: Any, **options: Any) -> Any:
        browsers.append("asks")
        return real(*arguments, **options)

    async def be_silent(browser: Any) -> None:
        browsers.append("is silent")
        await cancel(browser)

    monkeypatch.setattr(listening, "AsyncServiceBrowser", ask)
    monkeypatch.setattr(real, "async_cancel", be_silent)
    with closing(Mdns(LOOPBACK).look_out()):
        until(lambda: browsers == ["asks"])

        networks.mine.add(ipaddress.ip_interface("192.0.2.77/24"))

        until(lambda: browsers == ["asks", *["is silent", "asks"] * 2])


@pytest.mark.parametrize(("what", "value"), [("port", None), ("addresses", ()), ("answers", False)])
def test_who_does_not_say_where_it_is_is_not_shown(
    what: str, value: Any, monkeypatch: pytest.MonkeyPatch, info: type[Info]
) -> None:
    setattr(info, what, value)
    with closing(without_thread(monkeypatch)) as lookout:
        hear(lookout, ("a", ADDED))

        assert lookout.sightings == {}


def test_who_goes_while_it_is_asked_is_not_shown(monkeypatch: pytest.MonkeyPatch, info: type[Info]) -> None:
    with closing(without_thread(monkeypatch)) as lookout:
        hear(lookout, ("a", ADDED), ("a", REMOVED), ("b", REMOVED))

        assert lookout.sightings == {}


def test_who_changes_while_it_is_asked_is_asked_again(monkeypatch: pytest.MonkeyPatch, info: type[Info]) -> None:
    with closing(without_thread(monkeypatch)) as lookout:
        Info.meanwhile.append(lambda: lookout._speaker._hear(None, SERVICE, "a", UPDATED))

        hear(lookout, ("a", ADDED))

        assert Info.asked == 2


def test_a_flood_of_names_that_nobody_can_have_hides_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number:04}{bad}.{SERVICE}" for number in range(MAX_SIGHTINGS) for bad in ("\n", "x" * 60, ".y" * 40)]
    with closing(without_thread(monkeypatch)) as lookout:
        hear(lookout, *[(name, ADDED) for name in names])

        assert lookout._speaker._tasks == {}


@pytest.mark.parametrize("error", [Error(), OSError(), ValueError()])
def test_who_cannot_be_asked_is_no_more_than_not_shown(
    error: Exception, monkeypatch: pytest.MonkeyPatch, info: type[Info]
) -> None:
    def fail() -> None:
        lookout._speaker._hear(None, SERVICE, "a", UPDATED)
        raise error

    with closing(without_thread(monkeypatch)) as lookout:
        Info.meanwhile.append(fail)
        hear(lookout, ("a", ADDED))

        assert (lookout._speaker._tasks, lookout._speaker._again) == ({}, set())
        hear(lookout, ("a", ADDED))

        assert [*lookout.sightings] == ["a"]


def test_who_goes_and_comes_back_while_it_is_asked_is_asked_once_more(
    monkeypatch: pytest.MonkeyPatch, info: type[Info]
) -> None:
    with closing(without_thread(monkeypatch)) as lookout:

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
    with closing(without_thread(monkeypatch)) as lookout:
        hear(lookout, *[(str(number), ADDED) for number in range(MAX_SIGHTINGS + 50)])
        assert len(lookout.sightings) == MAX_SIGHTINGS

        hear(lookout, ("0", UPDATED), ("0", REMOVED), ("late", ADDED))

        hear(lookout, ("too late", ADDED))

        assert len(lookout.sightings) == MAX_SIGHTINGS
        assert ("late" in lookout.sightings, "too late" in lookout.sightings) == (True, False)


@pytest.mark.parametrize(
    ("answers", "shown"), [([False], True), ([False, False], False), ([False, True, False], True), ([True], True)]
)
def test_who_is_asked_in_vain_twice_in_a_row_is_gone(
    answers: list[bool], shown: bool, monkeypatch: pytest.MonkeyPatch, info: type[Info]
) -> None:
    with closing(without_thread(monkeypatch)) as lookout:

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
    with closing(without_thread(monkeypatch)) as lookout:

        async def play() -> None:
            lookout._speaker._hear(None, SERVICE, "a", ADDED)
            await asyncio.sleep(0.01)
            lookout._speaker._hear(None, SERVICE, "b", ADDED)
            await lookout._speaker._end_session()

        asyncio.run(play())

        assert lookout.sightings == {}


def refuse(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_who_listens_where_no_more_threads_may_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", refuse)

    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        assert lookout.error == "the local network cannot be used: can't start new thread"
        assert is_readable(lookout)


SILENT = [f"silent {number}" for number in range(MAX_SIGHTINGS)]


def test_who_says_all_with_its_name_is_shown_however_many_are_asked_in_vain(
    monkeypatch: pytest.MonkeyPatch, info: type[Info]
) -> None:
    info.silent = {*SILENT}
    with closing(without_thread(monkeypatch)) as lookout:

        async def play() -> None:
            for name in SILENT:
                lookout._speaker._hear(None, SERVICE, name, ADDED)
            info.said = True
            lookout._speaker._hear(None, SERVICE, "server", ADDED)

        asyncio.run(play())

        assert [*lookout.sightings] == ["server"]


def test_who_comes_while_many_are_asked_in_vain_is_asked_once_those_are_given_up(
    monkeypatch: pytest.MonkeyPatch, info: type[Info]
) -> None:
    info.silent = {*SILENT}
    with closing(without_thread(monkeypatch)) as lookout:

        async def play() -> None:
            late = [f"late {number}" for number in range(MAX_SIGHTINGS + 1)]  # one more than can wait
            for name in (*SILENT, *late):
                lookout._speaker._hear(None, SERVICE, name, ADDED)
            lookout._speaker._hear(None, SERVICE, late[1], REMOVED)
            for _ in as_long_as(lambda: lookout._speaker._tasks):
                await asyncio.sleep(0.01)
            assert {*lookout.sightings} == {*late[2:]}

        asyncio.run(play())

        assert (lookout._speaker._tasks, lookout._speaker._waiting) == ({}, {})


def test_the_end_of_a_session_asks_nobody_who_waited(monkeypatch: pytest.MonkeyPatch, info: type[Info]) -> None:
    info.silent = {*SILENT}
    with closing(without_thread(monkeypatch)) as lookout:

        async def play() -> None:
            for name in (*SILENT, "late"):
                lookout._speaker._hear(None, SERVICE, name, ADDED)
            await asyncio.sleep(0)
            await lookout._speaker._end_session()
            await asyncio.sleep(0.1)

        asyncio.run(play())

        assert (lookout.sightings, lookout._speaker._tasks) == ({}, {})


def test_who_stops_at_once_leaves_no_question_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(without_thread(monkeypatch)) as lookout:

        async def play() -> Any:
            zeroconf = AsyncZeroconf(interfaces=LOOPBACK)
            await lookout._speaker._begin_session(zeroconf)
            browser = lookout._speaker._browser
            await lookout._speaker._end_session()
            await zeroconf.async_close()
            return browser

        assert asyncio.run(play()).done
