"""Reading seeds as people give them: as arguments, or one a line in a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from crawler import addresses
from crawler.job import canonical_seed
from linkindex.errors import BadInput


class Seeds(NamedTuple):
    """Canonical URLs to begin with, and one line for each that cannot be."""

    urls: list[str]
    skipped: list[str]


def read_seeds(arguments: Iterable[str], file: str | None, *, allow_private: bool, ports: Iterable[int]) -> Seeds:
    """Read all seeds; raise :class:`BadInput` when none is left, or when the file cannot be read."""
    found: dict[str, None] = {}
    skipped: list[str] = []
    allowed = frozenset(ports)
    for place, text in given_seeds(arguments, file):
        try:
            url = canonical_seed(text)
            _check_reachable(url, text, allow_private, allowed)
        except BadInput as error:
            skipped.append(f"{place}{error}")
        else:
            found[url] = None
    if not found:
        raise BadInput("; ".join(skipped[:3]))
    return Seeds(list(found), skipped)


def given_seeds(arguments: Iterable[str], file: str | None) -> list[tuple[str, str]]:
    """Return seeds as they were written, each behind the place in a file where it stands. Raises :class:`BadInput` where there
    is none."""
    given = list(_all(arguments, file))
    if not given:
        raise BadInput("no seeds: name at least one, such as https://example.com, or a file by --seeds-file")
    return given


def _all(arguments: Iterable[str], file: str | None) -> Iterator[tuple[str, str]]:
    for argument in arguments:
        yield "", argument
    if file is not None:
        for number, line in enumerate(_lines(file), 1):
            text = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()  # a # within a URL is none
            if text:
                yield f"{file}, line {number}: ", text


def _lines(file: str) -> list[str]:
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise BadInput(f"seeds file {file}: {error.strerror}; give a text file with one URL a line") from error
    try:
        if b"\0" in content:
            raise ValueError
        return content.decode("utf-8-sig").splitlines()
    except ValueError as error:
        raise BadInput(f"seeds file {file}: not a text file in UTF-8; give one URL a line") from error


def _check_reachable(url: str, text: str, allow_private: bool, ports: frozenset[int]) -> None:
    """Refuse at once what the address guard would refuse at every fetch."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if refusal := addresses.port_refusal(port, ports):
        raise BadInput(f"seed {text!r}: {refusal}")
    host = parts.hostname or ""
    refusal = addresses.literal_refusal(host, allow_private)
    if not allow_private and (host == "localhost" or host.endswith(".localhost")):  # RFC 6761, 6.3
        refusal = f"{host} is this machine"
    if refusal:
        raise BadInput(f"seed {text!r}: {refusal}; allow private addresses with --allow-private")
