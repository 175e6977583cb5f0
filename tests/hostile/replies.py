"""Raw HTTP replies: those of llhttp's own tests, and what may happen to each on its way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.rawserver import Reply, endless, reset_after

_SECTION = re.compile(r'<!-- meta=(\{.*?"response".*?\}) -->\s*```http\n(.*?)```', re.S)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[rntf])")
_NAMED = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}


def replies(folder: Path) -> list[bytes]:
    """Return the replies of llhttp's tests, in its markdown: lines end with CRLF, ``\\`` joins them, escapes as in C."""
    found = []
    for path in sorted(folder.glob("*.md")):
        for _, text in _SECTION.findall(path.read_text(encoding="utf-8")):
            joined = text.replace("\\\n", "").replace("\n", "\r\n")
            found.append(_ESCAPE.sub(_escaped, joined).encode("latin-1", "replace"))
    return list(dict.fromkeys(found))


def _escaped(match: re.Match[str]) -> str:
    name = match[1]
    return chr(int(name[1:], 16)) if name[0] == "x" else _NAMED[name]


def mishaps(reply: bytes) -> Iterator[tuple[str, Reply]]:
    """Yield what may become of a reply."""
    head, gap, body = reply.partition(b"\r\n\r\n")
    yield "whole", reply
    for part in (0.1, 0.5, 0.9):
        yield f"cut at {part}", reply[: int(len(reply) * part)]
    yield "body cut", head + gap + body[: len(body) // 2]
    yield "reset", reset_after(reply[: len(reply) // 2])
    yield "length too large", _with(head, b"Content-Length: 99999") + gap + body
    yield "length too small", _with(head, b"Content-Length: 1") + gap + body
    yield "length negative", _with(head, b"Content-Length: -5") + gap + body
    yield "two lengths", _with(head, b"Content-Length: 3\r\nContent-Length: 4") + gap + body
    yield "bad chunks", _with(head, b"Transfer-Encoding: chunked") + gap + b"5\r\nhello\r\nzz\r\n" + body
    yield "chunk too large", _with(head, b"Transfer-Encoding: chunked") + gap + b"fffffffffffffffff\r\nx"
    yield "chunk without end", _with(head, b"Transfer-Encoding: chunked") + gap + b"5\r\nhel"
    yield "no such encoding", _with(head, b"Content-Encoding: gzip") + gap + body
    yield "twice", reply + reply
    yield "noise before", b"\x00\xff\r\n" + reply


def slow_mishaps(reply: bytes) -> Iterator[tuple[str, Reply]]:
    """Yield what takes its time: each waits until a limit bites."""
    head, gap, _ = reply.partition(b"\r\n\r\n")
    yield "endless headers", endless(head + b"\r\n", b"X-More: and more\r\n" * 50)
    yield "a byte now and then, of the head", endless(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.2)
    yield "a byte now and then, of the body", endless(_with(head, b"Content-Length: 99999") + gap, b"x", 0.2)
    yield "silence in the head", endless(head[: len(head) // 2], b"", 5.0)
    yield "silence in the body", endless(_with(head, b"Content-Length: 99999") + gap + b"<p>", b"", 5.0)


def _with(head: bytes, header: bytes) -> bytes:
    """Return a head with this header in place of those that frame a body."""
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-length", b"transfer-enc"))]
    return b"\r\n".join([*lines, header])
