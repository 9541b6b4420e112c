"""`python -m demo_game` alone: a server and a bot of its own, and a window, or without a display a game between two bots."""

from collections.abc import Callable
from contextlib import closing

import netcode
from demo_game.processes import HOST, ChildFailedError, Children
from demo_game.programs import watch_in_terminal
from demo_game.session import open_session

BOT_NAME = "Blackbeard"
OTHER_BOT_NAME = "Anne Bonny"


def play_against_bot(play: Callable[[str, int, Callable[[], None]], int], pace: float) -> int:
    """Start a server and a bot, let `play` run with their host and port, and end them with it.

    `play` is also given what to call in every frame, so that there is an opponent again when the bot has died.
    """
    try:
        with Children() as children:
            port = children.start_server()
            children.start_bot(port, "--name", BOT_NAME, "--pace", str(pace))
            return play(HOST, port, children.tend)
    except ChildFailedError as error:
        netcode.say(error)
        return 1


def show_two_bots(pace: float) -> int:
    """Let two bots play one game over real sockets and tell it move by move; the exit status is 0 if it had a winner."""
    try:
        with Children() as children:
            port = children.start_server()
            # Closed before the server is asked to end, or the server would wait for our goodbye.
            with closing(open_session(HOST, port, "Spectator", watching=True)) as session:
                for name in (BOT_NAME, OTHER_BOT_NAME):
                    children.start_bot(port, "--name", name, "--pace", str(pace), "--games", "1")
                return watch_in_terminal(session, games=1, check=children.check)
    except ChildFailedError as error:
        netcode.say(error)
        return 1
