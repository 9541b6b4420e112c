"""The numbers of the pages, and of what `help()` shows, are those of the code."""

import inspect
import re
from typing import Any

import pytest
from programs import ROOT

from netcode import (
    Client,
    ConnectionSet,
    Peer,
    Refusal,
    Server,
    address,
    agones,
    certificate,
    connection,
    lan,
    reasons,
    site,
    snapshots,
)
from netcode.limits import Limits
from netcode.loop import budget
from netcode.observing import status
from netcode.session import comeback, door, link, seats, session
from netcode.stream import buffer, contract
from netcode.transport import lookup, tcp, tcp_listener, tls, tls_records, web
from netcode.turns.language import kit
from netcode.turns.runtime import legal
from netcode.turns.serving import incoming, outlook
from netcode.wire import codec, cost, decoding, http, protocol, proxies, websocket

BYTES: Any = connection.Connection
SET: Any = ConnectionSet
SEND, RECEIVE, POLL, CLOSE, CONNECT, ACCEPT = (
    str(inspect.getdoc(call))
    for call in (BYTES.send, BYTES.receive, BYTES.receive_poll, BYTES.close_nicely, connection.connect, SET.accept)
)
GOODBYES = [
    " ".join(str(inspect.getdoc(call)).split())
    for call in (Client.close_nicely, Server.close_nicely, Peer.close_nicely, Refusal)
]
PAGE, WIRE, PROCORD, TLS, AGONES = (
    (ROOT / "docs" / page).read_text(encoding="utf-8").replace("\n", " ")
    for page in ("limits.md", "protocol.md", "from-procord.md", "tls.md", "how-to/run-with-agones.md")
)
USUAL = Limits()


@pytest.mark.parametrize(
    ("page", "words", "number"),
    [
        (PAGE, r"(\d+) bytes before the greeting is answered", protocol.MAX_UNGREETED),
        (PAGE, r"a server takes `max_message` bytes and (\d+) levels of nesting", cost.MAX_DEPTH),
        (PAGE, r"greeting is answered, (\d+) levels of nesting from a client", cost.MAX_DEPTH),
        (PAGE, r"from a client and (\d+) from a server", cost.MAX_DEPTH + cost.ENVELOPE_DEPTH),
        (PAGE, r"and sends (\d+) bytes and 8 levels more", codec.ENVELOPE),
        (PAGE, r"(\d+) characters of a name", protocol.MAX_NAME),
        (PAGE, r"(\d+) bytes of a token", protocol.MAX_TOKEN),
        (PAGE, r"(\d+) bytes of a goodbye", reasons.MAX_TEXT),
        (PAGE, r"an acknowledgement every ([\d,]+) bytes", protocol.ACKNOWLEDGE_EVERY),
        (PAGE, r"(\d+) accepted connects per update", contract.ACCEPTS_PER_UPDATE),
        (PAGE, r"(\d+) steps of TLS handshakes per update", tls.HANDSHAKE_STEPS),
        (PAGE, r"(\d+ KiB) read from one peer per update", contract.SCRATCH),
        (PAGE, r"from (\d+ KiB) of it on as much as has come already", buffer.LEAST_ROOM),
        (PAGE, r"(\d+) keys of one map that are arrays", cost.MAX_COLLISIONS),
        (PAGE, r"(\d+) seconds for a connect", connection.CONNECT_TIMEOUT),
        (PAGE, r"(\d+) look-ups of names at once", lookup.MAX_LOOKUPS),
        (PAGE, r"look-ups of names at once, (\d+) of one name", lookup.MAX_LOOKUPS_OF_ONE_NAME),
        (PAGE, r"(\d+) ms of rest for a listener", tcp_listener.SHORTAGE_PAUSE * 1000),
        (PAGE, r"(\d+) refused connects in a row", comeback.REFUSALS),
        (PAGE, r"stops reading at ([\d,]+) bytes that nobody took", connection.MAX_RECEIVE_BUFFER),
        (PAGE, r"ends with `TOO_SLOW` when (\d+ MiB) wait", connection.MAX_SEND_BUFFER),
        (PAGE, r"waits (\d+) seconds for the other end's end", connection.LINGER),
        (PAGE, r"; (\d+) above it are turned away at once", door.TOLD_AT_THE_DOOR),
        (PAGE, r"and ([\d.]+) s for the goodbye", link.PARTING),
        (PAGE, r"(\d+) records of TLS", tls_records.RECORDS),
        (PAGE, r"(\d+) of those beyond the first \d+ of each", tls.SHARED),
        (PAGE, r"of those beyond the first (\d+) of each", tls.OWN),
        (PAGE, r"Of a handshake, (\d+) at a time", tls.GREETING),
        (PAGE, r"(\d+) bytes of the head of a request", http.MAX_HEAD),
        (PAGE, r"(\d+ KiB) of a page", site.MAX_FILE),
        (PAGE, r"(\d+) seconds for a browser", web.DELIVERY),
        (PAGE, r"(\d+) requests of HTTP", web.STEPS),
        (PAGE, r"(\d+) messages of WebSocket", websocket.MANY),
        (PAGE, r"(\d+) bytes of a header of the PROXY", proxies.MAX_HEADER),
        (PAGE, r"([\d,]+) lists and dicts decoded", budget.SHARE),
        (PAGE, r"up to some (\d+) such do not ask", budget.FREE),
        (PAGE, r"decoded (\d+ KiB) at a time", decoding.PART),
        (PAGE, r"(\d+) seconds at most between two attempts", comeback.PATIENT_CAP),
        (PAGE, r"(\d+) greetings, a second apart", comeback.GREETINGS),
        (PAGE, r"(\d+) links in a row", session.VAIN_LINKS),
        (PAGE, r"up for (\d+) `timeout` in total", session.VAIN_TIMEOUTS),
        (PAGE, r"in total, or (\d+) however short", session.MOST_VAIN_LINKS),
        (PAGE, r"([\d,]+) sessions that were ended", seats.MAX_ENDINGS),
        (PAGE, r"(\d+) servers that `netcode.discover`", lan.MAX_SIGHTINGS),
        (PAGE, r"with (\d+) addresses and 64 characters", lan.MAX_ADDRESSES),
        (PAGE, r"(\d+) snapshots that", snapshots.KEPT),
        (PAGE, r"(\d+) peers that a status file", status.MAX_ROWS),
        (PAGE, r"([\d,]+) ways to make one move", legal.MAX_CANDIDATES),
        (PAGE, r"looked at, for (\d+) ms", legal.MAX_SECONDS * 1000),
        (PAGE, r"and (\d+) plays are sent", outlook.MAX_LISTED),
        (PAGE, r"open tables (\d+) are told", incoming.SHOWN),
        (PAGE, r"a result have ([\d,]+) bytes", kit.MAX_SAID),
        (SEND, r"more than (\d+ MiB)", connection.MAX_SEND_BUFFER),
        (RECEIVE, r"above ([\d,]+) ", connection.MAX_RECEIVE_BUFFER),
        (POLL, r"sum is above ([\d,]+) ", connection.MAX_RECEIVE_BUFFER),
        (CLOSE, r"and (\d+) seconds for the other end", connection.LINGER),
        *((call, r"(\d+) bytes of UTF-8", reasons.MAX_TEXT) for call in GOODBYES),
        (CONNECT, r"at most (\d+) seconds", connection.CONNECT_TIMEOUT),
        (ACCEPT, r"at most (\d+) of them", contract.ACCEPTS_PER_UPDATE),
        (WIRE, r"uniformly within ([\d.]+) s", comeback.BACKOFF),
        (WIRE, r"and ([\d.]+) times as long after each failure", comeback.BACKOFF_FACTOR),
        (WIRE, r"after each failure, (\d+) s at most", comeback.BACKOFF_CAP),
        (WIRE, r"what is played, (\d+) characters each", protocol.MAX_NAME),
        (WIRE, r"no seat. (\d+) bytes at most", protocol.MAX_TOKEN),
        (WIRE, r"sentence for a human, (\d+) bytes", reasons.MAX_TEXT),
        (WIRE, r"all of it is (\d+) characters", address.MAX_ADDRESS),
        (WIRE, r"They nest (\d+) levels at most", cost.MAX_DEPTH - 1),
        (WIRE, r"more than it takes: (\d+) levels", cost.ENVELOPE_DEPTH),
        (WIRE, r"takes: 8 levels, and (\d+) bytes", codec.ENVELOPE),
        (WIRE, r"received more than ([\d,]+) bytes", protocol.ACKNOWLEDGE_EVERY),
        (WIRE, r"sends one by itself ([\d.]+) seconds", link.WAIT_FOR_THEIRS),
        (WIRE, r"Both ends wait (\d+) seconds", USUAL.handshake_timeout),
        (WIRE, r"\(netcode: (\d+) seconds\)", USUAL.handshake_timeout),
        (WIRE, r"heard nothing for (\d+) seconds", USUAL.timeout),
        (WIRE, r"says TIMEOUT after (\d+) s", USUAL.timeout),
        (WIRE, r"a message was begun (\d+) s ago", USUAL.message_timeout),
        (WIRE, r"more than (\d+) messages came", USUAL.max_messages_per_update),
        (WIRE, r"of its updates for (\d+) s", USUAL.flood_timeout),
        (WIRE, r"more than (\d+ MiB) waits", USUAL.max_queue),
        (WIRE, r"It gives up after (\d+) seconds", USUAL.close_timeout),
        (WIRE, r"a head of (\d+) bytes", http.MAX_HEAD),
        (WIRE, r"puts ([\d,]+) bytes into a message", websocket.LARGEST),
        (WIRE, r"more than (\d+) messages at once", websocket.MANY),
        (PROCORD, r"The receive buffer holds ([\d,]+) bytes", connection.MAX_RECEIVE_BUFFER),
        (PROCORD, r"has (\d+ MiB) waiting ends", connection.MAX_SEND_BUFFER),
        (PROCORD, r"in turn, (\d+) ms apart", tcp.ATTEMPT_DELAY * 1000),
        (PROCORD, r"is given up after (\d+) seconds", connection.CONNECT_TIMEOUT),
        (PROCORD, r"end is awaited, for (\d+) seconds", connection.LINGER),
        (PROCORD, r"rests for (\d+) ms", tcp_listener.SHORTAGE_PAUSE * 1000),
        (TLS, r"gives up after (\d+) seconds", connection.CONNECT_TIMEOUT),
        (TLS, r"the new one (\d+) seconds later", certificate.LOOK),
        (AGONES, r"goes out every (\d+) seconds", agones.HEALTH),
        (AGONES, r"once more, for (\d+) seconds", agones.TIMEOUT),
    ],
)
def test_what_a_page_says_is_so(page: str, words: str, number: float) -> None:
    [said] = re.findall(words, page)

    value, _, unit = said.replace(",", "").partition(" ")
    assert float(value) * {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}[unit] == number
