"""What linkatlas would do with the options it is given here."""

from __future__ import annotations

import os

import click

from interfaces.text import safe_text
from settings.options import read_toml, trace


@click.command(epilog="\b\nExample:\n  LINKATLAS_DELAY=2 linkatlas config")
def config() -> int:
    """Show every option, its value, and where the value comes from (environment, linkatlas.toml or default)."""
    for name, (value, source) in trace({}, os.environ, read_toml()).items():
        shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        click.echo(f"{name:<20} {safe_text(shown) or '-':<24} {source}")
    return 0
