"""What the index knows that a frontier has to be told: URLs that wait outside, and all of them when a frontier was lost."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from crawler.frontier import Entry, Frontier
from crawler.job import Job, read_job
from crawler.scope import Scope, seed
from linkindex.model import Outcome
from linkindex.store import LinkIndex, Named, Visited, open_index

_BATCH = 1000
_JOB = "job"  # in `about`
ANSWER = 2.0  # s that one try waits for an index that is away, or that others write to


class IndexSources:
    """:class:`crawler.errands.Sources` over an index, opened for each question: it is asked from many threads."""

    def __init__(self, index: str) -> None:
        self._index = index

    def waiting(self, host: str, scope: Scope) -> Iterator[Entry]:
        with open_index(self._index, wait=ANSWER) as index:
            yield from entries(index, scope, host)

    def keep(self, job: Job) -> None:
        with open_index(self._index, wait=ANSWER) as index:
            keep_job(index, job)

    def links(self) -> int:
        """Return how many links the index holds, roughly. Raises what keeps it from being asked."""
        with open_index(self._index, wait=ANSWER) as index:
            return index.grown()


def keep_job(index: LinkIndex, job: Job) -> None:
    """Note in the index what the crawl is asked to do: a frontier that is lost is rebuilt from it."""
    noted = msgspec.json.encode(job)
    if job.seeds and index.about(_JOB) != noted:
        index.put_about(_JOB, noted)


def kept_job(index: LinkIndex) -> Job:
    """Return the job that :func:`keep_job` noted, an empty one where there was none."""
    noted = index.about(_JOB)
    try:
        return msgspec.json.decode(noted, type=Job) if noted else Job()
    except (msgspec.DecodeError, TypeError, UnicodeDecodeError):
        return Job()  # it is a copy: the frontier has it, or begins anew


def entries(index: LinkIndex, scope: Scope, host: str = "") -> Iterator[Entry]:
    """Yield the URLs of a host ("": of all) that live links lead to, as ``scope`` judges them; some twice."""
    return (scope.judged(_entry(named)) for named in index.named(host))


class Rebuilt(msgspec.Struct, frozen=True):
    """What a frontier was told: pages that were visited, URLs that are to be."""

    visited: int
    queued: int


def rebuild(frontier: Frontier, index: LinkIndex) -> Rebuilt:
    """Tell a frontier all that the index knows, for a frontier that was lost or set back. What it knows stays as it is.

    The job (seeds, scope) is as the frontier has it, where that is lost too, as the index does. Pages whose last visit
    failed are visited again.
    """
    job = read_job(frontier)
    if not job.seeds:
        job = kept_job(index)
        frontier.set_job(msgspec.to_builtins(job))
    scope = job.scope
    visited = queued = 0
    pages = (entry_of(page, scope) for page in index.visited() if page.outcome != Outcome.UNREACHABLE)
    for batch in batches(pages):
        visited += frontier.remember(batch)
    queued += frontier.add([scope.judged(seed(url)) for url in job.seeds]).new
    for batch in batches(entries(index, scope)):
        queued += frontier.add(batch).new
    return Rebuilt(visited, queued)


def visit_anew(frontier: Frontier, index: LinkIndex) -> None:
    """Queue what earlier runs of the job visited, for a frontier that has forgotten what that was."""
    job = read_job(frontier)
    for run in () if frontier.keeps_ended else job.earlier:
        for batch in batches(entry_of(page, job.scope) for page in index.visited(run=run)):
            frontier.add(batch, again=True)


def missing(frontier: Frontier, index: LinkIndex) -> int:
    """Count the URLs that the index knows, and that should be known to the frontier and are not."""
    scope = read_job(frontier).scope
    known = {page.url for page in index.visited() if page.outcome != Outcome.UNREACHABLE}
    known |= {entry.url for entry in entries(index, scope) if not entry.excluded}
    return sum(frontier.why(url) is None for url in known)


def entry_of(page: Visited, scope: Scope) -> Entry:
    """Return the entry of a page that was visited, as ``scope`` judges it."""
    return scope.judged(Entry(url=page.url, host=page.host, domain=page.domain, depth=page.depth))


def batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    """Cut a stream of entries to what a frontier takes at once."""
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _entry(named: Named) -> Entry:
    return Entry(
        url=named.url,
        host=named.host,
        domain=named.domain,
        depth=named.depth,
        hops=int(named.redirected),
        sitemap=int(named.sitemap),
    )
