"""Real zeroconf over the loopback interface alone, and the thread that it lives in."""

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bounds import as_long_as
from programs import DEADLINE

from netcode.address import Address
from netcode.lan import Lookout, Sighting

pytest.importorskip("zeroconf")


from netcode.lan import listening, speaker
from netcode.lan.mdns import Mdns, MdnsAnnouncement, MdnsLookout

LOOPBACK = ["127.0.0.1"]
HERE = Address("127.0.0.1", 7777)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads do."""
    for _ in as_long_as(lambda: not condition()):
        time.sleep(0.01)


def named(lookout: Lookout, name: str) -> list[Sighting]:
    """Return what was sighted of that name: other programs of this computer may be announced, too."""
    return [sighting for sighting in lookout.sightings.values() if sighting.said.get("name") == name]


def announce(name: str, **said: str) -> MdnsAnnouncement:
    return Mdns(LOOPBACK).announce(name, HERE.host, HERE, {"name": name, **said})


def is_readable(lookout: Lookout) -> bool:
    import select

    return bool(select.select([lookout.fileno()], [], [], 0)[0])


class Networks:
    """The networks that this computer is in, as far as what is tested can see."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(speaker, "LOOK", 0.05)
        monkeypatch.setattr(speaker, "own_interfaces", self._own)
        self.mine: set[Any] = {ipaddress.ip_interface("127.0.0.1/8")}
        self.trouble: OSError | None = None
        """Why nobody is told of them; None while that is not so."""
        self.sessions, self.joined = list[Any](), list[Any]()
        session: Any = vars(speaker)["AsyncZeroconf"]
        update = session.async_update_interfaces

        def begin(*arguments: Any) -> Any:
            self.sessions.append(arguments)
            return session(*arguments)

        async def join(zeroconf: Any, interfaces: Any) -> None:
            self.joined.append(interfaces)
            await update(zeroconf, interfaces)

        monkeypatch.setattr(speaker, "AsyncZeroconf", begin)
        monkeypatch.setattr(session, "async_update_interfaces", join)

    def _own(self) -> frozenset[Any]:
        if self.trouble is not None:
            raise self.trouble
        return frozenset(self.mine)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Networks:
    return Networks(monkeypatch)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "netcode-lan":
            thread.join(DEADLINE)


def without_thread(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what listens, without its thread."""

    def begin(speaker: speaker.Speaker) -> None: ...

    monkeypatch.setattr(speaker.Speaker, "begin", begin)
    monkeypatch.setattr(listening.Listening, "begin", begin)
    lookout = MdnsLookout(LOOPBACK)
    lookout._speaker._bell.close()
    return lookout
