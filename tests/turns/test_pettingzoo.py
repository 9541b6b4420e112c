"""Games as PettingZoo environments: its own tests pass, and nobody sees or does what is not theirs."""

import copy
import importlib
import pickle
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("pettingzoo", reason="PettingZoo is not installed: pip install -e '.[pettingzoo]'")

with warnings.catch_warnings():
    # Its tests import a game of its own, in a way that it warns of.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pettingzoo.test import api_test, seed_test

from benchmarks.turns import example
from netcode.turns import Game, Hidden, Owned, Result, move
from netcode.turns.numbers import ANYTHING_ELSE
from netcode.turns.pettingzoo import TurnsEnv, reward

GAMES = [
    "battleship.Battleship", "chess_game.Chess", "connect_four.ConnectFour", "coup.Coup", "crazy_eights.CrazyEights",
    "draft_and_tricks.DraftAndTricks", "hanabi.Hanabi", "love_letter.LoveLetter", "pig.Pig",
    "rock_paper_scissors.RockPaperScissors", "tictactoe.TicTacToe", "tictactoe_exact.TicTacToe", "traders.Traders",
    "uno.Uno",
]  # fmt: skip
NOT_IN_THEIR_LIST = {
    "Observation is not a NumPy array",
    "Observation space for each agent probably should be gymnasium.spaces.box or gymnasium.spaces.discrete",
}
"""What `api_test` says of every environment with an action mask that is not one of PettingZoo's own, by its name."""


def make(path: str, seed: int = 1, **settings: Any) -> TurnsEnv:
    settings.setdefault("games", 5)
    env = TurnsEnv(example(path.partition(".")[0]), **settings)
    env.reset(seed=seed)
    return env


def legal(env: TurnsEnv) -> list[int]:
    """Return what the selected agent may do; nothing once its game is over."""
    observation, _, terminated, truncated, _ = env.last()
    mask = [number for number, may in enumerate(observation["action_mask"]) if may]
    assert (mask == []) == (terminated or truncated)
    return mask


def number(env: TurnsEnv, name: str, **arguments: Any) -> int:
    return env.actions.index((name, arguments))


def seen(env: TurnsEnv, agent: str, label: str) -> Any:
    return env.observe(agent)["observation"][env.labels.index(label)]


def play_out(env: TurnsEnv) -> dict[str, float]:
    """Play the first that is legal until nobody is left, and return what each agent was rewarded with in the end."""
    total = dict.fromkeys(env.possible_agents, 0.0)
    for agent in env.agent_iter(10_000):
        mask = legal(env)
        total[agent] += env.last()[1]
        env.step(mask[0] if mask else None)
    assert env.agents == []
    return total


@pytest.mark.parametrize("path", GAMES)
def test_the_tests_of_pettingzoo_pass(path: str) -> None:
    env = make(path, games=2)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        api_test(env, num_cycles=60)

    assert {str(warning.message) for warning in said} == NOT_IN_THEIR_LIST


@pytest.mark.games
@pytest.mark.parametrize("path", ["crazy_eights.CrazyEights", "coup.Coup", "battleship.Battleship"])
def test_a_game_is_the_same_for_the_same_seed(path: str) -> None:
    seed_test(lambda: TurnsEnv(example(path.partition(".")[0]), games=2), num_cycles=60)

    env = make(path, seed=4)
    first = env.observe("seat_0")["observation"].tolist(), env.agent_selection
    env.reset()
    env.reset(seed=4)
    assert (env.observe("seat_0")["observation"].tolist(), env.agent_selection) == first


def test_an_end_rewards_and_terminates_all() -> None:
    env = make("tictactoe.TicTacToe")
    assert env.actions[4] == ("mark", {"cell": 4})

    for cell in (0, 3, 1, 4):
        env.step(cell)
    assert (env.agent_selection, legal(env), seen(env, "seat_1", "cells[3]")) == ("seat_0", [2, 5, 6, 7, 8], 1)
    assert not env.observe("seat_1")["action_mask"].any()
    env.step(2)

    assert (env.rewards, env.terminations) == ({"seat_0": 1, "seat_1": -1}, {"seat_0": True, "seat_1": True})
    assert play_out(env) == {"seat_0": 1, "seat_1": -1}


@pytest.mark.parametrize(
    ("result", "rewards"),
    [
        (Result((1,)), [-1, 1]),
        (Result((0, 1), (3.0, 3.0)), [1, 1]),
        (Result(()), [0, 0]),
        (Result((), (17.0, 17.0)), [17, 17]),
    ],
)
def test_what_an_end_is_worth(result: Result, rewards: list[float]) -> None:
    assert [reward(result, seat) for seat in range(2)] == rewards


class Dealt(Game):
    """Over as soon as the cards are dealt."""

    card: int = 0

    def setup(self) -> None:
        self.finish(1)

    @move
    def end(self) -> None:
        self.finish(0)


def test_a_game_that_is_over_as_it_begins_rewards_all_once() -> None:
    env, got = TurnsEnv(Dealt, games=1), dict[str, float]()
    env.reset(seed=1)
    for agent in env.agent_iter():
        _, got[agent], over, _, _ = env.last()
        assert over
        env.step(None)

    assert got == {"seat_0": -1.0, "seat_1": 1.0}


def test_what_is_thrown_at_once_is_chosen_one_after_the_other_and_hidden() -> None:
    def after(throw: str) -> tuple[TurnsEnv, list[float]]:
        env = make("rock_paper_scissors.RockPaperScissors")
        env.step(number(env, "", answer=throw))
        return env, env.observe("seat_1")["observation"].tolist()

    (env, one), (_, other) = after("rock"), after("paper")

    assert one == other
    assert (env.agent_selection, seen(env, "seat_1", "kit.to_move[0]")) == ("seat_1", 0)
    env.step(number(env, "", answer="paper"))
    assert (env.agent_selection, [seen(env, "seat_0", f"score[{seat}]") for seat in range(2)]) == ("seat_0", [0, 1])


def test_a_question_in_the_middle_of_a_move_is_an_action_of_who_is_asked() -> None:
    env = make("crazy_eights.CrazyEights")
    agent = ""
    for _ in range(300):
        eights = [action for action in legal(env) if str(env.actions[action][1]).startswith("{'card': '8")]
        agent = env.agent_selection
        env.step(eights[0] if eights else legal(env)[0])
        if eights:
            break

    assert env.agent_selection == agent
    assert {env.actions[action][0] for action in legal(env)} == {""}
    assert seen(env, agent, "kit.asked") == 1 + env.tokens.index("which suit?")


class Whisper(Game):
    """Seat 0 is told a secret of its own, and everybody when it is over."""

    left: int = 3

    @move
    def go(self) -> None:
        self.left -= 1
        self.tell("the secret", to=0, left=self.left)
        if not self.left:
            self.tell("over")
            self.finish()


def test_what_is_told_is_in_the_infos_of_who_is_told() -> None:
    env = TurnsEnv(Whisper, games=1)
    env.reset(seed=1)

    env.step(0)
    assert env.infos == {"seat_0": {"told": [("the secret", {"left": 2})]}, "seat_1": {"told": []}}
    env.step(0)
    assert [text for text, _ in env.last()[4]["told"]] == ["the secret", "the secret"]
    env.step(0)
    assert [[text for text, _ in env.infos[agent]["told"]] for agent in env.agents] == [
        ["the secret", "over"],
        ["over"],
    ]


def test_a_long_game_is_truncated() -> None:
    env = make("connect_four.ConnectFour", limit=3)

    for column in (0, 1, 2):
        env.step(column)

    assert (env.truncations, env.terminations) == ({"seat_0": True, "seat_1": True}, {"seat_0": False, "seat_1": False})
    assert play_out(env) == {"seat_0": 0, "seat_1": 0}


class Stuck(Game):
    """Somebody is to move, and can do nothing."""

    moved: bool = False

    def doors(self) -> list[int]:
        return [] if self.moved else [1, 2]

    @move(door=doors)
    def go(self, door: int) -> None:
        self.moved = True


def test_a_game_in_which_nobody_can_do_anything_is_truncated() -> None:
    env = TurnsEnv(Stuck, games=1)
    env.reset()

    env.step(0)

    assert env.truncations == {"seat_0": True, "seat_1": True}


@pytest.mark.games
@pytest.mark.parametrize("path", GAMES)
def test_nobody_is_ever_without_a_move_even_after_the_shortest_survey(path: str) -> None:
    env = make(path, games=1, limit=300)

    for seed in range(4):
        env.reset(seed=seed)
        for agent in env.agent_iter(1000):
            mask = legal(env)
            env.step(env.action_space(agent).sample(env.observe(agent)["action_mask"]) if mask else None)
        assert env.agents == []


def test_what_has_no_place_is_one_of_anything_else() -> None:
    env = make("chess_game.Chess", games=1)
    other = env.actions.index(ANYTHING_ELSE)

    for _ in range(60):
        if other in legal(env):
            break
        env.step(legal(env)[0])
    before = env.view("seat_0").fen

    env.step(other)
    assert env.view("seat_0").fen != before


def test_a_free_answer_is_drawn() -> None:
    env = make("battleship.Battleship")

    assert [env.actions[action] for action in legal(env)] == [("", None)]
    env.step(legal(env)[0])
    env.step(legal(env)[0])

    fleets = env.view("seat_0").fleets
    assert (len(fleets[0]), fleets[1]) == (5, [None] * 5)


class First(Game):
    """Everybody is asked, and the first one to answer has won."""

    seats = 3, 3

    def round(self) -> None:
        self.finish(self.ask_any(self.players, [1, 2], "who is first?")[0])


def test_where_the_first_answer_counts_nobody_is_always_the_first() -> None:
    env, first = TurnsEnv(First, games=1), set[str]()

    for seed in range(40):
        env.reset(seed=seed)
        first.add(env.agent_selection)
        env.step(0)
        assert len(env.terminations) == 3

    assert first == {"seat_0", "seat_1", "seat_2"}


@pytest.mark.parametrize("action", [0, 9, -1, None])
def test_what_is_no_legal_action_changes_nothing_and_is_said(action: int | None) -> None:
    env = make("tictactoe.TicTacToe")
    env.step(0)
    before = env.observe("seat_1")["observation"].tolist()

    with pytest.raises(ValueError, match=rf"{action} is no legal action for seat_1; those are \[1, 2"):
        env.step(action)

    assert (env.agent_selection, env.observe("seat_1")["observation"].tolist()) == ("seat_1", before)


def test_what_is_asked_too_early_or_too_late_is_said() -> None:
    env = TurnsEnv(Whisper, games=1)
    with pytest.raises(RuntimeError, match=r"call reset\(\)"):
        env.step(0)
    with pytest.raises(RuntimeError, match=r"call reset\(\)"):
        env.view(None)
    env.reset()
    for _ in range(3):
        env.step(0)
    play_out(env)
    with pytest.raises(ValueError, match=r"over for all: call reset\(\)"):
        env.step(0)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"players": 3}, "is for 2 players, not 3"),
        ({"options": {"size": 1}}, "has no option of that name"),
        ({"games": 0}, "games and limit are at least 1"),
        ({"limit": 1.5}, "games and limit are at least 1"),
        ({"render_mode": "rgb_array"}, 'render_mode is "human", "ansi" or None'),
    ],
)
def test_settings_that_cannot_be_are_said(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        TurnsEnv(Whisper, **settings)


def test_more_players_are_more_agents_and_options_reach_the_table() -> None:
    env = make("crazy_eights.CrazyEights", players=4)

    assert env.agents == ["seat_0", "seat_1", "seat_2", "seat_3"]
    assert seen(env, "seat_3", "kit.seat") == 3
    assert env.view("seat_2").options == {}


def copied_deeply(env: TurnsEnv) -> TurnsEnv:
    return copy.deepcopy(env)


def pickled(env: TurnsEnv) -> TurnsEnv:
    again: TurnsEnv = pickle.loads(pickle.dumps(env))
    return again


class Drawn(Game):
    """Each draws, and says whether to keep it."""

    deck: Hidden[list[int]]
    kept: Owned[list[list[int]]]

    def setup(self) -> None:
        self.deck = [*range(12)]
        self.random.shuffle(self.deck)
        self.kept = [[], []]

    @move
    def draw(self) -> None:
        card = self.deck.pop()
        if self.ask(self.mover, [True, False], f"{card}?"):
            self.kept[self.mover].append(card)
        if not self.deck:
            self.finish(scores=[sum(cards) for cards in self.kept])


@pytest.mark.parametrize("copied", [copied_deeply, pickled])
def test_an_environment_can_be_pickled_and_goes_on_as_the_same(copied: Callable[[TurnsEnv], TurnsEnv]) -> None:
    env = TurnsEnv(Drawn, games=3)
    fresh = copied(env)
    for one in (env, fresh):
        one.reset(seed=3)
        one.step(legal(one)[0])
    again = copied(env)

    assert again.agent_selection == env.agent_selection
    for agent in env.agents:
        for one in (fresh, again):
            assert (one.observe(agent)["observation"] == env.observe(agent)["observation"]).all()
            assert (one.observe(agent)["action_mask"] == env.observe(agent)["action_mask"]).all()
    assert play_out(env) == play_out(fresh) == play_out(again)


def test_a_game_is_written_down_as_a_spectator_sees_it(capsys: pytest.CaptureFixture[str]) -> None:
    env = make("tictactoe.TicTacToe", render_mode="ansi")
    env.step(4)
    assert env.render() == "TicTacToe, action 1\ncells  .  .  .\n.  0  .\n.  .  ."
    assert capsys.readouterr().out == ""

    loud = make("tictactoe.TicTacToe", render_mode="human")
    loud.step(4)
    assert "-- TicTacToe, action 1" in capsys.readouterr().out

    with pytest.warns(UserWarning, match="needs a render_mode"):
        assert make("tictactoe.TicTacToe").render() is None
    env.close()


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pettingzoo", None)
    monkeypatch.delitem(sys.modules, "netcode.turns.pettingzoo")

    with pytest.raises(ModuleNotFoundError, match=r'python -m pip install "netcode\[pettingzoo\]"'):
        importlib.import_module("netcode.turns.pettingzoo")
