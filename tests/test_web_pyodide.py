"""An unmodified `netcode.Client` in Pyodide, in a real browser: over its WebSocket, and over Emscripten's sockets."""

import base64
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from certificates import Certificate, key_hash, make_signed, needs_openssl
from chromium import Page
from javascript import browser, modules, site
from programs import DEADLINE, ROOT, Start

import netcode

pytestmark = [pytest.mark.npm, needs_openssl]

LOADS = b"""<!doctype html><script type="module">
import { loadPyodide } from "/pyodide/pyodide.mjs";
const python = (window.python = await loadPyodide({ indexURL: "/pyodide/" }));
python.unpackArchive(await (await fetch("/dots.apk")).arrayBuffer(), "zip", { extractDir: "/packages" });
python.runPython("import sys; sys.path.insert(0, '/packages/assets')");
window.ready = true;
</script>"""

ECHO = """
import asyncio, time, netcode
from netcode.web import network_of_page
client = netcode.Client(HOST, PORT, game="echo", version="1", tls=TLS)
count, ended, began = 0, None, time.monotonic()
while client.reason is None:
    client.update()
    for event in client.events():
        match event:
            case netcode.Joined():
                client.send(0)
            case netcode.Received(_, 999):
                ended = time.monotonic()
                client.close_nicely("that was all")
            case netcode.Received(_, number):
                client.send(number + 1)
    await asyncio.sleep(0)
[type(network_of_page(False, print)).__name__, number, client.reason.code.name, time.monotonic() - ended]
"""

DISTRUSTS = """
import asyncio, netcode
client = netcode.Client("localhost", PORT, game="echo", version="1", tls=True)
while client.reason is None:
    client.update()
    await asyncio.sleep(0.01)
[client.reason.code.name, str(client.reason)]
"""

SLEEPS = """
import asyncio, js, netcode
client = netcode.Client("127.0.0.1", PORT, game="echo", version="1")
while client.state is not netcode.State.CONNECTED:
    client.update()
    await asyncio.sleep(0.01)
client.events()
client.send("hidden now")
client.update()
js.eval("Object.defineProperty(document, 'hidden', { value: true })")
[]
"""


DOTS = """
import main, netcode
client, seen = netcode.Client("127.0.0.1", MANY, game="many", credentials="page"), []
def draw(dots):
    seen.append(dots[client.id])
    if seen[-1][0] > seen[0][0]:
        client.close_nicely("that was all")
reason = await main.play(client, draw, lambda: [1, 0])
[seen[0][2], seen[-1][0] - seen[0][0], reason]
"""


TEMPLATE = "<!doctype html><title>{{cookiecutter.title}}</title><p>{{cookiecutter.archive}}.apk</p>"
"""A page around the game. That of pygbag comes from its server, like the Python and the pygame in it."""
ICON = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def packed(folder: Path) -> Path:
    """Return the page that pygbag makes of what examples/browser/pack.py packs, without asking its server for anything."""
    pytest.importorskip("pygbag", reason="pygbag cannot be found, so Python in a page is not tested")
    (folder / "page.tmpl").write_text(TEMPLATE, encoding="utf-8")
    (folder / "icon.png").write_bytes(ICON)
    subprocess.run([sys.executable, "examples/browser/pack.py", folder / "dots"], cwd=ROOT, check=True)
    own = ("--template", folder / "page.tmpl", "--icon", folder / "icon.png")
    subprocess.run(
        [sys.executable, "-m", "pygbag", "--build", *own, folder / "dots"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=DEADLINE,
    )
    return folder / "dots" / "build" / "web"


class Game:
    """A server that sends back what it hears, and a page with Python in it."""

    def __init__(self, server: netcode.Server, page: Page) -> None:
        self.server = server
        self.page = page
        self.heard: list[Any] = []

    def play(self) -> None:
        self.server.wait(0.02)
        self.server.update()
        for event in self.server.events():
            if isinstance(event, netcode.Received):
                self.heard.append(event.message)
                event.peer.send(event.message)

    def run(self, code: str) -> Any:
        """Run Python in the page, and return the list that it ends with."""
        code = json.dumps(code.replace("PORT", str(self.server.address.port)))
        run = f"python.runPythonAsync({code}).then((answer) => answer.toJs(), String)"
        self.page.value(f"window.answer = undefined; {run}.then((answer) => (window.answer = answer)); 0")
        deadline, look = time.monotonic() + 2 * DEADLINE, 0.0
        answer = None
        while answer is None:
            assert time.monotonic() < deadline, self.page.problems
            self.play()
            if time.monotonic() > look:
                look = time.monotonic() + 0.05
                answer = self.page.value("window.answer")
        for _ in range(10):
            self.play()  # the last link ends
        return answer


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate of the authority that the browser trusts, and no other."""
    return make_signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory, signed: Certificate) -> Iterator[Game]:
    """Python in a page, which takes seconds to load, beside a server."""
    modules("pyodide")  # first, because it may be missing
    archive = (packed(tmp_path_factory.mktemp("packed")) / "dots.apk").read_bytes()
    files: dict[str, Path | bytes] = {"/pyodide": modules("pyodide"), "/dots.apk": archive, "/page": LOADS}
    with (
        browser(
            tmp_path_factory.mktemp("chromium"), trusted=key_hash(signed.cert.with_name("authority.pem"))
        ) as chromium,
        site(files) as address,
        netcode.Server("127.0.0.1", 0, game="echo", version="1", web=netcode.Web(origins=(address,))) as server,
    ):
        page = chromium.page(f"{address}/page")
        page.until("window.ready", 2 * DEADLINE)
        yield Game(server, page)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("network", ["PageNetwork", "TcpNetwork"])
def test_a_thousand_echoes_and_a_nice_end(game: Game, network: str, host: str) -> None:
    code = ECHO.replace("HOST", repr(host)).replace("TLS", "False")
    if network == "TcpNetwork":
        code = f"import sys\nwas, sys.modules['js'] = sys.modules.get('js'), None\n{code}"

    used, last, reason, seconds = game.run(code)
    game.page.value("python.runPython(\"import sys; sys.modules.pop('js', None)\"); 0")

    assert (used, last, reason) == (network, 998, "CLOSED")
    assert seconds < 1.0
    assert {urlsplit(url).hostname for url in game.page.requests} <= {"127.0.0.1", "localhost", None}


def beside(game: Game, certificate: Certificate) -> netcode.Server:
    """Start a server with a certificate, for the page of the other."""
    web = netcode.Web(origins=(game.page.value("location.origin"),))
    return netcode.Server("127.0.0.1", 0, game="echo", version="1", web=web, tls=certificate.server())


def test_a_thousand_echoes_over_tls(game: Game, signed: Certificate) -> None:
    code = ECHO.replace("HOST", "'localhost'").replace("TLS", "True")

    with beside(game, signed) as server:
        used, last, reason, seconds = Game(server, game.page).run(code)

        assert (used, last, reason) == ("PageNetwork", 998, "CLOSED")
        assert seconds < 1.0
        assert f"wss://localhost:{server.address.port}/" in game.page.requests


def test_a_certificate_that_the_browser_does_not_trust_is_a_refusal(game: Game, certificate: Certificate) -> None:
    with beside(game, certificate) as server:
        code, text = Game(server, game.page).run(DISTRUSTS)

        assert code == "REFUSED"
        assert f"localhost:{server.address.port} cannot be reached from this page" in text


def test_a_message_wakes_a_page_that_is_hidden(game: Game) -> None:
    game.heard.clear()

    assert game.run(SLEEPS) == []
    deadline = time.monotonic() + DEADLINE
    while not game.page.value("python.runPython('len(client.events())')"):
        assert time.monotonic() < deadline
        game.play()
    game.run("client.close()\n[]")
    while len(game.server.peers):
        assert time.monotonic() < deadline
        game.play()

    assert game.heard == ["hidden now"]


def test_the_example_that_pygbag_packs_plays_in_a_page(game: Game, start: Start) -> None:
    origin = game.page.value("location.origin")
    port = start("examples/many_server.py", 0, origin).until(r"port (\d+)")[1]

    told = game.run(DOTS.replace("MANY", port))

    assert told[0] == "page"
    assert told[1] > 0
    assert told[2] == "that was all"


def test_what_pygbag_packs_is_the_game_netcode_and_a_plain_msgpack(tmp_path: Path) -> None:
    page = packed(tmp_path)

    with zipfile.ZipFile(page / "dots.apk") as archive:
        names = set(archive.namelist())
        assert archive.read("assets/main.py") == (ROOT / "examples" / "browser" / "main.py").read_bytes()
    assert (page / "index.html").read_text(encoding="utf-8") == "<!doctype html><title>dots</title><p>dots.apk</p>"
    assert {"assets/netcode/__init__.py", "assets/netcode/web/__init__.py", "assets/msgpack/fallback.py"} <= names
    assert {name.rpartition(".")[2] for name in names} == {"py"}


def test_a_page_says_that_it_cannot_listen(game: Game) -> None:
    told = game.run("import netcode\nnetcode.Server('', 7777)")

    assert "OSError: [Errno 138] a page in a browser cannot listen: run the server as a program" in told
