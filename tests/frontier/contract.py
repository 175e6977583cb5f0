"""The promises of a frontier, for every backend. A backend's own test module builds it, nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crawler.frontier import REPRIEVE, Beat, Budget, Completed, Counts, Entry, Frontier, Gates, Lease, Life, Robots
from linkindex import urls


def entry(url: str, depth: int = 0, **others: object) -> Entry:
    host = urls.host_of(url)
    return Entry(url=url, host=host, domain=urls.domain_of(host), depth=depth, **others)  # type: ignore[arg-type]


def pages(host: str, count: int, depth: int = 1) -> list[Entry]:
    return [entry(f"https://{host}/{number}", depth) for number in range(count)]


class Clock:
    """The store's clock, moved by the test."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


def life_of(frontier: Frontier, url: str) -> Life:
    life = frontier.why(url)
    assert life is not None
    return life


def visit(frontier: Frontier, **others: object) -> list[Lease]:
    """Lease what can be leased now, and complete it."""
    leases = frontier.lease(99, "n", 60)
    frontier.complete_many([Completed(token=lease.token, **others) for lease in leases])  # type: ignore[arg-type]
    return leases


class FrontierContract:
    """Subclasses give ``frontier`` (empty) and ``clock`` fixtures, and ``reopen`` to close and open it again."""

    keeps_done = True  # whether what is done can be queued again by `again`, or only by name

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def frontier(self, clock: Clock) -> Frontier:
        raise NotImplementedError

    @pytest.fixture
    def reopen(self) -> Callable[[], Frontier]:
        raise NotImplementedError

    # ---- adding

    def test_new_is_told_from_known(self, frontier: Frontier) -> None:
        first = frontier.add([entry("https://a.test/"), entry("https://a.test/1")])
        second = frontier.add([entry("https://a.test/1"), entry("https://a.test/2")])
        assert (first.new, first.known, first.refused) == (2, 0, 0)
        assert (second.new, second.known, second.refused) == (1, 1, 0)
        assert frontier.counts().discovered == 3

    def test_the_same_url_twice_in_one_call_counts_once(self, frontier: Frontier) -> None:
        added = frontier.add([entry("https://a.test/", 2), entry("https://a.test/", 1)])
        assert added.new == 1
        assert frontier.lease(1, "n", 60)[0].depth == 1

    def test_refused_urls_are_counted_by_reason_and_never_leased(self, frontier: Frontier) -> None:
        added = frontier.add([entry("https://a.test/", 9, excluded="depth"), entry("https://a.test/1")])
        assert (added.new, added.refused) == (1, 1)
        assert frontier.counts().excluded_by == {"depth": 1}
        assert [lease.url for lease in frontier.lease(9, "n", 60)] == ["https://a.test/1"]

    def test_a_refused_url_is_admitted_by_a_later_add(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/", 9, excluded="depth")])
        frontier.add([entry("https://a.test/", 1)])
        counts = frontier.counts()
        assert (counts.queued, counts.excluded) == (1, 0)
        assert frontier.lease(1, "n", 60)[0].depth == 1

    def test_a_url_that_robots_excluded_is_not_readmitted(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/")])
        lease = frontier.lease(1, "n", 60)[0]
        frontier.complete_many([Completed(token=lease.token, state="excluded", reason="robots")])
        frontier.add([entry("https://a.test/")])
        assert frontier.counts().excluded_by == {"robots": 1}
        assert frontier.outlook().finished

    # ---- leasing

    def test_breadth_first(self, frontier: Frontier) -> None:
        frontier.add([entry("https://c.test/", 2), entry("https://a.test/", 0), entry("https://b.test/", 1)])
        assert [lease.depth for lease in frontier.lease(3, "n", 60)] == [0, 1, 2]

    def test_within_a_host_breadth_first_then_first_found(self, frontier: Frontier) -> None:
        frontier.add([*pages("a.test", 3, depth=2), entry("https://a.test/", 1)])
        assert [lease.url[-1] for lease in frontier.lease(9, "n", 60)] == ["/", "0", "1", "2"]

    def test_the_end_of_a_redirect_goes_before_its_level(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/", 1), entry("https://b.test/", 1, hops=1)])
        assert frontier.lease(1, "n", 60)[0].url == "https://b.test/"

    def test_a_sites_first_sitemap_follows_its_seed_and_further_ones_the_known_pages(self, frontier: Frontier) -> None:
        sitemaps = [entry(f"https://a.test/{level}.xml", sitemap=level) for level in (2, 1)]
        frontier.add(
            [*sitemaps, entry("https://a.test/page", 1), entry("https://a.test/"), entry("https://a.test/x", 2)]
        )
        leases = frontier.lease(9, "n", 60)
        assert [lease.url.rpartition("/")[2] for lease in leases] == ["", "1.xml", "page", "2.xml", "x"]
        assert [lease.sitemap for lease in leases] == [0, 1, 0, 2, 0]

    def test_a_sitemap_stays_one(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/1.xml", 1, excluded="depth"), entry("https://a.test/2.xml", 1)])
        frontier.add([entry("https://a.test/1.xml", 0, sitemap=1), entry("https://a.test/2.xml", 0, sitemap=1)])
        for lease in frontier.lease(2, "n", 60):
            assert (lease.sitemap, lease.depth) == (1, 0)
            life = frontier.why(lease.url)
            assert life is not None
            assert life.sitemap == 1
            frontier.release(lease.token, 0, "")
        frontier.add([entry("https://b.test/3.xml", 9, sitemap=3, excluded="depth")])
        assert [each.sitemap for each in frontier.excluded(["depth"])] == ([3] if frontier.keeps_ended else [])

    def test_a_url_found_nearer_moves_up(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/x", 3), entry("https://a.test/y", 2)])
        frontier.add([entry("https://a.test/x", 1)])
        assert frontier.lease(1, "n", 60)[0].url == "https://a.test/x"
        assert frontier.counts().queued == 1

    def test_no_url_is_leased_twice(self, frontier: Frontier) -> None:
        frontier.add(pages("a.test", 5) + pages("b.test", 5))
        first = frontier.lease(20, "n", 60)
        assert len({lease.url for lease in first}) == len(first) == 10
        assert frontier.lease(20, "m", 60) == []

    def test_a_hosts_gate_is_shut_while_it_is_leased(self, frontier: Frontier) -> None:
        frontier.add(pages("a.test", 3))
        assert len(frontier.lease(1, "n", 60)) == 1
        assert frontier.lease(9, "m", 60) == []

    def test_the_gate_opens_the_delay_after_the_fetch_ended(self, frontier: Frontier, clock: Clock) -> None:
        frontier.set_budget(Budget(), 10.0)
        frontier.add(pages("a.test", 3))
        lease = frontier.lease(1, "n", 60)[0]
        clock.pass_(2)
        frontier.complete_many([Completed(token=lease.token, ago=1.0)])  # ended one second ago: opens in nine
        clock.pass_(8.9)
        assert frontier.lease(1, "n", 60) == []
        clock.pass_(0.2)
        assert len(frontier.lease(1, "n", 60)) == 1

    def test_one_host_gets_no_more_than_it_may_be_asked_within_the_span(self, frontier: Frontier) -> None:
        frontier.set_budget(Budget(), 2.0)
        frontier.add(pages("a.test", 50))
        assert len(frontier.lease(50, "n", 60, span=5.0)) == 2

    def test_a_host_with_many_urls_does_not_hold_up_the_others(self, frontier: Frontier) -> None:
        frontier.add(pages("a.test", 500, depth=1) + pages("b.test", 1, depth=2))
        assert {lease.host for lease in frontier.lease(10, "n", 60)} == {"a.test", "b.test"}

    # ---- ending

    def test_completing_ends_the_lease_and_adds_what_was_found(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/")])
        lease = frontier.lease(1, "n", 60)[0]
        assert frontier.complete_many([Completed(token=lease.token, discovered=pages("b.test", 2))]) == []
        counts = frontier.counts()
        assert (counts.done, counts.queued, counts.leased) == (1, 2, 0)
        life = frontier.why("https://b.test/0")
        assert life is not None
        assert life.discovered_on == "https://a.test/"

    def test_an_expired_token_is_refused_and_nothing_of_it_applied(self, frontier: Frontier, clock: Clock) -> None:
        frontier.add([entry("https://a.test/")])
        lease = frontier.lease(1, "n", 60)[0]
        clock.pass_(61)
        late = Completed(token=lease.token, discovered=pages("b.test", 2))
        assert frontier.complete_many([late]) == [lease.token]
        assert frontier.counts() == Counts(leased=1, hosts=1)
        again = frontier.lease(1, "m", 60)[0]
        assert (again.url, again.token == lease.token) == (lease.url, False)
        assert frontier.complete_many([late]) == [lease.token]
        assert frontier.complete_many([Completed(token=again.token)]) == []

    def test_completing_twice_applies_once(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/")])
        end = Completed(token=frontier.lease(1, "n", 60)[0].token)
        assert frontier.complete_many([end]) == []
        assert frontier.complete_many([end]) == [end.token]
        assert frontier.counts().done == 1

    def test_a_renewed_lease_lives_on(self, frontier: Frontier, clock: Clock) -> None:
        frontier.add([entry("https://a.test/")])
        lease = frontier.lease(1, "n", 60)[0]
        clock.pass_(50)
        frontier.renew([lease.token], 60)
        clock.pass_(50)
        assert frontier.lease(1, "m", 60) == []
        assert frontier.complete_many([Completed(token=lease.token)]) == []

    def test_an_expired_lease_is_not_renewed(self, frontier: Frontier, clock: Clock) -> None:
        frontier.add([entry("https://a.test/")])
        lease = frontier.lease(1, "n", 60)[0]
        clock.pass_(61)
        frontier.renew([lease.token], 60)
        assert frontier.complete_many([Completed(token=lease.token)]) == [lease.token]

    def test_a_released_url_comes_back_when_it_is_due(self, frontier: Frontier, clock: Clock) -> None:
        frontier.add([entry("https://a.test/")])
        lease = frontier.lease(1, "n", 60)[0]
        frontier.release(lease.token, 30.0, "timeout")
        assert frontier.counts().scheduled == 1
        assert frontier.lease(1, "n", 60) == []
        assert frontier.outlook().wait == pytest.approx(30.0, abs=0.1)
        clock.pass_(30.1)
        assert frontier.lease(1, "n", 60)[0].attempt == 2

    def test_giving_back_what_was_never_tried_counts_no_attempt(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/")])
        frontier.release(frontier.lease(1, "n", 60)[0].token, 0.0, "", counted=False)
        assert frontier.lease(1, "n", 60)[0].attempt == 1

    def test_a_url_that_kills_nodes_fails_once_it_killed_two_alone(self, frontier: Frontier, clock: Clock) -> None:
        frontier.add([entry("https://a.test/")])
        for crashes in (0, 1, 2, 2):  # a node that dies while a suspect waits had other reasons
            (lease,) = frontier.lease(1, "n", 60)
            assert lease.crashes == crashes
            clock.pass_(61)
        (lease,) = frontier.lease(1, "n", 60)
        frontier.depart(lease.token)
        clock.pass_(61)
        assert frontier.lease(1, "n", 60) == []  # whatever kills nodes just now may be something else
        assert frontier.counts().scheduled == 1
        clock.pass_(REPRIEVE)
        (lease,) = frontier.lease(1, "n", 60)
        assert lease.crashes == 3
        frontier.depart(lease.token)
        clock.pass_(61)
        assert frontier.lease(1, "n", 60) == []
        assert frontier.counts().failed_by == {"node_lost": 1}

    # ---- politeness and limits

    def test_a_held_host_is_left_alone_and_holds_only_grow(self, frontier: Frontier, clock: Clock) -> None:
        frontier.add(pages("a.test", 2) + pages("b.test", 1))
        frontier.hold("a.test", 100, "answered 503")
        frontier.hold("a.test", 10, "answered 429")
        assert {lease.host for lease in frontier.lease(9, "n", 600)} == {"b.test"}
        clock.pass_(99)
        assert frontier.lease(9, "n", 600) == []
        life = frontier.why("https://a.test/0")
        assert life is not None
        assert life.host_held_because == "answered 503"
        clock.pass_(2)
        assert {lease.host for lease in frontier.lease(9, "n", 600)} == {"a.test"}

    def test_a_hosts_own_delay_only_lengthens_the_jobs(self, frontier: Frontier) -> None:
        frontier.set_budget(Budget(), 1.0)
        frontier.add(pages("a.test", 1) + pages("b.test", 1))
        frontier.set_delay("a.test", 7.0)
        frontier.set_delay("b.test", 0.1)
        assert {lease.host: lease.delay for lease in frontier.lease(9, "n", 60)} == {"a.test": 7.0, "b.test": 1.0}

    def test_robots_are_kept_while_fresh(self, frontier: Frontier, clock: Clock) -> None:
        rules = Robots(verdict="rules", body=b"User-agent: *\nDisallow: /x")
        frontier.put_robots("a.test", rules, 100.0)
        assert frontier.robots(["a.test", "b.test"]) == {"a.test": rules}
        clock.pass_(101)
        assert frontier.robots(["a.test"]) == {}

    def test_the_page_budget_counts_what_is_leased(self, frontier: Frontier) -> None:
        frontier.set_budget(Budget(pages=3), 0.0)
        frontier.add([page for number in range(9) for page in pages(f"h{number}.test", 1)])
        leases = frontier.lease(9, "n", 60)
        assert len(leases) == 3
        assert frontier.lease(9, "m", 60) == []
        frontier.complete_many([Completed(token=lease.token) for lease in leases])
        assert frontier.outlook().spent
        assert not frontier.outlook().finished
        frontier.set_budget(Budget(pages=5), 0.0)
        assert len(frontier.lease(9, "n", 60)) == 2

    def test_a_hosts_budget_excludes_the_rest_until_it_grows(self, frontier: Frontier) -> None:
        frontier.set_budget(Budget(pages_per_host=2), 0.0)
        frontier.add(pages("a.test", 5))
        leases = frontier.lease(9, "n", 60)
        assert len(leases) == 2
        frontier.complete_many([Completed(token=lease.token) for lease in leases])
        assert frontier.lease(9, "n", 60) == []
        assert frontier.counts().excluded_by == {"host_budget": 3}
        frontier.set_budget(Budget(pages_per_host=4), 0.0)
        assert len(frontier.lease(9, "n", 60)) == 2

    # ---- the end, and the accounts

    def test_nothing_now_differs_from_finished(self, frontier: Frontier) -> None:
        assert frontier.outlook().finished
        frontier.add([entry("https://a.test/")])
        lease = frontier.lease(1, "n", 60)[0]
        assert frontier.lease(1, "n", 60) == []
        assert not frontier.outlook().finished
        frontier.complete_many([Completed(token=lease.token)])
        assert frontier.outlook().finished

    def test_while_others_work_there_is_no_telling_how_long_to_wait(self, frontier: Frontier) -> None:
        frontier.add([*pages("a.test", 1), *pages("b.test", 1)])
        frontier.hold("a.test", 3600, "answered 503")
        lease = frontier.lease(9, "n", 60)[0]
        assert frontier.outlook().wait == 0
        frontier.complete_many([Completed(token=lease.token)])
        assert frontier.outlook().wait == pytest.approx(3600, abs=1)

    def test_giving_back_keeps_the_delay(self, frontier: Frontier, clock: Clock) -> None:
        frontier.set_budget(Budget(), 10.0)
        frontier.add(pages("a.test", 2))
        frontier.release(frontier.lease(1, "n", 60)[0].token, 0.0, "", counted=False)
        clock.pass_(9.9)
        assert frontier.lease(1, "n", 60) == []
        clock.pass_(0.2)
        assert len(frontier.lease(1, "n", 60)) == 1

    def test_again_queues_all_that_had_ended(self, frontier: Frontier) -> None:
        frontier.add([*pages("a.test", 3), entry("https://b.test/", 9, excluded="depth")])
        ends = ["done", "failed", "excluded"]
        for lease, state in zip(frontier.lease(3, "n", 60), ends, strict=True):
            frontier.complete_many([Completed(token=lease.token, state=state, reason="" if state == "done" else "x")])
        kept = 3 if self.keeps_done else 2
        assert frontier.again() == kept
        counts = frontier.counts()
        assert (counts.queued, counts.excluded, counts.discovered) == (kept, 1, 4)
        assert [lease.attempt for lease in frontier.lease(9, "n", 60)] == [1] * kept

    def test_excluded_entries_come_back_as_they_went_in_or_are_forgotten(self, frontier: Frontier) -> None:
        refused = entry("https://a.test/", 9, hops=2, excluded="depth")
        frontier.add([refused, entry("https://b.test/", 1, excluded="stay")])
        assert list(frontier.excluded(["depth"])) == ([refused] if frontier.keeps_ended else [])
        kept = {"depth": 1, "stay": 1} if frontier.keeps_ended else {"stay": 1}
        assert frontier.counts().excluded_by == kept
        assert frontier.add([entry("https://a.test/", 1)]).new == (not frontier.keeps_ended)
        assert frontier.counts().queued == 1

    def test_state_survives_a_restart(self, frontier: Frontier, reopen: Callable[[], Frontier], clock: Clock) -> None:
        frontier.set_budget(Budget(pages=100), 5.0)
        frontier.set_job({"seeds": ["https://a.test/"]})
        frontier.add(pages("a.test", 3) + pages("b.test", 1))
        frontier.hold("b.test", 50, "answered 429")
        lease = frontier.lease(1, "n", 60)[0]
        frontier.complete_many([Completed(token=lease.token)])
        before = frontier.counts()
        frontier = reopen()
        assert frontier.counts() == before
        assert frontier.job() == {"seeds": ["https://a.test/"]}
        assert frontier.lease(9, "n", 60) == []  # one gate shut by the delay, one host held
        clock.pass_(5.1)
        assert [lease.host for lease in frontier.lease(9, "n", 60)] == ["a.test"]

    def test_why_tells_the_life_of_a_url(self, frontier: Frontier, clock: Clock) -> None:
        assert frontier.why("https://a.test/") is None
        frontier.add([entry("https://a.test/", 2)])
        frontier.release(frontier.lease(1, "node-1", 60)[0].token, 30.0, "timeout")
        life = frontier.why("https://a.test/")
        assert life is not None
        assert (life.state, life.reason, life.attempts, life.node, life.depth) == (
            "scheduled",
            "timeout",
            1,
            "node-1",
            2,
        )
        assert life.due == int((clock.now + 30) * 1000)

    # ---- what others think of a URL

    def test_a_url_that_many_domains_link_to_goes_first(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/1", 1), entry("https://a.test/2", 1)])
        for number in range(12):
            frontier.add([entry("https://a.test/2", 1)], f"https://linker-{number}.test/")
        life = life_of(frontier, "https://a.test/2")
        assert (life.again, 8 < life.domains < 16) == (12, True)
        assert frontier.lease(1, "n", 60)[0].url == "https://a.test/2"

    def test_its_own_domain_is_no_linking_domain(self, frontier: Frontier) -> None:
        for number in range(9):
            frontier.add([entry("https://a.test/", 1, seen=2)], f"https://www.a.test/{number}")
        life = life_of(frontier, "https://a.test/")
        assert (life.domains, life.again) == (0, 17)

    def test_what_waits_grows_older(self, frontier: Frontier, clock: Clock) -> None:
        frontier.add([entry("https://a.test/", 2)])
        clock.pass_(30 * 3600)
        frontier.add([entry("https://b.test/", 1)])
        assert frontier.lease(1, "n", 60)[0].url == "https://a.test/"

    def test_what_is_late_waits_longer(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/1", 1, late=3), entry("https://a.test/2", 2)])
        assert frontier.lease(1, "n", 60)[0].url == "https://a.test/2"

    # ---- budgets that grow

    def test_a_hosts_budget_grows_with_the_domains_that_link_to_it(self, frontier: Frontier) -> None:
        frontier.set_budget(Budget(pages_per_host=1, growth=2), 0.0)
        frontier.add(pages("a.test", 9))
        assert len(visit(frontier)) == 1
        assert visit(frontier) == []
        assert frontier.counts().excluded_by == {"host_budget": 8}
        frontier.add([entry("https://a.test/new", 1)], "https://b.test/")
        assert len(visit(frontier)) == 2
        visit(frontier)
        assert frontier.counts().excluded_by == {"host_budget": 7}
        assert life_of(frontier, "https://a.test/8").host_budget == 3

    def test_a_domains_budget_holds_for_all_its_hosts(self, frontier: Frontier) -> None:
        frontier.set_budget(Budget(pages_per_domain=3), 0.0)
        frontier.add(pages("www.a.test", 4) + pages("blog.a.test", 4) + pages("b.test", 1))
        visited = visit(frontier) + visit(frontier)
        assert sorted(lease.host.partition(".")[2] for lease in visited) == ["a.test"] * 3 + ["test"]
        visit(frontier)
        assert frontier.counts().excluded_by == {"domain_budget": 5}
        frontier.set_budget(Budget(pages_per_domain=5), 0.0)
        assert len(visit(frontier) + visit(frontier)) == 2

    def test_what_is_given_back_costs_no_budget(self, frontier: Frontier) -> None:
        frontier.set_budget(Budget(pages=2, pages_per_host=1, pages_per_domain=1), 0.0)
        frontier.add(pages("a.test", 1) + pages("b.test", 1))
        for _ in range(3):
            for lease in frontier.lease(9, "n", 60):
                frontier.release(lease.token, 0, "", counted=False)
        assert len(visit(frontier)) == 2

    # ---- visits that are repeated

    def test_what_is_due_again_is_scheduled_and_keeps_its_memo(self, frontier: Frontier, clock: Clock) -> None:
        memo = bytes(range(256))
        frontier.add([entry("https://a.test/")])
        assert [lease.memo for lease in visit(frontier, next_due=3600.0, memo=memo)] == [b""]
        counts = frontier.counts()
        assert (counts.scheduled, counts.done, counts.visited) == (1, 0, 1)
        assert life_of(frontier, "https://a.test/").due == int((clock.now + 3600) * 1000)
        clock.pass_(3601)
        lease = visit(frontier)[0]
        assert (lease.memo, lease.attempt) == (memo, 1)
        counts = frontier.counts()
        assert (counts.scheduled, counts.done, counts.visited) == (0, 1, 1)

    def test_a_visit_counts_for_the_budget_until_it_is_due_again(self, frontier: Frontier, clock: Clock) -> None:
        frontier.set_budget(Budget(pages=1), 0.0)
        frontier.add([*pages("a.test", 1), *pages("b.test", 1)])
        assert len(visit(frontier, next_due=10.0)) == 1
        assert visit(frontier) == []
        assert frontier.counts().visited == 1
        clock.pass_(11)
        assert len(visit(frontier)) == 1

    def test_the_gate_stays_shut_for_a_longer_pause(self, frontier: Frontier, clock: Clock) -> None:
        frontier.set_budget(Budget(), 1.0)
        frontier.add(pages("a.test", 2))
        frontier.complete_many([Completed(token=frontier.lease(1, "n", 60)[0].token, pause=20.0, ago=1.0)])
        clock.pass_(18.9)
        assert frontier.lease(1, "n", 60) == []
        clock.pass_(0.2)
        assert len(frontier.lease(1, "n", 60)) == 1

    @pytest.mark.parametrize("state", ["done", "failed", "excluded", "scheduled", "queued"])
    def test_adding_again_starts_over(self, frontier: Frontier, state: str) -> None:
        frontier.add([entry("https://a.test/", 3)])
        if state == "scheduled":
            frontier.release(frontier.lease(1, "n", 60)[0].token, 3600.0, "timeout")
        elif state != "queued":
            visit(frontier, state=state, reason="" if state == "done" else "x")
        added = frontier.add([entry("https://a.test/")], again=True)
        assert (added.new, added.known) == (0, 1)
        assert frontier.counts() == Counts(queued=1, hosts=1)
        lease = frontier.lease(1, "n", 60)[0]
        assert (lease.attempt, lease.depth) == (1, 0)

    def test_adding_again_leaves_a_lease_alone(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/")])
        lease = frontier.lease(1, "n", 60)[0]
        frontier.add([entry("https://a.test/")], again=True)
        assert frontier.complete_many([Completed(token=lease.token)]) == []
        assert frontier.outlook().finished

    def test_what_is_remembered_is_done_without_a_visit(self, frontier: Frontier) -> None:
        frontier.add([entry("https://a.test/1")])
        assert frontier.remember(pages("a.test", 3)) == 2
        assert frontier.add(pages("a.test", 3)).new == 0
        counts = frontier.counts()
        assert (counts.done, counts.queued, counts.visited) == (2, 1, 0)

    # ---- forgetting

    @pytest.mark.parametrize("state", ["done", "failed", "excluded", "scheduled", "queued", "leased", "refused"])
    def test_what_is_forgotten_may_be_discovered_anew(self, frontier: Frontier, state: str) -> None:
        frontier.add(
            [entry("https://a.test/", excluded="depth" if state == "refused" else ""), entry("https://b.test/", 9)]
        )
        lease = frontier.lease(1, "n", 60)[0] if state not in {"queued", "refused"} else None
        if lease and state == "scheduled":
            frontier.release(lease.token, 3600.0, "timeout")
        elif lease and state != "leased":
            frontier.complete_many([Completed(token=lease.token, state=state, reason="" if state == "done" else "x")])
        assert frontier.forget(["https://a.test/", "https://unknown.test/"]) == 1
        assert frontier.why("https://a.test/") is None
        assert frontier.counts().discovered == 1
        if lease:
            assert frontier.complete_many([Completed(token=lease.token)]) == [lease.token]
        assert frontier.add([entry("https://a.test/")]).new == 1
        assert {each.url for each in visit(frontier)} == {"https://a.test/", "https://b.test/"}
        assert frontier.outlook().finished

    def test_a_forgotten_host_is_a_stranger(self, frontier: Frontier) -> None:
        frontier.set_budget(Budget(pages_per_host=1), 0.0)
        frontier.add([*pages("a.test", 4), entry("https://b.test/")])
        visit(frontier, state="failed", reason="x")
        frontier.hold("a.test", 3600, "answered 503")
        frontier.put_robots("a.test", Robots(verdict="open"), 3600)
        frontier.put_notes("traps", {"a.test": b"x"})
        assert frontier.forget_host("a.test") == 4
        assert frontier.forget_host("never.test") == 0
        counts = frontier.counts()
        assert (counts.discovered, counts.failed_by, counts.hosts) == (1, {"x": 1}, 1)
        assert frontier.robots(["a.test"]) == {}
        assert frontier.notes("traps", ["a.test"]) == {}
        frontier.add(pages("a.test", 4))
        assert len(visit(frontier)) == 1

    # ---- what is watched

    def test_gates_are_counted_as_they_open_and_shut(self, frontier: Frontier, clock: Clock) -> None:
        assert frontier.gates() == Gates(open=0, held=0, overdue=0.0)
        frontier.add([*pages("a.test", 3), *pages("b.test", 1), *pages("c.test", 1)])
        assert frontier.gates() == Gates(open=3, held=0, overdue=0.0)
        frontier.hold("a.test", 100, "answered 503")
        frontier.hold("b.test", 10, "answered 429")
        assert frontier.gates() == Gates(open=1, held=2, overdue=0.0)
        (lease,) = frontier.lease(9, "n", 60)
        assert frontier.gates() == Gates(open=0, held=2, overdue=0.0)
        clock.pass_(10.1)
        assert frontier.gates() == Gates(open=1, held=1, overdue=0.0)
        clock.pass_(60)
        assert frontier.gates().overdue == pytest.approx(10.1, abs=0.01)
        frontier.complete_many([Completed(token=lease.token)])
        frontier.lease(1, "n", 60)  # takes back what ran out
        assert frontier.gates().overdue == 0.0
        frontier.forget_host("a.test")
        assert frontier.gates().held == 0

    # ---- what nodes share

    def test_notes_are_kept_by_name_and_host(self, frontier: Frontier, reopen: Callable[[], Frontier]) -> None:
        frontier.put_notes("traps", {"a.test": b"\x00\xff", "b.test": b"b"})
        frontier.put_notes("pace", {"a.test": b"1"})
        frontier.put_notes("traps", {"b.test": b"c"})
        frontier = reopen()
        assert frontier.notes("traps", ["a.test", "b.test", "c.test"]) == {"a.test": b"\x00\xff", "b.test": b"c"}
        assert frontier.notes("pace", ["a.test", "b.test"]) == {"a.test": b"1"}

    def test_a_claim_is_one_nodes_until_it_runs_out(self, frontier: Frontier, clock: Clock) -> None:
        assert frontier.claim("ip", "n", 10.0) == 0
        assert frontier.claim("ip", "m", 10.0) == pytest.approx(10.0)
        assert frontier.claim("other", "m", 10.0) == 0
        clock.pass_(6)
        assert frontier.claim("ip", "n", 10.0) == 0
        clock.pass_(6)
        assert frontier.claim("ip", "m", 10.0) == pytest.approx(4.0)
        clock.pass_(5)
        assert frontier.claim("ip", "m", 10.0) == 0

    def test_a_claim_given_back_is_free_after_its_pause(self, frontier: Frontier, clock: Clock) -> None:
        frontier.claim("ip", "n", 10.0)
        frontier.unclaim("ip", "m")
        assert frontier.claim("ip", "m", 10.0) == pytest.approx(10.0)
        frontier.unclaim("ip", "n", 2.0)
        assert [frontier.claim("ip", node, 10.0) for node in "nm"] == pytest.approx([2.0, 2.0])
        clock.pass_(2.1)
        assert frontier.claim("ip", "m", 10.0) == 0
        frontier.unclaim("ip", "m")
        assert frontier.claim("ip", "n", 10.0) == 0

    def test_nodes_are_seen_for_a_day(self, frontier: Frontier, clock: Clock) -> None:
        beats = [Beat(node=name, started=1, hand=2, pages=3, rate=4.5) for name in ("n", "m", "o")]
        for beat in beats:
            frontier.beat(beat)
            clock.pass_(5)
        frontier.leave("m")
        assert [(seen.beat, seen.ago) for seen in frontier.nodes()] == [(beats[2], 5.0), (beats[0], 15.0)]
        clock.pass_(86390)
        assert [seen.beat.node for seen in frontier.nodes()] == ["o"]

    def test_a_node_is_told_to_leave_at_its_next_beat(self, frontier: Frontier) -> None:
        one, other = (Beat(node=name, started=1_795_000_000_123, hand=2, pages=3, rate=4.5) for name in ("h:1", "h:2"))
        assert [frontier.beat(one), frontier.beat(other)] == [False, False]
        assert frontier.drain("h:1")
        assert {seen.beat.node: seen.draining for seen in frontier.nodes()} == {"h:1": True, "h:2": False}
        assert [frontier.beat(one), frontier.beat(other), frontier.beat(one)] == [True, False, True]
        frontier.leave("h:1")
        assert [(seen.beat.node, seen.draining) for seen in frontier.nodes()] == [("h:2", False)]
        assert not frontier.beat(one)  # whoever comes back under the name works

    def test_who_starts_under_the_name_of_one_that_was_to_leave_is_another(self, frontier: Frontier) -> None:
        killed, again = (Beat(node="h:1", started=started, hand=0, pages=0, rate=0.0) for started in (1, 2))
        frontier.beat(killed)
        frontier.drain("h:1")
        assert not frontier.beat(again)
        assert [seen.draining for seen in frontier.nodes()] == [False]

    def test_only_a_node_that_is_there_can_be_told_to_leave(self, frontier: Frontier) -> None:
        assert not frontier.drain("h:1")
        node = Beat(node="h:1", started=1, hand=0, pages=0, rate=0.0)
        assert not frontier.beat(node)

    # ---- URLs that kill nodes

    def test_a_suspect_is_visited_alone_and_its_trail_is_kept(self, frontier: Frontier, clock: Clock) -> None:
        frontier.add([entry("https://a.test/bad", 1), *pages("a.test", 2)])
        for node in "nm":
            lease = frontier.lease(1, node, 60)[0]
            assert lease.url == "https://a.test/bad"
            clock.pass_(61)
        alone = frontier.lease(9, "o", 60)
        assert [(lease.url, lease.crashes) for lease in alone] == [("https://a.test/bad", 2)]
        lines = life_of(frontier, "https://a.test/bad").trail.splitlines()
        assert [line.split()[0] for line in lines] == ["n", "m"]
        frontier.depart(alone[0].token)
        clock.pass_(61)
        assert len(frontier.lease(9, "o", 60)) == 2  # the others need not wait for it
        life = life_of(frontier, "https://a.test/bad")
        assert (life.state, life.reason, life.crashes) == ("scheduled", "", 3)

    def test_a_trail_keeps_the_last_eight(self, frontier: Frontier, clock: Clock) -> None:
        frontier.add([entry("https://a.test/")])
        for number in range(10):
            frontier.release(frontier.lease(1, f"n{number}", 60)[0].token, 0.0, "timeout")
        lines = life_of(frontier, "https://a.test/").trail.splitlines()
        assert [line.split()[0] for line in lines] == [f"n{number}" for number in range(2, 10)]
        assert lines[0].split()[1:] == [str(int(clock.now * 1000)), "timeout"]
