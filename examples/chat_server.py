"""A chat in the terminal, the server: `python examples/chat_server.py [PORT]`.

A client sends lines; everybody reads them. Ctrl-C tells all of them, and ends.
"""

import sys

import netcode


def main(port: int = 7777) -> None:
    with netcode.Server("", port, game="chat") as server:
        netcode.say(f"the chat is on port {server.address.port}")
        for _ in server.ticks(30, goodbye="the chat closes for today"):
            for event in server.events():
                match event:
                    case netcode.Joined(peer):
                        peer.data = f"guest {peer.id}"
                        server.broadcast(f"{peer.data} is here; {len(server.peers)} in the room")
                    case netcode.Received(peer, str(line)):
                        server.broadcast(f"{peer.data}: {line[:500]}")
                    case netcode.Received(peer, _):
                        peer.close_nicely("a chat takes lines, and nothing else")
                    case netcode.Left(peer, reason):
                        server.broadcast(f"{peer.data} left: {reason}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
