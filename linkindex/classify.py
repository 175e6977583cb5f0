"""What only the whole site tells of a link: whether it is written once or built into every page.

The same target under the same anchor text at the same place on many pages of a host comes from a template; nobody wrote
it into each of them. Such a link keeps its placement where the page itself says what it is; where the page left it to a
guess (content, or unknown), the site's word is kept beside it: answers prefer it, history is not touched, and a later
run takes it back when the pages no longer bear it out.

Many pages: "Sitewide links" in the sense of link analysis since Davison, "Recognizing Nepotistic Links on the Web" (2000).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from linkindex.relevance import Rarity, few_of_each
from linkindex.store import LinkIndex
from linkindex.store.selection import Repeated, Template

LEAST_PAGES = 5  # of a host with the same link; fewer may be chance
LEAST_SHARE = 0.25  # of the host's pages that were read: a section of a site has templates of its own
SAMPLE = 20_000  # pages whose terms say how rare a word is

_GUESSED = ("content", "unknown")
_AT_THE_START, _AT_THE_END = 0.25, 0.75  # where in the row of a page's links


class Classified(msgspec.Struct, frozen=True, kw_only=True):
    """What was found on one host."""

    host: str
    pages: int  # read
    templates: int  # links that many of its pages repeat
    revised: int  # of them, those whose placement the site knows better than the page


def classify(index: LinkIndex) -> Iterator[Classified]:
    """Judge the links of each host anew; yield what was found, host by host, each durable once it is yielded."""
    index.put_about("rarity", Rarity.of(few_of_each(index.terms_sample(SAMPLE))).to_bytes())
    for host, pages in index.hosts():
        # Most hosts have too few pages for a template, and of a domain with many hosts each look costs all its pages.
        repeated = index.repeated(host, least(pages)) if pages >= least(pages) else ()
        templates = [template_of(link, pages) for link in repeated]
        index.put_templates(host, templates)
        revised = sum(template.placement is not None for template in templates)
        yield Classified(host=host, pages=pages, templates=len(templates), revised=revised)


def least(pages: int) -> int:
    """Return on how many of a host's ``pages`` a link has to be to come from a template."""
    return max(LEAST_PAGES, round(LEAST_SHARE * pages))


def template_of(link: Repeated, pages: int) -> Template:
    """Judge a link that many of a host's ``pages`` repeat."""
    placement, confidence = None, None
    if link.placement in _GUESSED:
        place = link.place
        placement = "navigation" if place < _AT_THE_START else "footer" if place > _AT_THE_END else "sidebar"
        # That it is no content is as sure as it is common; which part of the template it is, less so.
        confidence = round(0.4 + 0.4 * min(1.0, link.pages / pages), 3)
    return Template(
        target=link.target,
        anchor=link.anchor,
        placement_found=link.placement,
        pages=link.pages,
        placement=placement,
        confidence=confidence,
    )
