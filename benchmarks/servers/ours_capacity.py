"""Our echo server with a watch on its frames: how long `update()` takes, and how late the loop comes to a timer."""

import time

from benchmarks.control import Control
from benchmarks.lag import PERIOD, Samples
from benchmarks.servers.ours import open_server
from netcode import Received


def main() -> None:
    """Serve until the parent is gone."""
    control = Control()
    updates, lag = Samples(control, "updates"), Samples(control, "lag")
    server = open_server(control)
    clock = time.perf_counter
    due = clock() + PERIOD
    while True:
        server.wait(max(0.0, due - clock()))
        start = clock()
        if start >= due:
            lag.add(start - due)
            due = start + PERIOD
        server.update()
        updates.add(clock() - start)
        for event in server.events():
            match event:
                case Received(peer, message):
                    peer.send(message)
                case _:
                    pass


if __name__ == "__main__":
    main()
