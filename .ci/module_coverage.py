"""Measure branch coverage, and hold each module of the package to 100 % through its own test file.

Usage: `python .ci/module_coverage.py run` runs those test files first, and `all` runs every test, of which it
measures those; without either it judges what the last run left behind. `netcode/transport/tcp.py` belongs to
`tests/test_transport_tcp.py`; an `__init__.py` that has no test file of its own belongs to `tests/test_package.py`.

The modules of the turn kit are held to 90 % each, through the file in `tests/turns` that has their name, or through
those that `KIT_TESTED_BY` gives: a table is tested as one thing, and so its parts by the files of the table.

What importing a module executes counts for everybody: it carries the name of no test file.
"""

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import coverage
import halves

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "netcode"
KIT = PACKAGE / "turns"
KIT_TESTS = ROOT / "tests" / "turns"
KIT_PERCENT = 90.0
"""Of the lines and branches of each module of the turn kit; programs that its tests start are not counted."""

COVERAGE = [sys.executable, "-m", "coverage"]
PYTEST = [*COVERAGE, "run", "-p", "-m", "pytest", "-q", "--durations=5"]

TABLE = ("table", "tables")
RULES = ("definition", "rules_errors")
PROTOCOL = ("turns_protocol",)
SERVER = ("turns_server", "turns_cluster", "turns_client", "turns_page", "turns_terminal", "turns_bots_network")
PLAYER = ("turns_client", "turns_server", "turns_cluster")
COMMANDS = ("turns_command_line",)
VALUES = ("values",)
KIT_TESTED_BY: dict[str, tuple[str, ...]] = {
    "__init__": ("definition",),
    "__main__": COMMANDS,
    "bots/__init__": ("bots",),
    "bots/belief": ("belief",),
    "bots/drawing": ("turns_bots_network",),
    "bots/random_bot": ("bots",),
    "bots/rebuilding": ("turns_bots_network",),
    "bots/search_bot": ("turns_bots_network",),
    "bots/tree": ("bots",),
    "client": PLAYER,
    "errors": TABLE,
    "events": ("turns_client",),
    "invitation": ("invitation",),
    "language/class_checks": RULES,
    "language/class_sources": ("class_sources", "sources"),
    "language/clocks": TABLE,
    "language/definition": (*RULES, "places"),
    "language/domains": (*RULES, "legal", "turns_protocol", "turns_server"),
    "language/fields": (*TABLE, "definition"),
    "language/imagining": ("imagining", "bots", "check"),
    "language/instead": ("definition",),
    "language/kit": ("kit", *TABLE, "rules_errors", "view", "bots", "slips"),
    "language/marks": (*RULES, *VALUES),
    "language/places": ("places",),
    "language/questions": TABLE,
    "language/randomness": TABLE,
    "language/sources": ("sources", *RULES),
    "language/table_options": ("table_options", *TABLE),
    "player/conversation": PLAYER,
    "player/known": PLAYER,
    "player/numbered": PLAYER,
    "player/sight": ("turns_client", "turns_terminal"),
    "player/table_link": PLAYER,
    "player/whereabouts": PLAYER,
    "protocol/__init__": PROTOCOL,
    "protocol/reading": PROTOCOL,
    "protocol/replies": (*PROTOCOL, "turns_client"),
    "protocol/requests": PROTOCOL,
    "proving/aliasing": ("check",),
    "proving/attempts": ("check",),
    "proving/bent_dice": ("check",),
    "proving/elsewhere": ("check", "beside"),
    "proving/findings": ("check", "beside"),
    "proving/flows": ("check",),
    "proving/growth": ("check",),
    "proving/hushing": ("check",),
    "proving/onlookers": ("check",),
    "proving/outside": ("outside",),
    "proving/playtest": ("check", "beside"),
    "proving/positions": ("check",),
    "proving/report": ("check",),
    "proving/scopes": ("outside",),
    "proving/seen": ("check",),
    "proving/tried": ("check",),
    "proving/twin": ("check", "beside"),
    "proving/variants": ("check_options",),
    "proving/watching": ("watching",),
    "proving/worlds": ("check",),
    "replay": ("turns_replay",),
    "rules": (*TABLE, "view", "rules_errors", "variants"),
    "runtime/absence": TABLE,
    "runtime/course": (*TABLE, "rules_errors", "resuming"),
    "runtime/legal": ("legal", "check"),
    "runtime/log": (*TABLE, "bots", "resuming"),
    "runtime/looking": (*TABLE, "view", "bots", "legal", "turns_faulty_rules"),
    "runtime/outcomes": TABLE,
    "runtime/pending": TABLE,
    "runtime/resuming": ("resuming", *TABLE, "check"),
    "runtime/sealing": TABLE,
    "runtime/soundness": ("turns_damage",),
    "runtime/standing": (*TABLE, "bots"),
    "runtime/storing": TABLE,
    "runtime/supposing": ("bots",),
    "runtime/transactions": TABLE,
    "runtime/undoing": TABLE,
    "runtime/waiting_moves": TABLE,
    "seat": PLAYER,
    "server": SERVER,
    "serving/browsers": ("turns_browsers",),
    "serving/checks": SERVER,
    "serving/collecting": SERVER,
    "serving/counting": (*SERVER, "stats"),
    "serving/crowd": SERVER,
    "serving/draining": SERVER,
    "serving/dues": SERVER,
    "serving/ending": SERVER,
    "serving/games": ("turns_server",),
    "serving/incoming": SERVER,
    "serving/joining": SERVER,
    "serving/keeper": ("turns_server", "turns_cluster"),
    "serving/lobby": ("turns_server", "turns_cluster"),
    "serving/neighbours": ("turns_cluster",),
    "serving/outage": ("turns_outage",),
    "serving/outlook": SERVER,
    "serving/parts": SERVER,
    "serving/passing": SERVER,
    "serving/playing": SERVER,
    "serving/presence": SERVER,
    "serving/room": SERVER,
    "serving/steps": SERVER,
    "serving/telling": SERVER,
    "serving/upkeep": SERVER,
    "simulate": ("simulate", "check"),
    "store/__init__": ("turns_store",),
    "store/file_lock": ("turns_store",),
    "store/memory": ("turns_store",),
    "store/opening": ("turns_store", "turns_postgres"),
    "store/postgres": ("turns_postgres",),
    "store/postgres_batch": ("turns_postgres",),
    "store/postgres_link": ("turns_postgres",),
    "store/postgres_sql": ("turns_postgres",),
    "store/postgres_tables": ("turns_postgres",),
    "store/sqlite": ("turns_store",),
    "store/sqlite_errors": ("turns_store",),
    "store/sqlite_files": ("turns_store",),
    "store/sqlite_sql": ("turns_store",),
    "store/writer": ("turns_writer",),
    "table": TABLE,
    "reading": ("turns_command_line",),
    "terminal/arguments": COMMANDS,
    "terminal/choices": ("turns_terminal", "turns_typed"),
    "terminal/check_command": ("turns_command_line", "watching"),
    "terminal/bot_play": ("turns_bots_network", "turns_terminal"),
    "terminal/columns": ("turns_terminal",),
    "terminal/game_file": COMMANDS,
    "terminal/local_play": ("turns_keyboard", "turns_terminal", "turns_bots_network"),
    "terminal/local_table": ("turns_keyboard", "turns_terminal"),
    "terminal/network_play": ("turns_terminal",),
    "terminal/replay_command": COMMANDS,
    "terminal/screen": ("turns_terminal",),
    "terminal/seat_file": ("turns_terminal",),
    "terminal/serve_command": COMMANDS,
    "terminal/sharing": ("turns_keyboard",),
    "terminal/telling": ("turns_terminal", "turns_keyboard"),
    "terminal/understanding": ("turns_terminal", "turns_typed"),
    "terminal/wording": ("turns_terminal", "turns_keyboard", "turns_typed"),
    "values/__init__": VALUES,
    "values/annotation": VALUES,
    "values/packing": VALUES,
    "values/several": VALUES,
    "values/shape": VALUES,
    "values/single": VALUES,
}


def test_file_of(module: Path) -> Path:
    """Return the test file that has to cover `module`."""
    parts = [*module.relative_to(PACKAGE).with_suffix("").parts]
    if parts[-1] == "__init__":
        parts.pop()
    name = "_".join(part.strip("_") for part in parts) or "package"
    own = ROOT / "tests" / f"test_{name}.py"
    return own if own.exists() or module.name != "__init__.py" else ROOT / "tests" / "test_package.py"


def run(test_files: list[Path], *, alone: bool) -> bool:
    """Run the test files under coverage, `alone` or amid all others, and say whether all passed.

    What plays so many whole games is not measured; tests/conftest.py sees to what else is not.
    """
    names = [test_file.relative_to(ROOT).as_posix() for test_file in test_files]
    for left in ROOT.glob(".coverage.*"):  # by a run that was killed
        left.unlink()
    if alone:
        passed = subprocess.run([*PYTEST, "-m", "not games", *names], cwd=ROOT, check=False).returncode == 0
    else:
        passed = halves.run(PYTEST, {**os.environ, "NETCODE_MEASURED": " ".join(names)})
    return subprocess.run([*COVERAGE, "combine", "-q"], cwd=ROOT, check=False).returncode == 0 and passed


def judge(modules: Mapping[Path, list[Path]], least: float) -> bool:
    """Print of which modules their test files run less than `least` percent, and say whether there are none."""
    measured = coverage.Coverage(data_file=ROOT / ".coverage", config_file=ROOT / "pyproject.toml")
    measured.load()
    complete = True
    for module, tests in modules.items():
        names = [test.relative_to(ROOT).as_posix() for test in tests]
        contexts = ["^$", *(f"^{re.escape(name)}$" for name in names)]
        report = io.StringIO()
        total = measured.report([str(module)], contexts=contexts, skip_covered=True, skip_empty=False, file=report)
        if total < least:
            complete = False
            there = (name if (ROOT / name).exists() else f"{name}, which does not exist" for name in names)
            print(f"{module.relative_to(ROOT)}: {total:.1f} % through {', '.join(there)}")
            row = next(line for line in report.getvalue().splitlines() if line.startswith("netcode"))
            print(f"    not run: {row.split('%', 1)[1].strip()}")
    return complete


def kit_tests_of(module: Path) -> list[Path]:
    """Return the test files that have to cover a module of the turn kit."""
    name = module.relative_to(KIT).with_suffix("").as_posix()
    return [KIT_TESTS / f"test_{test}.py" for test in KIT_TESTED_BY.get(name, (module.stem,))]


def has_postgresql() -> bool:
    """Tell whether there is a database for the tests that start one."""
    return shutil.which("initdb") is not None or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def main() -> int:
    """Run where asked to, judge, and return the exit status."""
    everything = sorted(PACKAGE.rglob("*.py"))
    kit = {module: kit_tests_of(module) for module in everything if KIT in module.parents}
    modules = {module: [test_file_of(module)] for module in everything if module not in kit}
    passed = True
    if sys.argv[1:] in (["run"], ["all"]):
        answering = {test_file for test_files in (*modules.values(), *kit.values()) for test_file in test_files}
        there = sorted(test_file for test_file in answering if test_file.exists())
        passed = run(there, alone=sys.argv[1] == "run")
    if not has_postgresql():
        for module in [module for module in kit if module.stem.startswith("postgres")]:
            print(f"{module.relative_to(ROOT)}: NOT JUDGED, there is no PostgreSQL on this machine")
            del kit[module]
    complete, kit_complete = judge(modules, 100.0), judge(kit, KIT_PERCENT)
    if passed and complete:
        print(f"all {len(modules)} modules but the kit's: every line and branch, each through its own test file")
    if passed and kit_complete:
        print(
            f"all {len(kit)} modules of the kit: at least {KIT_PERCENT:g} % each, through the test files it answers to"
        )
    return 0 if passed and complete and kit_complete else 1


if __name__ == "__main__":
    sys.exit(main())
