"""Cases 61 to 66: who somebody is, who else can read it, and what stays after a long day."""

import hmac
import logging
import random
import select
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inside import guest_of, link_of, links_of

import netcode
from netcode import ReasonCode, State
from netcode.faults import Ending
from netcode.testing import MemoryNetwork
from netcode.transport import dice_of

from .stage import TICK, Stage
from .wire import BYE, PONG, WELCOME, Stranger, control, hello, message, welcome

GRACE = 10.0
HANDSHAKE_TIMEOUT = 3.0
CERTIFICATES = Path(__file__).parent / "certificates"
BANNED = netcode.Refusal("you are banned until Monday")


def newcomer(stage: Stage) -> tuple[Stranger, bytes]:
    """Let a stranger in that may come back, and return it with its token."""
    stranger = stage.stranger()
    stranger.say(hello(token=b""))
    stage.until(lambda: bool(stranger.told(WELCOME)))
    token = stranger.told(WELCOME)[0][3]
    assert isinstance(token, bytes)
    return stranger, token


def answer(stage: Stage, token: bytes) -> tuple[ReasonCode, str] | None:
    """Come back with that token; return why it was refused, or None for a welcome."""
    stranger = stage.stranger()
    stranger.say(hello(token=token))
    stage.until(lambda: bool(stranger.told(WELCOME) or stranger.told(BYE)), 5.0)
    if stranger.told(WELCOME):
        return None
    code, text = stranger.told(BYE)[0]
    return ReasonCode(code), text


FORGERIES: dict[str, Callable[[bytes], bytes]] = {
    "last bit": lambda token: token[:-1] + bytes((token[-1] ^ 1,)),
    "first bit": lambda token: bytes((token[0] ^ 1,)) + token[1:],
    "name only": lambda token: token[:8],
    "other name": lambda token: bytes(8) + token[8:],
    "truncated": lambda token: token[:-1],
    "longer": lambda token: token + b"\0",
    "no secret": lambda token: token[:8] + bytes(24),
    "zeros": lambda token: bytes(32),
    "one byte": lambda token: b"x",
    "endless": lambda token: bytes(3_000),
}


@pytest.mark.fault(61, layer="memory")
@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused_and_disturbs_nobody(memory: Stage, forge: Callable[[bytes], bytes]) -> None:
    memory.serve()
    _, token = newcomer(memory)
    peer = memory.newest()

    refusal = answer(memory, forge(token))

    assert refusal is not None
    assert refusal[0] is (ReasonCode.RESUME_LOST if len(forge(token)) < 100 else ReasonCode.MALFORMED)
    assert peer.alive
    assert not peer.away


@pytest.mark.fault(61, layer="memory")
def test_a_token_of_somebody_who_left_is_worth_nothing(memory: Stage) -> None:
    memory.serve()
    stranger, token = newcomer(memory)
    peer = memory.newest()
    stranger.say(control(BYE, ReasonCode.GOODBYE.value, "so long"))
    memory.fate(peer)

    assert answer(memory, token) == (
        ReasonCode.RESUME_LOST,
        "the server does not know this session any more: it was restarted, or you were away for too long",
    )


@pytest.mark.fault(61, layer="memory")
def test_tokens_are_compared_in_constant_time_and_never_logged(
    memory: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def watch(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watch)
    memory.serve()
    _, token = newcomer(memory)
    peer = memory.newest()

    answer(memory, token[:-1] + bytes((token[-1] ^ 1,)))
    answer(memory, token)
    memory.play(1.0)

    assert len(compared) == 2
    for secret in (token, token[:8], token[8:]):
        assert secret.hex() not in caplog.text
        assert repr(secret)[2:-1] not in caplog.text + repr(peer) + repr(memory.server)


@pytest.mark.fault(61, layer="memory")
def test_tokens_differ_and_are_long(memory: Stage) -> None:
    memory.serve()

    tokens = {newcomer(memory)[1] for _ in range(20)}

    assert len(tokens) == 20
    assert {len(token) for token in tokens} == {32}
    assert len({token[:8] for token in tokens}) == 20


@pytest.mark.fault(61, layer="memory")
@pytest.mark.parametrize("received", [1, 1_000, 2**62])
def test_a_newcomer_that_claims_to_have_received_something_takes_no_seat(memory: Stage, received: int) -> None:
    server = memory.serve()
    stranger = memory.stranger()

    stranger.say(hello(token=b"", received=received))
    memory.play(4 * TICK)

    # It is welcomed as one that has nothing, or refused; a seat that nobody ever leaves would be worse than both.
    joined = memory.kinds(server).count("Joined") - 1
    assert len(stranger.told(WELCOME)) == joined
    assert len(server.peers) == 1 + joined
    stranger.say(control(BYE, ReasonCode.GOODBYE.value, "so long"))
    memory.until(lambda: len(server.peers) == 1)
    assert memory.kinds(server).count("Left") == joined


# TLS.


def server_context(certificate: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    return context


def client_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATES / "authority.pem"))


def secure_port(stage: Stage, certificate: str = "server", **options: Any) -> int:
    """Open a second server, which speaks TLS, and return its port."""
    stage.serve()
    return stage.serve(tls=server_context(certificate), **options).address.port


@pytest.mark.fault(62, layer="loopback")
def test_a_player_joins_and_plays_over_tls(loopback: Stage) -> None:
    client = loopback.join(secure_port(loopback), tls=client_context())

    client.send("secret")
    loopback.play(4 * TICK)

    server = loopback._actors[2].end
    assert loopback.received(server) == ["secret"]


@pytest.mark.fault(62, layer="loopback")
def test_a_plain_client_on_a_tls_port_is_told(loopback: Stage) -> None:
    client = loopback.client(secure_port(loopback))

    seconds = loopback.until(lambda: client.state is State.DISCONNECTED)

    assert client.reason is not None
    assert client.reason.code is ReasonCode.NOT_NETCODE
    assert client.reason.text.endswith("it looks like a TLS server; is tls= missing at this end, or the port wrong?")
    assert seconds < 0.5


@pytest.mark.fault(62, layer="loopback")
def test_a_tls_client_on_a_plain_port_is_told(loopback: Stage) -> None:
    loopback.serve()

    reason = loopback.reason(loopback.client(tls=client_context()))

    assert reason.code is ReasonCode.BROKEN_TLS
    assert "TLS" in reason.text


@pytest.mark.fault(62, layer="loopback")
@pytest.mark.parametrize(
    ("certificate", "why"), [("elsewhere", "is not valid for '127.0.0.1'"), ("expired", "certificate has expired")]
)
def test_a_certificate_that_is_wrong_is_refused_by_the_client(loopback: Stage, certificate: str, why: str) -> None:
    port = secure_port(loopback, certificate)

    reason = loopback.reason(loopback.client(port, tls=client_context()))

    assert reason.code is ReasonCode.BROKEN_TLS
    assert "has a certificate that is not trusted" in reason.text
    assert why in reason.text


@pytest.mark.fault(62, layer="loopback")
def test_a_certificate_of_an_unknown_authority_is_refused_by_the_client(loopback: Stage) -> None:
    reason = loopback.reason(loopback.client(secure_port(loopback), tls=True))

    assert reason.code is ReasonCode.BROKEN_TLS
    assert "not trusted" in reason.text


@pytest.mark.fault(62, layer="loopback")
@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
def test_a_stalled_tls_handshake_ends_at_the_handshake_deadline(loopback: Stage, said: bytes) -> None:
    port = secure_port(loopback)
    server = loopback._actors[2].end
    assert isinstance(server, netcode.Server)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(said)
        loopback.play(2 * TICK)
        waiting = len(links_of(server))
        seconds = loopback.until(lambda: len(links_of(server)) == 0)

    assert waiting == 1
    assert seconds <= HANDSHAKE_TIMEOUT + 3 * TICK


@pytest.mark.fault(62, layer="loopback")
def test_a_server_that_stalls_in_the_tls_handshake_is_given_up(loopback: Stage) -> None:
    loopback.serve()
    with socket.create_server(("127.0.0.1", 0)) as stalls:
        client = loopback.client(stalls.getsockname()[1], tls=client_context())
        begin = loopback.clock()

        reason = loopback.reason(client)

    assert reason.code in {ReasonCode.CONNECT_TIMEOUT, ReasonCode.HANDSHAKE_TIMEOUT}
    assert loopback.clock() - begin <= 5.0 + 3 * TICK
    assert "TLS" in reason.text


@pytest.mark.fault(62, layer="loopback")
@pytest.mark.parametrize("linger", [None, b"\1\0\0\0\0\0\0\0"], ids=["end", "reset"])
def test_an_end_without_close_notify_is_a_broken_link(loopback: Stage, linger: bytes | None) -> None:
    port = secure_port(loopback, grace=0.0)
    server = loopback._actors[2].end
    with client_context().wrap_socket(
        socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1", do_handshake_on_connect=False
    ) as sock:
        sock.setblocking(False)
        done = False
        for _ in range(20):
            loopback.play(TICK)
            try:
                sock.do_handshake()
                done = True
                break
            except ssl.SSLWantReadError:
                pass
        sock.send(hello() + message("last words"))
        loopback.until(lambda: "Joined" in loopback.kinds(server))
        if linger is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    loopback.until(lambda: "Left" in loopback.kinds(server))

    assert done
    left = loopback.diary(server)[-1]
    assert isinstance(left, netcode.Left)
    assert left.reason.code in {ReasonCode.CLOSED_BY_PEER, ReasonCode.RESET, ReasonCode.BROKEN_TLS}
    assert loopback.received(server) == ["last words"]


@pytest.mark.fault(62, layer="loopback")
def test_a_message_and_a_goodbye_arrive_though_a_reset_is_right_behind_them(loopback: Stage) -> None:
    client = loopback.join(secure_port(loopback), tls=client_context())
    server = loopback._actors[2].end
    assert isinstance(server, netcode.Server)
    [peer] = server.peers
    transport: Any = link_of(peer).stream.transport

    peer.send("last words")
    peer.close_nicely("that is all")
    loopback.actor(server).update()
    transport._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.close()
    reason = loopback.reason(client)

    assert loopback.received(client) == ["last words"]
    assert (reason.code, reason.text) == (ReasonCode.GOODBYE, "that is all")


def accept_and_read(stage: Stage, door: socket.socket) -> socket.socket:
    """Take in who comes, and read what it says: left unread, that would make a reset of every end."""
    stage.until(lambda: bool(select.select([door], [], [], 0.0)[0]))
    guest, _ = door.accept()
    stage.until(lambda: bool(select.select([guest], [], [], 0.0)[0]))
    guest.recv(65_536)
    return guest


@pytest.mark.fault(62, layer="loopback")
@pytest.mark.parametrize(
    ("secure", "said", "reset"),
    [
        (False, b"", False),
        (False, b"", True),
        (False, b"\0\0\0\x20", False),
        (True, b"", False),
        (True, b"", True),
        (True, b"\x16\x03\x03\x00\x7a\x02", False),
        (True, b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
    ],
)
def test_a_handshake_of_a_return_that_breaks_is_tried_again(
    loopback: Stage, secure: bool, said: bytes, reset: bool
) -> None:
    port = secure_port(loopback) if secure else loopback.serve().address.port
    client = loopback.join(port, tls=client_context() if secure else False)
    transport: Any = link_of(client).stream.transport

    with socket.create_server(("127.0.0.1", 0)) as stands_between:
        guest_of(client).places.address = client.address._replace(port=stands_between.getsockname()[1])
        socket.socket.shutdown(transport._socket if secure else transport, socket.SHUT_RDWR)
        for _ in range(2):
            guest = accept_and_read(loopback, stands_between)
            guest.sendall(said)
            if reset:
                guest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            guest.close()
        guest_of(client).places.address = client.address._replace(port=port)
        loopback.until(lambda: client.state is State.CONNECTED)
    loopback.play(2 * TICK)

    assert loopback.kinds(client) == ["Joined", "Away", "Back"]


@pytest.mark.fault(62, layer="loopback")
def test_a_first_handshake_that_breaks_says_what_may_be_wrong(loopback: Stage) -> None:
    loopback.serve()
    with socket.create_server(("127.0.0.1", 0)) as leaves:
        client = loopback.client(leaves.getsockname()[1], tls=client_context())
        accept_and_read(loopback, leaves).close()
        reason = loopback.reason(client)

    assert reason.code is ReasonCode.BROKEN_TLS
    assert "broke off during TLS; does it speak TLS, and trust our certificate?" in reason.text


@pytest.mark.fault(62, layer="loopback")
def test_garbage_behind_the_tls_handshake_is_a_reason(loopback: Stage) -> None:
    port = secure_port(loopback)
    client = loopback.join(port, tls=client_context())
    server = loopback._actors[2].end
    transport: Any = link_of(client).stream.transport

    # What an attacker between the two can do: bytes into the stream, around the encryption.
    socket.socket.send(transport._socket, b"\x17\x03\x03\x00\x20" + bytes(32))
    loopback.until(lambda: {"Left", "Away"} & {*loopback.kinds(server)} != set())
    loopback.play(GRACE + 5.0)

    assert loopback.received(server) == []


# One player, two links.


@pytest.mark.fault(63, layer="memory")
def test_of_two_links_of_one_player_the_newer_wins(memory: Stage) -> None:
    server = memory.serve()
    old, token = newcomer(memory)
    peer = memory.newest()
    old.say(message("from the old one"))
    memory.play(2 * TICK)
    new = memory.stranger()

    new.say(hello(token=token))
    memory.until(lambda: bool(new.told(WELCOME)))
    old.say(message("ignored"))
    new.say(message("from the new one"))
    peer.send("to the new one")
    memory.play(4 * TICK)

    assert old.told(BYE) == [[ReasonCode.REPLACED.value, "the same player connected again from elsewhere"]]
    assert new.told(WELCOME)[0][4] == 1
    assert (old.messages, new.messages) == ([], ["to the new one"])
    assert memory.received(server, peer) == ["from the old one", "from the new one"]
    assert memory.kinds(server) == ["Joined", "Joined", "Received", "Received"]


@pytest.mark.fault(63, layer="memory")
def test_a_client_that_was_replaced_does_not_come_back(memory: Stage) -> None:
    memory.serve()
    client = memory.join()
    token = guest_of(client).token
    assert token is not None

    assert answer(memory, token) is None
    reason = memory.reason(client)
    memory.play(5.0)

    assert reason.code is ReasonCode.REPLACED
    assert memory.kinds(client) == ["Joined", "Left"]


@pytest.mark.fault(63, layer="memory")
def test_a_client_whose_old_link_looks_alive_takes_its_seat_back(memory: Stage) -> None:
    server = memory.serve()
    client = memory.join()
    peer = memory.newest()
    # Its side broke, and nothing of that reaches the server.
    transport: Any = link_of(client).stream.transport
    transport.close = lambda: None
    transport._incoming._arrived = Ending.RESET

    for i in range(20):
        client.send(i)
        peer.send(i)
        memory.play(0.1)
    memory.until(lambda: "Back" in memory.kinds(client))
    memory.play(1.0)

    assert memory.received(server, peer) == [*range(20)]
    assert memory.received(client) == [*range(20)]
    assert memory.kinds(client).count("Away") == 1


# Many who return.


@pytest.mark.fault(64, layer="memory")
def test_after_a_restart_a_thousand_clients_do_not_return_at_once(memory: Stage) -> None:
    memory.serve()
    network = MemoryNetwork(memory.clock)
    first = netcode.Server(
        "stage", 7777, network=network, clock=memory.clock, max_peers_per_address=2_000, max_pending=2_000
    )
    clients = [netcode.Client("stage", 7777, network=network, clock=memory.clock) for _ in range(1_000)]
    for _ in range(60):
        memory.clock.advance(TICK)
        first.update()
        for client in clients:
            client.update()
        if all(client.state is State.CONNECTED for client in clients):
            break
    attempts: list[float] = []
    connect = network.connect

    def count(host: str, port: int, now: float) -> Any:
        attempts.append(memory.clock())
        return connect(host, port, now)

    network.connect = count  # type: ignore[method-assign]

    network.cut()
    begin = memory.clock()
    network.down = True  # it restarts
    for _ in range(60):
        memory.clock.advance(0.05)
        for client in clients:
            client.update()
    network.down = False
    busiest = max(sum(begin + i * 0.05 < at <= begin + (i + 1) * 0.05 for at in attempts) for i in range(60))
    for client in clients:
        client.close()
    first.close()

    # Full jitter over the first half second: a tenth of them in each twentieth of a second.
    assert 1_000 <= len(attempts) < 2_000
    assert busiest < 160
    assert max(attempts[:1_000]) - begin > 0.4


@pytest.mark.fault(64, layer="memory")
def test_attempts_grow_apart_and_are_capped(memory: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.serve()
    false = memory.false_server(welcome(token=b"t" * 32, grace=600.0))
    client = memory.client(false.address.port)
    memory.until(lambda: client.state is State.CONNECTED)
    longest: list[float] = []

    def uniform(low: float, high: float) -> float:
        longest.append(high)
        return low

    monkeypatch.setattr(dice_of(memory.network), "uniform", uniform)
    false._answer = control(BYE, ReasonCode.SERVER_FULL.value, "try again in a moment")
    false.guests[0].connection.close()
    memory.until(lambda: len(longest) == 12)

    assert [round(high, 3) for high in longest[:4]] == [0.5, 0.8, 1.28, 2.048]
    assert longest[-2:] == [30.0, 30.0]


def bouncer(credentials: Any, address: netcode.Address) -> netcode.Refusal | bool:
    return BANNED if credentials else True


@pytest.mark.fault(64, layer="memory")
@pytest.mark.parametrize("why", ["banned", "wrong version", "full"])
def test_a_final_refusal_is_not_argued_with(memory: Stage, why: str) -> None:
    memory.serve(max_peers=1 if why == "full" else 10, authenticate=bouncer if why == "banned" else None)
    client = memory.client(credentials="Mallory", version="2" if why == "wrong version" else "")

    reason = memory.reason(client)
    before = memory.clock()
    memory.play(5.0)

    assert memory.clock() - before >= 5.0
    assert reason.code in {ReasonCode.DENIED, ReasonCode.WRONG_VERSION, ReasonCode.SERVER_FULL}
    assert memory.kinds(client) == ["Left"]
    if why == "banned":
        assert reason.text == "you are banned until Monday"


# What a stranger says, in our log.


@pytest.mark.fault(65, layer="memory")
def test_what_a_stranger_says_is_escaped_and_clipped_in_the_log(
    memory: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    memory.serve()
    nasty = "\x1b]0;owned\x07\r\nWARNING all is well\n\u202e"

    for data in (
        nasty.encode() * 20,
        hello(game=nasty[:60]),
        hello(version=nasty[:60]),
        hello() + control(BYE, 3, nasty * 50),
        hello() + message({nasty: nasty * 1_000}) + control(PONG, nasty),
    ):
        memory.stranger().say(data)
        memory.play(1.5)

    assert len(caplog.records) > 10
    for record in caplog.records:
        assert record.getMessage().isprintable(), ascii(record.getMessage())
        assert len(record.getMessage()) < 500


@pytest.mark.fault(65, layer="memory")
def test_a_name_of_a_megabyte_is_refused_as_it_comes(memory: Stage, caplog: pytest.LogCaptureFixture) -> None:
    memory.serve()
    stranger = memory.stranger()
    stranger.say(control(1, "netcode", 1, "x" * 1_048_576, "", 65_536, None, 0, None))
    memory.play(1.0)

    assert stranger.told(BYE)[0][0] == ReasonCode.NOT_NETCODE.value
    assert len(caplog.text) < 1_000


@pytest.mark.fault(65, layer="memory")
def test_warnings_of_one_cause_come_once_a_second(memory: Stage, caplog: pytest.LogCaptureFixture) -> None:
    memory.serve(max_pending=5_000, max_peers_per_address=5_000)

    for _ in range(100):
        memory.stranger().say(b"GET / HTTP/1.1\r\n\r\n")
    memory.play(2 * TICK)

    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) <= 2


# A long day.


@pytest.mark.fault(66, layer="memory")
def test_a_quarter_of_an_hour_of_everything_leaves_nothing(memory: Stage) -> None:
    server = memory.serve(max_peers_per_address=10_000, timeout=5.0, handshake_timeout=2.0)
    memory.actor(server).forgets_messages = True
    dice = random.Random(66)
    network = memory.network
    assert isinstance(network, MemoryNetwork)
    memory.calm = False
    expected = {
        ReasonCode.GOODBYE,
        ReasonCode.CLOSED_BY_PEER,
        ReasonCode.MALFORMED,
        ReasonCode.TIMEOUT,
        ReasonCode.RESET,
        ReasonCode.FLOODING,
        ReasonCode.TOO_SLOW,
        ReasonCode.TOO_LARGE,
    }

    for minute in range(15):
        comers = [memory.client() for _ in range(6)]
        guests = [memory.guest() for _ in range(3)]
        guests[0].say(message("x") * dice.randrange(3_000))
        guests[1].say(dice.randbytes(dice.randrange(1, 500)))
        guests[2].frozen = bool(minute % 2)
        for _ in range(20):
            for client in comers:
                client.send([minute, dice.random()])
            server.broadcast(dice.randbytes(dice.randrange(2_000)))
            if dice.random() < 0.2:
                network.cut(reset=dice.random() < 0.5)
            memory.play(3.0, tick=0.1)
        for client in comers:
            client.close_nicely("home")
        for guest in guests:
            guest.connection.close()
        memory.play(1.0)

    reasons = [event.reason for event in memory.diary(server) if isinstance(event, netcode.Left)]
    assert len(reasons) >= 15 * 8
    assert {reason.code for reason in reasons} <= expected
