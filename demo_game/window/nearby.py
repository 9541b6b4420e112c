"""Games of Broadside on the local network, and what a server says to be among them."""

import importlib.util
from collections.abc import Callable
from typing import NamedTuple

import netcode
from demo_game.wording import plain_text

SIGN = "Broadside of "
"""How all begin: many games of the turn kit may be on one network."""
MOST = 3
"""Games that are shown."""


class Found(NamedTuple):
    """A game that one can join: whose it is, and where."""

    name: str
    server: tuple[str, int]


class Nearby:
    """Looks for games, without the extra `lan` in vain. Call `update()` now and then."""

    def __init__(self, look: Callable[[], netcode.Discovery] = lambda: netcode.discover("netcode.turns")) -> None:
        self.games: tuple[Found, ...] = ()
        self._discovery: netcode.Discovery | None = None
        try:
            self._discovery = look()
        except (ImportError, OSError):
            pass

    def update(self) -> None:
        """See what is there. Never blocks."""
        if self._discovery is not None:
            self._discovery.update()
            found = [game for game in self._discovery.games if game.name.startswith(SIGN) and not game.tls]
            named = {
                (game.address.host, game.address.port): plain_text(game.name.removeprefix(SIGN))
                for game in found  # one that was killed and started again is listed twice for a while
            }
            self.games = tuple(Found(name, server) for server, name in named.items())[:MOST]

    def close(self) -> None:
        """Stop looking."""
        if self._discovery is not None:
            self._discovery.close()


def sign_of(name: str) -> str | None:
    """Give what a server of this captain calls itself on the network: nothing where the extra `lan` is not installed."""
    return None if importlib.util.find_spec("zeroconf") is None else f"{SIGN}{name}"
