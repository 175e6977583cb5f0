"""Backlinks, in any order, one by one or put together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from linkindex.answers.rows import Backlink
from linkindex.relevance import DOMAIN_SAMPLE, Rarity, Similarities, few_of_each
from linkindex.store import found
from linkindex.store.found import Found
from linkindex.store.selection import Order, Per, Selection
from linkindex.store.sqlite.leads import Chains
from linkindex.store.sqlite.ordering import Ordering
from linkindex.store.sqlite.packing import NO_WORDS
from linkindex.store.sqlite.sites import Sites
from linkindex.store.sqlite.whole import Whole

_QUICK_SAMPLE = 200  # pages that say how rare a word is, in an index that was never classified

_DETAILS = """
SELECT sd.name AS source_domain, td.name AS target_domain, k.kind, a.text AS anchor, k.rel,
  coalesce(b.template_pages, 0) AS template_pages, b.site_confidence, o.words, f.title AS source_title,
  f.language AS source_language, f.author AS source_author, f.published AS source_published,
  f.platform AS source_platform, f.words AS source_words, f.robots AS source_robots, f.terms AS source_terms,
  p.external_links AS source_external_links, p.internal_links AS source_internal_links, p.status AS source_status
FROM bundle b JOIN domain sd ON sd.id = b.from_domain JOIN domain td ON td.id = b.to_domain JOIN look k ON k.id = b.look
JOIN anchor a ON a.id = b.anchor JOIN page p ON p.id = :page JOIN fact f ON f.page = p.id JOIN around o ON o.page = p.id
WHERE b.to_domain = :to_domain AND b.from_domain = :from_domain AND b.number = :number"""

_VISITED = "SELECT p.status, f.terms FROM page p LEFT JOIN fact f ON f.page = p.id WHERE p.url = ?"


class Reads(Sites, Ordering, Whole):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that answers with links."""

    _rarity: tuple[bytes | int, Rarity] | None = None  # as it was made last, and from what

    def links(
        self,
        selection: Selection,
        *,
        order: Order = "seen",
        per: Per = "link",
        after: Backlink | None = None,
        limit: int | None = None,
    ) -> Iterator[Backlink]:
        question = self._question(selection)
        if question is None or limit == 0:
            return
        now = int(time.time() * 1000)
        similarities: Similarities | None = None
        if order == "rank" and not self._total_of("ranked"):
            order = "seen"  # nothing has a rank, and what is equal goes by that
        for row in self._ordered(question, order, per, after, limit):
            similarities = similarities or self._similarities()
            yield self._backlink(row, question.chains, similarities, now)

    def _backlink(self, row: dict[str, Any], chains: Chains, similarities: Similarities, now: int) -> Backlink:
        details = next(self._records(_DETAILS, row))
        position, confidence, before, behind, heading = self._unpack(details.pop("words")).links.get(
            row["slot"], NO_WORDS
        )
        certain = details.pop("site_confidence")
        hops = chains.hops(row["target_id"])
        status, terms = self._visited(row["target_id"])
        taken = (
            "source",
            "target",
            "ordinal",
            "placement",
            "first_seen",
            "last_seen",
            "lost_at",
            "doubt",
            "links",
            "pages",
        )
        link = Found(
            **{name: row[name] for name in (*taken, "source_rank", "domain_rank")},
            **details
            | {
                "rel": details["rel"].split(),
                "source_robots": [word for word in details["source_robots"].split("; ") if word],
            },
            follow=bool(row["follow"]),
            lost_reason=row["because"],
            placement_confidence=confidence if certain is None else certain,
            position=position,
            text_before=before,
            text_after=behind,
            heading=heading,
            target_status=status,
            target_terms=terms,
            end_status=self._visited(chains.passes(row["target_id"])[-1])[0] if hops else status,
        )
        return found.backlink(link, hops, similarities, now)

    def _visited(self, url: int) -> tuple[int, bytes]:
        """Return status and terms of a URL's last visit."""
        for status, terms in self._rows(_VISITED, (url,)):
            return status, terms or b""
        return 0, b""

    def _similarities(self) -> Similarities:
        counted = self.about("rarity")
        state = counted or self.grown().bit_length()  # a sample will do until the index is twice as large
        if self._rarity is None or self._rarity[0] != state:
            sample = few_of_each(self.terms_sample(_QUICK_SAMPLE))
            self._rarity = (state, Rarity.from_bytes(counted) if counted else Rarity.of(sample))
        return Similarities(self._rarity[1], lambda domain: self.terms_of(domain, DOMAIN_SAMPLE))
