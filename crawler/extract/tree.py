"""One pass over a parsed document: the links in it as they are written, and the text that a reader sees around them.

The walk keeps its own stack and never looks back: neither depth nor number of nodes costs more than their sum.

Tree construction is lexbor's (HTML Standard, scripting off: the content of ``<noscript>`` is part of the page). The
content of a ``<template>`` is inert, save that of a declarative shadow root
(https://html.spec.whatwg.org/#attr-template-shadowrootmode).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from crawler.extract import placement
from crawler.extract.placement import Zone
from crawler.extract.reading import Found, Reading, Span

Attributes = dict[str, str | None]

# https://html.spec.whatwg.org/#flow-content-3 and the sections after it: what is rendered on lines of its own.
BLOCKS = frozenset(
    "address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption "
    "figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol "
    "optgroup option p plaintext pre search section summary table tbody td tfoot th thead tr ul xmp".split()
)
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_UNREAD = frozenset(("script", "style", "-comment", "-doctype"))  # nothing in them is ours
# Text inside is not rendered as text of the page: code, controls, and what stands in where media cannot play.
SILENT = frozenset(
    "title textarea select datalist iframe noembed noframes template audio video canvas desc metadata".split()
)
# https://dom.spec.whatwg.org/#dom-element-attachshadow, beside custom elements.
_SHADOW_HOSTS = frozenset(
    "article aside blockquote body div footer h1 h2 h3 h4 h5 h6 header main nav p section span".split()
)
# Of what only tells about the page, so much is enough.
MAX_TIMES, MAX_SCRIPTS, MAX_ASSETS, ASSET_CHARS = 50, 50, 100, 200
_HIDING = frozenset(("hidden", "aria-hidden", "style"))
_DISPLAY_NONE = re.compile(r"(?:^|;)\s*display\s*:\s*none\b", re.I)


@dataclass(slots=True)
class _Scope:
    """What an element passes on to its content. Never changed, as siblings share it."""

    zone: Zone = placement.UNKNOWN
    silent: bool = False
    foreign: bool = False  # inside svg
    link: Found | None = None


class _Full(Exception):
    """The limit of links is reached."""


def read(root: LexborNode, max_links: int) -> Reading:
    """Walk the document under ``root``; stop after ``max_links`` elements that link."""
    walk = _Walk(max_links)
    try:
        walk.run(root)
    except _Full:
        walk.reading.cut = True
    return walk.reading


class _Walk:
    def __init__(self, max_links: int) -> None:
        self.reading = Reading(pieces=[" "])
        self.max_links = max_links
        self.pieces = self.reading.pieces
        self.block = Span(0)  # the innermost one that is open
        self.heading: Span | None = None  # the last one that is closed
        self.shadow_hosts: set[int] = set()

    def run(self, root: LexborNode) -> None:
        """Visit every node once, in document order."""
        ancestors: list[tuple[LexborNode, str, _Scope, Span, Span | None]] = []
        self.reading.language = root.attributes.get("lang") or root.attributes.get("xml:lang") or ""
        scope = _Scope()
        node = root
        while True:
            tag = node.tag
            if tag == "-text":
                if not scope.silent:
                    text = node.text_content
                    if text and not text.isspace():
                        self.pieces.append(text)
                    else:
                        self._blank()
            elif tag is not None and tag not in _UNREAD:
                block = self.block
                inner, span = self._enter(node, tag, scope)
                child = node.first_child if tag != "template" else self._shadow_root(node)
                if child is not None:
                    ancestors.append((node, tag, scope, block, span))
                    node, scope = child, inner
                    continue
                if span is not None:
                    self._leave(tag, span, block)
            elif tag == "script":
                self._script(node)
            following = node.next
            while following is None:
                if not ancestors:
                    return
                node, tag, scope, block, span = ancestors.pop()
                if span is not None:
                    self._leave(tag, span, block)
                following = node.next
            node = following

    def _blank(self) -> None:
        if self.pieces[-1] != " ":
            self.pieces.append(" ")

    def _enter(self, node: LexborNode, tag: str, scope: _Scope) -> tuple[_Scope, Span | None]:
        """Return what holds inside the element, and the span that is to end with it, if any."""
        attributes = node.attributes
        if attributes and not scope.silent and not _HIDING.isdisjoint(attributes) and _hides(attributes):
            scope = _Scope(scope.zone, True, scope.foreign, scope.link)
        if tag in BLOCKS:
            if self.pieces[-1] != " ":
                self.pieces.append(" ")
            self.block = span = Span(len(self.pieces))
            return (_inside(tag, attributes, scope) if attributes or tag in placement.LANDMARKS else scope), span
        if tag == "a":
            return self._enter_a(attributes, scope)
        if tag in _OPENERS:
            _OPENERS[tag](self, node, attributes, scope)
        if tag in SILENT:
            scope = _Scope(scope.zone, True, scope.foreign, scope.link)
        elif tag in ("svg", "foreignObject"):
            scope = _Scope(scope.zone, scope.silent, tag == "svg", scope.link)
        return scope, None

    def _leave(self, tag: str, span: Span, outer_block: Span) -> None:
        pieces = self.pieces
        span.end = len(pieces)
        if tag != "a":
            self.block = outer_block
            if tag in HEADINGS and not all(map(str.isspace, pieces[span.start :])):
                self.heading = span
            if pieces[-1] != " ":
                pieces.append(" ")

    def _shadow_root(self, template: LexborNode) -> LexborNode | None:
        """Return the first node of the shadow root that ``template`` declares, None where it declares none."""
        if (template.attributes.get("shadowrootmode") or "").lower() not in ("open", "closed"):
            return None
        host = template.parent
        if host is None or not (host.tag in _SHADOW_HOSTS or "-" in (host.tag or "-")[1:]):
            return None
        if host.mem_id in self.shadow_hosts:  # only the first one becomes the shadow root
            return None
        self.shadow_hosts.add(host.mem_id)
        fragments = template.template_fragments()
        return fragments[0].first_child if fragments else None

    def _script(self, node: LexborNode) -> None:
        """Take the address of a script, or the text of one that is JSON-LD."""
        attributes = node.attributes
        if source := attributes.get("src"):
            self._asset(source)
        elif "ld+json" in (attributes.get("type") or "").lower() and len(self.reading.scripts) < MAX_SCRIPTS:
            self.reading.scripts.append(node.text())

    def _asset(self, address: str | None) -> None:
        if address and len(self.reading.assets) < MAX_ASSETS:
            self.reading.assets.append(address[:ASSET_CHARS])

    def _add(self, found: Found) -> None:
        if len(self.reading.found) >= self.max_links:
            raise _Full
        self.reading.found.append(found)

    def _found(self, kind: str, href: str, label: str, attributes: Attributes, scope: _Scope) -> Found:
        """Add a link that stands in the text here."""
        here = len(self.pieces)
        span = Span(here, here)
        found = Found(kind, href, attributes.get("rel") or "", label, scope.zone, span, self.block, self.heading)
        self._add(found)
        return found

    def _enter_a(self, attributes: Attributes, scope: _Scope) -> tuple[_Scope, Span | None]:
        name = "href" if "href" in attributes or not scope.foreign else "xlink:href"
        if name not in attributes:
            return scope, None
        label = attributes.get("aria-label") or attributes.get("title") or ""
        found = self._found("text", attributes[name] or "", label, attributes, scope)
        # A link that is itself hidden (a closed menu) still has its text: only what is hidden inside a link is out.
        return _Scope(scope.zone, False, scope.foreign, found), found.text

    # Openers: what the walk does when it enters an element of that name.

    def open_area(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> None:
        if "href" not in attributes:
            return
        label = attributes.get("alt") or attributes.get("aria-label") or attributes.get("title") or ""
        self._found("area", attributes["href"] or "", label, attributes, scope)

    def open_frame(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> None:
        if not (source := attributes.get("src")):
            return
        label = attributes.get("title") or attributes.get("aria-label") or ""
        self._found("frame", source, label, attributes, scope)

    def open_link(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> None:
        rel = (attributes.get("rel") or "").lower().split()
        kind = next((kind for word, kind in _LINK_KINDS if word in rel), None)
        self._asset(attributes.get("href"))
        if kind is not None and attributes.get("href") and not (kind == "alternate" and "stylesheet" in rel):
            self._add(Found(kind, attributes["href"] or "", attributes["rel"] or "", attributes.get("title") or ""))

    def open_meta(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> None:
        content = attributes.get("content") or ""
        if name := attributes.get("name"):
            self.reading.metas.append((name, content))
        if (name := attributes.get("property") or attributes.get("itemprop")) and content:
            self.reading.properties.append((name, content))
        if pragma := attributes.get("http-equiv"):
            self.reading.pragmas.setdefault(pragma.lower(), content)

    def open_time(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> None:
        moment = attributes.get("datetime") or attributes.get("content")
        if moment and len(self.reading.times) < MAX_TIMES:
            called = attributes.get("itemprop") or ("pubdate" if "pubdate" in attributes else attributes.get("class"))
            self.reading.times.append((called or "", moment))

    def open_base(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> None:
        if self.reading.base is None and "href" in attributes:
            self.reading.base = attributes["href"] or ""

    def open_title(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> None:
        if scope.foreign:  # the name of a drawing
            if scope.link is not None and not scope.silent:
                scope.link.graphics.append(node.text())
        elif not self.reading.title:
            self.reading.title = node.text()

    def open_img(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> None:
        if scope.link is not None and not scope.silent:
            scope.link.graphics.append(attributes.get("alt") or "")

    def open_svg(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> None:
        if scope.link is not None:
            scope.link.graphics.append("" if scope.silent else attributes.get("aria-label") or "")


_OPENERS = {
    "area": _Walk.open_area,
    "iframe": _Walk.open_frame,
    "frame": _Walk.open_frame,
    "link": _Walk.open_link,
    "meta": _Walk.open_meta,
    "base": _Walk.open_base,
    "time": _Walk.open_time,
    "title": _Walk.open_title,
    "img": _Walk.open_img,
    "svg": _Walk.open_svg,
}
# Words of rel on a link element, the most telling first.
_LINK_KINDS = (
    ("canonical", "canonical"),
    ("next", "next"),
    ("prev", "prev"),
    ("previous", "prev"),
    ("alternate", "alternate"),
)


def _inside(tag: str, attributes: Attributes, scope: _Scope) -> _Scope:
    """Return what holds inside a block of these attributes that stands in ``scope``."""
    get = attributes.get
    # What a landmark is called ("Breadcrumb") tells as much as its classes do.
    names = f"{get('class') or ''} {get('aria-label') or ''}" if "aria-label" in attributes else get("class") or ""
    own = placement.zone_of(tag, get("role") or "", names, get("id") or "")
    if own is None:
        return scope
    zone = placement.within(scope.zone, own)
    return scope if zone is scope.zone else _Scope(zone, scope.silent, scope.foreign, scope.link)


def _hides(attributes: Attributes) -> bool:
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _DISPLAY_NONE.search(attributes.get("style") or "") is not None
    )
