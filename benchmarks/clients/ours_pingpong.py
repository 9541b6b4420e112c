"""Our end of a ping-pong: a `netcode.Client` that waits for the answer to each message."""

import time

import netcode
from benchmarks.control import Control
from netcode import Joined, Received


def await_event(client: netcode.Client, kind: type[object]) -> None:
    """Update and wait until an event of this kind comes."""
    while True:
        client.update()
        if any(isinstance(event, kind) for event in client.events()):
            return
        if client.reason is not None:
            raise ConnectionError(str(client.reason))
        client.wait()


def time_exchanges(client: netcode.Client, message: object, count: int) -> list[float]:
    """Return how long each exchange took, in seconds."""
    times: list[float] = []
    for _ in range(count):
        start = time.perf_counter()
        client.send(message)
        await_event(client, Received)
        times.append(time.perf_counter() - start)
    return times


def main() -> None:
    """Exchange messages when asked."""
    control = Control()
    client = netcode.Client("127.0.0.1", control.settings["port"])
    await_event(client, Joined)
    control.ready()
    while True:
        client.wait(0.01)
        client.update()
        client.events()
        if not control.orders.empty():
            control.answer(time_exchanges(client, **control.orders.get().arguments))


if __name__ == "__main__":
    main()
