"""Multiplayer for games in Python, driven by the game's own loop: begin with `Server` and `Client`."""

from netcode import sync
from netcode.address import Address, make_address, read_address
from netcode.certificate import Certificate
from netcode.client import Client
from netcode.connection import Connection, State, connect, custom
from netcode.connection_set import REFUSE, ConnectionSet
from netcode.console import say
from netcode.discovery import Discovery, FoundGame, discover
from netcode.errors import MessageTooLarge, NetcodeError, ProtocolError
from netcode.events import Away, Back, Event, Joined, Left, Received
from netcode.peer import Peer, Stats
from netcode.reasons import Reason, ReasonCode
from netcode.server import Elsewhere, Refusal, Server
from netcode.site import Web
from netcode.snapshots import Snapshots, blend
from netcode.transport.tcp_listener import Listener
from netcode.waiting import CustomWaiter, Waiter, any_of, wait
from netcode.wire.speed import SPEEDUPS

__all__ = [
    "REFUSE",
    "SPEEDUPS",
    "Address",
    "Away",
    "Back",
    "Certificate",
    "Client",
    "Connection",
    "ConnectionSet",
    "CustomWaiter",
    "Discovery",
    "Elsewhere",
    "Event",
    "FoundGame",
    "Joined",
    "Left",
    "Listener",
    "MessageTooLarge",
    "NetcodeError",
    "Peer",
    "ProtocolError",
    "Reason",
    "ReasonCode",
    "Received",
    "Refusal",
    "Server",
    "Snapshots",
    "State",
    "Stats",
    "Waiter",
    "Web",
    "any_of",
    "blend",
    "connect",
    "custom",
    "discover",
    "make_address",
    "read_address",
    "say",
    "sync",
    "wait",
]
__version__ = "0.1.0"
