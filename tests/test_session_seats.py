"""Who has a seat: tokens, returns, graces, ghosts, and why sessions are over."""

from typing import Any

import pytest
from faults.wire import (
    ACK,
    BYE,
    HELLO,
    MAX_MESSAGE,
    WELCOME,
    Stranger,
    bye,
    control,
    hello,
    message,
    reason_of,
    token_of,
)
from inside import (
    engine_of,
    fresh_of,
    graces_of,
    keys_of,
    link_of,
    linked_at,
    origins_of,
    session_of,
)
from scene import HOST, PORT, TICK, Scene, only

import netcode
from netcode import (
    Address,
    Away,
    Back,
    Joined,
    Left,
    Reason,
    ReasonCode,
    Received,
    Refusal,
    State,
)
from netcode.session.seats import KEY_SIZE, SECRET_SIZE
from netcode.session.session import Told

# Another program in the same seat.


def anew(token: bytes) -> bytes:
    """Return the HELLO of a program that has a token, and nothing else, of the one before it."""
    return control(HELLO, "netcode", 1, "", "", MAX_MESSAGE, token, 0, None, True)


def test_another_program_hears_from_where_it_is_told_and_gets_a_token_of_its_own(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(message("up"), token=b"")
    for number in range(4):
        only(server).send(number)
    scene.play(TICK)
    guest.say(control(ACK, 3))
    scene.play(2 * TICK)
    guest.connection.close()
    scene.play(2 * TICK)

    other = scene.stranger(anew(token_of(guest)))

    [[_, peer_id, _, token, received, _, _, first]] = other.told(WELCOME)
    assert (peer_id, received, first, other.messages) == (1, 1, 3, [3])
    assert (token[:KEY_SIZE], len(token)) == (token_of(guest)[:KEY_SIZE], KEY_SIZE + SECRET_SIZE)
    assert token != token_of(guest)
    assert scene.news(server) == ["Joined", "Away", "Back"]


def test_the_token_before_is_good_for_another_program_alone(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(control(ACK, 0), token=b"")
    other = scene.stranger(anew(token_of(guest)))

    late = scene.stranger(hello(token=token_of(guest)))
    third = scene.stranger(anew(token_of(guest)))

    assert reason_of(guest)[0] is ReasonCode.REPLACED
    assert reason_of(late)[0] is ReasonCode.REPLACED
    assert reason_of(other)[0] is ReasonCode.REPLACED
    assert third.connection.alive
    assert len({token_of(one) for one in (guest, other, third)}) == 3
    assert scene.news(server) == ["Joined", *["Away", "Back"] * 2]


def test_what_is_kept_no_more_cannot_be_given_to_another_program(scene: Scene) -> None:
    server = scene.serve(max_resend=5_000, max_message=4_096)
    guest = scene.guest(control(ACK, 0), token=b"")
    for _ in range(4):
        only(server).send(bytes(4_000))
        scene.play(TICK)
    guest.connection.close()
    scene.play(2 * TICK)

    other = scene.stranger(anew(token_of(guest)))

    assert reason_of(other)[0] is ReasonCode.RESUME_LOST
    assert scene.news(server) == ["Joined", "Away", "Left"]
    assert keys_of(server) == {}


# Who does not know that it is in.


@pytest.mark.fault(76, "memory")
@pytest.mark.parametrize("reset", [True, False])
def test_a_seat_whose_greeting_broke_yields_to_a_newcomer(scene: Scene, reset: bool) -> None:
    server = scene.serve(max_peers=1)
    scene.guest(token=b"")
    scene.network.cut(reset=reset)
    scene.play(2 * TICK)
    before = scene.news(server)

    client = scene.join()

    assert before == ["Joined", "Away"]
    assert scene.news(server) == ["Joined", "Away", "Left", "Joined"]
    assert only(server).id == client.id == 2
    assert len(keys_of(server)) == linked_at(server) == len(origins_of(server)) == 1


def test_a_seat_whose_greeting_broke_is_kept_as_long_as_a_greeting_is_waited_for(scene: Scene) -> None:
    server = scene.serve()
    scene.guest(token=b"")
    scene.network.cut()

    scene.play(2.9)
    before = scene.news(server)
    scene.play(0.2)

    assert (before, scene.news(server)) == (["Joined", "Away"], ["Joined", "Away", "Left"])


def test_who_got_the_greeting_after_all_may_come_back_for_so_long(scene: Scene) -> None:
    server = scene.serve(max_peers=1)
    guest = scene.guest(token=b"")
    scene.network.cut()
    scene.play(2.5)

    scene.guest(token=token_of(guest))
    scene.network.cut()
    scene.play(3.5)
    turned_away = scene.stranger(hello())

    assert scene.news(server) == ["Joined", "Away", "Back", "Away"]
    assert reason_of(turned_away)[0] is ReasonCode.SERVER_FULL


@pytest.mark.parametrize("limit", ["max_peers", "max_peers_per_address"])
def test_a_silent_link_that_never_took_its_greeting_yields_after_a_while(scene: Scene, limit: str) -> None:
    server = scene.serve(**{limit: 1})
    ghost = scene.stranger(hello(token=b""))
    scene.play(2.8)
    early = scene.stranger(hello())
    scene.play(0.3)

    client = scene.join()

    assert reason_of(early)[0] in {ReasonCode.SERVER_FULL, ReasonCode.TOO_MANY}
    assert scene.left(server).code is ReasonCode.HANDSHAKE_TIMEOUT
    assert scene.left(server).text.endswith("did not take its seat within handshake_timeout = 3 s")
    assert reason_of(ghost) == (ReasonCode.HANDSHAKE_TIMEOUT, scene.left(server).text)
    assert (only(server).id, client.state, linked_at(server)) == (client.id, State.CONNECTED, 1)
    assert sum(origins_of(server).values()) == 1


@pytest.mark.parametrize("proof", [control(ACK, 0), message("hi"), message(bytes(100))[:50]])
def test_who_has_said_anything_keeps_the_seat(scene: Scene, proof: bytes) -> None:
    server = scene.serve(max_peers=1, max_peers_per_address=1)
    guest = scene.guest(proof, token=b"")
    scene.play(4.0)
    same_address = scene.stranger(hello())
    guest.connection.close()
    scene.play(4.0)

    other = scene.stranger(hello())

    assert reason_of(same_address)[0] is ReasonCode.TOO_MANY
    assert reason_of(other)[0] is ReasonCode.SERVER_FULL
    assert scene.news(server) == ["Joined", "Away"]


def test_it_is_not_kept_that_who_has_spoken_may_not_know_of_the_seat(scene: Scene) -> None:
    server = scene.serve()
    for _ in range(5):
        scene.guest(control(ACK, 0), token=b"")

    scene.guest(token=b"")
    fresh = [session.id for session in fresh_of(server)]

    assert fresh == [6]


def test_who_is_not_let_in_takes_nobodys_seat(scene: Scene) -> None:
    def authenticate(credentials: Any, address: Address) -> Any:
        return credentials == "Ann" or Refusal("no")

    server = scene.serve(max_peers=1, authenticate=authenticate)
    ann = scene.client(credentials="Ann")
    scene.until(lambda: len(server.peers) == 1)
    scene.frozen.add(ann)
    scene.network.cut()
    mallory = scene.client(credentials="Mallory")

    scene.play(1.0)

    assert scene.left(mallory).text == "no"
    assert scene.news(server) == ["Joined", "Away"]


# Coming back.


def test_a_token_is_random_and_its_own(scene: Scene) -> None:
    scene.serve()

    tokens = {token_of(scene.guest(token=b"")) for _ in range(10)}

    assert len(tokens) == 10
    assert {len(token) for token in tokens} == {KEY_SIZE + SECRET_SIZE}


def test_who_does_not_want_to_come_back_is_given_no_token(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(token=None)

    guest.connection.close()
    scene.play(3 * TICK)

    assert guest.told(WELCOME)[0][3] == b""
    assert guest.told(WELCOME)[0][6] == 0.0
    assert scene.news(server) == ["Joined", "Left"]
    assert keys_of(server) == {}


def test_a_new_client_cannot_take_a_seat_that_nobody_can_leave(scene: Scene) -> None:
    server = scene.serve()

    guest = scene.guest(message("hi"), token=b"", received=7)

    assert guest.told(WELCOME)[0][4] == 0
    assert scene.heard(server) == ["hi"]
    guest.say(bye())
    scene.play(3 * TICK)
    assert scene.news(server) == ["Joined", "Left"]
    assert server.peers == ()


@pytest.mark.fault(61, "memory")
def test_a_token_of_a_session_that_is_over_is_refused(scene: Scene) -> None:
    server = scene.serve(grace=2.0)
    first = scene.guest(token=b"")
    token = token_of(first)
    first.connection.close()

    scene.play(1.9)
    before = scene.news(server)
    scene.play(0.3)
    late = scene.stranger(hello(token=token))

    assert before == ["Joined", "Away"]
    assert scene.news(server) == ["Joined", "Away", "Left"]
    assert scene.left(server).code is ReasonCode.CLOSED_BY_PEER
    assert reason_of(late)[0] is ReasonCode.RESUME_LOST
    assert (keys_of(server), server.peers) == ({}, ())


def test_a_return_in_time_ends_the_grace(scene: Scene) -> None:
    server = scene.serve(grace=2.0)
    first = scene.guest(token=b"")
    peer = only(server)
    first.connection.close()
    scene.play(1.0)

    scene.stranger(hello(token=token_of(first)))
    scene.play(2.0)

    assert scene.told[server] == [Joined(peer), Away(peer, scene.away(server)), Back(peer)]
    assert scene.away(server).code is ReasonCode.CLOSED_BY_PEER


def test_each_break_has_a_grace_of_its_own(scene: Scene) -> None:
    server = scene.serve(grace=2.0)
    first = scene.guest(token=b"")
    peer = only(server)
    first.connection.close()
    scene.play(1.0)
    second = scene.stranger(hello(token=token_of(first)))

    second.connection.close()
    scene.play(1.5)  # beyond the end of the first grace
    before = scene.news(server)
    scene.play(0.6)

    assert before == ["Joined", "Away", "Back", "Away"]
    assert scene.told[server][-1] == Left(peer, scene.left(server))
    assert scene.left(server).code is ReasonCode.CLOSED_BY_PEER


def test_graces_that_ended_early_are_not_kept(scene: Scene) -> None:
    server = scene.serve(grace=3600.0)
    leaver = scene.guest(control(ACK, 0), token=b"")  # who says nothing keeps no seat for so long
    leaver.connection.close()
    guest = scene.guest(token=b"")
    token = token_of(guest)
    most = 0

    for _ in range(100):
        guest.connection.close()
        scene.play(2 * TICK)
        guest = scene.stranger(hello(token=token))
        most = max(most, len(graces_of(server)))
    scene.play(3580.0, tick=1.0)
    before = scene.news(server).count("Left")
    scene.play(15.0, tick=1.0)

    assert most <= 64 + 4 * 2 + 1
    assert scene.news(server).count("Back") == 100
    assert (before, scene.news(server).count("Left")) == (0, 1)


def test_who_is_sent_away_while_away_leaves_once(scene: Scene) -> None:
    server = scene.serve(grace=2.0)
    guest = scene.guest(token=b"")
    peer = only(server)
    guest.connection.close()
    scene.play(1.0)

    peer.close_nicely("kicked")
    scene.play(2.0)

    assert scene.told[server] == [
        Joined(peer),
        Away(peer, scene.away(server)),
        Left(peer, Reason(ReasonCode.CLOSED, "kicked")),
    ]


def test_the_new_link_wins_and_the_old_one_is_told(scene: Scene) -> None:
    server = scene.serve()
    old = scene.guest(token=b"")
    peer = only(server)

    new = scene.stranger(hello(token=token_of(old)), message("from the new"))
    old.say(message("from the old"))
    scene.play(3 * TICK)

    assert reason_of(old) == (ReasonCode.REPLACED, "the same player connected again from elsewhere")
    assert new.told(WELCOME)[0][1] == peer.id == 1
    assert scene.told[server] == [Joined(peer), Received(peer, "from the new")]
    assert linked_at(server) == 1


@pytest.mark.parametrize(("text", "told"), [("you are banned", "you are banned"), ("", "the other end left")])
def test_who_was_sent_away_does_not_come_back_by_keeping_the_old_link_open(scene: Scene, text: str, told: str) -> None:
    server = scene.serve(close_timeout=2.0)
    old = scene.guest(token=b"")
    old.frozen = True

    only(server).close_nicely(text)
    new = scene.stranger(hello(token=token_of(old)), message("still here"))
    again = scene.stranger(hello(token=token_of(old)))
    before = scene.news(server)
    scene.play(2.5)
    late = scene.stranger(hello(token=token_of(old)))

    assert (new.told(WELCOME), again.told(WELCOME), late.told(WELCOME)) == ([], [], [])
    assert reason_of(new) == reason_of(again) == (ReasonCode.GOODBYE, told)
    assert reason_of(late) == (ReasonCode.GOODBYE, told)
    assert before == ["Joined"]
    assert scene.heard(server) == []
    assert scene.left(server).code is ReasonCode.CLOSE_TIMEOUT
    assert (linked_at(server), server.peers, keys_of(server)) == (0, (), {})


@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_nobody_comes_back_to_a_server_that_closes(scene: Scene, how: str) -> None:
    server = scene.serve(close_timeout=1.0)
    old = scene.guest(token=b"")
    new = scene.stranger()

    getattr(server, how)()
    new.say(hello(token=token_of(old)))
    scene.play(2.0)

    assert (new.told(WELCOME), reason_of(new)[0]) == ([], ReasonCode.SHUTDOWN)
    assert scene.news(server) == ["Joined", "Left"]


def test_who_was_cut_off_does_not_come_back(scene: Scene) -> None:
    server = scene.serve()
    old = scene.guest(token=b"")

    only(server).close()
    new = scene.stranger(hello(token=token_of(old)))

    assert (new.told(WELCOME), reason_of(new)) == ([], (ReasonCode.GOODBYE, "the other end left"))
    assert scene.news(server) == ["Joined", "Left"]


@pytest.mark.fault(79, "memory")
def test_a_session_that_was_ended_on_purpose_answers_a_return_with_it_until_its_grace_is_over(scene: Scene) -> None:
    server = scene.serve(max_queue=100_000, close_timeout=0.5, grace=4.0)
    scene.network.capacity = 1_000
    old = scene.guest(token=b"")
    token = token_of(old)
    old.frozen = True
    for _ in range(20):
        only(server).send(bytes(60_000))
    scene.play(1.0)

    early = scene.stranger(hello(token=token))
    forged = scene.stranger(hello(token=token[:-1] + bytes((token[-1] ^ 1,))))
    scene.play(4.0)
    late = scene.stranger(hello(token=token))

    assert scene.left(server).code is ReasonCode.TOO_SLOW
    assert reason_of(early)[0] is ReasonCode.TOO_SLOW
    assert reason_of(early)[1].startswith("the other end sent too much at once: ")
    assert [reason_of(one)[0] for one in (forged, late)] == [ReasonCode.RESUME_LOST] * 2


def test_a_program_that_never_heard_its_new_token_hears_why_the_session_was_ended(scene: Scene) -> None:
    server = scene.serve(grace=100.0)
    guest = scene.guest(token=b"")
    other = scene.stranger(anew(token_of(guest)))
    only(server).close_nicely("good night")
    scene.play(1.0)

    told = [reason_of(scene.stranger(anew(token_of(one)))) for one in (guest, other)]

    assert token_of(guest) != token_of(other)
    assert told == [(ReasonCode.GOODBYE, "good night")] * 2


def test_why_sessions_were_ended_is_remembered_for_so_many(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcode.session.seats.MAX_ENDINGS", 3)
    server = scene.serve(grace=100.0)
    guests = [scene.guest(token=b"") for _ in range(5)]
    for peer in server.peers:
        peer.close_nicely(f"goodbye {peer.id}")
    scene.play(1.0)

    told = [reason_of(scene.stranger(hello(token=token_of(guest)))) for guest in guests]

    assert [code for code, _ in told[:2]] == [ReasonCode.RESUME_LOST] * 2
    assert told[2:] == [(ReasonCode.GOODBYE, f"goodbye {number}") for number in (3, 4, 5)]


def test_who_left_by_itself_is_not_told_anything_by_a_return(scene: Scene) -> None:
    server = scene.serve(grace=100.0)
    old = scene.guest(token=b"")
    scene.network.cut()
    scene.play(1.0)
    second = scene.stranger(hello(token=token_of(old)))
    third = scene.stranger(hello(token=token_of(old)))  # the second is replaced, and the session goes on
    third.say(bye())
    scene.play(1.0)

    again = scene.stranger(hello(token=token_of(old)))

    assert reason_of(second)[0] is ReasonCode.REPLACED
    assert scene.left(server).code is ReasonCode.GOODBYE
    assert reason_of(again)[0] is ReasonCode.RESUME_LOST


def test_a_return_that_cannot_be_served_is_told_before_it_is_welcomed(scene: Scene) -> None:
    server = scene.serve()
    old = scene.guest(token=b"")
    peer = only(server)
    peer.send("acknowledged")
    scene.play(2 * TICK)
    old.say(control(ACK, 1))
    scene.play(2 * TICK)

    new = scene.stranger(hello(token=token_of(old), received=0))
    peer.send("to nobody")
    scene.play(2 * TICK)

    assert (new.told(WELCOME), reason_of(new)[0]) == ([], ReasonCode.RESUME_LOST)
    assert reason_of(old)[0] is ReasonCode.REPLACED
    assert old.messages == ["acknowledged"]
    assert scene.left(server).code is ReasonCode.RESUME_LOST
    assert (linked_at(server), server.peers) == (0, ())


def test_of_two_attempts_that_came_in_the_same_update_the_second_is_the_newer(scene: Scene) -> None:
    scene.serve()
    token = token_of(scene.guest(control(ACK, 0), token=b""))
    scene.network.cut()
    scene.play(2 * TICK)
    attempts = [Stranger(netcode.connect(HOST, PORT, network=scene.network, clock=scene.clock)) for _ in range(2)]
    for attempt in attempts:
        attempt.update()
    scene.play(TICK)

    for attempt in reversed(attempts):
        attempt.say(hello(token=token))
        attempt.update()
        scene.play(2 * TICK)
        attempt.update()
    given_up, new = attempts

    assert reason_of(given_up)[0] is ReasonCode.REPLACED
    assert (given_up.told(WELCOME), new.told(BYE)) == ([], [])
    for attempt in attempts:
        attempt.connection.close()


@pytest.mark.parametrize("web", [None, True])
def test_an_attempt_that_was_overtaken_by_the_next_one_takes_no_seat(scene: Scene, web: bool | None) -> None:
    server = scene.serve(web=web)
    old = scene.guest(token=b"")
    peer = only(server)
    token = token_of(old)
    given_up = scene.stranger()  # its greeting is still on its way
    new = scene.stranger(hello(token=token))

    given_up.say(hello(token=token))
    scene.play(2 * TICK)
    new.say(message("still here"))
    scene.play(2 * TICK)

    assert reason_of(given_up) == (ReasonCode.REPLACED, "the same player has connected again since")
    assert (given_up.told(WELCOME), new.told(BYE)) == ([], [])
    assert scene.told[server] == [Joined(peer), Received(peer, "still here")]
    assert linked_at(server) == 1


@pytest.mark.parametrize("web", [None, True])
def test_an_attempt_that_was_overtaken_does_not_end_a_session_that_went_on_without_it(
    scene: Scene, web: bool | None
) -> None:
    server = scene.serve(web=web)
    old = scene.guest(token=b"")
    peer = only(server)
    token = token_of(old)
    given_up = scene.stranger()
    new = scene.stranger(hello(token=token))
    peer.send("acknowledged")
    scene.play(2 * TICK)
    new.say(control(ACK, 1))
    scene.play(2 * TICK)
    new.connection.close()
    scene.play(2 * TICK)

    given_up.say(hello(token=token, received=0))  # what it lacks is no longer kept: the client has had it since
    scene.play(2 * TICK)
    newest = scene.stranger(hello(token=token, received=1))

    assert reason_of(given_up)[0] is ReasonCode.REPLACED
    assert newest.told(WELCOME)[0][1] == peer.id
    assert scene.told[server] == [Joined(peer), Away(peer, scene.away(server)), Back(peer)]
    assert scene.away(server).code is ReasonCode.CLOSED_BY_PEER


def test_a_return_to_another_version_is_refused(scene: Scene) -> None:
    server = scene.serve(version="2")
    old = scene.guest(token=b"", version="2")

    new = scene.stranger(hello(version="1", token=token_of(old)))

    assert reason_of(new)[0] is ReasonCode.WRONG_VERSION
    assert scene.news(server) == ["Joined"]


def test_a_seat_that_lost_its_link_to_an_exception_is_away_and_comes_back(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    session_of(only(server)).let_go()  # its next link was about to come
    engine_of(server).torn = True

    scene.until(lambda: "Back" in scene.news(server))

    assert scene.news(server) == ["Joined", "Away", "Back"]
    assert client.state is State.CONNECTED
    assert "interrupted" in scene.away(server).text


def test_a_return_of_which_an_exception_kept_the_game_from_hearing_is_told(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    session_of(only(server)).told = Told.AWAY  # its link has come, and nobody was told
    engine_of(server).torn = True

    scene.play(TICK)

    assert scene.news(server) == ["Joined", "Back"]


def test_an_end_of_which_an_exception_kept_the_game_from_hearing_is_told(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    peer = only(server)
    session_of(peer).end(netcode.Reason(ReasonCode.TIMEOUT, "nothing was heard"))  # and it was about to be told
    engine_of(server).torn = True

    scene.play(TICK)

    assert scene.news(server) == ["Joined", "Left"]
    assert scene.left(server).text == "nothing was heard"
    assert server.peers == ()


def test_it_is_over_with_a_player_once(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    peer = only(server)
    peer.close()
    scene.play(TICK)

    server._seats.drop(session_of(peer), netcode.Reason(ReasonCode.OTHER, "again"))
    scene.play(TICK)

    assert scene.news(server) == ["Joined", "Left"]


def test_a_ghost_without_a_link_makes_no_room_for_links(scene: Scene) -> None:
    server = scene.serve(max_peers_per_address=1)
    ghost = scene.stranger(hello(token=b""))
    scene.play(TICK)
    ghost.connection.close()
    scene.play(2 * TICK)
    player = scene.join()

    newcomer = scene.stranger(hello())

    assert reason_of(newcomer)[0] is ReasonCode.TOO_MANY
    assert player.state is State.CONNECTED
    assert [peer.away for peer in server.peers] == [True, False]


def test_in_a_child_nobody_has_a_seat(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    peer = only(server)

    server._abandon()

    assert (len(server.peers), peer.alive, peer.away) == (0, False, False)


def test_who_was_sent_elsewhere_hears_it_again_over_another_link(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(token=b"")
    guest.frozen = True
    token = token_of(guest)
    only(server).move("b.example:7777")

    again = scene.stranger(hello(token=token))

    assert again.told(BYE)[0][:2] == [ReasonCode.MOVED.value, "this game goes on at b.example:7777"]


def settled(scene: Scene, server: netcode.Server) -> list[str]:
    """Return what is told once somebody is told what an exception kept from the game."""
    engine_of(server).torn = True
    scene.play(TICK)
    return scene.news(server)


def test_who_was_being_let_in_when_an_exception_came_is_not_in(scene: Scene) -> None:
    server = scene.serve()
    scene.guest()
    session_of(only(server)).told = Told.NOTHING

    assert settled(scene, server) == ["Joined"]  # as before, and no more
    assert server.peers == ()


def test_who_is_away_when_an_exception_comes_stays_away(scene: Scene) -> None:
    server = scene.serve()
    scene.frozen.add(scene.join())
    scene.network.cut()
    scene.play(TICK)

    assert settled(scene, server) == ["Joined", "Away"]
    assert only(server).away


def test_a_link_that_ended_when_an_exception_came_leaves_its_seat(scene: Scene) -> None:
    server = scene.serve()
    scene.frozen.add(scene.join())
    link_of(only(server)).reason = netcode.Reason(ReasonCode.TIMEOUT, "nothing was heard")

    assert settled(scene, server) == ["Joined", "Away"]


def test_after_an_exception_a_seat_is_kept_as_long_as_before(scene: Scene) -> None:
    server = scene.serve(grace=5.0)
    scene.guest(control(ACK, 0), token=b"")
    scene.network.cut()
    scene.play(1.0)

    engine_of(server).torn = True
    scene.play(3.5)
    before = scene.news(server)
    scene.play(1.0)

    assert before == ["Joined", "Away"]
    assert scene.news(server) == ["Joined", "Away", "Left"]


def test_a_seat_is_given_up_once(scene: Scene) -> None:
    server = scene.serve()
    scene.frozen.add(scene.join())
    seats = server._seats
    scene.network.cut()
    scene.play(TICK)
    session = session_of(only(server))

    seats._empty(session, netcode.Reason(ReasonCode.RESET, "again"))

    assert scene.news(server) == ["Joined", "Away"]
    assert len(seats.graces) == 1


def test_who_is_in_when_an_exception_comes_stays_in(scene: Scene) -> None:
    server = scene.serve()
    scene.join()

    assert settled(scene, server) == ["Joined"]
    assert not only(server).away
