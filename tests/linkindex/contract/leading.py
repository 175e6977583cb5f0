"""Where targets lead: redirects and canonicals, what is answered under both ends, and what leads nowhere."""

from __future__ import annotations

import pytest

from linkindex.answers.rows import Hop
from linkindex.history import Lead
from linkindex.model import Outcome, Visit
from linkindex.store import LinkIndex
from tests.linkindex.contract.making import DAY, Places, found, link, redirect, selected, sources, visit


def canonical(url: str, at: int, to: str) -> Visit:
    return visit(url, at, status=200, canonical=to)


def linked(*targets: str, at: int = 1) -> list[Visit]:
    """Return pages a, b, c… that link to these, one each."""
    return [visit(f"https://{chr(97 + n)}.test/", at, link(target)) for n, target in enumerate(targets)]


def hop(to: str, kind: str = "redirect", status: int = 301) -> Hop:
    return Hop(to=to, kind=kind, status=status)


class Leading(Places):
    def test_where_urls_lead_by_their_own_word(self, index: LinkIndex) -> None:
        index.store(
            [
                redirect("https://r.test/", 1, "https://x.test/#part", 308),
                canonical("https://k.test/?a", 1, "https://k.test/"),
                canonical("https://k.test/", 1, "https://k.test/"),
                visit("https://page.test/", 1),
            ]
        )
        asked = ["https://r.test/", "https://k.test/?a", "https://k.test/", "https://page.test/", "https://never.test/"]
        assert index.leads(asked) == {
            "https://r.test/": Lead(to="https://x.test/", kind="redirect", status=308),
            "https://k.test/?a": Lead(to="https://k.test/", kind="canonical", status=200),
        }
        assert index.leads([]) == {}

    @pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.UNREACHABLE, Outcome.UNCHANGED, Outcome.UNREADABLE])
    def test_a_page_that_could_not_be_read_leads_where_it_led(self, index: LinkIndex, outcome: Outcome) -> None:
        index.store([redirect("https://r.test/", DAY, "https://x.test/")])
        index.store([visit("https://r.test/", day * DAY, outcome=outcome) for day in (2, 3, 4, 5, 6)])
        assert index.leads(["https://r.test/"])["https://r.test/"].to == "https://x.test/"

    @pytest.mark.parametrize("outcome", [Outcome.PAGE, Outcome.GONE])
    def test_a_lead_may_go_away(self, index: LinkIndex, outcome: Outcome) -> None:
        index.store([*linked("https://r.test/"), redirect("https://r.test/", 2, "https://x.test/")])
        assert sources(found(index, "x.test", kinds=("text",))) == ["a"]
        index.store([visit("https://r.test/", 3, outcome=outcome, status=404 if outcome is Outcome.GONE else 200)])
        assert index.leads(["https://r.test/"]) == {}
        assert found(index, "x.test", kinds=("text",)) == []
        (row,) = found(index, "r.test")
        assert (row.target_end, row.hops) == ("https://r.test/", [])

    # ---- answered under both

    def test_a_question_is_also_about_what_leads_there(self, index: LinkIndex) -> None:
        index.store(
            [
                *linked(
                    "https://old.test/page", "https://www.new.test/page", "https://copy.test/", "https://other.test/"
                ),
                redirect("https://old.test/page", 1, "https://www.new.test/page"),
                canonical("https://copy.test/", 1, "https://www.new.test/page"),
                visit("https://www.new.test/page", 1, status=200),
            ]
        )
        for target in ("https://www.new.test/page", "www.new.test", "new.test", "https://www.new.test/*"):
            rows = found(index, target, kinds=("text",))
            assert sources(rows) == ["a", "b", "c"]
            assert {row.target_end for row in rows} == {"https://www.new.test/page"}
            assert sources(found(index, target, as_found=True, kinds=("text",))) == ["b"]
            (whole,) = index.groups(selected(target, kinds=("text",)), "")
            assert (whole.links, whole.targets) == (3, 3)
            (raw,) = index.groups(selected(target, kinds=("text",), as_found=True), "")
            assert raw.links == 1
        old = found(index, "old.test")[0]
        assert (old.target, old.target_end, old.hops) == (
            "https://old.test/page",
            "https://www.new.test/page",
            [hop("https://www.new.test/page")],
        )
        assert found(index, "https://old.test/other") == []

    def test_a_page_that_links_in_several_ways_is_one(self, index: LinkIndex) -> None:
        """To the target, to what leads there, to both, to both until one was lost; twice on a page, often on a domain."""
        new, other, old, older = (f"https://{name}/" for name in ("new.test", "new.test/x", "old.test", "older.test"))
        pages = [(new,), (old,), (new, old), (old, new), (old, older, old), (old, new), (older,), (other, new, older)]
        index.store(
            [redirect(old, 1, new), redirect(older, 1, old), redirect("https://aside.test/", 1, "https://c.test/")]
        )
        for n, targets in enumerate(pages):
            places = (f"https://s{n}.test/", f"https://all.test/{n}", f"https://new.test/{n}")
            index.store([visit(place, 1, *map(link, targets), link("https://aside.test/")) for place in places])
        for n, left in ((3, (old,)), (5, (new,))):
            index.store(
                [visit(place, 2, *map(link, left)) for place in (f"https://s{n}.test/", f"https://all.test/{n}")]
            )
        for conditions in ({}, {"follow": True}, {"internal": True}, {"as_found": True}, {"source": "all.test"}):
            selection = selected("new.test", **conditions)
            rows = list(index.links(selection))
            (whole,) = index.groups(selection, "")
            assert whole.sources == len({row.source for row in rows})
            for group in index.groups(selection, "domain"):
                assert group.sources == len({row.source for row in rows if row.source_domain == group.key})
        assert {row.source_domain: row.pages for row in found(index, "new.test", per="domain", limit=50)}[
            "all.test"
        ] == 8

    def test_a_link_shows_each_hop_with_its_status(self, index: LinkIndex) -> None:
        index.store(
            [
                *linked("https://one.test/"),
                redirect("https://one.test/", 1, "https://two.test/", 302),
                redirect("https://two.test/", 1, "https://three.test/", 308),
                canonical("https://three.test/", 1, "https://four.test/"),
                visit("https://four.test/", 1, outcome=Outcome.GONE, status=410),
            ]
        )
        for name in ("one", "two", "three", "four"):
            (row,) = found(index, f"{name}.test", kinds=("text",))
            assert row.target == "https://one.test/"
            assert row.hops == [
                hop("https://two.test/", status=302),
                hop("https://three.test/", status=308),
                hop("https://four.test/", "canonical", 200),
            ]
            assert (row.target_end, row.target_status, row.end_status) == ("https://four.test/", 302, 410)

    def test_a_chain_that_grows_and_breaks_is_followed_as_it_is(self, index: LinkIndex) -> None:
        index.store([*linked("https://one.test/"), redirect("https://two.test/", 1, "https://three.test/")])
        assert sources(found(index, "three.test", kinds=("text",))) == []
        index.store([redirect("https://one.test/", 2, "https://two.test/")])
        assert sources(found(index, "three.test", kinds=("text",))) == ["a"]
        index.store([redirect("https://two.test/", 3, "https://four.test/")])
        assert sources(found(index, "three.test", kinds=("text",))) == []
        assert sources(found(index, "four.test", kinds=("text",))) == ["a"]

    def test_many_urls_lead_to_one(self, index: LinkIndex) -> None:
        copies = [f"https://copy{n}.test/" for n in range(30)]
        index.store(
            [
                *(visit(f"https://s{n:02}.test/", 1, link(copy)) for n, copy in enumerate(copies)),
                *(redirect(copy, 1, "https://b.test/") for copy in copies),
            ]
        )
        assert len(found(index, "b.test", kinds=("text",))) == 30
        assert {group.key: group.links for group in index.groups(selected("b.test"), "kind")} == {
            "text": 30,
            "redirect": 30,
        }

    # ---- circles

    def test_copies_that_name_each_other(self, index: LinkIndex) -> None:
        index.store(
            [
                *linked("https://one.test/", "https://two.test/"),
                canonical("https://one.test/", 1, "https://two.test/"),
                canonical("https://two.test/", 1, "https://one.test/"),
            ]
        )
        for name in ("one", "two"):
            rows = found(index, f"{name}.test")
            assert {row.source: row.target_end for row in rows} == {
                "https://a.test/": "https://two.test/",
                "https://b.test/": "https://one.test/",
            }
        assert found(index, "one.test", broken=True) == []

    def test_redirects_in_a_circle_lead_nowhere(self, index: LinkIndex) -> None:
        index.store(
            [
                *linked("https://in.test/"),
                redirect("https://in.test/", 1, "https://one.test/"),
                redirect("https://one.test/", 1, "https://two.test/", 302),
                redirect("https://two.test/", 1, "https://one.test/", 303),
            ]
        )
        for name in ("in", "one", "two"):
            (row,) = found(index, f"{name}.test", source="a.test")
            assert [hop.to for hop in row.hops] == ["https://one.test/", "https://two.test/", ""]
            assert (row.target_end, row.end_status, row.hops[-1].status) == ("", None, 303)
            assert sources(found(index, f"{name}.test", source="a.test", broken=True)) == ["a"]

    def test_a_page_that_redirects_to_itself_leads_nowhere(self, index: LinkIndex) -> None:
        index.store([*linked("https://b.test/"), redirect("https://b.test/", 1, "https://b.test/#")])
        (row,) = found(index, "b.test")
        assert (row.target_end, row.hops) == ("", [hop("")])

    def test_more_than_ten_hops_lead_nowhere(self, index: LinkIndex) -> None:
        index.store([redirect(f"https://hop{n}.test/", 1, f"https://hop{n + 1}.test/") for n in range(11)])
        index.store(linked("https://hop0.test/", "https://hop1.test/"))
        assert sources(found(index, "hop11.test", kinds=("text",))) == ["b"]
        rows = found(index, "hop10.test", kinds=("text",))
        assert {row.source: row.target_end for row in rows} == {
            "https://a.test/": "",
            "https://b.test/": "https://hop11.test/",
        }
        assert len(rows[0].hops) == 11

    # ---- broken

    @pytest.mark.parametrize(
        ("outcome", "status", "broken"),
        [
            (Outcome.PAGE, 200, False),
            (Outcome.GONE, 404, True),
            (Outcome.GONE, 410, True),
            (Outcome.UNREACHABLE, 0, True),
            (Outcome.UNREACHABLE, 503, True),
            (Outcome.BLOCKED, 400, True),
            (Outcome.BLOCKED, 418, True),
            *((Outcome.BLOCKED, status, False) for status in (0, 401, 403, 429, 451)),
            (Outcome.NOT_A_PAGE, 200, False),
            (Outcome.UNREADABLE, 200, False),
        ],
    )
    def test_broken_is_what_answers_so(self, index: LinkIndex, outcome: Outcome, status: int, broken: bool) -> None:
        index.store(
            [*linked("https://b.test/", "https://old.test/"), redirect("https://old.test/", 1, "https://b.test/")]
        )
        assert found(index, "b.test", broken=True) == []  # never visited
        index.store([visit("https://b.test/", 2, outcome=outcome, status=status)])
        assert sources(found(index, "b.test", kinds=("text",), broken=True)) == (["a", "b"] if broken else [])
        assert sources(found(index, "old.test", broken=True)) == (["b"] if broken else [])
        assert {row.end_status for row in found(index, "b.test")} == {status or None}
        assert [group.links for group in index.groups(selected("old.test", broken=True), "")] == [1] * broken

    def test_a_link_is_broken_by_where_it_leads_not_by_how_it_gets_there(self, index: LinkIndex) -> None:
        index.store([*linked("https://old.test/"), redirect("https://old.test/", 1, "https://b.test/")])
        index.store([visit("https://b.test/", 2, outcome=Outcome.GONE, status=404)])
        assert len(found(index, "old.test", broken=True)) == 1
        index.store([visit("https://b.test/", 3, status=200)])
        assert found(index, "old.test", broken=True) == []

    # ---- as it was

    def test_leads_are_those_of_then(self, index: LinkIndex) -> None:
        index.store(linked("https://r.test/", at=1000))
        index.store([redirect("https://r.test/", 2000, "https://x.test/")])
        index.store([redirect("https://r.test/", 3000, "https://y.test/", 302)])
        index.store([visit("https://r.test/", 4000, outcome=Outcome.GONE, status=404)])

        def ends(target: str, as_of: int | None) -> list[str]:
            return [row.target_end for row in found(index, target, as_of=as_of, source="a.test")]

        assert ends("r.test", 1999) == ["https://r.test/"]
        assert ends("r.test", 2000) == ["https://x.test/"]
        assert ends("r.test", 3500) == ["https://y.test/"]
        assert ends("r.test", 4000) == ends("r.test", None) == ["https://r.test/"]
        assert [(at, len(ends("x.test", at))) for at in (1999, 2000, 2999, 3000)] == [
            *((1999, 0), (2000, 1), (2999, 1), (3000, 0))
        ]
        assert [len(ends("y.test", at)) for at in (2999, 3000, 3999, 4000)] == [0, 1, 1, 0]
        (row,) = found(index, "y.test", as_of=3500, source="a.test")
        assert row.hops == [hop("https://y.test/", status=302)]

    def test_a_lead_that_comes_again_is_as_good_as_before(self, index: LinkIndex) -> None:
        index.store(linked("https://r.test/", at=1000))
        for at, to in ((2000, "https://x.test/"), (3000, "https://y.test/"), (4000, "https://x.test/")):
            index.store([redirect("https://r.test/", at, to)])
        assert len(found(index, "x.test", source="a.test")) == 1
        assert [len(found(index, "x.test", source="a.test", as_of=at)) for at in (2500, 3500, 4500)] == [1, 0, 1]
