"""What a player wants to do, as the start screen or the command line says it; and the same carried out."""

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from demo_game.hosting import LOCALHOST, PORT, TERMS, Host, store_for
from demo_game.rules import Broadside
from demo_game.session import Session, open_session
from demo_game.view import Phase
from demo_game.window.kept_seat import KeptSeat, left_behind
from demo_game.window.nearby import sign_of
from netcode.turns import Server


class Way(Enum):
    """How one comes to a game."""

    BOT = "against the bot"
    HOST = "host a game"
    JOIN = "join a game"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a player wants to do. `per_move` are the seconds for each shot, 0 for as many as one likes."""

    way: Way
    name: str
    server: tuple[str, int] = (LOCALHOST, PORT)
    code: str = ""
    per_move: float = 0.0
    pace: float = 1.2
    tls: bool = False


class Voyage:
    """A plan under way: the session, and whatever it needs. Call `update()` in every frame.

    Raises:
        OSError, netcode.turns.Unavailable: it cannot be; the text says why.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.host: Host | None = None
        host, port = plan.server
        if plan.way is Way.BOT:
            self.host = Host(Server(Broadside, host=LOCALHOST, port=0, **TERMS), plan.pace)
            port = self.host.port
        elif plan.way is Way.HOST:
            sign = sign_of(plan.name)
            self.host = Host(Server(Broadside, port=port, store=store_for(port), announce=sign, **TERMS), plan.pace)
            port = self.host.port
        self._server = (host if self.host is None else LOCALHOST), port
        # On a server of our own for one game nothing outlives the window.
        keeps = plan.way in {Way.HOST, Way.JOIN}
        about = {"way": plan.way.name, "name": plan.name, "host": plan.server[0], "port": port, "code": plan.code}
        about["tls"] = plan.tls
        seat = f"{host}:{port}/{plan.code}"
        self._kept: KeptSeat | None = KeptSeat(seat, plan.name, about=about) if keeps else None
        self.session = self._enter()
        if plan.way is Way.BOT:
            self.call_bot()

    @property
    def invitation(self) -> str:
        """What a friend has to type, if we are the host."""
        return own_address(self._server[1]) if self.plan.way is Way.HOST else ""

    def call_bot(self) -> None:
        """Let a bot sit down at our table, if we are the host, and none is on its way there."""
        if self.host is not None and all(bot.session.view.phase is not Phase.WAITING for bot in self.host.bots):
            self.host.add_bot(self.plan.code)

    def update(self) -> None:
        """Let the network do its work."""
        if self.host is not None:
            self.host.update()
        self.session.update()

    def retry(self) -> None:
        """Try once more to come in."""
        self.session.close()
        self.session = self._enter()

    def another(self) -> None:
        """Look for another opponent, whoever it is: a code leads to the table where we have been."""
        self.plan = replace(self.plan, code="")
        self.session.another(anybody=True)

    def watch(self) -> None:
        """Look on where there is no seat for us."""
        self.plan = replace(self.plan, way=Way.WATCH)
        self.retry()

    def leave(self, text: str) -> Callable[[], bool]:
        """Say goodbye; call what is given in every frame until it says that nobody waits for anything any more."""
        self.session.leave(text)

        def parted() -> bool:
            self.update()
            return self.session.reason is not None or not self.session.joined

        return parted

    def close(self) -> None:
        """End it at once."""
        self.session.close()
        if self._kept is not None:
            self._kept.close()
        if self.host is not None:
            self.host.close()

    def _enter(self) -> Session:
        plan, kept = self.plan, self._kept
        keeping: dict[str, Any] = {} if kept is None else {"ticket": kept.ticket, "keep": kept.keep}
        return open_session(
            self._server,
            plan.name,
            code=plan.code,
            watching=plan.way is Way.WATCH,
            per_move=plan.per_move,
            tls=plan.tls,
            **keeping,
        )


def plans_left() -> list[Plan]:
    """Give the games that a window was killed in, the newest first."""
    plans = list[Plan]()
    for about in left_behind():
        with contextlib.suppress(KeyError, TypeError, ValueError):
            server = str(about["host"]), int(about["port"])
            name, code, tls = str(about["name"]), str(about["code"]), about.get("tls") is True
            plans.append(Plan(Way[about["way"]], name, server, code, tls=tls))
    return plans


def own_address(port: int) -> str:
    """Give what a friend in the same network types to come here."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: it says by which of our addresses we would leave
        except OSError:
            return f"{LOCALHOST}:{port}"
        return f"{probe.getsockname()[0]}:{port}"
