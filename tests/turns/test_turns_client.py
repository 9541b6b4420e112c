"""A player's end: what it knows, what it refuses to do, and how it looks for its seat."""

import contextlib
import threading
import warnings
from collections.abc import Callable, Generator, Iterator
from enum import Enum
from typing import Any, cast

import pytest
from bounds import until

import netcode
from netcode.testing import FakeClock
from netcode.turns import protocol
from netcode.turns.client import join, tables
from netcode.turns.events import Event, Gone, Over, Presence, Refused, Said, Seated, Started
from netcode.turns.language.clocks import Clock
from netcode.turns.language.kit import Result
from netcode.turns.language.plays import Play
from netcode.turns.player.conversation import MAX_EVENTS, MOST_UNSAID
from netcode.turns.player.known import Known
from netcode.turns.rules import Game, move, options
from netcode.turns.seat import Seat
from netcode.turns.server import Server
from turns.hall import HOST, PORT, TICK, Hall, Secrets, TicTacToe


def test_whoever_compares_an_event_with_a_class_of_events_is_told_how_to_ask() -> None:
    event, others = Said(1, "Ann", "hi"), list[Any]([Said(1, "Ann", "hi"), Gone("hi"), str, Said])

    assert [event == other for other in others[:3]] == [True, False, False]
    assert hash(event) == hash(Said(1, "Ann", "hi"))
    with pytest.raises(TypeError) as caught:
        assert event == others[3]
    assert str(caught.value) == (
        "an event is never equal to a class: "
        "write `case turns.Said(seat, name, text):` or `isinstance(event, turns.Said)`"
    )


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("wanted", "error", "text"),
    [
        ({"patience": "x"}, TypeError, "patience must be a number, not str"),
        ({"patience": -1}, ValueError, "patience must be 0 or more"),
        ({"patience": float("nan")}, ValueError, "patience must be 0 or more"),
        ({"game": 5}, TypeError, "game must be the class of its rules, or its name, not 5"),
        ({"game": int}, TypeError, "game must be the class of its rules, or its name, not <class 'int'>"),
        ({"players": "2"}, TypeError, "players must be an int, not str"),
        ({"players": -1}, ValueError, "players must be 0 or more"),
        ({"name": 5}, TypeError, "name must be a str, not int"),
        ({"options": 5}, TypeError, 'options must be a dict such as {"size": 5}, not int'),
        (
            {"options": {"size": object()}},
            TypeError,
            "the option size has what cannot be sent: an object cannot be sent",
        ),
        ({"options": {"size": 2**70}}, ValueError, "a number in it has more than 64 bits, and cannot be sent"),
        (
            {"options": {"size": ENDLESS}},
            ValueError,
            "the option size cannot be [[...]]: maximum recursion depth exceeded",
        ),
        ({"options": {"size": "\ud800"}}, ValueError, "a text in it is no Unicode, and cannot be sent"),
        ({"options": {"size": "x" * 70_000}}, ValueError, "its texts are longer than 65536 characters together"),
        ({"options": {"a": "x" * 60_000, "b": "x" * 60_000}}, ValueError, "over the limit: max_message is 65536 here"),
        (
            {"options": {"size": "x" * 5000}, "max_message": 4096},
            ValueError,
            "over the limit: max_message is 4096 here",
        ),
        ({"options": {"\ud800": 5}}, ValueError, "'\\ud800' is no Unicode, and cannot be sent"),
        ({"game": "\ud800"}, ValueError, "'\\ud800' is no Unicode, and cannot be sent"),
        ({"options": {5: 5}}, ValueError, "options is a map with strings as keys"),
        (
            {"options": {"clock": {"minute": 5}}},
            ValueError,
            'clock must be None, in JSON null, or like {"minutes": 5, "increment": 3}',
        ),
        ({"options": {"clock": Clock(per_move=0.5)}}, ValueError, "a clock begins with 1 second at least, not 0.5"),
    ],
)
def test_what_nobody_can_join_with_is_told_at_the_call(
    wanted: dict[str, Any], error: type[Exception], text: str
) -> None:
    given: dict[str, Any] = {"address": (HOST, PORT), "game": TicTacToe, **wanted}

    with pytest.raises(error) as caught:
        join(**given)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: join("localhost", 7000, TicTacToe), "localhost', 7000"),  # type: ignore[arg-type]  # pyright: ignore
        (lambda: join("localhost:7000", TicTacToe), "localhost', 7000"),  # type: ignore[arg-type]  # pyright: ignore
        (lambda: join("localhost", TicTacToe), "localhost', 7777"),  # type: ignore[arg-type]  # pyright: ignore
        (lambda: tables("localhost", 7000), "localhost', 7000"),  # type: ignore[arg-type]  # pyright: ignore
        (lambda: join("[::1]:7000", TicTacToe), "::1', 7000"),  # type: ignore[arg-type]  # pyright: ignore
        (lambda: tables("::1"), "::1', 7777"),  # type: ignore[arg-type]  # pyright: ignore
        (lambda: join("localhost:", 7000), "localhost', 7000"),  # type: ignore[arg-type]  # pyright: ignore
    ],
)
def test_host_and_port_that_are_no_pair_read_how_to_write_it(call: Callable[[], object], meant: str) -> None:
    with pytest.raises(TypeError, match=rf"^address must be \(host, port\), .* (join|tables)\(\('{meant}\), …\)$"):
        call()


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"game": 5}, TypeError),
        ({"game": "x" * 300}, ValueError),
        ({"timeout": "x"}, TypeError),
        ({"timeout": -1.0}, ValueError),
    ],
)
def test_what_no_tables_can_be_asked_with_is_told_at_the_call(wanted: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=f"{next(iter(wanted))}('s name is a string| must be)"):
        tables((HOST, PORT), **wanted)


class Script:
    """A server that says whatever a test wants."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        link: dict[str, Any] = {"clock": hall.clock, "network": hall.network}
        self.server = netcode.Server(HOST, PORT, game=protocol.GAME, version=protocol.VERSION, **link)
        self.heard: list[Any] = []

    def say(self, *message: Any) -> None:
        self.server.broadcast([*message])
        self.play(6 * TICK)

    def play(self, seconds: float) -> None:
        end = self.hall.clock.now + seconds
        while self.hall.clock.now < end:
            self.hall.clock.advance(TICK)
            self.server.update()
            self.heard += [event.message for event in self.server.events() if isinstance(event, netcode.Received)]
            self.hall.update()


@pytest.fixture
def script(hall: Hall) -> Iterator[Script]:
    script = Script(hall)
    yield script
    script.server.close()


def saying(text: str) -> Callable[[Seat[Any]], None]:
    return lambda seat: seat.say(text)


def found_again(hall: Hall, *meanwhile: Callable[[Seat[Any]], None]) -> tuple[Seat[Any], Seat[Any]]:
    """Have a server die, one of its players do something while it is gone, and another one take its place."""
    hall.serve()
    ann, bob = hall.join(name="Ann"), hall.join(name="Bob")
    hall.kill()
    hall.until(lambda: not ann.seated and not bob.seated)
    for act in meanwhile:
        act(bob)
    hall.serve()
    hall.until(lambda: ann.seated and (bob.seated or bob.reason != ""))
    hall.play(1.0)
    return ann, bob


def test_what_is_said_while_the_table_is_looked_for_is_said_when_it_is_found(hall: Hall) -> None:
    _, bob = found_again(hall, lambda seat: seat.say("one moment"), lambda seat: seat.say("back"))

    assert [said.text for said in hall.heard(bob, Said)] == ["one moment", "back"]
    assert bob.seated


def test_who_leaves_while_the_table_is_looked_for_has_left_when_it_is_found(hall: Hall) -> None:
    ann, bob = found_again(hall, lambda seat: seat.leave())

    assert bob.reason == "you left the table"
    assert ann.over


def test_gone_is_the_last_event_whatever_was_under_way(hall: Hall, script: Script) -> None:
    seat = seated(hall, script)
    for message in (["gone", "you left the table"], ["refused", None, "you are at no table"]):
        script.server.broadcast(message)
    script.server.update()
    seat.update()
    hall.network.cut()
    seat.update()

    assert seat.events()[-1] == Gone("you left the table")


def test_more_than_can_wait_for_the_table_is_refused(hall: Hall) -> None:
    _, bob = found_again(hall, *(saying(str(n)) for n in range(MOST_UNSAID + 2)))

    text = "too much waits to be said until the table is found"
    assert [refused.text for refused in hall.heard(bob, Refused)] == [text, text]
    assert [said.text for said in hall.heard(bob, Said)] == [str(n) for n in range(MOST_UNSAID)]


def seated(hall: Hall, script: Script, game: Any = TicTacToe) -> Seat[Any]:
    seat = hall.begin_to_join(game)
    script.play(6 * TICK)
    script.say("sat", "t", "TicTacToe", 0, "t.key", 0, None)
    return seat


def test_who_sits_down_is_told_by_the_name_at_the_table_also_who_comes_back(hall: Hall) -> None:
    hall.serve()
    ann = hall.join(name="Ann")
    other = hall.join(name="ann")
    back = hall.join(ticket=other.ticket)
    watching = hall.join(watch=True, name="Eve")

    assert hall.heard(ann, Seated) == [Seated(0, "Ann"), Seated(1, "ann 2")]
    assert hall.heard(other, Seated) == hall.heard(back, Seated) == [Seated(1, "ann 2")]
    assert hall.heard(watching, Seated) == [Seated(None, "Eve")]


def test_there_is_a_view_with_seated_where_the_game_is_on(hall: Hall) -> None:
    hall.serve()
    _, bob = hall.join(), hall.join()
    late = hall.begin_to_join(watch=True), hall.begin_to_join(ticket=bob.ticket)

    for seat in late:
        while not hall.heard(seat, Seated):
            hall.play(TICK)
        assert seat.started
        assert hall.heard(seat, Started) == []


def test_an_end_is_told_once_also_to_who_was_not_there(hall: Hall) -> None:
    hall.serve()
    ann, bob = hall.join(), hall.join()
    bob.close()
    ann.leave()
    hall.play(1.0)

    back = hall.join(ticket=bob.ticket)
    hall.kill()
    hall.serve()
    hall.play(15.0)

    over = Over(Result((1,), None, "player 1 gave up"))
    assert (back.connected, back.result) == (True, over.result)
    assert hall.heard(back, Seated, Over) == [Seated(1, "player 2"), over]
    assert hall.heard(ann, Over) == [over]


def test_an_end_is_told_apart_from_that_of_a_rematch_that_went_the_same_way() -> None:
    known, told = Known[TicTacToe]("TicTacToe"), list[Event]()
    for game in ("first", "first", "second"):
        known.sit(None, 0)
        told += known.step(protocol.Step([], {}, {"id": game, "result": ((0,), None, "")}), 0.0)

    assert told == [Over(Result((0,), None, ""))] * 2


def test_whose_move_it_is_says_a_view_by_name_as_one_of_the_class(hall: Hall) -> None:
    hall.serve()
    ann, bob = hall.join(Secrets, players=2), hall.join("Secrets")
    movers = [(ann.view.mover, bob.view.mover)]
    hall.move(ann, "draw")
    movers.append((ann.view.mover, bob.view.mover))
    ann.answer("doubled")
    hall.until(lambda: ann.pending is None and bob.my_turn)
    movers.append((ann.view.mover, bob.view.mover))

    assert movers == [(0, 0), (0, 0), (1, 1)]


def test_before_anything_is_known_nothing_is_made_up(hall: Hall) -> None:
    seat = hall.begin_to_join(TicTacToe, name="Ann")

    assert (seat.seated, seat.connected, seat.started, seat.over, seat.my_turn) == (False,) * 5
    assert (seat.seat, seat.ticket, seat.question, seat.result, seat.clocks, seat.pending) == (None,) * 6
    assert (seat.names, seat.to_move, seat.legal, seat.unlisted, seat.presence) == ((),) * 5
    assert (seat.reason, seat.frozen, seat.can_undo, seat.undo_wanted_by, seat.secret) == ("", "", "", None, None)
    assert (seat.players, seat.options, seat.rtt, seat.jitter) == ((0, 0), {}, None, None)
    assert (seat.trouble, seat.silence, seat.rematch_wanted_by, seat.spectators) == (None, 0.0, (), 0)
    assert repr(seat) == "<Seat at TicTacToe>"
    with pytest.raises(RuntimeError, match="there is no view before the game has begun"):
        _ = seat.view
    with pytest.raises(RuntimeError, match="we have no seat yet"):
        seat.play("mark", cell=1)


MISUSES: list[tuple[Callable[[Seat[Any]], None], type[Exception], str]] = [
    (lambda seat: seat.play(cast("Any", 7)), TypeError, "expected a play such as"),
    (lambda seat: seat.play(TicTacToe.mark(1), cell=2), TypeError, "a play has its arguments already"),
    (lambda seat: seat.play("mark", cell=object()), TypeError, "cannot be sent"),
    (lambda seat: seat.answer("x"), RuntimeError, "nothing is asked of us"),
]


def test_a_place_that_is_none_is_misuse() -> None:
    place: Any = "localhost:7777"

    with pytest.raises(TypeError, match="address must be"):
        join(place, TicTacToe)
    with pytest.raises(TypeError, match="address must be"):
        tables(place)


@pytest.mark.parametrize(("call", "error", "text"), MISUSES)
def test_misuse_raises_and_changes_nothing(hall: Hall, call: Any, error: type[Exception], text: str) -> None:
    hall.serve()
    ann, _ = hall.join(), hall.join()

    with pytest.raises(error, match=text):
        call(ann)

    assert ann.pending is None
    hall.move(ann, "mark", cell=4)
    assert ann.view.cells[4] == 0


@pytest.mark.parametrize("wanted", [{"room": ""}, {"room": "x" * 65}, {"options": {"a": [[[[[[[[[[[[[1]]]]]]]]]]]]]}}])
def test_what_a_server_would_not_read_is_told_at_the_call(wanted: dict[str, Any]) -> None:
    with pytest.raises(netcode.NetcodeError):
        join((HOST, PORT), TicTacToe, **wanted)


class Suit(Enum):
    CLUBS = "c"
    HEARTS = "h"


class Trumps(Game):
    suit: Suit = Suit.CLUBS

    @options(others=[frozenset(), frozenset(Suit)])
    def setup(self, suit: Suit = Suit.CLUBS, others: frozenset[Suit] = frozenset()) -> None:
        self.suit = suit

    @move
    def go(self) -> None: ...


@pytest.mark.parametrize(
    ("chosen", "sent"),
    [
        ({"suit": Suit.HEARTS}, {"suit": "HEARTS", "others": []}),
        ({"others": frozenset(Suit)}, {"suit": "CLUBS", "others": ["CLUBS", "HEARTS"]}),
        ({"clock": Clock(per_move=20)}, {"suit": "CLUBS", "others": [], "clock": {"per_move": 20}}),
        ({"clock": Clock(minutes=3)}, {"suit": "CLUBS", "others": [], "clock": {"minutes": 3}}),
        ({"clock": None}, {"suit": "CLUBS", "others": [], "clock": None}),
    ],
)
def test_options_are_chosen_as_the_rules_have_them(chosen: dict[str, Any], sent: dict[str, Any]) -> None:
    hall = Hall(Trumps)
    try:
        hall.serve()
        ann, bob = hall.join(Trumps, options=chosen), hall.join(Trumps, options=chosen)

        assert (ann.options, bob.seat, bob.view.suit) == (sent, 1, chosen.get("suit", Suit.CLUBS))
        assert (ann.clocks is None) == (sent.get("clock") is None)
    finally:
        hall.close()


DEEP: Any = [[[[[[[[[[[[[[1]]]]]]]]]]]]]]


WOULD_END: list[Callable[[Seat[Any]], None]] = [
    lambda seat: seat.play("mark", cell=DEEP),
    lambda seat: seat.play("mark" * 100, cell=1),
    lambda seat: seat.play("mark", cell=2**70),
    lambda seat: seat.play("mark", cell="\ud800"),
    lambda seat: seat.play("mark", cell=object()),
    lambda seat: seat.play("mark", cell="x" * 100_000),
    lambda seat: seat.play("mark", cell=ENDLESS),
    lambda seat: seat.consent(cast("Any", 1)),
    lambda seat: seat.say("x" * 20_000),
    lambda seat: seat.say("\ud800"),
    lambda seat: seat.say(cast("Any", None)),
]


@pytest.mark.parametrize("call", WOULD_END)
def test_what_would_end_our_own_link_is_told_at_the_call(hall: Hall, call: Callable[[Seat[Any]], None]) -> None:
    hall.serve()
    ann, bob = hall.join(), hall.join()

    with pytest.raises((TypeError, ValueError, OverflowError)):
        call(ann)

    assert ann.pending is None
    hall.finish(ann, bob)
    assert (ann.reason, bob.reason) == ("", "")


def test_what_is_too_large_to_be_said_is_refused_once_the_table_is_found(hall: Hall) -> None:
    hall.serve()
    ann = hall.begin_to_join(max_message=4096)
    ann.say("x" * 5000)

    hall.until(lambda: ann.seated)
    hall.play(0.5)

    (refused,) = hall.heard(ann, Refused)
    assert refused.text.endswith("max_message is 4096 here; send less at once, or raise max_message at both ends")
    assert (ann.reason, ann.seat) == ("", 0)


def test_a_play_that_is_too_large_is_refused_when_the_link_is_back(hall: Hall) -> None:
    hall.serve()
    ann, bob = hall.join(), hall.join()
    hall.kill()
    hall.until(lambda: not ann.seated)
    large = Play("mark", {"cell": "x" * 100_000})

    ann.play(large)
    hall.serve()
    hall.until(lambda: ann.seated and bob.seated)
    hall.play(0.5)

    assert [event.play for event in hall.heard(ann, Refused)] == [large]
    hall.finish(ann, bob)


def test_after_the_end_nothing_more_is_played(hall: Hall) -> None:
    hall.serve()
    ann = hall.join()
    ann.close()
    hall.play(TICK)

    assert hall.heard(ann, Gone) == [Gone("closed by this program")]
    with pytest.raises(RuntimeError, match="we are at no table any more: closed by this program"):
        ann.start()
    ann.say("anybody?")
    assert ann.wait(0.0)


def test_a_view_is_for_reading(hall: Hall) -> None:
    hall.serve()
    ann, _ = hall.join(), hall.join()

    by_name = hall.join("Secrets", players=2)
    hall.join("Secrets", players=2)

    for view in (ann.view, by_name.view):
        with pytest.raises(TypeError, match="a view is for reading"):
            view.cells = []
        with pytest.raises(AttributeError, match="cards"):
            _ = view.cards
    with pytest.raises(TypeError, match="a view is for reading"):
        del by_name.view.deck
    assert {"deck", "hands", "names"} <= {*dir(by_name.view)}
    assert repr(by_name.view).startswith("<view of Secrets: ")


def test_clocks_run_between_messages(hall: Hall) -> None:
    class Quick(TicTacToe):
        clock = Clock(per_move=30)

    hall.games = (Quick,)
    hall.serve()
    ann, bob = hall.join(Quick), hall.join(Quick)
    hall.play(10.0)

    for seat in (ann, bob):
        assert seat.clocks is not None
        assert seat.clocks[0] == pytest.approx(20, abs=0.5)
        assert seat.clocks[1] == 30
    hall.until(lambda: bob.over, 25.0)
    assert bob.result is not None
    assert bob.result.winners == (1,)


def test_a_server_that_speaks_otherwise_is_left(hall: Hall, script: Script) -> None:
    seat = seated(hall, script)

    script.say("step", [], {"cells": b"\xc1"}, {})

    assert seat.reason.startswith("the server sent what the protocol does not allow")


@pytest.mark.parametrize(
    "state",
    [
        {"names": 3},
        {"players": [1]},
        {"options": []},
        {"presence": [["away", "soon"]]},
        {"presence": ["away"]},
        {"result": 5},
        {"result": [[0], ["x"], ""]},
        {"to_move": [-1]},
        {"mover": "Ann"},
        {"out": None},
        {"clocks": [None]},
        {"secret": "s"},
        {"undo_by": True},
        {"last": -1},
        {"question": ["q", "prompt"]},
        {"legal": [["mark", {1: 2}]]},
        {"legal": ["mark"]},
        {"frozen": None},
        {"spectators": "many"},
    ],
)
def test_state_of_another_shape_is_not_believed(hall: Hall, script: Script, state: dict[str, Any]) -> None:
    seat = seated(hall, script)

    script.say("step", [], {}, state)

    assert "is not what the page says" in seat.reason


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("cell", ["half \udcff", 10**30, "x" * 2_000_000], ids=["text", "number", "size"])
def test_a_play_that_cannot_be_sent_is_misuse_and_not_pending(
    hall: Hall, script: Script, cell: object, connected: bool
) -> None:
    seat = seated(hall, script)
    script.say("step", [], {}, {"started": True, "to_move": [0], "names": ["Ann"]})
    if not connected:
        script.server.close()
        hall.play(1.0)

    if connected or not isinstance(cell, str) or "half" in cell:
        with pytest.raises(ValueError, match=r"cannot be sent|surrogates not allowed|over the limit"):
            seat.play("mark", cell=cell)
        assert seat.pending is None
    else:
        seat.play("mark", cell=cell)  # how large a message may be is known once there is a link
        link: dict[str, Any] = {"clock": hall.clock, "network": hall.network}
        script.server = netcode.Server(HOST, PORT, game=protocol.GAME, version=protocol.VERSION, **link)
        script.play(10.0)
        script.say("sat", "t", "TicTacToe", 0, "t.key", 0, None)
        assert (seat.pending, [refused.play for refused in hall.heard(seat, Refused)]) == (
            None,
            [Play("mark", {"cell": cell})],
        )


def test_what_a_newer_server_adds_is_ignored(hall: Hall, script: Script) -> None:
    seat = seated(hall, script)

    script.say("step", [["fireworks", 3], ["seated", 1, "Ann"]], {}, {"weather": "fine", "names": ["Ann"]})

    assert (seat.reason, seat.names) == ("", ("Ann",))
    assert hall.heard(seat, Seated)[-1] == Seated(1, "Ann")


def test_fields_in_parts_are_one_step(hall: Hall, script: Script) -> None:
    seat = seated(hall, script, "TicTacToe")
    script.say("part", {"cells": b"\x91\x01"})
    assert not seat.started

    script.say("step", [["moved", 0, None]], {"more": b"\x02"}, {"started": True})

    assert (seat.view.cells, seat.view.more) == ([1], 2)


def test_a_view_of_many_large_fields_arrives_whole(hall: Hall) -> None:
    from netcode.turns.rules import Game, move

    class Library(Game):
        one: str = "a" * 50_000
        two: str = "b" * 50_000
        three: str = "c" * 50_000
        four: int = 4

        @move
        def read(self) -> None:
            self.finish()

    hall.games = (Library,)
    hall.serve()
    ann, _ = hall.join(Library), hall.join(Library)

    assert (len(ann.view.one), len(ann.view.two), len(ann.view.three), ann.view.four) == (50_000,) * 3 + (4,)


def test_a_seat_hears_once_that_its_server_died_and_once_that_it_is_back(hall: Hall) -> None:
    hall.serve()
    ann = hall.join()
    hall.kill()
    hall.play(15.0)

    hall.serve()
    hall.play(15.0)

    own = [event.state for event in hall.heard(ann, Presence) if event.seat is None]
    assert own == ["away", "here"]


def test_a_seat_is_looked_for_with_patience_and_then_given_up(hall: Hall) -> None:
    hall.serve()
    ann = hall.join(patience=30.0)
    hall.kill()
    hall.play(20.0)
    assert ann.reason == ""
    assert hall.heard(ann, Presence)[-1] == Presence(None, "away", None)
    assert not ann.connected

    hall.play(30.0)

    assert "nothing is listening" in ann.reason


@pytest.mark.parametrize("down", [False, True])
def test_who_is_told_to_be_patient_waits_for_a_server_that_is_not_there_yet(hall: Hall, down: bool) -> None:
    hall.network.down = down
    ann, bob = hall.begin_to_join(patience=100.0, name="Ann"), hall.begin_to_join()
    hall.play(80.0)
    assert ann.reason == ""
    assert ann.patience == pytest.approx(20.0, abs=6.0)
    assert bob.reason != ""
    hall.network.down = False
    hall.serve()

    hall.until(lambda: ann.seated)

    assert (ann.names, ann.patience) == (("Ann",), 100.0)


@pytest.mark.parametrize(("patience", "least", "most"), [(0.0, 0.0, 0.1), (30.0, 30.0, 30.5)])
def test_patience_with_a_server_that_nobody_starts_ends(hall: Hall, patience: float, least: float, most: float) -> None:
    before = hall.clock.now
    ann = hall.begin_to_join(patience=patience)

    hall.until(lambda: ann.reason != "")

    assert "nothing is listening" in ann.reason
    assert least <= hall.clock.now - before <= most


def test_patience_does_not_help_where_the_server_wants_nobody(hall: Hall) -> None:
    def nobody(_credentials: object, _address: object) -> bool:
        return False

    hall.serve(authenticate=nobody)

    ann = hall.begin_to_join(patience=100.0)
    hall.play(1.0)

    assert ann.reason != ""


def test_how_the_link_is_can_be_shown(hall: Hall) -> None:
    hall.serve(timeout=10.0, ping_interval=1.0)
    ann = hall.join(patience=30.0)
    hall.join(watch=True, room=None)
    hall.play(1.0)
    assert (ann.trouble, ann.patience, ann.spectators) == (None, 30.0, 1)
    assert ann.rtt is not None
    assert ann.jitter is not None
    server, hall.server = hall.server, None

    hall.play(4.0)
    silence = ann.silence
    hall.server = server
    hall.play(2.0)

    assert silence == pytest.approx(4.0, abs=0.5)
    assert ann.silence < 1.5


def test_a_seat_that_was_closed_while_it_was_looked_for_opens_no_link_again(hall: Hall) -> None:
    hall.serve()
    ann = hall.join()
    hall.kill()
    hall.play(30.0)
    ann.close()
    server = hall.serve()

    hall.play(10.0)

    assert (ann.connected, server._net.peers) == (False, ())


def test_a_wait_while_a_seat_is_looked_for_ends_when_a_server_is_to_be_asked(hall: Hall) -> None:
    hall.serve()
    ann = hall.join()
    hall.kill()
    hall.play(30.0)
    ann.events()
    assert not ann.wait(0.0)

    hall.clock.advance(5.0)  # as long as two attempts are apart at most

    assert ann.wait(0.0)


def test_why_a_link_broke_is_known_while_the_seat_is_looked_for(hall: Hall) -> None:
    hall.serve(grace=5.0)
    ann = hall.join(patience=30.0)
    hall.network.cut()
    hall.until(lambda: not ann.connected)
    first = ann.trouble
    assert (ann.patience, ann.silence) == (30.0, 0.0)
    hall.until(lambda: ann.connected)
    assert ann.trouble is None

    assert hall.server is not None
    hall.server.close("back in a minute")
    hall.server = None
    hall.play(10.0)

    assert first is not None
    assert ann.reason == ""
    assert ann.trouble is not None
    assert 15.0 < ann.patience < 25.0
    hall.store = hall.store.successor()
    hall.serve()
    hall.until(lambda: ann.seated)
    assert (ann.trouble, ann.patience) == (None, 30.0)


def test_a_server_that_nobody_started_is_said_at_once(hall: Hall) -> None:
    seat = hall.begin_to_join()

    hall.play(1.0)

    assert "nothing is listening" in seat.reason


@pytest.mark.parametrize(
    ("game", "version", "why"),
    [
        ("chess", "1", "is of another kind, with no tables to sit down at; is the address right?"),
        (protocol.GAME, "0", "keeps its tables in another way; install the same netcode at both ends"),
    ],
)
def test_a_server_of_another_kind_is_said_as_to_a_player(hall: Hall, game: str, version: str, why: str) -> None:
    with netcode.Server(HOST, PORT, game=game, version=version, clock=hall.clock, network=hall.network) as other:
        seat = hall.begin_to_join()
        for _ in range(60):
            other.update()
            hall.play(TICK)

    assert seat.reason == f"the server at {HOST}:{PORT} {why}"


def test_waiting_ends_when_the_next_attempt_is_due() -> None:
    clock = FakeClock()
    hall = Hall()
    hall.clock = clock
    seat = join(("127.0.0.1", 1), TicTacToe, clock=clock, network=hall.network)
    hall.network.clock = clock
    for _ in range(30):
        clock.advance(TICK)
        seat.update()
    assert seat.wait(0.01)
    seat.close()


@contextlib.contextmanager
def served(server: Server | netcode.Server) -> Generator[None]:
    """Drive a server beside who waits for its answers."""
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            server.wait(0.01)
            server.update()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_tables_are_asked_for_over_loopback() -> None:
    with (
        Server(TicTacToe, Secrets, host="127.0.0.1", port=0, on_thread=False) as server,
        served(server),
        join(server.address, Secrets, name="Ann", options={"size": 6}) as ann,
    ):
        for _ in until(lambda: ann.seated):
            ann.update()
            ann.wait(0.01)
        [entry] = tables(server.address)

        assert entry["room"].startswith("#")
        assert {**entry, "room": ""} == {
            "room": "",
            "game": "Secrets",
            "players": [2, 4],
            "options": {"size": 6},
            "names": ["Ann"],
        }
        assert tables(server.address, TicTacToe) == []


def test_a_server_of_another_kind_has_no_list_of_tables() -> None:
    with (
        netcode.Server("127.0.0.1", 0, game="chess") as other,
        served(other),
        pytest.raises(OSError, match="is of another kind, with no tables to sit down at"),
    ):
        tables(other.address)


def test_a_server_that_does_not_answer_is_said() -> None:
    silent = netcode.Server("127.0.0.1", 0, game=protocol.GAME, version=protocol.VERSION)
    with silent, pytest.raises(OSError, match=r"did not answer within 0\.05 seconds"):
        tables(silent.address, timeout=0.05)


def test_events_that_nobody_takes_are_bounded_and_that_is_said_once(hall: Hall) -> None:
    hall.serve(moves_per_second=1e6, chat_per_second=1e6)
    ann, bob = hall.join(name="Ann"), hall.join(name="Bob")
    hall.seats.remove(bob)

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for number in range(MAX_EVENTS + 200):
            ann.say(f"text {number}")
            hall.play(TICK)
            bob.update()
        hall.play(1.0)
        bob.update()

    assert ["1000 events of a seat wait for seat.events()" in str(one.message) for one in warned] == [True]
    texts = [event.text for event in bob.events() if isinstance(event, Said)]
    assert (len(texts), texts[-1]) == (MAX_EVENTS, f"text {MAX_EVENTS + 199}")


def test_what_is_wanted_is_said_again_where_the_link_took_it_with_it(hall: Hall) -> None:
    hall.serve()
    ann, bob = hall.join(name="Ann"), hall.join(name="Bob")
    hall.finish(ann, bob)
    bob.rematch()
    hall.play(1.0)
    hall.kill()
    ann.rematch()
    hall.serve()

    hall.until(lambda: not ann.over and not bob.over)
    assert [event.text for seat in (ann, bob) for event in hall.heard(seat, Refused)] == []
    alone = hall.join(name="Cid", room="three", players=2)
    alone.start()
    hall.play(1.0)
    hall.kill()
    hall.serve()
    hall.play(5.0)
    assert len(hall.heard(alone, Refused)) == 1  # who is told no does not ask for ever


@pytest.mark.parametrize("call", ["events", "wait", "connected", "seated", "started"])
def test_a_seat_that_is_never_updated_tells_so_once(call: str) -> None:
    clock = FakeClock()
    with (
        Server(TicTacToe, host="127.0.0.1", port=0, store=None, clock=clock) as server,
        join(server.address, TicTacToe, clock=clock) as seat,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        calls: dict[str, Callable[[], object]] = {
            "events": seat.events,
            "wait": lambda: seat.wait(0.0),
            "connected": lambda: seat.connected,
            "seated": lambda: seat.seated,
            "started": lambda: seat.started,
        }
        for _ in range(1200):
            clock.advance(TICK)
            calls[call]()

    assert [str(warning.message).partition(" seconds")[0] for warning in caught] == [
        "table.update() has not been called for 5"
    ]
    assert caught[0].filename == __file__


@pytest.mark.parametrize("left", [True, False])
def test_a_seat_that_is_over_may_be_asked_for_events_for_ever(left: bool) -> None:
    clock = FakeClock()
    with Server(TicTacToe, host="127.0.0.1", port=0, store=None, clock=clock) as server:
        seat = join(server.address, TicTacToe, clock=clock)
        while left and not seat.reason:
            clock.advance(TICK)
            seat.update()
            server.update()
            if seat.seated:
                seat.leave()
        seat.close()

        for _ in range(1200):
            clock.advance(TICK)
            seat.events()
            seat.wait(0.0)

    assert seat.reason == ("you left the table" if left else "closed by this program")


def test_a_seat_that_is_updated_only_when_it_was_woken_is_told_nothing() -> None:
    clock = FakeClock()
    with (
        Server(TicTacToe, host="127.0.0.1", port=0, store=None, clock=clock) as server,
        join(server.address, TicTacToe, clock=clock) as seat,
    ):
        for _ in range(1800):
            clock.advance(TICK)
            server.update()
            if seat.wait(0.0):
                seat.update()
            seat.events()
        assert seat.seated
