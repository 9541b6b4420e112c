"""What beginners give to calls, and forget to give: each reads what to write."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from scene import Scene, only

import netcode
from netcode import turns
from netcode.diagnostics.calls import explains_arguments, unexpected

SERVER, CLIENT = (netcode.Server, "", 0), (netcode.Client, "localhost", 1)


@pytest.mark.fault(72, "memory")
@pytest.mark.parametrize(
    ("call", "wrong", "message"),
    [
        (SERVER, "max_player", "Server() got … 'max_player'; did you mean max_peers?"),
        (SERVER, "max_clients", "Server() got … 'max_clients'; did you mean max_peers?"),
        (SERVER, "ssl", "Server() got … 'ssl'; did you mean tls?"),
        (SERVER, "password", "Server() got … 'password'; did you mean authenticate?"),
        (CLIENT, "password", "Client() got … 'password'; did you mean credentials?"),
        (CLIENT, "pingInterval", "Client() got … 'pingInterval'; did you mean ping_interval?"),
        (CLIENT, "heartbeat", "Client() got … 'heartbeat'; did you mean ping_interval?"),
        (CLIENT, "reconnect", "Client() got … 'reconnect'; did you mean resume?"),
        (CLIENT, "retries", "Client() got … 'retries'; did you mean patience?"),
        (CLIENT, "session_id", "Client() got … 'session_id'; did you mean ticket?"),
        (CLIENT, "colour", "Client() got … 'colour'"),
        (CLIENT, "grace", "Client() got … 'grace': grace is an argument of Server"),
        (SERVER, "patience", "Server() got … 'patience': patience is an argument of Client"),
        (SERVER, "tick_rate", "Server() got … 'tick_rate': the rate is what its ticks() takes"),
        (CLIENT, "on_message", "Client() got … 'on_message': no callbacks: what happens comes as events()"),
        (
            (netcode.Snapshots, 20),
            "delay",
            "Snapshots() got … 'delay': how late it is shown is what one asks for: snapshots.at(snapshots.now() - 0.1)",
        ),
        ((netcode.Snapshots, 20), "maxgap", "Snapshots() got … 'maxgap'; did you mean max_gap?"),
        ((turns.join, ("localhost", 1), "Pig"), "nmae", "join() got … 'nmae'; did you mean name?"),
        ((turns.join, ("localhost", 1), "Pig"), "password", "join() got … 'password'; did you mean credentials?"),
        ((turns.join,), "port", "join() got … 'port': host and port are one pair: join((host, port), game)"),
        ((turns.tables, ("localhost", 1)), "timeuot", "tables() got … 'timeuot'; did you mean timeout?"),
        ((netcode.Client,), "ip", "Client() got … 'ip'; did you mean host?"),
        ((netcode.Server,), "max_player", "Server() got … 'max_player'; did you mean max_peers?"),
        ((netcode.connect, "localhost", 1), "time_out", "connect() got … 'time_out'; did you mean timeout?"),
        ((netcode.custom,), "inptu", "custom() got … 'inptu'; did you mean input?"),
        ((netcode.Listener, ""), "prot", "Listener() got … 'prot'; did you mean port?"),
        ((netcode.Listener,), "address", "Listener() got … 'address'; did you mean host?"),
    ],
)
def test_a_keyword_that_does_not_exist_reads_which_one_was_meant(call: Any, wrong: str, message: str) -> None:
    function, *arguments = call
    pattern = re.escape(message).replace("…", "an unexpected keyword argument")

    with pytest.raises(TypeError, match=f"^{pattern}$"):
        function(*arguments, **{wrong: 1})


def test_of_a_keyword_that_was_pasted_only_its_beginning_is_said() -> None:
    pasted: Any = {"x" * 100_000: 1}
    with pytest.raises(TypeError) as refused:
        netcode.Server("", 7777, **pasted)

    assert len(str(refused.value)) < 200


def test_no_hint_leads_to_a_keyword_that_its_owner_does_not_take() -> None:
    assert unexpected("f", "max_players", ["port"]) == "f() got an unexpected keyword argument 'max_players'"


def test_what_explains_its_keywords_is_called_as_before() -> None:
    @explains_arguments("f")
    def f(one: int, *, two: int = 2) -> int:
        """Add."""
        total = one + two
        assert total > two
        return total

    assert (f(1), f(one=1, two=3), f.__doc__) == (3, 4, "Add.")
    assert list(inspect.signature(f).parameters) == ["one", "two"]
    with pytest.raises(TypeError, match=r"f\(\) got an unexpected keyword argument 'total'"):
        f(1, total=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@pytest.fixture
def things() -> Iterator[dict[str, Any]]:
    """Give one of each thing that is closed."""
    scene = Scene()
    server, client, connection = scene.serve(), scene.join(), netcode.custom()
    yield {"server": server, "client": client, "peer": only(server), "connection": connection}
    connection.close()
    scene.close()


@pytest.mark.parametrize("thing", ["client", "server", "peer", "connection"])
def test_a_close_that_is_given_words_says_who_takes_them(things: dict[str, Any], thing: str) -> None:
    kind: Any = things[thing].__class__
    says = rf"^{kind.__name__}\.close\(\) takes no words: close_nicely\('bye'\) says them, and then ends$"
    for arguments, named in ((("bye",), {}), ((), {"text": "bye"})):
        with pytest.raises(TypeError, match=says):
            things[thing].close(*arguments, **named)

    assert things[thing].close() is None
    assert [*inspect.signature(kind.close).parameters] == ["self"]


@pytest.mark.fault(72, "memory")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        ((netcode.Server,), 'Server() needs host and port, as in Server("", 7777): there is no host and no port'),
        ((netcode.Server, "localhost"), 'Server() needs host and port, as in Server("", 7777): there is no port'),
        ((netcode.Listener, ""), 'Listener() needs host and port, as in Listener("", 7777): there is no port'),
        (
            (netcode.sync.connect,),
            'sync.connect() needs host and port, as in sync.connect("localhost", 7777): there is no host and no port',
        ),
        ((netcode.Snapshots,), "Snapshots() needs rate, as in Snapshots(20): there is no rate"),
        (
            (netcode.Server, "", 7777, "chess"),
            "Server() takes host and port by place, and others by name: write name=value for 'chess'",
        ),
        (
            (netcode.Client, "localhost", 7777, "chess"),
            "Client() takes host and port by place, and others by name: write name=value for 'chess'",
        ),
        (
            (turns.join, ("localhost", 7777)),
            'join() needs address and game, as in join(("localhost", 7777), "Pig"): there is no game',
        ),
    ],
)
def test_what_is_missing_or_too_much_reads_how_it_is_called(call: Any, message: str) -> None:
    function, *arguments = call

    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        function(*arguments)


@pytest.mark.fault(72, "memory")
@pytest.mark.parametrize(
    "function", [netcode.Server, netcode.Client, netcode.connect, netcode.sync.connect, netcode.Listener]
)
@pytest.mark.parametrize(
    ("host", "says"),
    [
        (5000, 'host must be a str, not int: the port comes after the host, as in "localhost", 5000'),
        (("a", 5000), "host must be a str, not tuple: host and port are two arguments, as in Client(*address)"),
        ("a:5000", "host must be without the port, which is the next argument: 'a', 5000, not 'a:5000'"),
    ],
)
def test_a_place_that_is_given_as_one_argument_reads_that_it_is_two(function: Any, host: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(says)}$"):
        function(host)
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(says)}$"):
        function(host, "localhost")


def test_what_takes_names_alone_and_has_no_example_says_what_there_is_to_say() -> None:
    @explains_arguments("f")
    def f(*, one: int = 1) -> int:
        return one

    @explains_arguments("g")
    def g(one: int, two: int) -> int:
        return one + two

    wrong: Any = (f, g)
    assert (f(one=2), g(1, two=2)) == (2, 3)
    with pytest.raises(TypeError, match=r"^f\(\) takes arguments by name alone: write name=value for 5$"):
        wrong[0](5)
    with pytest.raises(TypeError, match=r"^g\(\) needs one and two: there is no one$"):
        wrong[1](two=5)


UPDATED = (
    netcode.Server,
    netcode.Client,
    netcode.Connection,
    netcode.ConnectionSet,
    netcode.Discovery,
    turns.Seat,
    turns.Server,
)


@pytest.mark.fault(72, "memory")
@pytest.mark.parametrize("kind", UPDATED)
def test_an_update_that_is_given_the_time_says_that_it_has_a_clock(kind: Any) -> None:
    one = kind.__new__(kind)

    says = rf"^{kind.__name__}\.update\(\) takes no time, it has a clock of its own: leave out 0\.016$"
    with pytest.raises(TypeError, match=says):
        one.update(0.016)
    with pytest.raises(TypeError, match=says):
        one.update(dt=0.016)
    with pytest.raises(
        TypeError, match=rf"^{kind.__name__} is a class: make one, keep it, and call update\(\) on that$"
    ):
        kind.update()
    assert [*inspect.signature(kind.update).parameters] == ["self"]


def test_an_update_without_time_is_one(things: dict[str, Any]) -> None:
    assert [thing.update() for name, thing in things.items() if name != "peer"] == [None] * 3
