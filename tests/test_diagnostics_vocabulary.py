"""What others call things leads to what there is."""

import inspect
import re

import pytest

import netcode
from netcode import sync, turns
from netcode.diagnostics import vocabulary
from netcode.diagnostics.mistakes import Hint


def test_what_is_said_of_the_other_one_is_true() -> None:
    takes = {kind.__name__: {*inspect.signature(kind).parameters} for kind in (netcode.Client, netcode.Server)}

    only = {name: takes[name] - takes[other] for name, other in (("Client", "Server"), ("Server", "Client"))}
    assert {name: {*text.split()} for name, text in vocabulary.ONLY.items()} == only


def test_names_lead_to_what_exists_and_stand_for_nothing_that_does() -> None:
    assert {*vocabulary.NAMES.values()} <= {*netcode.__all__}
    assert {*" ".join(vocabulary.NAMES).split()}.isdisjoint(netcode.__all__)


@pytest.mark.parametrize(
    ("kind", "hints"),
    [
        (netcode.Peer, vocabulary.PEER),
        (netcode.Server, vocabulary.SERVER),
        (netcode.Client, vocabulary.CLIENT),
        (netcode.Connection, vocabulary.CONNECTION),
        (turns.Seat, vocabulary.SEAT),
    ],
)
def test_hints_lead_to_what_exists(kind: type, hints: dict[str, str]) -> None:
    names = {
        "peer": netcode.Peer,
        "server": netcode.Server,
        "client": netcode.Client,
        "connection": netcode.Connection,
        "table": turns.Seat,
    }
    for text in hints.values():
        for thing, attribute in re.findall(r"\b(peer|server|client|connection|table)\.(\w+)", text):
            assert hasattr(names[thing], attribute) or attribute in {"address", "id", "data", "reason"}, text
    for name in " ".join(hints).split():
        assert isinstance(inspect.getattr_static(kind, name), Hint), f"{kind.__name__}.{name} exists"


def test_examples_are_of_what_there_is() -> None:
    for name, example in vocabulary.EXAMPLES.items():
        assert example.startswith(f"{name}(")
        *module, called = name.split(".")
        places = [sync] if module == ["sync"] else [netcode, turns]
        assert name == "Overlay" or any(hasattr(place, called) for place in places), name
