"""The table of bad input: what is given, and what becomes of it. ``test_bad_input.py`` tries each row.

``python -m tests.hostile.table docs/bad-input.md`` writes it as a page; a test keeps that current.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.rawserver import HTML, Reply, endless, page, reset_after, silence


class Case(NamedTuple):
    """One row. ``given`` is what is tried, or (for what is no text) what it is called; ``ends`` is how it ends."""

    id: str
    given: str
    ends: str
    says: str = ""  # a part of what is said of it
    data: Reply = b""  # of what is no text


BAD = "exit 2"

# Arguments of `linkatlas crawl`.
SEEDS = [
    Case("no seed", "", BAD, "no seeds"),
    Case("a scheme that is none", "htp://x", BAD, "not an http or https URL"),
    Case("a script", "javascript:alert(1)", BAD, "not an http or https URL"),
    Case("a mail address", "mailto:a@example.com", BAD, "not an http or https URL"),
    Case("a file", "file:///etc/passwd", BAD, "not an http or https URL"),
    Case("data", "data:text/html,x", BAD, "not an http or https URL"),
    Case("ftp", "ftp://example.com/", BAD, "not an http or https URL"),
    Case("no host", "http://", BAD, "not an http or https URL"),
    Case("a port that is none", "http://example.com:99999/", BAD, "not an http or https URL"),
    Case("a space in the host", "http://a b/", BAD, "not an http or https URL"),
    Case("loopback", "http://127.0.0.1", BAD, "--allow-private"),
    Case("loopback as a number", "http://2130706433/", BAD, "--allow-private"),
    Case("loopback in hex and short", "http://0x7f.1/", BAD, "--allow-private"),
    Case("loopback in octal", "http://0177.0.0.1/", BAD, "--allow-private"),
    Case("loopback in full-width digits", "http://１２７.０.０.１/", BAD, "--allow-private"),
    Case("loopback in IPv6", "http://[::1]/", BAD, "--allow-private"),
    Case("loopback mapped to IPv6", "http://[::ffff:127.0.0.1]/", BAD, "--allow-private"),
    Case("localhost", "http://localhost/", BAD, "--allow-private"),
    Case("a metadata address", "http://169.254.169.254/ --allow-private", BAD, "metadata"),
    Case("another port", "http://example.com:8080/", BAD, "--ports 8080"),
    Case("a port of another protocol", "http://example.com:22/ --ports 22", BAD, "another protocol"),
    Case("controls in the host", "http://x\x1b]0;evil\x07/", BAD, "\\x1b"),
    Case("a seeds file that is not there", "--seeds-file missing.txt", BAD, "missing.txt"),
    Case("a seeds file that is a folder", "--seeds-file .", BAD, "seeds file ."),
    Case("a seeds file that is no text", "--seeds-file binary", BAD, "not a text file"),
    Case("a seeds file without seeds", "--seeds-file empty", BAD, "no seeds"),
    Case("an opt-out list that is not there", "http://example.com --opt-out missing.txt", BAD, "missing.txt"),
    Case("an opt-out list that is no text", "http://example.com --opt-out binary", BAD, "--opt-out binary"),
    Case("an opt-out list of URLs", "http://example.com --opt-out urls", BAD, "line 1"),
    Case("a request log in no folder", "http://example.com --request-log no/such/x", BAD, "--request-log"),
]

# Flags of `linkatlas crawl http://example.com`.
FLAGS = [
    Case("a negative depth", "--depth -1", BAD, "--depth"),
    Case("a depth in words", "--depth many", BAD, "--depth"),
    Case("half a page", "--max-pages 1.5", BAD, "--max-pages"),
    Case("a delay that is no number", "--delay nan", BAD, "--delay"),
    Case("an endless delay", "--delay inf", BAD, "--delay"),
    Case("no workers", "--workers 0", BAD, "--workers"),
    Case("a choice mistyped", "--stay hosts", BAD, "did you mean host"),
    Case("a port that is a word", "--ports 80,x", BAD, "--ports"),
    Case("port 0", "--ports 0", BAD, "--ports"),
    Case("a size in words", "--max-body lots", BAD, "--max-body"),
    Case("a size of nothing", "--max-body 0", BAD, "--max-body"),
    Case("a detour that is none", "--connect-to nonsense", BAD, "HOST:PORT:ADDRESS:PORT2"),
    Case("a detour to nowhere", "--connect-to ::[zz]:80", BAD, "--connect-to"),
    Case("a flag mistyped", "--dept 3", BAD, "--depth"),
    Case("a flag without value", "--depth", BAD, "--depth"),
    Case("a contact with a line break", "--contact a\nX-Evil:1", BAD, "--contact"),
    Case("a contact that is no ASCII", "--contact é@example.com", BAD, "--contact"),
    Case("many pages without contact", "--max-pages 5000", BAD, "--contact"),
    Case("one's own host without contact", "--own example.com", BAD, "--contact"),
    Case("an index in no folder", "--index sqlite:////no/such/folder/x.db", BAD, "/no/such/folder"),
    Case("an index that is no SQLite", "--index sqlite:///binary", BAD, "binary"),
    Case("an index of an unknown kind", "--index mongo//x", BAD, "sqlite:///PATH"),
    Case("a frontier of an unknown kind", "--frontier nowhere", BAD, "sqlite:///PATH"),
    Case("a frontier without a job", "--frontier redis://127.0.0.1:1/0", BAD, "job"),
    Case("a password in what is mistyped", "--frontier redys://:hunter2@h/0", BAD, "redys://:***@h"),
]

# Variables (NAME=VALUE), and linkatlas.toml.
CONFIG = [
    Case("a variable mistyped", "LINKATLAS_DEPHT=3", BAD, "LINKATLAS_DEPTH"),
    Case("a variable with a word", "LINKATLAS_DEPTH=deep", BAD, "LINKATLAS_DEPTH"),
    Case("a variable with nothing", "LINKATLAS_DEPTH=", BAD, "LINKATLAS_DEPTH"),
    Case("a variable and its file", "LINKATLAS_CONTACT=me LINKATLAS_CONTACT_FILE=missing", BAD, "are both set"),
    Case("a switch that is neither", "LINKATLAS_ALLOW_PRIVATE=perhaps", BAD, "LINKATLAS_ALLOW_PRIVATE"),
    Case("a number too large", "LINKATLAS_WORKERS=1000000", BAD, "LINKATLAS_WORKERS"),
    Case("a number of a thousand digits", f"LINKATLAS_MAX_PAGES={'9' * 5000}", BAD, "LINKATLAS_MAX_PAGES"),
    Case("an option of the file mistyped", "dept = 3", BAD, "depth"),
    Case("a type that does not fit", "depth = 'x'", BAD, "linkatlas.toml"),
    Case("a list where one is due", "depth = [1, 2]", BAD, "linkatlas.toml"),
    Case("a table where one is due", "[depth]\nx = 1", BAD, "linkatlas.toml"),
    Case("an unfinished line", "depth = ", BAD, "linkatlas.toml"),
    Case("a file with NUL", "\x00", BAD, "linkatlas.toml"),
    Case("an option twice", "depth = 1\ndepth = 2", BAD, "linkatlas.toml"),
    Case("a number where a text is due", "contact = 5", BAD, "linkatlas.toml"),
    Case("not a number", "delay = nan", BAD, "linkatlas.toml"),
]

# Questions to an index that holds one link.
QUESTIONS = [
    Case("no target", "backlinks", BAD, "TARGET"),
    Case("an empty target", "backlinks ''", BAD, "target"),
    Case("a script as target", "backlinks javascript:alert(1)", BAD, "target"),
    Case("a star in the middle", "backlinks 'https://a.example/*/x'", BAD, "target"),
    Case("SQL as target", 'backlinks "x\' OR 1=1 --"', BAD, "target"),
    Case("an operator as target", 'backlinks \'{"$gt":""}\'', BAD, "target"),
    Case("a percent sign as prefix", "backlinks 'https://a.example/%*'", "exit 0", ""),
    Case("an underscore as prefix", "backlinks 'https://a_example/*'", "exit 0", ""),
    Case("a path as target", "backlinks ../../etc/passwd", "exit 0", ""),
    Case("a limit in words", "backlinks a.example --limit many", BAD, "--limit"),
    Case("a negative limit", "backlinks a.example --limit -1", BAD, "--limit"),
    Case("a format that is none", "backlinks a.example --format xml", BAD, "xml"),
    Case("an ending that no writer knows", "backlinks a.example -o links.xlsx", BAD, ".csv, .json"),
    Case("such an ending and a format", "backlinks a.example -o links.txt --format csv", "exit 0", ""),
    Case("an output in no folder", "backlinks a.example -o no/such/x.csv", BAD, "-o no/such/x.csv"),
    Case("an output that is a folder", "backlinks a.example -o .", BAD, "is a folder"),
    Case("an index that is not there", "backlinks a.example --index sqlite:///none.db", BAD, "none.db"),
    Case("a page nobody visited", "outlinks https://never.example/", "exit 0", ""),
    Case("a URL nobody discovered", "why https://never.example/", BAD, ""),
    Case("a command mistyped", "backlink a.example", BAD, "did you mean backlinks"),
    Case("a URL that is none", "normalize http://[::1", BAD, "http://[::1"),
    Case("a host that is a URL prefix", "audit 'https://a.example/*'", BAD, "no host"),
    Case("a hold of nothing", "hold ''", BAD, "target"),
    Case("an option of another command", "node --delay 1", BAD, "a node has it from the crawl that it joins"),
    Case("one that others have", "crawl --time-limit 3", BAD, "an option of backlinks, broken, domains and others"),
    Case("one that questions have", "anchors a.example --after x", BAD, "an option of backlinks, broken"),
    Case("a time that is none", "hold a.example --for soon", BAD, "give seconds, as in 3600"),
]

_PLAIN = b"<p>fine</p>"
_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
_GZIP = HTML + b"Content-Encoding: gzip\r\n"

# Answers of servers: "answer STATUS" with what is missing, or why there is none.
HTTP = [
    Case("nothing", "the connection is closed", "no answer", "reset", b""),
    Case("a reset", "the connection is reset", "no answer", "reset", reset_after(b"")),
    Case("silence", "no byte comes", "no answer", "first_byte_timeout", silence),
    Case("another protocol", "SSH-2.0-OpenSSH_9.2", "no answer", "protocol", b"SSH-2.0-OpenSSH_9.2\r\n"),
    Case("no status line", "<html>", "no answer", "protocol", b"<html>as before HTTP/1.0</html>"),
    Case("a status that is none", "HTTP/1.1 banana", "no answer", "protocol", b"HTTP/1.1 banana\r\n\r\n"),
    Case("half a head", "HTTP/1.1 200 OK, Content-", "no answer", "reset", b"HTTP/1.1 200 OK\r\nContent-"),
    Case("a head alone", "Content-Length: 100000 and nothing", "no answer", "reset", _LENGTH),
    Case("an upgrade", "101 Switching Protocols", "no answer", "protocol",
         b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    Case("endless headers", "headers without end", "no answer", "headers_too_large",
         endless(b"HTTP/1.1 200 OK\r\n", b"X-More: more\r\n" * 100)),
    Case("one endless header", "a header without end", "no answer", "headers_too_large",
         endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000)),
    Case("endless interim answers", "100 Continue without end", "no answer", "headers_too_large",
         endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
    Case("a byte now and then", "the head comes byte by byte", "no answer", "timeout",
         endless(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.1)),
    Case("a body byte by byte", "the body comes byte by byte", "answer 200", "truncated, least_rate",
         endless(_LENGTH, b"x", 0.1)),
    Case("a body that stops", "the body stops without an end", "answer 200", "truncated", endless(_LENGTH + _PLAIN, b"", 9.0)),
    Case("a length too large", "Content-Length says more than comes", "answer 200", "truncated", _LENGTH + _PLAIN),
    Case("a body that is reset", "a reset in the middle of the body", "answer 200", "truncated", reset_after(_LENGTH + _PLAIN)),
    Case("a bad chunk", "zz as the size of a chunk", "answer 200", "truncated", _CHUNKED + b"5\r\nhello\r\nzz\r\n"),
    Case("chunks without end", "no last chunk", "answer 200", "truncated", _CHUNKED + b"5\r\nhello\r\n"),
    Case("a bad first chunk", "zz as the size of the first chunk", "no answer", "protocol", _CHUNKED + b"zz\r\n"),
    Case("a body too large", "a body without end", "answer 200", "cut, max_body",
         endless(b"HTTP/1.1 200 OK\r\n" + HTML + b"\r\n", b"<p>more</p>" * 5000)),
    Case("a bomb", "20 KB of gzip that are 20 MB", "answer 200", "cut, max_ratio", page(gzip.compress(bytes(20 << 20)), _GZIP)),
    Case("an encoding that is not", "gzip that is none", "no answer", "undecodable", page(_PLAIN, _GZIP)),
    Case("an encoding cut off", "half of a gzip", "answer 200", "truncated", page(gzip.compress(_PLAIN * 99, 0)[:300], _GZIP)),
    Case("ten encodings", "gzip ten times", "no answer", "undecodable",
         page(_PLAIN, HTML + b"Content-Encoding: " + b", ".join([b"gzip"] * 10) + b"\r\n")),
    Case("an encoding nobody knows", "Content-Encoding: x-rot13", "answer 200", "",
         page(_PLAIN, HTML + b"Content-Encoding: x-rot13\r\n")),
    Case("an image", "image/png of 1 GB", "answer 200", "not_a_page",
         endless(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 1000000000\r\n\r\n", bytes(65536))),
    Case("no type", "no Content-Type", "answer 200", "", page(_PLAIN, b"")),
    Case("a status of its own", "HTTP/1.1 299 Fine", "answer 299", "", page(_PLAIN, HTML, b"299 Fine")),
]  # fmt: skip

# robots.txt: may http://a.example/private/x be visited?
ROBOTS = [
    Case("robots.txt is not there", "404", "allowed"),
    Case("robots.txt is forbidden", "403", "allowed"),
    Case("robots.txt fails", "503", "held", "503"),
    Case("too many requests", "429", "held", "429"),
    Case("robots.txt is empty", "200 ", "allowed"),
    Case("robots.txt is a page", "200 <html>User-agent: *\nDisallow: /", "allowed"),
    Case("rules before an agent", "200 Disallow: /\n", "allowed"),
    Case("a byte order mark", "200 \ufeffUser-agent: *\nDisallow: /private", "forbidden"),
    Case("bytes that are no text", "200 \x00\x01User-agent: *\nDisallow: /private", "allowed"),
    Case("Mac line ends", "200 User-agent: *\rDisallow: /private", "forbidden"),
    Case("a pattern of stars", f"200 User-agent: *\nDisallow: /{'*' * 3000}x", "forbidden"),
    Case("a rule that is no URL", "200 User-agent: *\nDisallow: %%%\nDisallow: /private", "forbidden"),
    Case("words nobody knows", "200 User-agent: *\nFrobnicate: 7\nDisallow: /private", "forbidden"),
    Case("a delay of a year", "200 User-agent: *\nCrawl-delay: 31536000\n", "allowed", "60 s"),
    Case("a negative delay", "200 User-agent: *\nCrawl-delay: -5\n", "allowed", "0 s"),
    Case("a delay that is no number", "200 User-agent: *\nCrawl-delay: nan\n", "allowed", "0 s"),
    Case(
        "two groups for us",
        "200 User-agent: linkatlas\nAllow: /\n\nUser-agent: linkatlas\nDisallow: /private",
        "forbidden",
    ),
    Case("more than 500 KiB", "200 " + "#padding\n" * 60_000 + "User-agent: *\nDisallow: /", "allowed"),
]

# Pages: how many links are read, or why none is.
HTML_PAGES = [
    Case("an empty page", "", "0 links"),
    Case("text without markup", "just words", "0 links"),
    Case("a page cut in a tag", "<a href=/1>x</a><a href=/2", "1 links"),
    Case("a link to a script", "<a href=javascript:x>x</a>", "0 links", "1 unusable"),
    Case("a link to itself", "<a href=#top>x</a>", "0 links"),
    Case("a link to nothing", "<a href=''>x</a>", "0 links"),
    Case("a link without end", f"<a href='/{'x' * 9000}'>x</a>", "0 links", "1 unusable"),
    Case("a link with a line break", "<a href='/a\nb'>x</a>", "1 links", "http://a.example/ab"),
    Case("a link with a password", "<a href=http://u:p@b.example/>x</a>", "1 links", "http://b.example/"),
    Case("a link to an address in hex", "<a href=http://0x7f.1/>x</a>", "1 links", "http://127.0.0.1/"),
    Case("NUL in a link", "<a href='/a\x00b'>x</a>", "1 links", "%EF%BF%BD"),
    Case("two hrefs", "<a href=/1 href=/2>x</a>", "1 links", "http://a.example/1"),
    Case("a link in a comment", "<!-- <a href=/1>x</a> -->", "0 links"),
    Case("a link in a script", "<script>'<a href=/1>'</script>", "0 links"),
    Case("a link in a template", "<template><a href=/1>x</a></template>", "0 links"),
    Case("a base that is a script", "<base href=javascript:x><a href=1>x</a>", "1 links", "http://a.example/1"),
    Case("a base on another host", "<base href=//b.example/><a href=1>x</a>", "1 links", "http://b.example/1"),
    Case("an encoding nobody knows", "<meta charset=x-nothing><a href=/1>x</a>", "1 links"),
    Case("an encoding that hides markup", "<meta charset=utf-7>+ADw-a href=/1+AD4-x", "0 links"),
    Case("a depth of a hundred thousand", "<div>" * 100_000, "too_deep"),
    Case("formatting that is never closed", "<p>" + "".join(f"<b a={n}>" for n in range(999)) + "</p><p>x", "too_deep"),
    Case("twenty thousand attributes", "<p " + " ".join(f"a{n}=1" for n in range(20_000)), "too_many_attributes"),
    Case(
        "the same, each with a > in its value",
        "<p " + " ".join(f"a{n}='>'" for n in range(20_000)),
        "too_many_attributes",
    ),
    Case("thirty thousand options", "<select>" + "<option>x</option>" * 30_000, "too_many_options"),
    Case("twenty thousand links", "".join(f"<a href=/{n}>x</a>" for n in range(20_000)), "10000 links", "max_links"),
    Case("an anchor of a megabyte", f"<a href=/1>{'a' * 1_000_000}</a>", "1 links", "max_anchor"),
    Case("structured data that is none", "<script type=application/ld+json>{[}</script><a href=/1>x</a>", "1 links"),
    Case("structured data a thousand deep", f"<script type=application/ld+json>{'[' * 9999}</script>", "0 links"),
    Case("a date that is none", "<meta property=article:published_time content=32-13-99999>", "0 links"),
    Case("robots says no", "<meta name=robots content=nofollow><a href=/1>x</a>", "1 links", "nofollow"),
    Case("a refresh to a script", "<meta http-equiv=refresh content='0;url=javascript:x'>", "0 links"),
]

_MAP = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>%s</urlset>"
_LOC = "<url><loc>http://a.example/1</loc></url>"

# Sitemaps and feeds: how many URLs are read, and what is said of the rest.
SITEMAPS = [
    Case("an empty sitemap", _MAP % "", "0 links"),
    Case("a sitemap that is a page", "<html><p>not found</html>", "no listing"),
    Case("entities", "<!DOCTYPE x [<!ENTITY e 'x'>]>" + _MAP % _LOC, "0 links", "entities"),
    Case("a file as an entity", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + _MAP % "&e;", "0 links", "entities"),
    Case("a DTD from elsewhere", "<!DOCTYPE urlset SYSTEM 'http://127.0.0.1/x.dtd'>" + _MAP % _LOC, "1 links"),
    Case("a DTD with defaults", "<!DOCTYPE x [<!ATTLIST x a CDATA 'b'>]>" + _MAP % _LOC, "0 links", "dtd"),
    Case("a sitemap cut off", "<urlset>" + _LOC + "<url><loc>http://a.exam", "1 links", "broken_xml"),
    Case("URLs that are none", _MAP % "<url><loc>/x</loc></url><url><loc>mailto:x</loc></url>", "0 links", "not_a_url 2"),
    Case("an entry without URL", _MAP % "<url/>", "0 links", "no_url 1"),
    Case("a URL twice", _MAP % (_LOC * 2), "1 links", "duplicate 1"),
    Case("a URL too long", _MAP % f"<url><loc>http://a.example/{'x' * 3000}</loc></url>", "0 links", "url_too_long 1"),
    Case("a date that is none", _MAP % _LOC.replace("</url>", "<lastmod>soon</lastmod></url>"), "1 links"),
    Case("controls in it", _MAP % _LOC.replace("/1", "/\x01\x021"), "1 links"),
    Case("no namespace", "<urlset>" + _LOC + "</urlset>", "1 links"),
    Case("sixty thousand URLs", "<urlset>" + "".join(f"<url><loc>http://a.example/{n}</loc></url>" for n in range(60_000))
         + "</urlset>", "50000 links", "too_many_urls"),
    Case("a feed that is cut off", "<rss><channel><item><link>http://a.example/1</link></item><item>", "1 links", "broken_xml"),
    Case("a list of URLs with noise", "http://a.example/1\nnonsense\n\nhttp://a.example/2", "2 links", "not_a_url 1"),
]  # fmt: skip

# Stored state: what stands in the file, and what is asked.
STATE = [
    Case("an index that is text", "links.db: hello | status --index sqlite:///links.db", BAD, "links.db", b"hello"),
    Case("an index that is a pickle", "links.db: a pickle | status --index sqlite:///links.db", BAD, "links.db",
         b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94." * 100),
    Case("an index damaged", "links.db: SQLite's head, then noise | status --index sqlite:///links.db", BAD, "links.db",
         b"SQLite format 3\x00" + b"damaged!" * 1000),
    Case("another program's SQLite", "links.db: another's tables | status --index sqlite:///links.db", BAD,
         "no linkatlas index", b"other"),
    Case("a newer index", "links.db: format 99 | status --index sqlite:///links.db", BAD, "newer", b"newer index"),
    Case("a newer frontier", "queue.db: format 99 | status --frontier sqlite:///queue.db", BAD, "", b"newer frontier"),
    Case("an index as frontier", "links.db: an index | status --frontier sqlite:///links.db", BAD, "", b"index"),
    Case("a frontier as index", "queue.db: a frontier | status --index sqlite:///queue.db", BAD, "", b"frontier"),
    Case("another program's SQLite, to be compacted", "links.db: another's tables | compact --index sqlite:///links.db", BAD,
         "no linkatlas index", b"other"),
    Case("a newer index, to be compacted", "links.db: format 99 | compact --index sqlite:///links.db", BAD, "newer",
         b"newer index"),
    Case("a folder as index", "links.db: a folder | status --index sqlite:///links.db", BAD, "links.db", b"folder"),
]  # fmt: skip

GROUPS: dict[str, tuple[str, list[Case]]] = {
    "seeds": ("Seeds and files of `linkatlas crawl`", SEEDS),
    "flags": ("Flags", FLAGS),
    "config": ("Environment and `linkatlas.toml`", CONFIG),
    "questions": ("Questions", QUESTIONS),
    "http": ("Answers of servers", HTTP),
    "robots": ("robots.txt, asked about `/private/x`", ROBOTS),
    "html": ("Pages", HTML_PAGES),
    "sitemaps": ("Sitemaps and feeds", SITEMAPS),
    "state": ("Stored state", STATE),
}

_HEAD = """# Bad input

What becomes of input that is wrong, hostile or both. Every row is a test by that name (`tests/hostile/test_bad_input.py`); this
page is written from them by `python -m tests.hostile.table docs/bad-input.md`.

* **exit 2**: the command does nothing but say, in one line, what is wrong, where, and what to do.
* **answer**, **links**: handled as normal, as far as it goes; what is missing is flagged and counted.
* **no answer**, **held**, and the names of hazards: the visit ends in a state with that reason, or the host is left alone
  and asked again later; nothing else of the crawl is touched.
"""


def document() -> str:
    """Return docs/bad-input.md."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for title, cases in GROUPS.values():
        yield f"## {title}\n\n| case | input | outcome |\n|---|---|---|"
        for case in cases:
            ends = f"{case.ends}: {case.says}" if case.says else case.ends
            yield f"| {case.id} | {_shown(case.given)} | {_cell(ends)} |"
        yield ""


def _shown(text: str) -> str:
    if not text:
        return "nothing"
    short = text if len(text) <= 70 else f"{text[:60]}… ({len(text):,} characters)"
    return f"`{_cell(short)}`"


def _cell(text: str) -> str:
    return text.encode("unicode_escape").decode().replace("|", "\\|").replace("`", "'")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
