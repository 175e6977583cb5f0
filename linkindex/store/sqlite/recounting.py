"""The counts of bundles, from the links themselves: to begin with, and to see whether they are right."""

from __future__ import annotations

import sqlite3

COUNTED = 5  # the format that is reached by counting

# What bundles count, by their keys. Sorted by page and slot, a page's first link to a domain is met first.
_COUNTED = """
WITH heads AS (
    SELECT to_domain, from_domain, number, count(*) AS heads FROM (SELECT to_domain, from_domain, number,
      row_number() OVER (PARTITION BY to_domain, from_domain, page ORDER BY slot) AS place FROM link)
    WHERE place = 1 GROUP BY to_domain, from_domain, number),
  others AS (
    SELECT v.to_domain, v.from_domain, v.number, count(*) AS live, sum(p.outcome NOT IN ('page', 'redirect')) AS doubtful,
      min(p.first_visited + coalesce(v.first_seen, v.since)) AS first_seen
    FROM link v CROSS JOIN page p ON p.id = v.page GROUP BY v.to_domain, v.from_domain, v.number)
SELECT others.*, coalesce(heads.heads, 0) AS heads FROM others LEFT JOIN heads USING (to_domain, from_domain, number)"""

_OF_ALL = f"""
SELECT b.to_domain, b.from_domain, b.number, coalesce(c.live, 0) AS live, coalesce(c.heads, 0) AS heads,
  coalesce(c.doubtful, 0) AS doubtful, c.first_seen
FROM bundle b LEFT JOIN ({_COUNTED}) c USING (to_domain, from_domain, number)"""  # noqa: S608

_SAME = "{0}.to_domain = {1}.to_domain AND {0}.from_domain = {1}.from_domain AND {0}.number = {1}.number"

_PUT = f"""
UPDATE bundle SET live = c.live, heads = c.heads, doubtful = c.doubtful, first_seen = c.first_seen
FROM ({_OF_ALL}) c WHERE {_SAME.format("bundle", "c")}"""  # noqa: S608

WRONG = f"""
SELECT coalesce(sum((b.live, b.heads, b.doubtful) <> (c.live, c.heads, c.doubtful) OR coalesce(b.first_seen <> c.first_seen, 0)
  OR (b.first_seen IS NOT NULL AND c.first_seen IS NULL)), 0), count(*)
FROM bundle b JOIN ({_OF_ALL}) c ON {_SAME.format("b", "c")}"""  # noqa: S608
"""How many bundles count wrong, and how many there are. One that leaves it to questions which link was seen first is right."""

_RANKED = """
INSERT OR REPLACE INTO total (name, value)
SELECT 'ranked', (SELECT count(*) FROM page WHERE rank IS NOT NULL) + (SELECT count(*) FROM domain WHERE rank IS NOT NULL)"""


def recount(db: sqlite3.Connection) -> None:
    """Let every bundle count what it has, and the whole index what has a rank."""
    db.execute(_PUT)
    db.execute(_RANKED)
