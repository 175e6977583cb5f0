"""Words are counted, equal texts have equal digests, near-duplicates near ones, others far ones."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from benchmarks.truth.reference import page_bytes, page_paths
from crawler.extract import read_page
from crawler.extract.digests import Digests, digests, distance
from crawler.extract.tree import read

SPACES = " \t\n\v\f\r\x1c\x1d\x1e\x1f\xa0\u2002\u2003\u2009\u200a\u202f\u3000"
spaces = st.text(SPACES, min_size=1, max_size=3)


class TestWords:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", 0),
            (" \n\xa0", 0),
            ("one", 1),
            (" one ", 1),
            ("one\ttwo\n three\xa0four", 4),
            ("don't e-mail 3.5 — no", 5),
            ("слово и дело", 3),
            ("한국어 문장", 2),  # parts words by spaces
            ("我们今天去北京", 1 + 3),  # two letters a word, and one for the run
            ("今日は、いい天気ですね。", 1 + 6),
            ("สวัสดีครับ", 1 + 2),
        ],
    )
    def test_each(self, text: str, words: int) -> None:
        assert digests(text).words == words

    @given(st.lists(st.text("abcé,.!", min_size=1)), st.data())
    def test_as_split_counts(self, words: list[str], data: st.DataObject) -> None:
        text = "".join(data.draw(spaces) + word for word in words) + data.draw(st.just("") | spaces)
        assert digests(text).words == len(words) == len(text.split())


class TestTextDigest:
    @given(st.lists(st.text(st.characters(blacklist_categories=["Zs", "Zl", "Zp", "Cc"]), min_size=1)), st.data())
    def test_white_space_never_counts(self, words: list[str], data: st.DataObject) -> None:
        text = "".join(data.draw(spaces) + word for word in words)
        assert digests(text).text == digests(" ".join(words)).text

    @given(st.text("ab .", max_size=8), st.text("ab .", max_size=8))
    def test_equal_for_equal_texts_alone(self, one: str, other: str) -> None:
        alike = "".join(one.split()) == "".join(other.split())
        assert (digests(one).text == digests(other).text) == alike

    def test_does_not_change_with_the_program(self) -> None:
        text = "The quick brown fox jumps over the lazy dog. " * 3 + "Bygones, big vans, grave bulges, above. "
        assert digests(text) == Digests(33, 5469818202110367695, -8926821832032089251)

    @given(st.text(max_size=300))
    def test_fits_a_signed_column(self, text: str) -> None:
        found = digests(text)
        assert all(-(1 << 63) <= number < 1 << 63 for number in found)
        assert (found.text != 0) == bool(text.strip(SPACES))


def edits(text: str, chance: random.Random) -> dict[str, str]:
    words = text.split()
    place = chance.randrange(len(words))
    advertisement = "Only this week: buy two pairs of our best running shoes and save 20 % on everything else".split()
    comment = "Great post, thank you for sharing. I have been looking for this a long time and it really helped me."
    return {
        "date changed": f"Monday 3 May 2024, 10:15. {text}",
        "spaces": " \n".join(words),
        "punctuation and numbers": text.replace(",", " 17; "),
        "word changed": " ".join([*words[:place], "otherwise", *words[place + 1 :]]),
        "advertisement swapped": " ".join([*words[:place], *advertisement, *words[place:]]),
        "comment added": f"{text} {comment}",
    }


class TestNearDigest:
    def test_near_duplicates_of_real_pages_are_near(self, oracles: Path) -> None:
        chance = random.Random(5)
        far: list[tuple[str, int]] = []
        texts = [text for text in real_texts(oracles) if len(text.split()) > 300]
        for text in texts:
            near = digests(text).near
            edited = {name: distance(near, digests(other).near) for name, other in edits(text, chance).items()}
            far.extend((name, bits) for name, bits in edited.items() if bits > 6)
        # One page says "lorem ipsum" over and over: few chunks differ there, so each of them counts.
        assert len(far) < 0.005 * 6 * len(texts)
        assert max((bits for _, bits in far), default=0) <= 16

    def test_other_pages_are_far(self, oracles: Path) -> None:
        near = [digests(text).near for text in real_texts(oracles) if len(text.split()) > 300]
        bits = [distance(one, other) for one, other in combinations(near, 2)]
        assert 28 < sum(bits) / len(bits) < 33
        assert sum(number <= 6 for number in bits) < 20  # sites that are there with several pages of one template

    @pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
    def test_distance_tells_how_much_is_shared(self, share: float, oracles: Path) -> None:
        """A stretch of a page swapped for one of another: on average 32 * (1 - J), as the docstring says."""
        texts = [text.split() for text in real_texts(oracles) if 500 < len(text.split()) < 1500]
        bits = [
            distance(digests(" ".join(one)).near, digests(" ".join(one[: -int(share * len(one))] + other)).near)
            for one, other in zip(texts, (text[: int(share * len(text))] for text in texts[1:]), strict=False)
        ]
        jaccard = (1 - share) / (1 + share)
        assert abs(sum(bits) / len(bits) - 32 * (1 - jaccard)) < 4

    @pytest.mark.parametrize(
        "letters", ["абвгдежзийклмнопрстуфхцчшщыьэюя", "αβγδεζηθικλμνξοπρστυφχψω", "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
                    "אבגדהוזחטיכלמנסעפצקרשת", "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह",
                    "".join(map(chr, range(0x4E00, 0x5E00))), "".join(map(chr, range(0xAC00, 0xD7A0)))]
    )  # fmt: skip
    def test_every_writing_has_chunks(self, letters: str) -> None:
        chance = random.Random(3)
        words = ["".join(chance.choices(letters, k=6)) for _ in range(400)]
        other = ["".join(chance.choices(letters, k=6)) for _ in range(400)]
        text = " ".join(words)
        assert 0 < distance(digests(text).near, digests(" ".join([*words[:200], *other[:20], *words[220:]])).near) <= 12
        assert distance(digests(text).near, digests(" ".join(other)).near) > 18

    @pytest.mark.parametrize("text", ["", "Log in", "404 not found: go back or browse above"])
    def test_too_little_text_is_near_to_nothing(self, text: str) -> None:
        assert digests(text).near == 0

    @given(st.text("abgv ", min_size=20, max_size=200), st.text("abgv ", min_size=20, max_size=200))
    def test_distance_is_one(self, one: str, other: str) -> None:
        first, second = digests(one).near, digests(other).near
        assert distance(first, first) == 0
        assert 0 <= distance(first, second) == distance(second, first) <= 64
        assert (distance(first, second) == 0) == (first == second)


def test_a_page_has_those_of_what_a_reader_sees() -> None:
    page = read_page(
        b"<title>no</title><p>one <b>two</b></p><script>no</script><p hidden>no</p>three", "https://a.example/"
    )
    assert (page.words, page.text_digest, page.near_digest) == digests("one two three")


_texts: list[str] = []


def real_texts(oracles: Path) -> list[str]:
    if not _texts:
        for path in page_paths():
            root = LexborHTMLParser(page_bytes(path)).root
            _texts.append("".join(read(root, 10_000).pieces) if root is not None else "")
    assert len(_texts) > 390, f"pages are missing under {oracles}"
    return _texts
