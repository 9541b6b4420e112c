"""The bare alternative to a ping-pong: a blocking socket, a length of four bytes, msgpack."""

import contextlib
import socket

import msgpack

from benchmarks.control import Control


def receive_exactly(link: socket.socket, count: int) -> bytes:
    """Return so many bytes, or fewer where the stream ends."""
    data = link.recv(count)
    while 0 < len(data) < count:
        more = link.recv(count - len(data))
        if not more:
            break
        data += more
    return data


def send(link: socket.socket, message: object) -> None:
    """Send one message."""
    payload = msgpack.packb(message)
    link.sendall(len(payload).to_bytes(4, "big") + payload)


def receive(link: socket.socket) -> object:
    """Wait for one message.

    Raises:
        EOFError: when the stream ends before it is complete.
    """
    header = receive_exactly(link, 4)
    payload = receive_exactly(link, int.from_bytes(header, "big"))
    if not payload:
        raise EOFError
    message: object = msgpack.unpackb(payload)
    return message


def main() -> None:
    """Answer the one client that comes with what it says."""
    control = Control()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        control.ready(port=listener.getsockname()[1])
        link, _ = listener.accept()
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with link, contextlib.suppress(EOFError):
        while True:
            send(link, receive(link))


if __name__ == "__main__":
    main()
