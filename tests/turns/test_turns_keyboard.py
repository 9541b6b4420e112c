"""What several people at one keyboard are asked, and what none of them reads that is for another one."""

import io

import pytest
from terminals import Terminal

from netcode.turns import Clock, Game, Hidden, Owned, move
from netcode.turns.language.domains import Free
from netcode.turns.simulate import Choice
from netcode.turns.table import Table
from netcode.turns.terminal.local_play import play_locally
from netcode.turns.terminal.local_table import LocalTable
from netcode.turns.terminal.screen import Screen

CLEARED = "\x1b[2J\x1b[3J\x1b[H"


class Typist:
    """Types what it was given, and then is gone; a number lets so many seconds pass."""

    def __init__(self, *lines: str | float) -> None:
        self.lines, self.now = [*lines], 100.0

    def __call__(self, seconds: float | None) -> str | None:
        if not self.lines:
            raise EOFError
        line = self.lines.pop(0)
        if isinstance(line, str):
            return line
        self.now += line
        return None if seconds is not None and seconds <= line else self(seconds)


def first(table: Table, seat: int) -> Choice | None:
    plays = table.legal(seat).plays
    return next(iter(plays), None)


def played(
    game: type[Game],
    *lines: str | float,
    names: tuple[str, ...] = ("Ann", "Bob"),
    bots: tuple[int, ...] = (),
    wiped: bool = True,
) -> str:
    """Return what was written while these lines were typed, at a terminal that is wiped or at a plain one."""
    out, typist = Terminal() if wiped else io.StringIO(), Typist(*lines)
    screen = Screen(out)
    screen._console = None
    table = LocalTable(game, names, {}, bytes(32), clock=lambda: typist.now)
    try:
        play_locally(table, bots, screen, typist, first)
    except EOFError:
        pass
    else:
        assert typist.lines == []
    return out.getvalue().replace(CLEARED, "<wiped>\n")


class Throws(Game):
    seats = 1, 3
    thrown: dict[int, str] = {}

    def round(self) -> None:
        self.thrown = self.ask_all(self.players, ["rock", "paper"], "what?")
        self.finish(text=" and ".join(self.thrown[seat] for seat in self.players))


def test_each_of_several_who_are_asked_is_asked_once() -> None:
    text = played(Throws, "rock", "", "paper")

    assert text.count("Ann to move") == 1
    assert text.count("Bob to move") == 1
    assert "nobody won: rock and paper" in text


def test_who_answers_together_with_a_bot_is_asked_once() -> None:
    assert "nobody won: paper and rock" in played(Throws, "paper", bots=(1,))


def test_what_one_of_several_typed_is_wiped_before_the_next_is_asked_for() -> None:
    text = played(Throws, "rock", "", "paper")

    assert text.index("Ann moved\n<wiped>\n") < text.index("Ann moved\nhand over to Bob, who presses Enter\n")
    assert text.count("hand over") == 1  # the last answer is shown at once, and there is nothing to hide


class Thrown(Game):
    """The same by moves, kept where nobody sees it."""

    _thrown: dict[int, str] = {}
    rounds: int = 0

    def setup(self) -> None:
        self.turn_to(*self.players)

    @move(what=["rock", "paper"])
    def throw(self, what: str) -> None:
        self._thrown[self.mover] = what

    def round(self) -> None:
        self.tell(" against ".join(self._thrown.values()))
        self.rounds += 1
        self.turn_to(*self.players)
        if self.rounds == 2:
            self.finish(*self.players)


def test_what_several_move_at_once_is_wiped() -> None:
    text = played(Thrown, "rock", "", "paper", "paper", "", "rock")

    assert text.count("<wiped>") == 2
    assert "rock against paper" in text


class Offers(Game):
    """Whoever answers first has it."""

    seats = 2, 3
    taken: str = ""

    @move
    def offer(self) -> None:
        seat, word = self.ask_any(
            [*self.players], lambda seat: ["mine"] if seat != self.mover else ["nobody's"], "whose?"
        )
        self.taken = f"{self.names[seat]}: {word}"
        self.finish(seat)


def test_any_person_may_answer_and_leave_it_to_the_others() -> None:
    text = played(Offers, "offer", "", "mine", names=("Ann", "Bob", "Cid"))

    assert [line for line in text.splitlines() if line.endswith("to move")] == [
        "-- Ann to move",
        "-- Bob to move",
        "-- Cid to move",
    ]
    assert text.count("or press Enter to leave it to the others") == 2
    assert "Cid won" in text


def test_who_asked_may_answer_last_and_somebody_has_to() -> None:
    text = played(Offers, "offer", "", "", "", "mine", names=("Ann", "Bob", "Cid"))

    assert text.count("-- Ann to move") == 2
    assert "all have left it to the others; somebody has to answer\n-- Bob to move" in text
    assert "Bob won" in text


def test_bots_answer_what_people_leave_to_them() -> None:
    assert "Bob won" in played(Offers, "offer", "", bots=(1,))
    assert "Ann won" in played(Offers, "offer", "nobody's", bots=(1,))


class Roles(Game):
    _roles: list[str] = []

    def setup(self) -> None:
        self._roles = ["thief", "guard"]
        for seat in self.players:
            self.tell(f"you are the {self._roles[seat]}", to=seat)
        self.tell("the roles are dealt", to=self.players)

    @move
    def peek(self) -> None:
        self.tell(f"there sits the {self._roles[1 - self.mover]}", to=self.mover)

    @move
    def hint(self) -> None:
        self.tell("I know you", to=1 - self.mover)

    @move
    def stop(self) -> None:
        self.tell("good-bye", to=1 - self.mover)
        self.finish()


def test_what_one_is_told_alone_waits_until_that_one_sits_there() -> None:
    text = played(Roles, "", "hint", "")

    before, ann, bob = text.split("<wiped>\n")
    assert "you are" not in before
    assert "the roles are dealt\n" in before
    assert "for Ann alone: you are the thief\n" in ann
    assert "for Bob alone: you are the guard\nfor Bob alone: I know you\n" in bob
    assert "guard" not in ann
    assert "thief" not in bob


def test_who_is_told_something_by_their_own_move_has_time_to_read_it() -> None:
    text = played(Roles, "", "peek", "", "")

    assert "for Ann alone: there sits the guard\npress Enter when you have read it\n<wiped>\n" in text


def test_a_game_comes_to_its_end_where_nobody_says_any_more_that_it_was_read() -> None:
    class Whispered(Game):
        reveal = False
        number: Hidden[int] = 0

        @move
        def look(self) -> None:
            self.tell("it is 7", to=self.mover)
            self.finish(self.mover)

    text = played(Whispered, "", "look")

    before, after = text.split("press Enter when you have read it\n<wiped>\n")
    assert "for Ann alone: it is 7\n" in before
    assert "-- at the end\n" in after


def test_what_is_told_to_all_who_are_here_or_to_nobody_here_is_told_so() -> None:
    alone = played(Roles, "hint", bots=(1,))

    assert "you are the thief\nthe roles are dealt\n" in alone
    assert "alone" not in alone
    assert "guard" not in alone


def test_what_could_not_be_told_any_more_is_said_at_the_end() -> None:
    closed = type("Closed", (Roles,), {"reveal": False})

    assert "for Bob alone: good-bye\n" in played(Roles, "", "stop")
    assert "good-bye" not in played(closed, "", "stop")


class Hangman(Game):
    word: Hidden[str] = ""
    pile: Hidden[list[int]] = [1, 2, 3]
    drawn: list[int] = []

    @move(word=Free(str, lambda dice: "pear", lambda word: None if word else "say something"))
    def think(self, word: str) -> None:
        self.word = word
        self.tell("I have one")

    @move(many=[1, 2])
    def draw(self, many: int) -> None:
        self.drawn += [self.pile.pop() for _ in range(many)]

    @move
    def shuffle(self) -> None:
        self.random.shuffle(self.pile)

    @move(card=[7])
    def bury(self, card: int) -> None:
        self.pile.append(card)


def test_what_was_typed_into_a_hidden_field_is_wiped_and_the_news_are_told_again() -> None:
    text = played(Hangman, "think ice cream", "", "draw 1")

    told = "Ann moved: think\nI have one\n"
    assert f"{told}<wiped>\nby number: 0 is Ann, 1 is Bob\n{told}hand over to Bob, who presses Enter\n" in text
    assert "ice cream" not in text
    assert text.count("hand over") == 1  # what is drawn from a pile tells nothing


@pytest.mark.parametrize(("line", "wiped"), [("draw 2", False), ("shuffle", False), ("bury 7", True)])
def test_the_screen_is_wiped_only_for_what_is_new_where_nobody_sees_it(line: str, wiped: bool) -> None:
    assert ("<wiped>" in played(Hangman, line)) == wiped


class Secret(Game):
    """Each is asked for what is hidden."""

    _number: int = 4

    def round(self) -> None:
        for seat in self.players:
            self.ask(seat, [self._number, self._number + 1], "which?")
        self.finish()


def test_a_question_where_anything_is_hidden_is_for_its_seat_alone() -> None:
    assert played(Secret, "", "4", "", "5").count("<wiped>") == 2


class Bids(Game):
    reveal = False
    gold: Owned[list[int]] = [31, 47]

    def stakes(self) -> list[int]:
        return [1, self.gold[self.mover]]

    @move(amount=stakes)
    def bid(self, amount: int) -> None:
        self.tell("you have seen it", to=self.mover)
        self.finish(self.mover, text="enough")


def test_what_the_end_does_not_open_is_wiped_at_the_end() -> None:
    text = played(Bids, "", "1", "")

    seen, left = text.rsplit("<wiped>", 1)
    assert "31" in seen
    assert "31" not in left
    assert left.splitlines()[2:5] == ["Ann moved: bid", "Ann won: enough", "-- at the end"]


def test_where_nothing_is_wiped_nothing_is_told_twice() -> None:
    assert played(Hangman, "think pear", "", wiped=False).count("I have one") == 1


class Blitz(Game):
    clock = Clock(per_move=5)
    ticks: list[int] = [0, 0]

    @move
    def tick(self) -> None:
        self.ticks[self.mover] += 1

    def timeout(self, seat: int) -> None:
        self.tell(f"{self.names[seat]} was too slow")
        if seat == 1:
            self.finish(0)
        else:
            self.turn_to(1)


def test_a_clock_that_runs_out_while_nobody_types_gives_the_turn_to_others() -> None:
    text = played(Blitz, 6.0, 1.0, 6.0)

    assert "the time of Ann is up\nAnn was too slow\n-- Bob to move\n" in text
    assert "the time of Bob is up\nBob was too slow\nAnn won\n" in text


def test_a_line_that_comes_too_late_plays_nothing() -> None:
    out, typist = io.StringIO(), Typist(6.0, "tick")
    table = LocalTable(Blitz, ["Ann", "Bob"], {}, bytes(32), clock=lambda: typist.now)

    def slow(_seconds: float | None) -> str | None:  # a keyboard that cannot be waited for less long
        return typist(None)

    with pytest.raises(EOFError):
        play_locally(table, (), Screen(out), slow, first)

    assert "Ann was too slow\n-- Bob to move\n" in out.getvalue()
    assert table.view(None).ticks == [0, 0]


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have it be written where what was typed ahead is thrown away."""

    def forget(screen: Screen, seconds: float = 0.0) -> None:
        screen.line(f"(what was typed{' within a second' if seconds == 1.0 else ''} is thrown away)")

    monkeypatch.setattr(Screen, "forget_typed", forget)


@pytest.mark.usefixtures("forgetful")
def test_what_was_begun_for_a_turn_that_is_over_is_not_typed_into_the_next() -> None:
    text = played(Blitz, 10.0, 10.0)

    assert text.count("(what was typed is thrown away)\nthe time of") == 2


@pytest.mark.usefixtures("forgetful")
def test_an_enter_too_many_does_not_take_over_the_keyboard() -> None:
    text = played(Throws, "", "rock", names=("Ann", "Bob"))

    assert text.splitlines()[-2:] == [
        "hand over to Bob, who presses Enter",
        "(what was typed within a second is thrown away)",
    ]


class Hands(Blitz):
    @move
    def look(self) -> None:
        self.tell("a look", to=self.mover)


def test_no_clock_counts_while_the_keyboard_is_handed_over() -> None:
    text = played(Hands, "look", "", 60.0, "", "tick")

    assert "Bob was too slow" not in text
    assert "Bob moved: tick" in text


class Count(Game):
    seats = 1, 2
    total: int = 0
    eyes: list[int] = []

    @move(number=range(1, 9))
    def add(self, number: int) -> None:
        self.total += number
        self.eyes.append(self.random.randrange(1000))
        if self.total > 40:
            self.finish()


def test_an_undo_against_a_bot_goes_back_to_before_ones_own_move() -> None:
    out, typist = io.StringIO(), Typist("add 4", "undo", "undo", "add 2")
    table = LocalTable(Count, ["Ann", "Bob"], {}, bytes(32), clock=lambda: typist.now)
    with pytest.raises(EOFError):
        play_locally(table, (1,), Screen(out), typist, first)

    text = out.getvalue()
    assert table.view(None).total == 3  # ours, and what the bot answered it
    assert "taken back: Ann took a move back\n" in text
    assert "there is no move of yours to take back" in text
    assert text.count("Bob moved") == 2


def test_what_was_drawn_is_drawn_otherwise_after_an_undo_against_a_bot() -> None:
    def eyes(*lines: str) -> list[int]:
        table = LocalTable(Count, ["Ann", "Bob"], {}, bytes(32))
        with pytest.raises(EOFError):
            play_locally(table, (1,), Screen(io.StringIO()), Typist(*lines), first)
        drawn: list[int] = table.view(None).eyes
        return drawn

    assert eyes("add 4")[0] != eyes("add 4", "undo", "add 4")[0]


class Asks(Game):
    """Asks the one who has not moved, and a round that is nobody's move."""

    answers: list[str] = []

    def setup(self) -> None:
        self.turn_to()

    def round(self) -> None:
        self.answers.append(self.ask(0, ["yes", "no"], "well?"))
        self.turn_to(1)

    @move
    def go(self) -> None:
        self.turn_to()


def test_an_answer_to_a_round_is_taken_back_with_what_a_bot_did_after_it() -> None:
    out, typist = io.StringIO(), Typist("yes", "undo", "no")
    table = LocalTable(Asks, ["Ann", "Bob"], {}, bytes(32), clock=lambda: typist.now)

    with pytest.raises(EOFError):
        play_locally(table, (1,), Screen(out), typist, first)

    assert table.view(None).answers == ["no"]


def test_a_game_of_one_has_no_numbers_and_no_others() -> None:
    text = played(Throws, "rock", names=("Ann",))

    assert "by number" not in text
    assert "nobody won: rock" in text


@pytest.mark.parametrize("line", ["", "help", "nonsense"])
def test_a_line_that_plays_nothing_is_followed_by_another_one(line: str) -> None:
    assert "Ann moved: add" in played(Count, line, "add 1")
