"""Ports for programs that have to be told theirs before they listen."""

import itertools
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

NOT_GIVEN_OUT = range(20_000, 30_000)
"""Below 32768, from where Linux gives ports to clients and to whoever asks for any (macOS and Windows: from 49152)."""

SHARES = 100
"""As many processes have some of them for themselves."""

_order: Iterator[int] = iter(())


def free_port() -> int:
    """Return a port that nobody has, and that no system gives to somebody else until it is used."""
    global _order  # noqa: PLW0603 - a process has one share
    while True:
        port = next(_order, None)
        if port is None:
            _order = itertools.cycle(_share())
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port


def _share() -> list[int]:
    """Return ports that no other process of ours draws before this one has ended; all of them where none can be kept.

    In an order of its own, and not by `random`, which tests seed.
    """
    dice = secrets.SystemRandom()
    try:
        import fcntl

        shares = os.open(Path(tempfile.gettempdir()) / "netcode-ports", os.O_RDWR | os.O_CREAT, 0o666)
    except (ImportError, OSError):
        return dice.sample(NOT_GIVEN_OUT, len(NOT_GIVEN_OUT))
    for number in dice.sample(range(SHARES), SHARES):
        try:
            fcntl.lockf(shares, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)  # until the process ends
        except OSError:
            continue
        mine = NOT_GIVEN_OUT[number::SHARES]
        return dice.sample(mine, len(mine))
    return dice.sample(NOT_GIVEN_OUT, len(NOT_GIVEN_OUT))
