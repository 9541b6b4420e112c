"""For tests, yours included: a clock that you move, and a network in memory that is as bad as you say.

Usage::

    clock = FakeClock()
    network = MemoryNetwork(clock, seed=7, latency=0.1, jitter=0.03)
    server = netcode.Server("server", 7777, network=network, clock=clock)
    client = netcode.Client("server", 7777, network=network, clock=clock)
    play(clock, 60.0, server, client)  # a minute of play, in a moment, the same every time
"""

from netcode.testing.clock import FakeClock, play
from netcode.testing.network import MemoryNetwork

__all__ = ["FakeClock", "MemoryNetwork", "play"]
