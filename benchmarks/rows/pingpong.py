"""Row 8: one message there and back through `wait()`, beside two bare blocking sockets."""

from contextlib import ExitStack
from statistics import median

from benchmarks.children import Child
from benchmarks.figures import Figure, Plan, Series, microseconds
from benchmarks.rows.echo import MESSAGE
from benchmarks.rows.joining import start_server

EXCHANGES = 3000


def ping_pong(plan: Plan) -> list[Figure]:
    """Row 8: the median time of an exchange, both ends ours, in two processes."""
    ours, bare = Series(), Series()
    with ExitStack() as stack:
        pairs: list[tuple[Series, Child]] = []
        for series, server_program, client_program in (
            (ours, "ours", "ours_pingpong"),
            (bare, "bare_pingpong", "bare_pingpong"),
        ):
            server = start_server(stack, server_program)
            client = Child(f"clients.{client_program}", part="load", port=server.facts["port"])
            pairs.append((series, stack.enter_context(client)))
        count = max(50, round(EXCHANGES * min(1.0, plan.seconds)))
        for _ in range(plan.rounds):
            for series, client in pairs:
                series.values.append(median(client.ask("exchange", message=MESSAGE, count=count)))
    work = "ping-pong through wait(), p50, against bare blocking sockets"
    return [Figure(8, work, ours.over(bare), "×", 2.0, ours=microseconds(ours.median), other=microseconds(bare.median))]
