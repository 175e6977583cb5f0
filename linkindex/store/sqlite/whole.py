"""What concerns whole sites, or the whole index: templates of hosts, samples of terms, notes about the index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from linkindex.store.selection import Repeated, Template
from linkindex.store.sqlite.reads import Reads
from linkindex.store.sqlite.writes import Writes

_HOSTS = """
SELECT h.id, h.name, (SELECT count(*) FROM url u JOIN page p ON p.url = u.id
  WHERE u.domain = h.domain AND u.host = h.id AND p.read_at IS NOT NULL)
FROM host h WHERE h.id > ? ORDER BY h.id LIMIT 1000"""

# Whether a link is in the content or nothing is known of its place may hang on the words around it on that page.
_PLACE = "CASE l.placement WHEN 'unknown' THEN 'content' ELSE l.placement END"

_REPEATED = f"""
SELECT t.url, a.text, {_PLACE} AS place, count(DISTINCT l.source) AS pages,
  avg(CAST(l.position AS REAL) / max(1, p.external_links + p.internal_links - 1))
FROM host h CROSS JOIN url u ON u.domain = h.domain AND u.host = h.id CROSS JOIN page p ON p.url = u.id
CROSS JOIN link l ON l.source = p.url JOIN url t ON t.id = l.target JOIN anchor a ON a.id = l.anchor
WHERE h.name = ? AND l.latest = 1 AND l.until IS NULL AND l.internal = 0
GROUP BY l.target, l.anchor, place HAVING pages >= ?"""  # noqa: S608

_TEMPLATES = """
CREATE TEMP TABLE IF NOT EXISTS template (target INTEGER, anchor INTEGER, place TEXT, pages INTEGER, placement TEXT,
  confidence REAL, PRIMARY KEY (target, anchor, place)) WITHOUT ROWID"""

_ADD_TEMPLATE = """
INSERT INTO template SELECT t.id, a.id, ?, ?, ?, ? FROM url t, anchor a WHERE t.url = ? AND a.text = ?"""

# What is to be written for a host: links that are a template's now, and those that are none any more.
_CHANGED = f"""
SELECT coalesce(m.pages, 0), m.placement, m.confidence, l.id
FROM host h CROSS JOIN url u ON u.domain = h.domain AND u.host = h.id CROSS JOIN link l ON l.source = u.id
LEFT JOIN template m ON m.target = l.target AND m.anchor = l.anchor AND m.place = {_PLACE}
  AND l.latest = 1 AND l.until IS NULL AND l.internal = 0
WHERE h.name = ? AND (l.template_pages > 0 OR m.pages IS NOT NULL)
  AND (l.template_pages, l.site_placement, l.site_confidence) IS NOT (coalesce(m.pages, 0), m.placement, m.confidence)
"""  # noqa: S608

_PUT_TEMPLATE = "UPDATE link SET template_pages = ?, site_placement = ?, site_confidence = ? WHERE id = ?"


class Whole(Writes, Reads):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that looks at more than single pages and targets."""

    def hosts(self) -> Iterator[tuple[str, int]]:
        last = 0
        while batch := list(self._rows(_HOSTS, (last,))):  # read to its end: a writer may go on in between
            last = batch[-1][0]
            yield from ((name, pages) for _, name, pages in batch if pages)

    def repeated(self, host: str, least: int) -> Iterator[Repeated]:
        for target, anchor, placement, pages, place in list(self._rows(_REPEATED, (host, least))):
            yield Repeated(target=target, anchor=anchor, placement=placement, pages=pages, place=place)

    def put_templates(self, host: str, templates: Iterable[Template]) -> None:
        with self._transaction():
            self._db.execute(_TEMPLATES)
            self._db.executemany(
                _ADD_TEMPLATE,
                [(t.placement_found, t.pages, t.placement, t.confidence, t.target, t.anchor) for t in templates],
            )
            self._db.executemany(_PUT_TEMPLATE, self._db.execute(_CHANGED, (host,)).fetchall())
            self._db.execute("DELETE FROM template")

    def put_about(self, name: str, value: bytes) -> None:
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO about (name, value) VALUES (?, ?)", (name, value))
