"""Ctrl-C and signal handlers at every point at which CPython runs them: nothing is lost, doubled or stuck."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import pytest
from interrupted import (
    LARGE,
    MOST_POINTS,
    TICK,
    Case,
    Table,
    audit,
    closing_a_player,
    closing_client,
    cut_off_client,
    cut_off_server,
    joining_at_the_server,
    joining_client,
    leaving_client,
    leaving_server,
    loaded_client,
    loaded_server,
    returning_at_the_server,
    returning_client,
    sending_off_a_player,
    waiting_client,
    waiting_server,
)
from interrupts import Press, interrupt

import netcode
from netcode import Reason, ReasonCode, Received, Server, State

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # what is dropped at a bad moment says so
)


STAYING: dict[Case, int] = {
    loaded_server: 1,
    loaded_client: 1,
    cut_off_server: 1,
    cut_off_client: 1,
    returning_at_the_server: 11,
    returning_client: 5,
    waiting_server: 1,
    waiting_client: 1,
}
"""Cases in which nobody leaves, and every which point is tried."""
ENDING: dict[Case, int] = {
    joining_at_the_server: 3,
    joining_client: 2,
    leaving_server: 3,
    leaving_client: 2,
    closing_client: 1,
    sending_off_a_player: 1,
    closing_a_player: 1,
}
"""Cases in which somebody may."""


def test_a_table_waits_for_a_deadline_and_not_for_longer() -> None:
    table = Table("memory", players=0)
    before = table.clock.now

    table.until(lambda: False)

    assert table.clock.now - before == pytest.approx(20.0)
    table.close()


@pytest.mark.fault(84, "memory")
@pytest.mark.parametrize("network", ["memory", "TCP"])
@pytest.mark.parametrize("case", STAYING, ids=lambda case: case.__name__)
def test_an_interrupt_loses_nothing_and_doubles_nothing(case: Case, network: str) -> None:
    assert audit(case, network, STAYING[case], may_end=False) > 10


@pytest.mark.fault(84, "memory")
@pytest.mark.parametrize("network", ["memory", "TCP"])
@pytest.mark.parametrize("case", ENDING, ids=lambda case: case.__name__)
def test_who_comes_or_leaves_at_an_interrupt_is_in_or_has_left(case: Case, network: str) -> None:
    assert audit(case, network, ENDING[case], may_end=True) > 10


def test_an_interrupt_in_a_send_of_too_much_leaves_the_deadlines() -> None:
    for at in range(1, MOST_POINTS):
        table = Table("TCP")
        peer = table.peer(0)
        assert peer is not None
        for _ in range(17):
            peer.send("x" * 60_000)
        try:
            with (press := Press(at, interrupt)), contextlib.suppress(KeyboardInterrupt):
                peer.send("x" * 60_000)  # over max_queue
            for _ in range(250):  # in which this player says nothing
                table.clock.advance(TICK)
                table.server.update()
                table.take(table.server)
                table.clients[1].update()
            assert table.plots(0)[0] == "JA" or not press.where, f"after an interrupt at point {at}: {press.where}"
        finally:
            table.close()
        if not press.where:
            return
    raise AssertionError("it never came to an end")


# What a signal handler does.

Act = Callable[[Table], object]


def handled(act: Act, case: Case, network: str, check: Callable[[Table], None], step: int = 1) -> int:
    """Have a signal handler do `act` at each point of `case`, and play on; return how many were tried."""
    tried = 0
    for at in range(1, MOST_POINTS, step):
        table = Table(network)
        do = case(table)
        press = table.press = Press(at, partial(act, table))
        try:
            with press:
                do()
            if not press.where:
                return tried
            tried += 1
            check(table)
        except BaseException as error:
            error.add_note(f"after a signal at point {at}: {press.where}")
            raise
        finally:
            table.close()
    raise AssertionError("it never came to an end")


WORDS: list[Any] = ["first", LARGE, "second", [1] * 5_000, "third"]


def send_to_all(table: Table) -> None:
    for word in WORDS:
        table.server.broadcast(word)


def send_to_each(table: Table) -> None:
    for word in WORDS:
        for peer in table.server.peers:
            peer.send(word)


def send_up(table: Table) -> None:
    for word in WORDS:
        table.clients[0].send(word)


def without_words(messages: list[Any]) -> list[Any]:
    return [message for message in messages if message not in WORDS]


def words_arrive(table: Table, *, up: bool) -> None:
    """Check that what the handler sent arrives once and in order, and disturbs nothing else."""
    numbers = [0] if up else range(len(table.clients))
    got = table.got_up if up else table.got_down
    table.until(lambda: all(len(without_words(got(number))) + len(WORDS) == len(got(number)) for number in numbers))
    for number in numbers:
        assert [message for message in got(number) if message in WORDS] == WORDS
    for events in table.told.values():
        events[:] = [event for event in events if not isinstance(event, Received) or event.message not in WORDS]
    table.check(may_end=False)


def words_arrive_at_players(table: Table) -> None:
    words_arrive(table, up=False)


def words_arrive_at_the_server(table: Table) -> None:
    words_arrive(table, up=True)


def broadcasting_server(table: Table) -> Callable[[], object]:
    table.load()

    def act() -> None:
        for number in range(len(table.clients)):
            table.down[number].append("from the game")
        table.server.broadcast("from the game")
        table.server.update()

    return act


@pytest.mark.fault(85, "memory")
@pytest.mark.parametrize("network", ["memory", "TCP"])
@pytest.mark.parametrize("case", [loaded_server, cut_off_server, broadcasting_server], ids=lambda case: case.__name__)
@pytest.mark.parametrize("act", [send_to_all, send_to_each], ids=lambda act: act.__name__)
def test_what_a_signal_handler_of_a_server_sends_arrives_once(act: Act, case: Case, network: str) -> None:
    assert handled(act, case, network, words_arrive_at_players, 3) > 10


@pytest.mark.fault(85, "memory")
@pytest.mark.parametrize("network", ["memory", "TCP"])
@pytest.mark.parametrize("case", [loaded_client, cut_off_client], ids=lambda case: case.__name__)
def test_what_a_signal_handler_of_a_client_sends_arrives_once(case: Case, network: str) -> None:
    assert handled(send_up, case, network, words_arrive_at_the_server) > 10


def everybody_reads(code: ReasonCode, text: str) -> Callable[[Table], None]:
    """Return a check that the server ended, and that each player had everything and then the goodbye."""

    def check(table: Table) -> None:
        table.until(lambda: table.server.state is State.DISCONNECTED and not any(map(table.is_playing, table.clients)))
        assert table.server.state is State.DISCONNECTED
        for number, client in enumerate(table.clients):
            assert client.reason == Reason(code, text)
            assert table.plots(number) == ("JL", "JL")
            assert table.got_down(number) == table.down[number]

    return check


@pytest.mark.fault(85, "memory")
@pytest.mark.parametrize("network", ["memory", "TCP"])
def test_a_server_may_say_goodbye_from_a_signal_handler(network: str) -> None:
    check = everybody_reads(ReasonCode.SHUTDOWN, "until tomorrow")

    assert handled(lambda table: table.server.close_nicely("until tomorrow"), loaded_server, network, check) > 10


@pytest.mark.fault(85, "memory")
@pytest.mark.parametrize("network", ["memory", "TCP"])
def test_a_server_may_be_closed_from_a_signal_handler(network: str) -> None:
    check = everybody_reads(ReasonCode.SHUTDOWN, "server is shutting down")

    assert handled(lambda table: table.server.close(), loaded_server, network, check) > 10


@pytest.mark.fault(85, "memory")
@pytest.mark.parametrize("network", ["memory", "TCP"])
@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_a_player_may_be_sent_off_from_a_signal_handler(how: str, network: str) -> None:
    def send_off(table: Table) -> None:
        for peer in table.server.peers:
            if peer.data == 0:
                getattr(peer, how)()

    def check(table: Table) -> None:
        table.until(lambda: table.clients[0].state is State.DISCONNECTED and table.peer(0) is None)
        assert table.clients[0].reason == Reason(ReasonCode.GOODBYE, "the other end left")
        assert table.plots(0) == ("JL", "JL")
        assert table.got_down(0) == table.down[0]
        table.check(may_end=True)
        assert table.clients[1].state is State.CONNECTED

    assert handled(send_off, loaded_server, network, check) > 10


@pytest.mark.fault(85, "memory")
@pytest.mark.parametrize("network", ["memory", "TCP"])
@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_a_client_may_leave_from_a_signal_handler(how: str, network: str) -> None:
    def check(table: Table) -> None:
        table.until(lambda: table.clients[0].state is State.DISCONNECTED and table.peer(0) is None)
        assert table.plots(0) == ("JL", "JL")
        assert table.got_up(0) == table.up[0]
        table.check(may_end=True)

    assert handled(lambda table: getattr(table.clients[0], how)(), loaded_client, network, check) > 10


@pytest.mark.fault(85, "memory")
def test_a_goodbye_and_an_exit_from_a_signal_handler_still_say_goodbye() -> None:
    def act(table: Table) -> None:
        table.server.close_nicely("until tomorrow")
        raise SystemExit

    def exiting(table: Table) -> Callable[[], object]:
        update = loaded_server(table)

        def do() -> None:
            with contextlib.suppress(SystemExit):
                update()

        return do

    def check(table: Table) -> None:
        table.until(lambda: table.server.state is State.DISCONNECTED and not any(map(table.is_playing, table.clients)))
        assert table.server.state is State.DISCONNECTED
        # The one whose link was being handled may have lost it, and find nobody to return to.
        assert [client.reason.text for client in table.clients if client.reason is not None].count(
            "until tomorrow"
        ) >= 1

    assert handled(act, exiting, "memory", check) > 10


# Handlers that come in the middle of a sleep.


SLEEPS = "poll", "_poll"
"""Functions of ours in which the program sleeps."""


@pytest.fixture
def signals() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Have something done by a real signal handler, as soon as the program sleeps."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("Windows has no timers that signal")
    before = signal.getsignal(signal.SIGALRM)

    def arrange(act: Callable[[], object]) -> None:
        def handle(number: int, frame: FrameType | None) -> None:
            if frame is not None and frame.f_code.co_name in SLEEPS:
                act()
            else:  # a busy machine has not let it sleep yet
                signal.setitimer(signal.ITIMER_REAL, 0.01)

        signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.05)

    yield arrange
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.fault(85, "memory")
@pytest.mark.parametrize("players", [0, 2])
@pytest.mark.parametrize("how", ["close", "close_nicely"])
@pytest.mark.parametrize("wait", [Server.wait, netcode.wait], ids=["its own", "wait"])
def test_a_sleeping_server_ends_when_a_signal_handler_says_so(
    wait: Callable[[Server], bool], how: str, players: int, signals: Callable[[Callable[[], object]], None]
) -> None:
    table = Table("TCP", players)
    table.server.update()
    signals(getattr(table.server, how))

    woken = [wait(table.server)]
    for _ in range(10):
        table.server.update()
        table.take(table.server)
        if table.server.state is State.DISCONNECTED:
            break
        for client in table.clients:
            client.update()
        woken.append(wait(table.server))

    assert table.server.state is State.DISCONNECTED
    assert all(woken)
    table.until(lambda: not any(map(table.is_playing, table.clients)))
    assert {client.reason for client in table.clients} <= {Reason(ReasonCode.SHUTDOWN, "server is shutting down")}
    table.close()


@pytest.mark.fault(85, "memory")
@pytest.mark.parametrize("end", ["server", "client"])
def test_what_a_signal_handler_sends_wakes_a_sleep(end: str, signals: Callable[[Callable[[], object]], None]) -> None:
    table = Table("TCP", 1)
    table.play(2)
    if end == "server":
        signals(lambda: table.server.broadcast("now"))
    else:
        signals(lambda: table.clients[0].send("now"))

    woken = (table.server if end == "server" else table.clients[0]).wait(60.0)
    table.play(2)

    assert woken
    assert (table.got_down(0) if end == "server" else table.got_up(0)) == ["now"]
    table.close()
