"""What is said of bugs in rules, to the log of whoever runs the table."""

import traceback

from netcode.diagnostics import log


def bug(where: str, error: BaseException, what: str) -> None:
    """Log the traceback of an error in rules, at most once a second for each place."""
    text = "".join(traceback.format_exception(error))
    log.warn(f"turns: {where}: {type(error).__name__}", "%s failed in %s:\n%s", what, where, text)


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
