"""Whom a crawler must name, whom it leaves alone, and what it can show of what it did."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from dns.asyncresolver import Resolver

from crawler import ownership
from crawler.consent import MOST_OPTED_OUT, is_opted_out, proves, read_opt_out
from crawler.frontier import Entry, open_frontier
from crawler.job import read_job
from crawler.scope import Scope
from linkindex.errors import BadInput
from tests.crawls.command import ROOT, Ran, environment, run
from tests.hostile.names import BROKEN, SILENT, name_server, run_asking
from tests.rawserver import RawServer, Reply, page, serving

CONTACT = "https://me.example/bot"
LINKS = page(b"<a href=http://www.out.example/>1</a><a href=http://in.example/x>2</a><a href=/private/x>3</a>")
PLAIN = b"Content-Type: text/plain\r\n"
FAST = ("--delay", "0", "--retries", "1", "--max-wait", "0", "--sitemaps", "none", "--depth", "1")


@pytest.mark.parametrize(
    "arguments",
    [
        ("crawl", "http://a.example/", "--max-pages", "1001"),
        ("crawl", "http://a.example/", "--max-pages", "0"),
        ("crawl", "http://a.example/", "--own", "a.example"),
        ("node",),
        ("node", "--until-finished", "--frontier", "redis://127.0.0.1:1/0?job=x"),
    ],
)
def test_who_visits_much_says_whom_to_write_to(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = run(tmp_path, *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran
    assert "--contact" in ran.err
    assert not list(tmp_path.iterdir())


def test_a_thousand_pages_need_no_name(tmp_path: Path) -> None:
    assert run(tmp_path, "crawl", "http://a.example/", "--dry-run").code == 0
    assert run(tmp_path, "crawl", "http://a.example/", "--dry-run", "--max-pages", "0", "--contact", CONTACT).code == 0


@pytest.mark.parametrize(("contact", "visits"), [("", False), (CONTACT, True)])
def test_scrapys_own_command_joins_like_a_node(site: Site, contact: str, visits: bool) -> None:
    assert run(site.folder, "seed", "http://a.example/gone").code == 0
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "discover"],
        cwd=site.folder, capture_output=True, text=True, timeout=120, check=False,
        env=environment(
            LINKATLAS_CONNECT_TO=f":80:127.0.0.1:{site.server.port}", LINKATLAS_CONTACT=contact, LINKATLAS_SITEMAPS="none",
            SCRAPY_SETTINGS_MODULE="settings.embedded", PYTHONPATH=str(ROOT), PYTHONWARNINGS="ignore",
        ),
    )  # fmt: skip
    assert bool(site.asked("a.example")) is visits, done.stderr
    if not visits:
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1, done.stderr
        assert "LINKATLAS_CONTACT is missing: for a node" in done.stderr
        assert done.stderr.endswith("as in: -s LINKATLAS_CONTACT=https://example.org/about-our-bot\n")


# ---------------------------------------------------------------- who opted out


@pytest.mark.parametrize(
    ("host", "out"),
    [
        ("out.example", True),
        ("www.out.example", True),
        ("a.b.out.example:8080", True),
        ("xn--bcher-kva.example", True),
        ("about.example", False),
        ("out.example.org", False),
        ("example", False),
    ],
)
def test_a_name_covers_all_names_under_it(tmp_path: Path, host: str, out: bool) -> None:
    (tmp_path / "out.txt").write_text("﻿# who asked\n\nOUT.example # by mail\n*.bücher.example\n", encoding="utf-8")
    names = read_opt_out(str(tmp_path / "out.txt"))
    assert names == {"out.example", "xn--bcher-kva.example"}
    assert is_opted_out(host, names) is out
    entry = Entry(url=f"http://{host}/", host=host, domain="x", depth=0)
    assert Scope(opted_out=names).refusal(entry) == ("opted_out" if out else "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"good.example\nhttp://bad.example/\n", "line 2: 'http://bad.example/'"),
        (b"a b\n", "line 1"),
        (b"user@example.com", "line 1"),
        (b"example.com:80", "line 1"),
        (b"\x00", "line 1"),
        (b"\xff\xfe\xff", "UTF-8"),
        (b"".join(b"h%d.example\n" % n for n in range(MOST_OPTED_OUT + 1)), "at most 10,000"),
    ],
)
def test_a_bad_list_is_told_with_its_line(tmp_path: Path, text: bytes, says: str) -> None:
    (tmp_path / "out.txt").write_bytes(text)
    with pytest.raises(BadInput, match="--opt-out") as caught:
        read_opt_out(str(tmp_path / "out.txt"))
    assert says in str(caught.value)


class Site:
    """A web of hosts on one raw server, and crawls of it that ask a name server of ours."""

    def __init__(self, folder: Path, server: RawServer) -> None:
        self.folder, self.server = folder, server
        self.names: list[str] = []  # that were asked

    def crawl(self, *arguments: str, records: Mapping[str, list[str]] = MappingProxyType({})) -> Ran:
        detour = ("--connect-to", f":80:127.0.0.1:{self.server.port}")
        with name_server(records, self.names) as port:
            return run_asking(port, self.folder, "crawl", *arguments, *FAST, *detour)

    def asked(self, host: str) -> list[str]:
        wanted = f"Host: {host}".encode()
        return [head.split()[1].decode() for head in self.server.requests if wanted in head.split(b"\r\n")]


REPLIES: dict[str, Reply] = {
    "/": LINKS,
    "/x": page(b"x"),
    "/private/x": page(b"secret"),
    "/robots.txt": page(b"User-agent: *\nDisallow: /private", PLAIN),
    "/.well-known/linkatlas.txt": page(f"# hello\n {CONTACT} \n".encode(), PLAIN),
    "/to-out": page(b"", b"Location: http://www.out.example/\r\n", b"301 Moved"),
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(REPLIES) as server:
        yield Site(tmp_path, server)


def test_who_opted_out_is_asked_nothing_at_all(site: Site) -> None:
    (site.folder / "out.txt").write_text("out.example\n")
    seeds = ("http://a.example/", "http://a.example/to-out", "http://out.example/")
    ran = site.crawl(*seeds, "--opt-out", "out.txt")
    assert ran.code == 0, ran.err
    assert site.asked("www.out.example") == site.asked("out.example") == []
    assert "/" in site.asked("a.example")
    again = site.crawl("http://c.example/")  # without the list: a flag that was forgotten undoes nothing
    assert again.code == 0, again.err
    assert site.asked("www.out.example") == []
    with open_frontier(f"sqlite:///{site.folder}/linkatlas-frontier.db") as frontier:
        assert frontier.counts().excluded_by["opted_out"] == 2
        assert read_job(frontier).scope.opted_out == {"out.example"}


# ---------------------------------------------------------------- one's own hosts


def test_robots_are_ignored_only_where_that_is_proven(site: Site) -> None:
    ran = site.crawl("http://a.example/", "--own", "a.example", "--contact", CONTACT)
    assert ran.code == 0, ran.err
    assert site.asked("a.example") == ["/.well-known/linkatlas.txt", "/", "/private/x"]
    assert "/robots.txt" in site.asked("in.example")
    told = run(site.folder, "why", "http://a.example/private/x", "--format", "table")
    assert "own" in told.out
    assert site.names == []  # the file was enough


@pytest.mark.parametrize(
    ("proof", "proven"),
    [
        (page(b"somebody@else.example", PLAIN), False),
        (page(f"x {CONTACT}".encode(), PLAIN), False),
        (page(CONTACT.encode(), PLAIN, b"404 Not Found"), False),
        (page(b"", b"Location: http://proven.example/.well-known/linkatlas.txt\r\n", b"302 Found"), False),
        (b"", False),
        (page(f"{CONTACT}\r\n".encode(), PLAIN), True),
    ],
    ids=["another", "inside a line", "404", "redirect", "nothing", "proof"],
)
def test_what_is_no_proof(tmp_path: Path, proof: Reply, proven: bool) -> None:
    with serving({**REPLIES, "/.well-known/linkatlas.txt": proof}) as server:
        site = Site(tmp_path, server)
        ran = site.crawl("http://a.example/private/x", "--own", "a.example", "--contact", CONTACT)
    assert ("/private/x" in site.asked("a.example")) is proven
    assert ("/robots.txt" in site.asked("a.example")) is not proven
    assert ("robots.txt holds" in ran.err) is not proven


@pytest.mark.parametrize(
    ("records", "why_not"),
    [
        ({"_linkatlas.a.example": [CONTACT]}, ""),
        ({"_linkatlas.a.example": ["v=spf1 -all", f" {CONTACT} "]}, ""),
        ({"_linkatlas.a.example": [f"{CONTACT}/"]}, "it says something else"),
        ({"_linkatlas.a.example": [f"linkatlas {CONTACT}"]}, "it says something else"),
        ({"_linkatlas.example": [CONTACT], "a.example": [CONTACT]}, "there is no such record"),
        ({"_linkatlas.a.example": []}, "there is no such record"),
        ({"_linkatlas.a.example": [SILENT]}, "no name server answered within 1 s"),
        ({"_linkatlas.a.example": [BROKEN]}, ""),
    ],
    ids=["it", "among others", "another", "inside a text", "of others", "no TXT", "silence", "no DNS"],
)
def test_a_name_proves_what_no_file_does(tmp_path: Path, records: dict[str, list[str]], why_not: str) -> None:
    gone = page(b"", PLAIN, b"404 Not Found")
    with serving({**REPLIES, "/.well-known/linkatlas.txt": gone}) as server:
        site = Site(tmp_path, server)
        ran = site.crawl("http://a.example/private/x", "--own", "a.example", "--contact", CONTACT, records=records)
    proven = not why_not and records["_linkatlas.a.example"] != [BROKEN]
    assert set(site.names) == {"_linkatlas.a.example"}
    assert ("/private/x" in site.asked("a.example")) is proven
    assert ("/robots.txt" in site.asked("a.example")) is not proven
    assert ("robots.txt holds" in ran.err) is not proven
    assert "Traceback" not in ran.err
    assert why_not in ran.err


@pytest.mark.parametrize("host", ["x" * 300 + ".example", "1.2.3.4:8080", "[::1]", "a..example", "_x.example"])
def test_a_name_that_cannot_be_asked_is_no_proof(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with name_server({}, []) as port:
        resolver = Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        monkeypatch.setattr(ownership, "_resolver", lambda: resolver)
        assert asyncio.run(ownership.doubt(host, CONTACT))


def test_nobody_without_contact_proves_anything() -> None:
    assert not proves(b"\n\n", "")


def test_nobody_without_contact_proves_anything_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with name_server({"_linkatlas.a.example": [" "]}, []) as port:
        resolver = Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        monkeypatch.setattr(ownership, "_resolver", lambda: resolver)
        assert asyncio.run(ownership.doubt("a.example", ""))


# ---------------------------------------------------------------- audit


def test_every_request_is_shown_with_the_rule_in_force(site: Site) -> None:
    ran = site.crawl(
        "http://a.example/", "http://a.example/gone", "--request-log", "requests.jsonl", "--contact", CONTACT
    )
    assert ran.code == 0, ran.err
    shown = run(site.folder, "audit", "a.example", "--request-log", "requests.jsonl")
    rows = [json.loads(line) for line in shown.out.splitlines()]
    assert sorted(row["url"].removeprefix("http://a.example") for row in rows) == sorted(site.asked("a.example"))
    by_path = {row["url"].removeprefix("http://a.example"): row for row in rows}
    assert by_path["/robots.txt"]["kind"] == "robots"
    assert (by_path["/"]["outcome"], by_path["/"]["rule"]) == ("200", "no line speaks of it")
    assert by_path["/gone"]["outcome"] == "404"
    assert rows[0]["gap"] is None and all(row["gap"] >= 0 for row in rows[1:])
    table = run(site.folder, "audit", "a.example", "--request-log", "requests.jsonl", "--format", "table")
    assert "3 requests to a.example; we call ourselves linkatlas/" in table.out
    assert "a.example: robots.txt rules, 0 s between requests" in table.out
    assert len(re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  [0-9]{3} ", table.out, re.MULTILINE)) == 3
    latest = run(site.folder, "audit", "a.example", "--request-log", "requests.jsonl", "--limit", "2")
    assert latest.out == "".join(shown.out.splitlines(keepends=True)[1:])
    cut = run(site.folder, "audit", "a.example", "--request-log", "requests.jsonl", "--format", "table", "--limit", "1")
    assert cut.out.splitlines()[-1].split() == table.out.splitlines()[-1].split()
    assert len(cut.out.splitlines()) == len(table.out.splitlines()) - 2
    assert cut.err == "(1 shown; --limit 0 shows all)\n"


def test_without_a_log_it_says_what_it_shows(site: Site) -> None:
    assert site.crawl("http://a.example/").code == 0
    shown = run(site.folder, "audit", "a.example")
    rows = [json.loads(line) for line in shown.out.splitlines()]
    assert [row["url"] for row in rows] == ["http://a.example/"]  # robots.txt closed the other, and nobody asked for it
    assert "the last visits of each page" in shown.err
    nothing = run(site.folder, "audit", "never.example")
    assert (nothing.code, nothing.out) == (1, "")


def test_a_damaged_log_is_read_as_far_as_it_goes(site: Site) -> None:
    site.crawl("http://a.example/", "--request-log", "requests.jsonl")
    log = site.folder / "requests.jsonl"
    log.write_bytes(b"\x80\x04K\x01.\n[]\n" + log.read_bytes() + b'{"at":')
    shown = run(site.folder, "audit", "a.example", "--request-log", "requests.jsonl")
    assert shown.code == 0
    assert len(shown.out.splitlines()) == 2
    assert "3 lines are no requests and were left out, the first is 1" in shown.err


@pytest.mark.parametrize("path", ["no/such/folder/x.jsonl", "."])
def test_a_log_that_cannot_be_written_is_told(tmp_path: Path, path: str) -> None:
    ran = run(tmp_path, "crawl", "http://a.example/", "--request-log", path)
    assert (ran.code, ran.err.count("\n")) == (2, 1), ran
    assert "--request-log" in ran.err
