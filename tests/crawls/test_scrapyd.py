"""A crawl that scrapyd runs: deployed by its own program from scrapy.cfg, scheduled by its API, read as any other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interfaces.demo.serve import serving
from interfaces.demo.site import make_site
from tests.crawls.command import ROOT, environment, run
from tests.servers import free_port

PAGES = 20
SITE = make_site(PAGES)
BIN = Path(sys.executable).parent
PROJECT = ("scrapy.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE")


class Scrapyd:
    """A real one, on 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        (folder / "scrapyd.conf").write_text(
            f"[scrapyd]\nbind_address = 127.0.0.1\nhttp_port = {self.port}\npoll_interval = 0.2\n"
            "eggs_dir = eggs\nlogs_dir = logs\ndbs_dir = dbs\n"
        )
        with (folder / "scrapyd.log").open("wb") as log:
            # A folder of its own: in one with a scrapy.cfg it would offer that project, deployed or not.
            self.process = subprocess.Popen(
                [BIN / "scrapyd", "--pidfile="],
                cwd=folder,
                env=environment(PYTHONWARNINGS="ignore"),
                stdout=log,
                stderr=log,
            )

    def ask(self, path: str, **given: Any) -> dict[str, Any]:
        """Ask its API: with something ``given`` by POST."""
        sent = urllib.parse.urlencode(given, doseq=True).encode() if given else None
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", sent, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
        assert told["status"] == "ok", told
        return told

    def wait(self) -> None:
        """Return once it answers."""
        ends = time.monotonic() + 60
        while True:
            try:
                self.ask("daemonstatus.json")
                return
            except urllib.error.URLError:
                assert self.process.poll() is None and time.monotonic() < ends, (
                    self.folder / "scrapyd.log"
                ).read_text()
                time.sleep(0.1)

    def finished(self, job: str) -> str:
        """Return the log of a job once it has ended."""
        ends = time.monotonic() + 120
        while job not in [one["id"] for one in self.ask("listjobs.json?project=linkatlas")["finished"]]:
            assert time.monotonic() < ends
            time.sleep(0.2)
        return (self.folder / "logs" / "linkatlas" / "discover" / f"{job}.log").read_text()


@pytest.fixture
def scrapyd(tmp_path: Path) -> Iterator[Scrapyd]:
    (tmp_path / "scrapyd").mkdir()
    scrapyd = Scrapyd(tmp_path / "scrapyd")
    try:
        scrapyd.wait()
        yield scrapyd
    finally:
        scrapyd.process.terminate()
        scrapyd.process.wait(timeout=60)


def deploy(folder: Path, port: int) -> None:
    """Deploy this project, from a copy: building leaves files behind."""
    project = folder / "project"
    project.mkdir()
    for name in PROJECT:
        shutil.copy(ROOT / name, project)
    configuration = project / "scrapy.cfg"
    configuration.write_text(configuration.read_text().replace("localhost:6800", f"127.0.0.1:{port}"))
    done = subprocess.run(
        [BIN / "scrapyd-deploy", "-v", "1"], cwd=project, env=environment(PYTHONWARNINGS="ignore"),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_scrapyd_runs_a_crawl_that_was_deployed_from_scrapy_cfg(tmp_path: Path, scrapyd: Scrapyd) -> None:
    deploy(tmp_path, scrapyd.port)
    assert scrapyd.ask("listversions.json?project=linkatlas")["versions"] == ["1"]
    assert scrapyd.ask("listspiders.json?project=linkatlas")["spiders"] == ["discover"]
    with serving("--site", str(PAGES)) as site:
        options = {
            "INDEX": f"sqlite:///{tmp_path}/links.db", "STAY": "domain", "DELAY": "0", "DEPTH": "20", "SITEMAPS": "none",
            "CONNECT_TO": f"site.example:80:127.0.0.1:{site}", "LOG_LEVEL": "info",
        }  # fmt: skip
        settings = [f"LINKATLAS_{name}={value}" for name, value in options.items()]
        job = scrapyd.ask(
            "schedule.json", project="linkatlas", spider="discover", seeds=SITE.seeds[0], setting=settings
        )
        log = scrapyd.finished(job["jobid"])
    assert "Traceback" not in log
    planted = next(link for link in SITE.links() if "site.example" not in link.target)
    ran = run(tmp_path, "backlinks", planted.target, "--index", options["INDEX"])
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [(row["source"], row["anchor"]) for row in rows] == [(planted.source, planted.anchor)]
    status = json.loads(run(tmp_path, "status", "--index", options["INDEX"]).out)
    assert status["frontier"]["done"] == status["index"]["by_outcome"]["page"] == PAGES
