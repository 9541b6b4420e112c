"""Rows 4, 5 and 9: what peers cost that are connected and say nothing."""

import time
from contextlib import ExitStack
from statistics import median

import netcode
from benchmarks.children import Child
from benchmarks.figures import Figure, Plan, Series, microseconds
from benchmarks.machine import require_connections
from benchmarks.rows.joining import join, room_for, start_load, start_server

MANY = 9000
FEW = 1000
NO_PING_DUE = {"ping_interval": 3600.0, "timeout": 7200.0}
UPDATES = 2000


def _time_updates(server: Child, plan: Plan) -> float:
    count = max(50, round(UPDATES * min(1.0, plan.seconds)))
    times: list[float] = server.ask("time_updates", count=count)
    return median(times)


def updates(plan: Plan) -> list[Figure]:
    """Row 4: `update()` with 9,000 silent peers and no ping due, beside the same with 1,000."""
    many, few = plan.clients(MANY), plan.clients(FEW)
    require_connections(many)
    times = {many: Series(), few: Series()}
    with ExitStack() as stack:
        servers: dict[int, Child] = {}
        for clients in times:
            servers[clients] = start_server(stack, "ours_frames", limits=room_for(clients) | NO_PING_DUE)
            start_load(stack, servers[clients], "netcode", clients, ping_interval=0.0)
        for _ in range(plan.rounds):
            for clients, server in servers.items():
                times[clients].values.append(_time_updates(server, plan))
    work = f"update(), {many:,} silent peers, no ping due"
    ours, other = microseconds(times[many].median), microseconds(times[few].median)
    return [
        Figure(4, work, times[many].median * 1e6, "µs", 20.0, ours=ours),
        Figure(4, f"{work}, against {few:,}", times[many].over(times[few]), "×", 1.3, ours=ours, other=other),
    ]


def _share(plan: Plan, module: str, clients: int, **settings: object) -> tuple[float, str]:
    """Return which share of a core a server takes that so many clients ping, and how the load did."""
    with ExitStack() as stack:
        server = start_server(stack, module, **settings)
        load = start_load(stack, server, "netcode", clients)
        time.sleep(min(2.0, plan.seconds))
        shares: list[float] = []
        load_before, load_start = load.ask("cpu"), time.perf_counter()
        for _ in range(plan.rounds):
            before, start = server.ask("cpu"), time.perf_counter()
            time.sleep(plan.seconds)
            shares.append((server.ask("cpu") - before) / (time.perf_counter() - start))
        load_share = (load.ask("cpu") - load_before) / (time.perf_counter() - load_start)
        kept = load.ask("count")["clients"]
    return median(shares), f"{kept:,} still connected, load generator {load_share:.0%} of a core"


def pings(plan: Plan) -> list[Figure]:
    """Row 5: pings of 9,000 silent peers at the default interval, in per cent of one core.

    Each client answers the server's pings and sends its own every second, at a moment of its own.
    """
    clients = plan.clients(MANY)
    require_connections(clients)
    share, note = _share(plan, "ours", clients, limits=room_for(clients))
    bare, _ = _share(plan, "bare_pings", clients)
    work = f"pings of {clients:,} silent peers, both ways, every second"
    bar = 20.0 if netcode.SPEEDUPS else 25.0
    note += f"; system calls alone {bare:.1%}"
    return [Figure(5, work, share * 100, "% of a core", bar, ours=f"{share:.1%}", other=f"{bare:.1%}", note=note)]


def memory(plan: Plan) -> list[Figure]:
    """Row 9: memory per silent peer, from the growth of the server's own memory."""
    some, more = plan.clients(500), plan.clients(5000)
    require_connections(some + more)
    with ExitStack() as stack:
        server = start_server(stack, "ours", limits=room_for(some + more))
        load = start_load(stack, server, "netcode", some)
        time.sleep(2 * min(1.2, plan.seconds))  # so that each was pinged: a link meter is part of a peer
        before = server.ask("memory")
        join(load, server, more)
        time.sleep(2 * min(1.2, plan.seconds))
        grown = server.ask("memory") - before
    each = grown / more / 1024
    note = "growth of anonymous memory"
    return [Figure(9, f"memory per silent peer, {more:,} peers", each, "KiB", 4.0, ours=f"{each:.2f} KiB", note=note)]
