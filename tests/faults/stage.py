"""A stage on which faults happen, and the witness of what they do to everybody else.

Whatever a test does to some client or some server, there is a second pair that behaves. At the end the witness asserts
that the pair kept its link, its round trip and its frames, that nothing of the fault is left over, and that each
link had exactly one end, with one reason.
"""

import gc
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from bounds import DearError, until
from inside import arrivals_of, graces_of, keys_of, linked_at, links_of, origins_of, peer_of

import netcode
from netcode.session.link import Link
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport import Network
from netcode.transport.tcp import TcpNetwork

from .wire import WELCOME, FalseServer, Stranger, hello

TICK = 1 / 60
FRAME = 0.05
"""Seconds of the processor that one update may take, whatever strangers do. A frame has 0.016; this machine is shared."""
BLOCKED = 20.0
"""Seconds by the wall clock after which an update must have been blocked: a machine may stand still for five."""
SLOWEST = 0.1
"""Seconds of the bystander's round trip beyond what the network needs: two ticks there, two back, and some."""

End = netcode.Client | netcode.Server


class Actor:
    """A client or a server, its diary, and what its updates cost."""

    def __init__(self, end: End) -> None:
        self.end = end
        self.diary: list[netcode.Event] = []
        self.received = 0
        """Events taken so far, those that were forgotten included."""
        self.takes_events = True
        self.frozen = False
        self.forgets_messages = False
        self.worst_cpu = self.worst_wall = 0.0

    def update(self) -> None:
        if self.frozen:
            return
        wall, cpu = time.perf_counter(), time.thread_time()
        self.end.update()
        self.worst_cpu = max(self.worst_cpu, time.thread_time() - cpu)
        self.worst_wall = max(self.worst_wall, time.perf_counter() - wall)
        if self.takes_events:
            events = self.end.events()
            self.received += len(events)
            if self.forgets_messages:
                events = [event for event in events if not isinstance(event, netcode.Received)]
            self.diary += events

    def costs_less_than(self, seconds: float) -> None:
        """Assert that no update took so much of the processor."""
        if not self.worst_cpu < seconds:
            raise DearError(f"an update of {self.end!r} took {self.worst_cpu:.3f} s of {seconds:g}")


class Stage:
    """A server, its bystander, and whoever else a test brings on."""

    def __init__(self, network: Network, host: str, clock: FakeClock) -> None:
        self.network = network
        self.host = host
        self.clock = clock
        self.calm = True
        """Whether the network is as good for the bystander as it is to begin with."""
        self._actors: list[Actor] = []
        self._others: list[Stranger | FalseServer] = []
        self._before = _count_alive()
        self._server: netcode.Server | None = None
        self._bystander: netcode.Client | None = None

    # The cast.

    def serve(self, **options: Any) -> netcode.Server:
        """Open a server with these options, and let the bystander join it."""
        server = netcode.Server(self.host, 0, network=self.network, clock=self.clock, **options)
        self._actors.append(Actor(server))
        if self._server is None:
            self._server = server
            shared = {key: options[key] for key in ("game", "version", "messages") if key in options}
            self._bystander = self.join(**shared)
        return server

    @property
    def server(self) -> netcode.Server:
        """The server that was opened first."""
        assert self._server is not None
        return self._server

    @property
    def bystander(self) -> netcode.Client:
        """The client that behaves."""
        assert self._bystander is not None
        return self._bystander

    def client(self, port: int | None = None, *, host: str | None = None, **options: Any) -> netcode.Client:
        """Start a client, at our server unless another port is given."""
        port = self.server.address.port if port is None else port
        options = {"network": self.network, "clock": self.clock, **options}
        client = netcode.Client(self.host if host is None else host, port, **options)
        self._actors.append(Actor(client))
        return client

    def join(self, port: int | None = None, **options: Any) -> netcode.Client:
        """Start a client and let it come in."""
        client = self.client(port, **options)
        self.until(lambda: client.state is netcode.State.CONNECTED)
        self.play(2 * TICK)
        return client

    def stranger(self) -> Stranger:
        """Connect somebody without manners to our server."""
        port = self.server.address.port
        connection: netcode.Connection[None] = netcode.connect(self.host, port, network=self.network, clock=self.clock)
        stranger = Stranger(connection)
        self._others.append(stranger)
        self.until(lambda: connection.state is not netcode.State.CONNECTING)
        return stranger

    def guest(self, *data: bytes) -> Stranger:
        """Connect a stranger who greets first and is let in, and then says `data`."""
        guest = self.stranger()
        guest.say(hello())
        self.until(lambda: bool(guest.told(WELCOME)))
        guest.say(*data)
        return guest

    def false_server(self, answer: bytes = b"") -> FalseServer:
        """Open somebody who says `answer` to whoever connects."""
        other = FalseServer(self.network, self.host, self.clock, answer)
        self._others.append(other)
        return other

    # The play.

    def play(self, seconds: float, tick: float = TICK) -> None:
        """Let time pass for everybody."""
        end = self.clock() + seconds
        while self.clock() < end:
            self.clock.advance(min(tick, end - self.clock()) or tick)
            for actor in self._actors:
                actor.update()
            for other in self._others:
                if isinstance(other, FalseServer):
                    other.update()
                    for guest in other.guests:
                        guest.update()
                else:
                    other.update()

    def until(self, happened: Callable[[], bool], seconds: float = 60.0) -> float:
        """Let time pass until `happened`, and return how much did."""
        begin = self.clock()
        while not happened():
            assert self.clock() - begin < seconds, f"not within {seconds:g} s: {self._told()}"
            self.play(TICK)
        return self.clock() - begin

    def until_program(self, does: Callable[[], bool]) -> None:
        """Let time pass until another program has done something: no faster than it does for that program."""
        for _ in until(does):
            self.play(TICK)
            time.sleep(TICK)

    def actor(self, end: End) -> Actor:
        """Return the actor that plays `end`."""
        return next(actor for actor in self._actors if actor.end is end)

    def diary(self, end: End) -> list[netcode.Event]:
        """Return what `end` was told so far."""
        return self.actor(end).diary

    def kinds(self, end: End) -> list[str]:
        """Return the names of what `end` was told so far."""
        return [type(event).__name__ for event in self.diary(end)]

    def received(self, end: End, peer: netcode.Peer | None = None) -> list[Any]:
        """Return the messages that `end` was sent so far, those of `peer` if it is given."""
        return [e[1] for e in self.diary(end) if isinstance(e, netcode.Received) and peer in {None, e[0]}]

    def reason(self, client: netcode.Client, seconds: float = 60.0) -> netcode.Reason:
        """Wait for the end of `client`, and return why it came."""
        self.until(lambda: client.state is netcode.State.DISCONNECTED, seconds)
        reason = client.reason
        assert reason is not None
        assert self.diary(client)[-1] == netcode.Left(peer_of(client), reason)
        return reason

    def newest(self) -> netcode.Peer:
        """Return the player who joined our server last."""
        return [event for event in self.diary(self.server) if isinstance(event, netcode.Joined)][-1].peer

    def fate(self, peer: netcode.Peer, seconds: float = 60.0) -> netcode.Reason:
        """Wait for the end of a player of our server, and return why it came."""
        self.until(lambda: not peer.alive, seconds)
        assert peer.reason is not None
        assert self.diary(self.server).count(netcode.Left(peer, peer.reason)) == 1
        return peer.reason

    # The witness.

    def judge(self) -> None:
        """Assert what has to hold whatever happened, and close everything."""
        self._judge_bystander()
        self._settle()
        _judge_actors(self._actors)
        self.leave()
        gc.collect()
        assert _count_alive() <= self._before

    def leave(self) -> None:
        """Close everything, whatever it is about."""
        for actor in self._actors:
            actor.end.close()
        for other in self._others:
            if isinstance(other, FalseServer):
                other.close()
            else:
                other.connection.close()
        self._actors.clear()
        self._others.clear()
        self._server = self._bystander = None

    def _judge_bystander(self) -> None:
        self.play(2.0)
        assert self.bystander.state is netcode.State.CONNECTED, self._told()
        if not self.calm:
            return
        assert {netcode.Away, netcode.Left}.isdisjoint(map(type, self.diary(self.bystander)))
        needed = 2 * (self.network.latency + self.network.jitter) if isinstance(self.network, MemoryNetwork) else 0.0
        assert self.bystander.rtt is not None
        assert self.bystander.rtt < needed + SLOWEST

    def _settle(self) -> None:
        """Send everybody away but the bystander, and assert that the server has forgotten them."""
        for actor in self._actors:
            if isinstance(actor.end, netcode.Client) and actor.end is not self._bystander:
                actor.end.close()
        for other in self._others:
            if isinstance(other, Stranger):
                other.connection.close()
        self.actor(self.server).frozen, self.actor(self.server).takes_events = False, True
        self.play(30.0, tick=0.1)
        server = self.server
        assert [peer.id for peer in server.peers] == [self.bystander.id]
        assert (len(links_of(server)), len(keys_of(server)), [*origins_of(server).values()]) == (
            1,
            server._seats._grace > 0,
            [1],
        )
        assert (len(graces_of(server)), arrivals_of(server), linked_at(server)) == (0, [], 1)
        # Silence is not scheduled twice: what is dead may not go on being looked at.
        assert len(links_of(server)._agenda) <= 3
        if isinstance(self.network, MemoryNetwork):
            assert self.network.links == 1

    def _told(self) -> str:
        """Say what everybody was told, for the sentence of a failure."""
        return "; ".join(f"{actor.end!r} {[type(e).__name__ for e in actor.diary[-8:]]}" for actor in self._actors)


def memory_stage() -> Stage:
    """Make a stage on a network in memory."""
    clock = FakeClock()
    return Stage(MemoryNetwork(clock), "stage", clock)


def loopback_stage() -> Stage:
    """Make a stage on real sockets, and on a clock that only the test moves."""
    return Stage(TcpNetwork(), "127.0.0.1", FakeClock())


def _judge_actors(actors: list[Actor]) -> None:
    """Close them, and assert that their updates were short and that what they were told has a beginning and an end."""
    for actor in actors:
        actor.frozen, actor.takes_events = False, True
        actor.end.close()
        actor.update()
        actor.diary += actor.end.events()
        assert actor.end.state is netcode.State.DISCONNECTED
        _judge_diary(actor)
        actor.costs_less_than(FRAME)
        assert actor.worst_wall < BLOCKED, f"an update of {actor.end!r} blocked for {actor.worst_wall:.3f} s"


def _judge_diary(actor: Actor) -> None:
    """Assert that each peer has its one beginning, its one end, and nothing after it."""
    stories: dict[int, list[netcode.Event]] = {}
    for event in actor.diary:
        stories.setdefault(id(event.peer), []).append(event)
    for story in stories.values():
        last = story[-1]
        assert isinstance(last, netcode.Left), f"{actor.end!r} was never told how it ended: {story[-3:]}"
        _judge_reason(last.reason)
        plot = "".join({"Joined": "J", "Away": "A", "Back": "B", "Left": "L"}.get(type(e).__name__, "") for e in story)
        begun = plot.removeprefix("J").removesuffix("L").replace("AB", "").removesuffix("A")
        assert begun == "", f"{actor.end!r} was told {plot}"
        assert plot.startswith("J") or (isinstance(actor.end, netcode.Client) and plot == "L")


def _judge_reason(reason: netcode.Reason) -> None:
    assert isinstance(reason.code, netcode.ReasonCode)
    assert reason.text
    assert reason.text.isprintable()
    assert len(reason.text) < 500


def _count_alive() -> int:
    """Count the links, connections and peers that came to be since the tests began, and exist anywhere."""
    kinds = Counter(map(type, gc.get_objects()))  # what is asked of each type need not be asked of each object
    return sum(count for kind, count in kinds.items() if issubclass(kind, (Link, netcode.Connection, netcode.Peer)))
