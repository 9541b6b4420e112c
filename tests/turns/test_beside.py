"""What rules keep beside their fields: `check` names it where a player would meet it, and accuses no cache of anything."""

import itertools
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from netcode.turns import Game, check, move
from netcode.turns.proving import twin
from netcode.turns.proving.beside import Beside, differing, told_of_changed, told_of_changing

Rule = Callable[[Any], int]


class Adds(Game):
    """Adds up what a subclass works out, until that is enough."""

    cells: ClassVar[list[int]] = [0, 1, 2]
    points: ClassVar[dict[int, int]] = {}
    total: int = 0

    def setup(self) -> None:
        self.begin()

    def begin(self) -> None: ...

    def work(self) -> int:
        return 1

    @move(n=[1, 2])
    def go(self, n: int) -> None:
        self.total += self.work() + n - n
        if self.total > 12:
            self.finish(self.mover)
        self.turn_to(1 - self.mover)


def game_of(work: Rule, begin: Any = None) -> type[Game]:
    members: dict[str, Any] = {"work": work, "__module__": __name__}
    return type("Thing", (Adds,), members if begin is None else {**members, "begin": begin})


@dataclass(frozen=True)
class Hand:
    """Looks like a list, and is replaced instead."""

    cards: tuple[int, ...]

    def remove(self, card: int) -> "Hand":
        return Hand(tuple(one for one in self.cards if one != card))


@dataclass
class Board:
    """Belongs to whoever makes it."""

    cells: list[int]


class Makes:
    """Makes a board each time."""

    words: tuple[str, ...] | None = None

    @property
    def fresh(self) -> Board:
        return Board([0])

    def __getitem__(self, name: str) -> Board:
        return Board([0])


HANDS = [Hand((1, 2, 3)), Hand((4, 5))]
MEMO: list[dict[str, int]] = [{} for _ in range(9)]
ROWS: list[int | None] = [None] * 9
PRIMES: set[int] = set()
COUNTS: dict[int, int] = {}
NEIGHBOURS: list[list[int]] = [[] for _ in range(9)]
MAKES = Makes()
LATEST: dict[str, Any] = {}


def _replaces_a_value(_: Any) -> int:
    HANDS[0] = Hand(HANDS[0].cards)
    return len(HANDS[0].remove(1).cards)


def _remembers_in_dicts_of_a_list(self: Any) -> int:
    n: int = self.total % 9
    kept = MEMO[n]
    if "x" not in kept:
        kept["x"] = 2
    return kept["x"]


def _remembers_in_a_list(self: Any) -> int:
    n: int = self.total % 9
    ROWS[n] = found = ROWS[n] or n + 1
    return found


def _lines() -> Any:
    if not hasattr(_lines, "kept"):
        _lines.kept = [1, 2]  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    return _lines.kept  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


def _remembers_at_a_function(_: Any) -> int:
    return int(_lines()[0])


def _remembers_in_a_set(self: Any) -> int:
    if self.total not in PRIMES and all(self.total % n for n in range(2, self.total)):
        PRIMES.add(self.total)
    return 1 + (self.total in PRIMES)


def _put(board: Any, cell: int) -> int:
    board.cells[cell] += 1
    board.cells.append(cell)
    return int(board.cells[cell])


def _writes_to_what_it_made(_: Any) -> int:
    MAKES.fresh.cells.append(1)
    MAKES["x"].cells = [1]
    return _put(Board([0] * 3), 1)


def _works_out_a_table(_: Any) -> int:
    if not COUNTS:
        for n, k in itertools.product(range(9), range(9)):
            COUNTS[n] = COUNTS.get(n, 0) + k
    return COUNTS[1]


def _fills_what_was_empty(_: Any) -> int:
    Makes.words = Makes.words or ("a", "b")
    if not NEIGHBOURS[0]:
        NEIGHBOURS[0].append(1)
    return len(Makes.words) + len(NEIGHBOURS[0])


@cache
def _twice(n: int) -> int:
    return n * 2


def _calls_a_cache(self: Any) -> int:
    return 1 + _twice(self.total)


@pytest.mark.parametrize(
    "work",
    [
        _replaces_a_value,
        _remembers_in_dicts_of_a_list,
        _remembers_in_a_list,
        _remembers_at_a_function,
        _remembers_in_a_set,
        _writes_to_what_it_made,
        _works_out_a_table,
        _fills_what_was_empty,
        _calls_a_cache,
    ],
)
def test_a_cache_and_what_is_not_shared_are_no_fault(work: Rule) -> None:
    report = check(game_of(work), 3)

    assert (report.problems, [note[:21] for note in report.notes]) == ({}, ["not compared with ano"])


def _remembers_the_latest_alone(self: Any) -> int:
    if LATEST.get("of") != self.total:
        LATEST.update(of=self.total, found=self.total % 3)
    return 1 + int(LATEST["found"])


BOARDS = {"a": [0] * 9}
PAIR = ([0] * 3, [0] * 3)
POINTS: dict[int, int] = {}
QUEUE: deque[int] = deque()


def _writes_to_a_list_of_a_dict(self: Any) -> int:
    BOARDS["a"][0] = self.mover
    return 1


def _writes_to_a_list_of_a_tuple(self: Any) -> int:
    PAIR[0][1] = self.mover
    return 1


def _counts(self: Any) -> int:
    POINTS[self.mover] = POINTS.get(self.mover, 0) + 1
    return 1


def _queues(self: Any) -> int:
    QUEUE.append(self.mover)
    return 1


@pytest.mark.parametrize(
    ("work", "name"),
    [
        (_writes_to_a_list_of_a_dict, "BOARDS"),
        (_writes_to_a_list_of_a_tuple, "PAIR"),
        (_counts, "POINTS"),
        (_queues, "QUEUE"),
        (_remembers_the_latest_alone, "LATEST"),
    ],
)
def test_what_changes_over_and_over_and_nobody_met_is_a_note_and_no_problem(work: Rule, name: str) -> None:
    report = check(game_of(work), 3)

    assert report.ok
    assert report.notes[1].startswith(
        f"the rules go on changing {name} beside the fields; nothing came of it in these "
    )


def _steps() -> Callable[[], int]:
    n = 0

    def step() -> int:
        nonlocal n
        n = n % 5 + 1
        return n

    return step


STEP, NUMBERS, DICE = _steps(), itertools.count(), random.Random(5)
TALLY: Counter[int] = Counter()
SEEN: set[int] = set()
GRID = [[0] * 3 for _ in range(3)]
STATE = SimpleNamespace(turn=0)


class Slotted:
    """Has no dictionary."""

    __slots__ = ("turn",)

    def __init__(self) -> None:
        self.turn = 0


class Deck:
    """Keeps its cards where all decks do."""

    cards: ClassVar[list[int]] = []
    slotted = Slotted()

    def draw(self) -> int:
        self.slotted.turn += 1
        self.cards[:] = self.cards or [1, 2, 3]
        return self.cards.pop(0)


def _many(self: Any, seen: list[int] = []) -> int:  # noqa: B006 - what beginners write
    seen.append(1)
    return 1 + len(seen) % 4


def _keyword(self: Any, *, seen: dict[int, int] = {}) -> int:  # noqa: B006 - the same
    seen[self.mover] = (seen.get(self.mover, 0) + 1) % 4
    return 1 + seen[self.mover]


def _points_of_all(self: Any) -> int:
    self.points[self.mover] += 1
    return int(self.points[self.mover])


def _no_points(self: Any) -> None:
    self.points.update({0: 0, 1: 0})


def _from_a_deck(_: Any) -> int:
    return Deck().draw()


def _by_an_object(_: Any) -> int:
    STATE.turn = STATE.turn % 3 + 1
    return int(STATE.turn)


def _in_a_grid(self: Any) -> int:
    mover: int = self.mover
    row = GRID[mover]
    row[1] += 1
    return 1 + row[1] % 3


def _in_a_set(self: Any) -> int:
    SEEN.add(self.mover * 100 + self.total)
    return 1 + len(SEEN) % 3


def _by_a_generator(_: Any) -> int:
    return 1 + next(NUMBERS) % 3


def _with_a_counter(self: Any) -> int:
    TALLY[self.mover] += 1
    return 1 + TALLY[self.mover] % 3


def _none_seen(_: Any) -> None:
    SEEN.clear()


def _steps_on(_: Any) -> int:
    return STEP()


MET: list[tuple[Rule, Any, str]] = [
    (_steps_on, None, "n of step()"),
    (_many, None, "the default of seen in _many()"),
    (_keyword, None, "the default of seen in _keyword()"),
    (_points_of_all, _no_points, "Thing.points"),
    (_from_a_deck, None, "Deck.cards, Deck.slotted"),
    (_by_an_object, None, "STATE"),
    (_in_a_grid, None, "GRID"),
    (_in_a_set, _none_seen, "SEEN"),
    (_by_a_generator, None, "NUMBERS"),
    (_with_a_counter, None, "TALLY"),
]


@pytest.mark.parametrize(("work", "begin", "names"), MET)
def test_what_makes_another_game_is_named(work: Rule, begin: Any, names: str) -> None:
    (problem,) = check(game_of(work, begin), 3).problems

    named = (
        f" Beside the fields the rules change {names}, which all tables share and a restart forgets: what counts in a "
    )
    assert named in problem


BIDS: dict[int, int] = {}


class Bids(Game):
    """Keeps bids where a second table writes to the same ones; alone it goes well, also when each move is made twice."""

    bids: int = 0

    def setup(self) -> None:
        BIDS.clear()

    @move(n=range(5))
    def bid(self, n: int) -> None:
        BIDS[self.mover] = n
        self.bids += 1
        if self.bids == 2:
            self.finish(0 if BIDS.get(0, 0) > BIDS.get(1, 0) else 1)
        self.turn_to(1 - self.mover)


def test_what_only_a_second_table_changes_is_found_by_one() -> None:
    (problem,) = check(type("Thing", (Bids,), {"__module__": __name__}), 10).problems

    assert problem.startswith(
        "the same seed and moves give another game while a second table plays, too: what do they "
    )
    assert " Beside the fields the rules change BIDS, which all tables share" in problem


LINES: list[int] = []


class Prepared(Game):
    """Works out in `setup` what is not there after a restart."""

    total: int = 0

    def setup(self) -> None:
        LINES[:] = [2, 3]

    @move
    def go(self) -> None:
        self.total += LINES[0]
        if self.total > 8:
            self.finish()


def test_what_setup_leaves_beside_the_fields_is_missed_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_a_new_process(game: type[Game], jobs: Sequence[twin.Job], *_: Any) -> list[str]:
        LINES.clear()
        return [twin.digest(game, job) for job in jobs]

    monkeypatch.setattr(twin, "digests", in_a_new_process)

    (problem,) = check(Prepared, 1).problems

    assert problem.startswith("a game that was stored goes on as another one in another process, as after a restart: ")
    assert "Prepared fails: IndexError: list index out of range, at " in problem
    assert problem.endswith(
        " Beside the fields LINES changed meanwhile: a cache may, but what counts in a game is a field"
    )


LONG = [*range(20_000)]
DEEP: list[Any] = []
DEEP.append(DEEP)
LATER: Any = Deck


def test_what_is_large_or_in_itself_is_compared_as_far_as_that_takes_no_time() -> None:
    def look(_: Any) -> Any:
        return LONG, DEEP, later

    beside = Beside(game_of(look))
    LONG[-1] += 1
    assert differing(beside.first, beside.marks()) == []

    LONG.append(1)
    later = 3
    assert differing(beside.first, beside.marks()) == ["LONG", "later of look()"]


def test_of_many_things_the_first_are_named_and_of_none_nothing_is_said() -> None:
    assert told_of_changed([]) == ""
    assert told_of_changing(["d", "c", "b", "a"]).startswith(
        " Beside the fields the rules change a, b, c and 1 more, which"
    )


class Bare:
    """Has a slot that nothing was put into, and refuses to be looked at."""

    __slots__ = ("hand",)

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("not bound to anything")


class Silent:
    def __repr__(self) -> str:
        raise ValueError("nothing to say")


def refuse(_self: Any) -> Any:
    raise RuntimeError("not bound to anything")


ABSENT: Any = type("Absent", (), {"__class__": property(refuse)})  # stands for something that is not there
UNSEEN: tuple[Any, ...] = [Bare()], [ABSENT()], SimpleNamespace(one=Silent())


@pytest.mark.parametrize("unseen", UNSEEN, ids=["slots", "proxy", "repr"])
def test_what_cannot_be_looked_at_is_not_known_and_ends_nothing(unseen: Any) -> None:
    def work(self: Any) -> int:
        return 1 if unseen is not None else 0

    assert check(game_of(work), games=2).ok


class Config(dict[str, Any]):
    """A dictionary whose keys are attributes, as many have one: what is not in it is a KeyError."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


CONFIG, NOWHERE = Config(goal=3), ABSENT()


def test_rules_may_name_a_configuration_and_a_proxy_of_nothing() -> None:
    class Configured(Game):
        total: int = 0
        more: ClassVar[Config] = Config(step=1)

        @move
        def up(self) -> None:
            self.total += self.more.step
            if self.total >= CONFIG.goal:
                self.finish(self.mover)
            if self.total > 99:
                NOWHERE()
                NOWHERE.append(CONFIG.pop("goal"))

    assert check(Configured, games=2).ok


class Draws(Game):
    """Draws beside the game in some games, comes to a stop in others, and counts how often it was played."""

    counted: ClassVar[Counter[str]] = Counter()
    draw: ClassVar[list[Any]] = [random.random]
    total: int = 0
    kind: int = 0
    drawn: float = 0.0

    def setup(self) -> None:
        self.kind = self.random.randrange(3)

    def cards(self) -> list[int]:
        return [] if self.kind == 1 and self.total > 4 else [1, 2, 3]

    @move(card=cards)
    def play(self, card: int) -> None:
        self.counted["plays"] += 1
        self.total += 1
        if self.kind == 0:
            self.drawn = self.draw[0]()
        if self.total > 8:
            self.finish(self.mover)
        self.turn_to(1 - self.mover)


def test_what_changes_beside_the_fields_hides_no_other_fault() -> None:
    problems = check(Draws, games=12).problems

    assert any("the same seed and moves give another game" in problem for problem in problems)
    assert any("deadlock" in problem for problem in problems)
