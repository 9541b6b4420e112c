"""The options of one table: as strangers chose them, and as they were stored."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from netcode.turns.errors import Unfit
from netcode.turns.language.clocks import Clock, clock_from
from netcode.turns.language.definition import definition_of
from netcode.turns.values import check_bounds, plain


def read_options(game: type[Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], Clock | None]:
    """Return the options of a table as its rules take them, and its clock. Raises `ValueError` for what they are not."""
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
            chosen[name] = domain.read(None, chosen, value, name)
    return chosen, clock


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
        except Unfit:
            chosen[name] = stored[name]
    return chosen
