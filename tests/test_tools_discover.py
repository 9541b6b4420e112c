"""The games on the local network, in the terminal."""

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable
from typing import Any, Self

import pytest

from netcode import Address, FoundGame, Reason, ReasonCode
from netcode.testing import FakeClock
from netcode.tools import discover
from netcode.tools.discover import Watch, add_arguments, run
from netcode.tools.output import Output

ANN = FoundGame("Ann's game", "chess", "2", 1, 4, False, (Address("10.0.0.1", 7777), Address("fd00::1", 7777)))
BOB = FoundGame("Bob", "", "", None, None, True, (Address("10.0.0.2", 7777),))
PLAYERS = FoundGame("Cy", "go", "", 3, None, False, (Address("10.0.0.3", 7777),))


class Network:
    """A discovery that finds what it was told to, one state for each update."""

    def __init__(self, clock: FakeClock, *states: list[FoundGame], reason: Reason | None = None) -> None:
        self._clock = clock
        self._states = [*states]
        self.games: list[FoundGame] = []
        self.reason = reason
        self.is_closed = False

    def wait(self, seconds: float) -> None:
        self._clock.advance(seconds)

    def update(self) -> None:
        if self._states:
            self.games = self._states.pop(0)
        elif self._clock.now > 2000:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.is_closed = True


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([*arguments])


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[str]]]:
    """Look as a command line says, and return the status and what was printed."""

    def look(network: Network, *arguments: str) -> tuple[int, list[str]]:
        def watch(discovery: Any, output: Output) -> Watch:
            return Watch(discovery, output, network._clock)

        monkeypatch.setattr(discover, "Watch", watch)
        monkeypatch.setattr(discover, "discover", lambda game: network)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        status = run(parse(*arguments))
        assert network.is_closed
        return status, capsys.readouterr().out.splitlines()

    return look


def test_after_a_while_it_lists_what_is_there(look: Any) -> None:
    clock = FakeClock(0.0)

    status, lines = look(Network(clock, [], [ANN, BOB, PLAYERS]), "--seconds", "2")

    assert status == 0
    assert lines == [
        "NAME        GAME     PLAYERS  ADDRESS",
        "Ann's game  chess 2  1 of 4   10.0.0.1:7777",
        "Bob         ?        ?        10.0.0.2:7777  TLS",
        "Cy          go       3        10.0.0.3:7777",
    ]
    assert clock.now == pytest.approx(2.0)


def test_scripts_get_one_object_for_each(look: Any) -> None:
    status, [line] = look(Network(FakeClock(), [ANN]), "--json")

    assert status == 0
    assert json.loads(line) == {
        "event": "game", "name": "Ann's game", "game": "chess", "version": "2", "players": 1, "max_players": 4,
        "tls": False, "addresses": ["10.0.0.1:7777", "[fd00::1]:7777"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (None, "it may be on another network, or not be announced"),
        (Reason(ReasonCode.NETWORK, "there is no network"), "there is no network"),
    ],
)
def test_where_nothing_is_found_it_says_why(reason: Reason | None, why: str, look: Any) -> None:
    assert look(Network(FakeClock(), reason=reason)) == (1, [f"no game was found; {why}"])


def test_whoever_watches_is_told_what_comes_and_goes_until_ctrl_c(look: Any) -> None:
    status, lines = look(Network(FakeClock(), [ANN], [ANN], [BOB, PLAYERS]), "--watch")

    assert status == 0
    assert lines[:4] == [
        "+ Ann's game  chess 2  1 of 4  10.0.0.1:7777",
        "- Ann's game  chess 2  1 of 4  10.0.0.1:7777",
        "+ Bob  ?  ?  10.0.0.2:7777  TLS",
        "+ Cy  go  3  10.0.0.3:7777",
    ]


def test_it_ends_when_nobody_reads_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    output = Output()
    monkeypatch.setattr(output, "is_closed", lambda: True)
    clock = FakeClock(0.0)

    Watch(Network(clock), output, clock).run(5.0, watch=True)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    assert clock.now == 0.0


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "zeroconf", None)  # as where it is not installed
    monkeypatch.delitem(sys.modules, "netcode.lan.mdns", raising=False)

    assert run(parse()) == 1
    assert capsys.readouterr().err == (
        'discover: finding games on the LAN needs zeroconf: python -m pip install "netcode[lan]"\n'
    )


def test_without_a_descriptor_it_says_so_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def short(_game: str | None) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(discover, "discover", short)

    assert run(parse()) == 1
    assert capsys.readouterr().err == f"discover: {os.strerror(errno.EMFILE)}\n"
