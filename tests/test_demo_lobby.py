"""Tests of pairing, seats and spectators, and of who is told what."""

from dataclasses import dataclass, field
from random import Random

import pytest

from demo_game.battle import Player
from demo_game.lobby import Lobby
from demo_game.messages import (
    Again,
    Anew,
    Enter,
    Fire,
    Fired,
    Missing,
    News,
    Over,
    Paired,
    Place,
    Placed,
    Returned,
    Silent,
    Turn,
    Waiting,
    Yours,
    write,
)
from demo_game.rules import ALL_CELLS, FLEET, Cell, RuleError, Ship, Shot

FLEET_AT_THE_TOP = tuple(Ship(length, Cell(0, row)) for row, length in enumerate(FLEET))


class SeatZeroFirst(Random):
    """Dice that always let the one who came first fire first."""

    def randrange(self, *_: object, **__: object) -> int:
        return 0


@dataclass
class Somebody:
    """A player with all that they have been told."""

    lobby: Lobby
    name: str
    heard: list[News] = field(default_factory=list[News])
    player: Player = field(init=False)

    def __post_init__(self) -> None:
        self.player = Player(self.heard.append)

    def enter(self, *, watching: bool = False) -> "Somebody":
        self.lobby.obey(self.player, Enter(self.name, watching))
        return self

    def place(self) -> None:
        self.lobby.obey(self.player, Place(FLEET_AT_THE_TOP))

    def fire(self, column: int, row: int) -> None:
        self.lobby.obey(self.player, Fire(Cell(column, row)))

    def take_heard(self) -> list[News]:
        heard = list(self.heard)
        self.heard.clear()
        return heard


@pytest.fixture
def lobby() -> Lobby:
    return Lobby(SeatZeroFirst())


def pair(lobby: Lobby, *, placed: bool = True) -> tuple[Somebody, Somebody]:
    anne, bob = Somebody(lobby, "Anne").enter(), Somebody(lobby, "Bob").enter()
    if placed:
        anne.place()
        bob.place()
    anne.take_heard()
    bob.take_heard()
    return anne, bob


def test_players_are_paired_as_they_come(lobby: Lobby) -> None:
    anne, bob, carl = (Somebody(lobby, name).enter() for name in ("Anne", "Bob", "Carl"))

    assert anne.heard == [Waiting(), Paired(1, ("Anne", "Bob"), 0)]
    assert bob.heard == [Waiting(), Paired(1, ("Anne", "Bob"), 1)]
    assert carl.heard == [Waiting()]


def test_several_games_go_on_at_once(lobby: Lobby) -> None:
    anne, _ = pair(lobby)
    carl, dora = pair(lobby)
    anne.fire(9, 9)
    carl.fire(0, 0)

    assert len(lobby.battles) == 2
    assert anne.heard == [Fired(0, Shot(Cell(9, 9), hit=False)), Turn(1)]
    assert dora.heard == [Fired(0, Shot(Cell(0, 0), hit=True)), Turn(1)]


def test_placing_is_told_without_the_place(lobby: Lobby) -> None:
    anne, bob = pair(lobby, placed=False)

    anne.place()

    assert bob.heard == [Placed(0)]
    bob.place()
    assert anne.heard == [Placed(0), Placed(1), Turn(0)]


def test_nothing_that_is_sent_before_the_end_betrays_a_ship_that_floats(lobby: Lobby) -> None:
    anne, bob = pair(lobby, placed=False)
    anne.place()
    bob.place()
    for column in range(4):
        anne.fire(column, 0)
        bob.fire(9 - column, 9)

    told = [write(news) for news in anne.heard + bob.heard]
    assert not any("fleets" in message for message in told)
    assert all(news.shot.sunk is None for news in anne.heard if isinstance(news, Fired))


def test_the_winner_and_both_fleets_are_told_at_the_end(lobby: Lobby) -> None:
    anne, bob = pair(lobby)
    wasted = iter(ALL_CELLS[::-1])
    targets = [cell for ship in FLEET_AT_THE_TOP for cell in ship.cells]
    for target in targets[:-1]:
        anne.fire(*target)
        bob.fire(*next(wasted))
    bob.take_heard()

    anne.fire(*targets[-1])

    assert bob.heard == [
        Fired(0, Shot(Cell(1, 4), hit=True, sunk=FLEET_AT_THE_TOP[4])),
        Over(0, "Anne has sunk the whole fleet of Bob", (FLEET_AT_THE_TOP, FLEET_AT_THE_TOP)),
    ]
    assert lobby.battles == []


def test_who_leaves_loses_and_the_other_reads_why(lobby: Lobby) -> None:
    anne, bob = pair(lobby, placed=False)
    bob.place()

    lobby.leave(anne.player, "Anne left: «dinner»")

    assert bob.heard == [Placed(1), Over(1, "Anne left: «dinner»", ((), FLEET_AT_THE_TOP))]
    assert anne.heard == [Placed(1)]


def test_who_leaves_the_queue_is_not_paired(lobby: Lobby) -> None:
    anne, bob = Somebody(lobby, "Anne").enter(), Somebody(lobby, "Bob")
    lobby.leave(anne.player, "gone")

    bob.enter()

    assert bob.heard == [Waiting()]


def test_two_can_play_again(lobby: Lobby) -> None:
    anne, bob = pair(lobby)
    lobby.leave(bob.player, "gone")
    anne.take_heard()

    lobby.obey(anne.player, Again())
    lobby.obey(anne.player, Again())
    Somebody(lobby, "Carl").enter()

    assert anne.heard == [Waiting(), Paired(2, ("Anne", "Carl"), 0)]


def test_a_late_spectator_hears_what_has_happened(lobby: Lobby) -> None:
    anne, _ = pair(lobby)
    anne.fire(9, 9)

    carl = Somebody(lobby, "Carl").enter(watching=True)

    assert carl.heard == [
        Waiting(),
        Paired(1, ("Anne", "Bob"), None),
        Placed(0),
        Placed(1),
        Turn(0),
        Fired(0, Shot(Cell(9, 9), hit=False)),
        Turn(1),
    ]


def test_a_spectator_who_waits_sees_the_next_game_and_may_ask_for_another(lobby: Lobby) -> None:
    carl = Somebody(lobby, "Carl").enter(watching=True)
    _, bob = pair(lobby)
    lobby.leave(bob.player, "gone")
    pair(lobby)
    assert [news for news in carl.take_heard() if isinstance(news, Paired | Over)] == [
        Paired(1, ("Anne", "Bob"), None),
        Over(0, "gone", (FLEET_AT_THE_TOP, FLEET_AT_THE_TOP)),
    ]

    lobby.obey(carl.player, Again())

    assert Paired(2, ("Anne", "Bob"), None) in carl.heard


def test_a_spectator_can_go_at_any_time(lobby: Lobby) -> None:
    carl, dora = (Somebody(lobby, name).enter(watching=True) for name in ("Carl", "Dora"))
    lobby.leave(dora.player, "gone")
    anne, _ = pair(lobby)
    lobby.leave(carl.player, "gone")
    carl.take_heard()

    anne.fire(0, 0)

    assert carl.heard == []
    assert dora.heard == [Waiting()]
    assert len(lobby.battles) == 1


def test_a_silence_is_told_to_the_others_whenever_it_changes(lobby: Lobby) -> None:
    anne, bob = pair(lobby)
    carl = Somebody(lobby, "Carl").enter(watching=True)
    carl.take_heard()
    for seconds in (0, 3, 3, 4, 0, 0):
        lobby.silent(anne.player, seconds, 10)
    lobby.silent(carl.player, 5, 10)

    assert bob.heard == carl.heard == [Silent(0, 3, 10), Silent(0, 4, 10), Silent(0, 0, 10)]
    assert anne.heard == []


def test_a_lost_link_and_the_return_are_told_to_the_others(lobby: Lobby) -> None:
    anne, bob = pair(lobby)
    carl = Somebody(lobby, "Carl").enter(watching=True)
    for player in (anne.player, carl.player):
        lobby.missing(player)
        lobby.returned(player)

    assert bob.heard == [Missing(0), Returned(0)]
    assert anne.heard == []


def test_who_waits_without_a_link_is_paired_on_return(lobby: Lobby) -> None:
    anne, bob = Somebody(lobby, "Anne").enter(), Somebody(lobby, "Bob")
    lobby.missing(anne.player)
    bob.enter()
    assert bob.heard == [Waiting()]

    lobby.returned(anne.player)

    assert bob.heard == [Waiting(), Paired(1, ("Anne", "Bob"), 1)]


def test_who_comes_back_knowing_nothing_is_told_how_things_stand(lobby: Lobby) -> None:
    anne, bob = pair(lobby)
    anne.fire(0, 0)
    so_far = [Placed(0), Placed(1), Turn(0), *anne.take_heard()]
    lobby.missing(bob.player)
    lobby.missing(anne.player)
    lobby.returned(anne.player)
    anne.heard.clear()
    bob.heard.clear()

    anne.enter()

    assert anne.heard == [Anew(), Paired(1, ("Anne", "Bob"), 0), Yours(FLEET_AT_THE_TOP), *so_far, Missing(1)]
    assert len(so_far) == 5
    assert bob.heard == []
    with pytest.raises(RuleError, match="entered already"):
        anne.enter()


def test_a_fleet_that_was_not_hidden_yet_is_still_to_be_hidden(lobby: Lobby) -> None:
    anne, _ = Somebody(lobby, "Anne").enter(), Somebody(lobby, "Bob").enter()
    lobby.returned(anne.player)
    anne.heard.clear()

    anne.enter()

    assert anne.heard == [Anew(), Paired(1, ("Anne", "Bob"), 0)]


def test_a_spectator_who_comes_back_sees_the_game_again(lobby: Lobby) -> None:
    anne, _ = pair(lobby)
    carl = Somebody(lobby, "Carl").enter(watching=True)
    told = carl.take_heard()
    lobby.returned(carl.player)

    carl.enter(watching=True)
    anne.fire(0, 0)

    assert carl.heard == [Anew(), *told[1:], Fired(0, Shot(Cell(0, 0), hit=True)), Turn(1)]


def test_who_comes_back_between_two_games_waits_for_the_next(lobby: Lobby) -> None:
    anne, bob = pair(lobby)
    dora = Somebody(lobby, "Dora").enter()
    lobby.leave(bob.player, "Bob is gone")
    for player in (anne, dora):
        lobby.missing(player.player)
        player.heard.clear()
    lobby.returned(dora.player)

    dora.enter()
    lobby.returned(anne.player)
    anne.enter()

    assert dora.heard == [Anew(), Waiting(), Paired(2, ("Dora", "Anne"), 0)]
    assert anne.heard == [Anew(), Waiting(), Paired(2, ("Dora", "Anne"), 1)]


def test_orders_out_of_place_are_refused(lobby: Lobby) -> None:
    stranger, carl = Somebody(lobby, ""), Somebody(lobby, "Carl")
    with pytest.raises(RuleError, match="say your name first"):
        lobby.obey(stranger.player, Again())
    stranger.enter()
    assert stranger.player.name == "Nameless"
    with pytest.raises(RuleError, match="entered already"):
        stranger.enter()
    with pytest.raises(RuleError, match="not in a game"):
        stranger.place()
    anne = Somebody(lobby, "Anne").enter()
    with pytest.raises(RuleError, match="not over"):
        lobby.obey(anne.player, Again())
    carl.enter(watching=True)
    with pytest.raises(RuleError, match="not in a game"):
        carl.fire(0, 0)
