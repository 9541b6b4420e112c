"""The command line: `python -m benchmarks [rows...]`, and `capacity`, `soak` or `versions` after it."""

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.capacity import SERVERS, capacity
from benchmarks.children import ChildFailed
from benchmarks.figures import Figure, Plan, Skipped
from benchmarks.machine import Unsuited
from benchmarks.plot import plot
from benchmarks.rows import ROWS
from benchmarks.soak import soak
from benchmarks.table import table
from benchmarks.versions import versions


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    result = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure netcode beside its alternatives."
    )
    rows = ", ".join(f"{number} {row.title}" for number, row in ROWS.items())
    result.add_argument("rows", nargs="*", type=int, metavar="row", help=f"which rows to run; all without any: {rows}")
    result.add_argument("--seconds", type=float, default=0.5, help="length of one round of one contender (%(default)s)")
    result.add_argument("--rounds", type=int, default=9, help="rounds, in which the contenders alternate (%(default)s)")
    result.add_argument(
        "--scale", type=float, default=1.0, help="share of the clients, for small machines (%(default)s)"
    )
    result.add_argument("--notes", action="store_true", help="say how busy servers and load generators were")
    result.add_argument("--plot", type=Path, metavar="PNG", help="draw the table")
    result.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    return result


def measure(rows: Sequence[int], plan: Plan) -> list[Figure | Skipped]:
    """Run rows one after the other; what this machine cannot run is skipped with its reason."""
    results: list[Figure | Skipped] = []
    for number in rows:
        row = ROWS[number]
        print(f"row {number}: {row.title} …", file=sys.stderr, flush=True)
        try:
            results += row.measure(plan)
        except Unsuited as unsuited:
            results.append(Skipped(number, row.title, str(unsuited)))
    return results


def compare(arguments: Sequence[str]) -> int:
    """Run rows of the table."""
    options = parser().parse_args(arguments)
    unknown = [row for row in options.rows if row not in ROWS]
    if unknown:
        print(f"there is no row {unknown[0]}; the rows are 1 to {len(ROWS)}", file=sys.stderr)
        return 2
    results = measure(options.rows or list(ROWS), Plan(options.seconds, options.rounds, options.scale))
    print(f"Python {platform.python_version()} on {platform.system()} {platform.release()}, {platform.machine()}")
    print(table(results, notes=options.notes))
    figures = [result for result in results if isinstance(result, Figure)]
    if options.json:
        options.json.write_text(json.dumps([figure.as_json() for figure in figures], indent=1, ensure_ascii=False))
    if options.plot and figures:
        plot(figures, options.plot)
    return 0


def find_capacity(arguments: Sequence[str]) -> int:
    """Find how many clients one core carries."""
    result = argparse.ArgumentParser(
        prog="python -m benchmarks capacity", description="How many clients one core carries."
    )
    result.add_argument("servers", nargs="*", choices=[[], *SERVERS], help=f"all of {', '.join(SERVERS)} without any")
    result.add_argument("--seconds", type=float, default=3.0, help="length of one trial (%(default)s)")
    result.add_argument("--most", type=int, default=8000, help="clients at which the search ends (%(default)s)")
    options = result.parse_args(arguments)
    capacity(options.servers or list(SERVERS), options.most, options.seconds)
    return 0


def soak_servers(arguments: Sequence[str]) -> int:
    """Soak two servers in clients of all kinds."""
    result = argparse.ArgumentParser(
        prog="python -m benchmarks soak", description="See that servers are as they were after clients of all kinds."
    )
    result.add_argument("--minutes", type=float, default=15.0, help="how long (%(default)s)")
    result.add_argument("--clients", type=int, default=200, help="clients at once (%(default)s)")
    options = result.parse_args(arguments)
    return soak(options.minutes, options.clients)


def compare_versions(arguments: Sequence[str]) -> int:
    """Compare rows with the same rows of another checkout."""
    result = argparse.ArgumentParser(
        prog="python -m benchmarks versions",
        description="Measure rows beside another checkout, in turn: what is against a peer stays so in both.",
    )
    result.add_argument("other", type=Path, help="the checkout to compare with, for instance a git worktree")
    result.add_argument("rows", nargs="*", type=int, choices=[[], *ROWS], help="which rows; all without any")
    result.add_argument("--seconds", type=float, default=0.5, help="length of one round (%(default)s)")
    result.add_argument("--rounds", type=int, default=9, help="rounds of each version (%(default)s)")
    result.add_argument("--scale", type=float, default=1.0, help="share of the clients (%(default)s)")
    options = result.parse_args(arguments)
    if not (options.other / "benchmarks").is_dir():
        print(f"{options.other} has no folder «benchmarks»: name a checkout of netcode", file=sys.stderr)
        return 2
    plan = Plan(options.seconds, options.rounds, options.scale)
    for line in versions(options.other.resolve(), options.rows or list(ROWS), plan):
        print(line)
    return 0


COMMANDS = {"capacity": find_capacity, "soak": soak_servers, "versions": compare_versions}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for and return the status to exit with."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = COMMANDS.get(words[0]) if words else None
    try:
        return compare(words) if command is None else command(words[1:])
    except (ChildFailed, Unsuited) as failure:
        print(f"the benchmark failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
