"""Where events wait for the game, and what has been made of messages: bounded, and nothing is lost that was not reached."""

import math
from collections.abc import Iterable, Iterator
from itertools import compress, islice, repeat
from operator import length_hint
from typing import Any, Generic, Protocol, SupportsIndex, TypeVar, overload

from netcode.diagnostics import log
from netcode.diagnostics.advice import OFTEN, PATIENCE, advise
from netcode.loop.budget import Budget

E = TypeVar("E")

LONG_PAUSE = 30.0
"""Seconds for which a game that takes its events may leave them before the log says so."""

EVENT_SIZE = 256
"""Bytes for which an event without a message counts."""

MANY = 64
"""Loops over one list of events, and looks at one event, of which each is known: who keeps a list and reads it in each
frame is no reason to keep ever more."""


T = TypeVar("T")


class About(Protocol[T]):
    """Whom events are about."""

    told: T
    """What the game was told last of it, messages apart."""


class Sender(Protocol):
    """Whose messages are delivered."""

    @property
    def peer(self) -> Any:
        """What the game knows of it."""
        ...

    received: int
    """How many messages came from it."""


_make: Any = vars(tuple)["__new__"]
"""The constructor of the tuple that `Received` is. It takes half the time of its own."""

_iterate = list[Any].__iter__
_item: Any = list[Any].__getitem__


class Batch(list[E]):
    """Events as they are taken: a list that remembers who reads it, and how far.

    It hands out the iterators of a list, so reading it costs what reading a list costs. What is read in another way is
    noted, for the case that a loop, as that of `any(...)`, was left in the middle before.
    """

    __slots__ = ("handed", "readers")

    readers: list[Iterator[E]]
    """Its iterators so far; given by who makes it, because this runs once a frame."""
    handed: list[E]
    """What was read by other ways; given by who makes it, too."""

    def __iter__(self) -> Iterator[E]:
        iterator: Iterator[E] = _iterate(self)
        readers = self.readers
        if readers and len(readers) > MANY:  # the newest are those that may still go on
            readers[: -MANY // 2] = [min(readers, key=length_hint)]
        readers.append(iterator)
        return iterator

    def __reversed__(self) -> Iterator[E]:
        for event in super().__reversed__():
            self._hand([event])
            yield event

    @overload
    def __getitem__(self, at: SupportsIndex, /) -> E: ...
    @overload
    def __getitem__(self, at: slice, /) -> list[E]: ...
    def __getitem__(self, at: Any, /) -> Any:
        found: Any = _item(self, at)
        self._hand(found if isinstance(at, slice) else [found])
        return found

    def __delitem__(self, at: SupportsIndex | slice, /) -> None:
        count = len(self)
        places = [count - length_hint(reader) for reader in self.readers]
        super().__delitem__(at)
        gone = range(count)[at] if isinstance(at, slice) else (range(count)[at],)
        # A loop over a list leaves one out for each that is taken away behind its back, and nobody would hear of that.
        for reader, place in zip(self.readers, places, strict=True):
            moved: Any = reader
            moved.__setstate__(place - sum(one < place for one in gone))

    def __add__(self, other: Any, /) -> Any:
        return self.copy() + other

    def __radd__(self, _other: Any, /) -> Any:
        if self.readers:
            self._hand(_iterate(self))
        return NotImplemented  # a list adds it as any list, and with += in place, as it must stay the same one

    def __contains__(self, event: object, /) -> bool:
        return self.count(event) > 0

    def copy(self) -> list[E]:
        return self[:]

    def index(self, event: Any, /, *where: SupportsIndex) -> int:
        at = super().index(event, *where)
        self._hand([_item(self, at)])
        return at

    def count(self, event: object, /) -> int:
        equal = [one for one in _iterate(self) if one == event]
        self._hand(equal)
        return len(equal)

    def pop(self, at: SupportsIndex = -1, /) -> E:
        event: E = _item(self, at) if self else super().pop()  # which says that it is empty
        del self[at]
        return event

    def remove(self, event: Any, /) -> None:
        del self[super().index(event)]

    def __reduce__(self) -> Any:
        """Be a plain list where it is copied or pickled."""
        return list, ([*self],)

    def _hand(self, events: Iterable[E]) -> None:
        """Note what is read in another way than by a loop; each event once, where that has become much."""
        handed = self.handed
        handed += events
        if len(handed) > 2 * len(self) + MANY:
            known = {*map(id, handed)}
            handed[:] = [event for event in _iterate(self) if id(event) in known]


class Inbox(Generic[E]):
    """Events that the game has not taken yet, and how many bytes more may come before it does.

    What it has taken and begun to read, but not reached, because it raised or left the loop, is still here.
    """

    __slots__ = (
        "_asked", "_fresh", "_handed", "_left_over", "_owed", "_rounds", "_since", "_told", "beats", "budget", "events", "limit", "message", "readers", "room",
    )  # fmt: skip

    def __init__(self, limit: int, message: type[E], budget: Budget | None = None) -> None:
        self.limit = limit
        self.message = message
        """What is made of a message: a kind of named tuple of whose it is, and the message."""
        self.budget = Budget(math.inf) if budget is None else budget  # none where there is but one peer
        self._asked = self._told = False
        self._fresh = False  # they were taken since the last update that found some
        self._left_over = 0  # events that the last update found untaken
        self._rounds = 0  # updates in a row that found some
        self._since = 0.0
        self.events: Batch[E] = Batch()
        self.events.readers, self.events.handed = [], []
        self.readers: list[Iterator[E]] = []
        """Who reads what was taken last."""
        self._handed: list[E] = []  # what was read of it otherwise
        self.room = limit
        """Bytes; what brings it below 0 still comes, and nothing after that."""
        self._owed = 0  # bytes of what was taken last, which count again as long as some of that was not reached
        self.beats = 0
        """Reads so far that brought nothing but pings and their answers."""

    def put(self, event: E, about: About[T], told: T) -> None:
        """Add an event that is no message, and note what the game was told with it."""
        self.room -= EVENT_SIZE
        about.told = told  # nothing can come between this and the next
        self.events.append(event)

    def deliver(self, messages: list[Any], sender: Sender) -> None:
        """Add messages of `sender`, and count them there. What they take of the room is for the caller to say."""
        count, received = len(messages), map(_make, repeat(self.message), zip(repeat(sender.peer), messages))
        sender.received += count  # nothing can come between this and the next
        self.events.extend(received)

    def is_full(self) -> bool:
        """Tell whether no more should come in until the game has taken what is there."""
        return self.room < 0

    def has_news(self) -> bool:
        """Tell whether there is what the game has not had a chance to take: not what it left in an earlier round."""
        read = self.readers
        return len(self.events) > (0 if self._fresh else self._left_over) or bool(
            read and length_hint(read[0]) and self.unread()
        )

    def leave(self, now: float, of: str) -> None:
        """Hear, before an update of `of`, that the game has left events, and tell a game that forgot to take them.

        A warning is for who has never taken any. Who pauses for long may mean it, and is told by the log.
        """
        self._note_taking()
        if not self._rounds:
            self._since = now
        self._rounds += 1
        self._left_over = len(self.events)
        if self._told or self._rounds < OFTEN or now - self._since < (LONG_PAUSE if self._asked else PATIENCE):
            return
        self._told = True
        text = (
            f"{of}.events() has not been called for {now - self._since:.0f} seconds, and {self._left_over} events wait: "
            f"take them after each update, for event in {of}.events(), or in time nothing more is read"
        )
        if self._asked:
            log.warn("events", "%s", text)
        else:
            advise(text)

    def excuse(self) -> None:
        """Hear that events are left on purpose, until they are taken again."""
        self._note_taking()
        self._told = True

    def _note_taking(self) -> None:
        """Take note, once it matters, that the game has taken events since."""
        if self._fresh:
            self._asked, self._fresh, self._told = True, False, False
            self._left_over = self._rounds = 0

    def unread(self) -> int:
        """Return how many events were taken and not reached by a loop that had begun with them."""
        return sum(self._ahead()[1])

    def _ahead(self) -> tuple[Iterator[E], list[bool]]:
        """Return who has read furthest, and of each event before it whether it was not read otherwise either."""
        furthest: Any = min(self.readers, key=length_hint, default=iter(()))
        if not length_hint(furthest):
            return furthest, []
        handed = {*map(id, self._handed)}
        _, (batch,), reached = furthest.__reduce__()
        return furthest, [id(event) not in handed for event in islice(_iterate(batch), reached, None)]

    def take(self) -> list[E]:
        """Take out everything, what was not reached the last time first."""
        self._fresh = True
        read = self.readers
        rest: Iterator[E] | None = None
        if read and length_hint(read[0]):
            furthest, left = self._ahead()
            rest = compress(furthest, left) if any(left) else None
        if rest is None and not self.events:
            self.room = self.limit
            return []
        events, fresh = self.events, Batch[E]()
        fresh.readers, fresh.handed, events.handed = [], [], []  # those of us who looked at the last one do not count
        # Without a call in between, nothing comes in between: it is here, or with the game.
        if rest is not None:
            events[:0] = rest
            self.room -= self._owed
            self._owed = 0
        else:
            self._owed = self.limit - self.room
            self.room = self.limit
        self.readers, self._handed = events.readers, events.handed
        self.events = fresh
        return events
