"""The rules that make a canonical URL, by name and in order, and which of them act on a given spelling.

:func:`linkindex.urls.canonicalise` is what counts and what is fast; :func:`explain` takes the same way in small steps,
each of which leaves a spelling of the same resource, and ends where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from linkindex import urls

VERSION = 1
"""Of the rules and of the list of tracking parameters: it grows when one URL may get another canonical form."""

RULES = {
    "white space": "spaces and controls around the URL, tabs and line breaks inside it go (URL Standard 4.4)",
    "base": "what is relative is resolved against the page's base URL (URL Standard 4.4)",
    "scheme": "the scheme is in lower case, two slashes follow it, and backslashes are slashes (URL Standard 4.4)",
    "user info": "name and password go: they are nobody's business, and no other resource",
    "host": "lower case, percent-decoded, Unicode as A-labels, numbers as addresses (URL Standard 3.5)",
    "port": "the scheme's own port goes (URL Standard 4.4)",
    "dot segments": "/./ and /../ are resolved, an empty path is / (URL Standard 4.4)",
    "percent-encoding": "what URLs may not hold as it is, is percent-encoded; nothing is decoded (URL Standard 1.3)",
    "fragment": "what follows # is for the browser and goes",
    "tracking parameters": "those that only tell where a visitor comes from go (linkindex/tracking_parameters.txt)",
}


class Step(NamedTuple):
    """A rule that acted."""

    rule: str  # one of :data:`RULES`
    before: str
    after: str


class _Parts(NamedTuple):
    scheme: str
    user: str  # with its "@"
    host: str
    port: str  # with its ":"
    path: str
    query: str  # with its "?"
    fragment: str  # with its "#"


_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_SPLIT = re.compile(
    r"([a-z]+)://(?:([^/?#]*)@)?(\[[^\]/?#]*\]|[^:/?#]*)(:[^/?#]*)?([^?#]*)(\?[^#]*)?(#.*)?", re.I | re.S
)
_EDGES = "".join(map(chr, range(0x21)))
_DOTS = {".": 1, "%2e": 1, "..": 2, ".%2e": 2, "%2e.": 2, "%2e%2e": 2}


def explain(text: str, base: str | None = None) -> list[Step]:
    """Return the rules that turn ``text`` into its canonical form, in order; [] where it is canonical already.

    ``text`` must be one that :func:`linkindex.urls.parse` accepts, against ``base``, an absolute URL. The last step's
    ``after`` is the canonical form.
    """
    href = urls.parse(text, base)
    if href is None:
        raise ValueError(refusal(text, base))
    steps, before = [], text
    for rule, after in _spellings(text, base, href):
        if after != before:
            steps.append(Step(rule, before, after))
            before = after
    return steps


def refusal(text: str, base: str | None = None) -> str:
    """Return why ``text`` is no URL that could be crawled, "" where it is one."""
    if urls.parse(text, base) is not None:
        return ""
    spelled = _without_white_space(text)
    scheme = _ABSOLUTE.match(spelled)
    if not spelled:
        return "nothing there"
    if any("\ud800" <= char <= "\udfff" for char in spelled):
        return "a character that is none (a lone surrogate)"
    if scheme is None and base is None:
        return "no scheme; write https:// in front"
    if scheme is not None and scheme[0].lower() not in ("http:", "https:"):
        return f"scheme {scheme[0][:-1].lower()}; only http and https are crawled"
    parts = _split(_slashed(spelled))
    if parts is None or not parts.host:
        return "no host"
    port = parts.port[1:]
    if port and not (port.isascii() and port.isdigit() and int(port[:6]) < 1 << 16):
        return f"port {port}; ports are numbers up to 65535"
    return f"host {parts.host} cannot be one (URL Standard 3.5)"


def _spellings(text: str, base: str | None, href: str) -> Iterator[tuple[str, str]]:
    """Yield each rule with the spelling that it leaves."""
    spelled = _without_white_space(text)
    yield "white space", spelled
    if base is not None and urls.parse(spelled) != href:
        spelled = href
        yield "base", spelled
    spelled = _slashed(spelled)
    yield "scheme", spelled
    have, want = _split(spelled), _split(href)
    if have is None or want is None:  # a spelling so odd that only the parser understands it
        have = want = _split(href) or _Parts("", "", "", "", "", "", "")
        yield "base", href
    for rule, changed in (
        ("user info", {"user": ""}),
        ("host", {"host": want.host}),
        ("port", {"port": want.port}),
        ("dot segments", {"path": _without_dots(have.path)}),
        ("percent-encoding", {"path": want.path, "query": want.query}),
        ("fragment", {"fragment": ""}),
    ):
        have = have._replace(**changed)
        yield rule, _join(have)
    yield "tracking parameters", urls.canonical(href)


def _without_white_space(text: str) -> str:
    return text.strip(_EDGES).replace("\t", "").replace("\n", "").replace("\r", "")


def _slashed(spelled: str) -> str:
    """Return an absolute URL with its scheme in lower case and slashes where the parser reads slashes."""
    scheme = _ABSOLUTE.match(spelled)
    if scheme is None:
        return spelled
    rest = spelled[scheme.end() :]
    end = min((at for at in (rest.find("?"), rest.find("#")) if at >= 0), default=len(rest))
    return f"{scheme[0].lower()}//{rest[:end].replace(chr(92), '/').lstrip('/')}{rest[end:]}"


def _split(url: str) -> _Parts | None:
    match = _SPLIT.fullmatch(url)
    if match is None:
        return None
    scheme, user, *others = match.groups(default="")
    return _Parts(scheme, f"{user}@" if match[2] is not None else "", *others)


def _join(parts: _Parts) -> str:
    return f"{parts.scheme}://{''.join(parts[1:])}"


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        dots = _DOTS.get(segment.lower(), 0)
        if dots == 0:
            kept.append(segment)
        elif dots == 2 and kept:
            kept.pop()
    if segments and _DOTS.get(segments[-1].lower()):
        kept.append("")
    return "/" + "/".join(kept)
