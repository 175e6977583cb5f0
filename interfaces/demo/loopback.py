"""A minimal HTTP/1.1 server, on 127.0.0.1 unless told otherwise, and its life as a child process.

Small on purpose: GET and HEAD, keep-alive, no request bodies. It is the fast, plain ground that crawls are measured
on, and its access log is their witness: one line ``start end host path status`` a request, seconds of the monotonic
clock, status 0 where the answer broke off.
"""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from http.client import responses
from pathlib import Path
from threading import Thread
from typing import NamedTuple, TextIO


class Request(NamedTuple):
    """One request; header names are lower case, the host carries no default port."""

    method: str
    host: str
    path: str  # with its query, as sent
    headers: dict[str, str]


Respond = Callable[[Request, asyncio.StreamWriter], Awaitable[int]]
"""Writes the answer and returns its status. Whoever closes the writer ends the connection."""


class Listener(NamedTuple):
    """A port to listen on (0: any free one), with TLS where a context is given."""

    port: int
    respond: Respond
    tls: ssl.SSLContext | None = None
    address: str = "127.0.0.1"


def message(status: int, headers: Sequence[tuple[str, str]], body: bytes, *, head_only: bool = False) -> bytes:
    """Return an answer as it travels, with its Content-Length."""
    reason = responses.get(status, "Unknown")
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "\r\n"]).encode("latin-1")
    return head if head_only else head + body


def run(listeners: Sequence[Listener], log: Path | None = None) -> None:
    """Serve until stdin closes or SIGTERM comes; prints ``ready ADDRESS PORT…`` on stdout once it listens.

    Raises OSError where a port is taken or the log cannot be written.
    """
    with (log or Path(os.devnull)).open("a", buffering=1, encoding="utf-8") as witness:
        asyncio.run(_run(listeners, witness))


@contextmanager
def child(module: str, *arguments: str) -> Iterator[tuple[int, ...]]:
    """Run ``python -m module`` as a server in a child process; yields its ports, ends it by its pid.

    The child finds modules where this process does. Raises RuntimeError where it ends before it is ready.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C is for the crawl; the server has to outlast its draining
    )
    with process:  # closes both pipes and waits
        try:
            assert process.stdout
            ready = process.stdout.readline().split()
            if ready[:1] != ["ready"]:
                raise RuntimeError(f"{module} ended with exit code {process.wait()} before it was ready")
            yield tuple(int(port) for port in ready[2:])
        finally:
            process.terminate()


async def _run(listeners: Sequence[Listener], witness: TextIO) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    Thread(target=_tell_when_stdin_closes, args=(loop, stop), daemon=True).start()
    servers = []
    for listener in listeners:
        converse = partial(_converse, listener.respond, witness)
        place = (listener.address, listener.port)
        servers.append(await asyncio.start_server(converse, *place, ssl=listener.tls, backlog=1024))
    print("ready", listeners[0].address, *(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await stop.wait()
    for server in servers:
        server.close()  # not wait_closed(): since Python 3.12 it waits for idle clients to hang up


def _tell_when_stdin_closes(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # os.read, not sys.stdin: a reader blocked inside sys.stdin's lock makes the interpreter abort at exit.
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    with suppress(RuntimeError):  # the loop ended first
        loop.call_soon_threadsafe(stop.set)


async def _converse(
    respond: Respond, witness: TextIO, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with suppress(ConnectionError, ssl.SSLError):  # the client hung up: its right
        while not writer.is_closing() and (request := await _read(reader)):
            status, start = 0, time.monotonic()
            try:
                status = await respond(request, writer)
                await writer.drain()
            finally:
                witness.write(f"{start:.6f} {time.monotonic():.6f} {request.host} {request.path} {status}\n")
            if request.headers.get("connection", "").lower() == "close":
                break
    writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request, or None where there is none or it makes no sense."""
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return None
    fields = (line.partition(":") for line in lines[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    host = headers.get("host", "").lower().removesuffix(":80").removesuffix(":443")
    return Request(method, host, path, headers)
