"""docs/tls.md is followed to the letter: its line makes the certificate, and its code uses it."""

import re
from pathlib import Path

import pytest
from certificates import make_certificate, needs_openssl
from docs_blocks import code_of
from programs import ROOT

import netcode

TEXT = (ROOT / "docs" / "tls.md").read_text(encoding="utf-8")
BLOCKS = code_of("tls.md")


@needs_openssl
def test_its_server_and_its_client_talk_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_certificate(tmp_path)
    monkeypatch.chdir(tmp_path)
    there: dict[str, object] = {}

    server_code, client_code = BLOCKS
    exec(server_code.replace("7777", "0"), there)
    server = there["server"]
    assert isinstance(server, netcode.Server)
    exec(client_code.replace("7777", str(server.address.port)), there)
    client = there["client"]
    assert isinstance(client, netcode.Client)
    with server, client:
        for _ in range(2000):
            server.update()
            client.update()
            if client.state is not netcode.State.CONNECTING:
                break
            netcode.wait(server, client, timeout=0.01)
        client.send("over tls")
        heard: list[netcode.Event] = []
        for _ in range(2000):
            client.update()
            server.update()
            heard += server.events()
            if len(heard) == 2:
                break
            netcode.wait(server, client, timeout=0.01)

    assert client.reason is not None
    assert [getattr(event, "message", None) for event in heard] == [None, "over tls"]


def test_the_codes_it_names_exist() -> None:
    named = {*re.findall(r"`([A-Z_]{4,})`", TEXT)}

    assert named == {"BROKEN_TLS", "CONNECT_TIMEOUT", "HANDSHAKE_TIMEOUT"}
    assert named <= {code.name for code in netcode.ReasonCode}
