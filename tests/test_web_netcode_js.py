"""netcode.js, in the programs that run it: held to the vectors of the standard, and to its own bounds."""

import gzip
import json
import os
import re
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgpack
import pytest
from docs_blocks import code_of
from javascript import browser, modules, node, site
from programs import DEADLINE, ROOT, Start
from wire_decoder import DEPTH_OF_SERVERS, DICT, LIST, Refused, Timestamp, check_extensions, read_value

import netcode

CLIENT = ROOT / "netcode" / "web" / "netcode.js"
MOST_LINES = 315
MOST_BYTES = 6_250
"""What a page loads, as it travels."""


def plain(value: Any) -> list[Any]:
    """Write a value down as `plain` in tests/web/vectors.mjs does."""
    if isinstance(value, LIST):
        return ["list", *map(plain, value)]
    if isinstance(value, DICT):
        return ["map", *([plain(key), plain(item)] for key, item in value.items())]
    match value:
        case None:
            return ["null"]
        case bool():
            return [str(value).lower()]
        case int():
            return ["number", str(value)]
        case float() if value.is_integer():
            return ["number", str(int(value))]
        case float() if value != value:  # noqa: PLR0124 - only that is not itself
            return ["float", "nan"]
        case float():
            return ["float", struct.pack("<d", value).hex()]
        case str():
            return ["text", value]
        case bytes():
            return ["bytes", value.hex()]
        case msgpack.Timestamp() | Timestamp():
            return ["moment", str(value.seconds), str(value.nanoseconds)]
        case _:
            raise AssertionError(value)


def vectors() -> list[dict[str, Any]]:
    """Return all vectors of the page, the meanings written down."""
    [block] = code_of("protocol.md", "vectors")
    found: list[dict[str, Any]] = []
    for line in block.splitlines():
        kind, data, meaning = line.split(" ", 2)
        means: Any = meaning
        if kind in {"message", "deep", "control", "moved"}:
            means = plain(eval(meaning, {"timestamp": msgpack.Timestamp}))
        found.append({"kind": kind, "bytes": data, "meaning": means})
    return found


def strange_value(random: Random, depth: int = 0) -> Any:
    """Return anything that msgpack can say."""
    inner = depth + 1
    return random.choice(
        (
            lambda: random.choice((None, True, False, 1.5, -0.25, 3.0e30)),
            lambda: random.randrange(-40, 300),
            lambda: random.choice((1, -1)) * random.getrandbits(random.randrange(1, 64)),
            lambda: "".join(random.choices("aé€😀\ufeff\0", k=random.randrange(40))),
            lambda: random.randbytes(random.randrange(40)),
            lambda: msgpack.Timestamp(random.randrange(-(2**40), 2**40), random.choice((0, random.randrange(10**9)))),
            *(
                (
                    lambda: [strange_value(random, inner) for _ in range(random.randrange(20))],
                    lambda: {
                        random.choice(("a", "__proto__", "7", random.randrange(300), None)): strange_value(
                            random, inner
                        )
                        for _ in range(random.randrange(6))
                    },
                )
                if depth < 5
                else ()
            ),
        )
    )()


def strange_payloads(count: int) -> Iterator[dict[str, Any]]:
    """Yield payloads, most of them damaged, and what the decoder of the standard makes of each."""
    random = Random(14)
    for _ in range(count):
        payload = bytearray(msgpack.packb(strange_value(random), use_single_float=random.random() < 0.1))
        for _ in range(random.choice((0, 0, 1, 2))):
            start = random.randrange(len(payload))
            payload[start : start + random.randrange(3)] = random.randbytes(random.randrange(3))
            payload = payload or bytearray(b"\xc0")
        try:
            message = read_value(bytes(payload), DEPTH_OF_SERVERS)
            check_extensions(message)
            meaning: Any = plain(message)
        except Refused as refused:
            if isinstance(refused.__cause__, TypeError):
                continue  # a map for a key: JavaScript takes it
            meaning = "refused"
        yield {"kind": "payload", "bytes": payload.hex(), "meaning": meaning}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file with the vectors."""
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps(vectors()), encoding="utf-8")
    return path


def in_node(name: str, **environment: str) -> dict[str, int]:
    """Run a file of tests in Node, and return how many did what."""
    program = [node(), "--test", "--test-reporter=tap", str(ROOT / "tests" / "web" / name)]
    done = subprocess.run(
        program,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=2 * DEADLINE,
        check=False,
        encoding="utf-8",
    )
    failed = re.findall(r"^ *not ok.*$", done.stdout, re.MULTILINE)
    assert (done.returncode, failed) == (0, []), done.stdout[-3000:] + done.stderr
    return {what: int(count) for what, count in re.findall(r"^# (\w+) (\d+)$", done.stdout, re.MULTILINE)}


def test_all_vectors_of_the_standard_hold_in_node(written: Path) -> None:
    told = in_node("vectors.test.mjs", NETCODE_VECTORS=str(written))

    assert (told["pass"], told["skipped"]) == (len(vectors()), 0)


def test_what_is_damaged_is_read_and_refused_as_by_the_decoder_of_the_standard(tmp_path: Path) -> None:
    path, payloads = tmp_path / "payloads.json", [*strange_payloads(5000)]
    path.write_text(json.dumps([*payloads]), encoding="utf-8")
    refused = [payload for payload in payloads if payload["meaning"] == "refused"]

    done = subprocess.run(
        [node(), str(ROOT / "tests" / "web" / "all.mjs"), str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * DEADLINE,
    )

    assert (done.stdout, done.stderr) == ("", "")
    assert 500 < len(refused) < len(payloads) - 500


def test_a_client_does_what_the_standard_says() -> None:
    told = in_node("client.test.mjs")

    assert told["pass"] > 40
    assert told["skipped"] == 0


def test_all_vectors_of_the_standard_hold_in_a_browser(tmp_path: Path) -> None:
    files: dict[str, Path | bytes] = {
        "/tests/web": ROOT / "tests" / "web",
        "/netcode/web": CLIENT.parent,
        "/page": b"<!doctype html>",
    }
    with browser(tmp_path) as chromium, site(files) as address:
        page = chromium.page(f"{address}/page")
        failed = page.value(
            f"import('/tests/web/vectors.mjs').then(({{ failures }}) => failures({json.dumps(vectors())}))"
        )

    assert failed == []


TALK = """
import(LIBRARY).then(({ Client }) => {
  const told = (window.told = { away: 0, back: 0, got: [], left: null });
  const client = new Client(SERVER, { game: "echo", version: "1" });
  let next = 0;
  const more = () => { while (next < COUNT && next < told.got.length + 100) client.send({ number: next++, text: "ahoy" }); };
  client.on("joined", more);
  client.on("message", (message) => { told.got.push(message); more(); if (told.got.length === COUNT) client.close("that was all"); });
  client.on("away", () => (told.away += 1)).on("back", () => (told.back += 1)).on("left", (reason) => (told.left = reason));
});
"""


def test_nothing_is_lost_or_doubled_over_a_network_that_cuts(tmp_path: Path, start: Start) -> None:
    count, seen, wrong = 3000, 0, list[Any]()
    files: dict[str, Path | bytes] = {"/netcode/web": CLIENT.parent, "/page": b"<!doctype html>"}
    with (
        browser(tmp_path) as chromium,
        site(files) as address,
        netcode.Server(
            "127.0.0.1", 0, game="echo", version="1", web=netcode.Web(origins=(address,)), grace=30
        ) as server,
    ):
        lag = start("-m", "netcode", "lag", "0", str(server.address), "--cut-bytes", "8000", "--seed", "14")
        port = lag.until(r":(\d+) ->")[1]
        page = chromium.page(f"{address}/page")
        talk = TALK.replace("LIBRARY", "'/netcode/web/netcode.js'").replace("COUNT", str(count))
        page.value(talk.replace("SERVER", f"'ws://127.0.0.1:{port}/'") + "; 0")
        deadline, look = time.monotonic() + 2 * DEADLINE, 0.0
        while time.monotonic() < deadline:
            server.wait(0.05)
            server.update()
            for event in server.events():
                match event:
                    case netcode.Received(peer, message):
                        wrong += [message] if message["number"] != seen else []
                        seen += 1
                        peer.send(message["number"])
                    case _:
                        pass
            if time.monotonic() >= look:
                look = time.monotonic() + 0.05
                if page.value("window.told?.left"):
                    break
        told = page.value("told")

    assert (seen, wrong) == (count, [])
    assert told["got"] == [*range(count)]
    assert told["left"]["name"] == "CLOSED"
    assert told["away"] == told["back"] >= 20


@pytest.mark.npm
def test_typescript_finds_what_authors_do_wrong() -> None:
    compiler = modules("typescript") / "bin" / "tsc"

    done = subprocess.run(
        [node(), str(compiler), "--project", str(ROOT / "tests" / "web")],
        capture_output=True,
        text=True,
        timeout=2 * DEADLINE,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_the_lock_file_names_no_registry() -> None:
    lock = (ROOT / "tests" / "web" / "package-lock.json").read_text(encoding="utf-8")

    assert "integrity" in lock
    assert "://" not in lock
    assert "resolved" not in lock


def test_a_page_loads_it_in_no_time() -> None:
    text = CLIENT.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= MOST_LINES
    assert len(gzip.compress(text.encode(), 9)) <= MOST_BYTES
    assert [line for line in text.splitlines() if len(line) > 140] == []
    assert re.findall(r"\bimport\b|\brequire\(|https?://", text) == []
