"""Giving back what a server's files hold and do not use: its ``compact``, collection by collection, on each member of the set.

Since MongoDB 4.4 nobody who reads or writes has to wait for it; what it is forced to is to do so on the primary too. A member
knows nothing of what another gives back, so each is asked by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from pymongo.errors import ConnectionFailure, OperationFailure

from linkindex.errors import BadInput, Unavailable
from linkindex.store.mongo.place import Place
from linkindex.store.mongo.schema import COLLECTIONS, Db
from linkindex.store.selection import Compacted

_NOT_ALLOWED = 13


def compact(place: Place) -> Iterator[Compacted]:
    """Compact all members that can be reached; those that cannot are told at the end. Raises :class:`BadInput` where it is
    not the server that would have to do it, or the user may not ask for it."""
    away: list[str] = []
    with ExitStack() as stack:
        there: dict[str, Db] = {}
        sizes: dict[str, int] = {}
        for address in members(place, place.client.admin.command("hello")):
            db = stack.enter_context(place.member(address))
            try:
                there[address], sizes[address] = db, _size(db)
            except ConnectionFailure:
                away.append(address)
        before, of = sum(sizes.values()), len(COLLECTIONS)
        for address, db in there.items():
            try:
                for done, name in enumerate(COLLECTIONS, 1):
                    _compact(place, db, name)
                    sizes[address] = _size(db)
                    yield Compacted(part=address, done=done, of=of, before=before, after=sum(sizes.values()))
            except ConnectionFailure:
                away.append(address)
    if away:
        raise Unavailable(
            f"index {place.name}: no answer from {', '.join(away)}, and what is unused there was not given back; run this "
            "again when all members are there"
        )


def members(place: Place, hello: Mapping[str, Any]) -> list[str]:
    """Return the addresses of the members that hold data, the primary last; or the one that the URL connects to directly.

    ``hello`` is what the server says of itself.
    """
    if hello.get("msg") == "isdbgrid":
        command = f'db.getSiblingDB("{place.db.name}").runCommand({{ compact: name, force: true }})'
        raise BadInput(
            f"index {place.name}: a mongos has no files; connect to each member of each shard with mongosh, and there: "
            f"for (const name of {[*COLLECTIONS]}) {command}"
        )
    if place.address:
        return [place.address]
    return sorted(
        [*hello.get("hosts", ()), *hello.get("passives", ())], key=lambda address: address == hello.get("primary")
    )


def _compact(place: Place, db: Db, name: str) -> None:
    try:
        db.command("compact", name, force=True)
    except OperationFailure as error:
        if error.code != _NOT_ALLOWED:
            raise
        raise BadInput(
            f"index {place.name}: this user may not compact; an administrator grants it, in mongosh: use admin; "
            f'db.grantRolesToUser(USER, [{{ role: "dbAdmin", db: "{db.name}" }}])'
        ) from error


def _size(db: Db) -> int:
    """Return the bytes of the files of a member."""
    return int(db.command("dbStats")["totalSize"])
