"""The contract of a local network, and who fulfils it."""

from netcode.lan import Lan
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport.tcp import TCP


def test_a_network_that_can_announce_is_a_lan() -> None:
    assert isinstance(MemoryNetwork(FakeClock()), Lan)
    assert not isinstance(TCP, Lan)
