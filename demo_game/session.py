"""One end of a game over the network: what the window, the bot and the spectator share."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import netcode
from demo_game.messages import Again, BadMessageError, Enter, Fire, News, Order, Place, read_news, write
from demo_game.rules import Cell, Ship
from demo_game.settings import GAME, NOTICEABLE_SILENCE, PING_INTERVAL, VERSION
from demo_game.view import View, advance


class LinkSample(NamedTuple):
    """How the link was at one moment, in seconds."""

    rtt: float
    jitter: float


class Session:
    """A client that plays or watches. Call `update()` once a frame; everything else is there to be read.

    `view` is the game as far as it is known, `reason` is why the link ended (None while it lives), `away` whether it
    is lost for the moment, and `samples` the last round-trip times. Nothing here blocks but `wait`.
    """

    def __init__(self, client: netcode.Client, name: str, *, watching: bool = False) -> None:
        """Enter the game under this name as soon as the client has joined."""
        self.view = View()
        self.reason: netcode.Reason | None = None
        self.away = False
        self.samples: deque[LinkSample] = deque(maxlen=120)
        self.watching = watching
        self._client = client
        self._name = name

    @property
    def joined(self) -> bool:
        """Whether the server has welcomed us and the link still lives."""
        return self._client.state is netcode.State.CONNECTED

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
                    self._order(Enter(self._name, self.watching))
                case netcode.Received(_, message):
                    heard.extend(self._hear(message))
                case netcode.Away():
                    self.away = True
                case netcode.Back():
                    self.away = False
                case netcode.Left(_, reason):
                    self.reason = reason
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
        self._client.close()

    def _order(self, order: Order) -> None:
        self._client.send(write(order))

    def _hear(self, message: object) -> list[News]:
        try:
            news = read_news(message)
        except BadMessageError as error:
            self.leave(f"the server sent what Broadside does not know: {error}")
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
) -> Session:
    """Start to connect to a server; whatever goes wrong from here on is the session's `reason`."""
    client = netcode.Client(host, port, game=GAME, version=version, ping_interval=PING_INTERVAL)
    return Session(client, name, watching=watching)
