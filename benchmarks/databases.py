"""PostgreSQL and PgBouncer of one's own, in a temporary folder and on free ports: for tests and measurements."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psycopg

from benchmarks.ports import free_port

USER = "keeper"
PASSWORD = "p@ss/w:rd é"  # noqa: S105 - of a database that listens on this machine alone, and with everything in it that needs care
FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/pgsql/bin")
"""Where distributions put what is not on the path."""
START = 120.0
"""Seconds in which a program has to answer."""
FAST = ("fsync=off", "full_page_writes=off")
"""For where a power failure is not the point."""


class Missing(Exception):
    """What is not installed, and what to install."""


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, the newest there is.

    Raises:
        Missing: it is not there.
    """
    if sys.platform == "win32":
        raise Missing(f"{name} is started on Unix only")
    candidates = [path for folder in FOLDERS for path in Path("/").glob(folder.lstrip("/") + "/" + name)]
    found = shutil.which(name) or (str(max(candidates, key=_version)) if candidates else None)
    if found is None and name == "pgbouncer" and Path("/usr/sbin/pgbouncer").exists():
        found = "/usr/sbin/pgbouncer"
    if found is None:
        package = "pgbouncer" if name == "pgbouncer" else "postgresql"
        raise Missing(f"{name} is not installed: apt-get install {package}")
    return found


def _version(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


def _user() -> dict[str, Any]:
    """Return who is to run a program in place of root."""
    import pwd

    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres", known.get("nobody"))
    if entry is None:
        raise Missing("there is neither a user postgres nor nobody, and root may not run a database")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class _Daemon:
    """A program that refuses to run as root, in a folder of its own."""

    _at_once = signal.SIGQUIT

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="netcode-database-"))
        self._as: dict[str, Any] = {} if os.geteuid() else _user()
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The program, as it runs."""
        assert self._process is not None
        return self._process

    def run(self, *command: str | Path) -> None:
        """Execute one command as the user of this program."""
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, **self._as)
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")

    def launch(self, *command: str | Path) -> None:
        """Start it, and return at once."""
        with (self.folder / "log").open("ab") as log:
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            self._process = subprocess.Popen[bytes](command, cwd=self.folder, **streams, **self._as)

    def await_port(self, address: str) -> None:
        """Wait until it lets somebody in."""
        end = time.monotonic() + START
        while True:
            try:
                psycopg.connect(address, connect_timeout=2).close()
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{error}\n{(self.folder / 'log').read_text(errors='replace')}") from error
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it by a signal, and wait until it is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(how)
            process.wait(START)

    def close(self) -> None:
        """End it, and leave nothing behind."""
        self.stop(self._at_once)
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(_Daemon):
    """A server of its own. Leave it with `close`, or use it as a context manager.

    Args:
        durable: whether what is committed is synced.
        settings: more of them, as `name=value`.

    Raises:
        Missing: it is not installed.
    """

    def __init__(self, *, durable: bool = False, settings: Sequence[str] = ()) -> None:
        self._program, initialise = program("postgres"), program("initdb")
        super().__init__()
        try:
            self._settings = [*(() if durable else FAST), *settings]
            password = self.folder / "password"
            password.write_text(PASSWORD + "\n", encoding="utf-8")
            password.chmod(0o644)
            made = ("-U", USER, "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale=C", "-N")
            self.run(initialise, "-D", self.folder / "data", *made)
            self.port = free_port()
            self.start()
        except BaseException:
            self.close()
            raise

    def address(self, database: str = "postgres", port: int | None = None) -> str:
        """Return where a database is, as a store takes it."""
        return f"postgresql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Start it, on the port that it had before, and wait until it lets somebody in."""
        options = (f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *self._settings)
        self.launch(self._program, "-D", self.folder / "data", *(part for one in options for part in ("-c", one)))
        self.await_port(self.address())

    def crash(self) -> None:
        """Stop it as «immediate» does: no checkpoint, and no goodbye to anybody."""
        self.stop(signal.SIGQUIT)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Execute a statement beside whoever uses it, and return the rows."""
        bound = "-c lock_timeout=60s"
        with psycopg.connect(self.address(database), autocommit=True, options=bound) as connection:
            cursor = connection.execute(statement.encode())
            return [] if cursor.description is None else cursor.fetchall()

    def processes(self) -> Iterator[int]:
        """Yield the ids of all its processes."""
        yield self.process.pid
        listed = subprocess.run(("/bin/ps", "-A", "-o", "pid=,ppid="), capture_output=True, text=True, check=True)
        for line in listed.stdout.splitlines():
            child, parent = map(int, line.split())
            if parent == self.process.pid:
                yield child

    def hang(self) -> None:
        """Stop all of it where it stands; connections stay open, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after `hang`."""
        self._signal(signal.SIGCONT)

    def _signal(self, what: signal.Signals) -> None:
        for process in self.processes():
            with suppress(ProcessLookupError):  # one that served somebody who left
                os.kill(process, what)


class Pooler(_Daemon):
    """PgBouncer in transaction mode in front of a server: a statement goes over whichever connection is free."""

    _at_once = signal.SIGKILL  # the others are ignored by what a shell starts in the background

    def __init__(self, behind: Postgres, *, connections: int = 4) -> None:
        self._program = program("pgbouncer")
        super().__init__()
        try:
            self.port = free_port()
            (self.folder / "users").write_text(f'"{USER}" "{PASSWORD}"\n', encoding="utf-8")
            (self.folder / "settings").write_text(
                f"[databases]\n* = host=127.0.0.1 port={behind.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
                f"listen_port = {self.port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = users\n"
                f"pool_mode = transaction\ndefault_pool_size = {connections}\nserver_login_retry = 1\n",
                encoding="utf-8",
            )
            self.launch(self._program, "settings")
            self.await_port(behind.address(port=self.port))
        except BaseException:
            self.close()
            raise
