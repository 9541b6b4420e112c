"""What is said of bugs in rules, to the log of whoever runs the table."""

import os
import traceback
from pathlib import Path
from types import SimpleNamespace

from netcode.diagnostics import log

_NO_RULES = (f"{Path(__file__).parents[2]}{os.sep}", f"{Path(os.__file__).parent}{os.sep}", "<frozen ", "msgpack")
"""Where the kit is, and the library of Python."""
ENDS = "ends the program, which has everybody's games; to end this one, `self.finish(…)`"
CARELESS = "calls require() after it drew, before anybody saw that: who is refused knows the dice"
TORN = "calls finish() again with another result, and that one counts: `return` after the first, or write `elif`"
"""What is complained of rules that end the program, refuse too late, or end the game twice."""
_NONE = SimpleNamespace(fields=())
"""What a class that is no game is made of."""


def bug(where: str, error: BaseException, what: str) -> None:
    """Log the traceback of an error in rules, at most once a second for each place."""
    text = "".join(traceback.format_exception(error)) + _unset(error)
    log.warn(f"turns: {where}: {type(error).__name__}", "%s failed in %s:\n%s", what, where, text)


def failure(error: BaseException) -> str:
    """Return what is complained of rules that fail with an error: which, what to do where that is known, and where it was."""
    if isinstance(error, SystemExit):
        return f"{ENDS}{line_of(error)}"
    hint = _unset(error)
    return f"fails: {type(error).__name__}: {error}{hint and f'; {hint}'}{line_of(error)}"


def _unset(error: BaseException) -> str:
    """Return what to do where a field was read that `setup` has yet to set; nothing elsewhere."""
    if not isinstance(error, AttributeError) or error.name not in getattr(type(error.obj), "_definition", _NONE).fields:
        return ""
    return f"setup() has yet to set {error.name}; with a default it is there from the beginning: `{error.name}: … = …`"


def line_of(error: BaseException) -> str:
    """Return where in the rules an error, or what it comes from, came up, for the end of a sentence; nothing if it is not known."""
    steps = traceback.extract_tb(error.__traceback__)
    if error.__cause__ is not None:
        steps += traceback.extract_tb(error.__cause__.__traceback__)
    files = [(step.filename, step.lineno) for step in steps if not step.filename.startswith(_NO_RULES)]
    own = [one for one in files if "site-packages" not in one[0]]  # what a library does with them is their matter
    for file, line in (own or [one for one in files if "msgpack" not in one[0]])[-1:]:
        return f", at {file}:{line}"
    return ""


def careless(where: str) -> None:
    """Log that a rule can refuse after it drew, so that who tries it learns what the dice say."""
    log.warn(
        f"turns: {where} requires late",
        "%s calls require() after it drew from self.random and before anybody saw that; "
        "whoever is refused knows what will be drawn: require first, then draw",
        where,
    )


def changed(where: str) -> None:
    """Log that a suspended rule asked something else when it ran again."""
    log.warn(
        f"turns: {where} changed",
        "%s asked something else when it ran again with the answer, and is taken back; "
        "a rule may depend on `self` alone, not on time, files or `random`",
        where,
    )


def outdated(where: str) -> None:
    """Log that a suspended rule asks something else under changed rules."""
    log.warn(
        f"turns: {where} outdated",
        "%s asks something else since the rules were changed, so it is taken back, and its mover moves again",
        where,
    )


def refused_timeout(where: str, text: str) -> None:
    """Log that rules refuse that somebody's time is up, so that this seat has lost."""
    log.warn(
        f"turns: {where} refuses",
        "%s refuses by require() that the time of a seat is up (%s), so that this seat has lost; nobody asked for it who "
        "could do something else: decide there by `if`",
        where,
        text,
    )


def refused_absence(where: str, text: str) -> None:
    """Log that rules refuse to go on without a seat, so that the others have won."""
    log.warn(
        f"turns: {where} refuses a gap",
        "%s refuses by require() to go on without a seat that is gone (%s), so that the others have won; nobody asked for "
        "it who could do something else: decide there by `if`",
        where,
        text,
    )


def asked_in_vain(where: str) -> None:
    """Log that rules ask a seat that is gone, so that the others have won."""
    log.warn(
        f"turns: {where} asks in vain",
        "%s asks a seat that is out, at which nobody is any more, so that the others have won; ask `self.alive`",
        where,
    )


def refused_default(where: str, text: str) -> None:
    """Log that rules refuse the answer that they give for who is absent or out of time."""
    log.warn(
        f"turns: {where} refuses its default",
        "%s refuses the default of its own question (%s), so that the time of the asked seat is up instead; let the "
        "default be what it can go on with",
        where,
        text,
    )


def unimagined(game: str, tries: int, *, own: bool) -> None:
    """Log that a bot has nothing to think about, and falls back on chance; whether the game has an `imagine` of its `own`."""
    if own:
        text = (
            f"{game}.imagine refused or failed {tries} times of {tries}, so a bot chooses at random; `check` says more"
        )
    else:
        text = f"{game}: nothing of {tries} guesses at what a bot cannot see could be, so it chooses at random"
    log.warn(f"turns: {game} imagines nothing", "%s", text)
