"""Connections of the crawler: the one place where it is decided what may be connected to, on the very address used.

aiohttp connects to what :meth:`GuardedConnector._resolve_host` returns and to nothing else, for names and literal
addresses alike; so no name can mean one address when it is judged and another when it is connected to.
``_resolve_host`` and ``_factory`` are no public part of aiohttp; ``tests/crawler/test_connecting.py`` counts
connections, so that a release that does without them is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler

from crawler import addresses
from crawler.addresses import ConnectTo
from crawler.failures import FetchFailed, Reason

if TYPE_CHECKING:
    import asyncio

    from aiohttp.abc import AbstractResolver, ResolveResult

# Whether the fetch that this task makes is still to be made; asked as late as can be, when its connection stands.
WANTED: ContextVar[Callable[[], bool]] = ContextVar("wanted", default=lambda: True)

DNS_TTL = 300  # s
DNS_NAMES = 10_000  # remembered at most
KEEP_ALIVE = 15.0  # s that an idle connection waits for the next page of its host


class Reach:
    """What may be connected to: ports, private addresses, and the operator's own exceptions to both."""

    def __init__(
        self,
        ports: Sequence[int] = tuple(addresses.DEFAULT_PORTS),
        allow_private: bool = False,
        connect_to: Sequence[ConnectTo] = (),
    ) -> None:
        self.ports = frozenset(ports)
        self.allow_private = allow_private
        self.connect_to = tuple(connect_to)


class GuardedConnector(aiohttp.TCPConnector):
    """Connects within a :class:`Reach`; anything else is :class:`FetchFailed` before a socket exists."""

    def __init__(self, reach: Reach, max_headers: int, resolver: AbstractResolver | None = None) -> None:
        super().__init__(
            limit=0,
            resolver=resolver,
            ttl_dns_cache=DNS_TTL,
            dns_cache_max_size=DNS_NAMES,
            keepalive_timeout=KEEP_ALIVE,
        )
        self._reach = reach
        self._factory = partial(Wire, self._loop, max_headers)  # type: ignore[assignment]

    async def connect(self, *request: Any, **limits: Any) -> aiohttp.connector.Connection:
        connection = await super().connect(*request, **limits)
        if not WANTED.get()():
            connection.release()
            raise FetchFailed(Reason.GIVEN_UP, "somebody else's by now")
        return connection

    async def _resolve_host(self, host: str, port: int, traces: Sequence[Any] | None = None) -> list[ResolveResult]:
        reach = self._reach
        rule = addresses.destination(reach.connect_to, host, port)
        if rule is None:
            refused = addresses.port_refusal(port, reach.ports)
            if refused:
                raise FetchFailed(Reason.REFUSED_PORT, refused)
        elif rule.address:  # named by the operator, so not judged
            return await super()._resolve_host(rule.address, rule.new_port or port)
        else:
            port = rule.new_port
        found = await super()._resolve_host(host, port)
        judged = [(result, addresses.refusal(result["host"], reach.allow_private)) for result in found]
        allowed = [result for result, refused in judged if not refused]
        if not allowed:
            raise FetchFailed(Reason.REFUSED_ADDRESS, judged[0][1] if judged else f"{host} has no address")
        return allowed

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return what a connection to ``host`` would be made to. Raises :class:`FetchFailed` where that may not be."""
        return [result["host"] for result in await self._resolve_host(host, port)]


class Wire(ResponseHandler):
    """One connection. Counts what arrives without being body, so that nothing of that kind is endless.

    aiohttp limits a header line and their number, but neither the head as a whole, nor how many interim (1xx) answers
    come before it, nor trailers.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, max_headers: int) -> None:
        super().__init__(loop)
        self.address = ""
        self._max_headers = max_headers
        self._answered = False
        self._fed = 0  # bytes of body so far
        self._dry = 0  # bytes since then that were none

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if peer else ""

    def set_response_params(self, **parameters: Any) -> None:
        self._answered = False
        self._fed = self._dry = 0
        super().set_response_params(**parameters)

    def close(self) -> None:
        """Hang up at once. TLS would wait for the other side to agree, up to 30 s, after the fetch is long over."""
        self.abort()

    def feed_data(self, data: Any, size: int = 0) -> None:
        self._answered = data[0].code >= 200
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        if not data:  # aiohttp goes on with what it holds already
            super().data_received(data)
            return
        if not self._answered:
            # The head alone first: a parser that then stumbles over the body would throw the answer away with it.
            head = data.find(b"\r\n\r\n") + 4
            if 4 <= head < len(data):
                self._receive(data[:head])
                data = data[head:]
        self._receive(data)

    def _receive(self, data: bytes) -> None:
        super().data_received(data)
        payload = self._payload
        if self._exception is not None and payload is not None and not payload.is_eof():
            # aiohttp tells a parser's error to whoever waits for a head, and leaves the reader of a body waiting.
            payload.set_exception(FetchFailed(Reason.PROTOCOL, "the body is not as HTTP frames it"))
        fed = payload.total_bytes if payload is not None else 0
        if fed != self._fed:
            self._fed, self._dry = fed, 0
            return
        self._dry += len(data)
        if self._dry > self._max_headers:
            self._give_up()

    def _give_up(self) -> None:
        flood = FetchFailed(Reason.HEADERS_TOO_LARGE, f"over {self._max_headers} bytes without any body")
        self._buffer.clear()
        if self._payload is not None:
            self._payload.set_exception(flood)
        self.set_exception(flood)
        if self.transport is not None:
            self.transport.abort()


class WiredResponse(aiohttp.ClientResponse):
    """A response that remembers which address it came from, after its connection went on to other work."""

    address = ""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        self.address = cast("Wire", connection.protocol).address
        return await super().start(connection)
