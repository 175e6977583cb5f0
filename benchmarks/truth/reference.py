"""A second opinion on the links of a page: html5lib's tree and a plain recursive reading of it.

Slow and simple on purpose, and written from the rules rather than from :mod:`crawler.extract`: where the two agree,
neither the other parser nor the one-pass walk has changed what a page links to.
"""

from __future__ import annotations

import gzip
import re
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ada_url
import html5lib
from html5lib.constants import DataLossWarning
from selectolax.lexbor import LexborHTMLParser

from crawler.extract import read_page
from crawler.extract.reading import Reading
from crawler.extract.tree import read

PAGES = Path(__file__).parents[3] / "shared/oracles/pages"
XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}href"

Seen = tuple[str, str, tuple[str, ...]]  # resolved href, anchor, rel

_NOT_TEXT = set(
    "script style title textarea select datalist iframe noembed noframes template audio video canvas".split()
)
_OWN_LINE = set(
    "address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption "
    "figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol "
    "optgroup option p plaintext pre search section summary table tbody td tfoot th thead tr ul xmp".split()
)


def page_paths() -> list[Path]:
    """Return the files of all real pages, none where the oracles are absent."""
    return sorted(PAGES.glob("wcxb/*.html.gz")) + sorted(PAGES.glob("readability/*/source.html"))


def page_bytes(path: Path) -> bytes:
    """Return the page in ``path``, unpacked."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def reading_of(body: bytes) -> Reading:
    """Return what the walk finds in a page of UTF-8, without a limit."""
    root = LexborHTMLParser(body).root
    return Reading() if root is None else read(root, 10**9)


@dataclass
class Comparison:
    """Links of one page: how many both saw alike, and what only one of them saw."""

    path: Path
    alike: int
    only_reference: Counter[Seen]
    only_ours: Counter[Seen]


def compare(path: Path, url: str = "https://www.example.com/a/page") -> Comparison:
    """Compare every ``a`` and ``area`` link of a page. Both read it as UTF-8, so that only the trees differ."""
    body = page_bytes(path)
    ours = Counter(
        (link.target, link.anchor, link.rel)
        for link in read_page(body, url, headers={"content-type": "text/html; charset=utf-8"}, max_links=10**9).links
        if link.kind in ("text", "image", "area")
    )
    reference = Counter(links(body, url))
    return Comparison(path, (ours & reference).total(), reference - ours, ours - reference)


def links(body: bytes, url: str) -> list[Seen]:
    """Return the links of ``body`` as html5lib sees them, those to the page itself left out (see ``read_page``)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataLossWarning)
        root = html5lib.parse(body, transport_encoding="utf-8", treebuilder="etree")
    base = _base(root, url)
    seen = []
    for element in _walk(root):
        if element.tag not in (XHTML + "a", XHTML + "area", SVG + "a"):
            continue
        href = element.get("href", element.get(XLINK) if element.tag == SVG + "a" else None)
        target = None if href is None else _resolve(href, base)
        if target is None or target.split("#")[0] == url:
            continue
        rel = tuple(sorted(set(re.findall(r"[^\t\n\f\r ]+", element.get("rel", "").lower()))))
        seen.append((target, _name(element), rel))
    return seen


def _walk(root: Any) -> list[Any]:
    """All elements in order. html5lib keeps a template's content as children: those of shadow roots are looked at."""
    waiting, found = [root], []
    while waiting:
        element = waiting.pop()
        found.append(element)
        if element.tag != XHTML + "template" or element.get("shadowrootmode") in ("open", "closed"):
            waiting.extend(child for child in reversed(element) if isinstance(child.tag, str))
    return found


def _base(root: Any, url: str) -> str:
    for element in root.iter(XHTML + "base"):
        if "href" in element.attrib:
            try:
                return str(ada_url.join_url(url, element.get("href")))
            except ValueError:
                return url
    return url


def _resolve(href: str, base: str) -> str | None:
    try:
        target = str(ada_url.join_url(base, href))
    except ValueError:
        return None
    return target if re.match("https?://", target) else None


def _name(element: Any) -> str:
    """The anchor text: what is read, then what names the images, then what names the link."""
    if element.tag == XHTML + "area":
        candidates = [element.get("alt"), element.get("aria-label"), element.get("title")]
    else:
        images = " ".join(dict.fromkeys(filter(None, _alternatives(element))))
        candidates = ["".join(_texts(element)), images, element.get("aria-label"), element.get("title")]
    return next((cut for text in candidates if text and (cut := " ".join(text.split())[:512].rstrip())), "")


def _texts(element: Any) -> list[str]:
    """Text below ``element`` as a reader sees it; blocks and line breaks part words."""
    texts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and not _unread(child):
            name = child.tag.split("}")[-1]
            edge = " " if name in _OWN_LINE else ""
            texts += [edge, *_texts(child), edge]
        texts.append(child.tail or "")
    return texts


def _alternatives(element: Any) -> list[str]:
    found = []
    for child in element:
        if not isinstance(child.tag, str) or _is_hidden(child) or child.tag == XHTML + "template":
            continue
        if child.tag == XHTML + "img":
            found.append(child.get("alt", ""))
        elif child.tag == SVG + "svg":
            found.append(child.get("aria-label", ""))
        elif child.tag == SVG + "title":
            found.append("".join(child.itertext()))
        found += _alternatives(child)
    return found


def _unread(element: Any) -> bool:
    name = element.tag.split("}")[-1]
    return name in _NOT_TEXT or element.tag in (SVG + "desc", SVG + "metadata") or _is_hidden(element)


def _is_hidden(element: Any) -> bool:
    style = element.get("style", "").lower().replace(" ", "")
    hidden_by_style = any(rule.startswith("display:none") for rule in style.split(";"))
    return "hidden" in element.attrib or element.get("aria-hidden") == "true" or hidden_by_style


sys.setrecursionlimit(max(10_000, sys.getrecursionlimit()))  # real pages nest up to some hundred levels
