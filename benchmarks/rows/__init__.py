"""The rows of the table: each a number, what it measures, and the function that does."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.figures import Figure, Plan
from benchmarks.rows import broadcast, browsers, bulk, echo, hostile, pingpong, silent


class Row(NamedTuple):
    """One row: what it is about, and what measures it."""

    title: str
    measure: Callable[[Plan], list[Figure]]


ROWS: dict[int, Row] = {
    1: Row("echo, one message per wake-up", echo.one_at_a_time),
    2: Row("echo, ten messages per wake-up", echo.ten_at_a_time),
    3: Row("echo, many clients", echo.many_clients),
    4: Row("update() with silent peers", silent.updates),
    5: Row("pings of silent peers", silent.pings),
    6: Row("broadcast", broadcast.broadcast),
    7: Row("large messages", bulk.large_messages),
    8: Row("ping-pong through wait()", pingpong.ping_pong),
    9: Row("memory per silent peer", silent.memory),
    10: Row("update() beside hostile peers", hostile.updates),
    11: Row("echo to browsers, one message per wake-up", browsers.one_at_a_time),
    12: Row("echo to browsers, ten messages per wake-up", browsers.ten_at_a_time),
    13: Row("unmasking, and memory per silent browser", browsers.unmasking_and_memory),
    14: Row("echo of bytes", echo.bytes_alone),
}
