"""Row 6: one broadcast to many peers beside a bare loop of `socket.send`."""

from contextlib import ExitStack
from statistics import median

from benchmarks.figures import Figure, Plan, Series, microseconds
from benchmarks.machine import require_connections
from benchmarks.rows.joining import room_for, start_load, start_server

PEERS = 1000
SIZE = 400
BROADCASTS = 20
PAUSE = 0.015
"""Seconds between two broadcasts, in which the clients read the last one."""


def broadcast(plan: Plan) -> list[Figure]:
    """Row 6: `broadcast` of 400 bytes to 1,000 peers and the update that sends it, in time that passes."""
    peers = plan.clients(PEERS)
    require_connections(peers)
    ours, bare = Series(), Series()
    with ExitStack() as stack:
        our_server = start_server(stack, "ours_frames", limits=room_for(peers))
        start_load(stack, our_server, "netcode", peers)
        bare_server = start_server(stack, "bare_broadcast")
        start_load(stack, bare_server, "plain", peers)
        count = max(3, round(BROADCASTS * min(1.0, plan.seconds)))
        for _ in range(plan.rounds):
            for series, server in ((ours, our_server), (bare, bare_server)):
                series.values.append(median(server.ask("time_broadcasts", size=SIZE, count=count, pause=PAUSE)))
    work = f"broadcast of {SIZE} bytes to {peers:,} peers, against bare sends"
    return [Figure(6, work, ours.over(bare), "×", 1.3, ours=microseconds(ours.median), other=microseconds(bare.median))]
