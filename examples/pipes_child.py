"""Two programs over pipes, the one that thinks of a number: started by `pipes.py`."""

import random
import sys

import netcode


def main() -> None:
    number = random.randint(1, 1000)
    print(f"(thinks of {number})", file=sys.stderr)
    guesser = netcode.custom(input=sys.stdin, output=sys.stdout)
    while guesser.alive:
        netcode.wait(guesser)
        guesser.update()
        guess = guesser.receive(2)
        if guess is not None:
            guesser.send(b"y" if number > int.from_bytes(guess) else b"n")


if __name__ == "__main__":
    main()
