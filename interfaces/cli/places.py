"""Where stores are."""

from __future__ import annotations

from pathlib import Path


def is_there(place: str) -> bool:
    """Return whether there is something to open at a store's URL: a file. Of a server only opening it tells."""
    path = place.removeprefix("sqlite:///")
    return Path(path).exists() if path != place else bool(place)
