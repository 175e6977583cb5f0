"""Bodies, decoded while they arrive and never larger than a limit (RFC 9110, 8.4: Content-Encoding).

A compressed body is a stranger's program for using up memory: 34 bytes of brotli make a gigabyte. Every step here makes
at most :data:`BLOCK` bytes before it looks at the limit, and of what nested encodings make in between as little.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import brotli
from backports import zstd

ACCEPT_ENCODING = "gzip, deflate, br, zstd"  # what is decoded here, and nothing else
BLOCK = 1 << 18  # bytes
MAX_ENCODINGS = 3  # one upon the other; honest servers use one
MAX_MEMBERS = 100  # gzip members or zstd frames, one after the other (RFC 1952, 2.2; RFC 8878, 3.1)
ZSTD_WINDOW = 23  # log2 bytes: RFC 9659 allows 8 MiB for this use
BROKEN = (zlib.error, brotli.error, zstd.ZstdError)


class Undecodable(Exception):  # a fact about a body
    """Not one byte of a body could be decoded."""


class _Stage(Protocol):
    complete: bool

    def blocks(self, data: bytes) -> Iterator[bytes]:
        """Decode what arrived, in pieces of about :data:`BLOCK` at most. Raises one of :data:`BROKEN`."""


class _Inflate:
    """gzip (several members, RFC 1952), and deflate as zlib (RFC 1950) or, as old servers send it, raw (RFC 1951)."""

    def __init__(self, gzip: bool) -> None:
        self._gzip = gzip
        self._wbits = 31
        self._members = 0
        self._inflate = zlib.decompressobj(31)
        self.complete = False

    def blocks(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._members == 0 or self._inflate.eof:
                if not self._begin(data):
                    return
                before = None
            else:
                before = self._inflate.copy()
            yield from self._member(data, before)
            self.complete = self._inflate.eof
            data = self._inflate.unused_data

    def _begin(self, data: bytes) -> bool:
        """Begin a member; False where what follows is none: padding, which is ignored."""
        if self._members and not (self._gzip and data.startswith(b"\x1f\x8b") and self._members < MAX_MEMBERS):
            return False
        if not self._gzip:
            self._wbits = 15 if data[0] & 0x0F == 8 else -15
        self._members += 1
        self._inflate = zlib.decompressobj(self._wbits)
        return True

    def _member(self, data: bytes, before: zlib._Decompress | None) -> Iterator[bytes]:
        inflate, made = self._inflate, 0
        try:
            piece = inflate.decompress(data, BLOCK)
            while piece:
                made += len(piece)
                yield piece
                piece = inflate.decompress(inflate.unconsumed_tail, BLOCK)
        except zlib.error:
            # The call that met the error has thrown away what it had made. Go there again in the smallest steps.
            yield from _salvage(before or zlib.decompressobj(self._wbits), data, made)
            raise


def _salvage(inflate: zlib._Decompress, data: bytes, skip: int) -> Iterator[bytes]:
    for at in range(len(data)):
        try:
            piece = inflate.decompress(data[at : at + 1])
        except zlib.error:
            return
        if piece[skip:]:
            yield piece[skip:]
        skip = max(0, skip - len(piece))


class _Brotli:
    """br (RFC 7932)."""

    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()
        self.complete = False

    def blocks(self, data: bytes) -> Iterator[bytes]:
        decompressor = self._decompressor
        if self.complete:
            return
        piece = decompressor.process(data, output_buffer_limit=BLOCK)
        # It may hold back output even where it says that it can accept more data: ask until nothing comes.
        while piece or not (decompressor.can_accept_more_data() or decompressor.is_finished()):
            yield piece
            piece = decompressor.process(b"", output_buffer_limit=BLOCK)
        self.complete = decompressor.is_finished()


class _Zstd:
    """zstd, several frames (RFC 8878)."""

    def __init__(self) -> None:
        self._frames = 0
        self._begin()
        self.complete = False

    def _begin(self) -> None:
        self._frames += 1
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW}
        self._decompressor = zstd.ZstdDecompressor(options=options)

    def blocks(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._decompressor.eof:
                if self._frames >= MAX_MEMBERS:
                    return
                self._begin()
            decompressor = self._decompressor
            yield decompressor.decompress(data, BLOCK)
            while not decompressor.eof and not decompressor.needs_input:
                yield decompressor.decompress(b"", BLOCK)
            self.complete = decompressor.eof
            data = decompressor.unused_data


def _stages(content_encoding: str) -> list[_Stage]:
    """Return what undoes a Content-Encoding, last encoding first. An unknown one counts as none, as in browsers."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    stages: list[_Stage] = []
    for name in reversed(names):
        if name in ("gzip", "x-gzip", "deflate"):
            stages.append(_Inflate(name != "deflate"))
        elif name == "br":
            stages.append(_Brotli())
        elif name == "zstd":
            stages.append(_Zstd())
        if len(stages) > MAX_ENCODINGS:
            raise Undecodable(f"more than {MAX_ENCODINGS} encodings")
    return stages


class _Full(Exception):  # ends a loop
    """The limit is reached."""


class Body:
    """The body of one answer, gathered piece by piece. Sizes are bytes.

    ``flags`` says afterwards what is missing: ``cut`` (the limit), ``truncated`` (connection or encoding broke).
    """

    def __init__(self, content_encoding: str, limit: int) -> None:
        self._stages: Sequence[_Stage] = _stages(content_encoding) if content_encoding else ()
        self._limit = limit
        self._parts: list[bytes] = []
        self._arrived = 0
        self._made = [0] * (len(self._stages) + 1)
        self.flags: tuple[str, ...] = ()

    def take(self, data: bytes) -> bool:
        """Take in what arrived; False says that nothing more is wanted."""
        self._arrived += len(data)
        try:
            for block in self._through(0, data) if self._stages else (data,):
                self._parts.append(block)
            if self._arrived > self._limit:  # plain, or compressed without making anything
                raise _Full
        except _Full:
            self.flags = ("cut",)
        except BROKEN:
            self.flags = ("truncated",)
        return not self.flags

    def _through(self, at: int, data: bytes) -> Iterator[bytes]:
        last = at + 1 == len(self._stages)
        for block in self._stages[at].blocks(data):
            self._made[at] += len(block)
            if last:
                yield block
            elif block:
                yield from self._through(at + 1, block)
            if self._made[at] > self._limit:
                raise _Full

    def end(self, broken: bool = False) -> bytes:
        """Return the body, at most the limit; ``broken`` says that the connection ended it. Raises Undecodable."""
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        if not self.flags and (broken or not self._is_complete()):
            self.flags = ("truncated",)
        if "truncated" in self.flags and self._stages and not body:
            raise Undecodable("nothing of it can be decoded")
        return body[: self._limit] if len(body) > self._limit else body

    def _is_complete(self) -> bool:
        return not self._arrived or all(stage.complete for stage in self._stages)
