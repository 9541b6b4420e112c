"""What keeps a server, a client or a set whole when an interrupt or a signal handler comes between two of its steps.

A handler runs between any two steps of what it interrupts, and Ctrl-C raises there. Two rules hold for all of it:

- An exception that leaves an engine in the middle of something makes it torn. Before it does anything else, its owner
  recovers: the link that was being stepped is broken off, because nobody knows how far it got, and everything that can
  be told from the connections is made anew from them. What a return relies on, such as what was received and what was
  sent, is changed in one go: CPython runs handlers after calls, at the beginning of functions and at jumps backwards,
  so statements that only load, store and use operators of built-in types belong together.
- What a handler asks for while the engine is busy is done when that is over.
"""

from collections.abc import Callable

Act = Callable[[], None]
"""Something to be done. Done again after an exception left it, so it must not mind how far it got."""

NOTHING_APART: tuple[list[bytes], list[tuple[int, bytes]]] = [], []


class Engine:
    """Whether something is under way, whether it was torn, and what waits for its end."""

    __slots__ = ("acts", "apart", "busy", "later", "stepping", "torn")

    def __init__(self) -> None:
        self.busy = False
        """Something is under way; what a signal handler asks for has to wait."""
        self.torn = False
        """An exception left something half-way: recover before anything else."""
        self.stepping: object = None
        """Whose state is being changed; it is broken off if an exception comes."""
        self.later: list[Act] = []
        """What waits."""
        self.acts = 0
        """Things done so far, for a sleep to notice."""
        self.apart: tuple[list[bytes], list[tuple[int, bytes]]] = NOTHING_APART
        """The last batch that was taken apart, and its parts, until the end of what is under way."""

    def do(self, act: Act, recover: Act) -> None:
        """Do `act` now, or at the end of what is under way."""
        self.later.append(act)
        self.catch_up(recover)

    def run(self, act: Act) -> None:
        """Be busy with `act`, and torn where an exception leaves it."""
        try:
            self.busy = True
            act()
            self.apart, self.busy = NOTHING_APART, False
        except BaseException:  # Ctrl-C, say
            self.torn, self.busy = True, False
            raise

    def abandon(self) -> None:
        """Have nothing under way in a forked child, where the thread that is in it need not be."""
        self.busy = False
        self.later.clear()

    def catch_up(self, recover: Act) -> None:
        """Recover if something was torn, and do what waits; nothing while something is under way."""
        while (self.torn or self.later) and not self.busy:
            try:
                self.busy = True
                if self.torn:
                    recover()
                    self.torn = False
                else:
                    self.acts += 1
                    self.later[0]()
                    del self.later[0]
                self.apart, self.busy = NOTHING_APART, False
            except BaseException:  # Ctrl-C, say
                self.torn, self.busy = True, False
                raise
