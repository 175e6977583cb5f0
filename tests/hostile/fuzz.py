"""Feeds strangers' bytes, in endless variations, to what reads them: ``python -m tests.hostile.fuzz TARGET [SECONDS]``.

Inputs grow from the corpus (oracles, and what earlier runs found, in ``seeds/TARGET/``) by mutation; ``guided.py`` lets
coverage choose them. An input that raises, breaks a promise or takes over :data:`PATIENCE` of CPU time is written to
``seeds/TARGET/``, and the run ends with code 1. ``test_fuzz.py`` runs the seeds and a few hundred variations in CI.
"""

from __future__ import annotations

import argparse
import faulthandler
import gzip
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from crawler import politeness
from crawler.addresses import literal_refusal, parse_connect_to
from crawler.extract import read_page
from crawler.extract.hazards import parser_hazard
from crawler.extract.listings import read_listing, unpacked
from crawler.frontier import Entry
from crawler.scope import Scope
from interfaces.text import safe_json
from linkindex import url_rules, urls
from linkindex.errors import BadInput
from linkindex.target import parse_target
from settings.options import OptionError, resolve, specs
from tests.conftest import ORACLES

PATIENCE = 10.0  # s of CPU time for one input of at most LARGEST bytes
LARGEST = 200_000
SEEDS = Path(__file__).parent / "seeds"
URL = "https://www.site.example/folder/page?a=1"


def fuzz_urls(data: bytes) -> None:
    """What pages and people write as URLs, with and without a base."""
    text = data.decode("utf-8", "surrogateescape" if data[:1] < b"\x80" else "replace")
    href, _, base = text.partition("\n")
    for found in (urls.parse(href), urls.parse(href, base or URL)):
        if found is None:
            continue
        canonical = urls.canonical(found)
        assert urls.canonicalise(canonical) == canonical, (found, canonical)
        assert canonical.isascii()
        assert "#" not in canonical
        host = urls.host_of(canonical)
        assert host and "@" not in host and "/" not in host
        assert urls.domain_of(host)
        urls.key(canonical)
        literal_refusal(urls.hostname_of(host))
    url_rules.refusal(href)
    if urls.parse(href):
        url_rules.explain(href)
    for read in (parse_target, parse_connect_to):
        with suppress(BadInput):
            read(href)


def fuzz_extract(data: bytes) -> None:
    """A document with its headers: the first line is the content type, the second another header, the rest the body."""
    kind, _, rest = data.partition(b"\n")
    name, _, body = rest.partition(b"\n")
    header, _, value = name.decode("latin-1").partition(":")
    headers = {header.lower(): value, "content-type": kind.decode("latin-1")}
    if not parser_hazard(body):
        facts = read_page(body, URL, headers, max_links=1000, max_depth=4000, max_nodes=300)
        assert len(facts.links) <= 1000
        for link in facts.links:
            assert link.target.startswith(("http://", "https://"))
            assert len(link.anchor) <= 512
            assert len(link.text_before) <= 120 and len(link.text_after) <= 120
            assert urls.parse(link.target) == link.target
    packed, _, _ = unpacked(body, 1 << 20, 200)
    for text in (True, False):
        listing = read_listing(packed, URL, headers["content-type"], max_links=1000, text=text)
        for link in listing.links if listing else ():
            assert link.target.startswith(("http://", "https://"))


def fuzz_robots(data: bytes) -> None:
    """A robots.txt, with a URL as its first line; and the same bytes as Retry-After."""
    line, _, body = data.partition(b"\n")
    url = urls.canonicalise(line.decode("utf-8", "replace")) or URL
    politeness.retry_after(line.decode("latin-1"))
    robots = politeness.judge_robots(200, body)
    rules = politeness.Rules(robots)
    rules.allows(url)
    assert 0 <= rules.crawl_delay <= politeness.MAX_CRAWL_DELAY
    for sitemap in list(rules.sitemaps)[:100]:
        urls.parse(sitemap, url)
    politeness.deciding_line(robots, url)


def fuzz_filters(data: bytes) -> None:
    """Patterns and other options, as people and files give them."""
    text = data[:5000].decode("utf-8", "replace")
    patterns = tuple(text.split("\n")[:20])
    one = Entry(url=f"{URL}&{'a' * 500}", host="www.site.example", domain="site.example", depth=1)
    Scope(include=patterns).refusal(one)
    Scope(exclude=patterns, held=patterns[:3]).refusal(one)
    name, _, value = text.partition("\n")
    for source in ({name: value}, {"delay": value}, {"ports": value}, {"max_body": value}, {"contact": value}):
        with suppress(OptionError):
            resolve({}, {}, source)
    for option in specs():
        with suppress(OptionError):
            resolve({}, {}, {option: value})
    assert json.loads(safe_json(json.dumps(text, ensure_ascii=False, separators=(",", ":")))) == text


TARGETS: dict[str, Callable[[bytes], None]] = {
    "urls": fuzz_urls,
    "extract": fuzz_extract,
    "robots": fuzz_robots,
    "filters": fuzz_filters,
}

_TOKENS = {
    "urls": b"http:// https:/ // @ : :80 [::1] %00 %2e %2F .. . \\ \t # ? & = utm_source= xn-- \xe2\x80\xae \xef\xbc\x8f "
    b"0x7f 017 127.1 localhost example.com \xc3\xa9 \xf0\x9f\xa6\x9c \xff file: javascript: * ;jsessionid=",
    "extract": b"<a\thref= <base\thref= </a> <b> <p> <table> <select> <svg> <math> <template> <!-- --> <![CDATA[ ]]> "
    b"<script> </script> <style> <title> <plaintext> <form\taction= <meta\tname=robots\tcontent=nofollow> <li> <frameset> "
    b"&#x; &#0; &amp; &notin; \x00 \xed\xa0\x80 \xff\xfe <?xml\tversion='1.0'?> <urlset> <url><loc> </loc> <rss> <item> "
    b"<link> <!DOCTYPE\tx\t[ <!ENTITY\ta\t'b'> &a; text/html;charset=utf-16 link:\t<x>;rel=next utf-7 iso-2022-jp "
    b"<script\ttype=application/ld+json> {\"@graph\":[ ]} <time\tdatetime= hidden style='display:none' \x1f\x8b",
    "robots": b"User-agent: Disallow: Allow: Sitemap: Crawl-delay: * $ /* /**** # \r \xef\xbb\xbf \x00 1e999 -1 nan "
    b"linkatlas % %zz \xff Host: Request-rate: 1/10s \xe2\x80\xa8 <html>",
    "filters": b"* ? [ ] [! [a-z] [z-a] *a*a*a ** \\ ( ) + | ^ $ nan inf -1 1e9 8MiB true \x00 \xc3\xa9 , :: 80,443 "
    b"depth max_pages",
}  # fmt: skip


def corpus(target: str) -> list[bytes]:
    """Return what to begin with: kept seeds, and what the oracles have of this kind."""
    folder = SEEDS / target
    found = [path.read_bytes() for path in sorted(folder.glob("*"))] if folder.is_dir() else []
    found += [b"", b"\n", b" ".join(_TOKENS[target].split(b" "))]
    return found + [item[:LARGEST] for item in _oracles(target)]


def _oracles(target: str) -> Iterator[bytes]:
    if not ORACLES.is_dir():
        return
    if target == "urls":
        for case in json.loads((ORACLES / "url" / "urltestdata.json").read_text(encoding="utf-8")):
            if isinstance(case, dict) and "input" in case:
                yield f"{case['input']}\n{case.get('base') or ''}".encode("utf-8", "replace")
    elif target == "robots":
        for path in sorted((ORACLES / "robots").glob("*.txt")):
            yield b"https://a.example/x\n" + path.read_bytes()
    elif target == "extract":
        yield from _documents()
    else:
        for text in json.loads((ORACLES / "bombs" / "blns.json").read_text(encoding="utf-8")):
            yield text.encode()


def _documents() -> Iterator[bytes]:
    for path in sorted((ORACLES / "html" / "tree-construction").glob("*.dat")):
        for case in path.read_bytes().split(b"#data\n")[1:]:
            yield b"text/html\n\n" + case.partition(b"\n#errors")[0]
    for path in sorted((ORACLES / "sitemap").glob("*")):
        if path.is_file():
            body = path.read_bytes()
            yield b"text/xml\n\n" + (gzip.decompress(body) if path.suffix == ".gz" else body)[:20_000]


class Mutations:
    """Endless variations on a corpus, the same for the same seed."""

    def __init__(self, target: str, seed: int) -> None:
        self._dice = random.Random(seed)
        self._corpus = corpus(target)
        self._tokens = [token.replace(b"\t", b" ") for token in _TOKENS[target].split(b" ") if token]

    def __iter__(self) -> Iterator[bytes]:
        dice = self._dice
        while True:
            data = bytearray(dice.choice(self._corpus))
            for _ in range(1 + int(dice.expovariate(0.4))):
                self._change(data)
            yield bytes(data[:LARGEST])

    def _change(self, data: bytearray) -> None:
        dice = self._dice
        at = dice.randrange(len(data) + 1)
        end = min(len(data), at + int(dice.expovariate(0.05)))
        match dice.randrange(8):
            case 0 if data:
                data[at % len(data)] ^= 1 << dice.randrange(8)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = dice.choice(self._tokens)
            case 3:
                data[at:at] = dice.choice(self._tokens) * int(10 ** dice.uniform(0, 4))
            case 4:
                data[at:at] = data[at:end] * int(10 ** dice.uniform(0, 3))
            case 5:
                other = dice.choice(self._corpus)
                start = dice.randrange(len(other) + 1)
                data[at:end] = other[start : start + 2000]
            case 6:
                data[at:at] = dice.randbytes(1 + int(dice.expovariate(0.2)))
            case _:
                data[at:at] = b"".join(dice.choices(self._tokens, k=dice.randrange(1, 30)))
        del data[LARGEST:]


def attempt(target: str, data: bytes) -> str:
    """Feed one input; return what was wrong, ``""`` where nothing was."""
    began = time.process_time()
    try:
        TARGETS[target](data)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
        return f"{type(error).__name__}: {error}"[:300]
    spent = time.process_time() - began
    return f"{spent:.1f} s of CPU time" if spent > PATIENCE else ""


def keep(target: str, data: bytes) -> Path:
    """Write an input to the seeds."""
    path = SEEDS / target / sha256(data).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def run(target: str, seconds: float, seed: int) -> int:
    """Fuzz for so long; return how many inputs were wrong."""
    ends, tried, found, slowest = time.monotonic() + seconds, 0, set[str](), 0.0
    for data in Mutations(target, seed):
        faulthandler.dump_traceback_later(60, exit=True)  # what stands still is found too
        (SEEDS.parent / f".fuzzing-{target}").write_bytes(data)
        began = time.process_time()
        if wrong := attempt(target, data):
            kind = wrong[:60]
            if kind not in found:
                found.add(kind)
                print(f"{target}: {wrong}\n  {keep(target, data)}", flush=True)
        slowest = max(slowest, time.process_time() - began)
        tried += 1
        if time.monotonic() > ends:
            break
    faulthandler.cancel_dump_traceback_later()
    (SEEDS.parent / f".fuzzing-{target}").unlink()
    print(f"{target}: {tried:,} inputs in {seconds:.0f} s, {len(found)} kinds of findings, slowest {slowest:.2f} s CPU")
    return len(found)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.fuzz", description=__doc__)
    parser.add_argument("target", choices=list(TARGETS))
    parser.add_argument("seconds", type=float, nargs="?", default=600.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    return min(1, run(options.target, options.seconds, options.seed))


if __name__ == "__main__":
    sys.exit(main())
