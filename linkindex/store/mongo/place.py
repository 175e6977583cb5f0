"""Where an index is, and what the driver's errors mean there. Passwords are in no message."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

import pymongo
from pymongo import ReadPreference, uri_parser
from pymongo.client_session import ClientSession
from pymongo.errors import (
    ConfigurationError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from linkindex.errors import BadInput, TimedOut, Unavailable
from linkindex.store.mongo.schema import Db

WAIT = 15.0  # seconds for a server that takes writes: a replica set elects another in about ten
WRITES = WriteConcern(w="majority", j=True, wtimeout=60_000)

_NOT_ALLOWED = {13: "may not do this", 18: "does not know this user, or the password is another"}
_DISK_FULL = 14031
_SECONDS = 60  # for a transaction with all its tries; the server gives each as much

Result = TypeVar("Result")


class Place:
    """The database that an index URL names, and the client that leads there."""

    def __init__(self, url: str, wait: float = WAIT) -> None:
        self._wait = wait
        self.name = _without_password(url)
        self._url = url
        try:
            self._database = uri_parser.parse_uri(url, warn=False)["database"]
            if not self._database:
                raise BadInput(f"index {self.name}: no database is named; write mongodb://HOST:PORT/NAME")
            self._connect()
        except (PyMongoError, ValueError, TypeError) as error:
            raise BadInput(f"index {self.name}: {_line(error)}; write mongodb://HOST:PORT/NAME") from None

    def _connect(self) -> None:
        wait = round(self._wait * 1000)
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            self._url, appname="linkatlas", serverSelectionTimeoutMS=wait, connectTimeoutMS=wait, tz_aware=False
        )
        self.db: Db = self.client.get_database(
            self._database, write_concern=WRITES, read_concern=ReadConcern("majority")
        )

    @property
    def address(self) -> str | None:
        """HOST:PORT of the one server that the URL connects to directly; None where it means the whole set."""
        if not self.client.options.direct_connection or self.client.address is None:
            return None
        host, port = self.client.address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @contextmanager
    def member(self, address: str) -> Iterator[Db]:
        """Connect to one member of the set alone, as the same user and by the same options; a call may take any time."""
        given = uri_parser.parse_uri(self._url, warn=False)
        options: dict[str, Any] = {name: given[name] for name in ("username", "password") if given[name] is not None}
        if given["options"].get("tls"):  # mongodb+srv:// has it without a word
            options["tls"] = True
        with pymongo.MongoClient(
            f"mongodb://{address}/{self._database}?{self._url.partition('?')[2]}",
            authSource=given["options"].get("authSource", self._database),
            directConnection=True,
            serverSelectionTimeoutMS=round(self._wait * 1000),
            socketTimeoutMS=0,
            **options,
        ) as client:
            yield client.get_database(self._database)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Tell what the driver raises in the terms of :mod:`linkindex.errors`."""
        try:
            yield
        except PyMongoError as error:
            if isinstance(error, ConfigurationError):
                # A connection that was made while the server started has no sessions, and the driver would keep it.
                self.client.close()
                self._connect()
            raise self._told(error) from error

    def _told(self, error: PyMongoError) -> Exception:
        code = getattr(error, "code", None)
        where = f"index {self.name}"
        if isinstance(error, ExecutionTimeout):
            return TimedOut(f"{where}: the question took longer than it may; ask for less, or give it more time")
        if isinstance(error, ServerSelectionTimeoutError):
            return Unavailable(
                f"{where}: no server that takes writes answered within {self._wait:g} s; is mongod running, and are host, port "
                "and replica set right?"
            )
        if code in _NOT_ALLOWED:
            return BadInput(f"{where}: the server {_NOT_ALLOWED[code]}; see the user and password in the URL")
        if code == _DISK_FULL:
            return Unavailable(f"{where}: the server's disk is full; nothing was lost, make room and run this again")
        return Unavailable(f"{where}: {_line(error)}; nothing was lost, run the same command again")

    def close(self) -> None:
        self.client.close()


def transact(place: Place, work: Callable[[ClientSession], Result]) -> Result:
    """Do ``work`` wholly or not at all; begin anew while another writer is in the way."""
    ends = time.monotonic() + _SECONDS
    with place.errors(), place.client.start_session() as session:
        for tried in count():
            try:
                with session.start_transaction(ReadConcern("snapshot"), WRITES, ReadPreference.PRIMARY):
                    return work(session)
            except OperationFailure as error:
                if not error.has_error_label("TransientTransactionError") or time.monotonic() > ends:
                    raise
                time.sleep(random.uniform(0, min(0.5, 0.01 * 2**tried)))  # noqa: S311  # that two do not meet again
    raise AssertionError


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    # Up to the last @ before the path: a password with an @ that was not escaped is not shown in part.
    authority, slash, path = rest.partition("/")
    user, at, hosts = authority.rpartition("@")
    if not at and "@" in path:  # a slash in the password
        return f"{scheme}://…@{rest.rpartition('@')[2]}"
    name = path.partition("?")[0]
    return f"{scheme}://{user.partition(':')[0]}{at}{hosts}{slash}{name}"


def _line(error: Exception) -> str:
    details = getattr(error, "details", None) or {}
    refused = details.get("writeErrors") or [details]
    text = str(refused[0].get("errmsg") or error) or type(error).__name__
    for noise in (", full error", ", Timeout:", "\n"):
        text = text.partition(noise)[0]
    return text[:300]
