"""Pages without a word on what their parts are, and what those words said: truth for placement by structure alone.

The truth of a link is the innermost landmark around it that decides, by element
(https://www.w3.org/TR/html-aam-1.0/) or by ARIA role: nav is navigation wherever it stands; header is the header unless
an article or main is around it; footer is the footer unless an article is around it; aside is the sidebar; main and
article are content. A link under no landmark has no truth.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from benchmarks.truth.reference import PAGES, page_bytes
from linkindex.urls import domain_of, host_of

CLASSES = ("content", "navigation", "header", "footer", "sidebar")
_LANDMARKS = frozenset(("nav", "header", "footer", "aside", "main", "article"))
_ROLES = {
    "navigation": "nav",
    "banner": "header",
    "contentinfo": "footer",
    "complementary": "aside",
    "main": "main",
    "article": "article",
}
_PLACEMENTS = {
    "nav": "navigation", "header": "header", "footer": "footer",
    "aside": "sidebar", "main": "content", "article": "content",
}  # fmt: skip
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_RAW = frozenset("script style xmp iframe noembed noframes plaintext".split())
_HINTING = frozenset(("role", "class", "id"))


@dataclass
class Page:
    """A page of the oracle: with its landmarks, without them, and the placement of each link (None: no landmark)."""

    name: str
    type: str
    url: str
    body: bytes
    stripped: bytes
    truth: list[tuple[str, str | None]]  # (href as written, placement) of each a and area with an href, in order
    main_content: str

    @property
    def site(self) -> str:
        """Registrable domain, so that no site is trained on and tested at once."""
        return domain_of(host_of(self.url)) if self.url else self.name


def pages() -> Iterator[Page]:
    """Yield every page of the oracle, none where it is absent."""
    for path in sorted(PAGES.glob("wcxb/*.html.gz")):
        yield page(path)


def page(path: Path) -> Page:
    """Return the page in ``path``, which a JSON file of the same name describes."""
    body = page_bytes(path)
    about = json.loads(path.with_name(path.name.replace(".html.gz", ".json")).read_text())
    without, truth = parsed(body)
    return Page(
        name=path.name[:4],
        type=about["_internal"]["page_type"]["primary"],
        url=about["url"],
        body=body,
        stripped=without,
        truth=truth,
        main_content=about["ground_truth"]["main_content"],
    )


def parsed(body: bytes) -> tuple[bytes, list[tuple[str, str | None]]]:
    """Return a page without hints, and the href and truth of each of its links."""
    root = LexborHTMLParser(body).root
    written: list[str] = ["<!doctype html>"]
    truth: list[tuple[str, str | None]] = []
    if root is not None:
        _strip(root, written, truth)
    return "".join(written).encode(errors="replace"), truth


def _strip(root: LexborNode, written: list[str], truth: list[tuple[str, str | None]]) -> None:
    """Write the tree without what hints at placement, and note what the landmarks said of each link."""
    waiting: list[tuple[LexborNode | str, tuple[str, ...]]] = [(root, ())]
    while waiting:
        node, around = waiting.pop()
        if isinstance(node, str):
            written.append(node)
            continue
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            raw = node.parent is not None and node.parent.tag in _RAW
            written.append(text if raw else html.escape(text, quote=False))
        if tag.startswith("-") or tag == "template":
            continue
        landmark = _ROLES.get(node.attributes.get("role") or "") or (tag if tag in _LANDMARKS else "")
        inside = (*around, landmark) if landmark else around
        if tag in ("a", "area") and "href" in node.attributes:
            truth.append((node.attributes["href"] or "", placement(inside)))
        name = "div" if tag in _LANDMARKS else tag
        written.append(_start(name, node.attributes))
        if tag not in _VOID:
            waiting.append((f"</{name}>", ()))
            waiting.extend((child, inside) for child in reversed(list(node.iter(include_text=True))))


def _start(name: str, attributes: dict[str, str | None]) -> str:
    kept = (
        f' {key}="{html.escape(value or "")}"'
        for key, value in attributes.items()
        if key not in _HINTING and not key.startswith("aria-")
    )
    return f"<{name}{''.join(kept)}>"


def placement(landmarks: tuple[str, ...]) -> str | None:
    """Return what the landmarks around a link, outermost first, say of it."""
    for depth in range(len(landmarks) - 1, -1, -1):
        around = landmarks[:depth]
        if landmarks[depth] == "header" and ("article" in around or "main" in around):
            continue
        if landmarks[depth] == "footer" and "article" in around:
            continue
        return _PLACEMENTS[landmarks[depth]]
    return None
