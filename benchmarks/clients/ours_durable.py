"""Plays tic-tac-toe at many tables for as long as it is told to: two sockets each, one epoll, no code of the kit's.

Every seat wants its legal moves listed, sees the views, and sends its next move when it is told that it is its turn. A
move counts when its player reads that it is in, which is after it was stored.
"""

import select
import socket
import time
from typing import Any

from benchmarks import wire
from benchmarks.control import Control

CELLS = ((0, 2, 3, 7, 8), (1, 4, 5, 6))
"""What either player marks, in order: nobody wins before the board is full."""
PATIENCE = 120.0
RECEIVE = 1 << 18
TELL = 8_192
"""Bytes after which an end tells what it received."""
GREETING = wire.control(wire.HELLO, "netcode", 1, "netcode.turns", "1", 1 << 20, b"", 0, None)


class Player:
    """One seat."""

    __slots__ = ("alive", "buffer", "heard", "last", "link", "over", "played", "received", "room", "seat", "sent_at",
                 "started", "untold", "waits")  # fmt: skip

    def __init__(self, link: socket.socket, room: str) -> None:
        self.link, self.room = link, room
        self.buffer = bytearray()
        self.received = self.untold = self.last = self.played = 0
        self.seat = -1
        self.alive, self.started, self.over, self.waits = True, False, False, False
        self.sent_at = 0.0
        self.heard = False


class Tables:
    """Some tables of two."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._port: int = settings["port"]
        self._players: dict[int, Player] = {}
        self._epoll = select.epoll()
        self._goes = False
        self._moves = self._bytes = 0
        self._latencies: list[float] = []
        self._refused: list[str] = []

    def sit_down(self, count: int) -> int:
        """Found so many tables and seat everybody."""
        for number in range(count):
            for _ in range(2):
                self._connect(f"table {number}")
            if number % 25 == 24:
                self._until(lambda: all(player.seat >= 0 for player in self._players.values()))
        self._until(lambda: all(player.started for player in self._players.values()))
        return len(self._players)

    def play(self, seconds: float) -> dict[str, Any]:
        """Play for so many seconds, a rematch after each game, and then until nothing is under way."""
        self._moves, self._bytes, self._latencies, self._goes = 0, 0, [], True
        began = time.monotonic()
        for player in self._players.values():
            self._go_on(player)
        while (now := time.monotonic()) < began + seconds:
            self._turn(min(0.05, began + seconds - now))
        moves, heard = self._moves, self._bytes
        took, latencies = time.monotonic() - began, sorted(self._latencies)
        self._goes = False
        self._until(lambda: not any(player.waits for player in self._players.values()))
        parts = {str(part): latencies[min(len(latencies) - 1, len(latencies) * part // 100)] for part in (50, 99)}
        return {
            "moves": moves,
            "bytes": heard,
            "seconds": took,
            "latencies": parts if latencies else {},
            "refused": self._refused[:3],
        }

    def _connect(self, room: str) -> None:
        link = socket.create_connection(("127.0.0.1", self._port))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.setblocking(False)
        player = self._players[link.fileno()] = Player(link, room)
        self._epoll.register(link.fileno(), select.EPOLLIN)
        link.send(GREETING)
        self._say(player, ["join", "TicTacToe", {"room": player.room, "legal": True}])

    def _until(self, true: Any) -> None:  # noqa: ANN401 - anything that can be called
        deadline = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the tables did not come to it within {PATIENCE:g} s: {self._refused[:3]}")
            self._turn(0.05)

    def _turn(self, timeout: float) -> None:
        for descriptor, _ in self._epoll.poll(timeout):
            player = self._players[descriptor]
            data = player.link.recv(RECEIVE)
            if not data:
                raise TimeoutError("the server closed a link")
            player.buffer += data
            player.untold += len(data)
            self._bytes += len(data)
            for payload in wire.take_frames(player.buffer):
                message = wire.unpack(payload)
                if isinstance(message, list):
                    player.received += 1
                    said: list[Any] = message  # pyright: ignore[reportUnknownVariableType]
                    self._hear(player, *said)
                else:
                    self._control(player, payload)
            if player.untold > TELL:
                player.untold = 0
                player.link.send(wire.control(wire.ACK, player.received))

    def _control(self, player: Player, payload: bytes) -> None:
        fields = wire.control_fields(payload)
        assert fields is not None
        if fields[0] == wire.PING:
            player.link.send(wire.control(wire.PONG, fields[1], player.received))
        elif fields[0] == wire.BYE:
            raise TimeoutError(f"the server said goodbye: {fields[2]}")

    def _hear(self, player: Player, kind: str, *said: Any) -> None:  # noqa: ANN401 - what the message says
        if kind == "sat":
            player.seat = said[2]
        elif kind == "refused":
            self._refused.append(said[1])
            player.waits = False
            player.alive = False
        elif kind == "step":
            self._step(player, said[0], said[2])

    def _step(self, player: Player, events: list[Any], state: dict[str, Any]) -> None:
        for event in events:
            if event[0] == "started":
                player.started, player.over, player.played = True, False, 0
            elif event[0] == "over":
                player.over = True
        last = state.get("last", player.last)
        if last != player.last:
            player.last = last
            if player.waits:
                player.waits = False
                self._moves += 1
                self._latencies.append(time.monotonic() - player.sent_at)
        if "to_move" in state:
            player.heard = player.seat in state["to_move"]
        if self._goes:
            self._go_on(player)

    def _go_on(self, player: Player) -> None:
        if player.over:
            player.over = False
            self._say(player, ["rematch"])
        else:
            self._move(player)

    def _move(self, player: Player) -> None:
        """Send the next move, if it is this player's turn."""
        cells = CELLS[player.seat]
        if not player.heard or player.waits or not player.alive or not player.started or player.played >= len(cells):
            return
        player.waits, player.sent_at = True, time.monotonic()
        self._say(player, ["play", player.last + 1, "mark", {"cell": cells[player.played]}, 0.0])
        player.played += 1

    @staticmethod
    def _say(player: Player, said: list[Any]) -> None:
        player.link.send(wire.message(said))


def main() -> None:
    """Play when told to."""
    control = Control()
    tables = Tables(control.settings)
    control.ready()
    while True:
        order = control.orders.get()
        try:
            control.answer(getattr(tables, order.name)(**order.arguments))
        except (TimeoutError, OSError) as error:
            control.fail(error)


if __name__ == "__main__":
    main()
