"""What a crawl is asked to do, kept in its frontier: seeds and scope. The same request again goes on where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from crawler.frontier import Budget, Frontier
from crawler.scope import REASONS, Scope, seed
from linkindex import urls
from linkindex.errors import BadInput


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Seeds are canonical URLs."""

    seeds: tuple[str, ...] = ()
    scope: Scope = Scope()


def read_job(frontier: Frontier) -> Job:
    """Return the job that a frontier was given; an empty one before."""
    return msgspec.convert(frontier.job(), Job)


def begin(frontier: Frontier, seeds: Sequence[str], scope: Scope, budget: Budget, delay: float) -> Job:
    """Give a frontier its work: new seeds join those it has, and the scope holds from now on.

    What an earlier scope refused and this one admits is queued; what it queued and this one refuses is found out when
    it is leased.
    """
    before = read_job(frontier)
    every = tuple(dict.fromkeys((*before.seeds, *seeds)))
    entries = [seed(url) for url in every]
    scope = scope.around(entries)
    frontier.set_budget(budget, delay)
    if scope != before.scope and before.seeds:
        frontier.add([scope.judged(entry) for entry in frontier.excluded(REASONS)])
    frontier.add([scope.judged(entry) for entry in entries])
    job = Job(seeds=every, scope=scope)
    frontier.set_job(msgspec.to_builtins(job))
    return job


def scope_of(options: Any) -> Scope:
    """Return the scope that the options ask for (see ``settings.options``)."""
    return Scope(
        depth=options.depth,
        stay=options.stay,
        include=tuple(options.include),
        exclude=tuple(options.exclude),
        max_redirects=options.max_redirects,
        max_url=options.max_url,
    )


def budget_of(options: Any) -> Budget:
    """Return the budget that the options ask for."""
    return Budget(pages=options.max_pages, pages_per_host=options.max_pages_per_host)


def canonical_seed(text: str) -> str:
    """Return the canonical URL of a seed as a person writes it: ``example.com`` means ``https://example.com/``.

    Raises :class:`BadInput` with what is wrong and what to write.
    """
    spelled = urls.with_scheme(text.strip())
    url = urls.canonicalise(spelled) if spelled else None
    if url is None:
        raise BadInput(f"seed {text!r}: not an http or https URL; write https://example.com")
    return url
