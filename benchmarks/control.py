"""The child's end of the line to the benchmark: orders come in, answers go out, a line of JSON each.

A thread waits for the orders, so that a server's loop stays exactly what is to be measured. It sleeps in `read` and
costs nothing meanwhile. When the parent is gone, however it went, the process ends.
"""

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import machine


class Order(NamedTuple):
    """What the parent wants, with its arguments."""

    name: str
    arguments: dict[str, Any]


class Control:
    """Answer what can be answered at any time, and queue the other orders for the child's own loop."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = json.loads(sys.argv[1])
        machine.keep_to(self.settings["part"])
        machine.raise_descriptor_limit()
        self.orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._at_any_time: dict[str, Callable[[], object]] = {
            "cpu": machine.cpu_seconds,
            "memory": machine.memory_bytes,
            "descriptors": machine.descriptor_count,
            "threads": machine.thread_count,
        }

    def at_any_time(self, order: str, answer: Callable[[], object]) -> None:
        """Have one more order answered by the thread; the answer must be safe to take there."""
        self._at_any_time[order] = answer

    def ready(self, **facts: object) -> None:
        """Tell the parent that this process is up, and start to listen to it."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when its children end
        self.answer(facts)
        threading.Thread(target=self._listen, daemon=True).start()

    def answer(self, value: object) -> None:
        """Send the answer to the last order."""
        os.write(1, json.dumps({"answer": value}).encode() + b"\n")

    def fail(self, error: Exception) -> None:
        """Send word that the last order could not be carried out."""
        os.write(1, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")

    def _listen(self) -> None:
        for line in sys.stdin:
            order = Order(**json.loads(line))
            instant = self._at_any_time.get(order.name)
            if instant is None:
                self.orders.put(order)
            else:
                self.answer(instant())
        os._exit(0)
