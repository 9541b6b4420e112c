"""Our echo server: the whole `netcode.Server`, and a loop that waits.

The game's own part is as cheap as a game can write it, since it is the server that is measured. On Python 3.11, `match`
takes longer than `isinstance`; what that costs is row 2's second line, by `ours_match`.
"""

import netcode
from benchmarks.control import Control
from netcode import Received


def open_server(control: Control) -> netcode.Server:
    """Open a server with the limits that the row asks for, and tell its port."""
    options = {**control.settings.get("limits", {})}
    if control.settings.get("web"):  # which an older checkout beside this one does not know
        options["web"] = True
    server = netcode.Server("127.0.0.1", 0, **options)
    control.ready(port=server.address.port)
    return server


def main() -> None:
    """Serve until the parent is gone."""
    server = open_server(Control())
    while True:
        server.wait()
        server.update()
        for event in server.events():
            if isinstance(event, Received):
                event.peer.send(event.message)


if __name__ == "__main__":
    main()
