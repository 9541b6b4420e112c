"""A lock beside a file: one process has the file for itself, and it is free again however that process ends."""

import errno
import os
import sys
from pathlib import Path

from netcode.turns.store import Unavailable

ATTEMPTS = 100
"""So often the lock is taken that is not the file's any more: where a file system numbers files anew, none ever is."""


class InUse(Unavailable):
    """Another process has the file."""


def lock_of(path: Path) -> Path:
    """Return where the lock of a file is; raise `Unavailable` where the file leads nowhere, or is a folder.

    It is beside the file itself, by whatever links that is reached: its folder's, or its own.
    """
    try:
        itself = path.resolve()
    except (OSError, RuntimeError) as error:
        text = f"{path} cannot be opened; is its folder there, and may this program write there?"
        raise Unavailable(text, "") from error
    if itself.is_dir():
        raise Unavailable(f"{path} is a folder; give the file in it that is to be the database", "")
    return itself.with_name(itself.name + ".lock")


def take_lock(path: Path) -> int:
    """Return the descriptor of the lock file, locked; raise `InUse` if another process has it, else `Unavailable`."""
    lock_path = lock_of(path)
    for _ in range(ATTEMPTS):
        descriptor = _take(path, lock_path)
        if has_lock(descriptor, lock_path):
            return descriptor
        os.close(descriptor)  # somebody deleted it in the same moment, and others would take the next one
    raise Unavailable(f"{lock_path} cannot be locked (each time it is another file); put it on a local disk")


def has_lock(descriptor: int, lock_path: Path) -> bool:
    """Tell whether the lock file at this path is the one that we have."""
    ours = os.fstat(descriptor)
    try:
        there = lock_path.stat()
    except OSError:
        return False
    return (there.st_ino, there.st_dev) == (ours.st_ino, ours.st_dev)


def _take(path: Path, lock_path: Path) -> int:
    try:
        descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    except OSError as error:
        text = (
            f"{lock_path} cannot be opened ({error.strerror}); is its folder there, and may this program write there?"
        )
        raise Unavailable(text) from error
    try:
        _lock(descriptor)
    except OSError as error:
        os.close(descriptor)
        if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            raise Unavailable(f"{lock_path} cannot be locked ({error.strerror}); put it on a local disk") from error
        text = f"{path} is in use by another server; stop that one, or give this one a file of its own"
        raise InUse(text) from error
    return descriptor


if sys.platform == "win32":  # pragma: no cover - each platform's own run executes it

    def _lock(descriptor: int) -> None:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
