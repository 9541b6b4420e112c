"""The thread in which zeroconf speaks: its networks, its troubles, its end."""

import asyncio
import errno
import ipaddress
import secrets
import socket
import threading
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import lan_thread
import pytest
from lan_thread import LOOPBACK, Networks, announce, named, until
from programs import DEADLINE

from netcode.lan import Sighting

pytest.importorskip("zeroconf")

from zeroconf import IPVersion

from netcode.lan import speaker
from netcode.lan.mdns import Mdns

networks, no_thread_is_left = lan_thread.networks, lan_thread.no_thread_is_left


def test_the_end_of_the_program_waits_for_the_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker, "LAST_WORDS", DEADLINE)  # else a busy machine takes longer to say it than it may
    name = secrets.token_hex(8)
    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        announcement = announce(name)
        until(lambda: bool(named(lookout, name)))

        announcement._speaker._last_words()

        assert not announcement._speaker._thread.is_alive()
        until(lambda: not named(lookout, name))


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


def test_without_any_network_a_session_ends_and_with_one_the_next_begins(networks: Networks) -> None:
    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        until(lambda: len(networks.sessions) == 1)
        here = networks.mine
        networks.mine = set()
        until(lambda: lookout.error == "the local network cannot be used: this computer has no network")

        networks.mine = here

        until(lambda: len(networks.sessions) == 2 and lookout.error is None)


def test_addresses_that_cannot_be_asked_for_a_while_are_taken_to_be_as_they_were(networks: Networks) -> None:
    name, late = secrets.token_hex(8), secrets.token_hex(8)
    with closing(Mdns(LOOPBACK).look_out()) as lookout, closing(announce(name)) as announcement:
        until(lambda: bool(named(lookout, name)))
        networks.trouble = OSError(errno.EMFILE, "Too many open files")
        announcement.tell({"name": name, "players": "1"})

        with closing(announce(late)):
            until(lambda: named(lookout, name)[0].said.get("players") == "1")
            networks.trouble = None
            until(lambda: bool(named(lookout, late)))

        assert announcement._speaker.error is None
        assert len(networks.sessions) == 3


def test_a_thread_that_begins_without_descriptors_begins_once_there_are_some(
    networks: Networks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    name, free = secrets.token_hex(8), list[bool]()
    make = asyncio.new_event_loop

    def loop() -> asyncio.AbstractEventLoop:
        if not free:
            raise OSError(errno.EMFILE, "Too many open files")
        return make()

    monkeypatch.setattr(asyncio.events, "new_event_loop", loop)
    with closing(Mdns(LOOPBACK).look_out()) as lookout, closing(announce(name)):
        until(lambda: lookout.error is not None)
        assert lookout.error == "the local network cannot be used: [Errno 24] Too many open files"

        free.append(True)

        until(lambda: bool(named(lookout, name)))
        assert lookout.error is None
    until(lambda: "Too many open files" in caplog.text)


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
    where = speaker.Speaker(wanted)._where
    usual = [ipaddress.ip_interface(text) for text in ("127.0.0.1/8", "192.168.1.7/24", "fe80::7%4/64")]
    here = frozenset(usual if mine is None else mine)

    if joined is None:
        with pytest.raises(OSError, match="no network"):
            where(here)
    else:
        assert where(here)[0] == joined


def test_what_breaks_in_the_thread_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*arguments: Any) -> Any:
        raise ValueError("it is broken")

    monkeypatch.setattr(speaker, "AsyncZeroconf", broken)
    with closing(Mdns().look_out()) as lookout:
        until(lambda: lookout.error is not None)

        assert lookout.error == "the local network cannot be used: it is broken"
    until(lambda: "it is broken" in caplog.text)


def test_a_wake_that_comes_too_late_is_nobodys_loss() -> None:
    with closing(Mdns(LOOPBACK).look_out()) as lookout:
        speaker = lookout._speaker
        loop = asyncio.new_event_loop()
        loop.close()
        until(lambda: speaker._loop is not None)
        kept, speaker._loop = speaker._loop, loop

        speaker.wake()

        speaker._loop = kept


def test_without_ipv6_it_does_with_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_ipv6", False)

    assert speaker.Speaker(None)._where(frozenset([ipaddress.ip_interface("192.168.1.7/24")]))[2] is IPVersion.V4Only


def test_a_thread_that_is_forgotten_is_woken_by_nobody() -> None:
    forked = speaker.Speaker(LOOPBACK)

    forked.abandon()
    forked.wake()

    assert forked._is_over


def refuse(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_a_process_that_may_start_no_more_threads_plays_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", refuse)

    announcement = announce("x")

    assert announcement._speaker.error == "the local network cannot be used: can't start new thread"
    announcement.close()
