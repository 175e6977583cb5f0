"""What to type before a command, for the lines that tell people what to type."""

from __future__ import annotations

import os


def program() -> str:
    """Return how linkatlas was called: ``./run`` where that is how, else ``linkatlas``."""
    return os.environ.get("LINKATLAS_CALLED") or "linkatlas"
