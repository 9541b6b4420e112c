"""Look for inputs that break the contract: `python -m tests.fuzz --seconds 60`.

With atheris installed (`pip install -e '.[fuzz]'`) the search is guided by coverage; without it, hypothesis puts
pieces of the corpus together. What is found is printed as a line of hex, and the status is 1: as a line of
`corpus/<target>.hex` it is a test that fails until the contract holds again.
"""

import argparse
import importlib
import importlib.util
import json
import logging
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

CORPUS = Path(__file__).parent / "corpus"
ROOT = Path(__file__).parent.parent.parent
sys.path.append(str(ROOT / "tests"))  # where pytest looks for what tests share, too
SOURCE = str(ROOT / "netcode")
TARGETS = "wire", "pair", "web"
ENGINES = "atheris", "hypothesis"
LARGEST = 4_096


class Outcome(NamedTuple):
    """What a search did."""

    executions: int
    findings: list[bytes]
    coverage: dict[str, int]
    failed: bool
    """Whether the search ended before its time, with or without an input that explains it."""
    new: list[bytes]
    """Inputs that reached what none before them did."""


def target(name: str) -> tuple[Callable[[bytes], None], dict[str, bytes]]:
    """Return the function of a target, and its seeds."""
    if name == "wire":
        from .fuzz_wire import fuzz_wire, seeds

        return fuzz_wire, seeds()
    if name == "web":
        from .fuzz_web import fuzz_web
        from .fuzz_web import seeds as web_seeds

        return fuzz_web, web_seeds()
    from .fuzz_pair import fuzz_pair
    from .fuzz_pair import seeds as pair_seeds

    return fuzz_pair, pair_seeds()


def corpus(name: str) -> list[bytes]:
    """Return what earlier searches found worth keeping: one input to a line."""
    path = CORPUS / f"{name}.hex"
    return [bytes.fromhex(line) for line in path.read_text("ascii").splitlines()] if path.exists() else []


def inputs(name: str) -> list[bytes]:
    """Return the seeds of a target, and its corpus."""
    return [*target(name)[1].values(), *corpus(name)]


def run_guided(name: str, seconds: int, seed: int, arguments: Sequence[str]) -> Outcome:
    """Run a target under atheris, in a process of its own: libFuzzer ends the one it runs in."""
    with tempfile.TemporaryDirectory() as temporary:
        known, new, found = (Path(temporary, part) for part in ("known", "new", "found"))
        for directory in (known, new, found):
            directory.mkdir()
        for number, data in enumerate(inputs(name)):
            (known / str(number)).write_bytes(data)
        command = [sys.executable, "-m", "tests.fuzz", "--child", name, "--", str(new), str(known)]
        command += [f"-max_total_time={seconds}", f"-max_len={LARGEST}", f"-seed={seed}", "-timeout=20"]
        command += ["-rss_limit_mb=1024", "-print_final_stats=1", f"-artifact_prefix={found}/", *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stdout)
        coverage = re.findall(r"cov: (\d+) ft: (\d+)", done.stdout)
        findings = [path.read_bytes() for path in sorted(found.iterdir())]
        if done.returncode:
            print(done.stdout[-4_000:])
        return Outcome(
            int(executions[1]) if executions else 0,
            findings,
            {"edges": int(coverage[-1][0]), "features": int(coverage[-1][1])} if coverage else {},
            done.returncode != 0,
            [path.read_bytes() for path in new.iterdir()],
        )


def run_child(name: str, arguments: list[str]) -> None:
    """Be the process in which atheris runs a target."""
    atheris: Any = importlib.import_module("atheris")  # an optional guest, of unknown type

    with atheris.instrument_imports(include=["netcode", "tests.fuzz"]):
        function, _ = target(name)
    atheris.Setup(["fuzz", *arguments], function)
    atheris.Fuzz()


def run_drawn(name: str, seconds: float, seed: int) -> Outcome:
    """Run a target on its corpus, and on what hypothesis draws: mostly pieces of it put together."""
    import hypothesis
    from hypothesis import strategies as st

    function, _ = target(name)
    known = inputs(name)
    end = time.monotonic() + seconds
    tried = 0
    failures: list[tuple[bytes, Exception]] = []

    def attempt(data: bytes) -> None:
        nonlocal tried
        tried += 1
        try:
            function(data)
        except Exception as error:
            failures.append((data, error))
            raise

    pieces = st.one_of(
        st.binary(max_size=40),
        st.tuples(st.sampled_from(known), st.integers(0, 400), st.integers(0, 400)).map(lambda t: t[0][t[1] : t[2]]),
        st.sampled_from(known),
    )

    @hypothesis.settings(
        max_examples=500, database=None, deadline=None, suppress_health_check=list[Any](hypothesis.HealthCheck)
    )
    @hypothesis.given(st.lists(pieces, min_size=1, max_size=6).map(b"".join))
    def draw(data: bytes) -> None:
        if time.monotonic() < end:  # it makes a finding smaller only as long as there is time
            attempt(data[:LARGEST])

    try:
        for data in known:
            attempt(data)
        while time.monotonic() < end:
            hypothesis.seed(seed)(draw)()
            seed += 1
    except Exception:
        if not failures:
            raise
    if not failures:
        return Outcome(tried, [], {}, False, [])
    smallest, error = min(failures, key=lambda failure: len(failure[0]))
    traceback.print_exception(error, file=sys.stdout)
    return Outcome(tried, [smallest], {}, True, [])


def keep(name: str, found: Iterable[bytes]) -> None:
    """Make the corpus of a target of what covers something that nothing smaller covers."""
    function, known = target(name)
    covered: set[Any] = set()
    for data in known.values():
        covered |= arcs(function, data)
    kept: list[bytes] = []
    for data in sorted({*corpus(name), *found}, key=lambda data: (len(data), data)):
        new = arcs(function, data) - covered
        if new:
            covered |= new
            kept.append(data)
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{name}.hex").write_text("".join(f"{data.hex()}\n" for data in kept), "ascii", newline="\n")


def arcs(function: Callable[[bytes], None], data: bytes) -> set[tuple[CodeType, int, int]]:
    """Return the steps from line to line within netcode that an input makes."""
    taken: set[tuple[CodeType, int, int]] = set()

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        code, last = frame.f_code, 0
        if not code.co_filename.startswith(SOURCE):
            return None

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal last
            if event == "line":
                taken.add((code, last, frame.f_lineno))
                last = frame.f_lineno
            return step

        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        function(data)
    finally:
        sys.settrace(before)
    return taken


def main(command_line: Sequence[str] | None = None) -> int:
    """Run what the command line asks for, and return the exit status."""
    guided = importlib.util.find_spec("atheris") is not None
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--target", choices=TARGETS, action="append")
    parser.add_argument("--engine", choices=ENGINES, default=ENGINES[0] if guided else ENGINES[1])
    parser.add_argument("--seed", type=int, default=1, help="another one searches elsewhere")
    parser.add_argument("--grow", action="store_true", help="keep in the corpus what covers something new (atheris)")
    parser.add_argument("--child", choices=TARGETS, help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help="for libFuzzer")
    options = parser.parse_args(command_line)
    if options.engine == "atheris" and not guided:
        parser.error("atheris is not installed: pip install -e '.[fuzz]', or take --engine hypothesis")
    if options.grow and options.engine != "atheris":
        parser.error("--grow needs --engine atheris, which knows what is new")
    logging.disable(logging.CRITICAL)  # a million warnings about strangers tell nobody anything
    try:
        if options.child:
            run_child(options.child, options.arguments)
            return 0
        return search(options)
    finally:
        logging.disable(logging.NOTSET)


def search(options: argparse.Namespace) -> int:
    """Run each target for its share of the time, say what came of it, and return the exit status."""
    names: list[str] = options.target or [*TARGETS]
    share = max(1, options.seconds // len(names))
    status = 0
    for name in names:
        begin = time.monotonic()
        if options.engine == "atheris":
            outcome = run_guided(name, share, options.seed, options.arguments)
        else:
            outcome = run_drawn(name, share, options.seed)
        for data in outcome.findings:
            print(f"{name}: as a line of tests/fuzz/corpus/{name}.hex, this input fails: {data.hex()}")
        told: dict[str, Any] = {"target": name, "engine": options.engine, "executions": outcome.executions}
        told |= {"seconds": round(time.monotonic() - begin, 1), "findings": len(outcome.findings), **outcome.coverage}
        print(json.dumps(told), flush=True)
        if options.grow and not outcome.failed:
            keep(name, outcome.new)
        status |= outcome.failed
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
