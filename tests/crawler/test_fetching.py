"""What a fetch makes of servers that behave, misbehave and attack: an answer with its flags, or a reason."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ssl
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from socket import AF_INET
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crawler.addresses import parse_connect_to
from crawler.connecting import Reach
from crawler.decoding import ACCEPT_ENCODING, BLOCK, Body, Undecodable
from crawler.failures import FetchFailed, Reason
from crawler.fetching import Answer, Fetcher, Limits, is_page
from tests.rawserver import HTML, RawServer, Reply, endless, page, reset_after, serving, silence

PAGE = b"<!doctype html><title>Fine</title><a href=/x>x</a>" * 50
SHORT = Limits(connect=5, first_byte=0.5, whole=1.5, body=1 << 20, headers=64 * 1024)


class Answers(AbstractResolver):
    """A name server that gives these addresses, one list for each time it is asked, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: Any = AF_INET) -> list[ResolveResult]:
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0) for address in found
        ]

    async def close(self) -> None:
        pass


def fetch(
    *wanted: str, reach: Reach | None = None, limits: Limits = SHORT, resolver: AbstractResolver | None = None, **more: Any
) -> list[Answer | FetchFailed]:
    """Fetch URLs one after the other with one fetcher."""

    async def run() -> list[Answer | FetchFailed]:
        fetcher = Fetcher(reach or Reach(), limits, user_agent="test", resolver=resolver)
        ends: list[Answer | FetchFailed] = []
        for url in wanted:
            try:
                ends.append(await fetcher.fetch(url, **more))
            except FetchFailed as failed:
                ends.append(failed)
        await fetcher.close()
        return ends

    return asyncio.run(run())


def to(server: RawServer, *, allow_private: bool = False) -> Reach:
    """Reach that sends every connection to ``server``."""
    return Reach(connect_to=[parse_connect_to(f"::127.0.0.1:{server.port}")], allow_private=allow_private)


def answer_to(reply: Reply, **more: Any) -> Answer:
    """Fetch one URL whose answer is ``reply``."""
    [end] = ends_of(reply, **more)
    assert isinstance(end, Answer), end
    return end


def failure_of(reply: Reply, **more: Any) -> FetchFailed:
    """Fetch one URL that gives no answer."""
    [end] = ends_of(reply, **more)
    assert isinstance(end, FetchFailed), end
    return end


def ends_of(reply: Reply, **more: Any) -> list[Answer | FetchFailed]:
    with serving({"/": reply}) as server:
        return fetch("http://site.example/", reach=to(server), **more)


def encoded(name: str, body: bytes) -> bytes:
    return page(body, HTML + b"Content-Encoding: " + name.encode() + b"\r\n")


# ------------------------------------------------------------------------------------------------- plain answers


def test_an_answer_is_kept_as_it_came() -> None:
    headers = HTML + b"X-Robots-Tag: noindex\r\nx-robots-tag: nofollow\r\nSet-Cookie: a=b\r\n"
    answer = answer_to(page(PAGE, headers, b"203 Fine"))
    assert (answer.status, answer.body, answer.protocol) == (203, PAGE, "HTTP/1.1")
    assert answer.headers[b"X-Robots-Tag"] == [b"noindex", b"nofollow"]
    assert answer.fetched.address == "127.0.0.1"
    assert answer.fetched.flags == ()
    assert answer.fetched.size_on_wire == len(PAGE)


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


# ------------------------------------------------------------------------------------------------- what is no page


@pytest.mark.parametrize("kind", ["image/png", "video/mp4", "application/pdf", "application/zip", "font/woff2", "text/css",
                                  "application/octet-stream", "image/svg+xml", "application/json", "IMAGE/PNG; x=y"])  # fmt: skip
def test_what_is_no_page_is_left_where_it_is(kind: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: 1000000000\r\n\r\n"
    answer = answer_to(endless(head.encode(), bytes(65536)))
    assert (answer.status, answer.body, answer.fetched.flags) == (200, b"", ("not_a_page",))
    assert answer.fetched.size_on_wire < 10_000_000


@pytest.mark.parametrize("kind", ["text/html", "application/xhtml+xml; charset=x", "text/plain", "text/xml", "application/xml",
                                  "application/rss+xml", "", "html", "unknown/unknown", "application/x-unknown", "*/*"])  # fmt: skip
def test_what_may_be_a_page_is_read(kind: str) -> None:
    assert is_page(kind)


def test_any_type_is_read_where_that_is_asked() -> None:
    answer = answer_to(page(b"User-agent: *", b"Content-Type: image/png\r\n"), any_type=True)
    assert (answer.body, answer.fetched.flags) == (b"User-agent: *", ())


# ------------------------------------------------------------------------------------------------- encodings


ENCODED = {
    "html-br.bin": "br",
    "html-gzip.bin": "gzip",
    "html-rawdeflate.bin": "deflate",
    "html-zlibdeflate.bin": "deflate",
    "html-gzip-deflate.bin": "gzip, deflate",
    "html-gzip-deflate-gzip.bin": "gzip,deflate ,x-gzip",
    "html-zstd-static-content-size.bin": "zstd",
    "html-zstd-static-no-content-size.bin": "zstd",
    "html-zstd-streaming-no-content-size.bin": "ZSTD",
}


@pytest.mark.parametrize("name", ENCODED)
def test_every_encoding_is_undone(oracles: Path, name: str) -> None:
    packed = (oracles / "bombs" / name).read_bytes()
    answer = answer_to(encoded(ENCODED[name], packed))
    assert answer.body.startswith(b"<!DOCTYPE HTML>")
    assert answer.body.endswith(b"</html>\n") and len(answer.body) > 74_000
    assert answer.fetched.flags == ()
    assert answer.fetched.size_on_wire == len(packed)


@pytest.mark.parametrize("name", ["br", "deflate", "gzip", "zstd"])
def test_bombs_stop_at_the_limit(oracles: Path, name: str) -> None:
    bomb = (oracles / "bombs" / f"bomb-{name}.bin").read_bytes()
    answer = answer_to(encoded(name, bomb))
    assert len(answer.body) == SHORT.body
    assert answer.fetched.flags == ("cut",)
    body = Body(name, SHORT.body)
    assert not body.take(bomb)
    assert max(body._made) <= SHORT.body + 3 * BLOCK


def test_nested_bombs_stop_in_between() -> None:
    bomb = gzip.compress(gzip.compress(gzip.compress(bytes(100 << 20))))
    body = Body("gzip, gzip, gzip", SHORT.body)
    assert not body.take(bomb)
    assert body.flags == ("cut",)
    assert max(body._made) <= SHORT.body + 3 * BLOCK


def test_what_unpacks_to_nothing_is_limited_too() -> None:
    nothing = b"\x00\x00\x00\xff\xff" * (1 << 18)  # empty stored blocks
    body = Body("deflate", SHORT.body)
    assert not body.take(zlib.compress(b"")[:2] + nothing)
    assert body.flags == ("cut",)


@pytest.mark.parametrize(
    ("name", "end"),
    [("truncated-crc-error.gz", b"</html"), ("truncated-crc-error-short.gz", b"</html>"), ("unexpected-eof.gz", b"</a>');")],
)
def test_broken_gzip_keeps_what_could_be_decoded(oracles: Path, name: str, end: bytes) -> None:
    answer = answer_to(encoded("gzip", (oracles / "bombs" / name).read_bytes()))
    assert answer.body.endswith(end)
    assert answer.fetched.flags == ("truncated",)


def test_an_error_in_the_middle_costs_nothing_before_it() -> None:
    text = b"".join(b"<p>%d</p>\n" % number for number in range(50_000))
    packed = bytearray(gzip.compress(text))
    packed[-40_000:-39_000] = bytes(1000)
    answer = answer_to(encoded("gzip", bytes(packed)))
    assert answer.fetched.flags == ("truncated",)
    assert answer.body[:100_000] == text[:100_000]


def test_members_and_padding_of_gzip() -> None:
    packed = gzip.compress(b"one ") + gzip.compress(b"two") + bytes(7)
    answer = answer_to(encoded("gzip", packed))
    assert (answer.body, answer.fetched.flags) == (b"one two", ())


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate", "gzip, br"])
def test_what_is_not_encoded_as_it_says_fails(encoding: str) -> None:
    assert failure_of(encoded(encoding, PAGE)).reason is Reason.UNDECODABLE


def test_too_many_encodings_fail() -> None:
    assert failure_of(encoded("gzip, gzip, gzip, gzip", PAGE)).reason is Reason.UNDECODABLE
    with pytest.raises(Undecodable):
        Body("gzip, " * 1000, 10)


def test_unknown_encodings_count_as_none_and_no_body_needs_no_decoding() -> None:
    assert answer_to(encoded("utf-8", PAGE)).body == PAGE
    assert answer_to(encoded("gzip", b"")).body == b""
    assert answer_to(b"HTTP/1.1 204 No\r\nContent-Encoding: gzip\r\n\r\n").body == b""


# ------------------------------------------------------------------------------------------------- limits and breaks


def test_a_page_over_the_limit_is_cut_and_left() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    answer = answer_to(endless(head, b"<p>more</p>" * 5000))
    assert len(answer.body) == SHORT.body
    assert answer.fetched.flags == ("cut",)
    assert answer_to(page(bytes(SHORT.body))).fetched.flags == ()


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
    ids=["silence", "nothing", "reset", "head only", "half a head", "ssh", "bad status", "http/0.9", "bad chunk first",
         "upgrade", "endless headers", "endless header", "endless 100", "long header"],
)  # fmt: skip
def test_no_answer_has_a_reason(reply: Reply, reason: Reason) -> None:
    assert failure_of(reply).reason is reason


def test_long_headers_within_the_limit_are_fine() -> None:
    assert answer_to(page(PAGE, HTML + b"X-Long: " + b"x" * 60_000 + b"\r\n")).body == PAGE
    assert answer_to(page(PAGE, HTML + b"X: y\r\n" * 3000)).body == PAGE


@pytest.mark.parametrize("url", ["ftp://site.example/", "file:///etc/passwd", "data:text/html,x", "javascript:1", "//x", "x", "",
                                 "http://", "http://a b/", "gopher://x", "ws://site.example/", "http://[::1"])  # fmt: skip
def test_other_schemes_are_refused(url: str) -> None:
    [end] = fetch(url)
    assert isinstance(end, FetchFailed)
    assert end.reason is Reason.REFUSED_SCHEME


# ------------------------------------------------------------------------------------------------- where it may connect


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0177.1", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "0"])
def test_loopback_is_refused_in_every_spelling(host: str) -> None:
    with serving({}) as server:
        [end] = fetch(f"http://{host}:{server.port}/", reach=Reach(ports=[server.port]))
    assert isinstance(end, FetchFailed)
    assert (end.reason, server.connections) == (Reason.REFUSED_ADDRESS, 0)


@pytest.mark.parametrize("host", ["localhost", "deep.localhost", "rebound.example"])
def test_names_are_judged_by_the_address_connected_to(host: str) -> None:
    with serving({}) as server:
        reach = Reach(ports=[server.port])
        [end] = fetch(f"http://{host}:{server.port}/", reach=reach, resolver=Answers(["127.0.0.1", "::1"]))
    assert isinstance(end, FetchFailed)
    assert (end.reason, server.connections) == (Reason.REFUSED_ADDRESS, 0)


def test_a_name_that_changes_its_address_reaches_nothing() -> None:
    # 192.0.2.0/24 would do as the public one, were it not refused; connecting to 1.2.3.4 may only fail here.
    resolver = Answers(["1.2.3.4"], ["127.0.0.1"])
    with serving({}) as server:
        url = f"http://rebound.example:{server.port}/"
        ends = fetch(url, url, reach=Reach(ports=[server.port]), limits=Limits(connect=0.2, whole=1), resolver=resolver)
    assert server.connections == 0
    assert all(isinstance(end, FetchFailed) for end in ends)


def test_of_several_addresses_only_the_allowed_are_tried() -> None:
    with serving({"/": page(PAGE)}) as server:
        reach = Reach(ports=[server.port], allow_private=True)
        resolver = Answers(["169.254.169.254", "127.0.0.1"])
        [end] = fetch(f"http://mixed.example:{server.port}/", reach=reach, resolver=resolver)
    assert isinstance(end, Answer)
    assert end.fetched.address == "127.0.0.1"


def test_private_addresses_open_on_demand() -> None:
    with serving({"/": page(PAGE)}) as server:
        [end] = fetch(f"{server.url}/", reach=Reach(ports=[server.port], allow_private=True))
    assert isinstance(end, Answer)


def test_ports_are_refused() -> None:
    with serving({}) as server:
        ends = fetch(f"{server.url}/", "http://site.example:22/", reach=Reach(ports=[22, 80], allow_private=True))
    assert [getattr(end, "reason", None) for end in ends] == [Reason.REFUSED_PORT] * 2
    assert server.connections == 0


def test_connect_to_keeps_the_host_and_needs_no_name_server() -> None:
    with serving({"/": page(PAGE)}) as server:
        rules = [parse_connect_to(f"a.example:8081:127.0.0.1:{server.port}"), parse_connect_to(f":80:127.0.0.1:{server.port}")]
        wanted = ["http://a.example:8081/", "http://10.0.0.1/", "http://b.invalid/"]
        ends = fetch(*wanted, reach=Reach(connect_to=rules))
    assert all(isinstance(end, Answer) for end in ends)
    hosts = [head.split(b"\r\n")[1] for head in server.requests]
    assert hosts == [b"Host: a.example:8081", b"Host: 10.0.0.1", b"Host: b.invalid"]


def test_a_name_that_does_not_resolve() -> None:
    ends = fetch("http://nowhere.invalid/", f"http://{'a' * 70}.example/", f"http://{'a.' * 130}example/")
    assert [getattr(end, "reason", None) for end in ends] == [Reason.DNS] * 3


def test_nobody_there() -> None:
    with serving({}) as server:
        pass
    [end] = fetch("http://site.example/", reach=to(server))
    assert isinstance(end, FetchFailed)
    assert end.reason is Reason.CONNECT


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"/": page(PAGE)}) as proxy, serving({"/": page(PAGE)}) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        [end] = fetch("http://site.example/", reach=to(server))
    assert isinstance(end, Answer)
    assert (proxy.connections, server.connections) == (0, 1)


# ------------------------------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def self_signed() -> ssl.SSLContext:
    """A server's TLS with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site.example")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("site.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def test_a_bad_certificate_is_a_fact_not_an_end(self_signed: ssl.SSLContext) -> None:
    names: list[str | None] = []
    self_signed.sni_callback = lambda _socket, name, _context: names.append(name)
    with serving({"/": page(PAGE)}, self_signed) as server:
        ends = fetch("https://site.example/", "https://site.example/", reach=to(server))
    facts = [(end.body, end.fetched.certificate_error) for end in ends if isinstance(end, Answer)]
    assert facts == [(PAGE, "self-signed certificate")] * 2
    assert names == ["site.example"] * 3  # verified once; after that it is known


def test_no_tls_where_tls_is_due() -> None:
    with serving({"": page(PAGE)}) as server:
        [end] = fetch("https://site.example/", reach=to(server))
    assert isinstance(end, FetchFailed)
    assert end.reason is Reason.TLS
