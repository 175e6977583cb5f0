"""What a page is made with, by the open rules of ``platforms.toml`` beside this file.

Only a few short texts are looked at: what the page says of itself, headers, names of cookies, the attributes of html and
body, addresses of scripts and styles, the last words. A platform shows in those, and the rest of the markup is other
people's: an article about phpBB is no forum.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple

import msgspec

_CLOSING_CHARS = 600
_MAX_CHARS = 1 << 13  # of each text


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the rules file; what its fields mean stands there."""

    name: str
    on: str = ""
    generator: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    metas: tuple[str, ...] = ()
    shell: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()


class Signs(NamedTuple):
    """What tells of a platform, each kind as one lower-case text with a line for each; the most trusted kind first."""

    generator: str = ""
    headers: str = ""
    cookies: str = ""
    metas: str = ""
    shell: str = ""
    assets: str = ""
    closing: str = ""


_BY_LINE = frozenset(("generator", "cookies"))  # what is compared with the beginning of a line
_WHOLE_LINE = frozenset(("metas",))


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules, those that win among equals first."""
    text = resources.files("crawler.extract").joinpath("platforms.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["platform"], tuple[Rule, ...])


def platform(signs: Signs) -> str:
    """Return the name of the platform that ``signs`` tell of, ``""`` where they tell of none."""
    name = next((name for kind, text in enumerate(signs) if text for name in _told(kind, text)), "")
    for kind, part, upon in _upgrades().get(name, ()) if name else ():
        if part in signs[kind]:
            return upon
    return name


def signs(
    metas: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    shell: Iterable[Mapping[str, str | None]],
    assets: Iterable[str],
    closing: str,
) -> Signs:
    """Gather the signs of one page.

    ``metas`` are (name, content); ``headers`` map lower-case names to values, several values in lines; ``shell`` are
    the attributes of html and body; ``assets`` addresses as written; ``closing`` a text that ends with the page's.
    """
    metas = list(metas)
    cookies = headers.get("set-cookie", "").splitlines()
    return Signs(
        generator=_lines(content.strip() for name, content in metas if name == "generator"),
        headers=_lines(f"{name}: {line}" for name, value in headers.items() for line in value.splitlines()),
        cookies=_lines(cookie.strip() for cookie in cookies),
        metas=_lines(name for name, _ in metas),
        shell=_lines(f' {name}="{value}" ' for attributes in shell for name, value in attributes.items()),
        assets=_lines(assets),
        closing=" ".join(closing[-_CLOSING_CHARS:].lower().split()),
    )


def _lines(texts: Iterable[str]) -> str:
    text = "\n".join(texts)[:_MAX_CHARS].lower()
    return f"\n{text}\n" if text else ""


def _told(kind: int, text: str) -> Iterator[str]:
    return (name for part, name in _parts()[kind] if part in text)


@cache
def _parts() -> tuple[tuple[tuple[str, str], ...], ...]:
    """Return for each kind of sign (what it contains, name of the platform), in the order of the rules."""
    return tuple(
        tuple((_in_lines(kind, part), rule.name) for rule in rules() for part in getattr(rule, kind))
        for kind in Signs._fields
    )


@cache
def _upgrades() -> dict[str, list[tuple[int, str, str]]]:
    """Return for each platform what shows that another one is built upon it."""
    found: dict[str, list[tuple[int, str, str]]] = {}
    for kind, parts in enumerate(_parts()):
        on = {rule.name: rule.on for rule in rules() if rule.on}
        for part, name in parts:
            if name in on:
                found.setdefault(on[name], []).append((kind, part, name))
    return found


def _in_lines(kind: str, part: str) -> str:
    if kind in _WHOLE_LINE:
        return f"\n{part}\n"
    return f"\n{part}" if kind in _BY_LINE else part
