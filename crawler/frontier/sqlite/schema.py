"""The SQLite frontier's tables and statements. States are small integers, in the order of :class:`State`."""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    QUEUED = 0
    SCHEDULED = 1
    LEASED = 2
    DONE = 3
    FAILED = 4
    EXCLUDED = 5


HOST_BUDGET = "host_budget"  # the reason that a host's spent budget gives

APPLICATION_ID = 0x6C616672  # "lafr": tells a frontier from any other SQLite file
VERSION = 3

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- The accounting: one row a state and reason, kept by every transaction that moves a URL. State -1 counts hosts.
CREATE TABLE tally (state INTEGER NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (state, reason))
  WITHOUT ROWID;

CREATE TABLE host (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  domain TEXT NOT NULL,
  queued INTEGER NOT NULL DEFAULT 0,
  leased INTEGER NOT NULL DEFAULT 0,
  visited INTEGER NOT NULL DEFAULT 0,
  head INTEGER NOT NULL DEFAULT 0,        -- priority of its first queued URL
  opens INTEGER NOT NULL DEFAULT 0,       -- ms: the gate is shut before
  delay REAL NOT NULL DEFAULT 0,          -- s: this host's own wish; the job's is the least
  held_until INTEGER NOT NULL DEFAULT 0,
  held_because TEXT NOT NULL DEFAULT '',
  robots BLOB,
  robots_until INTEGER NOT NULL DEFAULT 0
);
-- Hosts that could be leased, best first. A host leaves the index while its gate is in use.
CREATE INDEX host_ready ON host (head) WHERE queued > 0 AND leased = 0;

-- What nodes learned of hosts.
CREATE TABLE note (host INTEGER NOT NULL REFERENCES host, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (host, name))
  WITHOUT ROWID;

CREATE TABLE url (
  id INTEGER PRIMARY KEY,
  key INTEGER NOT NULL UNIQUE,            -- linkindex.urls.key
  url TEXT NOT NULL,
  host INTEGER NOT NULL REFERENCES host,
  state INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  hops INTEGER NOT NULL,
  sitemap INTEGER NOT NULL,               -- how many sitemaps deep it is one; 0: none
  attempt INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  due INTEGER,                            -- ms: scheduled until then, or leased until then
  fence INTEGER,                          -- of the lease
  node TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  found_on INTEGER,                       -- url.id of the page that led here; NULL for a seed
  found_at INTEGER NOT NULL,
  ended_at INTEGER                        -- NULL too where the scope refused it: then a later add may admit it
);
CREATE INDEX url_queue ON url (host, priority, id) WHERE state = 0;
CREATE INDEX url_due ON url (state, due) WHERE state IN (1, 2);
"""

INSERT_URL = """
INSERT INTO url (key, url, host, state, priority, depth, hops, sitemap, reason, found_on, found_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

KNOWN = "SELECT key, id, host, state, priority, reason, ended_at FROM url WHERE key IN ({})"

PROMOTE = "UPDATE url SET state = ?, priority = ?, depth = ?, hops = ?, sitemap = ?, reason = '' WHERE id = ?"

READY_HOSTS = """
SELECT id, name, delay, visited FROM host INDEXED BY host_ready
WHERE queued > 0 AND leased = 0 AND opens <= :now AND held_until <= :now ORDER BY head, id LIMIT :limit"""

ANY_READY = """
SELECT EXISTS (SELECT 1 FROM host INDEXED BY host_ready
               WHERE queued > 0 AND leased = 0 AND opens <= :now AND held_until <= :now)
    OR EXISTS (SELECT 1 FROM url INDEXED BY url_due WHERE state IN (1, 2) AND due <= :now)"""

HOST_QUEUE = """
SELECT id, url, depth, hops, sitemap, attempt FROM url WHERE host = ? AND state = 0 ORDER BY priority, id LIMIT ?"""

LEASE_URL = "UPDATE url SET state = 2, fence = ?, due = ?, node = ? WHERE id = ?"

MOVE_HOST = """
UPDATE host SET queued = queued + :queued, leased = leased + :leased, visited = visited + :visited,
  opens = max(opens, :opens),
  head = coalesce((SELECT priority FROM url WHERE host = :host AND state = 0 ORDER BY priority LIMIT 1), 0)
WHERE id = :host"""

QUEUE_HOST = "UPDATE host SET queued = queued + ?, head = CASE queued WHEN 0 THEN ? ELSE min(head, ?) END WHERE id = ?"

END_URL = "UPDATE url SET state = ?, reason = ?, ended_at = ?, due = NULL, fence = NULL WHERE id = ?"

OVERDUE = "SELECT id, host, state, crashes FROM url INDEXED BY url_due WHERE state IN (1, 2) AND due <= ?"

LEASED_ALL = "SELECT id, host, state, crashes FROM url INDEXED BY url_due WHERE state IN (1, 2) AND state = 2"

NEXT_OPEN = """
SELECT min(max(opens, held_until)) FROM host INDEXED BY host_ready WHERE queued > 0 AND leased = 0"""

NEXT_DUE = "SELECT min(due) FROM url INDEXED BY url_due WHERE state IN (1, 2)"

AGAIN = """
UPDATE url SET state = 0, attempt = 0, crashes = 0, reason = '', due = NULL, fence = NULL, ended_at = NULL
WHERE state IN (1, 3, 4) OR (state = 5 AND ended_at IS NOT NULL)"""

RECOUNT_HOSTS = """
UPDATE host SET visited = 0,
  queued = (SELECT count(*) FROM url WHERE url.host = host.id AND state = 0),
  head = coalesce((SELECT min(priority) FROM url WHERE url.host = host.id AND state = 0), 0)"""

# Reasons are counted of ends only; what was released keeps the reason of its last attempt, for `why`.
RECOUNT_TALLY = """
INSERT INTO tally SELECT state, CASE WHEN state IN (4, 5) THEN reason ELSE '' END, count(*) FROM url GROUP BY 1, 2"""

ADD_TALLY = "INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT (state, reason) DO UPDATE SET n = n + excluded.n"

EXCLUDED = """
SELECT url.url, host.name, host.domain, depth, hops, sitemap, reason FROM url JOIN host ON host.id = url.host
WHERE state = 5 AND ended_at IS NULL AND reason IN ({})"""

NOTES = "SELECT host.name, value FROM note JOIN host ON host.id = note.host WHERE note.name = ? AND host.name IN ({})"

WHY = """
SELECT u.url, u.state, u.reason, h.name, u.depth, u.hops, u.sitemap, u.attempt, u.crashes, u.node, u.found_at, f.url,
       CASE u.state WHEN 1 THEN u.due END, u.ended_at, h.opens, h.delay, h.held_until, h.held_because, h.robots,
       h.visited
FROM url u JOIN host h ON h.id = u.host LEFT JOIN url f ON f.id = u.found_on WHERE u.key = ?"""
