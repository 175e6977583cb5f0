"""``python -m tests.chaos.site --log FILE``: serves :mod:`tests.chaos.web`, and is the witness of all that it is asked.

One line a request: ``start end host path status by``, seconds of the monotonic clock that all processes share. ``start``
is when the request was read, ``end`` when its answer was about to be written, or when the client was gone (status 0): so
what looks like a breach here was one. ``by`` is who asked, the contact in the User-Agent.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import time
from pathlib import Path
from typing import TextIO

from interfaces.demo.loopback import message
from tests.chaos.web import BUSY, CLOSED, HOSTS, RETRY_AFTER, ROBOTS, SLOW, SLOWNESS, Web

_HEAD = re.compile(rb"GET (\S+) .*?\r\nHost: ([^\r:]+).*?\(\+([^)]*)\)", re.DOTALL | re.IGNORECASE)
_SHY = {host.name for host in HOSTS if host.shy}

Answer = tuple[int, list[tuple[str, str]], bytes]


class Answers:
    """What the web answers, by what it was asked before."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._asked: set[tuple[str, str]] = set()

    def answer(self, host: str, path: str) -> Answer:
        first = (host, path) not in self._asked
        self._asked.add((host, path))
        number = _number(path)
        if first and (number % BUSY == BUSY - 1 or (path == ROBOTS and host in _SHY)):
            return 503, [("Retry-After", str(RETRY_AFTER))], b""
        if path == ROBOTS and host in self._web.delays:
            text = f"User-agent: *\nCrawl-delay: {self._web.delays[host]:g}\nDisallow: {CLOSED}\n"
            return 200, [("Content-Type", "text/plain")], text.encode()
        if (host, path) not in self._web.pages:
            return 404, [], b""
        links = "".join(f'<p>See <a href="{url}">another page</a>.</p>' for url in self._web.targets(number))
        body = f'<!doctype html><html lang="en"><title>Page {number}</title><main>{links}</main>'
        return 200, [("Content-Type", "text/html")], body.encode()


class Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, answers: Answers, log: TextIO) -> None:
        self._answers = answers
        self._log = log
        self._heard = b""
        self._pending: tuple[float, str, str, str] | None = None  # start, host, path, by

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if not self._heard.endswith(b"\r\n\r\n"):
            return
        head, self._heard = _HEAD.match(self._heard), b""
        if head is None:
            self._transport.close()
            return
        path, host, by = (part.decode("latin-1") for part in head.groups())
        self._pending = (time.monotonic(), host, path, by)
        asyncio.get_running_loop().call_later(
            SLOWNESS if _number(path) % SLOW == SLOW - 1 else 0, self._answer, host, path
        )

    def _answer(self, host: str, path: str) -> None:
        if self._pending:  # else the client is gone
            status, headers, body = self._answers.answer(host, path)
            self._witness(status)
            self._transport.write(message(status, headers, body))

    def connection_lost(self, exc: Exception | None) -> None:
        self._witness(0)

    def _witness(self, status: int) -> None:
        if self._pending:
            start, *asked = self._pending
            self._log.write(f"{start:.6f} {time.monotonic():.6f} {' '.join(asked[:2])} {status} {asked[2]}\n")
            self._pending = None


def _number(path: str) -> int:
    return int(path[3:]) if path.startswith("/p/") else 0


async def _serve(web: Web, log: TextIO) -> None:
    loop, stop, answers = asyncio.get_running_loop(), asyncio.Event(), Answers(web)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(0, stop.set)  # nobody ever writes there: it has closed
    server = await loop.create_server(lambda: Conversation(answers, log), "127.0.0.1", 0, backlog=1024)
    print("ready 127.0.0.1", server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


def main() -> None:
    """Serve until stdin closes."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.site", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, required=True)
    options = parser.parse_args()
    with options.log.open("a", buffering=1, encoding="utf-8") as log:
        asyncio.run(_serve(Web(options.seed), log))


if __name__ == "__main__":
    main()
