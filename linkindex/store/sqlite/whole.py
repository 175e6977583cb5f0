"""What concerns whole sites, or the whole index: templates of hosts, samples of terms, notes about the index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from linkindex import urls
from linkindex.store.selection import Named, Repeated, Template, Visited
from linkindex.store.sqlite.reads import Reads
from linkindex.store.sqlite.writes import Writes, unpack
from linkindex.target import Target

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

_VISITED = """
SELECT t.url, h.name, d.name, p.depth, p.outcome FROM url t JOIN page p ON p.url = t.id JOIN host h ON h.id = t.host
JOIN domain d ON d.id = t.domain WHERE {}"""

_NAMED = """
SELECT t.url, h.name, d.name, s.depth, l.kind = 'redirect', l.kind = 'sitemap' AND l.rel = 'sitemap'
FROM url t JOIN link l ON l.target = t.id JOIN page s ON s.url = l.source JOIN host h ON h.id = t.host
JOIN domain d ON d.id = t.domain
WHERE l.latest = 1 AND l.until IS NULL AND l.kind NOT IN ('form', 'media')
  AND '; ' || s.robots || ';' NOT LIKE '%; nofollow;%' AND '; ' || s.robots || ';' NOT LIKE '%; none;%' AND {}"""

_NAMED_INSIDE = """
SELECT s.url, d.name, p.depth, p.outcome = 'redirect', p.internal FROM page p JOIN url s ON s.id = p.url
JOIN domain d ON d.id = s.domain
WHERE p.internal IS NOT NULL
  AND '; ' || p.robots || ';' NOT LIKE '%; nofollow;%' AND '; ' || p.robots || ';' NOT LIKE '%; none;%' AND {}"""

# A domain and a host in it: url_of_domain finds them.
_OF_HOST = "{0}.domain = (SELECT domain FROM host WHERE name = ?) AND {0}.host = (SELECT id FROM host WHERE name = ?)"
_OF_ITS_DOMAIN = "s.domain = (SELECT domain FROM host WHERE name = ?)"


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

    def visited(self, target: Target | None = None) -> Iterator[Visited]:
        condition, parameters = self._covers(target) if target else ("1", ())
        for url, name, domain, depth, outcome in self._rows(_VISITED.format(condition), tuple(parameters)):
            yield Visited(url=url, host=name, domain=domain, depth=depth, outcome=outcome)

    def named(self, host: str = "") -> Iterator[Named]:
        where, names = (_OF_HOST.format("t"), (host, host)) if host else ("1", ())
        for url, name, domain, depth, redirected, sitemap in self._rows(_NAMED.format(where), names):
            yield Named(
                url=url,
                host=name,
                domain=domain,
                depth=depth + (not redirected),
                redirected=bool(redirected),
                sitemap=bool(sitemap),
            )
        where, name_of = (_OF_ITS_DOMAIN, (host,)) if host else ("1", ())
        for page, domain, depth, redirected, packed in self._rows(_NAMED_INSIDE.format(where), name_of):
            for url in unpack(packed, page):
                name = urls.host_of(url)
                if not host or name == host:
                    yield Named(
                        url=url, host=name, domain=domain, depth=depth + (not redirected), redirected=bool(redirected)
                    )

    def put_about(self, name: str, value: bytes) -> None:
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO about (name, value) VALUES (?, ?)", (name, value))
