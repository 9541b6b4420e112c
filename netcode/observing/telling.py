"""Tells a server's game what happens, and those who look on."""

from typing import Any

from netcode.events import Event, Teller
from netcode.observing import Observer
from netcode.peer import Peer
from netcode.reasons import Reason
from netcode.session.inbox import Inbox
from netcode.session.session import Session, Told
from netcode.wire.codec import Codec


class ServerTeller(Teller):
    """Tells the game, and those who look on."""

    def __init__(self, inbox: Inbox[Event], codec: Codec, observers: list[Observer]) -> None:
        super().__init__(inbox)
        self._codec = codec
        self._observers = observers

    def make_peer(self, session: Session, data: Any) -> None:
        """Make what stands for it in events."""
        Peer(session, self._codec).data = data

    def joined(self, session: Session) -> None:
        super().joined(session)
        for observer in self._observers:
            observer.came()

    def left(self, session: Session, reason: Reason) -> None:
        if session.told is not Told.NOTHING:
            super().left(session, reason)

    def gone(self, session: Session, reason: Reason) -> None:
        """Hear that its seat is free."""
        for observer in self._observers:
            observer.went(session.peer, reason)

    def turned_away(self, reason: Reason) -> None:
        """Hear that a link ended before it was anybody's."""
        for observer in self._observers:
            observer.turned_away(reason)
