"""What Agones is told of a server, and that telling it costs the server nothing."""

import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from agones_sidecar import PREFIX, Sidecar
from bounds import PATIENCE, as_long_as
from programs import ROOT
from scene import Scene

from benchmarks.ports import free_port
from netcode.agones import HEALTH, MAX_WAITING, PORT_VARIABLE, Agones


@pytest.fixture
def sidecar() -> Iterator[Sidecar]:
    sidecar = Sidecar()
    yield sidecar
    sidecar.close()
    assert sidecar.wrong == []


class Idle:
    """A thread that does nothing: the test does its work, at times of its own."""

    def __init__(self, **_options: Any) -> None:
        pass

    def start(self) -> None:
        pass

    def join(self, timeout: float) -> None:
        pass


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: Any = types.SimpleNamespace(Thread=Idle, Condition=threading.Condition)
    monkeypatch.setattr("netcode.agones.threading", threads)


def heard(sidecar: Sidecar) -> list[str]:
    return [sidecar.asked.get() for _ in range(sidecar.asked.qsize())]


@pytest.mark.parametrize(
    ("port", "kind"), [(0, ValueError), (-1, ValueError), (70_000, ValueError), ("9358", TypeError), (True, TypeError)]
)
def test_what_can_be_no_port_is_refused_at_the_call(scene: Scene, port: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="port"):
        attend(scene, port)


def attend(scene: Scene, port: int | None) -> Agones:
    return Agones(scene.serve(), port, scene.clock)


def test_the_sidecar_is_told_in_order_and_what_is_asked_for(scene: Scene, sidecar: Sidecar) -> None:
    told = attend(scene, sidecar.port)
    told.ready()
    states = [(sidecar.next(), sidecar.state)]
    told.allocate()
    states.append((sidecar.next(), sidecar.state))
    told.label("map", "desert")
    told.annotate("round", "3")
    paths = [sidecar.next(), sidecar.next()]
    told.shutdown()
    states.append((sidecar.next(), sidecar.state))

    assert states == [("/ready", "Ready"), ("/allocate", "Allocated"), ("/shutdown", "Shutdown")]
    assert paths == ["/metadata/label", "/metadata/annotation"]
    assert (sidecar.labels, sidecar.annotations) == ({f"{PREFIX}map": "desert"}, {f"{PREFIX}round": "3"})


def test_a_port_with_a_name_leads_to_the_sidecar(scene: Scene, sidecar: Sidecar) -> None:
    class Named(int):  # as the members of an IntEnum are
        pass

    attend(scene, Named(sidecar.port)).ready()

    assert sidecar.next() == "/ready"


@pytest.mark.usefixtures("by_hand")
def test_a_sign_of_life_is_sent_only_if_the_server_was_updated_since_the_last(scene: Scene, sidecar: Sidecar) -> None:
    told = attend(scene, sidecar.port)
    signs: list[list[str]] = []
    for updates in (0, 1, 0, 2, 0):
        for _ in range(updates):
            scene.update()
        told._step()
        signs.append(heard(sidecar))
        scene.clock.advance(HEALTH)

    assert signs == [[], ["/health"], [], ["/health"], []]


@pytest.mark.usefixtures("by_hand")
def test_signs_of_life_are_no_more_frequent_than_asked_for(scene: Scene, sidecar: Sidecar) -> None:
    told = attend(scene, sidecar.port)
    scene.update()
    left = [told._step()]
    scene.clock.advance(HEALTH / 2)
    scene.update()
    left.append(told._step())

    assert left == [HEALTH, HEALTH / 2]
    assert heard(sidecar) == ["/health"]


@pytest.mark.usefixtures("by_hand")
def test_a_sign_of_life_that_nobody_heard_is_sent_again(scene: Scene, sidecar: Sidecar) -> None:
    told = attend(scene, sidecar.port)
    scene.update()
    sidecar.answers = [503]
    told._step()
    scene.clock.advance(HEALTH)
    told._step()

    assert heard(sidecar) == ["/health", "/health"]
    assert not told.trouble


@pytest.mark.usefixtures("by_hand")
def test_a_sidecar_that_starts_later_is_told_everything_in_order(scene: Scene) -> None:
    absent = free_port()
    told = attend(scene, absent)
    told.label("map", "sea")
    told.ready()
    told.label("map", "desert")
    left = told._step()
    trouble = told.trouble
    late = Sidecar()
    told._port = late.port
    told._step()
    before = heard(late)
    scene.clock.advance(left)
    told._step()
    late.close()

    assert trouble.startswith(f"the Agones sidecar at port {absent} does not answer: ")
    assert before == []
    assert heard(late) == ["/ready", "/metadata/label"]
    assert late.labels == {f"{PREFIX}map": "desert"}
    assert not told.trouble


@pytest.mark.usefixtures("by_hand")
def test_a_sidecar_that_stays_away_is_logged_once(
    scene: Scene, sidecar: Sidecar, caplog: pytest.LogCaptureFixture
) -> None:
    told = attend(scene, sidecar.port)
    told.ready()
    sidecar.answers = [500, 503]
    scene.clock.advance(told._step())
    told._step()

    assert [record.getMessage().rpartition(" ")[2] for record in caplog.records] == ["500"]
    assert told.trouble.endswith("with 503")


@pytest.mark.usefixtures("by_hand")
def test_what_the_sidecar_fails_at_is_told_again_and_what_it_refuses_is_not(
    scene: Scene, sidecar: Sidecar, caplog: pytest.LogCaptureFixture
) -> None:
    told = attend(scene, sidecar.port)
    told.ready()
    told.label("map", "no label may be so\x1b[2J")
    sidecar.answers = [500]
    left = told._step()
    trouble = told.trouble
    scene.clock.advance(left)
    sidecar.answers = [200, 400]
    told._step()

    assert trouble == f"the Agones sidecar at port {sidecar.port} fails: it answers /ready with 500"
    assert heard(sidecar) == ["/ready", "/ready", "/metadata/label"]
    assert (told.trouble, told._waiting) == ("", {})
    [failed, refused] = [record.getMessage() for record in caplog.records]
    assert failed == trouble
    assert refused.startswith(
        'Agones does not take /metadata/label {"key": "map", "value": "no label may be so\\u001b[2J'
    )
    assert refused.endswith('400 {"code": 3, "message": "so it is"}')


def told_by(answer: Callable[[socket.socket, threading.Event], object], scene: Scene) -> tuple[Agones, int]:
    """Have a sidecar that answers in a way of its own, until all is over, told once; return what told it, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with listening.accept()[0] as newcomer:
                newcomer.recv(4096)
                answer(newcomer, over)

        over, port = threading.Event(), listening.getsockname()[1]
        thread = threading.Thread(target=serve)
        thread.start()
        told = attend(scene, port)
        told.ready()
        told._step()
        over.set()
        thread.join()
    return told, port


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nnever all of it", ""),
        (b"HTTP/1.1 400 No\r\nContent-Length: 9999\r\n\r\nnever all of it", ""),
        (b"\x1b[2J\r\n", "the Agones sidecar at port {} does not answer: \\x1b[2J"),
    ],
)
def test_no_more_of_an_answer_is_waited_for_than_is_needed(scene: Scene, answer: bytes, trouble: str) -> None:
    def say(newcomer: socket.socket, over: threading.Event) -> None:
        newcomer.sendall(answer)
        over.wait(PATIENCE)

    told, port = told_by(say, scene)

    assert told.trouble.removesuffix("\\r\\n") == trouble.format(port)


@pytest.mark.usefixtures("by_hand")
def test_an_answer_that_comes_byte_by_byte_is_waited_for_no_longer_than_another(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netcode.agones.TIMEOUT", 0.2)

    def trickle(newcomer: socket.socket, over: threading.Event) -> None:
        newcomer.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in as_long_as(lambda: not over.wait(0.02)):
            newcomer.sendall(b"A: b\r\n")

    told, port = told_by(trickle, scene)

    assert told.trouble.startswith(f"the Agones sidecar at port {port} does not answer: ")


@pytest.mark.usefixtures("by_hand")
def test_what_changed_while_it_was_told_is_told_once_more(
    scene: Scene, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = attend(scene, sidecar.port)
    told.label("map", "sea")
    ask = told._ask

    def slowly(method: str, path: str, body: str) -> bool:
        monkeypatch.setattr(told, "_ask", ask)
        heard = ask(method, path, body)
        told.label("map", "desert")
        return heard

    monkeypatch.setattr(told, "_ask", slowly)
    told._step()

    assert heard(sidecar) == ["/metadata/label"] * 2
    assert sidecar.labels == {f"{PREFIX}map": "desert"}


@pytest.mark.usefixtures("by_hand")
def test_of_too_many_things_that_wait_the_oldest_are_forgotten(scene: Scene) -> None:
    told = attend(scene, 1)
    for number in range(MAX_WAITING + 5):
        told.label(f"seat-{number}", "taken")

    assert len(told._waiting) == MAX_WAITING
    assert next(iter(told._waiting))[1] == "seat-5"


def test_a_sidecar_that_never_answers_costs_an_update_nothing(scene: Scene, sidecar: Sidecar) -> None:
    sidecar.gate = threading.Event()
    server = scene.serve()
    told = Agones(server, sidecar.port)
    told.ready()
    took: list[float] = []
    for _ in range(1_000):
        began = time.thread_time()  # what others have of the processor is none of its business
        told.label("frame", str(len(took)))
        server.update()
        took.append(time.thread_time() - began)
    sidecar.gate.set()

    assert sorted(took)[len(took) // 2] < 0.001
    assert sidecar.next() == "/ready"


def test_waiting_for_an_answer_holds_no_lock_that_an_update_needs(scene: Scene, sidecar: Sidecar) -> None:
    sidecar.gate = threading.Event()
    server = scene.serve()
    told = Agones(server, sidecar.port)
    told.ready()
    done = threading.Event()

    def frames() -> None:
        for number in range(100):
            told.label("frame", str(number))
            server.update()
        done.set()

    threading.Thread(target=frames).start()
    finished = done.wait(PATIENCE / 2)  # while nothing is answered
    still = sidecar.asked.qsize()
    sidecar.gate.set()

    assert finished
    assert still == 0


def test_what_waits_is_told_before_a_server_is_gone(scene: Scene, sidecar: Sidecar) -> None:
    server = scene.serve()
    told = Agones(server, sidecar.port)
    told.ready()
    told.shutdown()
    server.close()
    told.ready()  # too late, and nobody's trouble

    assert [sidecar.next(), sidecar.next()] == ["/ready", "/shutdown"]
    assert sidecar.state == "Shutdown"
    assert told._thread is not None
    told._thread.join(PATIENCE)
    assert not told._thread.is_alive()


def test_a_thread_that_has_nothing_to_tell_ends_with_the_server(scene: Scene, sidecar: Sidecar) -> None:
    server = scene.serve()
    told = Agones(server, sidecar.port)
    told.ready()
    sidecar.next()
    thread = told._thread
    server.close()

    assert thread is not None
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert sidecar.state == "Ready"


def test_without_a_sidecar_nothing_starts_and_it_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(PORT_VARIABLE, raising=False)
    server = scene.serve()
    told = Agones(server)
    told.ready()
    told.label("map", "desert")
    server.close()

    said = "there is no Agones sidecar here: AGONES_SDK_HTTP_PORT is not set, and nothing is told to it"
    assert told.trouble == said
    assert [record.getMessage() for record in caplog.records] == [said]
    assert told._thread is None


@pytest.mark.parametrize("port", ["99999", "0", "9358/tcp", "1" * 5000])
def test_what_is_no_port_is_not_taken_for_another(scene: Scene, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv(PORT_VARIABLE, port)
    told = Agones(scene.serve())
    told.ready()

    said = "there is no Agones sidecar here: AGONES_SDK_HTTP_PORT is no port, and nothing is told to it"
    assert told.trouble == said
    assert told._thread is None


def test_the_port_is_the_one_that_agones_gives(scene: Scene, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PORT_VARIABLE, str(sidecar.port))
    told = Agones(scene.serve())
    told.ready()

    assert sidecar.next() == "/ready"


@pytest.mark.parametrize("port", [1, None])
def test_a_label_that_is_no_text_is_refused_at_once(scene: Scene, port: int | None) -> None:
    told = attend(scene, port)
    wrong: Any = 3

    with pytest.raises(TypeError, match="key and value are texts, not int"):
        told.label("round", wrong)


def test_importing_it_starts_no_thread() -> None:
    script = "import threading, netcode.agones; print(threading.active_count())"

    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)

    assert said.stdout.split() == ["1"]
