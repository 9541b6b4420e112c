"""What a client or a server tells, as events in pygame's own queue, for a game that has one loop over all of them."""

from collections import deque

import pygame

from netcode.client import Client
from netcode.diagnostics.calls import explain_update
from netcode.events import Away, Back, Event, Joined, Left, Received
from netcode.server import Server

FIRST = 65_471
"""The first type, 64 below `pygame.NUMEVENTS`: games and tutorials count theirs from `USEREVENT` up, as `custom_type()` does."""

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


class EventQueue:
    """Puts what a client or a server tells into pygame's queue.

    Call `update()` once a frame, in the place of `client.update()`, before `pygame.event.get()`. Nothing is lost where
    pygame's queue is full, or is not there before `pygame.init()` and after `pygame.quit()`: the rest follows in a later
    frame. Types that the game blocks in that queue do not come.
    While messages lie in that queue, as in a loading screen that does not call `pygame.event.get()`, no more events follow:
    once the client holds `max_backlog` bytes of them, it reads no more.
    It takes the events: who calls `client.events()` beside it takes them away from it.

    Raises:
        TypeError: `end` is neither; a `Seat` of `netcode.turns` tells by its own `events()`.
    """

    def __init__(self, end: Client | Server) -> None:
        if not isinstance(end, Client | Server):
            raise TypeError(f"expected a netcode.Client or a netcode.Server, not {type(end).__name__}")
        self._end = end
        self._waiting: deque[Event] = deque()

    def update(self) -> None:
        """Update the client or server, and post what it tells. Never blocks."""
        self._end.update()
        try:
            # pygame bounds how many events lie there, and not how large they are.
            if not self._waiting and not pygame.event.peek(RECEIVED, pump=False):
                self._waiting.extend(self._end.events())
            while self._waiting:
                event = self._waiting[0]
                pygame.event.post(pygame.event.Event(_TYPES[type(event)], event._asdict()))
                self._waiting.popleft()
        except pygame.error:
            return  # the queue is full, or there is none


explain_update(EventQueue)
