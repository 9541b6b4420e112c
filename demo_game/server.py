"""The dedicated server: carries orders and news between `netcode` and the lobby."""

from collections.abc import Callable
from random import Random

import netcode
from demo_game.battle import Player
from demo_game.lobby import Lobby
from demo_game.messages import BadMessageError, Enter, News, Refused, read_order, write
from demo_game.rules import RuleError
from demo_game.settings import NOTICEABLE_SILENCE

SHUTTING_DOWN = "server is shutting down"

LOOK_INTERVAL = 0.25
"""Seconds between looks at who is silent and whether to stop, when nothing else happens."""


class GameServer:
    """Several games at once on one `netcode.Server`, which the caller makes and this object drives."""

    def __init__(
        self, server: netcode.Server, random: Random, *, timeout: float, report: Callable[[str], None]
    ) -> None:
        """Serve on `server`; `timeout` is its limit of silence, `report` takes a line for each thing that happens."""
        self._server = server
        self._lobby = Lobby(random)
        self._limit = round(timeout)
        self._report = report

    @property
    def games(self) -> int:
        """How many games are on."""
        return len(self._lobby.battles)

    def update(self) -> None:
        """Let the network do its work and the games go on; never blocks."""
        self._server.update()
        for event in self._server.events():
            self._take(event)
        self._watch_silence()

    def run(self, stops: Callable[[], int]) -> None:
        """Serve until `stops()` counts one request to stop; then tell everybody, and leave at once when it counts two."""
        while not stops() and self._server.state is not netcode.State.DISCONNECTED:
            self._server.wait(LOOK_INTERVAL)
            self.update()
        self._report(SHUTTING_DOWN)
        self._server.close_nicely(SHUTTING_DOWN)
        while stops() < 2 and self._server.state is not netcode.State.DISCONNECTED:
            self._server.wait(LOOK_INTERVAL)
            self._server.update()
        self._server.close()

    def _take(self, event: netcode.Event) -> None:
        match event:
            case netcode.Joined(peer):
                peer.data = Player(tell=_teller(peer))
            case netcode.Received(peer, message):
                self._obey(peer, _player_of(peer), message)
            case netcode.Away(peer, _):
                self._report(f"{_called(peer)} lost the link")
                self._lobby.missing(_player_of(peer))
            case netcode.Back(peer):
                self._report(f"{_called(peer)} is back")
                self._lobby.returned(_player_of(peer))
            case netcode.Left(peer, reason):
                self._report(f"{_called(peer)} left: {reason}")
                self._lobby.leave(_player_of(peer), _farewell(_player_of(peer).name, reason))

    def _obey(self, peer: netcode.Peer, player: Player, message: object) -> None:
        try:
            order = read_order(message)
            self._lobby.obey(player, order)
        except BadMessageError as error:
            peer.close_nicely(f"you sent what Broadside does not know: {error}")
        except RuleError as error:
            player.tell(Refused(str(error)))
        else:
            if isinstance(order, Enter):
                self._report(f"{_called(peer)} {'watches' if player.watching else 'plays'}")

    def _watch_silence(self) -> None:
        for peer in self._server.peers:
            player = _player_of(peer)
            if player.present:
                silence = int(peer.silence)
                self._lobby.silent(player, silence if silence >= NOTICEABLE_SILENCE else 0, self._limit)


def _teller(peer: netcode.Peer) -> Callable[[News], None]:
    return lambda news: peer.send(write(news))


def _player_of(peer: netcode.Peer) -> Player:
    assert isinstance(peer.data, Player)
    return peer.data


def _called(peer: netcode.Peer) -> str:
    return f"{_player_of(peer).name or 'somebody'} ({peer.address})"


def _farewell(name: str, reason: netcode.Reason) -> str:
    """Tell the opponent why a player is gone. The sentence of a reason names the player's address: it stays here."""
    match reason.code:
        case netcode.ReasonCode.GOODBYE:
            return f"{name} left: «{reason}»"
        case netcode.ReasonCode.TIMEOUT:
            return f"{name} is gone: silent for too long, and not back in time"
        case netcode.ReasonCode.CLOSED_BY_PEER | netcode.ReasonCode.RESET | netcode.ReasonCode.NETWORK:
            return f"{name} is gone: the connection broke, and did not come back in time"
        case _:
            return f"{name} is gone: the server ended the link"
