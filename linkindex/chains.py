"""Where a URL leads in the end: redirects and canonicals followed from one to the next. Pure."""

from __future__ import annotations

from collections.abc import Callable

from linkindex.history import Lead

MOST_HOPS = 10


def follow(url: str, lead_of: Callable[[str], Lead | None]) -> list[Lead]:
    """Return the hops from ``url`` to where it leads in the end, [] where it is the end itself.

    A canonical that leads back ends the chain there (two copies may name each other). A redirect that goes round in
    circles, or on for more than :data:`MOST_HOPS`, leads nowhere: its last hop is repeated with the target "".
    """
    hops: list[Lead] = []
    met = {url}
    at = url
    while found := lead_of(at):
        if found.to in met and found.kind == "canonical":
            break
        if found.to in met or len(hops) == MOST_HOPS:
            return [*hops, Lead(to="", kind=found.kind, status=found.status)]
        hops.append(found)
        met.add(found.to)
        at = found.to
    return hops
