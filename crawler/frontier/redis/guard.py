"""What a server must be before a crawl is entrusted to it."""

from __future__ import annotations

from typing import Any

from crawler.frontier.redis.servers import Server
from linkindex.errors import BadInput

OLDEST = (6, 2)
_ACCEPT = "or go on with --accept-volatile"


def guard(server: Server, accept_volatile: bool) -> None:
    """Raise BadInput, with the remedy, for a server that would lose what it is told. All comes from INFO, which managed
    services answer where they refuse CONFIG."""
    server.greet()
    for section in _sections(server):
        version = str(section.get("redis_version", "0"))
        if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
            raise BadInput(f"frontier {server.name}: Redis {version} is too old; 6.2 or later is needed, or Valkey")
        if accept_volatile:
            continue
        policy = section.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise BadInput(
                f"frontier {server.name}: maxmemory-policy {policy} throws URLs away; "
                f"redis-cli config set maxmemory-policy noeviction, {_ACCEPT}"
            )
        if not int(section.get("aof_enabled", 0)):
            raise BadInput(
                f"frontier {server.name}: without its append-only file Redis forgets the crawl when it restarts; "
                f"redis-cli config set appendonly yes, {_ACCEPT}"
            )


def _sections(server: Server) -> list[dict[str, Any]]:
    client = server.client
    if server.clustered:
        told = server.talk(lambda: client.info(target_nodes=client.PRIMARIES))
        # Of one node, it is that node's; of several, by their names.
        return [told] if "redis_version" in told else list(told.values())
    return [server.talk(client.info)]
