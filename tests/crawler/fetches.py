"""Fetching from a raw server, for the tests of a fetch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from socket import AF_INET
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from crawler.addresses import parse_connect_to
from crawler.connecting import Reach
from crawler.failures import FetchFailed
from crawler.fetching import Answer, Fetcher, Limits
from tests.rawserver import RawServer, Reply, serving

PAGE = b"<!doctype html><title>Fine</title><a href=/x>x</a>" * 50
SHORT = Limits(connect=5, first_byte=0.5, whole=1.5, body=1 << 20, headers=64 * 1024)


class Answers(AbstractResolver):
    """A name server that gives these addresses, one list for each time it is asked, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: Any = AF_INET) -> list[ResolveResult]:
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0) for address in found
        ]

    async def close(self) -> None:
        pass


def fetch(
    *wanted: str,
    reach: Reach | None = None,
    limits: Limits = SHORT,
    resolver: AbstractResolver | None = None,
    **more: Any,
) -> list[Answer | FetchFailed]:
    """Fetch URLs one after the other with one fetcher."""

    async def run() -> list[Answer | FetchFailed]:
        fetcher = Fetcher(reach or Reach(), limits, user_agent="test", resolver=resolver)
        ends: list[Answer | FetchFailed] = []
        for url in wanted:
            try:
                ends.append(await fetcher.fetch(url, **more))
            except FetchFailed as failed:
                ends.append(failed)
        await fetcher.close()
        return ends

    return asyncio.run(run())


def to(server: RawServer, *, allow_private: bool = False) -> Reach:
    """Reach that sends every connection to ``server``."""
    return Reach(connect_to=[parse_connect_to(f"::127.0.0.1:{server.port}")], allow_private=allow_private)


def answer_to(reply: Reply, **more: Any) -> Answer:
    """Fetch one URL whose answer is ``reply``."""
    [end] = ends_of(reply, **more)
    assert isinstance(end, Answer), end
    return end


def failure_of(reply: Reply, **more: Any) -> FetchFailed:
    """Fetch one URL that gives no answer."""
    [end] = ends_of(reply, **more)
    assert isinstance(end, FetchFailed), end
    return end


def ends_of(reply: Reply, **more: Any) -> list[Answer | FetchFailed]:
    with serving({"/": reply}) as server:
        return fetch("http://site.example/", reach=to(server), **more)
