"""Both ends of TCP connections on the loopback device."""

import socket

import pytest
from transport_contract import ROUNDS

from netcode.reasons import Reason
from netcode.transport import Connector, Transport
from netcode.transport.tcp import TCP, TcpNetwork
from netcode.transport.tcp_listener import Listener, TcpDoorway
from netcode.transport.tcp_socket import TcpTransport
from netcode.waiting import CustomWaiter, wait

LOOPBACK = "127.0.0.1"


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this computer has no IPv6")


def settle(connector: Connector, now: float = 0.0) -> Transport | Reason:
    """Go on until it is decided, at one moment of its time."""
    for _ in range(ROUNDS):
        result = connector.advance(now)
        if result is not None:
            return result
        read, write, exceptional = connector.descriptors()
        wait(CustomWaiter(read, write, exceptional), timeout=0.1)
    raise AssertionError("it is not decided")


def accept(listener: TcpDoorway) -> TcpTransport:
    for _ in range(ROUNDS):
        newcomer = listener.accept(0.0)
        if newcomer is not None:
            transport = newcomer.advance(0.0)
            assert isinstance(transport, TcpTransport)
            return transport
        wait(CustomWaiter(read=[*listener.doors()]), timeout=0.1)
    raise AssertionError("nobody came")


def connect(listener: Listener, network: TcpNetwork = TCP) -> TcpTransport:
    transport = settle(network.connect(LOOPBACK, listener.address.port, 0.0))
    assert isinstance(transport, TcpTransport)
    return transport
