"""What decoding may cost in one update, over all peers together."""

from typing import Protocol

SHARE = 20_480
"""Lists and dicts that one update decodes, or what costs as much; what is over it waits for the next.

It is a count and no time, so that the same bytes wait on every machine alike. It comes to some 6 ms at the worst, of
maps with lists for keys, and to 1 ms of what games send."""

COSTLY = 8192
"""What a message costs that is decoded in parts, and the most that a part costs."""

FREE = 256
"""What a peer may have decoded at once without asking: 2 KiB of plain values, or a list of 250 lists."""


class Waiting(Protocol):
    """Who has something to be decoded."""

    @property
    def reason(self) -> object:
        """Not None if it will not be decoded any more."""
        ...


class Budget:
    """Shares out among peers what one update may decode: in turn, so that nobody starves.

    Who does not get what it asks for stands in line, and nobody is served before who stands in front. The first always
    gets something, however much it is, and stays in front until it is done.
    """

    __slots__ = ("_line", "share", "spent")

    def __init__(self, share: float = SHARE) -> None:
        self.share = share
        self.spent = 0
        """In this update; its owner sets it to 0 at the beginning of one."""
        self._line: dict[Waiting, None] = {}  # a set that remembers the order

    def __contains__(self, who: object) -> bool:
        return who in self._line

    def holds(self, who: Waiting) -> bool:
        """Tell whether `who` stands in line and it is not its turn, so that it need not ask."""
        return bool(self._line) and who in self._line and who is not self._first()

    def allows(self, who: Waiting, cost: int) -> bool:
        """Tell whether `who` may have something decoded that costs `cost`; if not, it stands in line until it is done."""
        if not self.admits(who, cost):
            return False
        self.spent += cost
        return True

    def admits(self, who: Waiting, cost: int) -> bool:
        """Do what `allows` does, without spending anything: of what costs that much at least, the rest is yet to be found."""
        first = self._first()
        if (first is None or first is who) and (not self.spent or self.spent + cost <= self.share):
            return True
        self._line[who] = None
        return False

    def give_back(self, cost: int) -> None:
        """Hear that decoding something cost less than it looked like."""
        self.spent -= cost

    def done(self, who: Waiting) -> None:
        """Hear that `who` has nothing to be decoded any more."""
        self._line.pop(who, None)

    def _first(self) -> Waiting | None:
        """Return whose turn it is, without those who do not wait any more."""
        while self._line:
            first = next(iter(self._line))
            if first.reason is None:
                return first
            del self._line[first]
        return None
