"""A process that stores a made-up history, batch by batch, as a crawler's node does, for trials that kill it or starve it.

``python -m tests.linkindex.writer URL SEED BATCHES FOLDER`` goes on where FOLDER says that the last one ended: ``stored`` has
a byte for each batch that was acknowledged. What the index refuses is tried again; ``refused`` has a line for each time.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from linkindex.errors import Unavailable
from linkindex.model import Link, Outcome, Visit
from linkindex.store import LinkIndex, open_index
from pipelines.canonicalise import canonicalise

_T = TypeVar("_T")

ROOT = Path(__file__).parents[2]
SIZE = 12  # visits in a batch
REFUSALS = 5  # after which a limit of the size of files is lifted
PAGES = [f"https://a{number % 5}.test/{number}" for number in range(40)]
TARGETS = [f"https://b{number % 3}.test/{number}" for number in range(30)]


def batches(seed: int, count: int) -> Iterator[list[Visit]]:
    """Yield batches of visits in order of time: pages come, change, move, fail and return."""
    dice, at = random.Random(seed), 1_700_000_000_000
    for _ in range(count):
        batch = []
        for _ in range(SIZE):
            at += dice.randrange(1, 20 * 3_600_000)
            batch.append(_visit(dice, at))
        yield batch


def _visit(dice: random.Random, at: int) -> Visit:
    url = dice.choice(PAGES + TARGETS[:6])
    outcome = dice.choice([Outcome.PAGE] * 8 + [Outcome.REDIRECT, Outcome.GONE, Outcome.BLOCKED])
    links: list[Link] = []
    redirect = ""
    if outcome is Outcome.PAGE:
        links = [
            Link(target=target, anchor=dice.choice(["x", "y", "some words"]), follow=dice.random() < 0.8)
            for target in dice.choices(TARGETS, k=dice.randrange(25))
        ]
    elif outcome is Outcome.REDIRECT:
        redirect = dice.choice(TARGETS)
        links = [Link(target=redirect, kind="redirect")]
    return canonicalise(Visit(url=url, at=at, outcome=outcome, status=200, links=tuple(links), redirect=redirect))


class Writer:
    """One such process, and what it has told in ``folder``. Whatever comes of the trial, it does not outlive it."""

    def __init__(self, url: str, seed: int, batches: int, folder: Path, *options: str) -> None:
        self._stored, self._refused = folder / "stored", folder / "refused"
        self._errors = folder / "errors"
        self._command = [sys.executable, "-m", __name__, url, str(seed), str(batches), str(folder), *options]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def start(self) -> None:
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stderr=errors)

    @property
    def stored(self) -> int:
        return self._stored.stat().st_size if self._stored.exists() else 0

    @property
    def refused(self) -> list[str]:
        return self._refused.read_text(encoding="utf-8").splitlines() if self._refused.exists() else []

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, stored: int) -> bool:
        """Wait until so many batches are stored; return whether there was more to do then."""
        while self.stored < stored and self.running:
            time.sleep(0.002)
        return self.running

    def wait_for_refusal(self) -> None:
        while not self.refused and self.running:
            time.sleep(0.01)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Wait until all is stored."""
        if self._process.wait(timeout=300):
            raise RuntimeError(self._errors.read_text(encoding="utf-8"))


def _store_all(index: LinkIndex, seed: int, count: int, folder: Path) -> None:
    stored = folder / "stored"
    done = stored.stat().st_size if stored.exists() else 0
    for number, batch in enumerate(batches(seed, count)):
        if number >= done:
            _patiently(folder, partial(index.store, batch))
            with stored.open("ab") as acknowledged:
                acknowledged.write(b".")


def _patiently(folder: Path, do: Callable[[], _T]) -> _T:
    """Do something that the index may refuse, until it does not."""
    while True:
        try:
            return do()
        except Unavailable as error:
            with (folder / "refused").open("a", encoding="utf-8") as refused:
                refused.write(f"{error}\n")
            _lift_limit(folder)
            time.sleep(0.05)


def _lift_limit(folder: Path) -> None:
    """Let files grow again after some refusals, where they might not: there is room now."""
    if len((folder / "refused").read_text(encoding="utf-8").splitlines()) >= REFUSALS:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("url")
    wanted.add_argument("seed", type=int)
    wanted.add_argument("batches", type=int)
    wanted.add_argument("folder", type=Path)
    wanted.add_argument("--largest-file", type=int, help="bytes, until the index has refused a few times")
    wanted.add_argument("--large", type=int, help="links from which on MongoDB counts those to a domain")
    given = wanted.parse_args()
    if given.large:
        from linkindex.store.mongo import large, writes

        large.MANY, writes._LOOKS = given.large, 1
    if given.largest_file:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (given.largest_file, most))
    index = _patiently(given.folder, lambda: open_index(given.url, create=True))
    _store_all(index, given.seed, given.batches, given.folder)
    index.close()


if __name__ == "__main__":
    main()
