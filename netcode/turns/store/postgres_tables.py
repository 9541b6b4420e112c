"""The tables of a PostgreSQL database: made where there are none, and as this version needs them."""

from netcode.diagnostics import log
from netcode.turns.store import Unavailable
from netcode.turns.store import postgres_sql as sql
from netcode.turns.store.postgres_link import Link


def make_tables(link: Link) -> None:
    """Make the tables that are not there, or what they lack. Raises `Unavailable` for a database that cannot be ours."""
    [(ours, occupied, synced, slow)] = link.run(sql.FOUND)
    if occupied and not ours:
        raise Unavailable(f"{link.name} has tables of another program; give this server a database of its own")
    if not ours:
        link.run(sql.SCHEMA)
    [(version,)] = link.run("SELECT version FROM netcode_store")
    if version > sql.VERSION:
        raise Unavailable(
            f"{link.name} was written by a newer netcode (its tables are version {version}, this one knows {sql.VERSION}); "
            "install that version, or give this server another database"
        )
    if version < sql.VERSION:
        link.run(sql.UPGRADE)
    if slow:
        _index(link)
    if synced == "off":
        text = "%s answers before it has synced (synchronous_commit is off): if it crashes, moves are lost"
        log.warn("synchronous_commit", text, link.name)


def _index(link: Link) -> None:
    try:
        link.run(sql.INDEX)
    except Unavailable as error:  # who keeps them locked, or owns them, need not keep us from serving
        log.warn(
            "index", "it takes long to find old and open tables where very many are kept, without an index: %s", error
        )
