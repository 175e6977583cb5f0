"""What can be measured of a page's links: how much text, how many of them, where on the page, among what.

Links are taken together in groups that stand or fall as one: the largest block around a link that holds few links or is
one list, and its neighbours of that size. A group is measured by itself and by its *part*: the largest block around it
that is not most of the page. Measures are counts and shares (see :data:`NAMES`); nothing here judges.

Everything is a difference of running sums over the page, and each block is climbed once: time is linear in the page.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from crawler.extract.reading import Block, Found, Reading
from crawler.extract.zones import Zone

NAMES = (
    # Of the group: characters of its text, of text outside links for each link, of text in long pieces outside links…
    *("text", "links", "beside", "prose", "text_before", "text_after", "at", "links_before", "links_after"),
    *("prose_before", "images", "bare", "external", "headings_before", "headings_after", "headings_inside"),
    *("since_heading", "since_title", "to_rights", "depth", "heading_elsewhere", "in_article", "in_main"),
    *("page_text", "page_links", "page_prose"),
    # … and of its part.
    *("part_text", "part_links", "part_density", "part_at", "part_text_after", "part_links_before"),
    *("part_links_after", "part_prose_before", "part_text_share", "part_links_share", "part_rights"),
    *("part_about", "part_headings", "part_external"),
)
_FEW_LINKS = 3  # of a block that is surely one thing
_FEW_PIECES = 36
_ONE_THING = frozenset("li ul ol dl dt dd p h1 h2 h3 h4 h5 h6 tbody".split())  # however many links they hold
_PROSE_CHARS = 40  # of a piece of text outside links: somebody wrote it
_MOST = 0.8  # of the page's text or links
_FAR = 10_000  # characters to what is not there
_HREF_CHARS = 300
# In addresses, as they are English in most languages: what a site says of itself, and where else it is.
_ABOUT = ("about", "contact", "career", "jobs", "press", "advertis", "sitemap", "privacy", "terms", "legal", "imprint")
_ENDING_PIECES = 400  # of the text; a copyright notice ends a page
_ELSEWHERE = re.compile(
    r"related|recommend|more (?:from|stories|in|on|news|articles|posts)|also like|read (?:next|more)|trending|popular"
    r"|latest|most read|up next|don.t miss|follow us|newsletter|comments",
    re.I,
)
_HEADING_CHARS = 60


@dataclass(slots=True)
class Group:
    """Links ``first`` to ``last`` of a page, which stand in pieces ``start`` to ``end`` of its text."""

    block: Block
    start: int
    end: int
    first: int
    last: int
    zone: Zone


class Page:
    """Running sums over the text and the links of a page at ``host``: any stretch is measured by a subtraction."""

    def __init__(self, reading: Reading, host: str) -> None:
        pieces, found = reading.pieces, reading.found
        self.pieces, self.links = len(pieces), len(found)
        lengths = list(map(len, map(str.strip, pieces)))
        self.text = text = list(accumulate(lengths, initial=0))
        anchors = [text[link.end] - text[link.start] if link.end >= 0 else 0 for link in found]
        self.anchors = list(accumulate(anchors, initial=0))
        self.bare = list(accumulate([not length for length in anchors], initial=0))
        self.prose = list(accumulate(_prose(lengths, found, anchors), initial=0))
        self.images = list(accumulate([link.graphics is not None for link in found], initial=0))
        hrefs = [link.href[:_HREF_CHARS] for link in found]
        self.external = list(accumulate([host not in href and "//" in href[:8] for href in hrefs], initial=0))
        self.about = _holding(hrefs, _ABOUT)
        self.headings = [heading.start for heading in reading.headings]
        self._heading_pieces = [pieces[span.start : span.start + 3] for span in reading.headings]
        self.title = next((heading.start for heading in reading.headings if heading.tag == "h1"), -1)
        ending = "\0".join(pieces[-_ENDING_PIECES:])
        rights = max(ending.rfind("©"), ending.rfind("opyright"))
        self.rights = len(pieces) - 1 - ending.count("\0", rights) if rights >= 0 else -1
        self._units: dict[int, Block] = {}
        self._around: dict[int, tuple[int, Block]] = {}
        self._parts: dict[int, tuple[float, ...]] = {}

    def groups(self, found: Sequence[Found], zones: Sequence[Zone]) -> Iterator[Group]:
        """Yield the groups of links of which ``zones`` says nothing for sure, in document order."""
        group = None
        for n, (link, zone) in enumerate(zip(found, zones, strict=True)):
            if zone.is_sure or link.block is None:
                continue
            unit = self._unit(link.block)
            if group is None or n > group.last or zone is not group.zone or not self._goes_with(unit, group):
                if group is not None:
                    yield group
                group = Group(unit, unit.start, self._end(unit), n, n + 1, zone)
            group.last = n + 1
            if unit is not group.block:
                group.block, group.end = unit, self._end(unit)
        if group is not None:
            yield group

    def measures(self, group: Group) -> tuple[float, ...]:
        """Return what :data:`NAMES` names."""
        start, end, first, last = group.start, group.end, group.first, group.last
        text, links = self.text, last - first
        before, heading = text[start], bisect_right(self.headings, start)
        depth, part = self._surroundings(group.block)
        return (
            text[end] - before,
            links,
            (text[end] - before - self.anchors[last] + self.anchors[first]) / links,
            self.prose[end] - self.prose[start],
            before,
            text[-1] - text[end],
            before / (text[-1] or 1),
            first,
            self.links - last,
            self.prose[start] / (self.prose[-1] or 1),
            (self.images[last] - self.images[first]) / links,
            (self.bare[last] - self.bare[first]) / links,
            (self.external[last] - self.external[first]) / links,
            heading,
            len(self.headings) - heading,
            bisect_right(self.headings, end) - heading,
            before - text[self.headings[heading - 1]] if heading else _FAR,
            before - text[self.title] if self.title >= 0 else _FAR,
            text[self.rights] - before if self.rights >= 0 else -_FAR,
            depth,
            heading > 0 and _is_elsewhere("".join(self._heading_pieces[heading - 1])[:_HEADING_CHARS]),
            group.zone.landmark == "article",
            group.zone.landmark == "main",
            text[-1],
            self.links,
            self.prose[-1],
            *part,
        )

    def _end(self, block: Block) -> int:
        return block.end if block.end >= 0 else self.pieces

    def _last(self, block: Block) -> int:
        return block.last if block.last >= 0 else self.links

    def _unit(self, block: Block) -> Block:
        """Return the largest block around that is surely one thing."""
        passed = []
        while (unit := self._units.get(id(block))) is None:
            passed.append(id(block))
            if block.parent is None or not self._is_all_of(block, block.parent):
                unit = block
                break
            block = block.parent
        self._units.update(dict.fromkeys(passed, unit))
        return unit

    def _is_all_of(self, block: Block, parent: Block) -> bool:
        """Whether ``parent`` is the same thing as ``block``, or ``block`` a piece of it without a life of its own."""
        if block.tag in _ONE_THING:
            return True
        if self._end(parent) - parent.start > _FEW_PIECES:
            return False
        links = self._last(parent) - parent.first
        return links <= _FEW_LINKS or links == self._last(block) - block.first

    def _goes_with(self, unit: Block, group: Group) -> bool:
        """Whether links of ``unit`` go on with ``group``: the same block, or the next of a row of small ones."""
        last = group.block
        return unit is last or (
            unit.parent is last.parent
            and unit.tag == last.tag
            and self._last(unit) - unit.first <= _FEW_LINKS
            and self._end(unit) - unit.start <= _FEW_PIECES
        )

    def _surroundings(self, block: Block) -> tuple[int, tuple[float, ...]]:
        """Return how deep in the page a block is, and the measures of its part."""
        inner, passed = block, []
        while (known := self._around.get(id(block))) is None:
            passed.append(block)
            if block.parent is None:
                known = (0, block)
                break
            block = block.parent
        depth, part = known
        for block in reversed(passed):
            depth += 1
            part = block if block.parent is None or self._is_most(part) else part
            self._around[id(block)] = depth, part
        part = self._around[id(inner)][1]
        measures = self._parts.get(id(part))
        if measures is None:
            measures = self._parts[id(part)] = self._measures_of_part(part)
        return depth, measures

    def _is_most(self, block: Block) -> bool:
        return (
            self.text[self._end(block)] - self.text[block.start] >= _MOST * self.text[-1]
            or self._last(block) - block.first >= _MOST * self.links
        )

    def _measures_of_part(self, part: Block) -> tuple[float, ...]:
        start, end, first, last = part.start, self._end(part), part.first, self._last(part)
        text, links, everything = self.text[end] - self.text[start], last - first, self.text[-1] or 1
        return (
            text,
            links,
            (self.anchors[last] - self.anchors[first]) / (text or 1),
            self.text[start] / everything,
            1 - self.text[end] / everything,
            first,
            self.links - last,
            self.prose[start] / (self.prose[-1] or 1),
            text / everything,
            links / (self.links or 1),
            start <= self.rights < end,
            self.about[last] - self.about[first],
            bisect_left(self.headings, end) - bisect_left(self.headings, start),
            (self.external[last] - self.external[first]) / (links or 1),
        )


def _prose(lengths: list[int], found: Sequence[Found], anchors: list[int]) -> list[int]:
    """Return the length of each piece that is long enough to be written, and in no link; 0 for others."""
    prose = [length if length >= _PROSE_CHARS else 0 for length in lengths]
    done = 0
    for link, length in zip(found, anchors, strict=True):
        if length >= _PROSE_CHARS:
            for n in range(max(link.start, done), link.end):
                prose[n] = 0
            done = max(done, link.end)
    return prose


def _holding(hrefs: list[str], words: Sequence[str]) -> list[int]:
    """Return the running count of ``hrefs`` that hold one of ``words``."""
    text = "\n".join(hrefs).lower()
    ends = list(accumulate(len(href) + 1 for href in hrefs))
    holds = [False] * len(hrefs)
    for word in words:
        at = text.find(word)
        while at >= 0:
            holds[bisect_right(ends, at)] = True
            at = text.find(word, at + 1)
    return list(accumulate(holds, initial=0))


@lru_cache(maxsize=1 << 12)
def _is_elsewhere(heading: str) -> bool:
    """Whether a heading announces what is not the content of this page."""
    return _ELSEWHERE.search(heading) is not None
