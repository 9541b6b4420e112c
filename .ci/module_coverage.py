"""Measure branch coverage, and hold each module of the package to 100 % through its own test file.

Usage: `python .ci/module_coverage.py run` runs those test files first; without `run` it judges what the last
run left behind. `netcode/transport/tcp.py` belongs to `tests/test_transport_tcp.py`; an `__init__.py` that has
no test file of its own belongs to `tests/test_package.py`.

The turn kit has no such files for each of its modules yet; it is held as a whole, by `tests/turns`, to what it has
reached, so that it can only get better.

What importing a module executes counts for everybody: it carries the name of no test.
"""

import io
import re
import subprocess
import sys
from pathlib import Path

import coverage

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "netcode"
KIT = PACKAGE / "turns"
KIT_TESTS = ROOT / "tests" / "turns"
KIT_PERCENT = 85.0
"""Of the lines and branches of the turn kit; programs that its tests start are not counted."""


def test_file_of(module: Path) -> Path:
    """Return the test file that has to cover `module`."""
    parts = [*module.relative_to(PACKAGE).with_suffix("").parts]
    if parts[-1] == "__init__":
        parts.pop()
    name = "_".join(part.strip("_") for part in parts) or "package"
    own = ROOT / "tests" / f"test_{name}.py"
    return own if own.exists() or module.name != "__init__.py" else ROOT / "tests" / "test_package.py"


def run(test_files: list[Path]) -> bool:
    """Run the test files under coverage and say whether they passed."""
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", "--durations=5"]
    return subprocess.run([*command, *map(str, test_files)], cwd=ROOT, check=False).returncode == 0


def judge(modules: dict[Path, Path]) -> bool:
    """Print what each module's own test file leaves out, and say whether that is nothing."""
    measured = coverage.Coverage(data_file=ROOT / ".coverage", config_file=ROOT / "pyproject.toml")
    measured.load()
    complete = True
    for module, test_file in modules.items():
        name = test_file.relative_to(ROOT).as_posix()
        if not test_file.exists():
            print(f"{module.relative_to(ROOT)}: {name} does not exist")
        report = io.StringIO()
        contexts = ["^$", f"^{re.escape(name)}::"]
        total = measured.report([str(module)], contexts=contexts, skip_covered=True, skip_empty=False, file=report)
        if total < 100:
            complete = False
            print(f"{module.relative_to(ROOT)}: {total:.1f} % through {name}")
            row = next(line for line in report.getvalue().splitlines() if line.startswith("netcode"))
            print(f"    not run: {row.split('%', 1)[1].strip()}")
    return complete


def judge_kit() -> bool:
    """Print how much of the turn kit its tests run, and say whether that is enough."""
    measured = coverage.Coverage(data_file=ROOT / ".coverage", config_file=ROOT / "pyproject.toml")
    measured.load()
    report = io.StringIO()
    total = measured.report(include=[f"{KIT}/*"], contexts=["^$", "^tests/turns/"], skip_covered=True, file=report)
    print(f"netcode/turns: {total:.1f} % through tests/turns; at least {KIT_PERCENT} % are asked for")
    return total >= KIT_PERCENT


def main() -> int:
    """Run where asked to, judge, and return the exit status."""
    everything = sorted(PACKAGE.rglob("*.py"))
    modules = {module: test_file_of(module) for module in everything if KIT not in module.parents}
    passed = True
    if sys.argv[1:] == ["run"]:
        passed = run([*sorted({test_file for test_file in modules.values() if test_file.exists()}), KIT_TESTS])
    complete = judge(modules) and judge_kit()
    if passed and complete:
        print(f"all {len(modules)} modules but the kit's: every line and branch, each through its own test file")
    return 0 if passed and complete else 1


if __name__ == "__main__":
    sys.exit(main())
