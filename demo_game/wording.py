"""The sentences that a player reads wherever they play; those over a game in the window are `window.headline`'s."""

import math

from demo_game.rules import SHIP_NAMES, Shot
from demo_game.view import Side, View
from netcode.turns import Play

NAME_LIMIT = 16
"""Characters of a player's name that have room on the screen."""

_TABLES = {
    "the table is full": "The seats at that table are taken. Look on, or play somebody else.",
    "the game has begun": "A game has begun at that table, and its seats are taken. Look on, or play somebody else.",
    "enough people watch": "There is no room for another spectator at that table.",
    "you sat down at this seat": "You sat down at this seat in another window.",
    "this server does not play": "That server plays other games, and not Broadside.",
    "enough tables wait": "Many wait for an opponent there already. Join one of them, without a code.",
    "this table is not kept": "That game is not kept any more. Look for another opponent.",
    "this ticket opens no seat": "That game is not kept any more. Look for another opponent.",
    "you founded enough tables": "You have opened many tables already. Close the game and start it again.",
}
"""How what a server of tables says begins, and what a player is told."""


def why(view: View) -> str:
    """Say in a sentence how the game ended."""
    loser = view.sides[1 - view.winner] if view.winner is not None else Side()
    if view.why == f"{loser.name} gave up" and loser.presence != "left":
        return f"{loser.name} lost the connection and did not come back in time"
    return view.why


def effect(shot: Shot) -> str:
    """Say what a shot did."""
    if shot.sunk is not None:
        return f"the {SHIP_NAMES[shot.sunk.length]} sinks"
    return "a hit" if shot.hit else "a miss"


def refused(play: Play | None, text: str) -> str:
    """Say to a player why something did not happen: what the table says is for who wrote the program."""
    if text.startswith("too fast"):
        return "not so fast: try again in a moment"
    if play is None:
        return text
    return "that shot does not count: choose another target" if play.name == "fire" else text


def ended(text: str) -> str:
    """Say to a player why there is no table any more, or none could be opened."""
    if text.startswith("cannot listen on") and "is taken" in text:
        return "A game is hosted on this computer already: join it at localhost, or close its window first."
    told = next((told for begins, told in _TABLES.items() if text.startswith(begins)), sentence(text))
    return told.replace("tls=", "--tls")


def time_left(seconds: float) -> str:
    """Write what is left on a clock, in minutes and seconds: 0:00 only where nothing is."""
    whole = math.ceil(seconds)
    return f"{whole // 60}:{whole % 60:02}"


def plain_text(text: str) -> str:
    """Make a name or a code fit to be shown: printable characters alone, and no more than `NAME_LIMIT` of them."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:NAME_LIMIT]).strip()


def sentence(text: str, *names: str) -> str:
    """Begin with a capital letter, unless that would change one of the players' `names`."""
    if any(text.startswith(name) for name in names if name):
        return text
    return text[:1].upper() + text[1:]
