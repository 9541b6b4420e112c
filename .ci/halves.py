"""Run the whole suite in two processes at once, the turn kit's and the others': a single one waits half of its time.

Usage: `python .ci/halves.py`.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).parent.parent
KIT = ["tests/turns"]
OTHERS = ["tests", "--ignore=tests/turns"]


def run(command: list[str], environment: Mapping[str, str] | None = None) -> bool:
    """Run a command of pytest for both halves, show what each said, and say whether both passed."""
    command = [*command, "-p", "no:cacheprovider"]  # each would write over what the other keeps for the next run
    with TemporaryFile() as said:
        beside = subprocess.Popen([*command, *KIT], cwd=ROOT, env=environment, stdout=said, stderr=said)
        status = subprocess.run([*command, *OTHERS], cwd=ROOT, env=environment, check=False).returncode
        passed = beside.wait() == 0 and status == 0
        said.seek(0)
        sys.stdout.buffer.write(said.read())
    return passed


if __name__ == "__main__":
    sys.exit(0 if run([sys.executable, "-m", "pytest", "-q"]) else 1)
