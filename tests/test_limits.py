"""The bounds and times of a link: checked when they are given, and named in what is raised."""

import inspect
import math
import re
from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from programs import ROOT
from scene import Scene

from netcode import Client, ReasonCode, Server, State, errors, turns
from netcode.limits import LimitOptions, Limits, check_name, check_number, check_rate, check_seconds, make_limits
from netcode.wire.codec import Bounds

NAMES = [field.name for field in fields(Limits)]


def test_type_checkers_know_every_limit() -> None:
    types = {field.name: field.type for field in fields(Limits)}

    assert get_type_hints(LimitOptions) == types


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0, ValueError, "{} must be above 0 and finite, not 0"),
        (-1, ValueError, "{} must be above 0 and finite, not -1"),
        (True, TypeError, "{} must be a.* not bool"),
        ("10", TypeError, "{} must be a.* not str"),
        (None, TypeError, "{} must be a.* not NoneType"),
    ],
)
def test_what_cannot_be_a_limit_is_refused_by_name(name: str, value: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text.format(name)):
        Limits(**{name: value})


@pytest.mark.parametrize("name", [field.name for field in fields(Limits) if field.type is int])
def test_what_is_counted_is_whole(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} must be an int, not float"):
        Limits(**{name: 1e6})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [field.name for field in fields(Limits) if field.type is float])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_a_time_is_finite(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be above 0 and finite, not {value}"):
        make_limits({name: value})  # type: ignore[misc]
    with pytest.raises(ValueError, match=f"{name} must be above 0 and finite, not {value}"):
        Limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [field.name for field in fields(Limits) if field.type is float])
@pytest.mark.parametrize("value", [1e9, 2**64, 1e308])
def test_a_time_is_one_that_can_travel(name: str, value: float) -> None:
    with pytest.raises(
        ValueError, match=re.escape(f"{name} must be below 1000000000 seconds, which are 31 years, not")
    ):
        Limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [field.name for field in fields(Limits) if field.type is int])
def test_a_count_is_one_that_can_travel(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at most 18446744073709551615, .* not 18446744073709551616"):
        Limits(**{name: 2**64})


def test_the_longest_times_and_the_largest_counts_keep_a_link_up() -> None:
    longest = {field.name: 999_999_999.0 for field in fields(Limits) if field.type is float}
    largest = {field.name: 2**64 - 1 for field in fields(Limits) if field.type is int}
    limits: Any = {**longest, **largest, "max_message": 2**31 - 1, "ping_interval": 999_999_998.0}
    counts: Any = {"max_peers": 2**64 - 1, "max_peers_per_address": 2**64 - 1, "max_pending": 2**64 - 1}
    scene = Scene()
    server = scene.serve(**limits, **counts, grace=999_999_999.0)
    client = scene.join(**limits, patience=999_999_999.0)

    client.send("x")
    scene.play(1.0)

    assert scene.heard(server) == ["x"]
    assert client.state is State.CONNECTED
    scene.close()


@pytest.mark.parametrize("size", [4095, 2**31])
def test_the_largest_message_has_bounds_of_its_own(size: int) -> None:
    with pytest.raises(ValueError, match=f"max_message must be from 4096 to 2147483647, not {size}"):
        Limits(max_message=size)

    assert Limits(max_message=2**31 - 1).max_message == 2**31 - 1


def test_pings_are_sent_more_often_than_silence_ends_a_link() -> None:
    with pytest.raises(ValueError, match=r"ping_interval \(1.0\) must be below timeout \(0.5\)"):
        Limits(timeout=0.5)


def test_there_is_always_room_for_one_largest_message() -> None:
    limits = Limits(max_message=2_000_000, max_queue=1, max_resend=2_500_000)

    assert (limits.max_queue, limits.max_resend) == (2_008_192, 2_500_000)


def test_a_message_of_a_server_has_room_for_an_envelope() -> None:
    limits = Limits(max_message=5_000)

    assert (limits.of_clients, limits.of_servers) == (Bounds(5_000, 32), Bounds(9_096, 40))


def test_known_arguments_make_the_limits() -> None:
    assert make_limits({"timeout": 5.0}) == Limits(timeout=5.0)
    assert make_limits({}) == Limits()


@pytest.mark.parametrize(
    ("options", "interval"),
    [
        ({"timeout": 1.0}, 0.25),
        ({"timeout": 2}, 0.5),
        ({"timeout": 0.1}, 0.025),
        ({"timeout": 4.0}, 1.0),
        ({"timeout": 60.0}, 1.0),
        ({"timeout": 1.0, "ping_interval": 0.9}, 0.9),
        ({}, 1.0),
    ],
)
def test_pings_are_as_frequent_as_the_timeout_needs_them(options: Any, interval: float) -> None:
    assert make_limits(options).ping_interval == interval


@pytest.mark.parametrize("timeout", [0, -1.0, math.nan, math.inf, "1", True, None])
def test_a_timeout_that_is_none_is_named_and_not_the_interval(timeout: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="timeout must be "):
        make_limits({"timeout": timeout})


def test_zero_is_a_number_where_it_has_a_meaning() -> None:
    check_number("grace", 0, zero=True)
    check_seconds("grace", 0, zero=True)
    check_number("max_peers", 1, whole=True)

    with pytest.raises(ValueError, match="grace must be 0 or more and finite, not -1"):
        check_number("grace", -1, zero=True)


def test_a_rate_is_ticks_a_second_and_not_the_seconds_of_one() -> None:
    check_rate(0.2, "ticks")

    with pytest.raises(ValueError, match=r"above 0\.1, not 0\.1: ticks of 0\.1 s are ticks\(10\)"):
        check_rate(0.1, "ticks")


def test_a_name_is_a_short_string() -> None:
    assert check_name("game", "") == ""
    assert check_name("game", "ä" * 64) == "ä" * 64

    with pytest.raises(TypeError, match="version must be a str, not int"):
        check_name("version", 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="game must have at most 64 characters, not 65"):
        check_name("game", "x" * 65)
    with pytest.raises(
        ValueError, match=r"game must be text that can be sent, and half a character cannot: 'a\\udc80'"
    ):
        check_name("game", "a\udc80")


# The page.

PAGE = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]


def test_the_page_lists_every_limit_with_its_default() -> None:
    listed = {name.strip("`"): (default, end) for name, default, _, end, _, _ in ROWS}

    of_both = {field.name: (str(field.default), "both") for field in fields(Limits)}
    of_server = {
        name: (str(parameter.default), "server")
        for name, parameter in inspect.signature(Server).parameters.items()
        if isinstance(parameter.default, int | float)
    }
    of_tables = {
        name: (str(parameter.default), "tables")
        for name, parameter in inspect.signature(turns.Server).parameters.items()
        if isinstance(parameter.default, int | float) and name not in {"port", "on_thread"}
    }
    assert listed == {**of_both, **of_server, **of_tables}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_page_says_what_happens_in_words_that_exist(row: list[str]) -> None:
    _, default, unit, _, at_the_limit, why = row

    named = re.findall(r"`([A-Z]\w+)`", at_the_limit)

    assert all(hasattr(errors, name) or name == "Left" or name in ReasonCode.__members__ for name in named)
    assert ("." in default) == unit.endswith(("seconds", "a second"))
    assert why


@pytest.mark.parametrize("end", [Client, Server])
def test_the_docstrings_name_every_limit(end: type[Client | Server]) -> None:
    assert inspect.getdoc(end) is not None
    assert all(name in str(inspect.getdoc(end)) for name in NAMES)
