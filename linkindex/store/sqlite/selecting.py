"""From a selection to a question. Every value from outside is a parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from linkindex import urls
from linkindex.store.selection import Selection
from linkindex.store.sqlite.ids import URL_MASK
from linkindex.store.sqlite.leads import Chains, Leads
from linkindex.store.sqlite.packing import json_numbers
from linkindex.store.sqlite.question import DOUBTFUL, FIRST_SEEN, FOLLOW, PLACEMENT, TARGET_ID, Arm, Coverage, Question
from linkindex.store.sqlite.schema import URL_BITS
from linkindex.target import Target

# What blocked pages answer says nothing about what they hide.
_BROKEN = (
    "(p.outcome IN ('gone', 'unreachable') OR p.status BETWEEN 400 AND 599 AND p.status NOT IN (401, 403, 429, 451))"
)

# SQLite knows the case of ASCII, which most anchors are written in; to ask Python takes several times as long.
_HOLDS = """(SELECT iif(length(text) = length(CAST(text AS BLOB)), instr(lower(text), :anchor) > 0, holds(text, :anchor))
  FROM anchor WHERE id = b.anchor)"""
_FEW_ANCHORS = 1000

_OF_HOST = "SELECT id FROM url WHERE id BETWEEN ? AND ? AND origin >> 1 = ?"
_OF_PREFIX = "SELECT id FROM url WHERE id BETWEEN ? AND ? AND origin = ? AND tail >= ? AND tail < ?"
_MOST_HOPS = 11


class Selecting(Leads):
    """The part of :class:`linkindex.store.sqlite.SqliteIndex` that knows which rows a selection is about."""

    def _question(self, selection: Selection) -> Question | None:
        """Return the question that a selection asks, None where nothing can be found."""
        chains = self._chains(selection.as_of)
        coverage = self._covered(selection.target)
        if not selection.as_found and coverage:
            coverage = self._with_leading(coverage, chains, selection.as_of)
        named: dict[str, Any] = {}
        where = [] if selection.internal else ["b.from_domain <> b.to_domain"]
        if selection.broken:
            coverage = Coverage([], set(self._broken(coverage, chains)))
        if selection.source:
            named["source"] = self._find_domain(selection.source)
            where.append("b.from_domain = :source")
        if not coverage or named.get("source", 0) is None:
            return None
        scan = self._scan(coverage, where, named)
        looks = _on_looks(selection, named)
        if selection.anchor:
            looks.append(self._on_anchor(selection.anchor, scan, where, named))
        return Question(selection, coverage, chains, scan, where, looks, _arms(selection, named), named)

    def _on_anchor(self, part: str, scan: str, where: list[str], named: dict[str, Any]) -> str:
        """Return the condition that an anchor holds a text: that it is one of those which do, where they are few."""
        named["anchor"] = part.lower()
        query = f"SELECT DISTINCT b.anchor FROM {scan} WHERE {' AND '.join((*where, _HOLDS))} LIMIT {_FEW_ANCHORS + 1}"  # noqa: S608
        anchors = [number for (number,) in self._rows(query, named)]
        if len(anchors) > _FEW_ANCHORS:
            return _HOLDS
        named["anchors"] = json_numbers(anchors)
        return "b.anchor IN (SELECT value FROM json_each(:anchors))"

    @staticmethod
    def _scan(coverage: Coverage, where: list[str], named: dict[str, Any]) -> str:
        named["domain"] = coverage.domains[0] if coverage.domains else 0
        if not coverage.urls and coverage.domains:
            where.insert(0, "b.to_domain = :domain")
            return "bundle b"
        named["domains"] = json_numbers(sorted({*coverage.domains, *(url >> URL_BITS for url in coverage.urls)}))
        named["whole"] = json_numbers(coverage.domains)
        named["urls"] = json_numbers(sorted(coverage.urls))
        listed = "IN (SELECT value FROM json_each(:{}))".format
        where.append(f"(b.to_domain {listed('whole')} OR {TARGET_ID} {listed('urls')})")
        return "json_each(:domains) d CROSS JOIN bundle b ON b.to_domain = d.value"

    # ---------------------------------------------------------------- what is covered

    def _find_domain(self, name: str) -> int | None:
        for (found,) in self._rows("SELECT id FROM domain WHERE name = ?", (name,)):
            return int(found)
        return None

    def _covered(self, target: Target) -> Coverage:
        """Return what a target covers, as it is written."""
        if target.name:
            domain = self._find_domain(target.name)
            if domain is not None:  # a name that is both stands for the whole domain
                return Coverage([domain], set())
            host = self._find_host(target.name)
            found = self._rows(_OF_HOST, (*url_range(host.domain), host.id)) if host else ()
            return Coverage([], {row[0] for row in found})
        if target.prefixes:
            return Coverage([], {row[0] for prefix in target.prefixes for row in self._under(prefix)})
        return Coverage([], {number for url in target.urls if (number := self._find_url(url)) is not None})

    def _under(self, prefix: str) -> Iterator[tuple[int]]:
        name = urls.host_of(prefix)
        host = self._find_host(name)
        if host is not None:
            https = prefix.startswith("https")
            tail = prefix[(8 if https else 7) + len(name) :]
            yield from self._rows(
                _OF_PREFIX, (*url_range(host.domain), host.id << 1 | https, tail, tail + "\U0010ffff")
            )

    def _with_leading(self, coverage: Coverage, chains: Chains, as_of: int | None) -> Coverage:
        """Return the coverage with every URL whose hops lead through it or to it."""
        found: set[int] = set()
        reached = coverage
        for hop in range(_MOST_HOPS):
            leading: set[int] = set()
            for low, high, ends in spans(reached):
                leading.update(self._leading_to(low, high, ends, as_of))
            new = {url for url in leading if url not in coverage and url not in found}
            if hop:  # who leads there at once leads through it; from further off, a chain may be cut short
                new = {url for url in new if any(one in coverage for one in chains.passes(url))}
            if not new:
                break
            found |= new
            reached = Coverage([], new)
        return Coverage(coverage.domains, coverage.urls | found) if found else coverage

    def _broken(self, coverage: Coverage, chains: Chains) -> Iterator[int]:
        """Yield the targets of a coverage that lead nowhere."""
        query = f"SELECT p.url FROM page p WHERE p.url BETWEEN ? AND ? AND {_BROKEN}"  # noqa: S608
        leads = "SELECT DISTINCT url FROM lead WHERE url BETWEEN ? AND ?"
        for low, high, chosen in spans(coverage):
            for (url,) in self._rows(query, (low, high)):
                if (chosen is None or url in coverage.urls) and not chains.hops(url):
                    yield url
            for (url,) in self._rows(leads, (low, high)):
                if (
                    (chosen is None or url in coverage.urls)
                    and (passes := chains.passes(url))
                    and self._ends_badly(passes[-1])
                ):
                    yield url

    def _ends_badly(self, end: int) -> bool:
        query = f"SELECT {_BROKEN} FROM page p WHERE p.url = ?"  # noqa: S608
        return not end or any(row[0] for row in self._rows(query, (end,)))


def url_range(domain: int) -> tuple[int, int]:
    """Return the lowest and the highest number that a URL of a domain may have."""
    return domain << URL_BITS, domain << URL_BITS | URL_MASK


def spans(coverage: Coverage) -> Iterator[tuple[int, int, Sequence[int] | None]]:
    """Yield ranges of URL numbers: lowest, highest, and which of them are covered (None: all)."""
    for domain in coverage.domains:
        yield (*url_range(domain), None)
    of_domain: dict[int, list[int]] = {}
    for url in coverage.urls:
        of_domain.setdefault(url >> URL_BITS, []).append(url)
    for chosen in of_domain.values():
        yield min(chosen), max(chosen), chosen


def _on_looks(selection: Selection, named: dict[str, Any]) -> list[str]:
    """Return the conditions that all links of a bundle fulfil, or none."""
    where = []
    if selection.follow is not None:
        named["follow"] = selection.follow
        where.append(FOLLOW)
    for name, column, values in (("kinds", "k.kind", selection.kinds), ("placements", PLACEMENT, selection.placements)):
        if values:
            named |= {f"{name}{at}": value for at, value in enumerate(values)}
            where.append(f"{column} IN ({', '.join(f':{name}{at}' for at in range(len(values)))})")
    for at, token in enumerate(selection.rel):
        named[f"rel{at}"] = f" {token} "
        where.append(f"instr(' ' || k.rel || ' ', :rel{at})")
    return where


def _arms(selection: Selection, named: dict[str, Any]) -> list[Arm]:
    seen = "max(p.read_at, p.first_visited + v.since)"
    if selection.as_of is not None:
        named["at"] = selection.as_of
        then = ["p.first_visited + v.since <= :at"]
        arms = [
            Arm("link", then, f"min({seen}, :at)"),
            Arm("past", [*then, "v.until > :at"], "min(v.confirmed, :at)"),
        ]
    else:
        live = Arm("link", ["b.live > 0"], seen, doubtful=DOUBTFUL)
        lost = Arm("past", ["b.lost > 0", "v.latest"], "v.confirmed", "v.until", "v.because")
        arms = {"live": [live], "lost": [lost], "all": [live, lost]}[selection.state]
    for arm in arms:
        arm.where = [*arm.where, *_in_time(selection, arm, named)]
    return arms


def _in_time(selection: Selection, arm: Arm, named: dict[str, Any]) -> Iterator[str]:
    bounds = []
    if selection.since is not None:
        named["since"] = selection.since
        bounds.append("{0} >= :since")
    if selection.until is not None:
        named["until"] = selection.until
        bounds.append("{0} < :until")
    if bounds:
        times = {"live": [FIRST_SEEN], "lost": [arm.lost_at], "all": [FIRST_SEEN, arm.lost_at]}[selection.state]
        yield f"({' OR '.join('(' + ' AND '.join(bounds).format(time) + ')' for time in times)})"
