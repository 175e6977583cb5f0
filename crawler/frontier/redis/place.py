"""Where a job's frontier is: what a ``redis://`` URL says. Pure."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from linkindex.errors import BadInput

__all__ = ["Place", "parse"]

SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
SHAPE = "redis://[:PASSWORD@]HOST:PORT/DB?job=NAME"
_JOB = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?")
_SHARDS = 4096


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One job on one or several Redis servers. ``repr`` and ``name`` tell no password."""

    job: str
    kind: str = "server"  # or "sentinel", "cluster"
    addresses: tuple[tuple[str, int], ...] = ()  # host and port
    path: str = ""  # of a unix socket, instead of addresses
    tls: bool = False
    username: str = ""
    password: str = ""
    db: int = 0
    shards: int = 0  # 0: the place does not say
    primary: str = ""  # the name that the sentinels know the server by

    @property
    def name(self) -> str:
        return self.path or ",".join(f"{host}:{port}" for host, port in self.addresses)

    def __repr__(self) -> str:
        return f"Place({self.name}, job={self.job})"


def parse(url: str) -> Place:
    """Read a frontier URL: ``redis://``, ``rediss://`` (TLS), ``unix://PATH``, ``redis+sentinel://…/NAME/DB``,
    ``redis+cluster://``; ``?job=NAME`` and, where it is made, ``&shards=N``. Several addresses are separated by commas.

    Raises :class:`BadInput`, with one line that tells no password.
    """
    scheme, separator, rest = url.partition("://")
    if scheme not in SCHEMES or not separator:
        raise BadInput(f"frontier: no Redis URL; write {SHAPE}")
    try:
        parts = urlsplit(f"//{rest}")
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        raise BadInput(f"frontier: a Redis URL that cannot be read; write {SHAPE}") from None
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    job = options.pop("job", "")
    if not _JOB.fullmatch(job):
        raise BadInput(f"frontier: ?job= must name the job with 1 to 64 of A-Z a-z 0-9 _ . -, not {job[:80]!r}")
    kind = scheme.partition("+")[2] or "server"
    service, db = _path(scheme, kind, parts.path, options)
    shards = _number("shards", options.pop("shards", "0"), _SHARDS)
    if options:
        raise BadInput(f"frontier: {', '.join(sorted(options))[:80]!r} is no option of a Redis URL; job and shards are")
    if kind == "cluster" and db:
        raise BadInput("frontier: a Redis Cluster has database 0 only")
    return Place(
        job=job,
        kind=kind,
        addresses=() if scheme == "unix" else _addresses(hosts, 26379 if kind == "sentinel" else 6379),
        path=parts.path if scheme == "unix" else "",
        tls=scheme.startswith("rediss"),
        username=unquote(username),
        password=unquote(password),
        db=db,
        shards=shards,
        primary=service,
    )


def _path(scheme: str, kind: str, path: str, options: dict[str, str]) -> tuple[str, int]:
    """Return the sentinels' name for the server, and the database."""
    if scheme == "unix":
        if not path.strip("/"):
            raise BadInput("frontier: unix:// needs the path of a socket: unix:///run/redis.sock?job=NAME")
        return "", _number("db", options.pop("db", "0"), 1 << 20)
    pieces = [unquote(piece) for piece in path.strip("/").split("/") if piece]
    service = ""
    if kind == "sentinel":
        if not pieces:
            raise BadInput(
                "frontier: redis+sentinel:// needs the name of the server: redis+sentinel://HOST:PORT/NAME/DB"
            )
        service = pieces.pop(0)
    if len(pieces) > 1:
        raise BadInput(f"frontier: {path[:80]!r} names no database; write {SHAPE}")
    return service, _number("the database", pieces[0] if pieces else "0", 1 << 20)


def _addresses(hosts: str, port: int) -> tuple[tuple[str, int], ...]:
    found = []
    for address in (hosts or "localhost").split(","):
        match = _ADDRESS.fullmatch(address)
        if match is None or int(match[2] or port) > 65535:
            raise BadInput(f"frontier: {address[:80]!r} is no HOST:PORT")
        found.append((match[1].strip("[]"), int(match[2] or port)))
    return tuple(found)


def _number(what: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and int(text) <= most):
        raise BadInput(f"frontier: {what} must be a number up to {most}, not {text[:80]!r}")
    return int(text)
