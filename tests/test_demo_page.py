"""Broadside in a real browser: a fleet is hidden by hand and at random, a bot is played to the end, and axe looks on."""

from pathlib import Path

import pytest
from broadside import TIDY_FLEET
from chromium import IN_CHROMIUM, Browser, Page
from javascript import modules
from programs import Start

from demo_game.rules import Broadside, Cell
from netcode.turns import join, read_invitation

pytestmark = IN_CHROMIUM

AXE = """axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
    violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).join(" ")}`))"""
FIRE = """(() => {
    const cells = document.querySelectorAll("#far button:not([aria-disabled])");
    cells[Math.floor(Math.random() * cells.length)]?.click();
})()"""
STATUS = "document.querySelector('#status').innerText"
AIMS = f"{STATUS}.includes('aims')"
TURN = "document.querySelector('#status').innerText.startsWith('Your turn')"
OVER = "document.querySelector('#status').innerText.includes('has sunk the whole fleet of')"
IN_SIGHT = """(at => { const { x, y, width, height } = at.getBoundingClientRect();
    return at === document.elementFromPoint(x + width / 2, y + height / 2); })(document.activeElement)"""
FLEET = "[...document.querySelectorAll('#near .ship')].map((ship) => ship.getAttribute('style')).sort().join()"

FULL = """
import sys
from pathlib import Path
tests, full = sys.argv[1:]
sys.path.insert(0, tests)
from turns.hall import Full
from demo_game.__main__ import PAGE
from demo_game.rules import Broadside
from netcode import Web
from netcode.turns import serve

class Filling(Full):
    full = property(lambda self: Path(full).exists())

files = {name: PAGE / name for name in ("broadside.css", "broadside.js")}
serve(Broadside, host="127.0.0.1", port=0, store=Filling(), web=Web(page=PAGE / "broadside.html", files=files))
"""
"""A server whose disk is full while there is a file."""


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
    page.reads("Waiting for an enemy")
    with join(read_invitation(address, 7777).address, Broadside, name="Bob", legal=False) as bob:

        def fire() -> None:
            bob.update()
            if bob.started and len(bob.view.fleets) == 2 and bob.seat in bob.to_move and not bob.pending:
                bob.play(Broadside.fire(Cell(0, 0)))

        browser.meanwhile = fire
        page.reads("Hide your fleet: the carrier", "#status")
        page.click("[data-key=C3]")

        page.reload()

        page.reads("Hide your fleet: the battleship", "#status")
        page.until(f"{FLEET} === 'grid-area: 3 / 3 / auto / span 5'")
        page.click("#tools button:nth-child(2)")
        page.click("#tools .main")
        page.reads("Bob hides a fleet", "#status")
        mine = page.value(FLEET)

        page.reload()

        page.reads("Bob hides a fleet", "#status")
        assert page.value(FLEET) == mine
        bob.answer([*TIDY_FLEET])
        page.until(TURN)

        page.reload()

        page.until(TURN)
        assert page.value(FLEET) == mine
        page.press("Tab")
        page.value("document.querySelector('#far button').focus()")
        page.press("ArrowDown")
        page.press("Enter")
        page.until("document.querySelectorAll('#far .peg').length === 1")
    assert page.problems == []


def test_who_has_hidden_a_fleet_keeps_it_when_the_other_one_is_too_slow(
    start: Start, browser: Browser, tmp_path: Path
) -> None:
    page, address = sail(start, browser, tmp_path)
    slow = join(
        read_invitation(address, 7777).address, Broadside, name="Bob", options={"clock": {"per_move": 4}}, legal=False
    )
    while not slow.seated:
        slow.wait(0.1)
        slow.update()
    browser.meanwhile = slow.update
    page.click("#any")
    page.reads("Hide your fleet", "#status")
    assert page.value("[...document.querySelectorAll('#clock, #near-clock')].map((one) => one.innerText)") == 2 * [
        "0:04"
    ]
    page.click("#tools button:nth-child(2)")
    mine = page.value(FLEET)
    page.click("#tools .main")

    page.until("document.querySelector('#status').innerText.match(/Your turn|Bob aims/)")

    assert page.text("#log").count("hidden at random") == 1
    assert page.value(FLEET) == mine
    assert page.text("#notice") == ""
    page.reads("ran out of time", "#status")
    slow.close()
    assert page.problems == []


def test_a_full_disk_is_told_and_what_was_refused_for_it_waits(start: Start, browser: Browser, tmp_path: Path) -> None:
    full = tmp_path / "full"
    link = start("-c", FULL, Path(__file__).parent, full).until(r"play in a browser at (\S+)")[1]
    page = browser.page(link)
    page.reads("Play with a friend")
    page.click("#any")
    page.reads("Waiting for an enemy", "#status")
    with join(read_invitation(link, 7777).address, Broadside, name="Bob", legal=False) as bob:
        browser.meanwhile = bob.update
        page.reads("Hide your fleet", "#status")
        full.touch()
        bob.answer([*TIDY_FLEET])
        page.reads("The disk is full", "#status")

        page.click("#tools button:nth-child(2)")
        page.click("#tools .main")
        full.unlink()

        page.reads("Your fleet is hidden: ready?", "#status")
        assert page.text("#notice") == ""
        page.click("#tools .main")
        page.until("document.querySelector('#status').innerText.match(/Your turn|Bob aims/)")
    assert page.problems == []


def test_who_came_by_a_link_reads_each_shot_and_finds_others_to_play(
    start: Start, browser: Browser, tmp_path: Path
) -> None:
    ann, _ = sail(start, browser, tmp_path)
    ann.write("#name", "Ann")
    ann.click("#friends")
    ann.reads("Waiting for an enemy")
    ann.click("#copy")
    ann.reads("Copied", "#copy")
    link = ann.value("document.querySelector('#address').value")
    bob, carl = (browser.page(link, width=390) for _ in range(2))
    bob.reads("To battle")
    bob.write("#name", "Bob")
    bob.click("#any")
    for page in (ann, bob):
        page.reads("Hide your fleet", "#status")
        page.click("#tools button:nth-child(2)")
        page.click("#tools .main")
    carl.click("#any")
    carl.reads("its seats are taken", "#notice")
    carl.write("#name", "אב")
    carl.click("#else")
    carl.reads("Waiting for an enemy")
    assert (
        carl.text("#players") == "\u2068אב\u2069"
    )  # else what stands beside it, such as seconds, would be drawn before it
    first, second = (ann, bob) if ann.until(f"{TURN} ? 'first' : {AIMS} && 'second'") == "first" else (bob, ann)
    seas = "getComputedStyle(document.querySelector('#near').closest('figure')).order"
    before = bob.value(seas)

    first.value(FIRE)

    first.until(f"/^You (hit|missed) at .+ {'Bob' if first is ann else 'Ann'} aims/.test({STATUS})")
    name = "Ann" if first is ann else "Bob"
    second.until(f"/^Your turn: fire! {name} (hit|missed) at /.test({STATUS})")
    page = first.value("location.href")
    first.go("about:blank")
    second.until(f"/^Your turn: fire! {name} (hit|missed) at [A-J][0-9]+ · {name} lost the connection/.test({STATUS})")
    first.go(page)
    first.reads("aims", "#status")
    assert (before, bob.value(seas)) == ("2", "2")
    bob.click("#leave")
    bob.reads("Give up and leave", "#leave")  # it stands beside what sends a text
    bob.click("#text")
    bob.until("document.querySelector('#leave').innerText === 'Leave'")
    assert not ann.value(OVER)
    bob.click("#leave")
    bob.click("#leave")
    ann.reads("Victory: Bob gave up", "#status")
    assert ann.text("#players") == "Ann against Bob (has left)"
    bob.reads("Play with a friend")
    assert bob.text("#notice") + bob.text("#players") == ""
    bob.click("#any")
    bob.reads("Hide your fleet", "#status")  # from Carl, who waits at a table for all
    assert bob.text("#leave") == "Leave"
    assert ann.problems == bob.problems == carl.problems == []


def test_a_link_that_is_opened_in_the_tab_of_the_page_leads_to_its_table(
    start: Start, browser: Browser, tmp_path: Path
) -> None:
    page, _ = sail(start, browser, tmp_path)
    page.value("location.href = '#room=ours'")
    page.until("document.querySelector('#friends').hidden")

    page.click("#any")

    page.reads("Waiting for an enemy")
    assert page.value("document.querySelector('#address').value").endswith("#room=ours")
    assert page.problems == []


def test_a_ship_that_does_not_fit_is_told_and_one_that_lies_is_picked_up(
    start: Start, browser: Browser, tmp_path: Path
) -> None:
    page, address = sail(start, browser, tmp_path)
    page.click("#any")
    page.reads("Waiting for an enemy")
    start("-m", "demo_game", "bot", address, "--pace", 0)
    page.reads("Hide your fleet: the carrier", "#status")
    assert page.text("#near-left") == ""
    page.click("[data-key=H1]")
    page.reads("The carrier does not fit at H1", "#notice")  # also after what the others do
    page.click("[data-key=A1]")
    assert page.text("#notice") == ""
    page.click("[data-key=A3]")
    page.reads("Hide your fleet: the cruiser", "#status")

    page.click("[data-key=B3]")

    page.reads("Hide your fleet: the battleship", "#status")
    page.click("[data-key=A5]")
    page.reads("Hide your fleet: the cruiser", "#status")
    page.click("#tools button:nth-child(3)")
    page.reads("Hide your fleet: the carrier", "#status")
    page.resize(640, 400)
    page.value("document.querySelector('[data-key=A10]').focus(); scrollTo(0, 999)")
    for _ in range(9):
        page.press("ArrowUp")
        assert page.value(IN_SIGHT)
    assert page.problems == []


def test_the_button_that_one_is_to_press_can_be_read_under_the_mouse(
    start: Start, browser: Browser, tmp_path: Path
) -> None:
    page, _ = sail(start, browser, tmp_path)
    shown = (
        "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.querySelector('#any')))"
    )

    x, y = page.value("(({ x, y }) => [x + 5, y + 5])(document.querySelector('#any').getBoundingClientRect())")

    page.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    page.until("document.querySelector('#any').matches(':hover')")
    assert page.value(shown) == ["rgb(28, 20, 0)", "rgb(255, 225, 154)"]


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
