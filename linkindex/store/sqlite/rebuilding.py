"""From the tables of format 3, renamed to ``old_…``, to those of format 4, page by page."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from linkindex import urls
from linkindex.history import Patience
from linkindex.model import Link
from linkindex.store.sqlite.bundles import Bundles, Key, what_of
from linkindex.store.sqlite.dictionaries import Dictionaries
from linkindex.store.sqlite.ids import Host
from linkindex.store.sqlite.packing import Around, pack_bundles
from linkindex.store.sqlite.schema import FACTS, URL_BITS

_NAMES = """
INSERT INTO domain (id, name) SELECT id, name FROM old_domain;
INSERT INTO host (id, name, domain) SELECT id, name, domain FROM old_host;
INSERT INTO about (name, value) SELECT name, value FROM old_about"""

_PAGES = """
SELECT u.url, h.name, d.name, p.* FROM old_page p JOIN old_url u ON u.id = p.url JOIN old_host h ON h.id = u.host
JOIN old_domain d ON d.id = u.domain ORDER BY p.url"""

_LINKS = """
SELECT l.*, u.url AS target_url, h.name AS target_host, d.name AS target_domain, a.text
FROM old_link l JOIN old_url u ON u.id = l.target JOIN old_host h ON h.id = u.host JOIN old_domain d ON d.id = u.domain
JOIN old_anchor a ON a.id = l.anchor WHERE l.source = ? ORDER BY l.id"""

_KEPT = (
    *("outcome", "reason", "status", "depth", "first_visited", "last_visited", "read_at", "changed_at", "failures"),
    *("failing_since", "content_digest", "external_links", "internal_links", "size", "elapsed", "content_type"),
    *("redirect", "certificate_error"),
)
_PUT_PAGE = f"""
INSERT INTO page (id, url, read_as, given_up, links_digest, facts_digest, {", ".join(_KEPT)})
VALUES (?, ?, ?, ?, 0, 0, {", ".join("?" * len(_KEPT))})"""  # noqa: S608
_PUT_FACTS = f"INSERT INTO fact (page, {', '.join(FACTS)}) VALUES ({', '.join('?' * (1 + len(FACTS)))})"  # noqa: S608
_PUT_LEAD = 'INSERT INTO lead (url, since, kind, status, "to") VALUES (?, ?, ?, ?, ?)'
_PUT_TEMPLATE = """
UPDATE bundle SET template_pages = ?, site_placement = ?, site_confidence = ?
WHERE to_domain = ? AND from_domain = ? AND number = ?"""

_AT_ONCE = 5000  # pages whose bundles are counted together


class _Rebuilt(Bundles, Dictionaries):
    """An index that is being filled from older tables."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(Path(), db, internal_links=False, patience=Patience(), time_limit=0)
        self._templates: dict[Key, tuple[Any, ...]] = {}

    def page(self, number: int, row: dict[str, Any]) -> None:
        url = self._put_page(number, row)
        domain, host = url >> URL_BITS, self._host_ids[row["host"]].id
        bundles: list[int] = []
        around = Around(row["description"])
        for slot, link in enumerate(_records(self._db, _LINKS, row["url_id"])):
            key = self._bundle(domain, host, link)
            bundles += (key.to_domain, key.number)
            if link["latest"]:
                words = (link["text_before"], link["text_after"], link["heading"])
                around.links[slot] = (link["position"], link["placement_confidence"], *words)
            self._version(key, number, slot, row["first_visited"], row["read_at"], link)
        self._db.execute(
            "INSERT INTO outgoing (page, bundles, internal) VALUES (?, ?, ?)",
            (number, pack_bundles(bundles) if bundles else b"", row["internal"]),
        )
        self._db.execute("INSERT INTO around (page, words) VALUES (?, ?)", (number, self._pack(around)))

    def _put_page(self, number: int, row: dict[str, Any]) -> int:
        """Put the page itself; return its URL's number."""
        self._number_urls({row["url"]: (row["host"], row["domain"])})
        url = self._url_ids[row["url"]]
        read_as = None if row["read_at"] is None else "redirect" if row["redirect"] else "page"
        given_up = row["outcome"] == "gone" and not row["links_digest"]
        self._db.execute(_PUT_PAGE, (number, url, read_as, given_up, *(row[name] for name in _KEPT)))
        if read_as:
            self._db.execute(_PUT_FACTS, (number, *(row[name] for name in FACTS)))
            to, kind = (row["redirect"], "redirect") if row["redirect"] else (row["canonical"], "canonical")
            if to not in ("", row["url"]):
                host = urls.host_of(to)
                self._number_urls({to: (host, urls.domain_of(host))})
                self._db.execute(_PUT_LEAD, (url, row["changed_at"], kind, row["status"], self._url_ids[to]))
        return url

    def _bundle(self, domain: int, host: int, link: dict[str, Any]) -> Key:
        made = Link(
            target=link["target_url"],
            kind=link["kind"],
            anchor=link["text"],
            rel=tuple(link["rel"].split()),
            follow=bool(link["follow"]),
            placement=link["placement"],
            target_host=link["target_host"],
            target_domain=link["target_domain"],
        )
        self._number_bundles({Host(host, domain): [made]})
        to, number = self._bundles_of[host][what_of(made)]
        return Key(to, domain, number)

    def _version(
        self, key: Key, page: int, slot: int, first_visited: int, read_at: int | None, link: dict[str, Any]
    ) -> None:
        first_seen = None if link["first_seen"] == link["since"] else link["first_seen"] - first_visited
        row = (*key, page, slot, link["ordinal"], link["since"] - first_visited, first_seen)
        live = link["until"] is None
        counts = self._counts(key)  # the others are counted when all is there
        counts.live += live
        counts.lost += not live and link["latest"]
        self._total("versions", 1)
        if live:
            self._db.execute(f"INSERT INTO link VALUES ({', '.join('?' * 8)})", row)  # noqa: S608
        else:
            ended = (
                link["confirmed"] or read_at or link["since"],
                link["until"],
                link["ended_because"],
                link["latest"],
            )
            self._db.execute(f"INSERT INTO past VALUES ({', '.join('?' * 12)})", (*row, *ended))  # noqa: S608
        if link["template_pages"]:
            word = (link["template_pages"], link["site_placement"], link["site_confidence"])
            self._templates[key] = word

    def write(self) -> None:
        """Write what was counted; what is remembered is let go."""
        self._write_bundles()
        self._db.executemany(_PUT_TEMPLATE, [(*word, *key) for key, word in self._templates.items()])
        self._templates = {}
        self._make_room()


def rebuild(db: sqlite3.Connection) -> None:
    """Fill the tables, which are empty; inside the caller's transaction."""
    for statement in _NAMES.split(";"):
        db.execute(statement)
    index = _Rebuilt(db)
    for number, row in enumerate(_records(db, _PAGES), 1):
        index.page(number, row)
        if number % _AT_ONCE == 0:
            index.write()
    index.write()


def _records(db: sqlite3.Connection, query: str, *parameters: object) -> Any:
    cursor = db.execute(query, parameters)
    names = [column[0] for column in cursor.description]
    if names[:3] == ["url", "name", "name"]:
        names[:4] = ["url", "host", "domain", "url_id"]
    for row in cursor:
        yield dict(zip(names, row, strict=True))
