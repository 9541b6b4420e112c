"""What `import netcode` offers: all of it is there, and all of it is explained."""

import ast
import importlib
import inspect
import pkgutil
import random
import re
import tomllib
from collections.abc import Iterator
from enum import EnumMeta
from types import ModuleType
from typing import Any

import msgpack
import pytest
from inside import peer_of
from programs import ROOT

import netcode
import netcode.testing
from netcode.testing import FakeClock

PUBLIC = {
    "netcode": (netcode, netcode.__all__),
    "netcode.sync": (netcode.sync, ("connect", "send", "receive", "close_nicely")),
    "netcode.testing": (netcode.testing, netcode.testing.__all__),
}
"""The modules that users import, and what each offers."""


def members_of(thing: object) -> Iterator[tuple[str, object]]:
    """Yield the public methods and properties of a class; nothing for everything else."""
    if inspect.isclass(thing) and not isinstance(thing, EnumMeta):
        for name, member in inspect.getmembers(thing):
            if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                yield name, member


def public_things() -> Iterator[tuple[str, object]]:
    """Yield what can be explained: each public class, function and module, and what the classes have."""
    for path, (where, names) in PUBLIC.items():
        for name in names:
            thing = getattr(where, name)
            if inspect.isclass(thing) or inspect.isroutine(thing) or inspect.ismodule(thing):
                yield f"{path}.{name}", thing
            yield from ((f"{path}.{name}.{inner}", member) for inner, member in members_of(thing))


@pytest.mark.parametrize(("name", "thing"), [pytest.param(*pair, id=pair[0]) for pair in public_things()])
def test_every_public_name_is_explained(name: str, thing: object) -> None:
    explained = inspect.getdoc(thing)  # a method may inherit it from the contract that it fulfils

    assert explained, f"{name} has no docstring"
    assert not explained.startswith("Alias for field"), f"{name} has the docstring of its tuple"


@pytest.mark.games
def test_no_docstring_points_to_a_file_that_an_installation_lacks() -> None:
    sources = [*(ROOT / "netcode").rglob("*.py")]
    strings = [
        (path.name, node.value)
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]

    pointers = [
        (name, found) for name, text in strings for found in re.findall(r"[\w/-]+\.md\b|(?:docs|tests)/\w+", text)
    ]

    assert len(strings) > 1000
    assert pointers == []


def test_everything_that_is_imported_is_offered() -> None:
    import_lines = re.findall(r"^from netcode.* import (.*)$", inspect.getsource(netcode), re.MULTILINE)

    imported = {name.strip() for line in import_lines for name in line.split(",")}

    assert {*netcode.__all__} == imported


def test_a_copy_that_is_installed_to_be_changed_is_found_by_its_path() -> None:
    """A hook of imports, which is what setuptools installs otherwise, comes after any folder called `netcode`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["tool"]["setuptools"]["package-dir"] == {"": "."}


def test_the_changelog_begins_with_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    newest = re.search(r"^## (\S+?)(?:,|$)", changelog, re.MULTILINE)

    assert newest is not None
    assert newest[1] == netcode.__version__


# What ends in several threads would share.

SHARED = {
    "netcode.diagnostics.log._next_warning": "two threads that warn at once warn twice at worst",
    "netcode.transport.sockets._in_use": "added to and taken from in single steps, which threads cannot divide",
    "netcode.transport.lookup.Lookup._running": "the same",
}
"""What a module keeps that changes, and why that does no harm."""

EXTRAS = {
    "netcode.lan.interfaces",
    "netcode.lan.listening",
    "netcode.lan.mdns",
    "netcode.lan.records",
    "netcode.lan.speaker",
    "netcode.metrics",
    "netcode.pygame",
    "netcode.pygame.event_queue",
    "netcode.pygame.overlay",
}
"""Modules that need an extra, and are imported where they are used."""

STATEFUL = (msgpack.Packer, msgpack.Unpacker, random.Random, bytearray)
CONTAINERS: Any = (list, dict, set)
CLASS: Any = type


def modules() -> list[ModuleType]:
    """Return everything that `netcode` has, without the command lines and the turn kit."""
    names = [info.name for info in pkgutil.walk_packages(netcode.__path__, "netcode.")]
    wanted = [name for name in names if not name.endswith("__main__") and not name.startswith("netcode.turns")]
    return [netcode, *(module for name in wanted if (module := imported(name)) is not None)]


def imported(name: str) -> ModuleType | None:
    """Import a module; None for one whose extra is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if name not in EXTRAS:
            raise
        return None


def kept(where: Any, path: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield what a module has of its own, what its classes have, and what is in both, with where it is."""
    members: dict[str, Any] = {**vars(where)}
    for name, value in members.items():
        here = f"{path}.{name}"
        origin = getattr(value, "__module__", None) or value.__class__.__module__
        if name.startswith("__") or isinstance(value, ModuleType):
            continue
        yield here, getattr(value, "__self__", value)
        ours = str(origin).startswith("netcode") and (origin == path or not isinstance(value, CLASS))
        if ours and depth < 3 and hasattr(value, "__dict__"):
            yield from kept(value, here, depth + 1)


def everything_kept() -> dict[str, Any]:
    """Return all of it, by where it is."""
    return {path: value for module in modules() for path, value in kept(module, module.__name__)}


def test_no_module_keeps_what_threads_must_not_share() -> None:
    """A server and its clients may each have a thread, so a Packer for all of them garbles what they say."""
    found = [path for path, value in everything_kept().items() if isinstance(value, STATEFUL)]

    assert found == []


def test_nothing_that_a_module_keeps_changes_while_a_game_is_played() -> None:
    containers = {path: value for path, value in everything_kept().items() if isinstance(value, CONTAINERS)}
    before = {path: repr(value) for path, value in containers.items()}
    network, clock = netcode.testing.MemoryNetwork(FakeClock()), FakeClock()
    with (
        netcode.Server("server", 7777, network=network, clock=clock) as server,
        netcode.Client("server", 7777, network=network, clock=clock) as client,
    ):
        for _ in range(100):
            client.send({"tiles": {(1, 2): "x"}})
            server.broadcast([b"all"] * 40)
            clock.advance(0.1)
            for end in (server, client):
                end.update()
                end.events()

    assert len(containers) > 20
    assert {path for path, value in containers.items() if repr(value) != before[path]} - SHARED.keys() == set()


SURFACE: dict[type, str] = {
    netcode.Server: "address broadcast close close_nicely events instantiate peers state ticks update wait",
    netcode.Client: "address close close_nicely events id instantiate jitter peer reason rtt send state ticket ticks update wait",
    netcode.Peer: "address alive away close close_nicely data discard_queued id jitter move queued reason rtt send silence stats",
    netcode.Connection: (
        "alive close close_nicely data instantiate ping reason receive receive_all receive_buffer_empty "
        "receive_buffer_length receive_forget receive_part receive_poll receive_poll_part remote_address send "
        "send_buffer_length state timeout update"
    ),
    netcode.ConnectionSet: "accept add close instantiate update",
    netcode.Snapshots: "add at clear newest now",
    netcode.Discovery: "close games instantiate reason update wait",
}
"""What `help()` and completion show of the classes that a game holds in its hands: the contract, and nothing else."""


def an_instance(kind: type) -> Iterator[object]:
    """Yield one of `kind`: what it has is more than what its class has."""
    network, clock = netcode.testing.MemoryNetwork(FakeClock()), FakeClock()
    with (
        netcode.Server("server", 7777, network=network, clock=clock) as server,
        netcode.Client("server", 7777, network=network, clock=clock) as client,
    ):
        everybody: netcode.ConnectionSet[None] = netcode.ConnectionSet(clock=clock)
        discovery = netcode.discover(network=network)
        things = (server, client, peer_of(client), netcode.custom(), everybody, discovery, netcode.Snapshots[int](20))
        yield next(thing for thing in things if type(thing) is kind)
        everybody.close()


@pytest.mark.parametrize("kind", SURFACE, ids=lambda kind: kind.__name__)
def test_what_a_user_sees_is_the_contract_and_nothing_else(kind: type) -> None:
    for thing in an_instance(kind):
        assert [name for name in dir(thing) if not name.startswith("_")] == SURFACE[kind].split()
