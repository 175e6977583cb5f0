"""Answers that are no page but a guard in front of one: bot challenges, captchas, block pages. Pure.

They come with any status, 200 too. Most guards leave marks on the pages that they let through as well, so these marks are
those of a refusal alone; what no vendor's mark tells is left to its status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REASON = "challenge"

SMALL = 64 * 1024  # bytes of a body that is looked into: what a guard writes is small
LINKS = 3  # that a guard's page has at most: a page that writes about guards, or shows a captcha in a form, has more

# Header, and what its value begins with, of answers that are refusals whatever else they say.
_HEADERS = {
    # https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response
    b"Cf-Mitigated": (b"challenge",),
    # https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-actions.html (202 and 405)
    b"X-Amzn-Waf-Action": (b"challenge", b"captcha"),
    b"X-Vercel-Mitigated": (b"challenge",),  # https://vercel.com/docs/vercel-firewall, Attack Challenge Mode
    b"X-Sucuri-Block": (b"",),  # https://github.com/urbanadventurer/WhatWeb
}
# Header of guards that name themselves on every answer; with a status of refusal the answer is theirs.
_SIGNATURES = {
    b"X-Datadome",  # https://docs.datadome.co: "protected", on pages too
    b"X-Kpsdk-Ct",  # Kasada, https://github.com/microlinkhq/is-antibot
    b"X-Px-Authorization",  # HUMAN, once PerimeterX; the same source
}
_REFUSALS = frozenset((401, 403, 405, 429))

# Markup of which all pieces are in the body. Sources where no other is named: the signatures of
# https://github.com/EnableSecurity/wafw00f and https://github.com/microlinkhq/is-antibot.
_BODIES = (
    (b"_cf_chl_opt", b"<title>Just a moment...</title>"),  # Cloudflare's interstitial, where the header was lost
    (b"cf-error-details", b"<title>Attention Required! | Cloudflare</title>"),  # its block page
    (b"Incapsula incident ID", b"_Incapsula_Resource"),  # Imperva; the second alone is on pages too
    (b"<title>Pardon Our Interruption</title>",),  # Imperva, once Distil
    (b"var dd=", b"captcha-delivery.com/"),  # DataDome
    (b"_pxAppId", b"px-captcha"),  # HUMAN
    (b'id="sec-if-cpt-container"',),  # Akamai's Bot Manager
    (b"<TITLE>Access Denied</TITLE>", b"edgesuite"),  # Akamai's edge; its dots are character references
    (b'<script id="anubis_challenge"',),  # https://github.com/TecharoHQ/anubis
    (b"<title>DDoS-Guard</title>", b"/.well-known/ddos-guard/"),
)
# A captcha that anybody may put into a form, on a page that says that it is nothing else.
_CAPTCHAS = (
    b"challenges.cloudflare.com/turnstile/",  # https://developers.cloudflare.com/turnstile/get-started/
    b"hcaptcha.com/1/api.js",  # https://docs.hcaptcha.com/
    b"google.com/recaptcha/",  # https://developers.google.com/recaptcha/docs/display
)
_SAYS_SO = re.compile(
    rb"<title>[^<]{0,40}(just a moment|checking your browser|verify(ing)? (that )?you are (a )?human|human verification"
    rb"|are you (a )?(human|robot)|robot check|bot (check|verification)|security (check|verification)|captcha)",
    re.IGNORECASE,
)


def is_challenge(status: int, headers: Mapping[Any, Any], body: bytes) -> bool:
    """Return whether an answer is a guard's. ``headers`` are bytes, their names in title case."""
    for name in _HEADERS.keys() & headers.keys():
        if headers[name].strip().lower().startswith(_HEADERS[name]):
            return True
    if status in _REFUSALS and not _SIGNATURES.isdisjoint(headers):
        return True
    return len(body) <= SMALL and not _has_links(body) and _is_guards(body)


def _has_links(body: bytes) -> bool:
    at = -1
    for _ in range(LINKS + 1):
        at = body.find(b"<a ", at + 1)
        if at < 0:
            return False
    return True


def _is_guards(body: bytes) -> bool:
    if any(all(piece in body for piece in pieces) for pieces in _BODIES):
        return True
    return any(captcha in body for captcha in _CAPTCHAS) and _SAYS_SO.search(body) is not None
