"""What runs JavaScript for tests: Node, and pages that come from a server of their own."""

import contextlib
import http.server
import mimetypes
import os
import shutil
import subprocess
import threading
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from chromium import CHROMIUM, Browser, opened
from programs import ROOT

OLDEST_NODE = 20


def node() -> str:
    """Return the path of Node, or skip the test."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no node: JavaScript is not tested in it")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node is {version.strip()}: JavaScript is tested in {OLDEST_NODE} or later")
    return found


def modules(name: str) -> Path:
    """Return the folder of a package that `npm ci` put into tests/web, or skip the test."""
    found = ROOT / "tests" / "web" / "node_modules" / name
    if not found.exists():
        pytest.skip(f"there is no {name}: run `npm ci --ignore-scripts` in tests/web")
    return found


class _Shelf(http.server.BaseHTTPRequestHandler):
    """Answers GET from a table of files."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        files = cast("_Site", self.server).files
        found = next((file for start, file in files.items() if path.startswith(start)), None)
        what = None if found is None else found[1]
        if found is not None and isinstance(what, Path) and what.is_dir():
            what = what / path.removeprefix(found[0])
        data = what.read_bytes() if isinstance(what, Path) and what.is_file() else what
        if not isinstance(data, bytes):
            self.send_error(404)
            return
        kind = mimetypes.guess_type(path)[0] or "text/html"
        self.send_response(200)
        self.send_header("Content-Type", {"mjs": "text/javascript", "wasm": "application/wasm"}.get(path[-3:], kind))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the original
        """Be quiet."""


class _Site(http.server.ThreadingHTTPServer):
    files: Mapping[str, tuple[str, Path | bytes]]
    daemon_threads = False


@contextlib.contextmanager
def site(files: Mapping[str, Path | bytes]) -> Generator[str]:
    """Serve files and folders under the paths given; yield the address, without a slash at its end."""
    server = _Site(("127.0.0.1", 0), _Shelf)
    ordered = sorted(files.items(), key=lambda item: -len(item[0]))
    server.files = {start: (start.rstrip("/") + "/", what) for start, what in ordered}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def browser(folder: Path, **how: Any) -> Generator[Browser]:
    """Start a Chromium whose profile is in `folder`, or skip the test."""
    if CHROMIUM is None or os.name != "posix":
        pytest.skip("there is no chromium: pages are not tested in a browser")
    with opened(folder / "profile", **how) as started:
        yield started
