"""The byte layer alone, the client: types lines to the echo: `python examples/echo_client.py [PORT]`.

The verbs of `netcode.sync` wait until they are done: for scripts, tools and tests, not for a game's loop.
"""

import contextlib
import sys

import netcode.sync


def main(port: int = 7777) -> None:
    connection = netcode.sync.connect("127.0.0.1", port)
    for typed in sys.stdin.buffer:
        line = typed.rstrip(b"\n") + b"\n"  # the last one of a file may have no end
        netcode.sync.send(connection, line)
        answer = netcode.sync.receive(connection, len(line))
        if answer is None:
            break
        netcode.say(answer[:-1].decode(errors="replace"))
    netcode.sync.close_nicely(connection)
    netcode.say(connection.reason)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(*map(int, sys.argv[1:]))
