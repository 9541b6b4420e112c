"""A chat in the terminal, the client: `python examples/chat.py [HOST [PORT]]`. Ctrl-D leaves.

The keyboard waits in the same loop as the network; not on Windows, which cannot wait for a terminal.
"""

import os
import sys

import netcode

KEYBOARD = netcode.CustomWaiter(read=[sys.stdin])


def main(host: str = "localhost", port: str = "7777") -> None:
    client = netcode.Client(host, int(port), game="chat")
    typing = True
    for _ in client.ticks(30, goodbye="went home"):
        for event in client.events():
            if isinstance(event, netcode.Received):
                netcode.say(event.message)
        if typing and netcode.wait(KEYBOARD, timeout=0):
            typed = os.read(sys.stdin.fileno(), 4096).decode(errors="replace")
            for line in typed.splitlines():
                client.send(line)
            if not typed:
                typing = False
                client.close_nicely("went home")
    netcode.say(client.reason)


if __name__ == "__main__":
    main(*sys.argv[1:])
