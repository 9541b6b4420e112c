"""Rows 1 to 3 and 14: the CPU time that a server needs to answer one message."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from benchmarks.children import Child
from benchmarks.figures import Figure, Plan, Series, microseconds
from benchmarks.machine import require_connections
from benchmarks.rows.joining import room_for, start_load, start_server

MESSAGE = {"turn": 17, "move": [3, 4], "fire": True}
"""A small message of a game: 22 bytes of msgpack."""

OURS = ("ours", "netcode")
OURS_BY_MATCH = ("ours_match", "netcode")
UVLOOP = ("uvloop_echo", "plain")
JOINED = ("uvloop_joined", "plain")
PICOWS = ("picows_echo", "websocket")
BARE = ("bare_echo", "plain")
OUR_BYTES = ("ours_bytes", "plain")
STREAMS = ("streams_bytes", "plain")
WEBSOCKETS = ("websockets_echo", "websocket")
PYENET = ("pyenet_echo", "enet")


@dataclass
class Contender:
    """A server and its load, and what was measured of it, a value per round."""

    name: str
    server: Child
    load: Child
    cpu: Series = field(default_factory=Series)
    server_busy: list[float] = field(default_factory=list[float])
    load_busy: list[float] = field(default_factory=list[float])
    rate: list[float] = field(default_factory=list[float])

    def run(self, batch: int, seconds: float) -> None:
        """Let the clients work for one round and keep what it cost the server."""
        before = self.server.ask("cpu")
        done = self.load.ask("echo", message=MESSAGE, batch=batch, seconds=seconds, within=seconds + 30.0)
        used = self.server.ask("cpu") - before
        self.cpu.values.append(used / done["messages"])
        self.server_busy.append(used / done["seconds"])
        self.load_busy.append(done["busy"])
        self.rate.append(done["messages"] / done["seconds"])

    @property
    def note(self) -> str:
        """How busy both ends were: the load generator is no bottleneck while the server is the busier one."""
        return (
            f"{self.name}: {median(self.rate):,.0f} messages/s, server {median(self.server_busy):.0%} of a core, "
            f"load {median(self.load_busy):.0%}"
        )


def start(stack: ExitStack, name: str, module: str, dialect: str, clients: int, **settings: object) -> Contender:
    """Start a server and let the clients join."""
    server = start_server(stack, module, **settings)
    program = "enet_load" if dialect == "enet" else "load"
    return Contender(name, server, start_load(stack, server, dialect, clients, program=program))


def compete(contenders: list[Contender], batch: int, plan: Plan) -> None:
    """Measure the contenders in turn, round by round, after one short round that is forgotten."""
    for contender in contenders:
        contender.run(batch, min(0.3, plan.seconds))
        for values in (contender.cpu.values, contender.server_busy, contender.load_busy, contender.rate):
            values.clear()
    for _ in range(plan.rounds):
        for contender in contenders:
            contender.run(batch, plan.seconds)


def figure(
    row: int, work: str, ours: Contender, other: Contender, bar: float, *, bare: Contender | None = None
) -> Figure:
    """Return the ratio of the CPU times of two contenders; beside it, that of what no server can do without."""
    least = "" if bare is None else f"; system calls alone {bare.cpu.over(other.cpu):.2f} × {other.name}"
    return Figure(
        row,
        f"{work}, against {other.name}",
        ours.cpu.over(other.cpu),
        "×",
        bar,
        ours=microseconds(ours.cpu.median),
        other=microseconds(other.cpu.median),
        note=f"{ours.note}; {other.note}{least}",
    )


def _echo(plan: Plan, count: int, batch: int, servers: Mapping[str, tuple[str, str]]) -> list[Contender]:
    clients = plan.clients(count)
    require_connections(clients)
    with ExitStack() as stack:
        contenders = [
            start(stack, name, *server, clients, limits=room_for(clients)) for name, server in servers.items()
        ]
        compete(contenders, batch, plan)
    return contenders


def one_at_a_time(plan: Plan) -> list[Figure]:
    """Row 1: 100 clients, one small message per wake-up."""
    servers = {
        "netcode": OURS,
        "uvloop": UVLOOP,
        "picows on uvloop": PICOWS,
        "pyenet": PYENET,
        "websockets": WEBSOCKETS,
        "system calls": BARE,
    }
    ours, uvloop, picows, pyenet, websockets, bare = _echo(plan, 100, 1, servers)
    work = f"echo, {plan.clients(100)} clients, 1 message per wake-up"
    return [
        figure(1, work, ours, uvloop, 1.0, bare=bare),
        figure(1, work, ours, picows, 1.05, bare=bare),
        figure(1, work, ours, pyenet, 0.9, bare=bare),
        figure(1, work, ours, websockets, 0.3, bare=bare),
    ]


def ten_at_a_time(plan: Plan) -> list[Figure]:
    """Row 2: 100 clients, ten messages per wake-up, where what the game does with each weighs most."""
    servers = {
        "netcode": OURS,
        "uvloop": UVLOOP,
        "uvloop that joins replies": JOINED,
        "netcode by match": OURS_BY_MATCH,
    }
    ours, uvloop, joined, by_match = _echo(plan, 100, 10, servers)
    work = f"echo, {plan.clients(100)} clients, 10 messages per wake-up"
    return [
        figure(2, work, ours, uvloop, 0.32),
        figure(2, work, ours, joined, 0.9),
        figure(2, f"{work}, by match", by_match, uvloop, 0.32),
    ]


def many_clients(plan: Plan) -> list[Figure]:
    """Row 3: 2,000 clients, one small message per wake-up."""
    ours, uvloop = _echo(plan, 2000, 1, {"netcode": OURS, "uvloop": UVLOOP})
    return [figure(3, f"echo, {plan.clients(2000):,} clients, 1 message per wake-up", ours, uvloop, 1.05)]


def bytes_alone(plan: Plan) -> list[Figure]:
    """Row 14: the byte layer, which sends back what came; one connection and 50."""
    figures: list[Figure] = []
    for clients in (1, plan.clients(50)):
        with ExitStack() as stack:
            ours, streams, bare = (
                start(stack, name, *server, clients)
                for name, server in (("netcode", OUR_BYTES), ("asyncio streams", STREAMS), ("system calls", BARE))
            )
            compete([ours, streams, bare], 1, plan)
        work = f"echo of bytes, {clients} connection{'s' if clients > 1 else ''}"
        figures.append(figure(14, work, ours, streams, 0.6, bare=bare))
    return figures
