"""The bot that plays anything legal."""

import random
from collections.abc import Sequence
from typing import Any

from netcode.turns.language.plays import Play


class RandomBot:
    """Chooses any of what is legal, the same for the same seed."""

    def __init__(self, seed: int | None = None) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - a bot's whims are no keys

    def __call__(self, view: Any, legal: Sequence[Play]) -> Play:
        """Choose, as every bot is called: with what its seat sees, and what it may do."""
        del view
        return self._dice.choice(legal)
