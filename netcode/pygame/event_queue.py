"""What a client or a server tells, as events in pygame's own queue, for a game that has one loop over all of them."""

from collections import deque
from typing import Protocol

import pygame

from netcode.events import Away, Back, Event, Joined, Left, Received

FIRST = pygame.NUMEVENTS - 64
"""The first type. Games and tutorials count theirs from `USEREVENT` up, and so does `custom_type()`."""

JOINED = FIRST
"""The type of a pygame event with `peer`."""
RECEIVED = FIRST + 1
"""The type of a pygame event with `peer` and `message`."""
AWAY = FIRST + 2
"""The type of a pygame event with `peer` and `reason`."""
BACK = FIRST + 3
"""The type of a pygame event with `peer`."""
LEFT = FIRST + 4
"""The type of a pygame event with `peer` and `reason`."""

_TYPES: dict[type, int] = {Joined: JOINED, Received: RECEIVED, Away: AWAY, Back: BACK, Left: LEFT}


class Teller(Protocol):
    """A client or a server, also one of `netcode.turns`."""

    def update(self) -> None:
        """Do what can be done now."""
        ...

    def events(self) -> list[Event]:
        """Take the events since the last call."""
        ...


class EventQueue:
    """Puts what a client or a server tells into pygame's queue.

    Call `update()` once a frame, in the place of `client.update()`, before `pygame.event.get()`. Nothing is lost where
    pygame's queue is full: the rest follows in the next frame. Types that the game blocks in that queue do not come.
    """

    def __init__(self, end: Teller) -> None:
        self._end = end
        self._waiting: deque[Event] = deque()

    def update(self) -> None:
        """Update the client or server, and post what it tells. Never blocks."""
        self._end.update()
        self._waiting.extend(self._end.events())
        while self._waiting:
            event = self._waiting[0]
            try:
                pygame.event.post(pygame.event.Event(_TYPES[type(event)], event._asdict()))
            except pygame.error:
                return  # the queue is full
            self._waiting.popleft()
