"""A link to PostgreSQL that never waits for ever, tells no password, and turns what goes wrong into sentences."""

import os
import select
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from netcode.turns.store import AT_THE_START, Lost, Unavailable

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.rows import TupleRow
except ImportError as error:
    raise ImportError('a store at postgresql:// needs psycopg: python -m pip install "netcode[postgres]"') from error

Parameters = Mapping[str, Any] | Sequence[Any]

READ, WRITE = 1, 2
"""What psycopg waits for; both is their sum."""

DEFAULTS: dict[str, Any] = {
    "connect_timeout": 3,
    # A network that swallows packets is noticed by the kernel as well, so that no dead socket stays open.
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "application_name": "netcode",
}
"""What the address may say otherwise. A pooler takes none of these as a setting of its sessions."""


NOT_AS_THOUGHT = (psycopg.errors.DivisionByZero, psycopg.errors.UniqueViolation)
"""What a batch fails with that does not fit what is stored; nothing of it is."""

STATES = ("08", "28", "3D", "53", "57", "58", "F0", "XX")
"""Classes of errors that are the trouble of a database, whatever it was asked."""
ENDED = ("25P03", "25P04", "54000")
"""Others: a timeout that its administrator set has ended the session, or it has to be vacuumed before it writes again."""


_WHY = {"53100": "the disk is full", "55P03": "another program keeps the database locked"}
"""What players may know of an error of PostgreSQL."""

FAR_AHEAD = (
    "the server at %s is declared dead, which was to live for another %.0f s: give all servers much the same lease; where "
    "only the clock of the database went back, all is as it should be"
)
"""What is warned of who counts as alive for longer than any lease."""

# One that is stuck in telling its answer is none: it would be so for as long as its network does not say that we left.
_BUSY = """
SELECT FROM pg_stat_activity
WHERE pid = ANY(%(left)s) AND pid <> pg_backend_pid() AND usename = current_user AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Client'
"""


class _Silent(psycopg.OperationalError):
    """The database did not answer in time."""


class _Connection(psycopg.Connection[TupleRow]):
    """A connection that is given up once nothing came for `patience` seconds.

    No timeout on the other side can do that: a machine that hangs, a process that was stopped or a cut network do not
    answer at all. The statement is not cancelled: where a synchronous standby is waited for, a cancelled commit counts
    as done although nobody but the primary has it.
    """

    patience = 4.0
    inherited = False
    """Whether the parent of this process has it."""

    def __del__(self, *_: Any) -> None:
        if not self.inherited:
            super().__del__()  # which complains where it was not closed

    def wait(self, gen: Generator[int, int, Any], *_: Any, **__: Any) -> Any:
        """Let psycopg go on whenever there is something to read, or room to write, until it has what it wants."""
        try:
            wanted = next(gen)
            while True:
                wanted = gen.send(_ready(self.pgconn.socket, wanted, self.patience))
        except StopIteration as stop:
            return stop.value


def _ready(descriptor: int, wanted: int, seconds: float) -> int:
    """Wait until a socket can be read (1), or written to (2), as far as either is wanted, and return what is so.

    Raises:
        psycopg.OperationalError: neither came in time.
    """
    if hasattr(select, "poll"):  # which takes descriptors of any number, as servers with many links have them
        poll = select.poll()
        poll.register(descriptor, (select.POLLIN if wanted & READ else 0) | (select.POLLOUT if wanted & WRITE else 0))
        found = poll.poll(seconds * 1000)
        event = found[0][1] if found else 0
        ready = (READ if event & select.POLLIN else 0) | (WRITE if event & select.POLLOUT else 0)
        ready = ready or (wanted if event else 0)  # it broke: whoever reads it learns why
    else:  # pragma: no cover - Windows
        sockets = [descriptor]
        readable, writable, _ = select.select(
            sockets if wanted & READ else [], sockets if wanted & WRITE else [], sockets, seconds
        )
        ready = (READ if readable else 0) | (WRITE if writable else 0)
    if not ready:
        raise _Silent(f"no answer for {seconds:g} s")
    return ready


class Link:
    """One connection to the database at `address`, made when it is needed and made anew after a failure.

    Args:
        address: as PostgreSQL's own programs take it.
        patience: seconds of silence after which the database counts as unavailable.
    """

    def __init__(self, address: str, *, patience: float) -> None:
        given = _parts(address)
        if given is None:
            raise ValueError(
                "the address of a PostgreSQL database is postgresql://user:password@host:port/name, with special "
                "characters of the password as %40 for @, %2F for / and so on; this one cannot be read"
            )
        self._patience = patience
        self._conninfo = make_conninfo("", **{**DEFAULTS, **given, "client_encoding": "UTF8"})
        password = given.get("password")
        self._secrets = () if not password else (str(password), quote(str(password), safe=""))
        host, port = given.get("host") or given.get("hostaddr") or "this machine", given.get("port")
        self.name = f"{host}{f':{port}' if port else ''}/{given.get('dbname') or given.get('user') or ''}"
        """Where the database is, without who may enter."""
        self.then = AT_THE_START
        """What its sentences promise once their trouble is over."""
        self._connection: _Connection | None = None
        self._left: list[int] = []
        """Who was to answer at the connections that were given up, as the database numbers them."""

    def run(
        self, statement: str, parameters: Parameters | None = None, *, always: bool = False
    ) -> list[tuple[Any, ...]]:
        """Execute one statement in a transaction of its own, and return its rows; without parameters, a script.

        Args:
            statement: which.
            parameters: of it.
            always: also while the database is still at one that was given up, for what waits for no lock for long.

        Raises:
            Lost: the tables are gone.
            Unavailable: it is not known whether the statement was executed.
        """
        with self._explained():
            connection = self._connection = self._connection or self._connect()
            if self._left and not always:
                self._await_left(connection)
            cursor = connection.cursor(binary=parameters is not None)  # a script has to be text
            cursor.execute(statement.encode(), parameters)
            return [] if cursor.description is None else cursor.fetchall()

    def close(self) -> None:
        """Let go of the connection. A second time does nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def abandon(self) -> None:
        """Let go of the connection in a forked child: it is the parent's, who goes on speaking there."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.closed:
            os.close(connection.fileno())
            connection.inherited = True

    def _connect(self) -> _Connection:
        # Behind a pooler are many connections, and a prepared statement would be known to one of them.
        connection = _Connection.connect(self._conninfo, autocommit=True, prepare_threshold=None)
        connection.patience = self._patience
        return connection

    def _await_left(self, connection: _Connection) -> None:
        """Ask for nothing more while the database is at what was asked before.

        It goes on with that, although nobody is there for the answer. Behind a lock that somebody keeps for an hour,
        each further attempt would be one more that waits, until nobody gets a connection any more. Behind a pooler the
        numbers are those of the pooler, and nothing is found to wait for.
        """
        if connection.execute(_BUSY, {"left": self._left}).fetchone() is not None:
            raise psycopg.OperationalError("it is still at what it was asked before; pg_stat_activity shows why")
        self._left.clear()

    @contextmanager
    def _explained(self) -> Generator[None, None, None]:
        try:
            yield
        except psycopg.Error as error:
            if error.sqlstate in ("42P01", "3F000"):
                raise Lost(f"the tables in {self.name} are gone; start the server again") from error
            text = self._sentence(error)
            if text is None:
                raise
            if isinstance(error, _Silent) and self._connection is not None:
                self._left.append(self._connection.info.backend_pid)
            self.close()
            # What psycopg says may quote the address.
            raise Unavailable(text, _WHY.get(error.sqlstate or "", "")) from None
        except BaseException:  # Ctrl-C, say, in the middle of an answer
            self.close()
            raise

    def _sentence(self, error: psycopg.Error) -> str | None:
        """Return what is wrong and what to do; None for what only a bug of ours can cause."""
        said = self._said(error)
        match error.sqlstate or "":
            case "53100":
                return f"the disk of {self.name} is full; free some space, and {self.then}"
            case "25006":
                return f"{self.name} may only be read: it is a standby; give the address of the primary"
            case "42501":
                return f"the user of {self.name} may not do this ({said}); make it the owner of the database"
            case "55P03":
                return f"somebody else keeps tables of {self.name} locked ({said}): pg_stat_activity shows who; {self.then} after that"
            case "57014" | "40P01" | "40001":
                return f"{self.name} could not do it in time ({said}); {self.then} once it is less busy"
            case state if (
                state[:2] in STATES
                or state in ENDED
                or (state == "" and (isinstance(error, psycopg.OperationalError) or self._connection is None))
            ):  # before there is a connection, what is wrong is what the address says
                return f"the database {self.name} is not available ({said}); {self.then} once it is"
            case _:
                return None

    def _said(self, error: psycopg.Error) -> str:
        text = error.diag.message_primary or str(error)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return " ".join(text.split())


def _parts(address: str) -> dict[str, Any] | None:
    """Return what an address says; None if it cannot be read, or if what is left of a password ended up elsewhere."""
    try:
        given = {key: value for key, value in conninfo_to_dict(address).items() if value is not None}
    except psycopg.ProgrammingError:  # its text quotes what it could not read
        return None
    ports = str(given.get("port", "")).split(",")
    places = [part[1:] for key in ("host", "hostaddr") for part in str(given.get(key, "")).split(",")]
    strays = any("@" in part for part in (*places, str(given.get("dbname", ""))))  # a socket's name may begin with @
    return None if strays or not all(port == "" or port.isdecimal() for port in ports) else given
