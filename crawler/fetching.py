"""One fetch: a URL in, an :class:`Answer` or :class:`FetchFailed` out, within limits on time and size. Knows no Scrapy.

Redirects are answers, not followed; cookies are not kept; proxies of the environment are not used. A certificate that
does not hold is a fact about the answer, never its end: a crawler gives no secrets away, and links are links.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from time import monotonic
from typing import TYPE_CHECKING

import aiohttp
import msgspec
from yarl import URL

from crawler.connecting import WANTED, GuardedConnector, Reach, WiredResponse
from crawler.decoding import ACCEPT_ENCODING, Body, Undecodable
from crawler.failures import FetchFailed, Reason
from crawler.limits import BY_REASON
from crawler.remembered import Remembered
from linkindex import urls

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,text/plain;q=0.8,*/*;q=0.5"
DRAINED = 16 * 1024  # bytes of an unwanted body that cost less to read than a new connection does
CERTIFICATES = 4 << 20  # bytes of hosts whose broken certificates are remembered
CERTIFICATE_TTL = 3600.0  # s until a broken certificate gets another chance


# How the rest of a body may fail to come.
_BREAKS = (aiohttp.ClientError, TimeoutError, OSError, FetchFailed)


@cache
def _verifying() -> ssl.SSLContext:
    """What a certificate is judged by: as browsers do, on every Python alike (3.13 added strictness of its own)."""
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds and bytes."""

    connect: float = 10.0  # name, connection, TLS
    first_byte: float = 20.0  # silence, before the answer and within it
    whole: float = 60.0
    rate: int = 1024  # bytes of body a second, as they come, on average; asked for once ``first_byte`` has passed
    body: int = 8 * 1024 * 1024  # decoded
    ratio: int = 200  # times that a body may grow by being decoded (crawler.decoding.Body)
    headers: int = 256 * 1024


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one fetch. ``flags``: ``cut`` at the size limit, ``truncated`` by the server, ``not_a_page``. ``limit``:
    the option that ended the body, "" where none did (:mod:`crawler.limits`)."""

    elapsed_ms: int
    ended: float  # time.monotonic()
    address: str = ""
    certificate_error: str = ""
    flags: tuple[str, ...] = ()
    limit: str = ""
    size_on_wire: int = 0  # bytes of body, encoded as it came


class Answer(msgspec.Struct, frozen=True):
    """What a server answered. Header names are in title case; a name may come several times."""

    status: int
    headers: dict[bytes, list[bytes]]
    body: bytes
    protocol: str  # "HTTP/1.1"
    fetched: Fetched


class Fetcher:
    """Fetches for one process; keeps connections, resolved names and broken certificates in mind."""

    def __init__(
        self, reach: Reach, limits: Limits, *, user_agent: str, resolver: AbstractResolver | None = None
    ) -> None:
        self._reach = reach
        self._limits = limits
        self._user_agent = user_agent
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._broken_certificates: Remembered[tuple[str, float]] = Remembered(CERTIFICATES)

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] | None = None,
        data: bytes | None = None,
        any_type: bool = False,
        at_least: int = 0,
        wanted: Callable[[], bool] | None = None,
    ) -> Answer:
        """Return the answer to one request. Bodies that are no page are left where they are, unless ``any_type``.

        ``at_least`` raises the limit on the body to so many bytes. ``wanted`` is asked once the connection stands: where it
        says no, nothing is sent, and that is :class:`FetchFailed` too, with ``Reason.GIVEN_UP``.

        Raises :class:`FetchFailed`. Takes at most ``limits.whole`` seconds, once more ``limits.connect`` where a
        certificate is met that does not hold.
        """
        began = monotonic()
        target = _target(url)
        if wanted is not None:
            WANTED.set(wanted)
        try:
            response, certificate_error = await self._open(target, method, headers, data)
            try:
                body, flags, limit = await self._read(response, any_type, max(at_least, self._limits.body))
            finally:
                response.close()  # of no effect once the body was read to its end
        except Exception as error:
            raise _failure(error) from error
        ended = monotonic()
        version = response.version
        return Answer(
            response.status,
            _headers(response.raw_headers),
            body,
            f"HTTP/{version.major}.{version.minor}" if version else "HTTP/1.1",
            Fetched(
                elapsed_ms=round((ended - began) * 1000),
                ended=ended,
                address=response.address,
                certificate_error=certificate_error,
                flags=flags,
                limit=limit,
                size_on_wire=response.content.total_bytes,
            ),
        )

    async def address(self, host: str) -> str:
        """Return the address that a fetch of ``host`` (with a port, where it is not the usual one) would connect to; "" where
        there is none that may be connected to."""
        name, _, port = host.rpartition(":") if ":" in host and not host.endswith("]") else (host, "", "443")
        connector = self._opened().connector
        assert isinstance(connector, GuardedConnector)
        try:
            return (await connector.addresses(name.strip("[]"), int(port)))[0]
        except (FetchFailed, OSError):
            return ""

    @property
    def is_open(self) -> bool:
        """Whether there is anything to close."""
        return self._session is not None

    async def close(self) -> None:
        """Close every connection. A closed fetcher opens again with the next fetch."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
            await asyncio.sleep(0)  # asyncio lets go of a socket in the turn after it is hung up

    def _opened(self) -> aiohttp.ClientSession:
        limits = self._limits
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=GuardedConnector(self._reach, limits.headers, self._resolver),
                timeout=aiohttp.ClientTimeout(limits.whole, limits.connect, sock_read=limits.first_byte),
                headers={"User-Agent": self._user_agent, "Accept": ACCEPT, "Accept-Encoding": ACCEPT_ENCODING},
                cookie_jar=aiohttp.DummyCookieJar(),
                response_class=WiredResponse,
                skip_auto_headers=("Content-Type",),
                auto_decompress=False,
                trust_env=False,
                # Out of the way: crawler.connecting.Wire counts the head as a whole.
                max_line_size=1 << 30,
                max_field_size=1 << 30,
                max_headers=1 << 30,
            )
        return self._session

    async def _open(
        self, target: URL, method: str, headers: Sequence[tuple[str, str]] | None, data: bytes | None
    ) -> tuple[WiredResponse, str]:
        """Send the request and return the answer's head, and what is wrong with the certificate.

        Verified first: an honest host costs one connection, and a dishonest one a second, once.
        """
        place = f"{target.raw_host}:{target.port}"
        wrong, until = self._broken_certificates.get(place) or ("", 0.0)
        if until < monotonic():
            try:
                return await self._send(target, method, headers, data, verified=True), ""
            except aiohttp.ClientConnectorCertificateError as error:
                wrong = _certificate_error(error.certificate_error)
                self._broken_certificates.put(place, (wrong, monotonic() + CERTIFICATE_TTL), len(wrong))
        return await self._send(target, method, headers, data, verified=False), wrong

    async def _send(
        self, target: URL, method: str, headers: Sequence[tuple[str, str]] | None, data: bytes | None, *, verified: bool
    ) -> WiredResponse:
        response = await self._opened().request(
            method,
            target,
            headers=headers,
            data=data or None,
            allow_redirects=False,
            ssl=_verifying() if verified else False,
        )
        assert isinstance(response, WiredResponse)
        return response

    async def _read(self, response: WiredResponse, any_type: bool, limit: int) -> tuple[bytes, tuple[str, ...], str]:
        """Return (body, flags, the limit that ended it). Raises what ended the body where nothing of it came."""
        head = response.headers
        content = response.content
        if response.status < 200:  # 101: nobody asked for another protocol
            raise FetchFailed(Reason.PROTOCOL, f"answered {response.status}")
        if not any_type and not is_page(head.get("Content-Type", "")):
            length = response.content_length
            if length is not None and length <= DRAINED:
                with suppress(*_BREAKS):
                    await response.read()
            return b"", ("not_a_page",), ""
        body = Body(head.get("Content-Encoding", ""), limit, self._limits.ratio)
        broken, bit, began = False, "", monotonic()
        try:
            while data := await content.readany():
                if not body.take(data):
                    break
                self._check_rate(content.total_bytes, monotonic() - began)
        except _BREAKS as error:
            rest = b"".join(content._buffer)  # noqa: SLF001  # aiohttp has no other way to what came before the break
            if not content.total_bytes:
                raise
            broken = not rest or body.take(rest)
            bit = BY_REASON.get(_failure(error).reason, "")
        return body.end(broken), body.flags, body.bit or bit

    def _check_rate(self, size: int, seconds: float) -> None:
        if seconds > self._limits.first_byte and size < self._limits.rate * seconds:
            raise FetchFailed(Reason.TOO_SLOW, f"{size} bytes in {seconds:.0f} s")


def _target(url: str) -> URL:
    """Return a URL that is sent as it is. Raises :class:`FetchFailed` unless it is an http or https URL."""
    href = urls.parse(url)
    if href is None:
        raise FetchFailed(Reason.REFUSED_SCHEME, "not an http or https URL")
    target = URL(href, encoded=True)
    return target if target.raw_user is None and target.raw_password is None else target.with_user(None)


def _headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    headers: dict[bytes, list[bytes]] = {}
    for name, value in raw:
        headers.setdefault(name.title(), []).append(value)
    return headers


_PAGES = ("html", "xml")
_OTHER_TEXT = frozenset({"css", "javascript", "ecmascript", "csv", "calendar", "vcard", "event-stream", "x-c"})
_OTHER_KINDS = frozenset({"image", "audio", "video", "font", "model", "application", "multipart", "message"})
_TYPE_CHARS = 256  # of a Content-Type
_UNSAID = frozenset({"unknown", "x-unknown"})  # WHATWG MIME Sniffing, 7: as good as no type


def is_page(content_type: str) -> bool:
    """Return whether a body of this type may hold links that we read: HTML, XML, plain text, or nobody knows."""
    return _is_page(content_type[:_TYPE_CHARS])


@lru_cache(maxsize=1024)
def _is_page(content_type: str) -> bool:
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    if kind in ("text", "application") and any(name in subtype for name in _PAGES):
        return True
    if kind == "text":
        return subtype not in _OTHER_TEXT
    return kind not in _OTHER_KINDS or (kind == "application" and subtype in _UNSAID)


def _certificate_error(error: Exception) -> str:
    """Return what is wrong with a certificate in OpenSSL's words: "self-signed certificate", "Hostname mismatch"."""
    message = getattr(error, "verify_message", "") or str(error)
    return message.partition(",")[0].strip().rstrip(".")


_REASONS: Mapping[type[Exception], Reason] = {  # the first that fits
    aiohttp.ConnectionTimeoutError: Reason.CONNECT_TIMEOUT,
    aiohttp.ServerTimeoutError: Reason.FIRST_BYTE_TIMEOUT,
    asyncio.TimeoutError: Reason.TIMEOUT,
    Undecodable: Reason.UNDECODABLE,
    aiohttp.ClientSSLError: Reason.TLS,
    ssl.SSLError: Reason.TLS,
    aiohttp.ClientConnectorDNSError: Reason.DNS,
    UnicodeError: Reason.DNS,  # a label that IDNA cannot encode
    aiohttp.ClientConnectorError: Reason.CONNECT,
    aiohttp.InvalidURL: Reason.REFUSED_SCHEME,
    aiohttp.ClientConnectionError: Reason.RESET,
    aiohttp.ClientPayloadError: Reason.RESET,
    OSError: Reason.RESET,
    aiohttp.ClientError: Reason.PROTOCOL,
    ValueError: Reason.PROTOCOL,
}


def _failure(error: Exception) -> FetchFailed:
    """Return what an exception says of the server; raise it again where it says something of this program."""
    if isinstance(error, FetchFailed):
        return error
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return FetchFailed(reason, " ".join(str(getattr(error, "os_error", error)).split())[:200])
    raise error
