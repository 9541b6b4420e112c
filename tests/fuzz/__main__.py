"""Look for inputs that break the contract: `python -m tests.fuzz --seconds 60`.

With atheris installed the search is guided by coverage; without it, hypothesis draws and mutates the corpus.
What is found is written beside the corpus, named after its digest, and the status is 1.
"""

import argparse
import hashlib
import importlib
import importlib.util
import json
import logging
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"
ROOT = Path(__file__).parent.parent.parent
TARGETS = "wire", "pair"
LARGEST = 4_096


def target(name: str) -> tuple[Callable[[bytes], None], dict[str, bytes]]:
    """Return the function of a target, and its seeds."""
    if name == "wire":
        from .fuzz_wire import fuzz_wire, seeds

        return fuzz_wire, seeds()
    from .fuzz_pair import fuzz_pair
    from .fuzz_pair import seeds as pair_seeds

    return fuzz_pair, pair_seeds()


def inputs(name: str) -> list[bytes]:
    """Return the corpus of a target, with its seeds."""
    kept = [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
    return [*target(name)[1].values(), *kept]


def run_guided(name: str, seconds: int, arguments: list[str]) -> int:
    """Run a target under atheris in a process of its own, and return how many inputs it tried."""
    with tempfile.TemporaryDirectory() as temporary:
        seeds, found = Path(temporary, "seeds"), Path(temporary, "new")
        for directory in (seeds, found):
            directory.mkdir()
        for number, data in enumerate(inputs(name)):
            (seeds / str(number)).write_bytes(data)
        command = [sys.executable, "-m", "tests.fuzz", "--child", name, "--", str(found), str(seeds)]
        command += [f"-max_total_time={seconds}", f"-max_len={LARGEST}", "-timeout=20", "-rss_limit_mb=1024"]
        command += [f"-artifact_prefix={Path.cwd()}/{name}-", "-print_final_stats=1", *arguments]
        done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
        executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
        coverage = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", done.stderr)
        if done.returncode:
            print(done.stderr[-4_000:])
        report(name, "atheris", int(executions[1]) if executions else 0, seconds, done.returncode)
        if coverage:
            print(f"{name}: {coverage[-1][0]} edges, {coverage[-1][1]} features, {coverage[-1][2]} inputs")
        return done.returncode


def run_child(name: str, arguments: list[str]) -> None:
    """Be the process in which atheris runs a target."""
    atheris: Any = importlib.import_module("atheris")  # an optional guest, of unknown type

    with atheris.instrument_imports(include=["netcode", "tests.fuzz"]):
        function, _ = target(name)
    atheris.Setup(["fuzz", *arguments], function)
    atheris.Fuzz()


def run_drawn(name: str, seconds: int) -> int:
    """Run a target on what hypothesis draws, mostly pieces of the corpus put together."""
    import hypothesis
    from hypothesis import strategies as st

    function, _ = target(name)
    known = inputs(name)
    end = time.monotonic() + seconds
    tried = 0
    pieces = st.one_of(
        st.binary(max_size=40),
        st.tuples(st.sampled_from(known), st.integers(0, 400), st.integers(0, 400)).map(lambda t: t[0][t[1] : t[2]]),
        st.sampled_from(known),
    )

    @hypothesis.settings(
        max_examples=500, database=None, deadline=None, suppress_health_check=list[Any](hypothesis.HealthCheck)
    )
    @hypothesis.given(st.lists(pieces, min_size=1, max_size=6).map(b"".join))
    def attempt(data: bytes) -> None:
        nonlocal tried
        if time.monotonic() < end:
            tried += 1
            try:
                function(data[:LARGEST])
            except Exception:
                Path(f"{name}-crash-{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data[:LARGEST])
                raise

    status = 0
    for seed in range(1_000_000):
        if time.monotonic() >= end or status:
            break
        try:
            hypothesis.seed(seed)(attempt)()
        except Exception as error:  # noqa: BLE001 - any exception is a finding
            print(f"{name}: {type(error).__name__}: {error}")
            status = 1
    report(name, "hypothesis", tried, seconds, status)
    return status


def report(name: str, engine: str, executions: int, seconds: int, status: int) -> None:
    """Say what was done, as a line of JSON."""
    print(
        json.dumps({"target": name, "engine": engine, "executions": executions, "seconds": seconds, "status": status})
    )


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    logging.disable(logging.CRITICAL)  # a million warnings about strangers tell nobody anything
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--target", choices=TARGETS, action="append")
    parser.add_argument("--child", choices=TARGETS, help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help="for libFuzzer")
    options = parser.parse_args()
    if options.child:
        run_child(options.child, options.arguments)
        return 0
    names: list[str] = options.target or [*TARGETS]
    share = max(1, options.seconds // len(names))
    guided = importlib.util.find_spec("atheris") is not None
    return max(run_guided(n, share, options.arguments) if guided else run_drawn(n, share) for n in names)


if __name__ == "__main__":
    sys.exit(main())
