"""Where URLs lead by their own word, and who leads to what a question is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from linkindex import chains, history, urls
from linkindex.history import Lead
from linkindex.model import Visit
from linkindex.store.sqlite.ids import Ids
from linkindex.store.sqlite.packing import json_numbers
from linkindex.store.sqlite.schema import URL_TEXT

_LIVE = (
    'SELECT url, since, kind, status, "to" FROM lead WHERE url IN (SELECT value FROM json_each(?)) AND until IS NULL'
)
_OPEN = 'INSERT OR REPLACE INTO lead (url, since, kind, status, "to") VALUES (?, ?, ?, ?, ?)'
_CLOSE = "UPDATE lead SET until = ? WHERE url = ? AND since = ?"

_THEN = "since <= :at AND (until IS NULL OR until > :at)"
_OF = 'SELECT "to", kind, status FROM lead WHERE url = :url AND {then}'
_TO = 'SELECT DISTINCT url FROM lead WHERE "to" BETWEEN :low AND :high {ends} AND {then}'
_ENDS = 'AND +"to" IN (SELECT value FROM json_each(:ends))'
_TEXT = f"SELECT {URL_TEXT.format('u', 'h')} FROM url u JOIN host h ON h.id = u.origin >> 1 WHERE u.id = ?"  # noqa: S608


class Chains:
    """Leads as they are, or were at ``at`` (ms), each asked for once. URLs go by their numbers here."""

    def __init__(self, lead_of: Callable[[int], tuple[int, str, int] | None], text_of: Callable[[int], str]) -> None:
        self._lead_of = lead_of
        self._text_of = text_of
        self._leads: dict[str, Lead | None] = {}
        self._numbers: dict[str, int] = {}
        self._hops: dict[int, list[Lead]] = {}

    def hops(self, url: int) -> list[Lead]:
        """Return the hops from a URL to where it leads in the end (:func:`linkindex.chains.follow`)."""
        found = self._hops.get(url)
        if found is None:
            if len(self._hops) > 100_000:
                self._hops, self._leads, self._numbers = {}, {}, {}
            first = self._lead_of(url)
            if first is None:
                found = []
            else:
                text = self._text_of(url)
                self._numbers[text] = url
                found = chains.follow(text, self._lead)
            self._hops[url] = found
        return found

    def passes(self, url: int) -> list[int]:
        """Return the numbers of the URLs that the hops of a URL lead through, the end last; 0 for nowhere."""
        return [self._numbers.get(hop.to, 0) for hop in self.hops(url)]

    def _lead(self, url: str) -> Lead | None:
        if url not in self._leads:
            found = self._lead_of(self._numbers[url])
            if found is None:
                self._leads[url] = None
            else:
                to, kind, status = found
                text = self._text_of(to)
                self._numbers[text] = to
                self._leads[url] = Lead(to=text, kind=kind, status=status)
        return self._leads[url]


class Leads(Ids):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that knows where URLs lead."""

    def leads(self, urls: Iterable[str]) -> dict[str, Lead]:
        found = {}
        for url in urls:
            number = self._find_url(url)
            lead = None if number is None else self._lead_of(number, None)
            if lead is not None:
                found[url] = Lead(to=self._url_text(lead[0]), kind=lead[1], status=lead[2])
        return found

    def _put_leads(self, visits: Sequence[tuple[int, Visit]], known: Collection[int]) -> None:
        """Write where URLs lead now; ``known`` are those that were visited before."""
        told = [(url, visit.at, history.lead(visit)) for url, visit in visits if history.tells_lead(visit)]
        stored = {
            row[0]: row[1:] for row in self._db.execute(_LIVE, (json_numbers([u for u, *_ in told if u in known]),))
        }
        now = [(url, at, lead if lead and lead.to else None) for url, at, lead in told]
        hosts = {lead.to: urls.host_of(lead.to) for _, _, lead in now if lead is not None}
        self._number_urls({url: (host, urls.domain_of(host)) for url, host in hosts.items()})
        for url, at, lead in now:
            value = None if lead is None else (lead.kind, lead.status, self._url_ids[lead.to])
            before = stored.get(url)
            if before is not None and before[1:] != value:
                self._db.execute(_CLOSE, (at, url, before[0]))
            if value is not None and (before is None or before[1:] != value):
                self._db.execute(_OPEN, (url, at, *value))

    def _chains(self, as_of: int | None) -> Chains:
        return Chains(lambda url: self._lead_of(url, as_of), self._url_text)

    def _lead_of(self, url: int, as_of: int | None) -> tuple[int, str, int] | None:
        query = _OF.format(then=_then(as_of))
        return next(self._rows(query, {"url": url, "at": as_of}), None)

    def _url_text(self, url: int) -> str:
        return str(next(self._rows(_TEXT, (url,)))[0])

    def _leading_to(self, low: int, high: int, ends: Sequence[int] | None, as_of: int | None) -> list[int]:
        """Return the URLs whose own word leads to a URL from ``low`` to ``high``, and to one of ``ends`` (None: any)."""
        query = _TO.format(then=_then(as_of), ends=_ENDS if ends is not None else "")
        named = {"low": low, "high": high, "ends": json_numbers(ends or ()), "at": as_of}
        return [row[0] for row in self._rows(query, named)]


def _then(as_of: int | None) -> str:
    return "until IS NULL" if as_of is None else _THEN
