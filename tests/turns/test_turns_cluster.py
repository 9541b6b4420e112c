"""Several servers on one store: who has a table, who is sent where, and what happens when one of them ends."""

import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import pytest

import netcode
from netcode.address import Address
from netcode.site import Web
from netcode.turns.events import Gone, Over, Presence, Refused
from netcode.turns.language.clocks import Clock
from netcode.turns.rules import Game, move
from netcode.turns.server import Server, serve
from netcode.turns.serving.neighbours import LEAVING, Elsewhere, least_crowded
from netcode.turns.store import Claim, Entry, Listing, Lost, Node, State, Unavailable
from netcode.turns.store.memory import MemoryStore
from netcode.turns.store.writer import InPlace
from netcode.wire.http import parse
from turns.cluster import LEASE, Cluster
from turns.hall import TICK, Grab, Hall, TicTacToe


@pytest.fixture
def make() -> Iterator[Callable[..., Cluster]]:
    """What makes clusters that are closed in the end."""
    made: list[Cluster] = []

    def make(*arguments: Any, **wanted: Any) -> Cluster:
        made.append(Cluster(*arguments, **wanted))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()


@pytest.fixture
def three(make: Callable[..., Cluster]) -> Cluster:
    return make(3)


def reasons(cluster: Cluster) -> list[str]:
    """Return why anybody is at no table any more."""
    return [event.reason for told in cluster.told.values() for event in told if isinstance(event, Gone)]


# Who has a table.


def test_whoever_knocks_at_another_server_is_led_to_the_table(three: Cluster) -> None:
    ann = three.join(0, 1, 2, room="den")

    bob = three.join(1, 0, 2, room="den")

    assert (three.where(ann), three.where(bob)) == (0, 0)
    three.finish(ann, bob)
    assert ann.result is not None
    assert three.told[bob][-1] == Over(ann.result)
    assert [event for event in three.told[bob] if isinstance(event, Presence)] == []


def test_strangers_at_different_servers_are_brought_together(three: Cluster) -> None:
    ann, bob = three.join(0, 1, 2), three.join(2, 0, 1)

    three.finish(ann, bob)

    assert (ann.names, three.where(bob)) == (bob.names, 0)


def test_all_servers_show_the_same_open_tables(three: Cluster) -> None:
    ann = three.join(0, 1, 2, name="Ann")
    guest = netcode.Client("host2", 7002, game="netcode.turns", version="1", clock=three.clock, network=three.network)
    heard: list[Any] = []

    guest.send(["tables", None])
    for _ in range(20):
        three.play(TICK)
        guest.update()
        heard += [event.message for event in guest.events() if isinstance(event, netcode.Received)]

    [[kind, [table]]] = heard
    assert (kind, table["names"]) == ("tables", ["Ann"])
    assert ann.seated
    guest.close()


def test_of_many_who_look_for_a_table_at_once_the_list_is_read_once(
    three: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    three.play(0.1)
    lobby, heard = three.servers[0]._keeper.lobby, 0
    refresh = lobby.refresh

    def counting(*listed: Any, whole: bool) -> None:
        nonlocal heard
        heard += 1
        refresh(*listed, whole=whole)

    monkeypatch.setattr(lobby, "refresh", counting)
    crowd = [three.begin_to_join(0) for _ in range(6)]
    three.until(lambda: all(seat.started for seat in crowd))

    assert heard == 1
    assert three.servers[0].tables == 3


def test_a_ticket_finds_its_seat_from_any_server(three: Cluster) -> None:
    ann, bob = three.join(0, 1, 2, room="den"), three.join(0, 1, 2, room="den")
    three.move(ann, TicTacToe.mark(4))
    ann.close()

    again = three.join(2, 1, 0, ticket=ann.ticket)
    three.play(4 * TICK)

    assert (again.seat, three.where(again), again.view.cells[4]) == (0, 0, 0)
    three.finish(again, bob)


def test_two_servers_that_make_the_same_table_at_once_make_one(three: Cluster) -> None:
    both = [three.begin_to_join(0, 1, room="den"), three.begin_to_join(1, 0, room="den")]

    three.until(lambda: all(seat.started for seat in both))

    three.finish(*both)
    assert {seat.seat for seat in both} == {0, 1}
    assert sum(server.tables for server in three.servers.values()) == 1


def test_an_idle_table_is_given_back_when_nobody_is_there(make: Callable[..., Cluster]) -> None:
    cluster = make(2, idle=5.0)
    ann, bob = cluster.join(0, 1, room="den"), cluster.join(0, 1, room="den")
    cluster.move(ann, TicTacToe.mark(4))
    ann.close()
    cluster.play(8.0)
    assert cluster.servers[0].tables == 0

    again = cluster.join(1, 0, ticket=ann.ticket)
    cluster.play(4 * TICK)
    assert (cluster.where(again), again.view.cells[4]) == (0, 0)  # Bob is still there, so it stays
    again.close()
    bob.close()
    cluster.play(8.0)

    last = cluster.join(1, 0, ticket=bob.ticket)
    cluster.play(4 * TICK)
    assert (cluster.where(last), last.view.cells[4]) == (1, 0)


# Placement.


@pytest.mark.parametrize(
    ("loads", "load", "instead"),
    [
        ([], 50, ""),
        ([10], 10, ""),
        ([0, 0], 2, "b:1"),
        ([0, 0], 1, ""),
        ([40, 38], 40, ""),
        ([40, 10], 41, "c:2"),
        ([60, 50], 40, ""),
        ([LEAVING, 38], 40, ""),
        ([LEAVING, 8], 40, "c:2"),
        ([LEAVING, LEAVING], 40, ""),
    ],
)
def test_who_has_far_more_than_others_names_the_one_that_has_least(loads: list[int], load: int, instead: str) -> None:
    nodes = [Node("a:0", load), *(Node(f"{'bc'[n]}:{n + 1}", one) for n, one in enumerate(loads))]

    assert least_crowded(nodes, "a:0", load) == instead


def test_tables_of_the_dead_are_spread(three: Cluster) -> None:
    tables = [(three.join(0, 1, 2, room=f"r{n}"), three.join(0, 1, 2, room=f"r{n}")) for n in range(12)]
    assert three.servers[0].tables == 12
    three.kill(0)

    three.until(lambda: all(seat.seated and three.where(seat) != 0 for pair in tables for seat in pair))

    assert {three.where(seat) for pair in tables for seat in pair} == {1, 2}
    for pair in tables:
        assert three.where(pair[0]) == three.where(pair[1])
        three.finish(*pair)
    assert abs(three.servers[1].tables - three.servers[2].tables) < 12


# Rules.


class Ones(Game):
    number: int = 0

    @move
    def add(self) -> None:
        self.number += 1


class Tens(Game):
    number: int = 0

    @move
    def add(self) -> None:
        self.number += 10


def count(by: int) -> Any:
    """Make a game called Count, whose rules are those of the one or the other."""
    game: Any = type("Count", (Tens if by == 10 else Ones,), {"__module__": __name__})
    return game


def test_a_server_of_old_rules_takes_no_table_of_new_ones(make: Callable[..., Cluster]) -> None:
    old, new = count(1), count(10)
    cluster = make(0)
    cluster.serve(0, old)
    cluster.serve(1, new)
    cluster.serve(2, new)
    ann, bob = (cluster.join(1, 0, 2, game=new, room="den") for _ in range(2))
    cluster.move(ann, "add")
    cluster.kill(1)

    cluster.until(lambda: all(seat.seated and cluster.where(seat) != 1 for seat in (ann, bob)))
    cluster.move(bob, "add")
    cluster.play(4 * TICK)

    assert (cluster.where(ann), cluster.where(bob), ann.view.number) == (2, 2, 20)


@pytest.mark.parametrize("other", [Grab, count(1)])
def test_nobody_is_led_to_who_has_fewer_tables_and_cannot_have_that_one(
    make: Callable[..., Cluster], other: type[Game]
) -> None:
    new = count(10)
    cluster = make(0, idle=5.0)
    cluster.serve(1, other)
    cluster.serve(0, new)
    ann, bob = (cluster.join(0, 1, game=new, room="den") for _ in range(2))
    ann.close()
    bob.close()
    cluster.play(8.0)
    for number in range(6):
        cluster.join(0, 1, game=new, room=f"room {number}")
    assert [cluster.servers[number].tables for number in (0, 1)] == [6, 0]

    again = cluster.join(0, 1, game=new, ticket=ann.ticket)

    assert (again.reason, cluster.where(again), again.seat) == ("", 0, ann.seat)
    assert cluster.servers[0].stats().redirects == 0


# Ends.


def test_after_a_kill_every_table_goes_on_elsewhere_with_all_its_moves(three: Cluster) -> None:
    ann, bob = three.join(0, 1, 2, room="den"), three.join(1, 2, 0, room="den")
    three.move(ann, TicTacToe.mark(4))
    three.kill(0)

    seconds = three.move(bob, TicTacToe.mark(0))

    assert seconds < LEASE + 3
    three.until(lambda: ann.seated and ann.my_turn)
    assert ann.view.cells == bob.view.cells == [1, None, None, None, 0, None, None, None, None]
    three.finish(ann, bob)
    assert reasons(three) == []


def test_a_server_that_stood_still_for_too_long_is_fenced_and_ends(
    three: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = three.join(0, 1, 2, room="den"), three.join(0, 1, 2, room="den")
    three.move(ann, TicTacToe.mark(4))
    three.frozen.add(0)

    three.until(lambda: three.where(ann) != 0 and ann.seated and bob.seated and three.where(bob) == three.where(ann))
    three.move(bob, TicTacToe.mark(0))
    closed: list[str] = []
    monkeypatch.setattr(three.servers[0]._store, "close", lambda: closed.append("store"))
    with pytest.raises(Lost, match="fenced"):
        three.servers[0].update()
    zombie = three.servers.pop(0)

    assert zombie._net.peers == ()
    assert closed == ["store"]
    zombie.update()  # nothing
    zombie.close()
    three.finish(ann, bob)
    assert reasons(three) == []


def test_a_move_that_reaches_a_fenced_server_is_made_once_elsewhere(three: Cluster) -> None:
    ann, bob = three.join(0, 1, room="den"), three.join(0, 1, room="den")
    three.frozen.add(0)
    three.play(LEASE + 0.1)
    other = three.servers[1]
    other._keeper.with_room(bob.ticket.partition(".")[0] if bob.ticket else "", lambda room: None)
    three.play(4 * TICK)
    ann.play(TicTacToe.mark(4))
    three.play(2 * TICK)
    assert ann.pending is not None
    with pytest.raises(Lost, match="fenced"):
        three.servers[0].update()
    del three.servers[0]

    three.until(lambda: ann.pending is None)

    assert (ann.number, ann.view.cells[4], three.where(ann)) == (1, 0, 1)
    three.finish(ann, bob)


class Shaky(MemoryStore):
    """A store that cannot be reached on demand."""

    trouble = False

    def renew(self, load: int) -> list[Node]:
        self._reach()
        return super().renew(load)

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        self._reach()
        super().append(entries, states, listings)

    def _reach(self) -> None:
        if type(self).trouble:
            raise Unavailable("the database cannot be reached; the games go on once it can")


def test_while_the_store_cannot_be_reached_players_read_it_and_nothing_is_taken(
    make: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = make(0)
    shared = Shaky(clock=cluster.clock, lease=LEASE)
    cluster.serve(0, store=shared)
    ann, bob = cluster.join(0, room="den"), cluster.join(0, room="den")
    monkeypatch.setattr(Shaky, "trouble", True)
    cluster.play(LEASE + 1)
    assert ann.frozen == bob.frozen == "the database cannot be reached; the games go on once it can"

    ann.play(TicTacToe.mark(4))
    cluster.play(0.5)
    assert [event.text for event in cluster.told[ann] if isinstance(event, Refused)] == [ann.frozen]
    monkeypatch.setattr(Shaky, "trouble", False)
    cluster.play(1.0)

    assert ann.frozen == ""
    cluster.finish(ann, bob)


def test_pages_of_each_server_may_connect_to_every_other_that_lives(make: Callable[..., Cluster]) -> None:
    cluster = make(2, web=True)
    cluster.play(1.0)

    def objection(origin: str) -> str:
        shown = cluster.servers[1]._parts.upkeep.web
        assert isinstance(shown, Web)
        return shown._objection(parse(f"GET / HTTP/1.1\r\nHost: host1:7001\r\nOrigin: {origin}".encode()))

    assert objection("http://host0:7000") == objection("https://host0:7000") == ""
    cluster.kill(0)
    cluster.play(2 * LEASE)

    assert objection("http://host0:7000") != ""


def test_drained_tables_go_on_elsewhere_at_once(three: Cluster) -> None:
    tables = [(three.join(0, 1, 2, room=f"r{n}"), three.join(0, 1, 2, room=f"r{n}")) for n in range(10)]
    for ann, _ in tables:
        three.move(ann, TicTacToe.mark(4))
    three.servers[0].drain(2.0)
    assert (three.servers[0].draining, three.servers[0].drained) == (True, False)
    left: list[float] = []
    lost: dict[int, float] = {}
    begin = three.clock.now

    def step() -> bool:
        for n, (_, bob) in enumerate(tables):
            if n not in lost and not bob.seated:
                lost[n] = three.clock.now
            if n in lost and bob.seated and bob.my_turn and bob.pending is None and bob.number == 0:
                bob.play(TicTacToe.mark(0))
            if n in lost and bob.number == 1 and len(left) < 10 and lost[n] >= 0:
                left.append(three.clock.now - lost[n])
                lost[n] = -1.0
        return len(left) == 10

    three.until(step)

    assert sorted(left)[8] < 2.0
    assert three.clock.now - begin < 4.0
    three.until(lambda: three.servers[0].drained)
    three.servers.pop(0).close()
    for pair in tables:
        three.finish(*pair)
    assert reasons(three) == []


def test_whoever_comes_to_a_server_that_drains_goes_elsewhere(three: Cluster) -> None:
    three.servers[0].drain(0.0)

    ann, bob = three.join(0, 1, 2, room="den"), three.join(0, 2, 1, room="den")

    assert three.where(ann) == three.where(bob) != 0
    assert three.servers[0].drained
    three.finish(ann, bob)


def test_a_play_that_comes_while_its_table_is_given_back_is_made_once(three: Cluster) -> None:
    ann, bob = three.join(0, 1, room="den"), three.join(0, 1, room="den")
    ann.play(TicTacToe.mark(4))
    three.servers[0].drain(0.0)

    three.until(lambda: ann.pending is None and ann.seated)
    three.play(4 * TICK)

    assert (ann.number, ann.view.cells.count(0), three.where(ann)) == (1, 1, 1)
    three.finish(ann, bob)


def test_one_server_alone_cannot_be_drained(make: Callable[..., Cluster]) -> None:
    cluster = make(0)
    server = cluster.serve(0, store=MemoryStore(clock=cluster.clock))

    with pytest.raises(ValueError, match="close\\(\\) stores those of one"):
        server.drain()


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_drain_takes_no_less_than_no_time(three: Cluster, seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds must be 0 or more"):
        three.servers[0].drain(seconds)


def test_an_address_is_needed_where_others_could_not_find_us(make: Callable[..., Cluster]) -> None:
    cluster = make(0)

    with pytest.raises(ValueError, match="address must be given where several servers share a store"):
        cluster.serve(0, host="")
    server = cluster.serve(0, host="", address="host0:7000")

    assert [node.address for node in server._store.renew(0)] == ["host0:7000"]


def test_two_processes_with_one_address_are_warned_of(
    make: Callable[..., Cluster], caplog: pytest.LogCaptureFixture
) -> None:
    cluster = make(2)
    cluster.kill(1)
    cluster.serve(1)  # as it is started again while the one before counts as alive
    cluster.play(4 * LEASE)
    before = caplog.text

    cluster.serve(2, address="host1:7001")
    cluster.play(4 * LEASE)

    text = "another process tells players our address, host1:7001: give each process an address of its own"
    assert text not in before
    assert text in caplog.text


def test_nobody_gets_in_whom_the_game_does_not_let_in(make: Callable[..., Cluster]) -> None:
    def authenticate(credentials: Any, _address: netcode.Address) -> bool:
        return bool(credentials == "secret")

    cluster = make(1, authenticate=authenticate)

    ann = cluster.join(0, credentials="secret")
    eve = cluster.join(0, credentials="guess")

    assert (ann.seated, eve.reason) == (True, "the server does not accept these credentials")


# Where our key may go.


def test_our_key_goes_only_to_hosts_that_were_named(three: Cluster) -> None:
    ann = three.join(0, 1, 2, room="den")

    bob = three.join(1, room="den")

    assert bob.reason == ("the table is at host0:7000, which nobody named here: give it in addresses=, or use tls=True")
    assert three.servers[0].people == 1
    assert ann.reason == ""


def test_two_servers_that_each_take_the_other_for_the_owner_are_not_stormed(three: Cluster) -> None:
    def send_to(number: int) -> Any:
        def with_room(_table: str, then: Callable[[Elsewhere], None]) -> None:
            then(Elsewhere(Address(f"host{number}", 7000 + number)))

        return with_room

    found = {number: three.servers[number]._keeper.with_room for number in (0, 1)}
    for number in found:
        setattr(three.servers[number]._keeper, "with_room", send_to(1 - number))  # noqa: B010 - in place of a method
    seat = three.begin_to_join(0, 1, room="den")
    three.play(20.0)
    sent = sum(three.servers[number].stats().redirects for number in found)
    for number, whole in found.items():
        setattr(three.servers[number]._keeper, "with_room", whole)  # noqa: B010

    assert (seat.seated, seat.reason) == (False, "")
    assert 10 < sent < 150
    three.until(lambda: seat.seated)


def test_who_looks_on_has_no_key_and_goes_anywhere(three: Cluster) -> None:
    ann = three.join(0, 1, 2, room="den")

    cat = three.join(1, room="den", watch=True)

    assert (cat.seated, three.where(cat), ann.seat) == (True, 0, 0)


# Time.


class Hasty(Game):
    clock = Clock(per_move=5)
    late: list[int] = []

    @move
    def go(self) -> None:
        """Pass."""

    def timeout(self, seat: int) -> None:
        self.late.append(seat)
        self.finish(1 - seat)


def test_a_clock_runs_out_at_a_table_whose_server_and_players_are_gone(make: Callable[..., Cluster]) -> None:
    cluster = make(2, Hasty)
    ann, bob = cluster.join(0, 1, game=Hasty, room="den"), cluster.join(0, 1, game=Hasty, room="den")
    cluster.move(ann, "go")
    ann.close()
    bob.close()
    cluster.kill(0)

    cluster.play(4.0)
    assert cluster.servers[1].tables == 0
    cluster.until(lambda: cluster.servers[1].tables == 1, 5.0)
    cluster.play(6.0)

    again = cluster.join(1, game=Hasty, ticket=ann.ticket)
    cluster.play(4 * TICK)
    assert (again.over, again.view.late) == (True, [1])


def test_a_table_that_sleeps_is_woken_by_whoever_lives(make: Callable[..., Cluster]) -> None:
    cluster = make(2, idle=5.0)
    ann, bob = (cluster.join(0, room="ours", name=name, options={"clock": {"minutes": 1}}) for name in ("Ann", "Bob"))
    cluster.move(ann, "mark", cell=4)
    ann.close()
    bob.close()
    cluster.play(20.0)
    asleep = [server.tables for server in cluster.servers.values()]
    cluster.kill(0)
    cluster.play(42.0)

    again = cluster.join(1, ticket=ann.ticket)

    assert asleep == [0, 0]
    assert again.result is not None
    assert (again.result.winners, again.result.text) == ((0,), "Bob ran out of time")


def test_a_process_that_is_told_to_end_drains_first() -> None:
    store = MemoryStore(lease=5.0)
    seen: list[bool] = []

    def started(server: Server) -> None:
        signal.raise_signal(signal.SIGTERM)
        seen.append(server.draining)

    serve(TicTacToe, host="127.0.0.1", port=0, store=store, started=started)

    assert seen == [True]


class Slow(InPlace):
    """A store whose answers are held back."""

    held = False

    def take(self) -> Any:
        return None if self.held else super().take()


def test_what_happens_by_itself_at_a_table_that_is_being_given_back_is_left_to_its_next_owner(
    make: Callable[..., Cluster],
) -> None:
    cluster = make(2, Hasty)
    ann, bob = cluster.join(0, 1, game=Hasty, room="den"), cluster.join(0, 1, game=Hasty, room="den")
    cluster.move(ann, "go")
    cluster.play(4.5)
    server = cluster.servers[0]
    carrier = server._keeper.writer.carrier = Slow(server._store)
    carrier.held = True
    server.drain(0.0)

    cluster.play(1.2)  # Bob's time runs out meanwhile
    assert not bob.over
    carrier.held = False

    cluster.until(lambda: bob.over and ann.over)
    assert (cluster.where(ann), bob.view.late) == (1, [1])
    assert server.drained


def test_how_many_were_sent_to_another_process_is_counted(three: Cluster) -> None:
    three.join(0, 1, 2, room="den")
    three.join(1, 0, 2, room="den")
    three.play(2.0)
    assert [three.servers[n].stats().redirects for n in range(3)] == [0, 1, 0]

    three.servers[0].drain(0.0)
    three.play(2.0)

    assert three.servers[0].stats().redirects == 2


def test_whoever_looked_for_a_table_when_the_drain_began_founds_none(three: Cluster) -> None:
    server = three.servers[0]
    carrier = server._keeper.writer.carrier = Slow(server._store)
    carrier.held = True
    ann = three.begin_to_join(0, 1)
    three.play(0.2)
    server.drain(0.0)
    carrier.held = False

    three.until(lambda: ann.seated)

    assert (three.where(ann), server.tables) == (1, 0)


def test_a_clock_runs_out_after_the_restart_of_a_single_server_to_which_nobody_comes_back() -> None:
    hall = Hall(Hasty)
    hall.serve()
    ann, bob = hall.join(Hasty, room="den"), hall.join(Hasty, room="den")
    hall.move(ann, "go")
    ann.close()
    bob.close()
    hall.kill()
    hall.play(30.0)
    server = hall.serve()
    hall.play(1.0)
    assert server.tables == 1

    hall.play(6.0)

    again = hall.join(Hasty, ticket=ann.ticket)
    assert (again.over, again.view.late) == (True, [1])
    hall.close()


def test_many_tables_are_claimed_a_few_at_a_time(three: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcode.turns.serving.keeper.LOADED_AT_ONCE", 2)
    seats = [three.join(0, 1, room=f"r{n}") for n in range(7)]
    for seat in seats:
        seat.close()
    three.kill(0)
    three.play(LEASE + 0.5)
    asked: list[int] = []
    claim = three.servers[1]._store.claim

    def counted(tables: Collection[str], *, take: bool = True) -> dict[str, Claim | str]:
        asked.append(len(tables))
        return claim(tables, take=take)

    monkeypatch.setattr(three.servers[1]._store, "claim", counted)

    again = [three.begin_to_join(1, 2, ticket=seat.ticket) for seat in seats]
    three.until(lambda: all(seat.seated for seat in again))

    assert sum(asked) >= len(seats)
    assert max(asked) == 2


def test_while_it_is_not_decided_who_has_a_table_nobody_is_sent_anywhere(
    three: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = three.join(0, 1, room="den")
    ann.close()
    three.kill(0)
    three.play(LEASE + 0.5)
    store = three.servers[1]._store
    claim, undecided = store.claim, [True]

    def not_yet(tables: Collection[str], *, take: bool = True) -> dict[str, Claim | str]:
        return dict.fromkeys(tables, Claim.ASK_AGAIN) if undecided[0] else claim(tables, take=take)

    monkeypatch.setattr(store, "claim", not_yet)
    again = three.begin_to_join(1, ticket=ann.ticket)
    three.play(1.0)
    assert (again.seated, again.connected, three.servers[1].stats().redirects) == (False, True, 0)
    undecided[0] = False

    assert three.until(lambda: again.seated) < 0.5


def test_what_is_never_decided_is_asked_of_others(three: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = three.join(0, 1, room="den")
    ann.close()
    three.kill(0)
    three.play(LEASE + 0.5)

    def never(tables: Collection[str], *, take: bool = True) -> dict[str, Claim | str]:
        return dict.fromkeys(tables, Claim.ASK_AGAIN)

    monkeypatch.setattr(three.servers[1]._store, "claim", never)
    again = three.begin_to_join(1, 2, ticket=ann.ticket)

    assert LEASE < three.until(lambda: again.seated) < LEASE + 1.5
    assert three.where(again) == 2


def test_a_server_that_stands_still_is_not_asked_a_second_time(three: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    seats = [three.join(0, 1, 2, room=f"r{n}") for n in range(8)]

    def never(tables: Collection[str], *, take: bool = True) -> dict[str, Claim | str]:
        return dict.fromkeys(tables, Claim.ASK_AGAIN)

    for number in (1, 2):
        monkeypatch.setattr(three.servers[number]._store, "claim", never)
    three.frozen.add(0)
    three.until(lambda: all(three.where(seat) != 0 for seat in seats))
    visited: set[int] = set()

    def look() -> bool:
        visited.update(map(three.where, seats))
        return False

    with pytest.raises(AssertionError, match=r"it never came true: .*Seated"):
        three.until(look, 6.0)

    assert visited == {1, 2}


class Big(Game):
    """A state that is stored now and then, and rules that may change."""

    pad: str = "x" * 20_000
    total: int = 0

    @move(by=range(1, 10))
    def add(self, by: int) -> None:
        self.total += by


def test_moves_of_a_table_that_changed_rules_have_frozen_outlive_a_drain() -> None:
    def refuse(self: Any, by: int) -> None:
        self.require(by < 2, "too much")

    stricter = type("Big", (Big,), {"add": move(by=range(1, 10))(refuse), "__module__": __name__})
    three = Cluster(0, seed=3)
    three.serve(0, Big)
    numbers = 0, 1, 2
    seats = [three.join(*numbers, game=Big) for _ in range(2)]
    for turn in range(6):
        three.move(seats[turn % 2], "add", by=5)
    three.kill(0)
    three.serve(1, stricter)
    three.until(lambda: all(seat.seated and seat.frozen != "" for seat in seats))
    three.serve(2, Big)
    three.servers[1].drain(0.5)
    three.until(lambda: three.servers[1].drained)
    three.servers.pop(1).close()

    three.until(lambda: all(seat.seated and seat.frozen == "" for seat in seats))
    assert seats[0].view.total == 30


def test_a_table_that_is_given_away_is_not_put_away_as_well() -> None:
    class Blitz(TicTacToe):
        clock = Clock(minutes=60)

    class Slow(MemoryStore):
        down = False

        def release(self, tables: Collection[str]) -> None:
            if self.down:
                raise Unavailable("busy")
            super().release(tables)

    two = Cluster(0, Blitz, idle=4.0)
    two.store = Slow(clock=two.clock, lease=LEASE)
    two.serve(0)
    two.serve(1)
    ann, bob = (two.join(0, game=Blitz) for _ in range(2))
    two.move(ann, "mark", cell=0)
    for seat in (ann, bob):
        seat.close()
    two.seats.clear()
    two.play(3.2)
    store: Any = two.servers[0]._store
    store.down = True
    two.servers[0].drain(0.0)
    two.play(1.2)
    store.down = False

    two.until(lambda: two.servers[0].drained)


def test_due_tables_of_a_game_are_left_to_those_who_play_it() -> None:
    class Blitz(TicTacToe):
        clock = Clock(per_move=3)

    two = Cluster(0)
    two.serve(0, TicTacToe)
    two.serve(1, Blitz)
    ann, bob = (two.join(1, game=Blitz, patience=60) for _ in range(2))
    two.move(ann, "mark", cell=0)
    two.kill(1)
    two.play(8.0)
    two.serve(1, Blitz)

    two.until(lambda: ann.over and bob.over)
    assert bob.reason == ""


def test_a_clock_does_not_get_back_what_was_thought_before_a_drain() -> None:
    class Timed(TicTacToe):
        clock = Clock(per_move=30)

    two = Cluster(2, Timed)
    ann, bob = (two.join(0, 1, game=Timed) for _ in range(2))
    two.move(ann, "mark", cell=0)
    two.play(20.0)
    two.servers[0].drain(0.5)
    two.until(lambda: two.servers[0].drained)
    two.until(lambda: bob.seated and bob.connected)

    assert bob.clocks is not None
    assert bob.clocks[1] < 10.5


def test_tables_that_another_process_deleted_wait_for_nobody() -> None:
    two = Cluster(2, idle=2.0, waiting=20.0, max_waiting=5)
    for number in range(5):
        two.join(1, room=f"room {number}").close()
        two.seats.clear()
    two.play(150.0)

    assert two.join(1, room="another").reason == ""
    assert [server._keeper.lobby.waiting for server in two.servers.values()][1] == 1
