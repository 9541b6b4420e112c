"""The command that serves a game: its limits and certificate, and where its numbers are told."""

import argparse
import contextlib
import shlex
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from netcode.address import Address
from netcode.certificate import Certificate
from netcode.console import sentence_of
from netcode.limits import MAX_PEERS
from netcode.reasons import advice_on_listening
from netcode.tools.descriptors import raise_descriptor_limit
from netcode.turns.store.opening import MEMORY, name_of
from netcode.turns.terminal.arguments import place_of
from netcode.turns.terminal.game_file import Trouble, load_game, path_of
from netcode.turns.terminal.screen import Screen

if TYPE_CHECKING:
    from netcode.turns.server import Server

SPARE = 50
"""Descriptors that a server needs beside those of its players: without one for its database it stores nothing more."""


def run_serve(arguments: argparse.Namespace, screen: Screen) -> int:
    """Serve tables."""
    from netcode.turns.server import Server, serve

    game = load_game(arguments.game)
    beside = path_of(arguments.game).with_suffix(".db")
    store = None if arguments.store in MEMORY else beside if arguments.store is None else arguments.store
    numbers = None if arguments.metrics is None else place_of(arguments.metrics)
    most, narrow = _make_room(arguments.peers or MAX_PEERS)
    told = contextlib.ExitStack()
    serving: list[Server] = []

    def started(server: Server) -> None:
        serving.append(server)
        if numbers is not None:
            where = told.enter_context(_numbers_of(server, numbers))
            screen.line(f"its numbers are at http://{where}/metrics")
        if narrow:
            screen.line(narrow)
        kept = "memory alone" if store is None else name_of(store)
        screen.line(f"{game.__name__} is served on port {server.address.port}, and kept in {kept}; Ctrl-C ends")
        if arguments.address is not None or arguments.tls is None:  # a certificate is for a name, which we do not know
            screen.line(_invitation(arguments, server.address))

    with told:
        options = {
            "announce": arguments.announce,
            "address": arguments.address,
            "web": arguments.web or None,
            **_limits_of(arguments),
            **({"max_peers": most} if narrow else {}),
        }
        serve(game, host=arguments.host, port=arguments.port, store=store, started=started, **options)
    if serving and serving[0].trouble:
        screen.line(f"the last moves are not stored, and nobody was told that they count: {serving[0].trouble}")
        return 1
    if store is None:
        screen.line("the tables are gone: they were in memory alone")
    else:
        screen.line("the tables are stored; start again, and the games go on")
    return 0


def _invitation(arguments: argparse.Namespace, address: Address) -> str:
    """Say what others type to sit down."""
    from netcode.turns.serving.browsers import reachable

    where = str(reachable(address)) if arguments.address is None else arguments.address
    tls = "" if arguments.tls is None else " --tls"
    return f"to sit down: python -m netcode.turns play {shlex.quote(arguments.game)} --at {where}{tls}"


def _make_room(peers: int) -> tuple[int, str]:
    """Allow a descriptor for each player; return for how many there are enough, and what to say if those are fewer."""
    allowed = raise_descriptor_limit()
    if allowed >= peers + SPARE:
        return peers, ""
    most = max(1, int(allowed) - SPARE)
    return most, (
        f"{allowed} open files are too few for {peers} people, so {most} are let in: raise LimitNOFILE, ulimit -n, "
        f"or say --peers {most}"
    )


def _limits_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the links of a server are told.

    Raises:
        Trouble: a certificate cannot be used.
    """
    options: dict[str, Any] = {}
    if arguments.peers is not None:  # who stands behind a proxy comes from its address
        options = {"max_peers": arguments.peers, "max_peers_per_address": arguments.peers}
    if arguments.ping is not None:
        options.update(ping_interval=arguments.ping, timeout=max(10.0, 3 * arguments.ping))
    if arguments.tls is not None:
        try:
            options["tls"] = Certificate(*arguments.tls)
        except (OSError, ValueError) as error:
            raise Trouble(sentence_of(error)) from error
    return options


@contextlib.contextmanager
def _numbers_of(server: "Server", place: tuple[str, int]) -> Generator[Address]:
    """Tell the numbers of a server to Prometheus, and yield where."""
    from netcode.metrics import observe  # isort: skip # it says what to install, where that is not
    from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)  # when it was started is all that tells later of one that lost its tables
    observe(server, registry)
    host, port = place
    try:
        web, _ = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        text = advice_on_listening(error, host, port)
        raise Trouble(f"cannot tell numbers on {Address(host, port)}: {text}") from error
    try:
        yield Address(host, web.server_port)
    finally:
        web.shutdown()
        web.server_close()
