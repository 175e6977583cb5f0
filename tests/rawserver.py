"""A server of raw replies on 127.0.0.1, in a thread: any bytes a test wants to see answered, and what was asked."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Thread

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Reply = bytes | Script
"""Bytes are written and the connection closed; a script does as it likes, and is closed when it returns."""

HTML = b"Content-Type: text/html\r\n"


def page(body: bytes, headers: bytes = HTML, status: bytes = b"200 OK") -> bytes:
    """Return a well-formed answer that closes its connection."""
    length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\n" + headers + length + body


def reset_after(data: bytes) -> Script:
    """Return a script that writes ``data`` and resets the connection (RST)."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.1)  # so that the client has read the data before the reset drops it
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    return script


def endless(first: bytes, piece: bytes, pause: float = 0.0) -> Script:
    """Return a script that writes ``first``, then ``piece`` for ever, every ``pause`` seconds."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return script


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing until the client leaves."""
    await reader.read()


class RawServer:
    """Replies by path ("": sent before anything is read); counts connections and keeps each request's head."""

    def __init__(self, replies: Mapping[str, Reply], tls: ssl.SSLContext | None) -> None:
        self.port = 0
        self.connections = 0
        self.requests: list[bytes] = []
        self._replies = replies
        self._tls = tls

    @property
    def url(self) -> str:
        """The start of its URLs, by address."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    async def start(self) -> asyncio.Server:
        """Listen on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if "" in self._replies:
                writer.write(bytes(self._replies[""]))  # type: ignore[arg-type]
                await writer.drain()
                return
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head)
            path = head.split(b" ", 2)[1].decode("latin-1")
            reply = self._replies.get(path, page(b"", status=b"404 Not Found"))
            if isinstance(reply, bytes):
                writer.write(reply)
                await writer.drain()
            else:
                await reply(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            writer.close()
            with suppress(OSError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()


@contextmanager
def serving(replies: Mapping[str, Reply], tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serve until the block ends."""
    raw = RawServer(replies, tls)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(raw.start())
    thread = Thread(target=loop.run_forever, name="raw server")
    thread.start()
    try:
        yield raw
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
