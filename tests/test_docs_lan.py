"""docs/how-to/find-games-on-the-lan.md is followed to the letter, on a network in memory."""

import re
from typing import Any

from programs import ROOT

import netcode
from netcode.testing import FakeClock, MemoryNetwork

PAGE = ROOT / "docs" / "how-to" / "find-games-on-the-lan.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


class Stage(FakeClock):
    """A clock by which the server of the page sleeps, and on whose time the player looks for it."""

    def __init__(self) -> None:
        super().__init__()
        self.network = MemoryNetwork(self)
        self.there: dict[str, Any] = {"network": self.network, "clock": self}
        self.naps = 0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.naps += 1
        if self.naps == 1:
            player = BLOCKS[1].replace('discover("chess"', 'discover("chess", network=network')
            exec(
                player.replace("Client(*found.address", "Client(*found.address, network=network, clock=clock"),
                self.there,
            )
        client, server = self.there["client"], self.there["server"]
        client.update()
        if client.state is netcode.State.CONNECTED:
            server.close_nicely("enough")


def test_a_player_finds_the_server_and_is_let_in(capsys: Any) -> None:
    stage = Stage()

    exec(BLOCKS[0].replace("announce=", "network=network, clock=clock, announce="), stage.there)

    said = capsys.readouterr().out
    assert "Ann's game: 0 of 1000 at memory:7777" in said
    assert "Joined" in said
    assert stage.naps < 100
    client = stage.there["client"]
    client.update()
    assert client.reason == netcode.Reason(netcode.ReasonCode.SHUTDOWN, "enough")
