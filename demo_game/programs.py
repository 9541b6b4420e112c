"""The programs that need no window: the dedicated server, the bot, the spectator in a terminal."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import netcode
from demo_game.bot import Bot
from demo_game.messages import Over
from demo_game.server import GameServer
from demo_game.session import Session
from demo_game.settings import GAME, PING_INTERVAL
from demo_game.stopping import StopRequests
from demo_game.terminal import Narrator, draw_seas

WAIT = 0.05
"""Seconds between looks at the clock and at requests to stop, when the network is quiet."""

GOODBYE_TIME = 2.0
"""Seconds that a goodbye may take to go out."""

FRIENDLY = {netcode.ReasonCode.CLOSED, netcode.ReasonCode.GOODBYE, netcode.ReasonCode.SHUTDOWN}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What the command line says about a server."""

    host: str
    port: int
    timeout: float
    grace: float
    max_players: int
    version: str


def serve(options: ServerOptions, *, leash: bool = False, quiet: bool = False) -> int:
    """Run a dedicated server until it is told to stop; the exit status is 1 if it cannot listen."""
    with StopRequests(leash=leash) as stops:
        try:
            server = netcode.Server(
                options.host,
                options.port,
                game=GAME,
                version=options.version,
                max_peers=options.max_players,
                timeout=options.timeout,
                grace=options.grace,
                ping_interval=PING_INTERVAL,
            )
        except (OSError, ValueError) as error:
            netcode.say((isinstance(error, OSError) and error.strerror) or error)
            return 1
        with server:
            netcode.say(f"listening on {server.address}")
            GameServer(server, Random(), timeout=options.timeout, report=_say_nothing if quiet else _say).run(stops)
    return 0


def run_bot(session: Session, *, pace: float, games: int, leash: bool = False, quiet: bool = False) -> int:
    """Let a bot play over the session until it has played its games, or the link ends."""
    say = _say_nothing if quiet else _say
    narrator = Narrator()
    bot = Bot(session, Random(), clock=time.monotonic, pace=pace, games=games)
    with StopRequests(leash=leash) as stops:
        while session.reason is None and not bot.done and not stops():
            session.wait(WAIT)
            for news in session.update():
                say(narrator.tell(news))
            bot.update()
    return part(session, "thank you for the game")


def watch_in_terminal(session: Session, *, games: int = 0, check: Callable[[], None] = lambda: None) -> int:
    """Tell the games move by move until so many are over (0: until the link ends); `check` may raise to break off."""
    left = games or None
    narrator = Narrator()
    with StopRequests() as stops:
        while session.reason is None and left != 0 and not stops():
            session.wait(WAIT)
            for news in session.update():
                _say(narrator.tell(news))
                if isinstance(news, Over):
                    for line in draw_seas(narrator.view).splitlines():
                        _say(line)
                    session.again()
                    left = None if left is None else left - 1
            check()
    return part(session, "enough seen")


def part(session: Session, text: str) -> int:
    """End the session with a goodbye, or say why it has ended; the exit status is 0 if that was somebody's wish."""
    reason = session.reason
    if reason is None:
        _say_goodbye(session, text)
    session.close()
    if reason is None:
        return 0
    _say(str(reason))
    return 0 if reason.code in FRIENDLY else 1


def _say_goodbye(session: Session, text: str) -> None:
    session.leave(text)
    deadline = time.monotonic() + GOODBYE_TIME
    while session.reason is None and time.monotonic() < deadline:
        session.wait(WAIT)
        session.update()


def _say(line: str | None) -> None:
    if line is not None:
        netcode.say(line)


def _say_nothing(_line: str | None) -> None:
    pass
