"""How many visits a node has under way."""

from __future__ import annotations

from crawler.frontier import SUSPECT, Lease, Robots
from crawler.lanes import Lane
from crawler.places import Places
from crawler.politeness import Rules


def lane(host: str, crashes: int = 0) -> Lane:
    one = Lane(host, 0.0, rules=Rules(Robots(verdict="open")))
    url = f"https://{host}/"
    one.leases.append(Lease(token="1.1", url=url, host=host, depth=0, hops=0, attempt=1, delay=0.0, crashes=crashes))
    return one


def depart(places: Places) -> list[str]:
    """Let all go that may; return their hosts."""
    gone = []
    for one in places.next():
        lease = one.leases.popleft()
        places.take(lease)
        gone.append(one.host)
    return gone


def test_no_more_depart_than_there_are_places_until_one_is_acknowledged() -> None:
    places = Places(2)
    for host in ("a.test", "b.test", "c.test"):
        places.ask(lane(host))
    assert depart(places) == ["a.test", "b.test"]
    assert depart(places) == []
    places.free("https://a.test/")
    assert depart(places) == ["c.test"]


def test_a_suspect_is_alone() -> None:
    places = Places(5)
    for host, crashes in (("a.test", 0), ("b.test", SUSPECT), ("c.test", 0)):
        places.ask(lane(host, crashes))
    assert depart(places) == ["a.test"]  # the suspect waits for it, and those behind wait for the suspect
    places.free("https://a.test/")
    assert depart(places) == ["b.test"]
    assert depart(places) == []
    places.free("https://b.test/")
    assert depart(places) == ["c.test"]


def test_freeing_what_had_no_place_does_nothing() -> None:
    places = Places(1)
    places.free("https://x.test/")
    places.ask(lane("a.test"))
    assert depart(places) == ["a.test"]


def test_the_place_of_a_lease_that_followed_another_is_its_own() -> None:
    places = Places(2)
    first, second = lane("a.test").leases[0], lane("a.test").leases[0]
    places.take(first)
    places.free(first.url, second)  # which has none yet
    assert len(places) == 1
    places.take(second)
    places.free(first.url, first)
    assert len(places) == 1
    places.free(second.url, second)
    assert len(places) == 0
