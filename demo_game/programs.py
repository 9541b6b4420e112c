"""The programs that need no window: the dedicated server, a bot or a spectator in the terminal, two bots to look at."""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import netcode
from demo_game.bot import Bot
from demo_game.hosting import LOCALHOST, TERMS, Host
from demo_game.rules import Broadside
from demo_game.session import Session, open_session
from demo_game.terminal import Narrator, draw_seas
from demo_game.wording import ended
from netcode.turns import Over, Unavailable
from netcode.turns import serve as serve_tables

WAIT = 0.05
"""Seconds between looks at the clock when the network is quiet."""
GOODBYE_TIME = 2.0
"""Seconds that a goodbye may take to go out."""
FRIENDLY = {netcode.ReasonCode.CLOSED, netcode.ReasonCode.GOODBYE, netcode.ReasonCode.SHUTDOWN}


PAGE = Path(__file__).parent / "page"


def serve(host: str, port: int, *, store: Path | None, grace: float, web: bool = False, **terms: float) -> int:
    """Run a dedicated server until it is told to stop; the exit status is 1 if it cannot listen.

    With `web` browsers play, too, on the page in `demo_game/page`.
    """
    Broadside.grace = grace
    files = {name: PAGE / name for name in ("broadside.css", "broadside.js")}
    try:
        serve_tables(
            Broadside,
            host=host,
            port=port,
            store=store,
            started=lambda server: netcode.say(f"listening on {server.address}"),
            web=netcode.Web(page=PAGE / "broadside.html", files=files) if web else None,
            **{**TERMS, **terms},
        )
    except (OSError, ValueError, Unavailable) as error:
        netcode.say((isinstance(error, OSError) and error.strerror) or error)
        return 1
    return 0


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
        tend()

    return _run(session, games, wait, move_on, "enough seen")


def show_two_bots(pace: float) -> int:
    """Let two bots play one game over real sockets and tell it move by move."""
    host = Host(pace=pace)
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


def _run(session: Session, games: int, wait: float, act: Callable[[], None], goodbye: str) -> int:
    narrator, left, sat = Narrator(), games or -1, False
    try:
        while session.reason is None and left:
            session.table.wait(wait)
            heard = session.update()
            if session.joined and not sat:
                sat = True
                netcode.say("at a table")
            for line in narrator.tell(session.view, heard):
                netcode.say(line)
            if any(isinstance(event, Over) for event in heard):
                left -= 1
                for line in draw_seas(session.view).splitlines():
                    netcode.say(line)
            act()
    except KeyboardInterrupt:
        pass
    return part(session, goodbye)


def part(session: Session, text: str) -> int:
    """Leave with a goodbye, or say why it is over; the exit status is 0 if that was somebody's wish."""
    reason = session.reason
    if reason is None:
        session.leave(text)
        deadline = time.monotonic() + GOODBYE_TIME
        while session.reason is None and time.monotonic() < deadline:  # also over a link that the signal broke off
            session.table.wait(WAIT)
            session.update()
    else:
        netcode.say(ended(reason.text))
    session.close()
    return 0 if reason is None or reason.code in FRIENDLY else 1
