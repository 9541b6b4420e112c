"""Tests of the server, the sessions and the bots of Broadside together, over real sockets in one process."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random

import pytest

import netcode
from demo_game.bot import Bot
from demo_game.messages import Fired, News, Over
from demo_game.rules import Cell, random_fleet
from demo_game.server import SHUTTING_DOWN, GameServer, _player_of
from demo_game.session import Session, open_session
from demo_game.settings import GAME, VERSION
from demo_game.view import Phase
from netcode.testing import FakeClock

DEADLINE = 20.0
HOST = "127.0.0.1"


class World:
    """A server and everybody who is connected to it. Whoever is in `asleep` does not call `update()`."""

    def __init__(self, stack: ExitStack, *, max_peers: int = 100) -> None:
        self.clock = FakeClock()
        self.server = stack.enter_context(
            netcode.Server(HOST, 0, game=GAME, version=VERSION, max_peers=max_peers, clock=self.clock)
        )
        self.said: list[str] = []
        self.game = GameServer(self.server, Random(3), timeout=10, report=self.said.append)
        self.sessions: list[Session] = []
        self.bots: list[Bot] = []
        self.asleep: list[Session] = []
        self.heard: dict[int, list[News]] = {}
        self._stack = stack

    def enter(
        self, name: str, *, watching: bool = False, version: str = VERSION, seat: "Pocket | None" = None
    ) -> Session:
        ticket = None if seat is None else seat.ticket
        client = netcode.Client(HOST, self.server.address.port, game=GAME, version=version, ticket=ticket)
        session = Session(self._stack.enter_context(client), name, watching=watching, seat=seat)
        self.sessions.append(session)
        self.heard[id(session)] = []
        return session

    def enter_bot(self, name: str, games: int = 1) -> Session:
        session = self.enter(name)
        self.bots.append(Bot(session, Random(name), clock=self.clock, pace=0, games=games))
        return session

    def pair(self) -> tuple[Session, Session]:
        anne = self.enter("Anne")
        self.until(lambda: anne.joined)
        bob = self.enter("Bob")
        self.until(lambda: anne.view.to_place and bob.view.to_place)
        return anne, bob

    def update(self) -> None:
        self.game.update()
        for session in self.sessions:
            if session not in self.asleep:
                self.heard[id(session)] += session.update()
        for bot in self.bots:
            bot.update()

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not done():
            assert time.monotonic() < deadline, [(session.view, session.reason) for session in self.sessions]
            self.update()


@pytest.fixture
def world() -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


def test_two_bots_play_a_game_and_both_see_the_same(world: World) -> None:
    anne, bob = world.enter_bot("Anne"), world.enter_bot("Bob")

    world.until(lambda: all(bot.done for bot in world.bots))

    assert anne.view.phase is bob.view.phase is Phase.OVER
    assert anne.view.winner == bob.view.winner is not None
    assert anne.view.log == bob.view.log
    assert [side.chart for side in anne.view.sides] == [side.chart for side in bob.view.sides]
    assert [side.fleet for side in anne.view.sides] == [side.fleet for side in bob.view.sides]
    assert world.game.games == 0


def test_bots_play_again_until_they_have_had_enough(world: World) -> None:
    sessions = [world.enter_bot(name, games=2) for name in ("Anne", "Bob", "Carl", "Dora")]

    world.until(lambda: sum(bot.done for bot in world.bots) >= 2)

    assert max(session.view.number for session in sessions) >= 3


def test_a_spectator_sees_every_shot_and_no_fleet_before_the_end(world: World) -> None:
    carl = world.enter("Carl", watching=True)
    world.until(lambda: carl.joined)
    anne, _ = world.enter_bot("Anne"), world.enter_bot("Bob")

    world.until(lambda: carl.view.phase is Phase.FIRING)
    assert [side.fleet for side in carl.view.sides] == [(), ()]
    world.until(lambda: carl.view.phase is Phase.OVER)

    assert carl.view.seat is None
    assert carl.view.log == anne.view.log
    assert all(carl.view.sides[seat].fleet for seat in (0, 1))


def test_a_move_against_the_rules_is_refused_and_the_game_goes_on(world: World) -> None:
    anne, bob = world.pair()
    anne.fire(Cell(0, 0))

    world.until(lambda: anne.view.refusal != "")

    assert anne.view.refusal == "wait until both fleets are placed"
    assert bob.reason is None
    anne.place(random_fleet(Random(1)))
    bob.place(random_fleet(Random(2)))
    world.until(lambda: anne.view.phase is bob.view.phase is Phase.FIRING)


def test_an_illegal_fleet_is_given_back(world: World) -> None:
    anne, _ = world.pair()
    anne.place(random_fleet(Random(1))[1:])

    world.until(lambda: anne.view.refusal != "")

    assert anne.view.to_place


@pytest.mark.parametrize("message", [None, "fire", {"kind": "fire", "cell": [70, 0]}, {"kind": "enter"}])
def test_who_sends_nonsense_is_told_so_and_the_opponent_reads_why(world: World, message: object) -> None:
    anne, bob = world.pair()
    anne._client.send(message)

    world.until(lambda: anne.reason is not None and bob.view.phase is Phase.OVER)

    assert anne.reason is not None
    assert anne.reason.code is netcode.ReasonCode.GOODBYE
    assert anne.reason.text.startswith("you sent what Broadside does not know: ")
    assert bob.view.winner == bob.view.seat


def test_a_server_that_speaks_nonsense_is_left(world: World) -> None:
    anne, _ = world.pair()
    world.server.broadcast({"kind": "free beer"})

    world.until(lambda: anne.reason is not None)

    assert anne.reason is not None
    assert anne.reason.code is netcode.ReasonCode.CLOSED


def test_who_says_goodbye_is_heard_at_once(world: World) -> None:
    anne, bob = world.pair()
    anne.leave("dinner is ready")

    world.until(lambda: bob.view.phase is Phase.OVER)

    assert bob.view.why == "Anne left: «dinner is ready»"
    assert bob.view.winner == bob.view.seat
    assert world.said[-1].endswith("left: dinner is ready")


def test_a_silent_player_is_noticed_before_the_timeout(world: World) -> None:
    anne, bob = world.pair()
    carl = world.enter("Carl", watching=True)
    world.until(lambda: carl.view.phase is Phase.PLACING)
    seat = anne.view.near
    world.asleep.append(anne)
    for _ in range(9):
        world.clock.advance(0.5)
        # Time counts against a peer only while the server attends: what the others sent is read in each step.
        world.update()

    world.until(lambda: bob.view.sides[seat].silent_for == carl.view.sides[seat].silent_for == 4)
    assert bob.view.silence_limit == 10
    world.asleep.clear()
    world.until(lambda: bob.view.sides[seat].silent_for == 0)
    assert anne.reason is None


def test_a_player_whose_link_is_lost_comes_back_to_the_same_seat(world: World) -> None:
    anne, bob = world.pair()
    seat = anne.view.near
    world.asleep.append(anne)

    def time_passes() -> bool:
        world.clock.advance(0.05)
        return bob.view.sides[seat].missing

    world.until(time_passes)
    world.asleep.clear()
    world.until(lambda: anne.away)
    world.until(lambda: not anne.away and not bob.view.sides[seat].missing)

    anne.place(random_fleet(Random(1)))
    bob.place(random_fleet(Random(2)))
    world.until(lambda: anne.view.phase is bob.view.phase is Phase.FIRING)
    assert any("lost the link" in line for line in world.said)
    assert any("is back" in line for line in world.said)


class Pocket:
    """Keeps the ticket of a seat, and what was kept before."""

    def __init__(self, ticket: str | None = None) -> None:
        self.ticket = ticket
        self.kept: list[str | None] = []

    def keep(self, ticket: str | None) -> None:
        self.ticket = ticket
        self.kept.append(ticket)


def kill(world: World, session: Session) -> None:
    """End the program behind a session as the operating system does."""
    link = session._client._link
    assert link is not None
    link.connection.close()
    world.sessions.remove(session)


def test_a_program_that_was_killed_finds_its_seat_and_its_game_again(world: World) -> None:
    pocket = Pocket()
    anne = world.enter("Anne", seat=pocket)
    world.until(lambda: anne.joined)
    bob = world.enter("Bob")
    world.until(lambda: anne.view.to_place and bob.view.to_place)
    fleet = random_fleet(Random(1))
    anne.place(fleet)
    bob.place(random_fleet(Random(2)))
    world.until(lambda: anne.view.phase is bob.view.phase is Phase.FIRING)
    first, second = (anne, bob) if anne.view.my_turn else (bob, anne)
    first.fire(Cell(0, 0))
    world.until(lambda: second.view.my_turn)
    before = anne.view
    kill(world, anne)
    world.until(lambda: bob.view.sides[before.near].missing)

    again = world.enter("Anne", seat=pocket)
    world.until(lambda: again.view.phase is Phase.FIRING and not bob.view.sides[before.near].missing)

    assert again.view == before
    assert again.view.sides[again.view.near].fleet == fleet
    assert len(world.server.peers) == 2
    assert pocket.ticket is not None
    player = again if again.view.my_turn else bob
    player.fire(Cell(1, 0))
    world.until(lambda: len(again.view.log) == len(bob.view.log) == 2)


def test_who_comes_for_a_seat_too_late_knows_it_and_keeps_no_ticket(world: World) -> None:
    pocket = Pocket("seat-" + "ab" * 32)

    anne = world.enter("Anne", seat=pocket)
    world.until(lambda: anne.reason is not None)

    assert anne.too_late
    assert pocket.kept == [None]


@pytest.mark.parametrize("damaged", ["", "nonsense", "seat-xyz", "seat-" + "ab" * 500])
def test_a_ticket_that_is_damaged_is_none(world: World, damaged: str) -> None:
    session = open_session(HOST, world.server.address.port, "Anne", seat=Pocket(damaged))
    world.sessions.append(session)
    world.heard[id(session)] = []

    world.until(lambda: session.joined)
    session.close()


@pytest.mark.parametrize("how", ["leave", "close", "server"])
def test_a_seat_that_was_left_on_purpose_is_not_kept(world: World, how: str) -> None:
    pocket = Pocket()
    anne = world.enter("Anne", seat=pocket)
    world.until(lambda: anne.joined)
    joined = pocket.ticket

    if how == "leave":
        anne.leave("enough")
        world.until(lambda: anne.reason is not None)
    elif how == "close":
        anne.close()
    else:
        world.server.close()
        world.until(lambda: anne.reason is not None)

    assert joined is not None
    assert pocket.ticket is None
    assert not anne.too_late


def test_a_server_that_is_not_reached_takes_no_ticket_away(world: World) -> None:
    pocket = Pocket("seat-" + "ab" * 32)
    world.server.close()

    anne = world.enter("Anne", seat=pocket)
    world.until(lambda: anne.reason is not None)
    anne.close()

    assert (pocket.kept, anne.too_late) == ([], False)


def test_a_player_who_does_not_come_back_loses(world: World) -> None:
    anne, bob = world.pair()
    world.asleep.append(anne)

    def time_passes() -> bool:
        world.clock.advance(0.05)
        return bob.view.phase is Phase.OVER

    world.until(time_passes)

    assert bob.view.why == "Anne is gone: silent for too long, and not back in time"
    assert bob.view.winner == bob.view.seat


@pytest.mark.parametrize("code", list(netcode.ReasonCode))
def test_the_opponent_never_reads_an_address(world: World, code: netcode.ReasonCode) -> None:
    anne, bob = world.pair()
    peer = next(peer for peer in world.server.peers if _player_of(peer).name == "Anne")
    where = "somewhere" if code is netcode.ReasonCode.GOODBYE else str(peer.address)

    world.game._take(netcode.Left(peer, netcode.Reason(code, f"{where} is no more")))
    world.until(lambda: bob.view.phase is Phase.OVER)

    assert bob.view.why.startswith("Anne ")
    assert HOST not in bob.view.why
    assert anne.reason is None


def test_everybody_reads_that_the_server_shuts_down(world: World) -> None:
    anne, bob = world.pair()
    carl = world.enter("Carl", watching=True)
    world.until(lambda: carl.joined)
    requests = 0

    def stops() -> int:
        for session in world.sessions:
            session.update()
        return requests

    requests = 1
    world.game.run(stops)
    world.until(lambda: all(session.reason is not None for session in world.sessions))

    for session in (anne, bob, carl):
        assert session.reason == netcode.Reason(netcode.ReasonCode.SHUTDOWN, SHUTTING_DOWN)
    assert world.server.state is netcode.State.DISCONNECTED


def test_a_second_request_ends_the_server_at_once(world: World) -> None:
    world.pair()

    world.game.run(lambda: 2)

    assert world.server.state is netcode.State.DISCONNECTED


def test_another_version_is_refused_with_both_named(world: World) -> None:
    anne = world.enter("Anne", version="0")

    world.until(lambda: anne.reason is not None)

    assert anne.reason is not None
    assert anne.reason.code is netcode.ReasonCode.WRONG_VERSION
    assert "broadside 1" in anne.reason.text
    assert "broadside 0" in anne.reason.text


def test_a_full_server_says_so() -> None:
    with ExitStack() as stack:
        world = World(stack, max_peers=1)
        anne = world.enter("Anne")
        world.until(lambda: anne.joined)
        bob = world.enter("Bob")

        world.until(lambda: bob.reason is not None)

        assert bob.reason is not None
        assert bob.reason.code is netcode.ReasonCode.SERVER_FULL
        assert anne.reason is None


def test_the_round_trip_time_is_sampled_once_it_is_known(world: World) -> None:
    anne, _ = world.pair()
    anne.sample()

    def sampled() -> bool:
        world.clock.advance(0.01)
        anne.sample()
        return len(anne.samples) > 2

    world.until(sampled)

    assert all(sample.rtt >= 0 and sample.jitter >= 0 for sample in anne.samples)


def test_a_silent_server_is_noticed_by_the_player() -> None:
    clock = FakeClock()
    with netcode.Server(HOST, 0, game=GAME, version=VERSION) as server:
        client = netcode.Client(HOST, server.address.port, game=GAME, version=VERSION, clock=clock)
        with client:
            session = Session(client, "Anne")
            deadline = time.monotonic() + DEADLINE
            assert session.silence == 0
            while not session.joined and time.monotonic() < deadline:
                server.update()
                session.update()
            for _ in range(9):
                clock.advance(0.5)
                session.update()

            assert session.silence == 4


def test_news_come_in_the_order_of_the_game(world: World) -> None:
    anne, _ = world.enter_bot("Anne"), world.enter_bot("Bob")

    world.until(lambda: all(bot.done for bot in world.bots))

    heard = world.heard[id(anne)]
    assert isinstance(heard[-1], Over)
    assert [news for news in heard if isinstance(news, Fired)] == anne.view.log
