"""The wire standard: docs/protocol.md, a decoder written from it alone, and netcode say the same."""

import re
import time
from collections.abc import Iterator
from typing import Any

import msgpack
import msgspec
import pytest
from docs_blocks import code_of
from faults.wire import BYE, FalseServer
from hypothesis import example, given
from hypothesis import strategies as st
from programs import DEADLINE, ROOT, Start
from scene import HOST, TICK, Scene
from wire_decoder import DEPTH_OF_SERVERS, Refused, Timestamp, read_answer, read_first, read_frame, read_where

import netcode
from netcode import Address, ProtocolError, ReasonCode
from netcode.address import MAX_ADDRESS, address_from_wire
from netcode.limits import Limits
from netcode.reasons import MAX_TEXT, Reason
from netcode.session.comeback import BACKOFF, BACKOFF_CAP, BACKOFF_FACTOR, LASTED, PATIENT_CAP, REFUSALS
from netcode.session.link import PINGS_PER_SECOND, WAIT_FOR_THEIRS
from netcode.wire import framing, protocol
from netcode.wire.codec import ENVELOPE, PLAIN
from netcode.wire.cost import ENVELOPE_DEPTH, MAX_DEPTH
from netcode.wire.protocol import Bye, Control, Hello, Ping, Welcome
from netcode.wire.typed import make_codec

PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
LIMIT = 65_536

names = st.text(max_size=10)
counts = st.integers(0, 2**64 - 1)
limits = st.integers(4096, 2**31 - 1)
tokens = st.binary(max_size=64)
seconds = st.floats(0, 1e8)
messages = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text() | st.integers(0, 300), inner, max_size=20),
    max_leaves=40,
)
controls = st.one_of(
    st.builds(
        Hello, names, names, limits, st.none() | tokens, counts, st.none() | st.text(max_size=300), st.booleans()
    ),
    st.builds(Welcome, counts, limits, tokens, counts, seconds, seconds, counts),
    st.builds(Ping, counts, counts),
    st.builds(protocol.Pong, counts, counts),
    st.builds(protocol.Ack, counts),
    st.builds(
        Bye,
        st.builds(Reason, st.sampled_from(ReasonCode), st.text()),
        st.none() | st.dictionaries(names, names | counts, max_size=4),
    ),
    st.builds(
        Bye,
        st.builds(
            Reason,
            st.just(ReasonCode.MOVED),
            st.text(),
            where=st.builds(Address, st.sampled_from(["a", "10.0.0.7", "::1", "play.example"]), st.integers(1, 65_535)),
        ),
        st.none(),
    ),
)


def vectors(*kinds: str) -> list[Any]:
    """Return the lines of the page's block of vectors that are of these kinds."""
    [block] = code_of("protocol.md", "vectors")
    lines = [line.split(" ", 2) for line in block.splitlines()]
    return [
        pytest.param(kind, bytes.fromhex(data), meaning, id=f"{kind} {data[:40]}")
        for kind, data, meaning in lines
        if kind in kinds
    ]


def encode(control: Control) -> bytes:
    """Have netcode make the frame of a control message."""
    match control:
        case Hello():
            return protocol.hello(control)
        case Welcome():
            return protocol.welcome(control)
        case Ping(number, received):
            return protocol.ping(number, received)
        case protocol.Pong(number, received):
            return protocol.pong(number, received)
        case Bye(reason, about):
            return protocol.bye(reason, about)
        case protocol.Ack(received):
            return protocol.ack(received)


def fields_of(control: Control) -> list[Any]:
    """Return a control message as the page lists it."""
    match control:
        case Hello():
            return [1, "netcode", 1, *control[:6], *([True] if control.anew else [])]
        case Welcome():
            return [2, 1, *control[:6], *([control.first] if control.first else [])]
        case Ping():
            return [3, *control]
        case protocol.Pong():
            return [4, *control]
        case Bye(reason, about):
            more = about if reason.where is None else str(reason.where)
            return [5, reason.number, reason.text, *([more] if more is not None else [])]
        case protocol.Ack():
            return [6, *control]


def decode(data: bytes, limit: int) -> tuple[str, Any]:
    """Have netcode say what a frame is, as an open link takes it."""
    payloads, taken, rest, _ = framing.split(memoryview(data), limit, 1)
    if rest < 0:
        raise framing.breach(memoryview(data), limit, greeted=True)
    assert taken == len(data)
    control = protocol.decode(payloads[0]) if payloads[0][0] in framing.EXTENSIONS else None
    return ("message", PLAIN.decode(payloads[0])) if control is None else ("control", fields_of(control))


@pytest.mark.parametrize(("kind", "data", "meaning"), vectors("message", "control"))
def test_the_decoder_reads_every_vector_as_the_page_does(kind: str, data: bytes, meaning: str) -> None:
    assert read_frame(data, LIMIT) == (kind, eval(meaning, {"timestamp": Timestamp}))


@pytest.mark.parametrize(("kind", "data", "meaning"), vectors("message", "control"))
def test_netcode_reads_every_vector_as_the_page_does(kind: str, data: bytes, meaning: str) -> None:
    said: Any = eval(meaning, {"timestamp": msgpack.Timestamp})

    read_as, value = decode(data, LIMIT)

    if value == [5, 999, "the other end said goodbye (code 999)"]:
        value[2] = ""  # it puts words where there are none
    assert (read_as, value) == (kind, said[: len(value)] if kind == "control" else said)


@pytest.mark.parametrize(("kind", "data", "meaning"), vectors("refused"))
def test_both_refuse_what_the_page_says(kind: str, data: bytes, meaning: str) -> None:
    with pytest.raises(Refused) as by_the_decoder:
        read_frame(data, LIMIT)
    with pytest.raises(ProtocolError) as by_netcode:
        decode(data, LIMIT)

    assert (by_the_decoder.value.reason, by_netcode.value.reason.code.name) == (meaning, meaning)


@pytest.mark.parametrize(("kind", "data", "meaning"), vectors("moved"))
def test_both_read_where_a_client_is_to_go_as_the_page_does(kind: str, data: bytes, meaning: str) -> None:
    payloads, *_ = framing.split(memoryview(data), LIMIT, 1)
    bye = protocol.decode(payloads[0])

    assert read_where(data) == eval(meaning)
    assert isinstance(bye, Bye)
    assert (bye.reason.code, bye.reason.text) == (ReasonCode.MOVED, "go on")
    assert (None if bye.reason.where is None else str(bye.reason.where)) == eval(meaning)


@given(where=st.text(st.characters(codec="ascii"), max_size=30) | st.from_regex(r"\[?[a.:0]{1,5}\]?:[0-9]{1,6}"))
@example(where="a" * 254 + ":65535")
@example(where="a" * 255 + ":65535")
@example(where="a:1\n")
def test_both_read_the_same_wheres(where: str) -> None:
    read = address_from_wire(where)

    assert (None if read is None else str(read)) == read_where(framing.frame(moved_to(where)))


def moved_to(where: str) -> bytes:
    """Return the payload of a BYE that sends a client somewhere."""
    body = PLAIN.encode([5, ReasonCode.MOVED.value, "go on", where])
    return b"\xc8" + len(body).to_bytes(2, "big") + b"\x4e" + body


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A scene with a server of the game of the vectors."""
    scene = Scene()
    scene.serve(game="chess", version="1")
    yield scene
    scene.close()


@pytest.mark.parametrize(("kind", "data", "meaning"), vectors("refused"))
def test_an_open_link_is_ended_as_the_page_says(scene: Scene, kind: str, data: bytes, meaning: str) -> None:
    guest = scene.guest(data, game="chess", version="1")

    assert [code for code, _ in guest.told(BYE)] == [ReasonCode[meaning].value]


@pytest.mark.parametrize(("kind", "data", "meaning"), vectors("first"))
def test_a_wrong_first_frame_of_a_client_is_refused_as_the_page_says(
    scene: Scene, kind: str, data: bytes, meaning: str
) -> None:
    with pytest.raises(Refused) as by_the_decoder:
        read_first(data)
    stranger = scene.stranger(data)

    assert by_the_decoder.value.reason == meaning
    assert [code for code, _ in stranger.told(BYE)] == [ReasonCode[meaning].value]


@pytest.mark.parametrize(("kind", "data", "meaning"), vectors("answer"))
def test_a_wrong_first_frame_of_a_server_is_refused_as_the_page_says(
    scene: Scene, kind: str, data: bytes, meaning: str
) -> None:
    with pytest.raises(Refused) as by_the_decoder:
        read_answer(data)
    false = FalseServer(scene.network, HOST, scene.clock, data)
    client = netcode.Client(HOST, false.address.port, network=scene.network, clock=scene.clock)
    scene.told[client] = []
    for _ in range(10):
        scene.play(TICK)
        false.update()
        for guest in false.guests:
            guest.update()

    assert by_the_decoder.value.reason == meaning
    assert scene.left(client).code is ReasonCode[meaning]
    assert [[code for code, _ in guest.told(BYE)] for guest in false.guests] == [[ReasonCode[meaning].value]]
    false.close()


@pytest.mark.parametrize(("kind", "data", "meaning"), vectors("deep"))
def test_what_a_server_sends_may_nest_deeper(scene: Scene, kind: str, data: bytes, meaning: str) -> None:
    said: Any = eval(meaning)
    client = scene.join(game="chess", version="1")
    [server] = [end for end in scene.told if isinstance(end, netcode.Server)]
    guest = scene.guest(data, game="chess", version="1")
    server.broadcast(said)
    scene.play(5 * TICK)

    assert read_frame(data, LIMIT, DEPTH_OF_SERVERS) == ("message", said)
    assert scene.heard(client) == [said]
    assert [code for code, _ in guest.told(BYE)] == [ReasonCode.MALFORMED.value]
    with pytest.raises(Refused):
        read_frame(data, LIMIT)


class Anything(msgspec.Struct, array_like=True):
    what: Any


@pytest.mark.parametrize(("kind", "data", "meaning"), vectors("refused"))
def test_what_nobody_could_take_has_no_wrong_shape(kind: str, data: bytes, meaning: str) -> None:
    if meaning != "MALFORMED" or data[4:5] == b"\xc7" or len(data) == 4:
        return  # another reason, or a control message

    with pytest.raises(ProtocolError) as caught:
        make_codec(Anything).decode(memoryview(data)[4:])

    assert caught.value.reason.code is ReasonCode.MALFORMED


def test_every_vector_is_of_a_kind_that_is_tested() -> None:
    kinds = ("message", "deep", "control", "moved", "refused", "first", "answer")
    [block] = code_of("protocol.md", "vectors")

    assert len(vectors(*kinds)) == len(block.splitlines())
    assert all(vectors(kind) for kind in kinds)


def test_there_is_a_vector_of_every_form_of_msgpack() -> None:
    first = {case.values[1][4] for case in vectors("message")}
    of_extensions = {case.values[1][4] for case in vectors("control")}

    never_used, too_short = 0xC1, {0xD4, 0xD5}  # for a timestamp and for a control message
    assert {*range(0xC0, 0xE0)} - first - of_extensions == {never_used, *too_short}
    assert {byte >> 4 for byte in first} >= {0x0, 0x8, 0x9, 0xA, 0xF}


def test_there_is_a_vector_of_every_kind_of_control_message() -> None:
    kinds = {eval(case.values[2])[0] for case in vectors("control")}

    assert kinds == {1, 2, 3, 4, 5, 6}


@given(message=messages)
def test_the_decoder_reads_what_netcode_sends(message: Any) -> None:
    assert read_frame(framing.frame(PLAIN.encode(message)), 1 << 30) == ("message", message)


@given(control=controls)
def test_the_decoder_reads_the_control_messages_that_netcode_sends(control: Control) -> None:
    expected = fields_of(control)
    if isinstance(control, Hello):
        expected.append(protocol.END_OF_LINES)
    if isinstance(control, Bye):
        expected[2] = control.reason.text.encode("utf-8", "replace")[:MAX_TEXT].decode("utf-8", "ignore")

    assert read_frame(encode(control), LIMIT) == ("control", expected)


def verdicts(payload: bytes) -> list[str]:
    """Return what the decoder and netcode make of a payload: its kind, or why they refuse it."""
    answers: list[str] = []
    for read in (read_frame, decode):
        try:
            kind, value = read(framing.frame(payload), LIMIT)
        except Refused as refused:
            answers.append(refused.reason)
        except ProtocolError as error:
            answers.append(error.reason.code.name)
        else:
            answers.append(f"control {value[0]}" if kind == "control" else kind)
    return answers


@given(payload=st.binary(min_size=1, max_size=60))
@example(payload=b"\xc7\x05\xff12345")
@example(payload=b"\xd7\xff" + b"\xff" * 8)
@example(payload=b"\x91\xc7\x0c\xff" + b"\xff" * 12)
@example(payload=b"\x81\x92\x01\x91\x02\x03")
def test_both_take_and_refuse_the_same_bytes(payload: bytes) -> None:
    by_the_decoder, by_netcode = verdicts(payload)

    assert by_the_decoder == by_netcode


@given(
    fields=st.lists(
        st.sampled_from([0, 1, 2, 3, 4, 5, 6, 4096, 2**64 - 1, -1, 1.0, 1e9, True, None, "", "netcode", b"", bytes(65)])
        | st.text(max_size=70),
        max_size=10,
    ),
    junk=st.binary(max_size=2),
)
@example(fields=[5, 3, "x", [[]]], junk=b"\xc1")
@example(fields=[1, "netcode", 1, "", "", 4096, None, 0, None], junk=b"")
@example(fields=[2, 1, 1, 4096, b"", 0, 1, 2.0, None], junk=b"")
def test_both_take_and_refuse_the_same_fields(fields: list[Any], junk: bytes) -> None:
    body = PLAIN.pack(fields) + junk

    by_the_decoder, by_netcode = verdicts(bytes((0xC8, *len(body).to_bytes(2, "big"), 78)) + body)

    assert by_the_decoder == by_netcode


def test_a_goodbye_in_broken_utf_8_is_obeyed_by_both() -> None:
    assert verdicts(b"\xc7\x06\x4e\x93\x05\x03\xa2\xff\x00") == ["control 5", "control 5"]


def test_the_page_lists_every_reason_with_its_number() -> None:
    listed = {(int(number), name) for number, name in re.findall(r"\| (\d+) \| ([A-Z_]+) (?=\|)", PAGE)}
    kinds = {(number, name) for number, name in listed if name in {"HELLO", "WELCOME", "PING", "PONG", "BYE", "ACK"}}

    assert listed - kinds == {(code.value, code.name) for code in ReasonCode}


def test_the_page_states_the_numbers_that_netcode_goes_by() -> None:
    assert f"- {protocol.MAX_UNGREETED} until the other end has greeted" in PAGE
    assert f"more than {protocol.ACKNOWLEDGE_EVERY:,} bytes" in PAGE
    assert f"{protocol.MAX_NAME} characters each at most" in PAGE
    assert f"{protocol.MAX_TOKEN} bytes at most" in PAGE
    assert f"{MAX_TEXT} bytes of UTF-8 at most" in PAGE
    assert f"{MAX_ADDRESS} characters at most" in PAGE
    assert (
        f"{MAX_DEPTH} levels deep at most in what a client sends, {MAX_DEPTH + ENVELOPE_DEPTH} in what a server" in PAGE
    )
    assert f"{ENVELOPE_DEPTH} levels, and {ENVELOPE} bytes" in PAGE
    assert f"They nest {MAX_DEPTH - 1} levels at most" in PAGE
    limits = Limits()
    assert f"by itself {WAIT_FOR_THEIRS * limits.ping_interval:g} seconds after the client's last" in PAGE
    assert f"TIMEOUT after {limits.timeout:g} s of silence" in PAGE
    assert f"begun {limits.message_timeout:g} s ago" in PAGE
    assert f"more than {limits.max_messages_per_update} messages came" in PAGE
    assert f"its updates for {limits.flood_timeout:g} s" in PAGE
    assert f"more than {limits.max_queue >> 20} MiB waits" in PAGE
    assert f"{BACKOFF:g} s, and {BACKOFF_FACTOR:g} times as long after each failure, {BACKOFF_CAP:g} s at most" in PAGE
    assert f"a link that broke within {LASTED:g} s of its WELCOME" in PAGE
    assert f"for the first attempt, up to {PATIENT_CAP:g} s or a quarter of the `grace`" in PAGE
    assert REFUSALS == 3
    assert "nothing listens three times in a row" in PAGE
    assert (f"{1 / PINGS_PER_SECOND:g}", "twentieth of a second" in PAGE) == ("0.05", True)


def test_the_client_of_the_page_joins_talks_and_leaves(start: Start, tmp_path: Any) -> None:
    [sketch] = code_of("protocol.md")
    path = tmp_path / "client.py"
    path.write_text(sketch, encoding="utf-8")
    heard: list[Any] = []
    with netcode.Server("127.0.0.1", 0, game="chess", version="1", ping_interval=0.05) as server:
        client = start(path, "127.0.0.1", server.address.port, "chess", "1")

        def serve() -> bool:
            server.wait(0.05)
            server.update()
            for event in server.events():
                match event:
                    case netcode.Received(peer, message):
                        heard.append(message)
                        peer.send({"you said": message})
                    case netcode.Left(_, reason):
                        heard.append(reason.text)
                    case _:
                        pass
            for peer in server.peers:
                if peer.rtt is not None and heard:
                    peer.close_nicely("see you")
            return "the server said" in client.output and len(heard) == 2

        deadline = time.monotonic() + DEADLINE
        while not serve():
            assert time.monotonic() < deadline, client.output

    assert len(sketch.splitlines()) <= 45
    assert heard == ["ahoy", "see you"]
    assert client.output == "message: {'you said': 'ahoy'}\nthe server said: see you\n"
