"""Ctrl-C and signal handlers at every point at which CPython runs them: nothing is lost, doubled or stuck.

Each case does one thing with something that comes at its first point, then all over again at its second, and so on.
Then both streams of every link arrive exactly once and in order, or the link has ended with a reason.
"""

import contextlib
import gc
import random
import re
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from interrupts import Press, interrupt

import netcode
from netcode import Client, Event, Peer, Reason, ReasonCode, Received, Server, State
from netcode.testing import FakeClock, MemoryNetwork

TICK = 0.05
PATIENCE = 400
"""Ticks after which everything has come to rest."""
MOST_POINTS = 20_000
LARGE = bytes(70_000)
OPEN_DESCRIPTORS = Path("/proc/self/fd")

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # what is dropped at a bad moment says so
)


class Table:
    """A server and its players, what they have sent and what they were told."""

    def __init__(self, network: str, players: int = 2) -> None:
        random.seed(1)  # of the backoff
        self.clock = FakeClock()
        self.options: dict[str, Any] = {"clock": self.clock, "max_message": 2 * len(LARGE)}
        self.memory = MemoryNetwork(self.clock, capacity=1_000_000) if network == "memory" else None
        if self.memory is not None:
            self.options["network"] = self.memory
        self.press = Press(0, interrupt)
        self.server = Server("127.0.0.1", 0, authenticate=lambda number, _: number, **self.options)
        self.clients: list[Client] = []
        self.told: dict[Server | Client, list[Event]] = {self.server: []}
        self.up: list[list[Any]] = []
        self.down: list[list[Any]] = []
        for _ in range(players):
            self.join()
        self.until(lambda: all(client.state is State.CONNECTED for client in self.clients))
        self.play(3)

    def join(self) -> Client:
        client = Client("127.0.0.1", self.server.address.port, credentials=len(self.clients), **self.options)
        self.clients.append(client)
        self.told[client] = []
        self.up.append([])
        self.down.append([])
        return client

    def take(self, end: Server | Client) -> None:
        self.told[end] += end.events()

    def play(self, ticks: int) -> None:
        for _ in range(ticks):
            self.clock.advance(TICK)
            for end in [*self.told]:
                end.update()
                self.take(end)

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(PATIENCE):
            if condition():
                return
            self.play(1)

    def alone(self, whose: Server | Client, ticks: int, enough: Callable[[], bool]) -> None:
        """Play, and let only what `whose` does count for `press`."""
        for _ in range(ticks):
            self.clock.advance(TICK)
            for end in [*self.told]:
                if end is not whose:
                    self.press.pause()
                end.update()
                self.press.pause()
                self.take(end)
                self.press.resume()
            if enough():
                return

    def peer(self, number: int) -> Peer | None:
        return next((peer for peer in self.server.peers if peer.data == number), None)

    def talk(self, count: int = 3) -> None:
        """Have everybody send messages, both ways."""
        for number, client in enumerate(self.clients):
            for _ in range(count):
                self.up[number].append([number, len(self.up[number])])
                client.send(self.up[number][-1])
                self.down[number].append([number, len(self.down[number])])
                peer = self.peer(number)
                if peer is not None:
                    peer.send(self.down[number][-1])

    def load(self) -> None:
        """Let much happen in the next update of the server: messages both ways, and pings."""
        self.clock.advance(1.2)
        for client in self.clients:
            client.update()
        self.talk()
        for client in self.clients:
            client.update()

    def cut(self) -> None:
        if self.memory is not None:
            self.memory.cut()
            return
        for client in self.clients:
            assert client._link is not None
            transport: Any = client._link.connection._transport
            transport.shutdown(2)

    def got_up(self, number: int) -> list[Any]:
        events = self.told[self.server]
        return [event.message for event in events if isinstance(event, Received) and event.peer.data == number]

    def got_down(self, number: int) -> list[Any]:
        return [event.message for event in self.told[self.clients[number]] if isinstance(event, Received)]

    def plots(self, number: int) -> tuple[str, str]:
        """Return the initials of the other events of a player, as the server and as the client were told."""
        client = self.clients[number]
        mine = [event for event in self.told[self.server] if event.peer.data == number]
        both = [
            [type(e).__name__[0] for e in events if not isinstance(e, Received)] for events in (mine, self.told[client])
        ]
        return "".join(both[0]), "".join(both[1])

    def is_playing(self, client: Client) -> bool:
        return client.state is not State.DISCONNECTED

    def is_settled(self, number: int) -> bool:
        client = self.clients[number]
        if client.state is not State.CONNECTED:
            return client.state is State.DISCONNECTED and self.peer(number) is None
        return (self.got_up(number), self.got_down(number)) == (self.up[number], self.down[number])

    def check(self, may_end: bool) -> None:
        """Check that all streams are whole, also from now on; or where a link may end, that it did so properly."""
        everybody = range(len(self.clients))
        self.until(lambda: all(map(self.is_settled, everybody)))
        self.talk(2)
        self.until(lambda: all(map(self.is_settled, everybody)))
        for number in everybody:
            reason = self.clients[number].reason
            up, down = self.got_up(number), self.got_down(number)
            at_server, at_client = self.plots(number)
            if reason is None:
                assert (up, down) == (self.up[number], self.down[number])
                assert re.fullmatch("J(AB)*", at_server)
                assert re.fullmatch("J(AB)*", at_client)
            else:
                assert may_end, reason
                assert up == self.up[number][: len(up)]
                assert down == self.down[number][: len(down)]
                assert self.peer(number) is None
                assert re.fullmatch("(J(AB)*A?L)?", at_server)
                assert re.fullmatch("(J(AB)*A?)?L", at_client)
        server = self.server
        if server.state is State.CONNECTED:
            living = [connection for connection in server._links if connection.alive]
            assert sum(server._origins.values()) == len(living)
            assert server._linked == sum(not peer.away for peer in server.peers)

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.server.close()


def descriptors() -> int:
    return len([*OPEN_DESCRIPTORS.iterdir()]) if OPEN_DESCRIPTORS.exists() else 0


Case = Callable[[Table], Callable[[], object]]
"""Prepares a table, and returns what an interrupt comes into."""


def loaded_server(table: Table) -> Callable[[], object]:
    table.load()
    return table.server.update


def loaded_client(table: Table) -> Callable[[], object]:
    table.load()
    table.server.update()
    table.take(table.server)
    table.talk(2)
    table.clock.advance(0.5)
    return table.clients[0].update


def cut_off_server(table: Table) -> Callable[[], object]:
    table.load()
    table.cut()
    return table.server.update


def cut_off_client(table: Table) -> Callable[[], object]:
    table.load()
    table.cut()
    return table.clients[0].update


def returning(table: Table, whose: Server | Client) -> Callable[[], object]:
    table.load()
    table.cut()
    table.play(1)
    table.talk(2)
    return lambda: table.alone(whose, 40, lambda: all(client.state is State.CONNECTED for client in table.clients))


def returning_at_the_server(table: Table) -> Callable[[], object]:
    return returning(table, table.server)


def returning_client(table: Table) -> Callable[[], object]:
    return returning(table, table.clients[0])


def joining_at_the_server(table: Table) -> Callable[[], object]:
    newcomer = table.join()
    return lambda: table.alone(table.server, 20, lambda: newcomer.state is State.CONNECTED)


def joining_client(table: Table) -> Callable[[], object]:
    newcomer = table.join()
    return lambda: table.alone(newcomer, 20, lambda: newcomer.state is State.CONNECTED)


def leaving_server(table: Table) -> Callable[[], object]:
    table.load()

    def act() -> None:
        table.server.close_nicely("bye")
        table.alone(table.server, 20, lambda: table.server.state is State.DISCONNECTED)

    return act


def leaving_client(table: Table) -> Callable[[], object]:
    table.load()

    def act() -> None:
        table.clients[0].close_nicely("bye")
        table.alone(table.clients[0], 20, lambda: table.clients[0].state is State.DISCONNECTED)

    return act


def closing_client(table: Table) -> Callable[[], object]:
    table.load()
    return table.clients[0].close


def sending_off_a_player(table: Table) -> Callable[[], object]:
    table.load()
    peer = table.peer(0)
    assert peer is not None
    return lambda: peer.close_nicely("off you go")


def closing_a_player(table: Table) -> Callable[[], object]:
    table.load()
    peer = table.peer(0)
    assert peer is not None
    return peer.close


def waiting_server(table: Table) -> Callable[[], object]:
    table.load()
    return lambda: table.server.wait(0.0)


def audit(case: Case, network: str, step: int, may_end: bool) -> int:
    """Interrupt `case` at each point, or at each so many of them; return how many were tried."""
    tried = 0
    for at in range(1, MOST_POINTS, step):
        before = descriptors()
        table = Table(network)
        act = case(table)
        press = table.press = Press(at, interrupt)
        try:
            with press:
                act()
        except KeyboardInterrupt:
            pass
        try:
            if not press.where:
                return tried
            tried += 1
            for end in table.told:
                table.take(end)
            table.check(may_end)
        except BaseException as error:
            error.add_note(f"after an interrupt at point {at}: {press.where}")
            raise
        finally:
            table.close()
        del table, act
        if descriptors() != before:
            gc.collect()
        assert descriptors() <= before, f"a descriptor leaked after an interrupt at point {at}: {press.where}"
    raise AssertionError("it never came to an end")


STAYING: dict[Case, int] = {
    loaded_server: 1,
    loaded_client: 1,
    cut_off_server: 1,
    cut_off_client: 1,
    returning_at_the_server: 11,
    returning_client: 5,
    waiting_server: 1,
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


@pytest.mark.parametrize("network", ["memory", "TCP"])
@pytest.mark.parametrize("case", STAYING, ids=lambda case: case.__name__)
def test_an_interrupt_loses_nothing_and_doubles_nothing(case: Case, network: str) -> None:
    assert audit(case, network, STAYING[case], may_end=False) > 10


@pytest.mark.parametrize("network", ["memory", "TCP"])
@pytest.mark.parametrize("case", ENDING, ids=lambda case: case.__name__)
def test_who_comes_or_leaves_at_an_interrupt_is_in_or_has_left(case: Case, network: str) -> None:
    assert audit(case, network, ENDING[case], may_end=True) > 10


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


@pytest.mark.parametrize("network", ["memory", "TCP"])
@pytest.mark.parametrize("case", [loaded_server, cut_off_server, broadcasting_server], ids=lambda case: case.__name__)
@pytest.mark.parametrize("act", [send_to_all, send_to_each], ids=lambda act: act.__name__)
def test_what_a_signal_handler_of_a_server_sends_arrives_once(act: Act, case: Case, network: str) -> None:
    assert handled(act, case, network, words_arrive_at_players, 3) > 10


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


@pytest.mark.parametrize("network", ["memory", "TCP"])
def test_a_server_may_say_goodbye_from_a_signal_handler(network: str) -> None:
    check = everybody_reads(ReasonCode.SHUTDOWN, "until tomorrow")

    assert handled(lambda table: table.server.close_nicely("until tomorrow"), loaded_server, network, check) > 10


@pytest.mark.parametrize("network", ["memory", "TCP"])
def test_a_server_may_be_closed_from_a_signal_handler(network: str) -> None:
    check = everybody_reads(ReasonCode.SHUTDOWN, "server is shutting down")

    assert handled(lambda table: table.server.close(), loaded_server, network, check) > 10


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


@pytest.mark.parametrize("network", ["memory", "TCP"])
@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_a_client_may_leave_from_a_signal_handler(how: str, network: str) -> None:
    def check(table: Table) -> None:
        table.until(lambda: table.clients[0].state is State.DISCONNECTED and table.peer(0) is None)
        assert table.plots(0) == ("JL", "JL")
        assert table.got_up(0) == table.up[0]
        table.check(may_end=True)

    assert handled(lambda table: getattr(table.clients[0], how)(), loaded_client, network, check) > 10


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


@pytest.fixture
def signals() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Have something done by a real signal handler, as soon as the program sleeps."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("Windows has no timers that signal")
    before = signal.getsignal(signal.SIGALRM)

    def arrange(act: Callable[[], object]) -> None:
        def handle(number: int, frame: object) -> None:
            act()

        signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.05)

    yield arrange
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


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
