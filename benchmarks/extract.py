"""CPU per page of crawler.extract: a made-up page of 45 KB with 105 links, and the real pages where they are at hand.

``python benchmarks/extract.py [--profile]`` prints a table: milliseconds of CPU per page, the best of several rounds.
"""

from __future__ import annotations

import argparse
import cProfile
import gzip
import pstats
import time
from collections.abc import Callable
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from crawler.extract import read_page
from linkindex.model import PageFacts

PAGES = Path(__file__).parents[2] / "shared/oracles/pages"
ROUNDS = 7
_WORDS = (
    "the index of a crawler keeps each link with its place and the words around it so that nobody has to guess".split()
)


def made_up_page() -> bytes:
    """Return a page as the design's budget counts it: 45 KB, 105 links in navigation, text, lists and footer."""
    menu = "".join(f'<li class="menu-item item-{n}"><a href="/section/{n}">Section {n}</a></li>' for n in range(25))
    text = "".join(_paragraph(n) for n in range(60))
    foot = "".join(f'<li><a href="https://other{n}.example/" rel="nofollow">Other {n}</a></li>' for n in range(20))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title></head><body>'
        f'<header class="site"><nav><ul>{menu}</ul></nav></header><main><article><h1>A page</h1>{text}</article></main>'
        f"<footer><ul>{foot}</ul></footer></body></html>"
    ).encode()


def real_pages() -> list[bytes]:
    """Return every real page of the oracles, none where they are absent."""
    packed = [gzip.decompress(path.read_bytes()) for path in sorted(PAGES.glob("wcxb/*.html.gz"))]
    return packed + [path.read_bytes() for path in sorted(PAGES.glob("readability/*/source.html"))]


def cpu_ms(work: Callable[[bytes], object], pages: list[bytes]) -> float:
    """Return milliseconds of CPU per page, the best of several rounds over all pages."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for page in pages:
            work(page)
        rounds.append(time.process_time() - start)
    return 1000 * min(rounds) / len(pages)


def extract(page: bytes) -> PageFacts:
    """Read one page as the spider does, the charset coming from the header."""
    return read_page(page, "https://www.example.com/a/page", headers={"content-type": "text/html; charset=utf-8"})


def main() -> None:
    """Print the table, or a profile of the real pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true")
    real = real_pages()
    suites = {"made up": [made_up_page()] * 50, "real": real}
    if parser.parse_args().profile:
        with cProfile.Profile() as profile:
            for page in real or suites["made up"]:
                extract(page)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    print(f"{'pages':8} {'number':>6} {'KB':>5} {'links':>6} {'parse ms':>9} {'all ms':>7}")
    for name, pages in suites.items():
        if not pages:
            print(f"{name:8} absent: {PAGES}")
            continue
        links = sum(len(extract(page).links) for page in pages) / len(pages)
        size = sum(map(len, pages)) / len(pages) / 1000
        parse, everything = cpu_ms(LexborHTMLParser, pages), cpu_ms(extract, pages)
        print(f"{name:8} {len(pages):6} {size:5.0f} {links:6.0f} {parse:9.2f} {everything:7.2f}")


def _paragraph(number: int) -> str:
    words = " ".join((_WORDS * 5)[: 70 + number % 30])
    return (
        f'<div class="block block-{number}" id="b{number}"><h3>Heading {number}</h3><p class="text">{words} '
        f'<a href="/article/{number}" class="link"><b>article</b> {number}</a> {words[:150]}.</p></div>\n'
    )


if __name__ == "__main__":
    main()
