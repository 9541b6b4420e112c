"""What a player's program begins with: `join` sits down at a table, `tables` lists those that can be joined."""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from netcode.address import Address, check_pair, read_address
from netcode.client import Client
from netcode.diagnostics.calls import explain_update, explains_arguments, keywords_of
from netcode.diagnostics.mistakes import hint
from netcode.diagnostics.vocabulary import SEAT
from netcode.errors import MessageTooLarge
from netcode.events import Left, Received
from netcode.limits import LimitOptions, Limits, check_number
from netcode.turns import protocol
from netcode.turns.errors import Unfit
from netcode.turns.language.clocks import Clock, clock_from, wire_clock
from netcode.turns.language.table_options import check_options
from netcode.turns.player.numbered import check_said
from netcode.turns.player.whereabouts import why_not
from netcode.turns.protocol import Join
from netcode.turns.reading import refuse_while_reading
from netcode.turns.seat import Seat
from netcode.turns.values import check_bounds, pack, plain

G = TypeVar("G")

_OF_LINKS = {*keywords_of(Client.__init__), *LimitOptions.__optional_keys__} - {"host", "port"}
hint(Seat, SEAT)
explain_update(Seat)


@explains_arguments("join", _OF_LINKS)
def join(  # noqa: PLR0917 - the order in which one thinks of them; the rest is by keyword
    address: Address | tuple[str, int],
    game: "type[G] | str",
    room: str | None = None,
    players: int | None = None,
    options: Mapping[str, Any] | None = None,
    watch: bool = False,
    ticket: str | None = None,
    name: str = "",
    *,
    legal: bool = True,
    patience: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    addresses: Iterable[Address | tuple[str, int] | str] = (),
    **link: Any,
) -> Seat[G]:
    """Sit down at a table, or watch one. It connects from here on; call `update()` once a frame.

    Usage::

        table = join(("localhost", 7777), TicTacToe, name="Ann")
        while True:
            table.update()
            for event in table.events(): ...

    Args:
        address: host and port of the server.
        game: the class, so that `view` is typed as it; or its name.
        room: a code that friends agreed on, in capitals or not, or `room` of an entry that `tables` gave. Without one we
            sit down wherever a seat is free at a table with these `players` and `options`, or found one.
        players: with how many the game begins; without it with the most, or when somebody seated says `start()`.
        options: what the game lets its founder choose, as its rules have it (`{"suit": Suit.HEARTS}`) or as it is sent
            (`{"suit": "HEARTS"}`); and `{"clock": Clock(per_move=30)}`, or None for none.
        watch: look on instead of playing.
        ticket: the key of our seat from an earlier run, instead of all others.
        name: what the others call us: 32 characters of it, and `Ann 2` where somebody at the table is Ann.
        legal: whether the server lists legal plays for us.
        clock: how to tell the time, for tests.
        patience: seconds for which our seat is looked for at a server that does not answer, also one that has yet to be
            started. Without it 120, and a server that has not taken us in yet is asked a few times at most.
        addresses: other places where the game is served, each as `address` or `"host:port"`: where several processes
            share the tables, any of them leads us to ours, also when one of them ends.
        link: everything else that `netcode.Client` takes: `tls`, `credentials`, limits.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
    """
    refuse_while_reading("join(…)")
    _check_pair("join", address, game)
    _check(patience, players, name)
    key = None if ticket is not None or watch else secrets.token_urlsafe(24)
    request = Join(_title(game), room, players, _chosen(options), watch, ticket, key, name[: protocol.MAX_NAME], legal)
    check_said(request)  # what the server would refuse is misuse, and told here
    _check_size(request, link.get("max_message", Limits().max_message))
    return Seat(address, game, request, patience=patience, clock=clock, options=link, addresses=addresses)


def _check_pair(call: str, address: Any, second: Any) -> None:
    """Raise for host and port that were given as two arguments, or in one text."""
    if isinstance(address, str):
        try:
            host, port = read_address(address, 7777)
        except ValueError:
            host, port = "localhost", 7777
        port = second if isinstance(second, int) else port
        raise TypeError(f"address must be (host, port), one pair, as in {call}(({host!r:.100}, {port}), …)")


def _check(patience: float | None, players: int | None, name: Any) -> None:
    if patience is not None:
        check_number("patience", patience, zero=True)
    if players is not None:
        check_number("players", players, whole=True, zero=True)
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, not {type(name).__name__}")


def _title(game: Any) -> str:
    if isinstance(game, str):
        return game
    if not isinstance(game, type) or not hasattr(game, "_definition"):
        raise TypeError(f"game must be the class of its rules, or its name, not {game!r:.100}")
    return game.__name__


def _chosen(options: Mapping[str, Any] | None) -> dict[str, Any]:
    if options is None:
        return {}
    check_options(options)
    return {name: _said(name, value) for name, value in options.items()}


def _said(name: str, value: Any) -> Any:
    """Return an option as plain wire data. Raises `TypeError` or `Unfit` for what no server would take."""
    try:
        said = wire_clock(value) if isinstance(value, Clock) else plain(value)
        check_bounds(said)
        if name == "clock":
            clock_from(said)
    except TypeError as error:
        raise TypeError(f"the option {name} has what cannot be sent: {error}") from error
    except (Unfit, RecursionError) as error:
        raise Unfit(f"the option {name} cannot be {value!r:.100}: {error}") from error
    return said


def _check_size(request: Join, most: Any) -> None:
    size = len(pack(request.wire()))
    if isinstance(most, int) and size > most:
        raise MessageTooLarge(size, most, most)


@explains_arguments("tables", _OF_LINKS)
def tables(
    address: Address | tuple[str, int], game: type[Any] | str | None = None, *, timeout: float = 5.0, **link: Any
) -> list[dict[str, Any]]:
    """Return the tables that anybody may join, 100 at most: each a dict of `room`, `game`, `players`, `options`, `names`.

    `players` are with how many the game may begin, and how many can sit; `options` have what nobody chose, too. A table
    that was founded with a room's code is not there. It blocks until the server has answered, `timeout` seconds at most.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
        OSError: the server cannot be reached, or did not answer; the text says why.
    """
    refuse_while_reading("tables(…)")
    _check_pair("tables", address, game)
    host, port = check_pair(address)
    check_number("timeout", timeout, zero=True)
    request = protocol.ListTables(None if game is None else _title(game))
    check_said(request)
    until = time.monotonic() + timeout
    with Client(host, port, game=protocol.GAME, version=protocol.VERSION, **link) as client:
        client.send(request.wire())
        while (left := until - time.monotonic()) > 0:
            client.update()
            for event in client.events():
                match event:
                    case Received(_, message):
                        reply = protocol.read_reply(message)
                        if isinstance(reply, protocol.Tables):
                            return [dict(table) for table in reply.tables]
                        if isinstance(reply, protocol.Refusal):
                            raise OSError(reply.text)
                    case Left(_, reason):
                        raise OSError(why_not(reason, Address(host, port)))
                    case _:
                        pass
            client.wait(left)
    raise OSError(f"{host}:{port} did not answer within {timeout:g} seconds")
