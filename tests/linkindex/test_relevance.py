"""Term vectors and their similarity: what holds for any vectors, and for whatever else a store may hand out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkindex.relevance import (
    DOMAIN_TERMS,
    TERMS,
    Rarity,
    combine,
    cosine,
    pack,
    similarity,
    term_hash,
    unpack,
)

hashes = st.integers(0, 2**24 - 1)
frequencies = st.dictionaries(hashes, st.integers(1, 8_000) | st.floats(0.5, 8_000), max_size=120)
vectors = frequencies.map(pack)
filled = frequencies.filter(bool).map(pack)
rarities = st.builds(Rarity, st.integers(0, 10**6), st.dictionaries(hashes, st.integers(1, 10**6), max_size=50))
EVEN = Rarity()


def of(*words: str) -> bytes:
    return pack({term_hash(word): 1 for word in words})


@given(filled, filled, rarities)
def test_similarity_is_symmetric_and_from_0_to_1(one: bytes, other: bytes, rarity: Rarity) -> None:
    forth, back = similarity(one, other, rarity), similarity(other, one, rarity)
    assert forth is not None
    assert forth == back
    assert 0 <= forth <= 1


@given(filled, rarities)
def test_a_vector_is_wholly_like_itself(vector: bytes, rarity: Rarity) -> None:
    assert similarity(vector, vector, rarity) == 1


@given(st.lists(hashes, min_size=2, max_size=40, unique=True), rarities)
def test_vectors_without_a_common_term_are_not_alike(terms: list[int], rarity: Rarity) -> None:
    middle = len(terms) // 2
    assert similarity(pack(dict.fromkeys(terms[:middle], 2)), pack(dict.fromkeys(terms[middle:], 3)), rarity) == 0


@given(vectors, st.sampled_from([b"", b"\1", b"\2aaaa", b"\1aaa"]), rarities)
def test_what_was_never_visited_has_no_similarity(vector: bytes, none: bytes, rarity: Rarity) -> None:
    assert similarity(vector, none, rarity) is None
    assert similarity(none, vector, rarity) is None


@given(st.binary(max_size=1100), st.binary(max_size=200).map(b"\1".__add__), st.binary(max_size=400))
def test_no_bytes_of_a_store_raise(one: bytes, other: bytes, table: bytes) -> None:
    rarity = Rarity.from_bytes(table)
    for pair in ((one, other), (one, one), (other, other)):
        score = similarity(*pair, rarity)
        assert score is None or 0 <= score <= 1
    assert len(combine([one, other])) <= 1 + 4 * DOMAIN_TERMS
    assert Rarity.of([one, other]).pages <= 2


@pytest.mark.parametrize("change", [lambda v: b"\2" + v[1:], lambda v: v[:-1], lambda v: v + b"x", lambda v: v[:1]])
def test_another_form_is_no_vector(change: object) -> None:
    vector = of("gym", "squat")
    assert unpack(vector)
    assert callable(change)
    assert unpack(change(vector)) == {}


def test_the_form_is_what_the_docstring_says() -> None:
    # Stored bytes outlive the code that wrote them: what is read here was written by hand.
    vector = bytes([1]) + (0x0000AB_80).to_bytes(4, "little") + (0xFFFFFF_FF).to_bytes(4, "little")
    assert unpack(vector) == {0xAB: 0x80, 0xFFFFFF: 0xFF}
    assert pack({0xFFFFFF: math.e, 0xAB: 1}) == vector  # 1 + ln e = 2 is the heaviest, 1 is half of it
    assert term_hash("123456789") == 0xCBF439  # the check value of CRC-32 is CBF43926


@given(frequencies)
def test_the_most_frequent_terms_are_kept(counts: dict[int, float]) -> None:
    kept = unpack(pack(counts))
    assert len(kept) == min(len(counts), TERMS)
    assert kept.keys() <= counts.keys()
    left = [count for term, count in counts.items() if term not in kept]
    assert max(left, default=0) <= min((counts[term] for term in kept), default=0)
    assert len(pack(counts)) <= 193


def test_of_equally_frequent_terms_the_first_are_kept() -> None:
    assert unpack(pack(dict.fromkeys(range(1_000, 0, -1), 1))).keys() == set(range(1_000, 1_000 - TERMS, -1))


def test_the_cosine_is_the_textbooks() -> None:
    # 3 and 4 against 4 and 3: (3 · 4 + 4 · 3) / (5 · 5); 255 and 191 are 4 and 3 in 8 bits.
    one = bytes([1]) + ((1 << 8) | 191).to_bytes(4, "little") + ((2 << 8) | 255).to_bytes(4, "little")
    other = bytes([1]) + ((1 << 8) | 255).to_bytes(4, "little") + ((2 << 8) | 191).to_bytes(4, "little")
    assert similarity(one, other, EVEN) == pytest.approx(24 / 25, abs=1e-3)


def test_a_rare_common_term_tells_more_than_a_frequent_one() -> None:
    rarity = Rarity(1_000, {term_hash("cookie"): 900, term_hash("kettlebell"): 5})
    by_rare = similarity(of("kettlebell", "one", "two"), of("kettlebell", "three", "four"), rarity)
    by_frequent = similarity(of("cookie", "one", "two"), of("cookie", "three", "four"), rarity)
    even = similarity(of("cookie", "one", "two"), of("cookie", "three", "four"), EVEN)
    assert by_rare is not None
    assert by_frequent is not None
    assert even == pytest.approx(1 / 3)
    assert by_frequent < 0.1 < by_rare


@given(st.lists(vectors, max_size=30))
def test_rarity_counts_pages_not_occurrences_and_survives_its_store(pages: list[bytes]) -> None:
    rarity = Rarity.of(pages)
    assert rarity.pages == sum(map(bool, pages))
    assert rarity.counts == {
        term: count
        for term in set().union(*map(unpack, pages))
        if (count := sum(term in unpack(page) for page in pages))
    }
    again = Rarity.from_bytes(rarity.to_bytes())
    assert (again.pages, again.counts) == (rarity.pages, rarity.counts)


@given(
    st.lists(filled, min_size=1, max_size=8).flatmap(lambda pages: st.tuples(st.just(pages), st.permutations(pages)))
)
def test_a_domain_does_not_depend_on_the_order_of_its_pages(pages: tuple[list[bytes], list[bytes]]) -> None:
    # Two stores may read them in different orders, and have to answer alike.
    assert combine(pages[0]) == combine(pages[1])
    assert Rarity.of(pages[0]).to_bytes() == Rarity.of(pages[1]).to_bytes()


@given(filled, st.integers(1, 5))
def test_a_domain_of_like_pages_is_like_them(page: bytes, times: int) -> None:
    assert similarity(combine([page] * times), page, EVEN) == pytest.approx(1, abs=0.01)


def test_a_domain_without_text_is_none_and_empty_pages_do_not_count() -> None:
    assert combine([]) == combine([b"", b"\7?"]) == b""
    assert combine([b"", of("gym")]) == combine([of("gym")])


def test_each_page_of_a_domain_counts_alike_however_long() -> None:
    short, long = of("gym"), pack({term_hash(f"word{number}"): 500 for number in range(TERMS)})
    domain = Rarity().weigh(combine([short, long]))
    mine, others = (Rarity().weigh(page) for page in (short, long))
    assert domain
    assert mine
    assert others
    assert cosine(domain, mine) == pytest.approx(cosine(domain, others), abs=0.02)
