"""Tables over a network: seats, keys, rooms, storage before answers, freezing, absence, and bounds."""

import enum
import gc
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from netcode import Client
from netcode.diagnostics import log
from netcode.turns.events import Gone, Moved, Over, Presence, Refused, Said, Seated, Started, TakenBack, Told
from netcode.turns.language.clocks import Clock
from netcode.turns.language.domains import Free
from netcode.turns.language.marks import Owned
from netcode.turns.rules import Game, move, options
from netcode.turns.seat import Seat
from netcode.turns.server import BREATH, BREATH_EACH, DRAIN_STEP, SHARE, Server, serve
from netcode.turns.serving.room import Room, digest_of_key
from netcode.turns.serving.room import Seat as Seated_
from netcode.turns.store import Entry, Listing, Lost, Saved, State, Unavailable
from netcode.turns.store.memory import MemoryStore
from netcode.turns.store.sqlite import SqliteStore
from netcode.turns.table import Result, Step
from netcode.turns.values import pack
from turns.hall import HOST, PORT, TICK, Grab, Hall, Secrets, TicTacToe


class Failing(MemoryStore):
    """A store whose appends fail on demand."""

    trouble: BaseException | None = None

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        if self.trouble is not None:
            raise self.trouble
        super().append(entries, states, listings)


class Endless(Game):
    moves: int = 0

    @move
    def go(self) -> None:
        self.moves += 1


class Reentrant(Game):
    """Updates the server from a thread of its own, in the middle of a rule."""

    moves: int = 0

    @move
    def go(self) -> None:
        self.moves += 1
        thread = threading.Thread(target=UPDATES.pop()) if UPDATES else None
        if thread is not None:
            thread.start()
            thread.join()


UPDATES: list[Callable[[], None]] = []


def two(hall: Hall, **wanted: Any) -> tuple[Seat[Any], Seat[Any]]:
    return hall.join(name="Ann", **wanted), hall.join(name="Bob", **wanted)


def test_an_update_from_another_thread_while_a_rule_runs_is_refused() -> None:
    hall, said = Hall(Reentrant), list[str]()
    server = hall.serve()

    def update() -> None:
        try:
            server.update()
        except RuntimeError as error:
            said.append(str(error))

    UPDATES[:] = [update] * 2  # the move is tried, perhaps, and then made
    ann, _ = hall.join(Reentrant, name="Ann"), hall.join(Reentrant, name="Bob")
    hall.move(ann, "go")
    hall.play(1.0)
    hall.close()

    assert {*said} == {"Server.update() is already running: call it from one place, in one thread"}
    assert ann.view.moves == 1


def test_an_update_that_failed_is_over(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    server = hall.serve()
    monkeypatch.setattr(server, "_step", partial(signal.default_int_handler, 2, None))

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            server.update()


def test_two_strangers_are_brought_together_and_play_to_the_end(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)

    hall.finish(ann, bob)

    assert (ann.seat, bob.seat, ann.names, ann.view.cells) == (0, 1, ("Ann", "Bob"), bob.view.cells)
    assert ann.result == bob.result == Result((0,))
    assert hall.heard(ann, Seated, Started) == [Seated(0, "Ann"), Seated(1, "Bob"), Started()]
    assert len(hall.heard(bob, Moved)) == 7
    assert hall.heard(bob, Over) == [Over(Result((0,)))]


def test_a_move_shows_what_was_before_and_after(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)

    hall.move(ann, TicTacToe.mark(4))

    [moved] = hall.heard(bob, Moved)
    assert (moved.seat, moved.name) == (0, "mark")
    assert moved.before.cells == [None] * 9
    assert moved.after.cells == [None] * 4 + [0] + [None] * 4


def test_what_is_not_legal_is_refused_to_the_one_who_tried(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    hall.move(ann, "mark", cell=4)

    hall.move(bob, "mark", cell=4)
    hall.move(ann, "mark", cell=0)
    hall.move(bob, "dance")

    assert hall.heard(bob, Refused)[0].text == "that cell is taken"
    assert len(hall.heard(bob, Refused)) == 2
    assert len(hall.heard(ann, Refused)) == 1
    assert bob.view.cells.count(None) == 8


def test_legal_plays_are_listed_for_the_one_to_move(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)

    hall.move(ann, ann.legal[0])

    assert ann.legal == ()
    assert [*bob.legal] == [TicTacToe.mark(cell) for cell in range(1, 9)]
    assert (ann.my_turn, bob.my_turn) == (False, True)


def test_one_play_is_outstanding_at_a_time(hall: Hall) -> None:
    hall.serve()
    ann, _ = two(hall)

    ann.play("mark", cell=0)

    with pytest.raises(RuntimeError, match=r"mark\(cell=0\) is pending"):
        ann.play("mark", cell=1)


def test_a_question_is_asked_of_one_and_answered(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall, game=Secrets, players=2)
    hall.move(ann, "draw")

    assert ann.question is not None
    assert (ann.question.prompt, ann.question.options) == ("how do you show it?", ("as it is", "doubled"))
    assert bob.question is None
    [told] = hall.heard(ann, Told)
    assert told.facts == {"card": ann.view.hands[0][0]}
    assert hall.heard(bob, Told) == []
    assert bob.view.hands[0] in (None, [None])
    ann.answer("doubled")
    hall.until(lambda: ann.pending is None)
    hall.play(2 * TICK)
    assert bob.view.shown == [2 * told.facts["card"]]


def test_a_play_right_before_a_goodbye_counts(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    ann.play("mark", cell=4)
    ann.close()
    hall.play(1.0)

    assert bob.view.cells[4] == 0
    assert [type(event) for event in hall.heard(bob, Moved, Presence)[-2:]] == [Moved, Presence]


def test_a_program_that_was_started_again_finds_its_seat_by_its_ticket(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    hall.move(ann, "mark", cell=4)
    ann.close()
    hall.play(1.0)
    assert hall.heard(bob, Presence)[-1] == Presence(0, "away", None)

    again = hall.join(ticket=ann.ticket)

    assert (again.seat, again.names, again.view.cells[4]) == (0, ("Ann", "Bob"), 0)
    assert hall.heard(bob, Presence)[-1] == Presence(0, "here", None)
    hall.finish(again, bob)


def test_who_sits_down_again_elsewhere_takes_the_seat_along(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)

    again = hall.join(ticket=ann.ticket)

    assert ann.reason == "you sat down at this seat from elsewhere"
    hall.finish(again, bob)


@pytest.mark.parametrize("ticket", ["", "nothing", "unknown.key", "{table}.wrong", "." * 100])
def test_a_ticket_that_opens_nothing_is_refused(hall: Hall, ticket: str) -> None:
    hall.serve()
    ann, _ = two(hall)
    assert ann.ticket is not None

    stranger = hall.join(ticket=ticket.format(table=ann.ticket.partition(".")[0]))

    assert stranger.reason in ("this table is not kept any more", "this ticket opens no seat at its table")


def test_a_server_that_was_killed_goes_on_where_it_was(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    hall.move(ann, "mark", cell=4)
    hall.kill()
    hall.play(2.0)
    hall.serve()

    hall.until(lambda: all(seat.connected and seat.seated for seat in (ann, bob)))
    assert bob.view.cells[4] == 0
    hall.finish(ann, bob)

    assert ann.result == bob.result
    assert len(hall.heard(ann, Moved)) == 9 - ann.view.cells.count(None)


def test_a_move_that_changed_rules_take_back_is_told_to_each_seat_that_comes_back(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    hall.serve()
    ann, bob = two(hall, game=Secrets, players=2)
    hall.move(ann, "draw")
    assert ann.question is not None
    hall.kill()
    hall.play(2.0)

    def draw(self: Any) -> None:
        self.shown.append(self.ask(self.mover, (1, 2), "how many?"))

    hall.games = (type("Secrets", (Secrets,), {"draw": move(draw), "__module__": __name__}),)
    hall.serve()
    hall.until(lambda: all(seat.connected and seat.seated for seat in (ann, bob)))
    hall.play(5 * TICK)

    for seat in (ann, bob):
        text = "Secrets.draw asks something else than before, so it is taken back"
        assert [(event.seat, event.text) for event in hall.heard(seat, TakenBack)] == [(0, text)]
    assert "Secrets.draw asks something else since the rules were changed, so it is taken back" in caplog.text
    assert "depend on `self` alone" not in caplog.text
    assert ann.question is None
    hall.move(ann, "draw")
    assert ann.question is not None
    assert ann.question.prompt == "how many?"


def farm(kind: Any, first: Any) -> type[Game]:
    """Return rules whose gold is of this type, and at first this."""

    class Farm(Game):
        gold: kind = first  # pyright: ignore
        turns: int = 0

        @move
        def wait(self) -> None:
            self.turns += 1

    return Farm


def test_a_table_that_other_rules_froze_is_shown_to_who_has_these(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    old, new = farm(list[int], [5, 7]), farm(dict[int, int], {0: 5, 1: 7})
    hall.games = (old,)
    hall.serve()
    ann, bob = two(hall, game=old)
    hall.move(ann, "wait")
    hall.kill()
    hall.games = (new,)
    hall.serve()
    hall.until(lambda: ann.frozen != "" and bob.frozen != "")
    again = hall.join(new, ticket=ann.ticket)

    text = "the rules have changed: gold must be dict[int, int], not a list; write upgrade(cls, old)"
    assert (bob.frozen, bob.view.gold, bob.view.turns) == (text, [5, 7], 1)
    assert (again.reason, again.frozen, again.view.gold, again.view.turns) == ("", text, [5, 7], 1)
    told = f"tables of Farm are frozen: {text}; they are kept as they are"
    assert [line for line in caplog.messages if "frozen" in line] == [told]


def renamed() -> type[Game]:
    """Return the rules of a farm whose gold has another name, or began anew."""

    class Farm(Game):
        coins: list[int] = []

        @move
        def wait(self) -> None: ...

    return Farm


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (farm(dict[int, int], {0: 5, 1: 7}), "tables of Farm are frozen: the rules have changed: gold must be"),
        (renamed(), "the rules of Farm have changed: games that run are without gold, turns, and begin with coins"),
        (TicTacToe, "somebody cannot go on with a table: this server does not play Farm any more; have a server"),
    ],
)
def test_each_server_logs_once_what_changed_rules_mean_for_all_tables(
    hall: Hall, changed: type[Game], said: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "INTERVAL", -1.0)  # so that nothing is left out for being the same as a moment ago
    old = farm(list[int], [5, 7])
    hall.games = (old,)
    hall.serve()
    seats = [*two(hall, game=old), *two(hall, game=old)]
    hall.games = (changed,)
    for _ in range(2):
        hall.kill()
        hall.serve()
        caplog.clear()

        for seat in seats:
            hall.join(old, ticket=seat.ticket)
        assert [line[: len(said)] for line in caplog.messages if "Farm" in line] == [said]


def test_a_player_with_other_rules_than_the_server_reads_just_that(hall: Hall) -> None:
    old, new = farm(list[int], [5, 7]), farm(dict[int, int], {0: 5, 1: 7})
    hall.games = (new,)
    hall.serve()
    ann, _bob = two(hall, game=old)

    assert ann.reason == (
        "Farm has other rules here than at the server: gold must be list[int], not a dict; get the file that it serves"
    )


def test_a_play_that_was_on_its_way_when_the_server_died_is_made_once(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    ann.play("mark", cell=0)
    ann.update()
    assert hall.server is not None
    hall.clock.advance(TICK)
    hall.server.update()  # stored, and the answer is lost
    hall.kill()
    hall.serve()

    hall.until(lambda: ann.pending is None)
    hall.until(lambda: bob.seated and bob.view.cells[0] == 0)

    assert ann.view.cells.count(None) == 8
    assert hall.heard(ann, Refused) == []


def test_a_join_whose_answer_was_lost_leads_to_the_same_seat(hall: Hall) -> None:
    hall.serve()
    ann = hall.join(name="Ann")
    bob = hall.begin_to_join(name="Bob")
    for _ in range(100):
        hall.clock.advance(TICK)
        bob.update()
        assert hall.server is not None
        hall.server.update()
        if hall.server.people == 2:
            break
    assert not bob.seated
    hall.kill()
    ann.close()
    hall.serve()

    hall.until(lambda: bob.seated)

    assert (bob.seat, bob.names) == (1, ("Ann", "Bob"))


def test_friends_meet_in_a_room_by_its_code(hall: Hall) -> None:
    hall.serve()
    stranger = hall.join(name="Eve")
    ann, bob = hall.join(room="ours", name="Ann"), hall.join(room="Ours", name="Bob")

    late = hall.join(room="OURS")
    lurker = hall.join(room="ours", watch=True)

    assert (ann.names, stranger.names) == (("Ann", "Bob"), ("Eve",))
    assert late.reason == "the game has begun; to look on, join with watch"
    hall.finish(ann, bob)
    assert lurker.result == ann.result
    with pytest.raises(RuntimeError, match="who watches does not play"):
        lurker.play("mark", cell=1)


def test_a_code_is_free_again_once_its_game_is_over_and_all_have_gone(hall: Hall) -> None:
    hall.games = (Secrets,)
    hall.serve()
    ann, bob = (hall.join(Secrets, room="ours", name=name, players=2) for name in ("Ann", "Bob"))
    lurker = hall.join(Secrets, room="ours", watch=True)
    while not ann.over:
        mover = ann if ann.my_turn else bob
        hall.move(mover, "draw")
        mover.answer("as it is")
        hall.play(4 * TICK)
    bob.leave()
    hall.play(4 * TICK)
    assert hall.join(Secrets, room="ours").reason == "the game has begun; to look on, join with watch"
    ann.close()
    hall.play(4 * TICK)

    carl = hall.join(Secrets, room="ours", name="Carl", options={"size": 7})
    waiting = (carl.names, carl.started, carl.options["size"])
    hall.kill()
    hall.serve()
    hall.play(4 * TICK)
    hall.until(lambda: carl.trouble is None)
    dora = hall.join(Secrets, room="ours", name="Dora")
    carl.start()
    hall.play(4 * TICK)

    assert waiting == (("Carl",), False, 7)
    assert lurker.reason == "the game is over, and others play at this table now; join again to look on"
    assert (carl.seat, dora.seat, carl.names, carl.started) == (0, 1, ("Carl", "Dora"), True)
    assert carl.view.size == 7


def test_two_of_one_name_are_told_apart(hall: Hall) -> None:
    hall.serve()
    ann = hall.join(Secrets, players=4, room="ours", name="Ann")
    hall.join(Secrets, players=4, room="ours", name="ann")
    nameless = hall.join(Secrets, players=4, room="ours")
    watcher = hall.join(Secrets, room="ours", watch=True, name="ANN")
    watcher.say("hello")
    hall.play(0.2)

    assert ann.names == ("Ann", "ann 2", "player 3")
    assert hall.heard(ann, Said) == [Said(None, "ANN 3", "hello")]
    ann.leave()
    hall.play(0.2)
    hall.join(Secrets, players=4, room="ours")
    assert nameless.names == ("ann 2", "player 3", "player 4")


def test_a_long_name_is_told_apart_from_itself(hall: Hall) -> None:
    hall.serve()
    first = hall.join(name="x" * 32)
    hall.join(name="x" * 32)

    assert first.names == ("x" * 32, "x" * 30 + " 2")


def test_a_room_belongs_to_its_game(hall: Hall) -> None:
    hall.serve()
    ann, other = hall.join(room="ours"), hall.join(Secrets, room="ours")

    assert ann.seat == other.seat == 0
    wrong = hall.join(Secrets, room=f"#{ann.ticket.partition('.')[0]}" if ann.ticket else "")
    assert wrong.reason == "that table plays TicTacToe, not Secrets"


def test_options_bring_those_together_who_want_the_same(hall: Hall) -> None:
    hall.serve()
    ann = hall.join(Secrets, options={"size": 6}, name="Ann")
    bob = hall.join(Secrets, options={"size": 7}, name="Bob")
    cid = hall.join(Secrets, options={"size": 7}, name="Cid")

    assert (ann.names, cid.names) == (("Ann",), ("Bob", "Cid"))
    cid.start()
    hall.until(lambda: bob.started)
    assert bob.view.size == 7


def test_what_somebody_left_as_the_game_has_it_is_the_same_as_having_chosen_it(hall: Hall) -> None:
    hall.serve()
    ann = hall.join(Secrets, name="Ann")
    bob = hall.join(Secrets, options={"size": 6}, name="Bob")
    cid = hall.join(Secrets, options={"size": 5}, players=4, name="Cid")
    dan = hall.join(Secrets, options={"size": 5}, players=3, name="Dan")

    assert (ann.names, bob.names, dan.names) == (("Ann", "Cid"), ("Bob",), ("Dan",))
    assert cid.options == {"size": 5}


@pytest.mark.parametrize("game", [Secrets, "Secrets"])
def test_options_are_the_same_before_and_after_the_start_and_after_a_restart(hall: Hall, game: Any) -> None:
    hall.serve()
    chosen = {"clock": {"per_move": 30}}
    ann, bob = hall.join(game, options=chosen), hall.join(game, options=chosen)
    before = ann.options
    ann.start()
    hall.until(lambda: bob.started)
    after = bob.options
    hall.kill()
    hall.serve()
    back = hall.join(game, ticket=bob.ticket)

    assert before == after == back.options == {"size": 5, **chosen}
    assert back.view.options == {"size": 5}


@pytest.mark.parametrize("wanted", [{"options": {"size": 99}}, {"options": {"colour": 1}}, {"players": 9}])
def test_a_table_that_the_game_does_not_have_is_refused(hall: Hall, wanted: dict[str, Any]) -> None:
    hall.serve()

    seat = hall.join(Secrets, **wanted)

    assert seat.reason
    assert hall.server is not None
    assert hall.server.tables == 0


def test_a_table_begins_when_somebody_says_so_and_enough_sit(hall: Hall) -> None:
    hall.serve()
    ann = hall.join(Secrets)
    ann.start()
    hall.play(4 * TICK)
    assert [event.text for event in hall.heard(ann, Refused)] == ["Secrets needs 2 players, and 1 sit here"]
    bob = hall.join(Secrets)
    assert not ann.started

    bob.start()
    hall.until(lambda: ann.started and bob.started)

    assert len(hall.heard(ann, Started)) == 1
    bob.start()
    hall.play(4 * TICK)
    assert [event.text for event in hall.heard(bob, Refused)] == ["the game has begun already"]


def test_who_leaves_before_the_game_frees_the_seat(hall: Hall) -> None:
    hall.serve()
    ann, bob = hall.join(Secrets, name="Ann"), hall.join(Secrets, name="Bob")

    ann.leave()
    hall.until(lambda: ann.reason != "")
    hall.play(4 * TICK)

    assert (bob.seat, bob.names, ann.reason) == (0, ("Bob",), "you left the table")
    cid = hall.join(Secrets, name="Cid")
    assert cid.names == ("Bob", "Cid")
    again = hall.join(Secrets, ticket=ann.ticket)
    assert again.reason == "this ticket opens no seat at its table"
    cid.start()
    hall.until(lambda: bob.started)
    hall.finish(bob, cid)


def test_who_leaves_the_game_gives_it_up(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)

    ann.leave()
    hall.until(lambda: bob.over)

    assert bob.result is not None
    assert bob.result.winners == (1,)
    assert bob.presence[0][0] == "left"
    bob.rematch()
    hall.play(4 * TICK)
    assert [event.text for event in hall.heard(bob, Refused)] == ["Ann has left; join another table"]


@pytest.mark.parametrize("file", [False, True], ids=["memory", "sqlite"])
def test_a_game_that_has_begun_is_kept_though_somebody_has_yet_to_move(file: bool, tmp_path: Path) -> None:
    hall = Hall()
    if file:
        hall.store = SqliteStore(tmp_path / "games.db", clock=hall.clock)  # type: ignore[assignment]
    server = hall.serve(waiting=100.0, keep=300.0, idle=10.0)
    ann, bob = two(hall)
    hall.move(ann, "mark", cell=4)
    for seat in (ann, bob):
        seat.close()
    for _ in range(200):
        hall.clock.advance(1.0)
        server.update()

    assert hall.join(ticket=bob.ticket).seat == 1
    hall.close()


class Shade(enum.Enum):
    LIGHT = 1
    DARK = 2


class Painted(Game):
    """Options that msgpack does not know."""

    n: int = 0

    @options(shade=Shade, sizes=[frozenset({1, 2}), frozenset({3})])
    def setup(self, shade: Shade = Shade.LIGHT, sizes: frozenset[int] = frozenset({3})) -> None:
        self.n = shade.value

    @move
    def paint(self) -> None:
        self.n += len(self.options["sizes"])


def test_options_that_are_no_wire_data_are_sent_as_such_and_are_values_again_in_a_view(hall: Hall) -> None:
    hall.games = (Painted,)
    hall.serve()
    ann = hall.join(Painted, options={"shade": "DARK", "sizes": [1, 2]})
    bob = hall.join(Painted)
    hall.until(lambda: ann.started and bob.started)
    hall.move(ann, "paint")

    assert ann.options == {"shade": "DARK", "sizes": [1, 2]}
    assert ann.view.options == {"shade": Shade.DARK, "sizes": frozenset({1, 2})}
    assert bob.view.n == 4
    hall.kill()
    hall.serve()
    hall.until(lambda: bob.connected and bob.seated)
    hall.move(bob, "paint")
    assert bob.view.n == 6


class Farewell(Game):
    """The third player is out, and asked all the same; so is the first, who has given up, once they have."""

    seats = 3, 3
    grace = 5.0
    said: list[int] = []

    @move
    def ask_the_third(self) -> None:
        if 2 in self.alive:
            self.out(2)
        self.said.append(self.ask(2, [1, 2], "a last word?", default=2))


def test_who_left_is_gone_after_a_restart_too_though_they_had_been_out_or_the_game_over(hall: Hall) -> None:
    hall.games = (Farewell, TicTacToe)
    hall.serve()
    ann, bob, cid = (hall.join(Farewell) for _ in range(3))
    over, late = two(hall)
    hall.finish(over, late)
    hall.move(ann, "ask_the_third")
    cid.leave()
    over.leave()
    hall.until(lambda: cid.reason != "" and over.reason != "")
    hall.until(lambda: ann.view.said == [2])  # nobody waits for who has left
    hall.kill()
    hall.serve()
    hall.until(lambda: all(seat.connected and seat.seated for seat in (ann, bob, late)))
    hall.play(1.0)

    assert [state for state, _ in ann.presence] == ["here", "here", "left"]
    assert [event.state for event in hall.heard(ann, Presence) if event.seat == 2] == ["left"]
    late.rematch()
    hall.play(4 * TICK)
    assert [event.text for event in hall.heard(late, Refused)] == [f"{late.names[0]} has left; join another table"]


def test_whose_move_another_one_made_impossible_hears_why_and_nobody_else(hall: Hall) -> None:
    hall.games = (Grab,)
    hall.serve()
    ann, bob = two(hall, game=Grab, players=2)
    hall.move(ann, "take", thing="a")
    hall.move(bob, "take", thing="a")

    text = "the move of Bob could not be made: thing must be one of b, c"
    assert [event.text for event in hall.heard(bob, TakenBack)] == [text]
    assert hall.heard(ann, TakenBack) == []
    assert ann.to_move == bob.to_move == (0, 1)


def test_who_leaves_right_after_a_burst_of_plays_has_left(hall: Hall) -> None:
    hall.serve(moves_per_second=2.0)
    ann, bob = two(hall)
    for _ in range(10):
        ann.say("hello")

    ann.leave()
    hall.play(0.2)

    assert ann.reason == "you left the table"
    assert (bob.over, bob.result) == (True, Result((1,), None, "Ann gave up"))


class Baggage(Game):
    """What is packed is one of so many long lists that a message does not take them."""

    bags: list[str] = []

    def ways(self) -> list[tuple[str, int]]:
        return [("x" * 200, number) for number in range(1 if len(self.bags) == 1 else 450)]

    @move(way=ways)
    def pack(self, way: tuple[str, int]) -> None:
        self.bags.append(way[0])
        self.turn_to(0)

    @move(way=ways, name=Free(str, lambda dice: str(dice.random()), lambda _: None))
    def call(self, way: tuple[str, int], name: str) -> None:
        self.bags.append(name)


def test_legal_plays_that_are_more_than_a_message_takes_are_not_listed(hall: Hall) -> None:
    hall.games = (Baggage,)
    hall.serve()
    ann, bob = two(hall, game=Baggage)

    assert (ann.reason, ann.legal, ann.unlisted) == ("", (), ("call", "pack"))
    hall.move(ann, "pack", way=("x" * 200, 7))
    assert ([*map(len, bob.view.bags)], ann.unlisted) == ([200], ("call",))
    assert [play.name for play in ann.legal] == ["pack"]
    hall.move(ann, ann.legal[0])
    assert (ann.legal, ann.unlisted) == ((), ("call", "pack"))


def test_a_rematch_begins_when_all_ask_for_it(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    ann.rematch()
    hall.finish(ann, bob)
    ann.rematch()
    hall.play(0.5)
    assert (ann.over, ann.rematch_wanted_by, bob.rematch_wanted_by) == (True, (0,), (0,))
    game = ann._known.state["id"]

    bob.rematch()
    hall.until(lambda: not ann.over)

    assert [event.text for event in hall.heard(ann, Refused)] == ["a rematch is for after the game"]
    assert (ann.view.cells, len(hall.heard(ann, Started))) == ([None] * 9, 2)
    assert ann._known.state["id"] == bob._known.state["id"] != game
    hall.finish(ann, bob)


def test_what_is_said_is_told_to_all(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    eve = hall.join(watch=True, name="Eve")

    bob.say("good\nluck")
    eve.say("hello")
    hall.play(4 * TICK)

    for seat in (ann, bob, eve):
        assert hall.heard(seat, Said) == [Said(1, "Bob", "good luck"), Said(None, "Eve", "hello")]


def test_bounds_are_named_where_they_are_met(hall: Hall) -> None:
    hall.serve(chat_length=10, moves_per_second=24, chat_per_second=18, max_spectators=1)
    ann, bob = two(hall)
    hall.play(2.0)

    ann.say("x" * 11)
    hall.join(watch=True)
    crowd = hall.join(watch=True)
    for _ in range(25):
        ann.say("spam")
    hall.play(4 * TICK)
    said = hall.heard(bob, Said)
    hall.play(2.0)
    ann.say("spam")
    hall.play(4 * TICK)

    texts = [event.text for event in hall.heard(ann, Refused)]
    assert texts[0] == "that is too long: chat_length is 10 characters"
    assert {*texts[1:-1]} == {"too fast: chat_per_second is 18; try again in a moment"}
    assert texts[-1:] == ["too fast: moves_per_second is 24; try again in a moment"]
    assert [len(said), len(hall.heard(bob, Said))] == [18, 19]
    assert crowd.reason == "enough people watch: max_spectators is 1"


def test_a_state_that_grows_too_large_freezes_its_table_alone(hall: Hall) -> None:
    class Hoard(Game):
        heap: list[str] = []

        @move
        def add(self) -> None:
            self.heap.append("x" * 500)

    hall.games = (Hoard, TicTacToe)
    hall.serve(max_state=1500)
    ann, _ = hall.join(Hoard), hall.join(Hoard)
    others = two(hall)
    bob = hall.seats[1]
    for mover in (ann, bob, ann, bob):
        if mover.my_turn and not mover.frozen:
            hall.move(mover, "add")

    assert "max_state is 1500" in ann.frozen
    hall.finish(*others)


def test_a_game_that_ended_too_large_has_a_rematch_that_can_be_played(hall: Hall) -> None:
    class Heap(Game):
        seats = 2, 3
        heap: list[str] = []

        @move
        def win(self) -> None:
            self.heap = ["x" * 2000]
            self.finish(self.mover)

        @move
        def wait(self) -> None:
            pass

    hall.games = (Heap,)
    hall.serve(max_state=1500)
    ann, bob, cid = hall.join(Heap), hall.join(Heap), hall.join(Heap)
    hall.move(ann, "win")
    hall.until(lambda: cid.over)
    assert "max_state is 1500" in ann.frozen
    cid.close()
    ann.rematch()
    bob.rematch()
    hall.until(lambda: not ann.over and not bob.over, Heap.grace + 5.0)

    hall.move(ann, "wait")

    assert (ann.frozen, ann.to_move, hall.heard(ann, Refused)) == ("", (1,), [])


def test_of_too_many_plays_the_moves_that_have_most_are_not_listed(hall: Hall) -> None:
    class Wide(Game):
        @move(x=range(30), y=range(20))
        def go(self, x: int, y: int) -> None: ...

        @move(x=range(400))
        def jump(self, x: int) -> None: ...

        @move
        def wait(self) -> None: ...

    hall.games = (Wide,)
    hall.serve()
    ann, _ = hall.join(Wide), hall.join(Wide)
    hall.play(4 * TICK)

    assert len(ann.legal) == 401
    assert {play.name for play in ann.legal} == {"jump", "wait"}
    assert ann.unlisted == ("go",)


def test_nothing_is_told_before_it_is_stored_and_a_store_that_fails_freezes_plays(hall: Hall) -> None:
    store = Failing(clock=hall.clock)
    hall.store = store
    hall.serve()
    ann, bob = two(hall)
    store.trouble = Unavailable("the disk is full")

    ann.play("mark", cell=0)
    hall.play(0.5)

    assert ann.pending is not None
    assert bob.view.cells == [None] * 9
    assert ann.frozen == bob.frozen == "the disk is full"
    assert hall.server is not None
    assert hall.server.trouble == "the disk is full"
    bob.play("mark", cell=1)
    hall.play(0.5)
    store.trouble = None
    hall.until(lambda: ann.pending is None and bob.pending is None)
    hall.play(4 * TICK)
    assert (bob.view.cells[0], ann.frozen, bob.frozen) == (0, "", "")
    assert [event.text for event in hall.heard(bob, Refused)] == ["the disk is full"]
    hall.finish(ann, bob)


def test_who_plays_reads_no_path_of_the_server_while_nothing_can_be_stored(
    hall: Hall, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a customer's name.db"
    hall.store = SqliteStore(path, clock=hall.clock)  # type: ignore[assignment]
    server = hall.serve()
    ann, bob = two(hall)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ann.play("mark", cell=0)
    hall.play(0.5)

    bob.play("mark", cell=1)
    hall.play(0.5)

    told = (
        "nothing can be stored at present, because another program keeps the database locked; "
        "the game goes on when it can"
    )
    assert (ann.frozen, bob.frozen) == (told, told)
    assert server.trouble == f"another program keeps {path} locked; close it, and the games go on"
    assert f"nothing can be stored: {server.trouble}" in caplog.text
    other.close()
    hall.until(lambda: ann.pending is None and bob.pending is None)
    assert (ann.frozen, bob.frozen) == ("", "")
    assert [event.text for event in hall.heard(bob, Refused)] == [told]


def test_a_store_that_lost_its_tables_ends_the_server(hall: Hall) -> None:
    hall.serve()
    ann, _ = two(hall)
    hall.store.successor().open("other:1")

    ann.play("mark", cell=0)
    with pytest.raises(Lost):
        hall.play(1.0)


def test_an_idle_table_leaves_memory_and_returns_with_the_next_message(hall: Hall) -> None:
    server = hall.serve(idle=5.0)
    ann, bob = two(hall)
    hall.move(ann, "mark", cell=4)
    hall.play(8.0)
    assert (server.tables, server.people) == (0, 2)

    hall.move(bob, "mark", cell=0)

    assert server.tables == 1
    assert ann.view.cells[0] == 1
    hall.play(8.0)
    assert server.tables == 0
    ann.close()
    hall.play(1.0)
    again = hall.join(ticket=ann.ticket)
    hall.finish(again, bob)


class Patient(TicTacToe):
    absent = "forfeit"
    grace = 100.0


def asleep_for(hall: Hall, seconds: float) -> int:
    """Let time pass for a server alone, and return how many tables it has in memory then."""
    assert hall.server is not None
    for _ in range(round(seconds)):
        hall.clock.advance(1.0)
        hall.server.update()
    return hall.server.tables


def test_a_table_whose_clock_runs_sleeps_while_nobody_is_there_and_wakes_when_it_has_run_out(hall: Hall) -> None:
    hall.serve(idle=5.0)
    ann, bob = two(hall, options={"clock": {"minutes": 1}})
    hall.move(ann, "mark", cell=4)
    ann.close()
    bob.close()

    early, late = asleep_for(hall, 10.0), asleep_for(hall, 45.0)
    woken = asleep_for(hall, 8.0)
    again = hall.join(ticket=ann.ticket)

    assert (early, late, woken) == (0, 0, 1)
    assert again.result is not None
    assert (again.result.winners, again.result.text) == ((0,), "Bob ran out of time")


def test_a_clock_goes_on_while_its_table_sleeps(hall: Hall) -> None:
    hall.serve(idle=5.0)
    ann, bob = two(hall, options={"clock": {"minutes": 5}})
    hall.move(ann, "mark", cell=4)
    ann.close()
    bob.close()
    asleep_for(hall, 60.0)
    visitor = hall.join(ticket=ann.ticket)
    visitor.close()
    hall.play(1.0)

    assert asleep_for(hall, 60.0) == 0
    again = hall.join(ticket=bob.ticket)
    assert again.clocks is not None
    assert again.clocks[0] == pytest.approx(300.0, abs=1.0)
    assert again.clocks[1] == pytest.approx(179.0, abs=4.0)
    hall.move(again, "mark", cell=0)
    assert again.clocks[1] == pytest.approx(179.0, abs=4.0)


def test_a_table_stays_in_memory_while_its_clock_runs_and_more_than_that_may_happen(hall: Hall) -> None:
    hall.games = (TicTacToe, Patient)
    hall.serve(idle=5.0)
    seen = two(hall, options={"clock": {"minutes": 5}})
    left = two(hall, game=Patient, options={"clock": {"minutes": 5}})
    soon = two(hall, options={"clock": {"per_move": 9}})
    for seat in (*left, *soon):
        seat.close()

    hall.play(8.0)
    assert hall.server is not None
    assert hall.server.tables == 3
    hall.play(12.0)

    assert hall.server.tables == 2  # of which one is watched, and the other waits for somebody to come back
    assert seen[0].connected
    asleep_for(hall, 100.0)
    again = hall.join(Patient, ticket=left[0].ticket)
    assert again.over


def test_tables_at_which_nothing_happens_are_deleted(hall: Hall) -> None:
    server = hall.serve(waiting=100.0, keep=300.0, idle=10.0)
    alone = hall.join(Secrets)
    ann, bob = two(hall)
    hall.finish(ann, bob)
    for seat in (alone, ann, bob):
        seat.close()
    for _ in range(200):
        hall.clock.advance(1.0)
        server.update()
    assert hall.join(ticket=alone.ticket).reason == "this table is not kept any more"
    assert hall.join(ticket=ann.ticket).seat == 0
    hall.seats[-1].close()
    for _ in range(400):
        hall.clock.advance(1.0)
        server.update()

    assert hall.join(ticket=ann.ticket).reason == "this table is not kept any more"
    assert server.tables == 0


def test_a_table_stays_while_somebody_is_there(hall: Hall) -> None:
    server = hall.serve(waiting=100.0, keep=100.0, idle=10.0)
    ann = hall.join(Secrets)

    hall.play(300.0)

    assert (ann.reason, server.people) == ("", 1)
    bob = hall.join(Secrets)
    assert bob.seat == 1


def test_a_table_whose_state_is_large_is_stored_now_and_then_and_when_it_leaves_memory(hall: Hall) -> None:
    class Large(Game):
        ballast: str = "x" * 20_000
        count: int = 0

        @move
        def add(self) -> None:
            self.count += 1

    hall.games = (Large,)
    server = hall.serve(idle=5.0)
    ann, bob = hall.join(Large), hall.join(Large)
    for mover in (ann, bob, ann):
        hall.move(mover, "add")
    table = next(iter(hall.store._shelf.rows.values()))
    assert table.state_version < table.version
    hall.play(12.0)
    assert (server.tables, table.state_version) == (0, table.version)

    for mover in (bob, ann) * 12:
        hall.move(mover, "add")
    hall.kill()
    hall.serve()
    hall.until(lambda: ann.connected and ann.seated and ann.started)
    hall.move(bob, "add")

    hall.until(lambda: ann.view.count == 28)
    assert table.state_version > 10


def test_moves_that_changed_rules_refuse_are_there_again_under_the_old_rules(hall: Hall) -> None:
    class Large(Game):
        ballast: str = "x" * 20_000
        count: int = 0

        @move
        def add(self) -> None:
            self.count += 1

    def refuse(self: Any) -> None:
        self.require(False, "no more")

    stricter = type("Large", (Large,), {"add": move(refuse), "__module__": __name__})
    hall.games = (Large,)
    hall.serve()
    ann, bob = hall.join(Large), hall.join(Large)
    for mover in (ann, bob, ann):
        hall.move(mover, "add")
    hall.kill()
    hall.games = (stricter,)
    strict = hall.serve(idle=5.0)
    hall.until(lambda: all(seat.connected and seat.seated and seat.frozen != "" for seat in (ann, bob)))
    assert bob.frozen == "the rules refuse what they once accepted: no more"
    ann.leave()
    hall.play(12.0)
    assert ann.reason == "you left the table"
    assert [state for state, _ in bob.presence] == ["left", "here"]
    assert not bob.over
    assert strict.tables == 0  # it may leave memory
    strict.close()

    hall.games = (Large,)
    hall.serve()
    hall.until(lambda: bob.connected and bob.seated and bob.frozen == "")
    hall.play(1.0)

    assert bob.view.count == 3
    assert [state for state, _ in bob.presence] == ["away", "here"]


def test_the_store_on_a_thread_holds_no_frame_up(hall: Hall) -> None:
    hall.serve(on_thread=True)
    ann, bob = hall.begin_to_join(), hall.begin_to_join()
    for _ in range(20_000):
        if ann.over and bob.over:
            break
        for seat in (ann, bob):
            if seat.my_turn and seat.pending is None and seat.legal:
                seat.play(seat.legal[0])
        assert hall.server is not None
        hall.server.wait(0.001)
        hall.play(TICK)

    assert ann.result == bob.result is not None


def test_an_unknown_game_is_refused_with_what_there_is(hall: Hall) -> None:
    hall.serve()

    assert hall.join("Chess").reason == "this server does not play 'Chess'; it plays TicTacToe, Secrets"


def test_nobody_to_watch_is_said(hall: Hall) -> None:
    hall.serve()

    assert hall.join(watch=True).reason == "nobody plays TicTacToe here at present"


def test_who_mistypes_the_code_of_a_table_to_watch_is_told_that_there_is_none(hall: Hall) -> None:
    hall.serve()
    hall.join(room="ours")

    assert hall.join(room="uors\n", watch=True).reason == (
        "there is no table with the code 'uors'; type it as its players did, or wait until one of them is there"
    )
    assert hall.join(room="#ours", watch=True).reason == "this table is not kept any more"


def test_a_table_that_somebody_left_is_not_shown_to_who_wants_to_watch(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    hall.finish(ann, bob)
    eve = hall.join(watch=True)
    assert eve.over

    ann.leave()
    hall.play(0.5)

    assert eve.reason == ""
    assert hall.join(watch=True).reason == "nobody plays TicTacToe here at present"


def test_so_many_tables_are_founded_by_one_and_no_more(hall: Hall) -> None:
    server = hall.serve(tables_per_peer=2)
    guest = hall.guest()
    for code in ("1", "2", "3"):
        for message in (["join", "TicTacToe", {"room": code}], ["leave"]):
            guest.send(message)
            hall.play(10 * TICK)

    assert server.tables == 2
    assert hall.guests[guest][-2:] == [
        ["gone", "you founded enough tables: tables_per_peer is 2"],
        ["refused", None, "you are at no table; join one first"],
    ]


def test_keys_of_seats_are_remembered_as_far_as_their_bound(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcode.turns.serving.lobby.MAX_KEYS", 4)
    server = hall.serve()
    guests: list[Seat[Any]] = []
    for _ in range(3):
        pair = [hall.join(), hall.join()]
        for seat in pair:
            seat.close()  # who left this game in its first second
        guests += pair

    keys = [digest_of_key(str(seat.ticket).partition(".")[2]) for seat in guests]
    assert [server._keeper.lobby.by_key(key) is not None for key in keys] == [False, False, True, True, True, True]


def test_so_many_tables_wait_for_players_and_no_more(hall: Hall) -> None:
    hall.serve(max_waiting=2)
    ann, _ = hall.join(room="one"), hall.join(room="two")

    late = hall.join(room="three")

    assert late.reason == "enough tables wait for players: max_waiting is 2; sit down at one of them"
    bob = hall.join(room="one")
    assert hall.join(room="three").seated
    hall.finish(ann, bob)


def test_nobody_leaves_a_seat_while_that_cannot_be_stored(hall: Hall) -> None:
    store = Failing(clock=hall.clock)
    hall.store = store
    hall.serve()
    ann, bob = two(hall)
    eve, dan = hall.join(watch=True), hall.join(Secrets)
    store.trouble = Unavailable("the disk is full")
    ann.play("mark", cell=0)
    hall.play(0.5)

    for seat in (bob, eve, dan):
        seat.leave()
    hall.play(0.5)
    store.trouble = None
    hall.until(lambda: ann.pending is None and eve.reason != "")
    hall.play(0.5)

    assert (bob.reason, eve.reason, dan.reason) == ("", "you left the table", "")
    assert [[event.text for event in hall.heard(seat, Refused)] for seat in (bob, dan)] == [["the disk is full"]] * 2
    hall.finish(ann, bob)


def test_a_game_that_is_on_is_watched_rather_than_a_table_that_waits(hall: Hall) -> None:
    hall.serve()
    hall.join(Secrets, players=4)
    early = hall.join(Secrets, watch=True)
    ann, bob = two(hall, game=Secrets, players=2)
    hall.join(Secrets, players=3)

    late = hall.join(Secrets, watch=True)

    assert (early.names, late.names) == (("player 1",), (ann.names[0], bob.names[1]))


def test_open_tables_are_listed_without_private_rooms(hall: Hall) -> None:
    hall.serve()
    hall.join(Secrets, options={"size": 6}, players=3, name="Ann")
    hall.join(Secrets, room="ours")
    two(hall)
    guest = hall.guest()

    guest.send(["tables", None])
    guest.send(["tables", "TicTacToe"])
    hall.play(10 * TICK)

    [listed], none = (message[1] for message in hall.guests[guest])
    assert none == []
    room = listed.pop("room")
    assert listed == {"game": "Secrets", "players": [2, 3], "options": {"size": 6}, "names": ["Ann"]}
    assert hall.join(Secrets, room=room).names[0] == "Ann"


@pytest.mark.parametrize("request_", [["tables", None], ["games"], ["join", "TicTacToe", {}]])
def test_who_is_at_no_table_is_told_of_asking_too_fast_too(hall: Hall, request_: list[Any]) -> None:
    hall.serve(moves_per_second=5)
    guest = hall.guest()

    for _ in range(8):
        guest.send(request_)
    hall.play(10 * TICK)

    told = [message[-1] for message in hall.guests[guest]]
    assert told.count("too fast: moves_per_second is 5; try again in a moment") == 3


def test_who_asks_without_end_lets_nobody_wait_and_is_sent_away(hall: Hall) -> None:
    server, flooder, guest = hall.serve(), hall.guest(), hall.guest()
    hall.play(6 * TICK)
    server._parts.incoming._share = 0.0  # so that an update hears one request

    for _ in range(6):
        for _ in range(200):
            flooder.send(["undo"])
        hall.play(TICK)
    guest.send(["games"])
    hall.play(6 * TICK)

    assert [message[0] for message in hall.guests[guest]] == ["games"]
    assert flooder.reason is not None
    assert flooder.reason.text == "too fast: 1025 requests of yours wait; wait for answers"
    assert sum(map(len, server._parts.incoming._lines.values())) < 200  # what it said before it heard of that


def test_who_asks_and_goes_is_not_answered(hall: Hall) -> None:
    hall.serve()
    ann = hall.join(name="Ann")
    guest = hall.guest()
    hall.play(6 * TICK)

    guest.send(["join", "TicTacToe", {}])
    guest.update()
    guest.close()
    hall.play(6 * TICK)

    assert guest.reason is not None
    assert not ann.started
    assert not hall.heard(ann, Seated)[1:]


def test_a_link_that_breaks_is_away_until_it_is_back(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)

    hall.network.cut()
    hall.play(5.0)

    assert [(event.seat, event.state) for event in hall.heard(bob, Presence) if event.seat == 0] == [
        (0, "away"),
        (0, "here"),
    ]
    hall.finish(ann, bob)


def test_nobody_sits_at_two_tables(hall: Hall) -> None:
    hall.serve()
    guest = hall.guest()

    for _ in range(2):
        guest.send(["join", "TicTacToe", {}])
    hall.play(10 * TICK)

    assert ["refused", None, "you are at a table already; leave it first"] in hall.guests[guest]
    assert sum(message[0] == "sat" for message in hall.guests[guest]) == 1


def test_a_play_that_is_sent_twice_is_made_once(hall: Hall) -> None:
    hall.serve()
    ann = hall.join()
    guest = hall.guest()
    guest.send(["join", "TicTacToe", {}])
    hall.until(lambda: ann.started)
    hall.move(ann, "mark", cell=0)

    for _ in range(3):
        guest.send(["play", 1, "mark", {"cell": 8}])
    hall.play(10 * TICK)
    hall.move(ann, "mark", cell=1)
    guest.send(["play", 1, "mark", {"cell": 7}])
    hall.play(10 * TICK)

    assert ann.view.cells == [0, 0, *[None] * 6, 1]
    assert [message for message in hall.guests[guest] if message[0] == "refused"] == []
    assert sum("last" in message[3] for message in hall.guests[guest] if message[0] == "step") == 5


@pytest.mark.parametrize(
    ("games", "error", "text"),
    [
        ((), TypeError, "needs the games"),
        (("Chess",), TypeError, "a game is a class"),
        ((TicTacToe, type("TicTacToe", (Secrets,), {})), ValueError, "two games are called TicTacToe"),
    ],
)
def test_misuse_is_told_at_the_call(games: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Server(*games, host=HOST, port=PORT)


@pytest.mark.parametrize("name", ["keep", "waiting", "idle", "moves_per_second", "chat_per_second"])
@pytest.mark.parametrize(
    ("value", "error"), [("x", TypeError), (True, TypeError), (-1, ValueError), (float("nan"), ValueError)]
)
def test_times_and_rates_that_cannot_be_are_told_at_the_call(name: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"{name} must be"):
        Server(TicTacToe, host=HOST, port=PORT, **{name: value})


def test_a_crowd_that_comes_and_goes_at_once_is_told_once(hall: Hall) -> None:
    hall.serve()
    ann = hall.guest()
    crowd = [hall.guest() for _ in range(9)]
    hall.play(0.2)
    ann.send(["join", "TicTacToe", {"room": "ours"}])
    hall.play(0.2)

    for guest in crowd:
        guest.send(["join", "TicTacToe", {"room": "ours", "watch": True}])
    hall.play(0.2)
    for guest in crowd[:4]:
        guest.send(["leave"])
    for guest in crowd[4:8]:
        guest.close()
    hall.play(0.2)

    def told(guest: Client) -> list[int]:
        steps = [message[3] for message in hall.guests[guest] if message[0] == "step"]
        return [state["spectators"] for state in steps if "spectators" in state]

    assert (told(ann)[0], told(ann)[-1]) == (0, 1)
    assert {told(guest)[0] for guest in crowd} == {*range(1, 10)}
    assert len(told(ann)) + len(told(crowd[8])) <= 8


@pytest.mark.parametrize("name", ["tables_per_peer", "max_waiting", "chat_length", "max_spectators", "max_state"])
@pytest.mark.parametrize(("value", "error"), [("x", TypeError), (1.5, TypeError), (-1, ValueError)])
def test_counts_that_cannot_be_are_told_at_the_call(name: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"{name} must be"):
        serve(TicTacToe, host=HOST, port=PORT, store=None, **{name: value})


def test_a_server_that_takes_less_than_a_request_a_second_lets_players_in_and_takes_what_they_play(hall: Hall) -> None:
    hall.serve(moves_per_second=0.5)
    ann, bob = two(hall)

    hall.move(ann, "mark", cell=0)
    hall.move(bob, "mark", cell=1)
    hall.move(ann, "mark", cell=2)
    ann.say("too fast?")
    hall.play(0.5)
    early = hall.heard(ann, Refused)
    hall.play(4.0)
    ann.say("not now")
    hall.play(0.5)

    assert ann.view.cells[:3] == [0, 1, 0]
    assert [event.text for event in early] == ["too fast: moves_per_second is 0.5; try again in a moment"]
    assert [event.text for event in hall.heard(bob, Said)] == ["not now"]


def test_rules_that_cannot_begin_freeze_their_table_and_no_other(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Game):
        cards: list[int]

        def setup(self) -> None:
            self.cards = [1 // 0]

        @move
        def go(self) -> None:
            self.finish()

    hall.games = (Broken, TicTacToe)
    hall.serve()
    ann, _ = hall.join(Broken), hall.join(Broken)
    others = two(hall)

    assert ann.frozen == "the rules of Broken cannot begin: ZeroDivisionError: integer division or modulo by zero"
    assert "in setup" in caplog.text
    hall.finish(*others)


def acres(sizes: range | None) -> type[Game]:
    """Return rules of which whoever opens a table chooses such a size, if any."""

    class Land(Game):
        size: int = 0

        @move
        def sell(self) -> None:
            self.finish()

    def setup(self: Any, size: int = 0 if sizes is None else sizes[0]) -> None:
        self.size = size

    chosen = {} if sizes is None else {"setup": options(size=sizes)(setup)}
    return type("Land", (Land,), {**chosen, "__module__": __name__})


@pytest.mark.parametrize(("after", "size"), [(range(6, 9), 6), (None, 0)])
def test_an_option_that_changed_rules_do_not_take_is_as_if_nobody_chose_it(
    hall: Hall, after: range | None, size: int
) -> None:
    before = acres(range(3, 5))
    hall.games = (before,)
    hall.serve()
    ann, bob = two(hall, game=before, room="over")
    hall.move(ann, "sell")
    cid, dan = hall.join(before, room="waits", options={"size": 4}), hall.join(before)
    hall.kill()
    hall.games = (now,) = (acres(after),)
    hall.serve()
    hall.until(lambda: all(seat.connected and seat.seated for seat in hall.seats))
    hall.join(now, room="waits")
    hall.join(now)
    ann.rematch()
    bob.rematch()

    hall.until(lambda: all(seat.started and not seat.over for seat in hall.seats))
    assert [seat.view.size for seat in (ann, cid, dan)] == [size] * 3
    assert cid.options == ({} if after is None else {"size": size})


def test_the_log_says_once_that_a_table_is_of_a_game_that_is_not_played_any_more(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    former, latter = (type(name, (TicTacToe,), {"__module__": __name__}) for name in ("Former", "Latter"))
    hall.games = (former,)
    hall.serve()
    seats = two(hall, game=former)
    hall.kill()
    hall.games = (latter,)
    hall.serve()

    hall.until(lambda: all(seat.reason == "this server does not play Former any more" for seat in seats))
    [said] = [line for line in caplog.messages if "Former" in line]
    assert said.startswith(
        "somebody cannot go on with a table: this server does not play Former any more; have a server"
    )


def seated(low: int, high: int, cards: int = 1) -> type[Game]:
    """Return rules for so many, which cannot begin with no cards."""

    class Deal(Game):
        seats = low, high
        share: int

        def setup(self) -> None:
            self.share = 52 // cards

        @move
        def go(self) -> None:
            self.finish()

    return Deal


@pytest.mark.parametrize(
    ("old", "new", "players", "sit"),
    [
        (seated(2, 2, cards=0), seated(2, 2), None, 2),
        (seated(4, 4), seated(2, 2), None, 2),
        (seated(2, 4), seated(2, 3), 4, 3),
    ],
)
def test_a_full_table_begins_by_the_rules_that_are_there_after_a_restart(
    hall: Hall, old: type[Game], new: type[Game], players: int | None, sit: int
) -> None:
    hall.games = (old,)
    hall.serve()
    seats = [hall.join(old, players=players) for _ in range(sit)]
    hall.kill()
    hall.games = (new,)
    hall.serve()

    hall.until(lambda: all(seat.started for seat in seats))
    assert {seat.frozen for seat in seats} == {""}


def test_a_table_at_which_too_many_sit_for_other_rules_says_so_and_begins_once_one_leaves(hall: Hall) -> None:
    hall.games = (seated(4, 4),)
    hall.serve()
    ann, bob, cid = (hall.join(hall.games[0]) for _ in range(3))
    hall.kill()
    hall.games = (seated(2, 2),)
    hall.serve()

    hall.until(lambda: cid.frozen == "Deal is for 2 players, not 3")
    bob.leave()
    hall.until(lambda: ann.started and cid.started)
    assert (ann.frozen, cid.frozen, cid.seat) == ("", "", 1)


def test_of_a_game_that_can_never_begin_the_log_says_so_when_it_is_served(caplog: pytest.LogCaptureFixture) -> None:
    class Shut(Game):
        def setup(self) -> None:
            self.require(False, "no")

        @move
        def go(self) -> None: ...

    class Moody(Game):
        seats = 3, 4

        def setup(self) -> None:
            self.require(len(self.players) == 4, "four, please")

        @move
        def go(self) -> None:
            self.finish()

    def end(_: Server) -> None:
        raise KeyboardInterrupt

    serve(Moody, TicTacToe, port=0, store=None, started=end)
    assert caplog.messages == []
    serve(Moody, Shut, port=0, store=None, started=end)
    assert caplog.messages == ["Shut cannot begin, so nobody can play a new game of it: setup() refuses to begin: no"]


@pytest.mark.parametrize("clock", [{"per_move": 0.001}, {"minutes": 1e-9, "increment": 5}])
def test_a_clock_that_would_run_out_all_the_time_is_refused(hall: Hall, clock: dict[str, float]) -> None:
    hall.serve()
    stranger = hall.guest()

    with pytest.raises(ValueError, match="a clock begins with 1 second at least"):
        hall.join(options={"clock": clock})
    hall.play(TICK)
    stranger.send(["join", "TicTacToe", {"options": {"clock": clock}}])
    hall.play(1.0)

    assert hall.guests[stranger][-1][1].startswith("a clock begins with 1 second at least")


def test_times_that_moves_made_void_are_forgotten(hall: Hall) -> None:
    hall.games = (Endless,)
    server = hall.serve(moves_per_second=1000)
    ann, bob = (hall.join(Endless, options={"clock": {"minutes": 1000}}) for _ in range(2))

    for _ in range(100):
        for seat in (ann, bob):
            hall.move(seat, "go")

    assert ann.view.moves == 200
    assert len(server._parts.dues) < 70


def test_absence_has_its_seconds_and_then_its_consequences(hall: Hall) -> None:
    class Strict(TicTacToe):
        absent = "forfeit"
        grace = 20.0

    hall.games = (Strict,)
    hall.serve()
    ann, bob = hall.join(Strict), hall.join(Strict)
    ann.close()
    hall.play(5.0)

    away = hall.heard(bob, Presence)[-1]
    assert (away.seat, away.state, away.seconds) == (0, "away", 20.0)
    state, seconds = bob.presence[0]
    assert state == "away"
    assert seconds is not None
    assert 14 < seconds < 16
    hall.until(lambda: bob.over, 30.0)
    assert bob.result is not None
    assert bob.result.winners == (1,)


class Offer(Game):
    """Waits for whoever is absent, but for an answer no longer than `grace`."""

    seats = 2, 3
    grace = 20.0
    price: int = 0

    @move
    def offer(self) -> None:
        self.price = self.ask(self.after(self.mover), (1, 2), "for how much?", default=2)

    @move
    def resign(self) -> None:
        self.out(self.mover)


class StrictOffer(Offer):
    absent = "forfeit"


def test_absence_has_seconds_while_a_question_answers_itself_and_none_without_it(hall: Hall) -> None:
    hall.games = (Offer,)
    hall.serve()
    ann, bob = hall.join(Offer, players=2), hall.join(Offer)
    bob.close()
    hall.play(5.0)
    before = ann.presence[1]
    hall.move(ann, "offer")
    state, seconds = ann.presence[1]

    assert seconds is not None
    assert (state, round(seconds)) == ("away", 15)
    assert hall.heard(ann, Presence)[-1] == Presence(1, "away", None)
    assert before == ("away", None)
    hall.until(lambda: ann.view.price == 2, 16.0)
    assert ann.presence[1] == ("away", None)


def test_absence_of_who_is_out_has_no_consequences(hall: Hall) -> None:
    hall.games = (StrictOffer,)
    hall.serve()
    ann, bob, cid = (hall.join(StrictOffer) for _ in range(3))
    hall.until(lambda: ann.started and cid.started)
    hall.move(ann, "resign")
    ann.close()
    cid.close()
    hall.play(1.0)

    [out, _, away] = bob.presence
    assert out == ("away", None)
    assert away[1] == pytest.approx(19.0, abs=1.0)


class Caravan(Game):
    """Goes on without who leaves."""

    seats = 2, 4
    absent = "out"
    grace = 20.0
    steps: list[int] = []

    @move
    def step(self) -> None:
        self.steps.append(self.mover)


def test_a_game_goes_on_without_who_leaves_or_stays_away_also_after_a_restart(hall: Hall) -> None:
    hall.games = (Caravan,)
    hall.serve()
    ann, bob, cid, dan = (hall.join(Caravan) for _ in range(4))
    hall.until(lambda: all(seat.started for seat in (ann, bob, cid, dan)))

    ann.leave()
    hall.until(lambda: bob.my_turn)
    bob.close()
    hall.until(lambda: cid.my_turn, 25.0)
    told = [told.text for told in hall.heard(cid, Told)]
    hall.kill()
    hall.serve()
    hall.until(lambda: cid.connected and dan.connected)
    hall.move(cid, "step")
    hall.move(dan, "step")
    again = hall.join(Caravan, ticket=bob.ticket)

    assert ann.reason == "you left the table"
    assert [text.partition(" is")[2] for text in told] == [" out of the game, which goes on"] * 2
    assert (cid.view.steps, cid.view.alive, cid.over) == ([2, 3], [2, 3], False)
    assert (again.seat, again.my_turn, again.view.steps) == (1, False, [2, 3])
    dan.leave()
    hall.until(lambda: cid.over)
    assert cid.result is not None
    assert cid.result.winners == (2,)


class Short(Game):
    """Ends with its first move, and lets each see what is one's own."""

    seats = 2, 4
    absent = "out"
    hands: Owned[list[int]]

    def setup(self) -> None:
        self.hands = [10 + seat for seat in self.players]

    @move
    def win(self) -> None:
        self.finish(self.mover)


def round_of_short(hall: Hall) -> list[Seat[Any]]:
    seats = [hall.join(Short, name=name) for name in ("Ann", "Bob", "Cid", "Dan")]
    hall.until(lambda: all(seat.started for seat in seats))
    hall.move(seats[0], "win")
    hall.until(lambda: all(seat.over for seat in seats))
    return seats


@pytest.mark.parametrize("leaves_last", [False, True])
def test_those_who_stay_have_a_rematch_without_who_left(hall: Hall, leaves_last: bool) -> None:
    hall.games = (Short,)
    hall.serve()
    ann, bob, cid, dan = round_of_short(hall)
    watcher = hall.join(Short, watch=True, room=f"#{ann.ticket.partition('.')[0]}" if ann.ticket else None)
    staying, leaving = (ann, cid, dan), bob
    if not leaves_last:
        leaving.leave()
        hall.play(1.0)
    for seat in staying:
        assert seat.over
        seat.rematch()
        hall.play(1.0)
    if leaves_last:
        assert (ann.over, ann.rematch_wanted_by) == (True, (0, 2, 3))
        leaving.leave()
    hall.until(lambda: not ann.over and not cid.over and not dan.over)

    assert [seat.seat for seat in staying] == [0, 1, 2]
    assert [seat.names for seat in (*staying, watcher)] == [("Ann", "Cid", "Dan")] * 4
    assert [seat.view.hands for seat in staying] == [[10, None, None], [None, 11, None], [None, None, 12]]
    assert [len(hall.heard(seat, Started)) for seat in staying] == [2, 2, 2]
    hall.kill()
    hall.serve()
    hall.until(lambda: all(seat.connected and seat.seated for seat in staying))
    hall.move(ann, "win")
    hall.until(lambda: dan.over)
    assert [seat.seat for seat in staying] == [0, 1, 2]
    assert hall.join(Short, ticket=bob.ticket).reason == "this ticket opens no seat at its table"
    for seat in staying:
        seat.rematch()
    hall.until(lambda: not cid.over)


@pytest.mark.parametrize("resumes", [False, True])
def test_a_rematch_waits_for_who_is_away_as_long_as_the_game_does(hall: Hall, resumes: bool) -> None:
    hall.games = (Short,)
    hall.serve()
    ann, bob, cid, dan = round_of_short(hall)
    if resumes:  # its link may come back, and nothing is heard of it
        hall.seats.remove(bob)
        hall.play(20.0)
    else:
        bob.close()
        hall.play(1.0)
    for seat in (ann, cid):
        seat.rematch()
    hall.play(1.0)
    assert ann.presence[1] == ("away", None)
    dan.rematch()
    hall.play(1.0)
    state, seconds = ann.presence[1]
    assert (ann.over, ann.rematch_wanted_by, state, seconds is not None and 30 < seconds < 60) == (
        True, (0, 2, 3), "away", True,
    )  # fmt: skip
    hall.kill()
    hall.serve()
    hall.until(lambda: all(seat.connected and seat.seated for seat in (ann, cid, dan)))
    hall.play(55.0)
    assert ann.over

    hall.until(lambda: not ann.over and not cid.over and not dan.over)

    assert [(seat.seat, seat.names) for seat in (ann, cid, dan)] == [(at, ("Ann", "Cid", "Dan")) for at in range(3)]
    assert ("left", None) in [(event.state, event.seconds) for event in hall.heard(dan, Presence) if event.seat == 1]
    hall.kill()
    hall.serve()
    hall.until(lambda: all(seat.connected and seat.seated for seat in (ann, cid, dan)))
    assert hall.join(Short, ticket=bob.ticket).reason == "this ticket opens no seat at its table"
    hall.move(ann, "win")
    hall.until(lambda: dan.over)


def test_a_table_on_its_way_to_another_process_begins_no_rematch(hall: Hall) -> None:
    hall.games = (Short,)
    server = hall.serve()
    ann, bob, cid, dan = round_of_short(hall)
    bob.close()
    for seat in (ann, cid, dan):
        seat.rematch()
    hall.play(1.0)
    [room] = server._keeper.rooms.values()
    server._keeper.leaving.add(room.id)
    version = room.version

    hall.play(90.0)

    assert (room.version, room.over, ann.over) == (version, True, True)


def test_of_several_who_are_away_each_counts_as_long_as_the_rematch_waits(hall: Hall) -> None:
    hall.games = (Short,)
    hall.serve()
    ann, bob, cid, dan = round_of_short(hall)
    bob.close()
    hall.play(20.0)
    dan.close()
    for seat in (ann, cid):
        seat.rematch()
    hall.play(1.0)

    left = [seconds for state, seconds in ann.presence if state == "away" and seconds is not None]

    assert len(left) == 2
    assert left[0] == left[1] > 50
    hall.play(left[0] - 1.0)
    assert ann.over
    hall.until(lambda: not ann.over and not cid.over, 3.0)


def test_who_is_away_and_not_heard_of_is_told_that_the_others_go_on(hall: Hall) -> None:
    class Soon(Short):
        grace = 1.0

    hall.games = (Soon,)
    hall.serve()
    ann, bob, cid = (hall.join(Soon, name=name, players=3) for name in ("Ann", "Bob", "Cid"))
    hall.until(lambda: cid.started)
    hall.move(ann, "win")
    hall.until(lambda: cid.over)
    for seat in (ann, cid):
        seat.rematch()
    hall.play(1.0)
    hall.seats.remove(bob)
    hall.until(lambda: not cid.over)
    hall.seats.append(bob)

    hall.until(lambda: bob.reason != "")

    assert bob.reason == "you were away, and the others go on without you; join to look on"
    assert (ann.seat, cid.seat, cid.names) == (0, 1, ("Ann", "Cid"))


def test_a_rematch_of_two_waits_for_who_is_away(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    hall.finish(ann, bob)
    ticket = bob.ticket
    bob.close()
    ann.rematch()
    hall.play(200.0)
    assert (ann.over, ann.presence[1]) == (True, ("away", None))

    bob = hall.join(ticket=ticket)
    hall.play(1.0)
    assert ann.over
    bob.rematch()

    hall.until(lambda: not ann.over and not bob.over)


def test_who_left_and_comes_back_in_time_is_waited_for(hall: Hall) -> None:
    hall.games = (Short,)
    hall.serve()
    ann, bob, cid, dan = round_of_short(hall)
    dan.leave()
    hall.play(1.0)
    for seat in (ann, bob):
        seat.rematch()
    dan = hall.join(Short, ticket=dan.ticket)
    cid.rematch()
    hall.play(1.0)
    assert ann.over

    dan.rematch()
    hall.until(lambda: not ann.over)

    assert [seat.seat for seat in (ann, bob, cid, dan)] == [0, 1, 2, 3]


def test_where_too_few_stay_or_the_rules_cannot_begin_without_who_left_nothing_changes(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    class Four(Short):
        def setup(self) -> None:
            self.hands = [[10, 11, 12, 13][seat] for seat in self.players]
            if len(self.players) == 3:
                raise RuntimeError("three are too many")

    hall.games = (Four,)
    hall.serve()
    ann, bob, cid, dan = (hall.join(Four, name=name) for name in ("Ann", "Bob", "Cid", "Dan"))
    hall.until(lambda: dan.started)
    hall.move(ann, "win")
    hall.until(lambda: dan.over)
    for seat in (bob, cid, dan):
        seat.rematch()
    hall.play(1.0)
    ann.leave()  # for whom they waited
    hall.play(1.0)

    for seat in (bob, cid, dan):
        assert [event.text[:16] for event in hall.heard(seat, Refused)] == ["the rules of Fou"]
    assert (dan.over, [seat.seat for seat in (bob, cid, dan)], dan.names) == (
        True,
        [1, 2, 3],
        ("Ann", "Bob", "Cid", "Dan"),
    )
    assert "three are too many" in caplog.text
    bob.leave()
    for seat in (cid, dan):
        seat.rematch()
    hall.until(lambda: not dan.over and not cid.over)
    assert (cid.seat, dan.seat, dan.view.hands) == (0, 1, [None, 11])


def test_a_bot_plays_for_who_is_absent(hall: Hall) -> None:
    class Kind(TicTacToe):
        absent = "bot"
        grace = 5.0

    hall.games = (Kind,)
    hall.serve()
    ann, bob = hall.join(Kind), hall.join(Kind)
    ann.close()

    hall.finish(bob)

    assert bob.result is not None


def test_a_bot_gives_a_free_answer_for_who_is_absent(hall: Hall) -> None:
    class Hide(Game):
        absent = "bot"
        grace = 5.0
        places: list[int] = []

        def round(self) -> None:
            free = Free(int, lambda dice: dice.randrange(100), lambda place: None if 0 <= place < 100 else "too far")
            answers = self.ask_all(self.players, free, "where do you hide?")
            self.places = [answers[seat] for seat in self.players]
            self.finish()

    hall.games = (Hide,)
    hall.serve()
    ann, bob = hall.join(Hide), hall.join(Hide)
    ann.close()
    bob.answer(7)

    hall.until(lambda: bob.over, 30.0)

    assert bob.view.places[1] == 7
    assert 0 <= bob.view.places[0] < 100


def test_a_stand_in_takes_no_number_of_a_play_that_is_under_way(hall: Hall) -> None:
    class Bets(Game):
        absent = "bot"
        grace = 5
        log: list[str] = []

        @move(what=["fold"])
        def bet(self, what: str) -> None:
            self.log.append(f"{self.mover}:{what}")

    hall.games = (Bets,)
    hall.serve()
    ann, bob = hall.join(Bets), hall.join(Bets)
    hall.seats.remove(ann)
    ann.play("bet", what="fold")
    hall.network.cut()
    hall.until(lambda: bob.view.log == ["0:fold"])
    hall.seats.append(ann)
    hall.until(lambda: ann.pending is None)

    assert [event.text for event in hall.heard(ann, Refused)] == ["it is not your turn"]
    hall.move(bob, "bet", what="fold")
    hall.move(ann, "bet", what="fold")
    assert bob.view.log == ["0:fold", "1:fold", "0:fold"]
    hall.kill()
    hall.serve()
    hall.until(lambda: bob.connected and bob.seated)
    assert bob.view.log == ["0:fold", "1:fold", "0:fold"]


def test_who_may_not_take_a_move_back_hears_why_and_nobody_else(hall: Hall) -> None:
    class Rolls(Game):
        seats = 4, 4
        absent = "out"
        clock = Clock(minutes=1, increment=10)

        @move
        def roll(self) -> None:
            self.random.random()
            self.turn_to(self.mover)

    hall.games = (Rolls,)
    hall.serve()
    ann, bob, cid, dan = seats = [hall.join(Rolls, name=name) for name in ("Ann", "Bob", "Cid", "Dan")]
    dan.leave()
    hall.play(50.0)
    hall.move(ann, "roll")

    def say(*answers: tuple[Seat[Any], bool], after: float = 0.0) -> list[list[str]]:
        """Have Ann ask and the others answer, and return what each is refused."""
        before = [len(hall.heard(seat, Refused)) for seat in seats]
        ann.undo()
        hall.play(after + 4 * TICK)
        for seat, agreed in answers:
            seat.consent(agreed)
            hall.play(4 * TICK)
        assert {seat.undo_wanted_by for seat in (ann, bob, cid)} == {None}
        heard = [hall.heard(seat, Refused)[past:] for seat, past in zip(seats, before, strict=True)]
        return [[event.text for event in events] for events in heard]

    too_late = "there is too little time on the clock to take a move back: what was added for it would be gone"
    assert say((bob, True), (cid, False)) == [["Cid does not agree to take the move back"], [], [], []]
    assert say((ann, False)) == [[], [], [], []]
    assert say((bob, True), (cid, True), after=12.0) == [[too_late], [], [too_late], []]
    assert hall.heard(ann, TakenBack) == []


def test_a_stand_in_whose_play_is_refused_tries_what_else_there_is(hall: Hall) -> None:
    class Rolls(Game):
        absent = "bot"
        grace = 5
        safe: int = 0

        @move
        def roll(self) -> None:
            self.random.random()
            self.require(False, "never")

        @move
        def stay(self) -> None:
            self.safe += 1

    hall.games = (Rolls,)
    hall.serve()
    ann, bob = hall.join(Rolls), hall.join(Rolls)
    ann.close()
    for turn in range(1, 6):
        hall.until(lambda turn=turn: bob.view.safe == 2 * turn - 1)  # type: ignore[misc]
        hall.move(bob, "stay")


def test_a_table_that_was_full_while_nothing_could_be_stored_begins_later(hall: Hall) -> None:
    store = Failing(clock=hall.clock)
    hall.store = store
    hall.serve()
    ann = hall.join(name="Ann")
    store.trouble = Unavailable("the disk is full")
    ann.say("hello")
    elsewhere = hall.begin_to_join(name="Cid", room="elsewhere")
    hall.play(1.5)
    bob = hall.begin_to_join(name="Bob")
    hall.play(3.0)
    assert not bob.started
    store.trouble = None

    hall.until(lambda: bob.started and ann.started and elsewhere.seated)

    assert bob.frozen == ""
    hall.move(ann, "mark", cell=0)


class Hasty(TicTacToe):
    clock = Clock(per_move=5.0)


def broken_off(hall: Hall) -> tuple[Failing, Seat[Any], Seat[Any], list[Room]]:
    """Have somebody move when nothing can be stored, and twice the time of the other one pass."""
    store = Failing(clock=hall.clock)
    hall.store, hall.games = store, (Hasty,)
    server = hall.serve()
    ann, bob = hall.join(Hasty), hall.join(Hasty)
    store.trouble = Unavailable("the disk is full")
    ann.play("mark", cell=0)
    hall.play(10.0)
    return store, ann, bob, [*server._keeper.rooms.values()]


def test_a_link_that_breaks_while_nothing_can_be_stored_loses_no_game(hall: Hall) -> None:
    _, _, bob, rooms = broken_off(hall)
    bob.close()
    hall.play(10.0)

    assert [room.over for room in rooms] == [False]


def test_who_left_after_the_game_and_is_back_is_there(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    hall.finish(ann, bob)
    ticket = bob.ticket
    bob.leave()
    hall.until(lambda: bob.reason != "")
    back = hall.join(ticket=ticket)

    assert ann.presence[1][0] == "here"
    for seat in (ann, back):
        seat.rematch()
    hall.until(lambda: not ann.over)
    hall.kill()
    hall.serve()
    hall.until(lambda: ann.connected and ann.seated)
    assert ann.presence[1][0] != "left"


def test_names_are_no_longer_than_they_may_be_however_many_have_them() -> None:
    room = Room("t", TicTacToe, None, None, {})
    room.seats = [
        Seated_("x" * 32 if number == 1 else f"{'x' * (31 - len(str(number)))} {number}", b"")
        for number in range(1, 1000)
    ]

    assert room.distinct("x" * 32) == f"{'x' * 27} 1000"


def test_a_bot_that_cannot_tell_what_is_legal_lets_the_table_go_on(hall: Hall) -> None:
    class Broken(TicTacToe):
        absent = "bot"
        grace = 5.0

        def unmarked(self) -> list[int]:
            return [1 // (self.mover - 1)]  # a bug where the second seat is to move

        @move(cell=unmarked)
        def mark(self, cell: int) -> None:
            super().mark(0 if self.mover == 0 else 1)

    hall.games = (Broken,)
    hall.serve()
    ann, bob = hall.join(Broken), hall.join(Broken)
    hall.move(ann, "mark", cell=-1)
    bob.close()

    hall.play(10.0)

    assert ann.presence[1][0] == "away"
    assert (ann.to_move, ann.reason, ann.frozen) == ((1,), "", "")


def test_nobody_runs_out_of_time_while_nothing_can_be_stored(hall: Hall) -> None:
    store, _, bob, rooms = broken_off(hall)

    assert [room.over for room in rooms] == [False]
    store.trouble = None
    hall.until(lambda: bob.my_turn)
    assert bob.clocks is not None
    assert bob.clocks[1] > 4.0  # Bob was not shown the move, and could not have played
    hall.until(lambda: bob.over, 6.0)


def test_clocks_stand_where_they_are_shown_as_well_while_nothing_can_be_stored(hall: Hall) -> None:
    store = Failing(clock=hall.clock)
    hall.store, hall.games = store, (Hasty,)
    hall.serve()
    ann, bob, cid, dan = (hall.join(Hasty) for _ in range(4))
    hall.play(1.0)
    store.trouble = Unavailable("the disk is full")
    ann.play("mark", cell=0)
    hall.until(lambda: cid.frozen != "")
    before = cid.clocks
    assert before is not None
    assert 3.0 < before[0] < 4.5

    hall.play(60.0)
    assert (cid.clocks, dan.clocks) == (before, before)
    store.trouble = None
    hall.until(lambda: cid.frozen == "")
    hall.play(1.0)

    assert cid.clocks is not None
    assert before[0] - 1.5 < cid.clocks[0] < before[0] - 0.5
    hall.until(lambda: dan.over, 5.0)
    assert bob.frozen == ""


def test_who_is_away_has_as_long_as_before_while_nothing_can_be_stored(hall: Hall) -> None:
    class Short(TicTacToe):
        absent = "forfeit"
        grace = 20.0

    store = Failing(clock=hall.clock)
    hall.store, hall.games = store, (Short,)
    hall.serve()
    ann, bob, cid, _ = (hall.join(Short) for _ in range(4))
    bob.close()
    hall.play(5.0)
    store.trouble = Unavailable("the disk is full")
    cid.play("mark", cell=0)
    hall.play(60.0)
    store.trouble = None
    hall.until(lambda: cid.frozen == "")
    ann.play("mark", cell=0)
    hall.play(1.0)

    state, seconds = ann.presence[1]

    assert (state, ann.over, seconds is not None and 10.0 < seconds < 16.0) == ("away", False, True)
    hall.until(lambda: ann.over, 16.0)


def test_in_a_child_a_server_of_tables_is_over_and_they_stay_the_parent_s(hall: Hall) -> None:
    hall.games = (Hasty,)
    server = hall.serve()
    ann, bob = hall.join(Hasty), hall.join(Hasty)
    hall.move(ann, ann.legal[0])
    before = hall.store.load([str(bob.ticket).partition(".")[0]])

    for forked in (server, server._net):
        forked._abandon()
    with pytest.warns(RuntimeWarning, match=r"^this server belongs to the process that made it"):
        server.update()
    server.close()

    assert hall.store.load([*before]) == before  # and it is open


def test_closing_stores_everything_and_says_so(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    hall.move(ann, "mark", cell=4)
    assert hall.server is not None
    hall.server.close("back in a minute")
    hall.server.close()
    hall.server.update()
    hall.play(1.0)
    assert not ann.connected

    hall.store = hall.store.successor()
    hall.serve()
    hall.until(lambda: ann.connected and bob.connected and bob.seated)
    hall.finish(ann, bob)


def test_what_the_protocol_does_not_allow_ends_the_link_of_who_says_it(hall: Hall) -> None:
    hall.serve()
    ann, bob = two(hall)
    assert ann._link.client is not None

    ann._link.client.send(["dance"])
    hall.play(4 * TICK)

    assert ann.reason != ""
    hall.move(bob, "mark", cell=1)
    assert hall.heard(bob, Gone) == []


ENDS = (signal.SIGINT, signal.SIGTERM, *(() if sys.platform == "win32" else (signal.SIGHUP,)))


@pytest.fixture
def at_a_terminal() -> Iterator[None]:
    """Take SIGHUP as a program in a terminal does, also where the tests run without one."""
    if sys.platform == "win32":
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", ENDS)
@pytest.mark.usefixtures("at_a_terminal")
def test_serving_ends_when_it_is_told_to_and_leaves_signals_as_they_were(
    tmp_path: Path, number: signal.Signals
) -> None:
    before = [signal.getsignal(one) for one in ENDS]
    seen: list[str] = []

    def started(server: Server) -> None:
        seen.append(repr(server))
        signal.raise_signal(number)

    serve(TicTacToe, host="127.0.0.1", port=0, store=tmp_path / "games.db", started=started)

    assert "TicTacToe" in seen[0]
    assert [signal.getsignal(one) for one in ENDS] == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP")
def test_what_is_to_outlive_its_terminal_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup has it
    waited: list[bool] = []

    def wait(server: Server, _: float | None = None) -> bool:
        waited.append(True)
        signal.raise_signal(signal.SIGHUP if len(waited) < 3 else signal.SIGTERM)
        return True

    monkeypatch.setattr(Server, "wait", wait)
    try:
        serve(TicTacToe, host="127.0.0.1", port=0, store=tmp_path / "games.db")
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)

    assert len(waited) == 3


@pytest.mark.parametrize(
    ("people", "draining", "breath"),
    [(0, False, 0.0), (2, False, 2 * BREATH_EACH), (1_000, False, BREATH), (1_000, True, DRAIN_STEP)],
)
def test_what_many_play_between_two_updates_of_serve_shares_one_commit(
    monkeypatch: pytest.MonkeyPatch, people: int, draining: bool, breath: float
) -> None:
    slept = list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr("netcode.turns.server.time.sleep", sleep)
    monkeypatch.setattr(Server, "people", people)
    monkeypatch.setattr(Server, "draining", draining)

    serve(TicTacToe, host="127.0.0.1", port=0, store=None)

    assert slept == [breath]


class Fleets(Game):
    """Each hides a number, which is free; one may then be called, which is free, too."""

    hidden: list[int] = [0, 0]
    called: int = 0

    @options(size=range(3, 5), word=Free(str, lambda dice: "x", lambda word: None), many=range(200))
    def setup(self, size: int = 3, word: str = "w", many: int = 1, odd: bool = False) -> None: ...

    def round(self) -> None:
        asked = Free(int, lambda dice: dice.randrange(1, 9), lambda number: None if 0 < number < 9 else "from 1 to 8")
        for seat, number in self.ask_all(self.players, asked, "hide a number").items():
            self.hidden[seat] = number
        self.turn_to(0)

    @move(number=Free(int, lambda dice: dice.randrange(1, 9), lambda number: None))
    def call(self, number: int) -> None:
        self.called = number

    @move(number=Free(int, lambda dice: 0, lambda number: None))
    def never(self, number: int) -> None:
        self.require(number, "never")

    @move
    def rest(self) -> None: ...


def test_who_asks_what_is_played_is_told_the_games_their_options_and_arguments() -> None:
    hall = Hall(TicTacToe, Fleets)
    hall.serve()
    guest = hall.guest()
    hall.play(4 * TICK)

    guest.send(["games"])
    hall.play(4 * TICK)

    cell = {"game": "TicTacToe", "players": [2, 2], "options": {}, "chosen": {}, "moves": {"mark": ["cell"]}} | {
        "fields": {"cells": "open"},
        "texts": {},
        "by_seat": [],
        "seats": ["cells"],
    }
    fleets = {
        "game": "Fleets",
        "players": [2, 2],
        "options": {"size": [3, 4], "word": None, "many": None, "odd": [False, True]},
        "chosen": {"size": 3, "word": "w", "many": 1, "odd": False},
        "fields": {"hidden": "open", "called": "open"},
        "moves": {"call": ["number"], "never": ["number"], "rest": []},
        "texts": {},
        "by_seat": [],
        "seats": [],
    }
    assert hall.guests[guest] == [["games", [cell, fleets]]]
    hall.close()


def test_whoever_asks_too_early_or_looks_on_is_told_so() -> None:
    hall = Hall(TicTacToe)
    hall.serve()
    founder, watcher = hall.guest(), hall.guest()
    hall.play(4 * TICK)

    def say(guest: Client, *message: Any) -> list[Any]:
        told = hall.guests[guest]
        before = len(told)
        guest.send([*message])
        hall.play(8 * TICK)
        return [message for message in told[before:] if message[0] == "refused"]

    say(founder, "join", "TicTacToe", {"room": "one"})
    say(watcher, "join", "TicTacToe", {"room": "one", "watch": True})

    assert say(founder, "play", 1, "mark", {"cell": 0}) == [["refused", 1, "the game has not begun"]]
    assert say(founder, "consent", True) == [["refused", None, "the game has not begun"]]
    assert say(watcher, "play", 1, "mark", {"cell": 0}) == [["refused", 1, "who watches does not play"]]
    say(hall.guest(), "join", "TicTacToe", {"room": "one"})
    assert say(founder, "consent", True) == [["refused", None, "nobody wants to take a move back"]]


def test_what_is_free_is_drawn_for_who_asks() -> None:
    hall = Hall(Fleets)
    hall.serve()
    guests = [hall.guest(), hall.guest()]
    hall.play(4 * TICK)

    def say(who: int, *message: Any) -> list[Any]:
        told = hall.guests[guests[who]]
        before = len(told)
        guests[who].send([*message])
        hall.play(8 * TICK)
        return [message for message in told[before:] if message[0] not in ("step", "sat")]

    def question(who: int) -> str:
        asked = [
            told[3]["question"] for told in hall.guests[guests[who]] if told[0] == "step" and "question" in told[3]
        ]
        number: str = asked[-1][0]
        return number

    assert say(0, "draw", "") == [["refused", None, "you are at no table; join one first"]]
    say(0, "join", "Fleets", {})
    assert say(0, "draw", "") == [["refused", None, "the game has not begun"]]
    say(1, "join", "Fleets", {})
    [[kind, name, drawn]] = say(1, "draw", "")
    assert (kind, name, drawn["answer"] in range(1, 9)) == ("drawn", "", True)
    assert say(0, "draw", "call") == [["refused", None, "nothing is to be drawn for that"]]

    for who in range(2):
        assert say(who, "answer", 1, question(who), 4) == []
    [[kind, name, drawn]] = say(0, "draw", "call")
    assert (kind, name, drawn["number"] in range(1, 9)) == ("drawn", "call", True)
    assert say(0, "draw", "never") == [["refused", None, "nothing was found that is legal; choose yourself"]]
    assert say(1, "draw", "call") == [["refused", None, "nothing is to be drawn for that"]]
    hall.close()


def have_slow_moves_arrive(hall: Hall, players: int, *, on_thread: bool) -> Server:
    """Have everybody whose turn it is make a move that takes two shares of an update, and let none of them begin."""

    class Slow(TicTacToe):
        @move(cell=range(9))
        def mark(self, cell: int) -> None:
            hall.clock.advance(2 * SHARE)
            super().mark(cell)

    hall.games = (Slow,)
    server = hall.serve(on_thread=on_thread)
    seats = [hall.join(Slow, legal=False) for _ in range(players)]
    hall.until(lambda: all(seat.started for seat in seats))
    for seat in seats:
        if seat.my_turn:
            seat.play("mark", cell=4)
            seat.update()
    hall.clock.advance(TICK)
    return server


@pytest.mark.parametrize(("on_thread", "updates"), [(True, 4), (False, 1)])
def test_an_update_leaves_to_the_next_what_would_make_a_frame_wait(hall: Hall, on_thread: bool, updates: int) -> None:
    server = have_slow_moves_arrive(hall, 8, on_thread=on_thread)
    tables = [room.table for room in server._keeper.rooms.values()]
    moved: list[int] = []
    for _ in range(5):
        server.update()
        moved.append(sum(table is not None and table.last_number(0) for table in tables))

    assert moved == [min(4, 4 // updates * (number + 1)) for number in range(5)]


def test_a_server_that_left_something_does_not_sleep(hall: Hall) -> None:
    server = have_slow_moves_arrive(hall, 4, on_thread=True)
    server.update()
    before = hall.clock.now

    assert server.wait(5.0)
    assert hall.clock.now == before


@pytest.fixture
def collector() -> Iterator[None]:
    """Let the collector see everything for a while, and be as it was."""
    frozen, threshold = gc.get_freeze_count(), gc.get_threshold()
    gc.unfreeze()
    yield
    gc.set_threshold(*threshold)
    if frozen:
        gc.freeze()


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize(
    ("wanted", "serving"), [((700, 5, 7), (10_000, 5, 7)), ((20_000, 5, 7), (20_000, 5, 7)), ((0, 5, 7), (0, 5, 7))]
)
def test_serve_collects_more_seldom_than_the_program_around_it_unless_that_says_so(
    wanted: tuple[int, int, int], serving: tuple[int, int, int]
) -> None:
    thresholds: list[tuple[int, ...]] = []

    def started(_server: Server) -> None:
        thresholds.append(gc.get_threshold())
        raise KeyboardInterrupt

    gc.set_threshold(*wanted)
    serve(TicTacToe, host="127.0.0.1", port=0, store=None, started=started)

    assert (thresholds, gc.get_threshold()) == ([serving], wanted)


@pytest.mark.usefixtures("collector")
def test_serve_keeps_the_collector_from_what_stays_until_its_end() -> None:
    counts: list[int] = []

    def started(_server: Server) -> None:
        counts.append(gc.get_freeze_count())
        raise KeyboardInterrupt

    serve(TicTacToe, host="127.0.0.1", port=0, store=None, started=started)
    counts.append(gc.get_freeze_count())
    gc.freeze()
    serve(TicTacToe, host="127.0.0.1", port=0, store=None, started=started)
    counts.append(gc.get_freeze_count())

    assert counts[0] > 0
    assert counts[1] == 0, "a program that goes on has its collector back"
    assert counts[3] > 0, "what was frozen before stays so"


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "cut"])
def test_who_leaves_a_table_that_is_out_of_memory_is_missed(hall: Hall, closes: bool) -> None:
    class Slow(TicTacToe):
        absent = "forfeit"
        grace = 60.0

    hall.games = (Slow,)
    server = hall.serve(idle=10.0)
    ann, bob = two(hall, game=Slow)
    hall.move(ann, "mark", cell=0)
    hall.play(15.0)
    assert server.tables == 0
    if closes:
        bob.close()
    else:
        hall.seats.remove(bob)

    hall.until(lambda: ann.presence[1][0] == "away", 60.0)
    hall.until(lambda: ann.over, 70.0)
    assert ann.result is not None
    assert ann.result.winners == (0,)


def test_a_ticket_of_another_game_opens_nothing(hall: Hall) -> None:
    hall.serve()
    ann, _ = two(hall)

    assert hall.join(Secrets, ticket=ann.ticket).reason == "that table plays TicTacToe, not Secrets"
    assert (ann.seated, ann.connected) == (True, True)


def test_a_wish_for_a_rematch_is_kept_with_the_table(hall: Hall) -> None:
    server = hall.serve(idle=10.0)
    ann, bob = two(hall)
    hall.finish(ann, bob)
    ann.rematch()
    hall.play(15.0)
    assert server.tables == 0
    bob.rematch()
    hall.until(lambda: not bob.over)
    hall.finish(ann, bob)
    bob.rematch()
    hall.play(1.0)
    hall.kill()
    hall.serve()
    hall.play(2.0)
    hall.until(lambda: ann.connected and ann.seated and bob.connected and bob.seated)

    ann.rematch()

    hall.until(lambda: not ann.over)


def test_who_wanted_a_rematch_that_the_rules_failed_to_begin_still_wants_it(hall: Hall) -> None:
    class Moody(TicTacToe):
        MOOD: ClassVar[list[int]] = [1]

        def setup(self) -> None:
            self.cells = [None] * (9 // self.MOOD[0])

    hall.games = (Moody,)
    hall.serve()
    ann, bob = hall.join(Moody), hall.join(Moody)
    hall.finish(ann, bob)
    Moody.MOOD[0] = 0
    ann.rematch()
    bob.rematch()
    hall.until(lambda: hall.heard(bob, Refused) != [])
    hall.play(0.5)
    assert (ann.rematch_wanted_by, bob.rematch_wanted_by) == ((0, 1), (0, 1))
    Moody.MOOD[0] = 1

    bob.rematch()

    hall.until(lambda: not ann.over and not bob.over)
    assert (ann.rematch_wanted_by, bob.rematch_wanted_by) == ((), ())


def test_a_clock_stands_over_a_restart_where_it_was(hall: Hall) -> None:
    class Timed(TicTacToe):
        clock = Clock(per_move=30)

    hall.games = (Timed,)
    server = hall.serve()
    ann, bob = two(hall, game=Timed)
    hall.move(ann, "mark", cell=0)
    hall.play(20.0)
    server.close()
    hall.store = hall.store.successor()
    hall.serve()
    hall.until(lambda: bob.connected and bob.seated)

    assert bob.clocks is not None
    assert bob.clocks[1] < 10.5
    hall.move(bob, "mark", cell=1)
    hall.kill()
    hall.serve()
    hall.until(lambda: bob.connected and bob.seated)
    assert bob.view.cells[1] == 1


def test_who_has_waited_for_long_and_is_there_finds_the_table_after_a_restart(hall: Hall) -> None:
    hall.serve(waiting=100.0, keep=300.0, idle=10.0)
    ann = hall.join()
    hall.play(200.0)
    hall.kill()
    hall.serve(waiting=100.0, keep=300.0, idle=10.0)

    hall.until(lambda: ann.connected and ann.seated)
    hall.play(90.0)
    assert ann.reason == ""


def test_what_is_asked_of_a_table_on_its_way_is_refused(hall: Hall) -> None:
    server = hall.serve()
    ann = hall.join()
    server._keeper.leaving.add(next(iter(server._keeper.rooms)))
    ann.start()
    hall.play(1.0)

    assert [event.text for event in hall.heard(ann, Refused)] == [
        "the table is on its way to another process; ask again"
    ]


class Long_(Game):  # noqa: N801 - beside a test's own
    """A state so large that it is stored now and then: between, entries tell what happened."""

    clock = Clock(minutes=5)
    ballast: str = "x" * 20_000
    count: int = 0

    @move
    def add(self) -> None:
        self.count += 1


def restored(room: Room, entries: Sequence[bytes], state: bytes, wake: float | None = None) -> Any:
    return Room.restore(room.id, Saved(0, state, tuple(entries), wake), {"Long_": Long_}, 0.0)


def test_a_table_is_what_its_entries_made_of_it() -> None:
    room = Room("t", Long_, "friends", None, {})
    state = room.stored()
    entries = [room.sit(name, digest_of_key(name)) for name in ("Ann", "Bob", "Cid")]
    entries += [room.leave(1), room.begin(bytes(32))]
    assert room.table is not None
    for step in (room.table.start(0.0), room.table.play(0, "add", {}, 1, now=4.0)):
        assert isinstance(step, Step)
        entries.append(room.stepped(step.entry))
    entries += [room.want_rematch(0), room.depart(1), room.want_rematch(1), room.depart(0), room.come_back(0)]

    again = restored(room, entries, state)

    assert [(seat.name, seat.left) for seat in again.seats] == [("Ann", False), ("Cid", True)]
    assert (again.rematch, again.table.view(0)["count"], again.version) == ({0, 1}, b"\x01", len(entries))
    standing = restored(room, [*entries, room.stand(14.0)], state)
    assert standing.table.status(0.0).clocks == (296.0, 290.0)
    asleep = restored(room, [*entries, room.sleep()], state, wake=7.0)
    assert asleep.table.status(0.0).clocks == (296.0, 7.0)
    begun = restored(room, [*entries, room.begin(bytes(32))], state)
    assert begun.rematch == set()
    other = "this table was stored by another version of netcode"
    assert restored(room, [*entries, pack(["unheard of", 1])], state) == other
    assert restored(room, entries, pack([0])) == other
    assert Room.restore("t", Saved(0, state, ()), {}, 0.0) == "this server does not play Long_ any more"
    broken = [*entries[:4], pack(["begin", b"nothing"])]
    assert isinstance(restored(room, broken, state), str)
