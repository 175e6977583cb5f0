"""What an index holds, as tests and trials want it: told by the index itself, or where it tells no such thing by its tables."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from linkindex.store import open_index
from linkindex.store.sqlite.schema import URL_TEXT
from linkindex.urls import domain_of, host_of

_PAGES = f"""
SELECT {URL_TEXT.format("u", "h")}, p.outcome, p.reason, p.certificate_error
FROM page p JOIN url u ON u.id = p.url JOIN host h ON h.id = u.origin >> 1"""  # noqa: S608


def ends(path: Path) -> dict[str, tuple[str, str]]:
    """Return how the last visit of each page of a SQLite index ended: outcome and reason."""
    with closing(sqlite3.connect(path)) as db:
        return {url: (outcome, reason) for url, outcome, reason, _ in db.execute(_PAGES)}


def certificate_errors(path: Path) -> dict[str, str]:
    """Return what was wrong with the certificate that each page of a SQLite index came under."""
    with closing(sqlite3.connect(path)) as db:
        return {url: wrong for url, _, _, wrong in db.execute(_PAGES)}


def versions(index: str) -> Counter[tuple[str, str]]:
    """Return every version of every link between domains, by source and target: a doubled or reopened one shows."""
    with open_index(index) as opened:
        pages = [page.url for page in opened.visited()]
        seen = ((page, version.target) for page in pages for version in opened.versions(page))
        return Counter(pair for pair in seen if len({domain_of(host_of(url)) for url in pair}) == 2)
