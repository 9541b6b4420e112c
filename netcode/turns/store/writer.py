"""What carries a server's work to its store: in place, or on a thread, so that no frame waits for a disk.

While one batch is being stored, the next gathers. A batch that failed is tried again as it is, and nothing overtakes
it.
"""

import math
import socket
import time
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from netcode.turns.stats import Tally
from netcode.turns.store import Claim, Entry, Listing, Lost, NewTable, Node, Saved, State, Store, Unavailable
from netcode.waiting import CustomWaiter, Waiter


class Batch:
    """What one update wants from the store: at most one commit for new tables, and one for everything else."""

    def __init__(self) -> None:
        self.new: list[NewTable] = []
        self.entries: list[Entry] = []
        self.states: dict[str, State] = {}
        self.listings: dict[str, Listing] = {}
        self.load: set[str] = set()
        self.instead = ""
        """The address of the node that is to have those of `load` that nobody has; "" for this one."""
        self.release: set[str] = set()
        self.wake = 0
        """How many tables of nobody to load at which something is due."""
        self.games: Collection[str] | None = None
        """Those of which tables are to be woken."""
        self.listed = 0
        """How many open tables to read, also those of other nodes."""
        self.expire: tuple[float, float, Collection[str]] | None = None
        """What `Store.expire` is told; the tables to spare are those that are here when it is handed over."""
        self.renew: int | None = None
        self.done: list[Callable[[Stored], None]] = []
        """Called in order once all of it is stored."""
        self.told: dict[str, Callable[[], None]] = {}
        """One call for each table that has a part in it, after all of `done`."""
        self.made: set[str] | None = None
        """Which of `new` exist now, kept for another attempt: by then their first entries may be stored."""
        self.appended = False
        """Whether what happened is stored, kept likewise: by then the tables may be given back."""
        self.moves = 0
        """How many of `entries` are plays and answers."""
        self.since: float | None = None
        """When the first of `entries` came."""
        self.seconds = 0.0
        """How long the last attempt took."""
        self.renewed = False
        """Whether the store heard in the last attempt that we live, whatever came of the rest."""
        self.due: set[str] | None = None
        """Which tables are to be woken, kept likewise: by then they may be ours."""

    def leave_out(self, tables: Collection[str]) -> None:
        """Store nothing of these tables."""
        self.entries = [entry for entry in self.entries if entry.table not in tables]
        for table in tables:
            self.states.pop(table, None)
            self.listings.pop(table, None)

    def __bool__(self) -> bool:
        parts = (self.new, self.entries, self.states, self.listings, self.load, self.done)
        return any(parts) or bool(self.release) or self.expire is not None or self.renew is not None


class Stored(NamedTuple):
    """What came of a batch."""

    made: frozenset[str]
    loaded: dict[str, Saved]
    expired: frozenset[str]
    elsewhere: dict[str, str]
    """The addresses of those who have tables that were to be loaded; "" where that is being settled."""
    woken: dict[str, Saved]
    listed: dict[str, bytes]
    nodes: tuple[Node, ...]


class Lease:
    """Says that we live as often as that is needed, also while one batch takes long or fails again and again.

    That goes between the parts of a batch: whatever is written holds the row by which others know that we live.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._every = math.inf if store.lease is None else store.lease / 4
        self._load: int | None = None
        self.at = -math.inf
        """When the store heard it last."""

    def renew(self, load: int) -> list[Node]:
        """Say it now."""
        nodes = self._store.renew(load)
        self._load, self.at = load, self._clock()
        return nodes

    def keep(self) -> None:
        """Say it again if it is time."""
        if self._load is not None and self._clock() >= self.at + self._every:
            self.renew(self._load)


def carry_out(store: Store, batch: Batch, lease: Lease) -> Stored:
    """Do what a batch says. Each part may be done again after it failed."""
    nodes = lease.renew(batch.renew) if batch.renew is not None else []
    lease.keep()
    if batch.made is None:
        batch.made = store.create(batch.new) if batch.new else set()
        if len(batch.made) < len(batch.new):
            batch.leave_out({new.table for new in batch.new} - batch.made)
    if (batch.entries or batch.states or batch.listings) and not batch.appended:
        lease.keep()
        store.append(batch.entries, [*batch.states.values()], [*batch.listings.values()])
        batch.appended = True
    lease.keep()
    if batch.release:
        store.release(batch.release)
    expired = store.expire(*batch.expire) if batch.expire is not None else ()  # first: what is loaded is to stay
    lease.keep()
    loaded, elsewhere = _take(store, lease, batch.load, batch.instead) if batch.load else ({}, {})
    if batch.wake and batch.due is None:
        batch.due = store.due(batch.wake, batch.games)
    woken = _take(store, lease, batch.due)[0] if batch.due else {}
    listed = store.open_tables(None, batch.listed) if batch.listed else {}
    return Stored(frozenset(batch.made), loaded, frozenset(expired), elsewhere, woken, listed, tuple(nodes))


def _take(
    store: Store, lease: Lease, tables: Collection[str], instead: str = ""
) -> tuple[dict[str, Saved], dict[str, str]]:
    """Return those tables that are ours now, and who has the others."""
    lease.keep()
    claimed = store.claim(tables, take=not instead) if tables else {}
    ours = [table for table, whose in claimed.items() if whose is Claim.OURS]
    others = {table: whose if isinstance(whose, str) else "" for table, whose in claimed.items()}
    others |= {table: instead for table, whose in claimed.items() if whose is Claim.FREE}
    return store.load(ours) if ours else {}, {table: others[table] for table in claimed.keys() - {*ours}}


Outcome = Stored | BaseException


class InPlace:
    """Stores within `submit`: for a server that has nothing else to do."""

    waiter: Waiter | None = None

    def __init__(self, store: Store, lease: Lease | None = None) -> None:
        self._store, self._lease = store, lease or Lease(store)
        self._outcome: Outcome | None = None

    def submit(self, batch: Batch) -> None:
        """Store it, and keep what came of it for `take`."""
        self._outcome = _attempt(self._store, batch, self._lease)

    def take(self) -> Outcome | None:
        """Return what came of the batch; None while it is under way."""
        outcome, self._outcome = self._outcome, None
        return outcome

    def join(self) -> None:
        """Wait until nothing is under way."""

    def close(self) -> None:
        """End it. The store stays open."""


class OnThread:
    """Stores on a thread of its own: for a server in somebody's loop. `waiter` wakes when a batch is through."""

    def __init__(self, store: Store) -> None:
        import threading
        from queue import SimpleQueue

        self._store, self._lease = store, Lease(store)
        self._work: SimpleQueue[Batch | None] = SimpleQueue()
        self._results: SimpleQueue[Outcome] = SimpleQueue()
        self._idle = threading.Event()
        self._idle.set()
        self._bell, self._button = socket.socketpair()
        self._bell.setblocking(False)
        self._button.setblocking(False)
        self.waiter: Waiter | None = CustomWaiter(read=[self._bell])
        self._thread: threading.Thread = threading.Thread(target=self._run, name="netcode store", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch) -> None:
        """Have it stored."""
        self._idle.clear()
        self._work.put(batch)

    def take(self) -> Outcome | None:
        """Return what came of the batch; None while it is under way."""
        if self._results.empty():
            return None
        try:
            self._bell.recv(64)
        except BlockingIOError:
            pass  # the button could not be pressed
        return self._results.get()

    def join(self) -> None:
        """Wait until nothing is under way."""
        self._idle.wait()

    def close(self) -> None:
        """End the thread. The store stays open."""
        self._work.put(None)
        self._thread.join()
        self._bell.close()
        self._button.close()

    def _run(self) -> None:
        while (batch := self._work.get()) is not None:
            self._results.put(_attempt(self._store, batch, self._lease))
            self._idle.set()
            try:
                self._button.send(b"!")
            except OSError:
                pass  # so many presses wait already


def _attempt(store: Store, batch: Batch, lease: Lease) -> Outcome:
    began, before = time.perf_counter(), lease.at
    try:
        return carry_out(store, batch, lease)
    except BaseException as error:  # noqa: BLE001 - it is raised where it can be seen: in the server's update
        return error
    finally:
        batch.seconds = time.perf_counter() - began
        batch.renewed = lease.at != before


class Writer:
    """Gathers batches, stores them one after the other, and tells when each is stored.

    Args:
        carrier: `InPlace` or `OnThread`.
        retry: seconds between two attempts to store a batch.
        patience: seconds for which a batch may be under way before that is trouble.
    """

    def __init__(self, carrier: InPlace | OnThread, *, retry: float = 1.0, patience: float = 5.0) -> None:
        self.carrier = carrier
        self.batch = Batch()
        """What gathers."""
        self.trouble = ""
        """Why nothing is stored at present, as a sentence for whoever runs the server; empty while all is well."""
        self.told = ""
        """The same as players may read it."""
        self.failing_since: float | None = None
        """When what was last stored first could not be; None while all is well."""
        self.tally = Tally()
        self._retry, self._patience = retry, patience
        self._under_way: Batch | None = None
        self._since = 0.0
        self._again_at: float | None = None

    @property
    def busy(self) -> bool:
        """Whether a batch is under way or failed, so that what is asked for now waits."""
        return self._under_way is not None

    @property
    def since(self) -> float | None:
        """When the oldest entry came that is not stored; None where there is none."""
        under_way = None if self._under_way is None else self._under_way.since
        return self.batch.since if under_way is None else under_way

    def due(self) -> float | None:
        """Return when the batch that failed is tried again."""
        return self._again_at

    def step(self, now: float) -> None:
        """Hand over what gathered, and tell what is stored.

        Raises:
            Lost: the tables are not ours any more.
            Exception: a bug of the store.
        """
        for _ in range(2):  # what is told when a batch is through may ask for more
            self._finish(now)
            if self._under_way is None and self.batch:
                self._under_way, self.batch = self.batch, Batch()
                self._since = now
                if self._under_way.expire is not None:
                    keep, waiting, spare = self._under_way.expire
                    self._under_way.expire = keep, waiting, frozenset(spare)
                self.carrier.submit(self._under_way)
            elif self._again_at is not None and now >= self._again_at and self._under_way is not None:
                self._again_at = None
                self.carrier.submit(self._under_way)
            self._finish(now)
        if self._under_way is not None and not self.trouble and now - self._since > self._patience:
            text = f"nothing is stored at the moment: the store has not answered for {self._patience:g} seconds"
            self._fail(text, text)

    def flush(self, now: float) -> None:
        """Store all that can be stored before the end, and wait for it.

        Raises:
            Lost: the tables are not ours any more.
            Exception: a bug of the store.
        """
        for _ in range(3):
            if self._under_way is not None and self._again_at is None:
                self.carrier.join()
            self.step(now)
        if self._under_way is not None and self._again_at is None:
            self.carrier.join()
            self._finish(now)

    def _finish(self, now: float) -> None:
        batch = self._under_way
        if batch is None or self._again_at is not None:
            return
        outcome = self.carrier.take()
        if outcome is None:
            return
        if batch.renewed:
            self.tally.renewed_at = now
        if isinstance(outcome, Unavailable):
            self._fail(str(outcome), outcome.told)
            self.tally.unavailable += 1
            self._again_at = now + self._retry
            return
        if isinstance(outcome, BaseException):
            if not isinstance(outcome, Exception):
                self._again_at = now  # Ctrl-C in the middle of it: the same again, when it goes on
            self.tally.lost += isinstance(outcome, Lost)
            raise outcome
        self._under_way = self.failing_since = None
        self.trouble = self.told = ""
        if batch.entries:
            self.tally.committed(batch.seconds, len(batch.entries), batch.moves)
        for done in batch.done:
            done(outcome)
        for told in batch.told.values():
            told()

    def _fail(self, trouble: str, told: str) -> None:
        """Take note that what is under way cannot be stored."""
        self.trouble, self.told = trouble, told
        self.failing_since = self._since if self.failing_since is None else self.failing_since


def make_writer(store: Store, *, on_thread: bool) -> Writer:
    """Make the writer of a server: on a thread where somebody's frame must not wait for a disk."""
    carrier: Any = OnThread(store) if on_thread else InPlace(store)
    if store.lease is None:
        return Writer(carrier)
    return Writer(carrier, retry=min(1.0, store.lease / 4), patience=store.lease)
