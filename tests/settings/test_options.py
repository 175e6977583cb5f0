"""One table of options: who goes before whom, what is refused and how it is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from settings.options import (
    OptionError,
    Options,
    docs_table,
    flag,
    from_scrapy,
    read_toml,
    resolve,
    scrapy_settings,
    shown,
    shown_default,
    specs,
    trace,
)
from settings.values import without_password


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


def test_a_secret_comes_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "index"
    secret.write_text("mongodb://user:s3cret@there/links\n")
    environ = {"LINKATLAS_INDEX_FILE": str(secret)}
    assert trace({}, environ, {"index": "sqlite:///a.db"})["index"] == (
        "mongodb://user:s3cret@there/links",
        "LINKATLAS_INDEX_FILE",
    )
    assert resolve({"index": "sqlite:///b.db"}, environ, {}).index == "sqlite:///b.db"
    secret.write_text("http://user:s3cret@there/\n")
    with pytest.raises(OptionError, match=r"LINKATLAS_INDEX_FILE: .*\*\*\*.*will not do"):
        resolve({}, environ, {})


def test_a_variable_and_its_file_are_not_both_set(tmp_path: Path) -> None:
    """The file is not looked at: it may well be missing where the variable was meant."""
    environ = {"LINKATLAS_INDEX": "sqlite:///b.db", "LINKATLAS_INDEX_FILE": str(tmp_path / "none")}
    with pytest.raises(OptionError, match=r"^LINKATLAS_INDEX and LINKATLAS_INDEX_FILE are both set; "):
        resolve({}, environ, {})
    assert resolve({"index": "sqlite:///a.db"}, environ, {}).index == "sqlite:///a.db"
    assert resolve({}, {**environ, "LINKATLAS_INDEX_FILE": ""}, {}).index == "sqlite:///b.db"


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_holds_no_value_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "index").write_bytes(content)
    with pytest.raises(OptionError, match=r"LINKATLAS_INDEX_FILE: .*index' cannot be read: .*; name a file"):
        resolve({}, {"LINKATLAS_INDEX_FILE": str(tmp_path / "index")}, {})
    with pytest.raises(OptionError, match=r"LINKATLAS_INDX_FILE.*nearest is 'LINKATLAS_INDEX_FILE'"):
        resolve({}, {"LINKATLAS_INDX_FILE": "x"}, {})


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
        ("depth", "9" * 5000), ("max_body", "9" * 5000), ("max_body", True), ("depth", {"a": 1}), ("include", ["a\0"]),
        ("contact", "a\r\nX: y"), ("contact", "é"), ("timeout", 0), ("durability", ""),
    ],
)  # fmt: skip
def test_bad_values_are_told_with_their_place_and_the_remedy(name: str, given: Any) -> None:
    with pytest.raises(OptionError, match=r"^linkatlas\.toml: " + name + ".* will not do; give ") as raised:
        resolve({}, {}, {name: given})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("name", "near"), [("hosts", "host"), ("domian", "domain"), ("any", "anywhere")])
def test_a_mistyped_word_names_the_nearest(name: str, near: str) -> None:
    with pytest.raises(OptionError, match=f"^--stay: '{name}' will not do.*did you mean {near}"):
        resolve({"stay": name}, {}, {})


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
    with pytest.raises(OptionError, match=r"some\.toml: .*; (write as in: max_pages = 5000|mend it)") as raised:
        read_toml(str(tmp_path / "some.toml"))
    assert "\n" not in str(raised.value)
    with pytest.raises(OptionError, match="Is a directory; mend it or take it away"):
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
    ("name", "text", "value"),
    [
        ("depth", "2", 2), ("delay", "0.25", 0.25), ("allow_private", "True", True), ("allow_private", "0", False),
        ("ports", "80,8080", (80, 8080)), ("include", "*/a* */b*", ("*/a*", "*/b*")), ("max_body", "2MiB", 2 * 1024**2),
        ("stay", "host", "host"), ("connect_to", "a:80:b:81 c:::1", ("a:80:b:81", "c:::1")),
    ],
)  # fmt: skip
def test_settings_on_scrapys_command_line_are_texts(name: str, text: str, value: Any) -> None:
    assert getattr(from_scrapy({f"LINKATLAS_{name.upper()}": text}), name) == value


def test_a_bad_setting_of_scrapy_is_told() -> None:
    with pytest.raises(OptionError, match="'x' will not do; give a whole number of at least 0"):
        from_scrapy({"LINKATLAS_DEPTH": "x"})


def test_the_settings_module_of_scrapy_holds_every_option(tmp_path: Path) -> None:
    (tmp_path / "linkatlas.toml").write_text('depth = 7\ncontact = "me@x.test"\n')
    code = """
import json
from scrapy.settings import Settings
settings = Settings()
settings.setmodule("settings.embedded", priority="project")
settings.set("LINKATLAS_MAX_PAGES", "12", priority="cmdline")
from settings.options import from_scrapy
options = from_scrapy(settings)
held = {name: settings.get(name) for name in settings if name.startswith("LINKATLAS_")}
print(json.dumps([held, options.depth, options.delay, options.max_pages, settings["USER_AGENT"], settings["BOT_NAME"]]))
"""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINKATLAS_")}
    variables = {**kept, "LINKATLAS_DELAY": "3", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=variables, capture_output=True, text=True, check=True
    )
    held, depth, delay, max_pages, agent, name = json.loads(done.stdout)
    assert {f"LINKATLAS_{option.upper()}" for option in specs()} == set(held)
    assert (depth, delay, max_pages, name) == (7, 3.0, 12, "linkatlas")
    assert agent.endswith("(+me@x.test)")


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


def test_what_is_shown_can_be_given() -> None:
    given = {"ports": (80, 8080), "include": ("a*", "b*"), "max_body": 1536 * 1024, "max_headers": 1000, "delay": 1e-3}
    for name, spec in specs().items():
        for value in {getattr(Options(), name), given.get(name, getattr(Options(), name))}:
            assert spec.parse(shown(name, value)) == value, name


def test_the_table_tells_every_option_once() -> None:
    table = docs_table()
    for name, spec in specs().items():
        rows = [line for line in table.splitlines() if line.startswith((f"| `{flag(name)}`", f"| `{flag(name)} "))]
        assert len(rows) == 1, name
        cells = re.split(r"(?<!\\)\|", rows[0])[1:-1]
        assert [cell.strip() for cell in cells[1:]] == [
            f"`LINKATLAS_{name.upper()}`",
            shown_default(name) or "-",
            spec.help,
        ]


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        (
            "mongodb://me:secret@10.0.0.7:27017,10.0.0.8/links?w=majority",
            "mongodb://me:***@10.0.0.7:27017,10.0.0.8/links?w=majority",
        ),
        ("mongodb+srv://me:secret@db.example/links", "mongodb+srv://me:***@db.example/links"),
        ("redis://:secret@10.0.0.5/0?job=web", "redis://:***@10.0.0.5/0?job=web"),
        ("redis://10.0.0.5/0?job=web&password=secret", "redis://10.0.0.5/0?job=web&password=***"),
        (
            "mongodb://h/n?tlsCertificateKeyFilePassword=secret&tls=true",
            "mongodb://h/n?tlsCertificateKeyFilePassword=***&tls=true",
        ),
        ("mongodb:/me:secret@h/n", "mongodb:/me:***@h/n"),
        ("mongodb://10.0.0.7:27017/links", "mongodb://10.0.0.7:27017/links"),
        ("sqlite:///links.db", "sqlite:///links.db"),
        ("https://example.com:8080/@me", "https://example.com:8080/@me"),
    ],
)
def test_passwords_are_not_shown(place: str, seen: str) -> None:
    assert without_password(place) == seen
    for name in ("index", "frontier"):
        assert shown(name, place) == seen


def test_a_place_that_will_not_do_is_told_without_its_password() -> None:
    with pytest.raises(OptionError) as error:
        resolve({"index": "mongo://me:secret@h/n"}, {}, {})
    assert "'mongo://me:***@h/n'" in str(error.value)
    assert "mongodb://HOST:PORT/NAME" in str(error.value)
