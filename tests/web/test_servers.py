"""Each fake web starts, answers, logs what it was asked, and ends with whoever started it."""

from __future__ import annotations

import gzip
import http.client
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from interfaces.demo import loopback
from interfaces.demo.model import split
from interfaces.demo.serve import serving
from interfaces.demo.web import make_web
from tests.web import realpages

ROOT = Path(__file__).parents[2]
SERVERS = ("interfaces.demo.serve", "tests.web.farm", "tests.web.misbehave", "tests.web.realpages")


@pytest.fixture(scope="module")
def misbehaving() -> Iterator[int]:
    """The port of a web that misbehaves."""
    with loopback.child("tests.web.misbehave") as (port,):
        yield port


def get(port: int, path: str, host: str = "any.example", tls: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """Ask once; returns status and body."""
    connection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=tls)
        if tls
        else http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    )
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def location(port: int, path: str) -> str | None:
    """Ask once; returns where the answer redirects to."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().getheader("Location")
    finally:
        connection.close()


@pytest.mark.parametrize("module", SERVERS)
@pytest.mark.parametrize("end", ["stdin", "SIGTERM"])
def test_a_server_ends_when_its_parent_goes(module: str, end: str) -> None:
    if module == "tests.web.realpages" and not realpages.PAGES.is_dir():
        pytest.skip(f"no real pages at {realpages.PAGES}")
    with subprocess.Popen(
        [sys.executable, "-m", module], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        assert process.stdout.readline().startswith(b"ready 127.0.0.1 ")
        if end == "stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == b""


def test_a_child_that_does_not_start_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="before it was ready"), loopback.child("interfaces.demo.model"):
        pass


def test_the_demo_web_is_served_as_it_was_made(tmp_path: Path) -> None:
    web, log = make_web(1), tmp_path / "log"
    with serving("--seed", "1", "--log", str(log)) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        for url in web.pages[:50]:
            host, path = split(url)
            connection.request("GET", path, headers={"Host": host})
            assert connection.getresponse().read() == web.answers[host, path].body
        connection.request("HEAD", "/", headers={"Host": web.star})
        assert connection.getresponse().read() == b""
        connection.close()
        assert get(port, "/nothing", web.star)[0] == 404
        with pytest.raises(http.client.RemoteDisconnected):
            get(port, "/", "gone-fishing.example")
    lines = [line.split() for line in log.read_text().splitlines()]
    assert [(line[2], line[3]) for line in lines[:50]] == [split(url) for url in web.pages[:50]]
    assert [line[4] for line in lines[50:]] == ["200", "404", "0"]
    assert all(0 < float(start) <= float(end) <= time.monotonic() for start, end, *_ in lines)


def test_a_site_is_served_over_its_hosts() -> None:
    with serving("--site", "40", "--hosts", "2", "--size", "3000") as port:
        status, body = get(port, "/p/39", "site-1.example")
    assert status == 200 and len(body) >= 3000


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ok", 200), ("/status/418", 418), ("/retry-after/7", 503), ("/redirect/2", 302), ("/redirect-nowhere", 302),
        ("/slow/0", 200), ("/gzip", 200), ("/gzip-bomb", 200), ("/image", 200), ("/no-type", 200), ("/latin1", 200),
        ("/empty", 200), ("/to-the-end", 200), ("/nothing-here", 404), ("/robots.txt", 404),
    ],
)  # fmt: skip
def test_misbehaviour_with_an_answer(misbehaving: int, path: str, status: int) -> None:
    assert get(misbehaving, path)[0] == status


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/reset", ConnectionResetError),
        ("/silent", http.client.RemoteDisconnected),
        ("/truncated", http.client.IncompleteRead),
        ("/bad-chunk", http.client.IncompleteRead),
        ("/bad-status", http.client.BadStatusLine),
        ("/not-http", http.client.BadStatusLine),
        ("/long-header", http.client.LineTooLong),
    ],
)
def test_misbehaviour_that_breaks_the_answer(misbehaving: int, path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        get(misbehaving, path)


@pytest.mark.parametrize("path", ["/huge", "/huge/declared", "/drip/0.01"])
def test_misbehaviour_without_end(misbehaving: int, path: str) -> None:
    with socket.create_connection(("127.0.0.1", misbehaving), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: any.example\r\n\r\n".encode())
        assert all(connection.recv(1 << 16) for _ in range(20))


def test_redirects_lead_where_they_say(misbehaving: int) -> None:
    assert location(misbehaving, "/redirect/1") == "/ok"
    assert location(misbehaving, "/redirect-loop") == "/redirect-loop/back"
    assert location(misbehaving, "/redirect-loop/back") == "/redirect-loop"
    assert location(misbehaving, "/redirect-endless/41") == "/redirect-endless/42"
    assert location(misbehaving, "/redirect-to?http://127.0.0.1/") == "http://127.0.0.1/"


def test_a_flaky_page_recovers(misbehaving: int) -> None:
    assert [get(misbehaving, "/flaky/2/here")[0] for _ in range(4)] == [503, 503, 200, 200]


@pytest.mark.parametrize(
    ("host", "status"),
    [("robots-404", 404), ("robots-429", 429), ("robots-503", 503), ("robots-redirect", 301), ("robots-closed", 200)],
)
def test_robots_by_host(misbehaving: int, host: str, status: int) -> None:
    assert get(misbehaving, "/robots.txt", f"{host}.example")[0] == status


def test_real_pages_are_served_under_their_own_urls(oracles: Path) -> None:
    pages = realpages.load(oracles / "pages")
    assert len(pages) == len({page.url for page in pages}) > 390
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with realpages.serving() as ports:
        _, start = get(ports.plain, "/", "start.example")
        assert start.count(b"<a href=") == len(pages)
        for page in pages[::20] + pages[1::20]:
            scheme, _, rest = page.url.partition("://")
            host, _, path = rest.partition("/")
            port, tls = (ports.tls, anyone) if scheme == "https" else (ports.plain, None)
            status, body = get(port, f"/{path}", host, tls)
            assert status == 200
            assert page.body == (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
        assert get(ports.plain, "/robots.txt", "start.example")[0] == 404
