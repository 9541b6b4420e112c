"""What a good engineer writes on uvloop: the replies to what came in one read leave in one write."""

import msgpack

from benchmarks import others
from benchmarks.control import Control
from benchmarks.servers.uvloop_echo import LENGTH, Echo, serve


class Joined(Echo):
    """Answer every message with itself, all of one read together."""

    def data_received(self, data: bytes) -> None:
        """Answer the messages that became complete, and keep what is left of the data."""
        if self._rest:
            data = self._rest + data
        start, size = 0, len(data)
        replies: list[bytes] = []
        while size - start >= 4:
            end = start + 4 + LENGTH.unpack_from(data, start)[0]
            if size < end:
                break
            payload = msgpack.packb(msgpack.unpackb(data[start + 4 : end]))
            replies += (LENGTH.pack(len(payload)), payload)
            start = end
        self._rest = data[start:]
        if replies:
            self._write(b"".join(replies))


def main() -> None:
    """Serve on uvloop's own loop."""
    control = Control()
    others.load("uvloop").run(serve(control, Joined))


if __name__ == "__main__":
    main()
