"""Tells Agones how a game server is: ready, healthy, allocated, over. For servers that are pods of a Fleet.

Usage::

    import netcode.agones

    with netcode.Server("", 7777, game="arena") as server:
        agones = netcode.agones.Agones(server)
        agones.ready()
        for tick in server.ticks(30):
            ...

Agones puts a sidecar beside each server, which is asked over HTTP, as its REST description has it. All of that happens
in a thread of its own, so that a sidecar that hangs or is not there costs the server's `update()` nothing.
"""

import http.client
import json
import os
import threading
import time
from typing import TYPE_CHECKING

from netcode.address import check_destination
from netcode.diagnostics import log
from netcode.http_request import answer_of
from netcode.loop.clock import Clock
from netcode.observing import Observer
from netcode.reasons import printable

if TYPE_CHECKING:
    from netcode.server import Server
    from netcode.turns.server import Server as TurnServer

__all__ = ["HEALTH", "Agones"]

HEALTH = 2.0
"""Seconds between two signs of life. Agones' own default takes a server for dead after three times five."""
RETRY = 1.0
"""Seconds until the sidecar is tried again: it may start after the game."""
TIMEOUT = 2.0
"""Seconds after which the sidecar does not answer."""
MAX_WAITING = 100
"""Things that wait to be told; of more, the oldest are forgotten."""
MAX_ANSWER = 65_536
"""Bytes of an answer that are read."""
PORT_VARIABLE = "AGONES_SDK_HTTP_PORT"

Telling = tuple[str, str, str]
"""Method, path and body of a request."""


class Agones(Observer):
    """Keeps the sidecar informed about one server. Every call returns at once, and may be made without a sidecar.

    A sign of life is sent from the first call on, and only if the server's `update()` was called since the last one: a
    game that hangs is started anew by Agones, although its process lives. What the sidecar does not hear is told again
    until it does, the last hundred things that are different. With the server closed, what waits is told once more, and it ends.

    Args:
        server: whose state it is.
        port: the sidecar's, on this computer; without it what Agones put into the environment. Where there is none,
            nothing is told to anybody, and `trouble` says so.
        clock: gives the seconds between two signs of life.

    Raises:
        TypeError, ValueError: `server` is none, or `port` can be none.
    """

    def __init__(self, server: "Server | TurnServer", port: int | None = None, clock: Clock = time.monotonic) -> None:
        if port is not None:
            check_destination("localhost", port)
        super().__init__(server, clock)
        self.trouble = ""
        """Why the sidecar is told nothing at present, as a sentence; empty while all is well."""
        self._port = _port_here() if port is None else int(port)
        self._lives = False
        self._over = False
        self._health_at = self._retry_at = clock()
        self._waiting: dict[tuple[str, str], Telling] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        if self._port is None:
            what = "no port" if os.environ.get(PORT_VARIABLE) else "not set"
            self._complain(f"there is no Agones sidecar here: {PORT_VARIABLE} is {what}, and nothing is told to it")

    def ready(self) -> None:
        """Say that players may come. After a session, it says that the server is free again."""
        self._tell("POST", "/ready")

    def allocate(self) -> None:
        """Say that a session is on, so that nobody ends this server or gives it to others."""
        self._tell("POST", "/allocate")

    def shutdown(self) -> None:
        """Say that the session is over: Agones ends the pod, and starts another one."""
        self._tell("POST", "/shutdown")

    def label(self, key: str, value: str) -> None:
        """Set a label of the game server, which Agones calls `agones.dev/sdk-` and the key. Texts, or `TypeError`."""
        self._tell("PUT", "/metadata/label", key, value)

    def annotate(self, key: str, value: str) -> None:
        """Set an annotation of the game server, which Agones calls likewise. Texts, or `TypeError`."""
        self._tell("PUT", "/metadata/annotation", key, value)

    def begin(self) -> None:
        self._lives = True

    def end(self) -> None:
        """Hear that an update is done."""

    def closed(self) -> None:
        """Tell what waits, and end; wait for that no longer than for one answer."""
        self.stop()
        with self._changed:
            self._over = True
            self._changed.notify()
            last = bool(self._waiting)
        if self._thread is not None and last:
            self._thread.join(TIMEOUT)

    def _tell(self, method: str, path: str, *pair: str) -> None:
        for text in pair:
            if not isinstance(text, str):
                raise TypeError(f"key and value are texts, not {type(text).__name__}")
        if self._port is None:
            return
        body = json.dumps(dict(zip(("key", "value"), pair, strict=False)))
        with self._changed:
            if self._over:
                return
            of = (path, pair[0] if pair else "")
            self._waiting.pop(of, None)  # the latest counts, in its own place
            self._waiting[of] = (method, path, body)
            if len(self._waiting) > MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="netcode agones", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while not self._over:
            seconds = self._step()
            with self._changed:
                if not self._over and (self.trouble or not self._waiting):
                    self._changed.wait(seconds)
        self._tell_waiting()

    def _step(self) -> float:
        """Tell what is due, and return the seconds until something is due again."""
        now = self._clock()
        if now >= self._health_at:
            self._health_at = now + HEALTH
            if self._lives:
                self._lives = False
                self._lives = not self._ask("POST", "/health", "{}") or self._lives
        if not self.trouble or now >= self._retry_at:
            self._tell_waiting()
        due = min(self._health_at, self._retry_at) if self._waiting else self._health_at
        return max(0.0, due - self._clock())

    def _tell_waiting(self) -> None:
        """Tell what waits, in order, until the sidecar does not hear."""
        while True:
            with self._changed:
                of, telling = next(iter(self._waiting.items()), (None, None))
            if of is None or telling is None or not self._ask(*telling):
                return
            with self._changed:
                if self._waiting.get(of) is telling:
                    del self._waiting[of]

    def _ask(self, method: str, path: str, body: str) -> bool:
        """Ask the sidecar once, and return whether it heard."""
        assert self._port is not None
        try:
            with answer_of("localhost", self._port, method, path, seconds=TIMEOUT, body=body) as answer:
                said = b"" if answer.status < 400 else answer.read1(MAX_ANSWER)  # no more is waited for
        except (OSError, http.client.HTTPException) as error:
            what = printable(str(error) or type(error).__name__, 200)
            self._retry_at = self._clock() + RETRY
            self._complain(f"the Agones sidecar at port {self._port} does not answer: {what}")
            return False
        if answer.status >= 500:
            self._retry_at = self._clock() + RETRY
            self._complain(f"the Agones sidecar at port {self._port} fails: it answers {path} with {answer.status}")
            return False
        self.trouble = ""
        if answer.status >= 400:
            text = printable(said.decode(errors="replace"), 200)
            log.warn(path, "Agones does not take %s %s: %s %s", path, printable(body, 200), answer.status, text)
        return True

    def _complain(self, trouble: str) -> None:
        if not self.trouble:
            log.warn("agones", "%s", trouble)
        self.trouble = trouble


def _port_here() -> int | None:
    """Return the port that Agones put into the environment; None where there is no Agones."""
    text = os.environ.get(PORT_VARIABLE, "")
    number = int(text) if text.isdecimal() and len(text) <= 5 else 0
    return number if 0 < number <= 65_535 else None  # the system would take what is over it for another one
