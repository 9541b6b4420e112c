"""A real browser for tests: Chromium, driven by its DevTools protocol over a pair of pipes, and never left behind."""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from programs import DEADLINE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IN_CHROMIUM = [
    pytest.mark.process,
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium cannot be found, so no page is tested in it: install chromium"
    ),
]
"""Marks of tests that open pages."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--password-store=basic",
    "--hide-scrollbars",
    "--allow-pre-commit-input",  # else a busy browser drops what is clicked before a page was drawn for the first time
    "--disable-features=SpareRendererForSitePerProcess",  # a process for a page that may never come
)
# The browser takes its commands from descriptor 3 and answers to 4; whatever we have there is put aside first.
TAKE_PIPES = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """A browser with a profile of its own.

    Args:
        headed: gives it the screen of `DISPLAY`, on which pages can be hidden.
        trusted: the hash of the key of the one authority whose certificates it takes; by default it takes any.
    """

    def __init__(
        self, folder: Path, *, headed: bool = False, environment: dict[str, str] | None = None, trusted: str = ""
    ) -> None:
        assert CHROMIUM is not None
        self.meanwhile: Callable[[], object] = lambda: None
        """Called while a page is waited for: what others do in this process."""
        self._last = 0
        self._answers: dict[int, Any] = {}
        self._pages: dict[str, Page] = {}
        self._blank: list[Page] = []
        self._received = b""
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        how = [f"--ignore-certificate-errors{f'-spki-list={trusted}' if trusted else ''}"]
        how += [] if headed else ["--headless=new"]
        arguments = [CHROMIUM, *FLAGS, *how, "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", TAKE_PIPES, str(commands), str(answers), *arguments],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        os.close(commands)
        os.close(answers)
        self.ask("Target.setDiscoverTargets", discover=True)

    def close(self) -> None:
        """End it, with all processes that it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(DEADLINE)
        os.close(self._read)
        os.close(self._write)

    def page(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, alone: bool = True) -> "Page":
        """Open a page, before the others; `alone` gives it storage of its own, as another person's browser has."""
        page = self._blank.pop() if alone and self._blank else self._open(alone=alone)
        page = self._pages[page.session] = Page(self, page.session, page.target, alone=alone)  # with nothing heard yet
        page.darken(dark)
        page.resize(width, height)
        with page.forgetting():
            page.go(url)
        if not alone:
            page.until("document.visibilityState === 'visible'")
        return page

    def _open(self, *, alone: bool) -> "Page":
        context = {"browserContextId": self.ask("Target.createBrowserContext")["browserContextId"]} if alone else {}
        target = self.ask("Target.createTarget", url="about:blank", **context)["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, target, alone=alone)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        if alone:  # several pages are typed into in turn, as if each were the one in front
            page.ask("Emulation.setFocusEmulationEnabled", enabled=True)
        else:  # what is clicked goes to the page that is in front
            page.show()
        return page

    def forget(self, page: "Page") -> None:
        """Hear no more of a page, which is closed."""
        del self._pages[page.session]

    def clear(self) -> None:
        """Leave all pages; those that are alone are handed out again, since to open one costs five times as much."""
        for page in [*self._pages.values()]:
            if not page.alone:
                page.close()
            elif page not in self._blank:
                page.go("about:blank")
                page.ask("Page.resetNavigationHistory")
                page.ask("Input.dispatchMouseEvent", type="mouseMoved", x=0, y=0)
                self._blank.append(page)

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """Send a command and return what it answers."""
        self._last += 1
        number = self._last
        command = {"id": number, "method": method, "params": parameters}
        if session is not None:
            command["sessionId"] = session
        data = json.dumps(command).encode() + b"\0"
        while data:  # a signal cuts what is written
            data = data[os.write(self._write, data) :]
        end = time.monotonic() + DEADLINE
        while number not in self._answers:
            if not self.listen(end - time.monotonic()):
                raise TimeoutError(f"the browser does not answer {method}")
        answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def listen(self, seconds: float) -> bool:
        """Take what the browser says within some seconds; False if it says nothing."""
        if not select.select([self._read], [], [], max(0.0, seconds))[0]:
            return False
        data = os.read(self._read, 1 << 20)
        if not data:
            raise RuntimeError("the browser has ended")
        *whole, self._received = (self._received + data).split(b"\0")
        for text in whole:
            message = json.loads(text)
            if "id" in message:
                self._answers[message["id"]] = message
            elif message.get("sessionId") in self._pages:
                self._pages[message["sessionId"]].hear(message["method"], message["params"])
        return True


class Page:
    """One page of a browser."""

    def __init__(self, browser: Browser, session: str, target: str, *, alone: bool) -> None:
        self._browser, self.session, self.target, self.alone = browser, session, target, alone
        self.problems: list[str] = []
        """What the page threw, what it wrote as an error, and what the browser would not let it do."""
        self.requests: list[str] = []

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a command about this page."""
        return self._browser.ask(method, self.session, **parameters)

    def hear(self, method: str, parameters: Any) -> None:
        """Take an event."""
        match method:
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                self.problems.append(str(details.get("exception", {}).get("description", details["text"])))
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                self.problems.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            case "Runtime.consoleAPICalled" if parameters["type"] == "error":
                self.problems.append(str(parameters["args"]))
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(parameters["url"])
            case _:
                pass

    def resize(self, width: int, height: int) -> None:
        """Give it the size of a window, or of a phone."""
        phone = width <= 480
        size = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1}
        self.ask("Emulation.setDeviceMetricsOverride", mobile=phone, **size)

    def darken(self, dark: bool) -> None:
        """Show it as to somebody who likes dark pages, or light ones."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def go(self, url: str) -> None:
        """Open an address in it."""
        self.ask("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def reload(self) -> None:
        """Load it again."""
        self.value("window.before = true")
        self.ask("Page.reload")
        self.until("!window.before && document.readyState === 'complete'")

    def show(self) -> None:
        """Put it before the others of its window, which are hidden by that."""
        self._browser.ask("Target.activateTarget", targetId=self.target)

    @contextmanager
    def forgetting(self) -> Generator[None]:
        """Let what is opened meanwhile find nothing that somebody stored before, unless it shares its storage."""
        if not self.alone:
            yield
            return
        source = "try { localStorage.clear(); sessionStorage.clear(); } catch { /* there is none */ }"
        script = self.ask("Page.addScriptToEvaluateOnNewDocument", source=source)["identifier"]
        yield
        self.ask("Page.removeScriptToEvaluateOnNewDocument", identifier=script)

    def close(self) -> None:
        """Close it."""
        self._browser.ask("Target.closeTarget", targetId=self.target)
        self._browser.forget(self)

    def value(self, expression: str) -> Any:
        """Return what an expression is in the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", str(answer)))
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = DEADLINE) -> Any:
        """Wait until an expression is true in the page, and return it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                seen = self.value(f"(seen => seen && [seen])({expression})")  # at once: it may be gone the next moment
            except RuntimeError as error:  # while it loads there is nothing to ask
                if "SyntaxError" in str(error):
                    raise
                seen = None
            self._browser.meanwhile()
            if seen:
                return seen[0]
            self._browser.listen(0.02)
        shown = self.value("document.body.innerText")
        raise TimeoutError(f"{expression} never came true; the page shows\n{shown}\n{self.problems}")

    def text(self, selector: str) -> str:
        """Return what one reads there."""
        text: str = self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return text

    def reads(self, text: str, selector: str = "body", seconds: float = DEADLINE) -> None:
        """Wait until a text is to be read there."""
        self.until(f"document.querySelector({json.dumps(selector)})?.innerText.includes({json.dumps(text)})", seconds)

    def click(self, selector: str) -> None:
        """Click with the mouse in the middle of what a selector finds once it can be seen."""
        with self.held_down(selector):
            pass

    @contextmanager
    def held_down(self, selector: str) -> Generator[None]:
        """Press the mouse there, and let go at the end."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.until(f"(one => one && !one.disabled && one.checkVisibility())({found})")
        self.value(f"{found}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        x, y = self.value(f"(box => [box.x + box.width / 2, box.y + box.height / 2])({found}.getBoundingClientRect())")
        mouse = {"x": x, "y": y, "button": "left", "clickCount": 1}
        self.ask("Input.dispatchMouseEvent", type="mousePressed", **mouse)
        yield
        with self._heard("mouseup"):
            self.ask("Input.dispatchMouseEvent", type="mouseReleased", **mouse)

    def press(self, key: str) -> None:
        """Press a key, by its name: Tab, Enter, Space, ArrowRight."""
        with self.key_held_down(key):
            pass

    @contextmanager
    def key_held_down(self, name: str) -> Generator[None]:
        """Press a key, and let go at the end."""
        code = {"Tab": 9, "Enter": 13, "Escape": 27, "Space": 32}
        code |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        texts = {"Enter": "\r", "Space": " "}
        key = {"key": texts["Space"] if name == "Space" else name, "code": name, "windowsVirtualKeyCode": code[name]}
        more = {"text": texts[name]} if name in texts else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **key, **more)
        yield
        with self._heard("keyup"):
            self.ask("Input.dispatchKeyEvent", type="keyUp", **key)

    @contextmanager
    def _heard(self, event: str) -> Generator[None]:
        """Wait for an event that we cause: a busy browser answers us before the page has heard of it."""
        listens = f"addEventListener('{event}', () => (window.heard = true), {{ once: true, capture: true }})"
        self.value(f"window.heard = false; {listens}")
        yield
        self.until("window.heard !== false")  # another page, to which it may lead, knows nothing of it

    def write(self, selector: str, text: str) -> None:
        """Type a text into a field, in place of what is there."""
        self.click(selector)
        self.value(f"document.querySelector({json.dumps(selector)}).select()")
        self.ask("Input.insertText", text=text)

    def picture(self, path: Path) -> None:
        """Save what it looks like, to its whole length."""
        self.ask("Page.bringToFront")  # what is hidden is not drawn
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def opened(folder: Path, **how: Any) -> Generator[Browser]:
    """Open a browser, and end it."""
    browser = Browser(folder, **how)
    try:
        yield browser
    finally:
        browser.close()
