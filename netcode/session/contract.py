"""What a link is to those around it: who hears what its reader read, and whose it is."""

from typing import Any, Protocol, TypeVar

from netcode.limits import Limits
from netcode.reasons import Reason
from netcode.session.meter import Meter
from netcode.session.session import Session
from netcode.stream.stream import Stream
from netcode.wire.protocol import Bye, Hello, Welcome

L_contra = TypeVar("L_contra", contravariant=True)
"""A link. `netcode.session.link` has the only kind; what it is to others is said before it."""


class Ear(Protocol):
    """The link that hears what was read."""

    stream: Stream
    limits: Limits
    meter: Meter
    reason: Reason | None
    """Why it is over; None while it is not."""

    @property
    def now(self) -> float:
        """The time of the present update."""
        ...

    def hear(self, control: Hello | Welcome | Bye) -> None:
        """Hear a greeting or a goodbye. Raises `ProtocolError` if it is not acceptable."""

    def reply(self, session: Session) -> None:
        """Answer what was just received: a ping, or so much that it has to be acknowledged."""

    def fail(self, reason: Reason, told: str = "") -> None:
        """End the link for `reason`."""


class LinkOwner(Protocol[L_contra]):
    """The client or server that a link belongs to."""

    def greeted(self, link: L_contra, greeting: Hello | Welcome, /) -> None:
        """Hear the first frame of the other end. Raises `ProtocolError` if it is not acceptable."""

    def link_opened(self, link: L_contra, /) -> None:
        """Hear that bytes can be sent."""

    def link_over(self, link: L_contra, /) -> None:
        """Hear that no more messages will come; `link.reason` says why. Said once."""

    def link_gone(self, link: L_contra, /) -> None:
        """Hear that the connection is closed. Said once, after `link_over` or right before it."""


class _Nobody:
    """The owner of a link that has let go of it, and may be forgotten before it."""

    __slots__ = ()

    def greeted(self, link: Any, greeting: Hello | Welcome, /) -> None: ...
    def link_opened(self, link: Any, /) -> None: ...
    def link_over(self, link: Any, /) -> None: ...
    def link_gone(self, link: Any, /) -> None: ...


NOBODY = _Nobody()
"""The owner of links that have none any more."""
