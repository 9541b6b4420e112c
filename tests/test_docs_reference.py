"""The reference has every public name, and names what its calls raise: whoever can import it can look it up."""

import ast
import inspect
import re
from typing import Any

import pytest
from docs_blocks import documents
from programs import ROOT

import netcode
from netcode import turns
from netcode.testing import FakeClock, MemoryNetwork

REFERENCE = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))

MODULES = ("__init__", "turns/__init__", "testing/__init__", "pygame/__init__", "metrics", "agones")


def names_of(module: str) -> list[str]:
    """Return what a module offers, without importing it: some need an extra."""
    tree = ast.parse((ROOT / "netcode" / f"{module}.py").read_text(encoding="utf-8"))
    [offered] = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    names: list[str] = ast.literal_eval(offered)
    return names


@pytest.mark.parametrize("module", MODULES)
def test_each_public_name_is_in_the_reference(module: str) -> None:
    path = ".".join(["netcode", *module.removesuffix("__init__").split("/")]).rstrip(".")
    is_whole = re.search(rf"automodule:: {re.escape(path)}$", REFERENCE, re.MULTILINE) is not None

    missing = [
        name
        for name in names_of(module)
        if not is_whole and not re.search(rf"\b{re.escape(path)}\.{name}\b", REFERENCE)
    ]

    assert missing == []


@pytest.fixture(scope="module")
def ends() -> dict[str, Any]:
    """Return one of each thing that has calls, by the word that the calls below use for it."""
    clock = FakeClock()
    network = MemoryNetwork(clock)
    server = netcode.Server("here", 7777, network=network, clock=clock)
    client = netcode.Client("here", 7777, network=network, clock=clock)
    return {
        "server": server,
        "client": client,
        "discovery": netcode.discover(network=network),
        "connection": netcode.connect("here", 7777, network=network, clock=clock),
        "table": turns.join(("here", 7777), "Any", network=network, clock=clock),
        "network": network,
        "netcode": netcode,
    }


@pytest.mark.parametrize("wrong", ["x", float("nan"), -1, object()])
@pytest.mark.parametrize(
    "call",
    [
        *("server.wait", "client.wait", "discovery.wait", "table.wait", "connection.close_nicely", "server.ticks"),
        *("client.close_nicely", "client.send", "server.broadcast", "connection.send", "connection.receive"),
        *("table.consent", "table.say", "table.answer", "table.play"),
        *("netcode.Refusal", "netcode.Elsewhere", "netcode.Snapshots", "netcode.any_of", "netcode.Certificate"),
        *("netcode.discover", "netcode.CustomWaiter"),
    ],
)
def test_what_a_call_raises_is_in_its_docstring(ends: dict[str, Any], call: str, wrong: object) -> None:
    of, name = call.split(".")
    asked = getattr(ends[of], name)
    named = {*re.findall(r"\b[A-Z]\w+\b", inspect.getdoc(asked) or "")}
    unnamed: list[Exception] = []
    try:
        asked(wrong)
    except Exception as error:  # noqa: BLE001 - whatever it is
        unnamed += [error] if named.isdisjoint(kind.__name__ for kind in type(error).__mro__) else []

    assert unnamed == []


THINGS = re.compile(
    r"\b(server|client|peer|table|discovery|connection|snapshots|network|clock)\.(?!py\b|exe\b)([a-z_]\w*)"
)
ELSEWHERE = {"calls.md", "browser-clients.md"}
"""Pages of names that do not exist, and of another language."""


def test_what_pages_say_of_things_in_passing_is_there(ends: dict[str, Any]) -> None:
    kinds = {"peer": netcode.Peer, "table": turns.Seat, "snapshots": netcode.Snapshots, "clock": FakeClock}
    there = {thing: {*dir(kind)} for thing, kind in {**ends, **kinds}.items()}
    there["server"] |= {*dir(turns.Server)}
    there["clock"] |= {"tick"}  # of pygame's
    pages = [page for page in documents() if page.name not in ELSEWHERE]
    inline = [
        re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL) for page in pages
    ]
    said = {match for text in inline for code in re.findall(r"`([^`\n]+)`", text) for match in THINGS.findall(code)}

    assert len(said) > 50
    assert {f"{thing}.{name}" for thing, name in said if name not in there[thing]} == set()
