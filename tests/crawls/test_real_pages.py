"""About 400 real pages, crawled as a person would crawl them; html5lib says what has to be in the index."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from benchmarks.truth.reference import Seen, links
from crawler.frontier import open_frontier
from linkindex import urls
from linkindex.store import LinkIndex, open_index
from tests.crawls.command import run
from tests.stored import certificate_errors
from tests.web import realpages
from tests.web.realpages import RealPage

# What html5lib's links lose on the way to the index, by rule: a link to its own page once tracking parameters are off.


def expected(page: RealPage) -> Counter[Seen]:
    seen = Counter[Seen]()
    for href, anchor, rel in links(page.body, page.url):
        target = urls.canonical(href)
        if target != page.url:
            seen[target, anchor, rel] += 1
    return seen


def links_in(index: LinkIndex, page: RealPage) -> Counter[Seen]:
    rows = index.outlinks(page.url)
    return Counter(
        (row.target, row.anchor or "", tuple(row.rel or ())) for row in rows if row.kind in ("text", "image", "area")
    )


@pytest.fixture(scope="module")
def crawled(oracles: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Crawl all pages once: (folder of the databases, access log)."""
    assert oracles
    folder = tmp_path_factory.mktemp("crawl")
    log = folder / "access.log"
    with realpages.serving("--log", str(log)) as ports:
        ran = run(
            folder,
            "crawl",
            realpages.START,
            *("--connect-to", f":80:127.0.0.1:{ports.plain}", "--connect-to", f":443:127.0.0.1:{ports.tls}"),
            *("--depth", "1", "--delay", "0", "--internal-links"),
        )
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    return folder, log


def test_every_page_is_visited_once_and_the_crawl_ends(crawled: tuple[Path, Path]) -> None:
    folder, log = crawled
    visits = Counter(tuple(line.split()[2:4]) for line in log.read_text().splitlines())
    pages = realpages.load()
    wanted = {(urls.host_of(page.url), page.url.partition(urls.host_of(page.url))[2]) for page in pages}
    assert len(wanted) > 390
    assert {visit: visits[visit] for visit in wanted} == dict.fromkeys(wanted, 1)
    with open_frontier(f"sqlite:///{folder}/linkatlas-frontier.db") as frontier:
        assert frontier.outlook().finished
        assert frontier.counts().done == len(pages) + 1
        assert frontier.counts().failed == 0


def test_every_link_that_html5lib_sees_is_in_the_index(crawled: tuple[Path, Path]) -> None:
    folder, _ = crawled
    pages = realpages.load()
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        wanted = list(pool.map(expected, pages, chunksize=4))
    with open_index(f"sqlite:///{folder}/linkatlas.db") as index:
        differences = {}
        for page, links_of_page in zip(pages, wanted, strict=True):
            found = links_in(index, page)
            if found != links_of_page:
                differences[page.name] = (links_of_page - found, found - links_of_page)
    assert differences == {}
    assert sum(each.total() for each in wanted) > 60_000


def test_untrusted_certificates_are_noted_and_stop_nothing(crawled: tuple[Path, Path]) -> None:
    folder, _ = crawled
    errors = certificate_errors(folder / "linkatlas.db")
    assert {(url.startswith("https:"), wrong != "") for url, wrong in errors.items()} == {(True, True), (False, False)}
