"""The connection to the file of an index or a frontier: to read and write, or to read only where its folder or the file lets
nobody write.

SQLite keeps what was written last beside the file (``-wal``), with an index of it that all readers share (``-shm``) and that it
has to make where it is not there. Where it cannot, the file alone is read as one that nobody changes (``immutable``), which is
right as long as there is no ``-wal`` with something in it.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from linkindex.errors import BadInput


def connect(path: Path, wait: float, store: str = "index") -> sqlite3.Connection:
    """Return a connection that waits ``wait`` seconds for others. Raises :class:`BadInput` where only a part could be read,
    or no file can be."""
    if path.is_dir():
        raise BadInput(f"{store} {path}: is a folder; name a file in it: --{store} sqlite:///{path / 'NAME.db'}")
    if not path.parent.is_dir():
        raise BadInput(f"{store} {path}: there is no folder {path.parent}; make it, or name another with --{store}")
    if not path.exists() or _may_write(path):
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=wait)
    kept = path.with_name(path.name + "-wal")
    if not kept.exists() or not kept.stat().st_size:
        return _read_only(path, "immutable=1", wait)
    if not path.with_name(path.name + "-shm").exists():
        raise BadInput(
            f"{store} {path}: what was written last is in {kept.name}, which cannot be read here without writing; "
            "ask once where it may be written, or copy both to such a place"
        )
    return _read_only(path, "mode=ro", wait)


def is_read_only(path: Path) -> bool:
    """Return whether a file is there that may not be written."""
    return path.exists() and not _may_write(path)


def _may_write(path: Path) -> bool:
    return all(
        os.access(place, os.W_OK, effective_ids=os.access in os.supports_effective_ids) for place in (path, path.parent)
    )


def _read_only(path: Path, how: str, wait: float) -> sqlite3.Connection:
    place = f"file:{quote(str(path.absolute()))}?{how}"
    return sqlite3.connect(place, uri=True, isolation_level=None, check_same_thread=False, timeout=wait)
