"""Look for leaks in the sample games that hide anything: `python -m benchmarks.turns_leaks`.

`check` puts something else where a seat cannot see, and looks whether the seat can tell. Each game has its share of a
minute; together that has to be 10,000 other worlds at least, and nothing may be found.
"""

import argparse
import sys
import time

from benchmarks.turns_cuts import files
from netcode.turns import check
from netcode.turns.language.definition import definition_of
from netcode.turns.terminal.game_file import load_game

WORLDS = 10_000
BEGIN_WITHIN = 0.4
"""The part of the time in which games begin: the last of each is played out, and some are long."""
GAMES = 100_000
"""More than any share of time is enough for."""


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns_leaks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for all games together (%(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of the first game; the others follow")
    chosen = parser.parse_args()
    games = [game for game in (load_game(str(path)) for path in files()) if definition_of(game).unseen_fields]
    begun, worlds, clean = time.monotonic(), 0, True
    share = BEGIN_WITHIN * chosen.seconds / len(games)
    for game in games:
        print(f"{game.__name__} for {share:.0f} s …", file=sys.stderr, flush=True)
        report = check(game, GAMES, seed=chosen.seed, seconds=share)
        worlds, clean = worlds + report.worlds, clean and report.ok and report.worlds > 0
        print(f"{game.__name__}: {report.games} games, {report.moves} moves, {report.worlds} other worlds", flush=True)
        for what, where in report.problems.items():
            print(f"  PROBLEM {what}, first seen {where}")
    spent = time.monotonic() - begun
    print(f"{worlds} other worlds in {spent:.0f} s, {'clean' if clean else 'NOT clean'}")
    return 0 if clean and worlds >= WORLDS and spent <= max(chosen.seconds, 60.0) else 1


if __name__ == "__main__":
    sys.exit(main())
