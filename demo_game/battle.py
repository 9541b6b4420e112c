"""One game on the server: who sits where, who looks on, and who is told what. Without network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demo_game.messages import Fired, Missing, News, Over, Paired, Placed, Returned, Silent, Turn, Yours
from demo_game.rules import Cell, Game, Ship


@dataclass(eq=False, slots=True)
class Player:
    """Somebody at the server. `tell` sends them news; `present` is False while their link is lost.

    Who has come back `may_ask` once how things stand: their program may have been started anew.
    """

    tell: Callable[[News], None]
    name: str = ""
    watching: bool = False
    present: bool = True
    may_ask: bool = False
    silent_for: int = 0
    battle: "Battle | None" = None

    @property
    def own_battle(self) -> "Battle | None":
        """The game in which they have a seat, if they are in one."""
        return None if self.watching else self.battle


class Battle:
    """A game between two players, and its spectators.

    All its news are public, apart from which seat is the reader's own: a fleet stays in the `Game` until the end.
    """

    def __init__(self, number: int, players: tuple[Player, Player], first: int = 0) -> None:
        """Seat the players and tell them so; seat `first` will fire first."""
        self.number = number
        self.players = players
        self._watchers: list[Player] = []
        self._game = Game(first)
        self._history: list[News] = []
        for seat, player in enumerate(players):
            player.battle = self
            player.tell(self._paired(seat))

    @property
    def over(self) -> bool:
        """Whether the game has a winner."""
        return self._game.winner is not None

    @property
    def names(self) -> tuple[str, ...]:
        """The players' names, by seat."""
        return tuple(player.name for player in self.players)

    def add_watcher(self, player: Player) -> None:
        """Let somebody look on, and tell them all that has happened so far."""
        player.battle = self
        self._watchers.append(player)
        self.tell_again(player)

    def tell_again(self, player: Player) -> None:
        """Tell somebody who knows nothing any more all that has happened so far, and where their own fleet lies."""
        seat = None if player.watching else self.players.index(player)
        player.tell(self._paired(seat))
        sea = None if seat is None else self._game.seas[seat]
        if sea is not None:
            player.tell(Yours(sea.fleet))
        for news in self._history:
            player.tell(news)
        for other, opponent in enumerate(self.players):
            if opponent is not player and not opponent.present:
                player.tell(Missing(other))

    def place(self, player: Player, fleet: Sequence[Ship]) -> None:
        """Hide the player's fleet; raise `RuleError` if that is illegal."""
        seat = self.players.index(player)
        self._game.place(seat, fleet)
        self._tell(Placed(seat))
        self._tell_turn()

    def fire(self, player: Player, cell: Cell) -> None:
        """Fire the player's shot and tell everybody what it did; raise `RuleError` if it is illegal."""
        seat = self.players.index(player)
        shot = self._game.fire(seat, cell)
        self._tell(Fired(seat, shot))
        self._tell_turn()
        if self.over:
            self._finish(f"{player.name} has sunk the whole fleet of {self.players[1 - seat].name}")

    def leave(self, player: Player, why: str) -> None:
        """Take somebody out: a spectator just goes, a player loses the game, and `why` is told to the others."""
        player.battle = None
        if player in self._watchers:
            self._watchers.remove(player)
        else:
            self._game.forfeit(self.players.index(player))
            self._finish(why)

    def tell_silent(self, player: Player, seconds: int, limit: int) -> None:
        """Tell the others for how long nothing has been heard from a player, or with 0 that the silence is over."""
        self._tell_others(player, Silent(self.players.index(player), seconds, limit))

    def tell_missing(self, player: Player) -> None:
        """Tell the others that the link to a player is lost."""
        self._tell_others(player, Missing(self.players.index(player)))

    def tell_returned(self, player: Player) -> None:
        """Tell the others that a player is back."""
        self._tell_others(player, Returned(self.players.index(player)))

    def _paired(self, seat: int | None) -> Paired:
        return Paired(self.number, self.names, seat)

    def _tell_turn(self) -> None:
        if self._game.turn is not None:
            self._tell(Turn(self._game.turn))

    def _finish(self, why: str) -> None:
        assert self._game.winner is not None
        fleets = tuple(sea.fleet if sea else () for sea in self._game.seas)
        self._tell(Over(self._game.winner, why, fleets))
        for player in (*self.players, *self._watchers):
            player.battle = None

    def _tell(self, news: News) -> None:
        self._history.append(news)
        for player in (*self.players, *self._watchers):
            # Who has left on their own hears no more of it.
            if player.battle is self:
                player.tell(news)

    def _tell_others(self, about: Player, news: News) -> None:
        for player in (*self.players, *self._watchers):
            if player is not about:
                player.tell(news)
