"""One HTML document being written; it remembers each link that it is given, so that the truth cannot drift from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from interfaces.demo.dice import Dice
from interfaces.demo.model import Answer, PlantedLink, split

# How three kinds of sites mark the parts of a page: HTML5 elements, ARIA roles, nothing but class names.
THEMES: tuple[dict[str, tuple[str, str]], ...] = (
    {
        "header": ("<header>", "</header>"),
        "navigation": ("<nav>", "</nav>"),
        "breadcrumb": ('<nav aria-label="Breadcrumb">', "</nav>"),
        "content": ("<main><article>", "</article></main>"),
        "comment": ('<section id="comments" class="comments">', "</section>"),
        "sidebar": ("<aside>", "</aside>"),
        "footer": ("<footer>", "</footer>"),
    },
    {
        "header": ('<div role="banner">', "</div>"),
        "navigation": ('<div role="navigation">', "</div>"),
        "breadcrumb": ('<ol class="breadcrumb">', "</ol>"),
        "content": ('<div role="main">', "</div>"),
        "comment": ('<ol class="comment-list">', "</ol>"),
        "sidebar": ('<div role="complementary">', "</div>"),
        "footer": ('<div role="contentinfo">', "</div>"),
    },
    {
        "header": ('<div id="header">', "</div>"),
        "navigation": ('<ul class="main-menu">', "</ul>"),
        "breadcrumb": ('<div class="breadcrumbs">', "</div>"),
        "content": ('<div class="post-content">', "</div>"),
        "comment": ('<div id="comments">', "</div>"),
        "sidebar": ('<div id="sidebar" class="widget-area">', "</div>"),
        "footer": ('<div id="footer">', "</div>"),
    },
)


class Page:
    """A document at ``url``. Write into it part by part; :meth:`answer` gives the bytes, ``links`` the truth."""

    def __init__(
        self,
        url: str,
        title: str,
        dice: Dice,
        *,
        language: str = "en",
        theme: int = 0,
        charset: str = "utf-8",
        base: str = "",
        robots: str = "",
        robots_header: str = "",
    ) -> None:
        self.url = url
        self.title = title
        self.dice = dice
        self.links: list[PlantedLink] = []
        self._theme = THEMES[theme % len(THEMES)]
        self._language = language
        self._charset = charset
        self._base = base
        self._follow = "nofollow" not in robots + robots_header
        self._placement = "head"
        self._robots_header = robots_header
        self._body: list[str] = []
        self._head = [f'<meta charset="{charset}">', f"<title>{escape(title)}</title>"]
        if robots:
            self._head.append(f'<meta name="robots" content="{robots}">')
        if base:
            self._head.append(f'<base href="{base}">')
        self._head.append('<link rel="stylesheet" href="/style.css">')

    def write(self, html: str) -> None:
        """Append to the body."""
        self._body.append(html)

    @contextmanager
    def part(self, placement: str) -> Iterator[None]:
        """Write the part of the page that ``placement`` names; links made inside belong there."""
        opening, closing = self._theme[placement]
        before, self._placement = self._placement, placement
        self.write(opening)
        yield
        self.write(closing)
        self._placement = before

    def relation(self, rel: str, target: str, attributes: str = "", *, kind: str = "") -> None:
        """Put a ``link`` element into the head; its kind is its rel unless told otherwise."""
        self._head.append(f'<link rel="{rel}" href="{self._href(target)}"{attributes}>')
        self._plant(target, "", rel, kind or rel, "head")

    def refresh(self, target: str, seconds: int = 0) -> None:
        """Put a meta refresh into the head."""
        self._head.append(f'<meta http-equiv="refresh" content="{seconds}; url={target}">')
        self._plant(target, "", "", "refresh", "head")

    def a(self, target: str, anchor: str, rel: str = "", *, href: str = "") -> str:
        """Return a text link; ``href`` spells the target in a way of its own."""
        self._plant(target, anchor, rel, "text")
        return f'<a href="{escape(href or self._href(target))}"{_rel(rel)}>{escape(anchor, quote=False)}</a>'

    def image(self, target: str, alt: str, source: str, rel: str = "") -> str:
        """Return a linked image."""
        self._plant(target, alt, rel, "image")
        return f'<a href="{self._href(target)}"{_rel(rel)}><img src="{source}" alt="{escape(alt)}"></a>'

    def area(self, target: str, alt: str, circle: str) -> str:
        """Return an area of an image map."""
        self._plant(target, alt, "", "area")
        return f'<area shape="circle" coords="{circle}" href="{self._href(target)}" alt="{escape(alt)}">'

    def frame(self, target: str) -> str:
        """Return an iframe."""
        self._plant(target, "", "", "frame")
        return f'<iframe src="{self._href(target)}" width="400" height="300"></iframe>'

    def answer(self, status: int = 200) -> Answer:
        """Return the document as an answer. The charset is declared in the header too, where it is UTF-8."""
        head, body = "\n".join(self._head), "\n".join(self._body)
        root = f'<html lang="{self._language}">'
        text = f"<!doctype html>\n{root}\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n"
        kind = "text/html; charset=utf-8" if self._charset == "utf-8" else "text/html"
        headers = [("Content-Type", kind)]
        if self._robots_header:
            headers.append(("X-Robots-Tag", self._robots_header))
        return Answer(status, tuple(headers), text.encode(self._charset))

    def _plant(self, target: str, anchor: str, rel: str, kind: str, placement: str = "") -> None:
        if target == self.url:
            return
        tokens = tuple(sorted(rel.split()))
        follow = self._follow and not {"nofollow", "ugc", "sponsored"} & set(tokens)
        self.links.append(PlantedLink(self.url, target, anchor, tokens, kind, placement or self._placement, follow))

    def _href(self, target: str) -> str:
        """Spell a target as sites do: most often plainly, now and then in other words for the same URL."""
        host, path = split(target)
        if host == split(self.url)[0] and not self._base:
            return path
        spellings = (
            f"//{host}{path}", f"HTTP://{host.title()}{path}", f"http://{host}:80{path}", f"{target}#more",
            f"{target}{'&' if '?' in path else '?'}utm_source=friends".replace("&", "&amp;"),
        )  # fmt: skip
        return self.dice.pick(spellings) if self.dice.chance(0.2) else target


def _rel(rel: str) -> str:
    return f' rel="{rel}"' if rel else ""
