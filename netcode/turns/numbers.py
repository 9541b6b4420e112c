"""What a seat sees and may do, as numbers of a fixed shape, for whoever learns from games.

How long a hand can grow and which cards there are is written nowhere. So a few games are played at random, always the
same ones, and what is seen in them gets its place. What comes later and has no place is left out of what is seen; of
what may be done it is in `ANYTHING_ELSE`, so that nobody is ever without a move.
"""

import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from netcode.diagnostics import log
from netcode.turns.language.definition import Definition, definition_of
from netcode.turns.language.domains import Fixed
from netcode.turns.language.sources import can_ask
from netcode.turns.simulate import Choice, simulate
from netcode.turns.table import Table
from netcode.turns.values import pack, plain, unpack

MAX_NUMBER = 1e9
"""No number is larger; a larger one of the game is given as this."""
MAX_SURVEYED = 10_000
"""Actions that are played to find out what there is, however many games that is; it takes a few seconds at most."""
PATIENCE = 5.0
"""Seconds after which it is said that games are played."""
MAX_LENGTH = 1_000
"""Actions of one of those games."""
MAX_LISTED = 20_000
"""Plays of a move that all get a place though they may never be seen."""

Action = tuple[str, Mapping[str, Any] | None]
"""A move and its arguments, as plain wire data; "" and {"answer": option}; None for arguments that are to be drawn."""
KIT = ("kit.seat", "kit.to_move", "kit.out", "kit.asked")
"""What a seat sees besides the fields of the game."""
ANYTHING_ELSE: Final[Action] = ("anything else", None)
"""Any legal play that has no place of its own; no move is called so."""

_DICT: Any = dict
_LIST: Any = list
_TEXTS = (str, bytes)


class Place:
    """What stood at one place of what seats saw: single values, lists of what, dicts with which keys."""

    __slots__ = ("item", "keys", "lengths", "single")

    def __init__(self) -> None:
        self.single = False
        self.lengths: tuple[int, int] | None = None
        self.item: Place | None = None
        self.keys: dict[Any, Place] = {}

    def see(self, value: Any, singles: set[Any]) -> None:
        """Make room for a value, and gather the single values in it."""
        if isinstance(value, _LIST):
            low, high = self.lengths or (len(value), len(value))
            self.lengths = min(low, len(value)), max(high, len(value))
            if self.item is None:
                self.item = Place()
            for item in value:
                self.item.see(item, singles)
        elif isinstance(value, _DICT):
            for key, item in value.items():
                self.keys.setdefault(key, Place()).see(item, singles)
        elif value is not None:
            self.single = True
            singles.add(value)

    @property
    def room(self) -> int:
        """How many entries a list gets: as many as it had, with room to grow if it ever changed its length."""
        low, high = self.lengths or (0, 0)
        return high if low == high else high + max(2, high // 2)


class Layout:
    """Which number means what: `labels` names each, `tokens` are the texts, which are numbered from 1."""

    def __init__(self, root: Place, tokens: Sequence[str | bytes], nothing: float) -> None:
        self._root = root
        self.tokens = tuple(tokens)
        self.nothing = nothing
        """What stands where there is nothing, or nothing to be seen: -1, or far less where the game has such numbers."""
        self._codes = {token: number for number, token in enumerate(tokens, 1)}
        self.labels = tuple(self._labels(root, ""))

    def encode(self, seen: Any) -> list[float]:
        """Return what was seen as numbers."""
        numbers: list[float] = []
        self._encode(self._root, seen, numbers)
        return numbers

    def _encode(self, place: Place, value: Any, numbers: list[float]) -> None:
        if place.single:
            numbers.append(self._number(value))
        if place.item is not None:
            entries: list[Any] = value if isinstance(value, _LIST) else []
            if place.lengths is not None and place.lengths[0] != place.lengths[1]:
                numbers.append(len(entries) if isinstance(value, _LIST) else self.nothing)
            last = entries[-place.room :] if place.room else []
            for index in range(place.room):
                self._encode(place.item, last[index] if index < len(last) else None, numbers)
        for key, inner in place.keys.items():
            self._encode(inner, value.get(key) if isinstance(value, _DICT) else None, numbers)

    def _number(self, value: Any) -> float:
        if isinstance(value, _TEXTS):
            return self._codes.get(value, 0)
        if not isinstance(value, int | float) or math.isnan(value):
            return self.nothing
        return max(-MAX_NUMBER, min(MAX_NUMBER, value))

    def _labels(self, place: Place, path: str) -> Iterator[str]:
        if place.single:
            yield path
        if place.item is not None:
            if place.lengths is not None and place.lengths[0] != place.lengths[1]:
                yield f"len({path})"
            for index in range(place.room):
                yield from self._labels(place.item, f"{path}[{index}]")
        for key, inner in place.keys.items():
            yield from self._labels(inner, f"{path}[{key!r}]" if path else str(key))


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found out about a game: every action, and how what is seen is laid out."""

    actions: tuple[Action, ...]
    layout: Layout


def seen_by(table: Table, seat: int) -> dict[str, Any]:
    """Return what a seat sees at a table, as plain wire data: the kit's part, and each field under its name."""
    status, asked = table.status(0.0), table.question(seat)
    return {
        "kit.seat": seat,
        "kit.to_move": [other in status.to_move for other in range(table.players)],
        "kit.out": [other in status.out for other in range(table.players)],
        "kit.asked": None if asked is None else asked.prompt,
        **{name: unpack(data) for name, data in table.view(seat).items()},
    }


def survey(game: type[Any], players: int, options: Mapping[str, Any], games: int) -> Survey:
    """Play so many games at random and find out what there is to be seen and done."""
    root, singles, done, drawn = Place(), set[Any](), dict[bytes, Action](), set[str]()
    known = set[tuple[str, bytes]]()
    left, begun, seed = MAX_SURVEYED, time.monotonic(), 0

    def look(table: Table, seat: int) -> None:
        seen = seen_by(table, seat)
        fresh = {(name, data) for name, data in table.view(seat).items()} - known
        known.update(fresh)
        names = {name for name, _ in fresh}
        root.see({name: value for name, value in seen.items() if name in names or name in KIT}, singles)

    def choose(table: Table, seat: int, choices: list[Choice], dice: random.Random) -> Choice:
        if time.monotonic() - begun > PATIENCE:
            _tell_of_work(game, seed, games)
        for viewer in range(players):
            look(table, viewer)
        listing = table.legal_all(seat)
        drawn.update(listing.unlisted)
        for name, arguments in listing.plays:
            done.setdefault(pack([name, arguments]), (name, arguments))
        return dice.choice(choices)

    with log.each_once():
        for seed in range(games):
            # Not what is opened at the end: nobody acts on that.
            played = simulate(game, seed, players=players, options=options, choose=choose, limit=min(left, MAX_LENGTH))
            left -= len(played.moves)
            if left <= 0:
                break
    actions, whole = _actions(definition_of(game), done, drawn)
    if not whole or can_ask(game):
        actions.append(ANYTHING_ELSE)
    texts = sorted((one for one in singles if isinstance(one, _TEXTS)), key=pack)
    lowest = min((one for one in singles if isinstance(one, int | float) and one >= -MAX_NUMBER), default=0)
    return Survey(tuple(actions), Layout(root, texts, 2.0 * math.floor(lowest) - 1.0 if lowest < 0 else -1.0))


def _tell_of_work(game: type[Any], done: int, games: int) -> None:
    log.warn(
        f"turns: survey of {game.__name__}",
        "%s is played %s times to find out what there is to be seen and done, so far %s times; with less, as in "
        "`TurnsEnv(…, games=10)`, it begins sooner, and what did not come up has no number of its own",
        game.__name__,
        games,
        done,
    )


def _actions(definition: Definition, done: Mapping[bytes, Action], drawn: set[str]) -> tuple[list[Action], bool]:
    """Return the actions, move by move and answers last, and whether they are all that the moves could ever be."""
    actions, whole = list[Action](), True
    for name, move in definition.moves.items():
        if all(isinstance(domain, Fixed) for domain in move.domains.values()):
            every: list[Action] = [(name, arguments) for arguments in islice(move.candidates(None), MAX_LISTED + 1)]
            if len(every) <= MAX_LISTED:
                actions += every
                continue
        whole = False
        actions += [action for _, action in sorted(done.items()) if action[0] == name]
        if move.free or name in drawn:
            actions.append((name, None))
    actions += [action for _, action in sorted(done.items()) if action[0] == ""]
    if "" in drawn:
        actions.append(("", None))
    return actions, whole


def key_of(name: str, arguments: Mapping[str, Any]) -> bytes:
    """Return by what a play is found among actions."""
    return pack([name, plain(arguments)])
