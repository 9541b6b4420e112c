"""What runs JavaScript for tests: Node, and a real Chromium without a window, which is spoken to over a pipe."""

import contextlib
import http.server
import json
import mimetypes
import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from programs import DEADLINE, ROOT

OLDEST_NODE = 20
BLANK = "about:blank"
CALM = (
    "--headless=new",
    "--no-sandbox",  # tests run as root, in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    # Nobody outside this computer is asked anything, whatever a page or the browser wants.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


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


def chromium() -> str:
    """Return the path of Chromium, or skip the test."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None or os.name != "posix":
        pytest.skip("there is no chromium: pages are not tested in a browser")
    return found


class Page:
    """A tab: it evaluates what it is given, and remembers what it asked the network for."""

    def __init__(self, browser: "Browser", session: str) -> None:
        self._browser = browser
        self._session = session
        self.asked: list[str] = []
        """Addresses, in order."""
        self.said: list[str] = []
        """What the page wrote to the console, and exceptions that nobody caught."""
        for domain in ("Runtime", "Page", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the DevTools protocol, and return what it answers."""
        return self._browser.call(method, parameters, self._session)

    def open(self, url: str) -> None:
        """Go to an address; what the page has to load may still be on its way."""
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, answer

    def evaluate(self, code: str) -> Any:
        """Return the value of an expression; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, json.dumps(answer["exceptionDetails"])[:2000]
        return answer["result"].get("value")

    def wait_for(self, code: str, seconds: float = DEADLINE) -> Any:
        """Return the value of an expression once it is true."""
        deadline = time.monotonic() + seconds
        while not (value := self.evaluate(code)):
            assert time.monotonic() < deadline, (code, self.said)
            time.sleep(0.02)
        return value

    def heard(self, method: str, parameters: Any) -> None:
        """Hear an event of the browser."""
        match method:
            case "Network.requestWillBeSent":
                self.asked.append(parameters["request"]["url"])
            case "Network.webSocketCreated":
                self.asked.append(parameters["url"])
            case "Runtime.consoleAPICalled":
                self.said.append(" ".join(str(part.get("value", part)) for part in parameters["args"]))
            case "Runtime.exceptionThrown":
                self.said.append(json.dumps(parameters["exceptionDetails"])[:2000])
            case _:
                pass


class Browser:
    """A Chromium of its own, as raw DevTools protocol: messages end with a zero byte, on descriptors 3 and 4."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        theirs, self._to = (_high(fd) for fd in os.pipe())
        self._from, answers = (_high(fd) for fd in os.pipe())

        def hand_over() -> None:
            os.dup2(theirs, 3)
            os.dup2(answers, 4)

        with (folder / "chromium.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    chromium(),
                    *CALM,
                    "--remote-debugging-pipe",
                    f"--user-data-dir={folder / 'profile'}",
                    *arguments,
                    BLANK,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(3, 4),
                preexec_fn=hand_over,  # noqa: PLW1509 - it holds no lock, and needs none
            )
        os.close(theirs)
        os.close(answers)
        self._rest = b""
        self._number = 0
        self._answers: dict[int, Any] = {}
        self._pages: dict[str, Page] = {}

    def page(self) -> Page:
        """Open a tab."""
        target = self.call("Target.createTarget", {"url": BLANK})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, session)
        self._pages[session] = page
        return page

    def call(self, method: str, parameters: Mapping[str, Any], session: str | None = None) -> Any:
        """Call a method, and return what it answers."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 3 * DEADLINE
        while self._number not in self._answers:
            assert time.monotonic() < deadline, f"{method}: the browser does not answer"
            self._hear(deadline - time.monotonic())
        answer = self._answers.pop(self._number)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _hear(self, seconds: float) -> None:
        if not select.select([self._from], [], [], max(0.0, seconds))[0]:
            return
        data = os.read(self._from, 1 << 20)
        assert data, "the browser ended"
        *messages, self._rest = (self._rest + data).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            elif (page := self._pages.get(message.get("sessionId", ""))) is not None:
                page.heard(message["method"], message["params"])

    def close(self) -> None:
        """End it, and all its processes."""
        with contextlib.suppress(AssertionError, OSError):
            self.call("Browser.close", {})
        os.close(self._to)
        try:
            self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)


def _high(fd: int) -> int:
    """Return the same descriptor with a number that does not get in the way of 3 and 4."""
    held = [fd]
    while held[-1] < 10:
        held.append(os.dup(held[-1]))
    for lower in held[:-1]:
        os.close(lower)
    return held[-1]


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
def browser(folder: Path, *arguments: str) -> Generator[Browser]:
    """Start a Chromium whose profile is in `folder`."""
    started = Browser(folder, *arguments)
    try:
        yield started
    finally:
        started.close()
