"""The index as a whole: what it holds, notes about it, ranks, runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from linkindex.store.selection import IndexCounts, RunCounts
from linkindex.store.sqlite.ids import Ids
from linkindex.store.sqlite.schema import URL_BITS
from linkindex.stored import noted

_RUNS = """
SELECT r.name, count(*), min(p.first_visited) AS first, max(p.first_visited)
FROM run r JOIN page p ON p.run = r.id GROUP BY r.id ORDER BY first DESC, r.id DESC"""

_RANK_DOMAIN = f"""
UPDATE domain SET rank = ? WHERE name = ?
AND EXISTS (SELECT 1 FROM page WHERE url BETWEEN domain.id << {URL_BITS} AND (domain.id + 1 << {URL_BITS}) - 1)"""  # noqa: S608

_VISITED_DOMAINS = f"SELECT count(DISTINCT url >> {URL_BITS}) FROM page"  # noqa: S608


class Whole(Ids):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that speaks of all it holds."""

    def counts(self) -> IndexCounts:
        outcomes = dict(self._rows("SELECT outcome, count(*) FROM page GROUP BY outcome"))
        return IndexCounts(
            pages=sum(outcomes.values()),
            domains=next(self._rows(_VISITED_DOMAINS))[0],
            links=self._total_of("links"),
            lost=self._total_of("lost"),
            by_outcome=outcomes,
            url_rules=(self.about("url_rules") or b"").decode(),
            suffix_list=(self.about("suffix_list") or b"").decode(),
        )

    def grown(self) -> int:
        return self._total_of("versions")

    def _total_of(self, name: str) -> int:
        found = next(self._rows("SELECT value FROM total WHERE name = ?", (name,)), (0,))
        return int(found[0])

    def about(self, name: str) -> bytes | None:
        found = next(self._rows("SELECT value FROM about WHERE name = ?", (name,)), None)
        return None if found is None else noted(found[0])

    def put_about(self, name: str, value: bytes) -> None:
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO about (name, value) VALUES (?, ?)", (name, value))

    def put_ranks(self, pages: Iterable[tuple[str, float]], domains: Iterable[tuple[str, float]]) -> None:
        with self._transaction():
            self._db.execute("UPDATE page SET rank = NULL WHERE rank IS NOT NULL")
            self._db.execute("UPDATE domain SET rank = NULL WHERE rank IS NOT NULL")
            of_domains = ((rank, name) for name, rank in domains)
            ranked = max(0, self._db.executemany(_RANK_DOMAIN, of_domains).rowcount)
            numbered = ((rank, number) for url, rank in pages if (number := self._find_url(url)) is not None)
            ranked += max(0, self._db.executemany("UPDATE page SET rank = ? WHERE url = ?", numbered).rowcount)
            self._db.execute("INSERT OR REPLACE INTO total (name, value) VALUES ('ranked', ?)", (ranked,))

    def runs(self) -> Iterator[RunCounts]:
        for run, pages, first, last in self._rows(_RUNS):
            yield RunCounts(run=run, pages=pages, first=first, last=last)
