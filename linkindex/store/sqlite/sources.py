"""How many pages link, where bundles cannot say it or not quite.

Each bundle counts the pages whose first link to a domain is in it (``heads``), so the pages that link to a whole domain are
their sum. A condition on what links are like leaves out some of those firsts, and part of a domain has none of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from linkindex.store.sqlite.packing import json_numbers
from linkindex.store.sqlite.question import Question
from linkindex.store.sqlite.recency import versions_of
from linkindex.store.sqlite.schema import URL_BITS
from linkindex.store.sqlite.selecting import Selecting

HEADS = "sum(iif(b.to_domain = :domain, b.heads, 0))"
"""The pages that link to the whole domain which a question is about, if it is about one."""

MOST_BESIDE = 5000
"""Pages that link to what leads to a domain: beyond that, a count of all costs less."""

_COUNT = "SELECT key, count(DISTINCT page) FROM ({links}) GROUP BY key"
_BESIDE = "SELECT DISTINCT key, page FROM ({links}) LIMIT :most"
_OUTGOING = f"""
SELECT p.url >> {URL_BITS}, p.id, o.bundles FROM page p JOIN outgoing o ON o.page = p.id
WHERE p.id IN (SELECT value FROM json_each(?))"""  # noqa: S608


class Sources(Selecting):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that counts pages that link."""

    def _pages_by(self, question: Question, key: str, heads: Mapping[Any, int]) -> Mapping[Any, int]:
        """Return how many pages link, by ``key`` (SQL: nothing, or the domain); ``heads`` is what :data:`HEADS` says."""
        coverage = question.coverage
        if len(coverage.domains) == 1 and not question.looks:
            beside = self._beside(question, key) if coverage.urls else []
            if beside is not None:
                pages = dict(heads)
                for of_key, _ in beside:
                    pages[of_key] = pages.get(of_key, 0) + 1
                return pages
        links = question.ask_links(f"{key} AS key, v.page AS page")
        return dict(self._rows(_COUNT.format(links=links), question.named))

    def _beside(self, question: Question, key: str) -> list[tuple[Any, int]] | None:
        """Return the pages, each with its key, that link to URLs which lead to the domain but not to the domain itself;
        None where too many would have to be looked at."""
        leading = question.with_bundles("d.value <> :domain", {"most": MOST_BESIDE + 1})
        links = leading.ask_links(f"{key} AS key, v.page AS page")
        pages = self._all(_BESIDE.format(links=links), leading.named)
        if len(pages) > MOST_BESIDE:
            return None
        domain = question.coverage.domains[0]
        outgoing = self._rows(_OUTGOING, (json_numbers([page for _, page in pages]),))
        ours = question.among(
            [version for at, page, packed in outgoing for version in versions_of(at, page, packed, (domain,))]
        )
        both = {page for (page,) in self._rows(ours.ask("v.page"), ours.named)}
        return [(of_key, page) for of_key, page in pages if page not in both]
