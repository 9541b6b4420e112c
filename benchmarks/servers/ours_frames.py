"""Our server as a row asks it to work: how long does one frame's `update()` take, and one broadcast?"""

import time

import netcode
from benchmarks.control import Control, Order
from benchmarks.servers.ours import open_server


def rest(server: netcode.Server, seconds: float) -> None:
    """Serve for a while without being measured."""
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        server.wait(left)
        server.update()
        server.events()


def time_updates(server: netcode.Server, count: int) -> list[float]:
    """Return how long each of `count` updates took, in seconds."""
    rest(server, 0.05)
    clock, update = time.perf_counter, server.update
    times: list[float] = []
    for _ in range(count):
        start = clock()
        update()
        times.append(clock() - start)
    server.events()
    return times


def time_broadcasts(server: netcode.Server, size: int, count: int, pause: float) -> list[float]:
    """Return how long each broadcast took, together with the update that sends it, in seconds."""
    message = bytes(size - 3)  # msgpack announces so many bytes with three of its own
    times: list[float] = []
    for _ in range(count):
        rest(server, pause)
        start = time.perf_counter()
        server.broadcast(message)
        server.update()
        times.append(time.perf_counter() - start)
        server.events()
    return times


def obey(server: netcode.Server, order: Order) -> object:
    """Carry out an order of the parent."""
    match order:
        case Order("time_updates", arguments):
            return time_updates(server, **arguments)
        case Order("time_broadcasts", arguments):
            return time_broadcasts(server, **arguments)
        case Order("peers", _):
            return len(server.peers)
        case _:
            raise ValueError(f"this server knows no order «{order.name}»")


def main() -> None:
    """Serve until the parent is gone."""
    control = Control()
    server = open_server(control)
    while True:
        rest(server, 0.01)
        if not control.orders.empty():
            control.answer(obey(server, control.orders.get()))


if __name__ == "__main__":
    main()
