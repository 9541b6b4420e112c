"""What a server tells Prometheus, read over the network for `python -m netcode top HOST`."""

import http.client
import re
from collections import defaultdict
from functools import partial
from typing import Any

from netcode.address import Address
from netcode.http_request import answer_of
from netcode.loop.clock import Clock, monotonic

PORT = 9100
"""Where a server's numbers are looked for that is named without a port."""

PATIENCE = 5.0
"""Seconds in which a server's numbers must have come."""

MAX_TEXT = 1_048_576
"""Bytes of them that are read at most."""

MOST = 1e18
"""What netcode counts is below; what is not, infinity and the like, is somebody else's."""

_LINE = re.compile(r"(netcode_\w+)\{([^{}]*)\} (\S+)").fullmatch
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"').findall

Samples = dict[str, list[tuple[dict[str, str], float]]]


def fetch(where: Address) -> str:
    """Return what is told at `where`. Raises `OSError` where nothing is, or nothing of that kind."""
    try:
        with answer_of(where.host, where.port, "GET", "/metrics", seconds=PATIENCE) as response:
            text = response.read(MAX_TEXT).decode("utf-8", "replace")
        if response.status == http.client.OK:
            return text
        answer = f"the answer was {response.status}"
    except http.client.HTTPException as error:
        answer = f"the answer was none of HTTP ({error!r:.200})"
    except TimeoutError:
        answer = f"they did not come within {PATIENCE:g} s"
    except OSError as error:
        answer = error.strerror or str(error)
    except UnicodeError:
        answer = "that cannot be a host name"
    raise OSError(
        f"no numbers come from http://{where}/metrics: {answer}; does its program serve netcode.metrics there?"
    )


def samples(text: str) -> Samples:
    """Return netcode's own samples in the text format of Prometheus, by name."""
    found: Samples = defaultdict(list)
    for line in text.splitlines():
        if (match := _LINE(line)) is not None:
            try:
                number = float(match[3])
            except ValueError:
                continue
            if abs(number) < MOST:
                found[match[1]].append((dict(_LABEL(match[2])), number))
    return found


class Numbers:
    """One server's numbers, look by look, as its status file would say them.

    Args:
        where: its metrics are served.
        clock: gives seconds that never go back.
    """

    def __init__(self, where: Address, clock: Clock = monotonic) -> None:
        self._where = where
        self._clock = clock
        self._buckets: dict[float, float] = {}
        self._busy = 0.0

    def __str__(self) -> str:
        return f"http://{self._where}/metrics"

    def read(self) -> dict[str, Any]:
        """Return what it tells now.

        Raises:
            OSError: nothing answers.
            ValueError: there is no server, or there are several.
        """
        found = samples(fetch(self._where))
        servers = sorted({labels.get("server", "") for labels, _ in found["netcode_peers"]})
        if len(servers) != 1:
            many = f"tells of several servers, on ports {', '.join(servers)}: serve each one's numbers on a port of its own"
            raise ValueError(f"{self} {many if servers else 'tells of no server: was netcode.metrics.observe called?'}")

        total = partial(_total, found)

        def by_code(name: str) -> dict[str, int]:
            return {labels.get("code", "?"): round(value) for labels, value in found[name]}

        return {
            "address": f"{self._where.host}, port {servers[0]}",
            "uptime": self._clock(),
            "peers": round(total("netcode_peers")),
            "away": round(total("netcode_peers_away")),
            "max_peers": round(total("netcode_peers_max")),
            "joined": round(total("netcode_joined_total")),
            "left": by_code("netcode_left_total"),
            "refused": by_code("netcode_refused_total"),
            "messages_received": round(total("netcode_messages_total", direction="in")),
            "messages_sent": round(total("netcode_messages_total", direction="out")),
            "bytes_received": total("netcode_bytes_total", direction="in"),
            "bytes_sent": total("netcode_bytes_total", direction="out"),
            "queued": total("netcode_queued_bytes"),
            "queued_for": total("netcode_queue_age_seconds"),
            "rtt_median": total("netcode_round_trip_seconds", of="median") or None,
            "rtt_largest": total("netcode_round_trip_seconds", of="largest") or None,
            **self._updates(found),
            **({"tables": _tables(found)} if found["netcode_tables"] else {}),
        }

    def _updates(self, found: Samples) -> dict[str, Any]:
        """Return what the updates since the last look took; the longest is known to the bound of its bucket."""
        buckets = {_bound(labels): value for labels, value in found["netcode_update_seconds_bucket"]}
        busy = sum(value for _, value in found["netcode_update_seconds_sum"])
        counts = {bound: count - self._buckets.get(bound, 0.0) for bound, count in sorted(buckets.items())}
        updates = max(counts.values(), default=0.0)
        worst = next((bound for bound, count in counts.items() if count == updates), None) if updates else None
        mean = (busy - self._busy) / updates if updates else None
        self._buckets, self._busy = buckets, busy
        return {"updates": round(updates), "update_mean": mean, "update_worst": worst}


def _total(found: Samples, name: str, **labels: str) -> float:
    return sum(value for said, value in found[name] if labels.items() <= said.items())


def _tables(found: Samples) -> dict[str, Any]:
    """Return what is told of the tables of a server that has such."""
    counts = {
        "tables": "netcode_tables",
        "waiting": "netcode_tables_waiting",
        "moves": "netcode_moves_total",
        "entries": "netcode_committed_entries_total",
        "commits": "netcode_commit_seconds_count",
        "redirects": "netcode_redirects_total",
        "unavailable": "netcode_unavailable_total",
        "lost": "netcode_lost_total",
    }
    ages = {name: _total(found, f"netcode_{name}_seconds") for name in ("unstored", "renewed", "outage")}
    return {
        **{key: round(_total(found, name)) for key, name in counts.items()},
        **ages,
        "commit_seconds": _total(found, "netcode_commit_seconds_sum"),
        "trouble": "its log says why" if ages["outage"] else "",
    }


def _bound(labels: dict[str, str]) -> float:
    try:
        return float(labels["le"])
    except (KeyError, ValueError):  # none of ours
        return float("inf")
