"""Random lives of a frontier: whatever happens in whatever order, the accounts are right and no URL is lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from crawler.frontier import Budget, Completed, Entry, Frontier, Lease
from tests.frontier.contract import Clock, entry

HOSTS = [f"h{number}.test" for number in range(6)]


class Life:
    """A frontier, what was put into it, and the leases that are out."""

    def __init__(self, frontier: Frontier, clock: Clock, seed: int) -> None:
        self.frontier, self.clock, self.dice = frontier, clock, random.Random(seed)
        self.added: set[str] = set()
        self.out: dict[str, Lease] = {}

    def entries(self) -> list[Entry]:
        made = []
        for _ in range(self.dice.randrange(1, 8)):
            url = f"https://{self.dice.choice(HOSTS)}/{self.dice.randrange(25)}"
            refused = self.dice.choice(["", "", "", "depth", "stay"])
            made.append(entry(url, self.dice.randrange(5), hops=self.dice.randrange(2), excluded=refused))
        return made

    def step(self) -> None:
        self.dice.choice([self.add, self.add, self.lease, self.lease, self.complete, self.complete, self.release,
                          self.wait, self.wait, self.hold, self.budget, self.again, self.forget])()  # fmt: skip

    def add(self) -> None:
        entries = self.entries()
        self.frontier.add(entries, again=self.dice.random() < 0.2)
        self.added |= {one.url for one in entries}

    def lease(self) -> None:
        for lease in self.frontier.lease(self.dice.randrange(1, 9), "n", 30.0):
            self.out[lease.token] = lease

    def complete(self) -> None:
        tokens = self.dice.sample(list(self.out), min(len(self.out), 3))
        ends = [
            Completed(
                token=token,
                state=(state := self.dice.choice(["done", "done", "failed", "excluded"])),
                reason="" if state == "done" else "why",
                ago=self.dice.random(),
                discovered=self.entries() if state == "done" else (),
                next_due=self.dice.choice([None, None, 1.0, 30.0]),
            )
            for token in tokens
        ]
        lost = self.frontier.complete_many(ends)
        for end in ends:
            del self.out[end.token]
            if end.token not in lost:  # of a late one, nothing is applied
                self.added |= {one.url for one in end.discovered}

    def release(self) -> None:
        for token in self.dice.sample(list(self.out), min(len(self.out), 2)):
            self.frontier.release(token, self.dice.choice([0.0, 5.0, 50.0]), "why", counted=self.dice.random() < 0.5)
            del self.out[token]

    def wait(self) -> None:
        self.clock.pass_(self.dice.choice([0.5, 3.0, 20.0, 40.0]))

    def hold(self) -> None:
        self.frontier.hold(self.dice.choice(HOSTS), self.dice.choice([1.0, 30.0]), "why")

    def budget(self) -> None:
        pages = self.dice.choice([0, 0, 40, 200])
        self.frontier.set_budget(Budget(pages=pages, pages_per_host=self.dice.choice([0, 0, 3, 10])), 1.0)

    def forget(self) -> None:
        urls = self.dice.sample(sorted(self.added), min(len(self.added), self.dice.randrange(3)))
        assert self.frontier.forget(urls) == len(urls)
        self.added -= set(urls)
        self.out = {token: lease for token, lease in self.out.items() if lease.url not in urls}
        if self.dice.random() < 0.1:
            host = self.dice.choice(HOSTS)
            of_host = {url for url in self.added if url.startswith(f"https://{host}/")}
            self.frontier.forget(of_host)
            assert self.frontier.forget_host(host) == 0
            self.added -= of_host
            self.out = {token: lease for token, lease in self.out.items() if lease.host != host}

    def again(self) -> None:
        if self.dice.random() < 0.2:
            self.frontier.again()


class AccountsContract:
    """Subclasses give ``frontier``, ``clock`` and ``recounted``: what a count of all rows says, to hold against counts()."""

    @pytest.fixture
    def recounted(self, frontier: Frontier) -> Iterator[object]:
        raise NotImplementedError

    @pytest.mark.parametrize("seed", range(12))
    def test_accounts_are_right_after_every_step(
        self, frontier: Frontier, clock: Clock, recounted: object, seed: int
    ) -> None:
        life = Life(frontier, clock, seed)
        for _ in range(250):
            life.step()
            counts = frontier.counts()
            assert counts.discovered == len(life.added)
            assert callable(recounted)
            recounted(counts)

    @pytest.mark.parametrize("seed", range(12))
    def test_every_url_ends_when_all_leases_are_worked_off(self, frontier: Frontier, clock: Clock, seed: int) -> None:
        life = Life(frontier, clock, seed)
        for _ in range(120):
            life.step()
        frontier.set_budget(Budget(), 0.0)
        visits: Counter[str] = Counter()
        for _ in range(2000):
            if frontier.outlook().finished:
                break
            leases = frontier.lease(10, "n", 30.0)
            visits.update(lease.url for lease in leases)
            frontier.complete_many([Completed(token=lease.token) for lease in leases])
            if not leases:
                clock.pass_(10.0)
        counts = frontier.counts()
        assert frontier.outlook().finished
        assert counts.discovered == len(life.added)
        assert counts.done + counts.failed + counts.excluded == counts.discovered
        assert set(visits.values()) <= {1}
