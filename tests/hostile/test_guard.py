"""Nobody sends a crawl to where it must not go: by no way in, in no spelling, by no trick of a name server.

The witness is a listener on loopback that counts connections; it must count none.
"""

from __future__ import annotations

import ast
import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import crawler
import interfaces
import linkindex
import pipelines
import settings
from crawler.connecting import Reach
from crawler.failures import FetchFailed, Reason
from crawler.fetching import Fetcher
from crawler.frontier import open_frontier
from tests import stored
from tests.crawler.fetches import SHORT, Answers
from tests.crawler.test_addresses import NEVER, SPELLINGS
from tests.crawls.command import run
from tests.rawserver import HTML, Reply, page, serving

MORE = [
    "localhost", "LOCALHOST", "a.localhost", "localhost.", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "0.0.0.0",
    "[::ffff:0:0]", "169.254.169.254", "[fd00:ec2::254]", "100.64.0.1", "192.168.0.1", "[64:ff9b::7f00:1]",
]  # fmt: skip
# With white space and user info: what a page may write. At least 60 of them.
EVERY = list(dict.fromkeys([*SPELLINGS, *MORE]))


class Listener:
    """Accepts whoever comes, and counts them."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port = self._socket.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def _listen(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                connection, _ = self._socket.accept()
                self.connections += 1
                connection.close()

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


def spelled(host: str, port: int, path: str = "") -> str:
    """Return a URL of the listener in this spelling; some bring a port of their own, which is replaced."""
    bare = host.removesuffix(":80")
    return f"http://{bare}:{port}/{path}"


def ways_in(port: int) -> dict[str, Reply]:
    """Return a site whose every page leads to the listener: by links, redirects, sitemaps, feeds, frames, headers."""
    urls = [spelled(host, port, f"p{number}") for number, host in enumerate(EVERY)]
    markup = "".join(
        f'<a href="{url}?a">a</a><iframe src="{url}?f"></iframe><area href="{url}?r"><link rel=canonical href="{url}?c">'
        f'<link rel=alternate href="{url}?l"><form action="{url}?o"></form>'
        for url in urls
    )
    entries = "".join(f"<url><loc>{url.strip()}?s</loc></url>" for url in urls if "\n" not in url)
    items = "".join(f"<item><title>t</title><link>{url.strip()}?i</link></item>" for url in urls if "\n" not in url)
    xml = b"Content-Type: text/xml\r\n"
    replies: dict[str, Reply] = {
        "/": page(markup.encode("utf-8")),
        "/based": page(
            f"<base href='{urls[0]}'><a href=x>x</a><meta http-equiv=refresh content='0;url={urls[0]}'>".encode()
        ),
        "/sitemap.xml": page(f"<urlset>{entries}</urlset>".encode(), xml),
        "/feed": page(f"<rss version='2.0'><channel>{items}</channel></rss>".encode(), xml),
        "/header": page(b"x", HTML + f"Link: <{urls[0]}?h>; rel=next\r\n".encode()),
    }
    for number, url in enumerate(urls):
        location = url.replace("\n", "").replace("\t", "").encode()
        replies[f"/to/{number}"] = page(b"", b"Location: " + location + b"\r\n", b"302 Found")
    return replies


def test_no_way_in_leads_to_loopback(tmp_path: Path) -> None:
    assert len(EVERY) >= 60
    with Listener() as listener, serving(ways_in(listener.port)) as server:
        seeds = [
            "http://site.example/",
            "http://site.example/based",
            "http://site.example/feed",
            "http://site.example/header",
        ]
        seeds += [f"http://site.example/to/{number}" for number in range(len(EVERY))]
        (tmp_path / "seeds.txt").write_text("\n".join(seeds))
        ran = run(
            tmp_path, "crawl", "--seeds-file", "seeds.txt", "--delay", "0", "--depth", "2", "--retries", "1", "--max-wait", "0",
            "--ports", f"80,{listener.port}", "--connect-to", f"site.example:80:127.0.0.1:{server.port}",
            "--connect-timeout", "1", "--concurrency", "100",
        )  # fmt: skip
        assert ran.code in (0, 75), ran.err
        assert listener.connections == 0
    asked = {head.split()[1].decode() for head in server.requests}
    assert {"/", "/based", "/feed", "/sitemap.xml", "/header", "/to/0", f"/to/{len(EVERY) - 1}"} <= asked
    ends = [
        (url, reason)
        for url, (_, reason) in stored.ends(tmp_path / "linkatlas.db").items()
        if f":{listener.port}/" in url
    ]
    # Each spelling was tried, by links, frames and feed, and every try was refused for its address.
    assert len({url.partition("?")[0] for url, _ in ends}) >= 60
    assert {letter for url, _ in ends if (letter := url.rpartition("?")[2]) in "afrlih"} >= set("afri")
    assert {reason for _, reason in ends} == {"robots.txt: refused_address"}
    with open_frontier(f"sqlite:///{tmp_path}/linkatlas-frontier.db") as frontier:
        counts = frontier.counts()
    assert counts.excluded_by["other_host"] > 40  # of a sitemap that speaks of hosts that are not its own


@pytest.mark.parametrize("way", ["robots", "robots redirect", "named sitemap", "per address"])
def test_nor_do_the_files_beside_the_pages(tmp_path: Path, way: str) -> None:
    plain = b"Content-Type: text/plain\r\n"
    with Listener() as listener:
        urls = [spelled(host, listener.port, "x").replace("\n", "").replace("\t", "") for host in EVERY]
        named = "".join(f"Sitemap: {url}\n" for url in urls).encode()
        robots: dict[str, Reply] = {
            "robots redirect": page(b"", b"Location: " + urls[0].encode() + b"\r\n", b"301 Moved"),
            "named sitemap": page(named, plain),
        }
        with serving({"/": page(b"x"), "/robots.txt": robots.get(way, page(b"", plain))}) as server:
            arguments = {
                "robots": [url for url in urls if "user@" not in url][:40],
                "per address": ["http://site.example/", "http://localhost.example/", "--per-address"],
            }.get(way, ["http://site.example/"])
            ran = run(
                tmp_path, "crawl", *arguments, "--delay", "0", "--retries", "1", "--max-wait", "0", "--sitemaps", "all",
                "--ports", f"80,{listener.port}", "--connect-to", f"site.example:80:127.0.0.1:{server.port}",
            )  # fmt: skip
        assert ran.code == 2 if way == "robots" else ran.code in (0, 1, 75), ran.err
        assert listener.connections == 0
        assert way == "robots" or server.connections > 0


# ---------------------------------------------------------------- names that change their minds


class Connections(asyncio.SelectorEventLoop):
    """An event loop that connects to nothing, and keeps where it was to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        self.asked.append(address[0])
        raise ConnectionRefusedError("a test")


@contextmanager
def loop() -> Iterator[Connections]:
    made = Connections()
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize(
    "private", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1%1"]
)
def test_what_is_judged_is_what_is_connected_to(private: str) -> None:
    answers = (["93.184.216.34"], [private], ["93.184.216.34", private], [private])

    async def fetches() -> list[Reason]:
        reasons = []
        fetcher = Fetcher(Reach(), SHORT, user_agent="test", resolver=Answers(*answers))
        for _ in answers:
            try:
                await fetcher.fetch("http://rebound.example/")
            except FetchFailed as failed:
                reasons.append(failed.reason)
            fetcher._opened().connector.clear_dns_cache()  # type: ignore[union-attr]  # its answers live for 5 minutes
        await fetcher.close()
        return reasons

    with loop() as watched:
        reasons = watched.run_until_complete(fetches())
    assert reasons == [Reason.CONNECT, Reason.REFUSED_ADDRESS, Reason.CONNECT, Reason.REFUSED_ADDRESS]
    assert watched.asked == ["93.184.216.34"] * 2


@pytest.mark.parametrize("address", [address for address in NEVER if address and " " not in address])
def test_no_special_address_is_connected_to_whatever_is_allowed(address: str) -> None:
    async def fetch() -> Reason:
        fetcher = Fetcher(Reach(allow_private=True), SHORT, user_agent="test", resolver=Answers([address]))
        with pytest.raises(FetchFailed) as caught:
            await fetcher.fetch("http://name.example/")
        await fetcher.close()
        return caught.value.reason

    with loop() as watched:
        assert watched.run_until_complete(fetch()) is Reason.REFUSED_ADDRESS
    assert watched.asked == []


# ---------------------------------------------------------------- one place


SOURCES = [
    path
    for package in (crawler, interfaces, linkindex, pipelines, settings)
    for path in Path(package.__path__[0]).rglob("*.py")
    if "demo" not in path.parts
]


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def those_that_import(*names: str) -> set[str]:
    wanted = set(names)
    root = Path(crawler.__path__[0]).parent
    return {path.relative_to(root).as_posix() for path in SOURCES if imports(path) & wanted}


def those_that_call(*names: str) -> set[str]:
    """Return the sources that call a function or a method of these names, of whatever it is."""
    root, found = Path(crawler.__path__[0]).parent, set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
                found.add(path.relative_to(root).as_posix())
    return found


def test_only_one_place_opens_connections() -> None:
    assert those_that_import("aiohttp") == {"crawler/connecting.py", "crawler/fetching.py"}
    assert not those_that_import(
        "urllib.request", "http.client", "httpx", "requests", "urllib3", "ftplib", "smtplib",
        "telnetlib", "asyncio.open_connection",
        "scrapy.core.downloader.handlers", "scrapy.downloadermiddlewares", "xmlrpc.client", "socketserver", "http.server",
    )  # fmt: skip
    assert those_that_import("socket") == {"crawler/scheduler.py"}  # for the name of this machine
    assert those_that_call("open_connection", "open_unix_connection", "create_connection") == {
        "interfaces/web/asking.py"  # our own nodes, where the operator says
    }


def test_only_one_place_listens() -> None:
    assert those_that_import("aiohttp.web") == {"interfaces/web/listener.py"}
    assert not those_that_call("start_server", "create_server", "start_unix_server", "create_unix_server", "run_app")


def test_nothing_that_is_stored_can_run() -> None:
    assert not those_that_import("pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "jsonpickle")
    for path in SOURCES:
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & {"eval", "exec", "__import__", "compile"}, path


def test_patterns_that_people_write_are_globs_and_nothing_compiles_their_regexes() -> None:
    made = {
        path.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith("re.")
        and node.args
        and not isinstance(node.args[0], ast.Constant | ast.BinOp | ast.JoinedStr)
    }
    # scope.py makes one of globs (fnmatch, whose stars are atomic: nothing is tried twice), dates.py of the names of months.
    assert made == {"scope.py", "dates.py"}
