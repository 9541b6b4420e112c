"""A server's part of its sessions: its links, seats and door together, and how all of it ends or is made whole again."""

from collections.abc import Callable
from typing import Protocol

from netcode.diagnostics.advice import advise_child
from netcode.reasons import Reason, ReasonCode, closed_here
from netcode.session.door import Door
from netcode.session.link import Link
from netcode.session.seats import Seats
from netcode.stream.contract import State
from netcode.stream.stream_set import StreamSet
from netcode.transport import abandon


class Announced(Protocol):
    """What others on the local network are told."""

    def close(self) -> None:
        """Take it back."""

    def abandon(self) -> None:
        """Say nothing any more, and take nothing back."""


class Hosting:
    """Whether a server serves, and the only writer of that.

    Args:
        over: called when all is closed.
    """

    seats: Seats
    door: Door

    def __init__(self, links: StreamSet[Link], over: Callable[[], None]) -> None:
        self.state = State.CONNECTED
        self.announcer: Announced | None = None
        self._links = links
        self._over = over
        self._goodbye = ""
        self._orphaned = False  # whether to say in an update that this is a child of the process that it belongs to

    def until_due(self) -> float | None:
        """Return in how many seconds a grace is over or the door has something to do."""
        if self.door.has_work():
            return 0.0
        grace, opening = self.seats.graces.next(), self.door.doorway.due()
        if grace is None and opening is None:
            return None
        return self._links.timeline.until(min(when for when in (grace, opening) if when is not None))

    def leave(self, text: str) -> None:
        """Stop listening, and say goodbye to everybody; the first text wins."""
        if self.state is State.CONNECTED:
            self._goodbye = text
            self.state = State.DISCONNECTING
        self.seats.are_kept = False
        self._stop_listening()
        engine, text = self._links.engine, self._goodbye
        reason = Reason(ReasonCode.SHUTDOWN, text or "server is shutting down")
        for link in self._links:
            engine.stepping = link.stream
            if link.session is not None and link.session.link is link:
                link.say_goodbye(reason, reason.text)
            else:
                link.fail(reason)
        engine.stepping = None
        for session in self.seats:
            if session.away:
                self.seats.drop(session, closed_here(text))

    def close(self) -> None:
        """Close everything."""
        self.state = State.DISCONNECTING
        self.seats.are_kept = False
        reason, engine = Reason(ReasonCode.SHUTDOWN, "server is shutting down"), self._links.engine
        for link in self._links:
            engine.stepping = link.stream
            link.cut(reason)
        engine.stepping = None
        for session in self.seats:
            self.seats.drop(session, closed_here())
        self._stop_listening()
        self.shut()

    def shut(self) -> None:
        """Be over: nobody is left."""
        self._links.close()
        self.state = State.DISCONNECTED
        self._over()

    def updated_in_vain(self) -> None:
        """Hear that an update found all closed: tell a forked child why."""
        if self._orphaned:
            self._orphaned = False
            advise_child("server")

    def recover(self) -> None:
        """Bring everything in line with what is, after an exception left something half-way."""
        self._links.recover()
        links = [link for link in self._links if link.stream.alive]
        for link in links:
            lost = link.session is not None and link.session.link is not link and link.reason is None
            if lost or link.is_half_closed:  # its session was about to get another one, or it was about to say goodbye
                link.stream.break_off()
        self.seats.settle()
        self.door.count_anew()

    def abandon(self) -> None:
        """Be over in a child of the process that made it."""
        self.state = State.DISCONNECTED
        self._orphaned = True
        self._links.closed = True
        self._links.abandon()
        abandon(self.door.doorway)
        if self.announcer is not None:
            self.announcer.abandon()
        self.seats.abandon()

    def _stop_listening(self) -> None:
        self.door.close()
        if self.announcer is not None:
            self.announcer.close()
