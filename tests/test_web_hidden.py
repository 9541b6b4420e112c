"""A page that nobody sees: its timers hardly run, and it keeps its seat. Headless browsers hide nothing, so this has a screen.

In earnest both ends take 10 seconds of silence for the end of a link:
`NETCODE_HIDDEN=30 NETCODE_TIMEOUT=10 python -m pytest tests/test_web_hidden.py`.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import CHROMIUM, opened
from javascript import site
from programs import DEADLINE, ROOT, Start
from screens import XVFB, screen

import netcode

pytestmark = [
    pytest.mark.process,
    pytest.mark.timed,
    pytest.mark.skipif(
        CHROMIUM is None or XVFB is None,
        reason="chromium or Xvfb cannot be found: install chromium and xvfb",
    ),
]

TIMEOUT = float(os.environ.get("NETCODE_TIMEOUT", "5"))
HIDDEN = float(os.environ.get("NETCODE_HIDDEN", "12"))
"""Seconds for which nobody looks: more than twice the timeout."""
NOTICED = TIMEOUT + 3.0
"""Seconds within which a dead network is noticed in a hidden page."""

WATCH = """
import('/netcode/web/netcode.js').then(({ Client }) => {
  window.client = new Client('ws://127.0.0.1:PORT/', { game: 'watch', version: '1', timeout: TIMEOUT });
  for (const name of ['joined', 'away', 'back', 'left']) client.on(name, () => told.push([name, document.hidden, Date.now() / 1000]));
});
window.told = [];
"""


@pytest.fixture
def display() -> Iterator[str]:
    """A screen that nobody sees."""
    with screen() as display:
        yield display


def test_a_hidden_page_keeps_its_seat_and_notices_when_the_network_is_gone(
    tmp_path: Path, start: Start, display: str
) -> None:
    files: dict[str, Path | bytes] = {"/netcode/web": ROOT / "netcode" / "web", "/page": b"<!doctype html>"}
    with (
        opened(tmp_path / "profile", headed=True, environment={"DISPLAY": display}) as chromium,
        site(files) as address,
        netcode.Server(
            "127.0.0.1", 0, game="watch", version="1", web=netcode.Web(origins=(address,)), timeout=TIMEOUT
        ) as server,
    ):
        lag = start("-m", "netcode", "lag", "0", str(server.address))
        port = lag.until(r":(\d+) ->")[1]
        page = chromium.page(f"{address}/page", alone=False)
        left: list[object] = []

        def play(condition: Callable[[], bool], seconds: float) -> None:
            """Let the server play until something is so, or the time is over."""
            end, look = time.monotonic() + seconds, 0.0
            while time.monotonic() < end:
                server.wait(0.05)
                server.update()
                left.extend(event for event in server.events() if isinstance(event, netcode.Away | netcode.Left))
                if time.monotonic() > look:
                    look = time.monotonic() + 0.05
                    if condition():
                        return

        page.value(WATCH.replace("PORT", port).replace("TIMEOUT", str(TIMEOUT)) + "; 0")
        play(lambda: bool(page.value("told.length")), DEADLINE)
        chromium.page("about:blank", alone=False)
        page.until("document.hidden")
        play(lambda: False, HIDDEN)
        [joined] = page.value("told")
        seats = [*left]

        with lag.held():
            cut_at = page.value("Date.now() / 1000")
            play(lambda: page.value("told.length") > 1, DEADLINE)
        away = page.value("told[1]")

    assert (joined[0], seats) == ("joined", [])
    assert away[:2] == ["away", True]
    assert away[2] - cut_at < NOTICED
