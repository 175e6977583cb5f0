"""The passwords of a deployment's own stores."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from interfaces import keys


def _made(folder: Path) -> dict[str, str]:
    keys.make(folder, "redis:6379", "mongo:27017", "web", "links")
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_stores_and_their_users_have_the_same_passwords(tmp_path: Path) -> None:
    made = _made(tmp_path)
    password = made["redis.conf"].removeprefix("requirepass ").strip()
    assert made["frontier"] == f"redis://:{password}@redis:6379/0?job=web\n"
    assert made["index"] == f"mongodb://linkatlas:{made['mongo'].strip()}@mongo:27017/links?authSource=admin\n"
    passwords = {password, *(made[name].strip() for name in ("mongo", "mongo-admin", "grafana"))}
    assert len(passwords) == 4 and all(re.fullmatch(r"[\w-]{32}", each) for each in passwords)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o440}


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "redis.conf").write_text("# ours\nrequirepass secret\n")
    (tmp_path / "mongo.new").write_text("cut off by a kill")
    first = _made(tmp_path)
    assert first["frontier"] == "redis://:secret@redis:6379/0?job=web\n"
    assert _made(tmp_path) == first and "mongo.new" not in first


def test_what_is_given_takes_a_files_place_and_stays(tmp_path: Path) -> None:
    url = "mongodb://me:mine@10.0.0.7/links"
    for given in ("mongodb://before/x", url):
        command = [sys.executable, "-m", "interfaces.keys", str(tmp_path), "--take", "index"]
        assert subprocess.run(command, input=given, check=True, capture_output=True, text=True).stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
    assert _made(tmp_path)["index"] == f"{url}\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o440}
    assert {path.name for path in tmp_path.iterdir()} == set(keys.FILES)
    with pytest.raises(SystemExit, match="index: nothing was given"):
        keys.take(tmp_path, "index", " \n")
    assert (tmp_path / "index").read_text() == f"{url}\n"


def test_a_file_that_has_no_password_is_told(tmp_path: Path) -> None:
    (tmp_path / "redis.conf").write_text("maxmemory 1gb\n")
    with pytest.raises(SystemExit, match="redis.conf has no line 'requirepass PASSWORD'"):
        _made(tmp_path)


def test_it_is_a_program(tmp_path: Path) -> None:
    user = tmp_path.stat().st_uid
    command = [
        sys.executable,
        "-m",
        "interfaces.keys",
        str(tmp_path),
        "--redis",
        "there:1",
        "--reader",
        f"frontier:{user}",
    ]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stderr == ""
    assert "@there:1/0?job=web" in (tmp_path / "frontier").read_text()
