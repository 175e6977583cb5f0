"""What visits do to a page, its links and its lead: planned here on records, without a store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from linkindex import history
from linkindex.history import Patience, Streak
from linkindex.model import Link, Outcome, PageFacts, Visit
from linkindex.store import paths
from linkindex.store.mongo import ids
from linkindex.store.mongo.covering import domain_of
from linkindex.store.mongo.records import LeadRecord, LinkRecord, PageRecord

_READ = (Outcome.PAGE, Outcome.REDIRECT)
_OF_VISIT = ("reason", "status", "content_type", "certificate_error", "size", "elapsed", "depth")
_FACTS = tuple(name for name in PageFacts.__struct_fields__ if name in PageRecord.__struct_fields__)


class Draft:
    """One page in the making: as it was stored, and what visits make of it."""

    def __init__(self, page: PageRecord, stored: dict[str, Any] | None) -> None:
        self.page = page
        self.stored = stored  # the document, None of a new page
        self.links: dict[history.Key, LinkRecord] = {}
        self.before: dict[bytes, dict[str, Any]] = {}  # documents of links, as they are stored
        self.past: list[LinkRecord] = []
        self.led: list[LeadRecord] = []
        self.touched: set[history.Key] = set()
        self.was_doubtful = page.doubtful
        self._digests: dict[int, int] = {}  # of visits, by their time

    @property
    def moves(self) -> bool:
        """Whether anything about the page's links is another than before."""
        return bool(self.touched) or self.page.doubtful != self.was_doubtful

    def needs_links(self, visits: Iterable[Visit], patience: Patience, counting: bool) -> bool:
        """Return whether what is stored of the page's links matters to these visits; ``counting``: to doubts too."""
        visits = list(visits)
        return self.stored is not None and (
            len(visits) > 1
            or any(
                self._compares(visit) or self._gives_up(visit, patience) or (counting and self._doubts(visit))
                for visit in visits
            )
        )

    def store(self, visit: Visit, patience: Patience, internal_links: bool) -> None:
        """Take a visit in; one that is not newer than the page changes nothing."""
        if self.page.last_visited and visit.at <= self.page.last_visited:
            return
        self.page.first_visited = self.page.first_visited or visit.at
        if visit.outcome in _READ:
            self._read(visit, internal_links)
        elif visit.outcome is Outcome.UNCHANGED and self.page.known:
            self._confirm(visit)
        else:
            self._fail(visit, patience)
        self.page.last_visited = visit.at
        if history.tells_lead(visit):
            self._hear(visit)

    # ---- visits that read

    def _read(self, visit: Visit, internal_links: bool) -> None:
        page, digest = self.page, self._digest(visit)
        compared = self._compares(visit)
        whole = not compared or self._revise(visit, internal_links)
        if compared or visit.content_digest != page.content_digest:
            page.changed_at = visit.at
        if compared:
            inside = [] if internal_links else [link.target for link in visit.links if link.internal]
            page.inside = paths.pack(inside, visit.url)
        page.links_digest = digest if whole else 0  # the next visit must compare again
        page.read_at = visit.at if whole else page.read_at
        page.known, page.content_digest, page.redirect = str(visit.outcome), visit.content_digest, visit.redirect
        page.internal_links = sum(link.internal for link in visit.links)
        page.external_links = len(visit.links) - page.internal_links
        for name in _FACTS:
            setattr(page, name, getattr(visit, name))
        self._visited(visit, visit.outcome, Streak())

    def _compares(self, visit: Visit) -> bool:
        page = self.page
        return visit.outcome in _READ and (not page.known or self._digest(visit) != page.links_digest)

    def _digest(self, visit: Visit) -> int:
        if visit.at not in self._digests:
            self._digests[visit.at] = history.links_digest(visit)
        return self._digests[visit.at]

    def _revise(self, visit: Visit, internal_links: bool) -> bool:
        """Bring the links up to date; return whether every live one was confirmed or ended."""
        links = [link for link in visit.links if internal_links or not link.internal]
        live = [
            history.Version(row=one.id, target=one.target, ordinal=one.ordinal, attributes=_attributes(one))
            for one in self.links.values()
            if one.until is None
        ]
        lost = [key for key, one in self.links.items() if one.until is not None]
        revision = history.revise(live, lost, links, visit)
        by_name = {one.id: key for key, one in self.links.items()}
        for name, because in revision.ended:
            assert isinstance(name, bytes)
            self._end(by_name[name], visit.at, because)
        for link in revision.opened:
            self._open(link, visit, revision.ended_at_once)
        return not revision.unseen

    def _end(self, key: history.Key, at: int, because: str) -> None:
        one = self.links[key]
        one.confirmed, one.until, one.because = max(self.page.read_at or 0, one.since), at, because
        self.touched.add(key)

    def _open(self, link: Link, visit: Visit, ended_at_once: str) -> None:
        key, page = (link.target, link.ordinal), self.page
        earlier = self.links.get(key)
        if earlier is not None:
            self.past.append(msgspec.structs.replace(earlier, id=ids.of_version(earlier.id, earlier.since)))
        ends = visit.at if ended_at_once else None
        self.links[key] = LinkRecord(
            id=ids.of_link(page.id, link.target, link.target_domain, link.ordinal),
            page=page.id,
            source=page.url,
            source_domain=page.domain,
            target=link.target,
            target_domain=link.target_domain,
            ordinal=link.ordinal,
            internal=link.internal,
            kind=link.kind,
            anchor=link.anchor,
            rel=link.rel,
            follow=link.follow,
            placement=link.placement,
            confidence=round(link.placement_confidence * 1000),
            text_before=link.text_before,
            text_after=link.text_after,
            heading=link.heading,
            position=link.position,
            first_seen=earlier.first_seen if earlier else visit.at,
            began=visit.at if earlier else None,
            confirmed=ends,
            until=ends,
            because=ended_at_once or None,
        )
        self.touched.add(key)

    # ---- visits that did not

    def _confirm(self, visit: Visit) -> None:
        """All is as it was when the page was read last."""
        page = self.page
        page.read_at = visit.at if page.links_digest else page.read_at
        page.outcome, page.reason, page.status = page.known, "", visit.status
        page.elapsed, page.depth, page.failures, page.failing_since = visit.elapsed, visit.depth, 0, None

    def _fail(self, visit: Visit, patience: Patience) -> None:
        streak = self._streak(visit)
        if because := history.verdict(streak, visit, patience):
            for key, one in self.links.items():
                if one.until is None:
                    self._end(key, visit.at, because)
            self.page.known, self.page.links_digest = "", 0  # should it come back, its links are to be compared
        self._visited(visit, visit.outcome, streak)

    def _gives_up(self, visit: Visit, patience: Patience) -> bool:
        return visit.outcome not in _READ and bool(history.verdict(self._streak(visit), visit, patience))

    def _doubts(self, visit: Visit) -> bool:
        """Return whether a visit brings a doubt, or ends one."""
        sure = visit.outcome in _READ or (visit.outcome is Outcome.UNCHANGED and bool(self.page.known))
        return self.page.doubtful == sure

    def _streak(self, visit: Visit) -> Streak:
        return history.streak(self.page.outcome, Streak(self.page.failures, self.page.failing_since), visit)

    def _visited(self, visit: Visit, outcome: str, streak: Streak) -> None:
        for name in _OF_VISIT:
            setattr(self.page, name, getattr(visit, name))
        self.page.outcome = str(outcome)
        self.page.failures, self.page.failing_since = streak.visits, streak.since

    # ---- where the URL leads

    def _hear(self, visit: Visit) -> None:
        page, lead = self.page, history.lead(visit)
        if lead == page.lead:
            return
        if page.lead_to is not None:
            self.led.append(
                LeadRecord(
                    id=ids.of_version(page.id, page.lead_since),
                    page=page.id,
                    url=page.url,
                    to=page.lead_to,
                    domain=page.lead_domain or "",
                    kind=page.lead_kind,
                    status=page.lead_status,
                    since=page.lead_since,
                    until=visit.at,
                )
            )
        if lead is None:
            page.lead_to, page.lead_domain, page.lead_kind, page.lead_status, page.lead_since = (
                None,
                None,
                "redirect",
                0,
                0,
            )
        else:
            page.lead_to, page.lead_domain, page.lead_since = lead.to, domain_of(lead.to), visit.at
            page.lead_kind, page.lead_status = lead.kind, lead.status


def _attributes(one: LinkRecord) -> bytes:
    return history.attributes(
        Link(
            target=one.target,
            kind=one.kind,
            anchor=one.anchor,
            rel=one.rel,
            follow=one.follow,
            placement=one.placement,
        )
    )
