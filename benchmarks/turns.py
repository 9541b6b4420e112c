# Single steps inside a table are measured here; and a default in a game is copied for each table.
# ruff: noqa: SLF001, RUF012
# pyright: reportPrivateUsage=false
"""What a table costs: `python -m benchmarks.turns` prints the figures of the turn kit, each beside its bar.

In one process, without sockets but for the joins. The best of several rounds is what the work costs, and the median
what it costs on this machine: where they differ much, the machine is busy.
"""

import argparse
import gc
import importlib
import platform
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from netcode.turns import Game, Seat, Server, join, move
from netcode.turns.bots import Belief, TreeSearch
from netcode.turns.language.fields import pack_fields
from netcode.turns.simulate import Choice, act, choices_of, done, secret_of, simulate
from netcode.turns.table import Step, Table

EXAMPLES = Path(__file__).parent.parent / "examples" / "turns"
WORD = "ten letter"


class Small(Game):
    """A game with a state of 1 KB."""

    COUNT: ClassVar[int] = 90
    words: list[str] = []
    moves: int = 0

    def setup(self) -> None:
        """Fill the state."""
        self.words = [WORD] * self.COUNT

    @move(cell=range(30))
    def mark(self, cell: int) -> None:
        """Count; because it could refuse, each of its candidates is tried."""
        self.require(cell < 30, "no")
        self.moves += 1


class Large(Small):
    """A game with a state of 20 KB."""

    COUNT: ClassVar[int] = 1_800


class Five(Game):
    """A game whose move asks five times."""

    answers: list[int] = []

    @move
    def go(self) -> None:
        """Ask."""
        self.answers = [self.ask(self.mover, range(3), f"question {number}") for number in range(5)]


def example(name: str) -> type[Game]:
    """Return the game of an example."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        module = importlib.import_module(name)
    finally:
        sys.path.remove(str(EXAMPLES))
    [game] = [thing for thing in vars(module).values() if isinstance(thing, type) and thing.__base__ is Game]
    return game


def begin(game: type[Game], players: int | None = None, seed: int = 1) -> Table:
    """Return a table that has begun."""
    table = Table.create(game, players or game.seats[0], secret=secret_of(seed))
    assert isinstance(table.start(0.0), Step)
    return table


def times(work: Callable[[], object], rounds: int = 9, calls: int = 300) -> tuple[float, float]:
    """Return the best and the median of what one call costs, in microseconds of this process."""
    results: list[float] = []
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        for _ in range(calls):
            work()
        results.append((time.process_time() - began) / calls * 1e6)
    return min(results), statistics.median(results)


def listing(game: type[Game]) -> tuple[float, float]:
    """List what the first seat may do, nothing cached."""
    table = begin(game)

    def work() -> None:
        table._listings.clear()
        table.legal(0)

    return times(work)


def saving(game: type[Game]) -> tuple[float, float]:
    """Pack the fields after a move, as each one does."""
    table = begin(game)
    return times(lambda: pack_fields(table.course.game))


def answering() -> tuple[float, float]:
    """Answer the last of five questions in a move: the rule runs for the sixth time."""
    table = begin(Five)
    table.play(0, "go", {}, 1, now=0.0)
    for number in range(2, 6):
        question = table.question(0)
        assert question is not None
        table.answer(0, question.id, 1, number, now=0.0)
    state, results = table.snapshot(), list[float]()
    for _ in range(300):
        again = Table.restore(Five, state)
        question = again.question(0)
        assert question is not None
        began = time.perf_counter()
        again.answer(0, question.id, 1, 6, now=0.0)
        results.append((time.perf_counter() - began) * 1e6)
    return min(results), statistics.median(results)


def idling(tables: int) -> tuple[float, float]:
    """Update a server that has so many tables in memory, which wait for players."""
    game = example("tictactoe")
    with (
        Server(
            game, host="127.0.0.1", port=0, max_peers=10, tables_per_peer=tables + 1, moves_per_second=1e9
        ) as server,
        join(server.address, game, legal=False) as founder,
    ):
        until(lambda: founder.seated, server, founder)
        keep(server, game, tables)
        for _ in range(200):
            server.update()
        return times(server.update, calls=200)


def keep(server: Server, game: type[Game], count: int) -> None:
    """Have a server keep so many tables, as if people had founded them."""
    from netcode.turns.serving.room import Room

    for number in range(count):
        room = Room(f"{number:024x}", game, None, None, {})
        server._keeper.found(room, time.monotonic())


def memory(game: type[Game], players: int, count: int = 200) -> float:
    """Return how many bytes a table holds that is loaded, was looked at, and at which somebody moved."""

    def use(table: Table) -> None:
        seat, dice = table.to_move[0], random.Random(1)
        table.view(seat)
        done(act(table, seat, choices_of(table, seat, dice)[0]))

    use(begin(game, players))  # what belongs to the class is made once
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tables = [begin(game, players) for _ in range(count)]
    for table in tables:
        use(table)
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return held / count


def until(true: Callable[[], object], server: Server, *seats: Seat[Any]) -> None:
    """Update everybody until something is true."""
    deadline = time.monotonic() + 60
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not come within 60 s")
        server.update()
        for seat in seats:
            seat.update()


def joining(clients: int = 500) -> float:
    """Return how many seconds it takes until so many players sit at tables of two."""
    game = example("tictactoe")
    with Server(game, host="127.0.0.1", port=0, max_peers=clients, max_peers_per_address=clients) as server:
        began = time.monotonic()
        seats = [join(server.address, game, legal=False) for _ in range(clients)]
        until(lambda: all(seat.started for seat in seats), server, *seats)
        took = time.monotonic() - began
        for seat in seats:
            seat.close()
    return took


class Duel:
    """One seat is a bot's, and the other ones play at random."""

    def __init__(self, seat: int, seed: int, seconds: float) -> None:
        # Time of this process: how busy the machine is says nothing about a bot.
        self._belief = Belief(seat, seed, clock=time.process_time)
        self._seat, self._seed, self._seconds = seat, seed, seconds
        self.slowest = 0.0

    def __call__(self, table: Table, mover: int, choices: list[Choice], dice: random.Random) -> Choice:
        """Choose for whoever is to move."""
        if mover != self._seat:
            return dice.choice(choices)
        began = time.process_time()
        chosen = TreeSearch.choose(
            table, mover, self._seconds, self._seed, belief=self._belief, clock=time.process_time
        )
        self.slowest = max(self.slowest, time.process_time() - began)
        assert chosen is not None
        return chosen


def won_by_a_bot(name: str, games: int, seconds: float) -> tuple[int, float]:
    """Return how many games a bot wins alone of who plays at random, from both seats, and its slowest choice."""
    won, slowest = 0, 0.0
    for number in range(games):
        duel = Duel(number % 2, number, seconds)
        result = simulate(example(name), number, choose=duel).result
        won += result is not None and result.winners == (number % 2,)
        slowest = max(slowest, duel.slowest)
    return won, slowest


def bots(games: int) -> None:
    """Print how many games the bots win of chance."""
    for name, bar in (("connect_four", f"{0.9:.0%}"), ("love_letter", "none")):
        won, slowest = won_by_a_bot(name, games, 0.08)
        print(f"{f'{name}: games of {games} won of chance, 80 ms':48} bar {bar:>5}   {won:13}   "
              f"slowest move {slowest * 1000:.0f} ms", flush=True)  # fmt: skip
    print("How many of Love Letter can be won at all says `python -m benchmarks.love_letter`.")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns", description=__doc__)
    parser.add_argument("--bots", type=int, metavar="GAMES", help="have bots play so many games instead, such as 50")
    options = parser.parse_args()
    if options.bots is not None:
        bots(options.bots)
        return 0
    print(f"Python {platform.python_version()} on {platform.system()}, {platform.machine()}")
    rows = [
        ("listing 9 candidates with require, µs", "60", listing(example("tictactoe"))),
        ("listing 9 candidates of an exact domain, µs", "20", listing(example("tictactoe_exact"))),
        ("listing 30 candidates on a state of 20 KB, µs", "6000", listing(Large)),
        ("saving a state of 1 KB, µs", "15", saving(Small)),
        ("saving a state of 20 KB, µs", "200", saving(Large)),
        ("an answer in a move with 5 questions, µs", "40", answering()),
    ]
    for title, bar, (best, median) in rows:
        print(f"{title:48} bar {bar:>5}   best {best:8.1f}   median {median:8.1f}", flush=True)
    none, many = idling(0), idling(5_000)
    print(f"{'update() beside 5,000 waiting tables, µs more':48} bar {5:>5}   best {many[0] - none[0]:8.1f}   "
          f"median {many[1] - none[1]:8.1f}", flush=True)  # fmt: skip
    sizes = {
        f"{path.stem} with {players}": memory(game, players) / 1024
        for path in sorted(EXAMPLES.glob("*.py"))
        if path.stem != "window"
        for game in [example(path.stem)]
        for players in {*game.seats, min(4, game.seats[1])}
    }
    for title, size in [
        ("tic-tac-toe", sizes["tictactoe with 2"]),
        *sorted(sizes.items(), key=lambda item: item[1])[-1:],
    ]:
        print(f"{f'memory of a table of {title}, KiB':48} bar {8:>5}   {size:13.1f}", flush=True)
    print(f"{'500 clients find tables of two, s':48} bar {2:>5}   {joining():13.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
