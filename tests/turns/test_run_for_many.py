"""examples/deploy: what its files say is what there is, and processes, database and door carry a game over a kill."""

import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from certificates import Certificate, needs_openssl
from docs_blocks import wait_until_listening
from programs import ROOT, Program, Start

from benchmarks.ports import free_port
from netcode.turns import Seat, join
from netcode.turns.terminal.arguments import make_parser
from netcode.turns.terminal.game_file import load_game

if TYPE_CHECKING:
    from benchmarks.databases import Postgres

DEPLOY = ROOT / "examples" / "deploy"
GAME = ROOT / "examples" / "turns" / "tictactoe.py"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in DEPLOY.iterdir()}
COMMANDS = re.findall(r"^    command: (.*)$", TEXTS["compose.yaml"], re.MULTILINE)
UNIT = re.findall(r"^ExecStart=\S+ -u -m netcode.turns (.*)$", TEXTS["tables@.service"], re.MULTILINE)
DEADLINE = 120.0

haproxy = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
needs_haproxy = pytest.mark.skipif(haproxy is None, reason="haproxy is not installed: apt-get install haproxy")


def options_of(command: str) -> Any:
    return make_parser().parse_args(["serve", str(GAME), *shlex.split(command)])


def test_each_process_of_the_compose_file_has_a_port_and_an_address_of_its_own() -> None:
    chosen = [options_of(command.replace("${HOST:-localhost}", "localhost")) for command in COMMANDS]

    assert [one.address for one in chosen] == [f"localhost:{one.port}" for one in chosen]
    assert [one.port for one in chosen] == [7771, 7772, 7773]
    assert {one.store for one in chosen} == {"postgresql://games@database/games"}
    published = re.findall(r'ports: \["(\d+):(\d+)"\]', TEXTS["compose.yaml"])
    assert published == [(port, port) for port in ("7771", "7772", "7773", "7777")]
    doors = re.findall(r"server (play\d) \1:(\d+)", TEXTS["haproxy.cfg"])
    assert doors == [("play1", "7771"), ("play2", "7772"), ("play3", "7773")]


def test_the_unit_starts_what_there_is() -> None:
    [command] = UNIT
    chosen = make_parser().parse_args(shlex.split(command.replace("%i", "2")))

    assert (chosen.port, chosen.address, chosen.metrics) == (7772, "play1.example.org:7772", "9102")


def test_alerts_look_at_numbers_that_there_are() -> None:
    page = (ROOT / "docs" / "how-to" / "measure-with-prometheus.md").read_text(encoding="utf-8")
    asked = {re.sub("_bucket$", "", name) for name in re.findall(r"netcode_\w+", TEXTS["alerts.yml"])}

    assert asked - {*re.findall(r"netcode_\w+", page)} == set()
    assert len(asked) == 6
    assert {*re.findall(r"\bprocess_\w+", TEXTS["alerts.yml"])} - {*re.findall(r"\bprocess_\w+", page)} == set()
    assert {*re.findall(r'job="(\w+)"', TEXTS["alerts.yml"])} == {*re.findall(r"job_name: (\w+)", page)}


def test_the_container_has_what_it_starts() -> None:
    copied = re.findall(r"^COPY (examples\S+) ", TEXTS["Containerfile"], re.MULTILINE)

    assert [(ROOT / path).is_file() for path in copied] == [True]
    assert '"-m", "netcode.turns", "serve", "/game/tictactoe.py"]' in TEXTS["Containerfile"]
    assert 'RUN python -c "from netcode import _speed"' in TEXTS["Containerfile"]  # also where it was not built here


def test_descriptors_are_enough_for_who_is_let_in() -> None:
    tables, door = map(int, re.findall(r"nofile: (\d+)", TEXTS["compose.yaml"]))
    [unit] = map(int, re.findall(r"^LimitNOFILE=(\d+)$", TEXTS["tables@.service"], re.MULTILINE))
    peers = [options_of(command.replace("${HOST:-localhost}", "localhost")).peers for command in COMMANDS]
    [connections] = map(int, re.findall(r"^    maxconn (\d+)$", TEXTS["haproxy.cfg"], re.MULTILINE))

    assert min(tables, unit) > max(peers) + 1000
    assert door > 2 * connections + 1000


@needs_haproxy
@pytest.mark.parametrize("name", ["haproxy.cfg", "haproxy-tls.cfg"])
def test_the_doors_are_valid(name: str) -> None:
    done = subprocess.run([str(haproxy), "-c", "-f", DEPLOY / name], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "ALERT" not in done.stderr


def answer_one(listener: socket.socket, made: Certificate, number: int) -> None:
    """Tell the first who speaks TLS which process this is; others only look whether somebody is there."""
    for _ in range(20):
        connection, _ = listener.accept()
        try:
            with connection, made.server().wrap_socket(connection, server_side=True) as link:
                link.sendall(f"process {number}".encode())
                return
        except OSError:
            pass


@needs_haproxy
@needs_openssl
def test_the_door_for_tls_leads_by_name_and_does_not_look_inside(tmp_path: Path, certificate: Certificate) -> None:
    door = free_port()
    text = TEXTS["haproxy-tls.cfg"].replace(":7777", f"127.0.0.1:{door}").replace("maxconn 20000", "maxconn 50")
    answered: list[str] = []
    with ExitStack() as stack:
        for number in (1, 2, 3):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            listener.settimeout(DEADLINE)
            text = text.replace(f"play{number}:777{number}", f"127.0.0.1:{listener.getsockname()[1]}")
            thread = threading.Thread(target=answer_one, args=(listener, certificate, number))
            thread.start()
            stack.callback(thread.join, DEADLINE)
        (tmp_path / "door.cfg").write_text(text, encoding="utf-8")
        process = stack.enter_context(subprocess.Popen([str(haproxy), "-db", "-f", tmp_path / "door.cfg"]))
        stack.callback(process.terminate)
        wait_until_listening(door)
        context = certificate.client()
        context.check_hostname = False  # the name is that of the page; the certificate is trusted for itself
        for number in (3, 1, 2):
            with (
                socket.create_connection(("127.0.0.1", door), DEADLINE) as plain,
                context.wrap_socket(plain, server_hostname=f"PLAY{number}.example.org") as link,
            ):
                answered.append(link.recv(100).decode())

    assert answered == ["process 3", "process 1", "process 2"]


class Deployed:
    """What the compose file starts, on ports of this computer."""

    def __init__(self, start: Start, folder: Path, database: "Postgres") -> None:
        self._start = start
        where = urlsplit(database.address())
        self._environment = {"PGPASSWORD": unquote(where.password or "")}
        self.store = f"postgresql://{where.username}@{where.hostname}:{where.port}{where.path}"
        self.ports = [free_port() for _ in COMMANDS]
        self.numbers = [free_port() for _ in COMMANDS]
        self.processes = [self.serve(number) for number in range(len(COMMANDS))]
        self.door = free_port()
        (folder / "haproxy.cfg").write_text(self._door(TEXTS["haproxy.cfg"]), encoding="utf-8")
        self.haproxy = subprocess.Popen([str(haproxy), "-db", "-f", folder / "haproxy.cfg"])
        try:
            wait_until_listening(self.door)
        except BaseException:
            self.close()
            raise

    def _door(self, text: str) -> str:
        text = text.replace(":7777", f"127.0.0.1:{self.door}").replace(" port 9100", "")
        text = text.replace("maxconn 20000", "maxconn 50")  # each takes two descriptors, which may be few here
        for number, port in enumerate(self.ports, 1):
            text = text.replace(f"play{number}:777{number}", f"127.0.0.1:{port} port {self.numbers[number - 1]}")
        return text

    def serve(self, number: int) -> Program:
        """Start a process as the compose file does, where nothing but its surroundings differ."""
        command = COMMANDS[number].replace("${HOST:-localhost}:", "127.0.0.1:")
        command = command.replace("postgresql://games@database/games", self.store)
        command = command.replace(f"777{number + 1}", str(self.ports[number]))
        command = command.replace("0.0.0.0:9100", str(self.numbers[number]))
        program = self._start(
            "-m", "netcode.turns", "serve", GAME, *shlex.split(command), environment=self._environment
        )
        program.until("served on port")
        return program

    def owner(self) -> int:
        """Return the number of the process that has a table."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            for number, port in enumerate(self.numbers):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
                    if re.search(r"^netcode_tables\{.*\} 1.0$", answer.read().decode(), re.MULTILINE):
                        return number
            time.sleep(0.1)
        raise AssertionError("nobody has the table")

    def close(self) -> None:
        self.haproxy.terminate()
        self.haproxy.wait(60)


@pytest.fixture
def deployed(start: Start, tmp_path: Path, postgres: "Postgres") -> Iterator[Deployed]:
    deployed = Deployed(start, tmp_path, postgres)
    yield deployed
    deployed.close()


def until(true: Callable[[], object], *seats: Seat[Any]) -> None:
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, [seat.reason for seat in seats]
        for seat in seats:
            seat.update()
        time.sleep(0.005)


def play(cell: int, mover: Seat[Any], other: Seat[Any]) -> None:
    until(lambda: mover.my_turn and mover.pending is None, mover, other)
    mover.play("mark", cell=cell)
    until(lambda: mover.pending is None and other.view.cells[cell] == mover.seat, mover, other)


@needs_haproxy
@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="the database is started on Unix only")
def test_a_game_goes_through_the_door_and_on_after_its_process_was_killed(deployed: Deployed) -> None:
    game: Any = load_game(str(GAME))
    door = ("127.0.0.1", deployed.door)
    ann, bob = (join(door, game, room="blue", name=name) for name in ("Ann", "Bob"))
    until(lambda: ann.started and bob.started, ann, bob)
    ann, bob = (ann, bob) if ann.seat == 0 else (bob, ann)
    play(0, ann, bob)
    play(3, bob, ann)

    deployed.processes[deployed.owner()].stop()
    play(1, ann, bob)
    play(4, bob, ann)
    play(2, ann, bob)
    until(lambda: ann.over and bob.over, ann, bob)

    assert ann.result == bob.result
    assert ann.result is not None
    assert ann.result.winners == (0,)
    for seat in (ann, bob):
        seat.close()
