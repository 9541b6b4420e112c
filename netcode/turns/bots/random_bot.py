"""The bot that plays anything legal."""

from collections.abc import Sequence
from typing import Any

from netcode.turns.language.plays import Play
from netcode.turns.simulate import dice_for


class RandomBot:
    """Chooses any of what is legal, the same for the same seed."""

    def __init__(self, seed: int | None = None) -> None:
        self._dice = dice_for(seed)

    def __call__(self, view: Any, legal: Sequence[Play]) -> Play:
        """Choose, as every bot is called: with what its seat sees, and what it may do."""
        del view
        check_legal(legal)
        return self._dice.choice(legal)


def check_legal(legal: Sequence[Play]) -> None:
    """Raise `ValueError` where there is nothing that a bot could choose from."""
    if not legal:
        raise ValueError(
            "nothing is legal for this seat at present that a bot could choose; ask it where something is: "
            "`if table.legal: table.play(bot(table.view, table.legal))`"
        )
