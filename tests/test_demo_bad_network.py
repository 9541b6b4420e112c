"""A whole game of Broadside over a network that is slow, stalls and breaks: nothing is lost and nothing comes twice."""

import pytest
from broadside import Sea

from demo_game.view import Phase
from netcode.turns import Presence


@pytest.mark.parametrize("seed", range(3))
def test_a_game_survives_a_network_that_is_cut_again_and_again(seed: int) -> None:
    sea = Sea(seed, latency=0.1, jitter=0.05)
    sea.serve()
    anne, bob = sea.enter_bot("Anne", 0.3).session, sea.enter_bot("Bob", 0.3).session
    sea.until(lambda: anne.view.phase is bob.view.phase is Phase.FIRING)
    for tenth in range(3000):
        sea.play(0.1)
        if anne.view.phase is bob.view.phase is Phase.OVER:
            break
        if tenth % 30 == 29:
            sea.network.cut()

    assert anne.view.phase is bob.view.phase is Phase.OVER
    assert anne.view.log == bob.view.log
    assert "has sunk the whole fleet of" in anne.view.why
    assert Presence(bob.view.seat, "here", None) in sea.heard[anne]
    sea.close()
