"""A crawl goes on beside compactions of its index: nothing is lost or fetched twice."""

from __future__ import annotations

from pathlib import Path

from linkindex.store import open_index
from tests.crawls.command import run
from tests.crawls.test_index_away import PAGES, crawling, until


def test_a_crawl_goes_on_beside_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/index.db"
    with crawling(tmp_path, url) as crawl:
        until(lambda: crawl.counts().done >= 5)
        times = 0
        while crawl.process.poll() is None:
            ran = run(tmp_path, "compact", "--index", url)
            assert ran.code == 0, ran.err
            times += 1
        _, err = crawl.process.communicate(timeout=120)
    assert crawl.process.returncode == 0, err
    assert times
    assert "Traceback" not in err
    assert set(crawl.asked().values()) == {1}
    with open_index(url) as index:
        assert index.counts().pages == PAGES == crawl.counts().done
        assert all(check.ok for check in index.check())
