"""A server and clients as processes of their own, for tests that stop, kill and terminate them.

The server is what the README recommends: SIGTERM closes nicely, a second one closes now.
"""

import os
import signal
import sys
from types import FrameType

import netcode


def serve() -> None:
    """Serve until told to stop: the first time nicely, the second time at once."""
    with netcode.Server("127.0.0.1", 0, close_timeout=5.0) as server:

        def stop(number: int, frame: FrameType | None) -> None:
            if server.state is netcode.State.CONNECTED:
                server.close_nicely("server is shutting down")
            else:
                server.close()

        signal.signal(signal.SIGTERM, stop)
        print(f"process {os.getpid()} listening on {server.address.port}", flush=True)
        while server.state is not netcode.State.DISCONNECTED:
            server.wait(0.05)
            server.update()
            for event in server.events():
                match event:
                    case netcode.Joined(peer):
                        print(f"joined {peer.id}", flush=True)
                    case netcode.Received(peer, message):
                        peer.send(message)
                    case netcode.Left(peer, reason):
                        print(f"left {peer.id} {reason.code.name}", flush=True)
    print("over", flush=True)


if __name__ == "__main__":
    {"serve": serve}[sys.argv[1]]()
