"""A game's end of a link: it comes in, stays, comes back by itself, and tells the game once when it is over."""

import gc
import random
import re
import ssl
import sys
import weakref
from collections.abc import Callable
from typing import Any

import interrupted
import pytest
from bounds import as_long_as
from faults.wire import ACK, BYE, HELLO, MAX_MESSAGE, FalseServer, bye, control, message, welcome
from inside import doorway_of, engine_of, has_link, link_of, peer_of, resend_of
from scene import HOST, PORT, TICK, Scene, only

import netcode
from netcode import Address, Back, Client, Elsewhere, Joined, Left, Reason, ReasonCode, Received, Server, State
from netcode.client import BACKOFF, BACKOFF_CAP, GREETING_REST, GREETINGS, PATIENT_CAP, REFUSALS
from netcode.protocol import MAX_UNGREETED
from netcode.reasons import Explained, closed_here, reason_from_error
from netcode.server import KEY_SIZE
from netcode.stream.stream import Stream
from netcode.testing import FakeClock, MemoryNetwork, play
from netcode.testing.network import MemoryConnector
from netcode.transport.tcp import TCP
from netcode.transport.tls import TlsNetwork

TOKEN = bytes(range(32))


@pytest.fixture
def scene() -> Any:
    """A scene that is closed in the end."""
    scene = Scene()
    yield scene
    scene.close()


@pytest.fixture
def lost(scene: Scene) -> Client:
    """A client whose link broke, and which cannot come back for now."""
    scene.serve()
    client = scene.join()
    scene.network.down = True
    scene.network.cut()
    scene.play(2 * TICK)
    return client


class Listening:
    """Somebody who answers as a test says, in a scene."""

    def __init__(self, scene: Scene, answer: bytes = b"") -> None:
        self._scene = scene
        self.server = FalseServer(scene.network, HOST, scene.clock, answer)
        self.port = self.server.address.port

    def client(self, **options: Any) -> Client:
        client = Client(HOST, self.port, network=self._scene.network, clock=self._scene.clock, **options)
        self._scene.told[client] = []
        return client

    def play(self, seconds: float) -> None:
        for _ in range(max(1, round(seconds / TICK))):
            self._scene.play(TICK)
            self.server.update()
            for guest in self.server.guests:
                guest.update()


# Coming in.


def test_a_client_is_connected_when_it_is_welcomed_and_not_before(scene: Scene) -> None:
    door = scene.network.listen(HOST, PORT)
    client = scene.client()
    scene.play(1.0)

    accepted = len(door.queue)

    assert (accepted, client.state, client.id, client.peer, client.reason) == (1, State.CONNECTING, None, None, None)
    assert scene.told[client] == []


def test_a_welcomed_client_knows_who_it_is(scene: Scene) -> None:
    scene.serve()
    client = scene.join()

    assert client.peer is not None
    assert (client.state, client.id, client.peer.id) == (State.CONNECTED, 1, 1)
    assert str(client.peer.address) == f"{HOST}:{PORT}"
    assert scene.told[client] == [Joined(client.peer)]
    assert repr(client) == f"<Client connected to {HOST}:{PORT}>"
    assert (client.jitter is None) == (client.rtt is None)


def test_what_is_sent_before_the_welcome_arrives_after_it(scene: Scene) -> None:
    client = scene.client()
    client.send("early")
    server = scene.serve()

    scene.play(5 * TICK)

    assert scene.heard(server) == ["early"]


def test_too_much_before_the_welcome_ends_the_client(scene: Scene) -> None:
    scene.network.listen(HOST, PORT)
    client = scene.client(max_resend=100_000)
    scene.play(2 * TICK)

    for _ in range(3):
        client.send(bytes(50_000))
    scene.play(2 * TICK)

    text = f"more than max_resend = 100000 bytes were sent to {HOST}:{PORT} while there was no link to it"
    assert scene.told[client] == [Left(peer_of(client), Reason(ReasonCode.RESUME_LOST, text))]
    assert scene.network.links == 0


def test_a_client_that_was_never_welcomed_yields_one_left(scene: Scene) -> None:
    client = scene.client()

    scene.play(1.0)

    assert scene.news(client) == ["Left"]
    assert client.reason == scene.left(client)
    assert scene.left(client).text == f"nothing is listening on {HOST}:{PORT}; is the server started?"
    assert (client.state, client.peer, client.id) == (State.DISCONNECTED, None, None)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (bye(ReasonCode.SERVER_FULL.value, "full"), ReasonCode.SERVER_FULL),
        (bye(ReasonCode.DENIED.value, "you are banned"), ReasonCode.DENIED),
        (message("hi"), ReasonCode.MALFORMED),
        (control(1, "netcode", 1, "", "", MAX_MESSAGE, None, 0, None), ReasonCode.MALFORMED),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ReasonCode.NOT_NETCODE),
        (welcome(protocol=2), ReasonCode.WRONG_PROTOCOL),
        (welcome(received=3), ReasonCode.RESUME_LOST),
        ((MAX_UNGREETED + 1).to_bytes(4, "big"), ReasonCode.NOT_NETCODE),
    ],
)
def test_any_other_answer_than_welcome_is_a_reason(scene: Scene, answer: bytes, code: ReasonCode) -> None:
    listening = Listening(scene, answer)
    client = listening.client()

    listening.play(1.0)

    assert scene.news(client) == ["Left"]
    assert scene.left(client).code is code
    listening.server.close()


def test_a_server_that_has_heard_a_new_client_before_means_another(scene: Scene) -> None:
    listening = Listening(scene, welcome(received=1))
    client = listening.client()
    client.send("waits for the server")

    listening.play(1.0)

    text = "the two ends do not mean the same session: one has received more than the other has sent"
    assert scene.left(client) == Reason(ReasonCode.RESUME_LOST, text)
    assert [guest.told(BYE) for guest in listening.server.guests] == [[[ReasonCode.RESUME_LOST.value, text]]]
    listening.server.close()


def test_a_server_that_does_not_greet_is_given_up(scene: Scene) -> None:
    listening = Listening(scene)
    client = listening.client(handshake_timeout=1.5)

    listening.play(1.4)
    before = scene.news(client)
    listening.play(0.3)

    assert before == []
    assert scene.left(client).code is ReasonCode.HANDSHAKE_TIMEOUT
    listening.server.close()


def test_a_server_that_gives_no_token_keeps_no_seat(scene: Scene) -> None:
    listening = Listening(scene, welcome(token=b"", grace=10.0))
    client = listening.client()
    listening.play(0.2)

    scene.network.cut()
    listening.play(0.2)

    assert scene.news(client) == ["Joined", "Left"]
    assert scene.left(client).code is ReasonCode.RESET
    listening.server.close()


# What an argument can be.


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"host": ""}, ValueError, "cannot connect to host '', port 7777: both must be given"),
        ({"host": 5}, TypeError, "host must be a str, not int"),
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


@pytest.mark.fault(76, "memory")
def test_a_link_that_breaks_under_the_greeting_is_tried_again(scene: Scene) -> None:
    scene.network.latency = 0.1
    server = scene.serve(max_peers=1)
    client = scene.client()
    client.send("early")
    scene.until(lambda: len(server.peers) == 1)
    scene.network.cut()  # while WELCOME is under way
    scene.play(2 * TICK)

    waiting = (client.state, client.reason, client._seconds_left())
    scene.until(lambda: client.state is State.CONNECTED)
    scene.play(0.3)

    assert waiting[:2] == (State.CONNECTING, None)
    assert waiting[2] is not None
    assert 0.0 < waiting[2] < GREETING_REST + BACKOFF
    assert scene.news(client) == ["Joined"]
    assert scene.heard(server) == ["early"]
    assert scene.news(server) == ["Joined", "Away", "Left", "Joined"]


@pytest.mark.fault(76, "memory")
@pytest.mark.parametrize("answer", [b"", bye(ReasonCode.SERVER_FULL.value, "full")])
def test_a_link_that_always_breaks_under_the_greeting_is_given_up(scene: Scene, answer: bytes) -> None:
    listening = Listening(scene)
    client = listening.client()
    greetings = 0

    for _ in range(2000):
        listening.play(TICK)
        guests = [guest for guest in listening.server.guests if guest.told(HELLO)]
        if len(guests) > greetings:
            greetings = len(guests)
            if greetings > 1 and answer:  # its own ghost, as like as not, is in the way
                guests[-1].say(answer)
                guests[-1].connection.close_nicely()
            else:
                guests[-1].connection.close()
    listening.server.close()

    assert greetings == GREETINGS
    assert scene.news(client) == ["Left"]
    assert scene.left(client).code is (ReasonCode.SERVER_FULL if answer else ReasonCode.CLOSED_BY_PEER)


@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_leaving_between_two_greetings_ends_at_once(scene: Scene, how: str) -> None:
    scene.network.latency = 0.1
    server = scene.serve()
    client = scene.client()
    scene.until(lambda: len(server.peers) == 1)
    scene.network.cut()
    scene.play(2 * TICK)

    getattr(client, how)()
    scene.play(5.0)

    assert scene.news(client) == ["Left"]
    assert scene.left(client).code is ReasonCode.CLOSED
    assert scene.network.links == 0


def test_who_is_welcomed_says_so_before_the_game_has_heard_of_it(scene: Scene) -> None:
    listening = Listening(scene, welcome())
    client = listening.client()

    for _ in range(10):
        listening.play(TICK)
        if client.state is State.CONNECTED:
            scene.frozen.add(client)  # it loads a level

    assert listening.server.guests[0].told(ACK) == [[0]]
    listening.server.close()


# A server that is not there yet.


@pytest.mark.fault(81, "memory")
def test_a_patient_client_waits_for_the_server_to_start(scene: Scene) -> None:
    client = scene.client(patience=20.0)
    client.send("early")
    scene.play(10.0)
    before = (client.state, client.reason, scene.news(client))

    server = scene.serve()
    scene.until(lambda: client.state is State.CONNECTED, PATIENT_CAP + 1.0)
    scene.play(2 * TICK)

    assert before == (State.CONNECTING, None, [])
    assert scene.news(client) == scene.news(server) == ["Joined"]
    assert scene.heard(server) == ["early"]


@pytest.mark.fault(81, "memory")
def test_patience_ends_with_the_last_reason_and_says_how_long_it_was_tried(scene: Scene) -> None:
    client = scene.client(patience=7.0)

    scene.play(6.9)
    before = client.state
    scene.play(0.2)

    text = rf"nothing is listening on {HOST}:{PORT}; is the server started\? \(tried \d+ times in 7 s\)"
    assert before is State.CONNECTING
    assert scene.news(client) == ["Left"]
    assert re.fullmatch(text, scene.left(client).text)
    assert scene.left(client).code is ReasonCode.REFUSED


def test_the_last_attempt_is_made_when_patience_ends(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def longest(low: float, high: float) -> float:
        return high

    monkeypatch.setattr(random, "uniform", longest)
    client = scene.client(patience=4.0)  # attempts at 0, 0.5, 1.3 and 2.58 seconds, and the next not before 4.6
    scene.play(3.9)
    scene.serve()

    scene.play(0.3)

    assert client.state is State.CONNECTED


def test_patience_is_tried_at_random_and_never_too_seldom(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    spans: list[float] = []

    def longest(low: float, high: float) -> float:
        spans.append(high)
        return high

    monkeypatch.setattr(random, "uniform", longest)
    client = scene.client(patience=12_000.0)

    scene.play(12_100.0, tick=1.0)

    assert spans[:4] == pytest.approx([0.5, 0.8, 1.28, 2.048])
    assert set(spans[5:]) == {PATIENT_CAP}
    assert len(spans) > 1_600  # of which a float would not hold the power
    assert scene.left(client).code is ReasonCode.REFUSED


@pytest.mark.parametrize(
    "code",
    [
        ReasonCode.UNREACHABLE,
        ReasonCode.NAME_NOT_FOUND,
        ReasonCode.CONNECT_TIMEOUT,
        ReasonCode.RESET,
        ReasonCode.NETWORK,
        ReasonCode.TIMEOUT,
        ReasonCode.NO_DESCRIPTORS,
    ],
)
def test_patience_has_no_favourites_among_the_failures(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, code: ReasonCode
) -> None:
    def fail(connector: MemoryConnector, now: float) -> Reason:
        return Reason(code, "it failed")

    with monkeypatch.context() as failing:
        failing.setattr(MemoryConnector, "advance", fail)
        hasty, patient = scene.client(), scene.client(patience=60.0)
        scene.play(3.0)
    scene.serve()

    scene.until(lambda: patient.state is State.CONNECTED)
    scene.play(2 * TICK)

    assert scene.left(hasty).code is code
    assert scene.news(patient) == ["Joined"]


@pytest.mark.fault(81, "memory")
def test_a_patient_client_waits_for_a_seat_and_for_a_server_that_hangs(scene: Scene) -> None:
    server = scene.serve(max_peers=1)
    first = scene.join()
    client = scene.client(patience=60.0)
    scene.play(5.0)
    full = (client.state, scene.news(client))
    first.close()
    scene.frozen.add(server)
    scene.play(8.0)
    scene.frozen.clear()

    scene.until(lambda: client.state is State.CONNECTED)
    scene.play(2 * TICK)

    assert full == (State.CONNECTING, [])
    assert scene.news(client) == ["Joined"]


@pytest.mark.parametrize("answer", [bye(ReasonCode.DENIED.value, "banned"), bye(ReasonCode.WRONG_VERSION.value, "old")])
def test_patience_does_not_argue_with_an_answer(scene: Scene, answer: bytes) -> None:
    listening = Listening(scene, answer)
    client = listening.client(patience=60.0)

    listening.play(0.5)

    assert scene.left(client).text in {"banned", "old"}
    listening.server.close()


def test_waiting_sleeps_until_the_next_attempt_of_a_patient_client(scene: Scene) -> None:
    client = scene.client(patience=60.0)
    scene.play(10.0)
    left = client._seconds_left()

    assert left is not None
    assert 0.0 < left <= PATIENT_CAP


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
        assert isinstance(client._network, TlsNetwork)


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

    assert client._network is (in_page if network is TCP else network)
    assert asked == ([(True, client.update)] if network is TCP else [])


# Leaving.


def test_close_ends_at_once_and_tells_the_server(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    client.send("last")

    client.close()
    client.close()
    state = client.state
    scene.play(3 * TICK)

    assert state is State.DISCONNECTED
    assert scene.heard(server) == ["last"]
    assert scene.left(server) == Reason(ReasonCode.GOODBYE, "the other end left")
    assert scene.left(client) == Reason(ReasonCode.CLOSED, "closed by this program")
    assert scene.network.links == 0


@pytest.mark.parametrize("through", ["client", "peer"])
def test_close_nicely_is_disconnecting_until_it_is_done(scene: Scene, through: str) -> None:
    server = scene.serve()
    client = scene.join()
    assert client.peer is not None

    (client if through == "client" else client.peer).close_nicely("gone fishing")
    client.close_nicely("a second text")
    state = client.state
    client.send("too late")
    scene.play(10 * TICK)

    assert (state, client.state) == (State.DISCONNECTING, State.DISCONNECTED)
    assert scene.left(server) == Reason(ReasonCode.GOODBYE, "gone fishing")
    assert scene.left(client) == Reason(ReasonCode.CLOSED, "gone fishing")
    assert scene.heard(server) == []


@pytest.mark.parametrize("joined", [False, True])
def test_a_goodbye_that_is_no_text_raises_and_ends_nothing(scene: Scene, joined: bool) -> None:
    server = scene.serve()
    client = scene.join() if joined else scene.client()
    seconds: Any = 2.0

    with pytest.raises(TypeError, match="text must be a str, not float"):
        client.close_nicely(seconds)
    client.send("still here")
    scene.play(5 * TICK)

    assert scene.heard(server) == ["still here"]
    assert client.state is State.CONNECTED


@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_leaving_while_connecting_ends_at_once(scene: Scene, how: str) -> None:
    scene.serve()
    client = scene.client()

    getattr(client, how)()
    scene.play(1.0)

    assert scene.told[client] == [Left(peer_of(client), Reason(ReasonCode.CLOSED, "closed by this program"))]
    assert scene.network.links == 0


@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_leaving_while_away_ends_at_once(scene: Scene, lost: Client, how: str) -> None:
    getattr(lost, how)()
    scene.play(1.0)

    assert scene.news(lost) == ["Joined", "Away", "Left"]
    assert scene.left(lost).code is ReasonCode.CLOSED


def test_leaving_while_coming_back_ends_at_once(scene: Scene, lost: Client) -> None:
    scene.until(lambda: has_link(lost))

    lost.close()
    scene.play(1.0)

    assert scene.news(lost) == ["Joined", "Away", "Left"]
    assert scene.left(lost).code is ReasonCode.CLOSED


def test_close_after_close_nicely_ends_at_once(scene: Scene) -> None:
    scene.serve()
    client = scene.join()
    client.close_nicely("nicely")

    client.close()
    scene.update()

    assert scene.left(client) == Reason(ReasonCode.CLOSED, "nicely")


def test_after_the_end_everything_is_ignored(scene: Scene) -> None:
    client = scene.client()
    scene.until(lambda: client.state is State.DISCONNECTED)

    client.send("nobody")
    client.close()
    client.close_nicely("really")
    scene.play(5.0)

    assert scene.news(client) == ["Left"]
    assert client.instantiate() == ([], [], [])
    assert client.wait(0.0)


def test_a_with_block_closes(scene: Scene) -> None:
    scene.serve()

    with scene.join() as client:
        inside = client.state

    assert (inside, client.state) == (State.CONNECTED, State.DISCONNECTED)


def test_the_server_hears_why_it_was_left_by_itself(scene: Scene) -> None:
    listening = Listening(scene, welcome() + b"\0\0\0\0")
    client = listening.client()

    listening.play(0.2)

    assert scene.left(client).code is ReasonCode.MALFORMED
    assert listening.server.guests[0].told(BYE)[0][0] == ReasonCode.MALFORMED.value
    listening.server.close()


@pytest.mark.parametrize("how", ["client", "peer"])
def test_leaving_again_after_the_end_takes_nothing_from_what_is_still_delivered(scene: Scene, how: str) -> None:
    server = scene.serve()
    client = scene.join()
    scene.network.rate = 100_000.0
    for number in range(10):
        client.send([number, bytes(9_000)])
    scene.play(5 * TICK)
    only(server).close_nicely("that is all")
    scene.until(lambda: client.state is State.DISCONNECTED)

    before = len(scene.heard(server))
    (client if how == "client" else peer_of(client)).close_nicely("again")
    scene.play(2.0)

    assert before < 10
    assert [number for number, _ in scene.heard(server)] == [*range(10)]
    assert scene.left(client).text == "that is all"


def test_closing_puts_an_end_to_a_long_goodbye_too(scene: Scene) -> None:
    listening = Listening(scene, welcome() + b"\0\0\0\0")
    client = listening.client()
    scene.play(TICK)
    listening.server.update()
    scene.until(lambda: client.state is State.DISCONNECTED)
    lingering = len(client._closing)

    client.close()

    assert (lingering, len(client._closing)) == (1, 0)
    listening.server.close()


# Coming back.


def test_a_client_comes_back_by_itself(scene: Scene, lost: Client) -> None:
    state = lost.state
    scene.network.down = False

    scene.until(lambda: lost.state is State.CONNECTED)
    scene.play(TICK)

    assert state is State.CONNECTING
    assert scene.news(lost) == ["Joined", "Away", "Back"]
    assert scene.told[lost][-1] == Back(peer_of(lost))


def test_attempts_are_spaced_at_random_and_ever_wider(
    monkeypatch: pytest.MonkeyPatch, scene: Scene, lost: Client
) -> None:
    spans: list[float] = []

    def longest(low: float, high: float) -> float:
        spans.append(high)
        return high

    monkeypatch.setattr(random, "uniform", longest)
    for _ in range(12):
        lost._retry()

    assert lost._retry_at is not None
    assert spans[0] == BACKOFF * 1.6
    assert spans[1] == pytest.approx(BACKOFF * 1.6**2)
    assert spans[-1] == BACKOFF_CAP
    assert lost._retry_at - lost._timeline.now == BACKOFF_CAP


def test_a_client_gives_up_when_the_server_has(scene: Scene, lost: Client) -> None:
    scene.play(9.0)
    before = scene.news(lost)

    scene.play(1.5)

    assert before == ["Joined", "Away"]
    assert scene.left(lost).code is ReasonCode.RESET
    assert scene.left(lost).text.startswith(f"the connection to {HOST}:{PORT} broke")


def test_a_server_that_is_gone_is_given_up_after_some_refusals(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    scene.frozen.add(server)
    scene.network.cut()
    doorway_of(server).close()

    scene.until(lambda: client.state is State.DISCONNECTED)
    scene.play(TICK)

    assert client._refusals == REFUSALS
    assert scene.left(client).code is ReasonCode.RESET
    assert "; and then: nothing is listening on" in scene.left(client).text


@pytest.mark.fault(80, "memory")
def test_a_server_that_was_restarted_is_a_lost_session_and_no_new_game(scene: Scene, lost: Client) -> None:
    [first] = [end for end in scene.told if isinstance(end, netcode.Server)]
    first.close()
    second = scene.serve()
    scene.network.down = False

    scene.until(lambda: lost.state is State.DISCONNECTED)
    scene.play(TICK)

    assert scene.news(lost) == ["Joined", "Away", "Left"]
    assert scene.left(lost).code is ReasonCode.RESUME_LOST
    assert scene.told[second] == []


@pytest.mark.parametrize(
    ("answer", "news"),
    [
        (bye(ReasonCode.SERVER_FULL.value, "in a moment"), ["Joined", "Away"]),
        (bye(ReasonCode.TOO_MANY.value, "from your address"), ["Joined", "Away"]),
        (bye(ReasonCode.HANDSHAKE_TIMEOUT.value, "too slow"), ["Joined", "Away"]),
        (bye(ReasonCode.GOODBYE.value, "sent away"), ["Joined", "Away", "Left"]),
        (bye(ReasonCode.DENIED.value, "banned"), ["Joined", "Away", "Left"]),
        (bye(ReasonCode.WRONG_VERSION.value, "another"), ["Joined", "Away", "Left"]),
        (bye(999, "from the future"), ["Joined", "Away", "Left"]),
        (welcome(peer_id=2, token=TOKEN, grace=10.0), ["Joined", "Away", "Left"]),
        (welcome(peer_id=1, token=TOKEN, received=5, grace=10.0), ["Joined", "Away", "Left"]),
        (welcome(peer_id=1, token=TOKEN, grace=10.0), ["Joined", "Away", "Back"]),
    ],
)
def test_which_answers_to_a_return_are_final(scene: Scene, answer: bytes, news: list[str]) -> None:
    listening = Listening(scene, welcome(peer_id=1, token=TOKEN, grace=10.0))
    client = listening.client()
    listening.play(0.2)
    listening.server._answer = answer

    scene.network.cut()
    listening.play(2.0)

    assert scene.news(client) == news
    listening.server.close()


class BreaksOff:
    """A connect whose other end ends its side in the middle of the TLS handshake."""

    where, address, hint = "server:7777", None, ""

    def advance(self, now: float) -> Reason:
        return reason_from_error(Explained(ReasonCode.BROKEN_TLS, "broke off during TLS"), self.where)

    def descriptors(self) -> tuple[list[int], list[int], list[int]]:
        return [], [], []

    def due(self) -> None:
        return None

    def close(self) -> None:
        pass


@pytest.mark.fault(89, "memory")
def test_a_handshake_that_breaks_off_is_tried_again_at_a_return_and_final_at_first(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.serve()
    client = scene.join()

    def connect(host: str, port: int, now: float) -> BreaksOff:
        return BreaksOff()

    with monkeypatch.context() as broken:
        broken.setattr(scene.network, "connect", connect)
        newcomer = scene.client()
        scene.network.cut()
        scene.play(2.0)
        attempts = client._attempts

    scene.until(lambda: client.state is State.CONNECTED)

    assert attempts > 1
    assert scene.news(client) == ["Joined", "Away", "Back"]
    assert scene.left(newcomer).code is ReasonCode.BROKEN_TLS


def test_a_seat_that_was_given_away_says_whose_it_was(scene: Scene) -> None:
    listening = Listening(scene, welcome(peer_id=1, token=TOKEN, grace=10.0))
    client = listening.client()
    listening.play(0.2)
    listening.server._answer = welcome(peer_id=2, token=TOKEN, grace=10.0)

    scene.network.cut()
    listening.play(1.0)

    assert scene.left(client).code is ReasonCode.RESUME_LOST
    assert scene.left(client).text.endswith("gave our seat away: we were player 1")
    listening.server.close()


def test_a_client_that_does_not_want_to_does_not_come_back(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join(resume=False)

    scene.network.cut()
    scene.play(1.0)

    assert scene.news(client) == scene.news(server) == ["Joined", "Left"]


def test_the_state_goes_with_the_events(scene: Scene) -> None:
    server = scene.serve()
    client = scene.client()
    seen: list[tuple[State, list[str]]] = [(client.state, [])]

    def watch(seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            scene.play(TICK)
            if client.state is not seen[-1][0]:
                seen.append((client.state, scene.news(client)))

    watch(1.0)
    scene.network.cut()
    watch(3.0)
    scene.frozen.add(server)
    client.close_nicely()
    watch(0.1)
    scene.frozen.clear()
    watch(3.0)

    assert seen == [
        (State.CONNECTING, []),
        (State.CONNECTED, ["Joined"]),
        (State.CONNECTING, ["Joined", "Away"]),
        (State.CONNECTED, ["Joined", "Away", "Back"]),
        (State.DISCONNECTING, ["Joined", "Away", "Back"]),
        (State.DISCONNECTED, ["Joined", "Away", "Back", "Left"]),
    ]


def test_a_second_break_in_the_same_session_is_survived_as_well(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    for number in range(3):
        scene.network.cut(reset=number % 2 == 0)
        client.send(number)
        only(server).send(number)
        scene.until(lambda: client.state is not State.CONNECTED)
        scene.until(lambda: client.state is State.CONNECTED)
        scene.play(5 * TICK)

    assert scene.heard(server) == scene.heard(client) == [0, 1, 2]
    assert scene.news(client) == ["Joined", *["Away", "Back"] * 3]


# Driving.


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
        for _ in range(20):  # the first pings and pongs
            client.wait(0.01)
            client.update()
            server.update()
        nothing = client.wait(0.0)
        only(server).send("wake up")
        server.update()
        woken = client.wait(10.0)
        read, _, _ = client.instantiate()

    assert (with_events, nothing, woken, len(read)) == (True, False, True, 1)


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

    scene.until(lambda: lost._retry_at is None)
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
    first = client._token
    assert first is not None

    scene.network.cut()
    scene.play(1.0)
    second = scene.join(ticket=client.ticket)
    token = second._token
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

    assert (client.state, len(client._scratch)) == (State.DISCONNECTED, 0)
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
        assert reader._has_work()
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


def test_what_is_to_be_sent_is_worth_an_update(scene: Scene) -> None:
    scene.serve()
    client = scene.join()
    client.events()
    client.send("hi")

    assert client._seconds_left() == 0.0


def test_in_a_child_a_client_is_over_and_nobody_is_told(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    scene.frozen.add(server)

    client._abandon()
    client.close_nicely()
    client.update()

    assert (client.state, client.events()) == (State.DISCONNECTED, [])


def test_an_exception_that_leaves_an_update_is_recovered_from(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    server = scene.serve()
    client = scene.join()

    def interrupted(connection: Any, now: float, scratch: memoryview) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Stream, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        client.update()
    scene.until(lambda: "Back" in scene.news(client))
    client.send("after")
    scene.play(2 * TICK)

    assert scene.news(client) == ["Joined", "Away", "Back"]
    assert scene.heard(server) == ["after"]


def test_what_is_asked_for_in_the_middle_of_an_update_comes_at_its_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.serve()
    client = scene.join()
    step = Stream.step
    states: list[State] = []

    def handled(stream: Stream, now: float, scratch: memoryview) -> None:
        monkeypatch.undo()
        client.close_nicely("bye")
        states.append(client.state)
        step(stream, now, scratch)

    monkeypatch.setattr(Stream, "step", handled)
    client.update()

    assert (states, client.state) == ([State.CONNECTED], State.DISCONNECTING)


def test_a_goodbye_that_an_exception_came_into_ends_the_link(scene: Scene) -> None:
    scene.serve()
    client = scene.join()
    link_of(client)._close_reason = closed_here("bye")  # decided, and nothing done yet
    engine_of(client).torn = True

    scene.play(TICK)

    assert client.reason == closed_here("bye")
    assert scene.left(client) == closed_here("bye")


def test_a_goodbye_on_its_way_survives_an_exception(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    link_of(client).fail(Reason(ReasonCode.TOO_SLOW, "too slow"))
    engine_of(client).torn = True

    client.update()
    [closing] = client._closing
    state = closing.state
    scene.play(2 * TICK)

    assert state is State.DISCONNECTING
    assert scene.left(server).code is ReasonCode.TOO_SLOW
    assert scene.left(client) == Reason(ReasonCode.TOO_SLOW, "too slow")


def test_an_attempt_to_come_back_is_not_forgotten_by_an_exception(scene: Scene) -> None:
    scene.serve()
    client = scene.join()
    scene.network.down = True
    scene.network.cut()
    scene.until(lambda: client._retry_at is not None)
    client._retry_at, engine_of(client).torn = None, True  # it was about to be set

    scene.network.down = False
    scene.until(lambda: client.state is State.CONNECTED)

    assert scene.news(client) == ["Joined", "Away", "Back"]


# Several servers.


class Places:
    """Servers at several addresses of a scene, each of which lets everybody in until a test says otherwise."""

    def __init__(self, scene: Scene, count: int) -> None:
        self._scene = scene
        self.answers: list[Any] = [True] * count
        self.asked: list[tuple[int, Any]] = []
        self.servers = [self._serve(number) for number in range(count)]

    def _serve(self, number: int) -> Server:
        def authenticate(credentials: Any, _address: Address) -> Any:
            self.asked.append((number, credentials))
            return self.answers[number]

        link: Any = {"network": self._scene.network, "clock": self._scene.clock}
        server = Server(f"host{number}", 8000 + number, authenticate=authenticate, **link)
        self._scene.told[server] = []
        return server

    def client(self, *address: Any, **options: Any) -> Client:
        client = Client(*address, network=self._scene.network, clock=self._scene.clock, **options)
        self._scene.told[client] = []
        return client

    def close(self, *numbers: int) -> None:
        for number in numbers:
            self.servers[number].close()


def test_a_client_goes_where_it_is_sent(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[0] = Elsewhere("host1:8001")
    client = places.client("host0", 8000)
    assert client.address == Address("host0", 8000)

    scene.play(12 * TICK)

    assert (scene.news(client), client.address) == (["Joined"], Address("host1", 8001))
    assert scene.news(places.servers[0]) == []
    assert scene.news(places.servers[1]) == ["Joined"]


def test_a_client_that_was_sent_on_comes_back_to_where_it_is(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[0] = Elsewhere(("host1", 8001))
    client = places.client("host0", 8000)
    scene.play(12 * TICK)
    scene.network.cut()

    scene.until(lambda: scene.news(client)[-1] == "Back")

    assert scene.news(client) == ["Joined", "Away", "Back"]
    assert len(places.asked) == 2


@pytest.mark.parametrize("patience", [0.0, 5.0])
def test_who_is_sent_round_in_a_circle_stops_after_three_times(scene: Scene, patience: float) -> None:
    places = Places(scene, 2)
    places.answers[:] = [Elsewhere("host1:8001"), Elsewhere("host0:8000", "not here")]
    client = places.client("host0", 8000, patience=patience)

    scene.play(16 * TICK)
    assert [number for number, _ in places.asked][:4] == [0, 1, 0, 1]
    scene.play(10.0)

    rounds = len(places.asked) // 4
    assert [number for number, _ in places.asked] == [0, 1, 0, 1] * rounds
    assert (rounds == 1) == (patience == 0.0)
    assert rounds < 12
    assert scene.left(client).code is ReasonCode.MOVED
    assert re.fullmatch(r"not here \(tried \d+ times in .* s\)", scene.left(client).text)


def test_who_is_sent_to_nobody_asks_where_it_began(scene: Scene) -> None:
    places = Places(scene, 1)
    places.answers[0] = Elsewhere("nowhere:9999")
    client = places.client("host0", 8000, patience=10.0)
    scene.play(12 * TICK)
    places.answers[0] = True

    scene.until(lambda: client.state is State.CONNECTED)

    assert client.address == Address("host0", 8000)


def test_who_is_sent_to_nobody_without_patience_gives_up(scene: Scene) -> None:
    places = Places(scene, 1)
    places.answers[0] = Elsewhere("nowhere:9999")
    client = places.client("host0", 8000)
    scene.play(1.0)

    assert scene.left(client).code is ReasonCode.REFUSED
    assert "nothing is listening on nowhere:9999" in scene.left(client).text


def test_one_of_several_addresses_is_enough(scene: Scene) -> None:
    places = Places(scene, 4)
    places.close(0, 1, 3)
    addresses = ["host0:8000", ("host1", 8001), Address("host2", 8002), "host3:8003"]
    client = places.client(addresses=addresses)
    first = places.client("host0", 8000, addresses=["host2:8002"])
    assert first.address == Address("host0", 8000)

    scene.play(12 * TICK)

    assert client.address == first.address == Address("host2", 8002)
    assert scene.news(client) == scene.news(first) == ["Joined"]


def test_each_of_several_addresses_is_tried_once_without_patience(scene: Scene) -> None:
    places = Places(scene, 3)
    places.answers[2] = Elsewhere(None)
    places.close(0, 1)
    client = places.client(addresses=["host0:8000", "host1:8001", "host2:8002"])

    scene.play(1.0)

    assert len(places.asked) == 1
    assert re.search(r"\(tried 3 times in ", scene.left(client).text)


def test_with_patience_all_addresses_are_tried_again_and_again(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[:] = [Elsewhere(None), Elsewhere(None)]
    client = places.client(addresses=["host0:8000", "host1:8001"], patience=60.0)
    scene.play(4.0)
    rounds = len(places.asked) // 2
    assert {*places.asked} == {(0, None), (1, None)}
    assert 2 <= rounds < 10
    places.answers[1] = True

    scene.until(lambda: client.state is State.CONNECTED)

    assert client.address == Address("host1", 8001)


def test_clients_of_the_same_addresses_come_to_different_ones(scene: Scene) -> None:
    places = Places(scene, 2)
    for _ in range(30):
        places.client(addresses=["host0:8000", "host1:8001"])
    scene.play(12 * TICK)

    assert min(len(server.peers) for server in places.servers) > 2


def test_a_player_who_was_in_already_is_told_where_to_go(scene: Scene) -> None:
    places = Places(scene, 2)
    client = places.client("host0", 8000)
    scene.play(12 * TICK)

    only(places.servers[0]).send("last words")
    only(places.servers[0]).move("host1:8001")
    scene.play(12 * TICK)

    reason = Reason(ReasonCode.MOVED, "this game goes on at host1:8001", where=Address("host1", 8001))
    assert scene.heard(client) == ["last words"]
    assert scene.left(client) == client.reason == reason
    assert scene.news(places.servers[1]) == []


# What proves who one is.


def proof(proves: str) -> dict[str, Any]:
    """Return the options of a client that has something to prove itself with."""
    return {"credentials": "secret"} if proves == "credentials" else {"ticket": "seat-" + TOKEN.hex()}


@pytest.mark.parametrize("proves", ["credentials", "ticket"])
def test_what_proves_who_one_is_goes_to_nobody_who_was_not_named(scene: Scene, proves: str) -> None:
    places = Places(scene, 2)
    listening = Listening(scene, bye(ReasonCode.MOVED.value, "go on", "host1:8001"))
    client = listening.client(**proof(proves))
    listening.play(1.0)

    assert places.asked == []
    assert scene.left(client) == Reason(
        ReasonCode.MOVED,
        "go on (host1:8001 was not asked: credentials go to hosts in addresses=, or with tls=True)",
        where=Address("host1", 8001),
    )


@pytest.mark.parametrize("named", [["HOST1.:1"], ["x:1", ("host1", 7)]])
def test_what_proves_who_one_is_goes_to_hosts_that_were_named(scene: Scene, named: list[Any]) -> None:
    places = Places(scene, 2)
    places.answers[0] = Elsewhere("host1:8001")
    client = places.client("host0", 8000, addresses=named, credentials="secret")
    scene.play(12 * TICK)

    assert (places.asked, scene.news(client)) == ([(0, "secret"), (1, "secret")], ["Joined"])


def test_what_proves_who_one_is_goes_to_another_port_of_the_same_host(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[0] = Elsewhere("host0:8001")
    places.client("host0", 8000, credentials="secret")
    scene.play(12 * TICK)

    assert places.asked == [(0, "secret"), (1, "secret")]


def test_who_has_nothing_to_prove_goes_anywhere(scene: Scene) -> None:
    places = Places(scene, 2)
    places.answers[0] = Elsewhere("host1:8001")
    places.client("host0", 8000)
    scene.play(12 * TICK)

    assert places.asked == [(0, None), (1, None)]


@pytest.mark.parametrize(("verified", "asked"), [(True, [(0, "secret"), (1, "secret")]), (False, [(0, "secret")])])
def test_over_tls_what_proves_who_one_is_goes_to_whoever_proves_who_it_is(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, verified: bool, asked: list[Any]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = verified
    used: list[Any] = []

    class FakeTls:
        def __init__(self, below: MemoryNetwork, given: object) -> None:
            used.append(given)
            self.connect = below.connect

    monkeypatch.setattr("netcode.transport.tls.TlsNetwork", FakeTls)
    places = Places(scene, 2)
    places.answers[0] = Elsewhere("host1:8001")
    places.client("host0", 8000, credentials="secret", tls=context)
    scene.play(12 * TICK)

    assert (places.asked, used) == (asked, [context])


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"addresses": "a:1"}, TypeError, "addresses must be a list"),
        ({"addresses": 7}, TypeError, "addresses must be a list .* not int"),
        ({"addresses": ["a"]}, ValueError, "each of addresses must be a host and a port"),
        ({"addresses": [7]}, TypeError, "each of addresses must be"),
        ({}, ValueError, "both must be given"),
        ({"host": "a"}, ValueError, "both must be given"),
        ({"port": 7, "addresses": ["a:1"]}, ValueError, "both must be given"),
    ],
)
def test_places_that_cannot_be_are_refused(options: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Client(**options)
