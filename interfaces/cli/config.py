"""What linkatlas would do with the options it is given here."""

from __future__ import annotations

import os

import click

from interfaces.text import safe_text
from settings.options import read_toml, shown, trace


@click.command(epilog="\b\nExample:\n  LINKATLAS_DELAY=2 linkatlas config")
def config() -> int:
    """Show every option, its value, and where the value comes from (environment, linkatlas.toml or default)."""
    lines = [
        (name, safe_text(shown(name, value)) or "-", source)
        for name, (value, source) in trace({}, os.environ, read_toml()).items()
    ]
    name_width, value_width = (max(len(line[part]) for line in lines) for part in (0, 1))
    for name, value, source in lines:
        click.echo(f"{name:<{name_width}}  {value:<{value_width}}  {source}")
    return 0
