"""scrapy-redis' settings of the connection, read by its own tables: who has them need not write them anew."""

from __future__ import annotations

from scrapy.settings import BaseSettings
from scrapy.utils.misc import load_object
from scrapy_redis.connection import SETTINGS_PARAMS_MAP

from linkindex.errors import BadInput


def connection_of(settings: BaseSettings) -> dict[str, object]:
    """Return what the settings say, as keyword arguments of a redis-py client, with ``url`` and ``redis_cls`` (its class).

    REDIS_PARAMS first, then REDIS_URL, REDIS_HOST, REDIS_PORT, REDIS_DB and REDIS_ENCODING, as
    ``scrapy_redis.connection.get_redis_from_settings`` merges them; its defaults are left to ours. What they say of decoding
    answers is left out, since the frontier reads bytes. Raises BadInput for what cannot be used.
    """
    try:
        params: dict[str, object] = settings.getdict("REDIS_PARAMS")
    except (TypeError, ValueError):
        raise BadInput("REDIS_PARAMS must be a mapping of keyword arguments for redis-py") from None
    params |= {name: value for setting, name in SETTINGS_PARAMS_MAP.items() if (value := settings.get(setting))}
    params.pop("decode_responses", None)
    named = params.get("redis_cls")
    if isinstance(named, str):
        try:
            params["redis_cls"] = load_object(named)
        except (ImportError, NameError, ValueError):
            raise BadInput(
                f"REDIS_PARAMS: there is no class {named[:80]!r}; redis_cls names a redis-py client"
            ) from None
    return params
