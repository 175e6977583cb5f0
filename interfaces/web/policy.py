"""What a page of ours may do, and who may ask for it. Pure: every answer and every request goes through here.

A browser on the operator's machine can be made to ask us by any page that it shows: by a name that its owner points at
127.0.0.1 (rebinding), by a form or a script of his. So a request must name a host that we go by, and one that a page sent
must come from a page of ours. No header ever allows another origin to read an answer (no CORS).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape
from types import MappingProxyType

from linkindex import urls
from linkindex.text import safe_text

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD"})  # RFC 9110, 9.2.1; nothing that changes state may be asked by these

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",  # which site somebody looks into is nobody's business
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)
"""Of every answer."""


def in_html(text: str) -> str:
    """Return a stranger's text as it may stand in an element or a quoted attribute: markup escaped, controls shown."""
    return escape(safe_text(text), quote=True)


def href(url: str) -> str:
    """Return the value of an ``href`` that leads to a stranger's URL, "" where that is not http or https."""
    found = urls.parse(url)
    return escape(found, quote=True) if found else ""


def host_refusal(host: str, allowed: Collection[str] = LOCAL_HOSTS) -> str:
    """Return why a request with this Host header is not answered, "" where it is. ``allowed`` are names without ports."""
    name = urls.hostname_of(host.strip().lower())
    return "" if name in allowed else f"host {safe_text(host[:100])!r} is not one of ours; ask by localhost"


def origin_refusal(method: str, host: str, origin: str | None, site: str | None) -> str:
    """Return why a request is not acted on, "" where it is.

    ``host``, ``origin`` and ``site`` are the headers Host, Origin and Sec-Fetch-Site, None where they are absent: a program
    that is no browser sends neither. What only reads may be asked from anywhere, for nobody else can read the answer.
    """
    if method.upper() in SAFE_METHODS:
        return ""
    if origin is None:
        return "" if site in (None, "same-origin", "none") else f"a request from another site ({safe_text(site)})"
    same = origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")
    return "" if same else f"a request from a page of {safe_text(origin[:100])!r}"
