"""Links inside a domain of which only the targets are kept, in one piece a page. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable


def pack(targets: Iterable[str], page: str) -> bytes:
    """Compress targets, in order of appearance, those on the page's own origin as paths; b"" where there are none."""
    origin = page[: page.find("/", 8)]
    lines = dict.fromkeys(
        target.removeprefix(origin) if target.startswith(f"{origin}/") else target for target in targets
    )
    return zlib.compress("\n".join(lines).encode(), 6) if lines else b""


def unpack(packed: bytes | None, page: str) -> list[str]:
    """Return the targets that :func:`pack` compressed."""
    if not packed:
        return []
    origin = page[: page.find("/", 8)]
    return [origin + line if line.startswith("/") else line for line in zlib.decompress(packed).decode().split("\n")]
