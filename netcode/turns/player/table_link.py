"""The link to whichever server has our table: opened, driven, and opened again where `whereabouts` says."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from netcode.client import Client
from netcode.events import Away, Back, Event, Joined, Left, Received
from netcode.peer import Peer
from netcode.reasons import Reason, closed_here
from netcode.turns import protocol
from netcode.turns.player.whereabouts import Whereabouts
from netcode.waiting import wait


class TableLink:
    """One `Client` after the other, each at the server that is believed to have our table.

    Args:
        where: who is asked, and when.
        clock: the time, as for `Client`.
        options: everything else that `Client` takes.
    """

    def __init__(self, where: Whereabouts, clock: Callable[[], float], options: Mapping[str, Any]) -> None:
        self.where = where
        self._clock, self._options = clock, options
        self.client: Client | None = self._open()
        """The present one; None while none is open."""
        self._peer: Peer | None = None  # the server while there is a link to it

    @property
    def up(self) -> bool:
        """Whether there is a link to a server."""
        # The client is not asked: it would count as a look of the program's, which updates a table and no client.
        return self._peer is not None

    @property
    def silence(self) -> float:
        """Seconds since anything was heard from the server; 0 while there is no link."""
        return 0.0 if self._peer is None else self._peer.silence

    @property
    def rtt(self) -> float | None:
        """The round-trip time to the server in seconds; None until measured."""
        return None if self.client is None else self.client.rtt

    @property
    def jitter(self) -> float | None:
        """How much the round-trip time varies, in seconds; None until measured."""
        return None if self.client is None else self.client.jitter

    def send(self, request: protocol.Request) -> bool:
        """Ask for something, and return whether there is a server to ask. Raises as `Client.send`."""
        if self.client is None:
            return False
        self.client.send(request.wire())
        return True

    def update(self, now: float) -> Iterator[Joined | Received | Away | Back | Reason]:
        """Do what can be done now, and yield what happened: a `Reason` where a link is over."""
        client = self.client
        if client is None:
            if self.where.ask_at is not None and now >= self.where.ask_at:
                self.where.ask_at = None
                self.client = self._open()
        elif self.where.give_up_at is not None and now >= self.where.give_up_at:
            self.close()
            yield self.where.trouble or closed_here()
        else:
            client.update()
            heard = False
            for event in client.events():
                heard = True
                yield self._noted(event, client, now)
            if heard and client is self.client:
                client.update()  # what was said to that leaves now, not with the next frame

    def _noted(self, event: Event, client: Client, now: float) -> Joined | Received | Away | Back | Reason:
        match event:
            case Joined(peer):
                self._peer = peer
                self.where.connected(client.address)
            case Away(_, reason):
                self._peer = None
                self.where.broken(reason, now)
            case Back(peer):
                self._peer = peer
                self.where.mended()
            case Left(_, reason):
                self.client = self._peer = None
                return reason
            case Received(_, _):
                pass
        return event

    def wait(self, timeout: float | None) -> bool:
        """Sleep until `update()` has something to do, `timeout` seconds at most. False if the time passed first."""
        until = self.where.ask_at if self.client is None else self.where.give_up_at
        if self.client is not None and until is None:
            return wait(self.client, timeout=timeout)
        left = 0.0 if until is None else max(0.0, until - self._clock())
        due = timeout is None or left <= timeout
        seconds = left if timeout is None else min(left, timeout)
        if self.client is not None:
            return wait(self.client, timeout=seconds) or due
        time.sleep(seconds)
        return due

    def has_work(self) -> bool:
        """Tell whether an update has something to do, which it has no more once all is over."""
        return (self.client is not None or self.where.ask_at is not None) and self.wait(0.0)

    def close(self) -> None:
        """End the present link at once, and look for no other."""
        client, self.client, self.where.ask_at = self.client, None, None
        self._peer = None
        if client is not None:
            client.close()

    def close_nicely(self) -> None:
        """End the present link after everything queued was sent. Keep calling `update()`."""
        self._peer = None
        if self.client is not None:
            self.client.close_nicely()

    def _open(self) -> Client:
        link: dict[str, Any] = {"clock": self._clock, **self._options}
        others = [one for one in self.where.places if one != self.where.at]
        return Client(*self.where.at, addresses=others, game=protocol.GAME, version=protocol.VERSION, **link)
