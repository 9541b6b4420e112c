"""An Agones sidecar, as its published REST description has it: what a game server tells, and how its state follows."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

from bounds import PATIENCE

STATES = {"/ready": "Ready", "/allocate": "Allocated", "/shutdown": "Shutdown", "/health": None}
METADATA = {"/metadata/label": "labels", "/metadata/annotation": "annotations"}
PREFIX = "agones.dev/sdk-"


class Sidecar:
    """Listens on a free port of this computer, in threads of its own, until it is closed."""

    def __init__(self) -> None:
        self.state = "Scheduled"
        self.labels: dict[str, str] = {}
        self.annotations: dict[str, str] = {}
        self.asked: SimpleQueue[str] = SimpleQueue()
        """The path of each request that was right, just before it is answered."""
        self.wrong: list[str] = []
        """What no sidecar would be asked."""
        self.answers: list[int] = []
        """Statuses of the next answers, in place of 200."""
        self.gate: threading.Event | None = None
        """Until this is set, nothing is answered."""
        sidecar = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sidecar.answer(self, STATES)

            def do_PUT(self) -> None:
                sidecar.answer(self, METADATA)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
                """Print nothing."""

        self._web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._web.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def port(self) -> int:
        return self._web.server_port

    def answer(self, request: BaseHTTPRequestHandler, known: Any) -> None:
        if self.gate is not None:
            self.gate.wait(PATIENCE)
        body = request.rfile.read(int(request.headers["Content-Length"]))
        status = self.answers.pop(0) if self.answers else 200
        if request.path not in known or request.headers["Content-Type"] != "application/json":
            self.wrong.append(f"{request.command} {request.path}")
            status = 404
        elif status == 200:
            self.obey(request.path, json.loads(body))
        said = b"{}" if status == 200 else b'{"code": 3, "message": "so it is"}'
        self.asked.put(request.path)
        try:
            request.send_response(status)
            request.send_header("Content-Length", str(len(said)))
            request.end_headers()
            request.wfile.write(said)
        except OSError:
            pass  # whoever asked did not wait

    def obey(self, path: str, said: dict[str, str]) -> None:
        if path in METADATA:
            getattr(self, METADATA[path])[PREFIX + said["key"]] = said["value"]
        elif said == {}:
            self.state = STATES[path] or self.state
        else:
            self.wrong.append(f"{path} {said}")

    def next(self) -> str:
        """Return the path of the next request."""
        return self.asked.get(timeout=PATIENCE)

    def close(self) -> None:
        if self.gate is not None:
            self.gate.set()
        self._web.shutdown()
        self._thread.join(PATIENCE)
        self._web.server_close()
