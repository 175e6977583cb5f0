"""What pages are made with: the rules file, and what wins where several are told."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth.platforms import facts_of
from benchmarks.truth.reference import page_bytes, page_paths
from crawler.extract import read_page
from crawler.extract.platforms import Signs, platform, rules


def on(markup: str, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_page(markup.encode(), "https://a.example/", headers=named).platform


class TestRules:
    def test_every_rule_tells_something_and_stands_once(self) -> None:
        names = [rule.name for rule in rules()]
        assert len(names) == len(set(names)) > 60
        for rule in rules():
            parts = [part for kind in Signs._fields for part in getattr(rule, kind)]
            assert parts, rule.name
            assert all(len(part) >= 4 and part == part.lower() for part in parts), rule.name
            assert rule.on in {"", *names}, rule.name

    def test_the_file_comes_with_the_package(self) -> None:
        text = resources.files("crawler.extract").joinpath("platforms.toml").read_text("utf-8")
        assert len(tomllib.loads(text)["platform"]) == len(rules())

    @pytest.mark.parametrize("kind", Signs._fields)
    def test_each_part_of_each_rule_is_found(self, kind: str) -> None:
        """Whatever tells of a platform tells of it, or of one that stands higher or is built upon it."""
        names = [rule.name for rule in rules()]
        for rule in rules():
            for part in getattr(rule, kind):
                text = f"\n{part}\n" if kind in {"generator", "cookies", "metas"} else f"\nxx{part}xx\n"
                found = platform(Signs(**{kind: text}))
                higher = names.index(found) <= names.index(rule.name)
                assert found == rule.name or higher or rules()[names.index(found)].on == rule.name, (part, found)


class TestPage:
    @pytest.mark.parametrize(
        ("markup", "name"),
        [
            ("<meta name=Generator content='WordPress 6.9'>", "WordPress"),
            ("<meta name=generator content=' phpBB '>", "phpBB"),
            ("<body id=phpbb class=nojs>", "phpBB"),
            ("<html id='XF' class=x>", "XenForo"),
            ("<link rel=stylesheet href=/wp-content/themes/a.css>", "WordPress"),
            ("<script src='//a.example/_next/static/1.js'></script>", "Next.js"),
            ("<meta name=shopify-digital-wallet content=x>", "Shopify"),
            ("<p>Text</p><footer>Proudly powered\nby <a href=x>WordPress</a></footer>", "WordPress"),
            ("", ""),
        ],
    )
    def test_each_kind_of_sign(self, markup: str, name: str) -> None:
        assert on(markup) == name

    @pytest.mark.parametrize(
        ("headers", "name"),
        [
            ({"link": '<https://a.example/wp-json/>; rel="https://api.w.org/"'}, "WordPress"),
            ({"x_generator": "Drupal 10 (https://www.drupal.org)"}, "Drupal"),
            ({"set_cookie": "a=b; path=/\nphpbb3_x_sid=1; path=/"}, "phpBB"),
            ({"set_cookie": "a=phpbb3_x; path=/"}, ""),
            ({"server": "GitHub.com"}, "GitHub Pages"),
            ({"server": "nginx"}, ""),
        ],
    )
    def test_headers_and_cookies(self, headers: dict[str, str], name: str) -> None:
        assert on("", **headers) == name

    @pytest.mark.parametrize(
        "markup",
        [
            "<p>phpBB and WordPress compared: /wp-content/, powered by Shopify" + "<p>Much more of this article." * 50,
            "<a href=/wp-content/a.pdf>x</a><img src=/wp-content/a.png>",
            "<!-- generator WordPress --><script>'/wp-content/'</script>",
            "<meta name=description content='WordPress 6.9'>",
            "<meta name=generator content='Better than WordPress'>",
        ],
    )
    def test_writing_about_a_platform_is_not_running_on_it(self, markup: str) -> None:
        assert on(markup) == ""

    def test_what_a_page_says_of_itself_is_trusted_most(self) -> None:
        buy_button = "<script src=https://cdn.shopify.com/s/files/1/buy.js></script>"
        assert on("<meta name=generator content='WordPress 6'>" + buy_button) == "WordPress"
        assert on("<meta name=generator content='Hugo 0.1'>", server="GitHub.com") == "Hugo"

    def test_what_is_built_upon_another_wins(self) -> None:
        shop = "<link rel=stylesheet href=/wp-content/plugins/woocommerce/a.css>"
        assert on("<meta name=generator content='WordPress 6'>" + shop) == "WooCommerce"
        assert (
            on("<meta name=generator content='WordPress 6'><meta name=generator content='WooCommerce 9'>")
            == "WooCommerce"
        )
        assert on(shop, link="https://api.w.org/") == "WooCommerce"
        assert on("<meta name=generator content='Ghost 6'>" + shop) == "Ghost"

    @given(st.text(), st.text(), st.text())
    def test_any_text(self, generator: str, name: str, value: str) -> None:
        page = f"<html {name}='{value}'><meta name=generator content='{generator}'>"
        headers = {name: value, "set-cookie": generator}
        told = read_page(page.encode("utf-8", "replace"), "https://a.example/", headers=headers).platform
        assert told in {"", *(rule.name for rule in rules())}


GENERATOR = re.compile(rb"""<meta name="generator" content="(WordPress|Drupal|Discourse|Hugo|Ghost|Jekyll) """)


def test_real_pages_are_made_with_what_they_say(oracles: Path) -> None:
    """``benchmarks.truth.platforms`` prints those that say nothing, to be looked at by a person."""
    told = wrong = found = 0
    for path in page_paths():
        name = facts_of(path).platform
        found += bool(name)
        if said := GENERATOR.search(page_bytes(path)):
            told += 1
            wrong += name not in {said[1].decode(), "WooCommerce", "WordPress.com"}
    assert told > 50, f"pages are missing under {oracles}"
    assert wrong == 0
    assert 200 < found < 320
