"""What strangers and secrets do in our output: nothing. Terminals, logs, JSON, CSV, HTML."""

from __future__ import annotations

import csv
import io
import json
import logging
import subprocess
import sys
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest

from interfaces.cli.main import COMMANDS, main
from interfaces.text import json_in_html, safe_json, safe_text
from interfaces.web import policy
from linkindex.model import Link, Outcome, Visit
from linkindex.store import open_index
from linkindex.text import safe_lines
from pipelines.canonicalise import canonicalise
from settings.options import OptionError, resolve, shown
from settings.values import without_password
from tests.crawls.command import ROOT, environment, run

SECRET = "s3cr3t-w0rd"


def naughty(oracles: Path) -> list[str]:
    strings: list[str] = json.loads((oracles / "bombs" / "blns.json").read_text(encoding="utf-8"))
    assert len(strings) >= 515
    return strings


def acted_on(text: str) -> list[str]:
    """Return what a terminal may act on, in output whose lines are ours."""
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return [
        char
        for char in text.replace("\n", "")
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in bidi
    ]


@pytest.fixture
def index(tmp_path: Path, oracles: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An index whose every text is naughty: anchors, words around, headings, titles, rels, reasons, languages."""
    monkeypatch.chdir(tmp_path)
    strings = naughty(oracles)
    visits = []
    for number, start in enumerate(range(0, len(strings), 5)):
        texts = [*strings[start : start + 5], *strings[:5]]
        links = tuple(
            Link(
                target=f"http://t.example/{start + n}", kind="text", anchor=text[:512], heading=text[:120],
                text_before=text[:120], text_after=text[::-1][:120], rel=tuple(sorted(set(text.lower().split()))[:3]),
                placement="content",
            )
            for n, text in enumerate(strings[start : start + 5])
        )  # fmt: skip
        visits.append(
            canonicalise(
                Visit(
                    url=f"http://s{number}.example/", at=1_700_000_000_000 + number, outcome=Outcome.PAGE, status=200,
                    reason=texts[0][:99], content_type=texts[1][:99], title=texts[2], description=texts[3],
                    language=texts[4][:20], author=texts[0], platform=texts[1], type=texts[2], charset=texts[3],
                    certificate_error=texts[4], robots=tuple(sorted({texts[0][:50], "noarchive"})), links=links,
                )
            )
        )  # fmt: skip
    gone = Visit(url="http://t.example/0", at=1_700_000_000_000, outcome=Outcome.GONE, status=404)
    visits.append(canonicalise(gone))
    with open_index("sqlite:///links.db", create=True) as store:
        store.store(visits)
    return "sqlite:///links.db"


QUESTIONS = [
    ("backlinks", "t.example"), ("domains", "t.example"), ("anchors", "t.example"), ("pages", "s0.example"),
    ("pages", "s7.example"), ("outlinks", "http://s0.example/"), ("overview", "t.example"),
    ("changes", "t.example"), ("history", "http://s0.example/"), ("broken", "t.example"),
]  # fmt: skip


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_naughty_strings_in_every_answer(
    index: str, question: tuple[str, ...], form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    limit = () if question[0] == "overview" else ("--limit", "0")
    assert main([*question, "--index", index, "--format", form, *limit]) == 0
    out = capsys.readouterr().out
    assert out.strip()
    if form == "csv":  # which programs read: texts are as they are, but for formulas
        for row in csv.reader(io.StringIO(out)):
            assert not [cell for cell in row if cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))]
    else:
        assert acted_on(out) == []
    if form == "json":
        assert json.loads(out)
    elif form == "jsonl":
        assert all(json.loads(line) for line in out.splitlines())


def test_naughty_strings_survive_json_as_they_are(
    index: str, oracles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backlinks", "t.example", "--index", index, "--format", "json", "--limit", "0"]) == 0
    anchors = {row["target"]: row["anchor"] for row in json.loads(capsys.readouterr().out)}
    for number, text in enumerate(naughty(oracles)):
        assert anchors[f"http://t.example/{number}"] == text[:512]


ONE_ARGUMENT = [
    ("backlinks",), ("domains",), ("anchors",), ("pages",), ("outlinks",), ("overview",), ("why",), ("audit",), ("hold",),
    ("forget",), ("seed", "--again"), ("normalize",), ("changes",), ("history",), ("broken",), ("node", "drain"),
]  # fmt: skip


def test_naughty_strings_as_arguments(
    index: str, oracles: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    strings = naughty(oracles)
    for number, text in enumerate(strings):
        command = ONE_ARGUMENT[number % len(ONE_ARGUMENT)]
        code = main([*command, "--index", index, "--", text])
        said = capsys.readouterr()
        assert code in (0, 1, 2), (command, text, said.err)
        assert "bug" not in said.err, (command, text, said.err)
        assert acted_on(said.err) == [], (command, text)
        assert code != 2 or said.err.count("\n") == 1, (command, text, said.err)


def test_naughty_strings_as_options(oracles: Path) -> None:
    for text in naughty(oracles):
        for name in ("depth", "delay", "contact", "index", "ports", "connect_to", "max_body", "stay"):
            try:
                resolve({}, {}, {name: text})
            except OptionError as error:
                assert acted_on(safe_text(str(error))) == []  # noqa: PT017


# ---------------------------------------------------------------- logs


LOGGING = """
import logging, sys
from crawler.logs import LogFormatter
LogFormatter()
logging.basicConfig(format="%(levelname)s %(message)s")
log = logging.getLogger("x")
log.warning("page %s says %r", "\\x1b[2J\\u202e\\nWARNING forged", "\\x07")
log.warning("settings: %s", {"LINKATLAS_FRONTIER": "redis://me:s3cr3t-w0rd@h/0", "REDIS_PARAMS": {"password": "s3cr3t-w0rd"}})
try:
    raise ValueError("\\x9b31m\\nWARNING forged redis://:s3cr3t-w0rd@h/0")
except ValueError:
    log.exception("failed")
"""


def test_a_log_line_is_one_line_of_ours() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGGING], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    assert acted_on(done.stderr) == []
    assert SECRET not in done.stderr
    assert [line.split()[0] for line in done.stderr.splitlines() if not line.startswith(" ")] == [
        *("WARNING", "WARNING", "ERROR"),
        "Traceback",
    ]
    assert "\\x1b[2J\\u202e\n    WARNING forged" in done.stderr


def test_lines_are_told_apart() -> None:
    assert safe_lines("one\ntwo\x1b\n\nfour") == "one\n    two\\x1b\n    \n    four"


# ---------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("redis://:pw@h:1/0", "redis://:***@h:1/0"),
        ("redis://me:pw@h:1/0?job=x", "redis://me:***@h:1/0?job=x"),
        ("mongodb://me:p@w@h/links", "mongodb://me:***@h/links"),
        ("two https://a:b@c/ and http://d:e@f/@g", "two https://a:***@c/ and http://d:***@f/@g"),
        ("http://a.example:80/@me", "http://a.example:80/@me"),
        ("nothing@all", "nothing@all"),
    ],
)
def test_passwords_are_not_told(given: str, told: str) -> None:
    assert without_password(given) == told


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--index", f"mongodb://me:{SECRET}@127.0.0.1:1/x"),
        ("status", "--index", f"mongo://me:{SECRET}@127.0.0.1:1/x"),
        ("status", "--frontier", f"redis://me:{SECRET}@127.0.0.1:1/0?job=x"),
        ("status", "--frontier", f"redis://me:{SECRET}/with/slash@127.0.0.1:1/0?job=x"),
        ("crawl", "a.example", "--frontier", f"redys://me:{SECRET}@127.0.0.1:1/0"),
        ("crawl", "a.example", "--frontier", f"redis://me:{SECRET}@127.0.0.1:1/0", "--dry-run"),
        ("crawl", f"ftp://me:{SECRET}@a.example/"),
        ("crawl", f"http://me:{SECRET}@a.example:99/"),
        ("crawl", f"http://me:{SECRET}@a.example/", "--dry-run"),
        ("backlinks", f"http://me:{SECRET}@a.example/"),
        ("why", f"http://me:{SECRET}@a.example/"),
        ("normalize", f"http://me:{SECRET}@/"),
        ("reconcile", "--frontier", f"redis://:{SECRET}@127.0.0.1:1/0?job=x", "--index", "sqlite:///x.db"),
        ("config",),
    ],
    ids=lambda arguments: " ".join(arguments).replace(SECRET, "…"),
)
def test_no_command_tells_a_secret(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    variables = {"LINKATLAS_FRONTIER": f"redis://me:{SECRET}@h/0?job=x"} if arguments == ("config",) else {}
    ran = run(tmp_path, *arguments, variables=variables)
    assert SECRET not in ran.out + ran.err, ran
    for path in tmp_path.iterdir():
        assert SECRET.encode() not in path.read_bytes()


def test_config_shows_no_password() -> None:
    for name in ("index", "frontier"):
        assert shown(name, f"redis://me:{SECRET}@h/0") == "redis://me:***@h/0"


def test_a_crawl_at_its_most_talkative_tells_no_secret(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "discover", "-a", f"seeds=http://me:{SECRET}@a.invalid/"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        env=environment(
            LINKATLAS_LOG_LEVEL="debug", LINKATLAS_MAX_WAIT="0", SCRAPY_SETTINGS_MODULE="settings.embedded",
            LINKATLAS_INDEX="sqlite:///x.db", PYTHONPATH=str(ROOT), PYTHONWARNINGS="ignore",
        ),
    )  # fmt: skip
    assert "Overridden settings" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    for path in tmp_path.iterdir():
        assert SECRET.encode() not in path.read_bytes(), path


# ---------------------------------------------------------------- HTML, and who may ask for it


class Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_naughty_strings_in_html(oracles: Path) -> None:
    for text in naughty(oracles):
        parser = Parser()
        parser.feed(f'<p title="{policy.in_html(text)}">{policy.in_html(text)}</p>')
        parser.close()
        assert parser.seen == [("p", [("title", safe_text(text))])]
        assert parser.text == safe_text(text)
        held = json_in_html(json.dumps(text, ensure_ascii=False, separators=(",", ":")))
        assert json.loads(held) == text
        assert not {"<", ">", "&"} & set(held)


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("https://a.example/?a=1&b='\"<", "https://a.example/?a=1&amp;b=%27%22%3C"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//a.example", ""),
        (" HTTP://A.example", "http://a.example/"),
    ],
)
def test_links_lead_to_pages_only(url: str, value: str) -> None:
    assert policy.href(url) == value


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("localhost", True), ("LOCALHOST:8080", True), ("127.0.0.1:80", True), ("[::1]:8080", True), ("[::1]", True),
        ("evil.example", False), ("localhost.evil.example", False), ("127.0.0.1.evil.example:80", False), ("", False),
        ("localhost@evil.example", False), ("localhost:80:80", False), ("0.0.0.0", False), ("127.1", False),
        ("localhost\x00", False), ("evil.example#localhost", False),
    ],
)  # fmt: skip
def test_a_name_that_is_not_ours_is_not_served(host: str, served: bool) -> None:
    assert (policy.host_refusal(host) == "") is served


@pytest.mark.parametrize(
    ("method", "origin", "site", "done"),
    [
        ("GET", "https://evil.example", "cross-site", True),  # he cannot read the answer
        ("POST", "http://localhost:8080", "same-origin", True),
        ("POST", "http://LOCALHOST:8080", None, True),
        ("POST", None, None, True),
        ("POST", None, "none", True),
        ("POST", None, "cross-site", False),
        ("POST", None, "same-site", False),
        ("POST", "https://evil.example", "cross-site", False),
        ("POST", "null", None, False),
        ("POST", "http://localhost:8081", "same-site", False),
        ("POST", "http://localhost:8080.evil.example", None, False),
        ("DELETE", "", None, False),
        ("post", "https://evil.example", None, False),
    ],
)
def test_only_our_own_pages_change_anything(method: str, origin: str | None, site: str | None, done: bool) -> None:
    assert (policy.origin_refusal(method, "localhost:8080", origin, site) == "") is done


def test_no_answer_may_be_read_by_others_or_run_what_strangers_wrote() -> None:
    assert not [name for name in policy.HEADERS if name.startswith("Access-Control")]
    assert "unsafe" not in policy.HEADERS["Content-Security-Policy"]
    assert policy.HEADERS["Content-Security-Policy"].startswith("default-src 'none'")


def test_every_command_is_among_those_that_naughty_strings_went_through() -> None:
    asked = {question[0] for question in QUESTIONS} | {command[0] for command in ONE_ARGUMENT}
    without_strangers_text = {
        "crawl",
        "node",
        "nodes",
        "top",
        "reconcile",
        "status",
        "classify",
        "compact",
        "config",
        "demo",
        "doctor",
    }
    assert asked | without_strangers_text >= set(COMMANDS)


def test_json_is_the_same_value() -> None:
    assert json.loads(safe_json('"\x85\u202e"')) == "\x85\u202e"
    assert logging.getLogRecordFactory() is logging.LogRecord  # nobody but a crawl changes how a process logs
