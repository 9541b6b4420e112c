"""Two programs over pipes, the one that guesses: `python examples/pipes.py`.

It starts the other one, and talks to its standard input and output. (Not on Windows, which cannot wait for pipes.)
"""

import subprocess
import sys
from pathlib import Path

import netcode


def ask(thinker: netcode.Connection[None], guess: int) -> bytes | None:
    """Ask whether the number is above `guess`: b"y", b"n", or None if nobody is there any more."""
    thinker.send(guess.to_bytes(2))
    while (answer := thinker.receive(1)) is None and thinker.alive:
        netcode.wait(thinker)
        thinker.update()
    return answer


def main() -> None:
    command = [sys.executable, str(Path(__file__).with_name("pipes_child.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        thinker = netcode.custom(input=child.stdout, output=child.stdin)
        low, high = 1, 1000
        while low < high:
            middle = (low + high) // 2
            answer = ask(thinker, middle)
            netcode.say(f"is it above {middle}?", "yes" if answer == b"y" else "no")
            low, high = (middle + 1, high) if answer == b"y" else (low, middle)
        netcode.say(f"it is {low}")
        thinker.close()


if __name__ == "__main__":
    main()
