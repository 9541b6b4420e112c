"""What a game says of those who come."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import pytest
from faults.wire import BYE, hello, token_of
from inside import (
    peer_of,
)
from scene import TICK, Scene, only

from netcode import (
    Address,
    Elsewhere,
    Left,
    Reason,
    ReasonCode,
    Refusal,
    State,
)
from netcode.admission import DENIED, judge
from netcode.errors import ProtocolError

# Credentials.


def always(answer: Any) -> Callable[[Any, Address], Any]:
    """Return an `authenticate` that gives everybody the same answer."""

    def authenticate(credentials: Any, address: Address) -> Any:
        return answer

    return authenticate


def test_what_authenticate_returns_is_the_data_of_the_peer(scene: Scene) -> None:
    seen: list[Any] = []

    def authenticate(credentials: Any, address: Address) -> Any:
        seen.append((credentials, address))
        return {"name": credentials}

    server = scene.serve(authenticate=authenticate)
    scene.join(credentials="Ann")

    assert seen == [("Ann", only(server).address)]
    assert only(server).data == {"name": "Ann"}


@pytest.mark.parametrize(
    ("answer", "text"),
    [(Refusal("you are banned"), "you are banned"), (False, DENIED), (Refusal(" "), DENIED)],
)
def test_who_is_refused_reads_why(scene: Scene, answer: Any, text: str) -> None:
    server = scene.serve(authenticate=always(answer))
    client = scene.client(credentials="x")

    scene.until(lambda: client.state is State.DISCONNECTED)
    scene.play(TICK)

    assert scene.told[client] == [Left(peer_of(client), Reason(ReasonCode.DENIED, text))]
    assert scene.told[server] == []
    assert server.peers == ()


def test_what_cannot_be_called_opens_no_server(scene: Scene) -> None:
    with pytest.raises(TypeError, match="authenticate must be a function of credentials and an address, not int"):
        scene.serve(authenticate=cast("Any", 5))


def test_a_refusal_that_is_no_text_keeps_out_all_the_same(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    number: Any = 5

    def authenticate(credentials: Any, address: Address) -> Any:
        return Refusal(number)

    server = scene.serve(authenticate=authenticate)
    client = scene.client()

    scene.play(1.0)

    assert "TypeError: text must be a str, not int" in caplog.text
    assert scene.left(client) == Reason(ReasonCode.DENIED, "the server failed while it let you in")
    assert server.state is State.CONNECTED
    assert Refusal("no") == Refusal("no") != Refusal("never")


def test_a_forgotten_return_lets_nobody_in_and_is_told(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    server = scene.serve(authenticate=always(None))
    client = scene.client()

    scene.until(lambda: client.state is State.DISCONNECTED)

    assert scene.left(client) == Reason(ReasonCode.DENIED, "the server does not accept these credentials")
    assert (server.peers, scene.told[server]) == ((), [])
    assert "returned None for 127.0.0.1" in caplog.text
    assert "return what becomes peer.data, or True" in caplog.text


def test_a_slip_about_somebody_who_is_gone_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    for tell in (False, True):
        with pytest.raises(ProtocolError) as caught:
            judge(None, Address("1.2.3.4", 5), tell=tell)

        assert caught.value.reason.code is ReasonCode.DENIED
        assert bool(caplog.text) is tell


async def _async() -> bool:
    return True


def _yielding() -> Iterator[bool]:
    yield True


async def _both() -> AsyncIterator[bool]:
    yield True


@pytest.mark.fault(74, "memory")
@pytest.mark.parametrize(
    ("make", "called"),
    [
        (_async, "a thing of type coroutine"),
        (_yielding, "a thing of type generator"),
        (_both, "a thing of type async_generator"),
        (lambda: Refusal, "the class Refusal"),
        (lambda: NotImplemented, "a thing of type NotImplementedType"),
        (lambda: ValueError("no"), "a thing of type ValueError"),
        (lambda: PermissionError, "the class PermissionError"),
    ],
)
def test_what_decides_nothing_lets_nobody_in_and_is_told(
    scene: Scene, make: Callable[[], Any], called: str, caplog: pytest.LogCaptureFixture
) -> None:
    def authenticate(credentials: Any, address: Address) -> Any:
        return make()

    server = scene.serve(authenticate=authenticate)
    client = scene.client()

    scene.until(lambda: client.state is State.DISCONNECTED)
    scene.play(TICK)

    assert scene.left(client) == Reason(ReasonCode.DENIED, "the server does not accept these credentials")
    assert (scene.told[server], server.peers) == ([], ())
    assert f"authenticate returned {called} for " in caplog.text


@pytest.mark.parametrize("answer", [0, "", True])
def test_everything_else_lets_in(scene: Scene, answer: Any) -> None:
    server = scene.serve(authenticate=always(answer))

    scene.join()

    assert only(server).data is answer


@pytest.mark.fault(74, "memory")
@pytest.mark.parametrize("error", [KeyError("boom"), AssertionError("boom"), KeyboardInterrupt("boom")])
def test_an_error_in_authenticate_refuses_one_and_the_server_goes_on(
    scene: Scene, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    def authenticate(credentials: Any, address: Address) -> bool:
        if credentials == "boom":
            raise error
        return True

    server = scene.serve(authenticate=authenticate)
    good = scene.join(credentials="fine")
    scene.frozen.add(server)
    bad = scene.client(credentials="boom")
    later = scene.client(credentials="fine")
    scene.play(5 * TICK)

    def update_often() -> None:
        for _ in range(5):
            server.update()

    if isinstance(error, Exception):
        update_often()
        assert "authenticate failed for 127.0.0.1" in caplog.text
        assert f"    {type(error).__name__}" in caplog.text
    else:
        with pytest.raises(KeyboardInterrupt, match="boom"):  # Ctrl-C is not the stranger's doing
            update_often()
    scene.frozen.clear()
    scene.play(5 * TICK)

    assert scene.left(bad) == Reason(ReasonCode.DENIED, "the server failed while it let you in")
    assert (good.state, later.state) == (State.CONNECTED, State.CONNECTED)
    assert len(server.peers) == 2


@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_a_server_may_be_closed_from_within_authenticate(scene: Scene, how: str) -> None:
    def authenticate(credentials: Any, address: Address) -> bool:
        getattr(server, how)()
        return True

    server = scene.serve(authenticate=authenticate)
    clients = [scene.client(), scene.client()]

    scene.play(1.0)

    assert server.state is State.DISCONNECTED
    assert scene.told[server] == []
    assert [scene.left(client).code for client in clients] == [ReasonCode.SHUTDOWN] * 2


@pytest.mark.fault(50, "memory")
def test_update_from_within_itself_raises_and_the_server_goes_on(scene: Scene) -> None:
    raised: list[str] = []

    def authenticate(credentials: Any, address: Address) -> bool:
        try:
            server.update()
        except RuntimeError as error:
            raised.append(str(error))
        return True

    server = scene.serve(authenticate=authenticate)
    client = scene.join()

    assert raised == ["Server.update() is already running: call it from one place, in one thread"]
    assert client.state is State.CONNECTED


# Somewhere else.


def answering(answer: object) -> Callable[[Any, Address], Any]:
    """Return what gives everybody the same answer at the door."""
    return lambda _credentials, _address: answer


@pytest.mark.parametrize(
    ("elsewhere", "text", "where"),
    [
        (Elsewhere("b:1"), "this game goes on at b:1", ["b:1"]),
        (Elsewhere(("::1", 1)), "this game goes on at [::1]:1", ["[::1]:1"]),
        (Elsewhere(Address("b", 1), "to the next hall"), "to the next hall", ["b:1"]),
        (Elsewhere(None), "another server has this; come back in a moment", []),
    ],
)
def test_who_is_sent_elsewhere_reads_where_and_is_not_let_in(
    scene: Scene, elsewhere: Elsewhere, text: str, where: list[str]
) -> None:
    server = scene.serve(authenticate=answering(elsewhere))

    guest = scene.guest()

    assert guest.told(BYE) == [[ReasonCode.MOVED.value, text, *where]]
    assert server.peers == ()


@pytest.mark.parametrize(
    ("address", "text", "error"),
    [("b", "", ValueError), (7, "", TypeError), (("b", 0), "", ValueError), ("b:1", 7, TypeError)],
)
def test_who_cannot_be_sent_there_is_misuse(scene: Scene, address: Any, text: Any, error: type[Exception]) -> None:
    server = scene.serve()
    scene.join()

    with pytest.raises(error) as caught:
        Elsewhere(address, text)
    assert (str(caught.value) == "text must be a str, not int; host and port are one argument: (host, port)") == (
        text == 7
    )
    with pytest.raises(error):
        only(server).move(address, text)

    assert only(server).alive


def test_a_class_without_its_address_lets_nobody_in(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.serve(authenticate=answering(Elsewhere))

    guest = scene.guest()

    assert guest.told(BYE)[0][0] == ReasonCode.DENIED.value
    assert "the class Elsewhere" in caplog.text


def test_who_was_sent_elsewhere_while_away_is_told_at_the_return(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    scene.network.down = True
    scene.network.cut()
    scene.play(0.2)

    only(server).move("b:1")
    scene.network.down = False
    scene.until(lambda: client.reason is not None)

    assert scene.left(client) == Reason(ReasonCode.MOVED, "this game goes on at b:1", where=Address("b", 1))
    assert scene.left(server).code is ReasonCode.CLOSED


def test_who_was_sent_elsewhere_and_keeps_the_link_open_hears_it_again_at_the_return(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(token=b"")
    guest.frozen = True
    peer = only(server)
    peer.move("b:1")

    again = scene.stranger(hello(token=token_of(guest)))

    assert again.told(BYE) == [[ReasonCode.MOVED.value, "this game goes on at b:1", "b:1"]]
    server.close()
    peer.move("c:1")
    scene.play(TICK)
    assert scene.left(server).code is ReasonCode.CLOSED
