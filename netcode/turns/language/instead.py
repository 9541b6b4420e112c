"""What the kit has words for, where somebody who is new to it would assign an attribute: `self.turn = 1`."""

_WAYS = {
    "to say whose turn it is next, write `self.turn_to(seat)`; whose it is says `self.mover`": (
        "turn", "current_turn", "next_turn", "whose_turn", "turn_of", "mover", "to_move", "player_to_move", "seat_to_move",
        "current", "current_player", "current_seat", "active", "active_player", "active_seat",
        "next_player", "next_seat", "player", "seat",
    ),
    "to end the game, write `self.finish(winner)`, or `self.finish()` where nobody wins": (
        "winner", "winners", "won", "result", "over", "game_over", "is_over", "finished", "is_finished", "ended", "done",
    ),
    "to take somebody out of the game, write `self.out(seat)`; who is left says `self.alive`": (
        "out", "alive", "eliminated",
    ),
    "how many play says `len(self.players)`": ("num_players", "n_players", "number_of_players", "player_count"),
    "what is drawn comes from `self.random`, which is there": ("random", "rng"),
    "to tell the players something, write `self.tell(text)`": ("tell", "message", "messages", "msg"),
    "to count rounds, annotate another word in the class: `rounds: int = 0`": ("round",),
}  # fmt: skip
_WAY_OF = {name: way for way, names in _WAYS.items() for name in names}


def way_of(name: str) -> str:
    """Return how that is done which somebody means who assigns an attribute of this name; nothing where it is no matter of the kit."""
    return _WAY_OF.get(name, "")
