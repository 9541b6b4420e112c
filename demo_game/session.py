"""One end of a game over the network: what the window, the bot and the spectator share."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import netcode
from demo_game.messages import (
    Again,
    Anew,
    BadMessageError,
    Enter,
    Fire,
    News,
    Order,
    Place,
    read_news,
    write,
)
from demo_game.rules import Cell, Ship
from demo_game.settings import GAME, NOTICEABLE_SILENCE, PING_INTERVAL, VERSION
from demo_game.view import View, advance


class LinkSample(NamedTuple):
    """How the link was at one moment, in seconds."""

    rtt: float
    jitter: float


LOST_SEATS = {netcode.ReasonCode.RESUME_LOST, netcode.ReasonCode.REPLACED, netcode.ReasonCode.GOODBYE}
"""Reasons for which the seat of an earlier run is nobody's any more, or somebody else's."""


class Seat(Protocol):
    """Where the ticket of a seat is kept, for the case that this program does not live to say goodbye."""

    @property
    def ticket(self) -> str | None:
        """The ticket that is kept."""
        ...

    def keep(self, ticket: str | None) -> None:
        """Keep this ticket from now on, or none."""
        ...


class Session:
    """A client that plays or watches. Call `update()` once a frame; everything else is there to be read.

    `view` is the game as far as it is known, `reason` is why the link ended (None while it lives), `away` whether it
    is lost for the moment, and `samples` the last round-trip times. Nothing here blocks but `wait`.
    """

    def __init__(self, client: netcode.Client, name: str, *, watching: bool = False, seat: Seat | None = None) -> None:
        """Enter the game under this name as soon as the client has joined; keep its ticket in `seat`."""
        self.view = View()
        self.reason: netcode.Reason | None = None
        self.away = False
        self.samples: deque[LinkSample] = deque(maxlen=120)
        self.watching = watching
        self._client = client
        self._name = name
        self._seat = seat
        self._comes_back = seat is not None and seat.ticket is not None
        self._knows = not self._comes_back

    @property
    def joined(self) -> bool:
        """Whether the server has welcomed us and the link still lives."""
        return self._client.state is netcode.State.CONNECTED

    @property
    def too_late(self) -> bool:
        """Whether the seat that it came back for is not kept any more: then a new session enters as somebody new."""
        lost = self.reason is not None and self.reason.code in LOST_SEATS
        return lost and self._comes_back and self._client.peer is None

    @property
    def silence(self) -> int:
        """Whole seconds for which nothing has been heard from the server; 0 while that is nothing to worry about."""
        peer = self._client.peer
        if peer is None or not self.joined or peer.silence < NOTICEABLE_SILENCE:
            return 0
        return int(peer.silence)

    def update(self) -> list[News]:
        """Let the network do its work, and give the news that came with it."""
        self._client.update()
        heard: list[News] = []
        for event in self._client.events():
            match event:
                case netcode.Joined():
                    self._keep(self._client.ticket)
                    self._order(Enter(self._name, self.watching))
                case netcode.Received(_, message):
                    heard.extend(self._hear(message))
                case netcode.Away():
                    self.away = True
                case netcode.Back():
                    self.away = False
                case netcode.Left(peer, reason):
                    self.reason = reason
                    if self._client.peer is peer or reason.code in LOST_SEATS:
                        self._keep(None)  # else the server was not reached, and may still keep the seat
        return heard

    def sample(self) -> None:
        """Note the round-trip time as it is now, once it has been measured."""
        if self.joined and self._client.rtt is not None:
            self.samples.append(LinkSample(self._client.rtt, self._client.jitter or 0.0))

    def wait(self, seconds: float) -> None:
        """Sleep until `update()` has something to do, at most so long."""
        self._client.wait(seconds)

    def place(self, fleet: Sequence[Ship]) -> None:
        """Hide the fleet."""
        self.view.hide(fleet)
        self._order(Place(tuple(fleet)))

    def fire(self, cell: Cell) -> None:
        """Fire at a cell of the enemy's sea."""
        self.view.aim = cell
        self._order(Fire(cell))

    def again(self) -> None:
        """Ask for another game, once this one is over."""
        self._order(Again())

    def leave(self, text: str) -> None:
        """Say goodbye, with a text that the opponent reads; `update()` until `reason` is there."""
        self._client.close_nicely(text)

    def close(self) -> None:
        """Give up the link at once."""
        if self.joined or self.away:
            self._keep(None)
        self._client.close()

    def _keep(self, ticket: str | None) -> None:
        if self._seat is not None:
            self._seat.keep(ticket)

    def _order(self, order: Order) -> None:
        self._client.send(write(order))

    def _hear(self, message: object) -> list[News]:
        try:
            news = read_news(message)
        except BadMessageError as error:
            self.leave(f"the server sent what Broadside does not know: {error}")
            return []
        # Before that there is what the program did not live to hear whose seat we have taken: the middle of a story.
        self._knows = self._knows or isinstance(news, Anew)
        if not self._knows:
            return []
        self.view = advance(self.view, news)
        return [news]


def open_session(
    host: str,
    port: int,
    name: str,
    *,
    watching: bool = False,
    version: str = VERSION,
    seat: Seat | None = None,
) -> Session:
    """Start to connect to a server; whatever goes wrong from here on is the session's `reason`.

    If `seat` has a ticket, of a run that was killed, the session takes the place of that one in the game.
    """

    def connect(ticket: str | None) -> netcode.Client:
        return netcode.Client(host, port, game=GAME, version=version, ping_interval=PING_INTERVAL, ticket=ticket)

    try:
        client = connect(None if seat is None else seat.ticket)
    except ValueError:  # what was kept is damaged
        client = connect(None)
    return Session(client, name, watching=watching, seat=seat)
