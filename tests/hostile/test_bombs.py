"""Bombs end as ``too_large``, and the process that met them is at most 64 MB larger."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from pathlib import Path

import brotli
import pytest
from backports import zstd

from crawler.extract.sitemaps import MAX_BYTES
from tests import stored
from tests.crawls.command import environment
from tests.rawserver import HTML, Reply, page, serving

ALLOWED = 64 << 20  # bytes

# Crawls a site in this process and tells how large it became at most (getrusage would tell of its parent too).
CRAWL = r"""
import json, re, sys
from pathlib import Path
from interfaces.cli.main import main
port, path, *urls = sys.argv[1:]
common = ("--delay", "0", "--retries", "1", "--max-wait", "0", "--depth", "1", "--connect-to", ":80:127.0.0.1:" + port)
code = main(["crawl", *urls, *common, "--index", "sqlite:///" + path])
print()
print(json.dumps([code, 1024 * int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])]))
"""


def squeezed(size: int, rounds: int = 1) -> bytes:
    """Return ``size`` zeros, packed by gzip so many times."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    body = b"".join([*parts, packer.flush()])
    for _ in range(rounds - 1):
        body = gzip.compress(body)
    return body


def encoded(body: bytes, *names: str) -> Reply:
    return page(body, HTML + b"Content-Encoding: " + ", ".join(names).encode() + b"\r\n")


def bombs(oracles: Path) -> dict[str, Reply]:
    folder = oracles / "bombs"
    found: dict[str, Reply] = {
        f"/{name}": encoded((folder / f"bomb-{name}.bin").read_bytes(), name)
        for name in ("br", "deflate", "gzip", "zstd")
    }
    gigabyte = squeezed(1 << 30)
    zeros = bytes(64 << 20)
    return {
        **found,
        "/gigabyte": encoded(gigabyte, "gzip"),
        "/twice": encoded(squeezed(1 << 30, 2), "gzip", "gzip"),
        "/thrice": encoded(squeezed(1 << 30, 3), "gzip", "gzip", "gzip"),
        "/in-zstd": encoded(zstd.compress(gigabyte), "gzip", "zstd"),
        "/in-br": encoded(brotli.compress(gigabyte, quality=1), "gzip", "br"),
        "/br-in-gzip": encoded(gzip.compress(brotli.compress(zeros, quality=5)), "br", "gzip"),
        "/members": encoded(gzip.compress(zeros) * 90, "gzip"),
    }


def crawled(folder: Path, replies: dict[str, Reply], name: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Crawl these paths, each on a host of its own; return how large that process became, and how the visits ended."""
    with serving(replies) as server:
        urls = [f"http://h{number}.example{path}" for number, path in enumerate(replies)]
        done = subprocess.run(
            [sys.executable, "-c", CRAWL, str(server.port), f"{name}.db", *urls],
            cwd=folder, env=environment(PYTHONWARNINGS="ignore", MALLOC_ARENA_MAX="2"), capture_output=True, text=True,
            timeout=300, check=True,
        )  # fmt: skip
    code, peak = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr

    paths = {f"http://h{number}.example{path}": path for number, path in enumerate(replies)}
    return peak, {paths[url]: end for url, end in stored.ends(folder / f"{name}.db").items() if url in paths}


@pytest.fixture
def before(tmp_path: Path) -> int:
    """The size of a process that crawls harmless pages."""
    peak, _ = crawled(tmp_path, {f"/{number}": page(b"<p>fine</p>" * 1000) for number in range(12)}, "before")
    return peak


def test_bombs_end_as_too_large_in_little_memory(oracles: Path, tmp_path: Path, before: int) -> None:
    replies = bombs(oracles)
    peak, ends = crawled(tmp_path, replies, "bombs")
    assert ends == dict.fromkeys(replies, ("page", "too_large"))
    print(f"{len(replies)} bombs: {(peak - before) >> 20} MB up")
    assert peak - before < ALLOWED


def test_sitemap_and_robots_bombs(tmp_path: Path, before: int) -> None:
    xml, plain = b"Content-Type: text/xml\r\n", b"Content-Type: text/plain\r\n"
    padding = b"<urlset>" + b"<url><loc>http://h0.example/x</loc></url>" * 10 + b" " * (MAX_BYTES // 3)
    replies: dict[str, Reply] = {
        "/": page(b"<a href=/x>x</a>"),
        "/robots.txt": page(
            gzip.compress(b"User-agent: *\nDisallow: /x\n" + bytes(400 << 20)), plain + b"Content-Encoding: gzip\r\n"
        ),
        "/sitemap.xml": page(gzip.compress(gzip.compress(padding * 9)), xml + b"Content-Encoding: gzip\r\n"),
    }
    peak, ends = crawled(tmp_path, replies, "files")
    assert ends["/"] == ("page", "")
    assert peak - before < ALLOWED


def test_a_parser_bomb_is_told_before_it_is_parsed(tmp_path: Path, before: int) -> None:
    formatting = b"<p>" + b"".join(b"<b a=%d>" % n for n in range(1000)) + b"</p>" + b"<p>x</p>" * 10_000
    replies: dict[str, Reply] = {
        "/formatting": page(formatting),
        "/open": page(b"<div>" * 200_000),
        "/attributes": page(b"<p " + b" ".join(b"a%d=1" % n for n in range(200_000)) + b">"),
        "/entities": page(
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            + b"".join(b'<!ENTITY a%d "%b">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"&a;" * 10) for n in range(9))
            + b"]><rss><channel><item><title>&a8;</title></item></channel></rss>",
            b"Content-Type: text/xml\r\n",
        ),
        "/external": page(
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><urlset><url><loc>&e;</loc></url></urlset>',
            b"Content-Type: text/xml\r\n",
        ),
    }
    peak, ends = crawled(tmp_path, replies, "parser")
    assert ends == {
        "/formatting": ("unreadable", "too_deep"),
        "/open": ("unreadable", "too_deep"),
        "/attributes": ("unreadable", "too_many_attributes"),
        "/entities": ("unreadable", "entities"),
        "/external": ("unreadable", "entities"),
    }
    assert peak - before < ALLOWED


@pytest.mark.parametrize(
    "body",
    [b"<p>more</p>\n" * 650_000, b"<i>x</i>" * 1_000_000, b"<br>" * 2_000_000, b"<p a b c d e f g h i j>" * 340_000],
    ids=["paragraphs", "inline", "breaks", "attributes"],
)
def test_a_page_that_is_all_markup_is_read_as_far_as_it_fits(tmp_path: Path, before: int, body: bytes) -> None:
    """8 MiB of markup are 280 to 840 MB of nodes; what is read of it, with the page itself, is a fraction of that."""
    peak, ends = crawled(tmp_path, {"/": page(body)}, "markup")
    assert ends["/"] == ("page", "too_many_nodes")
    print(f"{(peak - before) >> 20} MB up")
    assert peak - before < 2.5 * ALLOWED


def test_a_process_does_not_stay_as_large_as_its_largest_page(tmp_path: Path) -> None:
    """A page of 8 MiB is some 100 MB of nodes; once it was read, that is given back."""
    code = CRAWL.replace("VmHWM", "VmRSS")
    with serving({"/": page(b"<p>more</p>\n" * 650_000)}) as server:
        done = subprocess.run(
            [sys.executable, "-c", code, str(server.port), "large.db", "http://h0.example/"],
            cwd=tmp_path, env=environment(PYTHONWARNINGS="ignore"), capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1])[1] < 250 << 20
