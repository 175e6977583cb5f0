"""Much linked domains: from :data:`MANY` links on, what each domain links to them is counted as it is written.

So an answer about a domain with millions of links reads a row for each domain that links, whatever its links are. Small ones
are not counted: their links are read as quickly, and most links of the web point at small ones.

A domain is counted by one transaction, which reads all its links and notes it as large. Writers read that note in each of
theirs. One that began before, and did not see it, cannot commit behind it: counting a domain writes the tally of every
writer, and so does each batch its own (:class:`linkindex.store.mongo.writes.Writes`).
"""

from __future__ import annotations

from collections.abc import Iterable

from pymongo.client_session import ClientSession

from linkindex.store.mongo import covering, ids
from linkindex.store.mongo.asking import parts
from linkindex.store.mongo.pairs import Changes, same, sums
from linkindex.store.mongo.place import Place
from linkindex.store.mongo.records import LinkRecord, PageRecord, PairRecord, Strange, fields
from linkindex.store.mongo.schema import LARGE, LINKS, PAGES, PAIRS, TALLIES
from linkindex.target import Target

MANY = 20_000  # links; fewer are read in a third of a second
MOST = 2_000_000  # links that one transaction can read in the minute that the server gives it
MOST_ALIKE = 400_000  # kinds of links that a pair begins with: half as many again are the 16 MB that a document holds
A_PAGE = 8  # links to a domain that are read in the time that one page takes, with what else that links to
_NAMES = 2_000  # in one request
_WRITTEN = 1_000  # documents in one insert

COUNTED = fields(  # what sums are made of
    LinkRecord,
    *("page", "source_domain", "target", "target_domain", "kind", "anchor", "rel", "follow", "placement"),
    *("site_placement", "internal", "first_seen", "until"),
)
_FIRST = fields(LinkRecord, "source_domain", "internal", "first_seen")
_OUTCOME = fields(PageRecord, "outcome")


def known(place: Place, session: ClientSession) -> frozenset[str]:
    """Return the domains that are counted."""
    return frozenset(found["_id"] for found in place.db[LARGE].find({"no": {"$exists": False}}, session=session))


def is_many(place: Place, domain: str) -> bool:
    """Return whether a domain has many links, and nobody has noted it as large or too large."""
    if place.db[LARGE].find_one({"_id": domain}):
        return False
    return place.db[LINKS].count_documents(links_to(domain), limit=MANY) >= MANY


def count(place: Place, strange: Strange, domain: str, session: ClientSession) -> None:
    """Count the links to ``domain``, from now on with every write."""
    db = place.db
    if db[LARGE].find_one({"_id": domain}, session=session):
        return
    db[TALLIES].update_many({}, {"$inc": {"z": 1}}, session=session)
    if db[LINKS].count_documents(links_to(domain), limit=MOST, session=session) >= MOST:
        db[LARGE].insert_one({"_id": domain, "no": True}, session=session)
        return
    db[PAIRS].delete_many(of_domain(domain), session=session)  # of earlier, should somebody have taken the note away
    made = list(counted(place, strange, links_to(domain), session).documents())
    if max((len(one.get("a", ())) for one in made), default=0) > MOST_ALIKE:
        db[LARGE].insert_one({"_id": domain, "no": True}, session=session)
        return
    for some in parts(made, _WRITTEN):
        db[PAIRS].insert_many(some, ordered=False, session=session)
    db[LARGE].insert_one({"_id": domain}, session=session)


def counted(place: Place, strange: Strange, condition: covering.Condition, session: ClientSession) -> Changes:
    """Return what the links that fulfil ``condition`` amount to, counted one by one."""
    of_pages: dict[bytes, list[LinkRecord]] = {}
    found = place.db[LINKS].find(condition, COUNTED, session=session, batch_size=10_000)
    for link in strange.read(found, LinkRecord):
        of_pages.setdefault(link.page, []).append(link)
    doubtful = doubtful_of(place, strange, of_pages, session)
    changes = Changes()
    for name, links in of_pages.items():
        changes.page(links[0].source_domain, {}, sums(links, name in doubtful, {link.target_domain for link in links}))
    return changes


def wrong(place: Place, strange: Strange, pairs: Iterable[PairRecord], session: ClientSession) -> list[PairRecord]:
    """Return those pairs whose counts are not those of their links."""
    found = []
    for pair in pairs:
        condition = {"p": _pages_of(pair.source_domain), "td": pair.target_domain, "sd": pair.source_domain}
        (right,) = counted(place, strange, condition, session).records() or [PairRecord(id=pair.id)]
        if not same(pair, right):
            found.append(pair)
    return found


def look_again(place: Place, strange: Strange, pair: PairRecord, session: ClientSession, *, note: bool) -> int:
    """Return when the first of a pair's live links was seen; with ``note`` the pair knows it from now on."""
    condition = {"p": _pages_of(pair.source_domain), "td": pair.target_domain, "u": {"$exists": False}}
    links = place.db[LINKS].find(condition, _FIRST, session=session, hint="of_page", batch_size=10_000)
    mine = (one for one in strange.read(links, LinkRecord) if one.source_domain == pair.source_domain)
    first = min((one.first_seen for one in mine if not one.internal), default=pair.first_seen)
    if note:
        known = {"$set": {"fs": first}, "$unset": {"ol": ""}}
        place.db[PAIRS].update_one({"_id": pair.id}, known, session=session)
    return first


def let_go(place: Place, domain: str, session: ClientSession) -> None:
    """Count the links to ``domain`` no more."""
    place.db[TALLIES].update_many({}, {"$inc": {"z": 1}}, session=session)
    place.db[LARGE].replace_one({"_id": domain}, {"no": True}, upsert=True, session=session)
    place.db[PAIRS].delete_many(of_domain(domain), session=session)


def of_domain(domain: str) -> covering.Condition:
    """Return the condition on pairs that are about links to ``domain``."""
    low, high = ids.beginning(ids.of_target(domain), ids.PAIR_BYTES)
    return {"_id": {"$gte": low, "$lt": high}, "td": domain}


def _pages_of(domain: str) -> covering.Condition:
    low, high = ids.beginning(ids.of_domain(domain), ids.PAGE_BYTES)
    return {"$gte": low, "$lt": high}


def links_to(domain: str) -> covering.Condition:
    (condition,) = covering.links(Target(text=domain, name=domain))
    return condition


def doubtful_of(place: Place, strange: Strange, names: Iterable[bytes], session: ClientSession) -> set[bytes]:
    found: set[bytes] = set()
    for some in parts(names, _NAMES):
        pages = place.db[PAGES].find({"_id": {"$in": some}, "o": {"$exists": True}}, _OUTCOME, session=session)
        found.update(page.id for page in strange.read(pages, PageRecord) if page.doubtful)
    return found
