"""``python -m tests.web.farm``: 1,000 real pages on one host among six spider traps, each of them without an end.

=====================  =======================================================================================
``/calendar/…``        months and days from 1 to 9999, by path and by ``?date=``; a few of 2023 name real posts
``/shop/…;sid=…``      every shop page gives new session ids, in paths and in queries; 50 items have no other address
``/team/…``            relative links that lead ever deeper into the same two pages
``/shop/list?…``       filters that add up, one more key a step, each listing others of the same 30 items
``/mirror/N``          the 100 articles over and over, under numbers without end
``/archive/page/N``    pages that differ in a number and a word
=====================  =======================================================================================

What is real looks much alike: a blog by date with its monthly archives, a tree of documents fourteen deep, a thread of
100 pages, items and articles. Texts are made of a vocabulary in which words are as rare as in a language (Zipf).
"""

from __future__ import annotations

import argparse
import re
from asyncio import StreamWriter
from collections.abc import Iterable, Iterator
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

from interfaces.demo import loopback
from interfaces.demo.dice import Dice
from interfaces.demo.loopback import Listener, Request, message

HOST = "farm.test"
SEED = f"http://{HOST}/"
WORDS = 30_000  # in the vocabulary
ITEMS, HIDDEN = 200, 50  # of the shop; the last ones are linked with session ids only
ARTICLES = 99
THREADS, PAGES = 100, 100  # threads, and pages of the first
FILTERS = (
    "colour",
    "size",
    "brand",
    "sort",
    "material",
    "price",
    "rating",
)

_SYLLABLES = [
    a + b for a in "b d f g h k l m n p r s t v z".split() for b in ("a", "e", "i", "o", "u", "an", "er", "il")
]
_SESSION = re.compile(r";sid=\w+|[?&]PHPSESSID=\w+")

Page = tuple[str, Iterable[str]]  # text and links, as they are written


def bare(path: str) -> str:
    """Return a path without its session id."""
    return _SESSION.sub("", path)


@cache
def real() -> dict[str, Page]:
    """Return the 1,000 real pages by their paths."""
    pages: dict[str, Page] = {"/": (text("/"), ENTRANCES)}
    for one in (_blog(), _docs(), _forum(), _shop(), _articles()):
        pages.update(one)
    return pages


def answer(path: str) -> Page | None:
    """Return the page at a path, None where there is none."""
    place = bare(path)
    if page := real().get(place):
        words, links = page
        return words, _with_sessions(links, path) if place.startswith("/shop/") else links
    section, _, rest = place[1:].partition("/")
    if section == "calendar" or place.startswith("/calendar?"):
        return _calendar(place)
    if section == "team":
        return text("/team/about" if place.endswith("about/") else "/team/"), ("about/", "team/")
    if place.startswith("/shop/list"):
        return _listing(place)
    if section == "mirror" and rest.isdigit():
        number = int(rest)
        return text(_article(number % ARTICLES)) + f" No {number}.", (f"/mirror/{number * 2 + n}" for n in (1, 2))
    if section == "archive" and rest.startswith("page/"):
        number = int(rest[5:])
        shown = f"{text('/archive')} {word(number % 300)} {number}."
        found = [_article((number * 5 + n) % ARTICLES) for n in range(5)] if number < 20 else []
        return shown, (*found, f"/archive/page/{number + 1}", f"/archive/page/{number + 10}")
    return None


ENTRANCES = (
    *("/blog/2019/01/", "/docs/", "/forum/thread?id=1", "/shop/list", "/shop/item-0"),
    *("/calendar/2023/05", "/team/", "/archive/page/1", "/mirror/1", "/article-about-0", "/imprint"),
)


def _blog() -> Iterator[tuple[str, Page]]:
    """60 months with four posts each: 300 pages."""
    months = [f"/blog/{year}/{month:02}/" for year in range(2019, 2024) for month in range(1, 13)]
    for at, month in enumerate(months):
        posts = [f"{month}{7 * week + 1:02}/{slug(f'{month}{week}')}" for week in range(4)]
        yield month, (" ".join(map(text, posts))[:900], [*posts, *months[at + 1 : at + 2]])
        for post in posts:
            yield post, (text(post), [month, "/calendar/2023/05"])


def _docs() -> Iterator[tuple[str, Page]]:
    """A tree of 200 pages, up to fourteen segments deep."""
    children: dict[str, list[str]] = {"/docs/": []}
    tips = ["/docs/"] * 15
    for number in range(199):
        at = number % len(tips)
        child = f"{tips[at]}{word(3000 + number)}/"
        children[tips[at]].append(child)
        children[child] = []
        tips[at] = child
    yield from ((path, (text(path), [*below, "../", "/team/"])) for path, below in children.items())


def _forum() -> Iterator[tuple[str, Page]]:
    """100 threads, the first of 100 pages: 199 pages."""
    threads = [f"/forum/thread?id={number + 1}" for number in range(THREADS)]
    further = [f"{threads[0]}&page={number + 2}" for number in range(PAGES - 1)]
    for at, page in enumerate([threads[0], *further]):
        yield page, (text(page), [*further[at : at + 1], *threads[at : at + 3]])
    yield from ((page, (text(page), [threads[0], "/mirror/7"])) for page in threads[1:])


def _shop() -> Iterator[tuple[str, Page]]:
    """200 items; a page links to six others, and with a session id to one of the hidden ones."""
    for number in range(ITEMS):
        item = f"/shop/item-{number}"
        hidden = f"/shop/item-{ITEMS - HIDDEN + number % HIDDEN};sid"
        near = [f"/shop/item-{(number * 6 + n) % (ITEMS - HIDDEN)}" for n in range(1, 7)]
        yield item, (text(item, 60), [*near, hidden, f"{near[0]};sid", f"{near[1]}?PHPSESSID", "/shop/list"])


def _articles() -> Iterator[tuple[str, Page]]:
    for number in range(ARTICLES):
        further = [_article((number * 10 + n) % ARTICLES) for n in range(1, 11)]
        yield _article(number), (text(_article(number)), [*further, "/archive/page/3"])
    yield "/imprint", (text("/imprint"), ["/"])


def _calendar(place: str) -> Page:
    """A month with its days, or a day: a heading and what everything on a calendar says."""
    year, month, *day = [int(part) for part in re.findall(r"\d+", place)]
    name = "January February March April May June July August September October November December".split()[month - 1]
    shown = f"{' '.join(map(str, day))} {name} {year}. {text('/calendar')}"
    later, earlier = (year + month // 12, month % 12 + 1), (year - (month == 1), (month - 2) % 12 + 1)
    links = [f"/calendar/{y}/{m:02}" for y, m in (later, earlier)]
    if not day:
        links += [f"/calendar/{year}/{month:02}/{number:02}" for number in range(1, 29)]
        links += [f"/calendar?date={year:04}-{month:02}-{number:02}" for number in (1, 15)]
    if year == 2023:
        links += [path for path in real() if path.startswith(f"/blog/2023/{month:02}/")]
    return shown, links


def _listing(place: str) -> Page:
    path, _, query = place.partition("?")
    dice = Dice(place)
    items = dice.some([f"/shop/item-{number}" for number in range(30)], 10 if query else 30)
    used = {part.partition("=")[0] for part in query.split("&")}
    left = [name for name in FILTERS if name not in used]
    grown = [f"{path}?{f'{query}&' if query else ''}{name}={dice.below(9)}" for name in left]
    return " ".join(text(item, 60)[:120] for item in items), [*items, *grown]


def _with_sessions(links: Iterable[str], asked: str) -> Iterator[str]:
    for number, link in enumerate(links):
        session = sha256(f"{asked}{number}".encode()).hexdigest()[:20]
        yield f"{link}={session}" if link.endswith(("sid", "PHPSESSID")) else link


def _article(number: int) -> str:
    return f"/article-about-{number}" if number == 0 else f"/{slug(f'article {number}')}"


def word(rank: int) -> str:
    """Return a word of the vocabulary."""
    letters = ""
    rank += len(_SYLLABLES)
    while rank:
        rank, at = divmod(rank, len(_SYLLABLES))
        letters += _SYLLABLES[at]
    return letters


@cache
def text(name: str, words: int = 150) -> str:
    """Return the text that belongs to a name, in sentences."""
    dice = Dice(name)
    drawn = [word(int(WORDS ** (dice.below(1 << 30) / (1 << 30)))) for _ in range(words)]
    return " ".join(" ".join(drawn[at : at + 15]).capitalize() + "." for at in range(0, words, 15))


@cache
def slug(name: str) -> str:
    dice = Dice(f"slug of {name}")
    return "-".join(word(dice.below(WORDS)) for _ in range(4))


def html(page: Page) -> bytes:
    words, links = page
    menu = "".join(f'<li><a href="{link}">{link}</a>' for link in ENTRANCES)
    body = "".join(f'<li><a href="{link.replace("&", "&amp;")}">{link[-6:]}</a>' for link in links)
    title = " ".join(words.split()[:4])
    return (
        f'<!doctype html><html lang="x-farm"><title>{title}</title><nav><ul>{menu}</ul></nav>'
        f"<main><p>{words}</p><ul>{body}</ul></main></html>\n"
    ).encode()


async def respond(request: Request, writer: StreamWriter) -> int:
    page = answer(request.path) if request.host == HOST else None
    status, body = (200, html(page)) if page else (404, b"<!doctype html><title>Not here</title>")
    kind = ("Content-Type", "text/html; charset=utf-8")
    writer.write(message(status, (kind,), body, head_only=request.method == "HEAD"))
    return status


serving = partial(loopback.child, "tests.web.farm")


def main() -> None:
    """Serve until stdin closes."""
    parser = argparse.ArgumentParser(prog="python -m tests.web.farm", description=__doc__)
    parser.add_argument("--log", type=Path)
    loopback.run([Listener(0, respond)], parser.parse_args().log)


if __name__ == "__main__":
    main()
