"""Runs ``linkatlas`` as a person does: another process, its exit code and what it printed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "interfaces.cli.main", *arguments]


def environment(**others: str) -> dict[str, str]:
    """The environment without options of ours, so that a developer's own do not change what is tested."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINKATLAS_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default", **others}


def run(folder: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> Ran:
    """Run to the end in ``folder``, with these environment variables more."""
    return ended(folder, command(*arguments), environment(**(variables or {})))


def ended(folder: Path, program: Sequence[str], variables: Mapping[str, str]) -> Ran:
    """Run any program to its end in ``folder``, with these environment variables and no others."""
    done = subprocess.run(
        program,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240.0,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
