"""Which links of an article its readers keep: what people copied out of real pages, and what Readability left.

The markdown that people reviewed (``main_content_markdown``) and ``expected.html`` hold links of the content only. They
are found again in the page by address and anchor; of links that a page has more often than its content, those nearest
to the others of the content are taken.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.truth import content
from benchmarks.truth.reference import PAGES, page_bytes, reading_of
from crawler.extract.resolving import Resolver
from linkindex.urls import domain_of, host_of

Key = tuple[str, str]  # address without scheme, query and fragment; letters and digits of the anchor
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]*)[^)]*\)")
_ENOUGH = 0.5  # of the kept links found again


@dataclass
class Page:
    """An article, and of each ``a`` and ``area`` with an href whether it is kept."""

    name: str
    site: str
    url: str
    body: bytes
    keeps: list[bool]
    is_complete: bool  # whether a link that is not kept is certainly not of the content


def pages() -> Iterator[Page]:
    """Yield every article of the oracles whose content has links that are found again."""
    for path in sorted(PAGES.glob("wcxb/*.json")):
        about = json.loads(path.read_text())
        written = _LINK.findall(about["ground_truth"].get("main_content_markdown") or "")
        if about["_internal"]["page_type"]["primary"] != "article" or not written:
            continue
        url, body = about["url"], page_bytes(path.with_suffix(".html.gz"))
        resolve = Resolver(url, None)
        kept = [_key(resolve(href), anchor) for anchor, href in written]
        keeps = _aligned(keys(body, url), kept)
        if sum(keeps) >= _ENOUGH * len(kept):
            yield Page(path.stem, domain_of(host_of(url)), url, body, keeps, is_complete=False)
    for folder in content.page_paths():
        body = (folder / "source.html").read_bytes()
        keeps = _aligned(keys(body, content.URL), keys((folder / "expected.html").read_bytes(), content.URL))
        yield Page(folder.name, site_of(folder.name), content.URL, body, keeps, is_complete=True)


def site_of(name: str) -> str:
    """Return the site that a page of Readability is from, as its folder is named."""
    return re.sub(r"-\d+$", "", name)


def keys(body: bytes, url: str) -> list[Key]:
    """Return what each ``a`` and ``area`` of a page is found by."""
    reading = reading_of(body)
    resolve = Resolver(url, reading.base)
    return [
        _key(resolve(link.href), "".join(reading.pieces[link.start : link.end]) or " ".join(link.graphics or ()))
        for link in reading.found
        if link.kind in {"text", "area"}
    ]


def _key(target: str | None, anchor: str) -> Key:
    address = re.sub(r"^https?://(www\.)?", "", target or "")
    return re.split("[?#]", address)[0].rstrip("/"), re.sub(r"[\W_]+", "", anchor.lower())[:60]


def _aligned(links: list[Key], kept: list[Key]) -> list[bool]:
    """Return of each of ``links`` whether it is one of ``kept``."""
    places = defaultdict(list)
    for n, key in enumerate(links):
        places[key].append(n)
    wanted = Counter(key for key in kept if key in places)
    certain = sorted(n for key, count in wanted.items() if len(places[key]) <= count for n in places[key])
    chosen = set(certain)
    for key, count in wanted.items():
        if len(places[key]) > count:
            chosen.update(sorted(places[key], key=lambda n: _distance(n, certain))[:count])
    return [n in chosen for n in range(len(links))]


def _distance(place: int, certain: list[int]) -> int:
    at = bisect_left(certain, place)
    return min((abs(place - other) for other in certain[max(at - 1, 0) : at + 1]), default=0)
