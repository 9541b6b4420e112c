"""Forked children: what they inherit does not act for the parent, and keeps nothing from ending."""

import os
import socket
import sys
import warnings
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest
from inside import link_of, links_of

import netcode
from benchmarks.ports import free_port
from netcode import Client, ConnectionSet, Event, Joined, Left, Listener, ReasonCode, Received, Server, State
from netcode.loop import forks
from netcode.transport.lookup import Lookup

if sys.platform == "win32":
    pytest.skip("Windows has no fork", allow_module_level=True)

ROUNDS = 200


def in_a_child(act: Callable[[], object]) -> bool:
    """Tell whether `act` came true in a child that ended then."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if act() else 2
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


@contextmanager
def living_child() -> Generator[None, None, None]:
    """Have a child that does nothing, and lives on meanwhile."""
    ours, its = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            ours.close()
            its.send(b"!")
            its.recv(1)
        finally:
            os._exit(0)
    its.close()
    try:
        assert ours.recv(1) == b"!"
        yield
    finally:
        ours.close()
        os.waitpid(child, 0)


class Table:
    """A server and a client on real sockets."""

    def __init__(self) -> None:
        self.server = Server("127.0.0.1", free_port())  # which nobody is given once it is closed
        self.client = Client("127.0.0.1", self.server.address.port)
        self.told: dict[Server | Client, list[Event]] = {self.server: [], self.client: []}
        self.until(lambda: self.client.state is State.CONNECTED and len(self.told[self.server]) == 1)

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(ROUNDS):
            self.client.update()
            self.server.wait(0.01)
            self.server.update()
            for end, events in self.told.items():
                events.extend(end.events())
            if condition():
                return
        raise AssertionError("it never came true")

    def heard(self, end: Server | Client) -> list[str]:
        return [event.message for event in self.told[end] if isinstance(event, Received)]

    def goes_on(self) -> None:
        """Check that messages still pass both ways, and that the poller still tells of them."""
        self.client.send("up")
        self.server.broadcast("down")
        self.until(lambda: bool(self.heard(self.server) and self.heard(self.client)))
        assert [type(event) for event in self.told[self.server]] == [Joined, Received]
        assert [type(event) for event in self.told[self.client]] == [Joined, Received]


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    yield table
    table.client.close()
    table.server.close()


@pytest.mark.fault(87, "process")
def test_a_child_that_leaves_the_with_of_a_server_says_goodbye_to_nobody(table: Table) -> None:
    def leave() -> bool:
        with table.server as server:
            server.broadcast("from the child")
        return server.state is State.DISCONNECTED and not server.peers

    assert in_a_child(leave)
    table.goes_on()


ACTS: dict[str, Callable[[Table], object]] = {
    "a server's update": lambda table: table.server.update(),
    "a server's wait": lambda table: table.server.wait(0.0),
    "a server's close": lambda table: table.server.close(),
    "a server's goodbye": lambda table: table.server.close_nicely("bye"),
    "a broadcast": lambda table: table.server.broadcast("from the child"),
    "a client's update": lambda table: table.client.update(),
    "a client's wait": lambda table: table.client.wait(0.0),
    "a client's close": lambda table: table.client.close(),
    "a client's goodbye": lambda table: table.client.close_nicely("bye"),
    "a client's message": lambda table: table.client.send("from the child"),
    "a large one": lambda table: table.client.send(bytes(65_000)),
}


@pytest.mark.fault(87, "process")
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_what_a_child_does_with_what_it_inherited_nobody_hears(table: Table, act: Callable[[Table], object]) -> None:
    peers = table.server.peers

    def act_and_go_on() -> bool:
        warnings.simplefilter("ignore")
        act(table)
        for end in (table.server, table.client):
            end.update()
        for peer in peers:
            peer.send("from the child")
            peer.close_nicely()
            peer.close()
        return (table.server.state, table.client.state) == (State.DISCONNECTED, State.DISCONNECTED)

    assert in_a_child(act_and_go_on)
    table.goes_on()


@pytest.mark.fault(87, "process")
@pytest.mark.parametrize("end", ["server", "client"])
@pytest.mark.parametrize("ticking", [False, True])
def test_a_child_that_updates_what_it_inherited_is_told_once(table: Table, end: str, ticking: bool) -> None:
    inherited: Server | Client = getattr(table, end)
    loop = inherited.ticks(60)
    next(loop)

    def told() -> bool:
        with pytest.warns(RuntimeWarning, match=f"^this {end} belongs to .* make a {end} in the process that uses it"):
            assert [*loop] == [] if ticking else inherited.update() is None
        inherited.update()
        return True

    assert in_a_child(told)


@pytest.mark.fault(87, "process")
def test_a_port_is_free_when_the_parent_has_closed_whatever_its_children_do(table: Table) -> None:
    with living_child():
        table.server.close()
        table.until(lambda: table.client.state is State.DISCONNECTED)

        with Server("127.0.0.1", table.server.address.port):
            pass

    [left] = [event for event in table.told[table.client] if isinstance(event, Left)]
    assert left.reason.code is ReasonCode.SHUTDOWN


@pytest.mark.fault(87, "process")
def test_a_link_ends_when_the_parent_ends_it_whatever_its_children_do() -> None:
    listener = Listener("127.0.0.1", 0)
    link = netcode.connect("127.0.0.1", listener.address.port)
    link.update()
    newcomers: ConnectionSet[None] = ConnectionSet()
    for _ in range(ROUNDS):
        netcode.wait(listener, timeout=0.01)
        newcomers.accept(listener, lambda _: None)
        link.update()
        if len(newcomers) and link.state is State.CONNECTED:
            break
    with living_child():
        newcomers.close()
        for _ in range(ROUNDS):
            netcode.wait(link, timeout=0.01)
            link.update()
            if not link.alive:
                break

        assert link.reason is not None
        assert link.reason.code is ReasonCode.CLOSED_BY_PEER
    listener.close()


@pytest.mark.fault(87, "process")
def test_a_child_may_use_a_listener_and_an_empty_set_of_its_parent() -> None:
    listener = Listener("127.0.0.1", 0)
    workers: ConnectionSet[None] = ConnectionSet()

    def work() -> bool:
        with socket.create_connection(("127.0.0.1", listener.address.port)) as caller:
            caller.sendall(b"hi")
            for _ in range(ROUNDS):
                netcode.wait(listener, workers, timeout=0.01)
                workers.accept(listener, lambda _: None)
                workers.update()
                if any(connection.receive_all() == b"hi" for connection in workers):
                    return True
        return False

    assert in_a_child(work)
    workers.close()
    listener.close()


@pytest.mark.fault(87, "process")
def test_what_another_thread_was_in_when_a_child_began_is_not_under_way_there() -> None:
    reading, writing = os.pipe()
    workers: ConnectionSet[None] = ConnectionSet()
    connection = netcode.custom(input=reading, output=writing)
    workers._streams.engine.busy = connection._busy = True

    def look() -> bool:
        workers.update()
        connection.update()
        workers.close()
        return not connection.alive and workers._streams.closed

    assert in_a_child(look)
    workers._streams.engine.busy = connection._busy = False
    workers.close()
    connection.close()


@pytest.mark.fault(87, "process")
def test_a_connection_of_the_parent_is_over_in_the_child_and_its_pipes_stay_as_they_are() -> None:
    reading, writing = os.pipe()
    connection = netcode.custom(input=reading, output=writing)
    connection.update()

    def look() -> bool:
        over = not connection.alive and connection.reason is not None
        connection.close()
        connection.update()
        return over and os.fstat(reading).st_ino > 0 and not os.get_blocking(reading)

    assert in_a_child(look)
    assert not os.get_blocking(reading)
    connection.send(b"still here")
    connection.update()
    connection.update()
    assert connection.receive_all() == b"still here"
    connection.close()


@pytest.mark.fault(87, "process")
def test_names_that_the_parent_asks_for_take_no_turns_in_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    running: set[object] = {object()}
    monkeypatch.setattr(Lookup, "_running", running)

    assert in_a_child(lambda: not running)
    assert running


@pytest.mark.fault(87, "process")
def test_nothing_is_inherited_by_programs_that_are_started(table: Table) -> None:
    reading, writing = os.pipe()
    connection = netcode.custom(input=reading, output=writing)
    connection.update()

    inheritable = [fd for fd in range(3, 256) if _is_open(fd) and os.get_inheritable(fd)]

    assert not {*inheritable} & {*_ours(table), reading, writing}
    connection.close()


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _ours(table: Table) -> list[int]:
    links = links_of(table.server)
    fds = [links.watcher.poller.fileno(), *links.watcher.doors]
    for stream in [*(link.stream for link in links), link_of(table.client).stream]:
        assert stream.transport is not None
        fds.append(stream.transport.read_fd)
    return fds


@pytest.mark.fault(87, "process")
def test_each_heirloom_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    class Heirloom:
        abandoned = 0

        def _abandon(self) -> None:
            self.abandoned += 1

    monkeypatch.setattr(forks, "_heirlooms", weakref.WeakSet[forks.Heirloom]())
    kept, forgotten = (forks.keep_from_children(Heirloom()) for _ in range(2))
    del forgotten

    forks._abandon_all()

    assert kept.abandoned == 1
