"""What a server of tables is told, looked at before anything is opened: no player shall be the first to find it wrong."""

from netcode.address import WILDCARDS, Address
from netcode.limits import check_number
from netcode.turns.store import Store


def check_times(**times: float) -> None:
    """Raise `TypeError` or `ValueError`, naming the argument, for what is no number of seconds from 0 up."""
    for name, seconds in times.items():
        check_number(name, seconds, zero=True)


def check_counts(**counts: int) -> None:
    """Raise `TypeError` or `ValueError`, naming the argument, for what is no int from 0 up."""
    for name, count in counts.items():
        check_number(name, count, whole=True, zero=True)


def check_found(public: Address | None, host: str, store: Store) -> None:
    """Raise `ValueError` where players would be sent to an address that nobody can connect to."""
    if public is None and store.lease is not None and host in WILDCARDS:
        raise ValueError('address must be given where several servers share a store, such as "play1.example.org:7777"')
