"""Our server of tables over PostgreSQL, in the loop of `serve`, which notes how long each update takes."""

import time
from typing import Any

from benchmarks.control import Control
from benchmarks.turns import example
from netcode.turns import Server
from netcode.turns.server import BREATH, SHARE


def main() -> None:
    """Serve until the parent is gone."""
    control = Control()
    settings = control.settings
    took: list[float] = []
    limits: dict[str, Any] = {"max_peers": 2_200, "max_peers_per_address": 2_200, "max_pending": 2_200}
    server = Server(
        example(settings["game"]),
        host="127.0.0.1",
        port=0,
        store=settings["store"],
        moves_per_second=1e9,
        **limits,
    )

    def durations() -> list[float]:
        """Return how long each update took since the last look."""
        nonlocal took
        seen, took = took, []
        return seen

    control.at_any_time("durations", durations)
    control.at_any_time("stats", lambda: server.stats()._asdict())
    control.ready(port=server.address.port)
    while True:
        server.wait(BREATH)
        began = time.perf_counter()
        server.update()
        lasted = time.perf_counter() - began
        took.append(lasted)
        if lasted < SHARE:  # else something was left to do
            time.sleep(BREATH)


if __name__ == "__main__":
    main()
