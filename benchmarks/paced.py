"""A load generator whose clients send at a steady rate, whether they are answered or not."""

import collections
import time

from benchmarks import wire
from benchmarks.control import Order
from benchmarks.dialects import Dialect
from benchmarks.load import Load, LoadClient, drive


def percentile(values: list[float], share: float) -> float:
    """Return the value that so large a share of the values does not exceed; 0 where there is none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


class PacedLoad(Load):
    """Clients that send one message each, again and again, every so often, each at a moment of its own."""

    def __init__(self, dialect: type[Dialect], *, ping_interval: float) -> None:
        super().__init__(dialect, ping_interval=ping_interval)
        self._reply = b""
        self._times: list[float] = []

    def _receive(self, client: LoadClient, data: bytes) -> None:
        if data == self._reply and client.waiting == 1:
            client.talk.received += 1
            count = 1
        else:
            count = self._hear(client, data)
        if count and client.waiting:
            client.waiting -= count
            self._times.append(time.monotonic() - client.sent_at)

    def _hear(self, client: LoadClient, data: bytes) -> int:
        """Let a client handle what it received, send what it answers, and return how many messages came."""
        talk = client.talk
        count = talk.take(data)
        answers = self._answers(client)
        if answers:
            client.send(answers)
        if talk.ended:
            self._lose(client)
        return count

    def pace(self, size: int, rate: float, clients: int, seconds: float) -> dict[str, float]:
        """Let some clients send messages of `size` bytes at `rate` a second each, for so long.

        Returns:
            What was sent, how much of it was answered, the 99th percentile of the time to an answer, and the same of how
            late the generator itself was: where that is long, the generator is the limit.
        """
        payload = wire.pack(bytes(size - 2))  # msgpack announces so many bytes with two of its own
        request, self._reply = self.dialect.request(payload), self.dialect.reply(payload)
        chosen, self._times = list(self.clients.values())[:clients], []
        start, period = time.monotonic(), 1 / rate
        due = collections.deque((start + period * index / len(chosen), client) for index, client in enumerate(chosen))
        end, lateness, sent, late = start + seconds, list[float](), 0, 0
        while (now := time.monotonic()) < end:
            while due[0][0] <= now:
                when, client = due.popleft()
                due.append((when + period, client))
                lateness.append(now - when)
                sent += 1
                if client.waiting:
                    late += 1  # not answered within a whole period
                else:
                    client.sent_at = when
                client.waiting += 1
                client.send(request)
            self.turn(min(0.05, max(0.0, due[0][0] - now)))
        unanswered = sum(client.waiting for client in chosen)
        return {
            "drained": self._drain(end + 5.0),
            "sent": sent,
            "unanswered": unanswered,
            "late": late,
            "answer_p99": percentile(self._times, 0.99),
            "lateness_p99": percentile(lateness, 0.99),
            "lost": self.lost,
        }

    def _drain(self, deadline: float) -> bool:
        while any(client.waiting for client in self.clients.values()):
            self.turn(0.05)
            if time.monotonic() > deadline:
                return False
        return True

    def obey(self, order: Order) -> object:
        """Carry out an order of the parent."""
        if order.name == "pace":
            return self.pace(**order.arguments)
        return super().obey(order)


if __name__ == "__main__":
    drive(PacedLoad)
