"""How late a server's loop comes to a timer: what a game would feel of everything else that the loop does."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

from benchmarks.control import Control

PERIOD = 0.005
"""Seconds between two probes."""


class Samples:
    """Measurements of one kind, taken away by the parent under a name of their own."""

    def __init__(self, control: Control, name: str) -> None:
        self._values: list[float] = []
        control.at_any_time(name, self._take)

    def add(self, value: float) -> None:
        """Keep one measurement, in seconds."""
        self._values.append(value)

    def _take(self) -> list[float]:
        # Called by the control thread: the swap is one step, so that no measurement is lost or taken twice.
        taken, self._values = self._values, []
        return taken


@contextlib.asynccontextmanager
async def watch(control: Control) -> AsyncGenerator[None, None]:
    """Measure the lag of the running asyncio loop, if the setting `probe` asks for it."""
    if not control.settings.get("probe"):
        yield
        return
    task = asyncio.create_task(_probe(Samples(control, "lag")))
    try:
        yield
    finally:
        task.cancel()


async def _probe(samples: Samples) -> None:
    clock = time.perf_counter
    while True:
        due = clock() + PERIOD
        await asyncio.sleep(PERIOD)
        samples.add(max(0.0, clock() - due))
