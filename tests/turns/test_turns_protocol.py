"""The page of the kit's messages, its vectors, and what the kit reads and writes say the same."""

import json
import re
from inspect import signature
from typing import Any

import msgpack
import pytest
from docs_blocks import code_of
from hypothesis import given
from hypothesis import strategies as st
from programs import ROOT

from netcode.turns import Server, protocol
from netcode.turns.protocol import (
    BadMessage,
    Consent,
    Draw,
    GiveAnswer,
    Join,
    ListGames,
    ListTables,
    MakePlay,
    Say,
    Wish,
    reading,
)
from netcode.turns.serving import games, incoming, outlook

PAGE = (ROOT / "docs" / "turns-protocol.md").read_text(encoding="utf-8")


def as_binary(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["bin"]) if value.keys() == {"bin"} else value


def vectors(*speakers: str) -> list[Any]:
    """Return who says it, the message as the bytes say it, and as the page says it."""
    [block] = code_of("turns-protocol.md", "vectors")
    found: list[Any] = []
    for line in block.splitlines():
        speaker, data, meaning = line.split(" ", 2)
        if speaker in speakers:
            value = msgpack.unpackb(bytes.fromhex(data), strict_map_key=False)
            found.append(pytest.param(speaker, value, json.loads(meaning, object_hook=as_binary), id=meaning[:40]))
    return found


@pytest.mark.parametrize(("speaker", "value", "meaning"), vectors("player", "server"))
def test_what_the_page_shows_is_read_and_written_alike(speaker: str, value: Any, meaning: Any) -> None:
    message = protocol.read_request(value) if speaker == "player" else protocol.read_reply(value)

    assert value == meaning
    written = message.wire()
    if isinstance(message, MakePlay | GiveAnswer) and len(value) < len(written):
        assert written.pop() == 0.0
    assert written == value


@pytest.mark.parametrize(("speaker", "value", "meaning"), vectors("refused"))
def test_what_the_page_refuses_is_refused(speaker: str, value: Any, meaning: Any) -> None:
    with pytest.raises(BadMessage):
        protocol.read_request(value)


def test_every_message_has_its_vector() -> None:
    shown = {parameter.values[1][0] for parameter in vectors("player", "server")}
    page = set(
        re.findall(r"^\| `([a-z]+)` \|", PAGE.split("## Vectors")[0].split("`wanted` is a map")[0], re.MULTILINE)
    )
    page |= set(
        re.findall(
            r"^\| `([a-z]+)` \|", PAGE.split("## What the server says")[1].split("`fields` is a map")[0], re.MULTILINE
        )
    )

    assert shown == page


def test_every_wish_is_on_the_page() -> None:
    assert all(f"| `{wish}` |" in PAGE for wish in protocol.WISHES)
    assert all(f"| `{key}` |" in PAGE for key in protocol.JOIN_KEYS)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (r"values nest (\d+) deep", reading.MAX_DEPTH),
        (r"id of a question\) has (\d+) characters", reading.MAX_WORD),
        (r"a ticket (\d+), a `name`", reading.MAX_TICKET),
        (r"and what is said ([\d,]+),", reading.MAX_TEXT),
        (r"a map of options (\d+) entries", reading.MAX_OPTIONS),
        (r"a code of 1 to (\d+) characters", reading.MAX_ROOM),
        (r"`key` \| (\d+) to 64", reading.MIN_KEY),
        (r"`key` \| 16 to (\d+)", reading.MAX_KEY),
        (r"cut to (\d+) characters", reading.MAX_NAME),
        (r"in one line; (\d+) characters", signature(Server).parameters["chat_length"].default),
        (r"more than (\d+) in a second", signature(Server).parameters["moves_per_second"].default),
        (r"said more than (\d+) time", signature(Server).parameters["chat_per_second"].default),
        (r"but for (\d+) at once", incoming.SAID_AT_ONCE),
        (r"array of maps, (\d+) at most", incoming.SHOWN),
        (r"more than (\d+) values", games.MAX_VALUES),
        (r"Of more than (\d+) plays", outlook.MAX_LISTED),
    ],
)
def test_the_numbers_of_the_page_are_those_of_the_kit(words: str, number: float) -> None:
    [said] = re.findall(words, PAGE)

    assert float(said.replace(",", "")) == number


WRONG: list[tuple[Any, str]] = [
    (None, "an array that begins with a string"),
    ([1, 2], "an array that begins with a string"),
    (["x" * 50], "'" + "x" * 20 + "' with 0 more entries"),
    (["join", "x" * 201, {}], "the game's name is a string of at most 200 characters"),
    (["join", 1, {}], "the game's name is a string"),
    (["join", "Go", []], "what join asks for is a map"),
    (["join", "Go", {1: 2}], "what join asks for is a map with strings as keys"),
    (["join", "Go", {"options": {str(n): n for n in range(33)}}], "options are 33, and at most 32"),
    (["join", "Go", {"players": True}], "a number is an integer from 0"),
    (["join", "Go", {"room": ""}], "room has 1 to 64 characters"),
    (["join", "Go", {"room": "r" * 65}], "room is a string of at most 64 characters"),
    (["join", "Go", {"room": 5}], "room is a string of at most 64 characters"),
    (["join", "Go", {"ticket": b"t"}], "ticket is a string of at most 160 characters"),
    (["join", "Go", {"room": "\ud800"}], "room is no UTF-8"),
    (["join", "Go", {"ticket": "t" * 161}], "ticket is a string of at most 160"),
    (["join", "Go", {"key": "k" * 65}], "key is a string of at most 64"),
    (["join", "Go", {"key": "k" * 15}], "key has 16 to 64"),
    (["join", "Go", {"watch": 1}], "watch and legal are true or false"),
    (["join", "Go", {"name": b"n"}], "name is a string"),
    (["play", 2**53 + 1, "m", {}], "a number is an integer"),
    (["play", 1, "m", {}, True], "lag is seconds"),
    (["play", 1, "m", {}, 1000], "lag is seconds"),
    (["play", 1, "m", {}, float("nan")], "lag is seconds"),
    (["play", 1, "m", {}, 1, 2], "lag is seconds"),
    (["say", "s" * 16_385], "what is said is a string of at most"),
]


@pytest.mark.parametrize(("message", "text"), WRONG)
def test_what_is_not_allowed_is_said_in_a_sentence(message: Any, text: str) -> None:
    with pytest.raises(BadMessage, match=re.escape(text)):
        protocol.read_request(message)


@pytest.mark.parametrize("kind", [list, dict])
def test_values_nest_so_deep_and_no_deeper(kind: type[Any]) -> None:
    value: Any = 1
    for _ in range(protocol.MAX_DEPTH):
        value = [value] if kind is list else {"k": value}

    assert protocol.read_request(["answer", 1, "q", value]) == GiveAnswer(1, "q", value)
    with pytest.raises(BadMessage, match="nest at most 12 deep"):
        protocol.read_request(["answer", 1, "q", [value]])


MISSPOKEN: list[Any] = [
    None,
    ["sat", 1],
    ["step", [1], {}, {}],
    ["step", [[]], {}, {}],
    ["step", [], {"f": "text"}, {}],
    ["step", [], {}, []],
    ["part", 3],
    ["tables", [1]],
    ["refused", "1", "x"],
    ["unknown"],
]


@pytest.mark.parametrize("message", MISSPOKEN)
def test_a_server_that_speaks_otherwise_is_refused(message: Any) -> None:
    with pytest.raises(BadMessage):
        protocol.read_reply(message)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ann", "Ann"),
        ("  a \n b\x1b[2J ", "a b [2J"),
        ("x" * 40, "x" * 32),
        ("\u202eevil", "evil"),
        ("", ""),
        ("ශ්\u200dරී \u200dA", "ශ්\u200dරී A"),
        ("क" * 31 + "\u200dक", "क" * 31),
        ("क\u200d\u202eक", "क क"),
    ],
)
def test_names_are_shown_in_one_line(text: str, shown: str) -> None:
    assert protocol.clean(text) == shown


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=5),
    max_leaves=20,
)
KINDS = ("join", "play", "answer", "undo", "consent", "start", "rematch", "leave", "say", "tables", "games", "draw")


@given(
    st.one_of(anything, st.tuples(st.sampled_from(KINDS), anything, anything).map(list), st.lists(anything, max_size=6))
)
def test_whatever_a_stranger_says_is_read_or_refused(message: Any) -> None:
    try:
        request = protocol.read_request(message)
    except BadMessage:
        return

    assert protocol.read_request(request.wire()) == request


@given(
    st.one_of(
        anything,
        st.tuples(st.sampled_from(("sat", "step", "part", "tables", "games", "drawn")), anything, anything).map(list),
    )
)
def test_whatever_a_server_says_is_read_or_refused(message: Any) -> None:
    try:
        reply = protocol.read_reply(message)
    except BadMessage:
        return

    assert protocol.read_reply(reply.wire()) == reply


def test_what_is_left_out_is_as_it_would_be_anyway() -> None:
    full = Join("Go", "r", 2, {"size": 9}, True, "t", "k" * 16, "Ann", True)

    assert Join("Go").wire() == ["join", "Go", {}]
    assert protocol.read_request(full.wire()) == full
    for request in (Say("x"), Consent(False), Wish("undo"), ListTables(None), ListGames(), Draw("")):
        assert protocol.read_request(request.wire()) == request
