"""From names to numbers: domains, hosts, URLs, anchors, looks. What was numbered once keeps its number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import count
from typing import Any, NamedTuple

from linkindex import urls
from linkindex.model import Link
from linkindex.store.sqlite.database import Database
from linkindex.store.sqlite.packing import json_numbers, json_texts
from linkindex.store.sqlite.schema import URL_BITS

REMEMBERED = 50_000  # numbers of URLs and of anchors kept in memory; then all are forgotten
REMEMBERED_CHARS = 8 << 20  # of the names of all together: strangers choose how long they are
URL_MASK = (1 << URL_BITS) - 1
ANCHOR_MASK = (1 << 31) - 1

_FORGOTTEN = "SELECT value FROM total WHERE name = 'forgotten'"


Row = tuple[int, *tuple[int | str, ...]]
"""A row of url or anchor: its number, then what it stands for."""


class Host(NamedTuple):
    """A host's number, and that of its domain."""

    id: int
    domain: int


class Ids(Database):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that numbers what links are made of."""

    _forgotten = 0
    _chars = 0  # of the names that are remembered, about
    _domain_ids: dict[str, int]
    _host_ids: dict[str, Host]
    _url_ids: dict[str, int]
    _anchor_ids: dict[str, int]
    _look_ids: dict[tuple[str, tuple[str, ...], bool, str], int]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._forget_ids()

    def _begun(self) -> None:
        super()._begun()
        # Numbers are given once, so that those in memory stay true whoever writes beside us, but for what was forgotten.
        forgotten = self._db.execute(_FORGOTTEN).fetchone()
        if forgotten is not None and forgotten[0] != self._forgotten:
            self._forget_ids()
            self._forgotten = forgotten[0]

    def _rolled_back(self) -> None:
        self._forget_ids()

    def _forget_ids(self) -> None:
        self._chars = 0
        self._domain_ids, self._host_ids, self._url_ids, self._anchor_ids = {}, {}, {}, {}
        self._look_ids = {}

    def _make_room(self) -> None:
        """Keep what is remembered within bounds; to be called where no number is in use.

        All goes together: of a URL that is remembered, its host and its domain are.
        """
        most = max(len(self._url_ids), len(self._anchor_ids), len(self._look_ids))
        if self._chars > REMEMBERED_CHARS or most > REMEMBERED:
            self._forget_ids()

    # ---------------------------------------------------------------- giving numbers

    def _number_hosts(self, wanted: Mapping[str, str]) -> None:
        """Make sure that hosts (each with its domain) have numbers, which are in ``_host_ids`` then."""
        known = self._host_ids
        new = {host: domain for host, domain in wanted.items() if host not in known}
        if not new:
            return
        self._chars += sum(map(len, new))
        hosts = "SELECT name, id, domain FROM host WHERE name IN (SELECT value FROM json_each(?))"
        for name, number, domain_id in self._db.execute(hosts, (json_texts(new),)):
            known[name] = Host(number, domain_id)
            del new[name]
        names = {domain for domain in new.values() if domain not in self._domain_ids}
        domains = "SELECT name, id FROM domain WHERE name IN (SELECT value FROM json_each(?))"
        self._domain_ids.update(self._db.execute(domains, (json_texts(names),)))
        names -= self._domain_ids.keys()
        self._add("domain", [(name,) for name in sorted(names)], self._domain_ids)
        rows: list[tuple[str | int, ...]] = [(name, self._domain_ids[domain]) for name, domain in new.items()]
        numbers: dict[str, int] = {}
        self._add("host", rows, numbers)
        known.update({name: Host(numbers[name], self._domain_ids[domain]) for name, domain in new.items()})

    def _add(self, table: str, rows: Sequence[tuple[str | int, ...]], numbers: dict[str, int]) -> None:
        """Add rows of domain or host, each with the next number; ``numbers`` takes them by name."""
        if not rows:
            return
        (last,) = self._db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()  # noqa: S608
        marks = ", ".join("?" * (1 + len(rows[0])))
        numbered = [(number, *row) for number, row in enumerate(rows, last + 1)]
        columns = "id, name, domain" if table == "host" else "id, name"
        self._db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", numbered)  # noqa: S608
        numbers.update(zip((str(row[0]) for row in rows), count(last + 1), strict=False))

    def _look_id(self, link: Link) -> int:
        key = (link.kind, link.rel, link.follow, link.placement)
        found = self._look_ids.get(key)
        if found is None:
            values = (link.kind, " ".join(link.rel), link.follow, link.placement)
            query = "SELECT id FROM look WHERE kind = ? AND rel = ? AND follow = ? AND placement = ?"
            row = self._db.execute(query, values).fetchone()
            if row is None:
                row = self._db.execute(
                    "INSERT INTO look (kind, rel, follow, placement) VALUES (?, ?, ?, ?) RETURNING id", values
                ).fetchone()
            found = self._look_ids[key] = row[0]
        return found

    def _number_urls(self, wanted: Mapping[str, tuple[str, str]]) -> None:
        """Make sure that URLs (each with its host and domain) have numbers, which are in ``_url_ids`` then."""
        known, hosts = self._url_ids, self._host_ids
        new = {url: at for url, at in wanted.items() if url not in known}
        self._number_hosts(dict(new.values()))
        self._number(
            "url",
            "origin, tail",
            {url: _url_row(url, host, hosts[host]) for url, (host, _) in new.items()},
            known,
            URL_MASK,
        )

    def _number_anchors(self, texts: Iterable[str]) -> None:
        """Make sure that anchor texts have numbers, which are in ``_anchor_ids`` then."""
        known = self._anchor_ids
        new: dict[str, Row] = {text: (_hash(text) & ANCHOR_MASK, text) for text in texts if text not in known}
        self._number("anchor", "text", new, known, ANCHOR_MASK)

    def _number(self, table: str, columns: str, wanted: dict[str, Row], known: dict[str, int], mask: int) -> None:
        """Give each of ``wanted`` (its name to its row, where the number should be first) a number that is its own."""
        if not wanted:
            return
        self._chars += sum(map(len, wanted))
        taken: dict[int, Row] = {}
        query = f"SELECT id, {columns} FROM {table} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
        while wanted:
            numbers = json_numbers([row[0] for row in wanted.values()])
            stored = {row[0]: row for row in self._db.execute(query, (numbers,))}
            again = {}
            for name, row in wanted.items():
                number = row[0]
                found = stored.get(number)
                if found == row:
                    known[name] = number
                elif found is None and number not in taken:
                    taken[number] = row
                    known[name] = number
                else:
                    again[name] = (_next(number, mask), *row[1:])
            wanted = again
        marks = ", ".join("?" * (2 + columns.count(",")))
        self._db.executemany(f"INSERT INTO {table} (id, {columns}) VALUES ({marks})", sorted(taken.values()))  # noqa: S608

    # ---------------------------------------------------------------- finding what has one

    def _find_host(self, name: str) -> Host | None:
        for row in self._rows("SELECT id, domain FROM host WHERE name = ?", (name,)):
            return Host(*row)
        return None

    def _find_url(self, url: str) -> int | None:
        """Return the number of a canonical URL, None where the index has never heard of it."""
        host = urls.host_of(url)
        at = self._find_host(host)
        if at is None:
            return None
        number, *row = _url_row(url, host, at)
        while found := next(self._rows("SELECT origin, tail FROM url WHERE id = ?", (number,)), None):
            if list(found) == row:
                return number
            number = _next(number, URL_MASK)
        return None

    def _remove(self, table: str, numbers: Iterable[int], mask: int) -> None:
        """Take out rows of url or anchor. Where the next number is taken, one of the two may be there by way of the other."""
        column = "origin = -1, tail = ''" if table == "url" else "text = char(0) || id"
        for number in numbers:
            after = self._db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (_next(number, mask),)).fetchone()  # noqa: S608
            if after:
                self._db.execute(f"UPDATE {table} SET {column} WHERE id = ?", (number,))  # noqa: S608
            else:
                self._db.execute(f"DELETE FROM {table} WHERE id = ?", (number,))  # noqa: S608


def _url_row(url: str, host: str, at: Host) -> Row:
    https = url.startswith("https")
    tail = url[(8 if https else 7) + len(host) :]
    return (at.domain << URL_BITS | _hash(url) & URL_MASK, at.id << 1 | https, tail)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _next(number: int, mask: int) -> int:
    return number & ~mask | (number + 1) & mask
