"""What a link does to packets: pure and seeded, with time as an argument.

A way takes packets and the time, loses some, and gives the rest when they are due. It knows nothing of devices.
"""

import heapq
import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from random import Random

DEVICE = "link0"
"""What the end of the link is called on each host."""

MTU = 1500
"""Bytes of the largest packet."""

_IPV4_ADDRESSES = slice(12, 16), slice(16, 20)
_IPV6_ADDRESSES = slice(8, 24), slice(24, 40)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Say how bad one way of a link is.

    Args:
        loss: The share of packets that is lost, from 0 to 1.
        burst: How many packets are lost in a row on average (the model of Gilbert), or None for each by itself.
        delay: Seconds that a packet travels.
        jitter: Seconds by which the delay varies, up and down, without changing the order by itself.
        reorder: The share of packets that travels without delay, and so overtakes others.
        rate: Bytes per second that pass, or None for no limit.
        queue: Bytes that wait for their turn where there is a rate; what comes on top is lost.
    """

    loss: float = 0.0
    burst: float | None = None
    delay: float = 0.0
    jitter: float = 0.0
    reorder: float = 0.0
    rate: float | None = None
    queue: int = 100 * MTU

    def __post_init__(self) -> None:
        if not 0 <= self.loss <= 1 or not 0 <= self.reorder <= 1:
            raise ValueError(f"loss {self.loss} and reorder {self.reorder} are shares, from 0 to 1")
        if self.burst is not None and self.burst < 1:
            raise ValueError(f"burst is {self.burst}: a row of lost packets has 1 packet or more")
        if self.delay < 0 or self.jitter < 0 or (self.rate is not None and self.rate <= 0):
            raise ValueError(f"delay {self.delay}, jitter {self.jitter} and rate {self.rate} cannot be negative")

    def gilbert(self) -> tuple[float, float]:
        """Return the chances that a row of losses begins and that it ends, for each packet."""
        ends = 1 / (self.burst or 1.0)
        return (1.0 if self.loss == 1 else min(1.0, self.loss * ends / (1 - self.loss))), ends

    def netem(self) -> list[str]:
        """Return the same for the kernel: the arguments of `tc qdisc replace ... netem`."""
        words = ["limit", str(1000 if self.rate is None else max(1, self.queue // MTU))]
        if self.delay or self.jitter:
            words += ["delay", _microseconds(self.delay), _microseconds(self.jitter)]
        if self.loss and (self.burst is None or self.loss == 1):
            words += ["loss", "random", _percent(self.loss)]
        elif self.loss:
            begins, ends = self.gilbert()
            words += ["loss", "gemodel", _percent(begins), _percent(ends)]
        if self.reorder and self.delay:
            words += ["reorder", _percent(self.reorder)]
        if self.rate is not None:
            words += ["rate", f"{int(self.rate * 8)}bit"]
        return words


def _microseconds(seconds: float) -> str:
    return f"{int(seconds * 1e6)}us"


def _percent(share: float) -> str:
    return f"{share * 100:.6g}%"


class Way:
    """Carry packets in one direction.

    Args:
        random: Where every chance is drawn from.
    """

    def __init__(self, random: Random) -> None:
        self.conditions = Conditions()
        self.carried = 0
        self.lost = 0
        self._random = random
        self._losing = False
        self._free_at = 0.0
        self._last_due = 0.0
        self._count = 0
        self._flight: list[tuple[float, int, bytes]] = []

    def offer(self, packet: bytes, now: float) -> None:
        """Let a packet set off, unless it is lost."""
        conditions, random = self.conditions, self._random
        free_at = max(self._free_at, now)
        if conditions.rate is not None:
            if (free_at - now) * conditions.rate + len(packet) > conditions.queue:
                self.lost += 1
                return
            self._free_at = free_at = free_at + len(packet) / conditions.rate
        if self._is_lost():
            self.lost += 1
            return
        if random.random() < conditions.reorder:
            due = free_at
        else:
            delay = max(0.0, conditions.delay + random.uniform(-conditions.jitter, conditions.jitter))
            due = self._last_due = max(self._last_due, free_at + delay)
        self._count += 1
        heapq.heappush(self._flight, (due, self._count, packet))

    def _is_lost(self) -> bool:
        conditions, random = self.conditions, self._random
        if conditions.burst is None:
            return random.random() < conditions.loss
        begins, ends = conditions.gilbert()
        self._losing = random.random() >= ends if self._losing else random.random() < begins
        return self._losing or conditions.loss == 1

    def take(self, now: float) -> list[bytes]:
        """Return the packets that arrive by `now`."""
        packets: list[bytes] = []
        while self._flight and self._flight[0][0] <= now:
            packets.append(heapq.heappop(self._flight)[2])
        self.carried += len(packets)
        return packets

    def due(self) -> float | None:
        """Tell when the next packet arrives, or None."""
        return self._flight[0][0] if self._flight else None


def is_between(packet: bytes, addresses: Collection[str]) -> bool:
    """Tell whether a packet of IPv4 or IPv6 goes from one of `addresses` to one of them.

    Everything else stays on its host: neighbours that look for routers would disturb the dice, and no packet may
    leave the two hosts.
    """
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        source, target = _IPV4_ADDRESSES
    elif version == 6:
        source, target = _IPV6_ADDRESSES
    else:
        return False
    if len(packet) < target.stop:
        return False
    return all(str(ipaddress.ip_address(packet[part])) in addresses for part in (source, target))
