"""What a forked child inherits, and must not use: it is the parent's.

The child's copies of descriptors are closed as soon as it begins, so that a link ends when the parent ends it and a port
is free when the parent has gone. Nothing is said to anybody, and the poller, which both processes share, is not touched.
"""

import os
import sys
import weakref
from typing import Protocol, TypeVar

TEXT = "it belongs to the process that made it, and this is a child of that"
"""Why something is over in a child."""


class Heirloom(Protocol):
    """What has descriptors that a forked child would inherit."""

    def _abandon(self) -> None:
        """Be over, and give back this process's copies of the descriptors without a word to anybody."""


T = TypeVar("T", bound=Heirloom)

_heirlooms: weakref.WeakSet[Heirloom] = weakref.WeakSet()


def keep_from_children(thing: T) -> T:
    """Have `thing` abandoned in each child that this process forks from now on."""
    _heirlooms.add(thing)
    return thing


def _abandon_all() -> None:
    for thing in [*_heirlooms]:
        thing._abandon()


if sys.platform == "win32":
    pass  # nothing forks there
else:
    os.register_at_fork(after_in_child=_abandon_all)
