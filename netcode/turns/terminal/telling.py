"""What happened, in a line: who moved, what that changed, and how it ended."""

import math
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from netcode.turns.player.sight import fields_of
from netcode.turns.table import Result
from netcode.turns.terminal.wording import by_seat, is_record, parts_of, written

CHANGES = 3
"""Changes that the line of a move tells; the table below shows all."""
LONGEST = 50
"""Columns of a change that is told with its values."""


def who_is_who(names: Sequence[str]) -> str:
    """Return which number each player has in fields and moves."""
    return f"by number: {', '.join(f'{seat} is {name}' for seat, name in enumerate(names))}"


def waits_for(names: Sequence[str], least: int, most: int, how: str, room: str | None = None) -> str:
    """Return for whom a game waits that has not begun, or how it may begin without more.

    Who waits in vain reads which `room` that is: another spelling is another one.
    """
    if len(names) < least:
        return f"waiting for {least - len(names)} more{f', with --room {shlex.quote(room)}' if room else ''}"
    return f"{len(names)} sit here, up to {most} can: {how}"


def clocks_of(names: Sequence[str], clocks: Sequence[float]) -> str:
    """Return what is left on the clock of each player, in minutes and seconds: 0:00 only where nothing is."""
    left = [divmod(math.ceil(seconds), 60) for seconds in clocks]
    return ", ".join(f"{name} {minutes}:{seconds:02}" for name, (minutes, seconds) in zip(names, left, strict=False))


def on_a_command_line(text: str) -> str:
    """Return a reason as it is for who typed a command: an argument of a call is an option there."""
    return text.replace("tls=", "--tls")


def newest(reason: str) -> str:
    """Return what a reason says that was tried last, and not how often: the rest was told before."""
    return reason.rpartition("; and then: ")[2].partition(" (tried ")[0]


def changed(before: Any, after: Any) -> str:
    """Return what a move changed in what one sees, as far as that is short: `cells 4: . → 0`; else nothing."""
    if before is None or after is None:
        return ""
    old, new = fields_of(before), fields_of(after)
    parts = [part for name in new if name in old for part in _changes(name, *_by_name(before, after, name))]
    return ", ".join([*parts[:CHANGES], "…"] if len(parts) > CHANGES else parts)


def _by_name(before: Any, after: Any, name: str) -> tuple[Any, Any]:
    """Return a field as it was and as it is; what the rules keep for each seat, by the names of the players."""
    old, new = fields_of(before)[name], fields_of(after)[name]
    was, now = by_seat(before, name, old), by_seat(after, name, new)
    return (dict(was), dict(now)) if was and now else (old, new)


def moved(who: str, name: str | None, changes: str) -> str:
    """Return that somebody moved; where several are to move at once, not even how is told."""
    return f"{who} moved: {name}{f' ({changes})' if changes else ''}" if name else f"{who} moved"


def _changes(name: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    match old, new:
        case list(), list() if len(old) == len(new):  # pyright: ignore[reportUnknownArgumentType]
            for place, (was, now) in enumerate(zip(old, new, strict=True)):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
                yield from _changes(f"{name} {place}", was, now)
        case dict(), dict() if old.keys() == new.keys():  # pyright: ignore[reportUnknownMemberType]
            for key, now in new.items():  # pyright: ignore[reportUnknownVariableType]
                yield from _changes(f"{name} {written(key)}", old[key], now)
        case _ if is_record(old) and type(old) is type(new):
            parts = parts_of(new)
            for part, was in parts_of(old).items():
                yield from _changes(f"{name} {part}", was, parts[part])
        case ((list() | dict() | set()), (list() | dict() | set())):
            yield f"{name}: {len(old)} → {len(new)} of them" if len(old) != len(new) else name  # pyright: ignore[reportUnknownArgumentType]
        case _:
            text = f"{name}: {written(old)} → {written(new)}"
            yield text if len(text) <= LONGEST and "\n" not in text else name


def ended(result: Result, names: Sequence[str]) -> str:
    """Return how a game ended, as a sentence."""
    winners = " and ".join(names[seat] for seat in result.winners if seat < len(names))
    nobody = "nobody won" if len(names) == 1 or result.text else "a draw"  # a text says what it is
    text = f"{winners} won" if winners else nobody
    if result.scores is not None:
        scores = (f"{name} {score:g}" for name, score in zip(names, result.scores, strict=False))
        text += f" ({', '.join(scores)})"
    return f"{text}: {result.text}" if result.text else text


def after_the_end(names: Sequence[str], seat: int, here: Sequence[int], wanted: Sequence[int], least: int) -> str:
    """Return what others would like once a game is over, and what can be done.

    Args:
        names: of the players.
        seat: ours.
        here: who has not left.
        wanted: who has asked for another game.
        least: how many it takes.
    """
    others = [names[number] for number in wanted if number != seat]
    if len(here) < least:
        return "too few are left for another game: /leave to go"
    if seat in wanted:
        return f"you asked for another game; waiting for {' and '.join(names[n] for n in here if n not in wanted)}"
    if others:
        return f"{' and '.join(others)} would like another game: /rematch, or /leave to go"
    return "/rematch for another game, /leave to go"
