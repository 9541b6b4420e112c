"""While a server can store nothing: who hears what, what is kept for later, and what is to be asked for again."""

import sqlite3
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from netcode.turns import Gone, Refused, Seated
from netcode.turns.store import Claim, Entry, Listing, Node, Saved, State, Unavailable
from netcode.turns.store.memory import MemoryStore
from netcode.turns.store.sqlite import SqliteStore
from turns.cluster import LEASE, Cluster
from turns.hall import Hall, Secrets

FULL = "the disk is full"
TOLD = "nothing can be stored at present, because the disk is full; the game goes on when it can"


class Failing(MemoryStore):
    """A store that writes nothing on demand, or, one that several share, cannot even be asked."""

    full = absent = False
    spared = 0
    """So many times more something is written although it is full."""

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        if self.spared:
            self.spared -= 1
        else:
            self._reach(writing=True)
        super().append(entries, states, listings)

    def renew(self, load: int) -> list[Node]:
        self._reach()
        return super().renew(load)

    def open_tables(self, game: str | None = None, limit: int = 100) -> dict[str, bytes]:
        self._reach()
        return super().open_tables(game, limit)

    def claim(self, tables: Collection[str], *, take: bool = True) -> dict[str, Claim | str]:
        self._reach()
        return super().claim(tables, take=take)

    def load(self, tables: Collection[str]) -> dict[str, Saved]:
        self._reach()
        return super().load(tables)

    def _reach(self, *, writing: bool = False) -> None:
        if self.absent or (writing and self.full):
            raise Unavailable(f"/var/games.db: {FULL}", FULL)


@pytest.fixture
def store(hall: Hall) -> Failing:
    hall.store = store = Failing(clock=hall.clock)
    return store


def begin_an_outage(hall: Hall, store: Failing) -> None:
    """Have it be noticed that nothing can be stored: by somebody who comes, and waits."""
    store.full = True
    first = hall.begin_to_join(room="first")
    hall.until(lambda: first.frozen == TOLD, 1.0)


def texts(hall: Hall, seat: Any) -> list[str]:
    return [event.text for event in hall.heard(seat, Refused)]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"room": "ours"},
        {"game": Secrets, "players": 3, "options": {"size": 7}},
        {"game": Secrets, "room": "ours"},
    ],
)
def test_who_comes_hears_soon_why_there_is_no_seat_yet_and_then_has_it(
    hall: Hall, store: Failing, wanted: dict[str, Any]
) -> None:
    hall.serve()
    begin_an_outage(hall, store)

    seat = hall.begin_to_join(**wanted)
    hall.play(0.2)
    told = seat.frozen, seat.seated, [*hall.told[seat]]
    store.full = False
    hall.until(lambda: seat.seated and seat.frozen == "")

    assert told == (TOLD, False, [])
    assert [type(event) for event in hall.told[seat]] == [Seated]


def test_who_came_right_before_hears_it_as_well(hall: Hall, store: Failing) -> None:
    hall.serve()
    store.full = True

    seats = [hall.begin_to_join(), hall.begin_to_join(Secrets)]
    hall.play(0.2)

    assert [(seat.frozen, seat.seated) for seat in seats] == [(TOLD, False)] * 2


def test_wishes_that_cannot_be_are_refused_also_then(hall: Hall, store: Failing) -> None:
    hall.serve()
    begin_an_outage(hall, store)

    seats = [hall.begin_to_join(Secrets, options={"size": 99}), hall.begin_to_join("Chess")]
    hall.play(0.2)

    assert [len(hall.heard(seat, Gone)) for seat in seats] == [1, 1]


def test_who_comes_back_or_looks_on_sees_a_table_of_which_all_is_stored(hall: Hall, store: Failing) -> None:
    hall.serve()
    ann, bob = hall.join(name="Ann"), hall.join(name="Bob")
    ann.close()
    begin_an_outage(hall, store)

    again, eve = hall.begin_to_join(ticket=ann.ticket), hall.begin_to_join(watch=True)
    hall.play(0.2)

    assert [(seat.seated, seat.frozen) for seat in (again, eve, bob)] == [(True, TOLD)] * 3


def test_who_comes_back_to_a_table_in_the_store_hears_why_that_takes_long(hall: Hall, store: Failing) -> None:
    server = hall.serve(idle=5.0)
    ann, bob = hall.join(name="Ann"), hall.join(name="Bob")
    hall.move(ann, "mark", cell=4)
    for seat in (ann, bob):
        seat.close()
    hall.play(8.0)
    assert server.tables == 0
    begin_an_outage(hall, store)

    again, eve = hall.begin_to_join(ticket=ann.ticket), hall.begin_to_join(room=f"#{ann.ticket}".split(".")[0])
    hall.play(0.5)
    told = [(seat.seated, seat.frozen) for seat in (again, eve)]
    store.full = False
    hall.until(lambda: again.seated and eve.reason != "")

    assert told == [(False, TOLD)] * 2
    assert (again.frozen, eve.reason) == ("", "the game has begun; to look on, join with watch")


def test_who_is_at_a_table_that_left_memory_hears_it_and_that_the_play_is_to_be_made_again(
    hall: Hall, store: Failing
) -> None:
    server = hall.serve(idle=5.0)
    ann, bob = hall.join(name="Ann"), hall.join(name="Bob")
    hall.move(ann, "mark", cell=4)
    hall.play(8.0)
    assert server.tables == 0
    begin_an_outage(hall, store)

    hall.move(bob, "mark", cell=0)
    bob.leave()
    hall.play(0.5)
    frozen = ann.frozen, bob.frozen
    store.full = False
    hall.until(lambda: ann.frozen == bob.frozen == "")
    hall.move(bob, "mark", cell=0)

    assert frozen == (TOLD, TOLD)
    assert texts(hall, bob) == [TOLD, TOLD]
    assert (bob.reason, ann.view.cells[0]) == ("", 1)


def test_what_is_refused_for_it_is_refused_at_once_whatever_waits_to_be_stored(hall: Hall, store: Failing) -> None:
    hall.serve()
    ann, bob = hall.join(name="Ann"), hall.join(name="Bob")
    cid = hall.join(Secrets, name="Cid")
    eve = hall.join(watch=True)
    store.full = True
    ann.play("mark", cell=4)
    cid.say("is anybody here?")
    dan = hall.begin_to_join(Secrets, name="Dan")
    hall.until(lambda: dan.frozen == ann.frozen == TOLD)

    bob.play("mark", cell=0)
    for seat in (bob, cid):
        seat.leave()
    cid.start()
    bob.undo()
    eve.leave()
    hall.play(0.5)
    refused = [texts(hall, seat) for seat in (ann, bob, cid)]
    store.full = False
    hall.until(lambda: ann.pending is None and dan.seated and eve.reason != "")
    hall.play(1.0)

    assert refused == [[], [TOLD] * 3, [TOLD] * 2]
    assert [texts(hall, seat) for seat in (ann, bob, cid, dan, eve)] == [*refused, [], []]
    assert (ann.view.cells[4], bob.reason, cid.reason, eve.reason) == (0, "", "", "you left the table")


def test_a_rematch_that_all_want_is_kept_and_not_refused(hall: Hall, store: Failing) -> None:
    hall.serve()
    ann, bob = hall.join(name="Ann"), hall.join(name="Bob")
    hall.finish(ann, bob)
    begin_an_outage(hall, store)

    for seat in (ann, bob):
        seat.rematch()
        hall.play(1.0)
    over = ann.over, bob.over
    store.full = False
    hall.until(lambda: not ann.over and not bob.over)

    assert over == (True, True)
    assert [texts(hall, seat) for seat in (ann, bob)] == [[], []]
    hall.finish(ann, bob)


def test_who_gave_up_waiting_leaves_the_seat_to_others(hall: Hall, store: Failing) -> None:
    server = hall.serve()
    begin_an_outage(hall, store)
    for _ in range(3):
        impatient = hall.begin_to_join(name="Ann")
        hall.play(0.2)
        assert impatient.frozen == TOLD
        impatient.close()
        hall.play(0.2)
    ann = hall.begin_to_join(name="Ann")
    hall.play(0.5)

    store.full = False
    hall.until(lambda: ann.seated)
    bob = hall.join(name="Bob")
    hall.until(lambda: ann.started and bob.started)

    assert (ann.names, ann.seat) == (("Ann", "Bob"), 0)
    hall.finish(ann, bob)
    hall.play(1.5)
    assert server.stats().waiting == 1  # of who came first


def test_who_gave_up_waiting_while_the_table_is_given_back_does_not_write_to_it(hall: Hall) -> None:
    hall.store = store = Failing(clock=hall.clock, lease=50.0)
    server = hall.serve(address="hall:7777")
    hall.join(Secrets, players=3, room="ours", name="Ann")
    bob, _ = hall.join(room="other"), hall.join(room="other")
    eve = hall.guest()
    hall.until(lambda: eve.peer is not None)
    store.full = True
    bob.play("mark", cell=4)
    hall.until(lambda: bob.frozen == TOLD)
    eve.send(["join", "Secrets", {"name": "Eve", "room": "ours"}])  # without a key, so that no list is looked at first
    hall.play(0.2)
    server.drain(0.0)
    hall.play(0.1)
    store.spared = 1  # the move alone: the seat is stored with the table's release
    hall.until(lambda: store.spared == 0)
    eve.close()
    hall.play(0.3)
    store.full = False

    hall.until(lambda: server.drained)


def test_a_server_that_is_to_end_while_it_can_store_nothing_goes_once_others_may_have_its_tables() -> None:
    cluster = Cluster(1)
    store = Failing(clock=cluster.clock, lease=LEASE)
    store._shelf, store._takes_over = cluster.store._shelf, False
    server = cluster.serve(1, store=store)
    ann, bob = (cluster.join(1, 0, room="den", name=name) for name in ("Ann", "Bob"))
    cluster.move(ann, "mark", cell=0)
    store.absent = True
    bob.play("mark", cell=1)
    cluster.play(0.5)

    server.drain(0.5)
    passed = cluster.until(lambda: server.drained)
    cluster.until(lambda: bob.pending is None)

    assert 0.5 < passed < LEASE + 0.5
    assert (server.trouble, cluster.where(bob)) == (f"/var/games.db: {FULL}", 0)
    cluster.until(lambda: ann.my_turn)
    assert [*ann.view.cells][:3] == [0, 1, None]
    cluster.close()


def test_who_has_heard_of_the_seat_keeps_it(hall: Hall, store: Failing) -> None:
    hall.serve()
    ann = hall.join(name="Ann")
    begin_an_outage(hall, store)
    ann.close()
    hall.play(0.5)
    store.full = False
    hall.play(2.0)

    again = hall.join(ticket=ann.ticket)

    assert (again.seat, again.names) == (0, ("Ann",))


def test_the_log_says_once_what_is_wrong_and_once_that_it_is_over(
    hall: Hall, store: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    server = hall.serve()
    ann, _ = hall.join(name="Ann"), hall.join(name="Bob")
    store.full = True
    ann.play("mark", cell=4)
    hall.play(12.0)
    middle = server.stats()
    store.full = False
    hall.play(2.0)
    hall.move(ann, "mark", cell=0)
    hall.play(2.0)

    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0] == f"nothing can be stored: /var/games.db: {FULL}"
    before, after = "everything can be stored again, after ", " s; 1 table stood still meanwhile"
    assert said[1].startswith(before)
    assert said[1].endswith(after)
    assert 11.5 < float(said[1][len(before) : -len(after)]) < 13.5
    assert 10.0 < middle.outage < 12.5
    assert server.stats().outage == 0.0


class Hanging(MemoryStore):
    """A store that does not answer until it is told to."""

    go_on: threading.Event

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        assert self.go_on.wait(60.0)
        super().append(entries, states, listings)


def test_the_outage_of_a_store_that_does_not_answer_began_when_it_was_asked(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    hall.store = store = Hanging(clock=hall.clock)
    store.go_on = threading.Event()
    store.go_on.set()
    server = hall.serve(on_thread=True)
    ann = hall.join(name="Ann")
    store.go_on.clear()
    bob = hall.begin_to_join(name="Bob")
    hall.play(8.0)
    told = bob.frozen, ann.frozen
    store.go_on.set()
    hall.until(lambda: bob.seated)

    assert told == ("nothing is stored at the moment: the store has not answered for 5 seconds",) * 2
    said = [record.getMessage() for record in caplog.records][-1]
    assert said.startswith("everything can be stored again, after 8.")
    assert server.trouble == ""


def test_tables_are_listed_where_one_server_has_them(hall: Hall, store: Failing) -> None:
    hall.serve()
    hall.join(name="Ann")
    begin_an_outage(hall, store)

    guest = hall.guest()
    hall.until(lambda: guest.peer is not None)
    guest.send(["tables", None])
    hall.play(0.2)

    [[kind, found]] = hall.guests[guest]
    assert (kind, [table["names"] for table in found]) == ("tables", [["Ann"]])


def test_where_several_share_the_tables_nobody_waits_for_a_list_in_vain(hall: Hall) -> None:
    hall.store = store = Failing(clock=hall.clock, lease=5.0)
    hall.serve(address="hall:7777")
    guest, eve = hall.guest(), hall.guest()
    hall.until(lambda: guest.peer is not None and eve.peer is not None)
    hall.play(1.0)
    store.absent = True

    for _ in range(2):
        guest.send(["tables", None])
    eve.send(["join", "TicTacToe", {"key": "drawn at random!", "name": "Eve", "room": "ours"}])
    hall.play(3.0)
    early = [*hall.guests[guest]]
    assert hall.guests[eve] == [["step", [], {}, {"frozen": TOLD}]]
    guest.send(["tables", None])
    waits = hall.begin_to_join(name="Ann")
    hall.play(0.2)
    late = hall.guests[guest][len(early) :]
    told = waits.frozen
    store.absent = False
    hall.until(lambda: waits.seated)
    guest.send(["tables", None])
    hall.play(1.0)

    assert (early, late, told) == ([["refused", None, TOLD]], [["refused", None, TOLD]], TOLD)
    [[kind, found]] = hall.guests[guest][len(early) + len(late) :]
    assert (kind, [table["names"] for table in found]) == ("tables", [["Ann"]])


def test_two_lists_that_are_asked_for_are_two_answers(hall: Hall) -> None:
    hall.store = Failing(clock=hall.clock, lease=5.0)
    hall.serve(address="hall:7777")
    guest = hall.guest()
    hall.until(lambda: guest.peer is not None)

    for _ in range(2):
        guest.send(["tables", None])
    hall.play(1.0)

    assert hall.guests[guest] == [["tables", []]] * 2


def test_who_has_the_list_hears_of_no_refusal(hall: Hall, store: Failing) -> None:
    hall.serve()
    guest = hall.guest()
    hall.until(lambda: guest.peer is not None)
    guest.send(["tables", None])
    hall.play(0.2)

    begin_an_outage(hall, store)
    hall.play(0.5)

    assert hall.guests[guest] == [["tables", []]]


def test_a_database_that_another_program_holds_is_no_longer_told_once_it_is_free(
    hall: Hall, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hall.store = SqliteStore(tmp_path / "games.db", clock=hall.clock)  # type: ignore[assignment]
    hall.serve()
    other = sqlite3.connect(tmp_path / "games.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    seat = hall.begin_to_join()
    hall.play(2.0)
    told = seat.frozen
    other.close()
    hall.until(lambda: seat.seated)

    assert told.startswith("nothing can be stored at present, because another program keeps the database locked;")
    assert len(caplog.records) == 2
    assert "everything can be stored again, after " in caplog.text
