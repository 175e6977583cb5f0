"""``make_web``: some forty hosts about hobbies, their pages and links, all from one seed number.

Nothing here depends on the clock, the platform or the order of a set: one seed gives the same bytes everywhere.
"""

from __future__ import annotations

from interfaces.demo.dice import Dice
from interfaces.demo.draft import Article, Draft, Site, footing, friends, masthead, prose
from interfaces.demo.model import Web, split
from interfaces.demo.oddities import ODDITIES
from interfaces.demo.page import Page
from interfaces.demo.vocabulary import (
    COMMENTS,
    DIRECTORY,
    HEADLINES,
    HIKING,
    MISSING,
    READERS,
    SITES,
    SPAM,
    STAR,
    TOPICS,
    Topic,
)

ON_A_PAGE = 4  # articles on one page of a list


def make_web(seed: int = 1, hosts: int = 36) -> Web:
    """Return the web of ``seed``. Beyond the named sites, further ones are made up until there are ``hosts``.

    Two more hosts, an old domain that moved and a link shortener, only redirect. Raises ValueError for fewer hosts
    than there are named sites.
    """
    if hosts < len(SITES):
        raise ValueError(f"the made-up web has at least {len(SITES)} hosts, not {hosts}")
    draft = Draft(seed, {site.host: site for site in _sites(seed, hosts)})
    for oddity in ODDITIES:
        oddity(draft)
    for site in draft.sites.values():
        _write(draft, site)
    seeds = (f"http://{STAR}/", f"http://{DIRECTORY}/")
    return Web(seeds, STAR, draft.answers, tuple(draft.planted), draft.closed)


def _sites(seed: int, hosts: int) -> list[Site]:
    named = list(SITES)
    for number in range(len(SITES), hosts):
        topic = TOPICS[number % len(TOPICS)]
        named.append((f"{topic.name}-notes-{number}.example", f"{topic.name.title()} Notes {number}", topic))
    return [
        Site(host, name, topic, number, _articles(seed, host, topic))
        for number, (host, name, topic) in enumerate(named)
    ]


def _articles(seed: int, host: str, topic: Topic) -> tuple[Article, ...]:
    dice = Dice(f"{seed}/{host}/articles")
    articles = []
    for headline in dice.some(HEADLINES, 5 + dice.below(4)):
        first, second = dice.some(topic.things, 2)
        title = headline.format(a=first, b=second)
        slug = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
        articles.append(Article(f"http://{host}/articles/{slug}", title, dice.pick(topic.tags)))
    return tuple(articles)


def _write(draft: Draft, site: Site) -> None:
    if (site.host, "/robots.txt") not in draft.answers:
        draft.robots(site.host)
    _write_home(draft, site)
    _write_about(draft, site)
    _write_list(draft, site, "/articles/", "Articles", site.articles)
    for tag in site.topic.tags:
        _write_list(draft, site, f"/tag/{tag}", tag.title(), tuple(a for a in site.articles if a.tag == tag))
    for article in site.articles:
        _write_article(draft, site, article)


def _write_home(draft: Draft, site: Site) -> None:
    page = draft.page(site, "/", site.name)
    page.relation("canonical", site.url())
    if site.host == STAR:
        page.relation("alternate", site.url("/de/"), ' hreflang="de"')
        page.relation("alternate", site.url("/fr/"), ' hreflang="fr"')
    masthead(site, page, [])
    with page.part("content"):
        page.write(f"<h1>{site.name.replace('&', '&amp;')}</h1>")
        prose(page, site.topic, [page.a(a.url, a.title) for a in site.articles[:ON_A_PAGE]])
        if site.extras:
            page.write("<h2>Also here</h2><ul>")
            page.write("\n".join(f"<li>{page.a(url, anchor)}</li>" for url, anchor in site.extras))
            page.write("</ul>")
        if site.host == DIRECTORY:
            _write_catalogue(draft, page)
    footing(draft, site, page)
    draft.put(page)


def _write_catalogue(draft: Draft, page: Page) -> None:
    for topic in TOPICS:
        page.write(f"<h2>{topic.name.title()}</h2><ul>")
        for site in draft.sites.values():
            if site.topic == topic and site.host not in (SPAM, DIRECTORY):
                page.write(f"<li>{page.a(site.url(), site.name)}, on {topic.name}</li>")
        page.write("</ul>")
    page.write(f"<p>Closed for good: {page.a(f'http://{MISSING}/', 'Gone Fishing')}</p>")


def _write_about(draft: Draft, site: Site) -> None:
    page = draft.page(site, "/about", f"About {site.name}")
    others = friends(draft, site)[1:]
    masthead(site, page, [("/", "Home")])
    with page.part("content"):
        page.write(f"<h1>About {site.name.replace('&', '&amp;')}</h1>")
        prose(page, site.topic, [page.a(friend.url("/about"), f"the people of {friend.name}") for friend in others])
    footing(draft, site, page)
    draft.put(page)


def _write_list(draft: Draft, site: Site, path: str, title: str, articles: tuple[Article, ...]) -> None:
    """Write a list of articles, in pages that know their next and previous one."""
    chunks = [articles[at : at + ON_A_PAGE] for at in range(0, len(articles), ON_A_PAGE)] or [()]
    paths = [path, *(f"{path.rstrip('/')}/page/{number}" for number in range(2, len(chunks) + 1))]
    for number, chunk in enumerate(chunks):
        page = draft.page(site, paths[number], f"{title} - {site.name}" + (f", page {number + 1}" if number else ""))
        for rel, other in (("prev", number - 1), ("next", number + 1)):
            if 0 <= other < len(paths):
                page.relation(rel, site.url(paths[other]))
        masthead(site, page, [("/", "Home")])
        with page.part("content"):
            page.write(f"<h1>{title}</h1>")
            for article in chunk:
                page.write(f"<h2>{page.a(article.url, article.title)}</h2>")
                prose(page, site.topic)
            page.write(" ".join(page.a(site.url(p), f"Page {n}") for n, p in enumerate(paths, 1)))
        footing(draft, site, page)
        draft.put(page)


def _write_article(draft: Draft, site: Site, article: Article) -> None:
    page = draft.page(site, split(article.url)[1], f"{article.title} - {site.name}")
    page.relation("canonical", article.url)
    masthead(site, page, [("/", "Home"), (f"/tag/{article.tag}", article.tag.title())])
    with page.part("content"):
        page.write(f"<h1>{article.title.replace('&', '&amp;')}</h1>")
        prose(page, site.topic, _citations(draft, site, page))
    with page.part("comment"):
        page.write("<h2>Comments</h2>")
        for _ in range(page.dice.below(4)):
            _write_comment(draft, site, page)
    footing(draft, site, page)
    draft.put(page)


def _citations(draft: Draft, site: Site, page: Page) -> list[str]:
    """Return the links that an article makes: one to its own site, two abroad, and often one to the star."""
    dice = page.dice
    own = dice.pick(site.articles)
    links = [page.a(own.url, own.title.lower())]
    others = [other for other in draft.sites.values() if other.host not in (site.host, SPAM)]
    links += [_citation(page, other) for other in dice.some(others, 2)]
    if dice.chance(0.6 if site.topic == HIKING else 0.25) and site.host != STAR:
        links.append(_citation(page, draft.sites[STAR]))
    return links


def _citation(page: Page, other: Site) -> str:
    dice = page.dice
    article = dice.pick(other.articles)
    if dice.chance(0.1):
        return page.image(article.url, f"Photograph: {article.title}", "/photo.jpg")
    title = article.title[:1].lower() + article.title[1:]
    anchors = (article.title, other.name, title, f"{other.name} on {other.topic.name}", "this guide", "here",
               split(article.url)[0], f"their notes about {article.tag}", article.url)  # fmt: skip
    target = article.url if dice.chance(0.7) else other.url()
    return page.a(target, dice.pick(anchors), "nofollow" if dice.chance(0.08) else "")


def _write_comment(draft: Draft, site: Site, page: Page) -> None:
    dice = page.dice
    home = draft.sites[SPAM] if dice.chance(0.3) else dice.pick(list(draft.sites.values()))
    text = dice.pick(COMMENTS).format(a=dice.pick(site.topic.things), b=dice.pick(site.topic.things))
    page.write(f"<p>{page.a(home.url(), dice.pick(READERS), 'ugc nofollow')}: {text}</p>")
