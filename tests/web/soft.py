"""``python -m tests.web.soft``: sites that answer with a page whatever is asked for. A host each, told by its name.

``/`` links to ``/real/1`` … ``/real/5``, which are there, and to ``/gone/1`` and ``/gone/2``, which are not.
"""

from __future__ import annotations

import argparse
import time
from asyncio import StreamWriter
from pathlib import Path

from interfaces.demo import loopback
from interfaces.demo.loopback import Listener, Request, message

Answer = tuple[int, tuple[tuple[str, str], ...], str]

REAL = [f"/real/{number}" for number in range(1, 6)]
GONE = ["/gone/1", "/gone/2"]
WORDS = (
    "harbour lantern granite meadow orchard copper violin glacier saddle marble thunder willow compass ember juniper "
    "kettle lagoon mosaic nectar obsidian parchment quarry ribbon sandal tapestry umbrella velvet walnut yarrow zephyr"
).split()
MENU = "".join(f'<li><a href="/menu/{name}">{name}</a>' for name in ("about", "contact", "shop", "press"))
ERROR = (
    f"<!doctype html><title>Page not found</title><ul>{MENU}</ul><p>We are sorry, but the page that you were looking for is "
    "not here any more, or it has never been here at all. Perhaps it was moved, perhaps its name was changed a little. You "
    "can go to our first page and look from there, or write us a line, and we shall see what can be done for you."
)
SHELL = '<!doctype html><title>The app</title><div id="root"></div><script src="/app.js"></script>'


def page(path: str) -> str:
    """A page that is there: its words are its own."""
    start = sum(map(ord, path))
    words = " ".join(WORDS[(start + step * step * (start % 7 + 1)) % len(WORDS)] for step in range(60))
    return f"<!doctype html><title>About {path}</title><ul>{MENU}</ul><p>{words} <a href='http://else.test/'>else</a>"


def home() -> str:
    links = "".join(f'<a href="{path}">{path}</a> ' for path in [*REAL, *GONE])
    words = " ".join(WORDS)
    return f"<!doctype html><title>Home</title><p>{links}<p>Welcome to where there is much to be found: {words}."


def html(body: str, status: int = 200) -> Answer:
    return status, (("Content-Type", "text/html; charset=utf-8"),), body


def to(target: str) -> Answer:
    return 302, (("Location", target),), ""


def missing(host: str, path: str) -> Answer:
    """Return what a host answers for what is not there."""
    match host.partition(".")[0]:
        case "page":
            return html(ERROR)
        case "clock":
            return html(f"{ERROR} It is {time.time()} now.")
        case "short":
            return html("<title>404 Not Found</title><p>Sorry, it is not here.")
        case "home":
            return html(home())
        case "away":
            return to("/")
        case "slash":  # once more with a slash, then to a page that says so
            return to("/error") if path.endswith("/") else to(f"{path}/")
        case "door":
            return to("/login")
        case "busy":
            return html("", 503)
    return html(ERROR, 404)


def respond_to(host: str, path: str) -> Answer:
    if path == "/robots.txt":
        return html("User-agent: *\nDisallow: /no-such" if host.startswith("closed") else "", 200)
    if path == "/":
        return html(home())
    if host.startswith("shell"):  # draws its pages in the browser
        return html(SHELL)
    if host.startswith("thin"):  # has little to say, on every page
        return html(f"<title>Photos</title><p>{'No photo' if path not in REAL else 'Photo'}")
    if path in ("/login", "/error", *REAL) or path.startswith("/menu/"):
        return html(page(path))
    return missing(host, path)


async def respond(request: Request, writer: StreamWriter) -> int:
    status, headers, body = respond_to(request.host, request.path)
    writer.write(message(status, headers, body.encode(), head_only=request.method == "HEAD"))
    return status


def main() -> None:
    """Serve until stdin closes."""
    parser = argparse.ArgumentParser(prog="python -m tests.web.soft", description=__doc__)
    parser.add_argument("--log", type=Path)
    loopback.run([Listener(0, respond)], parser.parse_args().log)


if __name__ == "__main__":
    main()
