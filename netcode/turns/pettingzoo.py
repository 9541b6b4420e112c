"""A game as a PettingZoo environment, for agents that learn it: `TurnsEnv(TicTacToe)`. Needs the extra `pettingzoo`."""

import operator
import warnings
from collections.abc import Mapping
from typing import Any, SupportsIndex

try:
    import numpy as np
    from gymnasium.spaces import Box, Dict, Discrete
    from pettingzoo import AECEnv
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f'{error}; the environments need PettingZoo: python -m pip install "netcode[pettingzoo]"', name=error.name
    ) from error

from netcode.turns.errors import RulesError
from netcode.turns.language.definition import check_game
from netcode.turns.language.kit import Result
from netcode.turns.language.questions import Kind
from netcode.turns.language.randomness import SECRET_SIZE
from netcode.turns.numbers import ANYTHING_ELSE, MAX_NUMBER, Action, key_of, seen_by, survey
from netcode.turns.player.sight import view_at
from netcode.turns.rules import Game
from netcode.turns.simulate import Choice, act, dice_for, done
from netcode.turns.table import Step, Table, Told
from netcode.turns.terminal.screen import Screen
from netcode.turns.terminal.wording import rows_of

__all__ = ["TurnsEnv"]

RENDER_MODES = ["human", "ansi"]

_Observation = dict[str, Any]


class TurnsEnv(AECEnv[str, _Observation, SupportsIndex]):
    """A game in which each seat is an agent, `seat_0` and so on, and the seat to act is the one that is selected.

    An action is the number of a play in `actions`; `action_mask` says which are legal. Where several seats are to move
    or asked at once, they act one after the other, and none sees what the others chose before the last one has.

    Args:
        game: the class of the rules.
        players: how many agents; the fewest that the game is for if it is left out.
        options: of the table, as `@options` has them. Those that `reset` takes are ignored: they would change the spaces.
        games: how many random games are played now, always the same ones, to find out which plays there are and what
            there is to be seen.
        limit: actions after which a game is truncated.
        render_mode: "human" prints what a spectator sees; with "ansi", `render` returns it.
    """

    def __init__(
        self,
        game: type[Game],
        players: int | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        games: int = 50,
        limit: int = 1000,
        render_mode: str | None = None,
    ) -> None:
        super().__init__()
        check_game(game, "TurnsEnv")
        if any(type(count) is not int or count < 1 for count in (games, limit)):
            raise ValueError(f"games and limit are at least 1, not {games} and {limit}")
        if render_mode not in (None, *RENDER_MODES):
            raise ValueError(f'render_mode is "human", "ansi" or None, not {render_mode!r}')
        count = game.seats[0] if players is None else players
        Table.create(game, count, options, secret=bytes(SECRET_SIZE))  # says what is wrong with them
        found = survey(game, count, options or {}, games)
        self.game, self.limit, self.render_mode = game, limit, render_mode
        self.metadata = {"name": game.__name__, "render_modes": RENDER_MODES, "is_parallelizable": False}
        self.actions: tuple[Action, ...] = found.actions
        """What each action plays: the name of a move, "" for an answer, and the arguments, None where they are drawn."""
        self.labels: tuple[str, ...] = found.layout.labels
        """What each number of an observation is: `cells[4]`, `len(pile)`, `kit.to_move[1]`."""
        self.tokens: tuple[str | bytes, ...] = found.layout.tokens
        """The texts in observations; the first one is 1 there, and one that was never seen before is 0."""
        self._layout, self._options = found.layout, dict(options or {})
        self._numbers = {
            key_of(name, arguments): number
            for number, (name, arguments) in enumerate(self.actions)
            if arguments is not None
        }
        self._drawn = {action[0]: number for number, action in enumerate(self.actions) if action[1] is None}
        self._dice = dice_for(None)
        self._table: Table | None = None
        self._plays: dict[int, list[Choice]] = {}
        self._length = 0
        self.possible_agents = [f"seat_{seat}" for seat in range(count)]
        self.agents = []
        self._seats = {agent: seat for seat, agent in enumerate(self.possible_agents)}
        self.observation_spaces = {agent: self._observation_space() for agent in self.possible_agents}
        self.action_spaces = {agent: Discrete(len(self.actions)) for agent in self.possible_agents}

    def __getstate__(self) -> dict[str, Any]:
        """Return what an environment is stored as, by `pickle` and in other processes: of its game, the state."""
        return {**self.__dict__, "_table": None if self._table is None else self._table.snapshot()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        stored = state["_table"]
        self._table = None if stored is None else Table.restore(self.game, stored)

    def _observation_space(self) -> Any:
        numbers = Box(-MAX_NUMBER, MAX_NUMBER, (len(self.labels),), np.float32)
        return Dict({"observation": numbers, "action_mask": Box(0, 1, (len(self.actions),), np.int8)})

    def observation_space(self, agent: str) -> Any:
        """Return the space of what an agent observes: always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """Return the space of an agent's actions: always the same object."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin a game: the same one for the same seed; without one, the next of those that follow the last seed."""
        del options
        if seed is not None:
            self._dice = dice_for(seed)
        names = [*self.possible_agents]
        table = Table.create(
            self.game, len(names), self._options, secret=self._dice.randbytes(SECRET_SIZE), names=names
        )
        self._table, self._length = table, 0
        self.agents = names
        self.rewards = dict.fromkeys(names, 0.0)
        self._cumulative_rewards = dict.fromkeys(names, 0.0)
        self.terminations = dict.fromkeys(names, False)
        self.truncations = dict.fromkeys(names, False)
        self.infos = {agent: {"told": []} for agent in names}
        self._skip_agent_selection: str | None = None
        self.agent_selection = names[0]
        self._happened(done(table.start(0.0)))
        self._accumulate_rewards()  # a game may be over before anybody does anything

    def observe(self, agent: str) -> _Observation:
        """Return what an agent observes: its view as numbers, and which actions it may take, none if it is not its turn."""
        mask = np.zeros(len(self.actions), np.int8)
        if agent == self.agent_selection:
            mask[[*self._plays]] = 1
        numbers = self._layout.encode(seen_by(self._begun(), self._seats[agent]))
        return {"observation": np.array(numbers, np.float32), "action_mask": mask}

    def view(self, agent: str | None) -> Any:
        """Return the view of an agent (None: of a spectator) as `netcode.turns.join` gives it, to make other numbers of."""
        return view_at(self._begun(), None if agent is None else self._seats[agent])

    def step(self, action: SupportsIndex | None) -> None:
        """Take the selected agent's action; None for one whose game is over.

        Raises:
            ValueError: for what is no legal action; nothing has happened then.
        """
        table, agent = self._begun(), self.agent_selection
        if not self.agents:
            raise ValueError("the game is over for all: call reset()")
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        choice = self._choice(action)
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self.infos[agent] = {"told": []}
        self._length += 1
        self._happened(done(act(table, self._seats[agent], choice), table))
        self._accumulate_rewards()
        if self.render_mode == "human":
            self.render()

    def render(self) -> str | None:
        """Print what a spectator sees, or return it as text, as `render_mode` says."""
        if self.render_mode is None:
            warnings.warn('render() needs a render_mode: TurnsEnv(…, render_mode="human")', stacklevel=2)
            return None
        title, rows = f"{self.game.__name__}, action {self._length}", rows_of(self.view(None))
        if self.render_mode == "human":
            Screen().table(title, rows)
            return None
        return "\n".join([title, *(f"{name} {value}".strip() for name, value in rows)])

    def close(self) -> None:
        """Do nothing: there is nothing to be released."""

    def _begun(self) -> Table:
        if self._table is None:
            raise RuntimeError("there is no game yet: call reset()")
        return self._table

    def _choice(self, action: SupportsIndex | None) -> Choice:
        """Return what an action plays."""
        number = -1 if action is None else operator.index(action)
        plays = self._plays.get(number)
        if plays is None:
            raise ValueError(f"{action} is no legal action for {self.agent_selection}; those are {[*self._plays]}")
        return plays[0] if len(plays) == 1 else self._dice.choice(plays)

    def _happened(self, step: Step) -> None:
        """Tell what happened, and select who is next, or end the game."""
        table = self._begun()
        for one in step.happenings:
            if isinstance(one, Told):
                for agent in self.agents:
                    if one.to is None or self._seats[agent] in one.to:
                        self.infos[agent]["told"].append((one.text, dict(one.facts)))
        self._plays = {}
        if table.result is not None:
            self.rewards = {agent: reward(table.result, self._seats[agent]) for agent in self.agents}
            self.terminations = dict.fromkeys(self.agents, True)
        elif self._length >= self.limit or not self._select(table):
            self.truncations = dict.fromkeys(self.agents, True)
        if not self._plays:
            self.agent_selection = self.agents[0]

    def _select(self, table: Table) -> bool:
        """Select the first of those to act who can; return whether somebody can."""
        waiting, suspension = [*table.to_move], table.course.suspension
        if suspension is not None and suspension.question.kind is Kind.ANY:
            self._dice.shuffle(waiting)  # the first answer counts, and nobody is always the fastest
        for seat in waiting:
            self._plays = self._legal(table, seat)
            if self._plays:
                self.agent_selection = self.possible_agents[seat]
                return True
        return False

    def _legal(self, table: Table, seat: int) -> dict[int, list[Choice]]:
        """Return what a seat may do by action; of several plays that are one action, one will be drawn."""
        listing, legal = table.legal_all(seat), dict[int, list[Choice]]()
        other = self._drawn.get(ANYTHING_ELSE[0], -1)
        for name, arguments in listing.plays:
            legal.setdefault(self._numbers.get(key_of(name, arguments), other), []).append((name, arguments))
        for name in listing.unlisted:
            drawn = table.draw(seat, name, self._dice)
            if drawn is not None:
                legal.setdefault(self._drawn.get(name, other), []).append((name, drawn))
        if -1 in legal:  # pragma: no cover - without ANYTHING_ELSE every play is known
            raise RulesError(f"{self.game.__name__} lists {legal[-1][0]}, which its class does not say")
        return dict(sorted(legal.items()))


def reward(result: Result, seat: int) -> float:
    """Return what an end is worth to a seat: 1 for who won, -1 for who lost; its score, or 0, where nobody won."""
    if result.winners:
        return 1.0 if seat in result.winners else -1.0
    return 0.0 if result.scores is None else float(result.scores[seat])
