"""Which language a page is in, declared or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth.reference import page_bytes, page_paths
from crawler.extract import read_page
from crawler.extract.language import declared, detected

# From the Universal Declaration of Human Rights, article 1.
ARTICLE = {
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón.",
    "pl": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni rozumem.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью.",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "he": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון.",
    "ar": "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق، وقد وهبوا عقلاً وضميراً.",
    "ja": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "zh": "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며",
    "tr": "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler.",
    "sv": "Alla människor är födda fria och lika i värde och rättigheter. De är utrustade med förnuft och samvete.",
}  # fmt: skip


class TestDeclared:
    @pytest.mark.parametrize(
        ("values", "tag"),
        [
            ((" de-AT ", "en"), "de-at"),
            (("", "en_US"), "en-us"),
            (("%%", "fr, de"), "fr"),
            (("x" * 9, "zh-Hant-TW"), "zh-hant-tw"),
            (("", ""), ""),
            ((), ""),
        ],
    )
    def test_the_first_that_is_well_formed(self, values: tuple[str, ...], tag: str) -> None:
        assert declared(*values) == tag


class TestDetected:
    @pytest.mark.parametrize(("language", "text"), ARTICLE.items())
    def test_many_languages(self, language: str, text: str) -> None:
        assert detected(text) == language

    @pytest.mark.parametrize(
        "text", ["", "Log in", "12345 67890 " * 50, "— | · " * 100, "x \x00 \ufffe " * 40, "asdf " * 7]
    )
    def test_what_cannot_be_told_is_not_told(self, text: str) -> None:
        assert detected(text) == ""

    def test_controls_and_surrogates_do_not_disturb(self) -> None:
        text = ARTICLE["fr"].replace(" ", "\x00\x91 ") + "\ud800\ufffe\uffff"
        assert detected(text) == "fr"

    def test_the_middle_counts_where_the_beginning_is_a_menu(self) -> None:
        menu = "\n".join(f"Produkt {n}" for n in range(30))
        assert detected(menu + ARTICLE["pl"] * 20 + menu) == "pl"

    @given(st.text(max_size=300))
    def test_any_text(self, text: str) -> None:
        assert declared(found := detected(text)) == found

    def test_the_library_is_loaded_when_it_is_needed(self) -> None:
        program = "import sys, crawler.extract; sys.exit('pycld2' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


class TestPage:
    def test_what_is_declared_wins(self) -> None:
        body = f"<p>{ARTICLE['de']}".encode()
        assert read_page(b"<html lang=en>" + body, "https://a.example/").language == "en"
        assert read_page(body, "https://a.example/", headers={"content-language": "fr"}).language == "fr"
        assert read_page(body, "https://a.example/", headers={"content-language": "es"}).language == "es"
        assert read_page(b"<html lang='%'>" + body, "https://a.example/").language == "de"

    def test_real_pages_are_in_the_language_they_declare(self, oracles: Path) -> None:
        """Read as if they declared nothing: nearly all are recognised."""
        alike = other = unknown = 0
        for path in page_paths()[::2]:
            page = read_page(
                body := page_bytes(path), "https://a.example/", headers={"content-type": "text/html; charset=utf-8"}
            )
            if not page.language or page.words < 50:
                continue
            anonymous = (
                body.replace(b"lang=", b"data-l=").replace(b"Content-Language", b"x").replace(b"content-language", b"x")
            )
            found = read_page(
                anonymous, "https://a.example/", headers={"content-type": "text/html; charset=utf-8"}
            ).language
            alike += found.partition("-")[0] == page.language.partition("-")[0]
            unknown += not found
            other += found.partition("-")[0] not in {"", page.language.partition("-")[0]}
        assert alike > 170, f"pages are missing under {oracles}"
        assert unknown <= 2
        assert other <= 2  # a page in Indonesian that says en, one of "lorem ipsum"
