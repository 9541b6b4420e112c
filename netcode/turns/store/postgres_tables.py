"""The tables of a PostgreSQL database: made where there are none, and as this version needs them."""

from netcode.diagnostics import log
from netcode.turns.store import Lost, Unavailable
from netcode.turns.store import postgres_sql as sql
from netcode.turns.store.postgres_link import Link

ENCODINGS = ("UTF8", "SQL_ASCII")
"""In which a database keeps every text: at one that it has no character for, such as a table that a stranger asks for,
it would refuse the statement, and with it whatever else was asked."""


def make_tables(link: Link) -> None:
    """Make the tables that are not there, or what they lack. Raises `Unavailable` for a database that cannot be ours."""
    [(ours, occupied, synced, slow, encoding, whole, release)] = link.run(sql.FOUND)
    if release < sql.OLDEST:
        raise Unavailable(f"{link.name} is PostgreSQL {release}; update it to {sql.OLDEST} or later")
    if encoding not in ENCODINGS:
        along = " NEW, and take the tables along: pg_dump OLD | psql NEW" if ours else ""
        raise Unavailable(
            f"{link.name} cannot keep every name, since its encoding is {encoding}; give this server a database with "
            f"UTF8: createdb --template template0 --encoding UTF8{along}"
        )
    if occupied and not ours:
        raise Unavailable(f"{link.name} has tables of another program; give this server a database of its own")
    if ours and not whole:
        raise Unavailable(
            f"{link.name} lacks some of its tables; restore them from a copy, or give this server another database"
        )
    if not ours:
        _make(link)
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


def _make(link: Link) -> None:
    try:
        link.run(sql.SCHEMA)
    except Lost as error:
        raise Unavailable(
            f"{link.name} has no schema for new tables; create one that the search_path of its user names"
        ) from error


def _index(link: Link) -> None:
    try:
        link.run(sql.INDEX)
    except Unavailable as error:  # who keeps them locked, or owns them, need not keep us from serving
        log.warn(
            "index",
            "it takes long to find old, open and due tables where very many are kept, without an index: %s",
            error,
        )
