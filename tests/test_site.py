"""What browsers are shown, and whose pages may connect."""

import base64
import gzip
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from netcode.address import Address
from netcode.site import MAX_FILE, Web
from netcode.wire.http import BadRequest, Request, parse


def get(target: str, **headers: str) -> Request:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return parse("\r\n".join([f"GET {target} HTTP/1.1", *lines]).encode())


def answer(web: Web, target: str) -> tuple[dict[str, str], bytes]:
    head, _, body = web._answer(get(target)).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    return dict(line.split(": ", 1) for line in lines[1:]), body


def test_a_page_and_files_are_shown_below_any_path(tmp_path: Path) -> None:
    (tmp_path / "game.js").write_text("play()")
    web = Web(page="<p>Ünï", files={"game.js": tmp_path / "game.js", "logo.png": b"\x89PNG"})

    assert answer(web, "/")[1] == answer(web, "/chess/?room=1")[1] == "<p>Ünï".encode()
    assert answer(web, "/chess/game.js")[1] == b"play()"
    assert answer(web, "/")[0]["Content-Type"] == "text/html; charset=utf-8"
    assert answer(web, "/game.js")[0]["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer(web, "/logo.png")[0]["Content-Type"] == "image/png"
    assert answer(web, "/logo.png")[0]["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert repr(web).startswith("<Web with game.js, logo.png")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"page": "index.html"}, "page"),
        ({"page": "C:\\my game\\Index.HTM"}, "page"),
        ({"files": {"game.js": "web/game.js"}}, "game.js"),
        ({"files": {"logo.png": "logo.png"}}, "logo.png"),
    ],
)
def test_the_name_of_a_file_is_not_shown_as_a_page(arguments: Any, name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} is the text '.*', not what that file has in it: write Path\('"):
        Web(**arguments)


def test_text_that_only_names_files_is_shown() -> None:
    assert answer(Web(page="the game is <a href=game.html>game.html"), "/")[1].startswith(b"the game is")
    assert answer(Web(page="take play.exe"), "/")[1] == b"take play.exe"
    assert answer(Web(page="first\nindex.html"), "/")[1] == b"first\nindex.html"


@pytest.mark.parametrize("wish", ["gzip", "deflate, gzip,br", "gzip, deflate"])
def test_what_gets_shorter_travels_packed_to_whoever_unpacks_it(wish: str) -> None:
    web = Web(page="<p>" + 100 * "ahoy ", files={"short.txt": "ahoy"})

    head, _, body = web._answer(get("/", accept_encoding=wish)).partition(b"\r\n\r\n")
    assert gzip.decompress(body) == b"<p>" + 100 * b"ahoy "
    assert b"\r\nContent-Encoding: gzip" in head
    assert b"\r\nVary: Accept-Encoding" in head
    assert b"\r\nContent-Length: %d\r\n" % len(body) in head
    assert web._answer(get("/short.txt", accept_encoding=wish)).endswith(b"\r\n\r\nahoy")


@pytest.mark.parametrize("wish", ["", "identity", "br", "gzip;q=0", "x-gzipped"])
def test_what_is_not_to_be_packed_is_not(wish: str) -> None:
    web = Web(page=100 * "ahoy ")

    told = web._answer(get("/", accept_encoding=wish))

    assert told.endswith(100 * b"ahoy ")
    assert b"Content-Encoding" not in told


@pytest.mark.parametrize(
    ("name", "target"),
    [("my game.js", "/my%20game.js"), ("größe.css", "/gr%C3%B6%C3%9Fe.css"), ("100%.js", "/100%25.js")],
)
def test_a_file_is_found_as_a_browser_writes_its_name(name: str, target: str) -> None:
    assert answer(Web(files={name: "ahoy"}), target)[1] == b"ahoy"


@pytest.mark.parametrize("target", ["/game.py", "/../game.js/..", "/play", "/%2e%2e", "*"])
def test_there_is_nothing_else(target: str) -> None:
    with pytest.raises(BadRequest, match="there is nothing of that name here") as caught:
        Web(files={"game.js": ""})._answer(get(target))

    assert caught.value.status == 404


def test_what_was_not_given_can_be_added() -> None:
    given = Web(files={"game.js": "mine()"}, origins=["https://a.example"], proxies=["10.0.0.1"])

    web = given.with_defaults("<p>table", {"game.js": "other()", "seat.js": "seat()"})

    assert answer(web, "/")[1] == b"<p>table"
    assert answer(web, "/game.js")[1] == b"mine()"
    assert answer(web, "/seat.js")[1] == b"seat()"
    assert web._objection(get("/", host="h", origin="https://a.example")) == ""
    assert web._trusts(Address("10.0.0.1", 1))
    assert answer(Web(page="<p>mine").with_defaults("<p>table", {}), "/")[1] == b"<p>mine"


def test_a_file_is_read_once_wherever_the_program_goes_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.html").write_bytes(b"<p>mine")
    (tmp_path / "game.js").write_bytes(b"mine()")
    monkeypatch.chdir(tmp_path)
    given = Web(page=Path("page.html"), files={"game.js": Path("game.js")})

    monkeypatch.chdir("/")
    web = given.with_defaults("<p>table", {"game.js": "other()"})

    assert answer(web, "/")[1] == b"<p>mine"
    assert answer(web, "/game.js")[1] == b"mine()"


def test_without_a_page_something_is_said() -> None:
    assert b"netcode" in answer(Web(), "/")[1]
    assert repr(Web()).startswith("<Web with ")


def test_the_script_of_the_package_is_there_and_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcode.site._own_script", lambda: b"own()")
    assert answer(Web(), "/netcode.js")[1] == b"own()"
    assert answer(Web(files={"netcode.js": "mine()"}), "/netcode.js")[1] == b"mine()"

    monkeypatch.setattr("netcode.site._own_script", lambda: None)
    with pytest.raises(BadRequest):
        Web()._answer(get("/netcode.js"))


def test_the_script_of_the_package_is_looked_for_in_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:

    def files(_: str) -> Path:
        return tmp_path

    monkeypatch.setattr("importlib.resources.files", files)
    with pytest.raises(BadRequest):
        Web()._answer(get("/netcode.js"))

    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "netcode.js").write_text("found()")
    assert answer(Web(), "/netcode.js")[1] == b"found()"


def test_scripts_within_the_page_run_and_no_others() -> None:
    page = '<script type="module">one()</script><script src="x.js"></script><SCRIPT>\ntwo()\n</SCRIPT>'

    policy = answer(Web(page=page), "/")[0]["Content-Security-Policy"]

    digests = [base64.b64encode(hashlib.sha256(script).digest()).decode("ascii") for script in (b"one()", b"\ntwo()\n")]
    assert f"script-src 'self' 'sha256-{digests[0]}' 'sha256-{digests[1]}';" in policy


def test_scripts_within_another_page_run_there() -> None:
    web = Web(
        page="<script>one()</script>", files={"rules.html": "<script>two()</script>", "a.js": "<script>3</script>"}
    )

    policies = {target: answer(web, target)[0]["Content-Security-Policy"] for target in ("/", "/rules.html", "/a.js")}

    first, second = (base64.b64encode(hashlib.sha256(text).digest()).decode() for text in (b"one()", b"two()"))
    assert [re.findall("'sha256-(.*?)'", policy) for policy in policies.values()] == [[first], [second], []]


@pytest.mark.parametrize(
    "page",
    [
        b"<script>\none()\ntwo()</script>",
        b"<script>\r\none()\r\ntwo()</script>",
        b"<script>\rone()\rtwo()</script>",
        b"<script data-of='a>b' type=module>\none()\ntwo()</script >",
        b'<SCRIPT\nID="a>b" data-src=x>\none()\ntwo()</Script\t\n>',
    ],
)
def test_a_script_runs_however_the_page_was_written(page: bytes) -> None:
    [digest] = re.findall("'sha256-(.*?)'", answer(Web(page=page), "/")[0]["Content-Security-Policy"])

    assert digest == base64.b64encode(hashlib.sha256(b"\none()\ntwo()").digest()).decode("ascii")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://game.example:7777", "game.example:7777"),
        ("https://game.example", "game.example"),
        ("https://game.example:443", "game.example"),  # TLS ends at a proxy
        ("http://game.example", "GAME.example:80"),
        ("http://[::1]:7777", "[::1]:7777"),
        ("https://elsewhere.example", "game.example"),
        ("HTTPS://Elsewhere.example", "game.example"),
        ("", "game.example"),
    ],
)
def test_the_own_page_and_listed_ones_and_programs_may_connect(origin: str, host: str) -> None:
    web = Web(origins=["https://elsewhere.example"])

    assert web._objection(get("/", Host=host, **({"Origin": origin} if origin else {}))) == ""


@pytest.mark.parametrize(
    ("origin", "objection"),
    [
        ("null", "a page without an origin of its own, such as a file, may not connect"),
        (
            "https://evil.example",
            "pages of https://evil.example may not connect here; the server can list it in Web(origins=...)",
        ),
        (
            "https://game.example.evil.example",
            "pages of https://game.example.evil.example may not connect here; the server can list it in Web(origins=...)",
        ),
        (
            "http://elsewhere.example",
            "pages of http://elsewhere.example may not connect here; the server can list it in Web(origins=...)",
        ),
    ],
)
def test_other_pages_may_not(origin: str, objection: str) -> None:
    web = Web(origins=["https://elsewhere.example"])

    assert web._objection(get("/", Host="game.example", Origin=origin)) == objection


INSIDE = ("127.0.0.1", "192.168.1.7", "10.0.0.3", "100.64.0.9", "::1", "fe80::1%eth0", "fd00::7", "::ffff:192.168.1.7")
"""Addresses of networks that a stranger reaches only through the browser of somebody inside."""


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("name", ["evil.example", "evil.example:7777", "7.evil.example.:80", "local.evil.example"])
def test_a_name_of_a_strangers_that_leads_here_is_not_ours(inside: str, name: str) -> None:
    objection = Web()._objection(get("/", Host=name, Origin=f"http://{name}"), Address(inside, 4711))

    said = f"http://{name} may be anybody's name for this server; the server can list it in Web(origins=...)"
    assert objection == said


@pytest.mark.parametrize(
    "name",
    [
        "192.168.1.7:7777",
        "127.0.0.1",
        "[fd00::7]:7777",
        "[::1]",
        "localhost:7777",
        "Kitchen:7777",
        "kitchen.local:7777",
        "KITCHEN.LOCAL.",
        "kitchen.home.arpa",
        "game.localhost",
    ],
)
def test_addresses_and_names_of_a_network_are_ours(name: str) -> None:
    assert Web()._objection(get("/", Host=name, Origin=f"http://{name}"), Address("192.168.1.9", 4711)) == ""


@pytest.mark.parametrize("outside", [Address("198.41.0.4", 1), Address("2001:500:200::b", 1), Address("unix", 1), None])
def test_any_name_will_do_for_who_comes_from_outside_or_is_vouched_for(outside: Address | None) -> None:
    assert Web()._objection(get("/", Host="game.example", Origin="http://game.example"), outside) == ""


def test_a_name_of_ours_is_listed() -> None:
    web = Web(origins=("http://game.example:7777",))

    request = get("/", Host="game.example:7777", Origin="http://game.example:7777")
    assert web._objection(request, Address("192.168.1.9", 4711)) == ""


@pytest.mark.parametrize(("port", "name"), [(7777, "game.example:7777"), (80, "game.example")])
def test_the_address_by_which_players_come_is_ours(port: int, name: str) -> None:
    web = Web(origins=["https://a.example"]).with_defaults("<p>table", {})
    web.let_in([f"Game.example:{port}"])

    inside, own = Address("192.168.1.9", 4711), get("/", Host=name, Origin=f"http://{name}")
    assert web._objection(own, inside) == ""
    assert web._objection(get("/", Host="h", Origin="https://a.example"), inside) == ""
    assert Web()._objection(own, inside) != ""


@pytest.mark.parametrize("origin", ["http://one.example:7777", "https://one.example:7777", "https://two.example"])
def test_who_is_led_on_brings_the_page_of_another_server(origin: str) -> None:
    web = Web()
    led = get("/", Host="three.example:7777", Origin=origin)
    web.let_in(["one.example:7777", "Two.example:443"])

    assert web._objection(led) == ""
    web.let_in([])
    assert web._objection(led) != ""


def test_a_proxy_tells_who_is_behind_it() -> None:
    web, proxy = Web(proxies=("10.0.0.1",)), Address("10.0.0.1", 7)

    assert web._trusts(proxy)
    assert not web._trusts(Address("10.0.0.2", 7))
    assert not web._trusts(None)
    assert web._client(proxy, get("/", X_Forwarded_For="1.2.3.4")) == Address("1.2.3.4", 0)
    assert web._client(proxy, get("/")) is proxy


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"origins": "https://a.example"}, "origins must be several, as in ('https://a.example',), not one str"),
        ({"origins": [1]}, "an origin must be a str such as 'https://example.org', not int"),
        (
            {"origins": ["https://a.example/"]},
            "an origin must be like 'https://example.org', without a path, not 'https://a.example/'",
        ),
        ({"origins": ["null"]}, "an origin must be like 'https://example.org', without a path, not 'null'"),
        ({"files": {1: ""}}, "the name of a file must be a str, not int"),
        ({"origins": None}, "origins must be several, as in ('https://example.org',), not NoneType"),
        ({"proxies": 5}, "proxies must be several addresses, as in ('127.0.0.1',), not int"),
        (
            {"files": ["a.js"]},
            'files must be a dict of names and what they show, as in {"a.js": Path("a.js")}, not list',
        ),
        ({"page": 7}, "page must be a str, bytes, or a pathlib.Path, not int"),
        ({"page": "x" * (MAX_FILE + 1)}, "page has 65537 bytes; 65536 are the most, for this is no file server"),
        ({"files": {"a.js": bytearray()}}, "a.js must be a str, bytes, or a pathlib.Path, not bytearray"),
    ],
)
def test_what_cannot_be_shown_is_named(given: dict[str, Any], error: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        Web(**given)

    assert str(caught.value) == error


@pytest.mark.parametrize("name", ["a/b.js", "..", "", ".js", "a.exe", "a.js?x", "a?b.js", "a"])
def test_names_are_plain_and_say_what_they_are(name: str) -> None:
    with pytest.raises(ValueError, match="the name of a file must be plain and end in one of"):
        Web(files={name: ""})


def test_what_is_as_large_as_it_may_be_is_shown() -> None:
    assert len(answer(Web(page=b"x" * MAX_FILE), "/")[1]) == MAX_FILE
