"""The table page in a real browser: whole games against Python and a bot, and everything that goes wrong in browsers.

A hidden page is watched for `NETCODE_HIDDEN` seconds, and a server takes `NETCODE_TIMEOUT` seconds of silence for the
end of a link; both are short by themselves, so that many tests fit into a minute. As it is in earnest:
`NETCODE_HIDDEN=30 NETCODE_TIMEOUT=10 python -m pytest tests/turns/test_turns_table_page.py`.
"""

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Certificate, needs_openssl
from chromium import IN_CHROMIUM, Browser, Page, opened
from docs_blocks import code_of, wait_until_listening
from javascript import modules
from programs import DEADLINE, ROOT, Program, Start
from screens import XVFB, screen

from benchmarks.ports import free_port
from netcode.turns.client import join
from netcode.turns.events import Presence, Said
from netcode.turns.seat import Seat

EXAMPLES = ROOT / "examples" / "turns"
HIDDEN = float(os.environ.get("NETCODE_HIDDEN", "4.5"))
TIMEOUT = float(os.environ.get("NETCODE_TIMEOUT", "3"))
OVER_OR_TURN = """document.querySelector("[data-key='Another table']") ? "over"
    : document.querySelector("#status.mine") && "turn\""""
HOSTILE = "<img src=x onerror=hurt=1>"
HEBREW = f"{HOSTILE}אב"
SERVER = """
import sys
folder, port, certificate, proxies, timeout = sys.argv[1:]
sys.path.insert(0, folder)
from battleship import Battleship
from crazy_eights import CrazyEights
from tictactoe import TicTacToe
from netcode import Web
from netcode.turns import Clock, Game, move, options, serve

class Far(Game):
    seats = 2, 3
    clock = Clock(minutes=5)
    cells: list[list[str]]

    @options(size=range(3, 6))
    def setup(self, size: int = 3) -> None:
        self.cells = [[""] * size for _ in range(size)]
        self.cells[0] = ["a"] * size

    @move(x=range(5), to=range(5), at=("cells[0][x]", "cells[2][to]"))
    def go(self, x: int, to: int) -> None:
        self.require(x < len(self.cells) and to < len(self.cells) and self.cells[0][x], "nothing is there")
        self.cells[2][to], self.cells[0][x] = self.cells[0][x], ""
        self.tell("<b>moved</b>")

tls = None
if certificate:
    import ssl
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate + "/cert.pem", certificate + "/key.pem")
web = Web(proxies=[proxies]) if proxies else True
serve(TicTacToe, CrazyEights, Battleship, Far, host="127.0.0.1", port=int(port), store=None, web=web, tls=tls,
      timeout=float(timeout), moves_per_second=200)
"""

pytestmark = [*IN_CHROMIUM, pytest.mark.timed]


def serve(start: Callable[..., Program], *, certificate: str = "", proxies: str = "") -> str:
    """Start a server, and return the link that it prints."""
    program = start("-c", SERVER, EXAMPLES, 0, certificate, proxies, TIMEOUT)
    return program.until(r"play in a browser at (\S+)")[1]


def port_of(link: str) -> int:
    return int(link.rsplit(":", 1)[1].strip("/"))


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The link of one server for most of the tests."""
    log = tmp_path_factory.mktemp("server") / "log"
    with Program("-c", SERVER, EXAMPLES, 0, "", "", TIMEOUT, log=log) as program:
        yield program.until(r"play in a browser at (\S+)")[1]


class Friend:
    """Somebody who plays from Python."""

    def __init__(self, link: str, game: str, browser: Browser, **wanted: Any) -> None:
        self.seat: Seat[Any] = join(("127.0.0.1", port_of(link)), game, **wanted)
        self.told: list[Any] = []
        self.plays = True
        browser.meanwhile = self.update

    def update(self) -> None:
        self.seat.update()
        self.told += self.seat.events()
        if self.plays and self.seat.my_turn and self.seat.pending is None and self.seat.legal:
            self.seat.play(self.seat.legal[0])

    def until(self, condition: Callable[[], object], seconds: float = DEADLINE) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"it never came true; {self.told}"
            self.seat.wait(0.02)
            self.update()

    def lasts(self, seconds: float) -> None:
        """Let time pass."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, seconds + DEADLINE)

    def presences(self) -> list[tuple[int | None, str]]:
        return [(event.seat, event.state) for event in self.told if isinstance(event, Presence)]


@pytest.fixture
def friends(browser: Browser) -> Iterator[Callable[..., Friend]]:
    made: list[Friend] = []

    def make(*arguments: Any, **wanted: Any) -> Friend:
        made.append(Friend(*arguments, **wanted))
        return made[-1]

    yield make
    browser.meanwhile = lambda: None
    for friend in made:
        friend.seat.close()


def cell(*place: object) -> str:
    """Return what finds a place of the board that can be clicked."""
    words = ",".join(f'\\"{part}\\"' if isinstance(part, str) else str(part) for part in place)
    return f'[data-key="[{words}]"]'


def sit_down(browser: Browser, link: str, game: str, room: str, name: str = "Ann", **how: Any) -> Page:
    page = browser.page(f"{link}#room={room}&game={game}", **how)
    page.reads("You were invited to the table")
    page.write("#name", name)
    page.click("#any")
    page.reads("You sit at seat", "#log")
    return page


def test_tic_tac_toe_is_played_against_python_with_chat_and_rematch(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = sit_down(browser, link, "TicTacToe", "ours")
    assert "Waiting for 1 more" in page.text("#status")
    address = page.value("document.querySelector('#address').value")
    assert address == f"{link}#room=ours&game=TicTacToe"
    bob = friends(link, "TicTacToe", browser, room="ours", name="Bob")

    page.reads("Your turn", "#status")
    page.click(cell("cells", 4))
    page.until("document.querySelectorAll('.grid .seat').length === 2")
    bob.seat.say("good luck")
    page.reads("Bob: good luck", "#log")
    page.write("#text", "thank you")
    page.press("Enter")
    bob.until(lambda: Said(0, "Ann", "thank you") in bob.told)
    assert page.value("document.querySelector('#text').value") == ""

    while page.until(OVER_OR_TURN) == "turn":
        page.click("#view button.go")
    page.reads("Play again", "#ask")
    bob.until(lambda: bob.seat.over)
    assert bob.seat.result is not None
    winners = bob.seat.result.winners
    page.reads(f"{['Ann', 'Bob'][winners[0]]} won" if winners else "A draw", "#status")
    page.click("[data-key='Play again']")
    bob.until(lambda: bob.seat.rematch_wanted_by == (0,))
    bob.seat.rematch()
    page.until("document.querySelectorAll('.grid .seat').length < 2")
    page.click("#leave")
    page.reads("Give up and leave", "#leave")
    page.click("#text")
    page.reads("Leave the table", "#leave")
    page.click("#leave")
    page.click("#leave")
    page.reads("you left the table", "#notice")
    assert page.problems == []


def test_those_who_stay_play_again_without_who_left(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    bob = friends(link, "Far", browser, room="stay", name="Bob", players=3)
    page = sit_down(browser, link, "Far", "stay")
    page.reads("You sit at seat 1", "#log")
    cid = friends(link, "Far", browser, room="stay", name="Cid")
    bob.plays = cid.plays = False
    cid.until(lambda: cid.seat.started)

    bob.seat.leave()
    bob.until(lambda: bob.seat.reason != "")
    page.reads("Bob has left.", "#ask")
    page.click("[data-key='Play again']")
    cid.until(lambda: cid.seat.rematch_wanted_by == (1,))
    cid.seat.rematch()

    page.reads("You sit at seat 0", "#log")
    page.reads("Your turn", "#status")
    cid.until(lambda: cid.seat.seat == 1 and not cid.seat.over)
    assert cid.seat.names == ("Ann", "Cid")
    assert page.problems == []


def test_no_click_and_no_key_is_lost_when_the_board_is_drawn_again_meanwhile(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = sit_down(browser, link, "TicTacToe", "hasty")
    bob = friends(link, "TicTacToe", browser, room="hasty", name="Bob")
    bob.plays = False
    page.reads("Your turn", "#status")

    bob.until(lambda: bob.seat.started)

    def redraw(text: str) -> None:
        bob.seat.say(text)
        page.reads(text, "#log")

    with page.held_down(cell("cells", 4)):
        redraw("by the mouse")
    page.reads("Bob to move", "#status")
    bob.until(lambda: bob.seat.my_turn)
    bob.seat.play("mark", cell=0)
    page.reads("Your turn", "#status")
    assert page.value("document.activeElement.dataset.key") == '["cells",4]'
    page.press("ArrowUp")
    with page.key_held_down("Space"):
        redraw("by the keyboard")
    bob.until(lambda: bob.seat.view.cells[1] == 0)
    assert page.value("document.activeElement.dataset.key") == '["cells",1]'
    assert page.problems == []


FILLED = """import("./seat.js").then(({ fill, make }) => {
    const root = document.createElement("div"), wrong = [];
    let seed = 14, before = new Map();
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    for (let round = 0; round < 300; round++) {
        const keys = [...Array(12).keys()].filter(() => random() < 0.6).sort(() => random() - 0.5);
        const ones = keys.map((key) => make("b", { "data-key": key, title: random() < 0.5 && "x", onclick: () => round }, `${round}`));
        const titles = ones.map((one) => one.title), extra = random() < 0.5 && "text";
        fill(root, ones, extra);
        const now = [...root.children];
        if (now.map((one) => one.dataset.key).join() !== keys.join()) wrong.push("the order");
        if (now.map((one) => one.title).join() !== titles.join()) wrong.push("attributes");
        if (root.textContent !== `${round}`.repeat(keys.length) + (extra || "")) wrong.push("what is inside");
        for (const one of now) {
            if ((before.get(one.dataset.key) ?? one) !== one) wrong.push("a node that was there");
            if (one.onclick() !== round) wrong.push("a listener");
        }
        before = new Map(now.map((one) => [one.dataset.key, one]));
    }
    return wrong;
})"""


def test_nodes_stay_by_their_keys_whatever_comes_and_goes(browser: Browser, link: str) -> None:
    assert browser.page(link).value(FILLED) == []


def test_a_place_is_not_taken_for_another_of_which_it_holds_the_number(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = sit_down(browser, link, "TicTacToe", "numbers")
    bob = friends(link, "TicTacToe", browser, room="numbers", name="Bob")
    bob.plays = False
    page.reads("Your turn", "#status")
    page.click(cell("cells", 4))
    bob.until(lambda: bob.seat.my_turn)
    bob.seat.play("mark", cell=8)
    page.reads("Your turn", "#status")

    assert page.value("[...document.querySelectorAll('#view .go')].map((one) => one.dataset.key)") == [
        f'["cells",{number}]' for number in (0, 1, 2, 3, 5, 6, 7)
    ]


def test_what_is_typed_for_a_move_outlives_what_others_do(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = sit_down(browser, link, "Battleship", "typing")
    bob = friends(link, "Battleship", browser, room="typing", name="Bob")
    page.reads("hide your fleet", "#status")
    page.write("[data-key=answer]", "[[1]]")
    page.press("ArrowLeft")
    page.value("window.field = document.activeElement")
    bob.until(lambda: bob.seat.started)
    bob.seat.say("hello")
    page.reads("hello", "#log")
    page.ask("Input.insertText", text=", 2")

    assert page.value("document.activeElement === field && field.value") == "[[1], 2]"


def test_a_click_while_the_link_comes_back_is_not_lost(browser: Browser, start: Start, tmp_path: Path) -> None:
    server, link = serve_at(start, tmp_path, free_port())
    ann, bob = (sit_down(browser, link, "TicTacToe", "between", name) for name in ("Ann", "Bob"))
    ann.reads("Your turn", "#status")

    with ann.held_down(cell("cells", 4)):
        server.stop()
        server.status()
        ann.until(
            "!document.querySelector('#status.mine') || document.querySelector('#status').innerText !== 'Your turn'"
        )
        serve_at(start, tmp_path, port_of(link))
        ann.reads("Your turn", "#status")

    bob.reads("Your turn", "#status")
    ann.until("document.querySelectorAll('.grid .seat').length === 1")


def test_crazy_eights_is_played_against_a_bot_to_the_end(
    browser: Browser, link: str, start: Start, tmp_path: Path
) -> None:
    page = sit_down(browser, link, "CrazyEights", "cards")
    at = f"127.0.0.1:{port_of(link)}"
    start("-m", "netcode.turns", "bot", EXAMPLES / "crazy_eights.py", "--at", at, "--room", "cards", "--think", "0")
    page.reads("Begin", "#ask")
    page.click("[data-key=Begin]")
    page.until("document.querySelector('#status').innerText.match(/Your turn|to move/)")
    page.reads("hidden", "#view")
    # Cards by clicking the hand; what is asked, and what has no place, by the buttons.
    act = """(() => {
        const found = document.querySelector("#view button.go") ?? document.querySelector("#plays > p button");
        found?.click();
        return !!found;
    })()"""
    while page.until(OVER_OR_TURN) == "turn":
        page.value(act)

    page.reads("won", "#status")
    page.reads("won", "#log")
    page.reads("bot has left.", "#ask")
    assert page.problems == []


def test_a_move_is_taken_back_if_the_others_consent(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = browser.page(f"{link}#room=undo&game=CrazyEights")
    page.reads("Players", "#options")
    page.value("document.querySelector('#count').value = '2'")
    page.click("#any")
    bob = friends(link, "CrazyEights", browser, room="undo", name="Bob")
    bob.plays = False
    page.click("[data-key=draw]")
    page.reads("× 40, hidden", "#view")
    page.click("[data-key='Ask to take back']")
    page.reads("You asked the others to take your move back", "#ask")
    bob.until(lambda: bob.seat.undo_wanted_by == 0)
    bob.seat.consent()
    page.reads("Taken back", "#log")
    page.reads("× 41, hidden", "#view")

    page.click("[data-key=draw]")
    bob.until(lambda: bob.seat.my_turn and bob.seat.legal)
    bob.seat.play("draw")
    bob.until(lambda: bob.seat.can_undo)
    bob.seat.undo()
    page.reads("Bob would like to take the last move back", "#ask")
    page.click("[data-key=Allow]")
    bob.until(lambda: bob.seat.my_turn)
    assert page.problems == []


def test_what_others_say_never_becomes_html(browser: Browser, link: str, friends: Callable[..., Friend]) -> None:
    friend = friends(link, "Far", browser, players=2, name=HEBREW, options={"size": 4})
    friend.until(lambda: friend.seat.seated)
    lobby = browser.page(link)
    apart = f"\u2068{HEBREW}\u2069"  # else the number would stand on the other side of the name
    lobby.reads(f"Far: {apart}, 1 of 2 (size: 4)", "#tables")
    lobby.write("#name", "<b>Ann</b>")
    lobby.click("#tables button")
    lobby.reads("<b>Ann</b> (you)", "#players")
    lobby.reads(apart, "#players")
    friend.seat.say(HEBREW)
    lobby.reads(f"{apart}: {apart}", "#log")
    lobby.reads("<b>moved</b>", "#log")
    guest = browser.page(f"{link}#room={HOSTILE}&game={HOSTILE}")
    guest.reads("You were invited to the table <img", "#invited")

    for page in (lobby, guest):
        assert page.value("document.querySelectorAll('img, b').length") == 0
        assert page.value("window.hurt") is None
        assert page.problems == []


def test_a_move_of_two_places_is_pointed_at_and_options_and_clocks_are_shown(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = browser.page(link)
    page.reads("Play with friends")
    page.value("document.querySelector('#game').value = 'Far'")
    page.value("document.querySelector('#game').dispatchEvent(new Event('change'))")
    page.value("document.querySelector('[name=size]').value = '4'")
    page.value("document.querySelector('#count').value = '2'")
    page.click("#friends")
    page.reads("Waiting for 1 more")
    room = page.value("new URLSearchParams(document.querySelector('#address').value.split('#')[1]).get('room')")
    friend = friends(link, "Far", browser, room=room, name="Bob")
    page.reads("Your turn", "#status")

    assert page.value("document.querySelectorAll('.grid > .item').length") == 16
    assert page.value("document.querySelectorAll('#players time').length") == 2
    page.click(cell("cells", 0, 1))
    assert page.value("document.querySelectorAll('#view button.go').length") == 4
    page.press("Escape")
    page.click(cell("cells", 0, 2))
    page.click(cell("cells", 2, 3))
    friend.until(lambda: friend.seat.started and friend.seat.view.cells[2][3] == "a")
    assert page.problems == []


def test_what_is_free_is_drawn_by_the_server(browser: Browser, link: str, friends: Callable[..., Friend]) -> None:
    page = sit_down(browser, link, "Battleship", "sea")
    friend = friends(link, "Battleship", browser, room="sea", name="Bob")
    page.reads("hide your fleet", "#status")
    page.write("[data-key=answer]", "[[1]]")
    page.click("[data-key='do ']")
    page.reads("must have 4 entries", "#log .wrong")
    page.click("[data-key='draw ']")
    page.until("document.querySelector('[data-key=answer]').value.length > 10")
    page.click("[data-key='do ']")

    friend.until(lambda: friend.seat.to_move == (1,))
    assert page.problems == []


def test_what_cannot_be_sent_is_refused_with_a_sentence_and_something_else_is_played(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = browser.page(f"{link}#room=large&game=Battleship")
    page.reads("You were invited to the table")
    page.value("document.querySelector('#name').value = 'A\\ud83d'")
    page.click("#any")
    page.reads("You sit at seat", "#log")
    friend = friends(link, "Battleship", browser, room="large", name="Bob")
    page.reads("hide your fleet", "#status")
    assert friend.seat.names == ("A\N{REPLACEMENT CHARACTER}", "Bob")

    page.value("document.querySelector('[data-key=answer]').value = 'x'.repeat(200_000)")
    page.click("[data-key='do ']")

    page.reads("a message may have 65536 bytes", "#refused")
    page.write("[data-key=answer]", '"\\ud83d"')
    page.click("[data-key='do ']")
    page.reads("half of a surrogate pair cannot be sent", "#refused")
    page.click("[data-key='draw ']")
    page.until("document.querySelector('[data-key=answer]').value.startsWith('[')")
    page.click("[data-key='do ']")
    friend.until(lambda: friend.seat.to_move == (1,))
    page.value("document.querySelector('#text').value = 'ahoy \\ud83d'")
    page.click("#chat button")
    page.reads("ahoy \N{REPLACEMENT CHARACTER}", "#log")
    assert page.problems == []


IN_SIGHT = """(at => { const { x, y, width, height } = at.getBoundingClientRect();
    return at.contains(document.elementFromPoint(x + width / 2, y + height / 2)); })(document.activeElement)"""


def test_it_is_played_by_keyboard_and_told_to_a_screen_reader(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = sit_down(browser, link, "TicTacToe", "keys")
    friend = friends(link, "TicTacToe", browser, room="keys", name="Bob")
    page.reads("Your turn", "#status")
    assert page.value("document.activeElement.id") == "title"

    page.until("document.querySelector('#view button')")
    page.resize(640, 400)  # a desk whose page is twice as large
    page.press("Tab")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowRight"):
        page.press(key)
        assert page.value(IN_SIGHT)
    assert page.value("document.activeElement.getAttribute('aria-label')") == "cells 4: empty"
    page.press("Enter")
    friend.until(lambda: friend.seat.started and friend.seat.view.cells[4] == 0)

    tree = page.ask("Accessibility.getFullAXTree")["nodes"]
    said = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]}
    assert {("heading", "TicTacToe"), ("log", "What happened"), ("group", "The board"), ("main", "")} <= said
    assert ("textbox", "Say something to all") in said
    assert any(role == "status" for role, _ in said)


AXE = """axe.run(document, { resultTypes: ["violations"], ...HOW }).then(({ violations }) =>
    violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).join(" ")}`))"""


@pytest.mark.npm
def test_axe_finds_nothing_on_any_screen(browser: Browser, link: str) -> None:
    script = (modules("axe-core") / "axe.min.js").read_text(encoding="utf-8")

    def look(page: Page) -> list[str]:
        found: list[str] = []
        page.value(f"if (!window.axe) {{ {script} }} 0")
        for width in (1280, 390):
            page.resize(width, 900)
            found += page.value(AXE.replace("HOW", "{}"))
            if page.value("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"it is wider than {width}")
        page.darken(True)
        found += page.value(AXE.replace("HOW", "{ runOnly: ['color-contrast'] }"))
        page.darken(False)
        return found

    lobby = browser.page(link)
    lobby.reads("Play with friends")
    assert look(lobby) == []
    ann = sit_down(browser, link, "CrazyEights", "axe")
    assert look(ann) == []
    bob = sit_down(browser, link, "CrazyEights", "axe", "Bob")
    ann.click("[data-key=Begin]")
    ann.reads("Your turn", "#status")
    assert look(ann) + look(bob) == []
    ann.click("[data-key=draw]")
    bob.reads("Your turn", "#status")
    bob.write("#text", "hello")
    bob.press("Enter")
    ann.reads("Bob: hello")
    assert look(ann) == []
    board = sit_down(browser, link, "TicTacToe", "axe")
    sit_down(browser, link, "TicTacToe", "axe", "Bob")
    board.reads("Your turn", "#status")
    board.click(cell("cells", 4))
    board.reads("Bob to move", "#status")
    assert look(board) == []
    sea = sit_down(browser, link, "Battleship", "axe")
    sit_down(browser, link, "Battleship", "axe", "Bob")
    sea.reads("hide your fleet", "#status")
    assert look(sea) == []


def test_who_watches_sees_and_does_nothing(browser: Browser, link: str, friends: Callable[..., Friend]) -> None:
    ann = sit_down(browser, link, "TicTacToe", "seen")
    friend = friends(link, "TicTacToe", browser, room="seen", name="Bob")
    page = browser.page(f"{link}#room=seen&game=TicTacToe", width=390, height=844, dark=True)
    page.click("#watch")
    page.reads("You watch.", "#ask")
    ann.reads("1 watching", "#watching")
    ann.click(cell("cells", 0))

    page.until("document.querySelectorAll('.grid .seat').length === 2")
    assert page.value("document.querySelectorAll('#view button, #plays button').length") == 0
    assert page.value("document.documentElement.scrollWidth <= innerWidth")
    assert friend.seat.spectators == 1
    assert page.problems == []


def test_who_came_by_a_link_goes_on_to_another_table_after_the_game(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = sit_down(browser, link, "TicTacToe", "onward")
    bob = friends(link, "TicTacToe", browser, room="onward", name="Bob")
    page.reads("Your turn", "#status")
    late = browser.page(f"{link}#room=onward&game=TicTacToe")
    late.click("#any")
    late.reads("the game has begun; choose Watch to look on, or another table", "#notice")
    assert late.value("!document.querySelector('#notice').matches('.calm')")
    late.click("#else")
    late.reads("Play with friends", "#join")
    assert late.value("location.hash") == ""
    while page.until(OVER_OR_TURN) == "turn":
        page.click("#view button.go")
    page.reads("Another table", "#ask")

    bob.seat.leave()

    page.reads("Bob has left.", "#ask")
    assert "Play again" not in page.text("#ask")
    page.click("[data-key='Another table']")
    page.reads("Waiting for 1 more", "#status")
    assert page.text("#log") == "You sit at seat 0."
    page.click("#leave")
    page.reads("you left the table", "#notice")
    assert page.value("document.querySelector('#notice').matches('.calm')")
    page.reads("Play with friends", "#join")
    assert page.problems == late.problems == []


def test_a_page_that_is_loaded_again_is_back_in_its_seat_within_a_second(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = sit_down(browser, link, "TicTacToe", "again", alone=False)
    friend = friends(link, "TicTacToe", browser, room="again", name="Bob")
    page.reads("Your turn", "#status")

    took: list[float] = []
    for _ in range(15):  # the machine may be busy with something else just then
        page.value("window.before = true")
        began = time.monotonic()
        page.ask("Page.reload")
        page.until("!window.before && document.querySelector('#status.mine')")
        took.append(time.monotonic() - began)
        if took[-1] < 1.0:
            break
    assert min(took) < 1.0
    page.click(cell("cells", 4))
    friend.until(lambda: friend.seat.view.cells[4] == 0)

    page.close()  # and in a new tab of the same browser, another day
    page = browser.page(link, alone=False)
    page.click("#back button")
    page.reads("Ann (you)", "#players")
    page.reads("Your turn", "#status")
    assert friend.seat.names == ("Ann", "Bob")
    page.value("localStorage.clear()")
    page.close()


def test_whose_turn_it_is_can_be_seen_where_the_system_chooses_all_colours(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = sit_down(browser, link, "TicTacToe", "forced")
    friends(link, "TicTacToe", browser, room="forced", name="Bob")
    page.reads("Your turn", "#status")
    outline = "getComputedStyle(document.querySelector('#players .turn')).outlineStyle"
    assert page.value(outline) == "none"

    page.ask("Emulation.setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])

    page.until(f"{outline} === 'solid'")


def test_a_link_that_is_opened_in_the_tab_of_the_page_leads_to_its_table_and_back(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = browser.page(link)
    page.reads("Play with friends")
    page.value("location.href = '#room=first&game=TicTacToe'")
    page.reads("You were invited to the table first")
    page.write("#name", "Ann")
    page.click("#any")
    page.reads("You sit at seat", "#log")
    bob = friends(link, "TicTacToe", browser, room="first", name="Bob")
    bob.plays = False
    page.reads("Your turn", "#status")

    page.value("location.href = '#room=second&game=TicTacToe'")
    page.reads("You were invited to the table second")
    page.reads("Back to your seat at TicTacToe as Ann", "#back")
    page.value("history.back()")

    page.reads("Your turn", "#status")
    assert page.problems == []


def test_a_seat_goes_from_tab_to_tab_and_stays_kept_for_another_day(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    first = sit_down(browser, link, "TicTacToe", "tabs", alone=False)
    friends(link, "TicTacToe", browser, room="tabs", name="Bob")
    first.reads("Your turn", "#status")

    second = browser.page(link, alone=False)
    second.click("#back button")
    second.reads("Your turn", "#status")
    first.reads("you sat down at this seat from elsewhere", "#notice")
    first.show()
    first.click("#back button")
    first.reads("Your turn", "#status")
    second.reads("you sat down at this seat from elsewhere", "#notice")
    first.close()
    second.close()
    third = browser.page(link, alone=False)
    third.click("#back button")

    third.reads("Ann (you)", "#players")
    third.click("#leave")
    third.click("#leave")
    third.reads("you left the table", "#notice")
    assert third.text("#back") == ""
    third.close()


def test_who_goes_on_to_another_page_is_away_at_once_and_back_by_going_back(
    browser: Browser, link: str, friends: Callable[..., Friend]
) -> None:
    page = sit_down(browser, link, "TicTacToe", "gone", alone=False)
    friend = friends(link, "TicTacToe", browser, room="gone", name="Bob")
    page.reads("Your turn", "#status")

    page.value("setTimeout(() => (location.href = 'about:blank')) && 0")
    began = time.monotonic()
    friend.until(lambda: friend.presences() == [(0, "away")])
    assert time.monotonic() - began < TIMEOUT  # the browser may keep the page, and answer for it
    page.until("location.href === 'about:blank'")
    page.value("setTimeout(() => history.back()) && 0")

    friend.until(lambda: friend.presences() == [(0, "away"), (0, "here")])
    page.click(cell("cells", 4))
    friend.until(lambda: friend.seat.view.cells[4] == 0)
    page.value("localStorage.clear()")


def serve_at(start: Start, folder: Path, port: int) -> tuple[Program, str]:
    """Serve tables that outlive the server."""
    words = ("serve", EXAMPLES / "tictactoe.py", "--host", "127.0.0.1", "--web", "--store", folder / "games.db")
    program = start("-m", "netcode.turns", *words, "--port", port)
    return program, program.until(r"play in a browser at (\S+)")[1]


def test_a_play_waits_until_the_seat_is_found_again(
    browser: Browser, friends: Callable[..., Friend], start: Start, tmp_path: Path
) -> None:
    server, link = serve_at(start, tmp_path, free_port())
    page = browser.page(link)
    page.value(
        """import("./seat.js").then(({ Seat }) => {
            window.mine = new Seat();
            mine.join("TicTacToe", { room: "soon" });
            mine.on("event", ([kind]) => (window.refused ||= kind === "refused"));
        })"""
    )
    page.until("mine.seat === 0")
    assert page.value("mine.chat('hi')") is True
    assert not page.value("mine.chat('x'.repeat(2 ** 20))")
    page.until("refused")
    page.value("refused = false")
    bob = friends(link, "TicTacToe", browser, room="soon", name="Bob")
    page.until("mine.myTurn")
    page.value(
        "mine.on('event', ([kind, link]) => kind === 'link' && link === 'here' && mine.play('mark', { cell: 4 }))"
    )

    server.stop()
    server.status()
    serve_at(start, tmp_path, port_of(link))

    page.until("mine.view.cells?.[4] === 0 && mine.myTurn")
    assert bob.seat.view.cells[4] == 0
    assert not page.value("window.refused")


def test_a_server_that_was_killed_has_everybody_in_their_seats_again(
    browser: Browser, start: Start, tmp_path: Path
) -> None:
    server, link = serve_at(start, tmp_path, free_port())
    ann, bob = (sit_down(browser, link, "TicTacToe", "kept", name) for name in ("Ann", "Bob"))
    ann.click(cell("cells", 4))
    bob.reads("Your turn", "#status")

    server.stop()
    server.status()
    bob.reads("looking for the way back", "#status")
    bob.reads("no server answers at ws://", "#status")  # also while the seat of the link is kept
    serve_at(start, tmp_path, port_of(link))

    bob.reads("Your turn", "#status")
    assert "looking for the way back\nBack at the table" in bob.text("#log")
    bob.click(cell("cells", 0))
    ann.reads("Your turn", "#status")
    assert ann.value("document.querySelectorAll('.grid .seat').length") == 2


SAT_ELSEWHERE = """import("./seat.js").then(({ Seat }) => {
    new Seat().join("TicTacToe", { ticket: history.state.ticket });
})"""


def test_what_is_wanted_while_there_is_no_server_is_said_not_to_be_sent_and_not_done_later(
    browser: Browser, start: Start, tmp_path: Path
) -> None:
    server, link = serve_at(start, tmp_path, free_port())
    page, bob = (sit_down(browser, link, "TicTacToe", "late", name) for name in ("Ann", "Bob"))
    for number, mover in enumerate([page, bob, page, bob, page]):
        mover.click(f".go{cell('cells', (0, 3, 1, 4, 2)[number])}")
    for one in (page, bob):
        one.reads("Ann won", "#status")
    server.stop()
    server.status()
    page.reads("no server answers at ws://", "#status")

    for one in (page, bob):
        one.click("[data-key='Another table']")
        one.reads("not sent; try again once you are back", "#refused")
    page.write("#text", "well played")
    page.press("Enter")
    assert page.value("document.querySelector('#text').value") == "well played"
    serve_at(start, tmp_path, port_of(link))
    page.reads("Ann won", "#status")
    # Once our seat is found: the link is there before.
    page.until("document.querySelector('#chat').requestSubmit() || document.querySelector('#text').value === ''")
    page.reads("Ann: well played", "#log")  # Bob may still look for the way back
    page.click("#leave")

    page.reads("you left the table", "#notice")
    page.reads("Play with friends", "#join")  # and at no other table, which was wanted before
    bob.reads("Ann won", "#status")
    bob.value(SAT_ELSEWHERE)
    bob.reads("you sat down at this seat from elsewhere", "#notice")
    bob.reads("Play with friends", "#join")


def test_whoever_comes_while_nothing_can_be_stored_reads_why_and_sits_down_later(
    browser: Browser, start: Start, tmp_path: Path
) -> None:
    _, link = serve_at(start, tmp_path, free_port())
    ann = sit_down(browser, link, "TicTacToe", "kept")
    with contextlib.closing(sqlite3.connect(tmp_path / "games.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        bob = browser.page(f"{link}#room=kept&game=TicTacToe")
        bob.click("#any")
        bob.reads("You have no seat yet: nothing can be stored at present, because another program keeps", "#link")
        ann.reads("The table is frozen: nothing can be stored at present", "#status")

    bob.reads("You sit at seat 1", "#log")
    ann.reads("Your turn", "#status")
    bob.reads("Ann to move", "#status")


def test_the_page_of_somebody_else_is_refused_with_a_sentence(browser: Browser, link: str, start: Start) -> None:
    other = browser.page(serve(start))
    told = other.value(
        f"""import("./netcode.js").then(({{ Client }}) => new Promise((resolve) => {{
            new Client({link!r}.replace("http", "ws"), {{ game: "netcode.turns", version: "1" }}).on("left", resolve);
        }}))"""
    )

    assert "may not connect here" in told["text"]


def test_a_page_that_hangs_keeps_its_seat(browser: Browser, link: str, friends: Callable[..., Friend]) -> None:
    page = sit_down(browser, link, "TicTacToe", "busy")
    friend = friends(link, "TicTacToe", browser, room="busy", name="Bob")
    page.reads("Your turn", "#status")
    page.value(f"setTimeout(() => {{ for (const end = Date.now() + {HIDDEN * 1000}; Date.now() < end; ); }})")

    friend.lasts(HIDDEN + 0.5)

    assert friend.presences() == []
    page.click(cell("cells", 4))
    friend.until(lambda: friend.seat.view.cells[4] == 0)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser on a screen that nobody sees, whose pages can be hidden."""
    if XVFB is None:
        pytest.skip("Xvfb cannot be found, so no hidden page is tested: install xvfb")
    folder = tmp_path_factory.mktemp("desk")
    with (
        screen() as display,
        opened(folder / "profile", headed=True, environment={"DISPLAY": display}) as browser,
    ):
        yield browser


def hide(browser: Browser, page: Page) -> None:
    """Put another page before it."""
    browser.page("about:blank", alone=False)
    page.until("document.visibilityState === 'hidden'")


def test_a_hidden_page_keeps_its_seat_and_is_told_of_the_turn(desk: Browser, link: str) -> None:
    page = sit_down(desk, link, "TicTacToe", "hidden", alone=False)
    friend = Friend(link, "TicTacToe", desk, room="hidden", name="Bob")
    page.reads("Your turn", "#status")
    page.click(cell("cells", 4))
    friend.until(lambda: friend.seat.started and friend.seat.view.cells[4] == 0)
    hide(desk, page)

    friend.lasts(HIDDEN)

    assert friend.presences() == []
    assert page.value("document.title").startswith("● Your turn")
    page.show()
    page.click("#view button.go")
    friend.until(lambda: list(friend.seat.view.cells).count(0) == 2)
    friend.seat.close()


def test_the_network_of_a_hidden_page_is_cut_and_the_others_see_it(desk: Browser, link: str, start: Start) -> None:
    lag = start("-m", "netcode", "lag", "0", f"127.0.0.1:{port_of(link)}")
    through = int(lag.until(r"lag: 127\.0\.0\.1:(\d+) ->")[1])
    page = sit_down(desk, f"http://127.0.0.1:{through}/", "TicTacToe", "cut", alone=False)
    friend = Friend(link, "TicTacToe", desk, room="cut", name="Bob")
    page.reads("Your turn", "#status")
    hide(desk, page)

    os.kill(lag.pid, signal.SIGSTOP)
    began = time.monotonic()
    friend.until(lambda: friend.presences() != [])

    assert friend.presences() == [(0, "away")]
    assert time.monotonic() - began < 2 * TIMEOUT
    os.kill(lag.pid, signal.SIGCONT)
    page.show()
    friend.until(lambda: friend.presences()[-1:] == [(0, "here")])
    friend.seat.close()


@needs_openssl
def test_it_is_played_over_tls(browser: Browser, start: Start, certificate: Certificate) -> None:
    link = serve(start, certificate=str(certificate.cert.parent))
    assert link.startswith("https://")

    ann, bob = (sit_down(browser, link, "TicTacToe", "safe", name) for name in ("Ann", "Bob"))

    ann.reads("Your turn", "#status")
    ann.click(cell("cells", 0))
    bob.reads("Your turn", "#status")
    assert ann.value("isSecureContext")


[MINE] = code_of("turns-table-page.md", "html")
[SERVE_MINE] = code_of("turns-table-page.md")
[LOCATION] = code_of("turns-table-page.md", "text")
HELLO, SITE, *_ = code_of("how-to/play-from-a-browser.md", "text")


def test_the_page_of_the_documentation_replaces_ours(
    browser: Browser, friends: Callable[..., Friend], start: Start, tmp_path: Path
) -> None:
    (tmp_path / "mine.html").write_text(MINE, encoding="utf-8")
    serving = SERVE_MINE.replace("port=7777", "host='127.0.0.1', port=0, store=None")
    (tmp_path / "mine.py").write_text(serving, encoding="utf-8")
    shutil.copy(EXAMPLES / "tictactoe.py", tmp_path)
    server = start("mine.py", folder=tmp_path)
    link = server.until(r"play in a browser at (\S+)")[1]
    page = browser.page(link)
    page.until("sessionStorage.ticket")
    page.reads("Wait for somebody else", "#status")
    friend = friends(link, "TicTacToe", browser, name="Bob")
    page.reads("Your turn", "#status")
    page.click("#board button:nth-child(5)")
    page.until("document.querySelectorAll('#board button')[0].textContent === 'O'")
    page.click("#board button:nth-child(5)")
    page.reads("that cell is taken", "#told")
    assert page.value("document.querySelectorAll('#board button')[4].ariaLabel") == "place 5: X"

    page.reload()
    page.until("document.querySelectorAll('#board button')[4]?.textContent === 'X'")
    friend.until(lambda: friend.seat.presence[0][0] == "here")
    assert page.problems == []
    server.interrupt()
    page.reads("looking for the way back", "#status")


NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    {location}
  }}
}}
"""


@contextlib.contextmanager
def running(port: int, *command: object) -> Generator[None]:
    """Run a proxy that listens on a port."""
    with subprocess.Popen([str(word) for word in command], stderr=subprocess.DEVNULL) as proxy:
        try:
            wait_until_listening(port)
            yield
        finally:
            proxy.terminate()


def play_below(browser: Browser, link: str) -> None:
    """Play at a table whose page and server are below a path."""
    ann, bob = (sit_down(browser, link, "TicTacToe", link[-6:-1], name) for name in ("Ann", "Bob"))
    ann.reads("Your turn", "#status")
    ann.click(cell("cells", 0))
    bob.reads("Your turn", "#status")

    assert all(url.startswith((link, link.replace("http", "ws"))) for url in ann.requests if "://" in url)
    assert ann.problems == []


def test_it_is_played_behind_nginx_below_a_path(browser: Browser, start: Start, tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not nginx:
        pytest.skip("nginx cannot be found, so no page is tested behind it: install nginx")
    behind, port = port_of(serve(start, proxies="127.0.0.1")), free_port()
    location = (LOCATION + HELLO).replace("7777", str(behind))
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port, location=location), encoding="utf-8")

    with running(port, nginx, "-p", tmp_path, "-c", tmp_path / "nginx.conf"):
        play_below(browser, f"http://127.0.0.1:{port}/games/here/")
        play_below(browser, f"http://127.0.0.1:{port}/hello/")


CADDY = """
{{
  admin off
  local_certs
  skip_install_trust
  auto_https disable_redirects
  storage file_system {folder}
}}
"""
"""What keeps it from asking others for a certificate, and all that it writes in a folder."""


def wait_for_certificate(port: int) -> None:
    """Wait until a proxy that listens also has its certificate, which it makes itself meanwhile."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    deadline, ready = time.monotonic() + DEADLINE, False
    while not ready:
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port)) as plain:
            context.wrap_socket(plain, server_hostname="localhost").close()
            ready = True
        assert time.monotonic() < deadline, "it has no certificate"
        time.sleep(0.02)


def test_it_is_played_over_tls_behind_caddy_below_a_path(browser: Browser, start: Start, tmp_path: Path) -> None:
    caddy = shutil.which("caddy")
    if not caddy:
        pytest.skip("Caddy cannot be found, so no page is tested behind it: install caddy")
    behind, port = port_of(serve(start, proxies="127.0.0.1")), free_port()
    site = SITE.replace("play.example.org", f"https://localhost:{port}").replace("7777", str(behind))
    (tmp_path / "Caddyfile").write_text(CADDY.format(folder=tmp_path) + site, encoding="utf-8")

    with running(port, caddy, "run", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile"):
        wait_for_certificate(port)
        play_below(browser, f"https://localhost:{port}/hello/")
