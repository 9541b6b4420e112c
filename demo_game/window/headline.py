"""The sentences over a game in the window: what is going on, who won, and whether to try again."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from demo_game.rules import Fired
from demo_game.session import Ended
from demo_game.view import Phase, View
from demo_game.wording import effect, ended, sentence, time_left
from netcode import ReasonCode


class Tone(Enum):
    """How loudly a sentence is shown."""

    CALM = "calm"
    ACT = "act"
    WARN = "warn"


class Headline(NamedTuple):
    """One sentence over the game."""

    text: str
    tone: Tone


_HOPELESS = {
    ReasonCode.WRONG_PROTOCOL,
    ReasonCode.WRONG_GAME,
    ReasonCode.WRONG_VERSION,
    ReasonCode.NOT_NETCODE,
    ReasonCode.DENIED,
    ReasonCode.MALFORMED,
}

_TITLES = {
    ReasonCode.SHUTDOWN: "The server closes",
    ReasonCode.SERVER_FULL: "No berth left",
    ReasonCode.WRONG_VERSION: "Another version",
    ReasonCode.WRONG_PROTOCOL: "Another version",
    ReasonCode.WRONG_GAME: "Another game",
    ReasonCode.NOT_NETCODE: "No game server",
    ReasonCode.REFUSED: "No server there",
    ReasonCode.UNREACHABLE: "Out of reach",
    ReasonCode.NAME_NOT_FOUND: "Unknown port of call",
    ReasonCode.CONNECT_TIMEOUT: "No answer",
    ReasonCode.HANDSHAKE_TIMEOUT: "No answer",
    ReasonCode.GOODBYE: "The server said goodbye",
    None: "No seat there",
}


_WORDS: dict[ReasonCode | None, str] = {
    ReasonCode.HANDSHAKE_TIMEOUT: "The server is there, but says nothing. Try again: a game that had begun is kept.",
}
"""Where the reason is for who wrote the program."""


def headline(view: View, *, silence: int = 0, away: float | None = None, closed: bool = False) -> Headline:
    """Say what is going on; trouble with the network comes first, until it is over.

    `silence`, `away` and `closed` tell of our own link.
    """
    trouble = own_trouble(silence, away, closed=closed) or _trouble(view)
    if trouble and view.phase is not Phase.OVER:
        return Headline(trouble, Tone.WARN)
    if view.refusal:
        return Headline(sentence(view.refusal, *(side.name for side in view.sides)), Tone.WARN)
    match view.phase:
        case Phase.WAITING:
            return Headline("Waiting for an opponent", Tone.CALM)
        case Phase.PLACING:
            return _placing(view)
        case Phase.FIRING:
            return _firing(view)
        case Phase.OVER:
            return Headline(verdict(view), Tone.CALM)


def verdict(view: View) -> str:
    """Say in a word or two who won."""
    if view.winner is None:
        return ""
    if view.seat is None:
        return f"{view.sides[view.winner].name} wins"
    return "Victory" if view.winner == view.seat else "Defeat"


def rematch(view: View) -> str:
    """Say how it stands with another game against the same opponent."""
    other = view.sides[view.far]
    if view.seat is None:
        return ""
    if other.presence != "here":
        return f"{other.name} has gone"
    if view.far in view.again:
        return f"{other.name} wants to play again"
    return f"Waiting for {other.name} to want it too…" if view.seat in view.again else ""


def tell_shot(view: View, fired: Fired) -> str:
    """Tell one shot in a sentence."""
    who = "You fired" if fired.seat == view.seat else f"{view.sides[fired.seat].name} fired"
    return f"{who} at {fired.shot.cell}: {effect(fired.shot)}"


def score(shots: Sequence[Fired]) -> str:
    """Tell how well these shots were aimed."""
    if not shots:
        return "no shot yet"
    hits = sum(fired.shot.hit for fired in shots)
    return f"{len(shots)} {'shot' if len(shots) == 1 else 'shots'}, {round(100 * hits / len(shots))} % hits"


def own_trouble(silence: int, away: float | None, *, closed: bool) -> str:
    """Say that our own link is lost or silent, and for how long still; nothing where it lives."""
    if away is not None and closed:
        return f"The server is gone, waiting for its return… {away:.0f} s"
    if away is not None:
        return f"Connection lost, trying to come back… {away:.0f} s"
    return f"The server has been silent for {silence} s…" if silence else ""


def ending_title(code: ReasonCode | None) -> str:
    """Give the title over a reason for which it ended."""
    return _TITLES.get(code, "Connection lost")


def ending_words(reason: Ended) -> str:
    """Say in a sentence or two why it ended, and what to do."""
    return _WORDS.get(reason.code) or ended(reason.text)


def is_taken(reason: Ended) -> bool:
    """Say whether others sit at the table: one may look on, or go to another one."""
    return reason.code is None and reason.text.startswith(("the table is full", "the game has begun"))


def plays_others(reason: Ended) -> bool:
    """Say whether it is a server of other games."""
    return reason.code is None and reason.text.startswith(("this server does not play", "that table plays"))


def worth_retrying(code: ReasonCode | None) -> bool:
    """Say whether the same attempt could succeed later."""
    return code not in _HOPELESS


def _trouble(view: View) -> str:
    for seat, side in enumerate(view.sides):
        if seat != view.seat and side.presence == "away":
            left = "" if side.patience is None else f" {side.patience:.0f} s"
            return f"{side.name} lost the connection, waiting for the return…{left}"
    return ""


def _placing(view: View) -> Headline:
    if view.to_place:
        clock = view.sides[view.near].clock
        left = "" if clock is None else f": {time_left(clock)}"
        return Headline(f"Hide your fleet from {view.sides[view.far].name}{left}", Tone.ACT)
    hiding = [side.name for seat, side in enumerate(view.sides) if seat != view.seat and not side.placed]
    if not hiding:
        return Headline("Your fleet puts to sea…", Tone.CALM)
    return Headline(f"{' and '.join(hiding)} {'is' if len(hiding) == 1 else 'are'} hiding the fleet…", Tone.CALM)


def _firing(view: View) -> Headline:
    if view.my_turn:
        return Headline("Your turn: choose a target", Tone.ACT)
    if view.turn is None or view.turn == view.seat:
        return Headline("The shell is on its way…", Tone.CALM)
    return Headline(f"{view.sides[view.turn].name} takes aim…", Tone.CALM)
