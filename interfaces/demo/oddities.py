"""What the demo web holds besides ordinary pages: one function for each thing that a crawler has to get right."""

from __future__ import annotations

from collections.abc import Callable

from interfaces.demo.draft import Draft, Site, footing, masthead, prose
from interfaces.demo.model import Answer
from interfaces.demo.vocabulary import CLOSED, MISSING, MOVED, SHOP, SHORTENER, STAR


def _plain(draft: Draft, site: Site, path: str, title: str, links: list[tuple[str, str]], **how: str) -> None:
    """Write an ordinary page with ``links`` (target, anchor) in its prose."""
    page = draft.page(site, path, title, **how)
    masthead(site, page, [("/", "Home")])
    with page.part("content"):
        page.write(f"<h1>{title}</h1>")
        prose(page, site.topic, [page.a(target, anchor) for target, anchor in links])
    footing(draft, site, page)
    draft.put(page)


def _languages(draft: Draft) -> None:
    site = draft.sites[STAR]
    for language, title in (("de", "Alpine Trails auf Deutsch"), ("fr", "Alpine Trails en français")):
        page = draft.page(site, f"/{language}/", title, language=language)
        page.relation("alternate", site.url(), ' hreflang="en"')
        masthead(site, page, [])
        with page.part("content"):
            page.write(f"<h1>{title}</h1>")
            page.write(
                f"<p>{page.a(site.url('/articles/'), 'Alle Wege' if language == 'de' else 'Tous les chemins')}</p>"
            )
        footing(draft, site, page)
        draft.put(page)


def _redirects(draft: Draft) -> None:
    """A moved page, a chain of two, a moved domain, a shortener that points elsewhere."""
    star, club, light = draft.sites[STAR], draft.sites["ridge-walkers.example"], draft.sites["peak-light.example"]
    draft.redirect(star.url("/old-hut-list"), star.articles[0].url)
    club.extras.append((star.url("/old-hut-list"), "the old list of huts"))
    draft.redirect(light.url("/portfolio"), light.url("/portfolio/"))
    draft.redirect(light.url("/portfolio/"), light.articles[0].url, 302)
    light.extras.append((light.url("/portfolio"), "Portfolio"))
    for path, target in (("/", star.url()), ("/huts", star.articles[1].url)):
        draft.redirect(f"http://{MOVED}{path}", target)
    draft.robots(MOVED)
    draft.robots(SHORTENER)
    draft.redirect(f"http://{SHORTENER}/a1", star.articles[2].url, 302)
    draft.redirect(f"http://{SHORTENER}/b2", draft.sites[SHOP].url(), 302)
    for host, target, anchor in (
        ("river-wheels.example", f"http://{MOVED}/", "Alps Walks"),
        ("slow-oven.example", f"http://{MOVED}/huts", "a list of huts with kitchens"),
        ("first-light.example", f"http://{SHORTENER}/a1", "go.link-lodge.example/a1"),
        ("gravel-notes.example", f"http://{SHORTENER}/b2", "our favourite shop"),
    ):
        draft.sites[host].extras.append((target, anchor))


def _refresh(draft: Draft) -> None:
    site = draft.sites["boots-and-bread.example"]
    page = draft.page(site, "/welcome", "Welcome")
    page.refresh(site.url("/articles/"), 1)
    page.write("<p>One moment…</p>")
    draft.put(page)
    site.extras.append((site.url("/welcome"), "Welcome"))


def _gone(draft: Draft) -> None:
    """Links to a page that never was, to one that was withdrawn, and to a host that does not exist."""
    site = draft.sites["hedge-almanac.example"]
    page = draft.page(site, "/withdrawn", "Withdrawn")
    page.write("<h1>Withdrawn</h1>")
    draft.put(page, 410)
    site.extras.append((site.url("/withdrawn"), "a withdrawn note"))
    draft.sites["seed-swap.example"].extras.append((draft.sites[STAR].url("/herbarium"), "the alpine herbarium"))
    draft.sites["north-bed.example"].extras.append((site.url("/no-such-hedge"), "hedge planner"))
    draft.sites["small-harbours.example"].extras.append((f"http://{MISSING}/pier", "the fishing pier"))


def _robots(draft: Draft) -> None:
    """Closed parts that are linked to, a host that is closed altogether, a crawl delay."""
    for host in ("ridge-walkers.example", "market-table.example", "dark-site.example", SHOP):
        site = draft.sites[host]
        _plain(draft, site, "/private/minutes", "Minutes of the meeting", [(draft.sites[STAR].url(), "Alpine Trails")])
        draft.robots(host, "/private/", "/search")
        site.extras.append((site.url("/private/minutes"), "Minutes (members only)"))
    draft.robots(CLOSED, "/")
    draft.robots("valley-observatory.example", rules="Crawl-delay: 0.2")


def _nofollow_pages(draft: Draft) -> None:
    """A page whose meta robots, and one whose X-Robots-Tag, say that none of its links count."""
    targets = [(draft.sites[STAR].url(), "Alpine Trails"), (draft.sites[SHOP].url(), "Summit Gear")]
    wiki, bench = draft.sites["wiki.valley-observatory.example"], draft.sites["bench-log.example"]
    _plain(draft, wiki, "/sandbox", "Sandbox", targets, robots="noarchive, nofollow")
    _plain(draft, bench, "/links", "Links", targets, robots_header="nofollow")
    wiki.extras.append((wiki.url("/sandbox"), "Sandbox"))
    bench.extras.append((bench.url("/links"), "Links"))


def _base(draft: Draft) -> None:
    site, star = draft.sites["gravel-notes.example"], draft.sites[STAR]
    page = draft.page(site, "/notebook/spring", "Spring notebook", base=star.url("/articles/"))
    slug = star.articles[0].url.rpartition("/")[2]
    with page.part("content"):
        page.write(f"<h1>Spring notebook</h1><p>{page.a(star.articles[0].url, 'one good article', href=slug)}</p>")
        page.write(f"<p>{page.a(star.url('/about'), 'its authors', href='../about')}</p>")
        page.write(f"<p>{page.a(site.url('/'), 'Back home')}</p>")
    draft.put(page)
    site.extras.append((site.url("/notebook/spring"), "Spring notebook"))


def _maps(draft: Draft) -> None:
    """An image map, and a page that shows it in a frame."""
    site, club = draft.sites["maps.alpine-trails.example"], draft.sites["ridge-walkers.example"]
    page = draft.page(site, "/overview", "Overview map")
    with page.part("content"):
        page.write('<img src="/overview.png" alt="Overview" usemap="#huts"><map name="huts">')
        for number, article in enumerate(draft.sites[STAR].articles[:3]):
            page.write(page.area(article.url, article.title, f"{60 + 80 * number},90,30"))
        page.write("</map>")
    draft.put(page)
    site.extras.append((site.url("/overview"), "Overview map"))
    page = draft.page(club, "/meeting-point", "Meeting point")
    masthead(club, page, [("/", "Home")])
    with page.part("content"):
        page.write(f"<h1>Meeting point</h1>{page.frame(site.url('/overview'))}")
    footing(draft, club, page)
    draft.put(page)
    club.extras.append((club.url("/meeting-point"), "Meeting point"))


def _french(draft: Draft) -> None:
    """A page in windows-1252 that says so in a meta element only."""
    site, star = draft.sites["cuisine-du-lac.example"], draft.sites[STAR]
    page = draft.page(site, "/recettes", "Recettes d’été", language="fr", charset="windows-1252")
    with page.part("content"):
        page.write("<h1>Recettes d’été</h1><p>Un gâteau à 5 €, d’après ")
        page.write(
            f"{page.a(star.url(), 'les sentiers préférés de nos hôtes')} et {page.a(site.url(), 'l’équipe')}.</p>"
        )
    draft.put(page)
    site.extras.append((site.url("/recettes"), "Recettes d’été"))


def _documents(draft: Draft) -> None:
    """Answers that are no pages, and one page under two URLs."""
    hut, oven = draft.sites["hut-to-hut.example"], draft.sites["slow-oven.example"]
    draft.answers[hut.host, "/packing-list.pdf"] = Answer(200, (("Content-Type", "application/pdf"),), _PDF)
    hut.extras.append((hut.url("/packing-list.pdf"), "Packing list (PDF)"))
    page = draft.page(oven, "/print?article=1", "For your printer")
    page.relation("canonical", oven.articles[0].url)
    page.relation("alternate", oven.url("/feed.xml"), ' type="application/rss+xml"', kind="feed")
    with page.part("content"):
        page.write(f"<h1>For your printer</h1><p>{page.a(oven.articles[0].url, 'Back to the article')}</p>")
    draft.put(page)
    draft.answers[oven.host, "/feed.xml"] = Answer(200, (("Content-Type", "application/rss+xml"),), _FEED)
    oven.extras.append((oven.url("/print?article=1"), "Print the first article"))


_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_FEED = b'<?xml version="1.0"?>\n<rss version="2.0"><channel><title>The Slow Oven</title></channel></rss>\n'

ODDITIES: tuple[Callable[[Draft], None], ...] = (
    _languages, _redirects, _refresh, _gone, _robots, _nofollow_pages, _base, _maps, _french, _documents,
)  # fmt: skip
