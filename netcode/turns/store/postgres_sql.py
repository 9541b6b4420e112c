# Nothing of a caller gets into a statement but as a parameter; what is put together here is constant.
# ruff: noqa: S608
"""What is said to PostgreSQL: the tables, and each statement with what must be so for it to be right.

Each is a transaction of its own under READ COMMITTED. A row that had to be waited for is compared anew, but whatever was
joined to it is as it was before: so under a lock a statement compares columns of the locked row and nothing else.
"""

VERSION = 2
"""Of the tables below."""
OLDEST = 12
"""Of PostgreSQL, that knows all of this: `AS MATERIALIZED`."""

# For this transaction alone, as `SET LOCAL` would: a lock is not waited for longer than we wait for an answer.
BOUND = "SELECT set_config('lock_timeout', '2s', true)"

# The lock is that of a transaction: one of a session would stay with a pooler's connection.
SCHEMA = f"""
SELECT pg_advisory_xact_lock(7958552634295722612);
{BOUND};
CREATE TABLE IF NOT EXISTS netcode_store (version int NOT NULL);
INSERT INTO netcode_store SELECT {VERSION} WHERE NOT EXISTS (SELECT FROM netcode_store);
CREATE TABLE IF NOT EXISTS ruleset (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, game text NOT NULL, fingerprint bytea NOT NULL,
    UNIQUE (game, fingerprint)
);
CREATE TABLE IF NOT EXISTS node (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, address text NOT NULL, rules bigint[],
    load int NOT NULL DEFAULT 0, since timestamptz NOT NULL, expires timestamptz NOT NULL, fenced boolean NOT NULL DEFAULT false
);
CREATE TABLE IF NOT EXISTS game_table (
    id text COLLATE "C" PRIMARY KEY, game text NOT NULL, owner bigint, rules bigint NOT NULL, version bigint NOT NULL,
    state_version bigint NOT NULL, state bytea NOT NULL, listing bytea, wake timestamptz,
    created timestamptz NOT NULL, changed timestamptz NOT NULL, waits boolean NOT NULL DEFAULT true
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS listed_table ON game_table (waits DESC, created, id) WHERE listing IS NOT NULL;
CREATE INDEX IF NOT EXISTS due_table ON game_table (wake) WHERE wake IS NOT NULL;
CREATE INDEX IF NOT EXISTS old_table ON game_table (created);
CREATE TABLE IF NOT EXISTS move (
    game_table text COLLATE "C" NOT NULL, version bigint NOT NULL, body bytea NOT NULL,
    PRIMARY KEY (game_table, version)
);
"""
"""No column of an index but `wake`, `listing` and `waits` changes with a move, and so most touch no index but their own."""

UPGRADE = f"""
SELECT pg_advisory_xact_lock(7958552634295722612);
{BOUND};
ALTER TABLE game_table ADD COLUMN IF NOT EXISTS waits boolean NOT NULL DEFAULT true;
UPDATE netcode_store SET version = {VERSION} WHERE version < {VERSION};
"""
"""For tables of version 1. Processes that still know nothing else go on with them as they are."""

INDEX = f"""
SELECT pg_advisory_xact_lock(7958552634295722612);
{BOUND};
CREATE INDEX IF NOT EXISTS due_table ON game_table (wake) WHERE wake IS NOT NULL;
CREATE INDEX IF NOT EXISTS old_table ON game_table (created);
CREATE INDEX IF NOT EXISTS listed_table ON game_table (waits DESC, created, id) WHERE listing IS NOT NULL;
"""
"""For tables that were made before there were these, or that lost one. All goes on without them, and slower where tables are very many."""

FOUND = """
SELECT to_regclass('netcode_store') IS NOT NULL, to_regclass('game_table') IS NOT NULL OR to_regclass('move') IS NOT NULL
    OR to_regclass('node') IS NOT NULL OR to_regclass('ruleset') IS NOT NULL, current_setting('synchronous_commit'),
    to_regclass('game_table') IS NOT NULL AND (to_regclass('listed_table') IS NULL OR to_regclass('due_table') IS NULL
        OR to_regclass('old_table') IS NULL), current_setting('server_encoding'),
    to_regclass('game_table') IS NOT NULL AND to_regclass('move') IS NOT NULL
    AND to_regclass('node') IS NOT NULL AND to_regclass('ruleset') IS NOT NULL,
    current_setting('server_version_num')::int / 10000
"""

# Who expires further ahead than any lease reaches was heard of last before the clock of the database went back, as by a
# failover to a host whose clock is behind.
ALIVE_UNTIL = "BETWEEN now() AND now() + 10 * %(lease)s * interval '1 second'"

# FOR SHARE, since FOR KEY SHARE lets somebody else set `fenced` meanwhile. Under the lock the row is looked at anew.
FENCE = f"""
fence AS MATERIALIZED (SELECT node.id FROM node, ({BOUND}) AS bound WHERE node.id = %(node)s AND NOT fenced FOR SHARE OF node)
"""

# No number of the sequence: a standby that lacks the last commits would give some of them out again.
OPEN = """
INSERT INTO node (id, address, rules, since, expires) OVERRIDING SYSTEM VALUE
VALUES (((extract(epoch FROM now()) * 1000)::bigint << 21) + floor(random() * 2097152)::bigint, %(address)s, %(rules)s, now(),
    now() + %(lease)s * interval '1 second')
RETURNING id
"""

# Logical replication, by which a database may move to another host, leaves sequences behind.
LEARN = """
INSERT INTO ruleset (id, game, fingerprint) OVERRIDING SYSTEM VALUE
SELECT greatest(nextval(pg_get_serial_sequence('ruleset', 'id')), newest.id + row_number() OVER ()), mine.game, mine.mark
FROM unnest(%(games)s::text[], %(marks)s::bytea[]) AS mine (game, mark), (SELECT coalesce(max(id), 0) FROM ruleset) AS newest (id)
WHERE NOT EXISTS (SELECT FROM ruleset AS known WHERE (known.game, known.fingerprint) = (mine.game, mine.mark))
ON CONFLICT DO NOTHING
"""

KNOWN = """
SELECT known.game, known.id FROM ruleset AS known
JOIN unnest(%(games)s::text[], %(marks)s::bytea[]) AS mine (game, mark)
ON (known.game, known.fingerprint) = (mine.game, mine.mark)
"""

# A late process that nobody fenced goes on.
RENEW = f"""
WITH me AS (
    UPDATE node SET expires = now() + %(lease)s * interval '1 second', load = %(load)s,
        since = CASE WHEN expires {ALIVE_UNTIL} THEN since ELSE now() END
    FROM ({BOUND}) AS bound
    WHERE id = %(node)s AND NOT fenced RETURNING id, address, load
)
SELECT id, address, load, true FROM me
UNION ALL SELECT id, address, load, rules IS NULL OR NOT EXISTS (
    SELECT FROM ruleset AS ours WHERE ours.id = ANY(%(rules)s::bigint[]) AND NOT EXISTS (
        SELECT FROM ruleset WHERE ruleset.id = ANY(node.rules) AND ruleset.game = ours.game AND ruleset.id >= ours.id
    )
)
FROM node WHERE id <> %(node)s AND NOT fenced AND expires {ALIVE_UNTIL} ORDER BY 1
"""

CREATE = f"""
WITH {FENCE}, made AS (
    INSERT INTO game_table (id, game, owner, rules, version, state_version, state, listing, created, changed)
    SELECT new.id, new.game, fence.id, new.rules, 0, 0, new.state, new.listing, now(), now()
    FROM fence, unnest(%(ids)s::text[], %(games)s::text[], %(rules)s::bigint[], %(states)b::bytea[], %(listings)b::bytea[])
        AS new (id, game, rules, state, listing)
    ORDER BY new.id ON CONFLICT DO NOTHING RETURNING id
)
SELECT (SELECT count(*) FROM fence), array(SELECT id FROM made)
"""

# Also those that an attempt made whose answer was lost.
CREATED = """
SELECT g.id FROM game_table AS g JOIN unnest(%(ids)s::text[], %(games)s::text[], %(states)b::bytea[]) AS new (id, game, state)
ON (g.id, g.game, g.state, g.version, g.owner) = (new.id, new.game, new.state, 0, %(node)s)
"""

# A state of the same statement covers entries that another part of it inserts and that no part of it sees.
LOAD = """
SELECT g.id, g.version, g.state_version, g.state, extract(epoch FROM g.wake - now())::float8,
    array(SELECT body FROM move WHERE game_table = g.id AND move.version > g.state_version ORDER BY move.version)
FROM game_table AS g WHERE g.id = ANY(%(ids)s::text[])
"""

DROP = """
DELETE FROM move USING batch JOIN game_table AS before ON before.id = batch.id
WHERE move.game_table = batch.id AND batch.at > before.state_version AND move.version <= before.state_version
"""
"""What the state before covered: the last batch must stay comparable."""


def append_statement(*, keep_log: bool) -> str:
    """Return what stores a batch, or fails with a division by zero: SQL has no other way to undo a statement midway.

    What is compared is compared with the row under its lock.
    """
    return f"""
WITH {FENCE}, batch AS MATERIALIZED (
    SELECT * FROM unnest(
        %(ids)s::text[], %(before)s::bigint[], %(after)s::bigint[], %(at)s::bigint[], %(states)b::bytea[],
        %(wakes)s::float8[], %(listed)s::boolean[], %(listings)b::bytea[], %(waits)s::boolean[]
    ) AS b (id, before, after, at, state, wake, listed, listing, waits)
), moved AS (
    UPDATE game_table AS g SET
        version = coalesce(batch.after, g.version),
        changed = CASE WHEN batch.after IS NULL THEN g.changed ELSE now() END,
        state_version = coalesce(batch.at, g.state_version), state = coalesce(batch.state, g.state),
        wake = CASE WHEN batch.at IS NULL THEN g.wake ELSE now() + batch.wake * interval '1 second' END,
        listing = CASE WHEN batch.listed THEN batch.listing ELSE g.listing END,
        waits = CASE WHEN batch.listed THEN batch.waits ELSE g.waits END
    FROM batch, fence
    WHERE g.id = batch.id AND g.owner = fence.id AND (batch.before IS NULL OR g.version = batch.before)
        AND (batch.at IS NULL OR batch.at <= coalesce(batch.after, g.version))
        AND (batch.at IS NULL OR g.state_version < batch.at OR (g.state_version, g.state) = (batch.at, batch.state))
    RETURNING g.id
), entered AS (
    INSERT INTO move (game_table, version, body)
    SELECT e.id, e.version, e.body
    FROM unnest(%(entry_ids)s::text[], %(versions)s::bigint[], %(bodies)b::bytea[]) AS e (id, version, body)
    JOIN moved ON moved.id = e.id
){"" if keep_log else f", dropped AS ({DROP})"}
SELECT 1 / (count(*) = %(tables)s)::int FROM moved
"""


ALIVE = "SELECT NOT fenced FROM node WHERE id = %(node)s"

STORED = """
SELECT id, owner, version, state_version, state FROM game_table WHERE id = ANY(%(ids)s::text[])
"""

STORED_ENTRIES = """
SELECT move.game_table, move.version, move.body
FROM unnest(%(ids)s::text[], %(versions)s::bigint[]) AS asked (id, version)
JOIN move ON (move.game_table, move.version) = (asked.id, asked.version)
"""

OPEN_TABLES = """
SELECT id, listing FROM game_table WHERE listing IS NOT NULL AND (%(game)s::text IS NULL OR game = %(game)s)
ORDER BY waits DESC, created, id LIMIT %(limit)s
"""

# Nothing is locked here, and so a join is right; what is found is claimed before it is used.
DUE = f"""
SELECT g.id FROM game_table AS g
LEFT JOIN node ON node.id = g.owner AND NOT node.fenced AND (node.expires {ALIVE_UNTIL} OR node.id = %(node)s)
WHERE g.wake <= now() AND node.id IS NULL AND (%(games)s::text[] IS NULL OR g.game = ANY(%(games)s)) ORDER BY g.wake LIMIT %(limit)s
"""

RELEASE = f"""
UPDATE game_table SET owner = NULL FROM ({BOUND}) AS bound WHERE id = ANY(%(ids)s::text[]) AND owner = %(node)s
"""

LEAVE = f"DELETE FROM node USING ({BOUND}) AS bound WHERE id = %(node)s"

# Claiming. Each step is a statement of its own: under a lock, columns of the locked row are compared and nothing else,
# because whatever is joined to it is as it was before the lock was waited for. Lock in one statement, look in the next.

OWNERS = f"""
SELECT g.id, g.game, g.rules, g.owner, node.address,
    coalesce(NOT node.fenced AND (node.expires {ALIVE_UNTIL} OR node.id = %(node)s), false)
FROM game_table AS g LEFT JOIN node ON node.id = g.owner WHERE g.id = ANY(%(ids)s::text[])
"""

LIVING = f"""
SELECT node.address, node.load, ruleset.game, max(ruleset.id) FROM node JOIN ruleset ON ruleset.id = ANY(node.rules)
WHERE NOT node.fenced AND node.expires {ALIVE_UNTIL} GROUP BY node.id, ruleset.game ORDER BY node.load, node.id
"""

# One that is writing at this moment is left alone; who wants its tables asks again. And whoever was away as well, as
# all are while the database is down, or whose clock went back, lets the others come back first, for as long as a lease
# after it said itself that it lives.
FENCE_EXPIRED = f"""
WITH victim AS (
    SELECT id FROM node WHERE id = %(owner)s AND NOT fenced AND NOT expires {ALIVE_UNTIL} FOR NO KEY UPDATE SKIP LOCKED
), me AS (SELECT since FROM node WHERE id = %(node)s AND expires {ALIVE_UNTIL})
UPDATE node SET fenced = true FROM victim, me
WHERE node.id = victim.id AND NOT node.fenced AND NOT node.expires {ALIVE_UNTIL}
    AND (node.expires > me.since AND node.expires <= now() OR me.since + %(lease)s * interval '1 second' < now())
RETURNING node.address, extract(epoch FROM node.expires - now())::float8
"""

# Who is dead stays so: what this finds is true for ever.
UNFENCED = "SELECT id FROM node WHERE id = ANY(%(owners)s::bigint[]) AND NOT fenced"

TAKE = f"""
WITH {FENCE}, free AS (
    SELECT g.id, asked.mine FROM game_table AS g
    JOIN unnest(%(ids)s::text[], %(rules)s::bigint[], %(mine)s::bigint[]) AS asked (id, rules, mine) ON asked.id = g.id
    WHERE g.rules = asked.rules AND (g.owner IS NULL OR g.owner = ANY(%(dead)s::bigint[]))
    ORDER BY g.id FOR NO KEY UPDATE OF g SKIP LOCKED
), taken AS (
    UPDATE game_table AS g SET owner = fence.id, rules = free.mine FROM free, fence
    WHERE g.id = free.id AND (g.owner IS NULL OR g.owner = ANY(%(dead)s::bigint[]))
)
SELECT count(*) FROM fence
"""

# Expiring: as with claims, who owns what is looked up first, and only columns of the locked row are compared. What was
# made lately is not old, and so an index whose column no move changes finds the few among millions that are. A limit
# stands outside of what finds them: inside, the planner would take whichever scan promises to end early. And where the
# clock has gone on by years at once, as on a host that has yet to ask for the time, all would be old: a time is believed
# by who has lived through the quarter of an hour before it: such a leap begins `since` anew.

OLD = f"""
WITH old (id, owner, lives) AS MATERIALIZED (
    SELECT g.id, g.owner, coalesce(NOT node.fenced AND node.expires {ALIVE_UNTIL}, false)
    FROM game_table AS g LEFT JOIN node ON node.id = g.owner
    WHERE (g.changed < now() - %(keep)s * interval '1 second' AND g.created < now() - %(keep)s * interval '1 second'
        OR (g.listing IS NOT NULL AND g.waits AND g.changed < now() - %(waiting)s * interval '1 second'
            AND g.created < now() - %(waiting)s * interval '1 second'))
        AND g.id <> ALL(%(spare)s::text[]) AND EXISTS (
            SELECT FROM node AS me WHERE me.id = %(node)s AND me.expires > now() - interval '1 hour'
                AND me.since <= now() - least(%(keep)s, %(waiting)s, 3600) / 4 * interval '1 second'
        )
)
SELECT id, owner FROM old WHERE NOT lives OR owner = %(node)s LIMIT %(limit)s
"""

EXPIRE = f"""
WITH {FENCE}, old AS (
    SELECT g.id FROM game_table AS g WHERE g.id = ANY(%(ids)s::text[])
        AND (g.changed < now() - %(keep)s * interval '1 second'
            OR (g.listing IS NOT NULL AND g.waits AND g.changed < now() - %(waiting)s * interval '1 second'))
        AND (g.owner IS NULL OR g.owner = ANY(%(owners)s::bigint[]))
    ORDER BY g.id FOR UPDATE SKIP LOCKED
), gone AS (DELETE FROM game_table AS g USING old, fence WHERE g.id = old.id RETURNING g.id
), emptied AS (DELETE FROM move USING gone WHERE move.game_table = gone.id)
SELECT (SELECT count(*) FROM fence), array(SELECT id FROM gone)
"""

# One that is not there is dead, and nothing else refers to these rows.
# Who is alive has renewed its row within the quarter of an hour that whoever judges has lived through, as above.
FORGET = """
DELETE FROM node WHERE id <> %(node)s AND expires < now() - interval '1 day' AND EXISTS (
    SELECT FROM node AS me WHERE me.id = %(node)s AND me.expires > now() - interval '1 hour'
        AND me.since <= now() - interval '15 minutes'
)
"""
