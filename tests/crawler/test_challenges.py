"""What is a guard in front of a page, and what is a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.challenges import is_challenge
from linkindex.model import Outcome
from tests.crawler.test_visits import HTML, visit
from tests.web import realpages

CLOUDFLARE = (
    b'<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body><noscript>Enable JavaScript and '
    b"cookies to continue</noscript><script>(function(){window._cf_chl_opt={cvId:'3',cZone:'a.test'};})();</script></body>"
)
CLOUDFLARE_BLOCK = (
    b"<html><head><title>Attention Required! | Cloudflare</title></head><body><div id='cf-error-details'>"
    b"<h1>Sorry, you have been blocked</h1><a href='https://www.cloudflare.com/5xx-error-landing'>Cloudflare</a></div>"
)
INCAPSULA = (
    b'<html style="height:100%"><head><META NAME="ROBOTS" CONTENT="NOINDEX, NOFOLLOW"></head><body><iframe id="main-iframe" '
    b'src="/_Incapsula_Resource?SWUDNSAI=31&xinfo=1-2">Request unsuccessful. Incapsula incident ID: 1-2</iframe></body>'
)
DATADOME = (
    b"<html><head><title>a.test</title></head><body><p id='cmsg'>Please enable JS and disable any ad blocker</p><script>"
    b"var dd={'rt':'c','cid':'A','hsh':'B','host':'geo.captcha-delivery.com'}</script>"
    b"<script src='https://ct.captcha-delivery.com/c.js'></script></body></html>"
)
HUMAN = (
    b"<html><head><title>Access to this page has been denied</title></head><body><div id='px-captcha'></div>"
    b"<script>window._pxAppId = 'PXabc';</script></body></html>"
)
AKAMAI = (
    b"<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\nYou don't have permission to "
    b"access &quot;http&#58;&#47;&#47;a&#46;test&#47;&quot; on this server.<P>\nReference&#32;&#35;18&#46;1\n<P>"
    b"https&#58;&#47;&#47;errors&#46;edgesuite&#46;net&#47;18&#46;1</P></BODY></HTML>"
)
AKAMAI_BOTS = (
    b'<html><body><div id="sec-if-cpt-container" style="display:none"></div><script src="/x?v=1"></script></body>'
)
ANUBIS = (
    b"<html><head><title>Making sure you&#39;re not a bot!</title>"
    b'<script id="anubis_challenge" type="application/json">{"rules":{}}</script></head><body></body></html>'
)
TURNSTILE = (
    b"<html><head><title>Security check - a.test</title>"
    b'<script src="https://challenges.cloudflare.com/turnstile/v0/api.js"></script></head><body><div class="cf-turnstile">'
)
GUARDS = {
    "cloudflare": CLOUDFLARE, "cloudflare block": CLOUDFLARE_BLOCK, "incapsula": INCAPSULA, "datadome": DATADOME,
    "human": HUMAN, "akamai": AKAMAI, "akamai bots": AKAMAI_BOTS, "anubis": ANUBIS, "turnstile": TURNSTILE,
}  # fmt: skip


@pytest.mark.parametrize("status", [200, 202, 403, 405, 429, 503])
@pytest.mark.parametrize("guard", GUARDS)
def test_a_guards_page_is_one_whatever_its_status(guard: str, status: int) -> None:
    seen = visit(GUARDS[guard], "text/html", status)
    assert (seen.outcome, seen.reason, seen.links) == (Outcome.BLOCKED, "challenge", ())


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"cf_mitigated": "challenge"}),
        (429, {"cf_mitigated": "Challenge"}),
        (202, {"x_amzn_waf_action": "challenge"}),
        (405, {"x_amzn_waf_action": "captcha"}),
        (403, {"x_vercel_mitigated": "challenge"}),
        (403, {"x_sucuri_block": "FBP007"}),
        (403, {"x_datadome": "protected"}),
        (429, {"x_kpsdk_ct": "0"}),
    ],
)
def test_a_guard_says_who_it_is(status: int, headers: dict[str, str]) -> None:
    seen = visit(HTML, "text/html", status, **headers)
    assert (seen.outcome, seen.reason, seen.links) == (Outcome.BLOCKED, "challenge", ())


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (200, {"x_datadome": "protected"}, Outcome.PAGE),  # let through
        (200, {"x_kpsdk_ct": "0"}, Outcome.PAGE),
        (200, {"x_amzn_waf_action": "count"}, Outcome.PAGE),
        (200, {"cf_mitigated": ""}, Outcome.PAGE),
        (404, {"x_datadome": "protected"}, Outcome.GONE),
        (503, {"x_datadome": "protected"}, Outcome.UNREACHABLE),
    ],
)
def test_a_guard_that_lets_through_is_none(status: int, headers: dict[str, str], outcome: Outcome) -> None:
    assert visit(HTML, "text/html", status, **headers).outcome is outcome


@pytest.mark.parametrize("guard", GUARDS)
def test_who_writes_about_guards_is_none(guard: str) -> None:
    article = b"<title>How guards work</title>" + b'<p><a href="/x">More</a> of it.</p>' * 5 + GUARDS[guard]
    assert not is_challenge(200, {}, article)
    quoted = GUARDS[guard].replace(b"<", b"&lt;").replace(b">", b"&gt;") + b' <a href="/x">x</a>' * 4
    assert not is_challenge(200, {}, quoted)


@pytest.mark.parametrize(
    "body",
    [
        b'<title>Contact</title><form><script src="https://js.hcaptcha.com/1/api.js"></script></form>',
        b"<title>Just a moment, please: a poem</title><p>Words.",
        b"<title>Access Denied</title><p>A film of 1993",
        b'<title>Shop</title><script src="/_Incapsula_Resource?SWJIYLWA=7"></script>',
        b'<title>Blog</title><script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>',
        b"",
    ],
)
def test_what_is_on_pages_too_is_no_mark(body: bytes) -> None:
    assert not is_challenge(200, {}, body)


def test_no_real_page_is_taken_for_a_guard(oracles: Path) -> None:
    pages = realpages.load(oracles / "pages")
    assert len(pages) > 390
    assert [page.name for page in pages for status in (200, 403, 503) if is_challenge(status, {}, page.body)] == []
