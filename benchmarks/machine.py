"""What the benchmarks ask of the machine: descriptors, CPU time, memory."""

import gc
import os
import resource
import threading
from pathlib import Path

SPARE_DESCRIPTORS = 100
"""Descriptors that a process needs besides one per connection: modules, pipes, epoll, the listener."""


class Unsuited(Exception):
    """This machine cannot do what a row asks; the text says what is missing."""


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open descriptors to the hard one.

    Returns:
        The limit from now on.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def require_connections(count: int) -> None:
    """Check that one process may hold so many connections.

    The two ends of a connection live in two processes, so each needs one descriptor per connection.

    Raises:
        Unsuited: when the limit is lower; says which command raises it.
    """
    limit = raise_descriptor_limit()
    needed = count + SPARE_DESCRIPTORS
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise Unsuited(
            f"{count:,} connections need {needed:,} descriptors in each process and the limit here is {limit:,} "
            f"(ulimit -Hn {needed})"
        )


def keep_to(part: str) -> None:
    """Keep this process to one part of the machine: `server` to the last core, `load` to the others.

    Left to itself, the kernel now packs both on one core and now spreads them, and the figures jump by a third.
    On a machine with one core there is nothing to choose.
    """
    *others, last = sorted(os.sched_getaffinity(0))
    if others:
        os.sched_setaffinity(0, {last} if part == "server" else set(others))


def cpu_seconds() -> float:
    """Return the CPU time, user and system, that this process has used so far, in all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_bytes() -> int:
    """Return the memory of this process in bytes: what it alone wrote, in memory or swapped out, after a collection.

    What it merely reads of files, as the code of libraries, is not in it: the kernel divides that among all processes
    that read the same, so that it shrinks whenever another Python starts. What the kernel keeps for a socket is outside
    of every process and not in it either.
    """
    gc.collect()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    sizes = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines[1:])}
    try:
        return (int(sizes["Anonymous"]) + int(sizes["Swap"])) * 1024
    except KeyError as error:
        raise Unsuited(f"/proc/self/smaps_rollup does not tell {error}") from None


def descriptor_count() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir())) - 1  # without the one that reads the directory


def thread_count() -> int:
    """Return how many threads this process runs."""
    return threading.active_count()
