"""What netcode raises at a caller. The network and the peer never raise: they become a `Reason`."""

from netcode.address import Address
from netcode.reasons import Reason, ReasonCode


class NetcodeError(Exception):
    """Base of every error that netcode defines."""


class ProtocolError(NetcodeError):
    """Bytes that break the wire standard. Codecs raise it; a link turns it into its `Reason`."""

    def __init__(self, code: ReasonCode, text: str, where: Address | None = None) -> None:
        super().__init__(text)
        self.reason = Reason(code, text, where=where)

    def __reduce__(self) -> tuple[object, ...]:
        """Be copied and pickled as it was made, as on the way out of another process."""
        return type(self), (self.reason.code, *self.args, self.reason.where), vars(self)


class MessageTooLarge(NetcodeError, ValueError):
    """A message was not sent because it is larger than this end may send. The link goes on."""

    def __init__(self, size: int, most: int, max_message: int) -> None:
        envelope = f" and {most - max_message} for an envelope" if most > max_message else ""
        super().__init__(
            f"a message of {size} bytes is over the limit: max_message is {max_message} here{envelope}; "
            "send less at once, or raise max_message at both ends"
        )
        self.size = size
        self._bounds = most, max_message

    def __reduce__(self) -> tuple[object, ...]:
        """Be copied and pickled as it was made, likewise."""
        return type(self), (self.size, *self._bounds), vars(self)
