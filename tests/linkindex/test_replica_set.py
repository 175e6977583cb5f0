"""A mongod with passwords, as deploy/ starts it, is made ready by its companion."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pymongo
import pytest

from interfaces import keys
from linkindex.errors import LinkatlasError
from linkindex.store import open_index
from tests.servers import MongoServer


class Untouched(MongoServer):
    """A mongod that nobody has begun a replica set on."""

    def _primary(self, client: pymongo.MongoClient[dict[str, Any]]) -> bool:
        try:
            return bool(client.admin.command("hello"))
        except pymongo.errors.ConnectionFailure:
            return False


def _begin(server: MongoServer, folder: Path) -> str:
    command = [sys.executable, "-m", "linkindex.store.mongo.replica_set", folder, "--port", server.port]
    command += ["--member", server.address]
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout


def test_a_mongod_with_passwords_becomes_a_set_of_one_with_a_user_for_the_index(tmp_path: Path) -> None:
    files, folder, key = tmp_path / "mongod", tmp_path / "keys", tmp_path / "key"
    files.mkdir()
    folder.mkdir()
    key.write_text("a" * 64)
    key.chmod(0o400)
    with Untouched(files, ["--keyFile", str(key)], replica_set="rs0") as server:
        keys.make(folder, "redis:6379", server.address, "web", "links")
        url = (folder / "index").read_text().strip()
        assert _begin(server, folder) == _begin(server, folder) == "replica set: begun, with its users\n"
        with open_index(url, create=True) as index:
            assert list(index.compact())[-1].part == server.address  # it has the role for that
        with pytest.raises(LinkatlasError, match="links"):
            open_index(url.replace("linkatlas:", "linkatlas:x"), create=True)
        with (
            server.client() as stranger,
            pytest.raises(pymongo.errors.OperationFailure, match="requires authentication"),
        ):
            stranger.links.pages.find_one()

        (folder / "mongo").unlink()
        (folder / "mongo").write_text("another\n")  # a new password is given to the user
        _begin(server, folder)
        open_index(f"mongodb://linkatlas:another@{server.address}/links?authSource=admin").close()
