"""What the walk over a page brings home, before anything is resolved or judged.

The text of the page is kept once, as a list of pieces in document order. Links, blocks and headings are spans of that
list, so that nested ones cost nothing and no text is copied before somebody asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from crawler.extract import placement
from crawler.extract.placement import Zone


@dataclass(slots=True)
class Span:
    """Pieces ``start`` to ``end`` of the page's text; ``end`` is -1 until the element closes."""

    start: int
    end: int = -1


@dataclass(slots=True)
class Found:
    """An element that links, as written."""

    kind: str
    href: str
    rel: str = ""
    label: str = ""  # names the link where it has no text: aria-label, alt or title
    zone: Zone = placement.HEAD
    text: Span | None = None
    block: Span | None = None
    heading: Span | None = None
    graphics: list[str] = field(default_factory=list)  # the alternative text of each image inside


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
    pieces: list[str] = field(default_factory=list)  # a blank one is " ", and no two of them follow each other
    cut: bool = False
