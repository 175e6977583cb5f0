"""What a dead URL could lead to instead: the best live page of the same site. Pure.

The same resource under another spelling (:func:`copies`) is all but sure. After it comes what is near by two measures:

* path: segments that both have at their beginnings and ends, 2 (p + s) / (all of both);
* words: those of the URL and title of the live page against those of the dead URL, its last title and the anchors that
  point to it, by the coefficient of Dice. A word weighs more the fewer pages of the site have it (inverse document frequency:
  Spärck Jones 1972), so the name of the site weighs nothing, and in a URL its last segment weighs most.

Work is bounded: a site is read once, and a dead URL is compared with no more than :data:`MOST_COMPARED` of its pages.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from linkindex import urls

MOST_PAGES = 100_000  # of a site that are looked at
MOST_COMPARED = 200
LEAST_SCORE = 0.25  # what is worse is no replacement
MOST_HOSTS = 6  # of a site under which a path is looked up

_SAME, _SPELLED, _NEAR = 0.98, 0.92, 0.9  # the same path elsewhere; spelled otherwise; what is only near stays below
_SECTION = 0.6  # of its score, for a page above the dead one: it is about more
_PATH, _WORDS = 0.4, 0.6
_DIRECTORY = 0.3  # what a word weighs that only stands in a directory's name
_COMMON = 2000  # pages; a word of more of them finds nobody

_PAGE_ENDINGS = ("html", "htm", "php", "asp", "aspx", "jsp")
_ENDING = re.compile(rf"\.({'|'.join(_PAGE_ENDINGS)})$", re.IGNORECASE)
_INDEX = re.compile(rf"/(?:index|default)\.(?:{'|'.join(_PAGE_ENDINGS)})$", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")  # Japanese, Chinese, Thai


class Live(NamedTuple):
    """A page that can be read; ``url`` is canonical."""

    url: str
    title: str


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """Where a dead URL could lead. ``because``: same path, a copy leads there, similar, section."""

    url: str
    score: float  # 0 to 1
    because: str


class Copy(NamedTuple):
    """Another URL of the same resource, and how sure that is."""

    url: str
    score: float


def copies(url: str, hosts: Iterable[str]) -> list[Copy]:
    """Return other URLs of what a canonical ``url`` names, on these hosts of its site and its own, the surest first."""
    path = url[url.index("/", url.index("//") + 2) :]
    own = urls.host_of(url)
    bare = own.removeprefix("www.")
    every = list(dict.fromkeys((own, bare, f"www.{bare}", *hosts)))[: MOST_HOSTS + 3]
    spellings = [(path, _SAME), *((other, _SPELLED) for other in _spellings(path))]
    found = {
        f"{scheme}://{host}{spelled}": score
        for spelled, score in spellings
        for host in every
        for scheme in ("https", "http")
    }
    return [Copy(other, score) for other, score in found.items() if other != url]


def _spellings(path: str) -> list[str]:
    """Return other spellings of a path: with and without slash, ending, capitals, query, the name of an index page."""
    bare, question, query = path.partition("?")
    base = _INDEX.sub("/", bare)
    stem = _ENDING.sub("", base).rstrip("/")
    forms = [f"{stem}/", stem or "/", f"{stem}.html" if stem else "/index.html", base]
    forms = [f"{form}{question}{query}" for form in forms] + ([bare] if query else [])
    forms += [form.lower() for form in (path, *forms) if form != form.lower()]
    return [form for form in dict.fromkeys(forms) if form != path]


class Site:
    """The live pages of a site, found by their words and paths."""

    def __init__(self, pages: Iterable[Live]) -> None:
        self._pages: list[Live] = []
        self._with: defaultdict[str, list[int]] = defaultdict(list)  # word to pages
        self._at: dict[tuple[str, ...], int] = {}  # path to page
        hosts: Counter[str] = Counter()
        for page in pages:
            number = len(self._pages)
            self._pages.append(page)
            hosts[urls.host_of(page.url)] += 1
            self._at.setdefault(_segments(page.url), number)
            for word in _weights(page.url, (page.title,)):
                self._with[word].append(number)
        self.hosts = [host for host, _ in hosts.most_common(MOST_HOSTS)]

    def nearest(self, url: str, title: str = "", anchors: Sequence[str] = ()) -> Replacement | None:
        """Return the live page that is nearest to a dead canonical URL, None where none is near."""
        wanted = _weights(url, (title,))
        # What others call it counts as far as the site knows the word: "here" is nobody's subject.
        wanted |= {word: 1.0 for text in anchors for word in _words(text) if word in self._with}
        path = _segments(url)
        above = {self._at[path[:end]] for end in range(len(path)) if path[:end] in self._at}
        scored = [self._score(number, path, wanted, number in above) for number in self._candidates(wanted) | above]
        found = max(scored, key=lambda one: (one.score, one.url), default=None)
        return found if found and found.score >= LEAST_SCORE else None

    def _candidates(self, wanted: Mapping[str, float]) -> set[int]:
        """Return pages that have words of these, those with the rarest words first."""
        found: set[int] = set()
        for word in sorted((word for word in wanted if word in self._with), key=lambda word: len(self._with[word])):
            room = MOST_COMPARED - len(found)
            if room <= 0 or len(self._with[word]) > _COMMON:
                break
            found.update(self._with[word][:room])
        return found

    def _score(self, number: int, path: tuple[str, ...], wanted: Mapping[str, float], above: bool) -> Replacement:
        page = self._pages[number]
        likeness = _PATH * _shared(path, _segments(page.url)) + _WORDS * self._alike(wanted, page)
        score = round(_NEAR * likeness * (_SECTION if above else 1.0), 2)
        return Replacement(url=page.url, score=score, because="section" if above else "similar")

    def _alike(self, wanted: Mapping[str, float], page: Live) -> float:
        has = _weights(page.url, (page.title,))
        both = sum((wanted[word] + has[word]) * self._rarity(word) for word in wanted.keys() & has.keys())
        every = sum(weight * self._rarity(word) for words in (wanted, has) for word, weight in words.items())
        return both / every if every else 0.0

    def _rarity(self, word: str) -> float:
        return math.log((1 + len(self._pages)) / (1 + len(self._with.get(word, ()))))


def _segments(url: str) -> tuple[str, ...]:
    path = _INDEX.sub("/", url[url.index("//") + 2 :].partition("?")[0])
    return tuple(_ENDING.sub("", part).lower() for part in path.split("/")[1:] if part)


def _weights(url: str, texts: Iterable[str]) -> dict[str, float]:
    """Return the words of a URL and of what is said of it, with what each of them weighs."""
    path = _segments(url)
    weights = {word: _DIRECTORY for part in path[:-1] for word in _words(unquote(part))}
    weights |= {word: 1.0 for part in (*path[-1:], url.partition("?")[2]) for word in _words(unquote(part))}
    return weights | {word: 1.0 for text in texts for word in _words(text)}


def _words(text: str) -> list[str]:
    words: list[str] = []
    for word in _WORD.findall(text.casefold()):
        # Where no spaces stand between words, pairs of letters do well enough.
        pairs = [word[at : at + 2] for at in range(len(word) - 1)] if _UNSPACED.search(word) else []
        words += pairs or [word]
    return words


def _shared(one: Sequence[str], other: Sequence[str]) -> float:
    """Return which part of two paths is the same at their beginnings and ends, 0 to 1."""
    shorter = min(len(one), len(other))
    front = next((at for at in range(shorter) if one[at] != other[at]), shorter)
    back = next((at for at in range(shorter - front) if one[-1 - at] != other[-1 - at]), shorter - front)
    every = len(one) + len(other)
    return 2 * (front + back) / every if every else 1.0
