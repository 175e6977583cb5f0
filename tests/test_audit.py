"""What .ci/audit makes of the answers of pip-audit, which is pretended here: nothing is installed, nobody is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parents[1] / ".ci" / "audit"
CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNSEEN = {"name": "c", "skip_reason": "Dependency not found on PyPI"}

# Writes what the service that is asked for says, and leaves with its code; says nothing where that is none.
PRETENDED = """#!{python}
import json, sys
answers = json.loads({answers!r})
code, told = answers[sys.argv[sys.argv.index("--service") + 1]]
if told is not None:
    open(sys.argv[sys.argv.index("--output") + 1], "w").write(json.dumps({{"dependencies": told}}))
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("pypi", "osv", "code", "says"),
    [
        ((0, [CLEAN, CLEAN]), None, 0, "audit: 2 locked packages, no advisory is known"),
        ((1, [CLEAN, BAD]), None, 1, "audit: b 2: PYSEC-1, mended in 3"),
        ((0, [UNSEEN, UNSEEN]), (0, [CLEAN]), 0, "audit: 1 locked packages"),
        ((0, [UNSEEN, BAD]), None, 1, "PYSEC-1"),
        ((0, [UNSEEN, CLEAN]), (1, None), 0, "NOT AUDITED"),
        ((1, None), (1, None), 0, "NOT AUDITED"),
        ((0, []), (0, []), 0, "NOT AUDITED"),
    ],
    ids=[
        "clean",
        "an advisory",
        "by the other",
        "an advisory among unseen ones",
        "half seen",
        "nobody there",
        "nothing",
    ],
)
def test_what_is_made_of_an_audit(tmp_path: Path, pypi: Any, osv: Any, code: int, says: str) -> None:
    program = tmp_path / "pip-audit"
    answers = json.dumps({"pypi": pypi, "osv": osv})
    program.write_text(PRETENDED.format(python=sys.executable, answers=answers))
    program.chmod(0o755)
    ran = subprocess.run(
        ["bash", AUDIT],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert (ran.returncode, ran.stderr) == (code, "")
    assert says in ran.stdout
