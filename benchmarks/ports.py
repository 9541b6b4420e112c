"""Ports for programs that have to be told theirs before they listen."""

import itertools
import secrets
import socket

NOT_GIVEN_OUT = range(20_000, 30_000)
"""Below 32768, from where Linux gives ports to clients and to whoever asks for any (macOS and Windows: from 49152)."""

# In an order of its own for each process, so that two hardly ever draw the same; and not by `random`, which tests seed.
_order = itertools.cycle(secrets.SystemRandom().sample(NOT_GIVEN_OUT, len(NOT_GIVEN_OUT)))


def free_port() -> int:
    """Return a port that nobody has, and that no system gives to somebody else until it is used."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("", port := next(_order)))
            except OSError:
                continue
            return port
