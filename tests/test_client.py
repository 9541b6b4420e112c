"""A client as a game uses it: what it is told, its ticket, how it waits."""

import gc
import re
import ssl
import sys
import weakref
from collections.abc import Callable
from typing import Any

import interrupted
import pytest
from bounds import as_long_as
from faults.wire import ACK, HELLO, welcome
from inside import engine_of, guest_of, peer_of, resend_of
from scene import HOST, PORT, TICK, Listening, Scene, only

import netcode
from netcode import Address, Client, Joined, ReasonCode, Received, Server, State
from netcode.session.comeback import BACKOFF
from netcode.session.seats import KEY_SIZE
from netcode.stream.stream import Stream
from netcode.testing import FakeClock, MemoryNetwork, play
from netcode.transport.tcp import TCP
from netcode.transport.tls import TlsNetwork

TOKEN = bytes(range(32))


# What an argument can be.


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"host": ""}, ValueError, "cannot connect to host '', port 7777: both must be given"),
        ({"host": 5}, TypeError, "host must be a str, not int"),
        ({"patience": 1e9}, ValueError, "patience must be below 1000000000 seconds"),
        ({"port": 0}, ValueError, "cannot connect to host 'scene', port 0: both must be given"),
        ({"port": 70_000}, ValueError, "port must be from 0 to 65535, not 70000"),
        ({"game": 5}, TypeError, "game must be a str, not int"),
        ({"version": "x" * 65}, ValueError, "version must have at most 64 characters, not 65"),
        ({"messages": int}, TypeError, "messages must be msgspec.Struct types joined by"),
        ({"credentials": [object()]}, TypeError, r"credentials cannot be sent: credentials\[0\] is of type object"),
        (
            {"credentials": "x" * 4_000},
            ValueError,
            "credentials make a greeting of 4101 bytes; at most 4092 may travel",
        ),
        ({"ticket": b"seat-00"}, TypeError, "ticket must be a str, as client.ticket gives it, not bytes"),
        ({"ticket": ""}, ValueError, "ticket must be what client.ticket said, whole"),
        ({"ticket": "seat-"}, ValueError, "ticket must be what client.ticket said, whole"),
        ({"ticket": "seat-0011223"}, ValueError, "ticket must be what client.ticket said, whole"),
        ({"ticket": "seat-00 11"}, ValueError, "ticket must be what client.ticket said, whole"),
        ({"ticket": "seat-" + "00" * 65}, ValueError, "ticket must be what client.ticket said, whole"),
        ({"ticket": "seat-0011", "resume": False}, ValueError, "a ticket is for coming back: it needs resume=True"),
        ({"patience": -1}, ValueError, "patience must be 0 or more and finite, not -1"),
        ({"patience": True}, TypeError, "patience must be a number, not bool"),
        ({"timeout": 0}, ValueError, "timeout must be above 0 and finite, not 0"),
        ({"max_mesage": 1}, TypeError, r"Client\(\) got an unexpected keyword argument 'max_mesage'"),
    ],
)
def test_what_an_argument_cannot_be_raises_at_once(arguments: dict[str, Any], kind: type[Exception], text: str) -> None:
    clock = FakeClock()
    arguments = {"host": HOST, "port": PORT, "network": MemoryNetwork(clock), "clock": clock, **arguments}

    with pytest.raises(kind, match=text):
        Client(**arguments)


def test_credentials_are_sent_as_they_were_at_the_call(scene: Scene) -> None:
    seen: list[Any] = []

    def authenticate(credentials: Any, address: netcode.Address) -> bool:
        seen.append((credentials, address.host))
        return True

    scene.serve(authenticate=authenticate)
    credentials = {"name": "Ann"}
    client = scene.client(credentials=credentials)

    credentials["name"] = "Bob"
    scene.until(lambda: client.state is State.CONNECTED)

    assert seen == [({"name": "Ann"}, "127.0.0.1")]


@pytest.mark.parametrize("tls", [True, ssl.create_default_context()], ids=["True", "context"])
def test_tls_is_put_between(tls: Any) -> None:
    with Client("127.0.0.1", 7777, tls=tls) as client:
        assert isinstance(guest_of(client)._network, TlsNetwork)


# A seat across a restart of the program.


def kill(scene: Scene, client: Client) -> str:
    """End the program of `client` as the operating system does, and return the ticket that it had saved."""
    ticket = client.ticket
    assert ticket is not None
    scene.frozen.add(client)
    scene.network.cut(reset=False)
    return ticket


@pytest.mark.fault(80, "memory")
def test_a_client_has_a_ticket_while_it_has_a_seat_that_is_kept(scene: Scene) -> None:
    server = scene.serve()
    client = scene.client()
    before = client.ticket
    scene.until(lambda: client.state is State.CONNECTED)
    joined = client.ticket
    scene.network.cut()
    scene.update()
    away = (client.state, client.ticket)
    server.close()
    scene.until(lambda: client.state is State.DISCONNECTED)

    assert before is None
    assert joined is not None
    assert re.fullmatch("seat-[0-9a-f]{64}", joined)
    assert away == (State.CONNECTING, joined)
    assert client.ticket is None


@pytest.mark.parametrize(("grace", "resume"), [(0, True), (10, False)])
def test_where_no_seat_is_kept_there_is_no_ticket(scene: Scene, grace: float, resume: bool) -> None:
    scene.serve(grace=grace)
    client = scene.join(resume=resume)

    assert client.ticket is None


def test_another_program_takes_the_seat_and_hears_what_was_not_acknowledged(scene: Scene) -> None:
    server = scene.serve(ping_interval=5.0)
    client = scene.join(ping_interval=5.0)
    peer = only(server)
    client.send("from the first")
    peer.send("acknowledged")
    scene.until(lambda: resend_of(peer).acknowledged == 1)  # it will be seconds until it tells again
    peer.send("received, and not acknowledged")
    scene.play(2 * TICK)
    ticket = kill(scene, client)
    scene.play(2 * TICK)
    peer.send("while away")

    second = scene.client(ticket=ticket)
    second.send("from the second")
    scene.until(lambda: second.state is State.CONNECTED)
    scene.play(2 * TICK)
    peer.send("back")
    second.send("and on")
    scene.play(8.0)

    assert scene.heard(client) == ["acknowledged", "received, and not acknowledged"]
    assert scene.heard(second) == ["received, and not acknowledged", "while away", "back"]
    assert scene.heard(server) == ["from the first", "from the second", "and on"]
    assert scene.news(server) == ["Joined", "Away", "Back"]
    assert scene.told[second][0] == Joined(peer_of(second))
    assert scene.news(second) == ["Joined"]
    assert (second.id, peer_of(second).id) == (client.id, peer.id) == (1, 1)
    assert (resend_of(peer).acknowledged, resend_of(peer_of(second)).acknowledged) == (4, 3)


def test_what_was_taken_over_survives_further_breaks_and_further_programs(scene: Scene) -> None:
    server = scene.serve()
    ticket = kill(scene, scene.join())
    second = scene.join(ticket=ticket)
    for number in range(3):
        only(server).send(number)
        second.send(number)
        scene.network.cut()
        scene.play(2 * TICK)
        scene.until(lambda: second.state is State.CONNECTED)
        scene.play(2 * TICK)

    third = scene.join(ticket=kill(scene, second))
    third.send("third")
    only(server).send("to the third")
    scene.play(3.0)

    assert scene.heard(second) == [0, 1, 2]
    assert scene.heard(server) == [0, 1, 2, "third"]
    assert scene.heard(third)[-1] == "to the third"
    assert [first for first in scene.heard(third)[:-1] if first not in [0, 1, 2]] == []
    assert third.id == 1


def test_the_old_program_hears_that_it_is_replaced_and_the_game_that_somebody_came(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    second = scene.join(ticket=client.ticket)
    scene.play(5.0)

    assert scene.left(client).code is ReasonCode.REPLACED
    assert scene.news(server) == ["Joined", "Away", "Back"]
    assert scene.away(server).code is ReasonCode.REPLACED
    assert (second.state, scene.news(second)) == (State.CONNECTED, ["Joined"])


def test_an_old_program_whose_link_was_broken_does_not_come_back_to_a_seat_that_was_taken_over(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    client.send("one")
    scene.play(2 * TICK)
    ticket = kill(scene, client)
    second = scene.join(ticket=ticket)
    second.send("two")
    scene.play(2 * TICK)

    scene.frozen.clear()  # it was no kill after all, but a laptop that slept
    client.send("three")
    scene.until(lambda: client.state is State.DISCONNECTED)
    scene.play(2.0)

    assert scene.left(client).code is ReasonCode.REPLACED
    assert (second.state, scene.news(second)) == (State.CONNECTED, ["Joined"])
    assert scene.heard(server) == ["one", "two"]


@pytest.mark.fault(80, "memory")
def test_a_ticket_is_good_for_another_try_as_long_as_nobody_heard_that_it_was_taken(scene: Scene) -> None:
    server = scene.serve()
    ticket = kill(scene, scene.join())
    scene.network.latency = 0.1
    second = scene.client(ticket=ticket)
    second.send("once")
    scene.until(lambda: scene.news(server).count("Back") == 1)
    scene.network.cut()  # while WELCOME is under way

    scene.until(lambda: second.state is State.CONNECTED)
    scene.play(2.0)
    third = scene.client(ticket=ticket)  # whose program was killed before it could save the new one
    scene.until(lambda: third.state is State.CONNECTED)
    scene.play(2.0)

    assert scene.left(second).code is ReasonCode.REPLACED
    assert scene.heard(server) == ["once"]
    assert (third.state, third.id) == (State.CONNECTED, 1)


def test_a_ticket_is_void_once_the_next_one_was_used(scene: Scene) -> None:
    scene.serve()
    ticket = kill(scene, scene.join())
    second = scene.join(ticket=ticket)
    third = scene.join(ticket=kill(scene, second))

    late = scene.client(ticket=ticket)
    scene.until(lambda: late.state is State.DISCONNECTED)

    assert scene.left(late).code is ReasonCode.RESUME_LOST
    assert third.state is State.CONNECTED


def test_a_seat_that_is_no_longer_kept_is_said_to_be_lost(scene: Scene) -> None:
    server = scene.serve(grace=2.0)
    ticket = kill(scene, scene.join())
    scene.play(3.0)

    second = scene.client(ticket=ticket)
    scene.play(1.0)

    assert scene.news(server) == ["Joined", "Away", "Left"]
    assert scene.news(second) == ["Left"]
    assert scene.left(second).code is ReasonCode.RESUME_LOST


def test_a_server_that_knows_nothing_of_tickets_sends_from_the_beginning(scene: Scene) -> None:
    listening = Listening(scene, welcome(token=TOKEN, received=7, grace=10.0))
    client = listening.client(ticket="seat-" + TOKEN.hex())
    client.send("eight")

    listening.play(1.0)

    [guest] = listening.server.guests
    [[*_, token, received, credentials, anew, end]] = guest.told(HELLO)
    assert (token, received, credentials, anew, end) == (TOKEN, 0, None, True, "\r\n\r\n")
    assert guest.messages == ["eight"]
    assert guest.told(ACK) == [[0]]
    listening.server.close()


def test_update_from_within_itself_raises(scene: Scene) -> None:
    raised: list[str] = []

    class Meddling(MemoryNetwork):
        def connect(self, host: str, port: int, now: float) -> Any:
            connector = super().connect(host, port, now)
            original = connector.advance

            def advance(now: float) -> Any:
                try:
                    client.update()
                except RuntimeError as error:
                    raised.append(str(error))
                return original(now)

            connector.advance = advance  # type: ignore[method-assign]
            return connector

    client = scene.client(network=Meddling(scene.clock))
    client.update()
    client.update()

    assert raised[0] == "Client.update() is already running: call it from one place, in one thread"


def test_waiting_wakes_for_what_comes() -> None:
    with netcode.Server("127.0.0.1", 0) as server, Client("127.0.0.1", server.address.port) as client:
        for _ in as_long_as(lambda: client.state is not State.CONNECTED):
            client.wait(0.01)
            client.update()
            server.update()
        with_events = client.wait(10.0)
        client.events()
        for _ in as_long_as(lambda: client.wait(0.01)):  # the first pings and pongs
            client.update()
            server.update()
        only(server).send("wake up")
        server.update()
        woken = client.wait(10.0)
        read, _, _ = client.instantiate()

    assert (with_events, woken, len(read)) == (True, True, 1)


@pytest.mark.parametrize("how", [Client.wait, netcode.wait])
def test_waiting_sends_what_is_queued_before_it_sleeps(scene: Scene, how: Callable[..., bool]) -> None:
    server = scene.serve()
    client = scene.join()

    client.send("at once")
    how(client, timeout=0.0)
    server.update()

    assert server.events() == [netcode.Received(only(server), "at once")]


def test_an_interrupt_while_waiting_sends_is_recovered_from_by_the_next_update(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scene.serve()
    client = scene.join()

    def interrupt(stream: Stream, now: float) -> None:
        raise KeyboardInterrupt

    client.send("not lost")
    with monkeypatch.context() as pressed:
        pressed.setattr(Stream, "flush", interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.wait(0.0)
        again = client.wait(0.0)  # nothing may be sent before it has recovered
    scene.until(lambda: scene.heard(server) == ["not lost"])

    assert again is True
    assert scene.news(client) == ["Joined", "Away", "Back"]


def test_waiting_knows_when_to_come_back(scene: Scene, lost: Client) -> None:
    scene.told[lost] += lost.events()
    left = lost._seconds_left()

    scene.until(lambda: guest_of(lost).retry_at is None)
    lost.events()
    connecting = lost._seconds_left()

    assert left is not None
    assert 0.0 <= left <= BACKOFF
    assert connecting is not None
    lost._slept(0.1)


def test_a_debug_log_shows_no_token(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="netcode")
    server = scene.serve()
    client = scene.join(credentials="secret word")
    first = guest_of(client).token
    assert first is not None

    scene.network.cut()
    scene.play(1.0)
    second = scene.join(ticket=client.ticket)
    token = guest_of(second).token
    assert token is not None
    second.close()

    told = caplog.text + "".join(map(repr, (client, server, client.peer, second, second.peer)))
    assert "connected" in told
    for secret in ("secret word", first.hex(), token.hex(), repr(token)[2:-1], repr(token[8:])[2:-1]):
        assert secret not in told
    assert first[:KEY_SIZE] == token[:KEY_SIZE]
    assert first != token


@pytest.mark.parametrize("how", ["it closes", "it is left"])
def test_a_client_that_is_over_holds_no_room_to_receive_into(scene: Scene, how: str) -> None:
    server = scene.serve()
    client = scene.join()

    if how == "it closes":
        client.close()
    else:
        server.close_nicely()
        scene.play(3.0)

    assert (client.state, len(guest_of(client).scratch)) == (State.DISCONNECTED, 0)
    client.update()


def test_what_a_loop_over_the_events_did_not_reach_is_waited_for_no_longer_and_comes_next(scene: Scene) -> None:
    server = scene.serve()
    client = scene.client()
    scene.deaf |= {server, client}
    scene.play(10 * TICK)
    only(server).send("hi")
    client.send("ho")
    scene.play(2 * TICK)

    for end in (server, client):
        for _ in end.events():
            break
    waited = server.wait(60.0), client.wait(60.0)

    assert waited == (True, True)
    assert server.events() == [Received(only(server), "ho")]
    assert client.peer is not None
    assert client.events() == [Received(client.peer, "hi")]


def vanish(scene: Scene, server: Server) -> None:
    scene.network.cut()
    server.close()


def is_over(end: Client) -> Callable[[], bool]:
    return lambda: end.state is State.DISCONNECTED


ENDS: dict[str, Callable[[Scene, Server, Client], object]] = {
    "it closed": lambda scene, server, client: client.close(),
    "it left": lambda scene, server, client: client.close_nicely(),
    "the server left": lambda scene, server, client: server.close_nicely(),
    "it was sent off": lambda scene, server, client: only(server).close_nicely(),
    "nobody came back": lambda scene, server, client: vanish(scene, server),
}


@pytest.mark.parametrize("how", ENDS.values(), ids=ENDS)
def test_a_client_that_ended_is_gone_as_soon_as_it_is_dropped(
    scene: Scene, how: Callable[[Scene, Server, Client], object]
) -> None:
    server = scene.serve(grace=1.0)
    client = scene.join()
    only(server).send(bytes(60_000))
    client.send(bytes(60_000))
    scene.play(TICK)
    how(scene, server, client)
    scene.until(is_over(client))
    gone = weakref.ref(client)

    gc.disable()
    try:
        peer = [event.peer for event in scene.told.pop(client)][-1]
        del client

        assert gone() is None
        peer.send("to nobody")
        peer.send(bytes(65_000))
        peer.send(bytes(65_531))
        peer.close()
        peer.close_nicely()
    finally:
        gc.enable()


def test_a_client_that_was_refused_is_gone_as_soon_as_it_is_dropped(scene: Scene) -> None:
    client = scene.client()
    scene.until(is_over(client))
    gone = weakref.ref(client)

    gc.disable()
    try:
        scene.told.clear()
        del client

        assert gone() is None
    finally:
        gc.enable()


def test_a_loop_of_ticks_ends_when_the_client_has_left(scene: Scene) -> None:
    server, client = scene.serve(), scene.client()
    for tick in client.ticks(30):
        server.update()
        client.events()
        if tick == 30:
            client.close_nicely()

    assert client.state is State.DISCONNECTED


def test_a_program_that_only_waits_or_sends_is_told_to_update() -> None:
    clock = FakeClock()

    def wait_and_send(client: Client) -> None:
        for _ in range(1_000):
            clock.advance(0.1)
            client.send("hello")
            client.wait(0.0)

    with netcode.Server("127.0.0.1", 0, clock=clock) as server:
        client = Client("127.0.0.1", server.address.port, clock=clock)
        with pytest.warns(RuntimeWarning, match=r"update\(\)"):
            wait_and_send(client)
        client.close()

        reader = Client("127.0.0.1", server.address.port, clock=clock)
        for _ in range(200):
            server.update()
            reader.update()
            if reader.state is State.CONNECTED:
                break
            netcode.wait(server, reader, timeout=0.1)
        server.broadcast("news")
        server.update()
        assert netcode.wait(netcode.CustomWaiter(*reader.instantiate()), timeout=1.0)
        assert guest_of(reader).has_work()
        reader.close()
        play(clock, 1.0, server)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("case", "step"),
    [
        (interrupted.loaded_client, 9),
        (interrupted.cut_off_client, 5),
        (interrupted.returning_client, 29),
        (interrupted.joining_client, 17),
        (interrupted.leaving_client, 9),
        (interrupted.closing_client, 5),
        (interrupted.waiting_client, 5),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_interrupt_leaves_a_client_whole(case: interrupted.Case, step: int) -> None:
    may_end = case in {interrupted.joining_client, interrupted.leaving_client, interrupted.closing_client}

    assert interrupted.audit(case, "memory", step, may_end=may_end) > 5


def test_what_a_signal_handler_asks_for_in_an_update_is_done_at_its_end(scene: Scene) -> None:
    scene.serve()
    client = scene.join()
    engine_of(client).busy = True
    client.close_nicely("later")
    before = client.state
    engine_of(client).busy = False

    worth_it = client._seconds_left()
    client.update()

    assert (before, worth_it, client.state) == (State.CONNECTED, 0.0, State.DISCONNECTING)


def test_in_a_child_a_client_is_over_and_nobody_is_told(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    scene.frozen.add(server)

    client._abandon()
    client.close_nicely()
    with pytest.warns(RuntimeWarning, match=r"^this client belongs to the process that made it"):
        client.update()

    assert (client.state, client.events()) == (State.DISCONNECTED, [])


def test_a_client_says_where_its_server_is_and_how_far(scene: Scene) -> None:
    scene.serve()
    client = scene.join()
    scene.play(2.0)

    assert client.address == Address(HOST, PORT)
    assert (client.rtt, client.jitter) == (only_rtt(client), client.peer.jitter if client.peer else None)


def only_rtt(client: Client) -> float | None:
    """Return the same as the peer tells it."""
    return None if client.peer is None else client.peer.rtt


def test_an_update_that_an_exception_leaves_is_recovered_from(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.serve()
    client = scene.join()

    def interrupt(stream: Stream, now: float, scratch: memoryview) -> None:
        client.close_nicely("bye")  # asked for in the middle: done at the end of the next
        raise KeyboardInterrupt

    with monkeypatch.context() as pressed:
        pressed.setattr("netcode.session.guest.step", interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.update()
    scene.play(3 * TICK)

    assert client.state is State.DISCONNECTED


def test_what_is_asked_for_in_an_update_is_done_at_its_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.serve()
    client = scene.join()

    def asks(stream: Stream, now: float, scratch: memoryview) -> None:
        client.close_nicely("bye")

    with monkeypatch.context() as pressed:
        pressed.setattr("netcode.session.guest.step", asks)
        client.update()

    assert client.state is State.DISCONNECTING


@pytest.mark.parametrize("network", [TCP, MemoryNetwork(FakeClock())], ids=["usual", "given"])
def test_in_a_page_the_browser_connects(network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    in_page, asked = MemoryNetwork(FakeClock()), list[Any]()

    def network_of_page(tls: object, wake: object) -> MemoryNetwork:
        asked.append((tls, wake))
        return in_page

    monkeypatch.setattr("netcode.web.network_of_page", network_of_page)
    with monkeypatch.context() as page:
        page.setattr(sys, "platform", "emscripten")
        client = Client("play.example.org", 7777, tls=network is TCP, network=network)

    assert guest_of(client)._network is (in_page if network is TCP else network)
    assert asked == ([(True, client.update)] if network is TCP else [])
