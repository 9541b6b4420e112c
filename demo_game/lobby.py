"""Who waits, who plays and who watches on one server: pairs players as they come. Without network."""

from random import Random

from demo_game.battle import Battle, Player
from demo_game.messages import Again, Anew, Enter, Fire, Order, Place, Waiting
from demo_game.rules import RuleError


class Lobby:
    """Everybody on the server, and the games that are on."""

    def __init__(self, random: Random) -> None:
        """Start empty; `random` decides who fires first."""
        self.battles: list[Battle] = []
        self._random = random
        self._waiting: list[Player] = []
        self._watching: list[Player] = []
        self._games = 0

    def obey(self, player: Player, order: Order) -> None:
        """Carry out what a player wants; raise `RuleError` if it is not allowed now."""
        match order:
            case Enter():
                self._enter(player, order)
            case Again():
                self._again(player)
            case Place(fleet):
                _battle_of(player).place(player, fleet)
            case Fire(cell):
                _battle_of(player).fire(player, cell)
        self._forget_finished()

    def leave(self, player: Player, why: str) -> None:
        """Take somebody out of everything; a game that they were playing is lost, and `why` is told."""
        for queue in (self._waiting, self._watching):
            if player in queue:
                queue.remove(player)
        if player.battle is not None:
            player.battle.leave(player, why)
        self._forget_finished()

    def missing(self, player: Player) -> None:
        """Note that a player's link is lost for now, and tell the opponent."""
        player.present = False
        player.silent_for = 0
        if player.own_battle is not None:
            player.own_battle.tell_missing(player)

    def returned(self, player: Player) -> None:
        """Note that a player's link is back: the game goes on, or the waiting."""
        player.present = player.may_ask = True
        if player.own_battle is not None:
            player.own_battle.tell_returned(player)
        self._pair()

    def silent(self, player: Player, seconds: int, limit: int) -> None:
        """Note for how many seconds a player has been silent; the opponent is told when it changes."""
        if seconds == player.silent_for:
            return
        player.silent_for = seconds
        if player.own_battle is not None:
            player.own_battle.tell_silent(player, seconds, limit)

    def _enter(self, player: Player, order: Enter) -> None:
        if player.may_ask:
            player.may_ask = False  # once: it takes long to tell
            player.tell(Anew())
            if player.name:
                self._tell_again(player)
                return
        if player.name:
            raise RuleError("you have entered already")
        player.name = order.name or "Nameless"
        player.watching = order.watching
        self._again(player)

    def _tell_again(self, player: Player) -> None:
        if player.battle is not None:
            player.battle.tell_again(player)
        elif player in self._waiting or player in self._watching:
            player.tell(Waiting())
        else:
            self._again(player)  # the end of their last game was shown to another program

    def _again(self, player: Player) -> None:
        if not player.name:
            raise RuleError("say your name first")
        if player.battle is not None:
            raise RuleError("your game is not over")
        queue = self._watching if player.watching else self._waiting
        if player not in queue:
            queue.append(player)
            player.tell(Waiting())
        self._show_games()
        self._pair()

    def _pair(self) -> None:
        ready = [player for player in self._waiting if player.present]
        for first, second in zip(ready[::2], ready[1::2], strict=False):
            self._waiting.remove(first)
            self._waiting.remove(second)
            self._games += 1
            self.battles.append(Battle(self._games, (first, second), self._random.randrange(2)))
        self._show_games()

    def _show_games(self) -> None:
        """Let everybody who waits to watch look on at the newest game."""
        if self.battles:
            for watcher in self._watching:
                self.battles[-1].add_watcher(watcher)
            self._watching.clear()

    def _forget_finished(self) -> None:
        self.battles = [battle for battle in self.battles if not battle.over]


def _battle_of(player: Player) -> Battle:
    if player.own_battle is None:
        raise RuleError("you are not in a game")
    return player.own_battle
