"""Become a program that is not ours, kept to its part of the machine: a child whose settings say `program`."""

import json
import os
import sys

from benchmarks import machine


def main() -> None:
    """Run it in place of this process; it gets the settings as its last argument."""
    settings = json.loads(sys.argv[1])
    machine.keep_to(settings["part"])
    name, *arguments = settings["program"]
    os.execvp(name, [name, *arguments, sys.argv[1]])  # noqa: S606 - no shell, and the program is the benchmark's choice


if __name__ == "__main__":
    main()
