"""Bodies, decoded while they arrive and never larger than a limit (RFC 9110, 8.4: Content-Encoding).

A compressed body is a stranger's program for using up memory: 34 bytes of brotli make a gigabyte. Every step here makes
at most :data:`BLOCK` bytes before it looks at the limit, and of what nested encodings make in between as little.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NoReturn

import brotli
from backports import zstd

ACCEPT_ENCODING = "gzip, deflate, br, zstd"  # what is decoded here, and nothing else
BLOCK = 1 << 18  # bytes
STEP = 1 << 12  # bytes that are decoded at once
FREE = 1 << 20  # bytes that a body may always decode to, however few they came as
MAX_ENCODINGS = 3  # one upon the other; honest servers use one
MAX_MEMBERS = 100  # gzip members or zstd frames, one after the other (RFC 1952, 2.2; RFC 8878, 3.1)
ZSTD_WINDOW = 23  # log2 bytes: RFC 9659 allows 8 MiB for this use
BROKEN = (zlib.error, brotli.error, zstd.ZstdError)


class Undecodable(Exception):  # a fact about a body
    """Not one byte of a body could be decoded."""


class _Stage:
    """One encoding undone. Fed at once or byte by byte, it makes the same of the same bytes, broken ones too."""

    def __init__(self) -> None:
        self.complete = False
        self._taken: list[bytes] = []
        self._given = 0  # bytes

    def blocks(self, data: bytes) -> Iterator[bytes]:
        """Decode what arrived, in pieces of :data:`BLOCK` at most. Raises one of :data:`BROKEN`."""
        try:
            for piece in self.decode(data):
                self._given += len(piece)
                yield piece
            self._taken.append(data)
        except BROKEN:
            # The call that met the error has thrown away what it had made. Go there again in the smallest steps.
            again = type(self)()
            yield from _until_broken(
                again, [*self._taken, *(data[at : at + 1] for at in range(len(data)))], self._given
            )
            self.complete = again.complete
            if not self.complete:
                raise

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Decode, and lose what is decoded already where an error is met."""
        raise NotImplementedError


def _until_broken(stage: _Stage, parts: Sequence[bytes], skip: int) -> Iterator[bytes]:
    with suppress(*BROKEN):
        for part in parts:
            for piece in stage.decode(part):
                if piece[skip:]:
                    yield piece[skip:]
                skip = max(0, skip - len(piece))


class _Members(_Stage):
    """An encoding of streams one after the other; what follows a whole one and does not begin another is padding."""

    magic: tuple[bytes, ...]  # of equal length; () where there is but one stream

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._held = b""  # what may become the magic of another stream
        self._padding = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data and not self._padding:
            if self.complete or not self._count:
                data = self._held + data
                if self._count and not self._begins(data):
                    return
                self._held = b""
                self._count += 1
                self.complete = False
                self._begin(data)
            yield from self._member(data)
            data = self._rest()

    def _begins(self, data: bytes) -> bool:
        if any(len(data) < len(magic) and magic.startswith(data) for magic in self.magic):
            self._held = data
            return False
        self._padding = not data.startswith(self.magic)
        if not self._padding and self._count >= MAX_MEMBERS:
            self.complete = False
            raise zlib.error(f"more than {MAX_MEMBERS} streams")
        return not self._padding

    def _begin(self, data: bytes) -> None:
        raise NotImplementedError

    def _member(self, data: bytes) -> Iterator[bytes]:
        raise NotImplementedError

    def _rest(self) -> bytes:
        raise NotImplementedError


class _Gzip(_Members):
    """gzip (RFC 1952)."""

    magic: tuple[bytes, ...] = (b"\x1f\x8b",)

    def _begin(self, data: bytes) -> None:
        self._inflate = zlib.decompressobj(31)

    def _member(self, data: bytes) -> Iterator[bytes]:
        inflate = self._inflate
        piece = inflate.decompress(data, BLOCK)
        while piece:
            yield piece
            piece = inflate.decompress(inflate.unconsumed_tail, BLOCK)
        self.complete = inflate.eof

    def _rest(self) -> bytes:
        return self._inflate.unused_data


class _Deflate(_Gzip):
    """deflate as zlib (RFC 1950) or, as old servers send it, raw (RFC 1951)."""

    magic = ()

    def _begin(self, data: bytes) -> None:
        self._inflate = zlib.decompressobj(15 if data[0] & 0x0F == 8 else -15)


class _Zstd(_Members):
    """zstd (RFC 8878), skippable frames among its own."""

    magic = (b"\x28\xb5\x2f\xfd", *(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60)))

    def _begin(self, data: bytes) -> None:
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW}
        self._decompressor = zstd.ZstdDecompressor(options=options)

    def _member(self, data: bytes) -> Iterator[bytes]:
        decompressor = self._decompressor
        yield decompressor.decompress(data, BLOCK)
        while not decompressor.eof and not decompressor.needs_input:
            yield decompressor.decompress(b"", BLOCK)
        self.complete = decompressor.eof

    def _rest(self) -> bytes:
        return self._decompressor.unused_data


class _Brotli(_Stage):
    """br (RFC 7932)."""

    def __init__(self) -> None:
        super().__init__()
        self._decompressor = brotli.Decompressor()

    def decode(self, data: bytes) -> Iterator[bytes]:
        decompressor = self._decompressor
        if self.complete:
            return
        limit = BLOCK // 2  # it takes a limit for a hint: pieces are up to 7/4 of it
        piece = decompressor.process(data, output_buffer_limit=limit)
        # It may hold back output even where it says that it can accept more data: ask until nothing comes.
        while piece or not (decompressor.can_accept_more_data() or decompressor.is_finished()):
            yield piece
            piece = decompressor.process(b"", output_buffer_limit=limit)
        self.complete = decompressor.is_finished()


_STAGES: dict[str, type[_Stage]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}


def _stages(content_encoding: str) -> list[_Stage]:
    """Return what undoes a Content-Encoding, last encoding first. An unknown one counts as none, as in browsers."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    stages = [_STAGES[name]() for name in reversed(names) if name in _STAGES]
    if len(stages) > MAX_ENCODINGS:
        raise Undecodable(f"more than {MAX_ENCODINGS} encodings")
    return stages


class _Full(Exception):  # ends a loop
    """The limit is reached."""


class Body:
    """The body of one answer, gathered piece by piece. Sizes are bytes.

    ``ratio`` is how many times larger it may become by decoding, once it is larger than :data:`FREE`; 0: as many as it
    likes. ``flags`` says afterwards what is missing: ``cut`` (a limit, which ``bit`` names), ``truncated`` (connection or
    encoding broke).
    """

    def __init__(self, content_encoding: str, limit: int, ratio: int = 0) -> None:
        self._stages: Sequence[_Stage] = _stages(content_encoding) if content_encoding else ()
        self._limit = limit
        self._ratio = ratio
        self.bit = ""
        self._parts: list[bytes] = []
        self._arrived = 0
        self._made = [0] * (len(self._stages) + 1)
        self.flags: tuple[str, ...] = ()

    def take(self, data: bytes) -> bool:
        """Take in what arrived; False says that nothing more is wanted."""
        try:
            # In small steps, so that what was made is held against what it was made of, and not against what came with it.
            for start in range(0, len(data), STEP) if self._stages else ():
                piece = data[start : start + STEP]
                self._arrived += len(piece)
                self._parts.extend(self._through(0, piece))
            if not self._stages:
                self._arrived += len(data)
                self._parts.append(data)
            if self._arrived > self._limit:  # plain, or compressed without making anything
                self._stop("max_body")
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
                self._stop("max_body")
            if self._ratio and self._made[at] > max(FREE, self._ratio * self._arrived):
                self._stop("max_ratio")

    def _stop(self, limit: str) -> NoReturn:
        self.bit = limit
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
