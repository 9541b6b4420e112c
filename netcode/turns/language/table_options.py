"""The options of one table: as strangers chose them, and as they were stored."""

import traceback
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from netcode.diagnostics import log
from netcode.turns.errors import BUGS, Unfit
from netcode.turns.language.clocks import Clock, clock_from
from netcode.turns.language.definition import definition_of
from netcode.turns.language.domains import Domain
from netcode.turns.values import check_bounds, plain


def check_options(given: Any) -> None:
    """Raise `TypeError` for what is no map of options."""
    if not isinstance(given, Mapping):
        raise TypeError(f'options must be a dict such as {{"size": 5}}, not {type(given).__name__}')


def read_options(game: type[Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], Clock | None]:
    """Return the options of a table as its rules take them, and its clock. Raises `ValueError` for what they are not."""
    check_options(given)
    definition = definition_of(game)
    chosen, clock = deepcopy(definition.chosen), game.clock
    for name, value in given.items():
        domain = definition.options.get(name)
        if name == "clock":
            clock = clock_from(value)
        elif domain is None:
            has = ", ".join([*definition.options, "clock"])
            raise ValueError(f"{game.__name__} has no option of that name; it has {has}")
        else:
            check_bounds(value)
            chosen[name] = _read(game, name, domain, chosen, value)
    return chosen, clock


def _read(game: type[Any], name: str, domain: Domain, chosen: Mapping[str, Any], value: Any) -> Any:
    """Return the value of an option that a stranger says; one at which the check of a `Free` fails is none of them."""
    try:
        return domain.read(None, chosen, value, name)
    except Unfit:
        raise
    except BUGS as error:
        text = "".join(traceback.format_exception(error))
        log.warn(f"turns: {game.__name__} option {name}", "the option %s of %s failed:\n%s", name, game.__name__, text)
        raise Unfit(f"{name}: the rules failed at this, which is a bug in them") from error


def wire_options(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as they are stored and sent."""
    return {name: plain(value) for name, value in chosen.items()}


def revive_options(game: type[Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Find the values of stored options again; one that the rules no longer have is dropped.

    A value that they no longer take is as it was stored: the game began with it.
    """
    definition = definition_of(game)
    chosen = deepcopy(definition.chosen)
    for name in definition.options.keys() & stored.keys():
        try:
            chosen[name] = definition.options[name].read(None, {}, stored[name], name)
        except BUGS:
            chosen[name] = stored[name]
    return chosen


def dropped_options(game: type[Any], stored: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what to tell of stored options that the rules no longer have, if one may have another name there."""
    options = definition_of(game).options
    gone, begun = sorted(stored.keys() - options.keys()), sorted(options.keys() - stored.keys())
    if not (gone and begun):
        return ()
    text = (
        f"the options of {game.__name__} have changed: games that run are without {', '.join(gone)}, and have "
        f"{', '.join(begun)} as if nobody had chosen; if one of these is one of those by another name, end the server "
        "before they are played on, and let it keep its name"
    )
    return (text,)
