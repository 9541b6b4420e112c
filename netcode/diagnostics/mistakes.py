"""What was probably meant: hints for keywords and attributes that do not exist.

Attributes are hinted at by name, not through `__getattr__`: that would cost every attribute that does exist.
"""

import functools
import inspect
import sys
from abc import ABCMeta
from collections.abc import Callable, Iterable
from enum import Enum
from types import FunctionType, ModuleType
from typing import Any, NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_KEYWORDS = {
    "max_peers": "max_players max_clients max_connections max_users players",
    "max_message": "max_size max_message_size max_length buffer_size bufsize",
    "max_peers_per_address": "max_per_ip max_connections_per_ip",
    "credentials": "password token auth name username user login",
    "authenticate": "auth on_auth check_password password",
    "ping_interval": "heartbeat heartbeat_interval ping keepalive keep_alive",
    "timeout": "idle_timeout time_out timeout_seconds connect_timeout",
    "close_timeout": "shutdown_timeout",
    "tls": "ssl ssl_context context secure certfile",
    "web": "websocket websockets http browser html page",
    "messages": "message_type message_types schema types",
    "game": "name app app_name title",
    "version": "game_version app_version",
    "resume": "reconnect auto_reconnect retry",
    "grace": "reconnect_timeout grace_period",
    "patience": "wait retry_for retries wait_for_server connect_patience",
    "ticket": "session session_id resume_token reconnect_token seat",
    "host": "address addr ip hostname server",
}
_MEANT = [(name, other) for name, others in _KEYWORDS.items() for other in others.split()]

_ONLY = {
    "Client": "addresses credentials patience resume ticket",
    "Server": "announce authenticate grace max_peers max_peers_per_address max_pending status web",
}
"""What one of the two takes and the other does not."""

CALLBACKS = (
    "on on_connect on_connected on_join on_joined on_message on_receive on_received on_data on_event on_disconnect "
    "on_disconnected on_leave on_left on_close on_closed on_open on_error on_client_connected on_client_disconnected"
)
_NO_KEYWORDS = {
    "tickrate tick_rate tickrate_hz rate fps hz": "the rate is what its ticks() takes",
    CALLBACKS: "no callbacks: what happens comes as events()",
}

_INSTEAD = {
    "Snapshots": {
        "delay lag latency buffer interpolation_delay": "how late it is shown is what one asks for: "
        "snapshots.at(snapshots.now() - 0.1)",
    },
    "Overlay": {
        "color colour font background x y pos position": "it looks the same in every game; overlay.lines() is what it "
        "shows, for a game that draws by itself",
    },
    "join": {"host port": "host and port are one pair: join((host, port), game)"},
}
"""What to say of keywords that one of ours does otherwise."""

_CLOSE = 0.7
"""How alike a name must be, of 1.0, to be taken for a slip of the keys."""

_EVENTS = "events: for event in {}.events()"
_DATA = "what belongs to a player is yours to keep in peer.data"
_SAY = "peer.send(message)"

PEER = {
    "name nick nickname username user player score team color colour position pos x y ready health lives": _DATA,
    "ip host port addr remote_address": "the other end is at peer.address, with host and port",
    "disconnect kick drop quit leave stop shutdown": 'peer.close_nicely("why"), or peer.close() at once',
    "recv receive read message messages": "messages come as " + _EVENTS.format("server"),
    "ping latency lag": "the round-trip time in seconds is peer.rtt",
    "connected is_connected is_alive": "peer.alive until Left, and peer.away while its link is down",
    "peer_id player_id client_id uid uuid": "its number is peer.id",
    "emit write sendall send_json send_message": _SAY,
    "broadcast": "server.broadcast(message) goes to everybody",
    "update": "server.update() is for all of them",
    "redirect transfer send_to migrate": 'peer.move("play2.example.org:7777") sends a player to another server',
}
SERVER = {
    "send send_to send_all sendall emit": f"server.broadcast(message) goes to everybody, {_SAY} to one",
    "clients players connections users sessions": "the players are server.peers",
    "recv receive read message messages poll get_events event": "what happens comes as " + _EVENTS.format("server"),
    CALLBACKS: "no callbacks: " + _EVENTS.format("server"),
    "accept": "who comes is let in by update(), and told as a Joined event",
    "run start listen serve serve_forever loop mainloop tick": "for tick in server.ticks(30)",
    "disconnect kick": 'peer.close_nicely("why") for one, server.close_nicely("why") for all',
    "stop shutdown quit": 'server.close_nicely("why"), and go on updating until it is DISCONNECTED',
    "host port": "the server is at server.address, with host and port",
    "running is_running": "server.state is netcode.State.CONNECTED",
}
CLIENT = {
    "disconnect quit leave stop shutdown": 'client.close_nicely("why"), and go on updating until it is DISCONNECTED',
    "recv receive read message messages poll get_events event": "what happens comes as " + _EVENTS.format("client"),
    CALLBACKS: "no callbacks: " + _EVENTS.format("client"),
    "connect start": "it connects from its construction on, while client.update() is called once a frame; "
    "after Left it is over for good: make a new netcode.Client",
    "reconnect rejoin restart": "a broken link comes back by itself; after Left it is over for good: make a new "
    "netcode.Client",
    "run loop mainloop tick": "for tick in client.ticks(60)",
    "connected is_connected alive": "client.state is netcode.State.CONNECTED",
    "ping latency lag": "the round-trip time in seconds is client.rtt",
    "error": "why it is over is client.reason",
    "server": "the server is client.peer",
    "host port": "the server is at client.address, with host and port",
    "emit write sendall send_json send_message": "client.send(message)",
    "broadcast peers clients players": "a client knows its server alone: send it a message, and have it broadcast",
    "data name username": "the server's peer.data is where it keeps what it knows of a player: send it a message",
}
CONNECTION = {
    "recv read": "connection.receive(length), or connection.receive_all()",
    "write sendall": "connection.send(bytes)",
    "disconnect shutdown quit stop": "connection.close_nicely(), or connection.close() at once",
    "connected is_connected": "connection.state is netcode.State.CONNECTED",
    "address host port ip peer": "the other end is at connection.remote_address",
    "error": "why it is over is connection.reason",
    "events messages rtt": "a connection carries bytes; messages and events are what netcode.Client has",
}
SEAT = {
    "send emit write sendall send_json send_message broadcast": 'table.play("mark", cell=4) makes a move, and '
    "table.say(text) talks to the others",
    "chat talk": "table.say(text)",
    "move make_move do act": 'table.play("mark", cell=4), with the name of a move of the rules; table.legal has those '
    "that may be made",
    "board state game": "what we see of the game is table.view",
    "turn is_my_turn current_player": "table.my_turn, and table.to_move has the seats that are to move",
    "legal_moves moves actions": "table.legal",
    "winner winners": "table.result, once table.over",
    "quit disconnect close_nicely resign": "table.leave() gives the seat up; table.close() ends the link, and keeps it",
    "ticks run loop": "call table.update() once a frame, or table.wait() where nothing is drawn",
    "peer peers server": "the others are table.names; the server is at table.address",
    "id number_of_seat": "table.seat",
    CALLBACKS: "no callbacks: " + _EVENTS.format("table"),
}
NAMES = {
    "Connected Connect OnConnect Join Ready Welcome": "Joined",
    "Disconnected Disconnect Leave Closed Quit OnDisconnect": "Left",
    "Message Data Receive OnMessage Packet": "Received",
    "Lost ConnectionLost Dropped": "Away",
    "Reconnected Resumed Returned": "Back",
    "Host Listen": "Server",
}
"""What there is in the package, for names that others have for it."""
ENDING = {"text code error": "why it happened is event.reason, with its text and its code"}
EVENT = {
    "type kind name event event_type": "tell events apart with match: case netcode.Received(peer, message)",
    "client player sender source user connection id": "who it is about is event.peer",
    "data text msg payload content body": "what was sent is event.message, of a Received",
    "message": "only a Received has a message: case netcode.Received(peer, message)",
    "reason error": "only Left and Away have a reason: case netcode.Left(peer, reason)",
}


def unexpected(owner: str, name: str, known: Iterable[str]) -> str:
    """Return what to say of a keyword argument that `owner` does not take."""
    import difflib

    names = {*known}
    meant = [target for target, other in _MEANT if other == name.lower() and target in names]
    text = f"{owner}() got an unexpected keyword argument {name!r}"
    for other, theirs in _ONLY.items():
        if owner in _ONLY and other != owner and name in theirs.split():
            return f"{text}: {name} is an argument of {other}"
    for others, instead in _INSTEAD.get(owner, {}).items():
        if name in others.split():
            return f"{text}: {instead}"
    for others, instead in _NO_KEYWORDS.items():
        if owner in _ONLY and name in others.split():
            return f"{text}: {instead}"
    meant = meant or difflib.get_close_matches(name, names, 1, _CLOSE)
    return f"{text}; did you mean {meant[0]}?" if meant else text


def hint_package(package: ModuleType, below: Iterable[str]) -> None:
    """Have a package say which of its names was meant by one that it does not have.

    Args:
        below: modules in it that have to be imported by themselves.
    """
    below = frozenset(below)

    def missing(name: str) -> NoReturn:
        names = vars(package).get("__all__", ())  # none while it is being imported, which asks for its modules
        text = f"module {package.__name__!r} has no attribute {name!r}"
        if name in below:
            text += f" before it is imported: import {package.__name__}.{name}"
        elif names and not name.startswith("_"):
            meant = _meant_by(name, names)
            text += f"; did you mean {package.__name__}.{meant}?" if meant else ""
        raise AttributeError(text)

    setattr(package, "__getattr__", missing)  # noqa: B010 - where a checker saw it, it would believe in every name


def _meant_by(name: str, names: Iterable[str]) -> str | None:
    import difflib

    meant = [target for others, target in NAMES.items() if name.lower() in others.lower().split()]
    return next(iter(meant or difflib.get_close_matches(name, names, 1, _CLOSE)), None)


def keywords_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the arguments that `function` takes."""
    function = inspect.unwrap(function)
    assert isinstance(function, FunctionType)
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return tuple(name for name in names if name != "self")


def explains_keywords(owner: str, also: Iterable[str] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function say which argument was probably meant, before it asks for one that is missing.

    Args:
        also: what it takes as `**` something.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        known = frozenset({*keywords_of(function), *also})

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name not in known:
                    raise TypeError(unexpected(owner, name, known))
            return function(*args, **kwargs)

        return checked

    return wrap


class Hint:
    """Stands where an attribute is looked for that is not there, and says what to use."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self.text = text

    def __get__(self, instance: object, owner: type) -> Any:
        raise AttributeError(f"{owner.__name__!r} has no attribute {self._name!r}: {self.text}")


class FirmHint(Hint):
    """Also where it is set: for what takes no attributes of the game's own."""

    def __set__(self, instance: object, value: object) -> None:
        self.__get__(instance, type(instance))


class OwnHint(Hint):
    """Also where it is set on an object of the class itself: a class that inherits may have such an attribute."""

    def __init__(self, cls: type, name: str, text: str) -> None:
        super().__init__(name, text)
        self._cls = cls

    def __get__(self, instance: object, owner: type) -> Any:
        own: dict[str, Any] = {} if instance is None else vars(instance)
        return own[self._name] if self._name in own else super().__get__(instance, owner)

    def __set__(self, instance: object, value: object) -> None:
        if type(instance) is self._cls:
            super().__get__(instance, self._cls)
        vars(instance)[self._name] = value

    def __delete__(self, instance: object) -> None:
        self.__get__(instance, type(instance))
        del vars(instance)[self._name]


class Hinted(type):
    """A class whose hints are seen by nobody who looks at what there is: `dir()`, `help()`, completion."""

    def __dir__(cls) -> list[str]:
        hints = _hints_of(cls)
        return [name for name in super().__dir__() if name not in hints]


class HintedABC(Hinted, ABCMeta):
    """The same for an abstract class, of which nothing is an instance that only registered as one."""

    __instancecheck__ = type.__instancecheck__  # `wait` asks at each wake-up, and abstract classes answer slowly


def hint(cls: type, hints: dict[str, str], kind: type[Hint] = Hint) -> None:
    """Give hints for attributes that `cls` does not have: names, separated by blanks, and what to use for them."""
    for names, text in hints.items():
        for name in names.split():
            if not hasattr(cls, name):
                setattr(cls, name, kind(name, text))
    setattr(cls, "__dir__", _dir_without_hints)  # noqa: B010 - it is no method for a type checker
    if "close" in vars(cls) and "close_nicely" in vars(cls):
        setattr(cls, "close", _without_words(cls, vars(cls)["close"]))  # noqa: B010 - as above


def _without_words(cls: type, close: Callable[[Any], None]) -> Callable[..., None]:
    """Make a `close` that is given a goodbye say who takes that."""
    if hasattr(close, "__wrapped__"):
        return close

    @functools.wraps(close)
    def checked(self: Any, *words: Any, **named: Any) -> None:
        if words or named:
            word = [*words, *named.values()][0]
            raise TypeError(
                f"{cls.__name__}.close() takes no words: close_nicely({word!r:.100}) says them, and then ends"
            )
        close(self)

    return checked


def hint_unmade(cls: type) -> None:
    """Say where a class that inherits forgot to make what it inherits.

    Only of what `update()` and `events()` look at first: what has a hint is found more slowly.
    """
    text = "it was not made: the __init__ of a class of yours has to call super().__init__(...) first"
    hint(cls, dict.fromkeys(("_engine", "_attendance"), text))


def refuse_later(cls: type, *arguments: str) -> None:
    """Refuse to set on an object what its class takes when it is made, and callbacks: nothing would look at either."""
    for name in (*arguments, *CALLBACKS.split()):
        found = vars(cls).get(name)
        if isinstance(found, Hint):
            setattr(cls, name, OwnHint(cls, name, found.text))
        elif name in arguments and not hasattr(cls, name):
            text = f"it is given when it is made, as in {cls.__name__}(..., {name}=...), and stays as it was then"
            setattr(cls, name, OwnHint(cls, name, text))


def tell_from_classes(where: str, *events: type) -> None:
    """Say what was meant where an event is compared with a class of events, as in `case netcode.Joined:`."""
    for event in events:
        equal: Any = event.__eq__
        setattr(event, "__eq__", _never_a_class(where, equal, events))  # noqa: B010 - as above


def _never_a_class(
    where: str, equal: Callable[[Any, object], bool], events: tuple[type, ...]
) -> Callable[[Any, object], bool]:
    def same(self: Any, other: object) -> bool:
        if isinstance(other, type) and other in events:
            name, parts = f"{where}.{other.__name__}", ", ".join(getattr(other, "__match_args__", ()))
            raise TypeError(
                f"an event is never equal to a class: write `case {name}({parts}):` or `isinstance(event, {name})`"
            )
        return equal(self, other)

    return same


def tell_from_names(where: str, kind: type[Enum]) -> None:
    """Say what was meant where a member of `kind` is compared with its own name or value, as in `state == "connected"`."""
    texts = {one.name: one.name for one in kind}

    def same(self: Any, other: object) -> bool:
        if isinstance(other, str) and other.upper() in texts:
            raise TypeError(
                f"a {kind.__name__} is never equal to a str: write `{where}.{texts[other.upper()]}`, not {other!r}"
            )
        return True if self is other else NotImplemented  # a Reason has its own to say

    setattr(kind, "__eq__", same)  # noqa: B010 - as above
    # Not that of its name: where both are keys of a dict they must not meet.
    setattr(kind, "__hash__", object.__hash__)  # noqa: B010


def _hints_of(cls: type) -> set[str]:
    return {name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, Hint)}


def _dir_without_hints(self: object) -> list[str]:
    hints = _hints_of(type(self))
    return [name for name in object.__dir__(self) if name not in hints]


hint_package(sys.modules["netcode"], ("agones", "metrics", "pygame", "testing", "turns"))
