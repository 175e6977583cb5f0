"""Which links a question is about, as people write it: read and checked here, for the command line and Python alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from linkindex import urls
from linkindex.errors import BadInput
from linkindex.model import KINDS, PLACEMENTS
from linkindex.store.selection import Selection, State
from linkindex.target import parse_target
from linkindex.when import When, read_when
from settings.values import nearest

Words = str | Iterable[str]  # several, or one text with commas between them


class Conditions(TypedDict, total=False):
    """The conditions of a question; what is left out does not matter. See :class:`linkindex.store.Selection`."""

    state: State
    internal: bool
    as_found: bool
    as_of: When | None
    since: When | None
    until: When | None
    follow: bool | None
    kind: Words
    placement: Words
    rel: Words
    source: str  # registrable domain that links
    anchor: str
    broken: bool


def select(
    target: str,
    *,
    state: State = "live",
    internal: bool = False,
    as_found: bool = False,
    as_of: When | None = None,
    since: When | None = None,
    until: When | None = None,
    follow: bool | None = None,
    kind: Words = (),
    placement: Words = (),
    rel: Words = (),
    source: str = "",
    anchor: str = "",
    broken: bool = False,
) -> Selection:
    """Return what is asked for. Raises :class:`BadInput` for what cannot be, with what would do.

    ``since`` and ``until`` include the days that they name; ``as_of`` is the end of its day.
    """
    selection = Selection(
        target=parse_target(target),
        state=state,
        internal=_switch(internal, "internal"),
        as_found=_switch(as_found, "as_found"),
        as_of=None if as_of is None else read_when(as_of, "as of", "last"),
        since=None if since is None else read_when(since, "since"),
        until=None if until is None else read_when(until, "until", "end"),
        follow=None if follow is None else _switch(follow, "follow"),
        kinds=_known(kind, KINDS, "kind"),
        placements=_known(placement, PLACEMENTS, "placement"),
        rel=tuple(word.lower() for word in _words(rel, "rel")),
        source=_domain(source) if source else "",
        anchor=_text(anchor, "anchor"),
        broken=_switch(broken, "broken"),
    )
    if state not in ("live", "lost", "all"):
        raise BadInput(f"state {state!r}: unknown; it is live, lost or all")
    if selection.as_of is not None and state != "live":
        raise BadInput("as of a day, links are asked for that were live then; leave out lost and all")
    if selection.since is not None and selection.until is not None and selection.since >= selection.until:
        raise BadInput(f"since {since} is not before until {until}: nothing can be between them; turn them round")
    return selection


def _text(value: str, what: str) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{what} {value!r}: give a text")
    return value


def _switch(value: bool, what: str) -> bool:
    if value not in (True, False):  # a numpy.bool_ is one of them
        raise BadInput(f"{what} {value!r}: neither True nor False")
    return bool(value)


def _words(words: Words, what: str) -> list[str]:
    try:
        texts = [words] if isinstance(words, str) else words
        return [word for text in texts for part in text.split(",") if (word := part.strip())]
    except (TypeError, AttributeError):
        raise BadInput(f"{what} {words!r}: give a text, or a list of texts") from None


def _known(words: Words, known: tuple[str, ...], what: str) -> tuple[str, ...]:
    found = tuple(word.lower() for word in _words(words, what))
    for word in found:
        if word not in known:
            near = nearest(word, known)
            meant = f"did you mean {near}? " if near else ""
            raise BadInput(f"{what} {word!r}: unknown; {meant}it is one of {', '.join(known)}")
    return found


def _domain(text: str) -> str:
    """Return the registrable domain that ``text`` names; a host of it is refused, for the answer would say more."""
    target = parse_target(text)
    domain = urls.domain_of(target.name or urls.host_of((*target.urls, *target.prefixes)[0]))
    if domain and target.name == domain:
        return domain
    raise BadInput(f"domain {text!r}: not a registrable domain; write {domain or 'example.com'}")
