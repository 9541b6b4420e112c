"""Browsers are shown the page of the kit, or the author's beside which its scripts are, at a link that can be typed."""

import gzip
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from javascript import node

from netcode import Web
from netcode.address import Address
from netcode.turns.__main__ import main
from netcode.turns.server import Server, serve
from netcode.turns.serving.browsers import FILES, PAGE, link_of, page_of
from netcode.wire.http import parse
from turns.hall import TicTacToe

MOST_BYTES, MOST_STYLE = 20_400, 1_700
"""What a table's page and its scripts take, and its looks, each file as it travels."""


def fetch(server: Server, target: str) -> bytes:
    """Return what a browser is shown there."""
    with socket.create_connection(("127.0.0.1", server.address.port), timeout=5.0) as browser:
        browser.sendall(f"GET {target} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        browser.setblocking(False)
        answer = b""
        for _ in range(2_000):
            server.update()
            server.wait(0.005)
            try:
                data = browser.recv(65_536)
            except BlockingIOError:
                continue
            answer += data
            if not data:
                break
    return answer.partition(b"\r\n\r\n")[2]


def test_page_and_scripts_are_small() -> None:
    script = PAGE.parent.parent.parent / "web" / "netcode.js"

    packed = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in (PAGE, script, *FILES.values())}
    assert packed.pop("table.css") <= MOST_STYLE
    assert sum(packed.values()) <= MOST_BYTES
    assert {file.name for file in PAGE.parent.iterdir()} == {PAGE.name, *FILES}


LINK = """
export const read = (data) => [0, data];
export class Client extends EventTarget {
  id = 1;
  constructor() { super(); globalThis.link = this; }
  on(name, hear) { this.addEventListener(name, ({ detail }) => hear(detail)); return this; }
  send(message) { globalThis.sent = JSON.stringify(message); }
}
"""
"""A link in the place of `netcode.js`, on which a test speaks for the server."""
HEAR = """
import { Seat } from "./seat.js";
const hear = (name, detail) => link.dispatchEvent(new CustomEvent(name, { detail }));
"""
ENDS = """
const result = [[0], null, ""], over = ["over", ...result], heard = [];
const seat = new Seat();
seat.on("event", ([kind, ...what]) => heard.push(kind === "over" ? seat.state.id : kind));
hear("joined");
seat.join("TicTacToe", { watch: true });
for (const [id, ...events] of [["missed"], ["missed"], ["seen", ["started"], over], ["seen"]]) {
  hear("message", ["sat", "t", "TicTacToe", null, null, 0, null]);
  hear("message", ["step", events, {}, { started: true, id, result }]);
}
console.log(heard.join());
"""
CROSSED = """
const heard = [], seat = new Seat();
seat.on("event", ([kind]) => heard.push(kind));
hear("joined");
seat.join("TicTacToe", { room: "full" });
seat.join("TicTacToe", { ticket: "t.key", name: "Ann" });
hear("message", ["gone", "the table is full"]);
hear("message", ["sat", "t", "TicTacToe", 0, null, 0, null]);
hear("joined");
console.log(heard.join(), seat.seat, sent);
"""
OVERTAKEN = """
const seat = new Seat();
hear("joined");
seat.join("TicTacToe", { ticket: "t.key", name: "Ann" });
seat.join("TicTacToe", { room: "other", name: "Ann" });
hear("message", ["sat", "t", "TicTacToe", 0, null, 0, null]);
hear("message", ["refused", null, "you are at a table already; leave it first"]);
hear("joined");
console.log(seat.ticket, sent);
seat.join("TicTacToe", { watch: true });
hear("message", ["sat", "t", "TicTacToe", null, null, 0, null]);
console.log(seat.ticket);
"""


def test_a_page_hears_once_of_each_end_also_of_one_that_it_missed_and_of_a_seat_after_a_refusal(tmp_path: Path) -> None:
    files = {"package.json": '{"type": "module"}', "netcode.js": LINK, "seat.js": FILES["seat.js"].read_text("utf-8")}
    for name, text in {**files, "test.js": f"{HEAR}{{{ENDS}}}{{{CROSSED}}}{{{OVERTAKEN}}}"}.items():
        (tmp_path / name).write_text(text, "utf-8")

    told = subprocess.run([node(), tmp_path / "test.js"], capture_output=True, text=True, check=True).stdout
    again = '["join","TicTacToe",{"legal":true,"name":"Ann","ticket":"t.key"}]'
    assert told == f"link,sat,missed,started,seen\nlink,gone,sat 0 {again}\nt.key {again}\nnull\n"


@pytest.mark.parametrize("web", [True, Web(), Web(origins=["https://example.org"])])
def test_without_a_page_of_the_author_that_of_the_kit_is_shown(web: Web | bool) -> None:
    with Server(TicTacToe, host="127.0.0.1", port=0, on_thread=False, web=web) as server:
        assert server.link == f"http://127.0.0.1:{server.address.port}/"
        assert fetch(server, "/any/path/") == PAGE.read_bytes()
        for name, path in FILES.items():
            assert fetch(server, f"/any/path/{name}") == path.read_bytes()
        assert b"export class Client" in fetch(server, "/netcode.js")


def test_a_page_of_the_author_has_the_scripts_beside_it() -> None:
    web = Web(page="<p>mine", files={"table.css": "b{}"})
    with Server(TicTacToe, host="127.0.0.1", port=0, on_thread=False, web=web) as server:
        assert fetch(server, "/") == b"<p>mine"
        assert fetch(server, "/table.css") == b"b{}"
        assert fetch(server, "/seat.js") == FILES["seat.js"].read_bytes()


def test_pages_are_opened_by_the_address_at_which_players_come() -> None:
    upgrade = parse(b"GET / HTTP/1.1\r\nHost: game.example:7777\r\nOrigin: http://game.example:7777")
    for own in (Address("game.example", 7777), None):
        web = page_of(True, own)
        assert isinstance(web, Web)
        assert (web._objection(upgrade, Address("192.168.1.9", 4711)) == "") == (own is not None)


def test_without_web_there_is_no_link() -> None:
    for web in (None, False):
        with Server(TicTacToe, host="127.0.0.1", port=0, on_thread=False, web=web) as server:
            assert server.link == ""
    assert page_of(None) is None
    with pytest.raises(TypeError, match=r"web must be True or a netcode\.Web, not str"):
        Server(TicTacToe, host="127.0.0.1", port=0, web="yes")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_the_link_is_one_that_a_friend_can_type(monkeypatch: pytest.MonkeyPatch) -> None:
    assert link_of(Address("192.0.2.7", 7777), secure=False) == "http://192.0.2.7:7777/"
    assert link_of(Address("::1", 7777), secure=True) == "https://[::1]:7777/"
    for everywhere in ("", "0.0.0.0", "::"):
        link = link_of(Address(everywhere, 80), secure=False)
        assert link.startswith("http://")
        assert link.endswith(":80/")
        assert everywhere == "" or everywhere not in link

    def unreachable(_socket: socket.socket, _address: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable, raising=False)
    assert link_of(Address("", 80), secure=False) == "http://localhost:80/"


def test_the_link_is_by_the_name_that_the_server_was_given() -> None:
    where: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "address": "play.example.org:443"}
    with Server(TicTacToe, on_thread=False, web=True, **where) as server:
        assert server.link == "http://play.example.org:443/"


def test_the_link_over_tls_is_https() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with Server(TicTacToe, host="127.0.0.1", port=0, on_thread=False, web=True, tls=tls) as server:
        assert server.link.startswith("https://127.0.0.1:")


def test_serve_and_the_command_print_the_link(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def end(_server: Server) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "wait", end)
    serve(TicTacToe, host="127.0.0.1", port=0, store=None, web=True)
    assert capsys.readouterr().out.startswith("play in a browser at http://127.0.0.1:")
    serve(TicTacToe, host="127.0.0.1", port=0, store=None)
    assert capsys.readouterr().out == ""

    game = Path(__file__).parent.parent.parent / "examples" / "turns" / "tictactoe.py"
    store = str(tmp_path / "games.db")
    assert main(["serve", str(game), "--host", "127.0.0.1", "--port", "0", "--web", "--store", store]) == 0
    assert "play in a browser at http://127.0.0.1:" in capsys.readouterr().out
