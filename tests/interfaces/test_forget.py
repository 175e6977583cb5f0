"""What is forgotten is gone from the index and the queue; what others say of it stays."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from crawler.frontier import Entry, open_frontier
from crawler.scope import seed
from linkindex.store import open_index
from tests.crawls.command import Ran, command, environment, run
from tests.linkindex.example import ALIVE, BLOG, HOME, NEWS, fill


class Kept:
    """An index and a frontier that knows the same pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with open_index(f"sqlite:///{folder}/linkatlas.db", create=True) as index:
            fill(index)
            pages = [page.url for page in index.visited()]
        with open_frontier(f"sqlite:///{folder}/linkatlas-frontier.db") as frontier:
            entries: list[Entry] = [seed(url) for url in pages]
            assert frontier.add(entries).new == 9

    def forget(self, *arguments: str) -> Ran:
        return run(self.folder, "forget", *arguments)

    def pages(self) -> int:
        with open_index(f"sqlite:///{self.folder}/linkatlas.db") as index:
            return index.counts().pages

    def known(self, url: str) -> bool:
        with open_frontier(f"sqlite:///{self.folder}/linkatlas-frontier.db") as frontier:
            return frontier.why(url) is not None

    def links(self, *arguments: str) -> int:
        return len(run(self.folder, "backlinks", *arguments).out.splitlines())


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "pages", "links", "queued"),
    [
        (("--url", BLOG), 1, 3, 1),
        ((BLOG,), 1, 3, 1),
        (("--host", "blog.example.org"), 1, 3, 1),
        (("--host", "example.org"), 0, 0, 0),
        (("--domain", "example.org"), 1, 3, 1),
        (("example.net",), 3, 4, 3),
        (("https://news.example.net/*",), 3, 4, 3),
        (("--run", "first"), 9, 7, 9),
    ],
)
def test_pages_links_and_queue_entries_go(
    kept: Kept, arguments: tuple[str, ...], pages: int, links: int, queued: int
) -> None:
    ran = kept.forget(*arguments, "--format", "json")
    assert json.loads(ran.out) == {"pages": pages, "links": links, "queued": queued}
    assert (ran.code, ran.err) == (0 if pages else 1, "")
    assert kept.pages() == 9 - pages
    assert kept.forget(*arguments).code == 1  # there is nothing left of it


def test_a_run_that_never_was_is_told_with_those_that_are(kept: Kept) -> None:
    ran = kept.forget("--run", "nonsense")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "linkatlas: --run 'nonsense': no run that visited a page of this index first; there are: first\n"
    assert kept.pages() == 9


def test_a_run_that_was_forgotten_is_told_from_one_that_never_was(kept: Kept) -> None:
    assert kept.forget("--run", "first", "--queue-only").code == 0
    assert kept.forget("--run", "first").out.startswith("9 pages and ")
    again = kept.forget("--run", "first")
    assert (again.code, again.out) == (1, "")
    assert again.err == "linkatlas: run first: forgotten before; nothing is left of it\n"
    never = kept.forget("--run", "nonsense")
    assert never.code == 2
    assert (
        never.err == "linkatlas: --run 'nonsense': no run that visited a page of this index first; there is none yet\n"
    )


def test_links_of_others_stay(kept: Kept) -> None:
    before = kept.links("example.com")
    assert kept.forget("example.com").out.startswith("5 pages and ")
    assert kept.links("example.com", "--as-found") == before
    assert not kept.known(HOME)
    assert kept.known(NEWS[0])


def test_the_queue_alone_forgets(kept: Kept) -> None:
    ran = kept.forget("example.com", "--queue-only")
    assert (ran.code, ran.out) == (0, "5 URLs are forgotten; the index keeps what it knows\n")
    assert kept.pages() == 9
    assert not kept.known(ALIVE)


def test_an_index_without_a_queue_forgets_too(kept: Kept) -> None:
    for path in kept.folder.glob("linkatlas-frontier*"):
        path.unlink()
    assert kept.forget(BLOG).out == "1 page and 3 links are forgotten\n"


@pytest.mark.parametrize(("answer", "code", "pages"), [("n", 1, 9), ("y", 0, 8)])
def test_a_person_is_asked_first(kept: Kept, answer: str, code: int, pages: int) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command("forget", BLOG), cwd=kept.folder, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.write(ours, f"{answer}\n".encode())
        assert process.wait(timeout=60) == code
    asked = os.read(ours, 65536).decode()
    os.close(theirs)
    os.close(ours)
    assert f"1 page of {BLOG} goes for good" in asked
    assert kept.pages() == pages


def test_yes_asks_nobody(kept: Kept) -> None:
    ours, theirs = pty.openpty()
    arguments = command("forget", BLOG, "--yes")
    with subprocess.Popen(arguments, cwd=kept.folder, env=environment(), stdin=theirs, stderr=theirs) as process:
        assert process.wait(timeout=60) == 0
    os.close(theirs)
    os.close(ours)
    assert kept.pages() == 8
