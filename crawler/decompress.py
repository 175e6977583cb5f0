"""Decompression that never makes more than it is allowed to. Content codings as in RFC 9110, 8.4.1."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable
from typing import Any, Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ACCEPTED = "gzip, deflate, br, zstd"
MAX_CODINGS = 3  # a real server applies one; each more is a chance to multiply

_PIECE = 256 * 1024  # bytes made at a time: a bomb is noticed after this much


class Undecodable(ValueError):
    """The bytes are not what their Content-Encoding says, or it names one that is not known."""


class _Coding(Protocol):
    def feed(self, data: bytes) -> Iterable[bytes]:
        """Yield what ``data`` decompresses to, in pieces of bounded size."""


class _Deflate:
    """gzip and deflate; what calls itself deflate is zlib or, from old servers, raw."""

    def __init__(self, gzip: bool) -> None:
        self._gzip = gzip
        self._coder: Any = zlib.decompressobj(31) if gzip else None

    def feed(self, data: bytes) -> Iterable[bytes]:
        if self._coder is None:
            self._coder = zlib.decompressobj(15 if data[:1] and data[0] & 0x0F == 8 else -15)
        while data:
            yield self._coder.decompress(data, _PIECE)
            data = self._coder.unconsumed_tail
            if self._coder.eof:
                data = self._coder.unused_data
                if not self._gzip or not data.startswith(b"\x1f\x8b"):
                    return  # trailing garbage, which browsers ignore too
                self._coder = zlib.decompressobj(31)


class _Brotli:
    def __init__(self) -> None:
        self._coder = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterable[bytes]:
        yield self._coder.process(data, output_buffer_limit=_PIECE)
        while not self._coder.can_accept_more_data():
            yield self._coder.process(b"", output_buffer_limit=_PIECE)


class _Zstd:
    def __init__(self) -> None:
        self._coder = zstd.ZstdDecompressor()

    def feed(self, data: bytes) -> Iterable[bytes]:
        while True:
            yield self._coder.decompress(data, _PIECE)
            data = b""
            if self._coder.eof:
                if not self._coder.unused_data:
                    return
                data, self._coder = self._coder.unused_data, zstd.ZstdDecompressor()
            elif self._coder.needs_input:
                return


def _coding(name: str) -> _Coding:
    match name:
        case "gzip" | "x-gzip":
            return _Deflate(gzip=True)
        case "deflate":
            return _Deflate(gzip=False)
        case "br":
            return _Brotli()
        case "zstd":
            return _Zstd()
    raise Undecodable(f"content coding {name!r}")


class Body:
    """A body that is being received: bytes as they come in, decoded bytes out, at most ``limit`` of them."""

    def __init__(self, encoding: str, limit: int) -> None:
        names = [name for part in encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
        if len(names) > MAX_CODINGS:
            raise Undecodable(f"{len(names)} content codings")
        self._codings = [_coding(name) for name in reversed(names)]
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self.full = False  # the limit is reached: what follows is not wanted

    def feed(self, data: bytes) -> None:
        """Take in what was received. Raises :class:`Undecodable`; what was decoded before stays."""
        try:
            self._pass(data, 0)
        except (zlib.error, brotli.error, zstd.ZstdError, EOFError) as error:
            raise Undecodable(str(error)) from error

    def _pass(self, data: bytes, depth: int) -> None:
        if depth == len(self._codings):
            room = self._limit - self._size
            self.full = len(data) > room
            self._pieces.append(data[:room])
            self._size += min(len(data), room)
            return
        for piece in self._codings[depth].feed(data):
            if piece:
                self._pass(piece, depth + 1)
            if self.full:
                return

    def __len__(self) -> int:
        return self._size

    def bytes(self) -> bytes:
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
