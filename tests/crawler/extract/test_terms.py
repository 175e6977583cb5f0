"""From a page's words to its vector: which words count, in which languages, at what cost; and what likeness says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from benchmarks.truth import relevance as truth
from crawler.extract.placement import said
from crawler.extract.reading import Reading
from crawler.extract.terms import CHARS, page_vector, vector
from crawler.extract.tree import read
from linkindex.relevance import TERMS, Rarity, similarity, term_hash, unpack


def terms(text: str, language: str = "en") -> set[int]:
    return set(unpack(vector([(text, 1)], language)))


def hashed(words: str) -> set[int]:
    return {term_hash(word) for word in words.split()}


def page(markup: str) -> Reading:
    root = LexborHTMLParser(f"<!doctype html>{markup}").root
    assert root is not None
    return read(root, 1_000)


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("The Kettlebell, and a SQUAT rack!", "en", "kettlebell squat rack"),
        ("24/7 gym since 1999; call 555-0199", "en", "gym"),  # numbers are nobody's topic
        ("don't we'll it’s the gym’s rope", "en", "gym rope"),
        ("workouts workout studies study glass virus", "en", "workout study glass virus"),
        ("fitness—strength\u00a0training…mobility", "en", "fitness strength mobility training"),
        ("kettle\u00adbell", "en", "kettlebell"),  # a soft hyphen is where a word may break, not its end
        ("“kettlebell”", "en", "kettlebell"),
        ("das Krafttraining und der Rücken sind gesund", "de", "krafttraining rücken gesund"),
        ("das Krafttraining und der Rücken sind gesund", "de-ch", "krafttraining rücken gesund"),
        ("l'entraînement et la santé", "fr", "entraînement santé"),
        ("styrketrening og helse", "nb", "styrketrening helse"),  # listed as "no"
        ("Тренировка для спины", "ru", "тренировка спины"),
        ("ΠΡΟΠΟΝΗΣΗ", "el", "προπονηση"),
        ("व्यायाम के लिए", "hi", "व्यायाम"),  # vowel signs are no letters to Python, and part of the word
        ("健身房", "zh-tw", "健身 身房"),
        ("健身", "zh", "健身"),
        ("運動のトレーニング", "ja", "運動 トレーニング"),
        ("헬스장", "ko", "헬스 스장"),
        ("iPhoneのケース", "ja", "iphone ケース"),
        ("the kettlebell und", "tlh", "kettlebell und"),  # a language without a list is read as English
        ("the kettlebell", "", "kettlebell"),
        ("kettlebell " + "x" * 41, "en", "kettlebell"),  # an address, or data
        ("kettlebell " + "x" * 4_000, "en", "kettlebell"),
        ("\ud800kettlebell\udfff", "en", "kettlebell"),
        ("🏋️kettlebell🏋️", "en", "kettlebell"),  # a picture, and the mark that asks for its colours
        ("\ufeffkettlebell", "en", "kettlebell"),
    ],
)
def test_words(text: str, language: str, words: str) -> None:
    assert terms(text, language) == hashed(words)


@pytest.mark.parametrize("text", ["", " \n", "the and of", "12 345", "!?…—", "a b c", "ひらがな", "\ud800"])
def test_text_without_a_term_has_no_vector(text: str) -> None:
    assert vector([(text, 1)]) == b""


@given(st.lists(st.tuples(st.text(), st.integers(1, 9))), st.text(max_size=12))
def test_no_text_and_no_language_raise(parts: list[tuple[str, int]], language: str) -> None:
    packed = vector(parts, language)
    assert packed == vector(parts, language)
    assert len(unpack(packed)) <= TERMS
    assert bool(packed) == bool(unpack(packed))


@given(st.text(), st.text(), st.sampled_from(["", "en", "de", "ja", "th"]))
def test_what_was_read_before_changes_nothing(earlier: str, text: str, language: str) -> None:
    # Words are remembered from page to page; that may only save time.
    fresh = vector([(text, 1)], language)
    vector([(earlier + text, 1)], language)
    assert vector([(text, 1)], language) == fresh


def test_more_words_than_are_remembered_change_nothing() -> None:
    before = terms("kettlebell squat")
    for start in range(0, 40_000, 1_000):
        terms(" ".join(letters(number) for number in range(start, start + 1_000)))
    assert terms("kettlebell squat") == before


def letters(number: int) -> str:
    return "q" + "".join(chr(ord("a") + int(digit)) for digit in str(number))


def test_only_the_beginning_is_read() -> None:
    assert terms("x " * (CHARS // 2) + "kettlebell") == set()
    assert vector([("y " * CHARS, 1), ("kettlebell", 1)]) == b""
    assert vector([("kettlebell", 1), ("x " * CHARS, 1)]) == vector([("kettlebell", 1)])


def test_a_word_counts_as_often_as_its_part_says() -> None:
    weights = unpack(vector([("kettlebell", 9), ("rope rope rope", 1)]))
    assert weights[term_hash("kettlebell")] == 255
    assert weights[term_hash("rope")] == pytest.approx(255 * (1 + 1.0986) / (1 + 2.1972), abs=1)  # 1 + ln 3, 1 + ln 9


def test_of_a_page_count_title_description_and_what_is_not_the_sites() -> None:
    reading = page(
        "<title>Kettlebells</title><meta name=Description content='strong back'><nav><a href=1>casino</a></nav>"
        "<main><h1>Swing</h1><p>Hips drive the <a href=2>pendulum</a>.</main><footer><a href=3>imprint</a></footer>"
        "<script>analytics</script><p hidden>secret</p>"
    )
    weights = unpack(page_vector(reading, said(reading), "en"))
    assert weights.keys() == hashed("kettlebell strong swing hip drive pendulum")
    assert max(weights, key=weights.__getitem__) == term_hash("kettlebell")


def test_a_page_that_only_links_from_its_menu_still_has_its_title() -> None:
    reading = page("<title>Kettlebells</title><nav><a href=1>casino</a></nav>")
    assert page_vector(reading, said(reading)) == vector([("kettlebell", 3)])


def test_a_page_cut_inside_a_link_is_read_to_its_end() -> None:
    root = LexborHTMLParser("<nav><a href=1>casino <span><a href=2>x</a></nav><p>kettlebell").root
    assert root is not None
    reading = read(root, 1)
    assert set(unpack(page_vector(reading, said(reading)))) <= hashed("casino kettlebell")


FITNESS = """Strength training at home: build muscle with a kettlebell, a mat and twenty minutes of exercise a day. Warm up
your joints, keep your back straight, breathe with every squat and push-up, and rest two days a week. Your heart, your
muscles and your weight will thank you; drink water, sleep well and eat enough protein for your body to recover."""
HEALTH = """How regular exercise keeps your heart healthy. Doctors advise half an hour of movement a day: it lowers blood
pressure, keeps your weight down, builds muscle and bone, and helps you sleep. Begin slowly if you have joint or back
pain, ask your doctor first, drink enough water and eat a balanced diet with protein, vegetables and little sugar."""


def test_a_fitness_page_is_nearer_to_a_health_page_than_to_a_casino() -> None:
    fitness, health, casino = (vector([(text, 1)], "en") for text in (FITNESS, HEALTH, truth.CASINO))
    for rarity in (Rarity(), Rarity.of([fitness, health, casino])):
        near, far = similarity(health, fitness, rarity), similarity(casino, fitness, rarity)
        assert near is not None
        assert far is not None
        assert near > 0.2
        assert near > 3 * far


@pytest.fixture(scope="module")
def found(oracles: Path) -> list[truth.Page]:
    pages = truth.pages()
    assert len(pages) > 390, f"pages are missing under {oracles}"
    return pages


def test_similarity_tells_the_topics_of_the_real_pages_apart(found: list[truth.Page]) -> None:
    rarity, topics = Rarity.of(page.vector for page in found), truth.by_topic(found)
    assert sum(map(len, topics.values())) > 140
    assert truth.pairs(topics, rarity).area > 0.87
    assert truth.to_domains(topics, rarity).area > 0.96
    assert truth.halves(found, rarity).area > 0.99
    struck = {topic: [truth.blind(page) for page in group] for topic, group in topics.items()}
    assert truth.pairs(struck, rarity).area > 0.78
    assert truth.to_domains(struck, rarity).area > 0.9


def test_every_real_health_page_is_nearer_to_a_fitness_domain_than_a_casino(found: list[truth.Page]) -> None:
    health, casino, _ = truth.example(found, Rarity.of(page.vector for page in found))
    assert len(health) > 10
    assert min(health) > casino
