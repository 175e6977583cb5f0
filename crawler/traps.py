"""Spider traps: parts of a host whose pages have stopped telling anything new are put off, then stopped. Pure.

What counts is what pages give, by the shape of their URLs (:mod:`crawler.shapes`): a page is *fresh* when it links to a
place outside that the host had not linked to, or when its text is new. Each stale page puts the pattern's further pages
off; after so many that its patience is spent they are refused, with the reason. Patience is small for shapes under
suspicion, and grows by a page for every ten fresh ones: what has given a lot may well be dull for a while, and a trap
never costs much more than a tenth of what its pattern gave. A section of a site is watched like a pattern, with more
patience: a maze of words has no two pages of one shape.

Session ids are known by name: a URL that differs from a visited one in nothing else is refused at once.

The state of a host is a record of at most :data:`MOST_BYTES`: whoever holds the leases of the host reads and keeps it.
"""

from __future__ import annotations

import zlib
from collections import deque
from hashlib import blake2b
from typing import NamedTuple, Self
from zlib import crc32

import msgspec

from crawler.frontier import Entry
from crawler.shapes import Shape, section, shape
from linkindex import relevance
from linkindex.model import Outcome, Visit

MOST_BYTES = 1 << 16
PATTERNS = 400  # of a host; the least useful is forgotten
PATIENCE = 25  # stale pages of an ordinary pattern until it is stopped
SUSPICIOUS = 4  # of one under suspicion
SECTION = 200  # of a part of a site
GROWTH = 10  # fresh pages that earn a pattern one more
LEVELS = 4  # that the pages of a pattern are put off at most
_DOUBT = 2  # levels that a shape under suspicion waits anyway: copies are known for that once their originals are
NEAR = 4  # bits that the digests of near-duplicates differ in (crawler.extract.digests)
_LAST = 64  # pages of the host that a page is compared with
_NEW_TERMS = 2  # words that its host has not used make a page new where its shape is under suspicion
_COMBINED = 1.5  # sets for each key of one path, from which on its keys are combined at will
_WEAK = 0.25  # of a stale page: what is gone, or says too little to be compared
_FORM = 1
_MASK = (1 << 64) - 1
_GOLDEN = 0x9E37_79B9_7F4A_7C15  # mixes the bits of small numbers (Knuth, TAOCP 3, 6.4)
_NEUTRAL = frozenset((Outcome.REDIRECT, Outcome.BLOCKED, Outcome.UNREACHABLE, Outcome.NOT_A_PAGE, Outcome.UNREADABLE))


class Verdict(NamedTuple):
    """What to do with a URL."""

    late: int = 0  # levels that it is to wait longer
    refusal: str = ""  # why it is not to be visited: "trap: calendar"…; "" when it may be


_FREE = Verdict()


class Pattern(msgspec.Struct, array_like=True):
    """What the visited pages of one pattern gave."""

    fresh: int = 0
    stale: float = 0.0  # pages without anything new; every fresh one halves it
    seen: int = 0  # the host's visits when one of its pages was seen last

    def heard(self, worth: float) -> None:
        """Hear of one more page: how stale it was, 0 (fresh) to 1."""
        if worth:
            self.stale += worth
        else:
            self.fresh += 1
            self.stale /= 2

    def verdict(self, suspicion: str, patience: int) -> Verdict:
        if not self.stale and not suspicion:
            return _FREE
        spent = self.stale / (patience + self.fresh // GROWTH)
        if spent >= 1:
            return Verdict(LEVELS, f"trap: {suspicion or 'pattern'}")
        late = max(_DOUBT if suspicion else 0, int(spent * (LEVELS + 1)))
        return Verdict(late) if late else _FREE


class _State(msgspec.Struct, array_like=True):
    form: int
    pages: int
    bits: bytes  # the three sets, compressed
    nears: list[int]
    patterns: dict[str, Pattern]


class Traps:
    """What is known of one host."""

    def __init__(self) -> None:
        self.pages = 0  # visits so far
        self.changed = False  # since it was read
        self._nears: deque[int] = deque(maxlen=_LAST)  # near digests of its last pages
        self._patterns: dict[str, Pattern] = {}
        self._key_sets: dict[str, set[frozenset[str]]] = {}  # path -> sets of two keys and more
        self._seen = _Bits(17, 3)  # texts and URLs of the host's pages
        self._outside = _Bits(15, 4)  # where it links to
        self._terms = _Bits(17, 1)

    @classmethod
    def of(cls, note: bytes) -> Self:
        """Read what :meth:`pack` wrote; anything else is a host that nothing is known of."""
        traps = cls()
        try:
            state = msgspec.msgpack.decode(note, type=_State)
            sizes = [len(bits.raw) for bits in traps._sets]
            raw = zlib.decompressobj().decompress(state.bits, sum(sizes) + 1)
        except (msgspec.DecodeError, zlib.error):
            return traps
        if state.form != _FORM or len(raw) != sum(sizes) or len(note) > MOST_BYTES:
            return traps
        start = 0
        for bits, size in zip(traps._sets, sizes, strict=True):
            bits.load(raw[start : start + size])
            start += size
        traps.pages, traps._patterns = max(state.pages, 0), dict(list(state.patterns.items())[:PATTERNS])
        traps._nears.extend(state.nears[-_LAST:])
        for pattern in traps._patterns:
            traps._learn_keys(pattern)
        return traps

    def pack(self) -> bytes:
        """Return the state, at most :data:`MOST_BYTES`."""
        bits = zlib.compress(b"".join(bits.raw for bits in self._sets), 1)
        note = b""
        while not note or len(note) > MOST_BYTES:
            if note:
                self._forget(len(self._patterns) // 4 + 1)
            note = msgspec.msgpack.encode(_State(_FORM, self.pages, bits, list(self._nears), self._patterns))
        return note

    @property
    def doubtful(self) -> bool:
        """Whether some pages were stale: what is known of the host is worth keeping then, few as they are."""
        return any(pattern.stale >= 2 for pattern in self._patterns.values())

    @property
    def _sets(self) -> tuple[_Bits, _Bits, _Bits]:
        return self._seen, self._outside, self._terms

    def judge(self, url: str) -> Verdict:
        """Return what to do with a canonical URL of the host."""
        if not self.pages:
            return _FREE
        seen = self._shape(url)
        if seen.twin and _hashed(seen.twin.encode()) in self._seen:
            return Verdict(LEVELS, "trap: session")
        pattern = seen.pattern
        if not seen.suspicion and (part := self._patterns.get(section(pattern))) is not None:
            verdict = part.verdict("", SECTION)
            if verdict.refusal:
                return verdict
        verdict = self._patterns.get(pattern, _NEW).verdict(seen.suspicion, SUSPICIOUS if seen.suspicion else PATIENCE)
        return Verdict(1) if seen.twin and not verdict.late else verdict

    def judged(self, entry: Entry) -> Entry:
        """Return an entry of the host as it may be queued: as it is, later, or not at all. Sitemaps go as they are."""
        if entry.excluded or entry.sitemap or not entry.depth:
            return entry
        late, refusal = self.judge(entry.url)
        return msgspec.structs.replace(entry, late=late, excluded=refusal) if late or refusal else entry

    def saw(self, url: str, visit: Visit) -> None:
        """Learn from a visit of the host, with its canonical links. A page that is visited again teaches nothing."""
        self.pages += 1
        self.changed = True
        outside = self._leads_outside(visit)
        if visit.outcome in _NEUTRAL and not outside:
            return
        seen = self._shape(url)
        # A redirect is no visit of a twin: a site may send everybody on to where the session id is.
        if visit.outcome not in _NEUTRAL and not self._seen.add(_hashed((seen.twin or url).encode())):
            return
        pattern = self._pattern(seen.pattern)
        staleness = self._staleness(visit, bool(seen.suspicion))
        pattern.heard(0.0 if outside else staleness)
        if not seen.suspicion and (name := section(seen.pattern)):
            self._pattern(name).heard(0.0 if outside else staleness)

    def _shape(self, url: str) -> Shape:
        seen = shape(url)
        combined = seen.keys >= 2 and not seen.suspicion and self._combines(seen.path)
        return seen._replace(query="+", suspicion="query") if combined else seen

    def _combines(self, path: str) -> bool:
        """Return whether the keys of a path are filters that go with each other: many more sets than keys."""
        sets = self._key_sets.get(path)
        return sets is not None and len(sets) > 8 and len(sets) > _COMBINED * len(set().union(*sets))

    def _pattern(self, name: str) -> Pattern:
        pattern = self._patterns.get(name)
        if pattern is None:
            if len(self._patterns) >= PATTERNS:
                self._forget(PATTERNS // 8)
            pattern = self._patterns[name] = Pattern()
            self._learn_keys(name)
        pattern.seen = self.pages
        return pattern

    def _learn_keys(self, name: str) -> None:
        path, _, query = name.partition("?")
        if "&" in query:
            self._key_sets.setdefault(path, set()).add(frozenset(query.split("&")))

    def _forget(self, count: int) -> None:
        """Forget the patterns that tell least: those long unseen that were never stale."""
        last = sorted(self._patterns, key=lambda name: (self._patterns[name].stale >= 1, self._patterns[name].seen))
        for name in last[:count]:
            del self._patterns[name]
        self._key_sets.clear()
        for name in self._patterns:
            self._learn_keys(name)

    def _leads_outside(self, visit: Visit) -> bool:
        """Return whether a page links where its host had not. What follows a question mark is the page's own address
        as often as not (buttons to share it, to translate it, to note a date)."""
        found = False
        for link in visit.links:
            if not link.internal and self._outside.add(crc32(link.target.partition("?")[0].encode()) * _GOLDEN & _MASK):
                found = True
        return found

    def _staleness(self, visit: Visit, suspicious: bool) -> float:
        """Return how little new a page says, 0 to 1."""
        terms = sum(map(self._terms.add, relevance.unpack(visit.terms)))
        if visit.outcome is not Outcome.PAGE or not visit.text_digest:
            return _WEAK
        near = visit.near_digest
        known = not self._seen.add(_hashed(visit.text_digest.to_bytes(8, signed=True)))
        alike = bool(near) and self._resembles(near)
        says_so = bool(visit.canonical) and visit.canonical != visit.url  # that it is a copy
        if known or (suspicious and says_so):
            return 1.0
        if suspicious or alike:  # what differs may be more than what the digest is of, as where terms of trade are long
            return 0.0 if terms >= _NEW_TERMS else 1.0
        return 0.0 if near or terms else _WEAK

    def _resembles(self, near: int) -> bool:
        """Return whether a page is nearly one of the last ones of the host (4 bits), or of all of them (2 bits).

        Of digests that differ in two bits one third at least is equal; of unlike ones that happens seldom enough.
        """
        near &= _MASK
        thirds = [third << 21 | near >> 21 * third & 0x1F_FFFF for third in range(3)]
        old = sum(not self._seen.add(third * _GOLDEN & _MASK) for third in thirds)
        alike = old > 0 or any((near ^ other).bit_count() <= NEAR for other in self._nears)
        self._nears.append(near)
        return alike


_NEW = Pattern()


class _Bits:
    """A set of 64-bit hashes that says "new" rightly, and "known" wrongly now and then (Bloom, 1970, CACM 13 (7)).

    It starts over when a quarter of its bits are set: then what is known is new once more, which does no harm.
    """

    def __init__(self, log2: int, probes: int) -> None:
        self.raw = bytearray(1 << log2 - 3)
        self._mask = (1 << log2) - 1
        self._shifts = tuple(log2 * probe for probe in range(probes))
        self._set = 0

    def load(self, raw: bytes) -> None:
        self.raw[:] = raw
        self._set = int.from_bytes(raw, "little").bit_count()

    def __contains__(self, number: int) -> bool:
        raw, mask = self.raw, self._mask
        return all(raw[(at := number >> shift & mask) >> 3] >> (at & 7) & 1 for shift in self._shifts)

    def add(self, number: int) -> bool:
        """Add a hash; return whether it is new."""
        raw, mask, new = self.raw, self._mask, 0
        for shift in self._shifts:
            at = number >> shift & mask
            byte, bit = at >> 3, 1 << (at & 7)
            if not raw[byte] & bit:
                raw[byte] |= bit
                new += 1
        if new:
            self._set += new
            if self._set * 4 > mask:
                raw[:] = bytes(len(raw))
                self._set = 0
        return bool(new)


def _hashed(key: bytes) -> int:
    return int.from_bytes(blake2b(key, digest_size=8).digest())
