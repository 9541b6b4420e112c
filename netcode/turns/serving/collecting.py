"""How often a process that does nothing but serve has its garbage collected."""

import gc
from collections.abc import Generator
from contextlib import contextmanager

YOUNG = 10_000
"""Objects that come to be, and stay, between two looks for garbage. The plays of one update make a few thousand, which
go by themselves once they are told: at the 700 that Python begins with, to look at them took a twentieth of the time."""


@contextmanager
def seldom() -> Generator[None]:
    """Have the collector leave alone what is there by now, and look for garbage more seldom, for a while."""
    frozen, (young, *older) = gc.get_freeze_count(), gc.get_threshold()
    gc.freeze()
    if young:  # else nobody wants it to look at all
        gc.set_threshold(max(YOUNG, young), *older)
    try:
        yield
    finally:
        gc.set_threshold(young, *older)
        if not frozen:
            gc.unfreeze()
