"""Row 7: the throughput of messages of 1 MiB to and from one peer, beside `sendall` and `recv_into`."""

from contextlib import ExitStack

from benchmarks.children import Child
from benchmarks.figures import Figure, Plan, Series
from benchmarks.rows.joining import start_server

SIZE = 1 << 20
LIMITS = {"max_message": 2 * SIZE, "max_queue": 16 * SIZE}


def _pair(stack: ExitStack, program: str, **settings: object) -> tuple[Child, Child]:
    server = start_server(stack, program, size=SIZE, **settings)
    client = Child(f"servers.{program}", part="load", size=SIZE, port=server.facts["port"], **settings)
    return server, stack.enter_context(client)


def _throughput(sender: Child, receiver: Child, seconds: float) -> float:
    """Return messages per second, counted by the receiver."""
    receiver.tell("receive", seconds=seconds)
    sender.tell("send", seconds=seconds + 0.3)
    rate: float = receiver.answer()
    sender.answer()
    return rate


def large_messages(plan: Plan) -> list[Figure]:
    """Row 7: both ends ours, in each direction, beside both ends bare."""
    figures: list[Figure] = []
    with ExitStack() as stack:
        our_server, our_client = _pair(stack, "ours_bulk", limits=LIMITS)
        bare_server, bare_client = _pair(stack, "bare_bulk")
        for way, ours, bare in (
            ("to the server", (our_client, our_server), (bare_client, bare_server)),
            ("to the client", (our_server, our_client), (bare_server, bare_client)),
        ):
            ours_rate, bare_rate = Series(), Series()
            for _ in range(plan.rounds):
                ours_rate.values.append(_throughput(*ours, plan.seconds))
                bare_rate.values.append(_throughput(*bare, plan.seconds))
            texts = [f"{rate.median:,.0f} MiB/s" for rate in (ours_rate, bare_rate)]
            work = f"messages of 1 MiB {way}, against bare sockets"
            figures.append(Figure(7, work, ours_rate.over(bare_rate), "×", 0.7, False, *texts))
    return figures
