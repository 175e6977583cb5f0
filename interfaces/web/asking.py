"""Asks a node how it is, where it listens (:mod:`interfaces.web.listener`). Small and quick to import: a health check is a
process that starts every few seconds."""

from __future__ import annotations

import asyncio

MOST = 1 << 20  # bytes of an answer that are read


async def ask(address: str, port: int, path: str, seconds: float = 5.0) -> tuple[int, str]:
    """Return status and text of what a node answers. Raises OSError where nobody does, TimeoutError where it takes longer."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(address, port)
        try:
            host = f"[{address}]" if ":" in address else address
            writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode())
            await writer.drain()
            answer = await _read(reader)
        finally:
            writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    protocol, _, status = head.partition(b"\r\n")[0].partition(b" ")
    if not protocol.startswith(b"HTTP/1.") or not status[:3].isdigit():
        raise OSError("what answers there is no linkatlas")
    return int(status[:3]), body.decode("utf-8", "replace")


async def _read(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < MOST and (data := await reader.read(MOST)):
        answer += data
    return answer
