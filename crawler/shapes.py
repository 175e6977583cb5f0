"""The shape of a URL: what it has in common with the others that the same template makes. Pure.

Numbers, dates and ids are folded, so are the words of a page's own name; of a query the keys are kept, sorted. What is
left says "a post of the blog" rather than which: ``/blog/2024/05/my-first-post`` is ``/blog/0/0/~``. Some shapes are those
of known spider traps (Olston & Najork, "Web Crawling", 2010, 6.3; Heydon & Najork, "Mercator", 1999, 3.7): they are under
*suspicion*, and all URLs of a host that one suspicion makes alike share one shape, however they grow.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from operator import ne
from typing import NamedTuple

DEEP = 10  # segments of a path; of 10,000 links of real pages, two in a thousand have as many
KEYS = 5  # of a query, from which on it is one that grows
_LONGEST = 64  # characters of a segment that are looked into; what is longer is somebody's words
_CUT = _LONGEST + 1  # characters of it that are remembered: strangers fill this cache
_LITERAL = 24  # characters of a segment that may be the name of a section
_RANDOM = 16  # characters from which on a mixture of letters and digits is nobody's word
_MOST = 160  # characters of a shape

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_RUN = re.compile(r"[0-9A-Za-z]{8,}")
_HEX = re.compile(r"(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]+|(?=[A-F]*[0-9])(?=[0-9]*[A-F])[0-9A-F]+")
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[a-z]{2,}")
_CLASSES = str.maketrans(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "0" * 10 + "a" * 26 + "A" * 26
)

_YEAR = r"(?:19|20|21|22)\d\d"
_DATED_PATH = re.compile(rf"/{_YEAR}[/-](?:0?[1-9]|1[0-2])(?:[/-][0-3]?\d)?/?$")
_DATED_VALUE = re.compile(rf"{_YEAR}(?:-?(?:0[1-9]|1[0-2])(?:-?[0-3]\d)?|[-/](?:[1-9]|1[0-2])(?:[-/]\d+)?)(?:$|T)")
_DATED_KEYS = frozenset("date day month year week ical tribe-bar-date eventdate eventdisplay".split())

# Names that only sessions have, and names that other things have too: of those the value tells.
_SESSION = r"jsessionid|phpsessid|aspsessionid\w*|cfid|cftoken|oscsid|zenid|xtcsid"
_MAYBE_SESSION = r"sid|session|session_?id|sess|ssid|psid|s_id|auth_sess"
_IS_SESSION = re.compile(rf"(?:(?:{_SESSION})=.+|(?:{_MAYBE_SESSION})=(?=\w*\d)[\w-]{{10,}})", re.IGNORECASE)
_IN_PATH = re.compile(
    rf";(?:{_SESSION}|{_MAYBE_SESSION})=[^/;?]*|/\([a-z]\(\w{{8,}}\)\)(?=/)|/(?:{_SESSION})=[^/;?]+", re.IGNORECASE
)


class Shape(NamedTuple):
    """What a URL looks like within its host."""

    path: str
    query: str = ""  # its keys, sorted; "" where it has none
    suspicion: str = ""  # "path_depth", "repeated", "query", "session", "calendar", or "": an ordinary one
    twin: str = ""  # the URL without its session id, where it has one

    @property
    def pattern(self) -> str:
        """The shape in one string, at most some 160 characters."""
        return f"{self.path}?{self.query}"[:_MOST] if self.query else self.path[:_MOST]

    @property
    def keys(self) -> int:
        return self.query.count("&") + 1 if self.query else 0


def shape(url: str) -> Shape:
    """Return the shape of a canonical URL."""
    start = url.index("/", url.index("//") + 2)
    path, _, query = url[start:].partition("?")
    bare, parameters = path, query.split("&") if query else []
    if ";" in path or "(" in path or "=" in path:
        bare = _IN_PATH.sub("", path)
    kept = [parameter for parameter in parameters if not _IS_SESSION.match(parameter)]
    twin = ""
    if len(bare) < len(path) or len(kept) < len(parameters):
        twin = url[:start] + bare + (f"?{'&'.join(kept)}" if kept else "")
    folded = _path(bare, scripted=bool(kept))
    if kept and not folded.suspicion:
        folded = _query(folded.path, kept)
    return folded._replace(twin=twin) if twin else folded


def section(pattern: str) -> str:
    """Return the part of a site that a pattern belongs to: the first segment of its path, "" for what is in none."""
    end = pattern.find("/", 1)
    return f"{pattern[:end]}/**" if end > 0 else ""


class _Folder(NamedTuple):
    """What is before the last segment of a path; a site has few of them."""

    segments: tuple[str, ...]
    folded: tuple[str, ...]
    path: str
    distinct: frozenset[str]
    random: bool  # a long id is among them


@lru_cache(maxsize=1 << 12)
def _folder(path: str) -> _Folder:
    segments = tuple(segment for segment in path.split("/") if segment)
    folded = tuple(_fold(segment[:_CUT]) for segment in segments)
    random = any(part == "h" and len(segment) >= _RANDOM for part, segment in zip(folded, segments, strict=True))
    return _Folder(segments, folded, "/".join(["", *folded, ""]), frozenset(segments), random)


def _path(path: str, *, scripted: bool) -> Shape:
    """Return the shape of a path; ``scripted``: its last segment names what reads the query."""
    above, _, last = path.rstrip("/").rpartition("/")
    folder = _folder(above)
    if not last:
        return Shape("/")
    segments = folder.segments
    if (last in folder.distinct or len(folder.distinct) < len(segments)) and _repeats([*segments, last]):
        return Shape(f"/{_fold(segments[0][:_CUT])}/(…)+", suspicion="repeated")
    if len(segments) >= DEEP - 1:
        return Shape(f"/{folder.folded[0]}/{folder.folded[1]}/…", suspicion="path_depth")
    if last[-1].isdigit() and (dated := _DATED_PATH.search(path)):
        return Shape(f"{_folder(path[: dated.start()]).path}@", suspicion="calendar")
    leaf = _fold(last[:_CUT])
    if folder.random:
        return Shape(folder.path + leaf, suspicion="session")
    if not scripted:
        leaf = _leaf(leaf)
    return Shape(f"{folder.path}{leaf}/" if path[-1] == "/" else folder.path + leaf)


def _query(path: str, parameters: list[str]) -> Shape:
    counted: Counter[str] = Counter()
    dated = False
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        name = key.partition("[")[0].partition("%5B")[0].lower()
        counted[_fold(name[:_CUT])] += not key.endswith(("]", "%5D"))
        dated |= _DATED_VALUE.match(value) is not None or (name in _DATED_KEYS and value[-1:].isdigit())
    if dated:
        return Shape(path, "@", "calendar")
    if len(counted) >= KEYS or max(counted.values()) >= 3:
        return Shape(path, "+", "query")
    return Shape(path, "&".join(sorted(counted)))


def _repeats(segments: list[str]) -> bool:
    """Return whether relative links have led round: ``a/b/a/b``, ``a/a/a``, ``a/x/a/y/a``. Numbers may well repeat."""
    if len(segments) == len(set(segments)):
        return False
    words = [segment for segment in segments if not segment.isdigit()]
    if any(count >= 3 for count in Counter(words).values()):
        return True
    pairs = [pair for pair in pairwise(words) if pair[0] != pair[1]]
    return len(pairs) != len(set(pairs))


@lru_cache(maxsize=1 << 14)
def _fold(segment: str) -> str:
    """Return a segment as every page of its kind has it: ``0`` for numbers, ``h`` for ids, ``~`` for words of its own."""
    if segment.isalpha() and len(segment) <= _LITERAL and segment.isascii():
        return segment.lower()
    if len(segment) > _LONGEST or "%" in segment:
        return "~"
    folded = _RUN.sub(_folded_id, _UUID.sub("h", segment))
    if folded == "h":
        return "h"
    folded = _DIGITS.sub("0", folded).lower()
    return folded if len(folded) <= _LITERAL and len(_WORD.findall(folded)) < 3 else f"~{_extension(folded)}"


def _folded_id(run: re.Match[str]) -> str:
    text = run[0]
    if _HEX.fullmatch(text):
        return "h"
    if len(text) < _RANDOM or text.isalpha() or text.isdigit():
        return text
    classes = text.translate(_CLASSES)
    digits = classes.replace("A", "a")
    random = sum(map(ne, digits, digits[1:])) >= 3 and sum(map(ne, classes, classes[1:])) * 3 >= len(text)
    return "h" if random else text


@lru_cache(maxsize=1 << 14)
def _leaf(folded: str) -> str:
    """Return the last segment of a path: what is named by words is named by its own."""
    if folded in ("0", "h"):
        return folded
    extension = _extension(folded)
    name = folded.removesuffix(extension)
    numbered = ("0" in name or "h" in name) and "~" not in name and len(_WORD.findall(name)) < 2
    return folded if numbered and name[-1:] in "0h" else f"~{extension}"


def _extension(folded: str) -> str:
    dot = folded.rfind(".")
    return folded[dot:] if dot > 0 and 1 < len(folded) - dot <= 6 else ""
