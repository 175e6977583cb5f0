"""What an index holds, as tests and trials want it: told by the index itself, or where it tells no such thing by its tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_PAGES = "SELECT u.url, p.outcome, p.reason FROM page p JOIN url u ON u.id = p.url"


def ends(path: Path) -> dict[str, tuple[str, str]]:
    """Return how the last visit of each page of a SQLite index ended: outcome and reason."""
    with closing(sqlite3.connect(path)) as db:
        return {url: (outcome, reason) for url, outcome, reason in db.execute(_PAGES)}
