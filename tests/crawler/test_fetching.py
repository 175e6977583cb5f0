"""What a fetch makes of servers that behave, misbehave and attack: an answer with its flags, or a reason."""

from __future__ import annotations

import asyncio
import threading

import pytest

from crawler.decoding import ACCEPT_ENCODING
from crawler.failures import FetchFailed, Reason
from crawler.fetching import Answer, Fetcher, is_page
from tests.crawler.fetches import PAGE, SHORT, answer_to, failure_of, fetch, to
from tests.rawserver import HTML, RawServer, Reply, endless, page, reset_after, serving, silence


def test_an_answer_is_kept_as_it_came() -> None:
    headers = HTML + b"X-Robots-Tag: noindex\r\nx-robots-tag: nofollow\r\nSet-Cookie: a=b\r\n"
    answer = answer_to(page(PAGE, headers, b"203 Fine"))
    assert (answer.status, answer.body, answer.protocol) == (203, PAGE, "HTTP/1.1")
    assert answer.headers[b"X-Robots-Tag"] == [b"noindex", b"nofollow"]
    assert answer.fetched.address == "127.0.0.1"
    assert answer.fetched.flags == ()
    assert answer.fetched.size_on_wire == len(PAGE)


def test_what_nobody_wants_any_more_when_its_connection_stands_is_not_asked_for() -> None:
    with serving({"/": page(PAGE)}) as server:
        wanted = iter((True, False, True))
        url = "http://site.example/"
        before, late, after = fetch(url, url, url, reach=to(server), wanted=lambda: next(wanted))
    assert isinstance(before, Answer)
    assert isinstance(after, Answer)
    assert isinstance(late, FetchFailed)
    assert late.reason is Reason.GIVEN_UP
    assert len(server.requests) == 2


def test_a_request_is_what_it_should_be() -> None:
    with serving({"/a%20b?q=|": page(b"", HTML + b"Set-Cookie: a=b; Path=/\r\n")}) as server:
        url = "http://user:secret@site.example/a%20b?q=|#fragment"
        assert all(isinstance(end, Answer) for end in fetch(url, url, reach=to(server)))
    for head in server.requests:
        assert head.startswith(b"GET /a%20b?q=| HTTP/1.1\r\nHost: site.example\r\n")
        assert f"Accept-Encoding: {ACCEPT_ENCODING}\r\n".encode() in head
        assert b"User-Agent: test\r\n" in head
        assert b"ookie" not in head
        assert b"Authorization" not in head


def test_redirects_are_answers() -> None:
    answer = answer_to(page(b"", b"Location: /elsewhere\r\n", b"301 Moved"))
    assert (answer.status, answer.headers[b"Location"]) == (301, [b"/elsewhere"])


def test_a_connection_serves_several_pages() -> None:
    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(page(PAGE).replace(b"Connection: close\r\n", b""))
            await writer.drain()
            await reader.read(1000)

    with serving({"/": twice}) as server:
        ends = fetch("http://site.example/", "http://site.example/", reach=to(server))
    assert [end.body for end in ends if isinstance(end, Answer)] == [PAGE, PAGE]
    assert server.connections == 1


@pytest.mark.parametrize(
    "kind",
    [
        "image/png", "video/mp4", "application/pdf", "application/zip", "font/woff2", "text/css",
        "application/octet-stream", "image/svg+xml", "application/json", "IMAGE/PNG; x=y",
    ],
)  # fmt: skip
def test_what_is_no_page_is_left_where_it_is(kind: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: 1000000000\r\n\r\n"
    answer = answer_to(endless(head.encode(), bytes(65536)))
    assert (answer.status, answer.body, answer.fetched.flags) == (200, b"", ("not_a_page",))
    assert answer.fetched.size_on_wire < 10_000_000


@pytest.mark.parametrize(
    "kind",
    [
        "text/html", "application/xhtml+xml; charset=x", "text/plain", "text/xml", "application/xml",
        "application/rss+xml", "", "html", "unknown/unknown", "application/x-unknown", "*/*",
    ],
)  # fmt: skip
def test_what_may_be_a_page_is_read(kind: str) -> None:
    assert is_page(kind)


def test_any_type_is_read_where_that_is_asked() -> None:
    answer = answer_to(page(b"User-agent: *", b"Content-Type: image/png\r\n"), any_type=True)
    assert (answer.body, answer.fetched.flags) == (b"User-agent: *", ())


def test_a_page_over_the_limit_is_cut_and_left() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    answer = answer_to(endless(head, b"<p>more</p>" * 5000))
    assert len(answer.body) == SHORT.body
    assert answer.fetched.flags == ("cut",)
    assert answer_to(page(bytes(SHORT.body))).fetched.flags == ()


def test_a_body_that_is_cut_costs_its_connection_and_no_more() -> None:
    left = threading.Event()

    async def huge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                writer.write(bytes(65536))
                await writer.drain()
        except ConnectionError:
            left.set()
            raise

    async def run(server: RawServer) -> None:
        fetcher = Fetcher(to(server), SHORT, user_agent="test")
        answer = await fetcher.fetch("http://site.example/huge")
        assert answer.fetched.size_on_wire < 2 * SHORT.body
        # Before the fetcher is closed: the rest is not read in the meantime.
        assert await asyncio.to_thread(left.wait, 10)
        assert (await fetcher.fetch("http://site.example/")).body == PAGE
        await fetcher.close()

    with serving({"/huge": huge, "/": page(PAGE)}) as server:
        asyncio.run(run(server))
    assert server.connections == 2


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(PAGE), PAGE)


@pytest.mark.parametrize(
    "reply",
    [
        LENGTH + PAGE,
        CHUNKED + CHUNK,
        CHUNKED + CHUNK + b"zz\r\n<p>no\r\n",
        reset_after(LENGTH + PAGE),
        endless(LENGTH + PAGE, b"", 0.2),
        endless(CHUNKED + CHUNK + b"0\r\n", b"X-Trailer: x\r\n" * 500),
    ],
    ids=["length too large", "chunks end early", "bad chunk", "reset", "silence", "endless trailers"],
)
def test_a_broken_body_keeps_what_arrived(reply: Reply) -> None:
    answer = answer_to(reply)
    assert answer.body == PAGE
    assert answer.fetched.flags == ("truncated",)


def test_one_byte_at_a_time_ends() -> None:
    answer = answer_to(endless(LENGTH, b"x", 0.05))
    assert 1 < len(answer.body) < 100
    assert answer.fetched.flags == ("truncated",)
    assert failure_of(endless(b"", b"x", 0.05)).reason in (Reason.TIMEOUT, Reason.PROTOCOL)
    assert failure_of(endless(b"HTTP/1.1 200 OK\r\n", b"x", 0.05)).reason is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (silence, Reason.FIRST_BYTE_TIMEOUT),
        (b"", Reason.RESET),
        (reset_after(b""), Reason.RESET),
        (LENGTH, Reason.RESET),
        (b"HTTP/1.1 200 OK\r\nContent-", Reason.RESET),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Reason.PROTOCOL),
        (b"HTTP/1.1 banana\r\n\r\n", Reason.PROTOCOL),
        (b"<html>as before HTTP/1.0</html>", Reason.PROTOCOL),
        (CHUNKED + b"zz\r\n", Reason.PROTOCOL),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", Reason.PROTOCOL),
        (endless(b"HTTP/1.1 200 OK\r\n", b"X-More: more\r\n" * 100), Reason.HEADERS_TOO_LARGE),
        (endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 1000), Reason.HEADERS_TOO_LARGE),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), Reason.HEADERS_TOO_LARGE),
        (page(PAGE, HTML + b"X-Long: " + b"x" * 100_000 + b"\r\n"), Reason.HEADERS_TOO_LARGE),
    ],
    ids=[
        "silence",
        "nothing",
        "reset",
        "head only",
        "half a head",
        "ssh",
        "bad status",
        "http/0.9",
        "bad chunk first",
        "upgrade",
        "endless headers",
        "endless header",
        "endless 100",
        "long header",
    ],
)
def test_no_answer_has_a_reason(reply: Reply, reason: Reason) -> None:
    assert failure_of(reply).reason is reason


def test_long_headers_within_the_limit_are_fine() -> None:
    assert answer_to(page(PAGE, HTML + b"X-Long: " + b"x" * 60_000 + b"\r\n")).body == PAGE
    assert answer_to(page(PAGE, HTML + b"X: y\r\n" * 3000)).body == PAGE


@pytest.mark.parametrize(
    "url",
    [
        "ftp://site.example/", "file:///etc/passwd", "data:text/html,x", "javascript:1", "//x", "x", "",
        "http://", "http://a b/", "gopher://x", "ws://site.example/", "http://[::1",
    ],
)  # fmt: skip
def test_other_schemes_are_refused(url: str) -> None:
    [end] = fetch(url)
    assert isinstance(end, FetchFailed)
    assert end.reason is Reason.REFUSED_SCHEME
