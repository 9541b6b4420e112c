"""Bots that know no game, and play any: `RandomBot`, and by a search `SearchBot` and what it is made of, `TreeSearch`."""

from netcode.turns.bots.belief import Belief
from netcode.turns.bots.drawing import Drawer
from netcode.turns.bots.random_bot import RandomBot
from netcode.turns.bots.search_bot import SearchBot
from netcode.turns.bots.tree import TreeSearch

__all__ = ["Belief", "Drawer", "RandomBot", "SearchBot", "TreeSearch"]
