"""Encodings: the standard's order, its prescan, its labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.charset import charset_of, prescan
from crawler.extract.encodings import LABELS, decode, encoding_of


def test_html5lib_cases(oracles: Path) -> None:
    cases = (oracles / "encoding/tests1.dat").read_bytes().split(b"#data\n")[1:]
    wrong = []
    for case in cases:
        body, _, expected = case.partition(b"\n#encoding\n")
        found, _ = charset_of(body, detect=False)
        if found != encoding_of(expected.decode()):
            wrong.append((body[-200:], expected, found))
    assert len(cases) == 59
    assert wrong == []


@pytest.mark.parametrize(
    ("body", "header", "charset"),
    [
        (b"\xef\xbb\xbf<meta charset=koi8-r>", "text/html; charset=big5", "utf-8"),
        (b"\xff\xfeh\0", "", "utf-16le"),
        (b"\xfe\xff\0h", "", "utf-16be"),
        (b"<meta charset=koi8-r>", "text/html;charset='Big5'", "big5"),
        (b"<meta charset=koi8-r>", "text/html; charset=nonsense", "koi8-r"),
        (b"<meta charset=koi8-r>", "text/html", "koi8-r"),
        (b"<meta charset=utf-16>", "", "utf-8"),
        (b"<meta charset=x-user-defined>\xe4", "", "windows-1252"),
        (b"<meta charset=iso-8859-1>", "", "windows-1252"),
        (b"<meta charset=nonsense><meta charset=gb2312>", "", "gbk"),
        (b"<?xml version='1.0' encoding='iso-8859-2'?><html>", "", "iso-8859-2"),
        (b"<?xml encoding='iso-8859-2'?><meta charset=koi8-r>", "", "koi8-r"),
        (b"x" * 2000 + b"<meta charset=koi8-r>", "", "koi8-r"),
        (b"plain", "", "utf-8"),
        ("größer".encode(), "", "utf-8"),
        ("größer".encode()[:4], "", "utf-8"),
        ("Привет, это страница о погоде в городе Москва. ".encode("cp1251") * 9, "", "windows-1251"),
        ("これは天気についての日本語のページです。".encode("cp932") * 9, "", "shift_jis"),
        ("Straße für Überraschungen, café crème et déjà vu. ".encode("cp1252") * 9, "", "windows-1252"),
    ],
)
def test_order(body: bytes, header: str, charset: str) -> None:
    assert charset_of(body, header)[0] == charset


@pytest.mark.parametrize(
    ("head", "charset"),
    [
        (b"<!--><meta charset=koi8-r>", "koi8-r"),
        (b"<!--<meta charset=big5>--><meta charset=koi8-r>", "koi8-r"),
        (b"<a title='<meta charset=big5>'><meta/charset='koi8-r'>", "koi8-r"),
        (b"<metax charset=big5></meta charset=big5><meta charset=koi8-r charset=big5>", "koi8-r"),
        (b"<meta content='text/html; charset = \"koi8-r\"' HTTP-EQUIV=Content-Type>", "koi8-r"),
        (b"<meta content='charset=koi8-r'>", ""),
        (b"<meta http-equiv=content-type content='charset=big5' charset=koi8-r>", "koi8-r"),
        (b"<meta charset=koi8-", ""),
        (b"<meta charset='koi8-r", ""),
        (b"<? x ><meta charset=koi8-r>", "koi8-r"),
    ],
)
def test_prescan(head: bytes, charset: str) -> None:
    assert prescan(head) == charset


def test_every_encoding_decodes() -> None:
    assert len(LABELS) == 228
    assert len(set(LABELS.values())) == 40
    for encoding in set(LABELS.values()):
        decode(bytes(range(256)), encoding).encode()
    assert decode(b"\x80\xff", "x-user-defined") == "\uf780\uf7ff"
    assert encoding_of(" UTF8\n") == "utf-8"
    assert encoding_of("utf-7") == ""


@given(st.binary(max_size=300), st.sampled_from(["<meta charset='", "<!--", "<a b=", "<?xml encoding=", "<meta "]))
def test_never_raises(tail: bytes, start: str) -> None:
    encoding, mark = charset_of(start.encode() + tail)
    assert encoding in LABELS.values()
    assert mark in (0, 2, 3)
