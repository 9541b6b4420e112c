"""Plays that no list holds, drawn by who has the rules and a view: free arguments, free answers, and one of too many."""

import random
from collections.abc import Mapping
from typing import Any

from netcode.turns.errors import BUGS, Leave, RulesError
from netcode.turns.language.definition import definition_of
from netcode.turns.language.domains import Free, Open
from netcode.turns.language.kit import kit_of
from netcode.turns.language.plays import Play, answer
from netcode.turns.language.table_options import wire_options
from netcode.turns.simulate import Choice, dice_for, simulate
from netcode.turns.table import Asked, Table
from netcode.turns.values import plain

MAX_GAMES = 20
"""Games that are played to come to a question whose answer is free."""
MAX_LENGTH = 500
"""Actions of one of them."""

_FREE: Any = Free


class Drawer:
    """Draws what a bot may play besides what is listed for it.

    A free answer is described where the rule asks, and nowhere else. So the game is played here until it comes to such
    a question: the same one if it can be met, else any with a free answer.
    """

    def __init__(self, game: type[Any], seed: int | None = None) -> None:
        self._game = game
        self._dice = dice_for(seed)
        self._frees: dict[str, Free[Any]] = {}
        self._played = 0

    def draw(self, view: Any, name: str, asked: Asked | None) -> Play | None:
        """Return a play of an unlisted move, or an answer where `name` is ""; None where nothing is to be had.

        The rules may refuse it all the same: what they look at may be hidden.
        """
        try:
            if name == "":
                return None if asked is None else self._answer(view, asked)
            return self._move(view, name)
        except (Leave, *BUGS):  # rules may stumble over what is hidden from the view
            return None

    def _move(self, view: Any, name: str) -> Play | None:
        definition = definition_of(self._game)
        drawn: dict[str, Any] = {}
        for argument, domain in definition.moves[name].domains.items():
            if isinstance(domain, Open):
                drawn[argument] = domain.free.sample(self._dice)
                continue
            values = domain.values(view, drawn)
            if not values:
                return None
            drawn[argument] = self._dice.choice(values)
        return Play(name, {argument: plain(value) for argument, value in drawn.items()})

    def _answer(self, view: Any, asked: Asked) -> Play | None:
        kit = kit_of(view)
        while asked.prompt not in self._frees and self._played < MAX_GAMES:
            self._played += 1
            self._play(len(kit.players), wire_options(kit.options))
        free = self._frees.get(asked.prompt) or next(iter(self._frees.values()), None)
        return None if free is None else answer(asked.id, plain(free.sample(self._dice)))

    def _play(self, players: int, options: Mapping[str, Any]) -> None:
        try:
            simulate(self._game, self._played, players=players, options=options, choose=self._note, limit=MAX_LENGTH)
        except RulesError:
            pass  # they refuse what they asked for; what was met until then is known

    def _note(self, table: Table, seat: int, choices: list[Choice], dice: random.Random) -> Choice:
        """Choose at random, and remember what may be answered freely."""
        suspension = table.course.suspension
        options: Any = None if suspension is None else suspension.question.options.get(seat)
        if suspension is not None and isinstance(options, _FREE):
            self._frees[suspension.question.prompt] = options
        return dice.choice(choices)
