"""Our server of turn-based games, as `serve` runs it: every move is on the disk before anybody is told."""

from benchmarks.control import Control
from benchmarks.turns import example
from netcode.turns import Server, serve


def main() -> None:
    """Serve until the parent is gone."""
    control = Control()
    settings = control.settings

    def started(server: Server) -> None:
        control.ready(port=server.address.port)

    serve(
        example(settings["game"]),
        host="127.0.0.1",
        port=0,
        store=settings["store"],
        started=started,
        moves_per_second=1e9,
        max_peers_per_address=1_000,
    )


if __name__ == "__main__":
    main()
