"""``scrapy crawl discover`` takes options as ``linkatlas`` does: each by its own words, and bad ones with one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.crawls.command import Ran, ended, environment
from tests.rawserver import page, serving

CONTACT = "me@example.org"


def scrapy(folder: Path, seed: str, *settings: str, **variables: str) -> Ran:
    options = [word for setting in settings for word in ("-s", setting)]
    program = [sys.executable, "-m", "scrapy", "crawl", "discover", "-a", f"seeds={seed}", *options]
    # Scrapy has made an event loop by then, and Python would complain about that one.
    quiet = {"PYTHONWARNINGS": "ignore::ResourceWarning"}
    return ended(folder, program, environment(SCRAPY_SETTINGS_MODULE="settings.embedded", **quiet, **variables))


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("LINKATLAS_DEPTH=x", "linkatlas: LINKATLAS_DEPTH: 'x' will not do; give a whole number of at least 0\n"),
        ("LINKATLAS_DEPHT=3", "setting 'LINKATLAS_DEPHT' is unknown; the nearest is 'LINKATLAS_DEPTH'\n"),
        ("LINKATLAS_CONNECT_TO=nonsense", "'nonsense': give HOST:PORT:ADDRESS:PORT2"),
        ("LINKATLAS_REQUEST_LOG=no/such/x", "no/such/x: No such file or directory; name a file that can be written\n"),
        ("LINKATLAS_OPT_OUT=no/such", "no/such: No such file or directory; give a text file"),
        ("LINKATLAS_INDEX=sqlite:///no/such/x.db", "index no/such/x.db: "),
        ("LINKATLAS_FRONTIER=sqlite:///no/such/x.db", "frontier no/such/x.db: "),
    ],
)
def test_a_setting_that_will_not_do_is_told_in_one_line(tmp_path: Path, setting: str, says: str) -> None:
    ran = scrapy(tmp_path, "http://a.example/", setting)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran.err
    assert says in ran.err


def test_so_is_a_variable(tmp_path: Path) -> None:
    ran = scrapy(tmp_path, "http://a.example/", LINKATLAS_DEPTH="x")
    assert ran == (2, "", "linkatlas: LINKATLAS_DEPTH: 'x' will not do; give a whole number of at least 0\n")
    assert not list(tmp_path.iterdir())


def test_sites_see_the_contact_and_what_follows_from_settings_follows(tmp_path: Path) -> None:
    with serving({"/robots.txt": page(b"", status=b"404 None"), "/": page(b"x" * 5000)}) as server:
        ran = scrapy(
            tmp_path,
            "http://a.example/",
            f"LINKATLAS_CONNECT_TO=a.example:80:127.0.0.1:{server.port}",
            f"LINKATLAS_CONTACT={CONTACT}",
            "LINKATLAS_LOG_LEVEL=info",
            "LINKATLAS_MAX_BODY=4KiB",
            "LINKATLAS_SITEMAPS=none",
            "LINKATLAS_SOFT_404=none",
        )
    assert ran.code == 0, ran.err
    assert len(server.requests) == 2
    assert all(f"User-Agent: linkatlas/0.1.0 (+{CONTACT})\r\n".encode() in request for request in server.requests)
    assert "has left: 1 visit" in ran.err  # info is logged


def test_a_user_agent_of_ones_own_stands(tmp_path: Path) -> None:
    with serving({"/robots.txt": page(b"", status=b"404 None"), "/": page(b"x")}) as server:
        detour = f"LINKATLAS_CONNECT_TO=a.example:80:127.0.0.1:{server.port}"
        contact = f"LINKATLAS_CONTACT={CONTACT}"
        ran = scrapy(tmp_path, "http://a.example/", detour, contact, "USER_AGENT=mine (+me@example.org)")
    assert ran.code == 0, ran.err
    assert server.requests
    assert all(b"User-Agent: mine (+me@example.org)\r\n" in request for request in server.requests)
