"""Run the whole suite in two processes at once, the turn kit's and the others': a single one waits half of its time.

Usage: `python .ci/halves.py`.
"""

import signal
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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # else a run that is ended would not show what the kit's said
    with TemporaryFile() as said:
        beside = subprocess.Popen([*command, *KIT], cwd=ROOT, env=environment, stdout=said, stderr=said)
        try:
            others = subprocess.run([*command, *OTHERS], cwd=ROOT, env=environment, check=False).returncode
            kit = beside.wait()
        finally:
            print("Those were the tests of all but the turn kit; the kit's:", flush=True)
            said.seek(0)
            sys.stdout.buffer.write(said.read())
    for half, status in (OTHERS, others), (KIT, kit):
        if status != 0:
            print(f"ERROR {' '.join(half)}: pytest ended with {status}")
    return kit == others == 0


if __name__ == "__main__":
    sys.exit(0 if run([sys.executable, "-m", "pytest", "-q"]) else 1)
