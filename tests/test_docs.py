"""Everything is documented, and what is documented exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from interfaces.cli.docs import PAGES
from interfaces.cli.main import COMMANDS
from linkindex.answers.rows import Backlink, Broken
from linkindex.model import KINDS, PLACEMENTS
from settings.options import IN_FILE, OTHER_VARIABLES, PREFIX, docs_table, flag, specs

ROOT = Path(__file__).parents[1]
PAGES_OF_OURS = sorted((ROOT / "docs").glob("*.md"))
# Flags of docker, kubectl and interfaces.keys, in what tells of containers.
OF_OTHERS = {
    *"--build-arg --entrypoint --force-recreate --from-file --mongo --profile --rm --scale --secret".split(),
    *"--take --user --volumes".split(),
}
# bad-input.md names, on purpose, what does not exist; the tests of its rows keep it honest.
PROSE = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(page for page in PAGES_OF_OURS if page.name != "bad-input.md")]


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_current(name: str) -> None:
    current = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert current == PAGES[name](), "write it anew: python -m interfaces.cli.docs docs"


def test_every_command_and_option_is_documented() -> None:
    commands = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    options = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"## {name}\n" not in commands] == []
    assert options.endswith(docs_table())
    # Every option can be given to some command, as a whole word: --max-pages is not found in --max-pages-per-host.
    assert [name for name in specs() if not re.search(rf"^  {flag(name)}\s", commands, re.MULTILINE)] == []


@pytest.mark.parametrize("page", PROSE, ids=lambda path: path.name)
def test_what_prose_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {flag(name) for name in specs()} | set(re.findall(r"--[a-z][a-z-]+", PAGES["commands.md"]()))
    known |= {"--upgrade", "--require-hashes", "--only-binary"}
    known |= OF_OTHERS if page.name in ("deploy.md", "README.md") else set()
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= known
    called = re.findall(r"(?:^\$ linkatlas|^\./run|`linkatlas|`\./run) ([a-z]+)", text, re.MULTILINE)
    assert set(called) <= {*COMMANDS, "test", "lock"}
    options = {f"{PREFIX}{name.upper()}" for name in specs()}
    variables = options | {name + IN_FILE for name in options} | set(OTHER_VARIABLES)
    assert set(re.findall(r"LINKATLAS_[A-Z_]+\b", text)) <= variables


def test_the_readme_names_what_a_newcomer_asks_for() -> None:
    """Else the checks above would pass on an empty page."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if name != "config" and not re.search(rf"[`/ ]{name}\b", text)] == []
    assert set(re.findall(r"\| `([a-z]+)(?: [A-Z]+)?`", text)) <= {*COMMANDS}
    rows = [json.loads(line) for line in text.splitlines() if line.startswith('{"source"')]
    assert [tuple(row) for row in rows] == [Backlink.__struct_fields__]


@pytest.mark.parametrize("page", PROSE, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_modules_that_the_architecture_names_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:crawler|interfaces|linkindex|pipelines|settings|tests|benchmarks)/[\w/.]*)`", text))
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_field_of_a_backlink_is_explained() -> None:
    text = (ROOT / "docs/links.md").read_text(encoding="utf-8")
    assert [name for name in Broken.__struct_fields__ if f"`{name}`" not in text] == []
    assert [word for word in (*KINDS, *PLACEMENTS) if f"`{word}`" not in text] == []
