"""What a node learned of a host goes on to whoever has its leases next."""

from __future__ import annotations

import msgspec

from crawler.frontier import Lease
from crawler.trap_notes import YOUNG, TrapNotes
from tests.crawler.test_traps import SITE, page
from tests.frontier.contract import entry


def lease(number: int) -> Lease:
    return Lease(token="t", url=f"{SITE}/calendar/2031/{number}", host="a.test", depth=1, hops=0, attempt=1, delay=0)


def learn(notes: TrapNotes, *numbers: int) -> None:
    for number in numbers:
        one = lease(number)
        notes.heard(one, page(one.url, number, like=1), [])


def test_a_host_is_written_down_when_its_last_lease_has_ended() -> None:
    notes = TrapNotes()
    notes.read(["a.test"], {})
    learn(notes, *range(1, YOUNG + 1))
    assert notes.leave({"a.test"}) == {}
    written = notes.leave()
    assert list(written) == ["a.test"]
    assert notes.leave() == {}
    other = TrapNotes()
    assert other.refusal(lease(7)) == ""
    other.read(["a.test"], written)
    assert other.refusal(lease(7)) == "trap: calendar"
    assert other.leave() == {}  # nothing was learned


def test_of_a_host_with_few_pages_only_this_node_knows_until_they_are_stale() -> None:
    notes = TrapNotes()
    for number in range(1, 5):
        notes.read(["a.test"], {})
        one = lease(number)
        notes.heard(one, page(one.url, number), [])
        assert notes.leave() == {}
    notes.read(["a.test"], {})
    learn(notes, 11, 12, 13)
    written = notes.leave()
    other = TrapNotes()
    other.read(["a.test"], written)
    again = lease(1).url + "?PHPSESSID=7"
    assert other.refusal(msgspec.structs.replace(lease(1), url=again)) == "trap: session"


def test_entries_of_other_hosts_go_as_they_are() -> None:
    notes = TrapNotes()
    notes.read(["a.test"], {})
    learn(notes, *range(1, 8))
    found = [entry(f"https://{host}/calendar/2031/8", 2) for host in ("a.test", "b.test")]
    judged = notes.heard(lease(9), page(lease(9).url, 9, like=1), found)
    assert [one.excluded for one in judged] == ["trap: calendar", ""]
