"""The bounds and times of a link, under the names by which constructors take them and errors name them."""

import math
from dataclasses import dataclass, fields

from netcode.protocol import MAX_NAME, MAX_UNGREETED


@dataclass(frozen=True, slots=True)
class Limits:
    """What both ends of a link are bounded by. `docs/limits.md` gives the reason behind each number."""

    max_message: int = 65_536
    """Largest message in bytes that is taken from the other end."""
    timeout: float = 10.0
    """Seconds of silence that end a link."""
    ping_interval: float = 1.0
    """Seconds between two pings."""
    handshake_timeout: float = 3.0
    """Seconds from the first byte's chance to WELCOME, in total."""
    message_timeout: float = 20.0
    """Seconds that one message may take from its first byte to its last."""
    close_timeout: float = 5.0
    """Seconds that `close_nicely` may take."""
    max_queue: int = 1_048_576
    """Bytes that may wait to be sent to one peer."""
    max_queue_age: float = 10.0
    """Seconds that a byte may wait to be taken by the network."""
    max_resend: int = 1_048_576
    """Bytes sent and unacknowledged that are kept for a link that comes back."""
    max_messages_per_update: int = 256
    """Messages of one peer that one update delivers; the rest waits for the next."""
    flood_timeout: float = 5.0
    """Seconds of more than that, update after update, that end a link."""
    max_backlog: int = 16_777_216
    """Bytes of events that the game has not taken at which reading stops."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise TypeError(f"{field.name} must be a number, not {type(value).__name__}")
            if not 0 < value < math.inf:
                raise ValueError(f"{field.name} must be above 0 and finite, not {value}")
        if not MAX_UNGREETED <= self.max_message < 1 << 31:
            raise ValueError(f"max_message must be from {MAX_UNGREETED} to 2147483647, not {self.max_message}")
        if self.ping_interval >= self.timeout:
            raise ValueError(f"ping_interval ({self.ping_interval}) must be below timeout ({self.timeout})")
        if self.max_queue < self.max_message:
            # One largest message must fit, or `send` would end the link that it promised to carry it over.
            object.__setattr__(self, "max_queue", self.max_message + 4)
        if self.max_resend < self.max_message:
            object.__setattr__(self, "max_resend", self.max_message + 4)


def check_name(what: str, name: str) -> str:
    """Return `name` if it can be the name of a game or of a version.

    Raises:
        TypeError, ValueError: it cannot.
    """
    if not isinstance(name, str):
        raise TypeError(f"{what} must be a str, not {type(name).__name__}")
    if len(name) > MAX_NAME:
        raise ValueError(f"{what} must have at most {MAX_NAME} characters, not {len(name)}")
    return name
