"""How the values of options are read, as people write them: from a flag, a variable, ``linkatlas.toml`` or Scrapy.

Each reader returns the value, or raises ValueError with a text that completes "give …". What it returns it reads again
as the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

Reader = Callable[[Any], Any]


def number(least: float, most: float, whole: bool) -> Reader:
    """Return the reader of a number within these bounds, which are included."""

    def read(value: Any) -> int | float:
        try:
            found = int(value) if whole and not isinstance(value, float) else float(value)
        except (TypeError, ValueError):
            found = float("nan")
        if isinstance(value, bool) or not least <= found <= most or (whole and not isinstance(found, int)):
            bounds = f"from {least:g} to {most:g}" if most != float("inf") else f"of at least {least:g}"
            raise ValueError(f"a {'whole ' if whole else ''}number {bounds}")
        return found

    return read


def text(value: Any) -> str:
    """Read any text without NUL."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("a text")
    return value


def line(value: Any) -> str:
    """Read a text that may stand in an HTTP header."""
    if not isinstance(value, str) or not value.isprintable() or not value.isascii():
        raise ValueError("one line of plain ASCII, such as a URL or a mail address")
    return value


def address(value: Any) -> str:
    """Read an IP address."""
    try:
        return str(ip_address(value if isinstance(value, str) and value.isprintable() else ""))
    except ValueError:
        raise ValueError("an IP address, such as 127.0.0.1 or 0.0.0.0") from None


def place(*forms: str) -> Reader:
    """Return the reader of where a store is ("": the default place), one of ``forms``, such as sqlite:///PATH.

    The store's own ``open`` knows whether it can be used.
    """
    schemes = tuple(re.match(r"[a-z+]+:/+", form)[0] for form in forms)  # type: ignore[index]  # ours have one

    def read(value: Any) -> str:
        if not isinstance(value, str) or (value and not value.startswith(schemes)) or value in schemes:
            raise ValueError(" or ".join(forms))
        return text(value)

    return read


def without_password(url: str) -> str:
    """Return text with *** for the passwords of stores' URLs in it: before a host, up to the last @ before a path, and among
    the parameters."""
    shown = re.sub(r"(:/*[^/?#@:\s]*:)[^/?#\s]*@", r"\1***@", url)
    return re.sub(r"([?&][a-z]*passw[a-z]*=)[^&#\s]*", r"\1***", shown, flags=re.IGNORECASE)


def switch(value: Any) -> bool:
    """Read yes or no."""
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    found = value if isinstance(value, bool) else words.get(str(value).lower())
    if found is None:
        raise ValueError("true or false")
    return found


def one_of(choices: tuple[str, ...]) -> Reader:
    """Return the reader of one of these words."""

    def read(value: Any) -> str:
        if value not in choices:
            near = nearest(str(value), choices)
            raise ValueError(f"one of {', '.join(choices)}" + (f"; did you mean {near}?" if near else ""))
        return str(value)

    return read


_UNITS = {"": 1, "b": 1, "kb": 1000, "kib": 1024, "mb": 1000**2, "mib": 1024**2, "gb": 1000**3, "gib": 1024**3}


def size(value: Any) -> int:
    """Read a number of bytes, with or without a unit."""
    match = re.fullmatch(r"([0-9]{1,15})\s*([a-z]*)", str(value).strip().lower())
    if match is None or match[2] not in _UNITS or int(match[1]) * _UNITS[match[2]] < 1:
        raise ValueError("a size in bytes, or as in 500KB or 8MiB")
    return int(match[1]) * _UNITS[match[2]]


def shown_size(value: int) -> str:
    """Return bytes as :func:`size` reads them, in the largest unit that is exact."""
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if value % factor == 0:
            return f"{value // factor}{unit}"
    return str(value)


def many(each: Reader, separator: str | None = None) -> Reader:
    """Return the reader of several values: a list, or one text with ``separator`` (None: white space) between them."""

    def read(value: Any) -> tuple[Any, ...]:
        if isinstance(value, str):
            value = value.split(separator)
        elif isinstance(value, int):
            value = [value]
        parts: list[Any] = []
        for part in value:
            inner = part.split(separator) if separator and isinstance(part, str) else [part]
            parts += [each(one) for one in inner if one != ""]
        return tuple(parts)

    return read


def nearest(name: str, names: tuple[str, ...], least: float = 0.4) -> str | None:
    """Return the one of ``names`` that was likely meant, None when nothing is as near as ``least`` (1: the same)."""
    from difflib import get_close_matches  # noqa: PLC0415  slow, and only for those who mistyped

    return next(iter(get_close_matches(name, names, 1, least)), None)
