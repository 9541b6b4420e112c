"""A server's certificate in files that somebody renews: read again by itself, and never half of it."""

import errno
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from netcode.diagnostics import log
from netcode.loop.clock import Clock, monotonic
from netcode.reasons import printable

if TYPE_CHECKING:
    from ssl import SSLContext

LOOK = 5.0
"""Seconds between two looks at the files at least."""
MAX_SHOWN = 200
"""Characters of a path that are shown."""


class Certificate:
    """A server's certificate in files. When they are renewed, it is read again: nothing has to be restarted.

    Usage::

        certificate = netcode.Certificate("fullchain.pem", "privkey.pem")
        server = netcode.Server("", 7777, tls=certificate)

    Whoever connects more than 5 seconds after a renewal gets the new one; who is connected stays. What cannot be used is
    not taken, because it is half written, say, or has the key of another certificate: then the one before stays in use,
    and the log says so once. That never raises.

    A key with a pass phrase is asked for at the start, and cannot be renewed without a restart. For whatever else there
    is to say, such as clients that need certificates of their own, give the server an `ssl.SSLContext`.

    Args:
        chain: the file with the certificate, and with those between it and an authority that clients know (PEM).
        key: the file with its key (PEM); None if that is in `chain`, too.
        clock: how to tell the time, for tests.

    Raises:
        TypeError: `chain` or `key` is no path.
        OSError: a file cannot be read; the text says which, or why.
        ValueError: they are no certificate and its key; the text says why.
    """

    def __init__(
        self,
        chain: "str | os.PathLike[str]",
        key: "str | os.PathLike[str] | None" = None,
        *,
        clock: Clock = monotonic,
    ) -> None:
        shown = [_shown("chain", chain), _shown("key", chain if key is None else key)]
        self._name = f"the certificate in {shown[0]}, with the key in {shown[1]},"
        self._clock = clock
        self._look_at = clock() + LOOK
        self._said = ""
        self._files: tuple[Path, ...] = ()
        try:
            self._files = Path(chain).absolute(), Path(chain if key is None else key).absolute()
            self._read_as = _stamp([file.stat() for file in self._files])
            self._context = self._load()
        except OSError as error:
            raise OSError(error.errno, self._sentence(error)) from error
        except ValueError as error:
            raise ValueError(self._sentence(error)) from error

    def __repr__(self) -> str:
        return f"<Certificate in {self._files[0]}>"

    @property
    def context(self) -> "SSLContext":
        """What the next link is to be encrypted by: another one after each renewal."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + LOOK
            self._renew()
        return self._context

    def _renew(self) -> None:
        """Take what is in the files, if they have changed and it can be used. Else all stays as it is."""
        try:
            found = [file.stat() for file in self._files]
            stamp = _stamp(found)
            if stamp == self._read_as and not self._said:
                return
            if not all(stat.S_ISREG(one.st_mode) for one in found):  # of a pipe, nobody may ever write the other end
                raise ValueError("that is no file any more")  # noqa: TRY301 - told as what else is wrong with them
            self._context = self._load(_refuse)
        except (OSError, ValueError) as error:
            sentence = self._sentence(error)
            if sentence != self._said:
                log.warn(sentence, "%s; the one from before stays in use", sentence)
            self._said = sentence
            return
        if self._said:
            log.warn(self._name, "%s can be used again, and is in use", self._name)
        else:
            log.debug("%s was read again", self._name)
        self._read_as, self._said = stamp, ""

    def _load(self, ask: Callable[[], str] | None = None) -> "SSLContext":
        """Read the files. It is always a new context: one into which a pair was read that does not fit has neither."""
        import ssl

        chain, key = self._files
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(chain, key, ask)
        except ssl.SSLError as error:
            raise ValueError(_why(error)) from error
        except OSError as error:
            if error.errno == errno.EINVAL:  # said of whoever types none
                raise ValueError("the key has a pass phrase, and none was typed") from error
            raise
        return context

    def _sentence(self, error: Exception) -> str:
        what = str(error)
        if isinstance(error, OSError) and error.strerror:
            # OpenSSL does not say which of the two it is.
            file = error.filename or next((one for one in self._files if not os.access(one, os.R_OK)), None)
            what = error.strerror if file is None else f"{file}: {error.strerror}"
        return f"{self._name} cannot be used: {printable(what, MAX_SHOWN)}"


def _shown(name: str, path: "str | os.PathLike[str]") -> str:
    """Return a path as it is shown. Raises `TypeError` for what is none."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"{name} must be the path of a file, not {type(path).__name__}")
    return printable(text, MAX_SHOWN)


def _stamp(found: Iterable[os.stat_result]) -> list[tuple[int, ...]]:
    """Return what is different once somebody has written a file, or put another one in its place."""
    return [(one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for one in found]


def _refuse() -> str:
    """Give no pass phrase: in the middle of a frame nobody is asked."""
    raise ValueError("the key has a pass phrase, which is asked for at the start alone; start again")


def _why(error: OSError) -> str:
    """Say what is wrong with a pair that could be read."""
    why = getattr(error, "reason", None) or ""
    if why == "KEY_VALUES_MISMATCH":
        return "the key is that of another certificate"
    if why.endswith(("_TOO_SMALL", "_TOO_WEAK")):
        return f"they are too weak for the OpenSSL of this computer; make or order new ones ({error})"
    return f"they are no whole certificate and key in PEM form ({error})"
