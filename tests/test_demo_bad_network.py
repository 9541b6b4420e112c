"""A whole game of Broadside over a network that is slow, stalls and breaks: nothing is lost and nothing comes twice."""

from random import Random

import pytest

import netcode
from demo_game.bot import Bot
from demo_game.server import GameServer
from demo_game.session import Session
from demo_game.settings import GAME, VERSION
from demo_game.view import Phase
from netcode.testing import FakeClock, MemoryNetwork, play

PORT = 7777


@pytest.mark.parametrize("seed", range(5))
def test_a_game_survives_a_network_that_is_cut_again_and_again(seed: int) -> None:
    clock = FakeClock()
    network = MemoryNetwork(clock, seed=seed, latency=0.1, jitter=0.05)
    said: list[str] = []

    def enter(name: str) -> Session:
        client = netcode.Client("server", PORT, game=GAME, version=VERSION, network=network, clock=clock)
        return Session(client, name)

    with netcode.Server("server", PORT, game=GAME, version=VERSION, network=network, clock=clock) as server:
        game = GameServer(server, Random(seed), timeout=10, report=said.append)
        anne, bob = enter("Anne"), enter("Bob")
        bots = [Bot(session, Random(seed), clock=clock, pace=0.3, games=1) for session in (anne, bob)]
        for _ in range(100):
            play(clock, 3.0, game, anne, bob, *bots, tick=0.02)
            if all(bot.done for bot in bots):
                break
            network.cut()
        for session in (anne, bob):
            session.close()

    assert anne.view.phase is bob.view.phase is Phase.OVER
    assert anne.view.log == bob.view.log
    assert "has sunk the whole fleet of" in anne.view.why
    assert [line for line in said if "is back" in line] != []
