"""Makes the passwords of the stores, once, and writes each where its container reads it: ``python3 -m interfaces.keys FOLDER``.

For deploy/, which starts stores of its own.

================= =====================================================================================================
``redis.conf``    what Redis is started with: its password
``mongo-admin``   password of MongoDB's user ``admin``, who may do everything
``mongo``         password of MongoDB's user ``linkatlas``, who may use the index
``grafana``       password of Grafana's user ``admin``
``frontier``      the URL of the frontier, password included, for ``LINKATLAS_FRONTIER_FILE``
``index``         the URL of the index, password included, for ``LINKATLAS_INDEX_FILE``
================= =====================================================================================================

A file that is there is left as it is. So a password of your own, or the URL of a store that you have, may be put in its place
before: ``python3 -m interfaces.keys FOLDER --take index < FILE``. The standard library only.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
from pathlib import Path

FILES = ("redis.conf", "mongo-admin", "mongo", "grafana", "frontier", "index")


def make(folder: Path, redis: str, mongo: str, job: str, database: str) -> None:
    """Write what is missing in ``folder``; ``redis`` and ``mongo`` are HOST:PORT."""
    conf = _keep(folder / "redis.conf", f"requirepass {_password()}\n")
    found = re.search(r"^requirepass (\S+)$", conf, re.MULTILINE)
    if found is None:
        raise SystemExit(f"{folder / 'redis.conf'} has no line 'requirepass PASSWORD'; mend it or take it away")
    _keep(folder / "frontier", f"redis://:{found[1]}@{redis}/0?job={job}\n")
    _keep(folder / "mongo-admin", _password() + "\n")
    _keep(folder / "grafana", _password() + "\n")
    password = _keep(folder / "mongo", _password() + "\n").strip()
    _keep(folder / "index", f"mongodb://linkatlas:{password}@{mongo}/{database}?authSource=admin\n")


def give(folder: Path, readers: dict[str, int]) -> None:
    """Let each file be read by one user, and by the group that made it. Needs the right to do so (root with CAP_CHOWN)."""
    for name, user in readers.items():
        os.chown(folder / name, user, -1)


def take(folder: Path, name: str, text: str) -> None:
    """Put ``text`` in the place of a file, be it there or not."""
    if not text.strip():
        raise SystemExit(f"{name}: nothing was given; as in: --take {name} < FILE")
    _write(folder / name, text.strip() + "\n")


def _keep(path: Path, text: str) -> str:
    """Write ``text`` unless the file is there; return what it holds."""
    if not path.exists():
        _write(path, text)
    return path.read_text()


def _write(path: Path, text: str) -> None:
    """Write a file that its owner and group can read."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440), "w") as file:
        file.write(text)
    draft.rename(path)  # whole or not at all


def _password() -> str:
    return secrets.token_urlsafe(24)  # letters, digits, - and _: as they are in URLs and in redis.conf


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m interfaces.keys")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--redis", default="redis:6379", metavar="HOST:PORT")
    parser.add_argument("--mongo", default="mongo:27017", metavar="HOST:PORT")
    parser.add_argument("--job", default="web", help="name of the crawl")
    parser.add_argument("--database", default="links", help="name of the index")
    parser.add_argument(
        "--reader", action="append", default=[], metavar="FILE:USER", help="give a file to a user's number"
    )
    parser.add_argument("--take", choices=FILES, metavar="FILE", help="only put standard input in this file's place")
    options = parser.parse_args()
    if options.take:
        take(options.folder, options.take, sys.stdin.read())
        return
    make(options.folder, options.redis, options.mongo, options.job, options.database)
    give(options.folder, {name: int(user) for name, _, user in (text.partition(":") for text in options.reader)})


if __name__ == "__main__":
    main()
