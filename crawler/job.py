"""What a crawl is asked to do, kept in its frontier: seeds and scope. The same request again goes on where it stopped."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from crawler.consent import read_opt_out
from crawler.frontier import Budget, Frontier, open_frontier
from crawler.scope import REASONS, Scope, seed
from linkindex import urls
from linkindex.errors import BadInput, Incompatible


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Seeds are canonical URLs. ``run`` names the crawl in the index: when it was begun, in UTC, to the second; ``earlier``
    are the runs of the same job before it."""

    seeds: tuple[str, ...] = ()
    scope: Scope = Scope()
    run: str = ""
    earlier: tuple[str, ...] = ()


def read_job(frontier: Frontier) -> Job:
    """Return the job that a frontier was given; an empty one before."""
    try:
        return msgspec.convert(frontier.job(), Job)
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Incompatible(
            f"the frontier holds a job that is not as linkatlas writes it ({error}); put it away, and linkatlas reconcile "
            "makes another from the index"
        ) from error


def runs_of(job: Job) -> tuple[str, ...]:
    """Return the runs that a job has had, the latest first, whether they found anything new or not."""
    return tuple(reversed([*job.earlier, *([job.run] if job.run else [])]))


def begin(
    frontier: Frontier, seeds: Sequence[str], scope: Scope, budget: Budget, delay: float, *, again: bool = False
) -> Job:
    """Give a frontier its work: new seeds join those it has, and the scope holds from now on.

    What an earlier scope refused and this one admits is queued; what it queued and this one refuses is found out when
    it is leased. A crawl that goes on is the same run; with ``again`` another begins, which visits everything anew.
    """
    before = read_job(frontier)
    every = tuple(dict.fromkeys((*before.seeds, *seeds)))
    entries = [seed(url) for url in every]
    # Who opted out stays so until another list is given: a flag that is forgotten must not undo it.
    opted_out = scope.opted_out or before.scope.opted_out
    scope = msgspec.structs.replace(scope.around(entries), held=before.scope.held, opted_out=opted_out)
    frontier.set_budget(budget, delay)
    if scope != before.scope and before.seeds:
        _readmit(frontier, scope)
    frontier.add([scope.judged(entry) for entry in entries])
    earlier = (*before.earlier, before.run) if again and before.run else before.earlier
    job = _named(Job(seeds=every, scope=scope, run="" if again else before.run, earlier=earlier))
    frontier.set_job(msgspec.to_builtins(job))
    if again:
        frontier.again()
    return job


def _named(job: Job) -> Job:
    """Return the job with a name for its run: when it began, or the next second that no earlier run is named by."""
    began = datetime.now(UTC)
    while not job.run or job.run in job.earlier:
        job = msgspec.structs.replace(job, run=f"{began:%Y-%m-%dT%H:%M:%SZ}")
        began += timedelta(seconds=1)
    return job


def _readmit(frontier: Frontier, scope: Scope) -> None:
    frontier.add([scope.judged(entry) for entry in frontier.excluded(REASONS)])


def admit(frontier: Frontier, texts: Iterable[str], who: str = "") -> list[str]:
    """Add seeds, as people write them, to a job that may be under way; return what is wrong with those that are not URLs.

    The scope then stays near them too; nodes that are at work learn of it within seconds.
    """
    who = who or f"seed-{secrets.token_hex(8)}"
    seeds, wrong = [], []
    for text in texts:
        try:
            seeds.append(canonical_seed(text))
        except BadInput as error:
            wrong.append(str(error))
    with _changing(frontier, who):
        job = read_job(frontier)
        every = tuple(dict.fromkeys((*job.seeds, *seeds)))
        scope = job.scope.around([seed(url) for url in seeds])
        frontier.add([scope.judged(seed(url)) for url in seeds])
        if every != job.seeds:
            job = _named(msgspec.structs.replace(job, seeds=every, scope=scope))
            frontier.set_job(msgspec.to_builtins(job))
    return wrong


def hold(frontier: Frontier, pattern: str, *, let_go: bool = False) -> bool:
    """Keep URLs that match ``pattern`` from being visited, or let them go again. Return whether that changed anything."""
    with _changing(frontier, f"hold-{secrets.token_hex(8)}"):
        job = read_job(frontier)
        held = tuple(sorted({*job.scope.held} - {pattern} if let_go else {*job.scope.held, pattern}))
        if held == job.scope.held:
            return False
        scope = msgspec.structs.replace(job.scope, held=held)
        frontier.set_job(msgspec.to_builtins(msgspec.structs.replace(job, scope=scope)))
        if let_go:
            _readmit(frontier, scope)
        return True


@contextmanager
def _changing(frontier: Frontier, who: str) -> Iterator[None]:
    """Be the only one who changes the job: it is read and written back as a whole."""
    while wait := frontier.claim("job", who, 30.0):
        time.sleep(min(wait, 0.1))
    try:
        yield
    finally:
        frontier.unclaim("job", who)


def frontier_of(
    options: Any, *, create: bool = True, exclusive: bool = False, client: Mapping[str, object] | None = None
) -> Frontier:
    """Open the frontier that the options name (see :func:`crawler.frontier.open_frontier`)."""
    if not options.frontier_url:
        raise BadInput(
            "--frontier: an index on a server has none beside it; name redis://HOST:PORT/DB?job=NAME, "
            "or sqlite:///PATH for one machine"
        )
    return open_frontier(
        options.frontier_url,
        create=create,
        exclusive=exclusive,
        accept_volatile=options.accept_volatile or not create,  # who only looks loses nothing
        host_queue=options.host_queue,
        client=client,
    )


def scope_of(options: Any) -> Scope:
    """Return the scope that the options ask for (see ``settings.options``). Raises :class:`BadInput` for a bad ``opt_out``."""
    return Scope(
        depth=options.depth,
        stay=options.stay,
        include=tuple(options.include),
        exclude=tuple(options.exclude),
        opted_out=read_opt_out(options.opt_out) if options.opt_out else frozenset(),
        max_redirects=options.max_redirects,
        max_url=options.max_url,
    )


def budget_of(options: Any) -> Budget:
    """Return the budget that the options ask for."""
    return Budget(
        pages=options.max_pages,
        pages_per_host=options.max_pages_per_host,
        pages_per_domain=options.max_pages_per_domain,
        growth=options.more_pages_per_linker,
    )


def canonical_seed(text: str) -> str:
    """Return the canonical URL of a seed as a person writes it: ``example.com`` means ``https://example.com/``.

    Raises :class:`BadInput` with what is wrong and what to write.
    """
    spelled = urls.with_scheme(text.strip())
    url = urls.canonicalise(spelled) if spelled else None
    if url is None:
        raise BadInput(f"seed {text!r}: not an http or https URL; write https://example.com")
    return url
