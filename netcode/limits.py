"""The bounds and times of a link, under the names by which constructors take them and errors name them."""

import sys
from dataclasses import dataclass, fields
from typing import TypedDict

from netcode.reasons import is_unicode
from netcode.wire.codec import ENVELOPE, Bounds
from netcode.wire.cost import ENVELOPE_DEPTH, MAX_DEPTH
from netcode.wire.protocol import MAX_COUNT, MAX_NAME, MAX_SECONDS, MAX_UNGREETED

PING_INTERVAL = 1.0
"""Seconds between two pings, where nothing else is said."""
TOO_RARE = 0.1
"""Ticks a second of which nobody means so few: who writes `1 / 60` means seconds."""
MAX_PEERS = 1000
"""Players at once at a server."""
PINGS_WITHIN_TIMEOUT = 4
"""Pings in the time of a `timeout` at least, where `ping_interval` was not given."""


class LimitOptions(TypedDict, total=False):
    """The keyword arguments of `Client` and `Server` that are limits of a link. The page «Limits and times» explains each."""

    max_message: int
    timeout: float
    ping_interval: float
    handshake_timeout: float
    message_timeout: float
    close_timeout: float
    max_queue: int
    max_queue_age: float
    max_resend: int
    max_messages_per_update: int
    flood_timeout: float
    max_backlog: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What both ends of a link are bounded by. The page «Limits and times» gives the reason behind each number."""

    max_message: int = 65_536
    """Largest message of a client in bytes; those of a server may be larger by an envelope."""
    timeout: float = 10.0
    """Seconds of silence that end a link."""
    ping_interval: float = PING_INTERVAL
    """Seconds between two pings."""
    handshake_timeout: float = 3.0
    """Seconds from the first byte's chance to WELCOME, in total."""
    message_timeout: float = 20.0
    """Seconds that one message may take from its first byte to its last, or a large one for each 64 KiB."""
    close_timeout: float = 5.0
    """Seconds that `close_nicely` may take."""
    max_queue: int = 1_048_576
    """Bytes that may wait to be sent to one peer."""
    max_queue_age: float = 10.0
    """Seconds that bytes may wait to be taken by the network without becoming fewer."""
    max_resend: int = 1_048_576
    """Bytes sent and unacknowledged that are kept for a link that comes back."""
    max_messages_per_update: int = 256
    """Messages of one peer that one update delivers; the rest waits for the next."""
    flood_timeout: float = 5.0
    """Seconds of more than that, update after update, that end a link."""
    max_backlog: int = 4_194_304
    """Bytes of events that the game has not taken at which reading stops."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.type is int:
                check_number(field.name, getattr(self, field.name), whole=True)
            else:
                check_seconds(field.name, getattr(self, field.name))
        if not MAX_UNGREETED <= self.max_message < 1 << 31:
            raise ValueError(f"max_message must be from {MAX_UNGREETED} to 2147483647, not {self.max_message}")
        if self.ping_interval >= self.timeout:
            raise ValueError(f"ping_interval ({self.ping_interval}) must be below timeout ({self.timeout})")
        # One largest message must fit beside what netcode itself sends, or `send` would end the link that it
        # promised to carry it over.
        least = self.of_servers.size + MAX_UNGREETED
        object.__setattr__(self, "max_queue", max(self.max_queue, least))
        object.__setattr__(self, "max_resend", max(self.max_resend, least))

    @property
    def of_clients(self) -> Bounds:
        """What messages of a client may be at most: of somebody whom nobody knows."""
        return Bounds(self.max_message, MAX_DEPTH)

    @property
    def of_servers(self) -> Bounds:
        """What messages of a server may be at most: those of a client, in an envelope."""
        return Bounds(self.max_message + ENVELOPE, MAX_DEPTH + ENVELOPE_DEPTH)


def make_limits(options: LimitOptions) -> Limits:
    """Make the limits that a constructor was given; what it was not given fits what it was.

    Raises:
        TypeError, ValueError: a value cannot be a limit.
    """
    timeout = options.get("timeout")
    if "ping_interval" not in options and isinstance(timeout, (int, float)) and 0 < timeout <= sys.float_info.max:
        options = {**options, "ping_interval": min(PING_INTERVAL, timeout / PINGS_WITHIN_TIMEOUT)}
    return Limits(**options)


def check_number(name: str, value: float, *, whole: bool = False, zero: bool = False) -> None:
    """Raise `TypeError` or `ValueError`, naming the argument, for what cannot be a limit.

    Args:
        whole: whether it counts something, so that it must be an int.
        zero: whether 0 has a meaning.
    """
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise TypeError(f"{name} must be {'an int' if whole else 'a number'}, not {type(value).__name__}")
    if not 0 <= value <= sys.float_info.max or (value == 0 and not zero):
        raise ValueError(f"{name} must be {'0 or more' if zero else 'above 0'} and finite, not {value}")
    if whole and value > MAX_COUNT:
        raise ValueError(f"{name} must be at most {MAX_COUNT}, which is the largest number that travels, not {value}")


def check_seconds(name: str, value: float, *, zero: bool = False) -> None:
    """Raise `TypeError` or `ValueError`, naming the argument, for what cannot be a time.

    Args:
        zero: whether 0 has a meaning.
    """
    check_number(name, value, zero=zero)
    if value >= MAX_SECONDS:
        raise ValueError(f"{name} must be below {MAX_SECONDS:.0f} seconds, which are 31 years, not {value}")


def check_rate(rate: float, call: str) -> None:
    """Raise `TypeError` or `ValueError` for what cannot be a number of ticks a second, as which `call` was given it."""
    check_number("rate", rate)
    if rate <= TOO_RARE:
        raise ValueError(
            f"rate is ticks a second, above {TOO_RARE:g}, not {rate:g}: ticks of {rate:g} s are {call}({1 / rate:g})"
        )


def check_name(what: str, name: str) -> str:
    """Return `name` if it can be the name of a game or of a version.

    Raises:
        TypeError, ValueError: it cannot.
    """
    if not isinstance(name, str):
        raise TypeError(f"{what} must be a str, not {type(name).__name__}")
    if len(name) > MAX_NAME:
        raise ValueError(f"{what} must have at most {MAX_NAME} characters, not {len(name)}")
    if not is_unicode(name):
        raise ValueError(f"{what} must be text that can be sent, and half a character cannot: {name!a}")
    return name
