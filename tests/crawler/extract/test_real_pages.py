"""Every link of the real pages, as another parser and a plain reading of its tree see it."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from benchmarks.truth.reference import compare, links, page_paths
from crawler.extract import read_page

# What the reference leaves out by rule, so that no difference needs excusing page by page:
# - links to the page itself, whatever the fragment: no link between pages (read_page says so);
# - hrefs of other schemes, or that WHATWG refuses: counted in PageFacts.unusable;
# - links in <select>: the standard of 2025 lets it hold any content and lexbor follows, html5lib drops their tags
#   (no real page here has one);
# - content of inert templates; that of declarative shadow roots counts on both sides.


def test_links_anchors_and_rel_agree_with_html5lib(oracles: Path) -> None:
    paths = page_paths()
    assert len(paths) > 390, f"pages are missing under {oracles}"
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(compare, paths, chunksize=4))
    differences = {
        str(result.path): (result.only_reference, result.only_ours)
        for result in results
        if result.only_reference or result.only_ours
    }
    assert differences == {}
    assert sum(result.alike for result in results) > 70_000


@pytest.mark.parametrize(
    "markup",
    [
        "<a href=1>one<a href=2>two</a>",
        "<table><a href=1>foster<tr><td><a href=2>cell</table>",
        "<p><a href=1>across<p>paragraphs</a> after",
        "<a href=1><b>mis</a>nested</b> <a href=2>x",
        "<svg><a href=1>s</a><a xlink:href=2>t</a><foreignObject><a xlink:href=3>no</a></foreignObject></svg>",
        "<div><template shadowrootmode=open><a href=1>in</a></template><template><a href=2>out</a></template></div>",
        "<textarea><a href=2></textarea><!--<a href=3>--><script><a href=4></script>",
        "<noscript><a href=1>no script</a></noscript>",
        "<a href=1>a<br>b<span> c</span><script>x</script><style>y</style><i hidden>z</i></a>",
        "<a href=1><img alt='the alt'></a><a href=2 title=T><img></a><map><area href=3 alt=A></map>",
    ],
)
def test_small_cases_agree_with_html5lib(markup: str) -> None:
    body, url = f"<!doctype html><body>{markup}".encode(), "https://www.example.com/a/page"
    ours = [
        (link.target, link.anchor, link.rel)
        for link in read_page(body, url, headers={"content-type": "a/b;charset=utf-8"}).links
    ]
    assert ours == links(body, url)
