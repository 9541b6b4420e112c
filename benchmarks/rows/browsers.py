"""Rows 11 to 13: what it costs that browsers play, and those beside them who are none."""

import os
import time
from contextlib import ExitStack

from benchmarks.figures import Figure, Plan, Series, microseconds
from benchmarks.machine import require_connections
from benchmarks.rows.echo import OURS, WEBSOCKETS, Contender, compete, figure, start
from benchmarks.rows.joining import join, room_for, start_load, start_server

CLIENTS = 100
MASKED = 65_536
"""Bytes, as of the largest message that one read brings."""

TO_BROWSERS = ("ours", "browser")


def _echo(plan: Plan, batch: int) -> tuple[Contender, Contender, Contender, Contender]:
    clients = plan.clients(CLIENTS)
    require_connections(clients)
    room = room_for(clients)
    with ExitStack() as stack:
        contenders = (
            start(stack, "netcode over WebSocket", *TO_BROWSERS, clients, limits=room, web=True),
            start(stack, "netcode over TCP", *OURS, clients, limits=room),
            start(stack, "the same with a door for browsers", *OURS, clients, limits=room, web=True),
            start(stack, "websockets", *WEBSOCKETS, clients),
        )
        compete([*contenders], batch, plan)
    return contenders


def one_at_a_time(plan: Plan) -> list[Figure]:
    """Row 11: 100 clients, one small message per wake-up."""
    browsers, tcp, behind_the_door, websockets = _echo(plan, 1)
    work = f"echo to browsers, {plan.clients(CLIENTS)} clients, 1 message per wake-up"
    return [
        figure(11, work, browsers, tcp, 1.6),
        figure(11, work, browsers, websockets, 0.5),
        figure(11, "echo over TCP with a door for browsers", behind_the_door, tcp, 1.05),
    ]


def ten_at_a_time(plan: Plan) -> list[Figure]:
    """Row 12: 100 clients, ten messages per wake-up."""
    browsers, tcp, _, websockets = _echo(plan, 10)
    work = f"echo to browsers, {plan.clients(CLIENTS)} clients, 10 messages per wake-up"
    return [figure(12, work, browsers, tcp, 1.9), figure(12, work, browsers, websockets, 0.35)]


def unmasking_and_memory(plan: Plan) -> list[Figure]:
    """Row 13: taking the mask off 64 KiB, and the memory of a browser that is silent."""
    from netcode.wire.websocket import unmask

    data, key = os.urandom(MASKED), os.urandom(4)
    times = Series()
    for _ in range(max(20, round(200 * plan.seconds))):
        begin = time.perf_counter()
        unmask(data, key)
        times.values.append(time.perf_counter() - begin)

    some, more = plan.clients(300), plan.clients(3000)
    require_connections(some + more)
    with ExitStack() as stack:
        server = start_server(stack, "ours", limits=room_for(some + more), web=True)
        load = start_load(stack, server, "browser", some)
        time.sleep(2 * min(1.2, plan.seconds))
        before = server.ask("memory")
        join(load, server, more)
        time.sleep(2 * min(1.2, plan.seconds))
        grown = server.ask("memory") - before
    each = grown / more / 1024
    return [
        Figure(13, "unmasking 64 KiB", times.median * 1e6, "µs", 100.0, ours=microseconds(times.median)),
        Figure(13, f"memory per silent browser, {more:,} peers", each, "KiB", 2.5, ours=f"{each:.2f} KiB"),
    ]
