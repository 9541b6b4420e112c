"""What a game may become too large for: a server's bound for the state of a table, and the messages of its fields."""

from netcode.turns.proving.findings import Findings
from netcode.turns.runtime.storing import MAX_STATE
from netcode.turns.table import Table

MAX_TOLD = 65_536
"""Bytes of one field that players can be told: it comes to them in one message, of which `max_message` is as much."""


class Growth:
    """Notes in findings what has become too large, each move and each field once."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._grown = set[str]()
        self._wide = set[str]()

    def is_outgrown(self, table: Table, move: str) -> bool:
        """Tell whether a server would freeze this table for its size; if so, say after which move, and what takes most of it."""
        size, fields = len(table.snapshot()), table.course.packed
        if size > MAX_STATE and move not in self._grown:
            self._grown.add(move)
            largest = max(fields, key=lambda name: len(fields[name]))
            undo = "" if table.undoing.last is None else ", kept twice while the move can be taken back"
            self._findings.add(
                f"{move} makes the state {size:,} bytes, of which {largest} is "
                f"{len(fields[largest]):,}{undo}; above {MAX_STATE:,} bytes a server freezes the table: let {largest} "
                "forget what nobody needs any more, or serve with a larger max_state"
            )
        return size > MAX_STATE

    def look(self, table: Table, move: str) -> None:
        """Tell of a field that no server could tell anybody, since it is more than one message takes."""
        for name, stored in table.course.packed.items():
            if len(stored) <= MAX_TOLD or name in self._wide:
                continue
            size = max(len(table.view(viewer).get(name, b"")) for viewer in (None, *range(table.players)))
            if size > MAX_TOLD:
                self._wide.add(name)
                shown = "as the end of the game opens it" if table.result is not None else "as players see it"
                self._findings.add(
                    f"{name}, {shown}, is more than the {MAX_TOLD:,} bytes of a message, so that a server sends everybody "
                    f"away: {size:,} after {move}; divide it among several fields, or raise max_message there "
                    "and at each player"
                )
