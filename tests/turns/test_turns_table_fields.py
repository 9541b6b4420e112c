"""What the fields of a game look like on the page of a table: names, grids, and what is empty, none or hidden."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chromium import IN_CHROMIUM, Browser, Page
from programs import served

GAMES = """
import sys
from dataclasses import dataclass
from enum import Enum, Flag
from typing import NamedTuple
from netcode.turns import Game, Hidden, Others, Owned, move, serve

class Suit(Enum):
    SPADES = "s"
    HEARTS = "h"

class Ways(Flag):
    NORTH = 1
    EAST = 2

class Card(NamedTuple):
    suit: Suit
    rank: int

@dataclass
class Purse:
    coins: float

@dataclass
class Unit:
    owner: int
    kind: str

class Named(Game):
    sizes: dict[int, str] = {10: "ship", 20: "boat"}
    counts: dict[int, int] = {1: 3, 2: 0}
    exact: dict[int, int] = {0: 7, 1: 8}
    pile: list[Card] = [Card(Suit.SPADES, 4)]
    path: list[list[int]] = [[5, 6], [7, 8]]
    dice: list[int] = [3, 4]
    tiles: list[Purse] = [Purse(1.0), Purse(2.0)]
    hands: Owned[list[list[Card]]]
    scores: list[int] = [11, 12]
    purses: list[Purse]
    stores: list[dict[str, int]]
    trick: dict[int, int] = {}
    dealer: int = 1
    places: dict[str, int | None] = {"a1": None, "b2": None}

    def setup(self) -> None:
        self.hands = [[Card(Suit.HEARTS, 1), Card(Suit.SPADES, 2)] for _ in self.players]
        self.purses = [Purse(0.1 + 0.2 + 0.35) for _ in self.players]
        self.stores = [{"wood": 1} for _ in self.players]

    def ours(self) -> list[Card]:
        return self.hands[self.mover][1:]

    @move(card=ours, at="hands[mover][card]")
    def show(self, card: Card) -> None:
        self.require(self.mover != self.dealer, "the dealer shows nothing")
        self.turn_to(self.mover)

    @move(card=[0, 1])
    def lay(self, card: int) -> None:
        self.trick[self.mover] = card
        self.places["a1"] = self.mover
        self.hands[self.mover].pop()
        self.scores[self.mover] += 1
        self.require(self.mover != self.dealer, "the dealer lays nothing")

class Kinds(Game):
    own: Owned[list[str | None]] = [None, "spy"]
    other: Others[list[str | None]] = ["hat", None]
    hidden: Hidden[str] = "word"
    counted: Hidden[list[int]] = [1, 2, 3]
    nothing: str | None = None
    text: str = ""
    things: dict[str, int] = {}
    items: list[str] = []
    mixed: list[str | None] = ["", None, "a"]
    bits: list[int | None] = [0, 1, None] * 3
    owner: int | None = None
    long: float = 0.6499999999999999
    large: float = 1234567.9
    ways: Ways = Ways.NORTH | Ways.EAST
    doors: dict[str, Ways] = {"hall": Ways.EAST, "cell": Ways(0)}

    @move
    def go(self) -> None:
        self.owner = self.mover

class Grids(Game):
    columns: list[list[str]] = [["10\\u2665", "2\\u2660", "K\\u2663"] for _ in range(4)]
    field: list[list[Unit | None]]
    growing: list[int] = [1, 2, 3, 4, 5, 6, 7, 8]
    camp: list[Unit] = [Unit(0, "cook"), Unit(1, "smith")]

    def setup(self) -> None:
        self.field = [[None] * 3 for _ in range(3)]
        self.field[0][0], self.field[2][2] = Unit(0, "knight"), Unit(1, "archer of the north")

    @move(column=range(4))
    def take(self, column: int) -> None:
        self.columns[column].pop()
        self.growing.append(9)
        self.require(self.field[0][0].owner == 0 or self.field[0][0].owner == self.mover, "no")
        self.turn_to(self.mover)

    def ours(self) -> list[Unit]:
        return [unit for unit in self.camp if unit.kind == "smith"]

    @move(unit=ours, at="camp[unit]")
    def send(self, unit: Unit) -> None:
        self.camp.remove(unit)

serve(Named, Kinds, Grids, host="127.0.0.1", port=0, store=None, web=True, moves_per_second=200)
"""

pytestmark = IN_CHROMIUM


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(GAMES, tmp_path_factory.mktemp("server")) as link:
        yield link


@pytest.fixture
def seats(browser: Browser, link: str) -> Callable[..., tuple[Page, Page]]:
    """Two pages at a table of their own."""

    def sit(game: str, room: str = "", **how: Any) -> tuple[Page, Page]:
        pages: list[Page] = []
        for name in ("Ann", "Bob"):
            page = browser.page(f"{link}#room={room or game}&game={game}", **how)
            page.reads("You were invited to the table")
            page.write("#name", name)
            page.click("#any")
            page.reads("You sit at seat", "#log")
            pages.append(page)
        for page in pages:
            page.until("document.querySelector('#view > dl > div')")
        return pages[0], pages[1]

    return sit


FIELDS = """Object.fromEntries([...document.querySelectorAll("#view > dl > div")].map((one) =>
    [one.querySelector("dt").innerText, one.querySelector("dd").innerText.split(/\\s+/).join(" ").trim()]))"""


def fields(page: Page) -> dict[str, str]:
    """Return what is read in each field."""
    found: dict[str, str] = page.value(FIELDS)
    return found


def test_names_stand_where_the_rules_have_an_entry_for_each_seat_and_nowhere_else(
    seats: Callable[..., tuple[Page, Page]],
) -> None:
    ann, bob = seats("Named")

    assert fields(ann) == {
        "sizes": "10 ship 20 boat",
        "counts": "1 3 2 0",
        "exact": "0 7 1 8",
        "pile": "SPADES 4",
        "path": "5 6 7 8",
        "dice": "3 4",
        "tiles": "coins: 1 coins: 2",
        "hands": "Ann (you) HEARTS 1 SPADES 2 Bob × 2, hidden",
        "scores": "Ann (you) 11 Bob 12",
        "purses": "Ann (you) coins 0.65 Bob coins 0.65",
        "stores": "Ann (you) wood 1 Bob wood 1",
        "trick": "empty",
        "dealer": "1 Bob",
        "places": "a1 – b2 –",
    }
    assert ann.text("#view .go") == "SPADES 2"
    ann.click("[data-key='lay 1']")
    bob.reads("Nothing can be done: the rules are stuck", "#status")  # who deals lays nothing
    seen = fields(bob)
    assert (seen["hands"], seen["trick"]) == ("Ann × 1, hidden Bob (you) HEARTS 1 SPADES 2", "Ann 1")
    assert seen["places"] == "a1 0 Ann b2 –"
    assert ann.problems + bob.problems == []


def test_what_is_hidden_none_and_empty_look_different(seats: Callable[..., tuple[Page, Page]]) -> None:
    ann, bob = seats("Kinds")

    seen = fields(ann)
    assert seen == {
        "own": "Ann (you) – Bob ?",
        "other": "Ann (you) ? Bob –",
        "hidden": "?",
        "counted": "× 3, hidden",
        "nothing": "–",
        "text": "“”",
        "things": "empty",
        "items": "empty",
        "mixed": "“” a",
        "bits": "0 1 0 1 0 1",
        "owner": "–",
        "long": "0.65",
        "large": "1234568",
        "ways": "NORTH|EAST",
        "doors": "hall EAST cell 0",
    }
    assert fields(bob) == seen | {"own": "Ann ? Bob (you) spy", "other": "Ann hat Bob (you) ?"}
    assert ann.value("document.querySelectorAll('#view .seat').length") == 0  # bits are nobody's
    tree = ann.ask("Accessibility.getFullAXTree")["nodes"]
    said = [node["name"]["value"] for node in tree if not node["ignored"] and node["role"]["value"] in ("img", "image")]
    assert said.count("hidden") == 4


CROSSES = """[...document.querySelectorAll("#view .grid > .item")].filter((one) =>
    one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1).map((one) => one.innerText)"""
LEFT = """[...document.querySelectorAll("#view .grid.records > .item")].map((one) =>
    Math.round(one.getBoundingClientRect().x))"""


@pytest.mark.parametrize("width", [1280, 390])
def test_grids_line_up_are_numbered_and_stay_grids(seats: Callable[..., tuple[Page, Page]], width: int) -> None:
    ann, bob = seats("Grids", room=f"grids {width}", width=width, height=800)

    assert ann.value(CROSSES) == []
    numbers = "[...document.querySelector('.grid').querySelectorAll('.number')].map((one) => one.innerText).join(' ')"
    assert ann.value(numbers).split() == ["0", "1", "2", "0", "1", "2", "3"]
    columns = ann.value(LEFT)
    assert columns == columns[:3] * 3
    assert ann.value("document.querySelector('.records .seat').title") == "Ann"
    assert ann.value("document.documentElement.scrollWidth <= innerWidth")
    for number in range(2):
        ann.click("[data-key='take 2']")
        ann.until(f"document.querySelector('.grid').querySelectorAll('.item').length === {11 - number}")
    assert len(re.findall("class=.grid ", ann.value("document.querySelector('#view').innerHTML"))) == 2
    assert fields(ann)["growing"] == "1 2 3 4 5 6 7 8 9 9"
    assert ann.text("#view .go") == "owner: Bob, kind: smith"
    ann.click("#view .go")
    ann.until(f"({FIELDS}).camp === 'owner: Ann, kind: cook'")
    assert ann.value("document.querySelectorAll('#view .go').length") == 0
    assert bob.problems + ann.problems == []
