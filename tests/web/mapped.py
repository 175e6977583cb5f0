"""``python -m tests.web.mapped``: sites with pages that only sitemaps and feeds name. A host each, told by its name."""

from __future__ import annotations

import argparse
import gzip
from asyncio import StreamWriter
from pathlib import Path
from xml.sax.saxutils import escape

from interfaces.demo import loopback
from interfaces.demo.loopback import Listener, Request, message

HTML, PLAIN, XML, GZIP, RSS = "text/html", "text/plain", "text/xml", "application/gzip", "application/rss+xml"
HOME = '<!doctype html><title>Home</title><p><a href="/linked">linked</a>'


def urlset(*locs: str) -> bytes:
    return f"<urlset>{''.join(f'<url><loc>{escape(loc)}</loc></url>' for loc in locs)}</urlset>".encode()


def index(*locs: str) -> bytes:
    entries = "".join(f"<sitemap><loc>{escape(loc)}</loc></sitemap>" for loc in locs)
    return f"<sitemapindex>{entries}</sitemapindex>".encode()


def robots(*sitemaps: str) -> bytes:
    return "\n".join(["User-agent: *", "Disallow: /closed", *(f"Sitemap: {url}" for url in sitemaps)]).encode()


FEED = b"""<rss version="2.0"><channel><title>News</title><item><title>First</title><link>/news/1</link></item>
<item><link>http://other.test/elsewhere</link></item></channel></rss>"""

# (host, path) -> (content type, body). What is not here is a page where its path is, and 404 for the sitemaps of others.
ANSWERS: dict[tuple[str, str], tuple[str, bytes]] = {
    # robots.txt names an index in gzip, which names a sitemap in gzip; the home page names a feed
    ("named.test", "/robots.txt"): (PLAIN, robots("/maps/index.xml.gz")),
    ("named.test", "/maps/index.xml.gz"): (GZIP, gzip.compress(index("http://named.test/maps/a.xml.gz"), mtime=0)),
    ("named.test", "/maps/a.xml.gz"): (
        GZIP,
        gzip.compress(
            urlset("http://named.test/orphan", "http://www.named.test/o", "http://spam.test/", "/relative"), mtime=0
        ),
    ),
    ("named.test", "/"): (
        HTML,
        HOME.encode() + b'<link rel="alternate" type="application/rss+xml" href="/feed">',
    ),
    ("named.test", "/feed"): (RSS, FEED),
    # robots.txt names none
    ("guessed.test", "/sitemap.xml"): (XML, urlset("http://guessed.test/orphan", "http://guessed.test/closed")),
    ("guessed.test", "/robots.txt"): (PLAIN, robots()),
    # answers with its home page whatever is asked for
    ("soft.test", "/sitemap.xml"): (HTML, HOME.encode()),
    # a plain list
    ("list.test", "/robots.txt"): (PLAIN, robots("http://list.test/urls.txt")),
    ("list.test", "/urls.txt"): (PLAIN, b"http://list.test/orphan\n"),
    # another site speaks for this one, and for one that never asked
    ("shop.test", "/robots.txt"): (PLAIN, robots("http://maps.test/shop.xml")),
    ("maps.test", "/shop.xml"): (XML, urlset("http://shop.test/orphan", "http://victim.test/")),
    # indexes without end
    ("endless.test", "/robots.txt"): (PLAIN, robots("/0.xml")),
    **{("endless.test", f"/{level}.xml"): (XML, index(f"http://endless.test/{level + 1}.xml")) for level in range(20)},
    # a sitemap larger than a page may be
    ("large.test", "/sitemap.xml"): (
        XML,
        b" ".join((b"<urlset>", b" " * 200_000, urlset("http://large.test/orphan")[8:])),
    ),
    # broken in its middle
    ("broken.test", "/sitemap.xml"): (XML, urlset("http://broken.test/orphan") + b"<urlset>"),
    ("entities.test", "/sitemap.xml"): (XML, b'<!DOCTYPE x [<!ENTITY a "b">]>' + urlset("http://entities.test/orphan")),
}


async def respond(request: Request, writer: StreamWriter) -> int:
    status, headers, body = 200, [("Content-Type", HTML)], HOME.encode()
    if found := ANSWERS.get((request.host, request.path)):
        headers, body = [("Content-Type", found[0])], found[1]
    elif (request.host, request.path) == ("moved.test", "/sitemap.xml"):
        status, headers = 301, [("Location", "/wp-sitemap.xml")]
    elif (request.host, request.path) == ("old.test", "/"):
        status, headers = 301, [("Location", "http://guessed.test/")]
    elif (request.host, request.path) == ("moved.test", "/wp-sitemap.xml"):
        headers, body = [("Content-Type", XML)], urlset("http://moved.test/orphan")
    elif request.path == "/robots.txt" or "sitemap" in request.path:
        status = 404
    writer.write(message(status, headers, body, head_only=request.method == "HEAD"))
    return status


def main() -> None:
    """Serve until stdin closes."""
    parser = argparse.ArgumentParser(prog="python -m tests.web.mapped", description=__doc__)
    parser.add_argument("--log", type=Path)
    loopback.run([Listener(0, respond)], parser.parse_args().log)


if __name__ == "__main__":
    main()
