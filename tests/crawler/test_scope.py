"""What a crawl may visit, and the reason where it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.frontier import Budget, Entry, open_frontier
from crawler.job import begin, canonical_seed, read_job
from crawler.scope import Scope, seed
from linkindex.errors import BadInput
from tests.frontier.contract import entry

SEEDS = [seed("https://www.a.test/"), seed("https://b.test/")]


@pytest.mark.parametrize(
    ("scope", "url", "depth", "refusal"),
    [
        (Scope(depth=3), "https://x.test/", 3, ""),
        (Scope(depth=3), "https://x.test/", 4, "depth"),
        (Scope(stay="host"), "https://www.a.test/x", 1, ""),
        (Scope(stay="host"), "https://a.test/x", 1, "stay"),
        (Scope(stay="domain"), "https://a.test/x", 1, ""),
        (Scope(stay="domain"), "https://x.test/", 1, "stay"),
        (Scope(include=("*/blog/*",)), "https://x.test/blog/1", 1, ""),
        (Scope(include=("*/blog/*",)), "https://x.test/shop/1", 1, "include"),
        (Scope(exclude=("*.pdf", "*/cart*")), "https://x.test/a.pdf", 1, "exclude"),
        (Scope(exclude=("*.pdf",)), "https://x.test/a.pdfx", 1, ""),
        (Scope(max_url=30), "https://x.test/" + "a" * 30, 1, "url_length"),
    ],
)
def test_refusal(scope: Scope, url: str, depth: int, refusal: str) -> None:
    assert scope.around(SEEDS).refusal(entry(url, depth)) == refusal


def test_seeds_need_not_match_include_but_answer_to_exclude() -> None:
    assert Scope(include=("*/blog/*",)).refusal(seed("https://a.test/")) == ""
    assert Scope(exclude=("*a.test*",)).refusal(seed("https://a.test/")) == "exclude"


def test_a_sitemap_need_not_match_include() -> None:
    scope = Scope(include=("*/blog/*",), exclude=("*/no.xml",))
    assert scope.refusal(entry("https://a.test/sitemap.xml", 2, sitemap=1)) == ""
    assert scope.refusal(entry("https://a.test/no.xml", 2, sitemap=1)) == "exclude"


def test_redirects_are_bounded_without_counting_as_depth() -> None:
    scope = Scope(depth=1, max_redirects=10)
    assert scope.refusal(entry("https://a.test/", 1, hops=10)) == ""
    assert scope.refusal(entry("https://a.test/", 1, hops=11)) == "redirects"


def test_a_hostile_pattern_ends_in_time() -> None:
    assert Scope(exclude=("*a" * 30 + "b",)).refusal(entry("https://x.test/" + "a" * 2000, 1)) == ""


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("example.com", "https://example.com/"),
        ("example.com:8080/x", "https://example.com:8080/x"),
        (" http://example.com/a ", "http://example.com/a"),
        ("https://example.com/#x", "https://example.com/"),
    ],
)
def test_seeds_as_people_write_them(text: str, url: str) -> None:
    assert canonical_seed(text) == url


@pytest.mark.parametrize(
    "text", ["htp://x", "javascript:alert(1)", "mailto:a@b.test", "", "http://", "file:///etc/passwd", "a b"]
)
def test_a_bad_seed_is_told_in_one_line(text: str) -> None:
    with pytest.raises(BadInput, match=r"write https://example\.com"):
        canonical_seed(text)


def test_a_job_is_remembered_and_a_wider_scope_admits_what_was_refused(tmp_path: Path) -> None:
    with open_frontier(f"sqlite:///{tmp_path}/f.db") as frontier:
        begin(frontier, ["https://a.test/"], Scope(depth=1), Budget(), 0.0)
        deep = Entry(url="https://b.test/", host="b.test", domain="b.test", depth=2)
        frontier.add([read_job(frontier).scope.judged(deep)])
        assert frontier.counts().excluded_by == {"depth": 1}
        job = begin(frontier, ["https://a.test/", "https://c.test/"], Scope(depth=2), Budget(), 0.0)
        assert job.seeds == ("https://a.test/", "https://c.test/")
        assert job.scope.hosts == {"a.test", "c.test"}
        assert frontier.counts().queued == 3
        assert read_job(frontier) == job
