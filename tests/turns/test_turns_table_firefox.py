"""The table page in Firefox: a game against Python, and a reload. It is driven over Marionette, its own protocol."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bounds import until
from programs import DEADLINE, ROOT, Start

from netcode.turns.client import join
from netcode.turns.seat import Seat

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""How WebDriver names a reference to an element."""
PREFERENCES = """
user_pref("marionette.port", 0);
user_pref("app.update.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("toolkit.telemetry.enabled", false);
"""

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        FIREFOX is None, reason="Firefox cannot be found, so no page is tested in it: install firefox-esr"
    ),
]


class Firefox:
    """A Firefox without a window, with a profile of its own."""

    def __init__(self, profile: Path) -> None:
        profile.mkdir()
        (profile / "user.js").write_text(PREFERENCES, encoding="utf-8")
        self.meanwhile: Callable[[], object] = lambda: None
        self._last = 0
        self._incoming = b""
        self._process = subprocess.Popen(
            [str(FIREFOX), "--headless", "--marionette", "--no-remote", "--profile", str(profile)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        said = profile / "MarionetteActivePort"
        end = time.monotonic() + DEADLINE
        while not (said.exists() and said.read_text(encoding="utf-8").strip()):
            assert time.monotonic() < end, "Firefox does not say where it listens"
            time.sleep(0.05)
        self._socket = socket.create_connection(("127.0.0.1", int(said.read_text(encoding="utf-8"))), DEADLINE)
        self._message()
        self.ask("WebDriver:NewSession", capabilities={})

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(DEADLINE)

    def _message(self) -> Any:
        """Read one message: its length, a colon, and JSON."""
        while b":" not in self._incoming:
            self._receive()
        length, _, self._incoming = self._incoming.partition(b":")
        while len(self._incoming) < int(length):
            self._receive()
        text, self._incoming = self._incoming[: int(length)], self._incoming[int(length) :]
        return json.loads(text)

    def _receive(self) -> None:
        data = self._socket.recv(65_536)
        assert data, "the browser is gone"
        self._incoming += data

    def ask(self, command: str, **parameters: Any) -> Any:
        """Give a command, and return what it answers."""
        self._last += 1
        text = json.dumps([0, self._last, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self._message()
        assert error is None, f"{command}: {error['message']}"
        return result

    def value(self, expression: str) -> Any:
        """Return what an expression is in the page."""
        return self.ask("WebDriver:ExecuteScript", script=f"return {expression}", args=[])["value"]

    def until(self, expression: str) -> Any:
        """Wait until an expression is true in the page, and return it."""
        end = time.monotonic() + DEADLINE
        while not (seen := self.value(f"(seen => seen && [seen])({expression})")):
            assert time.monotonic() < end, f"{expression}; the page shows {self.value('document.body.innerText')}"
            self.meanwhile()
            time.sleep(0.02)
        return seen[0]

    def reads(self, text: str, selector: str = "body") -> None:
        """Wait until a text is to be read there."""
        self.until(f"document.querySelector({selector!r})?.innerText.includes({text!r})")

    def click(self, selector: str) -> None:
        """Click on what a selector finds once it is there."""
        self.until(f"document.querySelector({selector!r})?.checkVisibility()")
        self.ask("WebDriver:ElementClick", id=self._find(selector))

    def mouse(self, *actions: dict[str, Any]) -> None:
        """Do something with the mouse, which stays as it is afterwards."""
        self.ask("WebDriver:PerformActions", actions=[{"type": "pointer", "id": "mouse", "actions": actions}])

    def press(self, selector: str) -> None:
        """Press the mouse in the middle of what a selector finds."""
        there = {"type": "pointerMove", "x": 0, "y": 0, "origin": {ELEMENT: self._find(selector)}}
        self.mouse(there, {"type": "pointerDown", "button": 0})

    def write(self, selector: str, text: str) -> None:
        """Type a text."""
        self.ask("WebDriver:ElementSendKeys", id=self._find(selector), text=text)

    def _find(self, selector: str) -> str:
        found = self.ask("WebDriver:FindElement", using="css selector", value=selector)["value"]
        reference: str = found[ELEMENT]
        return reference


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    firefox = Firefox(tmp_path / "profile")
    yield firefox
    firefox.close()


def test_a_game_is_played_in_firefox(firefox: Firefox, start: Start, tmp_path: Path) -> None:
    game = ROOT / "examples" / "turns" / "tictactoe.py"
    store = tmp_path / "games.db"
    serve = ("serve", game, "--host", "127.0.0.1", "--port", 0, "--web", "--store", store)
    link = start("-m", "netcode.turns", *serve).until(r"play in a browser at (\S+)")[1]
    firefox.ask("WebDriver:Navigate", url=f"{link}#room=fox")
    firefox.reads("You were invited to the table fox")
    firefox.write("#name", "Ann")
    firefox.click("#any")
    firefox.reads("Waiting for 1 more", "#status")

    bob: Seat[Any] = join(("127.0.0.1", int(link.rsplit(":", 1)[1].strip("/"))), "TicTacToe", room="fox", name="Bob")
    with bob:

        def play() -> None:
            bob.update()
            if bob.my_turn and bob.pending is None and bob.legal:
                bob.play(bob.legal[0])

        firefox.meanwhile = play
        firefox.reads("Your turn", "#status")
        firefox.write("#text", "hello")
        firefox.click("#chat button")
        firefox.reads("Ann: hello", "#log")
        firefox.press("#view button:nth-of-type(5)")
        for _ in until(lambda: bob.started):
            bob.wait(0.02)
            bob.update()
        bob.say("do you hesitate?")
        firefox.reads("Bob: do you hesitate?", "#log")  # with it all was drawn again
        firefox.mouse({"type": "pointerUp", "button": 0})
        firefox.until("document.querySelectorAll('.grid .seat').length === 2")

        firefox.ask("WebDriver:Refresh")
        firefox.reads("Your turn", "#status")
        assert bob.names == ("Ann", "Bob")
        over_or_turn = (
            "document.querySelector('#ask .main') ? 'over' : document.querySelector('#status.mine') && 'turn'"
        )
        while firefox.until(over_or_turn) == "turn":
            firefox.click("#view button.go")
        firefox.reads("Play again", "#ask")
        for _ in until(lambda: bob.over):
            bob.wait(0.01)
            bob.update()
