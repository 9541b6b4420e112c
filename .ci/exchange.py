"""Use the installed package the way a game does: a server and a client in one loop, one message there and back."""

import sysconfig
import time
from pathlib import Path

import netcode

installed = Path(netcode.__file__).parent
assert installed.is_relative_to(sysconfig.get_paths()["platlib"]), f"netcode came from {installed}"
assert (installed / "py.typed").exists(), "the wheel has lost its types"

answers: list[object] = []
deadline = time.monotonic() + 60
with (
    netcode.Server("127.0.0.1", 0, game="exchange") as server,
    netcode.Client("127.0.0.1", server.address.port, game="exchange") as client,
):
    client.send({"hello": [1, 2.5, None, b"bytes"]})
    while not answers:
        assert time.monotonic() < deadline, f"no answer in a minute; the client is {client.state}: {client.reason}"
        netcode.wait(server, client, timeout=0.1)
        server.update()
        for event in server.events():
            match event:
                case netcode.Received(peer, message):
                    peer.send(message)
                case _:
                    pass
        client.update()
        answers += [event.message for event in client.events() if isinstance(event, netcode.Received)]
assert answers == [{"hello": [1, 2.5, None, b"bytes"]}], answers
print(f"netcode {netcode.__file__} works")
