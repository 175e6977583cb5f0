"""What a node measures."""

from __future__ import annotations

import logging
from unittest.mock import patch

import pytest

from crawler.metrics import Histogram, HostErrors, Metrics
from linkindex.model import Link, Outcome, Visit


def test_times_fall_into_buckets_that_include_their_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.0, 0.1, 0.11, 1.0, 7.0):
        histogram.observe(seconds)
    assert histogram.counts == [2, 2, 1]
    assert histogram.sum == pytest.approx(8.21)


def test_visits_are_counted_by_outcome() -> None:
    metrics = Metrics()
    links = (Link(target="https://b.test/"), Link(target="https://c.test/"))
    metrics.visited(Visit(url="https://a.test/", at=1, outcome=Outcome.PAGE, links=links), fetched=True, read=0.002)
    metrics.visited(
        Visit(url="https://a.test/x", at=1, outcome=Outcome.BLOCKED, reason="robots"), fetched=False, read=None
    )
    assert (metrics.pages[Outcome.PAGE], metrics.pages[Outcome.BLOCKED], metrics.links) == (1, 1, 2)
    assert sum(metrics.parse.counts) == 1


class TestHostErrors:
    def test_few_fetches_say_nothing(self) -> None:
        errors = HostErrors()
        for _ in range(HostErrors.ENOUGH - 1):
            errors.heard("a.test", True)
        assert (errors.worst(), errors.failing()) == (0.0, 0)
        errors.heard("a.test", True)
        assert (errors.worst(), errors.failing()) == (1.0, 1)

    def test_a_host_that_fails_is_named_once_and_again_when_it_does_again(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        errors = HostErrors()
        with caplog.at_level(logging.WARNING):
            for error in (True,) * 100 + (False,) * 100 + (True,) * 100:
                errors.heard("a.test", error)
        assert [record.getMessage().partition("%")[2] for record in caplog.records] == [
            " of the latest fetches from a.test failed"
        ] * 2
        assert errors.failing() == 1

    def test_the_worst_of_many_is_told(self) -> None:
        errors = HostErrors()
        for number in range(40):
            errors.heard("good.test", number % 10 == 0)
            errors.heard("bad.test", number % 4 == 0)
        assert errors.worst() == pytest.approx(0.25)
        assert errors.failing() == 0

    def test_no_more_hosts_are_kept_than_so_many(self) -> None:
        errors = HostErrors()
        for number in range(2 * HostErrors.HOSTS):
            errors.heard(f"{number}.test", True)
        for _ in range(HostErrors.ENOUGH):
            errors.heard("a.test", True)
        assert len(errors._hosts) == HostErrors.HOSTS
        for number in range(HostErrors.HOSTS):
            errors.heard(f"{number}.test", True)
        assert (len(errors._hosts), errors._enough) == (HostErrors.HOSTS, {})

    def test_who_is_not_asked_any_more_is_no_worry(self) -> None:
        errors = HostErrors()
        with patch("crawler.metrics.time.monotonic", return_value=1000.0) as now:
            for _ in range(HostErrors.ENOUGH):
                errors.heard("a.test", True)
            assert errors.failing() == 1
            now.return_value += HostErrors.LATELY
            assert (errors.worst(), errors.failing()) == (0.0, 0)
