"""Monte-Carlo tree search: play the game on many times, in worlds that might be, and do what went best.

One tree for all worlds, whose branches are what the seat to move may do in the world at hand: «single observer
information set MCTS» (Cowling, Powley, Whitehouse: Information Set Monte Carlo Tree Search, 2012).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from netcode.turns.bots.belief import Belief
from netcode.turns.rules import Game
from netcode.turns.runtime import log
from netcode.turns.runtime.legal import Budget
from netcode.turns.simulate import Choice, act, choices_of, dice_for
from netcode.turns.table import Step, Table
from netcode.turns.values import pack

EXPLORATION = 0.7
"""How much a branch that was seldom tried counts beside one that went well."""
BELIEVING = 0.4
"""How much of the time goes into what may be believed."""
LISTING = 1.0
"""Seconds for which what is legal is listed in a game that is played on, if that much time is left."""
OBJECTIONS, OBJECTIONS_ASKED = 20, 100
"""To how many guesses the rules may object for each that they bear; while one waits for an answer, what it drew before
that has to be guessed, too."""
MAX_PLIES = 200
"""How far a game is played on; one that is not over by then counts as a draw."""
_Key = tuple[int, bytes]


@dataclass(slots=True)
class _Node:
    """A branch of the tree: how often it could be taken, was taken, and what it was worth to who took it."""

    possible: int = 0
    visits: int = 0
    worth: float = 0.0
    branches: dict[_Key, "_Node"] = field(default_factory=dict[_Key, "_Node"])


class TreeSearch:
    """Thinks about one choice at a time, in slices, so that it fits into an `update()` or into a process of its own.

    `think(seconds)` as often as there is time, then `best()`. It never looks at what its seat cannot see.
    """

    def __init__(
        self,
        table: Table,
        seat: int,
        seed: int | None = None,
        *,
        belief: Belief | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._table, self._seat, self._clock = table, seat, clock
        self._dice = dice_for(seed)
        self._belief = belief
        self._root = _Node()
        self._choices = choices_of(table, seat, self._dice, hasty=True)
        self._keys = {_key(seat, choice): choice for choice in self._choices}
        self.worlds = 0
        """How many games have been played on so far."""
        self._objections = 0
        self._patience = OBJECTIONS if table.course.suspension is None else OBJECTIONS_ASKED

    @classmethod
    def choose(
        cls,
        table: Table,
        seat: int,
        seconds: float = 0.1,
        seed: int | None = None,
        *,
        belief: Belief | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> Choice | None:
        """Think for so many seconds, and return what to do; None if the seat can do nothing.

        With a `belief`, which is to be the same one each time, some of them go into what the game so far says of what
        the others hold.
        """
        until = clock() + seconds
        if belief is not None:
            belief.stand(table, BELIEVING * seconds)
        search = cls(table, seat, seed, belief=belief, clock=clock)
        if len(search._choices) > 1:
            search.think(until - clock())
        best = search.best()
        if belief is not None and best is not None:
            belief.chose(best)
        return best

    def think(self, seconds: float, worlds: int = 1_000_000) -> None:
        """Play games on until the time is over, or so many have been played."""
        until = self._clock() + seconds
        while worlds > 0 and self._clock() < until:
            worlds -= 1
            world = None if self._belief is None else self._belief.world()
            if world is None:
                world = self._table.imagined(self._seat, self._dice)
            if world is None:
                self._objections += 1
                if self._objections > self._patience * (self.worlds + 1):
                    if not self.worlds:
                        own = self._table.game.imagine is not Game.imagine
                        log.unimagined(self._table.game.__name__, self._objections, own=own)
                    return  # the rules object to whatever is imagined: what is known already has to do
                continue
            self._play_on(world, until)
            self.worlds += 1

    def best(self) -> Choice | None:
        """Return what went best; anything legal where nothing was tried."""
        if not self._choices:
            return None
        tried = [key for key in self._keys if key in self._root.branches]
        if not tried:
            return self._dice.choice(self._choices)
        return self._keys[max(tried, key=lambda key: self._root.branches[key].visits)]

    def _play_on(self, world: Table, until: float) -> None:
        """Play a game to its end, and learn from it; nothing, where the time is over before that."""
        node, path = self._root, list[tuple[int, _Node]]()
        plies = 0
        while world.result is None and plies < MAX_PLIES:
            plies += 1
            seat = self._seat if plies == 1 else world.to_move[0]
            choices = self._options(world, seat, until)
            if not choices:
                break
            known, key, choice = self._select(node, seat, choices)
            if not isinstance(act(world, seat, choice), Step):
                break
            node = node.branches.setdefault(key, _Node())
            path.append((seat, node))
            if not known:
                break
        if not self._finish_at_random(world, plies, until):
            return
        for seat, passed in path:
            passed.visits += 1
            passed.worth += worth(world, seat)

    def _options(self, world: Table, seat: int, until: float) -> list[Choice]:
        listing = world.legal(seat, Budget(seconds=max(0.0, min(LISTING, until - self._clock()))))
        if not listing.unlisted:
            return [*listing.plays]
        return choices_of(world, seat, self._dice, hasty=True)

    def _select(self, node: _Node, seat: int, choices: list[Choice]) -> tuple[bool, _Key, Choice]:
        keys = [_key(seat, choice) for choice in choices]
        if node is self._root:
            # What is free was drawn once, so that the games compare the same few.
            keys = [key for key in keys if key in self._keys] or [*self._keys]
            choices = [self._keys[key] for key in keys]
        new = [number for number, key in enumerate(keys) if key not in node.branches]
        for key in keys:
            if key in node.branches:
                node.branches[key].possible += 1
        if new:
            number = self._dice.choice(new)
            return False, keys[number], choices[number]
        number = max(range(len(keys)), key=lambda index: _urge(node.branches[keys[index]]))
        return True, keys[number], choices[number]

    def _finish_at_random(self, world: Table, plies: int, until: float) -> bool:
        """Return whether it came to its end, or as far as it comes, in time."""
        while world.result is None and plies < MAX_PLIES:
            plies += 1
            if plies % 4 == 0 and self._clock() >= until:
                return False
            seat = self._dice.choice(world.to_move)
            choices = self._options(world, seat, until)
            if not choices or not isinstance(act(world, seat, self._dice.choice(choices)), Step):
                break
        return True


def worth(table: Table, seat: int) -> float:
    """Return what an end is worth to a seat: 1 for a win, 0 for a loss, between them for anything else."""
    result = table.result
    if result is None:
        return 0.5
    if result.winners:
        return 1.0 if seat in result.winners else 0.0
    if result.scores is not None:  # more is better, and none is a draw
        score = result.scores[seat]
        return 1.0 - 1.0 / (2.0 + score) if score > 0 else 1.0 / (2.0 - score)
    return 0.5


def _key(seat: int, choice: Choice) -> _Key:
    return seat, pack([choice[0], choice[1]])


def _urge(node: _Node) -> float:
    return node.worth / node.visits + EXPLORATION * math.sqrt(math.log(node.possible + 1) / node.visits)
