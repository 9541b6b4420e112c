"""What is played and told on the page of a table: buttons, what is typed, refusals, answers, and how a game ends."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chromium import IN_CHROMIUM, Browser, Page
from programs import served

GAMES = """
from netcode.turns import Clock, Free, Game, Owned, move, options, serve

WORD = Free(str, lambda dice: "plum", lambda word: None if word else "say something")

class Odd(Game):
    seats = 1, 1
    got: list[str] = []

    @options(word=WORD, way=[None, "", 1, "1"])
    def setup(self, word: str = "w", way: int | str | None = None) -> None:
        self.got = [repr(word), repr(way)]

    @move(first=[None, "wood"], second=[None, "wood"])
    def give(self, first: str | None, second: str | None) -> None:
        self.got = [repr((first, second))]
        self.turn_to(0)

    @move(one=[[1, 2], [1]], other=[[3], [2, 3]])
    def walk(self, one: list[int], other: list[int]) -> None:
        self.require(one == [1, 2] or other == [2, 3], "that is not three of them")
        self.got = [f"{one} {other}"]

    @move
    def pick(self) -> None:
        self.got = [repr(self.ask(0, [None, "nothing", "", "wood"], "which one, or none?"))]

    @move(word=WORD, number=Free(int, lambda dice: 4, lambda number: None if number < 9 else "too large"))
    def say(self, word: str, number: int) -> None:
        self.got = [repr(word), repr(number)]

    @move
    def call(self) -> None:
        self.got = [repr(self.ask(0, WORD, "first?"))]
        self.got.append(repr(self.ask(0, WORD, "second?")))

    @move
    def lose(self) -> None:
        self.finish(scores=[0.1 + 0.2])

class Throws(Game):
    thrown: dict[int, str] = {}

    def round(self) -> None:
        self.tell("only you know", to=1)
        self.tell("all know")
        self.thrown = self.ask_all(self.players, ["rock", "paper"], "what do you throw?")
        if len(set(self.thrown.values())) == 1:
            self.finish(*self.players)

class Late(Game):
    clock = Clock(per_move=2)
    undo = True
    steps: list[int] = []

    @move(step=[1, 2])
    def go(self, step: int) -> None:
        self.steps.append(step)

    @move
    def ask_other(self) -> None:
        self.steps.append(self.ask(1 - self.mover, [5, 6], "five or six?", default=6))

    @move
    def draw(self) -> None:
        self.finish(scores=[1, 1])

    def timeout(self, seat: int) -> None:
        self.tell("what a pity")
        self.turn_to(1 - seat)

class Slow(Game):
    undo = True
    steps: list[int] = []

    @move(step=[1, 2])
    def go(self, step: int) -> None:
        self.random.randint(1, 6)
        self.steps.append(step)

    @move
    def lose(self) -> None:
        self.finish(text="the dragon did")

    @move
    def tie(self) -> None:
        self.finish(scores=[2, 2])

class Three(Game):
    seats = 3, 3
    undo = True

    @move
    def hit(self) -> None:
        self.random.randint(1, 6)
        self.out(2)

class Alone(Game):
    seats = 1, 1
    undo = True
    die: int = 0

    @move
    def roll(self) -> None:
        self.die = self.random.randint(1, 6)

class Stuck(Game):
    seats = 1, 1
    left: int = 1

    @move
    def take(self) -> None:
        self.require(self.left > 0, "nothing is left")
        self.left -= 1

games = Odd, Alone, Stuck, Throws, Late, Slow, Three
serve(*games, host="127.0.0.1", port=0, store=None, web=True, moves_per_second=200)
"""

pytestmark = IN_CHROMIUM


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(GAMES, tmp_path_factory.mktemp("server")) as link:
        yield link


Sit = Callable[..., Page]


@pytest.fixture
def sit(browser: Browser, link: str) -> Sit:
    def sit(game: str, room: str, name: str = "Ann", way: str = "any", **how: Any) -> Page:
        page = browser.page(f"{link}#room={room}&game={game}", **how)
        page.reads("You were invited to the table")
        page.write("#name", name)
        page.click(f"#{way}")
        page.reads("You watch." if way == "watch" else "You sit at seat", "#log")
        return page

    return sit


def buttons(page: Page) -> list[str]:
    """Return what the buttons of plays say."""
    found: list[str] = page.value(
        "[...document.querySelectorAll('#plays > p button')].map((one) => one.innerText).filter((text) => text)"
    )
    return found


def press(page: Page, text: str) -> None:
    """Click the one button that says so, and no other."""
    page.until(f"[...document.querySelectorAll('#plays button')].some((one) => one.innerText === {text!r})")
    found = f"[...document.querySelectorAll('#plays button')].filter((one) => one.innerText === {text!r})"
    assert page.value(f"{found}.length") == 1
    page.value(f"{found}[0].click()")


def test_each_button_says_what_no_other_does(sit: Sit) -> None:
    page = sit("Odd", "buttons")
    page.reads("Your turn", "#status")

    assert buttons(page) == [
        "give nothing nothing", "give nothing wood", "give wood nothing", "give wood wood",
        "walk one: [1,2], other: [3]", "walk 1 2 2 3", "walk one: [1], other: [2,3]", "pick", "call", "lose",
    ]  # fmt: skip
    press(page, "give wood nothing")
    page.reads("('wood', None)", "#view")
    press(page, "pick")
    page.reads("which one, or none?", "#status")
    assert buttons(page) == ["answer: nothing", 'answer: "nothing"', "“”", "wood"]
    press(page, "answer: nothing")
    page.reads("None", "#view")
    press(page, "pick")
    press(page, "“”")
    page.reads("''", "#view")
    assert page.problems == []


def test_whose_turn_it_is_with_nothing_to_do_reads_that_the_rules_are_stuck(sit: Sit) -> None:
    page = sit("Stuck", "stuck")
    page.reads("Your turn", "#status")

    press(page, "take")

    page.reads("Nothing can be done: the rules are stuck", "#status")
    assert page.problems == []


@pytest.mark.parametrize("word", ["1984", "true", "null", "[1]", '"plum"', "two words"])
def test_what_is_typed_for_a_text_is_that_text(sit: Sit, word: str) -> None:
    page = sit("Odd", f"typed {word}")
    page.reads("Your turn", "#status")
    page.write("[data-key='say word']", word)
    page.write("[data-key='say number']", "3")
    page.click("[data-key='do say']")
    page.reads(repr(word), "#view")
    assert page.value("document.querySelector('[data-key=\"say word\"]').value") == ""  # and is not there again

    press(page, "call")
    page.reads("first?", "#status")
    page.write("[data-key=answer]", word)
    page.click("[data-key='do ']")
    page.reads("second?", "#status")
    assert page.value("document.querySelector('[data-key=answer]').value") == ""
    page.click("[data-key='draw ']")
    page.until("document.querySelector('[data-key=answer]').value === 'plum'")
    page.click("[data-key='do ']")
    page.reads(repr("plum"), "#view")
    assert page.problems == []


def test_an_option_that_is_a_text_is_typed_as_one(browser: Browser, link: str) -> None:
    page = browser.page(link)
    page.reads("Play with friends")
    assert page.value("document.querySelector('[name=word]').value") == "w"
    said = "[...document.querySelectorAll('[name=way] option')].map((one) => one.innerText)"
    assert page.value(said) == ["nothing", "“”", "way: 1", 'way: "1"']
    page.value("document.querySelector('[name=way]').value = '\"1\"'")
    page.write("[name=word]", "1984")
    page.click("#any")
    page.reads("'1984'", "#view")
    page.reads("'1'", "#view")


def test_a_refusal_is_in_sight_on_a_phone_until_the_next_play(sit: Sit) -> None:
    page = sit("Odd", "refused", width=390, height=800)
    page.reads("Your turn", "#status")
    page.write("[data-key='say word']", "fig")
    page.write("[data-key='say number']", "12")
    page.click("[data-key='do say']")

    page.reads("say fig 12: too large", "#refused")
    assert page.value("document.querySelector('#refused').role") == "alert"
    box = page.value("(box => [box.top, box.bottom])(document.querySelector('#refused').getBoundingClientRect())")
    assert box[0] >= 0
    assert box[1] <= 800
    page.write("[data-key='say number']", "5")
    page.click("[data-key='do say']")
    page.reads("'fig'", "#view")
    assert page.text("#refused") == ""


def test_who_has_answered_reads_what_and_that_it_may_be_changed(sit: Sit) -> None:
    ann, bob = sit("Throws", "throws"), sit("Throws", "throws", "Bob")
    ann.reads("what do you throw?", "#status")
    press(ann, "rock")
    ann.reads("You answered: rock; waiting for Bob (you may change it)", "#status")
    assert ann.value("document.querySelector('#plays .chosen').innerText") == "rock"
    press(ann, "paper")
    ann.reads("You answered: paper; waiting for Bob", "#status")
    ann.reload()
    ann.reads("You answered: paper; waiting for Bob", "#status")
    assert "Ann answered" in bob.text("#log")

    press(bob, "rock")
    ann.reads("what do you throw?", "#status")
    press(ann, "rock")
    press(bob, "rock")
    for page in (ann, bob):
        page.reads("All won", "#status")
        assert page.problems == []


def test_what_was_told_and_said_outlives_a_reload(sit: Sit) -> None:
    ann, bob = sit("Throws", "told"), sit("Throws", "told", "Bob")
    bob.reads("only you know (not told to all)\nall know", "#log")
    ann.write("#text", "hello " * 40)
    ann.press("Enter")
    bob.reads("Ann: hello", "#log")
    ann.resize(300, 900)  # a phone is turned: the lines break anew
    ann.until("(log => log.scrollHeight > log.clientHeight)(document.querySelector('#log'))")
    ann.until("(log => log.scrollTop + log.clientHeight > log.scrollHeight - 2)(document.querySelector('#log'))")
    bob.reload()

    bob.reads("only you know (not told to all)\nall know\nAnn: hello", "#log")
    ann.reload()
    ann.reads("all know\nAnn: hello", "#log")
    assert "only you" not in ann.text("#log")
    bob.click("#leave")
    bob.click("#leave")
    bob.reads("you left the table", "#notice")
    assert bob.value("sessionStorage.length") == 0
    ann.reads("Bob has left", "#log")


def test_a_time_that_is_up_and_answers_by_default_are_told(sit: Sit) -> None:
    ann, bob = sit("Late", "late"), sit("Late", "late", "Bob")
    ann.reads("Your turn", "#status")
    press(ann, "ask_other")
    ann.reads("Bob did not answer: the default counts", "#log")
    ann.until("document.querySelector('#log').innerText.includes('is up')")
    bob.reads("is up\nwhat a pity", "#log")
    assert ann.problems + bob.problems == []


def test_a_refused_undo_and_how_a_game_ends_are_told(sit: Sit) -> None:
    ann, bob = sit("Slow", "slow"), sit("Slow", "slow", "Bob")
    ann.reads("Your turn", "#status")
    press(ann, "go 1")
    ann.click("[data-key='Ask to take back']")
    bob.click("[data-key=Refuse]")
    for page in (ann, bob):
        page.reads("Bob does not agree to take the move back", "#log")
    press(bob, "tie")
    ann.reads("A draw (Ann 2, Bob 2)", "#status")

    ann.click("[data-key='Play again']")
    bob.reads("Ann would like another game", "#ask")  # which moves the button
    bob.click("[data-key='Play again']")
    ann.reads("Your turn", "#status")
    press(ann, "lose")
    ann.reads("Nobody won: the dragon did", "#status")
    assert ann.problems + bob.problems == []


def test_who_is_out_is_told_of_an_undo_and_not_asked(sit: Sit) -> None:
    ann, bob, cid = (sit("Three", "three", name) for name in ("Ann", "Bob", "Cid"))
    press(ann, "hit")
    ann.click("[data-key='Ask to take back']")
    for page, asked in (bob, "AllowRefuse"), (cid, ""):
        page.reads("Ann would like to take the last move back", "#ask")
        assert page.value("[...document.querySelectorAll('#ask button')].map((one) => one.innerText).join('')") == asked
    bob.click("[data-key=Allow]")
    cid.reads("Taken back", "#log")
    assert not cid.value("document.querySelector('#view').checkVisibility()")  # the game has no fields
    assert ann.problems + bob.problems + cid.problems == []


def test_who_plays_alone_asks_nobody(sit: Sit) -> None:
    page = sit("Alone", "alone")
    page.reads("Your turn", "#status")
    press(page, "roll")
    page.click("[data-key='Take back']")
    page.reads("Taken back", "#log")

    page = sit("Odd", "lost")
    press(page, "lose")
    page.reads("Nobody won (Ann 0.3)", "#status")
