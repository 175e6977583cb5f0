"""``python -m tests.web.realpages``: about 400 real pages, each under its own URL, on a plain and a TLS port.

The pages are in ``../shared/oracles/pages``. They are served as they are stored, every second one gzipped; the
Content-Type names a charset only where the page does not say that it is UTF-8 (they all are). ``http://start.example/``
links to all of them; anything else, robots.txt included, is a 404. Reach it with
``--connect-to :80:127.0.0.1:PLAIN --connect-to :443:127.0.0.1:TLS``.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import json
import re
import ssl
import tempfile
from asyncio import StreamWriter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interfaces.demo import loopback
from interfaces.demo.model import HTML, Answer
from linkindex import urls

PAGES = Path(__file__).parents[3] / "shared" / "oracles" / "pages"
START = "http://start.example/"

_URL_IN_PAGE = re.compile(
    rb"""<link\b(?=[^>]*\brel=["']?canonical\b)[^>]*?\bhref=["']([^"'>]+)"""
    rb"""|<meta\b(?=[^>]*\bproperty=["']?og:url\b)[^>]*?\bcontent=["']([^"'>]+)""",
    re.IGNORECASE,
)
_SAYS_UTF8 = re.compile(rb"<meta[^>]*charset=[\"']?\s*utf-?8", re.IGNORECASE)


class RealPage(NamedTuple):
    """One real page as it is served."""

    name: str  # its place among the oracles: "wcxb/0010", "readability/bbc-1"
    url: str  # canonical, each one once
    body: bytes
    charset: str  # what the Content-Type names, "" where it names none


class Ports(NamedTuple):
    """Where the real pages listen on 127.0.0.1."""

    plain: int
    tls: int


@contextmanager
def serving(*arguments: str) -> Iterator[Ports]:
    """Serve the real pages from a child process; ``arguments`` such as ``"--log", path``. Yields its two ports."""
    with loopback.child("tests.web.realpages", *arguments) as ports:
        yield Ports(*ports)


def load(folder: Path = PAGES) -> list[RealPage]:
    """Return all real pages, in the order of their names. Raises FileNotFoundError where the oracles are absent.

    A page whose URL nothing names gets a made-up one; of two with one URL the later gets a query of its own.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no real pages at {folder}")
    pages: dict[str, RealPage] = {}
    for name, named, body in [*_wcxb(folder / "wcxb"), *_readability(folder / "readability")]:
        url = urls.canonicalise(named or _url_in(body)) or f"http://{'.'.join(reversed(name.split('/')))}.example/"
        if url in pages:
            url += f"{'&' if '?' in url else '?'}copy={len(pages)}"
        pages[url] = RealPage(name, url, body, "" if _SAYS_UTF8.search(body[:1024]) else "utf-8")
    return list(pages.values())


def _wcxb(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    for truth in sorted(folder.glob("*.json")):
        page = truth.with_suffix(".html.gz")
        yield f"wcxb/{truth.stem}", json.loads(truth.read_bytes())["url"], gzip.decompress(page.read_bytes())


def _readability(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    for page in sorted(folder.glob("*/source.html")):
        yield f"readability/{page.parent.name}", "", page.read_bytes()


def _url_in(body: bytes) -> str:
    found = _URL_IN_PAGE.search(body)
    if not found:
        return ""
    url = unescape((found[1] or found[2]).decode("utf-8", "replace")).strip()
    return f"https:{url}" if url.startswith("//") else url


def _answers(pages: Sequence[RealPage]) -> dict[str, Answer]:
    """Return every answer by its URL: the pages, and the start page that links to them."""
    items = "\n".join(f'<li><a href="{escape(page.url)}">{escape(page.name)}</a>' for page in pages)
    start = f'<!doctype html><html lang="en"><title>Real pages</title><ul>\n{items}\n</ul>\n'
    answers = {START: Answer(200, (HTML,), start.encode())}
    for number, page in enumerate(pages):
        kind = ("Content-Type", f"text/html; charset={page.charset}" if page.charset else "text/html")
        packed = Answer(200, (kind, ("Content-Encoding", "gzip")), gzip.compress(page.body, 6, mtime=0))
        answers[page.url] = packed if number % 2 else Answer(200, (kind,), page.body)
    return answers


async def _respond(answers: dict[str, Answer], scheme: str, request: loopback.Request, writer: StreamWriter) -> int:
    answer = answers.get(f"{scheme}://{request.host}{request.path}", Answer(404, (HTML,), b"<title>Not here</title>"))
    writer.write(loopback.message(*answer, head_only=request.method == "HEAD"))
    return answer.status


def _self_signed() -> ssl.SSLContext:
    """Return a TLS context with a certificate that nobody vouches for, made on the spot."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "real pages on loopback")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:  # load_cert_chain reads from files only
        file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def main() -> None:
    """Serve until stdin closes."""
    parser = argparse.ArgumentParser(prog="python -m tests.web.realpages", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="plain port; the TLS port is always a free one")
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    answers = _answers(load())
    listeners = [
        loopback.Listener(options.port, partial(_respond, answers, "http")),
        loopback.Listener(0, partial(_respond, answers, "https"), _self_signed()),
    ]
    loopback.run(listeners, options.log)


if __name__ == "__main__":
    main()
