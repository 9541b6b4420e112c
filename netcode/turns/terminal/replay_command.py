"""The command that shows a stored game: which tables there are, and each of its moves with what came of it."""

import argparse
from collections.abc import Iterator
from typing import Any

from netcode.turns import table as happenings
from netcode.turns.replay import Frame, frames, stored_tables
from netcode.turns.store.opening import name_of
from netcode.turns.terminal.game_file import load_game
from netcode.turns.terminal.screen import Screen
from netcode.turns.terminal.telling import changed, ended, moved
from netcode.turns.terminal.wording import rows_of


def run_replay(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show a stored game, move by move; without a table, which ones there are."""
    game = load_game(arguments.game)
    if arguments.table is None:
        tables = stored_tables(arguments.database, game)
        for table, entries, names in tables:
            screen.line(f"{table}  {entries} {'entry' if entries == 1 else 'entries'}  {', '.join(names)}".rstrip())
        if not tables:
            screen.line(f"{name_of(arguments.database)} has no tables of {game.__name__}")
        return 0
    before: Any = None
    sat: list[str] = []
    for number, frame in enumerate(frames(arguments.database, arguments.table, game)):
        for line in _lines(frame, before):
            screen.lines(line)
        screen.table(f"{number}: {frame.text}", rows_of(frame.view, screen.width))
        before, sat = frame.view, frame.names
    screen.line(f"that was {', '.join(sat)}")
    return 0


def _lines(frame: Frame, before: Any) -> Iterator[str]:
    """Yield what all at the table were told."""
    for happening in frame.happenings:
        match happening:
            case happenings.Moved(seat, name):
                yield moved(frame.names[seat], name, changed(before, frame.view))
            case happenings.Told(text):
                yield text
            case happenings.TakenBack(_, text, alone):
                if not alone:
                    yield f"taken back: {text}"
            case happenings.Over(result):
                yield ended(result, frame.names)
