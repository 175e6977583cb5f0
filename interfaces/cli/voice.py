"""How a command speaks to whoever runs it, beside its answers: lines on standard error, as text or, where a crawl's log is JSON
Lines, as lines of that."""

from __future__ import annotations

import sys
import time

import click

from interfaces.cli.terminal import columns_of, takes_escapes
from interfaces.text import safe_text
from settings.values import without_password


class Voice:
    """This process' own; ``form`` is an option's value (``--log-format``)."""

    form = "text"

    def say(self, line: str, level: str = "info", *, name: str = "linkatlas: ") -> None:
        """Write one line, without the passwords in it; ``name`` stands before it in a text."""
        line = without_password(line)
        if self.form == "text":
            click.echo(f"{name}{safe_text(line)}", err=True)
            return
        from crawler.lines import json_line

        click.echo(json_line(time.time(), level, "linkatlas", line, {}), err=True)

    @property
    def live(self) -> bool:
        """Whether a line may renew itself."""
        return self.form == "text" and takes_escapes(sys.stderr)

    def renew(self, line: str = "") -> None:
        """Put a line, as far as there is room for it, in the place of the one before; "" leaves none."""
        sys.stderr.write(f"\r\x1b[K{line[: columns_of(sys.stderr) - 1]}")
        sys.stderr.flush()


voice = Voice()
