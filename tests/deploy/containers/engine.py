"""Podman and buildah with a store of their own, in a folder, and a network that leads nowhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[3]
CONTACT = "us@owner.example"
# What a plain machine needs to run containers without systemd.
_CONTAINERS = """
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "{folder}/libpod"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
_STORAGE = """
[storage]
driver = "overlay"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""


class Failed(AssertionError):
    """A command ended otherwise than it should; the text is what it said."""


class Engine:
    """Builds images and runs containers. ``with`` it, so that they end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in (("containers.conf", _CONTAINERS), ("storage.conf", _STORAGE)):
            (folder / name).write_text(text.format(folder=folder))
        (folder / "tmp").mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LINKATLAS_")}
        self._environment = {
            **kept,
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "TMPDIR": str(folder / "tmp"),
            "DISABLE_HC_SYSTEMD": "true",  # health is asked for by `podman healthcheck run`
            "LINKATLAS_CONTACT": CONTACT,
            "NODE_IMAGE": "localhost/linkatlas",
            "REDIS_IMAGE": "localhost/redis",
            "MONGO_IMAGE": "localhost/mongo",
        }

    def __enter__(self) -> Self:
        lonely = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"]
        self._network = subprocess.Popen(lonely, stdout=subprocess.PIPE, text=True)
        assert self._network.stdout and self._network.stdout.readline() == "up\n"
        self._empty()
        return self

    def __exit__(self, *exc: object) -> None:
        self._empty()
        self._network.kill()
        with self._network:  # closes its pipe
            pass
        for parent in Path("/sys/fs/cgroup").glob("**/libpod_parent"):
            for folder in (*sorted(parent.glob("**/"), reverse=True), parent):
                with suppress(OSError):  # others have containers too, and theirs are not empty
                    folder.rmdir()

    def _empty(self) -> None:
        with suppress(Failed):
            self.podman("rm", "--all", "--force", "--volumes")
            self.podman("volume", "rm", "--all", "--force")

    def podman(self, *arguments: str, **options: Any) -> str:
        """Run podman where there is no other network than those that it makes; return what it prints."""
        return self._lonely("podman", *arguments, **options)

    def compose(self, files: list[str], *arguments: str, **options: Any) -> str:
        program = Path(sys.executable).parent / "podman-compose"
        chosen = [word for file in files for word in ("-f", str(ROOT / file))]
        return self._lonely(str(program), *chosen, *arguments, **options)

    def build(self, dockerfile: str, context: Path, tag: str, **arguments: str) -> None:
        given = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        how = ("--format", "docker", "--runtime", "runc", "--network", "host", "--layers=false")
        self._run(["buildah", "bud", *how, *given, "-f", str(ROOT / dockerfile), "-t", tag, str(context)], 900.0)

    def import_base(self, name: str, suite: str) -> None:
        """Make an image of Debian's packages: a Python with venv, and the certificates that this machine trusts."""
        root = self.folder / "base"
        packages = "python3,python3-venv,ca-certificates"
        self._run(["debootstrap", "--variant=minbase", f"--include={packages}", suite, str(root)], 900.0)
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", root / "etc/ssl/certs/ca-certificates.crt")
        for dropped in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
            shutil.rmtree(root / dropped)
        archive = self.folder / "base.tar"
        self._run(["tar", "-C", str(root), "--exclude=./dev/*", "-cf", str(archive), "."], 300.0)
        self.podman("import", str(archive), name)
        archive.unlink()
        shutil.rmtree(root)

    def _lonely(self, *command: str, timeout: float = 300.0, merged: bool = False) -> str:
        return self._run(["nsenter", f"--net=/proc/{self._network.pid}/ns/net", *command], timeout, merged)

    def _run(self, command: list[str], timeout: float, merged: bool = False) -> str:
        """Run to the end; ``merged``: return what it said on stderr too."""
        done = subprocess.run(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            raise Failed(
                f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{(done.stderr or '')[-3000:]}"
            )
        return done.stdout
