"""The traps of the hosts whose leases a node holds. Pure: the node reads and writes the notes themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from crawler.frontier import Entry, Lease
from crawler.remembered import Remembered
from crawler.traps import Traps
from linkindex.model import Visit

NAME = "traps"  # of the notes in the frontier
YOUNG = 16  # pages of a host, all of them fresh, before anything is written down: most hosts never have as many
_MOST = 8 << 20  # bytes of notes of hosts with fewer pages, one or two thousand each


class TrapNotes:
    """One node's. What is learned of a host goes to the frontier when the node has ended its last lease there."""

    def __init__(self) -> None:
        self._held: dict[str, Traps] = {}
        self._young: Remembered[bytes] = Remembered(_MOST)

    def read(self, hosts: Iterable[str], notes: Mapping[str, bytes]) -> None:
        """Take up hosts that were leased, with what the frontier has of them."""
        for host in hosts:
            if host not in self._held:  # else its last leases are being ended just now
                self._held[host] = Traps.of(notes.get(host) or self._young.get(host) or b"")

    def refusal(self, lease: Lease) -> str:
        """Return why a leased URL is not to be fetched after all, "" when it is."""
        traps = self._held.get(lease.host)
        return traps.judge(lease.url).refusal if traps and lease.depth and not lease.sitemap else ""

    def heard(self, lease: Lease, visit: Visit, entries: list[Entry]) -> list[Entry]:
        """Learn from a visit; return the entries that it led to, those of its own host as they are judged now."""
        traps = self._held.get(lease.host)
        if traps is None:
            return entries
        if not lease.sitemap:
            traps.saw(lease.url, visit)
        return [traps.judged(entry) if entry.host == lease.host else entry for entry in entries]

    def leave(self, held: Set[str] = frozenset()) -> dict[str, bytes]:
        """Let go of all hosts but those still ``held``; return the notes to write."""
        notes: dict[str, bytes] = {}
        for host in self._held.keys() - held:
            traps = self._held.pop(host)
            if not traps.changed:
                continue
            if traps.pages >= YOUNG or traps.doubtful:
                notes[host] = traps.pack()
                self._young.pop(host)
            else:
                note = traps.pack()
                self._young.put(host, note, len(note))
        return notes
