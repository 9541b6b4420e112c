"""Tests of the sessions and bots of Broadside at the tables of the kit, over a network in memory."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from broadside import TIDY_FLEET, Sea
from turns.hall import Full

from demo_game.rules import Cell, random_fleet, wrong_with
from demo_game.session import Ended, Session
from demo_game.view import Phase, View
from demo_game.window.headline import headline
from demo_game.window.kept_seat import KeptSeat
from demo_game.window.link import Link
from netcode import ReasonCode
from netcode.turns import Refused


@pytest.fixture
def sea() -> Iterator[Sea]:
    sea = Sea()
    sea.serve()
    yield sea
    sea.close()


def hide_both(sea: Sea, anne: Session, bob: Session) -> Session:
    """Have both hide their fleets, and give the one who is to fire."""
    anne.place(TIDY_FLEET)
    bob.place(TIDY_FLEET)
    sea.until(lambda: anne.view.my_turn or bob.view.my_turn)
    return anne if anne.view.my_turn else bob


def public(view: View) -> View:
    return replace(view, seat=None, number=0)


def test_two_bots_play_a_game_and_all_see_the_same(sea: Sea) -> None:
    anne, bob = sea.enter_bot("Anne", 0.3), sea.enter_bot("Bob", 0.3)
    sea.until(lambda: anne.session.joined)
    carl = sea.enter("Carl", watching=True)

    sea.until(lambda: carl.view.phase is Phase.FIRING)
    assert [side.fleet for side in carl.view.sides] == [(), ()]
    assert [side.fleet != () for side in anne.session.view.sides] == [True, False]
    sea.until(lambda: all(session.view.phase is Phase.OVER for session in sea.sessions))

    assert public(anne.session.view) == public(bob.session.view) == public(carl.view)
    assert all(side.fleet for side in carl.view.sides)
    assert "has sunk the whole fleet of" in carl.view.why
    assert carl.view.seat is None


def test_bots_play_again_against_each_other(sea: Sea) -> None:
    bots = [sea.enter_bot(name) for name in ("Anne", "Bob", "Carl", "Dora")]

    sea.until(lambda: max(bot.session.view.number for bot in bots) == 3, seconds=1000)

    names = {tuple(side.name for side in bot.session.view.sides) for bot in bots}
    assert names == {("Anne", "Bob"), ("Carl", "Dora")}


def test_a_bot_whose_opponent_has_left_finds_another(sea: Sea) -> None:
    anne, bob = sea.enter_bot("Anne"), sea.enter("Bob")
    sea.until(lambda: bob.view.to_place)
    bob.leave()
    sea.until(lambda: bob.reason)
    carl = sea.enter("Carl")

    sea.until(lambda: carl.view.to_place)

    assert {side.name for side in anne.session.view.sides} == {"Anne", "Carl"}


def test_our_own_fleet_is_seen_from_the_moment_it_is_hidden(sea: Sea) -> None:
    anne, bob = sea.pair()
    anne.place(TIDY_FLEET)

    sea.until(lambda: bob.view.sides[0].placed)

    assert anne.view.sides[0].fleet == TIDY_FLEET
    assert not anne.view.to_place
    assert (bob.view.sides[0].fleet, bob.view.to_place) == ((), True)


def test_an_illegal_fleet_is_given_back(sea: Sea) -> None:
    anne, _ = sea.pair()
    anne.place(random_fleet(Random(1))[1:])

    sea.until(lambda: anne.view.refusal != "")

    assert anne.view.to_place
    assert anne.view.refusal == "a fleet is ships of lengths 5, 4, 3, 3, 2"


def test_who_is_too_slow_to_hide_a_fleet_has_one_at_random_and_the_other_one_keeps_theirs(sea: Sea) -> None:
    anne, bob = sea.pair(per_move=20)
    anne.place(TIDY_FLEET)
    sea.play(15)
    left = [side.clock for side in bob.view.sides]
    sea.until(lambda: bob.view.phase is Phase.FIRING and anne.view.phase is Phase.FIRING)
    told = anne.view.told, bob.view.told
    clocks = [side.clock for side in anne.view.sides]

    sea.until(lambda: anne.view.phase is Phase.OVER)

    assert left[1] == pytest.approx(5, abs=0.5)
    assert clocks[anne.view.winner or 0] is None or clocks[anne.view.winner or 0]
    assert told == 2 * ("The fleet of Bob was hidden at random: the time was up",)
    assert anne.view.sides[0].fleet == TIDY_FLEET
    assert wrong_with(anne.view.sides[1].fleet) is None
    assert anne.view.why.endswith("ran out of time")  # in battle


def test_who_both_are_too_slow_to_hide_a_fleet_begin_all_the_same(sea: Sea) -> None:
    anne, bob = sea.pair(per_move=20)

    sea.until(lambda: anne.view.phase is bob.view.phase is Phase.FIRING)

    assert wrong_with(anne.view.sides[0].fleet) is wrong_with(bob.view.sides[1].fleet) is None
    assert [anne.view.sides[anne.view.turn or 0].clock] == [pytest.approx(20, abs=0.2)]


def test_what_cannot_be_done_now_is_not_tried(sea: Sea) -> None:
    anne, bob = sea.pair()
    anne.fire(Cell(0, 0))
    first = hide_both(sea, anne, bob)
    second = bob if first is anne else anne
    second.fire(Cell(0, 0))
    second.place(TIDY_FLEET)
    first.fire(Cell(0, 0))
    assert (first.view.my_turn, first.view.aim) == (True, None)
    first.fire(Cell(0, 1))

    sea.play(1.0)

    assert [len(session.view.log) for session in (anne, bob)] == [1, 1]
    assert anne.view.refusal == bob.view.refusal == ""


def test_a_shot_that_does_not_count_is_told_and_may_be_tried_again(sea: Sea) -> None:
    anne, bob = sea.pair()
    first = hide_both(sea, anne, bob)
    first.fire(Cell(70, 0))

    sea.until(lambda: first.view.refusal)

    assert headline(first.view).text == "That shot does not count: choose another target"
    assert first.view.my_turn
    first.fire(Cell(7, 0))
    sea.until(lambda: first.view.log)
    assert first.view.refusal == ""


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_was_refused_because_the_disk_is_full_waits_until_there_is_space(elsewhere: bool) -> None:
    store, sea = Full(), Sea()
    sea.serve(store=store)
    anne, bob = sea.pair()
    carl, _ = sea.pair() if elsewhere else (anne, bob)
    store.full = True
    carl.place(TIDY_FLEET)
    sea.until(lambda: bob.table.frozen)

    bob.place(TIDY_FLEET)
    sea.play(1.0)
    shown = bob.view
    store.full = False
    anne.place(TIDY_FLEET)
    sea.until(lambda: anne.view.my_turn or bob.view.my_turn)

    assert headline(shown).text == "The disk is full"
    assert (shown.to_place, shown.sides[1].fleet) == (False, TIDY_FLEET)
    assert anne.view.refusal == bob.view.refusal == ""
    sea.close()


def test_a_shot_that_was_refused_because_the_disk_is_full_is_not_told_to_have_been_a_bad_one() -> None:
    store, sea = Full(), Sea()
    sea.serve(store=store)
    anne, bob = sea.pair()
    first = hide_both(sea, anne, bob)
    carl, _ = sea.pair()
    store.full = True
    carl.place(TIDY_FLEET)
    sea.until(lambda: first.table.frozen)

    first.fire(Cell(0, 0))
    sea.play(1.0)
    store.full = False
    sea.until(lambda: not first.view.refusal)

    assert [event.text for event in sea.heard[first] if isinstance(event, Refused)] == ["the disk is full"]
    assert headline(first.view).text == "Your turn: choose a target"
    sea.close()


def test_who_leaves_loses_and_their_goodbye_is_read(sea: Sea) -> None:
    anne, bob = sea.pair()
    anne.leave("dinner is ready")

    sea.until(lambda: bob.view.phase is Phase.OVER and anne.reason is not None)

    assert (bob.view.why, bob.view.winner, bob.view.sides[0].presence) == ("Anne gave up", 1, "left")
    assert [(said.name, said.text) for said in bob.chat] == [("Anne", "dinner is ready")]


def test_what_is_said_is_heard_by_both_and_by_who_watches(sea: Sea) -> None:
    anne, bob = sea.pair()
    carl = sea.enter("Carl", watching=True)
    sea.until(lambda: carl.joined)

    carl.table.say("good luck")

    sea.until(lambda: anne.chat and bob.chat and carl.chat)
    assert (bob.chat[0].name, bob.chat[0].text, anne.view.spectators) == ("Carl", "good luck", 1)


def test_a_rematch_is_against_the_same_and_another_opponent_is_somebody_else(sea: Sea) -> None:
    anne, bob = sea.enter_bot("Anne", 0.2), sea.enter_bot("Bob", 0.2)
    sea.until(lambda: anne.session.view.phase is bob.session.view.phase is Phase.OVER)
    sea.bots.clear()
    before = anne.session.view.number
    anne.session.again()
    sea.until(lambda: bob.session.view.again == (anne.session.view.seat,))
    bob.session.again()
    sea.until(lambda: anne.session.view.to_place and bob.session.view.to_place)
    assert anne.session.view.number > before

    carl = sea.enter("Carl")
    anne.session.another()
    sea.until(lambda: carl.view.to_place and anne.session.view.to_place)

    assert {side.name for side in carl.view.sides} == {"Anne", "Carl"}
    sea.until(lambda: bob.session.view.phase is Phase.OVER)
    assert bob.session.view.why == "Anne gave up"


def test_a_code_brings_friends_together(sea: Sea) -> None:
    carl = sea.enter("Carl")
    anne, bob = sea.enter("Anne", code="parrot"), sea.enter("Bob", code="parrot")

    sea.until(lambda: anne.view.to_place and bob.view.to_place)

    assert {side.name for side in anne.view.sides} == {"Anne", "Bob"}
    assert carl.view.phase is Phase.WAITING


def test_a_third_at_a_table_with_a_code_reads_what_to_do(sea: Sea) -> None:
    for name in ("Anne", "Bob"):
        sea.enter(name, code="parrot")
    sea.play(1.0)
    carl = sea.enter("Carl", code="parrot")

    sea.until(lambda: carl.reason)

    assert carl.reason is not None
    assert carl.reason.code is None
    assert carl.reason.text.startswith("the game has begun")


def test_who_watches_waits_for_a_game(sea: Sea) -> None:
    carl = sea.enter("Carl", watching=True)
    sea.play(5.0)
    assert (carl.reason, carl.view.phase) == (None, Phase.WAITING)

    sea.pair()

    sea.until(lambda: carl.view.phase is Phase.PLACING)
    assert not carl.view.to_place


def test_who_has_watched_enough_is_gone_and_shown_no_further_game(sea: Sea) -> None:
    carl = sea.enter("Carl", watching=True)
    sea.play(0.5)
    carl.leave("there is nothing to see")
    sea.pair()
    dora = sea.enter("Dora", watching=True)
    sea.until(lambda: dora.joined)

    dora.leave("enough seen")
    sea.play(2.0)

    assert (carl.reason, carl.joined, dora.joined) == (
        Ended("nobody plays Broadside here at present", None),
        False,
        False,
    )
    assert dora.reason is not None


def test_a_player_whose_link_is_lost_has_so_many_seconds_to_come_back(sea: Sea) -> None:
    anne, bob = sea.pair()
    sea.asleep.append(anne)
    sea.until(lambda: bob.view.sides[0].presence == "away")
    seconds = bob.view.sides[0].patience
    sea.play(5.0)
    assert seconds is not None
    assert bob.view.sides[0].patience == pytest.approx(seconds - 5.0, abs=0.1)
    told = headline(bob.view).text

    sea.asleep.clear()
    sea.until(lambda: Link(anne).away is not None)
    assert not Link(anne).closed
    sea.until(lambda: Link(anne).away is None and bob.view.sides[0].presence == "here")

    assert told.startswith("Anne lost the connection, waiting for the return… 2")
    hide_both(sea, anne, bob)


def test_who_does_not_come_back_in_time_loses(sea: Sea) -> None:
    anne, bob = sea.pair()
    sea.asleep.append(anne)

    sea.until(lambda: bob.view.phase is Phase.OVER)

    assert bob.view.winner == 1
    assert bob.view.sides[0].presence == "away"


def test_a_server_that_was_killed_and_started_again_has_kept_the_game(tmp_path: Path) -> None:
    sea = Sea()
    sea.serve(store=tmp_path / "tables.db")
    anne, bob = sea.enter_bot("Anne", 0.5), sea.enter_bot("Bob", 0.5)
    sea.until(lambda: len(anne.session.view.log) > 9)

    sea.kill()
    sea.play(5.0)
    link = Link(anne.session)
    assert link.away is not None
    assert headline(link.view, away=link.away, closed=link.closed).text.startswith("The server is gone, waiting for")
    sea.serve(store=tmp_path / "tables.db")
    sea.until(lambda: anne.session.view.phase is bob.session.view.phase is Phase.OVER)

    assert public(anne.session.view) == public(bob.session.view)
    assert anne.session.view.number == 1
    sea.close()


def test_a_server_that_does_not_come_back_is_given_up(sea: Sea) -> None:
    anne, _ = sea.pair()
    assert sea.server is not None
    link = Link(anne)
    sea.server.close("gone fishing")
    sea.server = None
    sea.until(lambda: link.away is not None)
    assert link.closed

    sea.until(lambda: anne.reason)

    assert anne.reason is not None
    assert anne.reason.code is ReasonCode.REFUSED


def test_a_program_that_was_killed_finds_its_seat_again(sea: Sea, tmp_path: Path) -> None:
    first = KeptSeat("server", "Anne", tmp_path)
    anne = sea.enter("Anne", kept=first)
    sea.until(lambda: anne.joined)
    bob = sea.enter("Bob")
    sea.until(lambda: bob.view.to_place)
    hide_both(sea, anne, bob)
    sea.asleep.append(anne)
    first.close()

    with closing(KeptSeat("server", "Anne", tmp_path)) as kept:
        again = sea.enter("Anne", kept=kept)
        sea.until(lambda: again.view.phase is Phase.FIRING)

        assert again.view.sides == anne.view.sides
        assert again.view.sides[0].fleet == TIDY_FLEET
        sea.asleep.clear()
        sea.until(lambda: anne.reason)
        again.leave()
        sea.until(lambda: again.reason)
        again.close()
        assert kept.ticket is None


def test_a_seat_that_is_not_kept_any_more_is_a_new_one(sea: Sea, tmp_path: Path) -> None:
    with closing(KeptSeat("server", "Anne", tmp_path)) as kept:
        kept.keep("0123456789abcdef.of another time")
        anne = sea.enter("Anne", kept=kept)

        sea.until(lambda: anne.joined)

        assert anne.view.phase is Phase.WAITING
        assert kept.ticket == anne.table.ticket != "0123456789abcdef.of another time"


def test_who_comes_back_after_the_end_is_shown_it_and_can_play_on(sea: Sea, tmp_path: Path) -> None:
    first = KeptSeat("server", "Anne", tmp_path)
    anne = sea.enter("Anne", kept=first)
    sea.until(lambda: anne.joined)
    bob = sea.enter("Bob")
    sea.until(lambda: bob.view.to_place)
    sea.asleep.append(anne)
    first.close()
    sea.until(lambda: bob.view.phase is Phase.OVER)

    with closing(KeptSeat("server", "Anne", tmp_path)) as kept:
        again = sea.enter("Anne", kept=kept)
        sea.until(lambda: again.view.phase is Phase.OVER)
        sea.play(1.0)

        assert (again.view.winner, again.view.why, again.reason) == (1, "Anne gave up", None)
        again.again()
        bob.again()
        sea.until(lambda: again.view.to_place and bob.view.to_place)


def test_the_round_trip_and_silence_can_be_shown(sea: Sea) -> None:
    anne, _ = sea.pair()
    link = Link(anne)
    sea.play(3.0)
    link.sample()
    server, sea.server = sea.server, None
    sea.play(5.0)
    silence = link.silence
    sea.server = server
    sea.play(3.0)

    assert [sample.rtt > 0 for sample in link.samples] == [True]
    assert silence in {4, 5, 6, 7}
    assert link.silence == 0
