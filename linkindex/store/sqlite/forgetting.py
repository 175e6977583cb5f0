"""Taking pages out of the index, with all that only they needed."""

from __future__ import annotations

from collections.abc import Iterable

from linkindex.store.selection import Forgotten
from linkindex.store.sqlite.bundles import Bundles, Key
from linkindex.store.sqlite.ids import ANCHOR_MASK, URL_MASK
from linkindex.store.sqlite.packing import json_numbers, unpack_bundles
from linkindex.store.sqlite.pages import Pages
from linkindex.store.sqlite.schema import URL_BITS
from linkindex.target import Target

_TAKE_OUT = """
DELETE FROM {table} WHERE to_domain = ? AND from_domain = ? AND number = ? AND page = ? AND slot = ? RETURNING {column}"""

_FIRST_SEEN = "coalesce(first_seen, since)"
_OUTCOME = "SELECT first_visited, outcome NOT IN ('page', 'redirect') FROM page WHERE id = ?"

_EMPTY = """
DELETE FROM bundle WHERE to_domain = ? AND from_domain = ? AND number = ?
AND live = 0 AND NOT EXISTS (SELECT 1 FROM past v WHERE v.to_domain = bundle.to_domain
  AND v.from_domain = bundle.from_domain AND v.number = bundle.number)
RETURNING target, anchor"""

_NEEDED = f"""
SELECT DISTINCT to_domain << {URL_BITS} | target FROM bundle WHERE to_domain = ?1
UNION SELECT url FROM page WHERE url BETWEEN ?2 AND ?3
UNION SELECT url FROM lead WHERE url BETWEEN ?2 AND ?3
UNION SELECT "to" FROM lead WHERE "to" BETWEEN ?2 AND ?3"""  # noqa: S608

_UNUSED_ANCHORS = """
SELECT value FROM json_each(?) WHERE value NOT IN (SELECT anchor FROM bundle)"""


class Forgetting(Bundles, Pages):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that forgets."""

    def forget(self, target: Target | None = None, run: str = "") -> Forgotten:
        condition, named = self._of_pages(target, run)
        query = f"SELECT p.id, p.url FROM page p WHERE {condition}"  # noqa: S608
        pages = links = 0
        with self._transaction():
            urls: set[int] = set()
            bundles: set[Key] = set()
            for page, url in self._db.execute(query, named).fetchall():
                pages += 1
                links += self._forget_page(page, url, bundles)
                urls.add(url)
                urls.update(to for (to,) in self._db.execute('SELECT "to" FROM lead WHERE url = ?', (url,)))
                self._db.execute("DELETE FROM lead WHERE url = ?", (url,))
            self._write_bundles()
            if pages:
                self._forget_unused(urls, bundles)
                self._total("forgotten", 1)
                self._write_bundles()
        if pages:
            self._forget_ids()
        return Forgotten(pages=pages, links=links)

    def _forget_page(self, page: int, url: int, bundles: set[Key]) -> int:
        """Take out a page; return how many links it had. Their bundles go into ``bundles``."""
        domain, links = url >> URL_BITS, 0
        row = self._db.execute("DELETE FROM outgoing WHERE page = ? RETURNING bundles", (page,)).fetchone()
        numbers = unpack_bundles(row[0]) if row and row[0] else []
        first_visited, doubtful = self._db.execute(_OUTCOME, (page,)).fetchone()
        live: list[Key] = []
        for slot, (to, number) in enumerate(zip(numbers[::2], numbers[1::2], strict=True)):
            key = Key(to, domain, number)
            bundles.add(key)
            self._total("versions", -1)
            taken = self._db.execute(_TAKE_OUT.format(table="link", column=_FIRST_SEEN), (*key, page, slot)).fetchone()
            if taken:
                self._goes(key, first_visited + taken[0], lost=False, doubtful=bool(doubtful))
                live.append(key)
                links += 1
            elif self._db.execute(_TAKE_OUT.format(table="past", column="latest"), (*key, page, slot)).fetchone()[0]:
                self._counts(key).lost -= 1
                links += 1
        self._heads(reversed(live), ())
        for table, column in (("around", "page"), ("fact", "page"), ("page", "id")):
            self._db.execute(f"DELETE FROM {table} WHERE {column} = ?", (page,))  # noqa: S608
        return links

    def _forget_unused(self, urls: set[int], bundles: Iterable[Key]) -> None:
        """Take out bundles without links, and what nothing refers to any more of the URLs and anchors."""
        anchors = set()
        for key in bundles:
            for target, anchor in self._db.execute(_EMPTY, key).fetchall():
                urls.add(key.to_domain << URL_BITS | target)
                anchors.add(anchor)
        for domain in {url >> URL_BITS for url in urls}:
            low, high = domain << URL_BITS, domain << URL_BITS | URL_MASK
            needed = {row[0] for row in self._db.execute(_NEEDED, (domain, low, high))}
            self._remove("url", (url for url in urls if low <= url <= high and url not in needed), URL_MASK)
        unused = self._db.execute(_UNUSED_ANCHORS, (json_numbers(sorted(anchors)),)).fetchall()
        self._remove("anchor", (row[0] for row in unused), ANCHOR_MASK)
        self._db.execute("DELETE FROM run WHERE id NOT IN (SELECT run FROM page WHERE run IS NOT NULL)")
