"""Begins the replica set of one that a mongod on this address is to be, and makes its users.

``python3 -m linkindex.store.mongo.replica_set KEYS --member mongo:27017``, in the network namespace of the mongod: until it
has a user, one that asks for passwords lets those in who come from 127.0.0.1, and nobody else. What is done is not done
again. For deploy/, which starts a mongod of its own.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import ConnectionFailure, OperationFailure

PATIENCE = 300.0  # s that a mongod may take to start, to mend its files, or until its name is known to a name server
_ALREADY = 23  # AlreadyInitialized
_NEEDS_LOGIN = 13  # Unauthorized: there are users, so all is done

Client = pymongo.MongoClient[dict[str, Any]]


def begin(port: int, name: str, member: str, keys: Path, database: str) -> None:
    """Make the mongod on 127.0.0.1 the set ``name`` of one ``member`` (HOST:PORT, as others reach it), with its users."""
    with _client(port) as client:
        _wait(client, lambda said: "setName" in said or _initiated(client, name, member))
        _wait(client, lambda said: bool(said["isWritablePrimary"]))
        _make_admin(client, _read(keys / "mongo-admin"))
    with _client(port, username="admin", password=_read(keys / "mongo-admin")) as client:
        # dbAdmin is what `linkatlas compact` needs, clusterMonitor what `linkatlas doctor` asks the server by.
        roles = [{"role": name, "db": database} for name in ("readWrite", "dbAdmin")]
        roles.append({"role": "clusterMonitor", "db": "admin"})
        made = client.admin.command("usersInfo", "linkatlas")["users"]
        command = "updateUser" if made else "createUser"
        client.admin.command(command, "linkatlas", pwd=_read(keys / "mongo"), roles=roles)


def _client(port: int, **login: Any) -> Client:
    return pymongo.MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=2000, **login)


def _wait(client: Client, is_so: Callable[[dict[str, Any]], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            if is_so(client.admin.command("hello")):
                return
            wrong = "it does not become the primary of its set"
        except (ConnectionFailure, OperationFailure) as error:
            wrong = str(error).partition(", full error")[0]
        if time.monotonic() > give_up:
            raise SystemExit(f"replica set: the mongod on 127.0.0.1 was not ready within {PATIENCE:.0f} s: {wrong}")
        time.sleep(0.2)


def _initiated(client: Client, name: str, member: str) -> bool:
    try:
        client.admin.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": member}]})
    except OperationFailure as error:
        if error.code not in (_ALREADY, _NEEDS_LOGIN):
            raise  # as long as its own name leads it nowhere, it refuses
    return True


def _make_admin(client: Client, password: str) -> None:
    try:
        client.admin.command("createUser", "admin", pwd=password, roles=["root"])
    except OperationFailure as error:
        if error.code != _NEEDS_LOGIN:
            raise


def _read(path: Path) -> str:
    return path.read_text().strip()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m linkindex.store.mongo.replica_set")
    parser.add_argument("keys", type=Path, help="folder with the passwords that interfaces.keys made")
    parser.add_argument("--port", type=int, default=27017)
    parser.add_argument("--name", default="rs0")
    parser.add_argument("--member", default="mongo:27017", metavar="HOST:PORT", help="the mongod, as nodes reach it")
    parser.add_argument("--database", default="links")
    parser.add_argument(
        "--stay", action="store_true", help="do not end when all is done, as the companion of a container"
    )
    options = parser.parse_args()
    begin(options.port, options.name, options.member, options.keys, options.database)
    print("replica set: begun, with its users", flush=True)
    if options.stay:
        for number in (signal.SIGTERM, signal.SIGINT):  # the first process of a container has no defaults
            signal.signal(number, lambda *_: sys.exit(0))
        signal.pause()


if __name__ == "__main__":
    main()
