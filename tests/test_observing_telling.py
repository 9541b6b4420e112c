"""A server's game is told what happens, and so are those who look on."""

from typing import Any

from inside import session_of
from scene import TICK, Scene, only

from netcode import Address, ReasonCode
from netcode.observing import Observer
from netcode.peer import Peer
from netcode.reasons import Reason
from netcode.session.session import Told


class Watch(Observer):
    """Remembers what it was told."""

    def __init__(self, server: object) -> None:
        super().__init__(server)
        self.told: list[str] = []

    def came(self) -> None:
        self.told.append("came")

    def went(self, peer: Peer, reason: Reason) -> None:
        self.told.append(f"went {peer.id} {reason.code.name}")

    def turned_away(self, reason: Reason) -> None:
        self.told.append(f"turned away {reason.code.name}")


def as_given(credentials: Any, _: Address) -> Any:
    return credentials


def test_who_looks_on_hears_of_all_and_the_game_of_peers() -> None:
    scene = Scene()
    server = scene.serve(authenticate=as_given)
    watch = Watch(server)

    client = scene.join(credentials="Ann")
    peer = only(server)
    scene.stranger(b"GET / HTTP/1.1\r\n\r\n")
    client.close_nicely("bye")
    scene.play(3 * TICK)

    assert peer.data == "Ann"
    assert watch.told == ["came", "turned away NOT_NETCODE", f"went {peer.id} GOODBYE"]
    assert scene.left(server).code is ReasonCode.GOODBYE
    assert scene.news(server) == ["Joined", "Left"]
    scene.close()


def test_who_was_never_told_of_has_not_left() -> None:
    scene = Scene()
    server = scene.serve()
    guest = scene.guest()
    session = session_of(server.peers[0])
    session.told = Told.NOTHING

    guest.connection.close()
    server.close()

    assert scene.news(server) in ([], ["Joined"])
    scene.close()
