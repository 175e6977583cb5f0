"""One table of options: who goes before whom, what is refused and how it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settings.options import (
    OptionError,
    Options,
    from_scrapy,
    read_toml,
    resolve,
    scrapy_settings,
    specs,
    trace,
)


def test_flag_before_variable_before_file_before_default() -> None:
    sources: list[dict[str, Any]] = [{"depth": "1"}, {"LINKATLAS_DEPTH": "2"}, {"depth": 4}]
    for skipped, expected in enumerate([1, 2, 4, 3]):
        flags, environ, toml = ({} if number < skipped else source for number, source in enumerate(sources))
        assert resolve(flags, environ, toml).depth == expected


def test_where_a_value_came_from() -> None:
    traced = trace({"depth": 1}, {"LINKATLAS_DELAY": "2"}, {"stay": "host"})
    sources = {name: traced[name][1] for name in ("depth", "delay", "stay", "ports")}
    assert sources == {
        "depth": "--depth",
        "delay": "LINKATLAS_DELAY",
        "stay": "linkatlas.toml: stay",
        "ports": "default",
    }


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("max_body", "8MiB", 8 * 1024**2),
        ("max_body", "500 KB", 500_000),
        ("max_body", 1000, 1000),
        ("ports", "80,8080", (80, 8080)),
        ("ports", [80, 8080], (80, 8080)),
        ("ports", 8080, (8080,)),
        ("include", ["a*", "b,c"], ("a*", "b,c")),
        ("allow_private", "yes", True),
        ("allow_private", False, False),
        ("delay", "0.5", 0.5),
        ("delay", 2, 2.0),
    ],
)
def test_values_as_people_write_them(name: str, given: Any, value: Any) -> None:
    assert getattr(resolve({}, {}, {name: given}), name) == value


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("depth", "x"), ("depth", "-1"), ("depth", 1.5), ("depth", True), ("depth", [1]), ("delay", "nan"),
        ("delay", "-1"), ("delay", "1e9"), ("workers", 0), ("workers", 65), ("stay", "hosts"), ("max_body", "0"),
        ("max_body", "8 XB"), ("max_body", -5), ("ports", "80,x"), ("ports", "0"), ("ports", "65536"),
        ("allow_private", "maybe"), ("include", 3), ("index", "x.db"), ("index", 5), ("frontier", "sqlite:///"),
        ("contact", "a\r\nX: y"), ("contact", "é"), ("timeout", 0), ("durability", ""),
    ],
)  # fmt: skip
def test_bad_values_are_told_with_their_place_and_the_remedy(name: str, given: Any) -> None:
    with pytest.raises(OptionError, match=r"^linkatlas\.toml: " + name + ".* will not do; give ") as raised:
        resolve({}, {}, {name: given})
    assert "\n" not in str(raised.value)


def test_unknown_names_name_the_nearest() -> None:
    with pytest.raises(OptionError, match="'LINKATLAS_DEPHT' is unknown; the nearest is 'LINKATLAS_DEPTH'"):
        resolve({}, {"LINKATLAS_DEPHT": "3"}, {})
    with pytest.raises(OptionError, match="'max_page' is unknown; the nearest is 'max_pages'"):
        resolve({}, {}, {"max_page": 3})
    assert resolve({}, {"LINKATLAS_DEBUG": "1", "LINKATLAS_CALLED": "./run", "OTHER": "x"}, {}) == Options()


def test_the_file_may_write_dashes_and_may_be_absent(tmp_path: Path) -> None:
    assert read_toml(str(tmp_path / "none.toml")) == {}
    (tmp_path / "some.toml").write_text("max-pages = 5\n")
    assert read_toml(str(tmp_path / "some.toml")) == {"max_pages": 5}


@pytest.mark.parametrize("content", [b"depth = ", b"\xff\xfe", b"\x00"])
def test_a_broken_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "some.toml").write_bytes(content)
    with pytest.raises(OptionError, match=r"some\.toml"):
        read_toml(str(tmp_path / "some.toml"))
    with pytest.raises(OptionError):
        read_toml(str(tmp_path))


def test_the_user_agent_names_whom_to_write_to() -> None:
    agent = scrapy_settings(Options(contact="https://me.example/bot"))["USER_AGENT"]
    assert agent.startswith("linkatlas/")
    assert agent.endswith(" (+https://me.example/bot)")


def test_scrapy_carries_every_option_and_gives_it_back() -> None:
    options = resolve({"ports": "80,81", "include": ["a", "b c"], "max_body": "1MB", "contact": "me"}, {}, {})
    assert from_scrapy(scrapy_settings(options)) == options
    assert from_scrapy({"LINKATLAS_DEPTH": "2", "LINKATLAS_PORTS": "8080", "OTHER": 1}) == Options(
        depth=2, ports=(8080,)
    )


@pytest.mark.parametrize(
    ("index", "frontier"),
    [
        ("sqlite:///linkatlas.db", "sqlite:///linkatlas-frontier.db"),
        ("sqlite:////a/b.c/links", "sqlite:////a/b.c/links-frontier"),
        ("sqlite:///x/my.links.sqlite", "sqlite:///x/my.links-frontier.sqlite"),
    ],
)
def test_the_frontier_is_beside_the_index(index: str, frontier: str) -> None:
    assert Options(index=index).frontier_url == frontier
    assert Options(index=index, frontier="sqlite:///f.db").frontier_url == "sqlite:///f.db"


def test_defaults_pass_their_own_checks() -> None:
    for name, spec in specs().items():
        value = getattr(Options(), name)
        assert spec.parse(value) == value
        assert not spec.help.endswith(".")
