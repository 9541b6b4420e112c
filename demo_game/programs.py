"""The programs that need no window: a bot or a spectator in the terminal, two bots to look at."""

import contextlib
import time
from collections.abc import Callable
from random import Random

import netcode
from demo_game.bot import Bot
from demo_game.hosting import LOCALHOST, TERMS, Host
from demo_game.rules import Broadside
from demo_game.session import Session, open_session
from demo_game.terminal import Narrator, draw_seas
from demo_game.wording import ended
from netcode.turns import Over, Server

WAIT = 0.05
"""Seconds between looks at the clock when the network is quiet."""
GOODBYE_TIME = 2.0
"""Seconds that a goodbye may take to go out."""
FRIENDLY = {netcode.ReasonCode.CLOSED, netcode.ReasonCode.GOODBYE, netcode.ReasonCode.SHUTDOWN}


def run_bot(session: Session, pace: float, games: int = 0) -> int:
    """Let a bot play in the terminal until so many games are over (0: until there is no table any more)."""
    bot = Bot(session, Random(), pace=pace)
    return _run(session, games, WAIT, bot.update, "thank you for the game")


def watch_in_terminal(
    session: Session, games: int = 0, *, wait: float = WAIT, tend: Callable[[], None] = lambda: None
) -> int:
    """Look on until so many games are over; `tend` is for whoever has more to look after, every `wait` seconds."""

    def move_on() -> None:
        if "left" in {side.presence for side in session.view.sides}:
            session.another()

    return _run(session, games, wait, move_on, "enough seen", tend=tend)


def show_two_bots(pace: float) -> int:
    """Let two bots play one game over real sockets and tell it move by move."""
    host = Host(Server(Broadside, host=LOCALHOST, port=0, **TERMS), pace)
    host.add_bot()
    session = open_session((LOCALHOST, host.port), "Spectator", watching=True)

    def tend() -> None:
        host.update()
        if session.joined and len(host.bots) == 1:
            host.add_bot()

    try:
        return watch_in_terminal(session, 1, wait=0.002, tend=tend)
    finally:
        host.close()


def _run(
    session: Session,
    games: int,
    wait: float,
    act: Callable[[], None],
    goodbye: str,
    *,
    tend: Callable[[], None] = lambda: None,
) -> int:
    narrator, left, sat, frozen = Narrator(), games or -1, False, ""
    with contextlib.suppress(KeyboardInterrupt):
        while session.reason is None and left:
            session.table.wait(wait)
            heard = session.update()
            if session.joined and not sat:
                sat = True
                netcode.say("at a table")
            if session.table.frozen != frozen:
                frozen = session.table.frozen
                netcode.say(frozen or "the game goes on")
            for line in narrator.tell(session.view, heard, session.table.trouble):
                netcode.say(line)
            if any(isinstance(event, Over) for event in heard):
                left -= 1
                for line in draw_seas(session.view).splitlines():
                    netcode.say(line)
            act()
            tend()
    return _part(session, goodbye, tend)


def _part(session: Session, text: str, tend: Callable[[], None]) -> int:
    """Leave with a goodbye, or say why it is over; the exit status is 0 if that was somebody's wish."""
    reason = session.reason
    if reason is None:
        session.leave(text)
        deadline = time.monotonic() + GOODBYE_TIME
        while session.reason is None and time.monotonic() < deadline:  # also over a link that the signal broke off
            session.table.wait(WAIT)
            session.update()
            tend()
    else:
        netcode.say(ended(reason.text))
    session.close()
    return 0 if reason is None or reason.code in FRIENDLY else 1
