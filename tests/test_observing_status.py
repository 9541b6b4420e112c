"""A server's status file: what is in it, when it is written, and what may not go wrong with it."""

import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from scene import Scene

from netcode import Server, turns
from netcode.diagnostics import log
from netcode.observing.status import MAX_ROWS, StatusFile, default_path


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene(latency=0.01)
    yield scene
    scene.close()


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_it_says_who_plays_and_what_went_over_their_links(scene: Scene, tmp_path: Path) -> None:
    server = scene.serve(game="chess", version="2", max_peers=4)
    file = StatusFile(server, tmp_path / "status.json", scene.clock)
    client = scene.join(game="chess", version="2")
    client.send("hello")
    scene.play(2.5)

    said = read(file.path)

    assert said["game"] == "chess 2"
    assert (said["address"], said["pid"], said["state"]) == (str(server.address), os.getpid(), "connected")
    assert (said["peers"], said["away"], said["max_peers"], said["joined"]) == (1, 0, 4, 1)
    assert (said["messages_received"], said["messages_sent"]) == (1, 0)
    assert said["uptime"] == pytest.approx(2.5, abs=1.0)
    assert said["updates"] == pytest.approx(60, abs=2)
    [player] = said["players"]
    assert (player["id"], player["away"], player["queued"]) == (1, False, 0)
    assert player["rtt"] == pytest.approx(0.02, abs=0.03)


def test_a_server_of_tables_tells_of_those(scene: Scene, tmp_path: Path) -> None:
    class TicTacToe(turns.Game):
        @turns.move
        def mark(self) -> None:
            self.finish()

    path = tmp_path / "status.json"
    link: dict[str, Any] = {"network": scene.network, "clock": scene.clock}
    with turns.Server(TicTacToe, port=8888, store=None, on_thread=False, status=path, **link) as server:
        server.update()
        said = read(path)["tables"]

        assert said == {**server.stats()._asdict(), "commit_times": [*server.stats().commit_times]}


def test_it_is_written_once_a_second(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = scene.serve()
    file = StatusFile(server, tmp_path / "status.json", scene.clock)
    written = list[str]()
    monkeypatch.setattr(file, "_write", written.append)

    scene.play(4.5)

    assert len(written) == 5
    assert json.loads(written[0])["updates"] == 1


def test_who_left_and_who_was_turned_away_is_counted(scene: Scene, tmp_path: Path) -> None:
    file = StatusFile(scene.serve(grace=0), tmp_path / "status.json", scene.clock)
    client = scene.join()
    scene.stranger(b"GET / HTTP/1.1\r\n\r\n")
    client.close_nicely()
    scene.play(1.5)

    said = read(file.path)

    assert (said["left"], said["refused"]) == ({"GOODBYE": 1}, {"NOT_NETCODE": 1})


def test_those_come_first_whose_bytes_wait_longest_and_not_all_of_many(scene: Scene, tmp_path: Path) -> None:
    server = scene.serve(max_peers_per_address=1000)
    file = StatusFile(server, tmp_path / "status.json", scene.clock)
    clients = [scene.client() for _ in range(MAX_ROWS + 5)]
    scene.play(0.5)
    scene.frozen.add(clients[7])
    for _ in range(3):
        server.peers[7].send(b"x" * 60_000)
        scene.play(0.2)

    report = file.report()

    assert report["peers"] == MAX_ROWS + 5
    assert len(report["players"]) == MAX_ROWS
    assert report["players"][0]["id"] == server.peers[7].id


def test_before_the_first_update_nothing_is_divided(scene: Scene, tmp_path: Path) -> None:
    file = StatusFile(scene.serve(game="\x1b[2J"), tmp_path / "status.json")

    assert file.report()["update_mean"] is None
    assert file.report()["game"] == r"\x1b[2J"


def test_it_is_for_its_owner_alone_and_leaves_nothing_beside_it(scene: Scene, tmp_path: Path) -> None:
    file = StatusFile(scene.serve(), tmp_path / "status.json")

    scene.update()

    assert [*tmp_path.iterdir()] == [file.path]
    assert sys.platform == "win32" or file.path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_that_waits_in_its_place_is_not_followed(scene: Scene, tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.write_text("gold", encoding="utf-8")
    (tmp_path / "status.json").symlink_to(treasure)
    file = StatusFile(scene.serve(), tmp_path / "status.json")

    scene.update()

    assert treasure.read_text(encoding="utf-8") == "gold"
    assert not file.path.is_symlink()


def test_true_is_a_place_that_the_number_of_the_process_leads_to(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))

    file = StatusFile(scene.serve(), True)
    scene.update()

    assert file.path == default_path(os.getpid()) == tmp_path / f"netcode-{os.getpid()}.json"
    assert file.path.exists()


def test_each_of_several_servers_of_a_process_has_a_place_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    scene = Scene()
    link: dict[str, Any] = {"network": scene.network, "clock": scene.clock, "status": True}
    one, two, three = (Server("", port, **link) for port in (1, 2, 3))

    for server in (two, one, two):
        server.update()
    told = {path.name: read(path)["address"] for path in tmp_path.iterdir()}
    three.close()  # which has written nothing
    two.close()
    left = [*tmp_path.iterdir()]
    again = Server("", 4, **link)
    again.update()
    first = read(default_path(os.getpid()))["address"]
    one.close()
    again.close()

    pid = os.getpid()
    assert told == {f"netcode-{pid}.json": str(two.address), f"netcode-{pid}-2.json": str(one.address)}
    assert left == [tmp_path / f"netcode-{pid}-2.json"]
    assert first == str(again.address)
    assert [*tmp_path.iterdir()] == []


def test_a_place_that_cannot_be_written_ends_no_server(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = scene.serve()
    (tmp_path / "nowhere").mkdir()
    StatusFile(server, tmp_path / "nowhere" / "status.json", scene.clock)
    (tmp_path / "nowhere").rmdir()
    folder = tmp_path / "folder.json"
    StatusFile(server, folder, scene.clock)
    (folder / "inside").mkdir(parents=True)

    scene.play(0.1)
    server.close()

    assert "cannot write" in caplog.text
    assert [*tmp_path.iterdir()] == [folder]


def test_that_it_cannot_be_written_is_told_once_until_it_can(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "INTERVAL", 0.0)
    server, folder = scene.serve(), tmp_path / "folder"
    folder.mkdir()
    StatusFile(server, folder / "status.json", scene.clock)

    for _ in range(2):
        shutil.rmtree(folder)
        scene.play(5.0)
        folder.mkdir()
        scene.play(2.0)

    assert read(folder / "status.json")["peers"] == 0
    assert ["cannot write" in record.getMessage() for record in caplog.records] == [True, True]
    server.close()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_it_takes_the_place_of_nothing_but_files(scene: Scene, tmp_path: Path) -> None:
    server, pipe = scene.serve(), tmp_path / "pipe"
    os.mkfifo(pipe)

    for place in (pipe, Path(os.devnull)):
        with pytest.raises(OSError, match="status must be the path of a file, not of a device or a pipe"):
            StatusFile(server, place)
    assert pipe.is_fifo()


def test_it_stays_where_it_is_whatever_folder_the_game_goes_to(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    server = scene.serve()
    StatusFile(server, "status.json", scene.clock)
    scene.play(0.1)
    first = read(tmp_path / "status.json")["uptime"]

    monkeypatch.chdir(tmp_path / "elsewhere")
    scene.play(2.0)
    later = read(tmp_path / "status.json")["uptime"]
    server.close()

    assert later > first
    assert [*tmp_path.rglob("*")] == [tmp_path / "elsewhere"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_could_not_be_put_in_its_place_is_not_left_beside_it(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    server = scene.serve()
    StatusFile(server, tmp_path / "status.json", scene.clock)

    def fail(_from: Path, _to: Path) -> None:
        raise error

    monkeypatch.setattr(Path, "replace", fail)
    with suppress(KeyboardInterrupt):
        server.update()

    assert [*tmp_path.iterdir()] == []


def test_a_file_system_that_takes_nothing_any_more_ends_no_server(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = scene.serve()
    StatusFile(server, tmp_path / "status.json", scene.clock)

    def refuse(*_: object, **_named: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("replace", "unlink"):
        monkeypatch.setattr(Path, name, refuse)
    server.update()

    assert "cannot write" in caplog.text


def test_a_file_that_cannot_be_removed_ends_no_server(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scene.serve()
    StatusFile(server, tmp_path / "status.json", scene.clock)

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError("it is read-only")

    monkeypatch.setattr(Path, "unlink", refuse)
    server.close()

    assert "cannot remove" in caplog.text


def test_a_place_where_no_file_can_be_is_said_at_once(scene: Scene, tmp_path: Path) -> None:
    server = scene.serve()

    with pytest.raises(FileNotFoundError, match="there is no such folder for the status"):
        StatusFile(server, tmp_path / "nowhere" / "status.json")
    with pytest.raises(IsADirectoryError, match="status must be the path of a file, not of a folder"):
        StatusFile(server, tmp_path)


def test_what_is_no_path_is_said_at_once(scene: Scene) -> None:
    with pytest.raises(TypeError, match="status must be the path of a file, or True, not int"):
        StatusFile(scene.serve(), 7)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_path_with_a_null_is_said_at_once(scene: Scene) -> None:
    with pytest.raises(
        ValueError, match=r"status must be the path of a file, and none has a null in it, not '/a\\x00b'"
    ):
        StatusFile(scene.serve(), "/a\0b")
