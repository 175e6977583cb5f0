"""Fixed shares of a core for processes (cgroups, version 1 or 2; root only), so that what is measured is not how many cores
a machine has."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PERIOD = 10_000  # µs: short, because who holds a lock may have to wait for the next


class Share:
    """A cgroup for processes and their children."""

    def __init__(self, folder: Path) -> None:
        self._procs = folder / "cgroup.procs"

    def take(self, pid: int) -> None:
        self._procs.write_text(str(pid))


@contextlib.contextmanager
def share(name: str, cores: float | None = None) -> Iterator[Share]:
    """Make a cgroup that goes before others, with ``cores`` of CPU time at most (None: no limit).

    Raises OSError where this process may not.
    """
    unified = (_ROOT / "cgroup.controllers").exists()
    folder = (_ROOT if unified else _ROOT / "cpu") / f"linkatlas-{os.getpid()}-{name}"
    if unified:
        (_ROOT / "cgroup.subtree_control").write_text("+cpu")
    folder.mkdir()
    try:
        if unified:
            (folder / "cpu.weight").write_text("10000")
            (folder / "cpu.max").write_text(f"{cores * _PERIOD:.0f} {_PERIOD}" if cores else f"max {_PERIOD}")
        else:
            (folder / "cpu.shares").write_text("100000")
            (folder / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (folder / "cpu.cfs_quota_us").write_text(f"{cores * _PERIOD:.0f}" if cores else "-1")
        yield Share(folder)
    finally:
        for pid in (folder / "cgroup.procs").read_text().split():  # a cgroup goes only when it is empty
            ((_ROOT if unified else _ROOT / "cpu") / "cgroup.procs").write_text(pid)
        folder.rmdir()
