"""A client's part of its session: it connects, greets, comes back, and leaves."""

from typing import Any

import pytest
from bounds import as_long_as
from faults.wire import ACK, BYE, HELLO, MAX_MESSAGE, bye, control, hello, message, welcome
from inside import doorway_of, engine_of, guest_of, has_link, link_of, peer_of
from scene import HOST, PORT, TICK, Listening, Scene, only

import netcode
from netcode import Back, Client, Joined, Left, Reason, ReasonCode, State
from netcode.reasons import HungUp, closed_here, reason_from_error
from netcode.session.comeback import BACKOFF, GREETING_REST, GREETINGS, PAUSES, REFUSALS
from netcode.stream import driver
from netcode.stream.stream import Stream
from netcode.wire.protocol import MAX_UNGREETED

TOKEN = bytes(range(32))


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


@pytest.mark.parametrize("code", [ReasonCode.HANDSHAKE_TIMEOUT, ReasonCode.BROKEN_TLS])
def test_who_paused_before_it_greeted_tries_again_at_once(scene: Scene, code: ReasonCode) -> None:
    listening = Listening(scene, bye(code.value, "you did not greet"))
    client = listening.client()
    scene.clock.advance(4.0)  # loads a level
    listening.play(2 * TICK)
    listening.server._answer = welcome()

    listening.play(4 * TICK)

    assert scene.news(client) == ["Joined"]
    listening.server.close()


def test_who_pauses_each_time_hears_that_at_last(scene: Scene) -> None:
    listening = Listening(scene, bye(ReasonCode.HANDSHAKE_TIMEOUT.value, "you did not greet"))
    client = listening.client()
    for _ in range(4 * (PAUSES + 1)):
        scene.clock.advance(4.0)
        listening.play(TICK)

    assert scene.left(client).code is ReasonCode.HANDSHAKE_TIMEOUT
    assert len(listening.server.guests) == PAUSES + 1
    listening.server.close()


def test_a_pause_does_not_excuse_a_server_that_does_not_greet(scene: Scene) -> None:
    listening = Listening(scene)
    client = listening.client()
    scene.clock.advance(4.0)

    listening.play(3.1)

    assert scene.left(client).code is ReasonCode.HANDSHAKE_TIMEOUT
    assert len(listening.server.guests) == 1
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
    lingering = len(guest_of(client).closing)

    client.close()

    assert (lingering, len(guest_of(client).closing)) == (1, 0)
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

    assert guest_of(client).comeback._refusals == REFUSALS
    assert scene.left(client).code is ReasonCode.RESET
    assert "; and then: nothing is listening on" in scene.left(client).text


def test_who_is_back_stays_for_longer_than_its_seat_was_kept(scene: Scene, lost: Client) -> None:
    scene.network.down = False
    scene.until(lambda: lost.state is State.CONNECTED)

    scene.play(3 * guest_of(lost).grace)

    assert scene.news(lost) == ["Joined", "Away", "Back"]
    assert lost.state is State.CONNECTED


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


@pytest.mark.fault(64, "memory")
@pytest.mark.parametrize(
    ("answer", "news"),
    [
        (bye(ReasonCode.SERVER_FULL.value, "in a moment"), ["Joined", "Away"]),
        (bye(ReasonCode.TOO_MANY.value, "from your address"), ["Joined", "Away"]),
        (bye(ReasonCode.HANDSHAKE_TIMEOUT.value, "too slow"), ["Joined", "Away"]),
        (bye(ReasonCode.GOODBYE.value, "sent away"), ["Joined", "Away", "Left"]),
        (bye(ReasonCode.DENIED.value, "banned"), ["Joined", "Away", "Left"]),
        (bye(ReasonCode.WRONG_VERSION.value, "another"), ["Joined", "Away", "Left"]),
        (bye(ReasonCode.RESUME_LOST.value, "restarted"), ["Joined", "Away", "Left"]),
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
    attempts = len(listening.server.guests)
    listening.play(8.0)

    assert scene.news(client)[: len(news)] == news
    if news[-1] == "Left":  # for good
        assert len(listening.server.guests) == attempts == 2
    listening.server.close()


def test_a_greeting_that_was_given_up_and_arrives_after_all_takes_our_place_for_a_moment_only(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    token = guest_of(client).token
    assert token is not None
    scene.frozen.add(server)
    scene.network.cut()
    scene.until(lambda: not has_link(client))
    scene.until(lambda: has_link(client) and link_of(client).stream.transport is not None)
    scene.network.cut()  # under the greeting, which a proxy, say, has and will hand on
    scene.play(TICK)
    scene.frozen.clear()
    scene.until(lambda: client.state is State.CONNECTED)

    scene.stranger(hello(token=token, received=0))
    server.broadcast("for whoever sits there")
    scene.until(lambda: bool(scene.heard(client)))
    before = scene.news(client)
    scene.stranger(hello(token=token, received=1))
    scene.play(2 * TICK)

    assert before == ["Joined", "Away", "Back", "Away", "Back"]
    assert scene.heard(client) == ["for whoever sits there"]
    assert scene.left(client).code is ReasonCode.REPLACED, "a second time it was somebody else"
    assert scene.news(server) == ["Joined", "Away", "Back"]


def test_an_answer_that_our_place_is_taken_is_final_where_no_greeting_of_ours_can_have_taken_it(scene: Scene) -> None:
    replaced = bye(ReasonCode.REPLACED.value, "the same player has connected again since")
    listening = Listening(scene, welcome(peer_id=1, token=TOKEN, grace=60.0))
    client = listening.client()
    listening.play(0.2)

    def attempt(answer: bytes) -> None:
        listening.server._answer = answer
        before = guest_of(client).comeback.tries
        listening.play(0.1)
        while guest_of(client).comeback.tries == before:
            listening.play(TICK)
        listening.play(0.2)
        scene.network.cut()
        listening.play(0.1)

    scene.network.cut()
    attempt(b"")
    attempt(replaced)
    tried_again = scene.news(client)
    attempt(replaced)

    assert tried_again == ["Joined", "Away"]
    assert scene.left(client).code is ReasonCode.REPLACED
    listening.server.close()


def test_a_server_that_gives_no_token_at_a_return_keeps_the_seat_no_longer(scene: Scene) -> None:
    listening = Listening(scene, welcome(peer_id=1, token=TOKEN, grace=10.0))
    client = listening.client()
    listening.play(0.2)
    listening.server._answer = welcome(peer_id=1, token=b"", grace=10.0)

    for _ in range(2):
        scene.network.cut()
        listening.play(2.0)

    assert scene.news(client) == ["Joined", "Away", "Back", "Left"]
    assert scene.left(client).code is ReasonCode.RESET
    listening.server.close()


class BreaksOff:
    """A connect whose other end ends its side in the middle of the TLS handshake."""

    where, address, hint = "server:7777", None, ""

    def advance(self, now: float) -> Reason:
        return reason_from_error(HungUp(ReasonCode.BROKEN_TLS, "broke off during TLS"), self.where)

    def descriptors(self) -> tuple[list[int], list[int], list[int]]:
        return [], [], []

    def due(self) -> None:
        return None

    def close(self) -> None:
        pass


@pytest.mark.fault(89, "memory")
def test_a_handshake_that_breaks_off_is_tried_again_at_a_return_and_with_patience(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.serve()
    client = scene.join()

    def connect(host: str, port: int, now: float) -> BreaksOff:
        return BreaksOff()

    with monkeypatch.context() as broken:
        broken.setattr(scene.network, "connect", connect)
        newcomer, patient = scene.client(), scene.client(patience=60.0)
        scene.network.cut()
        scene.play(2.0)
        attempts = guest_of(client).comeback.attempts

    scene.until(lambda: client.state is State.CONNECTED)

    assert attempts > 1
    assert scene.news(client) == ["Joined", "Away", "Back"]
    assert scene.left(newcomer).code is ReasonCode.BROKEN_TLS
    scene.until(lambda: patient.state is State.CONNECTED)


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


def test_an_exception_that_leaves_an_update_is_recovered_from(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    server = scene.serve()
    client = scene.join()

    def interrupted(connection: Any, now: float, scratch: memoryview) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr("netcode.session.guest.step", interrupted)
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
    step = driver.step
    states: list[State] = []

    def handled(stream: Stream, now: float, scratch: memoryview) -> None:
        monkeypatch.undo()
        client.close_nicely("bye")
        states.append(client.state)
        step(stream, now, scratch)

    monkeypatch.setattr("netcode.session.guest.step", handled)
    client.update()

    assert (states, client.state) == ([State.CONNECTED], State.DISCONNECTING)


def test_a_goodbye_that_an_exception_came_into_ends_the_link(scene: Scene) -> None:
    scene.serve()
    client = scene.join()
    link_of(client).goodbye = closed_here("bye")  # decided, and nothing done yet
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
    [closing] = guest_of(client).closing
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
    scene.until(lambda: guest_of(client).retry_at is not None)
    guest_of(client).retry_at, engine_of(client).torn = None, True  # it was about to be set

    scene.network.down = False
    scene.until(lambda: client.state is State.CONNECTED)

    assert scene.news(client) == ["Joined", "Away", "Back"]


# What it has to do.


def test_a_guest_knows_when_it_has_something_to_do(scene: Scene) -> None:
    scene.serve()
    client = scene.join()
    guest = guest_of(client)
    guest.send_now()
    idle = guest.has_work(), guest.until_due()

    client.send("x")
    sends = guest.has_work(), guest.until_due()
    guest.engine.torn = True
    torn = guest.until_due()
    guest.engine.torn = False

    assert (idle[0], sends, torn) == (False, (True, 0.0), 0.0)
    assert idle[1] is not None
    assert idle[1] > 0.0
    assert guest.descriptors() == ([], [], [])


def test_over_sockets_a_guest_has_nothing_to_do_until_something_comes() -> None:
    with netcode.Server("127.0.0.1", 0) as server, Client("127.0.0.1", server.address.port) as client:
        for _ in as_long_as(lambda: client.peer is None):
            client.update()
            server.update()
        client.update()
        idle = guest_of(client).has_work()
        server.broadcast("x")
        server.update()
        for _ in as_long_as(lambda: not guest_of(client).has_work()):
            pass

        assert idle is False


def test_a_guest_that_is_away_knows_when_it_is_to_try_again_and_until_when(scene: Scene, lost: Client) -> None:
    guest = guest_of(lost)
    scene.until(lambda: guest.retry_at is not None)

    left = guest.until_due()

    assert left is not None
    assert 0.0 <= left <= 30.0


def test_in_a_child_a_guest_is_over(scene: Scene) -> None:
    scene.serve()
    guest = guest_of(scene.join())
    assert guest.link is not None
    stream = guest.link.stream

    guest.abandon()
    over: tuple[object, ...] = guest.state, guest.link, [*guest.closing], guest.until_due()
    guest.closing.append(stream)

    assert over == (State.DISCONNECTED, None, [], None)
    assert guest.until_due() is None  # for what is over is never due
    guest.closing.clear()
    with pytest.warns(RuntimeWarning, match=r"^this client belongs to the process that made it"):
        guest.step()
    guest.step()


def test_a_guest_goes_where_it_is_sent_and_proves_itself_to_those_it_knows_alone(scene: Scene) -> None:
    def elsewhere(credentials: object, address: object) -> netcode.Elsewhere:
        return netcode.Elsewhere("elsewhere:7777")

    scene.serve(authenticate=elsewhere)
    sent, careful = scene.client(patience=1.0), scene.client(credentials="secret")

    scene.until(lambda: careful.state is State.DISCONNECTED)

    assert "elsewhere:7777 was not asked" in scene.left(careful).text
    assert sent.address.host == "elsewhere"


def test_a_ticket_does_not_go_where_the_guest_is_sent(scene: Scene) -> None:
    scene.serve()
    ticket = scene.join().ticket
    listening = Listening(scene, bye(ReasonCode.MOVED.value, "elsewhere", "elsewhere:7777"))
    client = listening.client(ticket=ticket)

    listening.play(1.0)

    assert scene.left(client).code is ReasonCode.MOVED
    assert "elsewhere:7777 was not asked" in scene.left(client).text
    assert client.address.host != "elsewhere"


def test_a_ticket_begins_where_the_program_before_it_was(scene: Scene) -> None:
    server = scene.serve()
    first = scene.join()
    ticket = first.ticket
    scene.frozen.add(first)

    second = scene.client(ticket=ticket)
    scene.until(lambda: second.state is State.CONNECTED)
    second.send("anew")
    scene.play(2 * TICK)

    assert scene.heard(server) == ["anew"]


@pytest.mark.parametrize("over", ["nothing", "session", "link", "closing"])
def test_what_an_exception_came_into_is_brought_to_its_end(scene: Scene, over: str) -> None:
    scene.serve()
    client = scene.join()
    guest, reason = guest_of(client), Reason(ReasonCode.RESET, "broke")
    assert guest.link is not None
    if over == "session":
        guest.session.end(reason)
    elif over == "link":
        guest.link.reason = reason
    elif over == "closing":
        guest.closing.append(guest.link.stream)  # and its link was about to be let go

    guest.recover()
    scene.play(TICK)

    news = {
        "nothing": ["Joined"],
        "session": ["Joined", "Left"],
        "link": ["Joined", "Away"],
        "closing": ["Joined", "Away"],
    }
    assert scene.news(client) == news[over]
