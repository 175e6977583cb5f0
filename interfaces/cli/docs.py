"""Writes docs/commands.md, docs/options.md and docs/metrics.md from the commands, the option table and the table of metrics.

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

_OPTIONS_HEAD = """# Options

An option is given as a flag, else as an environment variable, else in a file that the variable with `_FILE` behind its name
names (as secrets of containers come: `LINKATLAS_INDEX_FILE=/run/secrets/index`), else in `linkatlas.toml` in the folder that
linkatlas is called from (`max_pages = 5000`, `include = ["*/blog/*"]`), else it is the default. An unknown name is an error
that names the nearest. `linkatlas config` shows every value and where it came from. Which command takes which flag is in
[commands.md](commands.md); variables and the file hold for all. This page is written by `python -m interfaces.cli.docs docs`.
"""


_METRICS_HEAD = """# Watching a crawl

Every node can tell how it is: `linkatlas crawl` and `linkatlas node` with `--metrics-port 9464` (or
`LINKATLAS_METRICS_PORT`) listen on 127.0.0.1, on another address with `--metrics-address`. Without a port, a crawl listens
on nothing. With `--workers 3` the processes of one command take the ports 9464, 9465 and 9466. All is answered by the
event loop that does the work:

| path | answer |
|---|---|
| `/livez` | 200 while the event loop turns; a node that waits for a store is alive, starting it anew helps nobody |
| `/readyz` | 200 while frontier and index answer and the node takes work; else 503, with the reason in one line |
| `/metrics` | what is below, as Prometheus reads it |

`linkatlas node --health` asks the first two, on all ports of a command with the same options; it exits 0 where all are
well, 1 where one is not, 2 where no port is named.

Nothing can be changed by these answers, and no label holds what a stranger could choose: no host, no URL, no text. What
listens on loopback answers only to the names of loopback, so that no page in a browser on that machine can read it by a
name of its own (DNS rebinding). Where another address is named, any Host is answered: Prometheus asks by names that are
not known here. Keep that port inside the network of those who are to ask.

What begins with `linkatlas_frontier_` or `linkatlas_index_` is asked of the stores when somebody looks, at most every five
seconds, and is the same from each node of a crawl: take the `max`. All else is of one process: take the `sum`. Histograms
are in seconds, and have `_bucket`, `_sum` and `_count`. This page is written by `python -m interfaces.cli.docs docs`.
"""


def metrics_page() -> str:
    """Return docs/metrics.md."""
    from interfaces.web.exposition import described

    rows = ["| metric | kind | label | what it says |", "|---|---|---|---|"]
    rows += [
        f"| `{name}` | {kind} | {f'`{label}`' if label else ''} | {text} |" for name, kind, label, text in described()
    ]
    return f"{_METRICS_HEAD}\n## Metrics\n\n" + "\n".join(rows) + "\n"


def commands_page() -> str:
    """Return docs/commands.md."""
    parts = [_COMMANDS_HEAD]
    context = click.Context(group, info_name="linkatlas", help_option_names=["-h", "--help"])
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, max_content_width=100, terminal_width=100)
        parts.append(f"## {name}\n\n```text\n{command.get_help(inner)}\n```\n")
    return "\n".join(parts)


def options_page() -> str:
    """Return docs/options.md."""
    return f"{_OPTIONS_HEAD}\n{docs_table()}"


PAGES = {"commands.md": commands_page, "options.md": options_page, "metrics.md": metrics_page}


if __name__ == "__main__":
    for file, page in PAGES.items():
        (Path(sys.argv[1]) / file).write_text(page(), encoding="utf-8")
