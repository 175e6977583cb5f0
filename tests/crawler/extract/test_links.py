"""The rules of what a page links to, each by hand."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.extract import read_page
from linkindex.model import Link, PageFacts

URL = "https://site.example/dir/page"


def facts(markup: str, url: str = URL, headers: Mapping[str, str] = {}, **limits: Any) -> PageFacts:  # noqa: B006
    return read_page(markup.encode(), url, {"content-type": "text/html; charset=utf-8", **headers}, **limits)


def links(markup: str, **headers: Any) -> tuple[Link, ...]:
    return facts(markup, **headers).links


def only(markup: str, **headers: Any) -> Link:
    (link,) = links(markup, **headers)
    return link


def targets(markup: str) -> list[str]:
    return [link.target.removeprefix("https://site.example") for link in links(markup)]


class TestKinds:
    @pytest.mark.parametrize(
        ("markup", "kind", "anchor"),
        [
            ("<a href=x>word</a>", "text", "word"),
            ("<a href=x><img alt=' the  alt '></a>", "image", "the alt"),
            ("<a href=x>word<img alt=alt></a>", "text", "word"),
            ("<a href=x><img></a>", "image", ""),
            ("<a href=x title=t><img></a>", "image", "t"),
            ("<a href=x><svg><title>drawn</title></svg></a>", "image", "drawn"),
            ("<map><area href=x alt=part></map>", "area", "part"),
            ("<iframe src=x title=player></iframe>", "frame", "player"),
            ("<frameset><frame src=x></frameset>", "frame", ""),
            ("<link rel='canonical' href=x>", "canonical", ""),
            ("<link rel=alternate hreflang=de href=x title=Deutsch>", "alternate", "Deutsch"),
            ("<link rel=NEXT href=x>", "next", ""),
            ("<link rel=previous href=x>", "prev", ""),
            ("<meta http-equiv=Refresh content='3; url=x'>", "refresh", ""),
            ("<form action=x aria-label=Search><input name=q></form>", "form", "Search"),
            ("<link rel=amphtml href=x>", "amphtml", ""),
            ("<link rel=sitemap href=x>", "sitemap", ""),
            ("<link rel=alternate type='application/RSS+xml; charset=x' href=x title=News>", "feed", "News"),
            ("<svg><a xlink:href=x><text>drawn</text></a></svg>", "text", "drawn"),
        ],
    )
    def test_each(self, markup: str, kind: str, anchor: str) -> None:
        link = only(markup)
        assert (link.kind, link.anchor, link.target) == (kind, anchor, "https://site.example/dir/x")

    @pytest.mark.parametrize(
        "markup",
        [
            "<a name=x>no href</a>",
            "<a xlink:href=x>not in svg</a>",
            "<link rel='alternate stylesheet' href=x>",
            "<link rel=canonical href=''>",
            "<link rel=icon href=x>",
            "<iframe></iframe>",
            "<form><input></form>",
            "<form action=''></form>",
            "<template><a href=x>inert</a></template>",
            "<div><template shadowrootmode=shut><a href=x>inert</a></template></div>",
            "<p><b><template shadowrootmode=open><a href=x>b hosts no shadow</a></template></b>",
            "<!-- <a href=x> --><script><a href=x></script><style><a href=x></style><textarea><a href=x></textarea>",
            "<iframe><a href=x></iframe><noframes><a href=x></noframes><title><a href=x></title>",
        ],
    )
    def test_no_link(self, markup: str) -> None:
        assert links(markup) == ()

    def test_noscript_counts(self) -> None:
        assert targets("<noscript><a href=x></a></noscript>") == ["/dir/x"]

    def test_shadow_roots_count_once_for_each_host_and_nested(self) -> None:
        inner = "<my-part><template shadowrootmode=closed><a href=2></a></template></my-part>"
        shadow = f"<template shadowrootmode=open><a href=1></a>{inner}</template>"
        assert targets(f"<div>{shadow}<template shadowrootmode=open><a href=3></a></template></div>") == [
            "/dir/1",
            "/dir/2",
        ]


class TestTargets:
    @pytest.mark.parametrize(
        ("href", "target"),
        [
            ("other", "https://site.example/dir/other"),
            (" \n/a\tb ", "https://site.example/ab"),
            ("//else.example", "https://else.example/"),
            ("HTTP://ELSE.example:80/%7e#f", "http://else.example/%7e#f"),
            ("?q", "https://site.example/dir/page?q"),
            ("/ä", "https://site.example/%C3%A4"),
        ],
    )
    def test_resolved_as_browsers_do(self, href: str, target: str) -> None:
        assert only(f'<a href="{href}">').target == target

    @pytest.mark.parametrize("href", ["", "#", "#top", "page", "page#x", "https://site.example/dir/page"])
    def test_links_to_the_page_itself_are_left_out(self, href: str) -> None:
        assert facts(f'<a href="{href}">x') == facts("<a>x")

    @pytest.mark.parametrize(
        "href", ["javascript:x", "mailto:a@b", "tel:1", "data:,", "http://", "http://a b/", "ftp://a/"]
    )
    def test_unusable_ones_are_counted(self, href: str) -> None:
        page = facts(f'<a href="{href}">x</a>')
        assert (page.links, page.unusable) == ((), 1)

    def test_too_long_is_unusable(self) -> None:
        long = "x" * 9000
        assert facts(f"<a href={long}>").unusable == 1
        assert facts(f"<base href=/{long}/><a href=x><a href=https://a.example/>").unusable == 1

    @pytest.mark.parametrize(
        ("base", "target"),
        [
            ("<base href=/b/>", "https://site.example/b/x"),
            ("<base target=_top><base href=/b/><base href=/c/>", "https://site.example/b/x"),
            ("<base href='http://['>", "https://site.example/dir/x"),
            ("<base href='data:,'>", "https://site.example/dir/x"),
            ("<base href='javascript:x'>", "https://site.example/dir/x"),
        ],
    )
    def test_base(self, base: str, target: str) -> None:
        assert only(f"{base}<a href=x>").target == target
        assert only(f"<a href=x>{base}").target == target

    def test_base_without_paths_leaves_nothing_to_join(self) -> None:
        assert facts("<base href='mailto:a@b'><a href=x>").unusable == 1

    def test_ordinals_count_links_to_one_target(self) -> None:
        page = links("<a href=x>1</a><a href=y>2</a><a href=x#f>3</a>")
        assert [link.ordinal for link in page] == [0, 0, 1]

    @pytest.mark.parametrize(
        ("content", "target"),
        [
            ("0;x", "x"),
            ("0, URL = 'x' y", "x"),
            ('0 ; url="x', "x"),
            (".5;url=x", "x"),
            ("1 x", "x"),
            ("5", None),
            ("x", None),
            (";url=x", None),
            ("-1;url=x", None),
            ("0;", None),
        ],
    )
    def test_refresh(self, content: str, target: str | None) -> None:
        found = links(f"<meta http-equiv=refresh content='{content.replace(chr(39), '&#39;')}'>")
        assert [link.target for link in found] == ([f"https://site.example/dir/{target}"] if target else [])

    def test_limit(self) -> None:
        markup = "<a href=1>one</a><a href=#>self</a><a href=2>two</a>"
        assert [link.target[-1] for link in facts(markup, max_links=3).links] == ["1", "2"]
        assert not facts(markup, max_links=3).cut
        cut = facts(markup, max_links=2)
        assert (len(cut.links), cut.cut) == (1, True)


class TestFollow:
    def test_every_token_is_kept(self) -> None:
        assert only("<a href=x rel=' Me NOFOLLOW\nme\u00a0x '>").rel == ("me", "me\u00a0x", "nofollow")

    @pytest.mark.parametrize(("rel", "follow"), [("", True), ("me", True), ("nofollow", False), ("UGC", False)])
    def test_rel(self, rel: str, follow: bool) -> None:
        assert only(f"<a href=x rel='{rel}'>").follow is follow

    @pytest.mark.parametrize(
        ("meta", "headers", "robots"),
        [
            ("<meta name=Robots content='NoFollow, max-snippet:5'>", (), ("max-snippet: 5", "nofollow")),
            ("<meta name=linkatlas content=none>", (), ("nofollow", "noindex")),
            ("<meta name=googlebot content=nofollow>", (), ("nofollow",)),
            ("<meta name=otherbot content=nofollow>", (), ()),
            ("", ("googlebot: nofollow",), ("nofollow",)),
            ("<meta name=robots content='index, follow'>", (), ()),
            ("", ("noindex, nofollow",), ("nofollow", "noindex")),
            ("", ("otherbot: nofollow", "linkatlas: noindex"), ("noindex",)),
            ("", ("otherbot: noindex, nofollow, *: noarchive",), ("noarchive",)),
            ("", ("unavailable_after: Wed, 21 Oct 2026 07:28:00 GMT, nofollow",), None),
            ("<meta name=robots content='%$, ,:,a:b:c'>", (":,::",), ()),
        ],
    )
    def test_robots(self, meta: str, headers: tuple[str, ...], robots: tuple[str, ...] | None) -> None:
        page = facts(f"{meta}<a href=x>x</a>", headers={"x-robots-tag": "\n".join(headers)})
        expected = ("nofollow", "unavailable_after: wed, 21 oct 2026 07:28:00 gmt") if robots is None else robots
        assert page.robots == expected
        assert page.links[0].follow is ("nofollow" not in expected)

    def test_robots_after_the_link_holds_too(self) -> None:
        assert not only("<a href=x>x</a><meta name=robots content=nofollow>").follow


class TestAnchor:
    @pytest.mark.parametrize(
        ("content", "anchor"),
        [
            (" a\n<b> b </b>&nbsp;c ", "a b c"),
            ("one\u3000two", "one two"),
            ("one<br>two<div>three</div>four", "one two three four"),
            ("a<!-- c -->b", "ab"),
            ("a<script>s</script><style>s</style>b", "ab"),
            ("a<i hidden>h</i><i aria-hidden=true>h</i><i style='color:red;DISPLAY : none'>h</i>b", "ab"),
            ("a<i aria-hidden=false>b</i><i style='x-display:none'>c</i>", "abc"),
            ("<i hidden><img alt=h></i><img alt=seen>", "seen"),
            ("<img alt=twice><noscript><img alt=twice></noscript>", "twice"),
            ("x" * 600, "x" * 512),
            ("<b>" + "word </b><b>" * 200, ("word " * 200)[:512].rstrip()),
            ("\ud800", ""),
            ("&#xd800;&#0;", "\ufffd\ufffd"),
        ],
    )
    def test_as_a_reader_sees_it(self, content: str, anchor: str) -> None:
        body = f"<a href=x>{content}</a>".encode(errors="ignore")
        assert read_page(body, URL, headers={"content-type": "text/html;charset=utf-8"}).links[0].anchor == anchor

    def test_name_where_there_is_no_text(self) -> None:
        assert only("<a href=x aria-label=label title=title> </a>").anchor == "label"
        assert only("<a href=x title=title></a>").anchor == "title"

    def test_a_hidden_menu_keeps_its_anchors(self) -> None:
        assert only("<div hidden><a href=x>in a closed <i>menu</i></a></div>").anchor == "in a closed menu"


class TestSurroundings:
    def test_whole_words_of_the_block(self) -> None:
        words = " ".join(f"word{n}" for n in range(60))
        link = only(f"<p>outside</p><p>{words} <b>near</b> <a href=x>a</a>, after {words}</p>outside")
        assert link.text_before.endswith("word58 word59 near")
        assert link.text_before.startswith("word")
        assert link.text_after.startswith(", after word0")
        assert 100 < len(link.text_before) <= 120
        assert 100 < len(link.text_after) <= 120

    def test_writing_without_spaces_is_cut(self) -> None:
        link = only(f"<p>{'字' * 300}<a href=x>a</a>{'字' * 300}")
        assert (len(link.text_before), len(link.text_after)) == (120, 120)

    def test_blocks_and_pieces_part_words(self) -> None:
        link = only("<div>one<p>two</p><a href=x>a</a><ul><li>three<li>four</ul></div>")
        assert (link.text_before, link.text_after) == ("one two", "three four")

    def test_scripts_and_hidden_text_are_no_surroundings(self) -> None:
        link = only("<p>see<script>s</script> <i hidden>h</i><a href=x>a</a><select><option>o</select> this")
        assert (link.text_before, link.text_after) == ("see", "this")

    def test_heading_before_the_link(self) -> None:
        markup = (
            "<a href=0></a><h1> A <b>title</b></h1><a href=1></a><h2><a href=2>t</a></h2><h3></h3><p><a href=3></a>"
        )
        assert [link.heading for link in links(markup)] == ["", "A title", "A title", "t"]


class TestPlacement:
    @pytest.mark.parametrize(
        ("markup", "placement"),
        [
            ("<nav>{}</nav>", "navigation"),
            ("<div role=navigation>{}</div>", "navigation"),
            ("<header>{}</header>", "header"),
            ("<header><nav>{}</nav></header>", "navigation"),
            ("<footer><nav>{}</nav></footer>", "navigation"),
            ("<footer><div class=content>{}</div></footer>", "footer"),
            ("<aside>{}</aside>", "sidebar"),
            ("<main><p>{}</p></main>", "content"),
            ("<article><header>{}</header></article>", "content"),
            ("<article><footer>{}</footer></article>", "content"),
            ("<main><footer>{}</footer></main>", "footer"),
            ("<aside><article>{}</article></aside>", "sidebar"),
            ("<article><p class=byline>{}</p></article>", "author"),
            ("<article><ul class=related-posts><li>{}</ul></article>", "related"),
            ("<footer><div class=social>{}</div></footer>", "footer"),
            ("<article class='post author-jo'><p>{}</p></article>", "content"),
            ("<ol itemtype=https://schema.org/BreadcrumbList><li>{}</ol>", "breadcrumb"),
            ("<div itemtype='http://schema.org/WPFooter'>{}</div>", "footer"),
            ("<div class='wp mainMenu'>{}</div>", "navigation"),
            ("<div id=site-footer>{}</div>", "footer"),
            ("<main><ol class=comment-list><li>{}</ol></main>", "comment"),
            ("<nav class=breadcrumbs>{}</nav>", "breadcrumb"),
            ("<body class=has-sidebar><div>{}</div>", "unknown"),
            ("<div class=unavailable>{}</div>", "unknown"),
            ("<p>A sentence that is long enough to be one that somebody wrote, with a {} in it.</p>", "content"),
        ],
    )
    def test_each(self, markup: str, placement: str) -> None:
        link = only(markup.format("<a href=x>link</a>"))
        assert link.placement == placement
        assert 0 <= link.placement_confidence <= 1

    def test_head(self) -> None:
        assert only("<link rel=next href=x>").placement == "head"


class TestPage:
    def test_facts(self) -> None:
        page = facts(
            "<html lang=EN_us><title> A\n title </title><body><svg><title>no</title></svg>"
            "<link rel=canonical href='javascript:'><link rel=canonical href=page>"
        )
        assert (page.title, page.language, page.charset) == ("A title", "en-us", "utf-8")
        assert (page.canonical, page.links) == (URL, ())

    @pytest.mark.parametrize(
        ("markup", "header", "language"),
        [
            ("<html lang=''>", "de-AT, en", "de-at"),
            ("<meta http-equiv=content-language content=fr>", "de", "fr"),
            ("<html lang='%%'>", "", ""),
        ],
    )
    def test_language(self, markup: str, header: str, language: str) -> None:
        assert facts(markup, headers={"content-language": header}).language == language


PARTS = st.sampled_from(
    "<a href=x>|<a href='//['>|</a>|<p>|</p>|<div hidden>|</div>|<table>|<tr>|<td>|<svg>|</svg>|<b>|</b>|<h2>|</h2>"
    "|<base href=/>|<template>|<template shadowrootmode=open>|</template>|<img alt=a>|<noscript>|<iframe src=y>"
    "|<select>|<script>|</script>|<meta name=robots content=none>|<meta http-equiv=refresh content=0;x>|<a|<!--|-->"
    "|<link rel=canonical href=//c>|&#0;|\x00|<frameset>|<math>|<foreignObject>|<title>|text | \u00a0\n|\ud800".split(
        "|"
    )
)


HEADERS = ("x-robots-tag", "content-language", "link", "last-modified", "set-cookie", "server")


class TestAnyPage:
    @given(st.binary(max_size=500), st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
    @example(b"", "", "", "")
    @example(b"\xfe\xff\xd8", "text/html; charset=x-user-defined", "a:b", "http://[")
    def test_bytes(self, body: bytes, content_type: str, header: str, url: str) -> None:
        self.check(read_page(body, url, dict.fromkeys(HEADERS, header) | {"content-type": content_type}))

    @given(st.lists(PARTS, max_size=60), st.sampled_from(["utf-8", "utf-16le", "big5", "iso-2022-jp", "replacement"]))
    @settings(max_examples=300)
    def test_mutated_markup(self, parts: list[str], charset: str) -> None:
        body = "".join(parts).encode("utf-8", "surrogatepass")
        self.check(read_page(body, URL, headers={"content-type": f"text/html; charset={charset}"}))

    def check(self, page: PageFacts) -> None:
        repr(page).encode()
        for link in page.links:
            for text in (link.target, link.anchor, link.text_before, link.text_after, link.heading, *link.rel):
                text.encode()
            assert len(link.anchor) <= 512
            assert max(len(link.text_before), len(link.text_after), len(link.heading)) <= 120


class TestHostilePages:
    """Each would take minutes, or the whole memory, were any step more than linear."""

    @pytest.mark.parametrize(
        "body",
        [
            b"<div>" * 10_000 + b"<a href=x>deep",
            b"<span><h2>t</h2><b>" * 10_000 + b"<a href=x>deep",
            b"<a href=x>" + b"word " * 2_000_000 + b"</a>",
            b"<p>" + b"<a href=x></a> " * 1_000_000,
            b"<p>" + b" \n" * 1_000_000 + b"<a href=x>x</a>" * 10_000,
            b"<svg>" + b"<a href=x>" * 10_000 + (b"x" + b" " * 2000 + b"<g></g>") * 1000,
            b"<div><template shadowrootmode=open>" * 2_000 + b"<a href=x>deep",
            b"<base href=/" + b"x" * 1_000_000 + b"><a href=a></a>" + b"<a href=b></a>" * 10_000,
            b"<a href=x rel='" + b"r " * 500_000 + b"'>",
            b"<div class='" + b"nav " * 500_000 + b"'><a href=x>",
        ],
        ids=range(10),
    )
    def test_read_in_full(self, body: bytes) -> None:
        page = read_page(body, URL)
        assert page.links or page.unusable

    def test_long_attributes_are_not_remembered(self) -> None:
        names = ("role", "class", "id", "aria-label", "itemtype")
        tracemalloc.start()
        for n in range(20):
            attributes = " ".join(f"{name}='{n} {'x' * 100_000}'" for name in names)
            read_page(f"<div {attributes}><a href=x {attributes} rel='{n} {'x' * 100_000}'>y</a></div>".encode(), URL)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept < 1_000_000
