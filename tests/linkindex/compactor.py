"""A process that compacts a SQLite index and is killed at a point that is named, for trials.

``python -m tests.linkindex.compactor PATH`` does not kill itself; with ``--before STATEMENT COUNT`` when it begins the COUNT-th
statement that begins so; with ``--steps COUNT`` after so many of SQLite's steps of writing the file anew; with ``--log BYTES``
when its log (SQLite's ``-wal``) is so large.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal

from linkindex.store.sqlite import SqliteIndex


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("path")
    wanted.add_argument("--before", nargs=2)
    wanted.add_argument("--steps", type=int)
    wanted.add_argument("--log", type=int)
    given = wanted.parse_args()
    left = int(given.before[1]) if given.before else 0

    def look(statement: str) -> None:
        nonlocal left
        if given.before and statement.startswith(given.before[0]):
            left -= 1
            if not left:
                _kill()

    with SqliteIndex.open(given.path) as index:
        index._db.set_trace_callback(look)
        for step in index.compact():
            if given.steps and step.part == "file":
                index._db.set_progress_handler(_kill, given.steps)
            if given.log and step.part == "file":
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
                resource.setrlimit(resource.RLIMIT_FSIZE, (given.log, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
