"""Writes docs/commands.md, docs/options.md and the table in docs/metrics.md from the commands, the options and the metrics.

``python -m interfaces.cli.docs FOLDER`` writes them; a test keeps them current.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from interfaces.cli.main import COMMANDS, group
from settings.options import docs_table

_COMMANDS_HEAD = """# Commands

Every command as its `--help` tells it. This page is written by `python -m interfaces.cli.docs docs`.

Exit codes: 0 done, 1 finished but nothing could be read, 2 usage or bad input, 69 something needed is away, 75 stopped
early (run again to go on), 130 interrupted.
"""

_METRICS = Path(__file__).parents[2] / "docs" / "metrics.md"

_OPTIONS_HEAD = """# Options

An option is given as a flag, else as an environment variable or in a file that the variable with `_FILE` behind its name
names (as secrets of containers come: `LINKATLAS_INDEX_FILE=/run/secrets/index`; both at once are an error), else in
`linkatlas.toml` in the folder that linkatlas is called from (`max_pages = 5000`, `include = ["*/blog/*"]`), else it is the
default. An unknown name is an error that names the nearest. `linkatlas config` shows every value and where it came from.
Which command takes which flag is in [commands.md](commands.md); variables and the file hold for all. This page is written by
`python -m interfaces.cli.docs docs`.
"""


def metrics_page() -> str:
    """Return docs/metrics.md: what people wrote there, around the table of what is told."""
    from interfaces.web.exposition import described

    rows = ["| metric | kind | label | what it says |", "|---|---|---|---|"]
    rows += [
        f"| `{name}` | {kind} | {f'`{label}`' if label else '-'} | {text} |" for name, kind, label, text in described()
    ]
    before, heading, rest = _METRICS.read_text(encoding="utf-8").partition("## Metrics\n")
    _, next_heading, after = rest.partition("\n## ")
    return f"{before}{heading}\n" + "\n".join(rows) + f"\n{next_heading}{after}"


def commands_page() -> str:
    """Return docs/commands.md."""
    parts = [_COMMANDS_HEAD]
    context = click.Context(group, info_name="linkatlas", help_option_names=["-h", "--help"])
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, max_content_width=100, terminal_width=100)
        parts.append(f"## {name}\n\n```text\n{command.get_help(inner)}\n```\n")
        for below, further in getattr(command, "commands", {}).items():
            lower = click.Context(further, info_name=below, parent=inner, max_content_width=100, terminal_width=100)
            parts.append(f"### {name} {below}\n\n```text\n{further.get_help(lower)}\n```\n")
    return "\n".join(parts)


def options_page() -> str:
    """Return docs/options.md."""
    return f"{_OPTIONS_HEAD}\n{docs_table()}"


PAGES = {"commands.md": commands_page, "options.md": options_page, "metrics.md": metrics_page}


if __name__ == "__main__":
    for file, page in PAGES.items():
        (Path(sys.argv[1]) / file).write_text(page(), encoding="utf-8")
