"""What comes in from those who are connected: heard, held to its bounds, and handed on."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from netcode.diagnostics import log
from netcode.events import Away, Back, Event, Joined, Left, Received
from netcode.peer import Peer
from netcode.turns import protocol
from netcode.turns.protocol import BadMessage, Join, ListGames, ListTables, Say, Wish
from netcode.turns.serving.crowd import Crowd
from netcode.turns.serving.games import described
from netcode.turns.serving.joining import Joining
from netcode.turns.serving.keeper import Keeper
from netcode.turns.serving.outage import Outage
from netcode.turns.serving.playing import Playing
from netcode.turns.serving.presence import Presences

SHOWN = 100
"""Open tables that are told to whoever asks."""
AT_ONCE = 3
"""Requests that are taken at once however few are taken in a second: what is played here, which tables are open, a seat."""
SAID_AT_ONCE = 16
"""Texts that are taken at once: what was said while a link, or a table, was away comes all together."""
MOST = 1024
"""Requests of one player that may wait for their turn: more come only from who never waits for an answer."""
TOGETHER = 4096
"""Events of all players that may wait here; at so many, what more comes waits where it takes the sender's room."""
LEAVE = Wish("leave")
ANYWHERE = (Join, ListTables, ListGames)
"""What is asked for without a table."""


class Rates(NamedTuple):
    """How much one player may ask for in a second: each is named in the sentence that says so."""

    moves_per_second: float
    chat_per_second: float


class _Bucket:
    """So many at once, and then so many a second."""

    __slots__ = ("_left", "_most", "_rate", "_since")

    def __init__(self, rate: float, most: float, now: float) -> None:
        self._rate, self._since = rate, now
        self._most = self._left = most

    def take(self, now: float) -> bool:
        self._left = min(self._most, self._left + (now - self._since) * self._rate)
        self._since = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class _Limit:
    """One of the rates, and what each player has left of it."""

    def __init__(self, name: str, rate: float, at_once: int) -> None:
        self.name, self.rate = name, rate
        self._most = max(rate, at_once)
        self._buckets: dict[Peer, _Bucket] = {}

    def takes(self, peer: Peer, now: float) -> bool:
        """Tell whether something more is taken from this player."""
        bucket = self._buckets.get(peer)
        if bucket is None:
            bucket = self._buckets[peer] = _Bucket(self.rate, self._most, now)
        return bucket.take(now)

    def forget(self, peer: Peer) -> None:
        """Hear that somebody is not connected any more."""
        self._buckets.pop(peer, None)


class Incoming:
    """Hears what comes in, and hands it to who answers it.

    Args:
        keeper, crowd, presence, playing, joining, outage: the parts of the server that it needs.
        rates: of what one player asks for.
        share: seconds after which the rest is left to the next update.
    """

    def __init__(  # noqa: PLR0917 - the parts of the server that it needs
        self,
        keeper: Keeper,
        crowd: Crowd,
        presence: Presences,
        playing: Playing,
        joining: Joining,
        outage: Outage,
        *,
        rates: Rates,
        share: float,
    ) -> None:
        self._keeper, self._crowd = keeper, crowd
        self._presence, self._playing, self._joining, self._outage = presence, playing, joining, outage
        self._share = share
        self.behind = False
        """Whether something is left to the next update."""
        self._lines = OrderedDict[Peer, deque[Event]]()  # what each has yet to be heard of, in the order of their turns
        self._moves = _Limit("moves_per_second", rates.moves_per_second, AT_ONCE)
        self._chat = _Limit("chat_per_second", rates.chat_per_second, SAID_AT_ONCE)

    def take(self, events: Callable[[], Iterable[Event]], now: float) -> None:
        """Hear what has come until an update has had its share of the time, of each player in turn.

        So who asks a thousand times at once lets nobody else wait. What is not reached is heard by the next update.
        """
        until = self._keeper.clock() + self._share  # what the network took before is not of it
        lines = self._lines
        if sum(map(len, lines.values())) < TOGETHER:
            for event in events():
                self._line_up(event)
        while lines:
            peer, line = next(iter(lines.items()))
            event = line.popleft()
            if line:
                lines.move_to_end(peer)
            else:
                del lines[peer]
            self._hear(event, now)
            if self._keeper.clock() >= until:
                break
        self.behind = bool(lines)

    def _line_up(self, event: Event) -> None:
        """Have an event wait for its turn; end whoever has too many."""
        peer = event.peer
        line = self._lines.setdefault(peer, deque())
        line.append(event)
        if len(line) > MOST:
            peer.close_nicely(f"too fast: {len(line)} requests of yours wait; wait for answers")
            kept = [one for one in line if not isinstance(one, Received)]
            line.clear()
            line.extend(kept)
            if not line:
                del self._lines[peer]

    def _hear(self, event: Event, now: float) -> None:
        match event:
            case Received(peer, message):
                self._receive(peer, message, now)
            case Away(peer):
                self._presence.hear(peer, False, now)
            case Back(peer):
                self._presence.hear(peer, True, now)
            case Left(peer, _):
                self._moves.forget(peer)
                self._chat.forget(peer)
                self._joining.forget(peer)
                viewer = self._crowd.forget(peer)
                if viewer is not None and not self._playing.vacated(viewer):
                    self._presence.left(viewer, now)
            case Joined(_):
                pass

    def _receive(self, peer: Peer, message: Any, now: float) -> None:
        try:
            request = protocol.read_request(message)
        except BadMessage as error:
            log.warn("turns", "%s sent what the protocol does not allow", peer.address)
            peer.close_nicely(str(error))
            return
        if isinstance(request, ANYWHERE):
            if self._takes(peer, request, now):
                self._serve_anybody(peer, request, now)
            return
        number, viewer = request.number, self._crowd.viewers.get(peer)
        if viewer is None:
            peer.send(protocol.Refusal(number, "you are at no table; join one first").wire())
        elif (number is None and request == LEAVE) or self._takes(peer, request, now):  # who goes is never too fast
            if viewer.table not in self._keeper.rooms and self._keeper.writer.trouble:
                self._outage.refuse(peer, number)
                return
            self._keeper.with_room(viewer.table, partial(self._playing.take, viewer, request))

    def _serve_anybody(self, peer: Peer, request: Join | ListTables | ListGames, now: float) -> None:
        """Answer somebody who need not be at a table for what they ask."""
        match request:
            case Join():
                self._joining.join(peer, request, now)
            case ListTables(game):
                self._list(peer, game)
            case ListGames():
                peer.send(protocol.Games([described(game) for game in self._keeper.games.values()]).wire())

    def _takes(self, peer: Peer, request: protocol.Request, now: float) -> bool:
        over = self._moves if not self._moves.takes(peer, now) else None
        if over is None and isinstance(request, Say) and not self._chat.takes(peer, now):
            over = self._chat
        if over is None:
            return True
        text = f"too fast: {over.name} is {over.rate:g}; try again in a moment"
        peer.send(protocol.Refusal(request.number, text).wire())
        return False

    def _list(self, peer: Peer, game: str | None) -> None:
        self._crowd.asking[peer] += 1
        self._keeper.with_lobby(lambda: self._show(peer, game))
        if self._keeper.writer.trouble and self._crowd.asking.pop(peer, 0):
            self._outage.refuse(peer)

    def _show(self, peer: Peer, game: str | None) -> None:
        """Tell somebody the open tables, who has not been told yet that this cannot be."""
        waits = self._crowd.asking.pop(peer, 0)
        if waits > 1:
            self._crowd.asking[peer] = waits - 1
        if waits:
            peer.send(protocol.Tables(self._keeper.lobby.shown(game, SHOWN)).wire())
