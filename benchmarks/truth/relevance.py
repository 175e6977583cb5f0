"""Does similarity tell topics apart? Shown on the real pages: ``python -m benchmarks.truth.relevance`` prints tables.

A page's topic is what a word of its title says. Since such a word may be all that two pages share, everything is
measured a second time with all topic words struck from the vectors ("blind"): likeness then has to come from the rest.
A second truth needs no word of ours: halves of one page's main text, as people marked it, against halves of others'.

No real page here is a casino's, so :data:`CASINO` is written for this purpose.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Sequence
from functools import cache, partial
from itertools import combinations, product
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser

from benchmarks.extract import cpu_ms, made_up_page, real_pages
from benchmarks.truth.reference import PAGES, page_bytes, page_paths
from crawler.extract.charset import charset_of
from crawler.extract.encodings import decode
from crawler.extract.placement import placements, said
from crawler.extract.reading import Reading
from crawler.extract.terms import page_vector, vector
from crawler.extract.tree import read
from linkindex.relevance import Rarity, Weighted, combine, cosine, similarity, unpack

TOPICS = {
    "cameras": "camera cameras photography mirrorless",
    "cars": "car brake vehicle",
    "certificates": "certificate certificates certification degree",
    "climate": "climate waste sustainable",
    "coffee": "coffee espresso",
    "events": "wedding event events catering",
    "fitness": "fitness gym workout workouts exercise exercises",
    "food": "recipe recipes bread meal meals food diet eating nutrition fasting",
    "games": "steam gaming game games",
    "gardening": "garden gardens gardening plants planting pest evergreens",
    "insurance": "insurance insurer insurers",
    "interiors": "interior renovation",
    "marketing": "seo marketing ecommerce",
    "mind": "mental meditation therapy anxiety",
    "mobile apps": "app apps smartphone",
    "office software": "crm hr payroll accounting",
    "outdoors": "camping hiking backpacking backpack hammocks climbing",
    "plumbing, wiring": "plumbing plumber electrical electrician",
    "programming": "rust html5 parser git compiler javascript react coldfusion webassembly",
    "security": "cybersecurity cyber vpn",
    "teaching": "tutoring teaching teachers",
    "travel": "hotel vacation travel luggage",
}
HEALTH = "health healthy nutrition diet meditation hygiene medical anxiety"
CASINO = """
Play at the best online casino of the year and claim your welcome bonus: a hundred free spins on your first deposit.
Our casino has more than two thousand slots, from classic fruit machines to progressive jackpots that pay out millions,
and live tables where real dealers spin the roulette wheel and deal blackjack, baccarat and poker around the clock.
New players get a match bonus on their first three deposits. Wagering requirements apply: bets on slots count in full,
bets on roulette and blackjack count for a tenth. Withdraw your winnings within a day by card, bank transfer or
cryptocurrency; the highest payout a week is ten thousand. Join our loyalty club, collect points with every bet and
swap them for cash, free spins or a seat at the next poker tournament. High rollers have a manager of their own,
higher table limits and cashback on losses. The odds of every game and its return to the player are published, and
the random numbers are audited each month. Sports betting is included: football, tennis and horse racing, with live
odds and cash out before the final whistle. Gamble responsibly: set a deposit limit, take a break or exclude yourself
at any time. Players must be over eighteen. Licensed and regulated; terms and conditions apply to all bonus offers.
"""
_HALF_CHARS = 1_000  # of a main text's half, at least


class Page(NamedTuple):
    """A real page: the lower-case words of its title, its vector, and those of its main text's halves, if marked."""

    words: frozenset[str]
    vector: bytes
    halves: tuple[bytes, bytes] | None


class Result(NamedTuple):
    """How well similarity sorts pairs: area under the curve, and the similarities of both kinds of pairs."""

    alike: list[float]
    strange: list[float]

    @property
    def area(self) -> float:
        """The chance that a pair that belongs together scores above one that does not (Hanley & McNeil 1982)."""
        ranked = sorted([(score, 1) for score in self.alike] + [(score, 0) for score in self.strange])
        scores = [score for score, _ in ranked]
        below = _middle_ranks(scores)
        total = sum(below[score] for score in self.alike)
        return (total - len(self.alike) * (len(self.alike) + 1) / 2) / (len(self.alike) * len(self.strange))

    def __str__(self) -> str:
        return (
            f"{self.area:5.3f}   together: mean {fmean(self.alike):.3f} median {median(self.alike):.3f}   "
            f"strangers: mean {fmean(self.strange):.3f} median {median(self.strange):.3f} "
            f"95 % under {sorted(self.strange)[int(len(self.strange) * 0.95)]:.3f}"
        )


def reading(body: bytes) -> Reading:
    """Return what the walk over the page finds."""
    charset, mark = charset_of(body)
    root = LexborHTMLParser(decode(body[mark:], charset)).root
    return read(root, 10_000) if root is not None else Reading()


def pages() -> list[Page]:
    """Return all real pages, none where the oracles are absent."""
    return [_page(path) for path in page_paths()]


def by_topic(found: Iterable[Page]) -> dict[str, list[bytes]]:
    """Return topic to vectors, of the pages whose title speaks of exactly one topic."""
    topics: dict[str, list[bytes]] = {topic: [] for topic in TOPICS}
    for page in found:
        said = [topic for topic, words in TOPICS.items() if not page.words.isdisjoint(words.split())]
        if len(said) == 1 and page.vector:
            topics[said[0]].append(page.vector)
    return topics


def blind(packed: bytes) -> bytes:
    """Return the vector without the words that name topics."""
    parts = (packed[at : at + 4] for at in range(1, len(packed), 4))
    return packed[:1] + b"".join(part for part in parts if int.from_bytes(part, "little") >> 8 not in _topic_terms())


def pairs(topics: dict[str, list[bytes]], rarity: Rarity) -> Result:
    """Compare every page that has a topic with every other."""
    labelled = [(topic, weighed) for topic, group in topics.items() for weighed in _weigh(group, rarity)]
    result = Result([], [])
    for (one, mine), (other, others) in combinations(labelled, 2):
        (result.alike if one == other else result.strange).append(cosine(mine, others))
    return result


def to_domains(topics: dict[str, list[bytes]], rarity: Rarity) -> Result:
    """Compare every page with domains, one a topic, each made of the topic's pages except this one."""
    result = Result([], [])
    for topic, group in topics.items():
        for page in group:
            mine = _weigh([page], rarity)
            for other, members in topics.items():
                domain = _weigh([combine(member for member in members if member is not page)], rarity)
                scores = [cosine(one, two) for one, two in product(mine, domain)]
                (result.alike if topic == other else result.strange).extend(scores)
    return result


def halves(found: Iterable[Page], rarity: Rarity) -> Result:
    """Compare first halves of main texts with second halves, their own and others'."""
    both = [page.halves for page in found if page.halves]
    first, second = (_weigh(side, rarity) for side in zip(*both, strict=True))
    result = Result([], [])
    for (i, one), (j, two) in product(enumerate(first), enumerate(second)):
        (result.alike if i == j else result.strange).append(cosine(one, two))
    return result


def example(found: Sequence[Page], rarity: Rarity) -> tuple[list[float], float, float]:
    """A fitness domain with links from health pages and from a casino: similarities of the former, of the latter.

    The third number is the share of (fitness page, health page) pairs that score above (the fitness page, casino).
    """
    fitness = by_topic(found)["fitness"]
    words = TOPICS["fitness"].split()
    health = [page.vector for page in found if page.words & set(HEALTH.split()) and page.words.isdisjoint(words)]
    (domain,) = _weigh([combine(fitness)], rarity)
    (casino,) = _weigh([vector([(CASINO, 1)], "en")], rarity)
    sources = _weigh(health, rarity)
    wins = [cosine(page, source) > cosine(page, casino) for page, source in product(_weigh(fitness, rarity), sources)]
    return [cosine(domain, source) for source in sources], cosine(domain, casino), fmean(wins)


def main() -> int:
    """Print the tables; return 69 where the pages are absent."""
    found = pages()
    if not found:
        print(f"no pages at {PAGES}")
        return 69
    rarity = Rarity.of(page.vector for page in found)
    topics = by_topic(found)
    print(f"{'topic':18} {'pages':>5} {'within':>7} {'to others':>9}")
    for topic, group in topics.items():
        own = _weigh(group, rarity)
        others = _weigh((page for other, members in topics.items() if other != topic for page in members), rarity)
        within = fmean(cosine(one, two) for one, two in combinations(own, 2))
        print(f"{topic:18} {len(group):5} {within:7.3f} {fmean(cosine(*pair) for pair in product(own, others)):9.3f}")
    struck = {topic: [blind(page) for page in group] for topic, group in topics.items()}
    print(f"\narea under the curve ({len(found)} pages, {sum(map(len, topics.values()))} with a topic)")
    print(f"pages               {pairs(topics, rarity)}")
    print(f"  rarity unknown    {pairs(topics, Rarity())}")
    print(f"  blind             {pairs(struck, rarity)}")
    print(f"page to domain      {to_domains(topics, rarity)}")
    print(f"  blind             {to_domains(struck, rarity)}")
    print(f"halves of a page    {halves(found, rarity)}")
    health, casino, share = example(found, rarity)
    print(f"\nto a fitness domain: from {len(health)} health pages {min(health):.3f} to {max(health):.3f}", end=", ")
    print(f"mean {fmean(health):.3f}; from a casino {casino:.3f}")
    print(f"health pages above the casino: {fmean(score > casino for score in health):.0%} to the domain, ", end="")
    print(f"{share:.0%} of pairs of pages")
    costs(rarity, [page.vector for page in found])
    return 0


def costs(rarity: Rarity, vectors: Sequence[bytes]) -> None:
    """Print the CPU time of a vector, of the two suites of :mod:`benchmarks.extract`, and of comparisons."""
    for name, bodies in (("made up", [made_up_page()] * 50), ("real", real_pages())):
        kept = {body: reading(body) for body in bodies}
        whole, ours = cpu_ms(reading, bodies), cpu_ms(partial(_vector_of, kept), bodies)
        print(f"{name:8} pages: parse and walk {whole:.2f} ms, vector {ours:.2f} ms")
    some = vectors[:100]
    start = time.process_time()
    for one, other in product(some, some):
        similarity(one, other, rarity)
    print(f"similarities per second: {len(some) ** 2 / (time.process_time() - start):,.0f}", end=", ")
    weighed = _weigh(vectors, rarity)
    start = time.process_time()
    for mine, others in product(weighed, weighed):
        cosine(mine, others)
    print(f"of vectors weighed before: {len(weighed) ** 2 / (time.process_time() - start):,.0f}")


def _vector_of(readings: dict[bytes, Reading], body: bytes) -> bytes:
    return page_vector(readings[body], said(readings[body]), "en")


def _page(path: Path) -> Page:
    found = reading(page_bytes(path))
    words = frozenset(re.findall(r"[a-z0-9]+", found.title.lower()))
    language = found.language.lower()
    return Page(words, page_vector(found, placements(found, ""), language), _halves(path, language))


def _halves(path: Path, language: str) -> tuple[bytes, bytes] | None:
    truth = path.with_name(path.name.partition(".")[0] + ".json")
    if path.suffix != ".gz" or not truth.exists():
        return None
    text = json.loads(truth.read_text("utf-8"))["ground_truth"].get("main_content") or ""
    middle = len(text) // 2
    if middle < _HALF_CHARS:
        return None
    return vector([(text[:middle], 1)], language), vector([(text[middle:], 1)], language)


@cache
def _topic_terms() -> frozenset[int]:
    words = [word for words in TOPICS.values() for word in words.split()]
    return frozenset(term for word in words for term in unpack(vector([(word, 1)], "en")))


def _weigh(vectors: Iterable[bytes], rarity: Rarity) -> list[Weighted]:
    return [weighed for packed in vectors if (weighed := rarity.weigh(packed)) is not None]


def _middle_ranks(scores: Sequence[float]) -> dict[float, float]:
    """Return score to rank in the ascending ``scores``, equal ones sharing the mean of theirs."""
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for rank, score in enumerate(scores, 1):
        first.setdefault(score, rank)
        last[score] = rank
    return {score: (first[score] + last[score]) / 2 for score in first}


if __name__ == "__main__":
    raise SystemExit(main())
