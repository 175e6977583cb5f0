"""The questions that the index answers, as commands."""

from __future__ import annotations

import re
from functools import partial
from inspect import cleandoc
from typing import TYPE_CHECKING

import click

from interfaces.cli.asking import TARGETS, Question, Words, answer_options, examples
from interfaces.cli.conditions import DATES, condition_options, order_options
from linkindex import urls
from linkindex.target import parse_target

if TYPE_CHECKING:
    from linkindex.conditions import Conditions
    from linkindex.store import Order, Per

_PERIOD = ["first_seen", "last_seen"]
_HOME = re.compile(r"https?://[^/?]+/")
_PAGES = "; http and https differ, without a scheme https is meant"


@click.command(
    epilog=examples(
        "backlinks example.com",
        "backlinks example.com --follow --placement content --per domain",
        "backlinks example.com --lost --since 30d",
        "backlinks example.com --as-of 2026-01-31 --limit 0 -o then.csv",
    )
)
@click.argument("target")
@condition_options()
@order_options
@answer_options
def backlinks(target: str, order: Order, per: Per, after: str, conditions: Conditions, question: Question) -> int:
    """Show who links to TARGET: followed links first, then the latest seen.

    Links to what redirects to TARGET, or names it as its canonical, are among them.
    """
    columns = [
        *["source", "target", *(["end_status"] if conditions.get("broken") else []), "anchor", "follow"],
        *(["links", "pages"] if per != "link" else []),
        *(["domain_rank", "source_rank"] if order == "rank" else []),
        *["rel", "lost_at", "lost_reason", "doubt", "placement", "relevance", "kind", *_PERIOD, "hops"],
    ]
    which = "more " if after else "lost " if conditions.get("state") == "lost" else ""
    return question.rows(
        lambda index, limit: index.backlinks(target, order=order, per=per, after=after, limit=limit, **conditions),
        columns,
        _words(f"{which}backlinks", target, conditions),
        by_rank=order == "rank",
    )


@click.command(epilog=examples("broken example.com", "broken example.com --follow -o redirects.csv"))
@click.argument("target")
@condition_options(without=("state", "as_of", "broken"), since="First seen on DATE or later.")
@order_options
@answer_options
def broken(target: str, order: Order, per: Per, after: str, conditions: Conditions, question: Question) -> int:
    """Show links to pages of TARGET that are gone, fail, or redirect into nothing, and where they could lead instead.

    The replacement is the best live page of the same site: the same path under another host or scheme, where such a copy
    leads, else the page that is nearest by path and words; its score says how sure that is, up to 1.
    """
    columns = ["source", "target", "end_status", "replacement", "replacement_score", "replacement_because", "anchor"]
    return question.rows(
        lambda index, limit: index.broken(target, order=order, per=per, after=after, limit=limit, **conditions),
        [*columns, *(["links", "pages"] if per != "link" else []), "follow", "hops", "last_seen"],
        _words("broken backlinks", target, conditions),
        by_rank=order == "rank",
    )


@click.command(
    epilog=examples(
        "domains example.com", "domains example.com --follow --limit 20", "domains example.com --lost --since 30d"
    )
)
@click.argument("target")
@condition_options()
@answer_options
def domains(target: str, conditions: Conditions, question: Question) -> int:
    """Show the domains that link to TARGET, those with the most links first."""
    return question.rows(
        lambda index, limit: index.domains(target, limit=limit, **conditions),
        ["domain", "domain_rank", "backlinks", "pages", "follow", "nofollow", *_PERIOD],
        _words("referring domains", target, conditions),
    )


@click.command(epilog=examples("anchors example.com", "anchors example.com --from example.org"))
@click.argument("target")
@condition_options()
@answer_options
def anchors(target: str, conditions: Conditions, question: Question) -> int:
    """Show the texts under which TARGET is linked, the most used first."""
    return question.rows(
        lambda index, limit: index.anchors(target, limit=limit, **conditions),
        ["anchor", "backlinks", "domains", "follow", "nofollow", *_PERIOD],
        _words("anchors", target, conditions),
    )


@click.command(epilog=examples("overview example.com", "overview example.com --format json"))
@click.argument("target")
@answer_options
def overview(target: str, question: Question) -> int:
    """Show the backlink profile of TARGET in numbers."""
    return question.one(lambda index: index.overview(target), "backlinks", _words("backlinks", target))


@click.command(
    epilog=examples("changes example.com --since 7d", "changes example.com --since 2026-11-01 -o november.csv")
)
@click.argument("target")
@condition_options(without=("state", "as_of", "broken"), since="Happened on DATE or later.")
@answer_options
def changes(target: str, conditions: Conditions, question: Question) -> int:
    """Show what happened to links that point at TARGET, the latest first.

    A link is new, changed (what, from what, to what), lost (why), returned after it had been lost; or it moved: its target
    began to lead elsewhere.
    """
    return question.rows(
        lambda index, limit: index.changes(target, limit=limit, **conditions),
        ["at", "what", "source", "attribute", "before", "after", "target", "anchor", "follow"],
        _words("changes of links", target, conditions),
    )


@click.command(
    epilog=examples("history https://example.org/page https://example.com/", "history https://example.org/page")
)
@click.argument("source")
@click.argument("target", required=False, default="")
@answer_options
def history(source: str, target: str, question: Question) -> int:
    """Show every version of the links from the page SOURCE to the page TARGET, or to all pages; both are URLs."""
    look = ["anchor", "follow", "rel", "placement", "kind"]
    return question.rows(
        lambda index, limit: index.history(source, target, limit=limit),
        [*([] if target else ["target"]), "since", "confirmed", "until", "ended_because", *look],
        Words(f"links from {source}" + (f" to {target}" if target else ""), lambda: _PAGES),
    )


@click.command(epilog=examples("outlinks https://example.com/page"))
@click.argument("page")
@answer_options
def outlinks(page: str, question: Question) -> int:
    """Show what PAGE (a URL) links to."""
    return question.rows(
        lambda index, limit: index.outlinks(page, limit=limit),
        ["target", "internal", "anchor", "follow", "rel", "lost_at", "lost_reason", "placement", "kind", "first_seen"],
        Words(f"links on the page {page}", lambda: _PAGES),
    )


@click.command(epilog=examples("pages example.com", "pages 'https://example.com/blog/*' --format csv -o pages.csv"))
@click.argument("target")
@answer_options
def pages(target: str, question: Question) -> int:
    """Show the visited pages of TARGET and what they say of themselves, those that link out most first."""
    return question.rows(
        lambda index, limit: index.pages(target, limit=limit),
        ["url", "title", "status", "language", "published", "author", "platform", "words", "external_links"],
        _words("visited pages", target),
    )


def _words(what: str, target: str, conditions: Conditions | None = None) -> Words:
    fulfil = " that fulfil all conditions" if conditions and conditions.keys() - {"state"} else ""
    return Words(f"{what} of {target}{fulfil}", partial(_hint, target), partial(_meant, target))


def _hint(target: str) -> str:
    """Return why nothing may have been found of a target."""
    if "://" in target:
        return "; http and https differ, without a scheme both are looked up"
    name = parse_target(target).name
    domain = urls.domain_of(name) if name else ""
    return f"; that is one host, for all of the domain ask for {domain}" if domain not in ("", name) else ""


def _meant(target: str) -> str:
    """Return what whoever asks for a home page may have meant, "" for other targets."""
    found = parse_target(target)
    if not found.urls or not _HOME.fullmatch(found.urls[0]):
        return ""
    return f"{target} is one page; for all of the domain, ask for {urls.domain_of(urls.host_of(found.urls[0]))}"


for _command in (backlinks, broken, domains, anchors, changes, pages, overview):
    _command.help = f"{cleandoc(_command.help or '')}\n\n{TARGETS}"
for _command in (backlinks, broken, domains, anchors, changes):
    _command.help = f"{_command.help}\n{DATES}"
