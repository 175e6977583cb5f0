"""``python -m interfaces.demo.serve``: serves a made-up web, all of its hosts on one port, by the Host header."""

from __future__ import annotations

import argparse
from asyncio import StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from interfaces.demo import loopback
from interfaces.demo.model import Answer, Served, split
from interfaces.demo.site import make_site
from interfaces.demo.web import make_web


@contextmanager
def serving(*arguments: str) -> Iterator[int]:
    """Serve a made-up web from a child process; ``arguments`` are this module's, such as ``"--seed", "1"``.

    Yields its port on 127.0.0.1. The child ends with the block, and with this process however that ends.
    Raises RuntimeError where the child does not start.
    """
    with loopback.child("interfaces.demo.serve", *arguments) as (port,):
        yield port


def answering(served: Served) -> loopback.Respond:
    """Return what answers requests from ``served``. An unknown host gets no answer at all, as if it did not exist."""

    async def respond(request: loopback.Request, writer: StreamWriter) -> int:
        answer = served.answer(request.host, request.path)
        if answer is None:
            writer.close()
            return 0
        if answer.status == 200:
            etag = f'"{crc32(answer.body):08x}"'
            answer = answer._replace(headers=(*answer.headers, ("ETag", etag)))
            if request.headers.get("if-none-match") == etag:
                answer = Answer(304, answer.headers, b"")
        writer.write(loopback.message(*answer, head_only=request.method == "HEAD"))
        return answer.status

    return respond


def main(arguments: list[str] | None = None) -> None:
    """Serve what the command line asks for until stdin closes."""
    parser = argparse.ArgumentParser(prog="python -m interfaces.demo.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0: any free one")
    parser.add_argument(
        "--address", default="127.0.0.1", help="address to listen on; others than loopback show it to others"
    )
    parser.add_argument("--seed", type=int, default=1, help="number that everything follows from")
    parser.add_argument("--log", type=Path, help="append one line a request: start end host path status")
    parser.add_argument("--hosts", type=int, help="how many hosts (demo web: 36, site: 1)")
    like = parser.add_argument_group("a site of many like pages instead of the demo web")
    like.add_argument("--site", type=int, metavar="PAGES", help="serve a site of this many pages")
    like.add_argument("--links", type=int, default=20, help="links on a page")
    like.add_argument("--external", type=int, default=2, help="of these, links to other domains")
    like.add_argument("--size", type=int, default=0, help="least bytes of a page")
    options = parser.parse_args(arguments)
    served: Served
    if options.site:
        served = site = make_site(
            options.site,
            options.seed,
            hosts=options.hosts or 1,
            links_per_page=options.links,
            external_per_page=options.external,
            size=options.size,
        )
        for url in site.pages:  # made now, so that making them is not measured with the crawl
            site.answer(*split(url))
    else:
        served = make_web(options.seed, options.hosts or 36)
    loopback.run([loopback.Listener(options.port, answering(served), address=options.address)], options.log)


if __name__ == "__main__":
    main()
