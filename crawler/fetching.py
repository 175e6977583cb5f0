"""Fetches one URL: the only place that opens a connection to the web. Knows no Scrapy.

The guard (:mod:`crawler.addresses`) judges the very address that a socket is about to connect to, whatever a name
resolved to before; redirects are not followed, cookies are not kept, proxies from the environment are not used.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from crawler import addresses
from crawler.addresses import Detour, read_detour
from crawler.decompress import ACCEPTED, Body, Undecodable

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5"

# Types whose bodies hold no links for us; they are not downloaded.
_NO_PAGES = ("image/", "video/", "audio/", "font/", "model/", "application/pdf", "application/zip", "application/gzip")
_NO_PAGES += ("application/octet-stream", "application/x-", "application/vnd.", "application/msword", "application/json")
_NO_PAGES += ("text/css", "text/javascript", "application/javascript", "application/ld+json", "text/csv", "text/calendar")

_REMEMBERED_HOSTS = 10_000  # whose certificate will not be trusted


class FetchFailed(Exception):
    """There is no answer to use. ``reason`` is one word for counting: dns, refused_address, refused_port,
    refused_scheme, connect, connect_timeout, tls, timeout, reset, protocol, headers_too_large, undecodable."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How a fetch is bounded: sizes in bytes, times in seconds."""

    max_body: int = 8 * 1024**2
    max_headers: int = 256 * 1024
    connect_timeout: float = 10.0
    first_byte_timeout: float = 20.0
    timeout: float = 60.0


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one fetch."""

    elapsed_ms: int
    address: str  # that was connected to; "" where the system does not tell
    certificate_error: str  # why the certificate would not be trusted; "" where it is, and for http
    flags: tuple[str, ...]  # cut (a limit), truncated (the connection), not_a_page (its type: body not downloaded)
    size_on_wire: int
    ended: float  # time.monotonic()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server said."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    fetched: Fetched


class _Guard(AbstractResolver):
    """Resolves names, sends detours elsewhere, and refuses addresses: once here, and again as a socket is made."""

    def __init__(self, detours: Sequence[Detour], allow_private: bool) -> None:
        self._detours = detours
        self._allow_private = allow_private
        self._detoured = {(detour.address, detour.to_port) for detour in detours}
        self._resolver = aiohttp.ThreadedResolver()

    def detour(self, host: str, port: int) -> Detour | None:
        return next((detour for detour in self._detours if detour.covers(host, port)), None)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        detour = self.detour(host, port)
        if detour is None:
            return await self._resolver.resolve(host, port, family)
        if addresses.is_address(detour.address):
            version = socket.AF_INET6 if ":" in detour.address else socket.AF_INET
            flags = socket.AI_NUMERICHOST
            return [{"hostname": host, "host": detour.address, "port": detour.to_port, "family": version, "proto": 0, "flags": flags}]
        found = await self._resolver.resolve(detour.address, detour.to_port, family)
        self._detoured.update((each["host"], each["port"]) for each in found)
        return found

    def make_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Make the socket for one connection, unless its address is refused. (aiohttp's ``socket_factory``.)"""
        family, kind, protocol, _, (address, port, *_) = info
        if not self._allow_private and (address, port) not in self._detoured:
            refusal = addresses.refusal(address)
            if refusal:
                raise RefusedAddress(refusal)
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        await self._resolver.close()


class RefusedAddress(OSError):
    """An address that the guard does not let through."""


class Fetcher:
    """Fetches URLs for one process. Must be made and used inside a running asyncio loop."""

    def __init__(
        self,
        user_agent: str,
        limits: Limits,
        *,
        connect_to: Iterable[str] = (),
        allow_private: bool = False,
        ports: Iterable[int] = (80, 443),
    ) -> None:
        self._limits = limits
        self._allow_private = allow_private
        self._ports = frozenset(ports)
        self._guard = _Guard([read_detour(text) for text in connect_to], allow_private)
        self._verifying = ssl.create_default_context()
        self._trusting = ssl.create_default_context()
        self._trusting.check_hostname = False
        self._trusting.verify_mode = ssl.CERT_NONE
        self._distrusted: dict[str, str] = {}  # host -> why its certificate would not be trusted
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._guard, socket_factory=self._guard.make_socket, limit=0, ttl_dns_cache=300
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent, "Accept": ACCEPT, "Accept-Encoding": ACCEPTED},
            timeout=aiohttp.ClientTimeout(
                total=limits.timeout, sock_connect=limits.connect_timeout, sock_read=limits.first_byte_timeout
            ),
            auto_decompress=False,
            trust_env=False,
            max_line_size=min(limits.max_headers, 16 * 1024),
            max_field_size=min(limits.max_headers, 64 * 1024),
            max_headers=max(8, limits.max_headers // 1024),
            read_bufsize=256 * 1024,
        )

    async def close(self) -> None:
        await self._session.close()

    async def fetch(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Answer:
        """Return what a GET of ``url`` (canonical) brings. Raises :class:`FetchFailed`."""
        began = time.monotonic()
        target = self._admitted(url)
        host = target.host or ""
        try:
            if host in self._distrusted:
                return await self._get(target, headers, began, self._distrusted[host])
            try:
                return await self._get(target, headers, began)
            except aiohttp.ClientConnectorCertificateError as error:
                if len(self._distrusted) >= _REMEMBERED_HOSTS:
                    self._distrusted.clear()
                why = self._distrusted[host] = _certificate_error(error.certificate_error)
                return await self._get(target, headers, began, why)
        except FetchFailed:
            raise
        except Exception as error:
            raise _failure(error) from error

    def _admitted(self, url: str) -> URL:
        try:
            target = URL(url, encoded=True)
            port = target.port
        except ValueError as error:
            raise FetchFailed("protocol", str(error)) from error
        if target.scheme not in ("http", "https") or port is None or not target.host:
            raise FetchFailed("refused_scheme", url[:100])
        refusal = addresses.port_refusal(port, self._ports)
        if refusal:
            raise FetchFailed("refused_port", refusal)
        # A literal address goes to no resolver: it is judged here, and detoured here.
        detour = self._guard.detour(target.host, port)
        if detour is None and not self._allow_private:
            refusal = addresses.literal_refusal(target.host)
            if refusal:
                raise FetchFailed("refused_address", refusal)
        return target

    async def _get(
        self, target: URL, headers: Sequence[tuple[str, str]], began: float, certificate_error: str = ""
    ) -> Answer:
        context = self._trusting if certificate_error else self._verifying
        more = dict(headers)
        detour = self._guard.detour(target.host or "", target.port or 0) if addresses.is_address(target.host or "") else None
        if detour:
            more["Host"] = target.authority
            target = target.with_host(detour.address).with_port(detour.to_port)
        async with self._session.get(target, headers=more, ssl=context, allow_redirects=False) as response:
            peer = response.connection.transport.get_extra_info("peername") if response.connection and response.connection.transport else None
            body, flags, received = await self._read(response)
            ended = time.monotonic()
            fetched = Fetched(
                elapsed_ms=int((ended - began) * 1000),
                address=peer[0] if peer else "",
                certificate_error=certificate_error,
                flags=flags,
                size_on_wire=received,
                ended=ended,
            )
            return Answer(status=response.status, headers=response.raw_headers, body=body, fetched=fetched)

    async def _read(self, response: aiohttp.ClientResponse) -> tuple[bytes, tuple[str, ...], int]:
        """Return (decoded body, flags, bytes received)."""
        kind = response.headers.get("Content-Type", "").lstrip().lower()
        if response.status < 300 and kind.startswith(_NO_PAGES) and "xml" not in kind.partition(";")[0]:
            response.close()
            return b"", ("not_a_page",), 0
        received = 0
        try:
            body = Body(response.headers.get("Content-Encoding", ""), self._limits.max_body)
            async for data in response.content.iter_any():
                received += len(data)
                body.feed(data)
                if body.full:
                    response.close()
                    return body.bytes(), ("cut",), received
        except Undecodable as error:
            response.close()
            if received and len(body):
                return body.bytes(), ("truncated",), received
            raise FetchFailed("undecodable", str(error)) from error
        except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, ConnectionError, TimeoutError) as error:
            response.close()
            if len(body):
                return body.bytes(), ("truncated",), received
            raise _failure(error) from error
        return body.bytes(), (), received


def _certificate_error(error: Exception) -> str:
    return str(getattr(error, "verify_message", "") or error)[:200]


def _failure(error: BaseException) -> FetchFailed:
    """Name what went wrong. A fault of ours is not swallowed: it comes back as "protocol" with its own words."""
    detail = str(error)[:200]
    if _caused_by(error, RefusedAddress):
        return FetchFailed("refused_address", detail)
    match error:
        case aiohttp.ClientConnectorDNSError():
            return FetchFailed("dns", detail)
        case aiohttp.ClientConnectorSSLError() | aiohttp.ClientConnectorCertificateError():
            return FetchFailed("tls", detail)
        case aiohttp.ConnectionTimeoutError():
            return FetchFailed("connect_timeout", detail)
        case aiohttp.SocketTimeoutError() | asyncio.TimeoutError():
            return FetchFailed("timeout", detail)
        case aiohttp.ClientConnectorError():
            return FetchFailed("connect", detail)
        case aiohttp.ClientPayloadError():
            return FetchFailed("reset", detail)
        case aiohttp.ClientResponseError():
            too_large = "too long" in detail.lower() or "too large" in detail.lower() or "Too many" in detail
            return FetchFailed("headers_too_large" if too_large else "protocol", detail)
        case aiohttp.ClientConnectionError() | ConnectionError() | OSError():
            return FetchFailed("reset", detail)
    return FetchFailed("protocol", f"{type(error).__name__}: {detail}")


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, kind) or isinstance(getattr(error, "os_error", None), kind):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
