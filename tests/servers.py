"""Real servers for tests: started on a socket in a temporary folder, ended by their process."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

REDIS = os.environ.get("TEST_REDIS_SERVER", "redis-server")  # or the program of another release


class RedisServer:
    """A redis-server (or ``program``) with its append-only file in ``folder``, or a sentinel with its configuration."""

    def __init__(
        self, folder: Path, options: Sequence[str] = (), *, sentinel: Path | None = None, program: str = REDIS
    ) -> None:
        self._program = program
        self._sentinel = sentinel
        self.folder, self.socket = folder, folder / "redis.sock"
        self.port = free_port()
        self._options = options
        self._password = options[options.index("--requirepass") + 1] if "--requirepass" in options else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

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
        log = (self.folder / "redis.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [*command, *(["--sentinel"] if self._sentinel else aof), *self._options], stdout=log, stderr=log
            )
        client = self.client()
        for _ in range(500):
            try:
                client.ping()
                break
            except redis.RedisError:
                if self._process.poll() is not None:
                    raise RuntimeError((self.folder / "redis.log").read_text()) from None
                time.sleep(0.01)
        client.close()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, low enough for a cluster's second port above it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
