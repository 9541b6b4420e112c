"""Tests of what the two ends of Broadside say to each other."""

from collections.abc import Callable
from typing import cast

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_game.messages import (
    Again,
    Anew,
    BadMessageError,
    Enter,
    Fire,
    Fired,
    Missing,
    News,
    Order,
    Over,
    Paired,
    Place,
    Placed,
    Refused,
    Returned,
    Silent,
    Turn,
    Waiting,
    Yours,
    plain_text,
    read_news,
    read_order,
    write,
)
from demo_game.rules import Cell, Ship, Shot

SHIP = Ship(2, Cell(3, 4), upright=True)
ORDERS: list[Order] = [Enter("Anne"), Enter("Bob", watching=True), Place((SHIP,)), Fire(Cell(9, 0)), Again()]
NEWS: list[News] = [
    Waiting(),
    Paired(3, ("Anne", "Bob"), 0),
    Paired(3, ("Anne", "Bob"), None),
    Anew(),
    Yours((SHIP,)),
    Placed(1),
    Turn(0),
    Fired(0, Shot(Cell(1, 2), hit=False)),
    Fired(1, Shot(Cell(1, 2), hit=True, sunk=SHIP)),
    Over(0, "Anne has sunk everything", ((SHIP,), ())),
    Silent(1, 4, 10),
    Missing(0),
    Returned(0),
    Refused("not your turn"),
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**40) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text() | st.integers(), inner, max_size=6),
    max_leaves=20,
)


def over_the_wire(message: dict[str, object]) -> object:
    return cast("object", msgpack.unpackb(msgpack.packb(message)))


@pytest.mark.parametrize("order", ORDERS, ids=repr)
def test_an_order_arrives_as_it_was_given(order: Order) -> None:
    assert read_order(over_the_wire(write(order))) == order


@pytest.mark.parametrize("news", NEWS, ids=repr)
def test_news_arrive_as_they_were_told(news: News) -> None:
    assert read_news(over_the_wire(write(news))) == news


def test_the_wire_is_a_map_with_its_kind() -> None:
    assert over_the_wire(write(Fire(Cell(2, 6)))) == {"kind": "fire", "cell": [2, 6]}


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (None, "a map was expected"),
        ([], "a map was expected"),
        ({}, "it is of no known kind"),
        ({"kind": 7}, "it is of no known kind"),
        ({"kind": "sink"}, "it is of no known kind"),
        ({"kind": "waiting"}, "it is of no known kind"),
        ({"kind": "again", "now": True}, "again has other fields than that"),
        ({"kind": "fire"}, "fire has other fields than that"),
        ({"kind": "fire", "cell": 3}, "a list was expected"),
        ({"kind": "fire", "cell": [1]}, "a list of 2 was expected"),
        ({"kind": "fire", "cell": [1, 2, 3]}, "a list of at most 2 was expected"),
        ({"kind": "fire", "cell": [1, 10]}, "a number from 0 to 9 was expected"),
        ({"kind": "fire", "cell": [1, True]}, "a number from 0 to 9 was expected"),
        ({"kind": "fire", "cell": [1, 2.0]}, "a number from 0 to 9 was expected"),
        ({"kind": "enter", "name": b"x", "watching": False}, "text was expected"),
        ({"kind": "enter", "name": "x", "watching": 1}, "true or false was expected"),
        ({"kind": "place", "fleet": [[2, [0, 0], True]] * 6}, "a list of at most 5 was expected"),
        ({"kind": "place", "fleet": [[99, [0, 0], True]]}, "a number from 2 to 5 was expected"),
    ],
    ids=repr,
)
def test_what_is_not_an_order_is_refused_and_not_repeated(message: object, why: str) -> None:
    with pytest.raises(BadMessageError) as refusal:
        read_order(message)

    assert str(refusal.value) == why


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "enter", "name": "Anne", "watching": False},
        {"kind": "turn", "seat": 2},
        {"kind": "paired", "number": 1, "names": ["Anne"], "seat": 0},
        {"kind": "paired", "number": 0, "names": ["Anne", "Bob"], "seat": 0},
    ],
    ids=repr,
)
def test_what_is_not_news_is_refused(message: object) -> None:
    with pytest.raises(BadMessageError):
        read_news(message)


@given(anything, st.sampled_from([read_order, read_news]))
def test_whatever_comes_is_read_or_refused(message: object, read: Callable[[object], object]) -> None:
    with pytest.raises(BadMessageError):
        read(message)


@given(st.sampled_from(["enter", "place", "fire", "again"]), st.dictionaries(st.text(), anything, max_size=3))
def test_an_order_with_wild_fields_is_read_or_refused(kind: str, fields: dict[str, object]) -> None:
    try:
        order = read_order({**fields, "kind": kind})
    except BadMessageError:
        return

    assert read_order(over_the_wire(write(order))) == order


def test_a_name_is_cut_and_cleaned() -> None:
    message = {"kind": "enter", "name": "\x1b[2J  Ed\nward Teach the Terrible", "watching": False}

    assert read_order(message) == Enter("[2J  Ed ward Te")


@given(st.text())
def test_plain_text_is_printable_and_short(text: str) -> None:
    plain = plain_text(text, 16)

    assert plain.isprintable()
    assert len(plain) <= 16
