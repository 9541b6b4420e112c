from typing import Any, TypeVar

_E = TypeVar("_E")

def frame(message: Any, /) -> bytes | None: ...
def cut(
    data: bytes | bytearray | memoryview, size: int, limit: int, event: type[_E], sender: Any, /
) -> tuple[list[_E], int] | None: ...
