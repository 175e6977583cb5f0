"""The atomic steps: Lua files, each with the parts that its first line names in front."""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import NamedTuple

_PARTS = re.compile(r"^--.*?\bParts: ([a-z ]+)$", re.MULTILINE)


class Script(NamedTuple):
    text: str
    digest: str


@cache
def script(name: str) -> Script:
    """Return the step ``lua/NAME.lua``, as the server is to run it."""
    lua = files(__package__) / "lua"
    text = (lua / f"{name}.lua").read_text()
    parts = _PARTS.search(text)
    wanted = parts[1].split() if parts else []
    whole = "".join([*((lua / "parts" / f"{part}.lua").read_text() for part in wanted), text])
    return Script(whole, sha1(whole.encode(), usedforsecurity=False).hexdigest())
