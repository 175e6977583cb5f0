"""Cases about URLs and names that nobody here wrote, as the oracles hold them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Case(NamedTuple):
    """One of WHATWG's: what ``text`` is against ``base``; "" where it must be refused, None where it is no web URL."""

    text: str
    base: str | None
    href: str | None


def whatwg(oracles: Path) -> Iterator[Case]:
    """Yield the cases of urltestdata.json."""
    for case in json.loads((oracles / "url" / "urltestdata.json").read_text(encoding="utf-8")):
        if isinstance(case, str):
            continue
        base = case["base"] if case.get("base") not in (None, "about:blank") else None
        if case.get("failure"):
            yield Case(case["input"], base, "")
        else:
            yield Case(case["input"], base, case["href"] if case["href"].startswith(("https://", "http://")) else None)
