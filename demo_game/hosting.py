"""A server of Broadside within another program: driven by its loop, with as many bots as are wanted."""

import argparse
import contextlib
import os
import re
import sys
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import netcode
from demo_game.bot import NAMES, Bot
from demo_game.session import open_session
from netcode.turns import Server

LOCALHOST = "127.0.0.1"
PORT = 7777
CODE_LIMIT = 64
"""Characters of a table's code in a link: as many as `join` takes for a room."""
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


class Invitation(NamedTuple):
    """What leads to a game: where its server is, the code of its table, and whether everything is encrypted."""

    server: tuple[str, int]
    code: str = ""
    tls: bool = False


def invitation(text: str) -> Invitation:
    """Take an address apart, or the link that a page shows for a friend. Raises as `host_and_port`, and for a code that none has."""
    text = text.strip()
    try:
        link = urlsplit(text)
    except ValueError:  # half an IPv6 address, say
        return Invitation(host_and_port(text))
    if link.scheme not in ("http", "https"):
        return Invitation(host_and_port(text.removesuffix("/")))
    tls = link.scheme == "https"
    port = "" if re.search(r":\d+$", link.netloc) else f":{443 if tls else 80}"
    code = parse_qs(link.fragment).get("room", [""])[0]
    if len(code) > CODE_LIMIT or not code.isprintable():
        raise argparse.ArgumentTypeError(
            f"that link leads to no table: its room is no text of at most {CODE_LIMIT} characters"
        )
    return Invitation(host_and_port(f"{link.netloc}{port}"), code, tls)


def host_and_port(text: str) -> tuple[str, int]:
    """Read the address of a server that is typed. Raises `ArgumentTypeError` with a sentence for what is none."""
    try:
        return netcode.read_address(text, PORT)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def whole_number(text: str, least: int, most: int, what: str) -> int:
    """Read a number that is typed."""
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        raise argparse.ArgumentTypeError(f"{text} is not {what} from {least} to {most}")
    return int(text)


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
