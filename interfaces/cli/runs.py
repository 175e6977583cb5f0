"""Runs that are no more: an index notes which were forgotten, so that a name that is unknown can be told from them."""

from __future__ import annotations

import msgspec

from linkindex.store import LinkIndex

_NOTE = "forgotten_runs"  # of `about`
_MOST = 1000  # names; the oldest go first


def forgotten_runs(index: LinkIndex) -> list[str]:
    """Return the names of the runs that were forgotten, the last one last."""
    try:
        return msgspec.json.decode(index.about(_NOTE) or b"[]", type=list[str])
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
        return []  # it only words an answer


def note_forgotten(index: LinkIndex, run: str) -> None:
    """Note that a run was forgotten."""
    known = [name for name in forgotten_runs(index) if name != run]
    index.put_about(_NOTE, msgspec.json.encode([*known, run][-_MOST:]))
