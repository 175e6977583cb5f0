"""``python -m tests.web.misbehave``: a web with one path for each way to misbehave, and a robots.txt for each host.

An argument follows in the path: ``/status/503``, ``/redirect/3``, ``/flaky/2/any-name``. What a host's robots.txt does
is in the first label of its name: ``robots-503.example``; every other host has none (404).
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import socket
import struct
import zlib
from asyncio import StreamWriter
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from interfaces.demo import loopback
from interfaces.demo.loopback import Listener, Request, message

HTML = ("Content-Type", "text/html; charset=utf-8")
PLAIN = ("Content-Type", "text/plain")
PAGE = (
    b'<!doctype html><html lang="en"><title>Fine</title><body><p>A page with <a href="/ok?linked">a link</a> and '
    b'<a href="http://elsewhere.example/" rel="nofollow">another</a>.</p></body></html>\n'
)
LATIN = '<!doctype html><title>Café</title><p><a href="/ok">déjà vu</a></p>'
BOMB_SIZE = 200 << 20  # bytes of what is 0.2 MB on the wire
FOREVER = 1 << 40

Route = Callable[[StreamWriter, Request, str], Awaitable[int]]


def plain(status: int, headers: tuple[tuple[str, str], ...] = (HTML,), body: bytes = PAGE) -> Route:
    """Return a route that always gives this answer."""

    async def answer(writer: StreamWriter, request: Request, argument: str) -> int:
        writer.write(message(status, headers, body, head_only=request.method == "HEAD"))
        return status

    return answer


def raw(answer: bytes, status: int = 200) -> Route:
    """Return a route that writes these bytes and hangs up."""

    async def write(writer: StreamWriter, request: Request, argument: str) -> int:
        writer.write(answer)
        await writer.drain()
        writer.close()
        return status

    return write


def _redirect(writer: StreamWriter, target: str, status: int = 302) -> int:
    writer.write(message(status, (("Location", target),), b""))
    return status


async def status(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/status/N``: a page with this status."""
    return await plain(int(argument))(writer, request, "")


async def retry_after(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/retry-after/N``: 503, come back in N (seconds, or whatever stands there)."""
    writer.write(message(503, (HTML, ("Retry-After", argument.replace("%20", " "))), PAGE))
    return 503


async def redirect(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/redirect/N``: N redirects, then ``/ok``."""
    left = int(argument or 1) - 1
    return _redirect(writer, f"/redirect/{left}" if left > 0 else "/ok")


async def redirect_loop(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/redirect-loop``: to itself by way of another page."""
    return _redirect(writer, "/redirect-loop" if argument else "/redirect-loop/back")


async def redirect_endless(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/redirect-endless/N``: to N + 1, a new URL each time."""
    return _redirect(writer, f"/redirect-endless/{int(argument or 0) + 1}")


async def redirect_to(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/redirect-to?URL``: to what stands behind the question mark, as it is."""
    return _redirect(writer, request.path.partition("?")[2])


async def slow(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/slow/SECONDS``: silence (30 s by default), then a page."""
    await asyncio.sleep(float(argument or 30))
    return await plain(200)(writer, request, "")


async def drip(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/drip/SECONDS``: a page without end, one byte each 0.2 s or SECONDS."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(float(argument or 0.2))


async def reset(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/reset``: the connection is reset (RST) instead of an answer."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return 0


async def gzip_bomb(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/gzip-bomb``: 0.2 MB that unpack to 200 MB."""
    packer = zlib.compressobj(9, wbits=31)
    megabyte = bytes(1 << 20)
    packed = [packer.compress(megabyte) for _ in range(BOMB_SIZE >> 20)]
    writer.write(message(200, (HTML, ("Content-Encoding", "gzip")), b"".join([*packed, packer.flush()])))
    return 200


async def huge(writer: StreamWriter, request: Request, argument: str) -> int:
    """``/huge``: chunks without end, as fast as they are taken. ``/huge/declared``: the same with a Content-Length."""
    length = f"Content-Length: {FOREVER}" if argument else "Transfer-Encoding: chunked"
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{length}\r\n\r\n".encode())
    piece = b"<p>more</p>\n" * 5000
    while True:
        writer.write(piece if argument else b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()


async def flaky(asked: Counter[str], writer: StreamWriter, request: Request, argument: str) -> int:
    """``/flaky/K/NAME``: 503 for the first K times, then a page."""
    asked[request.path] += 1
    failing = asked[request.path] <= int(argument.partition("/")[0])
    return await plain(503 if failing else 200)(writer, request, "")


ROUTES: dict[str, Route] = {
    "ok": plain(200),
    "": plain(200),
    "status": status,
    "retry-after": retry_after,
    "redirect": redirect,
    "redirect-loop": redirect_loop,
    "redirect-endless": redirect_endless,
    "redirect-to": redirect_to,
    "redirect-nowhere": plain(302, (HTML,), b""),
    "slow": slow,
    "drip": drip,
    "reset": reset,
    "silent": raw(b"", 0),
    "truncated": raw(message(200, (HTML,), PAGE * 2)[: -len(PAGE)]),
    "bad-chunk": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<p>no\r\n"
    ),
    "bad-status": raw(b"HTTP/1.1 banana\r\n\r\n", 0),
    "not-http": raw(b"SSH-2.0-OpenSSH_9.2\r\n", 0),
    "long-header": plain(200, (HTML, ("X-Long", "x" * 200_000))),
    "to-the-end": raw(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE),
    "gzip": plain(200, (HTML, ("Content-Encoding", "gzip")), gzip.compress(PAGE, mtime=0)),
    "deflate": plain(200, (HTML, ("Content-Encoding", "deflate")), zlib.compress(PAGE)),
    "gzip-cut": plain(200, (HTML, ("Content-Encoding", "gzip")), gzip.compress(PAGE, mtime=0)[:-30]),
    "gzip-false": plain(200, (HTML, ("Content-Encoding", "gzip"))),
    "gzip-bomb": gzip_bomb,
    "huge": huge,
    "image": plain(200, (("Content-Type", "image/png"),), b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "no-type": plain(200, ()),
    "latin1": plain(200, (("Content-Type", "text/html; charset=iso-8859-1"),), LATIN.encode("latin-1")),
    "empty": plain(200, (HTML,), b""),
}

OPEN = b"User-agent: *\nDisallow:\n"
ROBOTS: dict[str, Route] = {
    "robots-open": plain(200, (PLAIN,), OPEN),
    "robots-404": plain(404),
    "robots-403": plain(403),
    "robots-429": plain(429, (PLAIN, ("Retry-After", "1")), b""),
    "robots-503": plain(503),
    "robots-reset": reset,
    "robots-slow": slow,
    "robots-broken": raw(message(200, (PLAIN,), OPEN * 50)[:-200]),
    "robots-redirect": plain(301, (("Location", "http://robots-closed.example/robots.txt"),), b""),
    "robots-loop": plain(302, (("Location", "/robots.txt"),), b""),
    "robots-html": plain(200),
    "robots-empty": plain(200, (PLAIN,), b""),
    "robots-closed": plain(200, (PLAIN,), b"User-agent: *\nDisallow: /\n"),
    "robots-agent": plain(
        200, (PLAIN,), b"User-agent: linkatlas\nDisallow: /private\n\nUser-agent: *\nDisallow: /others\n"
    ),
    "robots-delay": plain(200, (PLAIN,), b"User-agent: *\nCrawl-delay: 1\nDisallow: /private\n"),
    "robots-huge": plain(200, (PLAIN,), b"# padding\n" * 100_000 + b"User-agent: *\nDisallow: /\n"),
}


def routing() -> loopback.Respond:
    """Return what answers requests by the tables above."""
    routes = ROUTES | {"flaky": partial(flaky, Counter[str]())}

    async def respond(request: Request, writer: StreamWriter) -> int:
        path = request.path.partition("?")[0]
        if path == "/robots.txt":
            route: Route | None = ROBOTS.get(request.host.partition(".")[0], plain(404))
            argument = ""
        else:
            name, _, argument = path[1:].partition("/")
            route = routes.get(name)
        return await (route or plain(404))(writer, request, argument)

    return respond


def main() -> None:
    """Serve until stdin closes."""
    parser = argparse.ArgumentParser(prog="python -m tests.web.misbehave", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    loopback.run([Listener(options.port, routing())], options.log)


if __name__ == "__main__":
    main()
