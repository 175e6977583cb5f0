"""Judging links by what their whole site does."""

from __future__ import annotations

import time

import click

from interfaces.cli.flags import option_flags
from interfaces.cli.voice import voice
from interfaces.text import counted
from linkindex.store import open_index
from settings.options import Options

_EVERY = 1.0  # seconds between two looks at how far it is


@click.command(epilog="\b\nExample:\n  linkatlas classify --index sqlite:///linkatlas.db")
@option_flags("index")
def classify(options: Options) -> int:
    """Tell links that a site's template repeats from those that somebody wrote.

    Looks at each host of the index as a whole: the same target under the same anchor text at the same place on many
    pages is a template's. Run it after a crawl; running it again judges anew, and being stopped loses nothing.
    """
    from linkindex.classify import classify as judge

    hosts = pages = templates = revised = 0
    told = time.monotonic()
    with open_index(options.index) as index:
        for found in judge(index):
            hosts, pages = hosts + 1, pages + found.pages
            templates, revised = templates + found.templates, revised + found.revised
            if voice.live and time.monotonic() - told > _EVERY:
                told = time.monotonic()
                voice.renew(
                    f"{counted(hosts, 'host')} · {counted(pages, 'page')} · {counted(templates, 'template link')}"
                )
    if voice.live:
        voice.renew()
    click.echo(
        f"{counted(hosts, 'host')} with {counted(pages, 'page')}: {counted(templates, 'link')} that their templates repeat, "
        f"{revised:,} of them placed by the site instead of the page"
    )
    return 0
