"""What was typed, for the lines that tell people what to type."""

from __future__ import annotations

import os

import click


def program() -> str:
    """Return how linkatlas was called: ``./run`` where that is how, else ``linkatlas``."""
    return os.environ.get("LINKATLAS_CALLED") or "linkatlas"


def arguments() -> list[str]:
    """Return what stood behind it: the command that is running, and what it was given."""
    return list(click.get_current_context().find_root().obj)
