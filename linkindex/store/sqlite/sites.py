"""What concerns whole sites: templates of hosts, samples of terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from linkindex.store.selection import Repeated, Template
from linkindex.store.sqlite.bundles import Bundles, Key
from linkindex.store.sqlite.dictionaries import Dictionaries
from linkindex.store.sqlite.packing import NO_WORDS, unpack_bundles
from linkindex.store.sqlite.revising import of_slots
from linkindex.store.sqlite.schema import URL_BITS, URL_TEXT
from linkindex.store.sqlite.selecting import url_range

_DOMAINS = 1000  # whose hosts are counted together
_HOSTS = """
SELECT h.name, count(*) FROM page p CROSS JOIN url u ON u.id = p.url CROSS JOIN host h ON h.id = u.origin >> 1
WHERE p.url BETWEEN ? AND ? AND p.read_at IS NOT NULL GROUP BY h.id"""

_PAGES = """
SELECT p.id, max(1, p.external_links + p.internal_links - 1), o.bundles, w.words FROM url u JOIN page p ON p.url = u.id
JOIN outgoing o ON o.page = p.id JOIN around w ON w.page = p.id
WHERE u.id BETWEEN ? AND ? AND u.origin >> 1 = ? AND o.bundles <> x''"""

_LIVE = """
SELECT v.slot, v.to_domain, v.number FROM json_each(?) slots CROSS JOIN link v ON v.to_domain = slots.value >> 32
AND v.from_domain = ? AND v.number = slots.value & 0xFFFFFFFF AND v.page = ? AND v.slot = slots.key"""

# Whether a link is in the content or nothing is known of its place may hang on the words around it on that page.
_BUNDLE = f"""
SELECT {URL_TEXT.format("t", "th")}, a.text, CASE k.placement WHEN 'unknown' THEN 'content' ELSE k.placement END, b.live,
  b.template_pages, b.site_placement, b.site_confidence
FROM bundle b JOIN url t ON t.id = b.to_domain << {URL_BITS} | b.target JOIN host th ON th.id = t.origin >> 1
JOIN anchor a ON a.id = b.anchor JOIN look k ON k.id = b.look
WHERE b.to_domain = ? AND b.from_domain = ? AND b.number = ?"""  # noqa: S608

_PUT_TEMPLATE = """
UPDATE bundle SET template_pages = ?, site_placement = ?, site_confidence = ?
WHERE to_domain = ? AND from_domain = ? AND number = ?"""

_NEXT_TERMS = f"""
SELECT f.page, d.name, f.terms FROM fact f JOIN page p ON p.id = f.page JOIN domain d ON d.id = p.url >> {URL_BITS}
WHERE f.page >= ? AND f.terms <> x'' ORDER BY f.page LIMIT 1"""  # noqa: S608

_TERMS_OF = """
SELECT f.terms FROM page p JOIN fact f ON f.page = p.id WHERE p.url BETWEEN ? AND ? AND f.terms <> x'' LIMIT ?"""


class Pattern(msgspec.Struct):
    """Links that are alike, as they are met page by page."""

    pages: int = 0
    last: int = -1
    links: int = 0
    place: float = 0.0


class Sites(Bundles, Dictionaries):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that looks at more than single pages and targets."""

    def hosts(self) -> Iterator[tuple[str, int]]:
        (last,) = next(self._rows("SELECT coalesce(max(url), 0) FROM page"))
        for low in range(0, last + 1, _DOMAINS << URL_BITS):
            high = low + (_DOMAINS << URL_BITS) - 1
            yield from self._all(_HOSTS, (low, high))  # read to its end: a writer may go on in between

    def repeated(self, host: str, least: int) -> Iterator[Repeated]:
        patterns: dict[tuple[str, str, str], Pattern] = {}
        names: dict[Key, tuple[str, str, str]] = {}
        for page, last, bundles, words in self._pages_of_host(host):
            around = self._unpack(words).links
            for slot, key in self._live_links(host, page, bundles):
                name = names.get(key)
                if name is None:
                    name = names[key] = self._all(_BUNDLE, key)[0][:3]
                if key.to_domain == key.from_domain:
                    continue
                pattern = patterns.setdefault(name, Pattern())
                pattern.pages += pattern.last != page
                pattern.last = page
                pattern.links += 1
                pattern.place += around.get(slot, NO_WORDS)[0] / last
        for (target, anchor, placement), found in patterns.items():
            if found.pages >= least:
                place = found.place / found.links
                yield Repeated(target=target, anchor=anchor, placement=placement, pages=found.pages, place=place)

    def put_templates(self, host: str, templates: Iterable[Template]) -> None:
        wanted = {(one.target, one.anchor, one.placement_found): one for one in templates}
        at = self._find_host(host)
        if at is None:
            return
        with self._transaction():
            met: set[Key] = set()
            for _, _, bundles, _ in self._pages_of_host(host):
                numbers = unpack_bundles(bundles)
                met.update(Key(to, at.domain, number) for to, number in zip(numbers[::2], numbers[1::2], strict=True))
            rows = []
            for key in met:
                target, anchor, placement, live, *before = self._db.execute(_BUNDLE, key).fetchone()
                word = wanted.get((target, anchor, placement)) if live and key.to_domain != key.from_domain else None
                now = [None, None, None] if word is None else [word.pages, word.placement, word.confidence]
                if now != before:
                    rows.append((*now, *key))
            self._db.executemany(_PUT_TEMPLATE, rows)

    def _pages_of_host(self, host: str) -> Iterator[tuple[int, int, bytes, bytes]]:
        at = self._find_host(host)
        if at is not None:
            yield from self._rows(_PAGES, (*url_range(at.domain), at.id))

    def _live_links(self, host: str, page: int, bundles: bytes) -> Iterator[tuple[int, Key]]:
        at = self._find_host(host)
        assert at is not None
        for slot, to, number in self._all(_LIVE, (of_slots(unpack_bundles(bundles)), at.domain, page)):
            yield slot, Key(to, at.domain, number)

    def terms_sample(self, size: int) -> Iterator[tuple[str, bytes]]:
        (last,) = next(self._rows("SELECT coalesce(max(page), 0) FROM fact"))
        step, position = max(1, last // max(1, size)), 0
        while found := next(self._rows(_NEXT_TERMS, (position,)), None):
            yield found[1], found[2]
            position = found[0] + step

    def terms_of(self, domain: str, size: int) -> Iterator[bytes]:
        for (number,) in self._all("SELECT id FROM domain WHERE name = ?", (domain,)):
            yield from (terms for (terms,) in self._rows(_TERMS_OF, (*url_range(number), size)))
