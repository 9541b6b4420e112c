"""What tests look at inside an end: the one place that knows where it is kept."""

from typing import Any

from netcode import Client, Connection, Peer, Server
from netcode.client import guest_of
from netcode.connection import stream_of
from netcode.loop.engine import Engine
from netcode.peer import session_of
from netcode.session.inbox import Inbox
from netcode.session.link import Link
from netcode.session.resend import ResendQueue
from netcode.session.session import Session
from netcode.stream.stream_set import StreamSet
from netcode.transport import Doorway, Transport

__all__ = ["guest_of", "session_of", "stream_of"]


def transport_of(connection: Connection[Any]) -> Transport:
    """Return what carries the bytes of a connection."""
    transport = stream_of(connection).transport
    assert transport is not None
    return transport


def has_link(end: Client | Peer) -> bool:
    """Tell whether there is a link."""
    return (guest_of(end) if isinstance(end, Client) else session_of(end)).link is not None


def link_of(end: Client | Peer) -> Link:
    """Return the link over which a client reaches its server, or a server a peer."""
    link = (guest_of(end) if isinstance(end, Client) else session_of(end)).link
    assert isinstance(link, Link)
    return link


def peer_of(client: Client) -> Peer:
    """Return the server, as a client knows it before it is welcomed, too."""
    return client._peer


def engine_of(end: Client | Server) -> Engine:
    """Return what notices interrupts."""
    return end._engine


def inbox_of(end: Client | Server) -> Inbox[Any]:
    """Return where events wait."""
    return end._inbox


def links_of(server: Server) -> StreamSet[Link]:
    """Return the links at a server, those at the door included."""
    return server._links


def doorway_of(server: Server) -> Doorway:
    """Return what a server listens with."""
    return server._door.doorway


def resend_of(peer: Peer) -> ResendQueue:
    """Return what was sent to a peer and not acknowledged."""
    return session_of(peer).outbox.resend


def origins_of(server: Server) -> dict[str, int]:
    """Return how many links there are from where."""
    return server._door.origins


def crowd_of(server: Server) -> set[Link]:
    """Return the links above what one address may have."""
    return server._door.crowd


def arrivals_of(server: Server) -> list[Any]:
    """Return who has greeted and is not let in yet."""
    return server._door.arrivals


def linked_at(server: Server) -> int:
    """Return how many peers have a link."""
    return server._seats.linked


def keys_of(server: Server) -> dict[bytes, Session]:
    """Return who can come back, by the keys of their tokens."""
    return server._seats.by_key


def fresh_of(server: Server) -> list[Session]:
    """Return who may not know yet that it is in."""
    return [*server._seats._fresh]


def graces_of(server: Server) -> Any:
    """Return when seats are given up."""
    return server._seats.graces
