"""Bots that know no game: `RandomBot`, and `TreeSearch`, which plays a table on in worlds that it imagines."""

from netcode.turns.bots.random_bot import RandomBot
from netcode.turns.bots.tree import TreeSearch

__all__ = ["RandomBot", "TreeSearch"]
