"""How near in topic two pages are: compact term vectors, and their similarity from 0 to 1. Pure.

A vector is the page's telling terms with their frequencies. Two choices make it small and keep it right:

* **Hashed terms.** A term is 24 bits of a hash instead of its letters (the hashing trick: Weinberger et al., "Feature
  Hashing for Large Scale Multitask Learning", ICML 2009). No dictionary has to be kept, shared or locked by crawler
  nodes, and of 7,000 pairs of vectors one has a term in common by chance.
* **Rarity at question time.** What is stored is the term frequency alone, logarithmic (1 + ln f, SMART's "l": Manning,
  Raghavan & Schütze, "Introduction to Information Retrieval", 6.4.3). Weighing it by inverse document frequency and
  comparing by cosine is Salton & Buckley, "Term-weighting approaches in automatic text retrieval", 1988. That frequency
  changes in a growing index with every page, so a weight that held it would be out of date as soon as it was written,
  and vectors of different days could not be compared. It is applied when a similarity is asked, from one
  :class:`Rarity` for the whole answer. Rarity
  is smoothed, ln((1 + pages) / (1 + pages with the term)) + 1: an empty index weighs all terms alike, a term nobody
  has counted weighs most, and nothing divides by zero. No frequencies of another collection come with the package: they
  would be those of another language and another web.

Pages in different languages share names and little else: their similarity says nothing about their topics.

Form 1 of a vector: the byte 1, then 4 bytes a term, a little-endian number whose upper 24 bits are the hash and whose
lower 8 are the weight (255: the heaviest of the vector), ascending. No bytes at all: no text, or never visited. Whatever
else a store hands out is no vector either, and never an error.
"""

from __future__ import annotations

import heapq
import math
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import NamedTuple, TypeVar

TERMS = 48
"""Terms in the vector of a page: 193 bytes."""
DOMAIN_TERMS = 96
"""Terms in the vector of a domain, which is about more: 385 bytes."""
RARITY_TERMS = 1 << 15
"""Terms whose document frequency is kept, the most frequent ones: at most 256 KB."""

DOMAIN_PAGES = 50
"""Pages of a domain that tell what it is about."""
DOMAIN_SAMPLE = 1000
"""Pages of a domain that these are chosen from."""

_FORM = 1
_REMEMBERED_DOMAINS = 10_000
_MOST_TERMS = 255  # of a vector that is read; a longer one was not written here
_HASH_BITS = 24
_HEAVIEST = 255
_UNIT = 1 << 20  # the length of a page in a centroid: sums of whole numbers do not depend on their order

_Weight = TypeVar("_Weight", int, float)


def term_hash(term: str) -> int:
    """Return the 24 bits that stand for ``term`` in every vector."""
    return zlib.crc32(term.encode("utf-8", "surrogatepass")) >> (32 - _HASH_BITS)


def pack(frequencies: Mapping[int, float], terms: int = TERMS) -> bytes:
    """Return the vector of ``frequencies`` (hash to number of occurrences, 1 or more), the ``terms`` largest of them.

    Of equal ones the first come first: a page's are in the order of its text, and what it says first tells more.
    """
    return _pack([(term, 1 + math.log(max(count, 1))) for term, count in _largest(frequencies, terms)])


def unpack(vector: bytes) -> dict[int, int]:
    """Return hash to weight (1 to 255); empty where ``vector`` is none that this version knows."""
    count, rest = divmod(len(vector) - 1, 4)
    if rest or not 0 < count <= _MOST_TERMS or vector[0] != _FORM:
        return {}
    return {number >> 8: number & 0xFF for number in struct.unpack_from(f"<{count}I", vector, 1) if number & 0xFF}


def combine(vectors: Iterable[bytes], terms: int = DOMAIN_TERMS) -> bytes:
    """Return the vector of a domain from those of its pages, in any order: their centroid, its ``terms`` largest parts.

    Each page counts alike, however long it is. A few dozen pages say what a domain is about; more only cost.
    """
    total: Counter[int] = Counter()
    for vector in vectors:
        weights = unpack(vector)
        scale = _UNIT / math.sqrt(_squares(weights) or 1)
        for term, weight in weights.items():
            total[term] += round(weight * scale)
    return _pack(_largest(dict(sorted(total.items())), terms))


class Weighted(NamedTuple):
    """A vector ready to be compared: hash to tf-idf weight, and the sum of the squared weights."""

    weights: dict[int, float]
    squares: float


class Rarity:
    """What the terms of an index are worth: inverse document frequencies over a sample of its pages.

    ``counts`` says in how many of ``pages`` pages a term (its hash) is among the telling ones. A term that is absent
    is taken for one that no page has, so the rarest may be left out.
    """

    def __init__(self, pages: int = 0, counts: Mapping[int, int] | None = None) -> None:
        self.pages = max(pages, 0)
        self.counts = dict(counts or {})
        worth = {count: self._idf(count) for count in set(self.counts.values())}
        self._known = {term: worth[count] for term, count in self.counts.items()}
        self._unseen = self._idf(0)

    @classmethod
    def of(cls, vectors: Iterable[bytes]) -> Rarity:
        """Count the terms of ``vectors``: a sample with few pages of each domain, or its templates set the counts."""
        counts: Counter[int] = Counter()
        pages = 0
        for vector in vectors:
            weights = unpack(vector)
            counts.update(weights.keys())
            pages += bool(weights)
        return cls(pages, dict(_largest(dict(sorted(counts.items())), RARITY_TERMS)))

    def weigh(self, vector: bytes) -> Weighted | None:
        """Return ``vector`` weighted by rarity, None where it is none."""
        known, unseen = self._known, self._unseen
        weights = {term: weight * known.get(term, unseen) for term, weight in unpack(vector).items()}
        return Weighted(weights, _squares(weights)) if weights else None

    def to_bytes(self) -> bytes:
        """Return the table to store: the byte 1, the number of pages, then hash and count of each term, 4 bytes each."""
        numbers = [number for pair in self.counts.items() for number in pair]
        return struct.pack(f"<B{len(numbers) + 1}I", _FORM, self.pages, *numbers)

    @classmethod
    def from_bytes(cls, table: bytes) -> Rarity:
        """Read what :meth:`to_bytes` wrote; anything else weighs all terms alike."""
        if len(table) % 8 != 5 or table[0] != _FORM:
            return cls()
        pages, *numbers = struct.unpack_from(f"<{len(table) // 4}I", table, 1)
        return cls(pages, dict(zip(numbers[::2], numbers[1::2], strict=True)))

    def _idf(self, count: int) -> float:
        return math.log((1 + self.pages) / (1 + min(count, self.pages))) + 1


def few(vectors: Iterable[bytes], most: int) -> list[bytes]:
    """Return at most so many of ``vectors``, the same ones in whatever order they come: a store has an order of its own."""
    return heapq.nsmallest(most, vectors, key=_digest)


def few_of_each(sample: Iterable[tuple[str, bytes]], most: int = 20) -> Iterator[bytes]:
    """Yield the vectors of (domain, vector) pairs, at most so many of a domain: its templates must not set the counts."""
    of_domains: dict[str, list[bytes]] = {}
    for domain, vector in sample:
        of_domains.setdefault(domain, []).append(vector)
    for vectors in of_domains.values():
        yield from few(vectors, most)


class Similarities:
    """How near the sources of links are to what they link to, for the many links of one answer.

    ``terms_of`` gives the vectors of some pages of a registrable domain.
    """

    def __init__(self, rarity: Rarity, terms_of: Callable[[str], Iterable[bytes]]) -> None:
        self._weigh = lru_cache(maxsize=1 << 10)(rarity.weigh)
        self._terms_of = terms_of
        self._domains: dict[str, bytes] = {}

    def of_link(self, source: bytes, target: bytes, target_domain: str) -> tuple[float | None, float | None]:
        """Return the similarity of the source's vector to its target's and to that of the target's domain."""
        page = self._weigh(source)
        if page is None:
            return None, None
        if target_domain not in self._domains:
            if len(self._domains) >= _REMEMBERED_DOMAINS:
                self._domains.clear()
            self._domains[target_domain] = combine(few(self._terms_of(target_domain), DOMAIN_PAGES))
        return self._near(page, target), self._near(page, self._domains[target_domain])

    def _near(self, page: Weighted, other: bytes) -> float | None:
        weighed = self._weigh(other)
        return None if weighed is None else round(cosine(page, weighed), 3)


def cosine(one: Weighted, other: Weighted) -> float:
    """Return the cosine of two weighted vectors, 0 (no term in common) to 1 (the same terms in the same proportions)."""
    mine, others = one.weights, other.weights
    product = math.fsum(mine[term] * others[term] for term in mine.keys() & others.keys())  # the same in any order
    return min(product / math.sqrt(one.squares * other.squares), 1.0)


def similarity(one: bytes, other: bytes, rarity: Rarity) -> float | None:
    """Return how near two vectors are, 0 to 1, None where either is none: what was never visited is not "unlike".

    For one vector against many, weigh it once with :meth:`Rarity.weigh` and call :func:`cosine`.
    """
    mine, others = rarity.weigh(one), rarity.weigh(other)
    return cosine(mine, others) if mine and others else None


def _digest(vector: bytes) -> bytes:
    return blake2b(vector, digest_size=8).digest()


def _squares(weights: Mapping[int, float]) -> float:
    return math.fsum(weight * weight for weight in weights.values())


def _largest(weights: Mapping[int, _Weight], number: int) -> list[tuple[int, _Weight]]:
    """Return the ``number`` largest, the largest first; of equal ones the first of ``weights``."""
    return sorted(weights.items(), key=itemgetter(1), reverse=True)[:number]


def _pack(largest: Sequence[tuple[int, float]]) -> bytes:
    """Return the vector of hashes and weights, the largest first."""
    if not largest:
        return b""
    scale = _HEAVIEST / largest[0][1]
    numbers = sorted((term << 8) | max(round(weight * scale), 1) for term, weight in largest[:_MOST_TERMS])
    return struct.pack(f"<B{len(numbers)}I", _FORM, *numbers)
