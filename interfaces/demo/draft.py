"""A made-up web while it is being made: its sites, and the parts that every page of a site shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from interfaces.demo.dice import Dice
from interfaces.demo.model import Answer, PlantedLink, split
from interfaces.demo.page import Page
from interfaces.demo.vocabulary import CITATIONS, CLOSED, ENGINE, SENTENCES, SHOP, SPAM, Topic


@dataclass(frozen=True)
class Article:
    """One article of a site, by URL."""

    url: str
    title: str
    tag: str


@dataclass(frozen=True)
class Site:
    """One host: what it writes about, its articles, and the sites it likes."""

    host: str
    name: str
    topic: Topic
    theme: int
    articles: tuple[Article, ...]
    extras: list[tuple[str, str]] = field(
        default_factory=list
    )  # further pages: URL and anchor, listed on the home page

    def url(self, path: str = "/") -> str:
        """Return the URL of a path on this host."""
        return f"http://{self.host}{path}"


@dataclass
class Draft:
    """A web being made: its sites first, then answers and truth."""

    seed: int
    sites: dict[str, Site]
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    planted: list[PlantedLink] = field(default_factory=list)
    closed: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def page(self, site: Site, path: str, title: str, **how: str) -> Page:
        """Begin a page of ``site``; the keywords are those of :class:`Page`."""
        url = site.url(path)
        return Page(url, title, Dice(f"{self.seed}/{url}"), theme=site.theme, **how)

    def put(self, page: Page, status: int = 200) -> None:
        """Keep a finished page and its links."""
        self.answers[split(page.url)] = page.answer(status)
        self.planted += page.links

    def redirect(self, source: str, target: str, status: int = 301) -> None:
        """Let ``source`` redirect."""
        self.answers[split(source)] = Answer(status, (("Location", target),), b"")
        self.planted.append(PlantedLink(source, target, "", (), "redirect", "unknown", True))

    def robots(self, host: str, *closed: str, rules: str = "") -> None:
        """Let the robots.txt of ``host`` close some path prefixes to everybody; ``rules`` are further lines."""
        lines = ["User-agent: *", *(f"Disallow: {prefix}" for prefix in closed or ("",)), rules]
        text = "\n".join(filter(None, lines)) + "\n"
        self.answers[host, "/robots.txt"] = Answer(200, (("Content-Type", "text/plain"),), text.encode())
        self.closed[host] = closed


def masthead(site: Site, page: Page, trail: list[tuple[str, str]]) -> None:
    """Write what stands above the content on every page of a site: logo, navigation, breadcrumb."""
    with page.part("header"):
        page.write(page.image(site.url(), site.name, "/logo.png"))
    with page.part("navigation"):
        entries = [("/", "Home"), ("/articles/", "Articles"), *((f"/tag/{t}", t.title()) for t in site.topic.tags)]
        page.write(" ".join(page.a(site.url(path), name) for path, name in [*entries, ("/about", "About")]))
    if trail:
        with page.part("breadcrumb"):
            steps = [page.a(site.url(path), name) for path, name in trail]
            page.write(" › ".join(steps))


def footing(draft: Draft, site: Site, page: Page) -> None:
    """Write what stands below or beside the content on every page of a site: blogroll, sponsor, footer."""
    number = list(draft.sites).index(site.host)
    with page.part("sidebar"):
        page.write(f"<h2>Friends of {site.name.replace('&', '&amp;')}</h2>")
        page.write(" ".join(page.a(friend.url(), friend.name) for friend in friends(draft, site)))
        if number % 4 == 1:
            offer = draft.sites[SHOP].articles[number % len(draft.sites[SHOP].articles)]
            rel = "sponsored" if number % 8 == 1 else "nofollow sponsored"
            page.write(f"<p>Advertisement: {page.a(offer.url, 'Summit Gear sale', rel)}</p>")
    with page.part("footer"):
        page.write(page.a(site.url("/about"), "Contact"))
        if number % 3:
            powered = page.a(f"http://{ENGINE}/", "Powered by Quill", "nofollow" if number % 6 == 1 else "")
            page.write(powered)


def prose(page: Page, topic: Topic, links: Sequence[str] = ()) -> None:
    """Write paragraphs about ``topic``, each of ``links`` (HTML) in a sentence of its own."""
    for link in [*links, ""]:
        templates = page.dice.some(SENTENCES, 3 + page.dice.below(3))
        if link:
            templates.insert(2, page.dice.pick(CITATIONS))
        page.write(f"<p>{' '.join(_sentence(page.dice, topic, template, link) for template in templates)}</p>")


def _sentence(dice: Dice, topic: Topic, template: str, link: str) -> str:
    first, second = dice.some(topic.things, 2)
    return template.format(a=first, b=second, link=link)


def friends(draft: Draft, site: Site) -> list[Site]:
    """Return the four sites in the blogroll of ``site``; the next of the table is one, so each is somebody's friend."""
    dice = Dice(f"{draft.seed}/{site.host}/friends")
    sites = list(draft.sites.values())
    after = sites[(sites.index(site) + 1) % len(sites)]
    others = [other for other in sites if other.host not in (site.host, after.host, SPAM, CLOSED)]
    return [after, *dice.some(others, 3)]
