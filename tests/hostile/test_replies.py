"""Whatever a server answers, the process lives, and every URL ends in a state with a reason, in bounded time."""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import Path

from crawler.failures import FetchFailed
from crawler.fetching import Answer, Fetcher, Limits
from crawler.frontier import open_frontier
from tests import stored
from tests.crawler.fetches import to
from tests.crawls.command import run
from tests.hostile.replies import mishaps, replies, slow_mishaps
from tests.rawserver import Reply, serving

LIMITS = Limits(connect=20, first_byte=2, whole=4, body=1 << 20, headers=64 * 1024)


def every(oracles: Path) -> dict[str, Reply]:
    """Return all replies with all that may become of them, by a path."""
    known = replies(oracles / "http")
    assert len(known) > 60
    named = [(f"{number} {name}", reply) for number, one in enumerate(known) for name, reply in mishaps(one)]
    named += [(f"{number} {name}", reply) for number, one in enumerate(known[::9]) for name, reply in slow_mishaps(one)]
    return {f"/{number}": reply for number, (_, reply) in enumerate(named)}


def test_every_fetch_ends_as_an_answer_or_with_a_reason(oracles: Path) -> None:
    wanted = every(oracles)

    async def fetch_all(port: int) -> list[Answer | FetchFailed]:
        fetcher = Fetcher(reach, LIMITS, user_agent="test")
        room = asyncio.Semaphore(64)

        async def fetch(path: str) -> Answer | FetchFailed:
            async with room:
                try:
                    return await fetcher.fetch(f"http://site.example{path}")
                except FetchFailed as failed:
                    return failed

        try:
            return await asyncio.gather(*map(fetch, wanted))
        finally:
            await fetcher.close()

    with serving(wanted) as server:
        reach = to(server)
        ends = asyncio.run(fetch_all(server.port))
    assert len(ends) == len(wanted) > 1000
    for end in ends:
        if isinstance(end, Answer):
            assert 200 <= end.status <= 999
            assert end.fetched.elapsed_ms < 20_000
        else:
            assert end.reason


def test_every_url_of_a_crawl_ends_in_a_state_with_a_reason(oracles: Path, tmp_path: Path) -> None:
    known = replies(oracles / "http")
    wanted: dict[str, Reply] = {f"/{number}": reply for number, reply in enumerate(known)}
    for number, reply in enumerate(known):
        # Another mishap of each, so that all of them are crawled, and a slow one of some.
        (_, broken) = next(islice(mishaps(reply), 1 + number % 14, None))
        wanted[f"/broken/{number}"] = broken
        if number % 9 == 0:
            wanted |= {f"/slow/{number}/{at}": slow for at, (_, slow) in enumerate(slow_mishaps(reply))}
    with serving(wanted) as server:
        seeds = [f"http://h{number}.example{path}" for number, path in enumerate(wanted)]
        (tmp_path / "seeds.txt").write_text("\n".join(seeds))
        ran = run(
            tmp_path, "crawl", "--seeds-file", "seeds.txt", "--delay", "0", "--depth", "0", "--retries", "1", "--max-wait", "0",
            "--sitemaps", "none", "--connect-to", f":80:127.0.0.1:{server.port}", "--concurrency", "100",
            "--first-byte-timeout", "3", "--timeout", "6", "--connect-timeout", "30",
        )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    with open_frontier(f"sqlite:///{tmp_path}/linkatlas-frontier.db") as frontier:
        lives = [frontier.why(url) for url in seeds]
        assert frontier.outlook().finished
    assert {life.state for life in lives if life} <= {"done", "failed"}
    assert all(life and (life.reason or life.state == "done") for life in lives)
    ends = stored.ends(tmp_path / "linkatlas.db")
    ended = [ends[url] for url in seeds if url in ends]
    assert len(ended) == len(seeds)
    assert not [end for end in ended if end[0] in ("unreachable", "unreadable", "blocked") and not end[1]]
