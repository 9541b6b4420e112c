"""How a server that is to end gives its tables to the others, and sends everybody there."""

import random
from collections.abc import Callable, Sequence

from netcode.peer import Peer
from netcode.turns.serving.crowd import Crowd
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.room import Room

DRAIN = 3.0
"""Seconds over which a server that is told to end gives its tables to others."""


class Draining:
    """Lets go of one table after the other, and of everybody.

    Args:
        keeper: has the tables.
        crowd: those who sit there.
        peers: says who is connected.
        lease: seconds without a sign of life after which others may take our tables; None where there are none.
    """

    def __init__(self, keeper: Keeper, crowd: Crowd, peers: Callable[[], Sequence[Peer]], lease: float | None) -> None:
        self._keeper, self._crowd, self._peers, self._lease = keeper, crowd, peers, lease or 0.0
        self._todo: list[Room | Peer] | None = None
        """What is still to be let go of; None while nobody asked for that."""
        self._from = self._over = 0.0
        self._let_go_of = 0

    @property
    def on(self) -> bool:
        """Whether it has begun."""
        return self._todo is not None

    @property
    def done(self) -> bool:
        """Whether no table and nobody is left here."""
        return self._todo == [] and not self._keeper.leaving and not self._keeper.rooms and not self._peers()

    def is_vain(self, now: float) -> bool:
        """Tell, of one that has begun, whether its time is over, and nothing was stored for so long that all may be taken."""
        since = self._keeper.writer.failing_since
        return since is not None and now >= max(self._from + self._over, since + self._lease)

    def begin(self, now: float, seconds: float) -> None:
        """Begin, and be done `seconds` later."""
        self._todo = [*self._keeper.rooms.values(), *self._peers()]
        random.shuffle(self._todo)
        self._todo.reverse()
        self._from, self._over = now, seconds

    def step(self, now: float) -> None:
        """Let go of as much as the time that has passed asks for."""
        todo = self._todo
        assert todo is not None
        passed = now - self._from
        share = 1.0 if passed >= self._over else passed / self._over
        total = len(todo) + self._let_go_of
        while todo and self._let_go_of < share * total:
            one = todo.pop()
            self._let_go_of += 1
            if isinstance(one, Room):
                self._let_go(one)
            elif one.alive and one not in self._crowd.viewers:
                self._crowd.redirect(one)
        if not todo:  # whoever came to a table, or to us, since then
            for room in [*self._keeper.rooms.values()]:
                self._let_go(room)
            for peer in self._peers():
                if peer not in self._crowd.viewers or self._crowd.viewers[peer].table not in self._keeper.rooms:
                    self._crowd.redirect(peer)

    def _let_go(self, room: Room) -> None:
        """Give a table back, and send those who are there to its next owner, once all that was taken is answered."""
        if room.id not in self._keeper.leaving and self._keeper.rooms.get(room.id) is room:
            self._keeper.let_go(room, lambda: self._crowd.send_away(room))
