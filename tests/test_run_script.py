"""What ./run does before there is any linkatlas: with pretended Pythons, so that nothing is installed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("cat", "chmod", "cksum", "cp", "dirname", "mkdir", "readlink", "rm", "rmdir", "sh", "sleep", "tail")

# Plays a Python and its pip, as far as ./run asks: its file beside it, NAME.says, is what it answers to the question
# whether it will do; `pip` writes what it was asked to the journal, and fails where a file `pip-fails` lies there.
PRETENDED = """#!/bin/sh
case "$*" in
*ensurepip*) cat "$0.says"; exit "$(cat "$0.rc")" ;;
-c*) echo "pretended $(cat "$0.says")" ;;
-V) echo "Python $(cat "$0.says").0" ;;
'-m venv '*)
    echo "venv" >>{journal}/journal
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"; cp "$0.says" "$3/bin/python.says"; cp "$0.rc" "$3/bin/python.rc"
    printf '#!/bin/sh\\necho "linkatlas in $(/bin/pwd): $*"\\n' >"$3/bin/linkatlas"
    chmod +x "$3/bin/linkatlas"
    ;;
*pip*)
    echo "pip $*" >>{journal}/journal
    if [ -f {journal}/pip-waits ]; then echo >{journal}/pip-is-here; sleep 0.3; fi
    if [ -f {journal}/pip-fails ]; then echo "no route to anywhere"; exit 1; fi
    ;;
esac
"""


def _heed_signals() -> None:
    """A shell cannot trap what was ignored when it began, as under nohup (SIGHUP) or behind an & (SIGINT)."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


@dataclass(frozen=True)
class Checkout:
    """A copy of what ./run reads, in a folder whose name has a space, on a PATH of its own."""

    path: Path
    tools: Path
    home: Path

    def python(self, name: str, says: str, rc: int = 0) -> Path:
        python = self.tools / name
        python.write_text(PRETENDED.replace("{journal}", f"'{self.home}'"))
        python.chmod(0o755)
        Path(f"{python}.says").write_text(says)
        Path(f"{python}.rc").write_text(str(rc))
        return python

    def start(self, *args: str, cwd: Path | None = None, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.path / "run", *args],
            cwd=cwd or self.home,
            env={"PATH": str(self.tools), "HOME": str(self.home), **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_heed_signals,  # noqa: PLW1509  no other threads
        )

    def run(self, *args: str, cwd: Path | None = None, **env: str) -> tuple[int, str, str]:
        with self.start(*args, cwd=cwd, **env) as started:
            out, err = started.communicate(timeout=20)
        return started.returncode, out, err

    def journal(self) -> list[str]:
        journal = self.home / "journal"
        return journal.read_text().splitlines() if journal.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    path, tools, home = tmp_path / "a checkout", tmp_path / "tools", tmp_path / "home"
    for folder in (path / "requirements", tools, home):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "run", path)
    for name in ("pyproject.toml", "requirements/build.txt", "requirements/run.txt", "requirements/test.txt"):
        (path / name).write_text(f"{name}\n")
    for name in TOOLS:
        found = shutil.which(name)
        assert found, f"this machine has no {name}"
        (tools / name).symlink_to(found)
    return Checkout(path, tools, home)


def test_without_any_python_it_names_what_installs_one(checkout: Checkout) -> None:
    status, out, err = checkout.run("status")
    assert (status, out) == (69, "")
    assert err.count("\n") == 1
    assert "apt install python3 python3-venv" in err


@pytest.mark.parametrize("says", ["is Python 3.10", "is Python 3.14"])
def test_a_python_of_another_version_is_none(checkout: Checkout, says: str) -> None:
    checkout.python("python3", says, rc=1)
    status, _, err = checkout.run("status")
    assert status == 69
    assert err.startswith("run: no Python 3.11 to 3.13 found")
    assert checkout.journal() == []


def test_a_python_without_venv_names_the_package_of_its_version(checkout: Checkout) -> None:
    # A real Python that cannot import ensurepip, as Debian's is without python3-venv.
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    (checkout.home / "ensurepip.py").write_text("raise ImportError")
    fake = checkout.tools / "python3"
    fake.write_text(f"#!/bin/sh\nPYTHONPATH='{checkout.home}' exec '{sys.executable}' \"$@\"\n")
    fake.chmod(0o755)
    status, _, err = checkout.run("status")
    assert status == 69
    assert err == f"run: python3 lacks ensurepip; install it: apt install python{version}-venv\n"


def test_the_next_python_is_tried_when_one_will_not_do(checkout: Checkout) -> None:
    checkout.python("python3.13", "pyenv: python3.13: command not found", rc=127)
    checkout.python("python3.12", "lacks ensurepip", rc=1)
    checkout.python("python3", "3.11")
    status, out, err = checkout.run("status", "--all")
    assert (status, out) == (0, f"linkatlas in {checkout.home}: status --all\n")
    assert err == "run: setting up .venv with Python 3.11.0 …\n"


@pytest.mark.parametrize("named", ["no-such-python", "old"])
def test_a_named_python_that_will_not_do_is_not_replaced_by_another(checkout: Checkout, named: str) -> None:
    checkout.python("python3", "3.12")
    checkout.python("old", "is Python 3.9", rc=1)
    status, _, err = checkout.run("status", LINKATLAS_PYTHON=named)
    assert status == 69
    assert err.startswith(f"run: LINKATLAS_PYTHON={named} is ")
    assert checkout.journal() == []


def test_it_installs_by_hash_and_only_once(checkout: Checkout) -> None:
    checkout.python("python3", "3.12")
    assert checkout.run("status")[0] == 0
    first = checkout.journal()
    assert [line.split()[0] for line in first] == ["venv", "pip", "pip"]
    assert "--require-hashes --only-binary :all:" in first[1]
    assert first[1].endswith("requirements/run.txt")
    assert "--no-deps --no-build-isolation -e" in first[2]

    elsewhere = checkout.home / "elsewhere"
    elsewhere.mkdir()
    assert checkout.run("x", "a b", cwd=elsewhere) == (0, f"linkatlas in {elsewhere}: x a b\n", "")
    assert checkout.run() == (0, f"linkatlas in {checkout.home}: --help\n", "")
    assert checkout.journal() == first


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements/build.txt", "requirements/run.txt"])
def test_it_installs_again_when_what_it_was_made_from_changes(checkout: Checkout, changed: str) -> None:
    checkout.python("python3", "3.12")
    checkout.run("status")
    before = len(checkout.journal())
    with (checkout.path / changed).open("a") as file:
        file.write("more\n")
    assert checkout.run("status")[0] == 0
    assert [line.split()[0] for line in checkout.journal()[before:]] == ["pip", "pip"]


def test_another_named_python_makes_the_environment_anew(checkout: Checkout) -> None:
    checkout.python("python3", "3.12")
    other = checkout.python("other", "3.11")
    checkout.run("status")
    before = len(checkout.journal())
    assert checkout.run("status", LINKATLAS_PYTHON=str(other))[0] == 0
    assert checkout.journal()[before] == "venv"
    before = len(checkout.journal())
    assert checkout.run("status", LINKATLAS_PYTHON=str(other))[2] == ""
    assert checkout.run("status")[2] == ""  # any Python will do, so this one does
    assert len(checkout.journal()) == before


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.python("python3", "3.12")
    checkout.run("status")
    (checkout.path / ".venv/bin/python").unlink()
    before = len(checkout.journal())
    assert checkout.run("status")[0] == 0
    assert checkout.journal()[before] == "venv"


def test_a_failed_install_says_why_and_is_not_taken_for_done(checkout: Checkout) -> None:
    checkout.python("python3", "3.12")
    (checkout.home / "pip-fails").touch()
    status, out, err = checkout.run("status")
    assert (status, out) == (69, "")
    assert "no route to anywhere" in err
    assert not (checkout.path / ".venv.lock").exists()
    (checkout.home / "pip-fails").unlink()
    before = len(checkout.journal())
    assert checkout.run("status")[0] == 0
    assert checkout.journal()[before] == "venv"  # nobody knows how far the first one came


@pytest.mark.parametrize("signalled", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_setup_cut_off_leaves_nothing_in_the_way(checkout: Checkout, signalled: signal.Signals) -> None:
    checkout.python("python3", "3.12")
    (checkout.home / "pip-waits").touch()
    with checkout.start("status") as cut:
        deadline = time.monotonic() + 10
        while not (checkout.home / "pip-is-here").exists():
            assert time.monotonic() < deadline, "pip was never called"
            time.sleep(0.01)
        cut.send_signal(signalled)
        cut.communicate(timeout=20)
    assert cut.returncode == 130
    assert not (checkout.path / ".venv.lock").exists()
    (checkout.home / "pip-waits").unlink()
    status, out, err = checkout.run("status")
    assert (status, out) == (0, f"linkatlas in {checkout.home}: status\n")
    assert "waiting" not in err


def test_two_at_once_install_once(checkout: Checkout) -> None:
    checkout.python("python3", "3.12")
    (checkout.home / "pip-waits").touch()
    with checkout.start("status") as one, checkout.start("status") as two:
        assert {one.communicate(timeout=20)[0], two.communicate(timeout=20)[0]} == {
            f"linkatlas in {checkout.home}: status\n"
        }
    assert [line.split()[0] for line in checkout.journal()] == ["venv", "pip", "pip"]


def test_a_uv_that_cannot_run_is_not_used(checkout: Checkout) -> None:
    checkout.python("python3", "3.12")
    uv = checkout.tools / "uv"
    uv.write_text("#!/bin/sh\nexit 127\n")
    uv.chmod(0o755)
    assert checkout.run("status")[0] == 0
    assert len(checkout.journal()) == 3


def test_lock_without_uv_names_it(checkout: Checkout) -> None:
    status, _, err = checkout.run("lock")
    assert status == 69
    assert "pip install uv" in err
