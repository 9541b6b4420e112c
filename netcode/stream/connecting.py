"""On the way to a transport, for so long at most."""

from netcode.reasons import Reason, ReasonCode
from netcode.transport import Connector, Transport, abandon
from netcode.waiting import Descriptors

CONNECT_TIMEOUT = 5.0
"""Seconds until a connect is given up; the kernel alone would take 127."""


class Connecting:
    """A connector that gives up `timeout` seconds from `now` on if it has come nowhere by then."""

    __slots__ = ("_connector", "_until", "address", "where")

    def __init__(self, connector: Connector, now: float, timeout: float = CONNECT_TIMEOUT) -> None:
        self._connector = connector
        self._until = now + timeout
        self.address = connector.address
        """The other end, where it is known already."""
        self.where = connector.where
        """What is being connected to, for sentences."""

    def advance(self, now: float) -> Transport | Reason | None:
        """Go on as far as possible: the transport, the reason why there will be none, or None for «not yet»."""
        connector = self._connector
        result = connector.advance(now)
        if result is None and now >= self._until:
            return Reason(ReasonCode.CONNECT_TIMEOUT, f"{connector.address or connector.where} {connector.hint}")
        return result

    def descriptors(self) -> Descriptors:
        """Return what to wait on until `advance` has something to do."""
        return self._connector.descriptors()

    def due(self) -> float:
        """Return when `advance` has something to do even if no descriptor says so."""
        due = self._connector.due()
        return self._until if due is None else min(self._until, due)

    def shift(self, seconds: float) -> None:
        """Hear that what was 0 is `seconds` from now on."""
        self._until += seconds

    def close(self) -> None:
        """Give up, and give everything back."""
        self._connector.close()

    def abandon(self) -> None:
        """Give back this process's copies of descriptors that are the parent's."""
        abandon(self._connector)
