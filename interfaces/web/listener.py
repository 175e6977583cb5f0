"""Answers how a node is, on a port of its own, on its own event loop: a node whose loop stands still does not answer.

``/metrics`` for Prometheus; ``/livez``: the loop turns, which is all that is asked; ``/readyz``: the node takes work and
reaches its stores, else 503 with the reason in one line. Nothing can be changed here, and nothing tells of a URL or a host.

Who listens on loopback is asked by programs of this machine, and by pages that a browser on it shows, under names that their
owners point at 127.0.0.1: so the Host must be one of ours. Where another address was named, other machines are to ask, a
Prometheus by the name of a container, a kubelet by an address: which names those are is not known here, and any is taken.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from aiohttp.web import BaseRequest, Response, Server, ServerRunner, StreamResponse, TCPSite
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from interfaces.web.exposition import registry_of
from interfaces.web.policy import HEADERS, SAFE_METHODS, host_refusal
from linkindex.errors import BadInput

if TYPE_CHECKING:
    from crawler.vitals import Vitals

IDLE = 30.0  # s that a connection may wait for its next request
PARTING = 1.0  # s that answers have to be sent when the node ends


class Listener:
    """:class:`crawler.watched.Listener` by HTTP."""

    def __init__(self, address: str, port: int, vitals: Vitals) -> None:
        self._address = address
        self._port = port
        self._vitals = vitals
        self._registry = registry_of(vitals)
        self._local = ip_address(address).is_loopback
        self._runner = ServerRunner(
            Server(self._answer, access_log=None, keepalive_timeout=IDLE),
            handle_signals=False,
            shutdown_timeout=PARTING,
        )

    async def start(self) -> None:
        await self._runner.setup()
        try:
            await TCPSite(self._runner, self._address, self._port).start()
        except OSError as error:
            await self.close()
            raise BadInput(
                f"--metrics-port {self._port}: cannot listen on {self._address}: {error.strerror}; name another, or 0 for none"
            ) from error

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: BaseRequest) -> StreamResponse:
        status, text, kind = await self._look(request)
        headers = {**HEADERS, "Content-Type": kind, "Cache-Control": "no-store", "Server": "linkatlas"}
        if status == 405:
            headers["Allow"] = ", ".join(sorted(SAFE_METHODS))
        return Response(status=status, body=text, headers=headers)

    async def _look(self, request: BaseRequest) -> tuple[int, bytes, str]:
        plain = "text/plain; charset=utf-8"
        refusal = host_refusal(request.headers.get("Host", "")) if self._local else ""
        if refusal:
            return 421, f"{refusal}, or listen on another address by --metrics-address\n".encode(), plain
        if request.method not in SAFE_METHODS:
            return 405, b"only GET and HEAD\n", plain
        if request.path == "/livez":
            return 200, b"alive\n", plain
        if request.path == "/readyz":
            await self._vitals.look()
            reason = self._vitals.unready()
            return (503, f"not ready: {reason}\n".encode(), plain) if reason else (200, b"ready\n", plain)
        if request.path == "/metrics":
            await self._vitals.look()
            return 200, generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4
        return 404, b"here are /metrics, /livez and /readyz\n", plain
