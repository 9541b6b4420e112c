"""What a failing disk gives back may be anything: it ends one table, which is kept as it is, and nobody else's game."""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from netcode.turns import Clock
from netcode.turns.runtime import soundness
from netcode.turns.serving.lobby import Listing
from netcode.turns.serving.room import Damaged, Room
from netcode.turns.store import Saved
from netcode.turns.store.memory import MemoryStore
from netcode.turns.table import Step, Table
from netcode.turns.values import pack, unpack
from turns.hall import TICK, Grab, Hall, Secrets, TicTacToe

DAMAGED = "what is stored of this table is damaged, and nobody can play on; it is kept for whoever runs the server"
KEPT = "; it is kept as it is: put its row from a copy in its place, or delete it"
SECRET = bytes(32)


class Timed(Secrets):
    """Asks, with clocks that run."""

    clock = Clock(minutes=1, increment=2)
    absent = "forfeit"
    grace = 3.0


class Taken(Grab):
    """Several move at once, and a bot for who is away."""

    clock = Clock(per_move=30)
    absent = "bot"
    grace = 2.0


GAMES = (TicTacToe, Timed, Taken)


class Damage:
    """Two tables of a server that has ended, and of one of them what a disk made of it."""

    def __init__(self) -> None:
        self.hall = Hall(TicTacToe)
        self.hall.serve()
        self.broken, self.sound = ([self.hall.join(room=room) for _ in range(2)] for room in ("broken", "sound"))
        self.tickets = [seat.ticket for seat in (*self.broken, *self.sound)]
        self.table = str(self.tickets[0]).partition(".")[0]

    @property
    def row(self) -> Any:
        """What is stored of the table."""
        return self.hall.store._shelf.rows[self.table]

    def restart(self, **wanted: Any) -> None:
        """Have the server end and begin again, and all come back."""
        self.hall.kill()
        for seat in self.hall.seats:
            seat.close()
        self.hall.seats.clear()
        self.hall.serve(**wanted)
        back = [self.hall.begin_to_join(ticket=ticket) for ticket in self.tickets]
        self.broken, self.sound = back[:2], back[2:]
        self.hall.play(1.0)


@pytest.fixture
def damage() -> Iterator[Damage]:
    damage = Damage()
    yield damage
    damage.hall.close()


def changed(state: bytes, where: int, value: Any) -> bytes:
    """Return a state of a room with another value in one of its places."""
    parts = unpack(state)
    parts[where] = value
    return pack(parts)


def inside(state: bytes, **values: Any) -> bytes:
    """Return a state of a room whose table has other values."""
    return changed(state, 6, pack({**unpack(unpack(state)[6]), **values}))


def test_a_field_that_is_stored_twice_or_read_again_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fresh(TicTacToe):
        """Of this one nothing was read before."""

    table = Table.create(Fresh, 2, secret=SECRET)
    assert isinstance(table.start(0.0), Step)
    data = unpack(table.snapshot())
    state = pack({**data, "undo": [0, [data["fields"], data["turn"]], True]})
    looked = list[bytes]()

    def look(packed: bytes) -> object:
        looked.append(packed)
        return unpack(packed)

    monkeypatch.setattr(soundness, "unpack", look)

    restored = [Table.restore(Fresh, state).frozen for _ in range(2)]

    cells = data["fields"]["cells"]
    assert (restored, looked) == (["", ""], [cells])
    monkeypatch.setattr(soundness, "REMEMBERED", 0)  # a server does not keep what is large
    restored = [Table.restore(Fresh, state).frozen for _ in range(2)]
    assert (restored, looked) == (["", ""], [cells] * 3)


UNREADABLE: dict[str, Callable[[bytes], Any]] = {
    "cut": lambda state: state[: len(state) // 2],
    "empty": lambda _: b"",
    "nil": lambda _: pack(None),
    "a list": lambda _: pack([1, 2, 3]),
    "an empty list": lambda _: pack([]),
    "a map": lambda _: pack({}),
    "deep": lambda _: b"\x91" * 100_000 + pack(None),
    "no text": lambda state: state[:2] + b"\xff" + state[3:],
    "a game that cannot be": lambda state: changed(state, 1, []),
    "options of numbers": lambda state: changed(state, 4, {1: 2}),
    "a room of bytes": lambda state: changed(state, 2, b"x"),
    "seats of texts": lambda state: changed(state, 5, [["Ann", "key", False]] * 2),
    "a seat too few": lambda state: changed(state, 5, unpack(state)[5][:1]),
    "wishes of nobody": lambda state: changed(state, 8, [7]),
    "a table cut": lambda state: changed(state, 6, unpack(state)[6][:20]),
    "names of one": lambda state: inside(state, names=["Ann"]),
    "numbers below zero": lambda state: inside(state, numbers=[-1, 0]),
    "a short secret": lambda state: inside(state, secret=b"short"),
    "no version": lambda state: inside(state, version="one"),
    "a clock of texts": lambda state: inside(state, clock=["a", "b", "c"]),
    "a clock that cannot be": lambda state: inside(state, clock=[float("nan"), 0.0, 0.0]),
    "fields of numbers": lambda state: inside(state, fields={"cells": 7}),
}


@pytest.mark.games
@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_table_that_cannot_be_read_is_refused_and_kept_and_all_others_play(
    kind: str, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    before = damage.row.state = UNREADABLE[kind](damage.row.state)

    damage.restart()
    damage.restart()
    damage.hall.move(damage.sound[0], TicTacToe.mark(cell=4))

    assert [seat.reason for seat in damage.broken] == [DAMAGED] * 2
    assert damage.sound[1].view.cells[4] == 0
    assert damage.row.state == before
    told = [one.getMessage() for one in caplog.records if damage.table in one.getMessage()]
    assert [(line.startswith(f"table {damage.table} is damaged: "), line.endswith(KEPT)) for line in told] == [
        (True, True)
    ], "once a server, and within a second once"


FROZEN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a turn of nobody": lambda data: {"turn": [1, [9], 0, [], None]},
    "a mover that is none": lambda data: {"turn": [1, [0], 7, [], None]},
    "a turn cut": lambda data: {"turn": [1, [0]]},
    "a result of texts": lambda data: {"turn": [1, [0], None, [], [["Ann"], None, ""]]},
    "moves of nobody": lambda data: {"sealed": [["move", None, "mark", {}]]},
    "an unheard-of rule": lambda data: {"queue": [["dance", 0, "", None]]},
    "a call of nobody": lambda data: {"called": [9]},
    "no undo": lambda data: {"undo": [0, [{"cells": 1}, data["turn"]], True]},
    "an undo of another type": lambda data: {"undo": [0, [{"cells": pack(["x"] * 9)}, data["turn"]], True]},
    "no suspension": lambda data: {"suspension": [["move", 0, "mark", {}], 1, [], 0, 1, {}, b""]},
    "times that are no numbers": lambda data: {"clocks": [[float("nan"), 1.0], []]},
    "a field of another name": lambda data: {"fields": {"cellr": data["fields"]["cells"]}},
    "a field of another type": lambda data: {"fields": {"cells": pack(["x"] * 9)}},
    "a field that is cut": lambda data: {"fields": {"cells": data["fields"]["cells"][:3]}},
}


@pytest.mark.parametrize("kind", FROZEN)
def test_a_table_whose_seats_can_be_read_is_frozen_and_kept_and_all_others_play(
    kind: str, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    before = damage.row.state = inside(damage.row.state, **FROZEN[kind](unpack(unpack(damage.row.state)[6])))

    damage.restart()
    damage.broken[0].rematch()
    damage.broken[1].leave()
    damage.hall.play(1.0)
    damage.hall.move(damage.sound[0], TicTacToe.mark(cell=4))

    assert damage.broken[0].frozen == DAMAGED
    assert ("cells" in vars(damage.broken[0].view)) is not kind.startswith("a field")
    assert damage.sound[1].view.cells[4] == 0
    damage.hall.close()
    assert damage.row.state == before
    assert caplog.text.count(KEPT) == 1


@pytest.mark.parametrize("body", [b"\x93", b"", pack(7), pack(["step", pack(7)]), pack(["step", b"\x93"])])
def test_a_damaged_entry_freezes_its_table(body: bytes, damage: Damage) -> None:
    damage.hall.move(damage.broken[0], TicTacToe.mark(cell=0))
    row = damage.row
    row.state, row.state_version = row.first, 0
    row.entries[row.version] = body

    damage.restart()

    assert [seat.frozen for seat in damage.broken] == [DAMAGED] * 2
    assert [seat.frozen for seat in damage.sound] == [""] * 2
    assert (row.entries[row.version], row.state) == (body, row.first)


def test_a_damaged_table_is_kept_from_those_who_know_its_code(damage: Damage) -> None:
    for seat in damage.broken:
        seat.leave()
    damage.hall.play(1.0)
    before = damage.row.state = inside(damage.row.state, fields={"cells": b""})
    damage.tickets[:2] = []
    damage.restart()

    newcomer = damage.hall.join(room="broken")
    damage.hall.play(1.0)

    assert newcomer.reason == "the game has begun; to look on, join with watch"
    assert damage.row.state == before


def test_clocks_in_an_entry_that_are_no_times_freeze_the_table() -> None:
    table = Table.create(Timed, 2, secret=SECRET)
    state = table.snapshot()
    start = table.start(0.0)
    assert isinstance(start, Step)
    *what, _ = unpack(start.entry)

    back = Table.restore(Timed, state, [pack([*what, [float("nan"), 1.0]])])

    assert back.frozen == back.damage == "its clocks cannot be what was stored"


def test_a_seat_that_an_entry_names_and_nobody_has_is_damage() -> None:
    room = Room("t", TicTacToe, None, None, {})
    state, entries = room.stored(), [room.sit("Ann", b"key"), pack(["depart", 4])]

    back = Room.restore("t", Saved(0, state, tuple(entries)), {"TicTacToe": TicTacToe}, 0.0)

    assert isinstance(back, Damaged)
    assert back.what == "IndexError: list index out of range"


@pytest.mark.parametrize(
    "body",
    [b"\x93", b"", pack(None), pack([1, "TicTacToe"]), pack([1, "TicTacToe", None, None, {}, "Ann", [], True])],
)
def test_a_damaged_listing_is_told_and_hides_no_other_table(
    body: bytes, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    damage.row.listing = body

    damage.restart()

    assert all(seat.seated for seat in (*damage.broken, *damage.sound))
    assert caplog.text.count(f"table {damage.table} is damaged: its listing cannot be read (") == 1


def test_a_listing_of_another_version_is_left_alone() -> None:
    assert Listing.read("t", pack([2, "anything"])) is None


def test_a_damaged_table_is_not_deleted_however_old_it_grows(damage: Damage) -> None:
    damage.row.state = b""
    damage.restart(keep=100.0, waiting=50.0)

    damage.hall.play(200.0)

    assert damage.row.state == b""


def test_a_table_that_was_repaired_goes_on_without_a_restart(damage: Damage) -> None:
    whole, damage.row.state = damage.row.state, b"\xc1"
    damage.restart()
    assert [seat.reason for seat in damage.broken] == [DAMAGED] * 2

    damage.row.state = whole
    back = damage.hall.join(TicTacToe, ticket=damage.tickets[0])

    assert (back.seated, back.frozen) == (True, "")


def test_a_table_that_is_damaged_while_it_sleeps_sends_all_away_who_ask(damage: Damage) -> None:
    assert damage.hall.server is not None
    damage.hall.server._keeper._idle = 1.0
    damage.hall.play(4.0)
    assert damage.table in damage.hall.server._keeper.asleep
    damage.row.state = b""

    for seat in damage.broken:
        seat.say("hello?")
    damage.hall.play(1.0)

    assert [seat.reason for seat in damage.broken] == [DAMAGED] * 2
    assert damage.table not in damage.hall.server._keeper.asleep


def test_what_was_found_is_told_in_one_short_line(damage: Damage, caplog: pytest.LogCaptureFixture) -> None:
    damage.row.state = inside(damage.row.state, fields={"\x1b[31m\n" * 200: b""}, queue=[["\n" * 999]])

    damage.restart()

    [line] = [one.getMessage() for one in caplog.records if KEPT in one.getMessage()]
    assert line.isprintable()
    assert len(line) < 600
    assert all(len(seat.frozen) < 600 for seat in damage.broken)


JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 7, 2**64 - 1, 3.5, float("nan"), float("inf"), "", "\x1b\n", b"", b"\xc1", [], [None], {}, {1: 2},
)  # fmt: skip


LIST: Any = list  # of unknown types to the type checkers
DICT: Any = dict


def bent(dice: random.Random, value: Any, depth: int = 0) -> Any:
    """Return a value with something else in one place of it, also inside what is packed."""
    if isinstance(value, bytes) and len(value) > 1 and depth < 8:
        try:
            packed = unpack(value)
        except Exception:  # noqa: BLE001 - it was none
            packed = None
        if isinstance(packed, list | dict):
            return pack(bent(dice, packed, depth + 1))
    if isinstance(value, LIST) and value and dice.random() < 0.9:
        place, rest = dice.randrange(len(value)), [*value]
        item = rest.pop(place)
        return rest if dice.random() < 0.1 else [*rest[:place], bent(dice, item, depth + 1), *rest[place:]]
    if isinstance(value, DICT) and value and dice.random() < 0.9:
        key = dice.choice([*value])
        return DICT(value) | {key: bent(dice, value[key], depth + 1)}
    return copy.copy(dice.choice(JUNK))


def torn(dice: random.Random, body: bytes) -> bytes:
    """Return bytes that a disk flipped, cut, or put others into."""
    data = bytearray(body or b"\0")
    place = dice.randrange(len(data))
    match dice.randrange(4):
        case 0:
            data[place] ^= 1 << dice.randrange(8)
        case 1:
            del data[place:]
        case 2:
            data[place:place] = dice.randbytes(3)
        case _:
            del data[place : place + 3]
    return bytes(data)


def positions() -> Iterator[tuple[Hall, dict[Any, list[Any]]]]:
    """Yield halls whose servers have ended after some moves, with the tickets of each game's seats."""
    for moves in (0, 2, 5):
        hall = Hall(*GAMES)
        hall.serve()
        seats = {game: [hall.join(game, players=2) for _ in range(2)] for game in GAMES}
        for _ in range(moves):
            for seat in (seat for both in seats.values() for seat in both):
                if seat.my_turn and seat.pending is None and seat.legal:
                    seat.play(seat.legal[-1])
            hall.play(4 * TICK)
        yield hall, {game: [seat.ticket for seat in both] for game, both in seats.items()}
        hall.close()


@pytest.mark.games
@pytest.mark.parametrize("tear", [False, True])
def test_no_damage_of_one_table_ends_the_server(tear: bool) -> None:
    dice, outcomes = random.Random(7), set[bool]()
    for hall, tickets in positions():
        for _ in range(60):
            rows = copy.deepcopy(hall.store._shelf.rows)
            table = dice.choice([*rows])
            row = rows[table]
            if dice.random() < 0.5:
                row.state, row.state_version = row.first, 0
            version = dice.choice([None, *range(row.state_version + 1, row.version + 1)])
            body = row.state if version is None else row.entries[version]
            body = torn(dice, body) if tear else pack(bent(dice, unpack(body)))
            if version is None:
                row.state = body
            else:
                row.entries[version] = body
            if row.listing is not None:
                row.listing = torn(dice, row.listing)

            again = Hall(*GAMES)
            again.store = MemoryStore(clock=again.clock)
            again.store._shelf.rows = rows
            again.serve()
            seats = {ticket: again.begin_to_join(game, ticket=ticket) for game in tickets for ticket in tickets[game]}
            again.play(6 * TICK)
            for seat in seats.values():
                if seat.my_turn and seat.legal:
                    seat.play(dice.choice(seat.legal))
            again.clock.advance(2.5)
            again.play(6 * TICK)
            others = [seat for ticket, seat in seats.items() if not str(ticket).startswith(table)]
            told = [(seat.reason, seat.frozen) for seat in others]
            outcomes.add(any(DAMAGED in (seat.reason, seat.frozen) for seat in seats.values()))
            again.close()

            assert told == [("", "")] * 4

    assert outcomes == {True, False}
