"""What a stream is to those around it: its states, who takes its bytes, who owns it, what it sends, where it lives."""

from collections.abc import Callable, Sized
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeVar

from netcode.diagnostics.mistakes import tell_from_names

S_contra = TypeVar("S_contra", contravariant=True)
"""A stream. `netcode.stream.stream` has the only kind; what it is to others is said before it."""

SCRATCH = 65_536
"""Bytes read from one stream in one update at most."""


ACCEPTS_PER_UPDATE = 64
"""Connects taken in one update at most, so that a flood of them costs a bounded part of the frame."""


class State(Enum):
    """Where a connection, a client or a server is in its life.

    It moves down this list, with one exception: a `Client` whose link broke goes from CONNECTED back to CONNECTING with
    `Away`, and with `Back` it is CONNECTED again. DISCONNECTED is the end of each of them.
    """

    CONNECTING = "connecting"
    """The name is looked up, or an address is being tried. A client also: it is not welcomed yet, or it is away."""
    CONNECTED = "connected"
    """Bytes flow both ways. A client also: it is welcomed. A server: it serves, from the start."""
    DISCONNECTING = "disconnecting"
    """`close_nicely` was called: what is queued is still sent, and what the other end sends still arrives. A connection
    also: the other end has ended its side, and is still sent what was queued before."""
    DISCONNECTED = "disconnected"
    """It is over. A connection and a client have a `reason` that says why."""


tell_from_names("netcode.State", State)


class Receiver(Protocol):
    """Who takes the bytes of a stream as they come, and owns what it has not used yet."""

    believes_ends: ClassVar[bool]
    """Whether a clean end counts: behind a failed write, where it is then looked for at once; and before what is still to
    be sent, which is sent then. Who reads a goodbye out of what came takes a share in each update instead, because that
    may be behind a flood; and without one, the link broke."""

    @property
    def rest(self) -> object | None:
        """What it owns. While this is None, it takes whole scratches, and is not asked for room."""
        ...

    @property
    def hungry(self) -> bool:
        """Whether it goes on with what it owns in the next update, and reads nothing more until then."""
        ...

    @property
    def waits_for_game(self) -> bool:
        """Whether it is of no use to have it go on before the game has taken what it was given."""
        ...

    def has_room(self) -> bool:
        """Tell whether it takes more."""
        ...

    def space(self, scratch: memoryview) -> memoryview | None:
        """Return where to receive to: a part of `scratch`, or room of its own; None if it takes no more.

        `received` follows, or the view is released before anything else.
        """
        ...

    def received(self, room: memoryview, count: int) -> bool:
        """Take the first `count` bytes of `room`: what `space` returned, or a scratch.

        Returns:
            Whether it takes no more for now: it is hungry, or full.
        """
        ...

    def resume(self) -> bool:
        """Go on with what it owns, being hungry; tell the same as `received`."""
        ...


class Owner(Protocol[S_contra]):
    """Whose a stream is: hears of its beginning and its end, and has deadlines of its own."""

    def opened(self, stream: S_contra, /) -> None:
        """Hear that the stream is established."""

    def ended(self, stream: S_contra, /) -> None:
        """Hear that the stream is over."""

    def deadline(self, stream: S_contra, /) -> float:
        """Return when `due` wants to be called; infinity for never."""
        ...

    def due(self, stream: S_contra, now: float, /) -> float:
        """Do what is due at `now`, and return when it wants to be called again."""
        ...


class Source(Protocol):
    """Who gathers what is to be sent, and is asked for it right before it leaves."""

    batch: list[bytes]
    """What was gathered."""

    def collect(self) -> bytes:
        """Hand over what is in the batch, which is not empty."""
        ...

    def collect_apart(self) -> list[bytes]:
        """Hand over the same in chunks, for who queues it and has no use for a copy of what is large."""
        ...


class _Nothing:
    """The source of a stream that nobody gathers for."""

    __slots__ = ("batch",)

    def __init__(self) -> None:
        self.batch: list[bytes] = []

    def collect(self) -> bytes:
        return b""

    def collect_apart(self) -> list[bytes]:
        return []


NOTHING = _Nothing()
"""The source of those who have none."""


class Host(Protocol[S_contra]):
    """Where a stream lives: a set of them, which asks a poller; or nowhere, which is `ALONE`."""

    @property
    def output(self) -> Callable[[S_contra], object]:
        """Hear that the stream has something to send, perhaps again. Often, so it may be the `append` of a list."""
        ...

    @property
    def answer(self) -> Callable[[S_contra], object]:
        """Hear that it has an answer to send that may wait for the next wait, because more may go with it until then."""
        ...

    def forget(self, stream: S_contra, /) -> None:
        """Hear that the stream is over, before its descriptors are closed."""

    def schedule(self, stream: S_contra, when: float, /) -> None:
        """Have the stream looked at when `when` comes, at the latest."""

    def watch(self, stream: S_contra, /) -> None:
        """Hear that the stream waits for something else than before."""

    def hold(self, stream: S_contra, /) -> None:
        """Hear that its receiver takes no more for now; if that is hungry, it is to be resumed in the next update."""

    def tell_again(self, stream: S_contra, /) -> None:
        """Hear that there may be more to receive than was received."""

    def interrupted(self) -> None:
        """Hear that an exception left a call of the stream half-way."""


class Backlog(Protocol):
    """Where what the receivers of a set have received waits for the game."""

    @property
    def beats(self) -> int:
        """Reads so far that brought the game nothing, but only pings."""
        ...

    @property
    def events(self) -> Sized:
        """What has not been taken yet."""
        ...


class _Alone:
    """The host of a stream that somebody updates by itself."""

    __slots__ = ()

    def output(self, stream: Any, /) -> None: ...
    def answer(self, stream: Any, /) -> None: ...
    def forget(self, stream: Any, /) -> None: ...
    def schedule(self, stream: Any, when: float, /) -> None: ...
    def watch(self, stream: Any, /) -> None: ...
    def hold(self, stream: Any, /) -> None: ...
    def tell_again(self, stream: Any, /) -> None: ...
    def interrupted(self) -> None: ...


ALONE = _Alone()
"""The host of those who have none."""
