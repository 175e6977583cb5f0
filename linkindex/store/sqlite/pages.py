"""Pages: what they say of themselves, what they link to, which were visited, what they name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from linkindex import urls
from linkindex.answers.rows import Outlink, PageRow, moment, moment_or_none
from linkindex.store import paths
from linkindex.store.found import inside, page_row
from linkindex.store.selection import Named, Visited
from linkindex.store.sqlite.dictionaries import Dictionaries
from linkindex.store.sqlite.packing import NO_WORDS, Words, json_numbers, unpack_bundles
from linkindex.store.sqlite.question import OF_BUNDLE, PLACEMENT, SOURCE, TARGET
from linkindex.store.sqlite.revising import JOINED, OF_PAGE, of_slots
from linkindex.store.sqlite.schema import URL_BITS
from linkindex.store.sqlite.selecting import Selecting, url_range
from linkindex.target import Target

_OUTLINKS = f"""
SELECT v.slot, v.ordinal, {TARGET} AS target, td.name AS target_domain, b.from_domain = b.to_domain AS internal, k.kind,
  a.text AS anchor, k.rel,
  k.follow, {PLACEMENT} AS placement, p.first_visited + coalesce(v.first_seen, v.since) AS first_seen, {{seen}} AS last_seen,
  {{until}} AS lost_at, {{because}} AS lost_reason, tp.status AS target_status
{OF_PAGE} {JOINED} JOIN page p ON p.id = v.page JOIN domain td ON td.id = b.to_domain LEFT JOIN page tp ON tp.url = t.id
WHERE {{latest}}"""
_LIVE = {
    "table": "link",
    "latest": "1",
    "seen": "max(p.read_at, p.first_visited + v.since)",
    "until": "NULL",
    "because": "NULL",
}
_LOST = {"table": "past", "latest": "v.latest", "seen": "v.confirmed", "until": "v.until", "because": "v.because"}

_OUTGOING = f"""
SELECT p.id, o.bundles, o.internal, d.name, w.words FROM page p JOIN outgoing o ON o.page = p.id
JOIN domain d ON d.id = p.url >> {URL_BITS} LEFT JOIN around w ON w.page = p.id WHERE p.url = ?"""  # noqa: S608

_PAGES = f"""
SELECT {SOURCE} AS url, p.outcome, p.status, coalesce(f.title, '') AS title, o.words AS around,
  coalesce(f.language, '') AS language, coalesce(f.author, '') AS author, f.published, f.modified,
  coalesce(f.type, '') AS type, coalesce(f.platform, '') AS platform, coalesce(f.words, 0) AS words,
  coalesce(f.canonical, '') AS canonical, p.redirect, coalesce(f.robots, '') AS robots, coalesce(f.charset, '') AS charset,
  p.content_type, p.external_links, p.internal_links, coalesce(f.text_digest, 0) AS text_digest,
  coalesce(f.near_digest, 0) AS near_digest, p.first_visited, p.last_visited, p.changed_at
FROM page p JOIN url s ON s.id = p.url JOIN host sh ON sh.id = s.origin >> 1 LEFT JOIN fact f ON f.page = p.id
LEFT JOIN around o ON o.page = p.id WHERE {{pages}} ORDER BY p.external_links DESC, {SOURCE} LIMIT :limit"""  # noqa: S608

_VISITED = f"""
SELECT {SOURCE}, sh.name, d.name, p.depth, p.outcome FROM page p JOIN url s ON s.id = p.url
JOIN host sh ON sh.id = s.origin >> 1 JOIN domain d ON d.id = sh.domain WHERE {{pages}}"""  # noqa: S608

_FOLLOWED = "'; ' || f.robots || ';' NOT LIKE '%; nofollow;%' AND '; ' || f.robots || ';' NOT LIKE '%; none;%'"

# A page that does not count names others all the same.
_NAMED = f"""
SELECT {TARGET}, th.name, td.name, k.kind = 'redirect', k.kind = 'sitemap' AND k.rel = 'sitemap', min(
    coalesce((SELECT min(p.depth) FROM link v JOIN page p ON p.id = v.page JOIN fact f ON f.page = p.id
      WHERE {OF_BUNDLE} AND {_FOLLOWED}), 1 << 40),
    coalesce((SELECT min(p.depth) FROM past v JOIN page p ON p.id = v.page JOIN fact f ON f.page = p.id
      WHERE {OF_BUNDLE} AND v.latest AND v.because IN ('not_indexable', 'not_canonical') AND {_FOLLOWED}), 1 << 40)) AS depth
FROM bundle b JOIN look k ON k.id = b.look JOIN url t ON t.id = b.to_domain << {URL_BITS} | b.target
JOIN host th ON th.id = t.origin >> 1 JOIN domain td ON td.id = b.to_domain
WHERE k.kind NOT IN ('form', 'media') AND depth < 1 << 40 AND {{targets}}"""  # noqa: S608

_NAMED_INSIDE = f"""
SELECT {SOURCE}, d.name, p.depth, p.outcome = 'redirect', o.internal FROM page p JOIN outgoing o ON o.page = p.id
JOIN fact f ON f.page = p.id JOIN url s ON s.id = p.url JOIN host sh ON sh.id = s.origin >> 1 JOIN domain d ON d.id = sh.domain
WHERE o.internal IS NOT NULL AND {_FOLLOWED} AND {{pages}}"""  # noqa: S608


class Pages(Selecting, Dictionaries):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that tells of pages."""

    def outlinks(self, page: str, limit: int | None = None) -> Iterator[Outlink]:
        yield from islice(self._outlinks(page), limit)

    def _outlinks(self, page: str) -> Iterator[Outlink]:
        url = self._find_url(page)
        for number, bundles, internal, domain, words in self._all(_OUTGOING, (url,)):
            slots = of_slots(unpack_bundles(bundles) if bundles else [])
            around = self._unpack(words or b"").links
            for state in (_LIVE, _LOST):
                rows = self._records(_OUTLINKS.format(**state), (slots, (url or 0) >> URL_BITS, number))
                yield from (_outlink(row) for row in sorted(rows, key=lambda row: _place(row, around)))
            for target in paths.unpack(internal, page):
                yield inside(target, domain)

    def outcome(self, page: str) -> str | None:
        for (outcome,) in self._rows("SELECT outcome FROM page WHERE url = ?", (self._find_url(page),)):
            return str(outcome)
        return None

    def pages(self, target: Target, limit: int | None = None) -> Iterator[PageRow]:
        condition, named = self._of_pages(target)
        now = int(time.time() * 1000)
        for row in self._records(_PAGES.format(pages=condition), named | {"limit": -1 if limit is None else limit}):
            row["robots"] = [directive for directive in row["robots"].split("; ") if directive]
            row["description"] = self._unpack(row.pop("around") or b"").description
            yield page_row(row, now)

    def pages_of(self, target: Target) -> int:
        condition, named = self._of_pages(target)
        return int(next(self._rows(f"SELECT count(*) FROM page p WHERE {condition}", named))[0])  # noqa: S608

    def visited(self, target: Target | None = None, run: str = "") -> Iterator[Visited]:
        condition, named = self._of_pages(target, run) if target or run else ("1", {})
        for url, host, domain, depth, outcome in self._rows(_VISITED.format(pages=condition), named):
            yield Visited(url=url, host=host, domain=domain, depth=depth, outcome=outcome)

    def named(self, host: str = "") -> Iterator[Named]:
        targets, pages, named = "1", "1", {}
        if host:
            at = self._find_host(host)  # which a page of the domain may name, and nobody else
            of = at.domain if at else self._find_domain(urls.domain_of(host))
            if of is None:
                return
            targets, pages = "b.to_domain = :domain AND t.origin >> 1 = :host", "p.url BETWEEN :low AND :high"
            low, high = url_range(of)
            named = {"domain": of, "host": at and at.id, "low": low, "high": high}
        for url, name, domain, redirected, sitemap, depth in self._rows(_NAMED.format(targets=targets), named):
            yield Named(
                url=url,
                host=name,
                domain=domain,
                depth=depth + (not redirected),
                redirected=bool(redirected),
                sitemap=bool(sitemap),
            )
        for page, domain, depth, redirected, packed in self._rows(_NAMED_INSIDE.format(pages=pages), named):
            for url in paths.unpack(packed, page):
                name = urls.host_of(url)
                if not host or name == host:
                    yield Named(
                        url=url, host=name, domain=domain, depth=depth + (not redirected), redirected=bool(redirected)
                    )

    def _of_pages(self, target: Target | None, run: str = "") -> tuple[str, dict[str, Any]]:
        """Return the condition on ``p`` (a row of page) that holds for what a target covers or a run visited first."""
        conditions, named = list[str](), dict[str, Any]()
        covered = self._covered(target) if target else None
        if covered and covered.domains:
            named["low"], named["high"] = url_range(covered.domains[0])
            conditions.append("p.url BETWEEN :low AND :high")
        elif covered:
            named["urls"] = json_numbers(sorted(covered.urls))
            conditions.append("p.url IN (SELECT value FROM json_each(:urls))")
        if run:
            named["run"] = next(self._rows("SELECT id FROM run WHERE name = ?", (run,)), (None,))[0]
            conditions.append("p.run = :run")
        # Nothing beside them: "0 OR …" would have SQLite look at every page.
        return f"({' OR '.join(conditions) or '0'})", named


def _place(row: dict[str, Any], around: dict[int, Words]) -> tuple[bool, int, str, int]:
    """Return where a link stands among those of its page."""
    return bool(row["internal"]), around.get(row.pop("slot"), NO_WORDS)[0], row["target"], row.pop("ordinal")


def _outlink(row: dict[str, Any]) -> Outlink:
    shown = {
        "internal": bool(row["internal"]),
        "rel": row["rel"].split(),
        "follow": bool(row["follow"]),
        "first_seen": moment(row["first_seen"]),
        "last_seen": moment(row["last_seen"]),
        "lost_at": moment_or_none(row["lost_at"]),
        "target_status": row["target_status"] or None,
    }
    return Outlink(**row | shown)
