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


# Rows of tally that count something else than URLs.
HOSTS = -1
VISITED = -2

HOST_BUDGET = "host_budget"  # the reasons that spent budgets give
DOMAIN_BUDGET = "domain_budget"

APPLICATION_ID = 0x6C616672  # "lafr": tells a frontier from any other SQLite file
VERSION = 3

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- The accounting: one row a state and reason, kept by every transaction that moves a URL. Negative states count others.
CREATE TABLE tally (state INTEGER NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (state, reason))
  WITHOUT ROWID;

CREATE TABLE domain (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  taken INTEGER NOT NULL DEFAULT 0,       -- URLs of it that were visited or are leased
  marks INTEGER NOT NULL DEFAULT 0        -- crawler.frontier.order: of the domains that link to it
);

CREATE TABLE host (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  domain INTEGER NOT NULL REFERENCES domain,
  queued INTEGER NOT NULL DEFAULT 0,
  leased INTEGER NOT NULL DEFAULT 0,
  visited INTEGER NOT NULL DEFAULT 0,
  head INTEGER NOT NULL DEFAULT 0,        -- score of its first queued URL
  opens INTEGER NOT NULL DEFAULT 0,       -- ms: the gate is shut before
  delay REAL NOT NULL DEFAULT 0,          -- s: this host's own wish; the job's is the least
  held_until INTEGER NOT NULL DEFAULT 0,
  held_because TEXT NOT NULL DEFAULT '',
  marks INTEGER NOT NULL DEFAULT 0,       -- of the domains that link to it
  spent INTEGER NOT NULL DEFAULT 0,       -- 1 while URLs of it are excluded because a budget is used up
  robots BLOB,
  robots_until INTEGER NOT NULL DEFAULT 0
);
-- Hosts that could be leased, best first. A host leaves the index while its gate is in use.
CREATE INDEX host_ready ON host (head) WHERE queued > 0 AND leased = 0;
CREATE INDEX host_of_domain ON host (domain);

CREATE TABLE url (
  id INTEGER PRIMARY KEY,
  key INTEGER NOT NULL UNIQUE,            -- linkindex.urls.key
  url TEXT NOT NULL,
  host INTEGER NOT NULL REFERENCES host,
  state INTEGER NOT NULL,
  score INTEGER NOT NULL,                 -- crawler.frontier.order: the smallest goes first
  priority INTEGER NOT NULL,              -- of its entry
  depth INTEGER NOT NULL,
  hops INTEGER NOT NULL,
  sitemap INTEGER NOT NULL,               -- how many sitemaps deep it is one; 0: none
  attempt INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  departed INTEGER NOT NULL DEFAULT 0,    -- 1 while it is visited alone
  due INTEGER,                            -- ms: scheduled until then, or leased until then
  fence INTEGER,                          -- of the lease
  node TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  trail TEXT NOT NULL DEFAULT '',         -- of leases that did not end well: a line each
  marks INTEGER NOT NULL DEFAULT 0,       -- of the domains that link to it, while it is queued
  again INTEGER NOT NULL DEFAULT 0,       -- how often it was discovered after the first time, while it is queued
  memo BLOB,                              -- what the visit before left for the next
  found_on INTEGER,                       -- key of the page that led here; NULL for a seed
  found_at INTEGER NOT NULL,
  -- While done or failed, and while scheduled after a visit, it is counted as visited. NULL too where the scope refused it:
  -- then a later add may admit it.
  ended_at INTEGER
);
CREATE INDEX url_queue ON url (host, score, id) WHERE state = 0;
CREATE INDEX url_due ON url (state, due) WHERE state IN (1, 2);

CREATE TABLE note (host INTEGER NOT NULL REFERENCES host, name TEXT NOT NULL, value BLOB NOT NULL,
                   PRIMARY KEY (host, name)) WITHOUT ROWID;
CREATE TABLE claim (name TEXT PRIMARY KEY, node TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE node (name TEXT PRIMARY KEY, seen INTEGER NOT NULL, beat BLOB NOT NULL) WITHOUT ROWID;
"""

# What came later, and what a frontier that was made before goes without until it is opened.
ADDED = """
CREATE INDEX IF NOT EXISTS host_held ON host (held_until) WHERE held_until > 0;
-- Nodes that are to leave, and when they had started.
CREATE TABLE IF NOT EXISTS drain (node TEXT PRIMARY KEY, started INTEGER NOT NULL) WITHOUT ROWID;
"""

INSERT_URL = """
INSERT INTO url (key, url, host, state, score, priority, depth, hops, sitemap, reason, marks, again, found_on, found_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

# Of many at once by one statement: its text is the same however many they are, so it is compiled once.
KNOWN = """
SELECT key, id, host, state, score, priority, marks, again, found_at, reason, ended_at FROM url
WHERE key IN (SELECT value FROM json_each(?))"""

ROBOTS = "SELECT name, robots FROM host WHERE robots_until > ? AND name IN (SELECT value FROM json_each(?))"

NOTES = """
SELECT h.name, n.value FROM note n JOIN host h ON h.id = n.host
WHERE n.name = ? AND h.name IN (SELECT value FROM json_each(?))"""

# What is queued, by a discovery that changes its place or admits it.
QUEUE_URL = """
UPDATE url SET state = 0, score = ?, priority = ?, depth = ?, hops = ?, sitemap = ?, marks = ?, again = ?, reason = '',
  due = NULL, fence = NULL, ended_at = NULL WHERE id = ?"""

QUEUE_AGAIN = "UPDATE url SET state = ?, due = ?, fence = NULL, ended_at = NULL WHERE id = ?"

START_OVER = "UPDATE url SET attempt = 0, crashes = 0 WHERE id = ?"

COUNT_DISCOVERY = "UPDATE url SET score = ?, marks = ?, again = ? WHERE id = ?"

READY_HOSTS = """
SELECT h.id, h.name, h.delay, h.visited, h.marks, d.id, d.taken, d.marks
FROM host h INDEXED BY host_ready JOIN domain d ON d.id = h.domain
WHERE queued > 0 AND leased = 0 AND opens <= :now AND held_until <= :now ORDER BY head, h.id LIMIT :limit"""

ANY_READY = """
SELECT EXISTS (SELECT 1 FROM host INDEXED BY host_ready
               WHERE queued > 0 AND leased = 0 AND opens <= :now AND held_until <= :now)
    OR EXISTS (SELECT 1 FROM url INDEXED BY url_due WHERE state IN (1, 2) AND due <= :now)"""

HOST_QUEUE = """
SELECT id, url, depth, hops, sitemap, attempt, crashes, memo FROM url
WHERE host = ? AND state = 0 ORDER BY score, id LIMIT ?"""

LEASE_URL = "UPDATE url SET state = 2, fence = ?, due = ?, node = ?, departed = 0 WHERE id = ?"

MOVE_HOST = """
UPDATE host SET queued = queued + :queued, leased = leased + :leased, visited = visited + :visited,
  opens = max(opens, :opens),
  head = coalesce((SELECT score FROM url WHERE host = :host AND state = 0 ORDER BY score LIMIT 1), 0)
WHERE id = :host"""

QUEUE_HOST = "UPDATE host SET queued = queued + ?, head = CASE queued WHEN 0 THEN ? ELSE min(head, ?) END WHERE id = ?"

TAKE_DOMAIN = "UPDATE domain SET taken = taken + ? WHERE id = (SELECT domain FROM host WHERE id = ?)"

END_URL = "UPDATE url SET state = ?, reason = ?, ended_at = ?, due = ?, memo = ?, fence = NULL WHERE id = ?"

OVERDUE = """
SELECT id, host, state, crashes, departed, node, due, ended_at FROM url INDEXED BY url_due
WHERE state IN (1, 2) AND due <= ?"""

LEASED_ALL = """
SELECT id, host, state, crashes, departed, node, due, ended_at FROM url INDEXED BY url_due
WHERE state IN (1, 2) AND state = 2"""

NODE = 5  # where it stands in a row of these

# Of the first hosts only: with a million of them, counting all would take a second.
OPEN_GATES = """
SELECT count(*) FROM (SELECT opens, held_until FROM host INDEXED BY host_ready WHERE queued > 0 AND leased = 0
                      ORDER BY head, id LIMIT 10000) WHERE opens <= :now AND held_until <= :now"""

HELD_HOSTS = "SELECT count(*) FROM host INDEXED BY host_held WHERE held_until > 0 AND held_until > :now"

FIRST_LEASED = "SELECT min(due) FROM url INDEXED BY url_due WHERE state IN (1, 2) AND state = 2"

NEXT_OPEN = """
SELECT min(max(opens, held_until)) FROM host INDEXED BY host_ready WHERE queued > 0 AND leased = 0"""

NEXT_DUE = "SELECT min(due) FROM url INDEXED BY url_due WHERE state IN (1, 2)"

SPEND_HOST = "UPDATE url SET state = 5, reason = ?, ended_at = ? WHERE host = ? AND state = 0"

_SPENT = "host = ? AND state = 5 AND reason IN ('host_budget', 'domain_budget') AND ended_at IS NOT NULL"

SPENT_OF_HOST = f"SELECT reason, count(*) FROM url WHERE {_SPENT} GROUP BY reason"  # noqa: S608

READMIT_HOST = f"UPDATE url SET state = 0, reason = '', ended_at = NULL WHERE {_SPENT}"  # noqa: S608

AGAIN = """
UPDATE url SET state = 0, attempt = 0, crashes = 0, reason = '', due = NULL, fence = NULL, ended_at = NULL
WHERE state IN (1, 3, 4) OR (state = 5 AND ended_at IS NOT NULL)"""

RECOUNT_HOSTS = """
UPDATE host SET visited = 0, spent = 0,
  queued = (SELECT count(*) FROM url WHERE url.host = host.id AND state = 0),
  head = coalesce((SELECT min(score) FROM url WHERE url.host = host.id AND state = 0), 0)"""

RECOUNT_DOMAINS = """
UPDATE domain SET taken = (SELECT coalesce(sum(leased), 0) FROM host WHERE host.domain = domain.id)"""

# Reasons are counted of ends only; what was released keeps the reason of its last attempt, for `why`.
RECOUNT_TALLY = """
INSERT INTO tally SELECT state, CASE WHEN state IN (4, 5) THEN reason ELSE '' END, count(*) FROM url GROUP BY 1, 2"""

ADD_TALLY = "INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT (state, reason) DO UPDATE SET n = n + excluded.n"

EXCLUDED = """
SELECT url.url, host.name, domain.name, depth, hops, sitemap, reason FROM url JOIN host ON host.id = url.host
JOIN domain ON domain.id = host.domain WHERE state = 5 AND ended_at IS NULL AND reason IN (SELECT value FROM json_each(?))"""

MARK_HOST = "UPDATE host SET marks = marks | ? WHERE id = ? AND marks & ? = 0"

MARK_DOMAIN = """
UPDATE domain SET marks = marks | ? WHERE id = (SELECT domain FROM host WHERE id = ?) AND marks & ? = 0"""

FORGOTTEN = "DELETE FROM url WHERE {} RETURNING host, state, reason, ended_at"

WHY = """
SELECT u.url, u.state, u.reason, h.name AS host, u.depth, u.hops, u.sitemap, u.attempt AS attempts, u.crashes, u.node,
       u.trail, u.marks, u.again, u.found_at AS discovered_at, coalesce(f.url, '') AS discovered_on,
       CASE WHEN u.state IN (1, 2) THEN u.due END AS due, u.ended_at, h.opens AS host_opens, h.delay AS host_delay,
       h.held_until AS host_held_until, h.held_because AS host_held_because, h.visited AS host_visited,
       h.marks AS host_marks, h.robots
FROM url u JOIN host h ON h.id = u.host LEFT JOIN url f ON f.key = u.found_on WHERE u.key = ?"""
