"""Broadside in a real browser: a fleet is hidden by hand and at random, a bot is played to the end, and axe looks on."""

from pathlib import Path

import pytest
from chromium import IN_CHROMIUM, Browser, Page
from javascript import modules
from programs import Start

pytestmark = IN_CHROMIUM

AXE = """axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
    violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).join(" ")}`))"""
FIRE = """(() => {
    const cells = document.querySelectorAll("#far button:not([aria-disabled])");
    cells[Math.floor(Math.random() * cells.length)]?.click();
})()"""
TURN = "document.querySelector('#status').innerText.startsWith('Your turn')"
OVER = "document.querySelector('#status').innerText.includes('has sunk the whole fleet of')"


def sail(start: Start, browser: Browser, tmp_path: Path) -> tuple[Page, str]:
    """Open the page of a new server; return it, and where a bot finds the server."""
    server = start(
        "-m", "demo_game", "serve", "--host", "127.0.0.1", "--port", 0, "--web", "--store", tmp_path / "b.db"
    )
    link = server.until(r"play in a browser at (\S+)")[1]
    page = browser.page(link)
    page.reads("Play with a friend")
    return page, link.removeprefix("http://").strip("/")


def test_a_bot_is_played_to_the_end_and_asked_for_another_battle(
    start: Start, browser: Browser, tmp_path: Path
) -> None:
    page, address = sail(start, browser, tmp_path)
    page.write("#name", "Ann")
    page.click("#any")
    page.reads("Waiting for an enemy")
    bot = start("-m", "demo_game", "bot", address, "--pace", 0)
    page.reads("Hide your fleet: the carrier", "#status")
    assert page.value("[...document.querySelectorAll('.letters, .numbers')].map((row) => row.textContent)") == [
        *2 * ["ABCDEFGHIJ", "12345678910"]
    ]
    with page.held_down("[data-key=A1]"):
        page.value("document.querySelector('#text').value = 'ahoy'; document.querySelector('#chat').requestSubmit()")
        page.reads("ahoy", "#log")  # with it all was drawn again
    page.reads("Hide your fleet: the battleship", "#status")
    page.click("[data-key=B2]")
    page.value("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'r' }))")
    page.click("[data-key=J7]")
    page.reads("Hide your fleet: the cruiser", "#status")  # the second one: it fits only because it was turned
    page.click("#tools button:nth-child(2)")
    page.reads("Your fleet is hidden", "#status")
    page.click("#tools .main")

    while page.until(f"{OVER} ? 'over' : {TURN} && 'turn'") == "turn":
        page.value(FIRE)
    page.reads("sunk, the", "#log")
    page.click("[data-key=another]")  # the same button before and after the bot wants it, too
    page.reads("Hide your fleet: the carrier", "#status")
    bot.interrupt()
    page.reads("Look for another enemy", "#tools")
    page.click("#tools .main")
    page.reads("Waiting for an enemy", "#status")
    assert page.problems == []


def test_a_page_that_is_loaded_again_finds_its_seas(start: Start, browser: Browser, tmp_path: Path) -> None:
    page, address = sail(start, browser, tmp_path)
    page.click("#any")
    start("-m", "demo_game", "bot", address, "--pace", 0)
    page.click("#tools button:nth-child(2)")
    page.click("#tools .main")
    page.until(TURN)

    page.reload()

    page.until(TURN)
    page.until("document.querySelectorAll('#near .ship').length === 5")
    page.press("Tab")
    page.value("document.querySelector('#far button').focus()")
    page.press("ArrowDown")
    page.press("Enter")
    page.until("document.querySelectorAll('#far .peg').length === 1")
    assert page.problems == []


@pytest.mark.npm
def test_axe_finds_nothing(start: Start, browser: Browser, tmp_path: Path) -> None:
    script = (modules("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    page, address = sail(start, browser, tmp_path)

    def look() -> list[str]:
        page.value(script)
        found: list[str] = page.value(AXE)
        return found

    assert look() == []
    page.click("#any")
    page.reads("Waiting for an enemy")
    assert look() == []
    start("-m", "demo_game", "bot", address, "--pace", 0)
    page.reads("Hide your fleet", "#status")
    assert look() == []
    page.resize(390, 844)
    page.click("#tools button:nth-child(2)")
    page.click("#tools .main")
    page.until(TURN)
    assert look() == []
    assert page.value("document.documentElement.scrollWidth <= innerWidth")
