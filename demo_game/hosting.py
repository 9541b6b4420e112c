"""A server of Broadside within another program: driven by its loop, with as many bots as are wanted."""

import contextlib
import os
import sys
from pathlib import Path
from random import Random
from typing import Any

from demo_game.bot import NAMES, Bot
from demo_game.session import open_session
from netcode.turns import Server

LOCALHOST = "127.0.0.1"
PORT = 7777
TERMS: dict[str, Any] = {"timeout": 10.0, "ping_interval": 0.5, "moves_per_second": 100.0}
"""What each server of Broadside promises: after how much silence a link ends, in seconds, and that bots may be quick."""


class Host:
    """Serves while its owner calls `update()` in every frame; `pace` are the seconds that its bots take over a shot."""

    def __init__(self, server: Server, pace: float) -> None:
        self._server, self._pace = server, pace
        self.bots: list[Bot] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.address.port

    def add_bot(self, code: str = "") -> None:
        """Let another bot play here."""
        session = open_session((LOCALHOST, self.port), NAMES[len(self.bots) % len(NAMES)], code=code)
        self.bots.append(Bot(session, Random(), pace=self._pace))

    def update(self) -> None:
        """Let everybody here do what they can do now; never blocks."""
        self._server.update()
        for bot in self.bots:
            bot.session.update()
            bot.update()

    def close(self) -> None:
        """Tell everybody that it is over."""
        for bot in self.bots:
            bot.session.close()
        self._server.close("the captain of this server has left")


def store_for(port: int) -> Path | None:
    """Give the database of our own server at that port; None for any port, and where there is no place for it."""
    with contextlib.suppress(OSError):
        return made(own_folder()) / f"tables-{port}.db" if port else None
    return None


def own_folder() -> Path:
    """Give the folder in which programs of this user keep what they need in the next run."""
    try:
        if sys.platform == "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "broadside"
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "broadside"
    except RuntimeError as error:
        raise OSError("nobody knows where this user is at home") from error


def made(folder: Path) -> Path:
    """Give the folder, which is there now, and for its owner alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
