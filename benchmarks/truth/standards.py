"""How many of the standards' own cases hold: URLs, hosts, registrable domains, encodings, sitemaps.

``python -m benchmarks.truth.standards`` prints a table; the tests name each case that does not hold, with its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from crawler.extract.charset import charset_of
from crawler.extract.encodings import encoding_of
from crawler.extract.listings import read_listing, unpacked
from crawler.extract.sitemaps import MAX_BYTES
from linkindex import urls

ORACLES = Path(__file__).parents[3] / "shared/oracles"


def whatwg() -> Iterator[bool]:
    """Yield whether each case of WHATWG's with an http or https URL, or none at all, is resolved or refused."""
    for case in _cases("url/urltestdata.json"):
        base = case["base"] if case.get("base") not in (None, "about:blank") else None
        if case.get("failure"):
            yield urls.parse(case["input"], base) is None
        elif case["href"].startswith(("http://", "https://")):
            yield urls.parse(case["input"], base) == case["href"]


def hosts(name: str) -> Iterator[bool]:
    """Yield whether each host of a suite becomes its A-labels, or is refused."""
    for case in _cases(f"url/{name}"):
        url = urls.parse(f"https://{case['input']}/x")
        yield (urls.host_of(url) if url else None) == case["output"]


def domains() -> Iterator[bool]:
    """Yield whether each name has the registrable domain of the list; a public suffix stands for itself."""
    text = (ORACLES / "psl/tests.txt").read_text(encoding="utf-8")
    for name, domain in re.findall(r"^(?!//)(\S+) (\S+)$", text, re.MULTILINE):
        url = urls.parse(f"https://{name}/")
        want = urls.parse(f"https://{domain if domain != 'null' else name.lstrip('.')}/")
        if url is not None and want is not None and name != "null":
            own = urls.domain_of(urls.host_of(url)).lstrip(".")
            yield own == urls.host_of(want) or (domain == "null" and name.startswith("."))


def encodings() -> Iterator[bool]:
    """Yield whether each page of html5lib's is read in the encoding that it names."""
    for case in (ORACLES / "encoding/tests1.dat").read_bytes().split(b"#data\n")[1:]:
        body, _, expected = case.partition(b"\n#encoding\n")
        yield charset_of(body, detect=False)[0] == encoding_of(expected.decode())


def sitemaps() -> Iterator[bool]:
    """Yield whether each sample is read whole, every entry of it with a URL."""
    for path in sorted((ORACLES / "sitemap").rglob("*")):
        if path.is_file():
            body, _, _ = unpacked(path.read_bytes(), MAX_BYTES)
            listing = read_listing(body, "https://www.example.com/sitemap.xml", text=".txt" in path.name)
            yield listing is not None and bool(listing.links) and not listing.broken


def main() -> None:
    """Print the table."""
    suites = {
        "WHATWG urltestdata, http(s) and refused": whatwg(),
        "WHATWG toascii": hosts("toascii.json"),
        "Unicode IdnaTestV2": hosts("IdnaTestV2.json"),
        "public suffix list, tests.txt": domains(),
        "html5lib encodings": encodings(),
        "sitemaps and feeds": sitemaps(),
    }
    print(f"{'suite':42} {'cases':>6} {'hold':>6}")
    for name, cases in suites.items():
        held = list(cases)
        print(f"{name:42} {len(held):6,} {sum(held):6,}")


def _cases(name: str) -> Iterator[dict[str, str]]:
    for case in json.loads((ORACLES / name).read_text(encoding="utf-8")):
        if isinstance(case, dict):
            yield case


if __name__ == "__main__":
    main()
