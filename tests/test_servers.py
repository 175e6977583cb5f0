"""Servers of tests do not outlive the process that started them, however that ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.crawls.command import ROOT
from tests.servers import left_behind

STARTS = """
import sys, time
from pathlib import Path
from tests.servers import RedisServer
with RedisServer(Path(sys.argv[1])) as server:
    print(server.pid, flush=True)
    time.sleep(300)
"""


def test_a_server_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTS, tmp_path], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        server = int(process.stdout.readline())
        assert runs(server)
        process.kill()
    ends = time.monotonic() + 60
    while runs(server):
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_what_is_left_to_do_is_left_alone_where_the_block_ends(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.touch()
    with left_behind('rm "$1"', str(kept)):
        pass
    assert kept.exists()


def runs(process: int) -> bool:
    """Whether a process is there and more than a zombie that nobody waits for."""
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    except OSError:
        return False
