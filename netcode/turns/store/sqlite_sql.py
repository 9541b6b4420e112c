"""What SQLite is asked to do: the tables of a database of ours, how older ones become like them, and a step of many."""

import sqlite3

APPLICATION = 0x6E637475
"""Marks a database as ours: «nctu», in SQLite's application_id."""
VERSION = 3
"""Of the tables below, in SQLite's user_version."""

# Tables have a number so that those that are played at one time lie beside each other, with their entries: a commit
# writes whole pages, and ids that are drawn at random would have it write one for each row.
SCHEMA = """
CREATE TABLE IF NOT EXISTS game_table (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, game TEXT NOT NULL,
    version INTEGER NOT NULL, state_version INTEGER NOT NULL, state BLOB NOT NULL,
    listing BLOB, created REAL NOT NULL, changed REAL NOT NULL, wake REAL,
    waits INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX IF NOT EXISTS open_table ON game_table (game, created) WHERE listing IS NOT NULL;
CREATE INDEX IF NOT EXISTS due_table ON game_table (wake) WHERE wake IS NOT NULL;
CREATE INDEX IF NOT EXISTS old_table ON game_table (created);
CREATE INDEX IF NOT EXISTS waiting_table ON game_table (created) WHERE listing IS NOT NULL AND waits;
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (number, version)
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS move AS
    SELECT id AS game_table, entry.version AS version, body FROM game_table JOIN entry USING (number);
CREATE TABLE IF NOT EXISTS served (seconds REAL NOT NULL);
INSERT INTO served SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM served);
"""

# Version 1 had the id in every entry, and both tables in its order.
SET_ASIDE_1 = """
DROP INDEX IF EXISTS open_table;
DROP INDEX IF EXISTS due_table;
ALTER TABLE game_table RENAME TO game_table_1;
ALTER TABLE move RENAME TO move_1;
"""
TAKE_OVER_1 = """
INSERT INTO game_table SELECT NULL, id, game, version, state_version, state, listing, created, changed, wake, 1
    FROM game_table_1 ORDER BY created, id;
INSERT INTO entry SELECT number, move_1.version, body FROM move_1 JOIN game_table ON id = move_1.game_table;
DROP TABLE game_table_1;
DROP TABLE move_1;
"""

LOOKS = (
    "SELECT number, id, game, version, state_version, state, listing, created, changed, wake, waits FROM game_table LIMIT 0",
    "SELECT number, version, body FROM entry LIMIT 0",
    "SELECT game_table, version, body FROM move LIMIT 0",
)
"""What fails where something else has become of the tables."""

# No ?1 twice: the first releases of Python 3.12 take it for a name, and warn.
MOVE = """UPDATE game_table SET changed = CASE WHEN version < ? THEN ? ELSE changed END, version = ?,
    state_version = ?, state = ifnull(?, state) WHERE number = ? AND version = ?"""

# What was made lately is not old: of many tables, this looks at the few that were not. Each half ends at the limit by
# itself, since a union takes in all of both before it gives the first.
OLD = """SELECT * FROM (SELECT id, number FROM game_table WHERE created < ? AND changed < ? LIMIT ?) UNION
    SELECT * FROM (SELECT id, number FROM game_table WHERE listing IS NOT NULL AND waits AND created < ? AND changed < ? LIMIT ?)
    LIMIT ?"""


def make_tables(database: sqlite3.Connection, version: int) -> None:
    """Make the tables that are not there, and take over what a database of an older version has: all, or nothing.

    Args:
        database: ours, or new.
        version: of its tables; 0 for a new one.
    """
    before = after = ""
    if version == 1:
        before, after = SET_ASIDE_1, TAKE_OVER_1
        if not any(name == "wake" for _, name, *_ in database.execute("PRAGMA table_info (game_table)")):
            before = f"ALTER TABLE game_table ADD COLUMN wake REAL; {before}"
    elif version == 2:
        before = "ALTER TABLE game_table ADD COLUMN waits INTEGER NOT NULL DEFAULT 1;"
    marks = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
    database.executescript(f"BEGIN IMMEDIATE; {before} {SCHEMA} {after} {marks} COMMIT;")
    for look in LOOKS:
        database.execute(look)
