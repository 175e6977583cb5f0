"""Where URLs lead, now or then, and which URLs lead to what a target covers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from linkindex import chains
from linkindex.history import Lead
from linkindex.store.mongo import covering, ids
from linkindex.store.mongo.asking import Question, any_of, parts
from linkindex.store.mongo.records import LeadRecord, PageRecord, fields
from linkindex.store.mongo.schema import LEADS, PAGES
from linkindex.target import Target

_NAMES = 2_000  # in one request
_AT_ONCE = 1_000  # URLs that others may lead to: a request holds 16 MB, and a URL may have 8 KB
_LEAD = fields(PageRecord, "url", "lead_to", "lead_kind", "lead_status", "lead_since")


class Words:
    """All that some URLs, and those that they led to, ever said of where they lead."""

    def __init__(self, question: Question, urls: Iterable[str]) -> None:
        self._said: dict[str, list[tuple[int, int | None, Lead]]] = {}
        ahead = set(urls)
        for _ in range(chains.MOST_HOPS + 1):
            if not ahead:
                break
            self._said.update((url, []) for url in ahead)
            names = [ids.of_page(url, covering.domain_of(url)) for url in ahead]
            for page in question.named(PAGES, names, PageRecord, _LEAD):
                if page.lead:
                    self._said[page.url].append((page.lead_since, None, page.lead))
            for some in parts(names, _NAMES):
                for one in question.find(LEADS, {"p": {"$in": some}}, LeadRecord):
                    self._said[one.url].append((one.since, one.until, one.lead))
            ahead = {lead.to for url in ahead for _, _, lead in self._said[url]} - self._said.keys()

    def turns(self, url: str) -> list[int]:
        """Return when a URL began to lead elsewhere, or nowhere else any more."""
        return sorted({at for since, until, _ in self._said[url] for at in (since, until) if at is not None})

    def end(self, url: str, at: int) -> str:
        """Return where a URL led in the end at ``at`` (ms)."""
        hops = chains.follow(url, lambda on: self._lead(on, at))
        return hops[-1].to if hops else url

    def _lead(self, url: str, at: int) -> Lead | None:
        for since, until, lead in self._said.get(url, ()):
            if since <= at and (until is None or until > at):
                return lead
        return None


class Leads:
    """The leads that a question meets: each is looked up once. ``as_of`` (ms) is when they held, None: now."""

    def __init__(self, question: Question, as_of: int | None = None) -> None:
        self._question, self._as_of = question, as_of
        self._known: dict[str, Lead | None] = {}

    def look_up(self, urls: Iterable[str]) -> None:
        """Learn where these URLs lead, and on from there, as far as chains go."""
        ahead = {url for url in urls if url not in self._known}
        for _ in range(chains.MOST_HOPS + 1):
            if not ahead:
                break
            self._known.update(dict.fromkeys(ahead))
            self._known.update(self._ask(ahead))
            found = (self._known[url] for url in ahead)
            ahead = {lead.to for lead in found if lead and lead.to not in self._known}

    def get(self, url: str) -> Lead | None:
        return self._known.get(url)

    def hops(self, url: str) -> Sequence[Lead]:
        """Return the hops from a URL that was looked up."""
        return chains.follow(url, self._known.get) if self._known.get(url) else ()

    def end(self, url: str) -> str:
        """Return where a URL that was looked up leads in the end, "" where that is nowhere."""
        hops = self.hops(url)
        return hops[-1].to if hops else url

    def leading_to(self, target: Target) -> list[str]:
        """Return the URLs that are not covered themselves, and whose hops meet what ``target`` covers."""
        found: set[str] = set()
        asked: Iterable[list[covering.Condition]] = [covering.leads(target)]
        for _ in range(chains.MOST_HOPS + 1):
            leading = (url for conditions in asked for url in self._leading(any_of(conditions)))
            new = {url for url in leading if url not in found and not covering.covers(target, url)}
            if not new:
                break
            found |= new
            asked = map(covering.leads_to, parts(new, _AT_ONCE))
        self.look_up(found)
        return sorted(url for url in found if any(covering.covers(target, hop.to) for hop in self.hops(url) if hop.to))

    def _ask(self, urls: Iterable[str]) -> dict[str, Lead]:
        names = [ids.of_page(url, covering.domain_of(url)) for url in urls]
        now = self._question.named(PAGES, names, PageRecord, _LEAD)
        found = {page.url: page.lead for page in now if page.lead and self._held(page.lead_since)}
        if self._as_of is not None:
            for some in parts(names, _NAMES):
                then = self._question.find(LEADS, {"p": {"$in": some}, **self._then()}, LeadRecord)
                found |= {lead.url: lead.lead for lead in then}
        return found

    def _leading(self, condition: covering.Condition) -> Iterator[str]:
        for page in self._question.find(PAGES, condition, PageRecord, _LEAD):
            if self._held(page.lead_since):
                yield page.url
        if self._as_of is not None:
            for lead in self._question.find(LEADS, {**condition, **self._then()}, LeadRecord):
                yield lead.url

    def _held(self, since: int) -> bool:
        return self._as_of is None or since <= self._as_of

    def _then(self) -> dict[str, object]:
        return {"si": {"$lte": self._as_of}, "un": {"$gt": self._as_of}}
