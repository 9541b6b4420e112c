"""The games of a server: by their names, and as it tells of them to who does not have the class."""

from collections.abc import Iterable, Mapping
from typing import Any

from netcode.diagnostics import log
from netcode.turns.errors import BUGS, RulesError
from netcode.turns.language.definition import MoveRule, check_game, definition_of
from netcode.turns.language.domains import Domain, Open
from netcode.turns.language.marks import Field, Mark
from netcode.turns.language.randomness import SECRET_SIZE
from netcode.turns.language.table_options import read_options, wire_options
from netcode.turns.runtime.log import bug
from netcode.turns.table import Table
from netcode.turns.values import is_text, plain, shape_of

TRIES = 3
"""Times that a game is to begin with each number of players: what it draws may have kept it from that."""
MOST_TRIES = 30
"""Times altogether."""
MAX_VALUES = 100
"""Values of an option that are told; what has more is typed."""


def described(game: type[Any]) -> dict[str, Any]:
    """Return what a page or a program must know of a game to offer it, as plain wire data."""
    definition = definition_of(game)
    seating = definition.seating
    return {
        "game": game.__name__,
        "players": [definition.fewest, definition.most],
        "options": {name: _values(domain) for name, domain in definition.options.items()},
        "chosen": {name: plain(value) for name, value in definition.chosen.items()},
        "fields": {name: field.mark.value.lower() for name, field in definition.fields.items() if _is_sent(field)},
        "moves": {name: [*move.domains] for name, move in definition.moves.items()},
        "texts": {name: texts for name, move in definition.moves.items() if (texts := _texts(move))},
        "by_seat": [name for name, field in definition.fields.items() if name in seating.by_seat and _is_sent(field)],
        "seats": sorted(name for name in seating.holds_seats if not name.startswith("_")),
    }


def seats_of(game: type[Any], players: int | None) -> tuple[int, int]:
    """Return how many must sit at a table before somebody may start, and how many can.

    Args:
        game: which.
        players: how many its founder asked for, perhaps of other rules, for fewer or for more.
    """
    low, high = game.seats
    return low, high if players is None else min(max(low, players), high)


def with_defaults(game: type[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is chosen for a table, as plain wire data: what nobody chose is as the game has it.

    The clock is there if somebody chose it. Options that the game does not have are returned as they are.
    """
    try:
        chosen = wire_options(read_options(game, options)[0])
    except ValueError:
        return dict(options)
    return chosen | ({"clock": options["clock"]} if "clock" in options else {})


def still_chosen(game: type[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is chosen for a table whose game has yet to begin, perhaps by older rules, as `with_defaults` does.

    What the rules do not take any more is as if nobody had chosen it.
    """

    def takes(chosen: Mapping[str, Any]) -> bool:
        try:
            read_options(game, chosen)
        except ValueError:
            return False
        return True

    kept = options if takes(options) else {name: one for name, one in options.items() if takes({name: one})}
    return with_defaults(game, kept)


def _texts(move: MoveRule) -> list[str]:
    """Return the arguments that are a text, whatever is in it: `1984` is one, and no number."""
    shapes = {
        name: shape_of(domain.free.type, name) if isinstance(domain, Open) else move.shapes[name]
        for name, domain in move.domains.items()
    }
    return [name for name, shape in shapes.items() if is_text(shape)]


def _is_sent(field: Field) -> bool:
    return field.mark is not Mark.PRIVATE


def _values(domain: Domain) -> list[Any] | None:
    """Return what an option may be; None where it is free, or too much."""
    values = domain.values(None, {})
    return None if values is None or len(values) > MAX_VALUES else [plain(value) for value in values]


def try_to_begin(games: Iterable[type[Any]]) -> None:
    """Have each game begin, for nobody, and log of one why it does so with no number of players."""
    for game in games:
        low, high = game.seats
        trials = [(players, bytes([seed] * SECRET_SIZE)) for players in range(low, high + 1) for seed in range(TRIES)]
        failed: BaseException | None = None
        for players, secret in trials[:MOST_TRIES]:
            try:
                Table.create(game, players, secret=secret).start(0.0)
            except BUGS as error:
                failed = failed or error
            else:
                break
        else:
            assert failed is not None
            why_not_begun(game, failed)


def why_not_begun(game: type[Any], error: BaseException) -> str:
    """Return why a game cannot begin, and log it, with the traceback of a bug."""
    name, why = game.__name__, str(error)
    if not isinstance(error, RulesError):
        why = f"{type(error).__name__}: {error}"
        bug(name, error, "setting up a table")
    log.warn(f"rules of {name}", "%s cannot begin, so nobody can play a new game of it: %s", name, why)
    return f"the rules of {name} cannot begin: {why}"


def by_name(games: Iterable[type[Any]]) -> dict[str, type[Any]]:
    """Sort games by their names. Raises `TypeError` or `ValueError` for what is none, and for two of one name."""
    found: dict[str, type[Any]] = {}
    for game in games:
        check_game(game, "Server")
        if found.setdefault(game.__name__, game) is not game:
            raise ValueError(f"two games are called {game.__name__}; rename one of them")
    return found
