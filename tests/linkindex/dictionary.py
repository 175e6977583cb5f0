"""A link index made of dictionaries, the slow and plain way: every store has to give the answers that this one gives.

It shares the rows of answers with the stores, and none of their rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import groupby, islice
from typing import Any, NamedTuple, Self

import msgspec

from linkindex import urls
from linkindex.answers.rows import Backlink, Change, Hop, Seen, moment
from linkindex.history import Lead, Patience
from linkindex.indexable import indexable
from linkindex.model import Link, Outcome, Visit
from linkindex.store.selection import By, Forgotten, Group, Order, Per, Profile, RunCounts, Selection
from linkindex.target import Target

SAYS_NOTHING = (401, 403, 429, 451)  # statuses of blocked pages: what they hide may well be there
VERSIONED = ("kind", "anchor", "rel", "follow", "placement")


class Key(NamedTuple):
    """A link's name."""

    source: str
    target: str
    ordinal: int


class Version(msgspec.Struct, kw_only=True):
    """How a link looked from ``since`` until ``until``, last seen so when it was ``confirmed``."""

    link: Link
    since: int
    confirmed: int
    until: int | None = None
    because: str | None = None

    def end(self, at: int, because: str) -> None:
        self.until, self.because = at, because


class Word(msgspec.Struct, kw_only=True):
    """Where a URL said that it leads, for a time."""

    lead: Lead
    since: int
    until: int | None = None


class Page(msgspec.Struct, kw_only=True):
    """A page that was visited. ``read`` is the last visit that brought a document or a redirect."""

    run: str
    first: int
    visit: Visit
    outcome: str
    read: Visit | None = None
    known: bool = False  # its links are as they were read last: it was not given up since
    unseen: bool = False  # it has live links that its last reading was cut before
    failures: int = 0
    failing_since: int = 0


class Dictionary:
    """The part of :class:`linkindex.store.LinkIndex` that is about links and their history."""

    def __init__(self, *, internal_links: bool = False, patience: Patience | None = None, **_: object) -> None:
        self._internal_links = internal_links
        self._patience = patience or Patience()
        self._pages: dict[str, Page] = {}
        self._links: dict[str, dict[Key, list[Version]]] = {}  # by page
        self._words: dict[str, list[Word]] = {}
        self._page_ranks: dict[str, float] = {}
        self._domain_ranks: dict[str, float] = {}

    # ---- what a visit does

    def store(self, visits: Iterable[Visit], run: str = "") -> None:
        for visit in visits:
            page = self._pages.get(visit.url)
            if page is None:
                page = Page(run=run, first=visit.at, visit=visit, outcome="")
                self._pages[visit.url] = page
            elif visit.at <= page.visit.at:
                continue
            self._note(page, visit)
            self._hear(visit)

    def _note(self, page: Page, visit: Visit) -> None:
        before, page.visit, page.outcome = page.outcome, visit, str(visit.outcome)
        live = self._live(visit.url)
        if visit.outcome in (Outcome.PAGE, Outcome.REDIRECT):
            page.read, page.known, page.failures = visit, True, 0
            self._read(page, visit)
        elif visit.outcome is Outcome.UNCHANGED and page.known:
            assert page.read is not None
            page.outcome, page.failures = str(page.read.outcome), 0
            for version in live if not page.unseen else ():
                version.confirmed = visit.at
        else:
            failing = ("gone", "unreachable")
            same = before == page.outcome or (before in failing and page.outcome in failing)
            if not page.failures or not same:
                page.failures, page.failing_since = 0, visit.at
            page.failures += 1
            long = visit.at - page.failing_since >= self._patience.span
            if page.outcome in failing and page.failures >= self._patience.visits and long:
                page.known = False
                for version in live:
                    version.end(visit.at, f"page_{visit.outcome}")

    def _read(self, page: Page, visit: Visit) -> None:
        seen = {Key(visit.url, link.target, link.ordinal): link for link in self._kept(visit)}
        page.unseen = False
        if why := self._set_aside(visit):
            for version in self._live(visit.url):
                version.end(visit.at, why)
            for key in seen.keys() - self._links_of(visit.url).keys():
                born = Version(link=seen[key], since=visit.at, confirmed=visit.at, until=visit.at, because=why)
                self._links_of(visit.url)[key] = [born]
            return
        missing = [version for key, version in self._live_by_key(visit.url) if key not in seen]
        if visit.outcome is Outcome.PAGE and visit.cut:
            page.unseen = bool(missing)
        else:
            for version in missing:
                version.end(visit.at, "removed" if visit.outcome is Outcome.PAGE else "page_redirected")
        for key, link in seen.items():
            self._see(key, link, visit.at, confirm=not page.unseen)

    def _see(self, key: Key, link: Link, at: int, *, confirm: bool) -> None:
        versions = self._links_of(key.source).setdefault(key, [])
        last = versions[-1] if versions else None
        if last is not None and last.until is None:
            if looks(last.link) == looks(link):
                last.confirmed = at if confirm else last.confirmed
                return
            last.end(at, "changed")
        versions.append(Version(link=link, since=at, confirmed=at))

    def _kept(self, visit: Visit) -> list[Link]:
        return [link for link in visit.links if self._internal_links or not link.internal]

    @staticmethod
    def _set_aside(visit: Visit) -> str:
        if visit.outcome is Outcome.PAGE and not indexable(visit.robots, visit.at):
            return "not_indexable"
        if visit.outcome is Outcome.PAGE and visit.canonical not in ("", visit.url):
            return "not_canonical"
        return ""

    def _links_of(self, url: str) -> dict[Key, list[Version]]:
        return self._links.setdefault(url, {})

    def _live_by_key(self, url: str) -> Iterator[tuple[Key, Version]]:
        for key, versions in self._links_of(url).items():
            if versions[-1].until is None:
                yield key, versions[-1]

    def _live(self, url: str) -> list[Version]:
        return [version for _, version in self._live_by_key(url)]

    def _hear(self, visit: Visit) -> None:
        """Take in where the URL says that it leads."""
        says: Lead | None = None
        if visit.outcome is Outcome.REDIRECT:
            says = Lead(to=visit.redirect, kind="redirect", status=visit.status)
        elif visit.outcome is Outcome.PAGE and visit.canonical not in ("", visit.url):
            says = Lead(to=visit.canonical, kind="canonical", status=visit.status)
        elif visit.outcome not in (Outcome.PAGE, Outcome.GONE):
            return
        words = self._words.setdefault(visit.url, [])
        if words and words[-1].until is None:
            if words[-1].lead == says:
                return
            words[-1].until = visit.at
        if says is not None:
            words.append(Word(lead=says, since=visit.at))

    # ---- where URLs lead

    def leads(self, urls: Iterable[str]) -> dict[str, Lead]:
        return {url: lead for url in urls if (lead := self._lead(url, None))}

    def _lead(self, url: str, at: int | None) -> Lead | None:
        for word in self._words.get(url, ()):
            if (word.until is None) if at is None else (word.since <= at and (word.until is None or word.until > at)):
                return word.lead
        return None

    def _hops(self, url: str, at: int | None) -> list[Hop]:
        hops: list[Hop] = []
        met = [url]
        while lead := self._lead(met[-1], at):
            round_again = lead.to in met
            if round_again and lead.kind == "canonical":
                break
            if round_again or len(hops) == 10:
                hops.append(Hop(to="", kind=lead.kind, status=lead.status))
                break
            hops.append(Hop(to=lead.to, kind=lead.kind, status=lead.status))
            met.append(lead.to)
        return hops

    def _end(self, url: str, at: int | None) -> str:
        hops = self._hops(url, at)
        return hops[-1].to if hops else url

    # ---- questions

    def links(
        self,
        selection: Selection,
        *,
        order: Order = "seen",
        per: Per = "link",
        after: Backlink | None = None,
        limit: int | None = None,
    ) -> Iterator[Backlink]:
        key = ORDERS[order]
        rows = sorted(self._rows(selection), key=key)
        firsts: dict[Hashable, Backlink] = {}
        groups: dict[Hashable, list[Backlink]] = {}
        for row in rows:
            firsts.setdefault(PER[per](row), row)
            groups.setdefault(PER[per](row), []).append(row)
        counted = (
            msgspec.structs.replace(first, links=len(groups[name]), pages=len({row.source for row in groups[name]}))
            for name, first in firsts.items()
        )
        return islice((row for row in counted if after is None or key(row) > key(after)), limit)

    def _rows(self, s: Selection) -> Iterator[Backlink]:
        for key, versions in [link for of_page in self._links.values() for link in of_page.items()]:
            version = versions[-1] if s.as_of is None else _of_then(versions, s.as_of)
            if version is None or not self._about(s, key.target) or (version.link.internal and not s.internal):
                continue
            row = self._row(key, versions[0].since, version, s.as_of)
            if _in_state(row, s) and _in_time(row, s) and self._fulfils(row, s):
                yield row

    def _about(self, s: Selection, target: str) -> bool:
        reached = [target] if s.as_found else [target, *(hop.to for hop in self._hops(target, s.as_of))]
        return any(covers(s.target, url) for url in reached)

    def _fulfils(self, row: Backlink, s: Selection) -> bool:
        return (
            s.follow in (None, row.follow)
            and (not s.kinds or row.kind in s.kinds)
            and (not s.placements or row.placement in s.placements)
            and set(s.rel) <= set(row.rel)
            and s.source in ("", row.source_domain)
            and s.anchor.lower() in row.anchor.lower()
            and (not s.broken or self._broken(row.target_end))
        )

    def _broken(self, end: str) -> bool:
        if not end:
            return True
        page = self._pages.get(end)
        if page is None:
            return False
        failed = page.visit.status >= 400 and page.visit.status < 600 and page.visit.status not in SAYS_NOTHING
        return failed or page.outcome in ("gone", "unreachable")

    def _row(self, key: Key, first_seen: int, version: Version, as_of: int | None) -> Backlink:
        page, link = self._pages[key.source], version.link
        read = page.read
        assert read is not None
        hops = self._hops(key.target, as_of)
        end = hops[-1].to if hops else key.target
        lost = version.until if as_of is None else None
        unclear = as_of is None and lost is None and page.outcome not in ("page", "redirect")
        reason = page.visit.reason
        domain = urls.domain_of(urls.host_of(key.source))
        return Backlink(
            **{name: getattr(link, name) for name in _OF_LINK},
            source=key.source,
            source_domain=domain,
            target=key.target,
            ordinal=key.ordinal,
            target_end=end,
            hops=hops,
            rel=list(link.rel),
            template_pages=0,
            first_seen=moment(first_seen),
            last_seen=moment(version.confirmed if as_of is None else min(version.confirmed, as_of)),
            lost_at=None if lost is None else moment(lost),
            lost_reason=None if lost is None else version.because,
            doubt=(f"{page.outcome}: {reason}" if reason else page.outcome) if unclear else None,
            source_title=read.title,
            source_language=read.language,
            source_author=read.author,
            source_published=None if read.published is None else moment(read.published),
            source_platform=read.platform,
            source_words=read.words,
            source_external_links=sum(not link.internal for link in read.links),
            source_internal_links=sum(link.internal for link in read.links),
            source_indexable=indexable(read.robots, int(time.time() * 1000)),
            relevance=None,
            domain_relevance=None,
            source_status=page.visit.status or None,
            target_status=self._status(key.target),
            end_status=self._status(end),
            source_rank=self._page_ranks.get(key.source),
            domain_rank=self._domain_ranks.get(domain),
        )

    def _status(self, url: str) -> int | None:
        page = self._pages.get(url)
        return (page.visit.status or None) if page else None

    def groups(self, selection: Selection, by: By, limit: int | None = None) -> Iterator[Group]:
        name = BY[by]
        rows = sorted(self._rows(selection), key=name)
        groups = [_counted(key, list(of_key), by) for key, of_key in groupby(rows, name)]
        return islice(sorted(groups, key=lambda group: (-group.links, group.key)), limit)

    def profile(self, selection: Selection) -> Profile:
        kinds, placements = ({one.key: one.links for one in self.groups(selection, by)} for by in ("kind", "placement"))
        return Profile(whole=next(self.groups(selection, ""), None), by_kind=kinds, by_placement=placements)

    def links_of(self, selection: Selection) -> int:
        return len(list(self._rows(selection)))

    def versions(self, source: str, target: str = "") -> Iterator[Seen]:
        for key, versions in sorted(self._links_of(source).items()):
            for version in versions if target in ("", key.target) else ():
                yield Seen(
                    **{name: getattr(version.link, name) for name in VERSIONED if name != "rel"},
                    rel=list(version.link.rel),
                    source=key.source,
                    target=key.target,
                    ordinal=key.ordinal,
                    since=moment(version.since),
                    confirmed=moment(version.confirmed),
                    until=None if version.until is None else moment(version.until),
                    ended_because=version.because,
                )

    def changes(self, selection: Selection, limit: int | None = None) -> Iterator[Change]:
        whole = msgspec.structs.replace(selection, state="all", as_of=None, since=None, until=None)
        begin = -1 if selection.since is None else selection.since
        end = 1 << 62 if selection.until is None else selection.until
        events: list[tuple[int, Change]] = []
        for row in self._rows(whole):
            key = Key(row.source, row.target, row.ordinal)
            events += [*self._happened(key, row.source_domain), *self._moved(key, row.source_domain)]
        chosen = [event for event in events if begin <= event[0] < end]
        return islice((change for _, change in sorted(chosen, key=_latest_first)), limit)

    def _happened(self, key: Key, domain: str) -> Iterator[tuple[int, Change]]:
        before: Version | None = None
        for version in self._links[key.source][key]:
            if before is None:
                yield _event(version.since, "new", key, domain, version.link)
            elif before.because == "changed":
                for name in VERSIONED:
                    one, other = (_text(getattr(link, name)) for link in (before.link, version.link))
                    if one != other:
                        yield _event(version.since, "changed", key, domain, version.link, name, one, other)
            else:
                yield _event(version.since, "returned", key, domain, version.link)
            if version.until is not None and version.because != "changed":
                yield _event(version.until, "lost", key, domain, version.link, version.because or "")
            before = version

    def _moved(self, key: Key, domain: str) -> Iterator[tuple[int, Change]]:
        words = self._words.get(key.target, ())
        for at in sorted({word.since for word in words} | {word.until for word in words if word.until is not None}):
            live = _of_then(self._links[key.source][key], at)
            ends = self._end(key.target, at - 1), self._end(key.target, at)
            if live is not None and ends[0] != ends[1]:
                yield _event(at, "moved", key, domain, live.link, "target_end", *ends)

    # ---- upkeep

    def put_ranks(self, pages: Iterable[tuple[str, float]], domains: Iterable[tuple[str, float]]) -> None:
        visited = {urls.domain_of(urls.host_of(url)) for url in self._pages}
        self._page_ranks = {url: rank for url, rank in pages if url in self._pages}
        self._domain_ranks = {domain: rank for domain, rank in domains if domain in visited}

    def runs(self) -> Iterator[RunCounts]:
        for run in {page.run for page in self._pages.values()} - {""}:
            firsts = [page.first for page in self._pages.values() if page.run == run]
            yield RunCounts(run=run, pages=len(firsts), first=min(firsts), last=max(firsts))

    def forget(self, target: Target | None = None, run: str = "") -> Forgotten:
        gone = {
            url
            for url, page in self._pages.items()
            if (target is not None and covers(target, url)) or (run and page.run == run)
        }
        links = sum(len(self._links_of(url)) for url in gone)
        for known in (self._pages, self._links, self._words, self._page_ranks):
            for url in gone:
                known.pop(url, None)
        return Forgotten(pages=len(gone), links=links)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


_OF_LINK = (
    *("target_domain", "kind", "anchor", "follow", "placement", "placement_confidence", "position"),
    *("text_before", "text_after", "heading"),
)


def looks(link: Link) -> tuple[object, ...]:
    return tuple(getattr(link, name) for name in VERSIONED)


def covers(target: Target, url: str) -> bool:
    host = urls.host_of(url) if url else ""
    named = bool(target.name) and target.name in (host, urls.domain_of(host))
    return named or url in target.urls or any(url.startswith(prefix) for prefix in target.prefixes)


def _of_then(versions: list[Version], at: int) -> Version | None:
    for version in versions:
        if version.since <= at and (version.until is None or version.until > at):
            return version
    return None


def _in_state(row: Backlink, s: Selection) -> bool:
    return s.state == "all" or (row.lost_at is not None) == (s.state == "lost")


def _in_time(row: Backlink, s: Selection) -> bool:
    times = (row.first_seen if s.state != "lost" else None, row.lost_at if s.state != "live" else None)
    return any(
        time is not None
        and (s.since is None or time >= moment(s.since))
        and (s.until is None or time < moment(s.until))
        for time in times
    )


def _seen_order(row: Backlink) -> tuple[Any, ...]:
    return not row.follow, -row.last_seen.timestamp(), row.source, row.target, row.ordinal


ORDERS: dict[str, Callable[[Backlink], Any]] = {
    "seen": lambda row: (row.lost_at is not None, *_seen_order(row)),
    "rank": lambda row: (row.lost_at is not None, -(row.domain_rank or 0), -(row.source_rank or 0), *_seen_order(row)),
    "new": lambda row: (row.lost_at is not None, -row.first_seen.timestamp(), row.source, row.target, row.ordinal),
}
PER: dict[str, Callable[[Backlink], Hashable]] = {
    "link": lambda row: (row.source, row.target, row.ordinal),
    "similar": lambda row: (urls.host_of(row.source), row.target, row.anchor, row.placement),
    "page": lambda row: row.source,
    "domain": lambda row: row.source_domain,
}
BY: dict[str, Callable[[Backlink], str]] = {
    "": lambda _: "",
    "domain": lambda row: row.source_domain,
    "anchor": lambda row: row.anchor,
    "kind": lambda row: row.kind,
    "placement": lambda row: row.placement,
}


def _counted(key: str, rows: list[Backlink], by: By) -> Group:
    return Group(
        key=key,
        links=len(rows),
        sources=len({row.source for row in rows}) if by in ("", "domain") else None,
        domains=len({row.source_domain for row in rows}),
        targets=len({row.target for row in rows}) if not by else None,
        follow=sum(row.follow for row in rows),
        ugc=sum("ugc" in row.rel for row in rows),
        sponsored=sum("sponsored" in row.rel for row in rows),
        doubtful=sum(row.doubt is not None for row in rows),
        first_seen=round(min(row.first_seen for row in rows).timestamp() * 1000),
        last_seen=round(max(row.last_seen for row in rows).timestamp() * 1000),
    )


def _event(
    at: int, what: str, key: Key, domain: str, link: Link, attribute: str = "", before: str = "", after: str = ""
) -> tuple[int, Change]:
    change = Change(
        at=moment(at),
        what=what,
        source=key.source,
        source_domain=domain,
        target=key.target,
        ordinal=key.ordinal,
        attribute=attribute,
        before=before,
        after=after,
        anchor=link.anchor,
        follow=link.follow,
    )
    return at, change


def _latest_first(event: tuple[int, Change]) -> tuple[int, str, str, int, int]:
    at, change = event
    return -at, change.source, change.target, change.ordinal, {"lost": 0, "moved": 1}.get(change.what, 2)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, tuple) else str(value)
