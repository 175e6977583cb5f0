"""One pass over a parsed document: the links in it as they are written, and the text that a reader sees around them.

The walk keeps its own stack and never looks back: neither depth nor number of nodes costs more than their sum.

Tree construction is lexbor's (HTML Standard, scripting off: the content of ``<noscript>`` is part of the page). The
content of a ``<template>`` is inert, save that of a declarative shadow root
(https://html.spec.whatwg.org/#attr-template-shadowrootmode).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

import msgspec
from selectolax.lexbor import LexborNode

from crawler.extract.reading import Block, Found, Reading, Span
from crawler.extract.relations import link_kind

Attributes = dict[str, str | None]

# https://html.spec.whatwg.org/#flow-content-3 and the sections after it: what is rendered on lines of its own.
BLOCKS = frozenset(
    "address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption "
    "figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol "
    "optgroup option p plaintext pre search section summary table tbody td tfoot th thead tr ul xmp".split()
)
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_UNREAD = frozenset(  # nothing in them is ours: no text, no links, no names
    "style -comment -doctype path polygon polyline circle ellipse rect line stop use source track wbr".split()
)
# Text inside is not rendered as text of the page: code, controls, and what stands in where media cannot play.
SILENT = frozenset(
    "title textarea select datalist iframe noembed noframes template audio video canvas desc metadata".split()
)
# https://dom.spec.whatwg.org/#dom-element-attachshadow, beside custom elements.
_SHADOW_HOSTS = frozenset(
    "article aside blockquote body div footer h1 h2 h3 h4 h5 h6 header main nav p section span".split()
)
MAX_TIMES, MAX_SCRIPTS, MAX_ASSETS, ASSET_CHARS = 50, 50, 100, 120  # of what only tells about the page
_HIDING = frozenset(("hidden", "aria-hidden", "style"))
_DISPLAY_NONE = re.compile(r"(?:^|;)\s*display\s*:\s*none\b", re.I)


_Opened: TypeAlias = "tuple[_Scope, Span | None]"


class _Scope(msgspec.Struct, frozen=True):
    """What an element passes on to its content. Siblings share it."""

    silent: bool = False
    foreign: bool = False  # inside svg
    link: Found | None = None

    def silenced(self) -> _Scope:
        return _Scope(True, self.foreign, self.link)


class _Full(Exception):
    """The limit of links is reached."""


def read(root: LexborNode, max_links: int, max_depth: int = 1 << 30) -> Reading:
    """Walk the document under ``root``, ``max_depth`` elements down; stop after ``max_links`` elements that link."""
    walk = _Walk(max_links, max_depth)
    try:
        walk.run(root)
    except _Full:
        walk.reading.limits.append("max_links")
    return walk.reading


class _Walk:
    def __init__(self, max_links: int, max_depth: int) -> None:
        self.reading = Reading(pieces=[" "])
        self.max_links = max_links
        self.max_depth = max_depth
        self.pieces = self.reading.pieces
        self.found = self.reading.found
        self.block = Block(0)  # the innermost one that is open
        self.heading: Block | None = None  # the last one that is closed
        self.shadow_hosts: set[int] = set()

    def run(self, root: LexborNode) -> None:  # noqa: C901  # one loop: a call costs as much as a step
        """Visit every node once, in document order."""
        self.reading.language = root.attributes.get("lang") or root.attributes.get("xml:lang") or ""
        pieces = self.pieces
        path: list[tuple[LexborNode, _Scope, Span | None]] = []  # open elements, the outermost first
        node, scope = root, _Scope()
        while True:
            tag = node.tag or "-comment"
            if tag == "-text":
                if not scope.silent:
                    text = node.text_content
                    if text and not text.isspace():
                        pieces.append(text)
                    elif pieces[-1] != " ":
                        pieces.append(" ")
            elif tag not in _UNREAD:
                inner, span = self._open(node, tag, scope)
                child = node.first_child if tag != "template" else self._shadow_root(node)
                if child is not None:
                    if len(path) < self.max_depth:
                        path.append((node, scope, span))
                        node, scope = child, inner
                        continue
                    self.reading.limits = ["max_dom_depth"]
                if span is not None:
                    self._close(span)
            following = node.next
            while following is None:
                if not path:
                    return
                node, scope, span = path.pop()
                if span is not None:
                    self._close(span)
                following = node.next
            node = following

    def _open(self, node: LexborNode, tag: str, scope: _Scope) -> _Opened:
        """Return what holds inside the element, and the span that is to end with it, if any."""
        attributes = node.attributes
        if attributes and not scope.silent and not _HIDING.isdisjoint(attributes) and _hides(attributes):
            scope = scope.silenced()
        if tag in BLOCKS:
            if self.pieces[-1] != " ":
                self.pieces.append(" ")
            self.block = block = Block(len(self.pieces), -1, self.block, tag, attributes, len(self.found))
            if tag == "form":
                self.open_form(attributes, scope)
            return scope, block
        opener = _OPENERS.get(tag)
        return (scope, None) if opener is None else opener(self, node, attributes, scope)

    def _close(self, span: Span) -> None:
        pieces = self.pieces
        span.end = len(pieces)
        if span is self.block:
            self.block = span.parent or self.block
            span.last = len(self.found)
            if span.tag in HEADINGS and not all(map(str.isspace, pieces[span.start :])):
                self.heading = span
                self.reading.headings.append(span)
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

    def _asset(self, address: str | None) -> None:
        if address and len(self.reading.assets) < MAX_ASSETS:
            self.reading.assets.append(address[:ASSET_CHARS])

    def _add(self, found: Found) -> None:
        if len(self.reading.found) >= self.max_links:
            raise _Full
        self.reading.found.append(found)

    def _found(self, kind: str, href: str, label: str, attributes: Attributes, scope: _Scope) -> Found:
        """Add a link that stands in the text here."""
        here, rel = len(self.pieces), attributes.get("rel") or ""
        found = Found(here, here, kind, href, rel, label, self.block, self.heading)
        self._add(found)
        return found

    # Openers: what the walk does when it enters an element of that name. Each returns what holds inside the element, and
    # the span that is to end with it, if any.

    def open_a(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        name = "href" if "href" in attributes or not scope.foreign else "xlink:href"
        if name not in attributes:
            return scope, None
        label = attributes.get("aria-label") or attributes.get("title") or ""
        found = self._found("text", attributes[name] or "", label, attributes, scope)
        # A link that is itself hidden (a closed menu) still has its text: only what is hidden inside a link is out.
        return _Scope(False, scope.foreign, found), found

    def open_area(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        if "href" in attributes:
            label = attributes.get("alt") or attributes.get("aria-label") or attributes.get("title") or ""
            self._found("area", attributes["href"] or "", label, attributes, scope)
        return scope, None

    def open_frame(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        if source := attributes.get("src"):
            label = attributes.get("title") or attributes.get("aria-label") or ""
            self._found("frame", source, label, attributes, scope)
        return scope.silenced(), None

    def open_form(self, attributes: Attributes, scope: _Scope) -> None:
        if action := attributes.get("action"):
            self._found("form", action, attributes.get("aria-label") or "", attributes, scope)

    def open_link(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        rel, href = attributes.get("rel"), attributes.get("href")
        kind = link_kind(rel, attributes.get("type") or "") if rel and href else None
        self._asset(href)
        if kind is not None:
            self._add(Found(-1, -1, kind, href or "", rel or "", attributes.get("title") or ""))
        return scope, None

    def open_meta(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        content = attributes.get("content") or ""
        if name := attributes.get("name"):
            self.reading.metas.append((name, content))
        if (name := attributes.get("property") or attributes.get("itemprop")) and content:
            self.reading.properties.append((name, content))
        if pragma := attributes.get("http-equiv"):
            self.reading.pragmas.setdefault(pragma.lower(), content)
        return scope, None

    def open_script(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        if source := attributes.get("src"):
            self._asset(source)
        elif "ld+json" in (attributes.get("type") or "").lower() and len(self.reading.scripts) < MAX_SCRIPTS:
            self.reading.scripts.append(node.text())
        return scope.silenced(), None

    def open_time(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        written = attributes.get("datetime") or attributes.get("content")
        if written and len(self.reading.times) < MAX_TIMES:
            called = attributes.get("itemprop") or ("pubdate" if "pubdate" in attributes else attributes.get("class"))
            self.reading.times.append((called or "", written))
        return scope, None

    def open_base(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        if self.reading.base is None and "href" in attributes:
            self.reading.base = attributes["href"] or ""
        return scope, None

    def open_title(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        if scope.foreign:  # the name of a drawing
            if scope.link is not None and not scope.silent:
                scope.link.depict(node.text())
        elif not self.reading.title:
            self.reading.title = node.text()
        return scope.silenced(), None

    def open_img(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        if scope.link is not None and not scope.silent:
            scope.link.depict(attributes.get("alt") or "")
        return scope, None

    def open_svg(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        if scope.link is not None:
            scope.link.depict("" if scope.silent else attributes.get("aria-label") or "")
        return _Scope(scope.silent, True, scope.link), None

    def open_foreign_object(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        return _Scope(scope.silent, False, scope.link), None

    def open_silent(self, node: LexborNode, attributes: Attributes, scope: _Scope) -> _Opened:
        return scope.silenced(), None


_OPENERS: dict[str, Callable[[_Walk, LexborNode, Attributes, _Scope], _Opened]] = {
    **dict.fromkeys(SILENT, _Walk.open_silent),
    "a": _Walk.open_a,
    "area": _Walk.open_area,
    "iframe": _Walk.open_frame,
    "frame": _Walk.open_frame,
    "link": _Walk.open_link,
    "meta": _Walk.open_meta,
    "base": _Walk.open_base,
    "script": _Walk.open_script,
    "time": _Walk.open_time,
    "title": _Walk.open_title,
    "img": _Walk.open_img,
    "svg": _Walk.open_svg,
    "foreignObject": _Walk.open_foreign_object,
}


def _hides(attributes: Attributes) -> bool:
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _DISPLAY_NONE.search(attributes.get("style") or "") is not None
    )
