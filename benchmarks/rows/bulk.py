"""Row 7: the throughput of messages of 1 MiB to and from one peer, beside `sendall` and `recv_into`.

Whoever delivers `bytes` copies what came once; so one of those beside us does, too.
"""

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
        copy_server, copy_client = _pair(stack, "bare_bulk", copies=True)
        for way, *pairs in (
            ("to the server", (our_client, our_server), (bare_client, bare_server), (copy_client, copy_server)),
            ("to the client", (our_server, our_client), (bare_server, bare_client), (copy_server, copy_client)),
        ):
            rates = [Series() for _ in pairs]
            for _ in range(plan.rounds):
                for pair, rate in zip(pairs, rates, strict=True):
                    rate.values.append(_throughput(*pair, plan.seconds))
            ours = rates[0]
            for rate, against, bar in ((rates[1], "bare sockets", 0.7), (rates[2], "those and one copy", 0.75)):
                texts = [f"{one.median:,.0f} MiB/s" for one in (ours, rate)]
                work = f"messages of 1 MiB {way}, against {against}"
                figures.append(Figure(7, work, ours.over(rate), "×", bar, False, *texts))
    return figures
