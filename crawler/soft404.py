"""Pages that answer 200 and mean 404. Pure.

Many sites answer with a page, or send to one, whatever is asked for. What they answer with is found out by a *probe*: each
host is asked once for a page that cannot be there. What comes later and is that very answer is no page.

To lose a real page is worse than to keep a page that is none. So a document has to have the probe's text and enough of it
(an application draws all its pages into one empty shell), or nearly its text, its title and as many links; and a redirect has
to lead to the probe's own place within the domain, from what is no way to a home page, and not to a door (to sign in, to
consent), before which a site sends everybody.
"""

from __future__ import annotations

import re

import msgspec

from crawler.extract.digests import distance
from linkindex import urls
from linkindex.model import Outcome, Visit

REASON = "soft_404"
FRESH = 7 * 24 * 3600 * 1000  # ms that the answer to a probe is believed; error pages change with the design of a site
SILENT = 24 * 3600 * 1000  # ms until a host that did not answer is asked again
HOPS = 3  # redirects of a probe that keep its name (https, a slash) and are followed

NEAR = 4  # bits of the near digest (crawler.extract.digests.distance), to which digits are nothing: a date, a number
WORDS = 30  # of a text that is the probe's, where it does not say what it is
LINKS = 3
_SLACK = 20  # one word, one link in so many may differ

# Words of titles in the languages that most pages are in.
_SAYS_SO = re.compile(
    r"\b404\b|\b410\b|not found|no longer (available|exists)|doesn.t exist|does not exist|nicht gefunden|introuvable"
    r"|n.existe pas|no encontrad|no existe|não encontrad|nao encontrad|non trovat|niet gevonden|hittades inte|ikke fun"
    r"|ei löydy|nie znalezion|nenalezen|nem található|bulunamad|не найден|не знайден|غير موجود|לא נמצא|未找到|不存在|找不到"
    r"|見つかりません|찾을 수 없",
    re.IGNORECASE,
)
_HOME = re.compile(
    r"/(?:[a-z]{2}(?:[-_][a-z]{2})?/?|(?:index|default|home|main|start|welcome)(?:\.\w{2,5})?/?)?", re.IGNORECASE
)
_DOOR = re.compile(
    r"(?<![a-z])(?:log-?in|sign-?(?:in|up)|auth|sso|accounts?|register|consent|cookie|gdpr|privacy|verif|captcha|age)",
    re.IGNORECASE,
)
_READ = frozenset(("text", "image", "area"))  # kinds of links that a reader sees


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """What a host answers for a page that is not there, as far as it could be taken for a page; all empty where it cannot."""

    until: int = 0  # ms since 1970 by the frontier's clock, when it is to be asked again
    redirect: str = ""  # canonical URL
    title: str = ""
    text: int = 0
    near: int = 0
    words: int = 0
    links: int = 0


def unpack(note: bytes) -> Missing:
    """Return what was noted of a host; what was never heard where the note is strange."""
    try:
        return msgspec.msgpack.decode(note, type=Missing) if note else Missing()
    except msgspec.MsgspecError:
        return Missing()


def is_home(url: str) -> bool:
    """Return whether a URL is that of a site's first page, or of one in a language: it is there, whatever it looks like."""
    path = url[url.index("/", url.index("//") + 2) :]
    return _HOME.fullmatch(path) is not None


def further(visit: Visit, probe: str) -> str:
    """Return where a host sends who asks it for ``probe``, if it asks the same there: the answer is not told yet."""
    target = urls.canonical(visit.redirect) if visit.redirect else ""
    name = probe.rstrip("/").rpartition("/")[2]
    return target if name in target and urls.host_of(target) == urls.host_of(probe) else ""


def learned(visit: Visit, until: int) -> Missing:
    """Return what a probe tells. An honest host (404), and one that says nothing now, is never mistaken for more."""
    if visit.outcome is Outcome.REDIRECT:
        return Missing(until=until, redirect=_place(visit))
    if visit.outcome is not Outcome.PAGE or visit.cut:
        return Missing(until=until)
    return Missing(
        until=until,
        title=visit.title,
        text=visit.text_digest,
        near=visit.near_digest,
        words=visit.words,
        links=_links(visit),
    )


def judged(visit: Visit, missing: Missing | None) -> Visit:
    """Return ``visit``, as gone where it is no more than what its host answers for a page that is not there."""
    if missing is None or is_home(visit.url) or not (_is_sent_away(visit, missing) or _is_error_page(visit, missing)):
        return visit
    return msgspec.structs.replace(visit, outcome=Outcome.GONE, reason=REASON, redirect="", canonical="", links=())


def _is_sent_away(visit: Visit, missing: Missing) -> bool:
    if visit.outcome is not Outcome.REDIRECT or not missing.redirect:
        return False
    return _place(visit) == missing.redirect


def _place(visit: Visit) -> str:
    """Return where a redirect leads that may say "not here"; "" where it says something else."""
    target = urls.canonical(visit.redirect)
    host = urls.host_of(target)
    ours = urls.domain_of(host) == urls.domain_of(urls.host_of(visit.url))
    return target if ours and not _DOOR.search(target) else ""


def _is_error_page(visit: Visit, missing: Missing) -> bool:
    if visit.outcome is not Outcome.PAGE or visit.cut or visit.title != missing.title:
        return False
    says_so = _SAYS_SO.search(missing.title) is not None
    if visit.text_digest == missing.text != 0:
        return says_so or (missing.words >= WORDS and missing.links >= LINKS)
    if not (visit.near_digest and missing.near) or distance(visit.near_digest, missing.near) > NEAR:
        return False
    return _alike(visit.words, missing.words) and _alike(_links(visit), missing.links) and missing.links >= LINKS


def _alike(one: int, other: int) -> bool:
    return abs(one - other) <= max(one, other) // _SLACK + 1


def _links(visit: Visit) -> int:
    return len({link.target for link in visit.links if link.kind in _READ})
