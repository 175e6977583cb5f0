"""A running crawl listens on nothing, and where it is told to on no more than that."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crawls.command import command, environment
from tests.rawserver import page, serving, silence
from tests.servers import free_port

LISTEN = "0A"  # of /proc/net/tcp, in which states are numbers


def listening(pid: int) -> list[str]:
    """Return the local addresses on which a process and its children listen: by TCP, UDP or a socket with a name."""
    inodes = set()
    for process in (pid, *children(pid)):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            try:
                target = str(descriptor.readlink())
            except FileNotFoundError:  # closed meanwhile
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            unconnected = fields[2].endswith(":0000")
            if fields[9] in inodes and (fields[3] == LISTEN or ("udp" in table and unconnected)):
                found.append(f"{table} {fields[1]}")
    for line in Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[6] in inodes and len(fields) > 7:
            found.append(f"unix {fields[7]}")
    return found


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(one) for one in text.split()]


@contextmanager
def crawling(folder: Path, *options: str) -> Iterator[int]:
    """Run a crawl that waits for two sites that do not answer; yields its process id."""
    with serving({"/": silence, "/robots.txt": page(b"")}) as server:
        crawl = subprocess.Popen(
            command("crawl", "http://a.example/", "http://b.example/", "--connect-to", f"::127.0.0.1:{server.port}",
                    "--delay", "0", "--max-wait", "0", "--sitemaps", "none", *options),
            cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            for _ in range(1200):
                if sum(b"GET / " in head for head in server.requests) == 2:
                    break
                time.sleep(0.05)
            assert sum(b"GET / " in head for head in server.requests) == 2
            yield crawl.pid
        finally:
            crawl.kill()
            crawl.wait()


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")


@linux
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_running_crawl_listens_on_nothing(tmp_path: Path, workers: str) -> None:
    with crawling(tmp_path, "--workers", workers) as pid:
        assert len(children(pid)) >= int(workers) - 1
        assert listening(pid) == []


@linux
def test_who_is_to_be_watched_listens_on_one_port_of_loopback_a_process(tmp_path: Path) -> None:
    port = free_port()
    with crawling(tmp_path, "--workers", "2", "--metrics-port", str(port)) as pid:
        expected = [f"tcp 0100007F:{port + number:04X}" for number in range(2)]
        for _ in range(400):  # the worker may have begun later
            if sorted(listening(pid)) == expected:
                break
            time.sleep(0.05)
        assert sorted(listening(pid)) == expected


def test_the_witness_sees_who_listens() -> None:
    with serving({}) as server:
        assert f"tcp 0100007F:{server.port:04X}" in listening(os.getpid())
