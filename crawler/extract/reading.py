"""What the walk over a page brings home, before anything is resolved or judged.

The text of the page is kept once, as a list of pieces in document order. Links, blocks and headings are spans of that
list, so that nested ones cost nothing and no text is copied before somebody asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from crawler.extract.zones import Zone


class Span(msgspec.Struct):
    """Pieces ``start`` to ``end`` of the page's text; ``end`` is -1 until the element closes."""

    start: int
    end: int = -1


class Block(Span):
    """The text of an element that is rendered on lines of its own; links ``first`` to ``last`` of all are inside."""

    parent: Block | None = None
    tag: str = ""
    attributes: dict[str, str | None] = {}
    first: int = 0
    last: int = -1
    zone: Zone | None = None  # what it and the elements around it say of its content, once :mod:`placement` has looked


class Found(Span):
    """An element that links, as written, and the text inside it; ``start`` is -1 where it has no place in the text."""

    kind: str = "text"
    href: str = ""
    rel: str = ""
    label: str = ""  # names the link where it has no text: aria-label, alt or title
    block: Block | None = None  # the innermost one around it
    heading: Block | None = None  # the last one that was closed before it
    graphics: list[str] | None = None  # the alternative text of each image inside

    def depict(self, alternative: str) -> None:
        """Take in an image that stands inside the link."""
        if self.graphics is None:
            self.graphics = []
        self.graphics.append(alternative)


@dataclass(slots=True)
class Reading:
    """All that the walk found."""

    title: str = ""
    language: str = ""
    base: str | None = None  # href of the first base element that has one
    metas: list[tuple[str, str]] = field(default_factory=list)  # (name, content)
    properties: list[tuple[str, str]] = field(default_factory=list)  # (property or itemprop, content) of metas
    times: list[tuple[str, str]] = field(default_factory=list)  # (what it is called, datetime) of time elements
    assets: list[str] = field(default_factory=list)  # addresses of scripts and of link elements
    scripts: list[str] = field(default_factory=list)  # the texts of JSON-LD scripts
    pragmas: dict[str, str] = field(default_factory=dict)  # http-equiv, lower case: content of the first
    found: list[Found] = field(default_factory=list)
    headings: list[Block] = field(default_factory=list)  # that hold text
    pieces: list[str] = field(default_factory=list)  # a blank one is " ", and no two of them follow each other
    limits: list[str] = field(default_factory=list)  # that bit: max_links, max_dom_depth
